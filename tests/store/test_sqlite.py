"""Small groups are done in the loop's thread, and everything that may take long by the writer."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from cleartosend.model.accounts import AccountKind
from cleartosend.ports import StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store import accounts, sqlite
from cleartosend.store.opening import open_store, sqlite_path
from cleartosend.store.sqlite import MOST_ROWS_HERE, SqliteEngine


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[SqliteEngine]:
    engine = await open_store(Settings(data=tmp_path))
    assert isinstance(engine, SqliteEngine)
    # The writer opens its connection at its first work.
    await engine.write(lambda _tx: None)
    yield engine
    await engine.close()


def make_all(tx: Connection, names: Sequence[str]) -> list[str]:
    """Make accounts; the names of the threads that did."""
    for name in names:
        if name == "bad":
            raise ValueError(name)
        accounts.create(tx, name=name, kind=AccountKind.ORGANIZATION, verified=True, now=1.0)
    return [threading.current_thread().name] * len(names)


def names_of(tx: Connection) -> list[str]:
    return [account.name for account in accounts.every(tx)]


async def test_small_work_is_done_in_the_loops_thread_and_other_work_by_the_writer(opened: SqliteEngine) -> None:
    here, writer = threading.current_thread().name, "store-writer"
    assert await opened.batched(make_all, size=len)("few") == here
    assert await opened.batched(make_all)("unknown") == writer
    assert await opened.batched(make_all, size=lambda _: MOST_ROWS_HERE + 1)("many") == writer
    assert await opened.read(names_of) == ["few", "unknown", "many"]


async def test_of_small_work_that_fails_only_what_fails_alone_fails(opened: SqliteEngine) -> None:
    make = opened.batched(make_all, size=len)
    outcomes = await asyncio.gather(*map(make, ["a", "bad", "b"]), return_exceptions=True)
    assert [isinstance(outcome, ValueError) for outcome in outcomes] == [False, True, False]
    assert await make("c") == threading.current_thread().name
    assert await opened.read(names_of) == ["a", "b", "c"]


async def test_the_loop_goes_on_while_another_process_writes(opened: SqliteEngine, tmp_path: Path) -> None:
    with closing(sqlite3.connect(sqlite_path(Settings(data=tmp_path)), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        making = asyncio.ensure_future(opened.batched(make_all, size=len)("waits"))
        for _ in range(20):
            await asyncio.sleep(0.001)
        assert not making.done()
        other.execute("ROLLBACK")
        assert await making == "store-writer"
    assert await opened.read(names_of) == ["waits"]


async def test_where_the_disk_is_full_small_work_fails_and_succeeds_later(opened: SqliteEngine) -> None:
    make = opened.batched(make_all, size=len)

    def fill(tx: Connection) -> None:
        pages = tx.execute(text("PRAGMA page_count")).scalar_one()
        # What the driver says then is what it says on a full disk.
        tx.execute(text(f"PRAGMA max_page_count={pages}"))

    await opened.write(fill)
    with pytest.raises(StoreUnavailable, match="full"):
        await make("long " * 10_000)
    await make("short")
    assert await opened.read(names_of) == ["short"]


async def test_while_the_disk_is_slow_the_writer_does_small_work_too(
    opened: SqliteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "HELD_UP_SECONDS", -1.0)
    monkeypatch.setattr(sqlite, "NONE_HERE_SECONDS", 3600.0)
    make = opened.batched(make_all, size=len)
    assert await make("first") == threading.current_thread().name
    assert await make("second") == "store-writer"


async def test_what_waits_is_done_before_the_store_is_closed(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    engine = await open_store(settings)
    make = engine.batched(make_all, size=len)
    small = [asyncio.ensure_future(make(f"small {number}")) for number in range(700)]
    large = asyncio.ensure_future(engine.write(lambda tx: make_all(tx, ["large"])))
    await asyncio.sleep(0)
    await engine.close()
    assert all(one.done() for one in [*small, large])
    again = await open_store(settings)
    assert len(await again.read(names_of)) == 701
    await again.close()
