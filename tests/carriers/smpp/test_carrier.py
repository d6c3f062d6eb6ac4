"""A carrier by SMPP, against the SMSC for testing: what is handed over goes out, what comes in is kept."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from delivery.certificates import certificate_for
from prometheus_client import REGISTRY
from usual import NOON_IN_BEIJING, Clock

from cleartosend.carriers.smpp import carrier as carriers, joining, line as lines
from cleartosend.carriers.smpp.carrier import BAD_ADDRESS, UNWRITABLE, SmppCarrier
from cleartosend.carriers.smpp.pdu import Command, ShortMessage, Tag, encode_body
from cleartosend.carriers.smpp.profile import Addresses, Joining, OwnTlv, Profile, Receipts, Writing
from cleartosend.carriers.smpp.session import NOT_BOUND
from cleartosend.model.alphabets import Alphabet
from cleartosend.model.carriers import SmppLink
from cleartosend.model.messages import Parcel, Receipt, ReceiptStatus, Reply
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import NotSubmitted, OutcomeUnknown, StoreUnavailable, Submitted
from cleartosend.testing.smsc import SMSC, deliveries

ENOUGH_SECONDS = 10
NUMBER = "+8613800138000"
LONG = "您的快递已到达小区门口的柜子，请在今天之内凭取件码领取。" * 6
USUAL = Profile()


class Kept:
    """What the carrier brought, once it could be kept."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.replies: list[Reply] = []
        self.troubles = 0
        """So often it cannot be kept."""

    async def keep_receipts(self, receipts: Sequence[Receipt]) -> None:
        self._trouble()
        self.receipts += receipts

    async def keep_reply(self, reply: Reply) -> None:
        self._trouble()
        self.replies.append(reply)

    def _trouble(self) -> None:
        if self.troubles:
            self.troubles -= 1
            raise StoreUnavailable


class Reached:
    """A carrier of ours, and what it brought."""

    def __init__(self, carrier: SmppCarrier, kept: Kept) -> None:
        self.carrier = carrier
        self.kept = kept

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        async with asyncio.timeout(ENOUGH_SECONDS):
            return await self.carrier.submit(parcel)

    async def up(self) -> None:
        await until(self.carrier.is_up)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


def parcel(text: str = "【清风书店】您的验证码是123456", **differs: object) -> Parcel:
    usual = Parcel(
        message_id=1,
        account_id=1,
        template_id="1",
        number=NUMBER,
        text=text,
        signature="清风书店",
        international=False,
        type=MessageType.VERIFICATION,
        extension_code="",
        sender_id="",
        attempts=1,
        spans="[]",
        at_most_once=False,
        deadline_at=NOON_IN_BEIJING + 600,
    )
    return msgspec.structs.replace(usual, **differs)


@contextlib.asynccontextmanager
async def reached(smsc: SMSC, *, profile: Profile = USUAL, up: bool = True, **link: object) -> AsyncIterator[Reached]:
    fields: dict[str, object] = {
        "name": "unicom",
        "host": smsc.host,
        "port": smsc.port,
        "system_id": "cts",
        "password": "secret",
        "source_addr": "10690001",
        "reconnect_most_seconds": 0.02,
    }
    carrier = SmppCarrier(msgspec.convert(fields | link, SmppLink), profile=profile, clock=Clock())
    both = Reached(carrier, Kept())
    await carrier.start(on_receipts=both.kept.keep_receipts, on_reply=both.kept.keep_reply)
    try:
        if up:
            await both.up()
        yield both
    finally:
        async with asyncio.timeout(ENOUGH_SECONDS):
            await carrier.stop()


# --- there and back ---


