"""Calls that have a key: answered once, and then the same however often they are made."""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from cleartosend.store.schema import answered_calls

Key = tuple[int, str]
"""An account, and what names the call among its calls."""
_KEY = (answered_calls.c.account_id, answered_calls.c.key)


class Answered(msgspec.Struct, frozen=True):
    """What a call with a key was, and what it was answered."""

    fingerprint: str
    answer: str


def claim(tx: Connection, fingerprints: Mapping[Key, str], *, now: float) -> set[Key]:
    """
    Take these keys for the calls with these fingerprints; returns those that nobody had.

    Waits where another node is about to answer the same call. What is claimed must be answered in this transaction.
    """
    if not fingerprints:
        return set()
    claimed = tx.execute(
        _CLAIM,
        [
            {"account_id": key[0], "key": key[1], "fingerprint": fingerprints[key], "answer": "", "at": now}
            # In one order on every node, so that two of them never wait for each other.
            for key in sorted(fingerprints)
        ],
    )
    return {(row[0], row[1]) for row in claimed}


_CLAIM = insert(answered_calls).on_conflict_do_nothing().returning(*_KEY)


def find(tx: Connection, keys: Collection[Key]) -> dict[Key, Answered]:
    """What the calls with these keys were answered."""
    if not keys:
        return {}
    return {(row[0], row[1]): Answered(row[2], row[3]) for row in tx.execute(_FIND, {"keys": list(keys)})}


_FIND = select(*_KEY, answered_calls.c.fingerprint, answered_calls.c.answer).where(
    tuple_(*_KEY).in_(bindparam("keys", expanding=True))
)


def answer(tx: Connection, answers: Mapping[Key, str]) -> None:
    """Keep the answers of calls whose keys were claimed."""
    if answers:
        tx.execute(
            _ANSWER, [{"of_account": key[0], "of_key": key[1], "answered": said} for key, said in answers.items()]
        )


_ANSWER = (
    update(answered_calls)
    .where(answered_calls.c.account_id == bindparam("of_account"), answered_calls.c.key == bindparam("of_key"))
    .values(answer=bindparam("answered"))
)


def forget(tx: Connection, *, before: float) -> int:
    """Drop the answers given before a time; returns how many."""
    return tx.execute(delete(answered_calls).where(answered_calls.c.at < before)).rowcount
