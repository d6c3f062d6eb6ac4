"""Brings a database to the schema that this version of the program knows."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "migrations"


class NewerSchema(Exception):
    """The database was made by a newer version of the program."""


def bring_up_to_date(connection: Connection) -> None:
    """Run the migrations that are missing. Raises NewerSchema rather than touch what it does not know."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current == _known()[0]:
        return
    if current is not None and current not in _known():
        message = f"its schema is at revision {current}, which this version of cleartosend does not know"
        raise NewerSchema(message)
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@cache
def _known() -> tuple[str, ...]:
    """All revisions, the newest first: to read them takes longer than to open a store that has them."""
    return tuple(revision.revision for revision in ScriptDirectory.from_config(_config()).walk_revisions())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config