@pytest.mark.parametrize("bind", ["transceiver", "separate"])
async def test_a_message_goes_out_and_its_receipt_comes_back_under_the_same_id(bind: str) -> None:
    async with SMSC() as smsc, reached(smsc, bind=bind) as both:
        assert sorted(smsc.bound) == (
            ["cts transceiver"] if bind == "transceiver" else ["cts receiver", "cts transmitter"]
        )
        said = await both.submit(parcel())
        (taken,) = await smsc.taken(1)
        await smsc.told()
        assert isinstance(said, Submitted)
        (receipt,) = both.kept.receipts
        assert (receipt.carrier, (receipt.carrier_id,), receipt.status) == (
            "unicom",
            said.carrier_ids,
            ReceiptStatus.DELIVERED,
        )
        assert (taken.text, taken.number) == (parcel().text, "8613800138000")
        assert taken.message.source_addr == "10690001"


@pytest.mark.parametrize("joining_", list(Joining))
async def test_a_long_text_leaves_in_parts_that_belong_together(joining_: Joining) -> None:
    async with SMSC() as smsc, reached(smsc, profile=Profile(joining=joining_)) as both:
        said = await both.submit(parcel(LONG))
        parts = 1 if joining_ is Joining.PAYLOAD else 3
        taken = await smsc.taken(parts)
        await smsc.told()
        assert isinstance(said, Submitted)
        assert len(said.carrier_ids) == parts
        assert sorted(said.carrier_ids) == sorted(receipt.carrier_id for receipt in both.kept.receipts)
        assert "".join(part.text for part in taken) == LONG
        if joining_ is not Joining.PAYLOAD:
            assert [part.part for part in taken] == [(1, 3), (2, 3), (3, 3)]


async def test_a_carrier_that_reports_once_on_all_parts_is_said_to() -> None:
    profile = Profile(receipts=Receipts(parts="one"))
    async with SMSC(receipts_of="last") as smsc, reached(smsc, profile=profile) as both:
        said = await both.submit(parcel(LONG))
        assert isinstance(said, Submitted)
        assert said.one_receipt


async def test_texts_of_several_parts_have_references_of_their_own() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        await asyncio.gather(both.submit(parcel(LONG)), both.submit(parcel(LONG)))
        references = {taken.message.short_message[3] for taken in await smsc.taken(6)}
        assert len(references) == 2


async def test_the_least_busy_connection_takes_the_message() -> None:
    async with SMSC(answer_after=0.02) as smsc, reached(smsc, sessions=3) as both:
        await until(lambda: len(smsc.bound) == 3)
        await asyncio.gather(*(both.submit(parcel()) for _ in range(9)))
        taken = await smsc.taken(9)
        assert sorted(message.session for message in taken) == [1, 1, 1, 2, 2, 2, 3, 3, 3]


# --- what stands in it ---


async def test_senders_are_by_signature_with_an_extension_or_by_their_own_id() -> None:
    async with SMSC() as smsc, reached(smsc, sources={"清风书店": "10690777"}) as both:
        await both.submit(parcel(extension_code="66"))
        await both.submit(parcel(signature="另一家", extension_code="66"))
        await both.submit(parcel(international=True, sender_id="ClearToSend", extension_code="66"))
        await both.submit(parcel(international=True, sender_id="447700900000"))
        sources = [
            (one.message.source_addr, one.message.source_addr_ton, one.message.source_addr_npi)
            for one in await smsc.taken(4)
        ]
        assert sources == [("1069077766", 0, 0), ("1069000166", 0, 0), ("ClearToSend", 5, 0), ("447700900000", 0, 0)]


async def test_a_profile_says_what_else_stands_there() -> None:
    profile = Profile(
        service_type="CMT",
        protocol_id=1,
        priority=2,
        registered_delivery=0x11,
        validity="relative",
        addresses=Addresses(without_prefix="86", destination_ton=2, source_ton=3, source_npi=1),
        tlvs=(OwnTlv(tag=0x1501, form="c-text", value="cts"),),
        alphabets=(Writing(Alphabet.UCS2, 0x18),),
    )
    async with SMSC() as smsc, reached(smsc, profile=profile) as both:
        await both.submit(parcel())
        (taken,) = await smsc.taken(1)
        expected = ShortMessage(
            service_type="CMT",
            source_addr_ton=3,
            source_addr_npi=1,
            source_addr="10690001",
            dest_addr_ton=2,
            dest_addr_npi=1,
            destination_addr="13800138000",
            protocol_id=1,
            priority_flag=2,
            validity_period="000000001000000R",
            registered_delivery=0x11,
            data_coding=0x18,
            short_message=parcel().text.encode("utf-16-be"),
            tlvs=((0x1501, b"cts\0"),),
        )
        assert taken.message == expected


