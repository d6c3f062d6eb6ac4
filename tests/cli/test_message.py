"""`message show` tells the whole life of a message, and hides what its reader need not know."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, update
from usual import SIGNATURE, Clock, Usual, claimed, usual_account, usual_admission, usual_dispatch

from cleartosend.carriers.dispatch import _Answer
from cleartosend.carriers.outlet import Outlet, Pace
from cleartosend.carriers.simulator import SimulatorCarrier
from cleartosend.cli import cleartosend
from cleartosend.delivery.receipts import take
from cleartosend.model.consent import Wish
from cleartosend.model.messages import Parcel, Receipt, ReceiptStatus, Reply, serial_no
from cleartosend.ports import Engine, NotSubmitted, Submitted
from cleartosend.settings import Settings
from cleartosend.store import callbacks, conversions, messages, replies, timeline
from cleartosend.store.callbacks import CallbackKind
from cleartosend.store.opening import open_store
from cleartosend.store.schema import submissions

ANN = "+8613711112222"
KEY = base64.b64encode(bytes(32)).decode()
"""What the usual vault seals with."""
SETTINGS = Settings(retry_after_seconds=1.0)
Life = Callable[[Engine, Usual, Clock], Awaitable[None]]


def run(*arguments: str, data: Path) -> Result:
    return CliRunner(env={"CLEARTOSEND_KEY": KEY}).invoke(cleartosend, [*arguments, "--data", str(data)])


def said(*arguments: str, data: Path) -> str:
    ended = run(*arguments, data=data)
    assert ended.exit_code == 0, ended.output
    return ended.output


def lived(data: Path, life: Life) -> str:
    """Let a message live in a store of its own; returns its serial number."""

    async def work() -> str:
        engine = await open_store(msgspec.structs.replace(SETTINGS, data=data))
        try:
            clock = Clock()
            await life(engine, await usual_account(engine), clock)
            newest = await engine.read(messages.newest_id)
            return serial_no(newest, international=False)
        finally:
            await engine.close()

    return asyncio.run(work())


def steps(output: str) -> list[str]:
    """The names of what happened, in the order shown."""
    return [line[22:34].strip() for line in output.splitlines() if line[:2] == "20"]


async def accept(engine: Engine, usual: Usual, clock: Clock, **differs: Any) -> None:
    await usual_admission(engine, clock).accept(usual.call(ANN, **differs))


async def claim(engine: Engine, clock: Clock) -> Parcel:
    [parcel] = await engine.write(lambda tx: claimed(tx, clock()))
    return parcel


async def answer(engine: Engine, clock: Clock, parcel: Parcel, answered: Submitted | NotSubmitted | None) -> None:
    carrier = SimulatorCarrier(delay_seconds=1, seed=1)
    dispatch = usual_dispatch(engine, carrier, clock, settings=SETTINGS)
    outlet = Outlet(carrier, 1, Pace(0.0, now=monotonic()))
    await engine.write(lambda tx: dispatch.record(tx, [_Answer(outlet, parcel, answered)]))


async def throttled_then_submitted(engine: Engine, usual: Usual, clock: Clock) -> None:
    await accept(engine, usual, clock)
    await answer(engine, clock, await claim(engine, clock), NotSubmitted("THROTTLED", again=True))
    clock.advance(2)
    await answer(engine, clock, await claim(engine, clock), Submitted(("part-1", "part-2")))


async def not_delivered(engine: Engine, usual: Usual, clock: Clock) -> None:
    await throttled_then_submitted(engine, usual, clock)
    clock.advance(3)
    receipt = Receipt(
        carrier="simulator",
        carrier_id="part-1",
        status=ReceiptStatus.UNDELIVERABLE,
        code="MK:0017",
        at=clock(),
    )
    await engine.write(lambda tx: take(tx, [[receipt]]))


async def answered_and_used(engine: Engine, usual: Usual, clock: Clock) -> None:
    """Its customer's server could not be told of it yet; its recipient answered, and used the code."""
    account = usual.account

    def set_up(tx: Connection) -> None:
        callbacks.set_endpoint(
            tx,
            kind=CallbackKind.STATUS,
            owner=account.sdk_app_id,
            account_id=account.account_id,
            url="http://127.0.0.1/",
            sealed_secret=b"",
            now=clock(),
        )

    await engine.write(set_up)
    await not_delivered(engine, usual, clock)
    newest = await engine.read(messages.newest_id)

    def work(tx: Connection) -> None:
        [endpoint] = callbacks.claim(tx, now=clock(), until=clock() + 60, longest_wait_seconds=60, limit=1)
        [waiting] = callbacks.waiting_statuses(tx, account.sdk_app_id, 10)
        callbacks.not_told(tx, endpoint, [waiting.id], now=clock(), again_at=clock() + 5, error="HTTP 500")
        clock.advance(60)
        reply = Reply(carrier="simulator", number=ANN, text="退订吧", extension_code="", at=clock())
        replies.keep(tx, reply, answers=replies.answered_by(tx, reply), wish=Wish.OPT_OUT)
        clock.advance(60)
        assert conversions.keep(
            tx,
            message_id=newest,
            account_id=account.account_id,
            sdk_app_id=account.sdk_app_id,
            at=clock(),
        )

    await engine.write(work)


