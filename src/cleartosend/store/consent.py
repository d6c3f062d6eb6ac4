"""Opt-outs and the do-not-disturb list: who holds a number back from whom, how that changes, and its history."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, func, insert as plain_insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from cleartosend.model.consent import ANY, EVERYONE, ConsentChange, ConsentEvent, OptOut, OptOutSource
from cleartosend.store.bulk import is_any_of
from cleartosend.store.schema import consent_events, opt_outs

# Engines count the parameters of a statement in 15 bits.
MOST_NUMBERS_AT_ONCE = 5000


class Held:
    """What stands between some numbers and those who would reach them."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._by_number: dict[str, list[tuple[int, str, str, str]]] = {}
        for account_id, number, signature, type_, source in rows:
            self._by_number.setdefault(number, []).append((account_id, signature, type_, source))

    def back(self, account_id: int, number: str, signature: str, type_: str) -> OptOutSource | None:
        """What holds this message back; the list before a reply, None: nothing does."""
        found = {
            source
            for of_account, of_signature, of_type, source in self._by_number.get(number, ())
            if of_account in {account_id, EVERYONE} and of_signature in {signature, ANY} and of_type in {type_, ANY}
        }
        if not found:
            return None
        return OptOutSource.LIST if OptOutSource.LIST in found else OptOutSource.REPLY


def held(tx: Connection, pairs: Collection[tuple[int, str]]) -> Held:
    """All that may hold back messages to these pairs of account and number, everybody's entries among it."""
    account_ids = list({account_id for account_id, _number in pairs} | {EVERYONE})
    numbers = list(dict.fromkeys(number for _account_id, number in pairs))
    rows: list[Row[Any]] = []
    for start in range(0, len(numbers), MOST_NUMBERS_AT_ONCE):
        some = numbers[start : start + MOST_NUMBERS_AT_ONCE]
        rows += tx.execute(_HELD, {"numbers": some, "accounts": account_ids})
    return Held(rows)


_HELD = select(
    opt_outs.c.account_id, opt_outs.c.number, opt_outs.c.signature, opt_outs.c.type, opt_outs.c.source
).where(
    is_any_of(opt_outs.c.number, "numbers"),
    is_any_of(opt_outs.c.account_id, "accounts"),
)


def opt_out(
    tx: Connection, *, account_id: int, number: str, signature: str, type_: str, by: str, because: str, now: float
) -> bool:
    """A number asks to be left alone by an account under a signature with a type of message; False: it had before."""
    statement = insert(opt_outs).on_conflict_do_nothing().returning(opt_outs.c.number)
    entry = {
        "account_id": account_id,
        "number": number,
        "signature": signature,
        "type": type_,
        "at": now,
        "source": OptOutSource.REPLY,
    }
    if tx.execute(statement, entry).first() is None:
        return False
    _remember(tx, [_event_of(entry, ConsentChange.OPTED_OUT, by=by, because=because, now=now)])
    return True


def opt_in(
    tx: Connection, *, account_id: int, number: str, signature: str, by: str, because: str, now: float
) -> list[OptOut]:
    """A number takes back what it asked of an account under a signature; the list stays. Returns what was lifted."""
    rows = tx.execute(
        delete(opt_outs)
        .where(
            opt_outs.c.account_id == account_id,
            opt_outs.c.number == number,
            opt_outs.c.signature == signature,
            opt_outs.c.source == OptOutSource.REPLY,
        )
        .returning(opt_outs)
    )
    lifted = _opt_outs(rows)
    _remember(tx, [_event(one, ConsentChange.OPTED_IN, by=by, because=because, now=now) for one in lifted])
    return lifted


def put_on_list(
    tx: Connection,
    numbers: Sequence[str],
    *,
    account_id: int,
    signature: str,
    type_: str,
    by: str,
    because: str,
    now: float,
) -> int:
    """Nobody is to disturb these numbers, who differ from each other; returns how many were not on the list."""
    if not numbers:
        return 0
    shared = {"account_id": account_id, "signature": signature, "type": type_, "at": now, "source": OptOutSource.LIST}
    new = {row[0] for row in tx.execute(_PUT_ON_LIST, [shared | {"number": number} for number in numbers])}
    entries = [shared | {"number": number} for number in numbers if number in new]
    _remember(tx, [_event_of(one, ConsentChange.LISTED, by=by, because=because, now=now) for one in entries])
    return len(new)