async def test_what_cannot_be_written_is_refused_and_not_sent() -> None:
    latin_only = Profile(alphabets=(Writing(Alphabet.LATIN1, 3),))
    async with SMSC() as smsc, reached(smsc, profile=latin_only) as both:
        assert await both.submit(parcel()) == UNWRITABLE
        assert await both.submit(parcel("hello", extension_code="1" * 20)) == BAD_ADDRESS
        assert await both.submit(parcel("hello", sender_id="清风")) == BAD_ADDRESS
        assert isinstance(await both.submit(parcel("hello")), Submitted)
        assert smsc.counts["taken"] == 1


# --- refusals ---


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        ("ESME_RTHROTTLED", NotSubmitted("ESME_RTHROTTLED", again=True, slow_down=True)),
        ("ESME_RSYSERR", NotSubmitted("ESME_RSYSERR", again=True)),
        ("ESME_RINVDSTADR", NotSubmitted("ESME_RINVDSTADR", again=False, of_message=True)),
        ("ESME_RINVSRCADR", NotSubmitted("ESME_RINVSRCADR", again=False, tell_operator=True)),
        ("0x401", NotSubmitted("0x00000401", again=False, tell_operator=True)),
    ],
)
async def test_a_refusal_says_what_it_asks_for(status: str, refusal: NotSubmitted) -> None:
    async with SMSC(refuse=status) as smsc, reached(smsc) as both:
        assert await both.submit(parcel()) == refusal
        assert await both.submit(parcel(LONG)) == refusal


async def test_an_answer_without_an_id_is_taken_for_what_it_says() -> None:
    async with SMSC(id_in_answer="", receipts="none") as smsc, reached(smsc) as both:
        assert await both.submit(parcel()) == Submitted(())


@pytest.fixture
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carriers, "PART_PAUSES_SECONDS", (0.001, 0.001))


@pytest.mark.usefixtures("quick_pauses")
async def test_parts_that_were_refused_for_a_while_are_sent_again_without_the_others() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        smsc.rule(times=2, refuse="ESME_RTHROTTLED")
        said = await both.submit(parcel(LONG))
        assert isinstance(said, Submitted)
        taken = await smsc.taken(3)
        assert [part.part for part in taken] == [(3, 3), (1, 3), (2, 3)]
        assert len({part.message.short_message[3] for part in taken}) == 1
        await smsc.told()
        # In the order of the text, not of the answers.
        assert list(said.carrier_ids) == [str(taken[place].id) for place in (1, 2, 0)]


@pytest.mark.usefixtures("quick_pauses")
@pytest.mark.parametrize("status", ["ESME_RINVDSTADR", "ESME_RTHROTTLED"])
async def test_a_text_has_failed_for_good_when_some_parts_went_and_others_will_not(status: str) -> None:
    async with SMSC(refuse=status) as smsc, reached(smsc) as both:
        smsc.rule(times=1, refuse="")
        assert await both.submit(parcel(LONG)) == NotSubmitted(
            status, again=False, of_message=status == "ESME_RINVDSTADR"
        )
        assert smsc.counts["taken"] == 1


@pytest.mark.usefixtures("quick_pauses")
async def test_one_part_refused_for_good_ends_the_hope_of_the_others() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        smsc.rule(times=1, refuse="ESME_RINVDSTADR")
        smsc.rule(times=1, refuse="ESME_RTHROTTLED")
        assert await both.submit(parcel(LONG)) == NotSubmitted("ESME_RINVDSTADR", again=False, of_message=True)
        assert smsc.counts["taken"] == 1