async def refused_for_its_words(engine: Engine, usual: Usual, clock: Clock) -> None:
    await accept(engine, usual, clock, template=usual.notice, values=["贷款八万"])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_a_message_s_life_is_told_in_its_order(data: Path) -> None:
    serial = lived(data, not_delivered)
    shown = said("message", "show", serial, data=data)
    assert steps(shown) == [
        *("accepted", "judged", "queued", "not taken"),
        *("submitted", "receipt", "failed", "pull queue"),
    ]
    assert "simulator THROTTLED, to be tried again" in shown
    assert "simulator took it as part-1, part-2" in shown
    assert "MK:0017" in shown
    assert "waits to be pulled" in shown


def test_a_message_of_several_parts_says_which_were_reported_on(data: Path) -> None:
    async def all_reported(engine: Engine, usual: Usual, clock: Clock) -> None:
        await throttled_then_submitted(engine, usual, clock)
        of_parts = [
            Receipt(carrier="simulator", carrier_id=part, status=ReceiptStatus.DELIVERED, code="DELIVRD", at=clock())
            for part in ("part-1", "part-2")
        ]
        await engine.write(lambda tx: take(tx, [of_parts]))

    async def reported_as_one(engine: Engine, usual: Usual, clock: Clock) -> None:
        await accept(engine, usual, clock)
        await answer(engine, clock, await claim(engine, clock), Submitted(("part-1", "part-2"), one_receipt=True))

    said_by: dict[str, Life] = {
        "2 parts, no receipt yet for part-2\n": not_delivered,
        "2 parts, a receipt for each\n": all_reported,
        "2 parts, which it reports on as one\n": reported_as_one,
    }
    for place, (words, life) in enumerate(said_by.items()):
        assert words in said("message", "show", lived(data / str(place), life), data=data / str(place))


def test_a_code_is_explained_in_both_languages_with_who_is_at_fault_and_what_to_do(data: Path) -> None:
    serial = lived(data, not_delivered)
    shown = said("message", "show", serial, data=data)
    for words in ("手机存储已满", "memory is full", "手机或号码本身", "the telephone or its number", "make room"):
        assert words in shown
    only_english = said("message", "show", serial, "--language", "en", data=data)
    assert "memory is full" in only_english
    assert "手机存储已满" not in only_english
    only_chinese = said("message", "show", serial, "--language", "zh", data=data)
    assert "memory is full" not in only_chinese
    assert "手机存储已满" in only_chinese


def test_a_message_that_waits_says_for_what_and_until_when(data: Path) -> None:
    serial = lived(data, throttled_then_submitted)
    shown = said("message", "show", serial, "--language", "en", data=data)
    assert "It waits for the carrier's receipt until 2026-03-05 04:00:02Z" in shown
    assert "at fault" not in shown


