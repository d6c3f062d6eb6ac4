"""What must be true once all is calm again, held against the store, the carriers' logs and what customers were told."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection, Row, select, text

from chaos.load import Call
from chaos.plan import Plan
from chaos.stage import ANSWER_WITHIN_SECONDS, PER_NUMBER_PER_DAY, Stage
from cleartosend.admission.frequency import day_of
from cleartosend.carriers.dispatch import NO_ANSWER
from cleartosend.model.meanings import Bucket, meaning_of
from cleartosend.model.messages import MessageState, message_id_of, serial_no
from cleartosend.store import statistics
from cleartosend.store.schema import (
    attempts,
    callbacks,
    handovers,
    messages,
    opt_outs,
    places,
    receipts,
    spool,
    status_queue,
    submissions,
)
from cleartosend.store.statistics import HourCounts
from cleartosend.testing.smsc import SMSC

MOST_MEGABYTES = 400
_TOKEN = re.compile(r"[0-9]{6}")
_WAITING = {MessageState.ACCEPTED, MessageState.SUBMITTED}
_NOT_SENT = {MessageState.FAILED, MessageState.EXPIRED}
MOST_PULLED_AT_ONCE = 100
# What a session had to write when the recipient's word came may still be on its way for so long.
ON_ITS_WAY_SECONDS = 5 * ANSWER_WITHIN_SECONDS


class Copy(NamedTuple):
    """A part of a message, as an SMSC took it."""

    carrier: str
    token: str
    number: str
    part: tuple[int, int]
    at: float


class Findings(msgspec.Struct):
    """What was counted, and what is not as it must be."""

    counts: dict[str, int]
    wrong: list[str]


class Kept(msgspec.Struct, frozen=True):
    """All that the store holds."""

    messages: Sequence[Row[Any]]
    submissions: Counter[str]
    """How many calls there are of each token."""
    spool: int
    handed_over: Mapping[tuple[str, str], int]
    """Messages by what carriers call them."""
    reported: set[int]
    """Messages that a carrier has said something of."""
    parked: Sequence[tuple[str, str]]
    unanswered: Counter[int]
    """How often nobody knew whether a message had gone out."""
    queued: Sequence[Row[Any]]
    callbacks: Sequence[Row[Any]]
    opt_outs: Sequence[Row[Any]]
    places: Mapping[str, int]
    counted: HourCounts
    integrity: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is left once a seed has been played."""

    kept: Kept
    copies: Sequence[Copy]
    calls: Sequence[Call]
    pulled: Sequence[Mapping[str, Any]]
    pulls_unanswered: int
    told: Sequence[tuple[str, str]]
    """What came to the customer's server: serial numbers and codes."""
    left_alone: set[str]
    """Who asked for that."""
    done: Counter[str]
    """What went wrong, how often."""
    most_kilobytes: int
    """The most memory that the server had."""


def read_all(tx: Connection, stage: Stage) -> Kept:
    app = stage.account.sdk_app_id
    return Kept(
        messages=tx.execute(
            select(messages, submissions.c.session_context, submissions.c.type, submissions.c.signature)
            .join(submissions, submissions.c.id == messages.c.submission_id)
            .order_by(messages.c.id)
        ).all(),
        submissions=Counter(tx.execute(select(submissions.c.session_context)).scalars()),
        spool=len(tx.execute(select(spool.c.message_id)).all()),
        handed_over={
            (row[0], row[1]): row[2]
            for row in tx.execute(select(handovers.c.carrier, handovers.c.carrier_id, handovers.c.message_id))
        },
        reported=set(tx.execute(select(receipts.c.message_id).where(receipts.c.message_id.is_not(None))).scalars()),
        parked=[
            (row[0], row[1])
            for row in tx.execute(
                select(receipts.c.carrier, receipts.c.carrier_id).where(receipts.c.message_id.is_(None))
            )
        ],
        unanswered=Counter(tx.execute(select(attempts.c.message_id).where(attempts.c.code == NO_ANSWER)).scalars()),
        queued=tx.execute(select(status_queue).order_by(status_queue.c.id)).all(),
        callbacks=tx.execute(select(callbacks).order_by(callbacks.c.id)).all(),
        opt_outs=tx.execute(select(opt_outs)).all(),
        places={
            row[0]: row[1] for row in tx.execute(select(places.c.number, places.c.times).where(places.c.limit == "day"))
        },
        counted=statistics.read(tx, app, from_hour=0, to_hour=2**31 - 1),
        integrity="ok" if stage.settings.database else str(tx.execute(text("PRAGMA integrity_check")).scalar()),
    )