@pytest.mark.usefixtures("quick_pauses")
async def test_parts_are_not_sent_again_when_nobody_would_want_them_any_more() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        smsc.rule(times=1, refuse="ESME_RTHROTTLED")
        said = await both.submit(parcel(LONG, deadline_at=NOON_IN_BEIJING))
        assert said == NotSubmitted("ESME_RTHROTTLED", again=False)


# --- lines that fail ---


async def test_without_a_connection_nothing_is_handed_over() -> None:
    async with SMSC(bind_after=30) as smsc, reached(smsc, up=False) as both:
        assert not both.carrier.is_up()
        assert await both.submit(parcel()) == NOT_BOUND


async def test_a_connection_that_is_wanted_no_more_is_closed_though_its_bind_was_never_answered() -> None:
    opened, closed = asyncio.Event(), asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.set()
        await reader.read()
        writer.close()
        closed.set()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server, SMSC() as smsc:
        async with reached(smsc, up=False, port=server.sockets[0].getsockname()[1]), asyncio.timeout(ENOUGH_SECONDS):
            await opened.wait()
        async with asyncio.timeout(ENOUGH_SECONDS):
            await closed.wait()


async def test_what_was_on_the_wire_is_unknown_and_the_connection_comes_back() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        smsc.rule(times=1, cut_before_answer=1.0)
        with pytest.raises(OutcomeUnknown):
            await both.submit(parcel())
        await both.up()
        assert isinstance(await both.submit(parcel()), Submitted)
        smsc.rule(times=3, cut_before_answer=1.0)
        with pytest.raises(OutcomeUnknown):
            await both.submit(parcel(LONG))


async def test_a_restart_of_the_smsc_is_noticed_and_got_over() -> None:
    with structlog.testing.capture_logs() as told:
        async with SMSC() as smsc, reached(smsc, sessions=2) as both:
            await until(lambda: len(smsc.bound) == 2)
            await smsc.restart(away_seconds=0.1)
            await until(lambda: len(smsc.bound) == 2)
            await both.up()
            assert isinstance(await both.submit(parcel()), Submitted)
    # Once for each connection, however often it was tried.
    assert [line["event"] for line in told].count("carrier.lost") == 2
    assert [line["event"] for line in told].count("carrier.not_connected") <= 2


async def test_an_smsc_that_unbinds_us_is_bound_to_again() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        smsc.unbind()
        await until(lambda: smsc.counts["bound"] == 2)
        await both.up()
        assert isinstance(await both.submit(parcel()), Submitted)


async def test_a_wrong_password_is_told_once_and_a_new_one_needs_no_restart(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("old\n")
    with structlog.testing.capture_logs() as told:
        async with SMSC(password="new") as smsc, reached(smsc, up=False, password_file=str(password)) as both:
            await smsc.until(lambda: smsc.counts["binds refused"] >= 3)
            assert not both.carrier.is_up()
            password.write_text("new\n")
            await both.up()
    refused = [line for line in told if line["event"] == "carrier.bind_refused"]
    assert [(line["log_level"], line["because"]) for line in refused] == [("error", "ESME_RINVPASWD")]
    assert not any("old" in str(line) for line in told)


@pytest.mark.parametrize(
    ("link", "because"),
    [
        ({"password_file": "/nowhere/password"}, "No such file"),
        ({"host": "." * 3}, ""),
        ({"system_id": "x" * 70}, "system_id"),
        ({"port": 1}, "Connect call failed"),
    ],
)
async def test_what_keeps_it_from_connecting_is_told_and_tried_again(link: dict[str, Any], because: str) -> None:
    with structlog.testing.capture_logs() as told:
        async with SMSC() as smsc, reached(smsc, up=False, **link) as both:
            await until(lambda: bool(told))
            await asyncio.sleep(0.05)
            assert not both.carrier.is_up()
    (line,) = told
    assert because in line["because"]


async def test_how_long_it_waits_grows_to_a_bound_and_never_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "uniform", lambda _least, most: most)
    link = msgspec.convert({"name": "x", "host": "x", "system_id": "x"}, SmppLink)
    line = SmppCarrier(link, profile=Profile())._lines[0]  # noqa: SLF001 - nobody waits a minute in a test
    assert [line._wait_seconds(slowly=False) for _ in range(9)] == [0.1, 1, 2, 4, 8, 16, 32, 60, 60]  # noqa: SLF001
    line = SmppCarrier(link, profile=Profile())._lines[0]  # noqa: SLF001
    assert line._wait_seconds(slowly=True) == 60  # noqa: SLF001


