"""A recipient opts out by reply, and opts in again: through the vendor's SDK, the simulator and the command."""

import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest
from end_to_end.served import Caller, Server, cleartosend, serving, until

REFUSED = "FailedOperation.PhoneNumberInBlacklist"
REPLIES_R = "+8613711199013"
REPLIES_A_SENTENCE = "+8613711199014"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    own = {"CLEARTOSEND_OPT_OUT_WORDS": "收到谢谢"}
    with serving(tmp_path_factory.mktemp("serve") / "data", **own) as running:
        yield running


@pytest.fixture
def caller(server: Server) -> Caller:
    made = server.create_account()
    cleartosend(
        "account", "set", str(made.account_id), "per_number_per_day=null", "same_content_per_30_seconds=null",
        data=server.data,
    )  # fmt: skip
    made.add_sign()
    return made


def opt_outs(server: Server, number: str) -> str:
    return cleartosend("opt-out", "show", number, data=server.data).stdout


def code_of(caller: Caller, template_id: str, number: str) -> str:
    [sent] = caller.send(template_id, ["8841"], [number])
    return str(sent.Code)


def test_a_reply_of_r_stops_the_next_message_until_a_person_lifts_it(server: Server, caller: Caller) -> None:
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    confirmation = caller.add_template("您已退订，今后不再收到此类短信。")
    cleartosend("account", "set", str(caller.account_id), f'opt_out_confirmation="{confirmation}"', data=server.data)
    assert code_of(caller, template_id, REPLIES_R) == "Ok"
    # The message and its confirmation, which its own opt-out does not hold back.
    told = caller.pull_until(2)
    assert {(status.PhoneNumber, status.Description) for status in told} == {(REPLIES_R, "DELIVRD")}
    assert code_of(caller, template_id, REPLIES_R) == REFUSED
    assert f"reply: account {caller.account_id}, 清风书店, notification" in opt_outs(server, REPLIES_R)
    cleartosend(
        "opt-out", "remove", REPLIES_R, "--account", str(caller.account_id), "--because", "本人来电要求恢复",
        data=server.data,
    )  # fmt: skip
    assert code_of(caller, template_id, REPLIES_R) == "Ok"
    history = opt_outs(server, REPLIES_R)
    assert "opted-out by reply" in history
    assert "本人来电要求恢复" in history


def test_the_operators_own_words_are_heard(server: Server, caller: Caller) -> None:
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    assert code_of(caller, template_id, REPLIES_A_SENTENCE) == "Ok"
    until(lambda: "reply: " in opt_outs(server, REPLIES_A_SENTENCE))
    assert code_of(caller, template_id, REPLIES_A_SENTENCE) == REFUSED
    listed = cleartosend("replies", "list", "--account", str(caller.account_id), data=server.data).stdout
    assert "\topt-out\t收到，谢谢" in listed


def test_the_list_holds_for_everybody_at_once_and_without_a_restart(
    server: Server, caller: Caller, tmp_path: Path
) -> None:
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    assert code_of(caller, template_id, "+8613711115555") == "Ok"
    file = tmp_path / "dnd.csv"
    file.write_text("number\n13711115555\n")
    cleartosend("opt-out", "import", str(file), "--because", "registered with the regulator", data=server.data)
    [sent] = caller.send(template_id, ["8841"], ["+8613711115555"])
    assert (sent.Code, sent.Message) == (REFUSED, "the number is on the do-not-disturb list")


def test_members_are_imported_beside_a_server_that_goes_on_sending(
    server: Server, caller: Caller, tmp_path: Path
) -> None:
    file = tmp_path / "members.csv"
    file.write_text("number,source\n" + "".join(f"137{number:08},购买\n" for number in range(20_000)))
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    arguments = ["members", "import", str(file), "--account", str(caller.account_id), "--data", str(server.data)]
    with Popen([sys.executable, "-m", "cleartosend", *arguments], stdout=DEVNULL) as importing:
        sent = 0
        while importing.poll() is None:
            assert code_of(caller, template_id, f"+86138{sent:08}") == "Ok"
            sent += 1
    assert importing.returncode == 0
    assert sent > 3
    counted = cleartosend("members", "count", "--account", str(caller.account_id), data=server.data).stdout
    assert counted == "purchase: 20000\nall: 20000\n"
