"""How often one number may be reached: places taken, in the accepting transaction, under every limit of the account."""

import hashlib
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import AccountSettings
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.times import BEIJING_SECONDS_AHEAD, SECONDS_PER_DAY
from cleartosend.store import places
from cleartosend.store.places import Key, Place


def day_of(now: float) -> int:
    """
    The calendar day in Beijing, as a number.

    >>> day_of(1772380799.0), day_of(1772380800.0)  # midnight in Beijing is 16:00 in Greenwich
    (20513, 20514)
    """
    return int((now + BEIJING_SECONDS_AHEAD) // SECONDS_PER_DAY)


class Wanted(msgspec.Struct, frozen=True):
    """One message that asks for its places."""

    account_id: int
    settings: AccountSettings
    number: str
    content: int
    """See `content_of`."""
    exempt: bool
    """Whether no limit holds it back."""


class Limit(msgspec.Struct, frozen=True):
    """One kind of frequency limit."""

    name: str
    reason: Reason
    cap: Callable[[AccountSettings], int | None]
    closes: Callable[[float], float]
    """When a window that opens now closes."""
    same_content: bool = False


def _end_of_day(now: float) -> float:
    return (day_of(now) + 1.0) * SECONDS_PER_DAY - BEIJING_SECONDS_AHEAD


LIMITS = (
    Limit(
        "same-content-30-seconds",
        Reason.SAME_CONTENT_TOO_OFTEN,
        lambda settings: settings.same_content_per_30_seconds,
        lambda now: now + 30,
        same_content=True,
    ),
    Limit(
        "30-seconds",
        Reason.REACHED_TOO_OFTEN_IN_30_SECONDS,
        lambda settings: settings.per_number_per_30_seconds,
        lambda now: now + 30,
    ),
    Limit(
        "hour",
        Reason.REACHED_TOO_OFTEN_IN_AN_HOUR,
        lambda settings: settings.per_number_per_hour,
        lambda now: now + 3600,
    ),
    Limit("day", Reason.REACHED_TOO_OFTEN_TODAY, lambda settings: settings.per_number_per_day, _end_of_day),
    Limit(
        "same-content-day",
        Reason.SAME_CONTENT_TOO_OFTEN_TODAY,
        lambda settings: settings.same_content_per_day,
        _end_of_day,
        same_content=True,
    ),
)


def content_of(text: str) -> int:
    """A text as a number of 63 bits, to tell whether two are the same."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()) >> 1


def take_places(tx: Connection, all_wanted: Sequence[Wanted], *, now: float) -> list[list[Key] | Refusal]:
    """A place under every limit for each message, or the first limit that has none; who gets none takes none."""
    closing = [(limit, limit.closes(now)) for limit in LIMITS]
    answers: list[list[Key] | Refusal] = [[] for _ in all_wanted]
    rest = list(range(len(all_wanted)))
    while rest:
        turn, rest = _one_of_each_number(rest, all_wanted)
        asked = {index: _places_of(all_wanted[index], closing) for index in turn}
        won = places.take(tx, [place for of_one in asked.values() for _, place in of_one if place.cap > 0], now=now)
        lost: list[Key] = []
        for index, of_one in asked.items():
            full = [(limit, place.cap) for limit, place in of_one if place.key not in won]
            if full:
                limit, cap = full[0]
                answers[index] = Refusal(limit.reason, f"at most {cap}")
                lost += [place.key for _, place in of_one if place.key in won]
            else:
                answers[index] = [place.key for _, place in of_one]
        places.give_back(tx, lost)
    return answers


def _places_of(wanted: Wanted, closing: Sequence[tuple[Limit, float]]) -> list[tuple[Limit, Place]]:
    """The places that a message needs, one under each limit that its account has."""
    if wanted.exempt:
        return []
    return [
        (
            limit,
            Place(
                wanted.account_id,
                wanted.number,
                limit.name,
                wanted.content if limit.same_content else 0,
                cap,
                closes_at,
            ),
        )
        for limit, closes_at in closing
        if (cap := limit.cap(wanted.settings)) is not None
    ]


def _one_of_each_number(indexes: Sequence[int], all_wanted: Sequence[Wanted]) -> tuple[list[int], list[int]]:
    """Split off one message to each number: a statement may count a window only once."""
    seen: set[tuple[int, str]] = set()
    first: list[int] = []
    rest: list[int] = []
    for index in indexes:
        key = (all_wanted[index].account_id, all_wanted[index].number)
        (rest if key in seen else first).append(index)
        seen.add(key)
    return first, rest
