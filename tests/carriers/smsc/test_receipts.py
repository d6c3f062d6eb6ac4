"""The SMSC for testing reports on messages in any dialect, when and as often as it is told, until it is heard."""

import re
import time

import pytest
from carriers.smsc.line import NUMBER, SENDER, acknowledging, bound, part, short

from cleartosend.carriers.smpp.pdu import Command, DataMessage, ShortMessage, Status, Tag, frame, tlv
from cleartosend.testing.smsc import DIALECTS, SMSC, deliveries

NUMBERS = [f"8613800138{ending:03}" for ending in range(20)]


def id_of(receipt: ShortMessage) -> str:
    found = re.search(rb"id:(\S+)", receipt.short_message)
    assert found
    return found[1].decode()


# --- dialects ---

# What the answer names the message whose number is 0xABC123, and what its receipt says.
DATE = r"\d{10}"
WRITTEN = {
    "usual": (
        "11256099",
        rf"id:11256099 sub:001 dlvrd:001 submit date:{DATE} done date:{DATE} stat:DELIVRD err:000 text:hello",
    ),
    "hex-answer": ("abc123", r"id:11256099 .*"),
    "hex-receipt": ("11256099", r"id:ABC123 .*"),
    "upper-and-lower": ("ABC123", r"id:abc123 .*"),
    "zeros": ("11256099", r"id:00000000000011256099 .*"),
    "no-text": ("11256099", r"id:11256099 .* stat:DELIVRD err:000"),
    "other-order": ("11256099", rf"stat:DELIVRD err:000 id:11256099 done date:{DATE} submit date:{DATE}"),
    "capitals": ("11256099", r"ID:11256099 SUB:001 .* STAT:DELIVRD ERR:000 TEXT:hello"),
    "seconds": ("11256099", r".* submit date:\d{12} done date:\d{12} .*"),
    "century": ("11256099", r".* submit date:20\d{12} done date:20\d{12} .*"),
    "tlv": ("11256099", r""),
    "text-and-tlv": ("11256099", r"id:11256099 .*"),
    "payload": ("11256099", r""),
    "data-sm": ("11256099", r""),
    "no-bit": ("11256099", r"id:11256099 .*"),
}


def test_every_dialect_is_tried() -> None:
    assert WRITTEN.keys() == DIALECTS.keys()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_each_dialect_writes_in_its_way(dialect: str) -> None:
    in_answer, in_receipt = WRITTEN[dialect]
    async with SMSC(dialect=dialect, ids_from=0xABC123) as smsc, bound(smsc) as its:
        assert (await its.submit(short())).carrier_id == in_answer
        heard = await its.hear()
        its.acknowledge(heard)
        await smsc.told()
        told = heard.read(DataMessage) if dialect == "data-sm" else heard.message
        if isinstance(told, ShortMessage):
            assert re.fullmatch(in_receipt.encode(), told.short_message)
        assert told.esm_class == (0 if dialect == "no-bit" else 4)
        assert (told.source_addr, told.destination_addr) == (NUMBER, SENDER)
        payload = tlv(told.tlvs, Tag.MESSAGE_PAYLOAD)
        assert (payload or b"").startswith(b"id:11256099 ") == (dialect in {"payload", "data-sm"})
        named = tlv(told.tlvs, Tag.RECEIPTED_MESSAGE_ID), tlv(told.tlvs, Tag.MESSAGE_STATE)
        assert named == ((b"11256099\0", b"\2") if "tlv" in dialect or dialect == "data-sm" else (None, None))


async def test_a_dialect_leaves_nothing_of_another() -> None:
    async with SMSC(dialect="tlv") as smsc, bound(smsc) as its:
        smsc.behave(dialect="usual")
        await its.submit(short())
        receipt = await its.receipt()
        assert receipt.short_message
        assert not receipt.tlvs


async def test_dates_are_those_of_the_message_and_of_the_receipt() -> None:
    before = int(time.time())
    async with SMSC(receipt_text="{submitted} {done}", dates="%Y%m%d%H%M%S") as smsc, bound(smsc) as its:
        await its.submit(short())
        submitted, done = (await its.receipt()).short_message.decode().split()
    first = time.strftime("%Y%m%d%H%M%S", time.gmtime(before))
    assert first <= submitted <= done <= time.strftime("%Y%m%d%H%M%S", time.gmtime())


# --- what they say ---


