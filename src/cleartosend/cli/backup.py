"""`cleartosend backup`: a copy of the embedded store, taken while it runs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import click

from cleartosend.cli.options import data_option
from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.settings import BadSettings, read_settings
from cleartosend.store.opening import sqlite_path

PAGES_AT_ONCE = 1000


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@data_option
def backup(file: Path, *, data: Path | None) -> None:
    """
    Copy the store to FILE, whole and consistent, while the server works.

    The key that unseals credentials (`secret.key`) is not in it: keep that elsewhere, or a thief of the copy has both.
    """
    with in_one_line(BadSettings):
        settings = read_settings(data)
        if settings.database:
            message = "the store is a PostgreSQL database: use pg_dump"
            raise Problem(message)
        source = sqlite_path(settings)
        if not source.exists():
            message = f"{source}: there is no store here"
            raise Problem(message)
        draft = file.with_name(file.name + ".part")
        try:
            with closing(sqlite3.connect(source)) as store, closing(sqlite3.connect(draft)) as copy:
                store.backup(copy, pages=PAGES_AT_ONCE)
                copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            draft.unlink(missing_ok=True)
            raise Problem(str(error)) from error
        draft.replace(file)
    click.echo(f"{file}: {file.stat().st_size} bytes")
