"""
One connection to an SMSC, from its bind to its end: windows, answers matched to what they answer, signs of life.

Citations in brackets are sections of the SMPP 3.4 specification.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Protocol, cast

import msgspec

from cleartosend.carriers.smpp.pdu import (
    MOST_OCTETS,
    RESPONSE,
    Bind,
    Body,
    Command,
    DataMessage,
    Empty,
    Framer,
    Malformed,
    ShortMessage,
    Status,
    decode,
    encode_body,
    frame,
)
from cleartosend.ports import NotSubmitted, OutcomeUnknown, Submitted

Outcome = Submitted | NotSubmitted

NOT_BOUND = NotSubmitted("NOT_BOUND", again=True, not_sent=True)
"""What never went on the wire."""

# [5.1.4] Sequence numbers go from 1 to this, and from the start again.
HIGHEST_SEQUENCE = 0x7FFF_FFFF
# An SMSC loses an answer now and then; this many without one between them, and nobody listens.
SILENCES_BEFORE_CLOSING = 3
# A write is not made longer than that, so that a peer which does not read is noticed before all is written.
ENOUGH_OCTETS_A_WRITE = 1 << 16
# So much of what we wrote may wait for a peer that does not read. Windows bound requests; this bounds answers.
MOST_UNREAD_OCTETS = 1 << 20
# So many deliveries may wait to be kept before we stop reading, and so few before we read on.
MOST_UNKEPT_DELIVERIES = 2000
FEW_UNKEPT_DELIVERIES = 1000
# What was written before a farewell gets so long to leave.
LINGER_SECONDS = 1.0

_BINDS = {Command.BIND_TRANSMITTER, Command.BIND_RECEIVER, Command.BIND_TRANSCEIVER}
_NOT_ANSWERED = {Command.ALERT_NOTIFICATION, Command.OUTBIND}


class Manners(msgspec.Struct, frozen=True, kw_only=True):
    """How a session behaves."""

    window: int = 10
    """Messages written and not answered."""
    answer_within_seconds: float = 10.0
    enquire_link_seconds: float = 30.0
    """How long nothing may be heard before we ask whether anybody is there."""
    most_octets: int = MOST_OCTETS
    """Of a PDU that the peer may send."""


class Answer(msgspec.Struct, frozen=True):
    """What came back for a request that is not a message."""

    status: int
    body: bytes


class Delivery(msgspec.Struct, frozen=True):
    """A deliver_sm or data_sm of the SMSC, which waits to be acknowledged."""

    command: int
    sequence: int
    message: ShortMessage | DataMessage


class Owner(Protocol):
    """Whom a session works for. What it is told, it is told within a turn of the loop, so it must be quick."""

    def outcome_of(self, status: int, body: bytes, number: str) -> Outcome:
        """What a submit_sm_resp says of the message to a number."""
        ...

    def take(self, session: "Session", deliveries: list[Delivery]) -> None:
        """All deliveries of one read. They are open until `Session.acknowledge` is called with them."""
        ...

    def ignored(self, what: str) -> None:
        """A PDU came that nobody waited for, or that cannot be read."""
        ...

    def gave_up(self, messages: int) -> None:
        """So many messages were written, and their answers will not come."""
        ...


class Session(asyncio.Protocol):
    """The ESME's end of one connection."""

    def __init__(self, owner: Owner, manners: Manners) -> None:
        self._owner = owner
        self._manners = manners
        self._loop = asyncio.get_running_loop()
        self._framer = Framer(manners.most_octets)
        self._transport: asyncio.Transport | None = None
        self._sequence = 0
        self._waiting: deque[tuple[bytes, asyncio.Future[Outcome], str]] = deque()
        self._unanswered: dict[int, tuple[asyncio.Future[Outcome], float, str]] = {}
        """Messages on the wire by sequence number, with when they were written, in that order."""
        self._asked: dict[int, tuple[asyncio.Future[Answer | None], int]] = {}
        """Other requests on the wire, with the command that answers them."""
        self._out: list[bytes] = []
        self._flush_due = False
        self._writing_paused = False
        self._reading_paused = False
        self._unkept = 0
        self._heard_at = 0.0
        self._read_on_at = 0.0
        self._half_since: float | None = None
        self._enquired_at: float | None = None
        self._silences = 0
        self._may_transmit = False
        self._leaving = False
        self._ended_because = ""
        self._look_after_it: asyncio.TimerHandle | None = None
        self.ended: asyncio.Future[str] = self._loop.create_future()
        """Done when the connection is gone: why."""

    # --- what its owner asks ---

    async def bind(self, command: int, bind: Bind) -> Answer | None:
        """Bind, and say what the SMSC answered; None when it did not answer, or hung up."""
        return await self.ask(command, bind)

    async def ask(self, command: int, body: Body) -> Answer | None:
        """Any request but a message: its answer, or None when none came. Raises Unwritable."""
        if self._has_ended():
            return None
        sequence = self._next_sequence()
        future: asyncio.Future[Answer | None] = self._loop.create_future()
        self._asked[sequence] = (future, command | RESPONSE)
        self._write(frame(command, sequence, encode_body(body)))
        try:
            async with asyncio.timeout(self._manners.answer_within_seconds):
                return await future
        except TimeoutError:
            return None
        finally:
            self._asked.pop(sequence, None)

    def submit(self, body: bytes, number: str) -> asyncio.Future[Outcome]:
        """
        Send a submit_sm, now or when the window has room for it; they leave in the order in which they came.

        The future fails with OutcomeUnknown where the message was written and no answer came.
        """
        future: asyncio.Future[Outcome] = self._loop.create_future()
        if not self._may_transmit:
            future.set_result(NOT_BOUND)
            return future
        self._waiting.append((body, future, number))
        if not self._flush_due:
            self._flush_soon()
        return future

    def acknowledge(self, deliveries: Iterable[Delivery], status: int = Status.ESME_ROK) -> None:
        """Answer deliveries: they are kept, or `status` says that they are not."""
        for delivery in deliveries:
            self._unkept -= 1
            # [4.6.2] message_id is unused, and there.
            self._out.append(frame(delivery.command | RESPONSE, delivery.sequence, b"\0", status))
        if not self._flush_due:
            self._flush_soon()
        if self._reading_paused and self._unkept <= FEW_UNKEPT_DELIVERIES:
            self._read_on()

    def may_transmit(self) -> bool:
        """Whether it is bound so that messages can be sent."""
        return self._may_transmit

    def load(self) -> int:
        """How many messages it has to do with."""
        return len(self._unanswered) + len(self._waiting)

    async def unbind(self) -> None:
        """Say goodbye [4.2], wait for as much from the peer, and hang up."""
        self._may_transmit = False
        self._give_back_waiting()
        if not self._has_ended():
            await self.ask(Command.UNBIND, Empty())
            self._end("unbound")
        await self.ended

    def hang_up(self, why: str) -> None:
        """End it without a goodbye."""
        self._end(why)

    # --- what the event loop calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._heard_at = self._loop.time()
        self._look_after()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("the connection was lost" if exc is None else f"the connection was lost: {exc}")
        if not self.ended.done():
            self.ended.set_result(self._ended_because)

    def pause_writing(self) -> None:
        self._writing_paused = True

    def resume_writing(self) -> None:
        self._writing_paused = False
        self._flush_soon()

    def data_received(self, data: bytes) -> None:
        if self._has_ended():
            return
        frames = self._framer.feed(data)
        now = self._loop.time()
        if frames:
            self._heard_at = now
            self._enquired_at = None
        deliveries: list[Delivery] = []
        unanswered = self._unanswered
        for command, status, sequence, body in frames:
            if command == Command.SUBMIT_SM_RESP:
                waits = unanswered.pop(sequence, None)
                if waits is None:
                    self._owner.ignored("late answer")
                    continue
                self._silences = 0
                if not waits[0].done():
                    waits[0].set_result(self._owner.outcome_of(status, body, waits[2]))
            elif command == Command.DELIVER_SM or command == Command.DATA_SM:  # noqa: PLR1714 - quicker than a set
                self._take_delivery(command, sequence, body, deliveries)
            else:
                self._take_other(command, status, sequence, body)
        if deliveries:
            self._unkept += len(deliveries)
            self._owner.take(self, deliveries)
            if self._unkept > MOST_UNKEPT_DELIVERIES:
                self._stop_reading()
        self._note_half_pdu(now, some_ended=bool(frames))
        if self._leaving and not unanswered:
            self._end("the SMSC unbound")
        elif self._waiting or self._out:
            self._flush_soon()

    # --- reading ---

    def _take_delivery(self, command: int, sequence: int, body: bytes, deliveries: list[Delivery]) -> None:
        try:
            message = cast("ShortMessage | DataMessage", decode(command, body))
        except Malformed as error:
            self._owner.ignored("malformed")
            self._write(frame(command | RESPONSE, sequence, b"\0", error.status))
        else:
            deliveries.append(Delivery(command, sequence, message))

    def _take_other(self, command: int, status: int, sequence: int, body: bytes) -> None:
        if command == Command.ENQUIRE_LINK:
            self._write(frame(Command.ENQUIRE_LINK_RESP, sequence))
        elif command == Command.ENQUIRE_LINK_RESP:
            # A sign of life, and noted as one already, as every PDU is.
            return
        elif command == Command.GENERIC_NACK:
            self._take_nack(status, sequence)
        elif command & RESPONSE:
            self._take_answer(command, status, sequence, body)
        elif command == Command.UNBIND:
            # What is on the wire may still be answered, so the connection stays until it is, or somebody tires.
            self._may_transmit = False
            self._leaving = True
            self._write(frame(Command.UNBIND_RESP, sequence))
            self._give_back_waiting()
        elif command in _NOT_ANSWERED:
            self._owner.ignored("not for us")
        else:
            # [4.3.1] What an ESME is never sent is as unknown to us as what does not exist.
            self._owner.ignored("unknown command")
            self._write(frame(Command.GENERIC_NACK, sequence, status=Status.ESME_RINVCMDID))

    def _take_answer(self, command: int, status: int, sequence: int, body: bytes) -> None:
        future, expected = self._asked.get(sequence, (None, 0))
        if future is None or command != expected:
            self._owner.ignored("late answer")
            return
        del self._asked[sequence]
        if status == Status.ESME_ROK and command & ~RESPONSE in _BINDS:
            # At once, since what follows in the same read may depend on it.
            self._may_transmit = command != Command.BIND_RECEIVER_RESP
        if not future.done():
            future.set_result(Answer(status, body))

    def _take_nack(self, status: int, sequence: int) -> None:
        """[4.3.1] What we sent was not understood."""
        # One that says "no error" is still a no.
        status = status or Status.ESME_RUNKNOWNERR
        if (message := self._unanswered.pop(sequence, None)) is not None:
            if not message[0].done():
                message[0].set_result(self._owner.outcome_of(status, b"", message[2]))
        elif (request := self._asked.pop(sequence, None)) is not None:
            if not request[0].done():
                request[0].set_result(Answer(status, b""))
        else:
            self._owner.ignored("late answer")

    def _note_half_pdu(self, now: float, *, some_ended: bool) -> None:
        """Remember since when a PDU has been under way; one whose length cannot be is the end of all."""
        if (fault := self._framer.fault) is not None:
            self._write(frame(Command.GENERIC_NACK, fault.sequence, status=Status.ESME_RINVCMDLEN))
            self._end(f"command_length {fault.length}")
        elif not self._framer.waits_for_more:
            self._half_since = None
        elif self._half_since is None or some_ended:
            self._half_since = now

    def _stop_reading(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def _read_on(self) -> None:
        self._reading_paused = False
        self._read_on_at = self._loop.time()
        if self._half_since is not None:
            self._half_since = self._read_on_at
        if not self._has_ended() and self._transport is not None:
            self._transport.resume_reading()

    # --- writing ---

    def _write(self, written: bytes) -> None:
        self._out.append(written)
        self._flush_soon()

    def _flush_soon(self) -> None:
        """At the end of this turn of the loop, with whatever else is written in it."""
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """One write for all there is, and for as many messages as the window has room for."""
        self._flush_due = False
        if self._transport is None or self._has_ended():
            return
        out, waiting, unanswered = self._out, self._waiting, self._unanswered
        if waiting and not self._writing_paused:
            now = self._loop.time()
            room = self._manners.window - len(unanswered)
            octets = 0
            while room > 0 and waiting and octets < ENOUGH_OCTETS_A_WRITE:
                body, future, number = waiting.popleft()
                # Somebody gave it up while it waited.
                if future.done():
                    continue
                sequence = self._next_sequence()
                unanswered[sequence] = (future, now, number)
                out.append(frame(Command.SUBMIT_SM, sequence, body))
                room -= 1
                octets += len(body)
            if room > 0 and waiting:
                self._flush_soon()
        if out:
            self._transport.write(b"".join(out))
            out.clear()
            if self._writing_paused and self._transport.get_write_buffer_size() > MOST_UNREAD_OCTETS:
                self._end("the SMSC does not read")

    def _next_sequence(self) -> int:
        self._sequence = self._sequence + 1 if self._sequence < HIGHEST_SEQUENCE else 1
        return self._sequence

    # --- time ---

    def _look_after(self) -> None:
        """What has to be noticed without anything happening. One timer a session, none a message."""
        manners = self._manners
        every = min(1.0, manners.answer_within_seconds / 4, manners.enquire_link_seconds / 4)
        self._look_after_it = self._loop.call_later(every, self._look_after)
        if self._reading_paused:
            # What we do not read is not silence of theirs.
            return
        now = self._loop.time()
        self._give_up_unanswered(now)
        if self._silences >= SILENCES_BEFORE_CLOSING:
            self._end("messages were not answered")
        elif self._half_since is not None and now - self._half_since > manners.answer_within_seconds:
            self._end("a PDU was begun and not ended")
        elif self._enquired_at is not None and now - self._enquired_at > manners.answer_within_seconds:
            self._end("nothing was heard, nor was enquire_link answered")
        elif self._enquired_at is None and now - self._heard_at >= manners.enquire_link_seconds:
            self._enquired_at = now
            self._write(frame(Command.ENQUIRE_LINK, self._next_sequence()))
        elif self._leaving and not self._unanswered:
            self._end("the SMSC unbound")

    def _give_up_unanswered(self, now: float) -> None:
        before = now - self._manners.answer_within_seconds
        given_up = 0
        while self._unanswered and self._read_on_at < before:
            sequence, (future, written_at, _number) = next(iter(self._unanswered.items()))
            if written_at > before:
                break
            del self._unanswered[sequence]
            given_up += 1
            _leave_unknown(future)
        if given_up:
            self._silences += given_up
            self._owner.gave_up(given_up)
        if self._waiting:
            self._flush_soon()

    # --- the end ---

    def _has_ended(self) -> bool:
        return bool(self._ended_because)

    def _end(self, why: str) -> None:
        """Let go of the connection and of all who wait for something from it."""
        if self._has_ended():
            return
        self._ended_because = why
        self._may_transmit = False
        if self._look_after_it is not None:
            self._look_after_it.cancel()
        self._give_back_waiting()
        if self._unanswered:
            self._owner.gave_up(len(self._unanswered))
        for message, _written_at, _number in self._unanswered.values():
            _leave_unknown(message)
        self._unanswered.clear()
        for request, _expected in self._asked.values():
            if not request.done():
                request.set_result(None)
        if self._transport is not None:
            if self._out and not self._transport.is_closing():
                self._transport.write(b"".join(self._out))
            self._transport.close()
            # Closing waits for a peer to read what was written, and a dead one never does.
            self._loop.call_later(LINGER_SECONDS, self._transport.abort)

    def _give_back_waiting(self) -> None:
        for _body, future, _number in self._waiting:
            if not future.done():
                future.set_result(NOT_BOUND)
        self._waiting.clear()


def _leave_unknown(future: asyncio.Future[Outcome]) -> None:
    if not future.done():
        future.set_exception(OutcomeUnknown)