@pytest.mark.parametrize(
    ("outcome", "said", "state", "error"),
    [
        ("", "dlvrd:001 .* stat:DELIVRD err:000", 2, None),
        ("UNDELIV/011", "dlvrd:000 .* stat:UNDELIV err:011", 5, b"\3\0\x0b"),
        ("EXPIRED", "dlvrd:000 .* stat:EXPIRED err:000", 3, None),
        ("UNDELIV/MK:0017", "dlvrd:000 .* stat:UNDELIV err:MK:0017", 5, b"\3\0\x11"),
        ("MK:0001", "dlvrd:000 .* stat:MK:0001 err:000", 5, None),
    ],
)
async def test_a_message_ends_as_it_is_told(outcome: str, said: str, state: int, error: bytes | None) -> None:
    async with SMSC(outcome=outcome, dialect="text-and-tlv") as smsc, bound(smsc) as its:
        await its.submit(short())
        receipt = await its.receipt()
        assert re.search(said.encode(), receipt.short_message)
        assert tlv(receipt.tlvs, Tag.MESSAGE_STATE) == bytes([state])
        assert tlv(receipt.tlvs, Tag.NETWORK_ERROR_CODE) == error


async def test_outcomes_have_their_shares() -> None:
    async with SMSC(outcome="UNDELIV 40%, EXPIRED 20%") as smsc, bound(smsc) as its:
        told: list[bytes] = []
        for number in NUMBERS * 3:
            await its.submit(short(to=number))
            told += re.findall(rb"stat:(\w+)", (await its.receipt()).short_message)
    assert set(told) == {b"DELIVRD", b"UNDELIV", b"EXPIRED"}
    assert told.count(b"UNDELIV") > told.count(b"EXPIRED")


@pytest.mark.parametrize(
    ("receipts", "asked", "outcome", "comes"),
    [
        ("asked", 0, "", False),
        ("asked", 1, "", True),
        ("asked", 2, "", False),
        ("asked", 2, "UNDELIV", True),
        ("asked", 0x11, "", True),
        ("all", 0, "", True),
        ("none", 1, "", False),
    ],
)
async def test_who_asks_for_a_receipt_gets_one(receipts: str, asked: int, outcome: str, *, comes: bool) -> None:
    async with SMSC(receipts=receipts, outcome=outcome) as smsc, bound(smsc) as its:
        await its.submit(short(receipt=asked))
        assert bool(smsc.outstanding) == comes
        if comes:
            await its.receipt()
        await its.silence()


# --- when, and how often ---


async def test_a_receipt_may_come_before_the_answer() -> None:
    async with SMSC(receipts_early=1) as smsc, bound(smsc) as its:
        receipt = await its.ask(Command.SUBMIT_SM, short())
        answer = await its.hear()
        assert (receipt.command, answer.command) == (Command.DELIVER_SM, Command.SUBMIT_SM_RESP)
        assert id_of(receipt.message) == answer.carrier_id


async def test_a_receipt_waits_for_a_slow_answer() -> None:
    async with SMSC(answer_after=0.01) as smsc, bound(smsc) as its:
        assert (await its.submit(short())).command == Command.SUBMIT_SM_RESP
        assert (await its.hear()).command == Command.DELIVER_SM


async def test_a_receipt_may_never_come() -> None:
    async with SMSC(receipts_lost=1) as smsc, bound(smsc) as its:
        assert (await its.submit(short())).status == 0
        assert smsc.outstanding == 0


async def test_a_receipt_may_come_twice_and_another_for_a_message_of_nobody() -> None:
    async with SMSC(receipts_twice=1, receipts_unknown=1) as smsc, bound(smsc) as its:
        carrier_id = (await its.submit(short())).carrier_id
        told = [id_of(await its.receipt()) for _ in range(3)]
        assert told[:2] == [carrier_id] * 2
        assert told[2] not in {taken.carrier_id for taken in smsc.messages}


async def test_receipts_may_overtake_one_another() -> None:
    async with SMSC(receipts_after="0-30ms") as smsc, bound(smsc) as its:
        asked = [(await its.submit(short(to=number, receipt=1))).carrier_id for number in NUMBERS[:1]]
        smsc.behave(receipts_after="5-40ms")
        for number in NUMBERS:
            its.say(Command.SUBMIT_SM, short(to=number))
        told: list[str] = []
        while len(told) <= len(NUMBERS):
            heard = await its.hear()
            if heard.command == Command.DELIVER_SM:
                told.append(id_of(heard.message))
            else:
                asked.append(heard.carrier_id)
        assert sorted(told) == sorted(asked)
        assert told != asked


@pytest.mark.parametrize(("of", "which"), [("each", {1, 2, 3}), ("first", {1}), ("last", {3})])
async def test_some_parts_only_may_have_receipts(of: str, which: set[int]) -> None:
    async with SMSC(receipts_of=of) as smsc, bound(smsc, Command.BIND_TRANSMITTER) as its:
        ids = {(await its.submit(part(nth, 3))).carrier_id: nth for nth in (1, 2, 3)}
        async with bound(smsc, Command.BIND_RECEIVER) as receiver:
            assert {ids[id_of(await receiver.receipt())] for _ in which} == which
            await receiver.silence()


