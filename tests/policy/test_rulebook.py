"""Loading rules, laying an operator's over them, and holding each to its examples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cleartosend.model.verdicts import Decision, MessageType, Submission
from cleartosend.policy import gates
from cleartosend.policy.judge import judge
from cleartosend.policy.matchers import Matcher, compile_wording
from cleartosend.policy.normalise import normalise
from cleartosend.policy.rulebook import Rulebook, RulebookError, load_rulebook, main

CATEGORY = """
[category]
id = "house"
title = { zh = "本店规则", en = "House rules" }
clause = { zh = "不得提及竹子。", en = "No bamboo." }
"""
RULE = """
[[rule]]
id = "no-bamboo"
action = "reject"
because = { zh = "请删去竹子。", en = "Take out the bamboo." }
words = ["竹子", "bamboo"]
catches = ["您的竹子已送达。", "Your bamboo has arrived."]
lets_pass = ["您的竹筐已送达。"]
"""


@pytest.fixture(scope="module")
def shipped() -> Rulebook:
    return load_rulebook()


def overlay(directory: Path, *texts: str) -> Path:
    path = directory / "house.toml"
    path.write_text("".join(texts), "utf-8")
    return path


def decision(rulebook: Rulebook, text: str) -> Decision:
    return judge(Submission(text=text, type=MessageType.NOTIFICATION), rulebook).decision


def test_every_shipped_rule_passes_its_own_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().out


def test_the_digest_changes_with_what_a_rule_says_and_only_with_that(shipped: Rulebook, tmp_path: Path) -> None:
    one = load_rulebook(overlay(tmp_path, CATEGORY, RULE)).digest
    assert one != shipped.digest
    assert len(one) == 64
    assert load_rulebook(overlay(tmp_path, CATEGORY, RULE.replace('"您的竹筐已送达。"', '"竹筐到了。"'))).digest == one
    assert load_rulebook(overlay(tmp_path, CATEGORY, RULE.replace("请删去", "请去掉"))).digest != one


def test_an_overlay_adds_a_rule_to_a_new_category(tmp_path: Path) -> None:
    rulebook = load_rulebook(overlay(tmp_path, CATEGORY, RULE))
    assert decision(rulebook, "您的竹子已送达，请查收。") is Decision.REJECT
    assert rulebook.category_of("no-bamboo").title.en == "House rules"


def test_an_overlay_adds_a_rule_to_a_category_that_stands_already(shipped: Rulebook, tmp_path: Path) -> None:
    rulebook = load_rulebook(overlay(tmp_path, '[category]\nid = "form"\n', RULE))
    assert rulebook.category_of("no-bamboo") == shipped.categories["form"]


def test_an_overlay_may_be_a_directory_of_files(tmp_path: Path) -> None:
    overlay(tmp_path, CATEGORY, RULE)
    (tmp_path / "other.toml").write_text('off = ["garbling-symbol"]', "utf-8")
    rulebook = load_rulebook(tmp_path)
    assert decision(rulebook, "您的竹子已送达，请查收。") is Decision.REJECT
    assert decision(rulebook, "您的花已送达★请查收。") is Decision.APPROVE


def test_an_overlay_replaces_a_rule_of_the_same_id(tmp_path: Path) -> None:
    replaced = RULE.replace("no-bamboo", "garbling-symbol")
    rulebook = load_rulebook(overlay(tmp_path, '[category]\nid = "form"\n', replaced))
    assert decision(rulebook, "您的花已送达★请查收。") is Decision.APPROVE
    assert decision(rulebook, "您的竹子已送达，请查收。") is Decision.REJECT


@pytest.mark.parametrize("off", ['off = ["garbling-symbol"]', '[[off]]\nrule = "garbling-symbol"'])
def test_an_overlay_turns_a_rule_off(tmp_path: Path, off: str) -> None:
    assert decision(load_rulebook(overlay(tmp_path, off)), "您的花已送达★请查收。") is Decision.APPROVE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('off = ["no-such-rule"]', "house.toml: there is no rule no-such-rule to turn off"),
        ('off = ["text-is-too-long"]', "cannot be turned off"),
        (CATEGORY + RULE.replace("no-bamboo", "text-is-too-long"), "cannot be replaced"),
        (CATEGORY + RULE + RULE, "house.toml: rule no-bamboo: the overlay has one of that id already"),
        (RULE, "house.toml: rules stand in a \\[category\\]"),
        (CATEGORY + RULE.replace("words", "wrods"), "house.toml: rule no-bamboo: .*wrods"),
        (CATEGORY + RULE.replace('"reject"', '"frown"'), "house.toml: rule no-bamboo: .*frown"),
        (CATEGORY + RULE.replace("words", "check = 'no-such-check'\nneeds"), "there is no check no-such-check"),
        (CATEGORY + RULE.replace("words", "needs"), "house.toml: rule no-bamboo: it looks for words and patterns, or"),
        (CATEGORY + RULE.replace("words = [", "patterns = ['(', "), "house.toml: rule no-bamboo: pattern"),
        (CATEGORY + RULE.replace("words = [", "unless = ['a*']\nwords = ["), "house.toml: rule no-bamboo: .*empty"),
        (CATEGORY + RULE + "parts = []", "house.toml: rule no-bamboo: it is for nothing"),
        (CATEGORY.replace("title", "titel"), "house.toml: category: .*titel"),
        ("[category", "house.toml: "),
        (CATEGORY + RULE.replace("竹子已送达", "竹筐已送达"), "rule no-bamboo: it misses: 您的竹筐已送达。"),
        (CATEGORY + RULE.replace("竹筐", "竹子"), "rule no-bamboo: it should let pass: 您的竹子已送达。"),
        (
            CATEGORY + RULE.replace("lets_pass", "# lets_pass"),
            "rule no-bamboo: it needs a text that it catches and one",
        ),
        (CATEGORY + RULE + 'parts = ["message"]\n' + 'scope = "domestic"\ntypes = ["marketing"]', "should let pass|^$"),
    ],
)
def test_an_overlay_that_cannot_be_used_is_refused_with_one_line(tmp_path: Path, text: str, message: str) -> None:
    if message.endswith("|^$"):
        assert load_rulebook(overlay(tmp_path, text)).rule("no-bamboo").types == (MessageType.MARKETING,)
        return
    with pytest.raises(RulebookError, match=message) as refused:
        load_rulebook(overlay(tmp_path, text))
    assert "\n" not in str(refused.value).strip()


def test_the_command_prints_every_example_that_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = RULE.replace("竹子已送达", "竹筐已送达").replace(
        'lets_pass = ["您的竹筐', 'lets_pass = ["bamboo", "您的竹筐'
    )
    assert main([str(overlay(tmp_path, CATEGORY, wrong))]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        "rule no-bamboo: it misses: 您的竹筐已送达。",
        "rule no-bamboo: it should let pass: bamboo",
        "1 rules, 2 failures",
    ]


EXCUSES = """
[excuses]
in-a-poem = ['诗[^。]{0,10}竹子']
"""


def test_a_rule_may_name_an_excuse_instead_of_repeating_it(tmp_path: Path) -> None:
    excused = RULE.replace("words =", 'excused_by = ["in-a-poem", "warning"]\nwords =')
    rulebook = load_rulebook(overlay(tmp_path, CATEGORY, EXCUSES, excused))
    assert decision(rulebook, "您的竹子已送达。") is Decision.REJECT
    assert decision(rulebook, "您订的诗集里写了竹子。") is Decision.APPROVE
    assert decision(rulebook, "谨防假冒竹子，请勿轻信。") is Decision.APPROVE


def test_what_an_excuse_says_is_in_the_digest(tmp_path: Path) -> None:
    excused = RULE.replace("words =", 'excused_by = ["in-a-poem"]\nwords =')
    one = load_rulebook(overlay(tmp_path, CATEGORY, EXCUSES, excused)).digest
    other = load_rulebook(overlay(tmp_path, CATEGORY, EXCUSES.replace("诗", "词"), excused)).digest
    assert one != other


def test_an_excuse_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="no excuse never-heard-of"):
        load_rulebook(overlay(tmp_path, CATEGORY, RULE.replace("words =", 'excused_by = ["never-heard-of"]\nwords =')))


def test_the_literals_of_all_patterns_are_noted() -> None:
    # In a process of its own, since this one has made patterns that are not shipped.
    command = [sys.executable, "-c", "import sys; from cleartosend.policy import gates; sys.stdout.write(gates.anew())"]
    anew = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8").stdout
    assert gates.FILE.read_text("utf-8") == anew, "run: python -m cleartosend.policy.gates"


def test_a_pattern_that_is_not_noted_is_found_all_the_same() -> None:
    matcher = Matcher([compile_wording(patterns=["(甲乙丙|丁戊己)[^。]{0,3}庚"])])
    assert [*matcher.find(normalise("甲乙丙了庚"), [True])]


def test_a_rule_that_is_observed_finds_and_decides_nothing(tmp_path: Path) -> None:
    text = "无抵押贷款，当天放款"
    submission = Submission(text=text, type=MessageType.NOTIFICATION)
    enforced = judge(submission, load_rulebook())
    rules = sorted({finding.rule for finding in enforced.findings})
    (tmp_path / "own.toml").write_text(f"observe = {json.dumps(rules)}\n")
    watched = judge(submission, load_rulebook(tmp_path))
    assert enforced.decision is Decision.REJECT
    assert not set(rules) & {finding.rule for finding in watched.findings}
    assert set(watched.observed) >= set(rules)
    assert watched.decision is not Decision.REJECT


def test_a_new_rule_may_be_observed_first(tmp_path: Path) -> None:
    rule = """
[category]
id = "house"
title = { zh = "本店规则", en = "House rules" }
clause = { zh = "不得提及竹子。", en = "No bamboo." }
[[rule]]
id = "no-bamboo"
action = "reject"
observe = true
because = { zh = "请删去竹子。", en = "Take out the bamboo." }
words = ["竹子"]
catches = ["您的竹子已送达。"]
lets_pass = ["您的竹筐已送达。"]
"""
    (tmp_path / "own.toml").write_text(rule)
    verdict = judge(
        Submission(text="您的竹子{1}已送达，请查收。", type=MessageType.NOTIFICATION), load_rulebook(tmp_path)
    )
    assert (verdict.decision, verdict.observed) == (Decision.APPROVE, ("no-bamboo",))


@pytest.mark.parametrize("rule", ["no-such-rule", "text-is-too-long"])
def test_what_is_not_there_or_must_hold_cannot_be_observed(tmp_path: Path, rule: str) -> None:
    (tmp_path / "own.toml").write_text(f'observe = ["{rule}"]\n')
    with pytest.raises(RulebookError, match=rule):
        load_rulebook(tmp_path)
