"""Brings a database to the schema that this version of the program knows."""

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
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        message = f"its schema is at revision {current}, which this version of cleartosend does not know"
        raise NewerSchema(message)
    command.upgrade(config, "head")
