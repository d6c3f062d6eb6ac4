"""`review` puts some decisions before another reviewer, who does not see what was decided."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cleartosend.cli import cleartosend

TEXT = "账单已出，请到www.example.com查看。"


class Desk:
    """A data folder with one template that mei has approved."""

    def __init__(self, data: Path, **settings: str) -> None:
        self._data = data
        self._settings = settings
        made = json.loads(self.run("account", "create", "清风书店", "--kind", "organization", "--json"))
        account = ("--account", str(made["account_id"]))
        picture = data / "proof.png"
        picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(16))
        self.run("apply", "signature", "清风书店", *account, "--proof", str(picture))
        self.run("apply", "template", TEXT, *account, "--type", "notification")
        self.run("review", "approve", "template", "1", "--by", "mei")

    def run(self, *arguments: str, fails: bool = False) -> str:
        done = CliRunner(env=self._settings).invoke(cleartosend, [*arguments, "--data", str(self._data)])
        assert (done.exit_code != 0) is fails, done.output
        return done.output


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, CLEARTOSEND_SECOND_OPINION_PERCENT="100")


def test_an_opinion_is_asked_of_others_without_the_decision(desk: Desk) -> None:
    assert desk.run("review", "list", "--by", "mei") == "Nothing waits.\n"
    listed = desk.run("review", "list", "--by", "lan")
    assert "second opinion\t" in listed
    assert TEXT in listed
    assert "mei" not in listed + desk.run("review", "list", "--by", "lan", "--json")
    assert "approve" not in listed + desk.run("review", "list", "--by", "lan", "--json")
    shown = desk.run("review", "opinion", "template", "1", "--by", "lan")
    assert shown.startswith("template 1: referred")
    assert "approve" not in shown
    assert "no opinion of mei is asked" in desk.run("review", "opinion", "template", "1", "--by", "mei", fails=True)


def test_an_opinion_against_the_decision_stands_in_the_list_and_in_the_figures(desk: Desk) -> None:
    given = ("review", "opinion", "template", "1", "--reject", "--because", "链接可疑")
    assert desk.run(*given, "--by", "lan").startswith("template 1: approved")
    listed = desk.run("review", "list", "--by", "tao")
    assert "the decision was approve; lan would reject: 链接可疑" in listed
    figures = desk.run("review", "figures")
    assert "0 of 1 times (0%), too few for kappa" in figures
    assert "1 asked, 1 against the decision" in figures
    desk.run("review", "opinion", "template", "1", "--approve", "--by", "tao")
    assert desk.run("review", "list", "--by", "ann") == "Nothing waits.\n"


def test_nothing_is_asked_where_the_share_is_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CLEARTOSEND_SECOND_OPINION_PERCENT="0")
    assert desk.run("review", "list", "--by", "lan") == "Nothing waits.\n"
