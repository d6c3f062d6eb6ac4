"""How well reviewing goes: who decides, how long applicants wait, which rules are overturned, whether people agree."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, groupby
from statistics import median, quantiles

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import MACHINE
from cleartosend.model.applications import ReviewEvent, ReviewMove, Stance
from cleartosend.store import applications, opinions

LEAST_PAIRS_FOR_KAPPA = 30
_DECISIONS = {ReviewMove.APPROVE, ReviewMove.REJECT, ReviewMove.BAN}


class RuleFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How often a rule stopped or referred something, and how often a person then approved the same text."""

    rule: str
    found: int
    decided: int
    """Of these, how many a person has decided on."""
    overturned: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in reviews since a moment."""

    by_machine: int
    """Decisions made without a person."""
    by_people: int
    waits: int
    """Referrals that a person has decided."""
    median_wait_seconds: float | None
    p95_wait_seconds: float | None
    pairs: int
    """Pairs of decisions by two people on the same text, second opinions included."""
    agreeing: int
    kappa: float | None
    """Cohen's kappa, which leaves out what would agree by chance; None where there are too few pairs to tell."""
    asked: int
    """Decisions put before another reviewer."""
    disputed: int
    """Opinions against them."""
    rules: list[RuleFigures]
    """The most overturned first."""


def figures(tx: Connection, *, since: float) -> Figures:
    """Count the moves of all applications since a moment, in Unix seconds."""
    histories = [
        list(events)
        for _, events in groupby(
            applications.events_since(tx, since=since), key=lambda event: (event.subject, event.subject_id)
        )
    ]
    events = [event for history in histories for event in history]
    decisions = [event for event in events if event.move in _DECISIONS]
    waits = sorted(wait for history in histories for wait in _waits(history))
    given = opinions.since(tx, since)
    pairs = [
        *_pairs(decisions),
        *((one.decides_to_pass, one.lets_pass) for one in given if one.stance is not Stance.ASKED),
    ]
    return Figures(
        by_machine=sum(event.by == MACHINE for event in decisions),
        by_people=sum(event.by != MACHINE for event in decisions),
        waits=len(waits),
        median_wait_seconds=median(waits) if waits else None,
        p95_wait_seconds=quantiles(waits, n=20, method="inclusive")[-1] if len(waits) > 1 else next(iter(waits), None),
        pairs=len(pairs),
        agreeing=sum(one is other for one, other in pairs),
        kappa=kappa(pairs) if len(pairs) >= LEAST_PAIRS_FOR_KAPPA else None,
        asked=sum(one.stance is Stance.ASKED for one in given),
        disputed=sum(one.stance is Stance.DISAGREES for one in given),
        rules=_rules(histories),
    )


def _waits(history: list[ReviewEvent]) -> Iterable[float]:
    """How long the applicant waited for a person, each time."""
    referred_at: float | None = None
    for event in history:
        if event.move in {ReviewMove.REFER, ReviewMove.RECALL}:
            referred_at = event.at
        elif referred_at is not None:
            if event.move in _DECISIONS and event.by != MACHINE:
                yield event.at - referred_at
            referred_at = None


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float | None:
    """
    Cohen's kappa: 1 where two always agree, 0 where they do so no more often than by chance.

    None where all say the same, which tells nothing.

    >>> kappa([(True, True), (True, True), (False, False), (True, False)])
    0.5
    """
    share = sum(one is other for one, other in pairs) / len(pairs)
    first = sum(one for one, _ in pairs) / len(pairs)
    second = sum(other for _, other in pairs) / len(pairs)
    by_chance = first * second + (1 - first) * (1 - second)
    return (share - by_chance) / (1 - by_chance) if by_chance < 1 else None


def _pairs(decisions: list[ReviewEvent]) -> Iterator[tuple[bool, bool]]:
    """Whether two different people let one text pass, the earlier first."""
    by_text: dict[tuple[str, str], dict[str, ReviewEvent]] = {}
    for event in decisions:
        if event.by != MACHINE:
            by_text.setdefault((event.subject, event.text), {})[event.by] = event
    for last_of_each in by_text.values():
        for one, other in combinations(last_of_each.values(), 2):
            yield one.move is ReviewMove.APPROVE, other.move is ReviewMove.APPROVE


def _rules(histories: list[list[ReviewEvent]]) -> list[RuleFigures]:
    counts: dict[str, list[int]] = {}
    for history in histories:
        for place, event in enumerate(history):
            if event.by != MACHINE or event.move not in {ReviewMove.REFER, ReviewMove.REJECT}:
                continue
            person = _persons_word(history[place + 1 :], event.text)
            for rule in {finding.rule for finding in event.findings}:
                of_rule = counts.setdefault(rule, [0, 0, 0])
                of_rule[0] += 1
                of_rule[1] += person is not None
                of_rule[2] += person is ReviewMove.APPROVE
    rules = [
        RuleFigures(rule=rule, found=found, decided=decided, overturned=overturned)
        for rule, (found, decided, overturned) in counts.items()
    ]
    return sorted(rules, key=lambda one: (-one.overturned, -one.found, one.rule))


def _persons_word(later: list[ReviewEvent], text: str) -> ReviewMove | None:
    """What a person first decided on the same text afterwards."""
    return next(
        (event.move for event in later if event.by != MACHINE and event.move in _DECISIONS and event.text == text), None
    )
