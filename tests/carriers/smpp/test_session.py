"""One connection to an SMSC: what is asked is answered, once, and what cannot be known is said to be unknown."""

import asyncio
import socket

import pytest
from carriers.smpp.peer import ENOUGH_SECONDS, Connected, bound, connected

from cleartosend.carriers.smpp import session as sessions
from cleartosend.carriers.smpp.pdu import (
    Bind,
    Command,
    DataMessage,
    ShortMessage,
    Status,
    decode,
    encode,
    encode_body,
    encode_short_message,
    frame,
)
from cleartosend.carriers.smpp.session import NOT_BOUND, Answer, Outcome
from cleartosend.ports import NotSubmitted, OutcomeUnknown, Submitted

NUMBER = "+8613800138000"
BODY = encode_short_message(ShortMessage(destination_addr="8613800138000", short_message=b"hi"))
# Long enough for a loaded machine to answer in time, short enough to wait for.
SOON = 0.06


def submit(both: Connected, times: int = 1) -> list[asyncio.Future[Outcome]]:
    return [both.session.submit(BODY, f"+{place}") for place in range(times)]


async def outcome(future: asyncio.Future[Outcome]) -> Outcome:
    async with asyncio.timeout(ENOUGH_SECONDS):
        return await future


async def ended(both: Connected) -> str:
    async with asyncio.timeout(ENOUGH_SECONDS):
        return await both.session.ended


def receipt(sequence: int, text: bytes = b"id:1 stat:DELIVRD") -> bytes:
    return encode(Command.DELIVER_SM, ShortMessage(esm_class=4, short_message=text), sequence=sequence)


# --- binding ---


@pytest.mark.parametrize(
    ("command", "may"),
    [(Command.BIND_TRANSCEIVER, True), (Command.BIND_TRANSMITTER, True), (Command.BIND_RECEIVER, False)],
)
async def test_a_session_may_send_once_it_is_bound_to(command: Command, *, may: bool) -> None:
    async with connected() as both:
        assert not both.session.may_transmit()
        await both.bound(command)
        assert both.session.may_transmit() is may
        if not may:
            assert await outcome(submit(both)[0]) == NOT_BOUND


async def test_a_refused_bind_says_why_at_once() -> None:
    async with connected() as both:
        binding = asyncio.ensure_future(both.session.bind(Command.BIND_TRANSCEIVER, Bind(password="no")))
        both.peer.answer(await both.peer.next(), body=b"", status=Status.ESME_RINVPASWD)
        assert await binding == Answer(Status.ESME_RINVPASWD, b"")
        assert not both.session.may_transmit()


async def test_a_bind_that_is_not_answered_is_given_up() -> None:
    async with connected(answer_within_seconds=SOON) as both:
        assert await both.session.bind(Command.BIND_TRANSCEIVER, Bind()) is None


async def test_a_bind_ends_with_the_connection() -> None:
    async with connected() as both:
        binding = asyncio.ensure_future(both.session.bind(Command.BIND_TRANSCEIVER, Bind()))
        await both.peer.next()
        both.peer.hang_up()
        assert await binding is None


async def test_what_follows_the_answer_to_a_bind_in_one_write_is_taken() -> None:
    async with connected() as both:
        binding = asyncio.ensure_future(both.session.bind(Command.BIND_TRANSCEIVER, Bind()))
        _, _, sequence, _ = await both.peer.next()
        both.peer.send(frame(Command.BIND_TRANSCEIVER_RESP, sequence, b"\0"), receipt(1))
        await both.until_delivered(1)
        assert await binding


async def test_an_answer_of_another_kind_is_not_taken_for_that_to_a_bind() -> None:
    async with connected() as both:
        binding = asyncio.ensure_future(both.session.bind(Command.BIND_TRANSCEIVER, Bind()))
        _, _, sequence, _ = await both.peer.next()
        both.peer.send(frame(Command.BIND_RECEIVER_RESP, sequence, b"\0"))
        assert await both.peer.says_nothing()
        assert not binding.done()
        both.peer.send(frame(Command.BIND_TRANSCEIVER_RESP, sequence, b"\0"))
        assert await binding


# --- messages ---


async def test_answers_find_their_messages_in_whatever_order_they_come() -> None:
    async with bound() as both:
        futures = submit(both, 3)
        asked = await both.peer.take(3)
        for place in (2, 0, 1):
            both.peer.answer(asked[place], body=b"id%d\0" % place)
        assert [await outcome(future) for future in futures] == [
            Submitted(("id0", "+0")),
            Submitted(("id1", "+1")),
            Submitted(("id2", "+2")),
        ]
        assert [body for _, _, _, body in asked] == [BODY] * 3