async def test_the_end_of_a_connection_that_lasted_is_the_first_of_a_new_series(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "STEADY_SECONDS", 0.0)
    async with SMSC() as smsc, reached(smsc) as both:
        for times in range(1, 4):
            smsc.cut()
            await until(lambda: smsc.counts["bound"] == times + 1)  # noqa: B023 - called in this turn alone
            assert both.carrier._lines[0]._attempts == 1  # noqa: SLF001


async def test_tls_is_spoken_with_a_server_that_is_vouched_for(tmp_path: Path) -> None:
    tls, _ = certificate_for("127.0.0.1", tmp_path)
    async with SMSC(tls=tls) as smsc, reached(smsc, tls=True, tls_ca=str(tmp_path / "server.pem")) as both:
        assert isinstance(await both.submit(parcel()), Submitted)
        await smsc.told()
        assert len(both.kept.receipts) == 1


async def test_tls_is_not_spoken_with_a_server_that_nobody_vouches_for(tmp_path: Path) -> None:
    tls, _ = certificate_for("127.0.0.1", tmp_path)
    with structlog.testing.capture_logs() as told:
        async with SMSC(tls=tls) as smsc, reached(smsc, up=False, tls=True):
            await until(lambda: bool(told))
            assert smsc.bound == []
    assert "CERTIFICATE_VERIFY_FAILED" in told[0]["because"]


async def test_connections_that_are_bound_are_counted() -> None:
    def bound() -> float:
        return REGISTRY.get_sample_value("cleartosend_carrier_sessions", {"carrier": "counted"}) or 0.0

    async with SMSC() as smsc:
        async with reached(smsc, name="counted", sessions=2):
            await until(lambda: bound() == 2)
        assert bound() == 0


# --- receipts ---


@pytest.fixture
def repeated_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "REPEAT_AFTER_SECONDS", 0.001)


@pytest.mark.usefixtures("repeated_soon")
async def test_a_receipt_that_cannot_be_kept_is_not_acknowledged_and_comes_again() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        both.kept.troubles = 2
        await both.submit(parcel())
        await smsc.told()
        assert len(both.kept.receipts) == 1
        assert (smsc.counts["repeated"], smsc.counts["acknowledged"]) == (2, 1)


async def test_receipts_that_come_together_are_kept_together() -> None:
    batches: list[int] = []

    async def keep(receipts: Sequence[Receipt]) -> None:
        batches.append(len(receipts))

    async with SMSC(receipts_after=0.02) as smsc, reached(smsc, session_window=100) as both:
        both.carrier._on_receipts = keep  # noqa: SLF001 - to see how they are handed over
        await asyncio.gather(*(both.submit(parcel()) for _ in range(100)))
        await smsc.told()
        assert sum(batches) == 100
        assert len(batches) < 50


