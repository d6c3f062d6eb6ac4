"""Opens the store that a deployment is set to use, brought up to date."""

from pathlib import Path

from sqlalchemy.exc import DatabaseError

from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store.schema_version import NewerSchema, bring_up_to_date
from cleartosend.store.sqlite import SqliteEngine, open_sqlite

FILE_NAME = "cleartosend.db"


def sqlite_path(settings: Settings) -> Path:
    """Where the embedded store is."""
    return settings.data / FILE_NAME


async def open_store(settings: Settings) -> Engine:
    """Raises NewerSchema, StoreUnavailable or OSError when it cannot be opened."""
    settings.data.mkdir(parents=True, exist_ok=True)
    return await _open_postgres(settings.database) if settings.database else _open_sqlite(sqlite_path(settings))


async def _open_postgres(address: str) -> Engine:
    try:
        from cleartosend.store.postgres import PostgresEngine  # noqa: PLC0415 - its driver is an extra
    except ImportError as error:
        message = f"{error.name} is missing: install cleartosend[postgres]"
        raise StoreUnavailable(message) from error
    engine = PostgresEngine(address.replace("postgresql://", "postgresql+asyncpg://", 1))
    await engine.write(bring_up_to_date)
    return engine


def _open_sqlite(path: Path) -> Engine:
    preparation = open_sqlite(path, begin="BEGIN IMMEDIATE")
    try:
        with preparation.begin() as connection:
            bring_up_to_date(connection)
    except DatabaseError as error:
        message = f"{path}: {error.orig}"
        raise StoreUnavailable(message) from error
    except NewerSchema as error:
        message = f"{path}: {error}"
        raise NewerSchema(message) from error
    finally:
        preparation.dispose()
    return SqliteEngine(path)
