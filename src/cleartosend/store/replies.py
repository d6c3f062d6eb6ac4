"""Replies: kept with the message they answer, handed out once, and asked for by number."""

from typing import Any

import msgspec
from sqlalchemy import Connection, FromClause, Row, Select, bindparam, func, insert, or_, select, update

from cleartosend.model.consent import Wish
from cleartosend.model.messages import MessageState, Reply
from cleartosend.store.schema import messages, replies, submissions

MOST_LOOKED_AT = 200


class ReplyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A reply with whom it answers; None where it answers nobody."""

    id: int
    account_id: int | None
    sdk_app_id: str | None
    number: str
    text: str
    extension_code: str
    signature: str | None
    at: float
    message_id: int | None
    wish: Wish


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The message that a reply most likely answers."""

    message_id: int
    account_id: int
    sdk_app_id: str
    signature: str
    type: str
    sent_at: float
    """When a carrier took it; while nobody knows whether one has, when it was accepted."""


def answered_by(tx: Connection, reply: Reply) -> Answered | None:
    """
    The newest message that went out to the reply's number, before all others one with the reply's extension code.

    One that may have gone out counts like one that did: a reply may be quicker than the record of what a carrier took.
    One that still waits is the last that is thought of. What merely confirmed an opt-out is not answered: the one
    before it is meant.
    """
    row = tx.execute(_ANSWERED, {"of_number": reply.number, "of_code": reply.extension_code}).first()
    return None if row is None else msgspec.convert(row, Answered, from_attributes=True)


def answered(tx: Connection, reply: ReplyRecord) -> Answered | None:
    """The message that a kept reply was taken to answer."""
    row = tx.execute(_answered_from(messages).where(messages.c.id == reply.message_id)).first()
    return None if row is None else msgspec.convert(row, Answered, from_attributes=True)


def _answered_from(table: FromClause) -> Select[Any]:
    return select(
        table.c.id.label("message_id"),
        table.c.account_id,
        table.c.sdk_app_id,
        submissions.c.signature,
        submissions.c.type,
        func.coalesce(table.c.submitted_at, table.c.accepted_at).label("sent_at"),
    ).join(submissions, submissions.c.id == table.c.submission_id)


# Of a number that is written to all day long, a test's for one, not every message is looked at.
_NEWEST = (
    select(messages)
    .where(
        messages.c.number == bindparam("of_number"),
        or_(
            messages.c.submitted_at.is_not(None),
            messages.c.state.in_((MessageState.ACCEPTED, MessageState.UNKNOWN, MessageState.DELIVERED)),
        ),
    )
    .order_by(messages.c.accepted_at.desc())
    .limit(MOST_LOOKED_AT)
    .subquery()
)
_ANSWERED = (
    _answered_from(_NEWEST)
    .where(~submissions.c.confirms)
    .order_by(
        _NEWEST.c.state == MessageState.ACCEPTED,
        (submissions.c.extension_code == bindparam("of_code")).desc(),
        _NEWEST.c.accepted_at.desc(),
    )
    .limit(1)
)


def keep(tx: Connection, reply: Reply, *, answers: Answered | None, wish: Wish) -> int:
    """Store a reply; returns its number."""
    reply_id: int = tx.execute(
        _KEEP,
        {
            "carrier": reply.carrier,
            "number": reply.number,
            "text": reply.text,
            "extension_code": reply.extension_code,
            "at": reply.at,
            "account_id": answers and answers.account_id,
            "sdk_app_id": answers and answers.sdk_app_id,
            "signature": answers and answers.signature,
            "message_id": answers and answers.message_id,
            "wish": wish,
            "pulled": False,
        },
    ).scalar_one()
    return reply_id


_KEEP = insert(replies).returning(replies.c.id)


def take(tx: Connection, sdk_app_id: str, limit: int) -> list[ReplyRecord]:
    """The app's oldest replies that were not pulled before, each handed out once."""
    oldest = (
        select(replies.c.id)
        .where(replies.c.sdk_app_id == sdk_app_id, ~replies.c.pulled)
        .order_by(replies.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = tx.execute(
        update(replies).where(replies.c.id.in_(oldest.scalar_subquery())).values(pulled=True).returning(*_COLUMNS)
    )
    return sorted((_record(row) for row in taken), key=lambda reply: reply.id)


def of_number(
    tx: Connection, sdk_app_id: str, number: str, *, since: float, until: float, limit: int
) -> list[ReplyRecord]:
    """What a number wrote back to the app in a time, both ends included, oldest first."""
    rows = tx.execute(
        _question()
        .where(
            replies.c.number == number,
            replies.c.sdk_app_id == sdk_app_id,
            replies.c.at >= since,
            replies.c.at <= until,
        )
        .order_by(replies.c.at, replies.c.id)
        .limit(limit)
    )
    return [_record(row) for row in rows]


def find(tx: Connection, reply_id: int) -> ReplyRecord | None:
    row = tx.execute(_question().where(replies.c.id == reply_id)).first()
    return None if row is None else _record(row)


def newest(
    tx: Connection, *, account_id: int | None, wish: Wish | None, number: str | None, limit: int
) -> list[ReplyRecord]:
    """The newest replies, newest first; None: whatever the account, the wish or the number."""
    question = _question().order_by(replies.c.id.desc()).limit(limit)
    if account_id is not None:
        question = question.where(replies.c.account_id == account_id)
    if wish is not None:
        question = question.where(replies.c.wish == wish)
    if number is not None:
        question = question.where(replies.c.number == number)
    return [_record(row) for row in tx.execute(question)]


def set_wish(tx: Connection, reply_id: int, wish: Wish) -> None:
    """Somebody has decided what a reply asks for."""
    tx.execute(update(replies).where(replies.c.id == reply_id).values(wish=wish))


_COLUMNS = tuple(replies.c[name] for name in ReplyRecord.__struct_fields__)


def _question() -> Select[Any]:
    return select(*_COLUMNS)


def _record(row: Row[Any]) -> ReplyRecord:
    return msgspec.convert(row, ReplyRecord, from_attributes=True)