def copies_of(smscs: Mapping[str, SMSC]) -> list[Copy]:
    """Everything that the carriers took."""
    return [
        Copy(carrier, found[0] if found else taken.text, f"+{taken.number.lstrip('+')}", taken.part, taken.at)
        for carrier, smsc in smscs.items()
        for taken in smsc.messages
        for found in [_TOKEN.search(taken.text)]
    ]


def judge(plan: Plan, evidence: Evidence) -> Findings:
    """Hold all of it against what is promised."""
    kept, copies, done = evidence.kept, evidence.copies, evidence.done
    by_key = {(row.session_context, row.number): row for row in kept.messages}
    # A clock that is set ahead by more than a claim lasts ends the claims, as a crash does.
    crashes = done["kill"] + done["stop"] + done["leap"]
    counts = {
        "calls": len(evidence.calls),
        "messages": sum(row.state != MessageState.REFUSED for row in kept.messages),
        "refused": sum(row.state == MessageState.REFUSED for row in kept.messages),
        **{state.value: sum(row.state == state for row in kept.messages) for state in _ENDS},
        "crashes": crashes,
        "unanswered": sum(kept.unanswered.values()),
        "megabytes": evidence.most_kilobytes // 1024,
    }
    wrong = [
        *_lost(evidence.calls, kept),
        *_contradicted(plan, evidence.calls, kept),
        *_not_ended(kept),
        *_untrue_ends(kept, copies),
        *_sent_without_leave(by_key, copies),
        *_copies(plan, kept, by_key, copies, counts, crashes=crashes),
        *_unheard(plan, kept, evidence.left_alone),
        *(() if plan.moves_clock else _reached_after_opting_out(kept, copies)),
        *_left_over(kept),
        *_miscounted(plan, kept),
        *_not_told_once(evidence),
    ]
    if evidence.most_kilobytes > MOST_MEGABYTES * 1024:
        wrong.append(f"the server had {evidence.most_kilobytes // 1024} MB")
    if kept.integrity != "ok":
        wrong.append(f"the store is damaged: {kept.integrity}")
    return Findings(counts, wrong)


_ENDS = (MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN)


def _lost(calls: Sequence[Call], kept: Kept) -> Iterator[str]:
    """Whatever was answered Ok is in the store."""
    by_id = {row.id: row for row in kept.messages}
    for call in calls:
        for told in call.answer or ():
            if told.code != "Ok":
                continue
            row = by_id.get(message_id_of(told.serial) or 0)
            if row is None or row.session_context != call.token or row.state == MessageState.REFUSED:
                yield f"lost: {told.serial} of call {call.token} was answered Ok"


def _contradicted(plan: Plan, calls: Sequence[Call], kept: Kept) -> Iterator[str]:
    """A call is recorded once, answered the same each time, and not at all if it was refused for trouble."""
    for call in calls:
        if kept.submissions[call.token] > 1:
            yield f"call {call.token} is recorded {kept.submissions[call.token]} times"
        if call.contradicted:
            yield f"call {call.token} was answered in two ways"
        if call.key and call.answer is None:
            yield f"call {call.token} was repeated and never answered: {call.errors[-1:]}"
        # PostgreSQL may have kept what it could not say that it had.
        if not plan.postgres and call.answer is None and not call.unanswered and kept.submissions[call.token]:
            yield f"call {call.token} was answered {call.errors[-1]}, and is recorded"
        # A call that is on its way while the clock is set was signed for another time.
        if not plan.moves_clock and "AuthFailure" in "".join(call.errors):
            yield f"call {call.token}: {call.errors}"


