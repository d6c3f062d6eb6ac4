"""Telephone numbers as commands take them: one by one, or in a file of which every row must be good."""

import contextlib
import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from cleartosend.admission.numbers import read_number
from cleartosend.cli.problems import in_one_line
from cleartosend.cli.tables import columns, open_table

# Headings under which people keep telephone numbers.
NUMBER_HEADINGS = frozenset(
    {"number", "phone", "phonenumber", "phone_number", "phone number", "mobile", "tel", "手机", "手机号", "手机号码"}
    | {"号码", "电话", "电话号码", "联系电话"}
)
# Chinese keyboards write digits of double width.
_HALF_WIDTH = str.maketrans("０１２３４５６７８９＋－\u3000", "0123456789+- ")
MOST_BAD_ROWS_SHOWN = 20
ROWS_BETWEEN_STEPS = 10_000


class BadRow(NamedTuple):
    """A row that cannot be taken, and why."""

    line: int
    what: str


class Column(NamedTuple):
    """A column beside the numbers: its headings, and what a cell of it means."""

    headings: frozenset[str]
    read: Callable[[str], object]
    """Raises ValueError with what is wrong; asked also where there is nothing."""


def good_rows(file: Path, others: Sequence[Column], *, errors: Path | None) -> Iterator[tuple[str, list[Any]]]:
    """
    The numbers of a file with what its other columns mean.

    Raises ClickException after the last row when some were bad, and shows or writes them.
    """
    bad = read = done = 0
    with open_table(file) as table, _bad_rows_to(file, errors) as tell, progress("reading", table.size_bytes) as bar:
        headings = [NUMBER_HEADINGS, *(column.headings for column in others)]
        for line, (written, *cells) in columns(table.rows, headings):
            read += 1
            try:
                row = _number(written), [column.read(cell) for column, cell in zip(others, cells, strict=True)]
            except ValueError as error:
                bad += 1
                tell(BadRow(line, str(error)))
                continue
            yield row
            if not read % ROWS_BETWEEN_STEPS:
                bar.update(table.position() - done)
                done = table.position()
        bar.update(table.size_bytes - done)
    if bad:
        message = f"{bad} of {read} rows are bad; nothing was imported"
        raise click.ClickException(message)


def _number(written: str) -> str:
    # A program that took a column for numbers has written a fraction.
    if number := read_number(written) or read_number(written.translate(_HALF_WIDTH).removesuffix(".0")):
        return number.e164
    if not written:
        raise ValueError("no telephone number")
    # Excel shows a long number so in a narrow column, and writes into a CSV what it shows.
    hint = " (cut by a spreadsheet: make the column text)" if "E+" in written.upper() else ""
    raise ValueError(f"no telephone number: {written[:40]}{hint}")


@contextlib.contextmanager
def _bad_rows_to(file: Path, errors: Path | None) -> Iterator[Callable[[BadRow], None]]:
    """Show the first bad rows, and write all of them to the file given."""
    shown = 0
    with contextlib.ExitStack() as stack:
        writer = None
        if errors is not None:
            with in_one_line():
                opened = stack.enter_context(errors.open("w", encoding="utf-8", newline=""))
            writer = csv.writer(opened)
            writer.writerow(("file", "line", "what"))

        def tell(row: BadRow) -> None:
            nonlocal shown
            shown += 1
            if shown <= MOST_BAD_ROWS_SHOWN:
                click.echo(f"{file}, line {row.line}: {row.what}", err=True)
            if writer is not None:
                writer.writerow((file, *row))

        yield tell


def progress(label: str, length: int) -> Any:  # noqa: ANN401 - click has no public name for its bar
    """A bar on a terminal, and nothing elsewhere."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


class NumberType(click.ParamType[str]):
    """A telephone number on the command line."""

    name = "number"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        number = read_number(value)
        if number is None:
            self.fail(f"{value} is no telephone number", param, ctx)
        return number.e164
