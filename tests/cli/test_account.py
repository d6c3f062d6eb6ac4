"""`cleartosend account` stops and restores accounts with a reason, and says what cannot be done."""

import getpass
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cleartosend.cli import cleartosend


class Desk:
    """The command line on a data folder with an account, number 1."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.run("account", "create", "清风书店", "--kind", "organization")

    def run(self, *arguments: str, fails: int = 0) -> str:
        """What a command prints; where it should fail, the line that it says."""
        ended = CliRunner().invoke(cleartosend, [*arguments, "--data", str(self.data)])
        assert ended.exit_code == fails, ended.output
        return ended.stderr.splitlines()[-1] if fails else ended.stdout

    def history(self) -> list[Any]:
        shown = json.loads(self.run("account", "show", "1", "--json"))
        return [(event["status"], event["by"], event["because"]) for event in shown["history"]]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "data")


def test_who_stopped_and_restored_an_account_is_kept_with_the_reason(desk: Desk) -> None:
    assert desk.run("account", "suspend", "1", "--because", "a link") == "account 1: suspended\n"
    assert desk.run("account", "restore", "1", "--because", "a mistake", "--by", "Ann") == "account 1: active\n"
    assert desk.run("account", "ban", "1", "--because", "again", "--by", "Ben") == "account 1: banned\n"
    assert desk.history() == [
        ("suspended", getpass.getuser(), "a link"),
        ("active", "Ann", "a mistake"),
        ("banned", "Ben", "again"),
    ]


def test_a_user_without_a_name_is_the_operator(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 7)
    desk.run("account", "suspend", "1", "--because", "a link")
    assert desk.history() == [("suspended", "operator", "a link")]


@pytest.mark.parametrize(("before", "move"), [("suspend", "suspend"), ("ban", "ban"), ("suspend", "restore")])
def test_what_an_account_is_already_is_refused_and_not_remembered(desk: Desk, before: str, move: str) -> None:
    desk.run("account", before, "1", "--because", "a link")
    if move == "restore":
        desk.run("account", "restore", "1", "--because", "a mistake")
    known = desk.history()
    status = known[-1][0]
    assert desk.run("account", move, "1", "--because", "once more", fails=1) == f"Error: account 1 is {status} already"
    assert desk.history() == known


@pytest.mark.parametrize("reason", ["", "  ", "\u3000\n"])
@pytest.mark.parametrize(
    "command",
    [
        ("account", "suspend", "1"),
        ("account", "ban", "1"),
        ("account", "restore", "1"),
        ("opt-out", "add", "13711112222"),
        ("opt-out", "import", __file__),
        ("opt-out", "remove", "13711112222"),
        ("replies", "decide", "1", "nothing"),
        ("members", "remove", "13711112222", "--account", "1"),
    ],
)
def test_nothing_is_no_reason(desk: Desk, command: tuple[str, ...], reason: str) -> None:
    assert "--because': it is blank" in desk.run(*command, "--because", reason, fails=2)


@pytest.mark.parametrize("name", ["", " "])
def test_an_account_and_an_app_have_a_name(desk: Desk, name: str) -> None:
    assert "it is blank" in desk.run("account", "create", name, "--kind", "organization", fails=2)
    assert "it is blank" in desk.run("app", "create", "1", name, fails=2)
    assert len(desk.run("account", "list").splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        ("members", "count"),
        ("members", "list"),
        ("members", "export"),
        ("members", "imports"),
        ("members", "show", "13711112222"),
        ("members", "remove", "13711112222", "--because", "closed"),
        ("replies", "list"),
        ("opt-out", "list"),
        ("opt-out", "remove", "13711112222", "--because", "asked again"),
    ],
)
def test_an_account_that_is_not_there_is_said(desk: Desk, command: tuple[str, ...]) -> None:
    assert "there is no account 9" in desk.run(*command, "--account", "9", fails=1)
