"""Rules change while the service works: what they would change is seen before, and nothing is dropped."""

import json
import signal
from pathlib import Path

import pytest
from end_to_end.served import Server, cleartosend, serving, until

RULE = """
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


@pytest.fixture
def new_rules(tmp_path: Path) -> Path:
    path = tmp_path / "new.toml"
    path.write_text(RULE)
    return path


def take_up(server: Server, rules: str, event: str) -> None:
    """Put rules into the data folder and tell the server."""
    (server.data / "rules").mkdir(exist_ok=True)
    (server.data / "rules" / "own.toml").write_text(rules)
    log = server.data.parent / "serve.log"
    before = log.read_text().count(event)
    server.process.send_signal(signal.SIGUSR1)
    until(lambda: log.read_text().count(event) > before)


def test_a_change_of_rules_is_seen_before_it_is_made_and_made_while_the_server_works(
    tmp_path: Path, new_rules: Path
) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        caller = server.create_account()
        caller.add_sign()
        bamboo = caller.add_template("您的竹子{1}已送达，请查收。")
        basket = caller.add_template("您的竹筐{1}已送达，请查收。")
        [sent] = caller.send(bamboo, ["8841"], ["13711112222"])
        assert sent.Code == "Ok"

        changed = cleartosend("policy", "diff", str(new_rules), "--replay", "--json", data=data, check=False)
        assert changed.returncode == 1
        flips = {
            (flip["what"], flip["before"], flip["after"], *flip["rules"])
            for flip in json.loads(changed.stdout)["flips"]
        }
        assert flips == {
            ("template", "approve", "reject", "no-bamboo"),
            ("message", "approve", "reject", "no-bamboo"),
        }

        take_up(server, RULE, "policy.reloaded")
        [refused] = caller.send(bamboo, ["8842"], ["13711113333"])
        assert refused.Code == "FailedOperation.ContainSensitiveWord"
        [sent] = caller.send(basket, ["8843"], ["13711114444"])
        assert sent.Code == "Ok"
        assert cleartosend("policy", "diff", str(new_rules), "--replay", data=data).returncode == 0

        take_up(server, "this is no rule", "policy.not_reloaded")
        [refused] = caller.send(bamboo, ["8844"], ["13711115555"])
        assert refused.Code == "FailedOperation.ContainSensitiveWord"


def test_rules_are_held_to_their_examples(tmp_path: Path, new_rules: Path) -> None:
    data = tmp_path / "data"
    tested = cleartosend("policy", "test", "--rules", str(new_rules), data=data)
    assert " 0 failures" in tested.stdout
    new_rules.write_text(RULE.replace('lets_pass = ["您的竹筐', 'lets_pass = ["您的竹子'))
    assert cleartosend("policy", "test", "--rules", str(new_rules), data=data, check=False).returncode != 0