async def test_a_receipt_may_come_on_the_way() -> None:
    async with SMSC(intermediate="ENROUTE", receipts_after=0.01) as smsc, bound(smsc) as its:
        await its.submit(short())
        way, end = await its.receipt(), await its.receipt()
        assert (way.esm_class, end.esm_class) == (0x20, 0x04)
        assert b"stat:ENROUTE" in way.short_message
        assert b"stat:DELIVRD" in end.short_message


# --- until they are heard ---


async def test_receipts_go_to_who_may_receive_and_wait_until_somebody_does() -> None:
    async with SMSC() as smsc, bound(smsc, Command.BIND_TRANSMITTER) as transmitter, bound(smsc, system_id="other"):
        carrier_id = (await transmitter.submit(short())).carrier_id
        await transmitter.silence()
        async with bound(smsc, Command.BIND_RECEIVER) as receiver:
            assert id_of(await receiver.receipt()) == carrier_id
            await smsc.told()


async def test_sessions_take_turns() -> None:
    receiver = Command.BIND_RECEIVER
    async with SMSC() as smsc, bound(smsc, receiver) as first, bound(smsc, receiver) as second:
        smsc.reply("1", number=NUMBER)
        smsc.reply("2", number=NUMBER)
        assert ((await first.hear()).message.short_message, (await second.hear()).message.short_message) == (b"1", b"2")


@pytest.mark.parametrize("status", [Status.ESME_RX_T_APPN, Status.ESME_RMSGQFUL, 0x0400])
async def test_what_a_client_cannot_take_is_told_again(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "REPEAT_AFTER_SECONDS", 0.01)
    async with SMSC() as smsc, bound(smsc) as its:
        await its.submit(short())
        first = await its.hear()
        its.acknowledge(first, status)
        assert await its.receipt() == first.message
        await smsc.told()
        assert smsc.counts["repeated"] == 1


@pytest.mark.parametrize("status", [Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN])
async def test_what_a_client_will_never_take_is_not(status: int) -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        await its.submit(short())
        its.acknowledge(await its.hear(), status)
        await smsc.told()
        assert smsc.counts["not wanted"] == 1


async def test_what_is_not_acknowledged_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "ACKNOWLEDGE_WITHIN_SECONDS", 0.02)
    async with SMSC() as smsc, bound(smsc) as its:
        await its.submit(short())
        first = await its.hear()
        async with acknowledging(its) as heard:
            await smsc.told()
        assert heard[0].message == first.message
        its.acknowledge(first)
        await smsc.until(lambda: smsc.counts["answers to nothing"] > 0)


async def test_a_nack_is_no_acknowledgement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "REPEAT_AFTER_SECONDS", 0.01)
    async with SMSC() as smsc, bound(smsc) as its:
        await its.submit(short())
        its.octets(frame(Command.GENERIC_NACK, (await its.hear()).sequence, status=Status.ESME_RINVCMDID))
        await its.receipt()
        await smsc.told()


async def test_what_a_client_had_not_acknowledged_it_hears_when_it_comes_back() -> None:
    async with SMSC() as smsc:
        async with bound(smsc) as its:
            ids = [(await its.submit(short(receipt=1))).carrier_id]
            await its.hear()
        async with bound(smsc) as again:
            assert [id_of(await again.receipt())] == ids
            await smsc.told()


@pytest.mark.parametrize("forget", [False, True])
async def test_a_restart_keeps_or_forgets_what_waits(*, forget: bool) -> None:
    async with SMSC() as smsc:
        port = smsc.port
        async with bound(smsc, Command.BIND_TRANSMITTER) as its:
            await its.submit(short())
            await smsc.restart(forget=forget)
            assert await its.closed()
        assert (smsc.port, smsc.outstanding) == (port, 0 if forget else 1)
        async with bound(smsc) as again:
            if not forget:
                await again.receipt()
            await again.silence()


async def test_what_was_told_when_it_forgot_is_forgotten_too() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        await its.submit(short())
        await its.hear()
        await smsc.restart(forget=True)
        assert smsc.outstanding == 0
        async with bound(smsc) as again:
            await again.silence()


async def test_a_thousand_receipts_fit_through_a_window() -> None:
    async with SMSC(receipts="all", receipts_after=0.005) as smsc, bound(smsc) as its:
        for _ in range(1000):
            its.say(Command.SUBMIT_SM, short(receipt=0))
        told = 0
        while told < 1000:
            heard = await its.hear()
            if heard.command == Command.DELIVER_SM:
                told += 1
                its.acknowledge(heard)
        await smsc.told()
        assert smsc.counts["acknowledged"] == 1000
        assert smsc.counts["repeated"] == 0
