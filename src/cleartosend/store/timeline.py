"""Everything that is kept of one message, for whoever asks what became of it."""

import msgspec
from sqlalchemy import Connection, exists, select

from cleartosend.model.messages import MessageState, ReceiptStatus
from cleartosend.model.verdicts import Finding, MessageType
from cleartosend.store import attempts
from cleartosend.store.attempts import Attempt
from cleartosend.store.messages import MessageRecord
from cleartosend.store.schema import (
    callbacks,
    conversions,
    handovers,
    messages,
    receipts,
    replies,
    spool,
    status_queue,
    submissions,
)


class Told(MessageRecord, frozen=True, kw_only=True):
    """A message and all of the call that it came with."""

    type: MessageType
    template_id: str
    text: str
    spans: tuple[tuple[int, int], ...]
    extension_code: str
    sender_id: str
    rulebook: str
    findings: tuple[Finding, ...]
    confirms: bool


class InSpool(msgspec.Struct, frozen=True, kw_only=True):
    """A message that no carrier has yet."""

    route: str
    due_at: float
    claimed_until: float
    attempts: int


class HandedOver(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier calls it."""

    carrier: str
    carrier_id: str
    parts: int
    """How many parts are reported on before its end is known."""
    at: float


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt."""

    carrier: str
    carrier_id: str
    status: ReceiptStatus
    code: str
    at: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A reply to it."""

    id: int
    text: str
    wish: str
    pulled: bool
    at: float


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A callback that tells of it, or of a reply to it."""

    kind: str
    state: str
    code: str
    at: float
    standing: str
    attempts: int
    done_at: float | None
    error: str


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """The life of one message."""

    message: Told
    in_spool: InSpool | None
    attempts: list[Attempt]
    handed_over: list[HandedOver]
    receipts: list[Reported]
    waits_to_be_pulled: bool
    callbacks: list[Push]
    replies: list[Answer]
    converted_at: float | None


def of(tx: Connection, message_id: int) -> Timeline | None:
    """None when there is no such message."""
    told = tx.execute(
        select(messages, *[column for column in submissions.c if column.name not in messages.c])
        .join(submissions, submissions.c.id == messages.c.submission_id)
        .where(messages.c.id == message_id)
    ).first()
    if told is None:
        return None
    waiting = tx.execute(select(spool).where(spool.c.message_id == message_id)).first()
    return Timeline(
        message=msgspec.convert(told, Told, from_attributes=True),
        in_spool=None if waiting is None else msgspec.convert(waiting, InSpool, from_attributes=True),
        attempts=attempts.of(tx, message_id),
        handed_over=[
            msgspec.convert(row, HandedOver, from_attributes=True)
            for row in tx.execute(
                select(handovers).where(handovers.c.message_id == message_id).order_by(handovers.c.carrier_id)
            )
        ],
        receipts=[
            msgspec.convert(row, Reported, from_attributes=True)
            for row in tx.execute(
                # Receipts are found by what the carrier calls the message: they have no index of its number.
                select(receipts)
                .join(
                    handovers,
                    (handovers.c.carrier == receipts.c.carrier) & (handovers.c.carrier_id == receipts.c.carrier_id),
                )
                .where(handovers.c.message_id == message_id, receipts.c.message_id == message_id)
                .order_by(receipts.c.id)
            )
        ],
        waits_to_be_pulled=bool(
            tx.execute(
                select(
                    exists().where(
                        status_queue.c.sdk_app_id == told.sdk_app_id, status_queue.c.message_id == message_id
                    )
                )
            ).scalar()
        ),
        callbacks=[
            msgspec.convert(row, Push, from_attributes=True)
            for row in tx.execute(
                select(callbacks).where(callbacks.c.message_id == message_id).order_by(callbacks.c.id)
            )
        ],
        replies=[
            msgspec.convert(row, Answer, from_attributes=True)
            for row in tx.execute(select(replies).where(replies.c.message_id == message_id).order_by(replies.c.id))
        ],
        converted_at=tx.execute(select(conversions.c.at).where(conversions.c.message_id == message_id)).scalar(),
    )


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One of the messages to a number."""

    id: int
    sdk_app_id: str
    number: str
    state: MessageState
    reason: str
    code: str
    accepted_at: float
    international: bool


def to_number(tx: Connection, number: str, *, sdk_app_id: str | None, since: float, limit: int) -> list[Found]:
    """The newest messages to a number, refused ones among them, of every app or of one; newest first."""
    question = (
        select(messages, submissions.c.international)
        .join(submissions, submissions.c.id == messages.c.submission_id)
        .where(messages.c.number == number, messages.c.accepted_at >= since)
        .order_by(messages.c.accepted_at.desc(), messages.c.id.desc())
        .limit(limit)
    )
    if sdk_app_id is not None:
        question = question.where(messages.c.sdk_app_id == sdk_app_id)
    return [msgspec.convert(row, Found, from_attributes=True) for row in tx.execute(question)]
