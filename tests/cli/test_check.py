"""`check` prints verdicts in the form that others build on, and takes what people feed it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cleartosend.cli import cleartosend

LOAN = "😀 ＶＩＰ客户：无抵押贷款，当天放款"


def check(*arguments: str, given: bytes = b"") -> Result:
    return CliRunner().invoke(cleartosend, ["check", *arguments], input=given)


def verdicts(given: bytes) -> list[dict[str, Any]]:
    ended = check("--jsonl", "-", given=given)
    assert ended.exit_code == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_the_exit_status_says_whether_it_would_be_approved() -> None:
    assert check("您的验证码是{1}，5分钟内有效。", "--type", "verification").exit_code == 0
    assert check(LOAN).exit_code == 1


def test_a_verdict_has_just_the_fields_that_are_promised() -> None:
    verdict = json.loads(check(LOAN, "--json").stdout)
    assert list(verdict) == ["decision", "nature", "rulebook", "findings"]
    for finding in verdict["findings"]:
        assert list(finding) == ["rule", "category", "action", "because", "quote", "start", "end", "fix"]
        assert LOAN[finding["start"] : finding["end"]] == finding["quote"]


def test_a_file_is_answered_line_by_line_in_its_order() -> None:
    lines = [
        {"text": LOAN, "type": "notification", "account": "organization", "id": 7, "international": "yes"},
        {"text": "您的订单{1}已发货。", "type": "notification", "account": "individual"},
        {"text": "尊敬的会员，新书到店。拒收请回复R", "type": "marketing", "account": "individual"},
    ]
    given = "\r\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode("utf-8-sig")
    assert [verdict["decision"] for verdict in verdicts(given)] == ["reject", "approve", "reject"]


def test_a_line_that_is_none_is_named() -> None:
    ended = check("--jsonl", "-", given=b'{"text": "ok"}\n{"text": 5}\n')
    assert ended.exit_code == 2
    assert "line 2" in ended.stderr
    assert len(ended.stdout.splitlines()) == 1


@pytest.mark.parametrize("arguments", [(), ("text", "--jsonl", "-")])
def test_it_takes_a_text_or_a_file(arguments: tuple[str, ...]) -> None:
    assert check(*arguments).exit_code == 2


def test_rules_of_ones_own_are_laid_over(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        """
[category]
id = "house"
title = { zh = "本店规则", en = "House rules" }
clause = { zh = "不得提及竹子。", en = "No bamboo." }
[[rule]]
id = "no-bamboo"
action = "reject"
because = { zh = "请删去竹子。", en = "Take out the bamboo." }
words = ["竹子"]
catches = ["您的竹子已送达。"]
lets_pass = ["您的竹筐已送达。"]
"""
    )
    assert check("您的竹子已送达。").exit_code == 0
    assert check("您的竹子已送达。", "--rules", str(tmp_path)).exit_code == 1
