"""The spool in the store's own tables: one row a waiting message, claimed for a while and let go when it is done."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)

from cleartosend.model.accounts import AccountStatus
from cleartosend.model.applications import ReviewState, Signature, Template
from cleartosend.model.consent import ANY, EVERYONE
from cleartosend.model.messages import Parcel
from cleartosend.store.bulk import insert_rows, is_any_of, run_for_each
from cleartosend.store.schema import accounts, messages, opt_outs, spool, submissions, templates

CLAIM_SECONDS = 120.0
"""A claim outlives any honest answer of a carrier; after it, a message that may be sent twice is sent again."""
LONGEST_WAIT_SECONDS = 600.0
"""Until the next attempt, whatever happens. What seems to wait for longer was put back before the clock was."""
AT_ONCE = 0.0
"""Stands for the time at which a message is due that waits for nothing but room."""
UNCLAIMED = 0.0
"""Stands for the time of a claim that was never made, or was answered."""
IN_DOUBT = 1.0
"""Stands for the time of a claim that was made and will not be answered: the message may have gone out."""


class SpoolRow(NamedTuple):
    """A row of `spool`, in the order of its columns."""

    message_id: int
    account_id: int
    lane: int
    due_at: float
    claimed_until: float
    attempts: int
    at_most_once: bool
    route: str


def put(tx: Connection, rows: Sequence[SpoolRow]) -> None:
    """Let messages wait, in the transaction that accepts them."""
    insert_rows(tx, spool, rows)


def claim(tx: Connection, *, now: float, route: str, lane: int, limit: int) -> list[Parcel]:
    """
    Take a route's most urgent messages, of this lane or more urgent ones, for oneself.

    After CLAIM_SECONDS they are anybody's again.
    """
    rows = tx.execute(_FREE, {"now": now, "way": route, "to_lane": lane, "most": limit})
    parcels = [msgspec.convert(row, Parcel, from_attributes=True) for row in rows]
    if parcels:
        ids = [parcel.message_id for parcel in parcels]
        tx.execute(_CLAIM, {"ids": ids, "until": now + CLAIM_SECONDS})
    return parcels


# What came back from a carrier, or was left by a process that died, may be of an account that was stopped since.
_MAY_SEND = exists().where(accounts.c.id == spool.c.account_id, accounts.c.status == AccountStatus.ACTIVE)
_OPTED_OUT = and_(
    ~submissions.c.confirms,
    exists().where(
        opt_outs.c.number == messages.c.number,
        opt_outs.c.account_id.in_((messages.c.account_id, EVERYONE)),
        opt_outs.c.signature.in_((submissions.c.signature, ANY)),
        opt_outs.c.type.in_((submissions.c.type, ANY)),
    ),
)
# A customer may delete a template and still have sent what it sent with it; an approval that was taken back is another
# matter, and what was with a carrier meanwhile may have come back.
_RECALLED = exists().where(
    templates.c.id == cast(submissions.c.template_id, BigInteger),
    templates.c.state.not_in((ReviewState.APPROVED, ReviewState.DELETED)),
)
_FREE = (
    select(
        spool.c.message_id,
        spool.c.account_id,
        (spool.c.attempts + 1).label("attempts"),
        spool.c.at_most_once,
        (spool.c.claimed_until > UNCLAIMED).label("in_doubt"),
        spool.c.route,
        messages.c.number,
        messages.c.deadline_at,
        submissions.c.template_id,
        submissions.c.text,
        cast(submissions.c.spans, Text).label("spans"),
        submissions.c.signature,
        submissions.c.international,
        submissions.c.type,
        submissions.c.extension_code,
        submissions.c.sender_id,
        _OPTED_OUT.label("opted_out"),
        _RECALLED.label("recalled"),
    )
    .join(messages, messages.c.id == spool.c.message_id)
    .join(submissions, submissions.c.id == messages.c.submission_id)
    .where(
        spool.c.route == bindparam("way"),
        spool.c.lane <= bindparam("to_lane"),
        or_(spool.c.due_at <= bindparam("now"), spool.c.due_at > bindparam("now") + LONGEST_WAIT_SECONDS),
        spool.c.claimed_until <= bindparam("now"),
        or_(~spool.c.at_most_once, spool.c.claimed_until == UNCLAIMED),
        _MAY_SEND,
    )
    .order_by(spool.c.lane, spool.c.message_id)
    .limit(bindparam("most", type_=Integer))
    .with_for_update(of=spool, skip_locked=True)
)
_CLAIM = (
    update(spool)
    .where(is_any_of(spool.c.message_id, "ids"))
    .values(claimed_until=bindparam("until"), attempts=spool.c.attempts + 1)
)


def let_go(tx: Connection, message_ids: Sequence[int]) -> None:
    """These wait no longer: a carrier has them, or they ended."""
    if message_ids:
        tx.execute(_LET_GO, {"ids": message_ids})


_LET_GO = delete(spool).where(is_any_of(spool.c.message_id, "ids"))


class Later(NamedTuple):
    """When a claimed message is to be tried again."""

    due_at: float
    undone: int
    """1 when the last attempt does not count."""
    message_id: int
    in_doubt: bool = False
    """Whether it may have gone out."""


def put_back(tx: Connection, later: Sequence[Later]) -> None:
    """Let claimed messages wait again until their times."""
    run_for_each(
        tx,
        _PUT_BACK,
        ("at", "unclaimed", "undone", "waiting"),
        [(at, IN_DOUBT if in_doubt else UNCLAIMED, undone, one) for at, undone, one, in_doubt in later],
    )


_PUT_BACK = (
    update(spool)
    .where(spool.c.message_id == bindparam("waiting"))
    .values(
        due_at=bindparam("at"), claimed_until=bindparam("unclaimed"), attempts=spool.c.attempts - bindparam("undone")
    )
)


def routes_of(tx: Connection) -> list[str]:
    """The routes by which messages wait."""
    return list(tx.execute(select(spool.c.route).distinct()).scalars())


def waiting_by(tx: Connection, route: str, limit: int) -> list[tuple[int, str, str, str, str, str]]:
    """What tells the route of some messages that wait by one: id, number, country, type, signature, sender id."""
    rows = tx.execute(
        select(
            spool.c.message_id,
            messages.c.number,
            messages.c.iso,
            submissions.c.type,
            submissions.c.signature,
            submissions.c.sender_id,
        )
        .join(messages, messages.c.id == spool.c.message_id)
        .join(submissions, submissions.c.id == messages.c.submission_id)
        .where(spool.c.route == route)
        .limit(limit)
    )
    return [(row[0], row[1], row[2], row[3], row[4], row[5]) for row in rows]


def send_by(tx: Connection, routes: Mapping[int, str]) -> None:
    """Let messages wait by these routes."""
    if routes:
        tx.execute(
            update(spool).where(spool.c.message_id == bindparam("one")).values(route=bindparam("way")),
            [{"one": message_id, "way": route} for message_id, route in routes.items()],
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


def end_claims(tx: Connection) -> None:
    """Let all claims run out; for a process that knows that it is alone."""
    tx.execute(update(spool).where(spool.c.claimed_until > UNCLAIMED).values(claimed_until=IN_DOUBT))


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


def depth_by_route(tx: Connection) -> dict[str, int]:
    """How many wait for each route."""
    rows = tx.execute(select(spool.c.route, func.count()).group_by(spool.c.route))
    return {row[0]: row[1] for row in rows}


def count(tx: Connection, *, most: int) -> int:
    """How many wait, or are with a carrier that has not answered; counted no further than to `most`."""
    return tx.execute(_COUNT, {"most": most}).scalar_one()


_COUNT = select(func.count()).select_from(select(spool.c.message_id).limit(bindparam("most", type_=Integer)).subquery())


def waiting_under(tx: Connection, application: Signature | Template) -> list[int]:
    """The messages with this signature or template that no carrier has, or is being asked to take."""
    question = (
        select(spool.c.message_id)
        .join(messages, messages.c.id == spool.c.message_id)
        .join(submissions, submissions.c.id == messages.c.submission_id)
        .where(spool.c.account_id == application.account_id, spool.c.claimed_until == UNCLAIMED)
    )
    if isinstance(application, Template):
        question = question.where(submissions.c.template_id == str(application.id))
    else:
        question = question.where(
            submissions.c.signature == application.text, submissions.c.international == application.international
        )
    return [row[0] for row in tx.execute(question)]