async def test_what_is_called_a_receipt_and_says_nothing_is_acknowledged_and_counted() -> None:
    def unreadable() -> float:
        labels = {"carrier": "vague", "what": "unreadable receipt"}
        return REGISTRY.get_sample_value("cleartosend_carrier_ignored_total", labels) or 0.0

    async with SMSC() as smsc, reached(smsc, name="vague") as both:
        smsc.send(Command.DELIVER_SM, encode_body(ShortMessage(esm_class=4, short_message=b"hello")))
        await until(lambda: unreadable() == 1)
        await smsc.until(lambda: smsc.counts["answers to nothing"] == 1)
        assert (both.kept.receipts, both.kept.replies) == ([], [])


# --- replies ---


async def test_a_reply_has_its_number_its_text_and_what_was_written_behind_our_address() -> None:
    async with SMSC() as smsc, reached(smsc, sources={"另一家": "106900015"}) as both:
        smsc.reply("退订", number="8613800138000", to="1069000166")
        smsc.reply("R", number="8613800138000", to="10690001566")
        smsc.reply("?", number="8613800138000", to="95588")
        await smsc.told()
        assert both.kept.replies == [
            Reply(carrier="unicom", number=NUMBER, text=text, extension_code=extension, at=NOON_IN_BEIJING)
            for text, extension in [("退订", "66"), ("R", "66"), ("?", "")]
        ]


@pytest.mark.usefixtures("repeated_soon")
async def test_a_long_reply_is_put_together_and_acknowledged_when_it_is_kept() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        both.kept.troubles = 1
        smsc.reply(LONG, number="8613800138000", to="10690001")
        await smsc.told()
        assert [reply.text for reply in both.kept.replies] == [LONG]
        assert (smsc.counts["repeated"], smsc.counts["acknowledged"]) == (3, 3)


def part(number: int, of: int, text: str, **differs: object) -> bytes:
    """A part of a reply, marked by optional parameters."""
    tlvs = (
        (Tag.SAR_MSG_REF_NUM, b"\0\7"),
        (Tag.SAR_TOTAL_SEGMENTS, bytes((of,))),
        (Tag.SAR_SEGMENT_SEQNUM, bytes((number,))),
    )
    message = ShortMessage(source_addr="8613800138000", short_message=text.encode(), tlvs=tlvs)
    return encode_body(msgspec.structs.replace(message, **differs))


async def test_parts_may_come_in_any_order_twice_and_by_another_connection() -> None:
    async with SMSC() as smsc, reached(smsc, sessions=2) as both:
        await until(lambda: len(smsc.bound) == 2)
        for number in (3, 1, 1):
            smsc.send(Command.DELIVER_SM, part(number, 3, f"part {number} "))
        smsc.send(Command.DELIVER_SM, part(2, 3, "part 2 "))
        await until(lambda: bool(both.kept.replies))
        assert both.kept.replies[0].text == "part 1 part 2 part 3 "
        # Each came by both connections, and by each it is acknowledged.
        await smsc.until(lambda: smsc.counts["answers to nothing"] == 8)


async def test_parts_whose_others_do_not_come_are_kept_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "WAIT_SECONDS", 0.02)
    async with SMSC() as smsc, reached(smsc) as both:
        smsc.send(Command.DELIVER_SM, part(1, 3, "one "))
        smsc.send(Command.DELIVER_SM, part(3, 3, "three"))
        await smsc.until(lambda: smsc.counts["answers to nothing"] == 2)
        assert [reply.text for reply in both.kept.replies] == ["one three"]


async def test_no_more_texts_wait_for_their_parts_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MOST_WAITING", 2)
    async with SMSC() as smsc, reached(smsc) as both:
        for number in range(3):
            smsc.send(Command.DELIVER_SM, part(1, 2, "half", source_addr=f"861380013800{number}"))
        await until(lambda: bool(both.kept.replies))
        assert [reply.number for reply in both.kept.replies] == ["+8613800138000"]
        await both.carrier.stop()
        # What still waited is kept too, and acknowledged before the goodbye.
        assert sorted(reply.number for reply in both.kept.replies) == [f"+861380013800{number}" for number in range(3)]
        assert smsc.counts["answers to nothing"] == 3


