"""What it costs to look recipients up in a list of a million members, in CPU time on one core; `make bench` runs it."""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from cleartosend.model.members import ImportState
from cleartosend.model.verdicts import MessageType
from cleartosend.settings import Settings
from cleartosend.store import consent, members
from cleartosend.store.members import MemberRow
from cleartosend.store.opening import open_store

MEMBERS = 1_000_000
OPTED_OUT = 50_000
NUMBERS_A_CALL = 200
CALLS = 50
REPEATS = 5
ACCOUNT = 1
SIGNATURE = "清风书店"
BUDGET = 10


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(bench(Path(folder)))


async def bench(folder: Path) -> None:
    engine = await open_store(Settings(data=folder))
    chance = random.Random(1)  # noqa: S311 - not a secret
    numbers = [f"+8613{number:09}" for number in chance.sample(range(10**9), MEMBERS)]
    begun = await engine.write(
        lambda tx: members.begin_import(tx, account_id=ACCOUNT, file="bench", by="bench", now=1.0, dead_before=0.0)
    )
    assert isinstance(begun, int)
    for start in range(0, MEMBERS, 50_000):
        rows = [MemberRow(number, "purchase", 1.0) for number in numbers[start : start + 50_000]]
        await engine.write(partial(members.add_imported, import_id=begun, account_id=ACCOUNT, rows=rows, now=1.0))
    await engine.write(lambda tx: members.end_import(tx, begun, ImportState.DONE, now=1.0))
    await engine.write(partial(list_some, numbers=numbers[:OPTED_OUT]))
    print(f"{MEMBERS} members, {OPTED_OUT} of them opted out; calls of {NUMBERS_A_CALL} numbers")
    calls = [chance.sample(numbers, NUMBERS_A_CALL) for _ in range(CALLS)]
    lookups: list[tuple[str, Callable[[Connection, list[str]], int]]] = [
        ("which are members, a number", are_members),
        ("what holds messages back, a number", held_back),
        ("both, a number", both),
    ]
    for what, look_up in lookups:
        microseconds = await engine.read(partial(cheapest, look_up=look_up, calls=calls))
        print(f"{what:52}{microseconds:10.1f}{BUDGET:>10}")
    await engine.close()


def list_some(tx: Connection, numbers: list[str]) -> None:
    consent.put_on_list(
        tx, numbers, account_id=ACCOUNT, signature=SIGNATURE, type_="", by="bench", because="bench", now=1.0
    )


def cheapest(tx: Connection, look_up: Callable[[Connection, list[str]], int], calls: list[list[str]]) -> float:
    """CPU time of a number in microseconds, the least of several runs."""
    best = float("inf")
    for _ in range(REPEATS):
        started = time.thread_time()
        for numbers in calls:
            look_up(tx, numbers)
        best = min(best, time.thread_time() - started)
    return best / CALLS / NUMBERS_A_CALL * 1e6


def are_members(tx: Connection, numbers: list[str]) -> int:
    found = members.which_are_members(tx, [(ACCOUNT, number) for number in numbers])
    assert len(found) == NUMBERS_A_CALL
    return len(found)


def held_back(tx: Connection, numbers: list[str]) -> int:
    held = consent.held(tx, [(ACCOUNT, number) for number in numbers])
    return sum(held.back(ACCOUNT, number, SIGNATURE, MessageType.MARKETING) is not None for number in numbers)


def both(tx: Connection, numbers: list[str]) -> int:
    return are_members(tx, numbers) - held_back(tx, numbers)


if __name__ == "__main__":
    main()
