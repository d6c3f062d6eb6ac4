"""What must stop an account stops it at once, on the running service; a person then decides, and all of it is shown."""

import getpass
import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from end_to_end.served import Caller, Server, cleartosend, serving, until
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

LOAN_APP = "下载急速贷APP领取借款额度：https://dk.example.cn/app"
NOTICE = "您的订单{1}已发货，请留意查收。"
# The simulator is too busy for it the first time, so that it waits to be tried again.
BUSY = "+8613700099002"
ANN = "+8613711112222"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = tmp_path_factory.mktemp("enforcement") / "data"
    with serving(data, CLEARTOSEND_RETRY_AFTER_SECONDS="600") as running:
        yield running


@pytest.fixture
def caller(server: Server) -> Caller:
    """An account of the test's own, with an approved signature."""
    caller = server.create_account()
    cleartosend(
        "account",
        "set",
        str(caller.account_id),
        "variable_length=500",
        "per_number_per_day=null",
        data=server.data,
    )
    caller.add_sign()
    return caller


def shown(server: Server, account_id: int) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(
        cleartosend("account", "show", str(account_id), "--json", data=server.data).stdout
    )
    return told


def metric(server: Server, name: str) -> float:
    with urllib.request.urlopen(f"http://{server.endpoint}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[1]) for line in lines if line.split()[0] == name)


def logged(server: Server, event: str) -> list[dict[str, Any]]:
    lines = (server.data.parent / "serve.log").read_text().splitlines()
    return [told for line in lines if line.startswith("{") and (told := json.loads(line))["event"] == event]


def life(server: Server, serial: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(cleartosend("message", "show", serial, "--json", data=server.data).stdout)
    return told


def leave_one_waiting(server: Server, caller: Caller, template: str) -> str:
    """A message that the carrier was too busy for: it waits in the spool."""
    turned_away = 'cleartosend_messages_not_submitted_total{carrier="simulator",code="THROTTLED"}'
    before = metric(server, turned_away)
    [status] = caller.send(template, ["8841"], [BUSY])
    assert status.Code == "Ok"
    until(lambda: metric(server, turned_away) > before)
    return str(status.SerialNo)


def error_of(call: Any) -> str:
    with pytest.raises(TencentCloudSDKException) as refused:
        call()
    return str(refused.value.get_code())


def test_an_application_that_must_not_be_made_stops_the_account_and_what_waits_of_it(
    server: Server, caller: Caller
) -> None:
    template = caller.add_template(NOTICE)
    waiting = leave_one_waiting(server, caller, template)
    suspensions = metric(server, "cleartosend_accounts_suspended_total")
    bad = caller.add_template(LOAN_APP)

    stopped = life(server, waiting)
    assert (stopped["state"], stopped["message"]["code"], stopped["at_fault"]) == ("failed", "STOPPED", "you")
    # Whatever it calls, it is turned away.
    for call in (
        lambda: caller.send(template, ["8841"], [ANN]),
        lambda: caller.add_template(NOTICE),
        lambda: caller.template(bad),
        caller.pull,
    ):
        assert error_of(call).startswith("UnauthorizedOperation.")

    account = shown(server, caller.account_id)
    [event] = account["history"]
    assert account["status"] == event["status"] == "suspended"
    assert event["by"] == "machine"
    assert "急速贷APP" in event["because"]
    listed = cleartosend("account", "list", "--status", "suspended", data=server.data).stdout
    assert f"{caller.account_id}\torganization\tsuspended" in listed
    waits = cleartosend("review", "list", data=server.data).stdout
    assert f"account {caller.account_id}\t清风书店" in waits
    assert metric(server, "cleartosend_accounts_suspended_total") == suspensions + 1
    assert metric(server, "cleartosend_accounts_awaiting_decision") >= 1
    [line] = [line for line in logged(server, "account.suspended") if line["account"] == caller.account_id]
    assert line["stopped"] == 1
    assert line["rules"]
    assert "急速贷" not in json.dumps(line, ensure_ascii=False)


def test_a_value_that_must_not_be_sent_stops_the_account_and_what_waits_of_it(server: Server, caller: Caller) -> None:
    template = caller.add_template(NOTICE)
    waiting = leave_one_waiting(server, caller, template)
    [refused] = caller.send(template, [LOAN_APP], [ANN])
    assert refused.Code == "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter"
    assert life(server, waiting)["message"]["code"] == "STOPPED"
    [event] = shown(server, caller.account_id)["history"]
    assert (event["status"], event["by"]) == ("suspended", "machine")
    # What is kept leads to the message, and the message to the words that it was for.
    serial = event["because"].removeprefix("message ").partition(": ")[0]
    told = json.loads(cleartosend("message", "show", serial, "--reveal", "--json", data=server.data).stdout)
    assert told["message"]["state"] == "refused"
    assert any("急速贷APP" in finding["quote"] for finding in told["message"]["findings"])


def test_a_person_restores_or_bans_with_a_reason(server: Server, caller: Caller) -> None:
    template = caller.add_template(NOTICE)
    caller.add_template(LOAN_APP)
    account_id = str(caller.account_id)
    assert cleartosend("account", "restore", account_id, data=server.data, check=False).returncode != 0, "no reason"
    cleartosend(
        "account", "restore", account_id, "--because", "a training text, not sent", "--by", "Ann", data=server.data
    )
    until(lambda: _sends(caller, template))
    assert f"account {account_id}\t" not in cleartosend("review", "list", data=server.data).stdout

    cleartosend("account", "ban", account_id, "--because", "did it again", data=server.data)
    until(lambda: not _sends(caller, template))
    account = shown(server, caller.account_id)
    assert account["status"] == "banned"
    assert [(event["status"], event["by"], event["because"]) for event in account["history"][1:]] == [
        ("active", "Ann", "a training text, not sent"),
        ("banned", getpass.getuser(), "did it again"),
    ]


def _sends(caller: Caller, template: str) -> bool:
    try:
        [status] = caller.send(template, [str(time.monotonic_ns())], [ANN])
    except TencentCloudSDKException:
        return False
    return bool(status.Code == "Ok")
