"""What the actions on signatures and on templates have in common: scope, state and times as the wire shows them."""

from typing import Annotated

import msgspec

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.paging import MOST_PER_PAGE, USUAL_PER_PAGE, limit_is_wrong, offset_is_wrong
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Answer, Id, Parameters
from cleartosend.model.applications import ReviewState, Subject
from cleartosend.model.reasons import Refusal

MAINLAND = 0
INTERNATIONAL = 1
DELETED = "return successfully!"

STATUS_CODES = {
    ReviewState.APPROVED: 0,
    ReviewState.PENDING: 1,
    ReviewState.REFERRED: 1,
    ReviewState.REJECTED: -1,
    ReviewState.BANNED: -1,
}

Ids = Annotated[tuple[Id, ...], msgspec.Meta(max_length=MOST_PER_PAGE)]


class Listing(Parameters):
    """What both lists are asked with; the id set has the subject's name."""

    international: int
    limit: int = 0
    offset: int = 0


class Deleted(Answer):
    delete_status: str
    delete_time: int


def is_international(asked: int) -> bool | Fault:
    return asked == INTERNATIONAL if asked in {MAINLAND, INTERNATIONAL} else Fault(errors.INVALID_INTERNATIONAL)


def page_is_wrong(asked: Listing) -> Fault | None:
    return limit_is_wrong(asked.limit, MOST_PER_PAGE) or offset_is_wrong(asked.offset)


def page_of(asked: Listing, ids: tuple[int, ...]) -> tuple[int | None, int]:
    """Limit and offset to ask the store with. They count only where no ids are given, and no limit means the usual."""
    return (None, 0) if ids else (asked.limit or USUAL_PER_PAGE, asked.offset)


async def delete(call: Call, subject: Subject, application_id: int) -> Deleted | Refusal:
    deleted_at = await call.rooms.applications.delete(call.dossier.account, subject, application_id)
    if isinstance(deleted_at, Refusal):
        return deleted_at
    return Deleted(delete_status=DELETED, delete_time=int(deleted_at))
