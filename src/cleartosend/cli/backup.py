"""`cleartosend backup`: a copy of the embedded store, taken while it runs."""

import os
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
@click.option("--force", is_flag=True, help="Overwrite FILE.")
@data_option
def backup(file: Path, *, force: bool, data: Path | None) -> None:
    """
    Copy the store to FILE, whole and consistent, while the server works. Only its owner may read the copy.

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
        if file.exists() and (file.samefile(source) or not force):
            what = "it is the store itself" if file.samefile(source) else "it is there already; --force overwrites it"
            message = f"{file}: {what}"
            raise Problem(message)
        draft = file.with_name(file.name + ".part")
        draft.unlink(missing_ok=True)
        # SQLite would let everybody read what it makes.
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(source)) as store, closing(sqlite3.connect(draft)) as copy:
                store.backup(copy, pages=PAGES_AT_ONCE)
                copy.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            draft.unlink(missing_ok=True)
            message = f"{source} to {file}: {error}"
            raise Problem(message) from error
        draft.replace(file)
    click.echo(f"{file}: {file.stat().st_size} bytes")
