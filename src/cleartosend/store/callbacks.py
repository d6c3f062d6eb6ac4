"""What customers' servers are to be told: queued with what happened, claimed an endpoint at a time, and kept."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Literal

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from cleartosend.model.messages import MessageState
from cleartosend.store.bulk import is_any_of
from cleartosend.store.schema import callbacks, endpoints, messages, replies, submissions
from cleartosend.store.secrets import Vault

UNCLAIMED = 0.0
# Whoever changes many rows lets others write in between.
MOST_AT_ONCE = 10_000
MOST_FORGOTTEN_AT_ONCE = 2000


class CallbackKind(StrEnum):
    """What an endpoint hears of: statuses of an app (its owner an SdkAppId) or replies to an account (its number)."""

    STATUS = "status"
    REPLY = "reply"


class Standing(StrEnum):
    """Whether a customer's server has been told."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given-up"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a customer's server hears of one kind of thing."""

    kind: CallbackKind
    owner: str
    account_id: int
    url: str
    sealed_secret: bytes
    enabled: bool
    created_at: float
    failures: int
    """Pushes that failed since the last one that was taken."""
    due_at: float
    claimed_until: float
    last_error: str
    last_tried_at: float | None

    def secret(self, vault: Vault) -> str:
        """What pushes to it are signed with. Raises BadKey."""
        return vault.open(self.sealed_secret, name=name_of_secret(self.kind, self.owner))


class WaitingStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A status as it was when it was queued, with what the customer knows its message by."""

    id: int
    attempts: int
    waiting_since: float
    message_id: int
    state: MessageState
    code: str
    at: float
    number: str
    international: bool
    session_context: str


class WaitingReply(msgspec.Struct, frozen=True, kw_only=True):
    """A reply that its account is to hear of."""

    id: int
    attempts: int
    waiting_since: float
    number: str
    text: str
    extension_code: str
    signature: str
    at: float


class CallbackRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to tell, and whether it has been told."""

    id: int
    kind: CallbackKind
    owner: str
    message_id: int
    international: bool
    reply_id: int | None
    state: str
    code: str
    at: float
    waiting_since: float
    standing: Standing
    attempts: int
    done_at: float | None
    error: str


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint with what has not been told to it."""

    endpoint: Endpoint
    waiting: int
    given_up: int


def name_of_secret(kind: CallbackKind, owner: str) -> str:
    return f"callback:{kind}:{owner}"


# Written out in the statement, so that both engines see that the index of what waits will do.
_WAITS = callbacks.c.standing == literal_column("'waiting'")
_COLUMNS = ["kind", "owner", "message_id", "state", "code", "at", "waiting_since", "standing", "attempts", "error"]


# --- queueing, in the transaction of what happened ---


def tell_of_statuses(tx: Connection, message_ids: Sequence[int]) -> None:
    """Queue the statuses that messages have just come to, where their apps have an endpoint."""
    if message_ids:
        tx.execute(_TELL_OF_STATUSES, {"ids": message_ids})


_TELL_OF_STATUSES = insert(callbacks).from_select(
    _COLUMNS,
    select(
        endpoints.c.kind,
        endpoints.c.owner,
        messages.c.id,
        messages.c.state,
        messages.c.code,
        messages.c.ended_at,
        messages.c.ended_at,
        literal_column("'waiting'"),
        literal_column("0"),
        literal_column("''"),
    )
    .select_from(messages)
    .join(endpoints, endpoints.c.owner == messages.c.sdk_app_id)
    .where(
        is_any_of(messages.c.id, "ids"),
        endpoints.c.kind == literal_column("'status'"),
        endpoints.c.enabled,
    )
    .order_by(messages.c.id),
)


def tell_of_reply(tx: Connection, *, account_id: int, message_id: int, reply_id: int, at: float) -> None:
    """Queue a reply, where its account has an endpoint."""
    tx.execute(
        _TELL_OF_REPLY,
        {"its_owner": str(account_id), "its_message": message_id, "its_reply": reply_id, "came_at": at},
    )


