"""`cleartosend replies` as the person types it who decides about the unclear ones."""

import asyncio
import base64
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection
from usual import Clock, claimed, hand_over, usual_account, usual_admission

from cleartosend.cli import cleartosend
from cleartosend.delivery.replies import Replies
from cleartosend.model.messages import Reply
from cleartosend.settings import Settings
from cleartosend.store.opening import open_store_and_vault

# The key that the usual account's credentials are sealed with.
KEY = {"CLEARTOSEND_KEY": base64.b64encode(bytes(32)).decode()}
ANN, BEN = "+8613711112222", "+8613711113333"


async def replies_came(data: Path) -> None:
    """Ann was written to and answers unclearly; Ben was not, and writes all the same."""
    engine, _vault = await open_store_and_vault(Settings(data=data))
    clock = Clock()
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    await admission.accept(usual.call(ANN, template=usual.notice))

    def all_handed_over(tx: Connection) -> None:
        [parcel] = claimed(tx, clock())
        hand_over(tx, [parcel.message_id], now=clock(), carrier="simulator")

    await engine.write(all_handed_over)
    replies = Replies(engine, settings=Settings(), accept=admission.accept)
    for number, text in ((ANN, "别再\n发了"), (BEN, "怎么退订"), (ANN, "好的")):
        await replies.take(Reply(carrier="simulator", number=number, text=text, extension_code="", at=clock()))
    await engine.close()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    asyncio.run(replies_came(tmp_path))
    return tmp_path


def run(data: Path, *arguments: str, fails: int = 0) -> str:
    done = CliRunner(env=KEY).invoke(cleartosend, [*arguments, "--data", str(data)])
    assert done.exit_code == fails, done.output
    return done.stderr if fails else done.stdout


def test_the_unclear_ones_wait_until_a_person_has_decided(data: Path) -> None:
    assert [line.split("\t")[5] for line in run(data, "replies", "list").splitlines()] == [
        "好的",
        "怎么退订",
        "别再 发了",
    ]
    unsure = run(data, "replies", "list", "--unsure").splitlines()
    assert [line.split("\t")[3] for line in unsure] == [BEN, ANN]
    assert run(data, "replies", "decide", "1", "opt-out", "--because", "she called") == "done\n"
    assert [line.split("\t")[3] for line in run(data, "replies", "list", "--unsure").splitlines()] == [BEN]
    shown = run(data, "opt-out", "show", ANN)
    # As if her words had been clear: a reply can take it back.
    assert "reply: account 1, 清风书店, notification" in shown
    assert "opted-out by operator: account 1, 清风书店, notification; reply 1: she called" in shown


def test_nothing_is_a_decision_too(data: Path) -> None:
    assert (
        run(data, "replies", "decide", "1", "nothing", "--because", "she meant the parcel") == "nothing changes by it\n"
    )
    assert f"nothing holds messages to {ANN} back" in run(data, "opt-out", "show", ANN)
    assert len(run(data, "replies", "list", "--unsure").splitlines()) == 1


def test_a_reply_to_nothing_is_for_the_list(data: Path) -> None:
    assert "answers no message" in run(data, "replies", "decide", "2", "opt-out", "--because", "x", fails=1)
    assert "there is no reply 9" in run(data, "replies", "decide", "9", "opt-out", "--because", "x", fails=1)


def test_replies_are_found_by_number_and_account(data: Path) -> None:
    assert len(run(data, "replies", "list", "--number", "13711112222").splitlines()) == 2
    assert len(run(data, "replies", "list", "--account", "1").splitlines()) == 2
    run(data, "account", "create", "another", "--kind", "organization")
    assert run(data, "replies", "list", "--account", "2") == ""