# What a reply asked for becomes the list's, so that no reply takes it back.
_PUT_ON_LIST = (
    insert(opt_outs)
    .on_conflict_do_update(
        index_elements=list(opt_outs.primary_key),
        set_={"source": OptOutSource.LIST, "at": insert(opt_outs).excluded.at},
        where=opt_outs.c.source != OptOutSource.LIST,
    )
    .returning(opt_outs.c.number)
)


def take_off(
    tx: Connection,
    number: str,
    *,
    account_id: int,
    signature: str | None,
    type_: str | None,
    by: str,
    because: str,
    now: float,
) -> list[OptOut]:
    """End what holds back messages of an account to a number, whoever asked for it; returns what has ended."""
    statement = delete(opt_outs).where(opt_outs.c.account_id == account_id, opt_outs.c.number == number)
    if signature is not None:
        statement = statement.where(opt_outs.c.signature == signature)
    if type_ is not None:
        statement = statement.where(opt_outs.c.type == type_)
    ended = _opt_outs(tx.execute(statement.returning(opt_outs)))
    _remember(tx, [_event(one, ConsentChange.UNLISTED, by=by, because=because, now=now) for one in ended])
    return ended


def remember_removal(
    tx: Connection, numbers: Iterable[str], *, account_id: int, by: str, because: str, now: float
) -> None:
    """These numbers are members no more."""
    shared = {"account_id": account_id, "signature": ANY, "type": ANY}
    change = ConsentChange.MEMBER_REMOVED
    _remember(
        tx,
        [_event_of(shared | {"number": number}, change, by=by, because=because, now=now) for number in numbers],
    )


def of_number(tx: Connection, number: str, *, account_id: int | None) -> list[OptOut]:
    """What holds messages to a number back; with an account: its own entries and everybody's."""
    question = select(opt_outs).where(opt_outs.c.number == number)
    if account_id is not None:
        question = question.where(opt_outs.c.account_id.in_((account_id, EVERYONE)))
    return _opt_outs(tx.execute(question.order_by(opt_outs.c.account_id, opt_outs.c.signature, opt_outs.c.type)))


def page(
    tx: Connection, *, account_id: int | None, source: OptOutSource | None, after: OptOut | None, limit: int
) -> list[OptOut]:
    """Entries in the order of their numbers, from the one given on; None: whatever the account or the source."""
    order = (opt_outs.c.number, opt_outs.c.account_id, opt_outs.c.signature, opt_outs.c.type)
    question = select(opt_outs).order_by(*order).limit(limit)
    if account_id is not None:
        question = question.where(opt_outs.c.account_id == account_id)
    if source is not None:
        question = question.where(opt_outs.c.source == source)
    if after is not None:
        question = question.where(tuple_(*order) > (after.number, after.account_id, after.signature, after.type))
    return _opt_outs(tx.execute(question))


def events_of(tx: Connection, number: str, *, account_id: int | None) -> list[ConsentEvent]:
    """The changes of a number, oldest first; with an account: its own and everybody's."""
    question = select(consent_events).where(consent_events.c.number == number)
    if account_id is not None:
        question = question.where(consent_events.c.account_id.in_((account_id, EVERYONE)))
    rows = tx.execute(question.order_by(consent_events.c.at, consent_events.c.id))
    return [msgspec.convert(row, ConsentEvent, from_attributes=True) for row in rows]


def count_changes(tx: Connection, *, account_id: int, number: str, since: float) -> int:
    """How often a number changed its mind about an account since the time given."""
    return tx.execute(
        select(func.count())
        .select_from(consent_events)
        .where(
            consent_events.c.number == number,
            consent_events.c.at >= since,
            consent_events.c.account_id == account_id,
        )
    ).scalar_one()


def _remember(tx: Connection, events: Sequence[dict[str, object]]) -> None:
    if events:
        tx.execute(plain_insert(consent_events), list(events))


def _event(one: OptOut, change: ConsentChange, *, by: str, because: str, now: float) -> dict[str, object]:
    return _event_of(msgspec.to_builtins(one), change, by=by, because=because, now=now)


def _event_of(
    entry: dict[str, object], change: ConsentChange, *, by: str, because: str, now: float
) -> dict[str, object]:
    of = {name: entry[name] for name in ("account_id", "number", "signature", "type")}
    return of | {"change": change, "by": by, "because": because, "at": now}


def _opt_outs(rows: Iterable[Row[Any]]) -> list[OptOut]:
    return [msgspec.convert(row, OptOut, from_attributes=True) for row in rows]