def test_the_same_answer_again_and_again_is_told_once_with_its_number(data: Path) -> None:
    async def throttled_thrice(engine: Engine, usual: Usual, clock: Clock) -> None:
        await accept(engine, usual, clock)
        for _ in range(3):
            answered = NotSubmitted("ESME_RTHROTTLED", again=True, slow_down=True)
            await answer(engine, clock, await claim(engine, clock), answered)
            clock.advance(2)
        await answer(engine, clock, await claim(engine, clock), Submitted(("one",)))

    shown = said("message", "show", lived(data, throttled_thrice), "--language", "en", data=data)
    assert steps(shown)[-2:] == ["not taken", "submitted"]
    assert "simulator ESME_RTHROTTLED, to be tried again, 3 times until 2026-03-02 04:00:04Z\n" in shown
    assert "too busy" in shown


def test_where_no_answer_came_nobody_is_said_to_know(data: Path) -> None:
    async def lost(engine: Engine, usual: Usual, clock: Clock) -> None:
        await accept(engine, usual, clock)
        await answer(engine, clock, await claim(engine, clock), None)
        clock.advance(3600)
        await answer(engine, clock, await claim(engine, clock), None)

    shown = said("message", "show", lived(data, lost), "--language", "en", data=data)
    assert steps(shown)[3:] == ["no answer", "unknown", "pull queue"]
    assert "simulator NOANSWER, 2 times until" in shown
    assert "nobody knows whether it went out" in shown
    assert "not taken" not in shown
    assert "INDOUBT" in shown


def test_what_came_of_a_message_is_told_after_it_was_sent_though_the_carrier_s_times_are_coarse(data: Path) -> None:
    async def reported_in_minutes(engine: Engine, usual: Usual, clock: Clock) -> None:
        clock.advance(25.4)
        await accept(engine, usual, clock)
        await answer(engine, clock, await claim(engine, clock), Submitted(("one",)))
        this_minute = clock() - clock() % 60
        receipt = Receipt(
            carrier="simulator", carrier_id="one", status=ReceiptStatus.DELIVERED, code="DELIVRD", at=this_minute
        )
        await engine.write(lambda tx: take(tx, [[receipt]]))
        reply = Reply(carrier="simulator", number=ANN, text="好", extension_code="", at=this_minute)
        await engine.write(lambda tx: replies.keep(tx, reply, answers=replies.answered_by(tx, reply), wish=Wish.NONE))

    shown = said("message", "show", lived(data, reported_in_minutes), data=data)
    assert steps(shown)[3:] == ["submitted", "receipt", "delivered", "pull queue", "reply"]


def test_a_code_of_ours_is_not_said_to_be_the_carrier_s(data: Path) -> None:
    async def refused(engine: Engine, usual: Usual, clock: Clock) -> None:
        await accept(engine, usual, clock)
        await answer(engine, clock, await claim(engine, clock), NotSubmitted("ESME_RINVSRCADR", again=False))

    shown = said("message", "show", lived(data, refused), "--language", "en", data=data)
    assert "simulator ESME_RINVSRCADR, for good\n" in shown
    assert "does not let it come from this address" in shown
    assert "at fault  us, this platform" in shown
    assert "source_addr and sources" in shown


def test_a_message_in_the_spool_says_when_it_is_tried_again(data: Path) -> None:
    async def put_back(engine: Engine, usual: Usual, clock: Clock) -> None:
        await accept(engine, usual, clock)
        await answer(engine, clock, await claim(engine, clock), NotSubmitted("THROTTLED", again=True))

    shown = said("message", "show", lived(data, put_back), data=data)
    assert "by the route all\n" in shown
    assert "next due 2026-03-02 04:00:01Z, after 1 attempt\n" in shown
    assert "It waits for a carrier until 2026-03-02 05:00:00Z" in shown


def test_what_came_of_it_afterwards_is_told_too(data: Path) -> None:
    serial = lived(data, answered_and_used)
    shown = said("message", "show", serial, data=data)
    assert steps(shown)[-5:] == ["failed", "pull queue", "callback", "reply", "conversion"]
    assert "status MK:0017: waiting, 1 attempt\n" in shown
    assert "HTTP 500" in shown
    assert "“***”, taken as opt-out; waits to be pulled" in shown
    assert "“退订吧”, taken as opt-out" in said("message", "show", serial, "--reveal", data=data)


