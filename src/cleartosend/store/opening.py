"""Opens the store that a deployment is set to use, brought up to date."""

from pathlib import Path

from sqlalchemy.exc import DatabaseError

from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store import accounts
from cleartosend.store.schema_version import NewerSchema, bring_up_to_date
from cleartosend.store.secrets import BadKey, Vault, open_vault
from cleartosend.store.sqlite import SqliteEngine, open_sqlite

FILE_NAME = "cleartosend.db"
POSTGRES = "postgresql://"


def sqlite_path(settings: Settings) -> Path:
    """Where the embedded store is."""
    return settings.data / FILE_NAME


def make_data_folder(settings: Settings) -> None:
    """Make the data folder where there is none; nobody else reads what is in it."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)


async def open_store(settings: Settings) -> Engine:
    """Raises NewerSchema, StoreUnavailable or OSError when it cannot be opened."""
    make_data_folder(settings)
    if settings.database:
        return await _open_postgres(settings.database, settings.node)
    return _open_sqlite(sqlite_path(settings), settings.node)


async def open_store_and_vault(settings: Settings) -> tuple[Engine, Vault]:
    """As `open_store`; raises BadKey as well, when the key at hand does not open what the store holds."""
    make_data_folder(settings)
    vault = open_vault(settings.data, settings.key, store_exists=sqlite_path(settings).exists())
    engine = await open_store(settings)
    try:
        await engine.read(lambda tx: accounts.prove_key(tx, vault))
    except BadKey:
        await engine.close()
        raise
    return engine, vault


async def _open_postgres(address: str, node: int) -> Engine:
    try:
        from cleartosend.store.postgres import PostgresEngine  # noqa: PLC0415 - its driver is an extra
    except ImportError as error:
        message = f"{error.name} is missing: install cleartosend[postgres]"
        raise StoreUnavailable(message) from error
    if not address.startswith(POSTGRES):
        message = f"the database's address must begin with {POSTGRES}"
        raise StoreUnavailable(message)
    engine = PostgresEngine(address.replace(POSTGRES, "postgresql+asyncpg://", 1), node=node)
    try:
        await engine.write(bring_up_to_date)
    except StoreUnavailable as error:
        await engine.close()
        message = f"the database: {error}"
        raise StoreUnavailable(message) from error
    return engine


def _open_sqlite(path: Path, node: int) -> Engine:
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
    return SqliteEngine(path, node=node)
