"""Opinions of other reviewers, kept beside the moves that they are about."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, exists, insert, select

from cleartosend.model.applications import Opinion, Stance, Subject
from cleartosend.store.schema import review_events

_COLUMNS = (
    review_events.c.subject,
    review_events.c.subject_id,
    review_events.c.move.label("stance"),
    review_events.c.by,
    review_events.c.at,
    review_events.c.reason.label("decision"),
    review_events.c.because,
    review_events.c.text,
)


def keep(tx: Connection, opinion: Opinion) -> None:
    row = msgspec.to_builtins(opinion)
    row["move"], row["reason"] = row.pop("stance"), row.pop("decision")
    tx.execute(insert(review_events).values(**row, rulebook="", findings=[]))


def unsettled(tx: Connection) -> list[Opinion]:
    """What is asked and not answered, and what is disputed, longest first; nothing has happened to these since."""
    later = review_events.alias()
    nothing_since = ~exists().where(
        later.c.subject == review_events.c.subject,
        later.c.subject_id == review_events.c.subject_id,
        later.c.id > review_events.c.id,
    )
    rows = tx.execute(
        select(*_COLUMNS)
        .where(review_events.c.move.in_([Stance.ASKED, Stance.DISAGREES]), nothing_since)
        .order_by(review_events.c.id)
    )
    return _opinions(rows)


def of(tx: Connection, subject: Subject, subject_id: int) -> list[Opinion]:
    """All on one application, oldest first."""
    rows = tx.execute(
        select(*_COLUMNS)
        .where(
            review_events.c.subject == subject,
            review_events.c.subject_id == subject_id,
            review_events.c.move.in_(list(Stance)),
        )
        .order_by(review_events.c.id)
    )
    return _opinions(rows)


def since(tx: Connection, moment: float) -> list[Opinion]:
    """All since a moment, oldest first."""
    rows = tx.execute(
        select(*_COLUMNS)
        .where(review_events.c.at >= moment, review_events.c.move.in_(list(Stance)))
        .order_by(review_events.c.id)
    )
    return _opinions(rows)


def _opinions(rows: Iterable[object]) -> list[Opinion]:
    return [msgspec.convert(row, Opinion, from_attributes=True) for row in rows]