async def test_a_reply_with_characters_that_are_none_is_kept_without_them() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        message = ShortMessage(
            source_addr="8613800138000", data_coding=8, short_message="退\0订".encode("utf-16-be") + b"x"
        )
        smsc.send(Command.DELIVER_SM, encode_body(message))
        await until(lambda: bool(both.kept.replies))
        assert both.kept.replies[0].text == "退订\ufffd"


async def test_what_a_telephone_acknowledges_is_no_reply() -> None:
    async with SMSC() as smsc, reached(smsc) as both:
        smsc.send(Command.DELIVER_SM, encode_body(ShortMessage(esm_class=0x08, short_message=b"read")))
        await smsc.until(lambda: smsc.counts["answers to nothing"] == 1)
        assert both.kept.replies == []


# --- all at once ---


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_is_said_of_a_message_is_true_whatever_the_smsc_does(seed: int) -> None:
    """Submitted: it was taken, once. Not submitted: it was not taken. Unknown: one of the two."""
    misbehaviour = {
        "answer_after": "0-5ms",
        "refuse": "ESME_RTHROTTLED 10%, 0x401 5%",
        "never": 0.01,
        "twice": 0.05,
        "garbage": 0.01,
        "broken": 0.005,
        "cut_before_answer": 0.005,
        "cut_before_taking": 0.005,
        "cut_amid_answer": 0.005,
        "hang_before_answer": 0.002,
        "receipts": "none",
    }
    numbers = [f"+86138{place:08}" for place in range(600)]
    said: dict[str, Submitted | NotSubmitted | OutcomeUnknown] = {}
    async with (
        SMSC(seed=seed) as smsc,
        reached(smsc, sessions=3, session_window=10, answer_within_seconds=0.1, enquire_link_seconds=0.1) as both,
    ):
        smsc.behave(**misbehaviour)

        async def send(some: Sequence[str]) -> None:
            for number in some:
                await both.up()
                try:
                    said[number] = await both.submit(parcel(number=number))
                except OutcomeUnknown as unknown:
                    said[number] = unknown

        await asyncio.gather(*(send(numbers[start::30]) for start in range(30)))
        times = Counter(f"+{taken.number}" for taken in smsc.messages)
        assert len(said) == len(numbers)
        for number, outcome in said.items():
            allowed = {Submitted: {1}, NotSubmitted: {0}, OutcomeUnknown: {0, 1}}[type(outcome)]
            assert times[number] in allowed, (number, outcome)
        assert {type(outcome) for outcome in said.values()} == {Submitted, NotSubmitted, OutcomeUnknown}


@pytest.mark.usefixtures("repeated_soon")
async def test_every_receipt_and_reply_is_kept_whatever_happens_on_the_way() -> None:
    async with SMSC(receipts_after="0-20ms") as smsc, reached(smsc, sessions=2) as both:
        kept = both.kept
        for place in range(12):
            await until(lambda: len(smsc.bound) == 2)
            # What was acknowledged on a line that is cut comes again, since nobody can know that it was.
            kept.troubles = 3
            smsc.reply(f"reply {place}" if place % 2 else f"{LONG}{place}", number="8613800138000")
            outcomes = await asyncio.gather(*(both.submit(parcel()) for _ in range(10)), return_exceptions=True)
            assert all(isinstance(outcome, Submitted | NotSubmitted | OutcomeUnknown) for outcome in outcomes)
            closed = smsc.counts["closed"]
            smsc.cut()
            await until(lambda: smsc.counts["closed"] == closed + 2)  # noqa: B023 - called in this turn alone
        await smsc.told()
        assert {receipt.carrier_id for receipt in kept.receipts} == {taken.carrier_id for taken in smsc.messages}
        assert {reply.text for reply in kept.replies} >= {f"reply {place}" for place in range(1, 12, 2)}
        assert {reply.text for reply in kept.replies} >= {f"{LONG}{place}" for place in range(0, 12, 2)}