_TELL_OF_REPLY = insert(callbacks).from_select(
    [*_COLUMNS, "reply_id"],
    select(
        endpoints.c.kind,
        endpoints.c.owner,
        bindparam("its_message", type_=callbacks.c.message_id.type),
        literal_column("''"),
        literal_column("''"),
        bindparam("came_at", type_=callbacks.c.at.type),
        bindparam("came_at", type_=callbacks.c.at.type),
        literal_column("'waiting'"),
        literal_column("0"),
        literal_column("''"),
        bindparam("its_reply", type_=callbacks.c.reply_id.type),
    ).where(
        endpoints.c.kind == literal_column("'reply'"),
        endpoints.c.owner == bindparam("its_owner"),
        endpoints.c.enabled,
    ),
)


# --- pushing ---


def claim(tx: Connection, *, now: float, until: float, longest_wait_seconds: float, limit: int) -> list[Endpoint]:
    """
    Take endpoints that something waits for, those that had their turn longest ago first.

    One that seems to be left alone for longer than is ever waited was left alone before the clock was set back.
    """
    rows = tx.execute(_CLAIM, {"now": now, "until": until, "too_far": now + longest_wait_seconds, "most": limit})
    return [_endpoint(row) for row in rows]


_FREE = (
    select(endpoints.c.kind, endpoints.c.owner)
    .where(
        endpoints.c.enabled,
        or_(
            endpoints.c.failures == 0,
            endpoints.c.due_at <= bindparam("now"),
            endpoints.c.due_at > bindparam("too_far"),
        ),
        endpoints.c.claimed_until <= bindparam("now"),
        exists().where(callbacks.c.kind == endpoints.c.kind, callbacks.c.owner == endpoints.c.owner, _WAITS),
    )
    .order_by(endpoints.c.due_at)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(endpoints)
    .where(tuple_(endpoints.c.kind, endpoints.c.owner).in_(_FREE))
    .values(claimed_until=bindparam("until"))
    .returning(endpoints)
)


def end_claims(tx: Connection) -> None:
    """Let go of every endpoint; for a process that knows that it is alone."""
    tx.execute(update(endpoints).where(endpoints.c.claimed_until > UNCLAIMED).values(claimed_until=UNCLAIMED))


def waiting_statuses(tx: Connection, owner: str, limit: int) -> list[WaitingStatus]:
    """The app's oldest statuses that wait, in the order in which they came about."""
    rows = tx.execute(_WAITING_STATUSES, {"its_owner": owner, "most": limit})
    return [msgspec.convert(row, WaitingStatus, from_attributes=True) for row in rows]


_WAITING_STATUSES = (
    select(
        callbacks.c.id,
        callbacks.c.attempts,
        callbacks.c.waiting_since,
        callbacks.c.message_id,
        callbacks.c.state,
        callbacks.c.code,
        callbacks.c.at,
        messages.c.number,
        submissions.c.international,
        submissions.c.session_context,
    )
    .join(messages, messages.c.id == callbacks.c.message_id)
    .join(submissions, submissions.c.id == messages.c.submission_id)
    .where(callbacks.c.kind == literal_column("'status'"), callbacks.c.owner == bindparam("its_owner"), _WAITS)
    .order_by(callbacks.c.id)
    .limit(bindparam("most", type_=Integer))
)


def oldest_reply(tx: Connection, owner: str) -> WaitingReply | None:
    """The account's oldest reply that waits."""
    row = tx.execute(_OLDEST_REPLY, {"its_owner": owner}).first()
    return None if row is None else msgspec.convert(row, WaitingReply, from_attributes=True)


_OLDEST_REPLY = (
    select(
        callbacks.c.id,
        callbacks.c.attempts,
        callbacks.c.waiting_since,
        replies.c.number,
        replies.c.text,
        replies.c.extension_code,
        func.coalesce(replies.c.signature, "").label("signature"),
        replies.c.at,
    )
    .join(replies, replies.c.id == callbacks.c.reply_id)
    .where(callbacks.c.kind == literal_column("'reply'"), callbacks.c.owner == bindparam("its_owner"), _WAITS)
    .order_by(callbacks.c.id)
    .limit(1)
)


