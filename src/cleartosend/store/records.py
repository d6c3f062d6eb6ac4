"""What became of the messages to one number, for the customer who asks by number."""

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from cleartosend.model.messages import MessageState
from cleartosend.model.verdicts import MessageType
from cleartosend.store.schema import messages, submissions


class SendRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A message with its text, and a refused one with its reason."""

    id: int
    number: str
    iso: str
    state: MessageState
    reason: str
    code: str
    accepted_at: float
    ended_at: float | None
    session_context: str
    international: bool
    text: str
    spans: tuple[tuple[int, int], ...]
    """Where the values stand in the text, as [start, end)."""


def ended_to(
    tx: Connection, sdk_app_id: str, number: str, *, since: float, until: float, limit: int
) -> list[SendRecord]:
    """The app's messages to the number that were accepted in this time and have an end, oldest first."""
    rows = tx.execute(
        _QUESTION.where(
            *_meant(sdk_app_id, number, since=since, until=until),
            messages.c.ended_at.is_not(None),
            messages.c.state != MessageState.REFUSED,
        )
        .order_by(messages.c.accepted_at, messages.c.id)
        .limit(limit)
    )
    return [_record(row) for row in rows]


def to_number(
    tx: Connection, sdk_app_id: str, number: str, *, since: float, until: float, limit: int, offset: int
) -> list[SendRecord]:
    """All that the app asked to send to the number in this time, refused or accepted, newest first."""
    rows = tx.execute(
        _QUESTION.where(*_meant(sdk_app_id, number, since=since, until=until))
        .order_by(messages.c.accepted_at.desc(), messages.c.id.desc())
        .limit(limit)
        .offset(offset)
    )
    return [_record(row) for row in rows]


def count_to_number(tx: Connection, sdk_app_id: str, number: str, *, since: float, until: float, most: int) -> int:
    """How many there are of these, counted no further than `most`."""
    counted = select(messages.c.id).where(*_meant(sdk_app_id, number, since=since, until=until)).limit(most)
    return tx.execute(select(func.count()).select_from(counted.subquery())).scalar_one()


_QUESTION: Select[Any] = select(
    messages.c.id,
    messages.c.number,
    messages.c.iso,
    messages.c.state,
    messages.c.reason,
    messages.c.code,
    messages.c.accepted_at,
    messages.c.ended_at,
    submissions.c.session_context,
    submissions.c.international,
    submissions.c.text,
    submissions.c.spans,
).join(submissions, submissions.c.id == messages.c.submission_id)


def _meant(sdk_app_id: str, number: str, *, since: float, until: float) -> list[ColumnElement[bool]]:
    return [
        messages.c.number == number,
        messages.c.sdk_app_id == sdk_app_id,
        messages.c.accepted_at >= since,
        messages.c.accepted_at <= until,
    ]


def _record(row: Row[Any]) -> SendRecord:
    return msgspec.convert(row, SendRecord, from_attributes=True)


class SentCall(msgspec.Struct, frozen=True, kw_only=True):
    """What a call sent, without its signature."""

    id: int
    account_id: int
    type: MessageType
    international: bool
    body: str
    values: tuple[tuple[int, int], ...]
    """Where the values stand in the body, as [start, end)."""


def calls_since(tx: Connection, *, since: float, limit: int) -> list[SentCall]:
    """The newest calls since a moment that came to a text, newest first."""
    rows = tx.execute(
        select(submissions)
        .where(submissions.c.at >= since, submissions.c.text != "")
        .order_by(submissions.c.id.desc())
        .limit(limit)
    )
    return [_call(row) for row in rows]


def _call(row: Row[Any]) -> SentCall:
    # A signature stands in one bracket on either side.
    ahead = len(row.signature) + 2 if row.signature else 0
    return SentCall(
        id=row.id,
        account_id=row.account_id,
        type=MessageType(row.type),
        international=row.international,
        body=row.text[ahead:],
        values=tuple((max(start - ahead, 0), end - ahead) for start, end in row.spans),
    )