@pytest.mark.parametrize("status", [Status.ESME_RTHROTTLED, 0x400, 0xFFFF_FFFF])
@pytest.mark.parametrize("body", [b"", b"\0", b"an id all the same\0"])
async def test_a_refusal_comes_through_with_a_body_and_without(status: int, body: bytes) -> None:
    async with bound() as both:
        (future,) = submit(both)
        both.peer.answer(await both.peer.next(), body=body, status=status)
        refused = await outcome(future)
        assert isinstance(refused, NotSubmitted)
        assert both.session.may_transmit()


async def test_no_more_is_on_the_wire_than_the_window_has_room_for() -> None:
    async with bound(window=10) as both:
        futures = submit(both, 25)
        first = await both.peer.take(10)
        assert await both.peer.says_nothing()
        assert both.session.load() == 25
        both.peer.answer(*first[:3])
        second = await both.peer.take(3)
        assert await both.peer.says_nothing()
        both.peer.answer(*first[3:], *second)
        both.peer.answer(*await both.peer.take(10))
        both.peer.answer(*await both.peer.take(2))
        assert all([isinstance(await outcome(future), Submitted) for future in futures])
        assert both.session.load() == 0


async def test_a_message_given_up_while_it_waits_never_goes_out() -> None:
    async with bound(window=1) as both:
        first, second, third = submit(both, 3)
        second.cancel()
        both.peer.answer(await both.peer.next(), body=b"1\0")
        both.peer.answer(await both.peer.next(), body=b"3\0")
        assert await outcome(first) == Submitted(("1", "+0"))
        assert await outcome(third) == Submitted(("3", "+2"))
        assert await both.peer.says_nothing()


async def test_a_message_given_up_on_the_wire_leaves_its_answer_to_nobody() -> None:
    async with bound(window=1) as both:
        first, second = submit(both, 2)
        asked = await both.peer.next()
        first.cancel()
        both.peer.answer(asked)
        both.peer.answer(await both.peer.next())
        assert isinstance(await outcome(second), Submitted)


async def test_a_nack_is_a_refusal() -> None:
    async with bound() as both:
        first, second = submit(both, 2)
        asked = await both.peer.take(2)
        both.peer.send(frame(Command.GENERIC_NACK, asked[0][2], status=Status.ESME_RINVCMDLEN))
        both.peer.send(frame(Command.GENERIC_NACK, asked[1][2]))
        assert await outcome(first) == NotSubmitted("ESME_RINVCMDLEN", again=False)
        assert await outcome(second) == NotSubmitted("ESME_RUNKNOWNERR", again=False)


async def test_sequence_numbers_begin_again_when_they_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "HIGHEST_SEQUENCE", 3)
    async with bound() as both:
        futures = submit(both, 3)
        asked = await both.peer.take(3)
        assert [sequence for _, _, sequence, _ in asked] == [2, 3, 1]
        both.peer.answer(*asked)
        assert [await outcome(future) for future in futures]


# --- silence ---


async def test_a_message_that_is_not_answered_ends_as_unknown_and_the_session_goes_on() -> None:
    async with bound(answer_within_seconds=SOON, window=1) as both:
        first, second = submit(both, 2)
        asked = await both.peer.next()
        with pytest.raises(OutcomeUnknown):
            await outcome(first)
        both.peer.answer(await both.peer.next(), body=b"2\0")
        assert await outcome(second) == Submitted(("2", "+1"))
        both.peer.answer(asked, body=b"late\0")
        assert await both.peer.says_nothing()
        assert both.not_expected == ["late answer"]
        assert both.given_up == 1


async def test_several_messages_without_an_answer_end_the_session() -> None:
    async with bound(answer_within_seconds=SOON, window=sessions.SILENCES_BEFORE_CLOSING) as both:
        futures = submit(both, sessions.SILENCES_BEFORE_CLOSING + 1)
        assert await ended(both) == "messages were not answered"
        for future in futures[:-1]:
            with pytest.raises(OutcomeUnknown):
                await outcome(future)
        last = futures[-1]
        assert last.exception() is not None or await outcome(last) == NOT_BOUND