def told(tx: Connection, endpoint: Endpoint, callback_ids: Sequence[int], *, now: float, claimed_until: float) -> None:
    """The endpoint took these; the claim on it goes on until the time given, or ends with UNCLAIMED."""
    if callback_ids:
        tx.execute(_TOLD, {"ids": callback_ids, "now": now})
    tx.execute(
        update(endpoints)
        .where(*_still_claimed(endpoint))
        .values(failures=0, due_at=now, last_error="", last_tried_at=now, claimed_until=claimed_until)
    )


_TOLD = (
    update(callbacks)
    .where(is_any_of(callbacks.c.id, "ids"))
    .values(standing=Standing.DELIVERED, done_at=bindparam("now"), attempts=callbacks.c.attempts + 1, error=literal(""))
)


def let_go(tx: Connection, endpoint: Endpoint) -> None:
    """The claim on the endpoint ends; nothing was tried."""
    tx.execute(update(endpoints).where(*_still_claimed(endpoint)).values(claimed_until=UNCLAIMED))


def not_told(
    tx: Connection,
    endpoint: Endpoint,
    callback_ids: Sequence[int],
    *,
    now: float,
    error: str,
    again_at: float,
) -> None:
    """The endpoint did not take these and is left alone until the time given."""
    tx.execute(_NOT_TOLD, {"ids": callback_ids, "its_error": error})
    tx.execute(
        update(endpoints)
        .where(*_still_claimed(endpoint))
        .values(
            failures=endpoints.c.failures + 1,
            due_at=again_at,
            last_error=error,
            last_tried_at=now,
            claimed_until=UNCLAIMED,
        )
    )


_NOT_TOLD = (
    update(callbacks)
    .where(is_any_of(callbacks.c.id, "ids"))
    .values(attempts=callbacks.c.attempts + 1, error=bindparam("its_error"))
)


def give_up(tx: Connection, endpoint: Endpoint, *, waiting_since_before: float, now: float, error: str) -> int:
    """Some of what has waited since before the time given waits no longer, oldest first; returns how many."""
    oldest = (
        select(callbacks.c.id)
        .where(
            callbacks.c.kind == endpoint.kind,
            callbacks.c.owner == endpoint.owner,
            _WAITS,
            callbacks.c.waiting_since < waiting_since_before,
        )
        .order_by(callbacks.c.id)
        .limit(MOST_AT_ONCE)
    )
    given_up = tx.execute(
        update(callbacks)
        .where(callbacks.c.id.in_(oldest.scalar_subquery()))
        .values(standing=Standing.GIVEN_UP, done_at=now, error=error)
    )
    return given_up.rowcount


def count_waiting(tx: Connection) -> dict[str, int]:
    """How much waits, by kind."""
    rows = tx.execute(select(callbacks.c.kind, func.count()).where(_WAITS).group_by(callbacks.c.kind))
    return {row[0]: row[1] for row in rows}


def forget_done(tx: Connection, *, before: float) -> None:
    """Drop some of what was told or given up before the time given, oldest first."""
    oldest = (
        select(callbacks.c.id)
        .where(callbacks.c.done_at < before)
        .order_by(callbacks.c.done_at)
        .limit(MOST_FORGOTTEN_AT_ONCE)
    )
    tx.execute(delete(callbacks).where(callbacks.c.id.in_(oldest.scalar_subquery())))


# --- endpoints, for those who look after them ---


def set_endpoint(
    tx: Connection, *, kind: CallbackKind, owner: str, account_id: int, url: str, sealed_secret: bytes, now: float
) -> None:
    """From now on the owner's server hears at this address; what waited for another one goes here at once."""
    afresh: dict[str, Any] = {
        "url": url,
        "sealed_secret": sealed_secret,
        "enabled": True,
        "failures": 0,
        "due_at": now,
        "last_error": "",
    }
    row = upsert(endpoints).values(
        kind=kind, owner=owner, account_id=account_id, created_at=now, claimed_until=UNCLAIMED, **afresh
    )
    tx.execute(row.on_conflict_do_update(index_elements=[endpoints.c.kind, endpoints.c.owner], set_=afresh))


