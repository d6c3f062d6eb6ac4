"""Both engines keep what was answered, group those who wait, and let one failure stay one."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection

from cleartosend.model.accounts import Account, AccountKind
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store import accounts
from cleartosend.store.opening import open_store


def make_account(tx: Connection, name: str = "清风书店") -> Account:
    return accounts.create(tx, name=name, kind=AccountKind.ORGANIZATION, verified=True, now=1.0)


async def test_what_was_written_is_read_again(engine: Engine) -> None:
    made = await engine.write(make_account)
    assert await engine.read(lambda tx: accounts.find(tx, made.id)) == made


async def test_what_was_answered_is_there_after_the_store_is_opened_again(settings: Settings) -> None:
    first = await open_store(settings)
    made = await first.write(make_account)
    await first.close()
    second = await open_store(settings)
    assert await second.read(lambda tx: accounts.find(tx, made.id)) == made
    await second.close()


async def test_callers_who_wait_share_a_transaction_and_each_hears_its_own_answer(engine: Engine) -> None:
    groups: list[int] = []

    def make_all(tx: Connection, names: Sequence[str]) -> list[str]:
        groups.append(len(names))
        return [make_account(tx, name).name for name in names]

    make = engine.batched(make_all)
    names = [f"account {number}" for number in range(300)]
    assert await asyncio.gather(*map(make, names)) == names
    assert sum(groups) == len(names)
    assert len(groups) < len(names)


async def test_one_failing_piece_of_work_does_not_stop_its_neighbours(engine: Engine) -> None:
    def fail(tx: Connection) -> None:
        make_account(tx, "never kept")
        raise ValueError("no")

    outcomes = await asyncio.gather(
        *(engine.write(lambda tx: make_account(tx).name) for _ in range(5)),
        engine.write(fail),
        *(engine.write(lambda tx: make_account(tx).name) for _ in range(5)),
        return_exceptions=True,
    )
    assert [isinstance(outcome, ValueError) for outcome in outcomes].count(True) == 1
    kept = await engine.read(accounts.every)
    assert [account.name for account in kept] == ["清风书店"] * 10


async def test_one_failing_item_does_not_stop_the_others_of_its_batch(engine: Engine) -> None:
    def make_all(tx: Connection, names: Sequence[str]) -> list[str]:
        if "bad" in names:
            raise ValueError("bad")
        return [make_account(tx, name).name for name in names]

    make = engine.batched(make_all)
    outcomes = await asyncio.gather(*map(make, ["a", "bad", "b"]), return_exceptions=True)
    assert outcomes[0] == "a"
    assert isinstance(outcomes[1], ValueError)
    assert outcomes[2] == "b"


async def test_a_failed_piece_of_work_leaves_nothing_behind(engine: Engine) -> None:
    def fail(tx: Connection) -> None:
        make_account(tx)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await engine.write(fail)
    assert await engine.read(accounts.every) == []