async def test_what_was_written_is_unknown_when_the_line_drops_and_what_was_not_may_go_again() -> None:
    async with bound(window=2) as both:
        futures = submit(both, 4)
        await both.peer.take(2)
        both.peer.hang_up()
        for future in futures[:2]:
            with pytest.raises(OutcomeUnknown):
                await outcome(future)
        assert [await outcome(future) for future in futures[2:]] == [NOT_BOUND, NOT_BOUND]
        assert (await ended(both)).startswith("the connection was lost")
        assert await outcome(submit(both)[0]) == NOT_BOUND
        assert await both.session.ask(Command.ENQUIRE_LINK, ShortMessage()) is None


async def test_a_silent_peer_is_asked_whether_it_is_there() -> None:
    async with bound(enquire_link_seconds=0.02) as both:
        for _ in range(3):
            asked = await both.peer.next()
            assert asked[0] == Command.ENQUIRE_LINK
            both.peer.answer(asked, body=b"")
        assert both.session.may_transmit()
        assert both.not_expected == []


async def test_a_peer_that_is_not_there_is_left() -> None:
    async with bound(enquire_link_seconds=0.02, answer_within_seconds=SOON) as both:
        assert await ended(both) == "nothing was heard, nor was enquire_link answered"


async def test_half_a_pdu_is_not_waited_for_for_ever() -> None:
    async with bound(answer_within_seconds=SOON) as both:
        both.peer.send(receipt(1)[:-3])
        assert await ended(both) == "a PDU was begun and not ended"


async def test_a_pdu_that_comes_octet_by_octet_is_not_waited_for_for_ever_either() -> None:
    async with bound(answer_within_seconds=SOON) as both:
        whole = receipt(1, bytes(250))
        for octet in whole:
            if both.session.ended.done():
                break
            both.peer.send(bytes((octet,)))
            await asyncio.sleep(SOON / 20)
        assert await ended(both) == "a PDU was begun and not ended"


async def test_what_we_do_not_read_is_not_silence_of_the_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_UNKEPT_DELIVERIES", 5)
    monkeypatch.setattr(sessions, "FEW_UNKEPT_DELIVERIES", 2)
    async with bound(answer_within_seconds=SOON) as both:
        (future,) = submit(both)
        asked = await both.peer.next()
        half = receipt(11)
        both.peer.send(*(receipt(sequence) for sequence in range(1, 11)), half[:20])
        deliveries = await both.until_delivered(10)
        both.peer.send(half[20:])
        both.peer.answer(asked)
        await asyncio.sleep(SOON * 2)
        assert not future.done()
        both.session.acknowledge(deliveries)
        # As if the time to look came before anything could be read.
        both.session._look_after()  # noqa: SLF001
        assert isinstance(await outcome(future), Submitted)
        assert len(await both.until_delivered(11)) == 11


async def test_a_pdu_may_come_in_pieces() -> None:
    async with bound() as both:
        for octet in receipt(1) + receipt(2)[:20]:
            both.peer.send(bytes((octet,)))
            await both.peer.writer.drain()
            await asyncio.sleep(0)
        await both.until_delivered(1)
        both.peer.send(receipt(2)[20:])
        assert [delivery.sequence for delivery in await both.until_delivered(2)] == [1, 2]


# --- deliveries ---


async def test_what_comes_in_one_read_is_handed_over_together_and_answered_when_it_is_kept() -> None:
    async with bound() as both:
        both.peer.send(*(receipt(sequence) for sequence in range(1, 6)))
        deliveries = await both.until_delivered(5)
        assert len(both.deliveries) == 1
        assert await both.peer.says_nothing()
        both.session.acknowledge(deliveries[:4])
        both.session.acknowledge(deliveries[4:], Status.ESME_RX_T_APPN)
        answers = await both.peer.take(5)
        assert [(command, status, sequence) for command, status, sequence, _ in answers] == [
            (Command.DELIVER_SM_RESP, 0, 1),
            (Command.DELIVER_SM_RESP, 0, 2),
            (Command.DELIVER_SM_RESP, 0, 3),
            (Command.DELIVER_SM_RESP, 0, 4),
            (Command.DELIVER_SM_RESP, Status.ESME_RX_T_APPN, 5),
        ]
        assert {body for *_, body in answers} == {b"\0"}


async def test_data_sm_is_a_delivery_as_well() -> None:
    async with bound() as both:
        both.peer.send(encode(Command.DATA_SM, DataMessage(source_addr="1"), sequence=9))
        (delivery,) = await both.until_delivered(1)
        assert delivery.message == DataMessage(source_addr="1")
        both.session.acknowledge([delivery])
        assert await both.peer.next() == (Command.DATA_SM_RESP, 0, 9, b"\0")