def disable_endpoint(tx: Connection, endpoint: Endpoint) -> None:
    """Nothing more is queued for the owner, and nothing pushed, until an address is set again."""
    tx.execute(update(endpoints).where(*_is(endpoint)).values(enabled=False))


def find_endpoint(tx: Connection, kind: CallbackKind, owner: str) -> Endpoint | None:
    row = tx.execute(select(endpoints).where(endpoints.c.kind == kind, endpoints.c.owner == owner)).first()
    return None if row is None else _endpoint(row)


def backlogs(tx: Connection) -> list[Backlog]:
    """Every endpoint with what has not been told to it."""
    every = tx.execute(select(endpoints).order_by(endpoints.c.account_id, endpoints.c.kind.desc(), endpoints.c.owner))
    return [
        Backlog(endpoint=one, waiting=_count(tx, one, Standing.WAITING), given_up=_count(tx, one, Standing.GIVEN_UP))
        for one in map(_endpoint, every.all())
    ]


def latest(tx: Connection, endpoint: Endpoint, limit: int) -> list[CallbackRecord]:
    """What the endpoint was to be told, newest first."""
    rows = tx.execute(
        select(callbacks, submissions.c.international)
        .join(messages, messages.c.id == callbacks.c.message_id)
        .join(submissions, submissions.c.id == messages.c.submission_id)
        .where(callbacks.c.kind == endpoint.kind, callbacks.c.owner == endpoint.owner)
        .order_by(callbacks.c.id.desc())
        .limit(limit)
    )
    return [msgspec.convert(row, CallbackRecord, from_attributes=True) for row in rows]


def replay(
    tx: Connection,
    endpoint: Endpoint,
    *,
    standing: Literal[Standing.GIVEN_UP] | None,
    since: float | None,
    now: float,
) -> int:
    """
    Let some of what was done with before `now` wait again, the first first; returns how much.

    Either what was given up or, with None, what was delivered as well; of all times, or of statuses and replies
    that came about at `since` or later.
    """
    done = (
        select(callbacks.c.id)
        .where(callbacks.c.kind == endpoint.kind, callbacks.c.owner == endpoint.owner, callbacks.c.done_at < now)
        .order_by(callbacks.c.id)
        .limit(MOST_AT_ONCE)
    )
    if standing is not None:
        done = done.where(callbacks.c.standing == standing)
    if since is not None:
        done = done.where(callbacks.c.at >= since)
    again = tx.execute(
        update(callbacks)
        .where(callbacks.c.id.in_(done.scalar_subquery()))
        # Attempts begin anew: those of one number are pushed together.
        .values(standing=Standing.WAITING, done_at=null(), attempts=0, error="", waiting_since=now)
    )
    tx.execute(update(endpoints).where(*_is(endpoint)).values(failures=0, due_at=now))
    return again.rowcount


def _is(endpoint: Endpoint) -> tuple[ColumnElement[bool], ...]:
    return (endpoints.c.kind == endpoint.kind, endpoints.c.owner == endpoint.owner)


def _still_claimed(endpoint: Endpoint) -> tuple[ColumnElement[bool], ...]:
    """The endpoint, unless the claim on it ran out and somebody else has it now."""
    return (*_is(endpoint), endpoints.c.claimed_until == endpoint.claimed_until)


def _count(tx: Connection, endpoint: Endpoint, standing: Standing) -> int:
    question = select(func.count()).where(
        callbacks.c.kind == endpoint.kind,
        callbacks.c.owner == endpoint.owner,
        _WAITS if standing is Standing.WAITING else callbacks.c.standing == standing,
    )
    return tx.execute(question).scalar_one()


def _endpoint(row: Row[Any]) -> Endpoint:
    return msgspec.convert(row, Endpoint, from_attributes=True)
