"""The spool in the store's own tables: one row a waiting message, claimed for a while and let go when it is done."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Integer, and_, bindparam, delete, exists, func, or_, select, update

from cleartosend.model.accounts import AccountStatus
from cleartosend.model.consent import ANY, EVERYONE
from cleartosend.model.messages import Parcel
from cleartosend.store.bulk import insert_rows
from cleartosend.store.schema import accounts, messages, opt_outs, spool, submissions

UNCLAIMED = 0.0
"""Stands for the time of a claim that was never made, or was answered."""


class SpoolRow(NamedTuple):
    """A row of `spool`, in the order of its columns."""

    message_id: int
    account_id: int
    lane: int
    due_at: float
    claimed_until: float
    attempts: int
    at_most_once: bool


def put(tx: Connection, rows: Sequence[SpoolRow]) -> None:
    """Let messages wait, in the transaction that accepts them."""
    insert_rows(tx, spool, rows)


def claim(tx: Connection, *, now: float, until: float, limit: int) -> list[Parcel]:
    """Take the most urgent messages for oneself until the time given; after it they are anybody's again."""
    claimed = [row[0] for row in tx.execute(_CLAIM, {"now": now, "until": until, "most": limit})]
    if not claimed:
        return []
    rows = tx.execute(_PARCELS, {"ids": claimed})
    return [msgspec.convert(row, Parcel, from_attributes=True) for row in rows]


# What came back from a carrier, or was left by a process that died, may be of an account that was stopped since.
_MAY_SEND = exists().where(accounts.c.id == spool.c.account_id, accounts.c.status == AccountStatus.ACTIVE)
_FREE = (
    select(spool.c.message_id)
    .where(
        spool.c.due_at <= bindparam("now"),
        spool.c.claimed_until <= bindparam("now"),
        or_(~spool.c.at_most_once, spool.c.claimed_until == UNCLAIMED),
        _MAY_SEND,
    )
    .order_by(spool.c.lane, spool.c.message_id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(spool)
    .where(spool.c.message_id.in_(_FREE.scalar_subquery()))
    .values(claimed_until=bindparam("until"), attempts=spool.c.attempts + 1)
    .returning(spool.c.message_id)
)
_OPTED_OUT = and_(
    ~submissions.c.confirms,
    exists().where(
        opt_outs.c.number == messages.c.number,
        opt_outs.c.account_id.in_((messages.c.account_id, EVERYONE)),
        opt_outs.c.signature.in_((submissions.c.signature, ANY)),
        opt_outs.c.type.in_((submissions.c.type, ANY)),
    ),
)
_PARCELS = (
    select(
        spool.c.message_id,
        spool.c.account_id,
        spool.c.attempts,
        messages.c.number,
        messages.c.deadline_at,
        submissions.c.text,
        submissions.c.signature,
        submissions.c.international,
        submissions.c.type,
        submissions.c.extension_code,
        submissions.c.sender_id,
        _OPTED_OUT.label("opted_out"),
    )
    .join(messages, messages.c.id == spool.c.message_id)
    .join(submissions, submissions.c.id == messages.c.submission_id)
    .where(spool.c.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(spool.c.lane, spool.c.message_id)
)


def let_go(tx: Connection, message_ids: Sequence[int]) -> None:
    """These wait no longer: a carrier has them, or they ended."""
    if message_ids:
        tx.execute(_LET_GO, {"ids": message_ids})


_LET_GO = delete(spool).where(spool.c.message_id.in_(bindparam("ids", expanding=True)))


def put_back(tx: Connection, later: Sequence[tuple[int, float]]) -> None:
    """Let claimed messages (id, time) wait again until their times."""
    if later:
        tx.execute(
            update(spool)
            .where(spool.c.message_id == bindparam("waiting"))
            .values(due_at=bindparam("at"), claimed_until=UNCLAIMED),
            [{"waiting": message_id, "at": at} for message_id, at in later],
        )


def left_in_doubt(tx: Connection, *, now: float) -> list[int]:
    """
    Messages whose claim ran out unanswered and that will not be sent again: nobody knows whether they went out.

    Those to be sent at most once, those whose time is over, and those whose account was stopped meanwhile.
    """
    rows = tx.execute(
        select(spool.c.message_id)
        .join(messages, messages.c.id == spool.c.message_id)
        .where(
            spool.c.claimed_until > UNCLAIMED,
            spool.c.claimed_until <= now,
            or_(spool.c.at_most_once, messages.c.deadline_at <= now, ~_MAY_SEND),
        )
    )
    return [row[0] for row in rows]


def overdue(tx: Connection, *, now: float, limit: int) -> list[int]:
    """Messages whose time is over and that no carrier is asked to take just now."""
    rows = tx.execute(
        select(spool.c.message_id)
        .join(messages, messages.c.id == spool.c.message_id)
        .where(spool.c.claimed_until == UNCLAIMED, messages.c.deadline_at <= now)
        .limit(limit)
    )
    return [row[0] for row in rows]


def end_claims(tx: Connection, *, now: float) -> None:
    """Let all claims run out now; for a process that knows that it is alone."""
    tx.execute(update(spool).where(spool.c.claimed_until > now).values(claimed_until=now))


def waiting_of(tx: Connection, account_id: int) -> list[int]:
    """The account's messages that no carrier has, or is being asked to take."""
    rows = tx.execute(
        select(spool.c.message_id).where(spool.c.account_id == account_id, spool.c.claimed_until == UNCLAIMED)
    )
    return [row[0] for row in rows]


def stopped_accounts(tx: Connection) -> list[int]:
    """The accounts that have messages in the spool and may not send any more."""
    rows = tx.execute(
        select(spool.c.account_id)
        .join(accounts, accounts.c.id == spool.c.account_id)
        .where(accounts.c.status != AccountStatus.ACTIVE)
        .distinct()
    )
    return [row[0] for row in rows]


def depth(tx: Connection) -> dict[int, int]:
    """How many wait in each lane."""
    rows = tx.execute(select(spool.c.lane, func.count()).group_by(spool.c.lane))
    return {row[0]: row[1] for row in rows}
