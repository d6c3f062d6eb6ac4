"""What carriers would not take: one row an answer, most messages have none."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, insert, select

from cleartosend.store.schema import attempts


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier was asked to take a message, and did not."""

    message_id: int
    carrier: str
    code: str
    again: bool
    """Whether the carrier said that it may be tried again."""
    at: float


def keep(tx: Connection, new: Sequence[Attempt]) -> None:
    if new:
        tx.execute(insert(attempts), [msgspec.structs.asdict(attempt) for attempt in new])


def of(tx: Connection, message_id: int) -> list[Attempt]:
    """The answers of carriers that did not take the message, oldest first."""
    rows = tx.execute(select(attempts).where(attempts.c.message_id == message_id).order_by(attempts.c.id))
    return [msgspec.convert(row, Attempt, from_attributes=True) for row in rows]