def _not_ended(kept: Kept) -> Iterator[str]:
    for row in kept.messages:
        if row.state in _WAITING or (row.state != MessageState.REFUSED and not row.code):
            yield f"message {row.id} ({row.type}) is still {row.state} {row.code}"


def _untrue_ends(kept: Kept, copies: Sequence[Copy]) -> Iterator[str]:
    """What is said to be delivered was taken, all of it; what is said never to have gone out was not."""
    with_carriers = kept.reported.union(kept.handed_over.values())
    parts: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for copy in copies:
        parts[copy.token, copy.number].add(copy.part)
    for row in kept.messages:
        of_it = parts.get((row.session_context, row.number), set())
        all_of_it = bool(of_it) and len(of_it) == next(iter(of_it))[1]
        if row.state == MessageState.DELIVERED and not all_of_it:
            yield f"message {row.id} is delivered, and the carrier has {sorted(of_it)} of it"
        # One of whose parts a carrier refused has failed, though the others are out.
        if row.state in _NOT_SENT and row.submitted_at is None and row.id not in with_carriers and all_of_it:
            yield f"message {row.id} ({row.type}) is {row.state} {row.code} as never sent, and a carrier took it"


def _sent_without_leave(by_key: Mapping[tuple[str, str], Row[Any]], copies: Iterable[Copy]) -> Iterator[str]:
    for copy in copies:
        row = by_key.get((copy.token, copy.number))
        if row is None:
            yield f"a carrier took {copy.token}, of which nothing is recorded"
        elif row.state == MessageState.REFUSED:
            yield f"a carrier took message {row.id}, which was refused: {row.reason}"


def _copies(
    plan: Plan,
    kept: Kept,
    by_key: Mapping[tuple[str, str], Row[Any]],
    copies: Iterable[Copy],
    counts: dict[str, int],
    *,
    crashes: int,
) -> Iterator[str]:
    """
    How often carriers took the same.

    Once more for each time that nobody knew whether it had gone out, and for what was in the windows at a crash; never
    where it is to be sent at most once.
    """
    times: Counter[tuple[str, str, tuple[int, int]]] = Counter()
    for copy in copies:
        times[copy.token, copy.number, copy.part] += 1
    of_message: dict[tuple[str, str], int] = defaultdict(int)
    for (token, number, _part), copies_of_part in times.items():
        of_message[token, number] = max(of_message[token, number], copies_of_part)
    by_crash = 0
    for key, its_copies in of_message.items():
        row = by_key.get(key)
        if row is None or its_copies < 2:
            continue
        counts["duplicates"] = counts.get("duplicates", 0) + its_copies - 1
        by_crash += max(0, its_copies - 1 - kept.unanswered[row.id])
        if row.type == "marketing":
            yield f"message {row.id}, to be sent at most once, was taken {its_copies} times"
    counts["by crash"] = by_crash
    allowed = crashes * sum(carrier.window for carrier in plan.carriers)
    if by_crash > allowed:
        yield f"{by_crash} messages were sent again by {crashes} crashes, and the windows hold {allowed}"


def _reached_after_opting_out(kept: Kept, copies: Iterable[Copy]) -> Iterator[str]:
    by_key = {(row.session_context, row.number): row for row in kept.messages}
    since = {(one.number, one.signature, one.type): one.at for one in kept.opt_outs}
    for copy in copies:
        row = by_key.get((copy.token, copy.number))
        if row is None:
            continue
        opted_out_at = min(
            (
                since[key]
                for key in (
                    (row.number, signature, type_) for signature in (row.signature, "") for type_ in (row.type, "")
                )
                if key in since
            ),
            default=float("inf"),
        )
        if row.accepted_at > opted_out_at + 1:
            yield f"message {row.id} was accepted {row.accepted_at - opted_out_at:.1f} s after its opt-out"
        elif copy.at > opted_out_at + ON_ITS_WAY_SECONDS:
            yield f"message {row.id} was taken {copy.at - opted_out_at:.1f} s after its opt-out"


