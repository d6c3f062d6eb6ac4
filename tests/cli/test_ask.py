"""`ask` answers questions, and explains what findings name."""

import json

import pytest
from click.testing import CliRunner

from cleartosend.cli import cleartosend


def ask(*arguments: str) -> str:
    ended = CliRunner().invoke(cleartosend, ["ask", *arguments])
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_a_rule_is_explained_line_by_line() -> None:
    heading, *lines = ask("opt-out-is-missing").splitlines()
    assert heading == "opt-out-is-missing (Form): rejected"
    assert [line.split()[0] for line in lines] == ["finds", "because", "clause", "caught", "passed", "edit"]


@pytest.mark.parametrize(
    ("question", "words"), [("link-does-not-open", "does not open"), ("link-does-not-open是什么", "打不开")]
)
def test_what_opening_a_link_brought_up_is_explained(question: str, words: str) -> None:
    assert words in ask(question)


def test_json_has_an_explanation_only_where_a_rule_is_named() -> None:
    assert list(json.loads(ask("可以发招聘短信吗？", "--json"))) == ["answer", "rule", "text", "clause"]
    explanation = json.loads(ask("loan-offer", "--json"))["explanation"]
    assert (explanation["rule"], explanation["action"], explanation["edit"]) == ("loan-offer", "reject", None)
