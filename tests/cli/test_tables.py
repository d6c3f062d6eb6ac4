"""Files as people's programs write them are read, and what is no table is refused in one line."""

import codecs
import re
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from cleartosend.cli.problems import Problem
from cleartosend.cli.tables import columns, open_table

NUMBER, SOURCE = frozenset({"number", "手机号"}), frozenset({"source", "来源"})
ROWS = [["手机号", "来源"], ["13711112222", "购买"], ["13711113333", "注册"]]


def read(file: Path, *headings: frozenset[str]) -> list[tuple[int, Sequence[str]]]:
    with open_table(file) as table:
        return [(line, cells) for line, cells in columns(table.rows, headings or (NUMBER, SOURCE))]


def csv_of(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    file = path / "list.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return file


def xlsx_of(path: Path, rows: Sequence[Sequence[object]], *, shared: bool = False) -> Path:
    """A workbook of two sheets; its texts stand in the cells, or are shared, as Excel has them."""
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    book.create_sheet("second").append(["number", "no"])
    file = path / "list.xlsx"
    book.save(file)
    if shared:
        with_parts(file, share_texts)
    return file


def with_parts(file: Path, change: Callable[[dict[str, str]], None]) -> Path:
    """The workbook, after a change of the parts it is made of."""
    with zipfile.ZipFile(file) as archive:
        parts = {one: archive.read(one).decode() for one in archive.namelist()}
    change(parts)
    with zipfile.ZipFile(file, "w") as archive:
        for one, content in parts.items():
            archive.writestr(one, content)
    return file


def share_texts(parts: dict[str, str]) -> None:
    texts: list[str] = []

    def number(cell: re.Match[str]) -> str:
        texts.append(f"<si>{cell[1]}</si>")
        return f't="s"><v>{len(texts) - 1}</v></c>'

    parts[SHEET] = re.sub(r't="inlineStr"><is>(.*?)</is></c>', number, parts[SHEET])
    parts[STRINGS] = f"<sst>{''.join(texts)}</sst>"


def rewritten(file: Path, name: str, change: tuple[str, str]) -> Path:
    """The workbook with other words in one of its parts."""

    def rewrite(parts: dict[str, str]) -> None:
        assert change[0] in parts[name]
        parts[name] = parts[name].replace(*change)

    return with_parts(file, rewrite)


SHEET, STRINGS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
GOOD = [(2, ["13711112222", "购买"]), (3, ["13711113333", "注册"])]
TEXT = "".join(f"{','.join(row)}\n" for row in ROWS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_the_encodings_of_spreadsheets_are_read(tmp_path: Path, encoding: str) -> None:
    assert read(csv_of(tmp_path, TEXT, encoding)) == GOOD


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_the_delimiters_of_spreadsheets_are_read(tmp_path: Path, delimiter: str, ending: str) -> None:
    assert read(csv_of(tmp_path, TEXT.replace(",", delimiter).replace("\n", ending))) == GOOD


def test_what_keeps_a_number_a_text_is_no_part_of_it(tmp_path: Path) -> None:
    written = 'number\n"=""13711112222"""\n\'13711112222\n13711112222\t\n 13711112222 \n'
    assert [cells for _, cells in read(csv_of(tmp_path, written), NUMBER)] == [["13711112222"]] * 4


def test_columns_may_stand_in_any_order_among_others_and_some_rows_be_short_or_empty(tmp_path: Path) -> None:
    file = csv_of(tmp_path, "name,Source,Number\n甲,purchase,1\n\n,,\n乙\n")
    assert read(file) == [(2, ["1", "purchase"]), (5, ["", ""])]


def test_without_headings_the_first_column_is_the_numbers(tmp_path: Path) -> None:
    assert read(csv_of(tmp_path, "13711112222,购买\n")) == [(1, ["13711112222", ""])]


def test_a_line_break_in_a_cell_does_not_shift_the_lines(tmp_path: Path) -> None:
    assert read(csv_of(tmp_path, 'number,source\n1,"a\nb"\n2,c\n')) == [(3, ["1", "a\nb"]), (4, ["2", "c"])]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert read(csv_of(tmp_path, "")) == []
    assert read(csv_of(tmp_path, codecs.BOM_UTF8)) == []


@pytest.mark.parametrize("shared", [False, True])
def test_a_workbook_is_read_as_text_whatever_its_cells_are(tmp_path: Path, shared: bool) -> None:  # noqa: FBT001
    rows: list[list[object]] = [
        ["来源", "手机号", "since"],
        ["购买", 13711112222, datetime(2026, 3, 2, 12)],  # noqa: DTZ001 - a workbook knows no zones
        ["注册", "+8613711113333", None],
        [],
        [None, 13711114444.0, "2026-03-02"],
    ]
    assert read(xlsx_of(tmp_path, rows, shared=shared), NUMBER, SOURCE, frozenset({"since"})) == [
        (2, ["13711112222", "购买", "46083.5"]),
        (3, ["+8613711113333", "注册", ""]),
        (5, ["13711114444", "", "2026-03-02"]),
    ]


def test_how_to_pronounce_a_text_is_no_part_of_it(tmp_path: Path) -> None:
    file = xlsx_of(tmp_path, ROWS, shared=True)
    spoken = ("<t>购买</t>", "<r><t>购</t></r><r><t>买</t></r><rPh sb='0' eb='2'><t>gòumǎi</t></rPh>")
    assert read(rewritten(file, STRINGS, spoken)) == GOOD


def test_elements_may_carry_a_prefix(tmp_path: Path) -> None:
    file = rewritten(xlsx_of(tmp_path, ROWS), SHEET, ("<", "<x:"))
    rewritten(file, SHEET, ("<x:/", "</x:"))
    rewritten(file, SHEET, ("xmlns=", "xmlns:x="))
    assert read(file) == GOOD


NO_TABLES = [
    (SHEET, ("<worksheet", '<!DOCTYPE x [<!ENTITY a "b">]><worksheet'), "document type"),
    (SHEET, ("<sheetData>", "<sheetData"), "not well-formed"),
    (SHEET, ("<v>0</v>", "<v>99</v>"), "a cell holds what it cannot"),
    (BOOK, ("<workbookPr />", '<workbookPr date1904="1" />'), "1904"),
    (BOOK, ('r:id="rId1"', 'r:id="rId99"'), "no sheet"),
]


@pytest.mark.parametrize(("part", "change", "says"), NO_TABLES)
def test_a_broken_workbook_is_refused(tmp_path: Path, part: str, change: tuple[str, str], says: str) -> None:
    file = rewritten(xlsx_of(tmp_path, ROWS, shared=True), part, change)
    with pytest.raises(Problem, match=says):
        read(file)


OTHER_FILES = [
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "old or a locked workbook"),
    (b"PK\x03\x04 and nothing else", "not a zip file"),
    (b"number\n\xff\xfe\xff\n", "neither UTF-8 nor GB 18030"),
    (b'number\n"' + b"1" * 200_000, "field larger than field limit"),
]


@pytest.mark.parametrize(("content", "says"), OTHER_FILES)
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    with pytest.raises(Problem, match=says):
        read(csv_of(tmp_path, content))