def _unheard(plan: Plan, kept: Kept, left_alone: set[str]) -> Iterator[str]:
    """Who asked to be left alone is, unless the carrier itself forgot it."""
    if any(fault.forget for fault in plan.faults):
        return
    if unheard := left_alone - {one.number for one in kept.opt_outs}:
        yield f"{len(unheard)} asked to be left alone, and are not"


def _left_over(kept: Kept) -> Iterator[str]:
    if kept.spool:
        yield f"{kept.spool} messages are in the spool"
    if strays := [one for one in kept.parked if one in kept.handed_over]:
        yield f"{len(strays)} receipts are parked whose message is known"


def _miscounted(plan: Plan, kept: Kept) -> Iterator[str]:
    """Statistics and frequency limits, as they come to when the messages are counted."""
    of_accepted = [row for row in kept.messages if row.state != MessageState.REFUSED]
    of_ended = [row for row in of_accepted if row.state not in _WAITING]
    with_carriers = kept.reported.union(kept.handed_over.values())
    buckets = Counter(
        (meaning_of(row.code).bucket or Bucket.INTERNAL).value
        for row in of_ended
        if row.state != MessageState.DELIVERED
    )
    delivered = sum(row.state == MessageState.DELIVERED for row in of_ended)
    recount = HourCounts(
        requests=len(kept.messages),
        accepted=len(of_accepted),
        segments=sum(
            row.segments
            for row in of_accepted
            if row.submitted_at is not None or row.state not in _NOT_SENT or row.id in with_carriers
        ),
        reported=len(of_ended),
        delivered=delivered,
        failed=len(of_ended) - delivered,
        **buckets,
    )
    for name in HourCounts.__struct_fields__:
        if getattr(recount, name) != getattr(kept.counted, name):
            yield f"statistics: {name} is {getattr(kept.counted, name)}, and {getattr(recount, name)} when counted"
    if plan.moves_clock:
        return
    reached = Counter((row.number, day_of(row.accepted_at)) for row in of_accepted)
    if worst := [number for (number, _day), times in reached.items() if times > PER_NUMBER_PER_DAY]:
        yield f"{len(worst)} numbers were reached more than {PER_NUMBER_PER_DAY} times in a day"
    if len({day for _number, day in reached}) < 2:
        times = Counter({number: many for (number, _day), many in reached.items()})
        if off := [number for number, many in times.items() if kept.places.get(number) != many]:
            yield f"the places of {len(off)} numbers are not those of their messages"


def _not_told_once(evidence: Evidence) -> Iterator[str]:
    """Each end of a message is queued once, in order; what is pulled or pushed is that."""
    kept = evidence.kept
    by_id = {row.id: row for row in kept.messages}
    ends: dict[int, list[str]] = defaultdict(list)
    for row in kept.callbacks:
        ends[row.message_id].append(row.state)
        if row.standing != "delivered":
            yield f"callback {row.id} is {row.standing}: {row.error}"
    for row in kept.messages:
        states = ends.get(row.id, [])
        if row.state == MessageState.REFUSED or row.state in _WAITING:
            continue
        if states[-1:] != [row.state] or len(set(states)) < len(states):
            yield f"message {row.id} is {row.state}, and its callbacks say {states}"
    pulled: Counter[tuple[int, str]] = Counter()
    for status in evidence.pulled:
        pulled[message_id_of(status["SerialNo"]) or 0, status["Description"]] += 1
    queued = Counter((row.message_id, row.code) for row in kept.queued)
    if twice := [key for key, times in (pulled + queued).items() if times > 1]:
        yield f"{len(twice)} statuses were to be pulled twice"
    missing = sum(
        (row.message_id, row.code) not in pulled and (row.message_id, row.code) not in queued for row in kept.callbacks
    )
    if missing > evidence.pulls_unanswered * MOST_PULLED_AT_ONCE:
        yield f"{missing} statuses were never to be pulled, and {evidence.pulls_unanswered} pulls went unanswered"
    told = set(evidence.told)
    untold = sum(
        (serial_no(row.message_id, international=False), row.code) not in told
        for row in kept.callbacks
        if row.message_id in by_id
    )
    if untold:
        yield f"{untold} statuses never came to the customer's server"
