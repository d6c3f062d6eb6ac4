"""`check` takes files of templates as people keep them, and tells the lines."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cleartosend.cli import cleartosend
from cleartosend.cli.problems import Problem
from cleartosend.cli.template_files import read_templates
from cleartosend.model.accounts import AccountKind
from cleartosend.model.verdicts import MessageType

GOOD = "您的订单{1}已发货。"
LOAN = "无抵押贷款，当天放款"
LINK = "详情见 https://example.com/a"

YAML = f"""
templates:
  shipped:
    text: {GOOD}
  offer:
    type: marketing
    text: >
      尊敬的会员，{LOAN}。
      拒收请回复R
"""


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cleartosend, ["check", *arguments])


def file(folder: Path, name: str, content: str) -> str:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "content", "lines"),
    [
        ("a.yaml", f"- {GOOD}\n- text: {LOAN}\n  type: notification\n", [1, 2]),
        ("a.yml", f"one: {GOOD}\ntwo:\n  text: {LOAN}\n", [1, 3]),
        ("a.json", f'[\n  "{GOOD}",\n  {{"TemplateContent": "{LOAN}", "SmsType": 2}}\n]', [2, 3]),
        ("a.json", f'{{"templates": {{"one": "{GOOD}",\n "two": "{LOAN}"}}}}', [1, 2]),
        ("a.csv", f"name,text\none,{GOOD}\ntwo,{LOAN}\n", [2, 3]),
        ("a.csv", f'﻿name,text\none,"{GOOD}\n再见。"\ntwo,{LOAN}\n', [2, 4]),
    ],
)
def test_a_file_is_a_list_of_templates_or_templates_by_name(
    tmp_path: Path, name: str, content: str, lines: list[int]
) -> None:
    read = list(read_templates(Path(file(tmp_path, name, content))))
    assert [written.first_line for written in read] == lines
    assert [LOAN in written.submission.text for written in read] == [False, True]


def test_what_is_declared_is_read_in_our_words_and_the_references(tmp_path: Path) -> None:
    content = (
        f'- {{text: "{GOOD}", type: verification, account: individual, international: yes}}\n'
        f'- {{TemplateContent: "{GOOD}", SmsType: 1, International: 1, TemplateName: t}}\n'
        f"- {GOOD}\n"
    )
    first, second, third = (one.submission for one in read_templates(Path(file(tmp_path, "a.yaml", content))))
    assert (first.type, first.account, first.international) == (
        MessageType.VERIFICATION,
        AccountKind.INDIVIDUAL,
        True,
    )
    assert (second.type, second.account, second.international) == (
        MessageType.MARKETING,
        AccountKind.ORGANIZATION,
        True,
    )
    assert (third.type, third.international) == (MessageType.NOTIFICATION, False)


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.yaml", f"- {GOOD}\n- type: marketing\n", "line 2"),
        ("a.yaml", f"- {GOOD}\n- text: x\n  type: poem\n", "line 3"),
        ("a.yaml", f"one:\n  text: {GOOD}\n  tpye: marketing\n", "line 3: one: no field tpye"),
        ("a.json", f'{{"one":\n {{"text": "{GOOD}",\n "account": "bank"}}}}', "line 3: one: account"),
        ("a.json", f'[{{"text": "{GOOD}",\n "type": ["marketing"]}}]', "line 2: type"),
        ("a.yaml", f"one: {GOOD}\ntwo: x\none: {LOAN}\n", "line 3: one is there twice"),
        ("a.yaml", f"- text: {GOOD}\n  text: {LOAN}\n", "line 2: text is there twice"),
        ("a.json", f'{{"text": "{GOOD}",\n "tpye": "marketing"}}', "line 2: no field tpye"),
        ("a.yaml", f"templates: []\ntemplates: [{LOAN}]\n", "line 2: templates is there twice"),
        ("a.yaml", f"? [a, b]\n: {GOOD}\n", "line 1: a name is one word or text"),
        ("a.yaml", "- {", "line 2"),
        ("a.yaml", "42", "line 1"),
        ("a.json", '{"templates": ["x", ["y"]]}', "line 1"),
        ("a.csv", "name\none\n", "line 2"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(tmp_path: Path, name: str, content: str, line: str) -> None:
    with pytest.raises(Problem, match=line):
        list(read_templates(Path(file(tmp_path, name, content))))


def test_a_type_that_is_none_is_told_the_words_there_are(tmp_path: Path) -> None:
    content = f'{{"offer": {{"text": "{GOOD}",\n "type": "advert"}}}}'
    with pytest.raises(Problem) as raised:
        list(read_templates(Path(file(tmp_path, "a.json", content))))
    assert str(raised.value).endswith(
        "line 2: offer: type: it is marketing, notification, verification or 1, 2, 3, not advert"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", f'{{"text": "{GOOD}", "type": "marketing"}}'),
        ("a.yaml", f"type: marketing\ncontent: {GOOD}\n"),
        ("a.json", f'{{"TemplateContent": "{GOOD}", "SmsType": 1, "Remark": null, "TemplateId": 7}}'),
        ("a.yaml", f"content:\n  text: {GOOD}\n  type: 1\n"),
    ],
)
def test_a_template_by_itself_is_one(tmp_path: Path, name: str, content: str) -> None:
    [only] = read_templates(Path(file(tmp_path, name, content)))
    assert only.submission.text == GOOD
    assert only.submission.type is MessageType.MARKETING


def test_columns_beside_those_of_a_template_are_passed_over(tmp_path: Path) -> None:
    [only] = read_templates(Path(file(tmp_path, "a.csv", f"owner,text,type\nAnn,{GOOD},marketing\n")))
    assert only.submission.type is MessageType.MARKETING


def test_files_fail_for_what_would_be_rejected_and_only_when_asked_for_what_would_be_referred(tmp_path: Path) -> None:
    good = file(tmp_path, "good.yaml", f"- {GOOD}\n")
    doubtful = file(tmp_path, "doubtful.csv", f"text\n{LINK}\n")
    bad = file(tmp_path, "bad.yaml", YAML)
    assert check(good).exit_code == 0
    assert check(good, doubtful).exit_code == 0
    assert check(good, doubtful, "--strict").exit_code == 1
    ended = check(good, bad)
    assert ended.exit_code == 1
    assert f"{bad}:7: offer reject" in ended.stdout
    assert "“" in ended.stdout
    assert ended.stdout.endswith("3 templates: 2 approve, 0 refer, 1 reject\n")


def test_json_says_of_each_template_where_it_stands(tmp_path: Path) -> None:
    bad = file(tmp_path, "bad.yaml", YAML)
    lines = [json.loads(line) for line in check(bad, "--json").stdout.splitlines()]
    assert [(line["name"], line["line"], line["decision"]) for line in lines] == [
        ("shipped", 4, "approve"),
        ("offer", 7, "reject"),
    ]


def test_sarif_has_a_result_for_each_finding_beside_its_lines(tmp_path: Path) -> None:
    bad = file(tmp_path, "bad.yaml", YAML)
    report: dict[str, Any] = json.loads(check(bad, "--sarif").stdout)
    [run] = report["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert "error" in {result["level"] for result in run["results"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    for result in run["results"]:
        assert result["level"] in {"error", "warning"}
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == bad
        assert place["region"]["startLine"] == 7
        assert place["region"]["endLine"] == 9


@pytest.mark.parametrize("arguments", [("a text", "another"), ("a.yaml", "a text")])
def test_texts_and_files_are_not_mixed(arguments: tuple[str, ...]) -> None:
    assert check(*arguments).exit_code == 2