def test_number_and_values_are_masked_unless_asked_for(data: Path) -> None:
    serial = lived(data, not_delivered)
    shown = said("message", "show", serial, data=data)
    assert "+86137****2222" in shown
    assert f"【{SIGNATURE}】您的验证码是1****6，*分钟内有效。" in shown
    assert ANN not in shown
    assert "123456" not in shown
    as_json = said("message", "show", serial, "--json", data=data)
    assert ANN not in as_json
    assert "123456" not in as_json
    revealed = said("message", "show", serial, "--reveal", data=data)
    assert ANN in revealed
    assert "您的验证码是123456，5分钟内有效。" in revealed


def test_a_refused_message_says_why_and_which_words(data: Path) -> None:
    serial = lived(data, refused_for_its_words)
    shown = said("message", "show", serial, data=data)
    assert steps(shown) == ["refused", "judged"]
    assert "content-prohibited, on the wire FailedOperation.ContainSensitiveWord" in shown
    assert "reject loan-offer: “**”" in shown
    assert "不得发送贷款内容" in shown
    assert "at fault  发送方" in shown
    assert "reject loan-offer: “贷款”" in said("message", "show", serial, "--reveal", data=data)


def test_programs_get_the_same_with_the_meaning_of_each_code(data: Path) -> None:
    serial = lived(data, not_delivered)
    told = json.loads(said("message", "show", serial, "--json", data=data))
    assert told["serial_no"] == serial
    assert (told["state"], told["at_fault"]) == ("failed", "phone")
    assert [one["code"] for one in told["attempts"]] == ["THROTTLED"]
    assert [one["says"]["en"] for one in told["receipts"]] == ["The telephone's memory is full."]
    assert [one["carrier_id"] for one in told["handed_over"]] == ["part-1", "part-2"]
    assert told["next"]["zh"]


def test_a_message_is_found_by_its_number_and_by_its_id(data: Path) -> None:
    serial = lived(data, not_delivered)
    found = said("message", "find", "--number", "13711112222", data=data)
    assert found.startswith(f"{serial}\t2026-03-02 04:00:00Z\tapp 1400000001\tfailed (MK:0017)")
    [as_json] = said("message", "find", "--number", ANN, "--json", data=data).splitlines()
    told = json.loads(as_json)
    assert told["serial_no"] == serial
    assert said("message", "show", str(told["id"]), data=data) == said("message", "show", serial, data=data)


@pytest.mark.parametrize(
    "narrowed", [("--app", "1400000099"), ("--since", "2026-03-03"), ("--since", "2026-03-02 04:00:01")]
)
def test_what_was_not_asked_for_is_not_found(data: Path, narrowed: tuple[str, str]) -> None:
    lived(data, not_delivered)
    assert said("message", "find", "--number", ANN, *narrowed, data=data) == "None.\n"


@pytest.mark.parametrize("serial", ["5000:1000000000000000000000000001", "99", "nonsense"])
def test_a_message_that_is_not_there_is_said_to_be_missing(data: Path, serial: str) -> None:
    lived(data, not_delivered)
    ended = run("message", "show", serial, data=data)
    assert ended.exit_code == 1
    assert ended.output == f"Error: there is no message {serial}\n"


async def test_the_whole_life_is_kept_on_every_engine(engine: Engine) -> None:
    clock = Clock()
    await not_delivered(engine, await usual_account(engine), clock)
    newest = await engine.read(messages.newest_id)
    life = await engine.read(lambda tx: timeline.of(tx, newest))
    assert life is not None
    assert [attempt.code for attempt in life.attempts] == ["THROTTLED"]
    assert [one.carrier_id for one in life.handed_over] == ["part-1", "part-2"]
    assert [receipt.code for receipt in life.receipts] == ["MK:0017"]
    assert life.waits_to_be_pulled
    assert life.message.spans == ((12, 18), (19, 20))
    [found] = await engine.read(lambda tx: timeline.to_number(tx, ANN, sdk_app_id=None, since=0.0, limit=10))
    assert found.id == newest

    def confirm(tx: Connection) -> None:
        tx.execute(update(submissions).values(confirms=True))

    await engine.write(confirm)
    life = await engine.read(lambda tx: timeline.of(tx, newest))
    assert life is not None
    assert life.message.confirms
