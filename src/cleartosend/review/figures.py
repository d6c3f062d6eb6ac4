"""How well reviewing goes: who decides, how long applicants wait, which rules are overturned, whether people agree."""

from collections.abc import Iterable
from itertools import combinations, groupby
from statistics import median, quantiles

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import MACHINE
from cleartosend.model.applications import ReviewEvent, ReviewMove
from cleartosend.store import applications

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
    """Pairs of decisions by two people on the same text."""
    agreeing: int
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
    pairs = list(_pairs(decisions))
    return Figures(
        by_machine=sum(event.by == MACHINE for event in decisions),
        by_people=sum(event.by != MACHINE for event in decisions),
        waits=len(waits),
        median_wait_seconds=median(waits) if waits else None,
        p95_wait_seconds=quantiles(waits, n=20, method="inclusive")[-1] if len(waits) > 1 else next(iter(waits), None),
        pairs=len(pairs),
        agreeing=sum(one.move is other.move for one, other in pairs),
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


def _pairs(decisions: list[ReviewEvent]) -> Iterable[tuple[ReviewEvent, ReviewEvent]]:
    """Decisions by two different people on one text."""
    by_text: dict[tuple[str, str], dict[str, ReviewEvent]] = {}
    for event in decisions:
        if event.by != MACHINE:
            by_text.setdefault((event.subject, event.text), {})[event.by] = event
    for last_of_each in by_text.values():
        yield from combinations(last_of_each.values(), 2)


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
