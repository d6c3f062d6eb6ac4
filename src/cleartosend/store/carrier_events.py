"""Why more or less goes to a carrier than before: one row a change."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from cleartosend.store.schema import carrier_events


class CarrierEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier has more or less of its share of a route from then on."""

    at: float
    route: str
    carrier: str
    share: int
    """How much of its share, in parts of a hundred."""
    because: str


def keep(tx: Connection, events: Sequence[CarrierEvent]) -> None:
    if events:
        tx.execute(insert(carrier_events), [msgspec.structs.asdict(event) for event in events])


def newest(tx: Connection, *, carrier: str | None, limit: int) -> list[CarrierEvent]:
    """The last changes, of every carrier or of one; newest first."""
    question = select(carrier_events).order_by(carrier_events.c.id.desc()).limit(limit)
    if carrier is not None:
        question = question.where(carrier_events.c.carrier == carrier)
    return [msgspec.convert(row, CarrierEvent, from_attributes=True) for row in tx.execute(question)]


def latest(tx: Connection) -> dict[tuple[str, str], CarrierEvent]:
    """The last change of each carrier's share of each route; who is not here has always had all of it."""
    rows = tx.execute(select(carrier_events).where(carrier_events.c.id.in_(_LAST)))
    return {(row.route, row.carrier): msgspec.convert(row, CarrierEvent, from_attributes=True) for row in rows}


def forget(tx: Connection, *, before: float) -> None:
    """Drop what changed before the time given, but for what still holds."""
    tx.execute(delete(carrier_events).where(carrier_events.c.at < before, carrier_events.c.id.not_in(_LAST)))


_LAST = select(func.max(carrier_events.c.id)).group_by(carrier_events.c.route, carrier_events.c.carrier)
