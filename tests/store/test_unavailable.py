"""A full disk or a locked file: the call fails, nothing is half recorded, and the store recovers by itself."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection
from usual import Clock, reasons, usual_account, usual_admission

from cleartosend.ports import StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store import messages, sqlite
from cleartosend.store.opening import open_store, sqlite_path

NUMBERS = [f"+86137{number:08}" for number in range(200)]


def count(tx: Connection) -> int:
    return sum(messages.count_by_state(tx).values())


async def test_on_a_full_disk_a_call_fails_whole_and_later_ones_succeed(tmp_path: Path) -> None:
    engine = await open_store(Settings(data=tmp_path))
    clock = Clock()
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    assert set(reasons(await admission.accept(usual.call(*NUMBERS[:10])))) == {None}

    def pages(tx: Connection) -> int:
        return int(tx.exec_driver_sql("PRAGMA page_count").scalar_one())

    def allow(tx: Connection, most: int) -> None:
        # What the driver says then is what it says on a full disk.
        tx.exec_driver_sql(f"PRAGMA max_page_count={most}")

    full = await engine.write(pages)
    await engine.write(lambda tx: allow(tx, full))
    with pytest.raises(StoreUnavailable, match="full"):
        await admission.accept(usual.call(*NUMBERS))
    assert await engine.read(count) == 10
    # The connection was made anew, and with it the disk is large again.
    clock.advance(60)
    assert set(reasons(await admission.accept(usual.call(*NUMBERS)))) == {None}
    assert await engine.read(count) == 210
    await engine.close()


async def test_while_the_file_is_locked_calls_fail_and_afterwards_they_succeed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "LOCK_WAIT_SECONDS", 0.05)
    settings = Settings(data=tmp_path)
    engine = await open_store(settings)
    usual = await usual_account(engine)
    admission = usual_admission(engine, Clock())
    with closing(sqlite3.connect(sqlite_path(settings), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked"):
            await admission.accept(usual.call(NUMBERS[0]))
        other.execute("ROLLBACK")
    assert reasons(await admission.accept(usual.call(NUMBERS[0]))) == [None]
    assert await engine.read(count) == 1
    await engine.close()
