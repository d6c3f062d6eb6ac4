"""Reads the files that people keep telephone numbers in, row by row: CSV as spreadsheets write it, and XLSX."""

import codecs
import contextlib
import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, NamedTuple
from xml.parsers import expat

from cleartosend.cli.problems import Problem, in_one_line

BLOCK_BYTES = 1 << 16
DELIMITERS = ",;\t"
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_SHEETS = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_STRINGS = "xl/sharedStrings.xml"


class Row(NamedTuple):
    """A row of a file, or of its columns that were asked for; an empty text where there is nothing."""

    line: int
    cells: Sequence[str]


class Table:
    """An open file: its rows, and how far they have been read."""

    def __init__(self, rows: Iterator[Row], *, size_bytes: int, position: Callable[[], int]) -> None:
        self.rows = rows
        self.size_bytes = size_bytes
        self.position = position


@contextlib.contextmanager
def open_table(file: Path) -> Iterator[Table]:
    """Open a file by what it holds, whatever it is called. Raises Problem when it is no table."""
    with in_one_line(csv.Error, expat.ExpatError, zipfile.BadZipFile), file.open("rb") as opened:
        beginning = opened.read(4)
        opened.seek(0)
        if beginning == ZIP:
            with _open_xlsx(file, opened) as table:
                yield table
        elif beginning == OLE:
            message = f"{file}: an old or a locked workbook; save it as .xlsx without a password, or as .csv"
            raise Problem(message)
        else:
            with _open_csv(file, opened) as table:
                yield table


def columns(rows: Iterator[Row], headings: Sequence[frozenset[str]]) -> Iterator[Row]:
    """
    The rows, cut to the columns that are headed so, in the order asked for; a column that is not there is empty.

    A file whose first row does not head the first of them has no headings: then that is the first column, and the
    others are not there. Empty rows are passed over.
    """
    first = next(rows, None)
    if first is None:
        return iter(())
    written = [cell.strip().casefold() for cell in first.cells]
    places = [next((place for place, word in enumerate(written) if word in words), None) for words in headings]
    if places[0] is None:
        places = [0, *([None] * (len(headings) - 1))]
        rows = _put_back(first, rows)
    return _cut(rows, places)


def _put_back(first: Row, rows: Iterator[Row]) -> Iterator[Row]:
    yield first
    yield from rows


def _cut(rows: Iterator[Row], places: Sequence[int | None]) -> Iterator[Row]:
    for line, cells in rows:
        if any(cells):
            count = len(cells)
            yield Row(line, [cells[place] if place is not None and place < count else "" for place in places])


# --- CSV ---


@contextlib.contextmanager
def _open_csv(file: Path, opened: IO[bytes]) -> Iterator[Table]:
    size = opened.seek(0, io.SEEK_END)
    encoding = _encoding_of(file, opened)
    opened.seek(0)
    first_line = opened.read(BLOCK_BYTES).decode(encoding, "ignore").split("\n", 1)[0]
    opened.seek(0)
    with io.TextIOWrapper(opened, encoding, newline="") as text:
        rows = _rows_of_csv(file, text, max(DELIMITERS, key=first_line.count))
        yield Table(rows, size_bytes=size, position=opened.tell)


def _rows_of_csv(file: Path, text: IO[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=delimiter)
    try:
        for cells in reader:
            yield Row(reader.line_num, [_bare(cell) for cell in cells])
    except csv.Error as error:
        message = f"{file}, line {reader.line_num}: {error}"
        raise Problem(message) from error


def _bare(cell: str) -> str:
    r"""
    A cell without what keeps a spreadsheet from taking a number for one.

    >>> [_bare(cell) for cell in ('="13711112222"', "'13711112222", "13711112222\t", "a")]
    ['13711112222', '13711112222', '13711112222', 'a']
    """
    if cell.isalnum():
        return cell
    cell = cell.strip()
    if cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1].strip()
    return cell.removeprefix("'")


def _encoding_of(file: Path, opened: IO[bytes]) -> str:
    """UTF-8 with or without the mark that spreadsheets put in front, what Chinese ones write, or Excel's Unicode."""
    opened.seek(0)
    if opened.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        opened.seek(0)
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            while block := opened.read(BLOCK_BYTES):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    message = f"{file}: neither UTF-8 nor GB 18030"
    raise Problem(message)


# --- XLSX: ECMA-376, part 1, 18.3 (worksheets) and 18.4 (shared strings) ---


@contextlib.contextmanager
def _open_xlsx(file: Path, opened: IO[bytes]) -> Iterator[Table]:
    with zipfile.ZipFile(opened) as archive:
        name = _first_sheet(file, archive)
        strings = _shared_strings(archive)
        with archive.open(name) as sheet:
            yield Table(_rows_of_sheet(sheet, strings), size_bytes=archive.getinfo(name).file_size, position=sheet.tell)