async def test_one_that_cannot_be_read_is_answered_so_and_does_not_stop_the_others() -> None:
    async with bound() as both:
        cut_short = frame(Command.DELIVER_SM, 2, encode_body(ShortMessage(short_message=b"hello"))[:-3])
        both.peer.send(receipt(1), cut_short, receipt(3))
        deliveries = await both.until_delivered(2)
        assert [delivery.sequence for delivery in deliveries] == [1, 3]
        assert await both.peer.next() == (Command.DELIVER_SM_RESP, Status.ESME_RINVMSGLEN, 2, b"\0")
        assert await both.peer.says_nothing()


async def test_when_deliveries_cannot_be_kept_as_fast_as_they_come_they_stay_with_the_peer() -> None:
    """A read may bring more than the limit; what counts is that the next is not made."""
    many = 10_000
    async with bound() as both:
        both.peer.send(*(receipt(sequence, bytes(100)) for sequence in range(1, many + 1)))
        deliveries = await both.until_delivered(sessions.MOST_UNKEPT_DELIVERIES)
        for _ in range(20):
            await asyncio.sleep(0.001)
        held = sum(map(len, both.deliveries))
        assert held < many
        reading = asyncio.ensure_future(both.peer.take(many))
        done = 0
        async with asyncio.timeout(ENOUGH_SECONDS):
            while done < many:
                deliveries = await both.until_delivered(done + 1)
                both.session.acknowledge(deliveries[done:])
                done = len(deliveries)
        assert [sequence for _, _, sequence, _ in await reading] == list(range(1, many + 1))


# --- what else a peer may send ---


async def test_an_enquire_link_is_answered() -> None:
    async with bound() as both:
        both.peer.send(frame(Command.ENQUIRE_LINK, 5))
        assert await both.peer.next() == (Command.ENQUIRE_LINK_RESP, 0, 5, b"")


@pytest.mark.parametrize("command", [0x0000_0001, Command.SUBMIT_SM, 0x0000_0FFF, 0x0001_0200, 0])
async def test_a_command_that_no_esme_is_sent_is_answered_as_unknown(command: int) -> None:
    async with bound() as both:
        both.peer.send(frame(command, 6, b"whatever"))
        assert await both.peer.next() == (Command.GENERIC_NACK, Status.ESME_RINVCMDID, 6, b"")
        assert await both.peer.says_nothing()
        assert both.not_expected == ["unknown command"]


@pytest.mark.parametrize(
    "answer",
    [
        frame(Command.SUBMIT_SM_RESP, 999, b"1\0"),
        frame(Command.BIND_TRANSCEIVER_RESP, 1, b"again\0"),
        frame(Command.GENERIC_NACK, 999),
        frame(0x8000_0FFF, 1),
        frame(0xFFFF_FFFF, 1, b"\xff" * 40),
    ],
)
async def test_an_answer_that_nobody_waits_for_is_counted_and_not_answered(answer: bytes) -> None:
    async with bound() as both:
        both.peer.send(answer)
        assert await both.peer.says_nothing()
        assert both.not_expected == ["late answer"]


async def test_an_answer_of_another_kind_is_not_taken_for_that_to_a_message() -> None:
    async with bound() as both:
        (future,) = submit(both)
        asked = await both.peer.next()
        both.peer.send(frame(Command.DELIVER_SM_RESP, asked[2], b"\0"))
        assert await both.peer.says_nothing()
        assert not future.done()
        both.peer.answer(asked)
        assert isinstance(await outcome(future), Submitted)


@pytest.mark.parametrize("command", [Command.ALERT_NOTIFICATION, Command.OUTBIND])
async def test_what_the_standard_gives_no_answer_for_gets_none(command: Command) -> None:
    async with bound() as both:
        both.peer.send(frame(command, 3, b"\0" * 8))
        assert await both.peer.says_nothing()
        assert both.not_expected == ["not for us"]


@pytest.mark.parametrize("length", [0, 4, 15, 65_537, 0xFFFF_FFFF])
async def test_a_length_that_cannot_be_ends_the_session_after_what_came_before_it(length: int) -> None:
    async with bound() as both:
        both.peer.send(receipt(1), length.to_bytes(4), (5).to_bytes(4), bytes(4), (8).to_bytes(4))
        assert await both.peer.next() == (Command.GENERIC_NACK, Status.ESME_RINVCMDLEN, 8, b"")
        assert await both.peer.hung_up()
        assert await ended(both) == f"command_length {length}"
        assert len(both.deliveries) == 1


