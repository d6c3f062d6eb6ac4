"""Puts some of people's decisions before another reviewer, who does not see what was decided."""

import zlib

import msgspec
from sqlalchemy import Connection

from cleartosend.model.applications import Opinion, ReviewEvent, Signature, Stance, Template
from cleartosend.review.moves import subject_of
from cleartosend.store import opinions


def ask(tx: Connection, decision: ReviewEvent, *, percent: float) -> Opinion | None:
    """Put a share of decisions before somebody else; which ones, nobody can know before deciding."""
    told_apart_by = f"{decision.subject} {decision.subject_id} {decision.at}"
    if zlib.crc32(told_apart_by.encode()) % 10_000 >= percent * 100:
        return None
    asked = Opinion(
        subject=decision.subject,
        subject_id=decision.subject_id,
        stance=Stance.ASKED,
        by=decision.by,
        at=decision.at,
        decision=decision.move,
        because="",
        text=decision.text,
    )
    opinions.keep(tx, asked)
    return asked


def asked(tx: Connection, *, of: str) -> list[Opinion]:
    """The decisions of others on which this reviewer's opinion is asked, longest first."""
    return [one for one in opinions.unsettled(tx) if one.stance is Stance.ASKED and one.by != of]


def disputed(tx: Connection) -> list[Opinion]:
    """The opinions that are against a decision that still stands and that no third has confirmed, longest first."""
    return [one for one in opinions.unsettled(tx) if one.stance is Stance.DISAGREES]


def is_asked(tx: Connection, application: Signature | Template, *, of: str) -> bool:
    """Whether the decision on it is open to this reviewer, who did not make it and said nothing of it yet."""
    return _open_to(tx, application, of) is not None


def give(
    tx: Connection, application: Signature | Template, *, by: str, lets_pass: bool, because: str, now: float
) -> Opinion | None:
    """Say what one would have decided; None where one is not asked."""
    asked = _open_to(tx, application, by)
    if asked is None:
        return None
    stance = Stance.AGREES if lets_pass is asked.decides_to_pass else Stance.DISAGREES
    given = msgspec.structs.replace(asked, stance=stance, by=by, at=now, because=because)
    opinions.keep(tx, given)
    return given


def _open_to(tx: Connection, application: Signature | Template, reviewer: str) -> Opinion | None:
    """The decision as it was asked about."""
    its = (subject_of(application), application.id)
    if its not in {(one.subject, one.subject_id) for one in opinions.unsettled(tx)}:
        return None
    every = opinions.of(tx, *its)
    last_asked = max(number for number, one in enumerate(every) if one.stance is Stance.ASKED)
    return None if any(one.by == reviewer for one in every[last_asked:]) else every[last_asked]