def _first_sheet(file: Path, archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    if not {_SHEETS, _RELATIONS} <= names:
        message = f"{file}: no workbook"
        raise Problem(message)
    elements = list(_elements(archive, _SHEETS))
    if any(element == "workbookPr" and its.get("date1904") in {"1", "true"} for element, its in elements):
        message = f"{file}: its dates are counted from 1904; save it with dates from 1900, or as .csv"
        raise Problem(message)
    relation = next(
        (value for element, its in elements if element == "sheet" for key, value in its.items() if _local(key) == "id"),
        None,
    )
    for element, its in _elements(archive, _RELATIONS):
        if element == "Relationship" and its.get("Id") == relation:
            target = its["Target"]
            name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            if name in names:
                return name
    message = f"{file}: no sheet in it"
    raise Problem(message)


def _elements(archive: zipfile.ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    parser = _parser()
    parser.StartElementHandler = lambda element, its: found.append((_local(element), its))
    parser.Parse(archive.read(name), True)
    return found


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    # No spreadsheet declares a document type; whoever does so wants entities to grow.
    parser.StartDoctypeDeclHandler = _refuse_document_type
    return parser


def _refuse_document_type(*_declared: object) -> None:
    message = "not a spreadsheet: it declares a document type"
    raise Problem(message)


def _shared_strings(archive: zipfile.ZipFile) -> list[str]:
    """The texts that cells name by their number."""
    if _STRINGS not in archive.namelist():
        return []
    strings: list[str] = []
    pieces: list[str] = []
    parser = _parser()

    def start(element: str, _its: dict[str, str]) -> None:
        element = _LOCAL[element]
        if element == "si":
            pieces.clear()
        elif element == "t":
            parser.CharacterDataHandler = pieces.append
        elif element == "rPh":
            # How to pronounce it is no part of it.
            parser.StartElementHandler = None

    def end(element: str) -> None:
        element = _LOCAL[element]
        if element == "t":
            parser.CharacterDataHandler = None
        elif element == "si":
            strings.append("".join(pieces))
        elif element == "rPh":
            parser.StartElementHandler = start

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    with archive.open(_STRINGS) as file:
        parser.ParseFile(file)
    return strings


def _rows_of_sheet(sheet: IO[bytes], strings: Sequence[str]) -> Iterator[Row]:
    rows: list[Row] = []
    cells: list[str] = []
    pieces: list[str] = []
    line, kind, place = 0, "", 0
    parser = _parser()

    def start(element: str, its: dict[str, str]) -> None:
        nonlocal line, kind, place, cells
        element = _LOCAL[element]
        if element == "c":
            kind = its.get("t", "n")
            place = _place(its["r"]) if "r" in its else len(cells)
            pieces.clear()
        elif element in {"v", "t"}:
            parser.CharacterDataHandler = pieces.append
        elif element == "row":
            line = int(its.get("r", line + 1))
            cells = []

    def end(element: str) -> None:
        element = _LOCAL[element]
        if element in {"v", "t"}:
            parser.CharacterDataHandler = None
        elif element == "c":
            cells.extend([""] * (place - len(cells)))
            cells.append(_value(kind, "".join(pieces), strings))
        elif element == "row":
            rows.append(Row(line, cells))

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    while block := sheet.read(BLOCK_BYTES):
        parser.Parse(block, False)
        yield from rows
        rows.clear()


def _value(kind: str, written: str, strings: Sequence[str]) -> str:
    """What a cell of a kind says, as text: a whole number without a fraction, a date as Excel counts days."""
    try:
        if kind == "s":
            return strings[int(written)].strip()
        if kind == "n" and written and not written.isdigit():
            number = float(written)
            return str(int(number)) if number.is_integer() else written
    except (IndexError, ValueError) as error:
        message = "not a spreadsheet: a cell holds what it cannot"
        raise Problem(message) from error
    return written.strip()


def _place(reference: str) -> int:
    """
    The column of a cell, from 0.

    >>> _place("A1"), _place("C7"), _place("AA1")
    (0, 2, 26)
    """
    place = 0
    for character in reference:
        if not character.isalpha():
            break
        place = place * 26 + ord(character) - 64
    return place - 1


def _local(name: str) -> str:
    return name.rpartition(":")[2]


class _LocalNames(dict[str, str]):
    """Names of elements without their prefix, remembered: there are a few names, and millions of elements."""

    def __missing__(self, name: str) -> str:
        return self.setdefault(name, _local(name))


_LOCAL = _LocalNames()
