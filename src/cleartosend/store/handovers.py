"""Which message a carrier means by its id: one row a part."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from cleartosend.model.messages import MessageState
from cleartosend.store.bulk import is_any_of, run_for_each
from cleartosend.store.schema import handovers, messages

Key = tuple[str, str]
"""A carrier and its id."""


class Handover(NamedTuple):
    """What a carrier's id stands for."""

    message_id: int
    parts: int
    """How many parts are reported on before the message's end is known."""
    at: float
    """When the carrier took it."""


class HandoverRow(NamedTuple):
    """A row of `handovers`, in the order of its columns."""

    carrier: str
    carrier_id: str
    message_id: int
    at: float
    parts: int


def keep(tx: Connection, rows: Sequence[HandoverRow]) -> None:
    """Remember what carriers call messages; one that gives an id twice is heard about its newest message."""
    run_for_each(tx, _KEEP, HandoverRow._fields, rows)


_NEW = insert(handovers)
_KEEP = _NEW.values(dict.fromkeys(HandoverRow._fields)).on_conflict_do_update(
    index_elements=[handovers.c.carrier, handovers.c.carrier_id],
    set_={name: _NEW.excluded[name] for name in ("message_id", "at", "parts")},
)


def ids_by_carrier(keys: Iterable[Key]) -> dict[str, list[str]]:
    """Each carrier's ids, once each."""
    ids_of: dict[str, set[str]] = {}
    for carrier, carrier_id in keys:
        ids_of.setdefault(carrier, set()).add(carrier_id)
    return {carrier: sorted(ids) for carrier, ids in ids_of.items()}


def meant(tx: Connection, keys: Collection[Key]) -> dict[Key, Handover]:
    """Which messages carriers mean by these ids; those that are not known are left out."""
    return {
        (carrier, carrier_id): Handover(message_id, parts, at)
        for carrier, ids in ids_by_carrier(keys).items()
        for carrier_id, message_id, parts, at in tx.execute(_MEANT, {"of_carrier": carrier, "ids": ids})
    }


_MEANT = select(handovers.c.carrier_id, handovers.c.message_id, handovers.c.parts, handovers.c.at).where(
    handovers.c.carrier == bindparam("of_carrier"), is_any_of(handovers.c.carrier_id, "ids")
)


def outstanding(tx: Connection, carrier: str, *, most: int | None = None) -> list[tuple[str, str]]:
    """What a carrier took and has not reported on, newest first: its ids, and the numbers."""
    rows = tx.execute(
        select(handovers.c.carrier_id, messages.c.number)
        .join(messages, messages.c.id == handovers.c.message_id)
        .where(
            # The index of what still waits for something is small.
            messages.c.deadline_at.is_not(None),
            messages.c.state == MessageState.SUBMITTED,
            handovers.c.carrier == carrier,
        )
        .order_by(messages.c.id.desc())
        .limit(most)
    )
    return [(row[0], row[1]) for row in rows]
