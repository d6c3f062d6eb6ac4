"""`cleartosend members`: the list that marketing is held against."""

import csv
import time
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import click
import msgspec

from cleartosend.admission.numbers import read_number
from cleartosend.cli.options import data_option
from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.store import accounts
from cleartosend.store.members import add_members

# Headings under which people keep telephone numbers.
HEADINGS = {
    "number",
    "phone",
    "phonenumber",
    "phone_number",
    "mobile",
    "tel",
    "手机",
    "手机号",
    "手机号码",
    "号码",
    "电话",
}
MOST_BAD_ROWS_SHOWN = 20


class Source(StrEnum):
    """How a recipient became a member."""

    PURCHASE = "purchase"
    REGISTRATION = "registration"


class BadRow(msgspec.Struct, frozen=True):
    """A line of the file with no number in it."""

    line: int


@click.group()
def members() -> None:
    """Who may be reached with marketing: people who bought or registered."""


@members.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--account", "account_id", type=int, required=True, help="Whose members they are.")
@click.option(
    "--source",
    type=click.Choice([source.value for source in Source]),
    required=True,
    help="How they became members.",
)
@data_option
def import_(file: Path, *, account_id: int, source: str, data: Path | None) -> None:
    """
    Add the numbers of a CSV FILE: E.164 or national form, in a column headed `number` or in the first one.

    All rows are taken or, when one has no number, none.
    """
    numbers, bad = _read(file)
    if bad:
        for row in bad[:MOST_BAD_ROWS_SHOWN]:
            click.echo(f"{file}, line {row.line}: no telephone number", err=True)
        message = f"{len(bad)} of {len(bad) + len(numbers)} rows have no number; nothing was imported"
        raise click.ClickException(message)

    async def work(store: OpenStore) -> int:
        if await store.engine.read(lambda tx: accounts.find(tx, account_id)) is None:
            message = f"there is no account {account_id}"
            raise click.ClickException(message)
        return await store.engine.write(lambda tx: add_members(tx, account_id, numbers, source=source, now=time.time()))

    new = on_store(data, work)
    click.echo(f"{len(numbers)} numbers read, {new} new members")


def _read(file: Path) -> tuple[list[str], list[BadRow]]:
    """The numbers of the file without repetition, and the rows that have none."""
    numbers: dict[str, None] = {}
    bad: list[BadRow] = []
    for line, written in _cells(csv.reader(_text_of(file).splitlines())):
        number = read_number(written)
        if number is None:
            bad.append(BadRow(line))
        else:
            numbers[number.e164] = None
    return list(numbers), bad


def _text_of(file: Path) -> str:
    """The file's text: UTF-8 with or without the mark that spreadsheets put in front, or what Chinese ones write."""
    with in_one_line():
        content = file.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    message = f"{file}: neither UTF-8 nor GB 18030"
    raise Problem(message)


def _cells(rows: Iterable[list[str]]) -> Iterator[tuple[int, str]]:
    """The cell of each row that should hold the number, with its line; headings and empty lines are passed over."""
    column = 0
    for line, row in enumerate(rows, start=1):
        if not any(cell.strip() for cell in row):
            continue
        if line == 1:
            headings = [cell.strip().lower() for cell in row]
            known = [place for place, heading in enumerate(headings) if heading in HEADINGS]
            if known:
                column = known[0]
                continue
        yield line, row[column].strip() if column < len(row) else ""
