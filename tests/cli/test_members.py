"""`cleartosend members` and `opt-out` as an operator types them."""

import asyncio
import csv
import json
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import Workbook
from sqlalchemy import Connection

from cleartosend.cli import cleartosend
from cleartosend.cli.members import moment_of
from cleartosend.model.times import BEIJING
from cleartosend.settings import Settings
from cleartosend.store import members
from cleartosend.store.members import MemberRow
from cleartosend.store.opening import open_store

ANN, BEN = "+8613711112222", "+8613711113333"


class Desk:
    """A data folder with an account, number 1, and a folder for files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path / "data"
        self.run("account", "create", "清风书店", "--kind", "organization")

    def run(self, *arguments: str, fails: int = 0) -> str:
        """What a command prints; where it should fail, what it says of that."""
        done = CliRunner().invoke(cleartosend, [*arguments, "--data", str(self.data)])
        assert done.exit_code == fails, done.output
        return done.stderr if fails else done.stdout

    def members(self, *arguments: str, fails: int = 0) -> str:
        command, *others = arguments
        return self.run("members", command, *others, "--account", "1", fails=fails)

    def file(self, text: str, name: str = "list.csv") -> str:
        file = self.path / name
        file.write_text(text)
        return str(file)

    def listed(self) -> dict[str, tuple[str, float]]:
        lines = self.members("list", "--json").splitlines()
        return {one["number"]: (one["source"], one["since"]) for one in map(json.loads, lines)}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_each_row_says_how_and_when_and_options_fill_what_it_does_not(desk: Desk) -> None:
    file = desk.file(
        f"手机号,来源,注册时间\n{ANN},购买,2025/3/2 12:00\n13711113333,,\n13711114444,Registration,2025-03-02\n"
    )
    said = desk.members("import", file, "--source", "registration", "--since", "2024-01-31")
    assert said == "3 numbers read, 3 new members\n"
    assert desk.listed() == {
        ANN: ("purchase", datetime(2025, 3, 2, 12, tzinfo=BEIJING).timestamp()),
        BEN: ("registration", datetime(2024, 1, 31, tzinfo=BEIJING).timestamp()),
        "+8613711114444": ("registration", datetime(2025, 3, 2, tzinfo=BEIJING).timestamp()),
    }
    assert desk.members("count") == "purchase: 1\nregistration: 2\nall: 3\n"


def test_a_workbook_is_imported_as_well(desk: Desk) -> None:
    book = Workbook()
    rows = [["number", "source", "since"], [13711112222, "purchase", datetime(2025, 3, 2, 12, 30)]]  # noqa: DTZ001
    for row in rows:
        book.active.append(row)
    book.save(desk.path / "list.xlsx")
    assert desk.members("import", str(desk.path / "list.xlsx")) == "1 numbers read, 1 new members\n"
    assert desk.listed() == {ANN: ("purchase", datetime(2025, 3, 2, 12, 30, tzinfo=BEIJING).timestamp())}


def test_numbers_are_read_as_programs_and_people_write_them(desk: Desk) -> None:
    file = desk.file("number\n13711112222.0\n１３７１１１１３３３３\n＋８６１３７１１１１４４４４\n+85261234567.0\n")
    assert desk.members("import", file, "--source", "purchase") == "4 numbers read, 4 new members\n"
    assert set(desk.listed()) == {ANN, BEN, "+8613711114444", "+85261234567"}
    said = desk.members("import", desk.file("13711112222.5\n13711112222.0.0\n"), "--source", "purchase", fails=1)
    assert "2 of 2 rows are bad" in said


def test_with_one_bad_row_nothing_is_imported_and_every_bad_row_is_named(desk: Desk) -> None:
    tomorrow = (datetime.now(BEIJING) + timedelta(days=2)).date().isoformat()
    bad = [
        "nobody,purchase,",
        "1.37111E+10,purchase,",
        ",purchase,",
        f"{ANN},gift,",
        f"{ANN},,",
        f"{ANN},purchase,soon",
    ]
    file = desk.file("\n".join(["number,source,since", f"{BEN},purchase,", *bad, f"{ANN},purchase,{tomorrow}"]))
    said = desk.members("import", file, "--errors", str(desk.path / "errors.csv"), fails=1)
    assert "7 of 8 rows are bad; nothing was imported" in said
    assert desk.listed() == {}
    assert "imports" not in desk.members("imports")
    with (desk.path / "errors.csv").open(encoding="utf-8") as errors:
        rows = list(csv.DictReader(errors))
    assert [(row["line"], row["what"].split(":")[0]) for row in rows] == [
        ("3", "no telephone number"),
        ("4", "no telephone number"),
        ("5", "no telephone number"),
        ("6", "no source"),
        ("7", "no source"),
        ("8", "no date"),
        ("9", "not yet a member"),
    ]
    assert "cut by a spreadsheet" in rows[1]["what"]
    assert f"{file}, line 3: no telephone number: nobody\n" in said


def test_only_the_first_bad_rows_are_shown(desk: Desk) -> None:
    said = desk.members("import", desk.file("number\n" + "no\n" * 50), "--source", "purchase", fails=1)
    assert said.count("no telephone number") == 20
    assert "50 of 50 rows" in said


def test_who_is_on_the_list_keeps_source_and_time(desk: Desk) -> None:
    desk.members("import", desk.file(f"{ANN}\n"), "--source", "purchase", "--since", "2020-01-01")
    said = desk.members("import", desk.file(f"{ANN}\n{BEN}\n{BEN}\n"), "--source", "registration")
    assert said == "3 numbers read, 1 new members\n"
    assert desk.listed()[ANN] == ("purchase", datetime(2020, 1, 1, tzinfo=BEIJING).timestamp())
    assert desk.members("imports").count("\tdone\t") == 2


def test_of_a_number_that_is_there_twice_the_first_row_holds(desk: Desk) -> None:
    desk.members("import", desk.file(f"number,source\n{BEN},registration\n{ANN},purchase\n{BEN},purchase\n"))
    assert {number: source for number, (source, _since) in desk.listed().items()} == {
        ANN: "purchase",
        BEN: "registration",
    }


async def died_half_way(desk: Desk) -> None:
    """An import that wrote Ann and was killed two minutes ago."""
    engine = await open_store(Settings(data=desk.data))

    def work(tx: Connection) -> None:
        then = time.time() - 120
        begun = members.begin_import(tx, account_id=1, file="dead.csv", by="operator", now=then, dead_before=0.0)
        assert isinstance(begun, int)
        members.add_imported(tx, begun, 1, [MemberRow(ANN, "purchase", 1.0)], now=then)

    await engine.write(work)
    await engine.close()


def test_what_a_killed_import_left_counts_for_nothing_and_the_next_one_clears_it_away(desk: Desk) -> None:
    asyncio.run(died_half_way(desk))
    assert desk.listed() == {}
    assert desk.members("import", desk.file(f"{BEN}\n"), "--source", "purchase") == "1 numbers read, 1 new members\n"
    assert set(desk.listed()) == {BEN}
    assert [line.split("\t")[1] for line in desk.members("imports").splitlines()] == ["failed", "done"]


def test_what_is_exported_can_be_imported(desk: Desk) -> None:
    desk.members("import", desk.file(f"{ANN}\n{BEN}\n"), "--source", "purchase", "--since", "2020-01-01 08:30")
    before = desk.listed()
    desk.members("export", "--to", str(desk.path / "out.csv"))
    assert desk.members("export") == (desk.path / "out.csv").read_text()
    assert desk.members("remove", ANN, BEN, "--because", "closed their accounts") == "2 members removed\n"
    assert desk.listed() == {}
    desk.members("import", str(desk.path / "out.csv"))
    assert desk.listed() == before


def test_a_whole_import_can_be_undone(desk: Desk) -> None:
    desk.members("import", desk.file(f"{ANN}\n"), "--source", "purchase")
    desk.members("import", desk.file(f"{ANN}\n{BEN}\n"), "--source", "purchase")
    assert desk.members("remove", "--import", "2") == "1 members removed\n"
    assert set(desk.listed()) == {ANN}
    assert "no import 2 that is done" in desk.members("remove", "--import", "2", fails=1)


def test_an_account_that_is_not_there_has_no_members(desk: Desk) -> None:
    said = desk.run("members", "import", desk.file(ANN), "--account", "9", "--source", "purchase", fails=1)
    assert "there is no account 9" in said


def test_what_is_known_of_a_number_is_shown_with_its_history(desk: Desk) -> None:
    desk.members("import", desk.file(f"{ANN}\n"), "--source", "purchase", "--since", "2020-01-01")
    desk.run("opt-out", "add", "13711112222", "--account", "1", "--type", "marketing", "--because", "wrote a letter")
    shown = desk.members("show", ANN)
    assert f"{ANN} is a member by purchase since 2019-12-31 16:00:00Z, by import 1" in shown
    assert "list: account 1, every signature, marketing" in shown
    assert "listed by operator: account 1, every signature, marketing; wrote a letter" in shown
    desk.members("remove", ANN, "--because", "closed the account")
    shown = desk.members("show", ANN)
    assert f"{ANN} is no member of account 1" in shown
    assert "member-removed by operator: account 1, every signature, every type; closed the account" in shown


def test_the_list_is_added_to_read_and_ended_and_its_history_stays(desk: Desk) -> None:
    assert desk.run("opt-out", "add", ANN, BEN, ANN, "--because", "complaint 7") == "2 numbers added\n"
    assert desk.run("opt-out", "add", ANN, "--because", "complaint 8") == "0 numbers added\n"
    assert len(desk.run("opt-out", "list").splitlines()) == 2
    assert desk.run("opt-out", "list", "--account", "1") == ""
    # With an account only its own entries end.
    assert desk.run("opt-out", "remove", ANN, "--account", "1", "--because", "x").endswith("0 entries ended\n")
    assert desk.run("opt-out", "remove", ANN, "--because", "asked again").endswith("1 entries ended\n")
    shown = desk.run("opt-out", "show", ANN)
    assert f"nothing holds messages to {ANN} back" in shown
    assert "listed by operator: every account, every signature, every type; complaint 7" in shown
    assert "unlisted by operator: every account, every signature, every type; asked again" in shown


def test_a_file_of_numbers_is_put_on_the_list_or_with_a_bad_row_none_of_it(desk: Desk) -> None:
    file = desk.file("number\n" + "".join(f"1371111{number:04}\n" for number in range(150)) + "13711110000\n")
    put = ("--account", "1", "--signature", "清风书店", "--because", "old list")
    assert desk.run("opt-out", "import", file, *put) == "150 numbers read, 150 numbers added\n"
    assert len(desk.run("opt-out", "list").splitlines()) == 100
    assert len(desk.run("opt-out", "list", "--all", "--source", "list").splitlines()) == 150
    said = desk.run("opt-out", "import", desk.file(f"{ANN}\nnobody\n"), "--because", "x", fails=1)
    assert "line 2: no telephone number: nobody" in said
    assert desk.run("opt-out", "list", "--account", "0") == ""


@pytest.mark.parametrize(
    "written",
    ["2026-03-02 12:30", "2026-03-02T12:30:00", "2026/3/2 12:30:00", "2026-03-02T04:30:00Z", "46083.520833333336"],
)
def test_one_moment_can_be_written_in_many_ways(written: str) -> None:
    assert moment_of(written) == datetime(2026, 3, 2, 12, 30, tzinfo=BEIJING).timestamp()


@pytest.mark.parametrize(
    "written", ["", "soon", "2026-13-01", "2026/02/30", "20260230", "12", "99:99", "2026-03-02 25:00"]
)
def test_what_is_no_moment_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="no date"):
        moment_of(written)
