"""Opens the store that a deployment is set to use, brought up to date."""

from pathlib import Path

from sqlalchemy.exc import DatabaseError

from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store.postgres import PostgresEngine
from cleartosend.store.schema_version import NewerSchema, bring_up_to_date
from cleartosend.store.sqlite import SqliteEngine, open_sqlite

FILE_NAME = "cleartosend.db"


def sqlite_path(settings: Settings) -> Path:
    """Where the embedded store is."""
    return settings.data / FILE_NAME


async def open_store(settings: Settings) -> Engine:
    """Raises NewerSchema, StoreUnavailable or OSError when it cannot be opened."""
    settings.data.mkdir(parents=True, exist_ok=True)
    if settings.database:
        engine = PostgresEngine(settings.database.replace("postgresql://", "postgresql+asyncpg://", 1))
        await engine.write(bring_up_to_date)
        return engine
    path = sqlite_path(settings)
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
