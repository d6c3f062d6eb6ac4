"""Calls and messages: recorded, moved from state to state, and asked for."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, null, select, update

from cleartosend.model.messages import MESSAGE_MOVES, Ending, MessageMove, MessageState, Party, least_id_at
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.store.bulk import insert_rows, is_any_of, run_for_each
from cleartosend.store.callbacks import tell_of_statuses
from cleartosend.store.schema import messages, status_queue, submissions
from cleartosend.store.statistics import Tally

MOST_FORGOTTEN_AT_ONCE = 2000
KEPT_TO_PULL_SECONDS = 7 * SECONDS_PER_DAY
"""How long a status that nobody pulls stays in its queue."""


class MessageRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A message with what it shares with the others of its call."""

    id: int
    submission_id: int
    account_id: int
    sdk_app_id: str
    number: str
    iso: str
    segments: int
    state: MessageState
    reason: str
    code: str
    party: Party
    accepted_at: float
    deadline_at: float | None
    submitted_at: float | None
    ended_at: float | None
    signature: str
    type: str
    international: bool
    session_context: str


class SubmissionRow(NamedTuple):
    """A row of `submissions`, in the order of its columns."""

    id: int
    account_id: int
    sdk_app_id: str
    template_id: str
    signature: str
    type: str
    international: bool
    text: str
    session_context: str
    extension_code: str
    sender_id: str
    rulebook: str
    findings: str
    at: float
    spans: str
    confirms: bool


class MessageRow(NamedTuple):
    """A row of `messages`, in the order of its columns."""

    id: int
    submission_id: int
    account_id: int
    sdk_app_id: str
    number: str
    iso: str
    segments: int
    state: str
    reason: str
    code: str
    party: str
    accepted_at: float
    deadline_at: float | None
    submitted_at: float | None
    ended_at: float | None


def record(tx: Connection, submission_rows: Sequence[SubmissionRow], message_rows: Sequence[MessageRow]) -> None:
    """Write calls and their messages."""
    insert_rows(tx, submissions, submission_rows)
    insert_rows(tx, messages, message_rows)


def hand_over(tx: Connection, message_ids: Sequence[int], *, now: float, receipt_by: float) -> None:
    """Carriers took these messages; receipts are due by the time given."""
    if message_ids:
        tx.execute(_HAND_OVER, {"ids": message_ids, "now": now, "receipt_by": receipt_by})


_HAND_OVER = (
    update(messages)
    .where(is_any_of(messages.c.id, "ids"), messages.c.state.in_(MESSAGE_MOVES[MessageMove.SUBMIT][0]))
    .values(state=MessageState.SUBMITTED, submitted_at=bindparam("now"), deadline_at=bindparam("receipt_by"))
)


def end(tx: Connection, move: MessageMove, endings: Sequence[Ending]) -> list[Ending]:
    """
    Bring messages to the ends given, count them, and put those ends where their customers pull them from.

    Messages from whose state the move may not start are passed over; returns the endings of the others.
    """
    if not endings:
        return []
    froms, _to, _by = MESSAGE_MOVES[move]
    rows = tx.execute(_IN_STATE, {"ids": [ending.message_id for ending in endings], "states": list(froms)})
    before = {row.id: row for row in rows}
    moved = [ending for ending in endings if ending.message_id in before]
    if moved:
        _count(tx, move, moved, before)
        run_for_each(
            tx,
            _END,
            ("to_state", "to_code", "to_party", "to_ended_at", "message_id"),
            # The drivers are quickest with plain strings.
            [(str(ending.state), ending.code, str(ending.party), ending.at, ending.message_id) for ending in moved],
        )
        tx.execute(_QUEUE, {"ids": [ending.message_id for ending in moved]})
        tell_of_statuses(tx, [ending.message_id for ending in moved])
    return moved


def _count(tx: Connection, move: MessageMove, moved: Sequence[Ending], before: Mapping[int, Any]) -> None:
    tally = Tally()
    for ending in moved:
        was = before[ending.message_id]
        if was.ended_at is not None:
            # It was given up, and now a receipt came after all.
            tally.ended(was.sdk_app_id, at=was.ended_at, state=was.state, code=was.code, times=-1)
        elif was.state == MessageState.ACCEPTED and move is not MessageMove.LOSE:
            # No carrier took it, so nobody pays for it.
            tally.unpaid(was.sdk_app_id, at=was.accepted_at, segments=was.segments)
        tally.ended(was.sdk_app_id, at=ending.at, state=ending.state, code=ending.code)
    tally.write(tx)


