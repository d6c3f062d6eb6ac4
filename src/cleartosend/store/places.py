"""Places in windows of time: how often a number may still be reached, reserved in the accepting transaction."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Integer, bindparam, case, delete, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from cleartosend.store.bulk import is_any_of, run_for_each
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


def take(tx: Connection, wanted: Sequence[Place], *, now: float) -> set[Key]:
    """
    Count one more message in each window that is not full; returns the keys that got a place.

    All are counted, and where that was one too many it is taken back: whoever counts holds the row until the end of the
    transaction, so nobody can come in between. The window opens when the first message is admitted, so a burst at its
    seam counts once. The places wanted must differ in their keys, and their caps be above 0.
    """
    if not wanted:
        return set()
    # In one order on every node, so that two of them never wait for each other.
    in_order = sorted([(place.key, place.cap, place.until) for place in wanted])
    run_for_each(tx, _COUNT, _COUNTED, [(*key, cap, 1, now, until) for key, cap, until in in_order])
    asked = {"accounts": {key[0] for key, _, _ in in_order}, "numbers": {key[1] for key, _, _ in in_order}}
    keys = {key for key, _cap, _until in in_order}
    full = keys & {(row[0], row[1], row[2], row[3]) for row in tx.execute(_FULL, asked)}
    give_back(tx, list(full))
    return keys - full


_COUNTED = ("account_id", "number", "limit", "content", "cap", "times", "since", "until")
_ONE = literal_column("1", Integer)
_NEW = insert(places)
_OVER = places.c.until <= _NEW.excluded.since
_COUNT = _NEW.values(dict.fromkeys(_COUNTED)).on_conflict_do_update(
    index_elements=KEY,
    set_={
        "times": case((_OVER, _ONE), else_=places.c.times + _ONE),
        "since": case((_OVER, _NEW.excluded.since), else_=places.c.since),
        "until": case((_OVER, _NEW.excluded.until), else_=places.c.until),
        "cap": _NEW.excluded.cap,
    },
)
_FULL = select(*KEY).where(
    is_any_of(places.c.account_id, "accounts"),
    is_any_of(places.c.number, "numbers"),
    places.c.times > places.c.cap,
)


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
    over = tx.execute(_CLOSED, {"now": now}).all()
    run_for_each(tx, _FORGET, ("of_account", "to", "of_limit", "of_content", "now"), [(*key, now) for key in over])
    return len(over) == MOST_FORGOTTEN_AT_ONCE


_CLOSED = select(*KEY).where(places.c.until <= bindparam("now")).limit(MOST_FORGOTTEN_AT_ONCE)
# One that has been opened again meanwhile stays.
_FORGET = delete(places).where(
    places.c.account_id == bindparam("of_account"),
    places.c.number == bindparam("to"),
    places.c.limit == bindparam("of_limit"),
    places.c.content == bindparam("of_content"),
    places.c.until <= bindparam("now"),
)
