"""The SMSC for testing takes what it is given, and does with it what it was told to."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

import pytest
from carriers.smsc.line import NUMBER, SENDER, bound, line, part, short
from delivery.certificates import certificate_for

from cleartosend.carriers.smpp.pdu import (
    Bind,
    BindResp,
    Cancel,
    Command,
    DataMessage,
    Query,
    ShortMessage,
    Status,
    Tag,
    frame,
    tlv,
)
from cleartosend.testing.smsc import SMSC, deliveries

NUMBERS = [f"8613800138{ending:03}" for ending in range(40)]


# --- binds ---


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (Command.BIND_TRANSMITTER, "transmitter"),
        (Command.BIND_RECEIVER, "receiver"),
        (Command.BIND_TRANSCEIVER, "transceiver"),
    ],
)
async def test_anybody_may_bind_where_nobody_is_named(command: Command, role: str) -> None:
    async with SMSC() as smsc, line(smsc) as its:
        heard = await its.ask(command, Bind(system_id="whoever", password="whatever"))
        assert (heard.command, heard.status) == (command | 0x8000_0000, 0)
        assert tlv(heard.read(BindResp).tlvs, Tag.SC_INTERFACE_VERSION) == b"\x34"
        assert smsc.bound == [f"whoever {role}"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (Bind(system_id="other", password="secret"), Status.ESME_RINVSYSID),
        (Bind(system_id="cts", password="wrong"), Status.ESME_RINVPASWD),
        (Bind(system_id="cts", password="secret"), Status.ESME_ROK),
    ],
)
async def test_only_who_is_named_may_bind(asked: Bind, status: Status) -> None:
    async with SMSC(system_id="cts", password="secret") as smsc, line(smsc) as its:
        assert (await its.ask(Command.BIND_TRANSCEIVER, asked)).status == status


async def test_a_bind_is_refused_with_any_status_and_may_be_tried_again() -> None:
    async with SMSC(bind="ESME_RBINDFAIL") as smsc, line(smsc) as its:
        assert (await its.ask(Command.BIND_TRANSCEIVER, Bind(system_id="cts"))).status == Status.ESME_RBINDFAIL
        smsc.behave(bind="")
        assert (await its.ask(Command.BIND_TRANSCEIVER, Bind(system_id="cts"))).status == 0
        assert (await its.ask(Command.BIND_RECEIVER, Bind(system_id="cts"))).status == Status.ESME_RALYBND


async def test_a_bind_may_take_its_time() -> None:
    async with SMSC(bind_after=60) as smsc, line(smsc) as its:
        its.say(Command.BIND_TRANSCEIVER, Bind(system_id="cts"))
        await its.silence()
        smsc.behave(bind_after="1ms")
        assert (await its.ask(Command.BIND_TRANSCEIVER, Bind(system_id="cts"))).status == 0


async def test_who_asks_twice_is_bound_once() -> None:
    async with SMSC(bind_after=0.01) as smsc, line(smsc) as its:
        for _ in range(2):
            its.say(Command.BIND_TRANSCEIVER, Bind(system_id="cts"))
        assert [(await its.hear()).status for _ in range(2)] == [0, Status.ESME_RALYBND]
        assert smsc.bound == ["cts transceiver"]


async def test_who_may_not_send_is_told_so() -> None:
    async with SMSC() as smsc, line(smsc) as its, bound(smsc, Command.BIND_RECEIVER) as receiver:
        assert (await its.submit(short())).status == Status.ESME_RINVBNDSTS
        assert (await receiver.submit(short())).status == Status.ESME_RINVBNDSTS
        assert not smsc.messages


async def test_it_speaks_tls(tmp_path: Path) -> None:
    server, client = certificate_for("127.0.0.1", tmp_path)
    async with SMSC(tls=server) as smsc, bound(smsc, tls=client) as its:
        assert (await its.submit(short())).status == 0
        with pytest.raises(ssl.SSLError):
            async with line(smsc, tls=ssl.create_default_context()):
                pass


# --- messages ---


async def test_what_it_takes_it_remembers_whole() -> None:
    async with SMSC(ids_from=700) as smsc, bound(smsc) as its:
        message = short(b"hello", esm_class=3, tlvs=((0x1500, b"own"),))
        assert (await its.submit(message)).carrier_id == "700"
        [taken] = await smsc.taken(1)
        assert (taken.number, taken.text, taken.part) == (NUMBER, "hello", (1, 1))
        assert (taken.carrier_id, taken.system_id, taken.session) == ("700", "cts", 1)
        assert taken.message == message
        smsc.clear()
        assert (len(smsc.messages), smsc.counts["taken"]) == (0, 0)


@pytest.mark.parametrize(
    ("message", "text", "its_part"),
    [
        (part(2, 3), "hello", (2, 3)),
        (short(b"two", tlvs=((0x020C, b"\0\1"), (0x020E, b"\2"), (0x020F, b"\1"))), "two", (1, 2)),
        (short(b"", tlvs=((Tag.MESSAGE_PAYLOAD, b"long" * 100),)), "long" * 100, (1, 1)),
        (short("您的验证码".encode("utf-16-be"), data_coding=8), "您的验证码", (1, 1)),
        (short(b"\x02\x1b\x65", data_coding=0), "$€", (1, 1)),
    ],
)
async def test_texts_and_their_parts_are_read(message: ShortMessage, text: str, its_part: tuple[int, int]) -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        its.say(Command.SUBMIT_SM, message)
        [taken] = await smsc.taken(1)
        assert (taken.text, taken.part) == (text, its_part)


async def test_a_data_sm_is_a_message_as_well() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        data = DataMessage(destination_addr=NUMBER, registered_delivery=1, tlvs=((Tag.MESSAGE_PAYLOAD, b"hello"),))
        heard = await its.ask(Command.DATA_SM, data)
        assert (heard.command, heard.status) == (Command.DATA_SM_RESP, 0)
        assert (await its.receipt()).short_message.startswith(f"id:{heard.carrier_id} ".encode())
        assert [taken.text for taken in smsc.messages] == ["hello"]


@pytest.mark.parametrize(
    ("refuse", "status"),
    [
        ("ESME_RMSGQFUL", 0x14),
        ("0x401", 0x401),
        ("1034", 1034),
        (Status.ESME_RINVDSTADR, 0x0B),
        ({"ESME_RTHROTTLED": 1.0}, 0x58),
    ],
)
async def test_a_message_is_refused_with_any_status(refuse: object, status: int) -> None:
    async with SMSC(refuse=refuse) as smsc, bound(smsc) as its:
        heard = await its.submit(short())
        assert (heard.command, heard.status) == (Command.SUBMIT_SM_RESP, status)
        await its.silence()
        assert not smsc.messages


async def statuses(smsc: SMSC, numbers: list[str]) -> list[int]:
    async with bound(smsc) as its:
        return [(await its.submit(short(to=number, receipt=0))).status for number in numbers]


async def test_under_one_seed_the_same_numbers_meet_the_same_fate() -> None:
    async def fates(numbers: list[str], seed: int = 7, **else_: Any) -> dict[str, int]:
        async with SMSC(seed=seed, refuse="ESME_RTHROTTLED 30%, 0x401 20%", **else_) as smsc:
            return dict(zip(numbers, await statuses(smsc, numbers), strict=True))

    fate = await fates(NUMBERS)
    assert set(fate.values()) == {0, 0x58, 0x401}
    assert await fates(NUMBERS[::-1]) == fate
    assert await fates(NUMBERS, answer_after="0-2ms", twice=0.0, outcome="EXPIRED 50%") == fate
    assert await fates(NUMBERS, seed=8) != fate


async def test_beyond_a_rate_it_throttles() -> None:
    async with SMSC(throttle_above=3) as smsc:
        answered = await statuses(smsc, NUMBERS)
    assert answered[:3] == [0, 0, 0]
    # The second may have turned once meanwhile.
    assert answered.count(Status.ESME_RTHROTTLED) >= len(NUMBERS) - 6


async def test_answers_may_overtake_one_another() -> None:
    async with SMSC(answer_after="0-30ms", receipts="none") as smsc, bound(smsc) as its:
        asked = [its.say(Command.SUBMIT_SM, short(to=number)) for number in NUMBERS]
        answered = [(await its.hear()).sequence for _ in NUMBERS]
        assert sorted(answered) == asked != answered


async def test_an_answer_may_never_come() -> None:
    async with SMSC(never=1) as smsc, bound(smsc) as its:
        its.say(Command.SUBMIT_SM, short())
        assert (await its.receipt()).short_message.startswith(b"id:")
        await its.silence()
        assert smsc.counts["taken"] == 1


async def test_an_answer_may_come_twice() -> None:
    async with SMSC(twice=1, receipts="none") as smsc, bound(smsc) as its:
        assert await its.submit(short()) == await its.hear()
        await its.silence()


async def test_garbage_is_whole_and_answers_nothing() -> None:
    async with SMSC(garbage=1, receipts="none") as smsc, bound(smsc) as its:
        heard = set()
        for number in NUMBERS:
            sequence = its.say(Command.SUBMIT_SM, short(to=number))
            nonsense = await its.hear()
            assert (nonsense.command, nonsense.sequence) != (Command.SUBMIT_SM_RESP, sequence)
            heard.add(nonsense.command)
        assert len(heard) == 4
        await its.silence()


async def test_what_is_broken_is_no_pdu() -> None:
    async with SMSC(broken=1) as smsc, line(smsc) as its:
        its.say(Command.BIND_TRANSCEIVER, Bind(system_id="cts"))
        await its.hear()
        its.say(Command.SUBMIT_SM, short())
        assert (await its.raw()).startswith(b"\xff" * 16)


async def test_what_is_wrong_with_a_message_is_said_and_the_line_lives() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        assert (await its.ask(Command.SUBMIT_SM, b"\0\1\1138001380001380013800013800\0")).status == (
            Status.ESME_RINVSRCADR
        )
        assert (await its.ask(Command.SUBMIT_SM, b"\0\1\1")).status == Status.ESME_RINVCMDLEN
        assert (await its.ask(Command.BIND_TRANSCEIVER, b"no end")).status == Status.ESME_RINVCMDLEN
        heard = await its.ask(0x0000_0666)
        assert (heard.command, heard.status) == (Command.GENERIC_NACK, Status.ESME_RINVCMDID)
        assert (await its.ask(Command.QUERY_SM, Query(message_id="1"))).status == Status.ESME_RQUERYFAIL
        assert (await its.ask(Command.CANCEL_SM, Cancel(message_id="1"))).status == Status.ESME_RCANCELFAIL
        assert (await its.submit(short())).status == 0


async def test_a_length_that_cannot_be_ends_the_line() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        its.octets(frame(Command.SUBMIT_SM, 2, b"")[:12].replace(b"\x10", b"\x07", 1) + b"\0\0\0\2")
        heard = await its.hear()
        assert (heard.command, heard.status) == (Command.GENERIC_NACK, Status.ESME_RINVCMDLEN)
        assert await its.closed()


# --- lines ---


async def test_a_line_may_be_cut_before_the_answer() -> None:
    async with SMSC(cut_before_answer=1) as smsc, bound(smsc) as its:
        its.say(Command.SUBMIT_SM, short())
        assert await its.closed()
        assert smsc.counts["taken"] == 1
        async with bound(smsc) as again:
            assert (await again.receipt()).source_addr == NUMBER


async def test_a_line_may_be_cut_before_the_message_is_taken() -> None:
    async with SMSC(cut_before_taking=1) as smsc, bound(smsc) as its:
        its.say(Command.SUBMIT_SM, short())
        assert await its.closed()
        assert smsc.counts["taken"] == 0


async def test_a_line_may_be_cut_amid_an_answer() -> None:
    async with SMSC(cut_amid_answer=1, ids_from=1234) as smsc, bound(smsc) as its:
        its.say(Command.SUBMIT_SM, short())
        assert await its.raw() == frame(Command.SUBMIT_SM_RESP, 2, b"1234\0")[:10]


async def test_a_line_may_be_cut_after_so_many_messages() -> None:
    async with SMSC(cut_after_messages=3, receipts="none") as smsc:
        for sessions in (1, 2):
            async with bound(smsc) as its:
                for _ in range(2):
                    assert (await its.submit(short())).status == 0
                its.say(Command.SUBMIT_SM, short())
                assert await its.closed()
                assert smsc.counts["taken"] == 3 * sessions


async def test_a_line_that_hangs_is_neither_read_nor_closed_and_may_go_on() -> None:
    async with SMSC(hang_after_messages=2, receipts="none") as smsc, bound(smsc) as its:
        asked = [its.say(Command.SUBMIT_SM, short()) for _ in range(4)]
        assert (await its.hear()).sequence == asked[0]
        await smsc.until(lambda: smsc.counts["hung"] == 1)
        assert smsc.counts["taken"] == 2
        asked.append(its.say(Command.SUBMIT_SM, short()))
        smsc.behave(hang_after_messages=0)
        smsc.resume()
        assert [(await its.hear()).sequence for _ in asked[1:]] == asked[1:]


async def test_links_may_be_ignored() -> None:
    async with SMSC(ignore_links=1) as smsc, bound(smsc) as its:
        its.say(Command.ENQUIRE_LINK)
        assert (await its.submit(short())).command == Command.SUBMIT_SM_RESP
        assert smsc.counts["links"] == 1


async def test_lines_are_cut_and_asked_on_order() -> None:
    async with SMSC() as smsc, bound(smsc) as first, bound(smsc, system_id="other") as second:
        smsc.enquire("cts")
        heard = await first.hear()
        assert heard.command == Command.ENQUIRE_LINK
        first.octets(frame(Command.ENQUIRE_LINK_RESP, heard.sequence))
        await smsc.until(lambda: smsc.counts["links answered"] == 1)
        smsc.cut("other")
        assert await second.closed()
        smsc.unbind()
        heard = await first.hear()
        assert heard.command == Command.UNBIND
        first.octets(frame(Command.UNBIND_RESP, heard.sequence))
        assert await first.closed()


async def test_who_unbinds_is_answered_and_gone() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        assert (await its.ask(Command.UNBIND)).command == Command.UNBIND_RESP
        assert await its.closed()
        assert smsc.bound == []


async def test_it_says_whatever_it_is_told_to() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        smsc.send(Command.ALERT_NOTIFICATION, b"\1\1861\0\1\1106\0")
        smsc.send_octets(frame(0x0000_0999, 5))
        assert [(await its.hear()).command for _ in range(2)] == [Command.ALERT_NOTIFICATION, 0x999]


async def test_a_client_that_does_not_read_is_not_read_either() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        questions = frame(Command.ENQUIRE_LINK, 9) * 500_000
        smsc.send_octets(questions)
        await asyncio.sleep(0)
        its.say(Command.SUBMIT_SM, short())
        await asyncio.sleep(0.01)
        assert smsc.counts["taken"] == 0
        await its.skip(len(questions))
        await smsc.taken(1)


# --- rules ---


async def test_a_rule_speaks_of_some_numbers() -> None:
    async with SMSC() as smsc:
        smsc.rule(to="*99001", refuse="ESME_RINVDSTADR")
        smsc.rule(to="86137*", refuse="ESME_RSYSERR")
        smsc.rule(to="8613799002", refuse="")
        answered = await statuses(smsc, ["8613899001", "8613799001", "8613799002", NUMBER])
    assert answered == [Status.ESME_RINVDSTADR, Status.ESME_RSYSERR, 0, 0]


async def test_a_rule_may_hold_so_often_for_each_number() -> None:
    async with SMSC() as smsc:
        smsc.rule(times=2, refuse="ESME_RTHROTTLED")
        answered = await statuses(smsc, [NUMBERS[0], NUMBERS[0], NUMBERS[1], NUMBERS[0]])
    assert answered == [0x58, 0x58, 0x58, 0]


async def test_a_rule_speaks_of_some_clients_and_sessions() -> None:
    async with SMSC() as smsc:
        smsc.rule(system_id="bad*", bind="ESME_RINVSYSID")
        smsc.rule(session=2, refuse="ESME_RSYSERR")
        async with bound(smsc) as first, bound(smsc) as second, line(smsc) as third:
            assert (await first.submit(short())).status == 0
            assert (await second.submit(short())).status == Status.ESME_RSYSERR
            heard = await third.ask(Command.BIND_TRANSCEIVER, Bind(system_id="badger"))
            assert heard.status == Status.ESME_RINVSYSID


async def test_what_holds_for_all_holds_below_a_rule() -> None:
    async with SMSC(receipts="none") as smsc, bound(smsc) as its:
        smsc.rule(to=NUMBER, twice=1)
        smsc.behave(id_in_answer="ID-{id:04x}", receipts="none")
        assert (await its.submit(short())).carrier_id.startswith("ID-")
        assert (await its.hear()).carrier_id.startswith("ID-")


async def test_calm_is_as_at_first() -> None:
    async with SMSC(receipts="none") as smsc, bound(smsc) as its:
        smsc.rule(refuse="ESME_RSYSERR")
        smsc.behave(receipts="all", refuse="ESME_RSYSERR")
        smsc.hang()
        smsc.calm()
        assert (await its.submit(short())).status == 0
        await its.silence()


# --- replies ---


@pytest.mark.parametrize(
    ("text", "parts", "coding"),
    [("R", 1, 0), ("收到，谢谢", 1, 8), ("好" * 71, 2, 8), ("x" * 161, 2, 0), ("😀" * 40, 2, 8)],
)
async def test_a_recipient_writes(text: str, parts: int, coding: int) -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        smsc.reply(text, number=NUMBER, to=SENDER)
        heard = [await its.receipt() for _ in range(parts)]
        await smsc.told()
        assert {(one.source_addr, one.destination_addr, one.data_coding) for one in heard} == {(NUMBER, SENDER, coding)}
        header = 6 if parts > 1 else 0
        codec = "utf-16-be" if coding else "ascii"
        assert "".join(one.short_message[header:].decode(codec) for one in heard) == text
        numbered = [one.short_message[3:header] for one in heard if header]
        assert [(number[1], number[2]) for number in numbered] == [(2, 1), (2, 2)][: len(numbered)]


async def test_a_recipient_may_answer_what_was_delivered() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        smsc.rule(to=NUMBER, reply_text="R")
        await its.submit(short())
        receipt, reply = await its.receipt(), await its.receipt()
        assert (receipt.esm_class, reply.esm_class, reply.short_message) == (4, 0, b"R")
        assert (reply.source_addr, reply.destination_addr) == (NUMBER, SENDER)


# --- its memory and its words ---


async def test_ids_may_come_again() -> None:
    async with SMSC(ids_from=10, ids_reused_after=3, receipts="none") as smsc, bound(smsc) as its:
        assert [(await its.submit(short())).carrier_id for _ in range(5)] == ["10", "11", "12", "10", "11"]


async def test_two_of_them_give_different_ids() -> None:
    async with SMSC() as first, SMSC() as second, bound(first) as its, bound(second) as other:
        assert (await its.submit(short())).carrier_id != (await other.submit(short())).carrier_id


async def test_it_remembers_no_more_than_it_is_to() -> None:
    async with SMSC(keep=2, receipts="none") as smsc:
        await statuses(smsc, NUMBERS[:5])
        assert [taken.number for taken in smsc.messages] == NUMBERS[3:5]
        assert smsc.counts["taken"] == 5


async def test_a_full_one_takes_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "MOST_OUTSTANDING", 2)
    async with SMSC(receipts_after=60) as smsc:
        assert await statuses(smsc, NUMBERS[:2]) == [0, 0]
        async with bound(smsc) as its:
            for _ in range(2):
                await its.submit(short())
            assert (await its.submit(short())).status == Status.ESME_RMSGQFUL


async def test_it_tells_what_happens_without_texts_and_numbers() -> None:
    told: list[str] = []
    async with SMSC(tell=told.append, ids_from=5, receipts="none") as smsc, bound(smsc) as its:
        await its.submit(short(b"a secret"))
        smsc.behave(refuse="ESME_RSYSERR")
        await its.submit(short())
        await its.ask(Command.UNBIND)
        assert await its.closed()
        await smsc.until(lambda: smsc.counts["closed"] == 1)
    assert told == [
        "cts transceiver: bound",
        "86138****8000: taken as 5",
        "86138****8000: refused, ESME_RSYSERR",
        "cts transceiver: closed",
    ]


async def test_waiting_ends_when_it_does_not_come() -> None:
    async with SMSC() as smsc:
        with pytest.raises(TimeoutError):
            await smsc.until(lambda: False, seconds=0.01)
