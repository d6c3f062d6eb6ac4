"""Places in windows of time: how often a number may still be reached, reserved in the accepting transaction."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, case, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.dml import ReturningInsert

from cleartosend.store.bulk import run_for_each
from cleartosend.store.schema import places

MOST_FORGOTTEN_AT_ONCE = 500

Key = tuple[int, str, str, int]
KEY = (places.c.account_id, places.c.number, places.c.limit, places.c.content)


class Place(msgspec.Struct, frozen=True):
    """Room for one message to a number in the window that a limit opens."""

    account_id: int
    number: str
    limit: str
    content: int
    """A hash of the text where the limit is on the same text, else 0."""
    cap: int
    """Most messages in the window."""
    until: float
    """When the window closes, should this message be the one that opens it."""

    @property
    def key(self) -> Key:
        return (self.account_id, self.number, self.limit, self.content)


def _take() -> ReturningInsert[Any]:
    statement = insert(places)
    new = statement.excluded
    over = places.c.until <= new.since
    return statement.on_conflict_do_update(
        index_elements=KEY,
        set_={
            "times": case((over, 1), else_=places.c.times + 1),
            "since": case((over, new.since), else_=places.c.since),
            "until": case((over, new.until), else_=places.c.until),
            "cap": new.cap,
        },
        where=or_(over, places.c.times < new.cap),
    ).returning(*KEY)


_TAKE = _take()


def take(tx: Connection, wanted: Sequence[Place], *, now: float) -> set[Key]:
    """
    Count one more message in each window that is not full; returns the keys that got a place.

    One statement, so no race. The window opens when the first message is admitted, so a burst at its seam counts
    once. The places wanted must differ in their keys, and their caps be above 0.
    """
    if not wanted:
        return set()
    taken = tx.execute(
        _TAKE,
        [
            {
                "account_id": place.account_id,
                "number": place.number,
                "limit": place.limit,
                "content": place.content,
                "cap": place.cap,
                "times": 1,
                "since": now,
                "until": place.until,
            }
            # In one order on every node, so that two of them never wait for each other.
            for place in sorted(wanted, key=lambda place: place.key)
        ],
    )
    return {(row[0], row[1], row[2], row[3]) for row in taken}


def give_back(tx: Connection, keys: Sequence[Key]) -> None:
    """Undo the counting of messages that another limit held back; a key stands once for each of them."""
    if keys:
        tx.execute(
            _GIVE_BACK,
            [
                {"account": account_id, "to": number, "of_limit": limit, "of_content": content, "messages": messages}
                for (account_id, number, limit, content), messages in Counter(keys).items()
            ],
        )


_GIVE_BACK = (
    update(places)
    .where(
        places.c.account_id == bindparam("account"),
        places.c.number == bindparam("to"),
        places.c.limit == bindparam("of_limit"),
        places.c.content == bindparam("of_content"),
    )
    .values(times=places.c.times - bindparam("messages"))
)


def forget_closed(tx: Connection, *, now: float) -> bool:
    """Drop some of the windows that are over; returns whether there may be more."""
    over = tx.execute(_OVER, {"now": now}).all()
    run_for_each(tx, _FORGET, ("of_account", "to", "of_limit", "of_content", "now"), [(*key, now) for key in over])
    return len(over) == MOST_FORGOTTEN_AT_ONCE


_OVER = select(*KEY).where(places.c.until <= bindparam("now")).limit(MOST_FORGOTTEN_AT_ONCE)
# One that has been opened again meanwhile stays.
_FORGET = delete(places).where(
    places.c.account_id == bindparam("of_account"),
    places.c.number == bindparam("to"),
    places.c.limit == bindparam("of_limit"),
    places.c.content == bindparam("of_content"),
    places.c.until <= bindparam("now"),
)