# The rows are held until they are changed, against another node that would move them as well.
_IN_STATE = (
    select(
        messages.c.id,
        messages.c.sdk_app_id,
        messages.c.segments,
        messages.c.state,
        messages.c.code,
        messages.c.accepted_at,
        messages.c.ended_at,
    )
    .where(is_any_of(messages.c.id, "ids"), is_any_of(messages.c.state, "states"))
    .with_for_update()
)
_END = (
    update(messages)
    .where(messages.c.id == bindparam("message_id"))
    .values(
        state=bindparam("to_state"),
        code=bindparam("to_code"),
        party=bindparam("to_party"),
        ended_at=bindparam("to_ended_at"),
        deadline_at=null(),
    )
)


_QUEUE = insert(status_queue).from_select(
    ["sdk_app_id", "message_id", "state", "code", "at"],
    select(messages.c.sdk_app_id, messages.c.id, messages.c.state, messages.c.code, messages.c.ended_at)
    .where(is_any_of(messages.c.id, "ids"))
    .order_by(messages.c.id),
)


def take_statuses(tx: Connection, sdk_app_id: str, limit: int) -> list[MessageRecord]:
    """The oldest statuses of the queue, each as it was when it came about, and handed out once."""
    oldest = (
        select(status_queue.c.id)
        .where(status_queue.c.sdk_app_id == sdk_app_id)
        .order_by(status_queue.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = sorted(
        tx.execute(delete(status_queue).where(status_queue.c.id.in_(oldest.scalar_subquery())).returning(*_AS_IT_WAS))
    )
    by_id = {message.id: message for message in find(tx, [row[1] for row in taken])}
    return [
        # A store that was filled by an older version does not say how it was.
        msgspec.structs.replace(by_id[message_id], state=MessageState(state), code=code, ended_at=at)
        if state
        else by_id[message_id]
        for _id, message_id, state, code, at in taken
    ]


_AS_IT_WAS = (
    status_queue.c.id,
    status_queue.c.message_id,
    status_queue.c.state,
    status_queue.c.code,
    status_queue.c.at,
)


def forget_unpulled(tx: Connection, *, before: float) -> None:
    """Drop from the front of the queues some statuses of messages that were accepted before the time given."""
    front = select(status_queue).order_by(status_queue.c.id).limit(MOST_FORGOTTEN_AT_ONCE).subquery()
    old = select(front.c.id).where(front.c.message_id < least_id_at(before))
    tx.execute(delete(status_queue).where(status_queue.c.id.in_(old)))


def find(tx: Connection, message_ids: Collection[int]) -> list[MessageRecord]:
    rows = tx.execute(_question().where(messages.c.id.in_(message_ids)))
    return [_record(row) for row in rows]


def newest_id(tx: Connection) -> int:
    """The largest number in use for a call or a message; 0 in an empty store."""
    return max(tx.execute(select(func.max(table.c.id))).scalar() or 0 for table in (messages, submissions))


def overdue_receipts(tx: Connection, *, now: float, limit: int) -> list[int]:
    """Messages that a carrier took and should have reported on by now."""
    rows = tx.execute(
        select(messages.c.id)
        .where(
            messages.c.deadline_at.is_not(None),
            messages.c.deadline_at <= now,
            messages.c.state == MessageState.SUBMITTED,
        )
        .limit(limit)
    )
    return [row[0] for row in rows]


def count_by_state(tx: Connection) -> dict[str, int]:
    """How many messages wait in each state that has a deadline."""
    rows = tx.execute(
        select(messages.c.state, func.count()).where(messages.c.deadline_at.is_not(None)).group_by(messages.c.state)
    )
    return {row[0]: row[1] for row in rows}


def _question() -> Select[Any]:
    return select(
        messages,
        submissions.c.signature,
        submissions.c.type,
        submissions.c.international,
        submissions.c.session_context,
    ).join(submissions, submissions.c.id == messages.c.submission_id)


def _record(row: Row[Any]) -> MessageRecord:
    return msgspec.convert(row, MessageRecord, from_attributes=True)
