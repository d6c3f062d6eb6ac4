"""`cleartosend app`, `package` and `account set` do what they say, and refuse what cannot be meant."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cleartosend.cli import cleartosend

FIRST, SECOND = "1400000001", "1400000002"


class Commands:
    """The command line on a data folder of its own, with one account in it."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.does("account", "create", "清风书店", "--kind", "organization")

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(cleartosend, [*arguments, "--data", str(self._data)])

    def does(self, *arguments: str) -> str:
        """What it prints when all is well."""
        ended = self(*arguments)
        assert ended.exit_code == 0, ended.output
        return ended.output

    def shows(self, *arguments: str) -> Any:
        return json.loads(self.does(*arguments, "--json"))

    def refuses(self, *arguments: str) -> str:
        """The line in which it says no."""
        ended = self(*arguments)
        assert ended.exit_code in {1, 2}, ended.output
        assert not isinstance(ended.exception, Exception)
        return ended.output.splitlines()[-1]


@pytest.fixture
def command(tmp_path: Path) -> Commands:
    return Commands(tmp_path / "data")


def test_an_account_may_have_several_apps(command: Commands) -> None:
    assert command.shows("app", "create", "1", "second") == {"sdk_app_id": SECOND, "account_id": 1, "name": "second"}
    assert command.does("app", "list", "1").splitlines() == [
        f"{FIRST}\tenabled\t清风书店",
        f"{SECOND}\tenabled\tsecond",
    ]
    assert "no account 9" in command.refuses("app", "create", "9", "second")
    assert "no account 9" in command.refuses("app", "list", "9")


def test_an_app_is_set_by_name_and_shown(command: Commands) -> None:
    command.does("app", "set", FIRST, "name=2026", "daily_cap=100", 'countries={"US": {"daily_cap": 50}, "CN": {}}')
    command.does("app", "set", FIRST, "session_context_is_key=true", "daily_warning_mainland=5")
    shown = command.shows("app", "show", FIRST)
    assert (shown["name"], shown["enabled"], shown["settings"]["daily_cap"]) == ("2026", True, 100)
    assert shown["settings"]["session_context_is_key"] is True
    assert shown["today"] == [
        {"of": f"app:{FIRST}", "used": 0, "cap": 100, "warning": None},
        {"of": f"app:{FIRST}:mainland", "used": 0, "cap": None, "warning": 5},
        {"of": "international", "used": 0, "cap": 100, "warning": None},
        {"of": f"app:{FIRST}:US", "used": 0, "cap": 50, "warning": None},
    ]
    said = command.does("app", "show", FIRST)
    assert f"today, app:{FIRST}: 0 of 100\n" in said
    assert f"today, app:{FIRST}:mainland: 0, no cap, warning at 5\n" in said
    command.does("app", "set", FIRST, "daily_cap=null", "countries=null")
    assert command.shows("app", "show", FIRST)["settings"]["countries"] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("daily_cap=-1", "daily_cap"),
        ("no_such=1", "no_such"),
        ("daily_cap", "NAME=VALUE"),
        ('countries={"UK": {}}', "no country UK"),
        ('countries={"US": {"no_such": 1}}', "no_such"),
        ('countries={"US": {"daily_cap": 11}}', "above the app's, 10"),
    ],
)
def test_what_an_app_cannot_be_set_to_is_said(command: Commands, change: str, says: str) -> None:
    command.does("app", "set", FIRST, "daily_cap=10", 'countries={"US": {"daily_cap": 10}}')
    assert says in command.refuses("app", "set", FIRST, change)
    assert "no app 7" in command.refuses("app", "set", "7", "daily_cap=1")


def test_an_app_may_be_switched_off_and_on(command: Commands) -> None:
    for name, enabled in (("disable", False), ("enable", True)):
        command.does("app", name, FIRST)
        assert command.shows("app", "show", FIRST)["enabled"] is enabled
    assert "no app 7" in command.refuses("app", "disable", "7")


def test_whoever_remembers_the_account_sees_that_its_app_has_changed(command: Commands) -> None:
    def revision() -> int:
        return int(command.shows("account", "show", "1")["revision"])

    before = revision()
    command.does("app", "set", FIRST, "daily_cap=10")
    assert revision() == before + 1
    command.does("app", "disable", FIRST)
    assert revision() == before + 2


def test_a_package_makes_its_account_prepaid(command: Commands) -> None:
    first = command.does("package", "add", "1", "1000")
    assert first.startswith("package 1: 1000 segments until ")
    assert "account 1 is prepaid from now on" in first
    assert "prepaid" not in command.does("package", "add", "1", "20", "--gift", "--app", FIRST)
    assert command.shows("account", "show", "1")["settings"]["prepaid"] is True
    listed = [json.loads(line) for line in command.does("package", "list", "1", "--json").splitlines()]
    assert [(one["type"], one["amount"], one["used"], one["sdk_app_id"]) for one in listed] == [
        ("bought", 1000, 0, ""),
        ("gift", 20, 0, FIRST),
    ]
    assert [round((one["expires_at"] - one["created_at"]) / 86400) for one in listed] == [730, 90]
    assert "0 of 1000 used\tevery app" in command.does("package", "list", "1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("9", "1000"), "no account 9"),
        (("1", "0"), "0 is not in the range"),
        (("1", "10", "--app", SECOND), f"no app {SECOND}"),
        (("1", "10", "--valid-days", "0"), "0 is not in the range"),
    ],
)
def test_what_cannot_be_a_package_is_said(command: Commands, arguments: tuple[str, ...], says: str) -> None:
    assert says in command.refuses("package", "add", *arguments)
    assert command.shows("account", "show", "1")["settings"]["prepaid"] is False


def test_exempt_numbers_are_kept_as_we_write_them(command: Commands) -> None:
    command.does("account", "set", "1", 'exempt_numbers=["13711112222"]')
    shown = command.shows("account", "show", "1")
    assert shown["settings"]["exempt_numbers"] == ["+8613711112222"]
    assert shown["apps"][0]["settings"]["daily_cap"] is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ('exempt_numbers=["hello"]', "hello is not a telephone number"),
        ('caller_networks=["10.0.0.0/33"]', "10.0.0.0/33 is neither an address nor a network"),
        ('requests_per_second={"SendSmss": 1}', "no action SendSmss"),
        ("opt_out_confirmation=7", "7 is not an approved template"),
    ],
)
def test_a_setting_that_could_have_no_effect_is_refused(command: Commands, change: str, says: str) -> None:
    assert says in command.refuses("account", "set", "1", change)