# --- the end ---


async def test_a_peer_that_unbinds_may_still_answer_what_it_has() -> None:
    async with bound(window=1) as both:
        first, second = submit(both, 2)
        asked = await both.peer.next()
        both.peer.send(frame(Command.UNBIND, 4))
        assert await both.peer.next() == (Command.UNBIND_RESP, 0, 4, b"")
        assert await outcome(second) == NOT_BOUND
        assert not both.session.may_transmit()
        both.peer.answer(asked, body=b"1\0")
        assert await outcome(first) == Submitted(("1", "+0"))
        assert await both.peer.hung_up()
        assert await ended(both) == "the SMSC unbound"


async def test_a_peer_that_unbinds_while_nothing_is_under_way_is_left_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions.Session, "_look_after", lambda _session: None)
    async with bound() as both:
        both.peer.send(frame(Command.UNBIND, 4))
        assert await both.peer.next() == (Command.UNBIND_RESP, 0, 4, b"")
        assert await ended(both) == "the SMSC unbound"


async def test_a_peer_that_unbinds_and_answers_no_more_is_left_in_the_end() -> None:
    async with bound(answer_within_seconds=SOON) as both:
        (future,) = submit(both)
        await both.peer.next()
        both.peer.send(frame(Command.UNBIND, 4))
        with pytest.raises(OutcomeUnknown):
            await outcome(future)
        assert await ended(both) == "the SMSC unbound"


async def test_goodbye_is_said_and_waited_for() -> None:
    async with bound() as both:
        leaving = asyncio.ensure_future(both.session.unbind())
        asked = await both.peer.next()
        assert asked[0] == Command.UNBIND
        assert not leaving.done()
        both.peer.answer(asked, body=b"")
        assert await both.peer.hung_up()
        async with asyncio.timeout(ENOUGH_SECONDS):
            await leaving
        await both.session.unbind()


async def test_what_still_waits_when_goodbye_is_said_does_not_go_out_behind_it() -> None:
    async with bound(window=1) as both:
        _, second = submit(both, 2)
        asked = await both.peer.next()
        leaving = asyncio.ensure_future(both.session.unbind())
        goodbye = await both.peer.next()
        both.peer.answer(asked)
        assert await outcome(second) == NOT_BOUND
        assert await both.peer.says_nothing()
        both.peer.answer(goodbye, body=b"")
        await leaving


async def test_goodbye_to_a_peer_that_says_nothing_is_said_all_the_same() -> None:
    async with bound(answer_within_seconds=SOON) as both:
        async with asyncio.timeout(ENOUGH_SECONDS):
            await both.session.unbind()
        assert await ended(both) == "unbound"


# --- a peer that does not read ---


async def test_a_stream_is_whole_after_a_peer_did_not_read_for_a_while() -> None:
    """As 400 messages of 30 kB in a full pipe, which other speakers of SMPP have written over each other."""
    text = bytes(range(256)) * 117
    async with bound(window=400) as both:
        bodies = [
            encode_body(ShortMessage(destination_addr=f"{place}", tlvs=((0x0424, text),))) for place in range(400)
        ]
        futures = [both.session.submit(body, NUMBER) for body in bodies]
        for _ in range(20):
            await asyncio.sleep(0.001)
        asked = await both.peer.take(400)
        assert [body for *_, body in asked] == bodies
        both.peer.answer(*asked)
        assert all([isinstance(await outcome(future), Submitted) for future in futures])


async def test_a_peer_that_writes_and_never_reads_cannot_make_us_keep_its_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sessions, "MOST_UNREAD_OCTETS", 100_000)
    monkeypatch.setattr(sessions, "LINGER_SECONDS", 0.0)
    async with bound() as both:
        ours = both.session._transport  # noqa: SLF001 - its buffers are made small, or the kernel holds megabytes
        assert ours is not None
        both.peer.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ours.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        both.peer.send(frame(Command.ENQUIRE_LINK, 1) * 100_000)
        assert await ended(both) == "the SMSC does not read"


async def test_what_a_session_has_to_say_of_a_bind_never_shows_the_password() -> None:
    async with connected() as both:
        binding = asyncio.ensure_future(both.session.bind(Command.BIND_TRANSCEIVER, Bind(password="secret")))
        command, _, _, body = await both.peer.next()
        assert "secret" not in repr(decode(command, body))
        both.peer.hang_up()
        await binding
