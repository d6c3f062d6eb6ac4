"""Members are on a list all together or not at all, and what a dead import has left is nobody's."""

import pytest
from usual import VAULT

from cleartosend.cli.account import create_account
from cleartosend.model.accounts import AccountKind
from cleartosend.model.members import ImportState, MemberImport, MemberSource
from cleartosend.ports import Engine
from cleartosend.store import members
from cleartosend.store.members import MemberRow

ANN, BEN, CID = "+8613711112222", "+8613711113333", "+8613711114444"
DEAD_AFTER = 60.0


@pytest.fixture
async def account_id(engine: Engine) -> int:
    made = await engine.write(
        lambda tx: create_account(
            tx, name="清风书店", kind=AccountKind.ORGANIZATION, verified=True, vault=VAULT, now=1.0
        )
    )
    return made.account_id


async def begin(engine: Engine, account_id: int, *, now: float) -> MemberImport | int:
    return await engine.write(
        lambda tx: members.begin_import(
            tx, account_id=account_id, file="m.csv", by="operator", now=now, dead_before=now - DEAD_AFTER
        )
    )


async def begun(engine: Engine, account_id: int, *numbers: str, now: float = 100.0) -> int:
    """An import that has written these numbers and is not done."""
    import_id = await begin(engine, account_id, now=now)
    assert isinstance(import_id, int)
    assert await add(engine, account_id, import_id, *numbers, now=now)
    return import_id


async def add(engine: Engine, account_id: int, import_id: int, *numbers: str, now: float = 100.0) -> bool:
    rows = [MemberRow(number, "purchase", 5.0) for number in numbers]
    return await engine.write(lambda tx: members.add_imported(tx, import_id, account_id, rows, now=now))


async def end(engine: Engine, import_id: int, state: ImportState = ImportState.DONE) -> bool:
    return await engine.write(lambda tx: members.end_import(tx, import_id, state, now=101.0))


async def on_the_list(engine: Engine, account_id: int, *numbers: str) -> set[str]:
    pairs = [(account_id, number) for number in numbers]
    return {number for _, number in await engine.read(lambda tx: members.which_are_members(tx, pairs))}


async def test_none_of_an_import_counts_before_all_of_it(engine: Engine, account_id: int) -> None:
    import_id = await begun(engine, account_id, ANN)
    assert await on_the_list(engine, account_id, ANN) == set()
    assert await engine.read(lambda tx: members.page(tx, account_id, after="", limit=9)) == []
    assert await engine.read(lambda tx: members.count(tx, account_id)) == {}
    assert await add(engine, account_id, import_id, BEN)
    assert await end(engine, import_id)
    assert await on_the_list(engine, account_id, ANN, BEN, CID) == {ANN, BEN}
    assert await engine.read(lambda tx: members.count(tx, account_id)) == {"purchase": 2}
    [one, _] = await engine.read(lambda tx: members.page(tx, account_id, after="", limit=9))
    assert (one.number, one.source, one.since, one.import_id) == (ANN, MemberSource.PURCHASE, 5.0, import_id)


async def test_members_of_one_account_are_not_anothers(engine: Engine, account_id: int) -> None:
    assert await end(engine, await begun(engine, account_id, ANN))
    assert await on_the_list(engine, account_id + 1, ANN) == set()


async def test_a_member_keeps_source_and_time_when_read_in_again(engine: Engine, account_id: int) -> None:
    await engine.write(lambda tx: members.add_members(tx, account_id, [ANN], source="registration", now=1.0))
    assert await end(engine, await begun(engine, account_id, ANN, BEN))
    member = await engine.read(lambda tx: members.find(tx, account_id, ANN))
    assert member is not None
    assert (member.source, member.since) == (MemberSource.REGISTRATION, 1.0)
    assert (
        await engine.write(lambda tx: members.add_members(tx, account_id, [ANN, CID], source="purchase", now=9.0)) == 1
    )


async def test_two_imports_of_an_account_do_not_run_at_once(engine: Engine, account_id: int) -> None:
    first = await begun(engine, account_id, ANN)
    running = await begin(engine, account_id, now=100.0 + DEAD_AFTER)
    assert isinstance(running, MemberImport)
    assert (running.id, running.rows) == (first, 1)


async def test_a_silent_import_is_dead_and_writes_no_more(engine: Engine, account_id: int) -> None:
    dead = await begun(engine, account_id, ANN)
    second = await begin(engine, account_id, now=101.0 + DEAD_AFTER)
    assert isinstance(second, int)
    assert not await add(engine, account_id, dead, CID)
    assert not await end(engine, dead)
    assert await end(engine, second)
    assert await on_the_list(engine, account_id, ANN, CID) == set()
    states = {one.id: one.state for one in await engine.read(lambda tx: members.imports_of(tx, account_id))}
    assert states == {dead: ImportState.FAILED, second: ImportState.DONE}


async def test_a_number_of_a_dead_import_is_taken_over(engine: Engine, account_id: int) -> None:
    dead = await begun(engine, account_id, ANN, BEN)
    assert await end(engine, dead, ImportState.FAILED)
    second = await begun(engine, account_id, ANN)
    assert await end(engine, second)
    await engine.write(lambda tx: members.add_members(tx, account_id, [BEN], source="registration", now=7.0))
    assert await on_the_list(engine, account_id, ANN, BEN) == {ANN, BEN}
    # Clearing away what the dead one left takes neither with it.
    assert await engine.write(lambda tx: members.forget_uncounted(tx, account_id, limit=10)) == 0


async def test_what_dead_imports_left_is_cleared_away_in_steps(engine: Engine, account_id: int) -> None:
    numbers = [f"+86137{number:08}" for number in range(25)]
    assert await end(engine, await begun(engine, account_id, *numbers), ImportState.FAILED)
    kept = await begun(engine, account_id, ANN)
    cleared: list[int] = []
    while not cleared or cleared[-1]:
        cleared.append(await engine.write(lambda tx: members.forget_uncounted(tx, account_id, limit=10)))
    assert cleared == [10, 10, 5, 0]
    assert await end(engine, kept)
    assert await on_the_list(engine, account_id, ANN) == {ANN}


async def test_a_finished_import_can_be_undone(engine: Engine, account_id: int) -> None:
    await engine.write(lambda tx: members.add_members(tx, account_id, [ANN], source="registration", now=1.0))
    import_id = await begun(engine, account_id, ANN, BEN)
    assert not await engine.write(lambda tx: members.undo_import(tx, import_id))
    assert await end(engine, import_id)
    assert await engine.write(lambda tx: members.undo_import(tx, import_id))
    assert await on_the_list(engine, account_id, ANN, BEN) == {ANN}


async def test_removed_numbers_are_members_no_more(engine: Engine, account_id: int) -> None:
    await engine.write(lambda tx: members.add_members(tx, account_id, [ANN, BEN], source="purchase", now=1.0))
    assert await engine.write(lambda tx: members.remove(tx, account_id, [BEN, CID])) == [BEN]
    assert await on_the_list(engine, account_id, ANN, BEN) == {ANN}


async def test_more_numbers_than_a_statement_takes_are_looked_up(engine: Engine, account_id: int) -> None:
    numbers = [f"+861370{number:07}" for number in range(40_000)]
    assert await end(engine, await begun(engine, account_id, *numbers[::20_000]))
    assert await on_the_list(engine, account_id, *numbers) == set(numbers[::20_000])
