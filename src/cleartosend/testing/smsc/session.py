"""One line to the SMSC for testing: what comes in is read and sorted, what goes out is gathered and written."""

import asyncio
from typing import Protocol, cast

import msgspec

from cleartosend.carriers.smpp.pdu import (
    RESPONSE,
    Body,
    Command,
    DataMessage,
    Frame,
    Framer,
    Malformed,
    ShortMessage,
    Status,
    decode,
    decode_short_message,
    encode_body,
    frame,
)

WINDOW = 100
"""Receipts and replies that a session is sent before it has acknowledged any."""
_LAST_SEQUENCE = 0x7FFF_FFFF

TRANSMITTER, RECEIVER, TRANSCEIVER = "transmitter", "receiver", "transceiver"
ROLES = {
    Command.BIND_TRANSMITTER: TRANSMITTER,
    Command.BIND_RECEIVER: RECEIVER,
    Command.BIND_TRANSCEIVER: TRANSCEIVER,
}
# What this SMSC does not do, and how the standard has one say so.
_NOT_DONE = {
    Command.QUERY_SM: Status.ESME_RQUERYFAIL,
    Command.CANCEL_SM: Status.ESME_RCANCELFAIL,
    Command.REPLACE_SM: Status.ESME_RREPLACEFAIL,
}


class Delivery(msgspec.Struct, gc=False):
    """A receipt or a reply on its way to a client."""

    command: int
    body: bytes
    what: str
    sent_at: float = 0.0


class Centre(Protocol):
    """Where the lines end."""

    def opened(self, session: "Session") -> int:
        """Returns the session's number."""
        ...

    def closed(self, session: "Session") -> None: ...

    def bind(self, session: "Session", command: int, sequence: int, body: bytes) -> None: ...

    def message(self, session: "Session", command: int, sequence: int, message: ShortMessage) -> None: ...

    def acknowledged(self, session: "Session", sequence: int, status: int) -> None: ...

    def link_enquired(self, session: "Session", sequence: int) -> None: ...

    def has_room(self, session: "Session") -> None:
        """The session may be sent receipts again."""
        ...

    def count(self, what: str) -> None: ...

    def notice(self) -> None:
        """Something has happened."""
        ...


class Session(asyncio.Protocol):
    """All PDUs of a read are dealt with at once, and all that is said in a turn of the loop is one write."""

    def __init__(self, centre: Centre) -> None:
        self.system_id = ""
        self.role = ""
        """Empty until it is bound."""
        self.number = 0
        self.messages = 0
        self.in_flight: dict[int, Delivery] = {}
        self.is_open = False
        self._centre = centre
        self._framer = Framer()
        self._unread: list[Frame] = []
        self._hangs = False
        self._is_full = False
        self._out: list[bytes] = []
        self._will_flush = False
        self._sequence = 0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport

    # --- the line ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True
        self.number = self._centre.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's own signature
        self.is_open = False
        self._centre.closed(self)

    def pause_writing(self) -> None:
        """The client does not read. Nothing is read of it either, or the answers would pile up here."""
        self._is_full = True
        if self.is_open:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self._is_full = False
        if self.is_open and not self._hangs:
            self._transport.resume_reading()
            self._centre.has_room(self)

    def hang(self) -> None:
        """Neither read nor write any more, and keep the line."""
        if self.is_open:
            self._flush()
            self._hangs = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if not (self._hangs and self.is_open):
            return
        self._hangs = False
        if not self._is_full:
            self._transport.resume_reading()
        unread, self._unread = self._unread, []
        self._deal_with(unread)

    def close(self) -> None:
        """Say what there is to be said, and close."""
        self._flush()
        self.is_open = False
        self._transport.close()

    def abort(self) -> None:
        """Close without a word."""
        self.is_open = False
        self._out.clear()
        self._transport.abort()

    # --- writing ---

    @property
    def room(self) -> int:
        """How many receipts and replies it may be sent now."""
        if self.role in {"", TRANSMITTER} or not self.is_open or self._hangs or self._is_full:
            return 0
        return WINDOW - len(self.in_flight)

    def next_sequence(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    def answer(self, command: int, sequence: int, status: int, body: Body | None = None) -> None:
        """An answer; a refusal has no body."""
        self.send(frame(command | RESPONSE, sequence, b"" if body is None else encode_body(body), status))

    def send(self, octets: bytes) -> None:
        if self.is_open:
            self._out.append(octets)
            if not self._will_flush:
                self._will_flush = True
                self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._will_flush = False
        if self._out and self.is_open and not self._hangs:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    # --- reading ---

    def data_received(self, data: bytes) -> None:
        frames = self._framer.feed(data)
        # What had been read before the line was told to stop may still come.
        if self._hangs:
            self._unread += frames
        elif self.is_open:
            self._deal_with(frames)

    def _deal_with(self, frames: list[Frame]) -> None:
        # One write for all of them, when they are done.
        self._will_flush = True
        for at, (command, status, sequence, body) in enumerate(frames):
            if command == Command.SUBMIT_SM:
                self._on_submit(sequence, body)
            elif command in (Command.DELIVER_SM_RESP, Command.DATA_SM_RESP):
                self._centre.acknowledged(self, sequence, status)
            else:
                self._on_other(command, status, sequence, body)
            if self._hangs:
                self._unread = frames[at + 1 :]
                break
            if not self.is_open:
                break
        if self._framer.fault is not None and not self._hangs:
            # Where the next PDU begins is not known.
            self.send(frame(Command.GENERIC_NACK, self._framer.fault.sequence, status=Status.ESME_RINVCMDLEN))
            self.close()
        self._centre.has_room(self)
        self._flush()
        self._centre.notice()

    def _on_submit(self, sequence: int, body: bytes) -> None:
        if not self._may_transmit(Command.SUBMIT_SM, sequence):
            return
        try:
            message = decode_short_message(body)
        except Malformed as error:
            self._on_malformed(Command.SUBMIT_SM, sequence, error)
        else:
            self._centre.message(self, Command.SUBMIT_SM, sequence, message)

    def _on_data(self, sequence: int, body: bytes) -> None:
        if not self._may_transmit(Command.DATA_SM, sequence):
            return
        try:
            data = cast("DataMessage", decode(Command.DATA_SM, body))
        except Malformed as error:
            self._on_malformed(Command.DATA_SM, sequence, error)
        else:
            message = ShortMessage(**msgspec.structs.asdict(data))
            self._centre.message(self, Command.DATA_SM, sequence, message)

    def _on_other(self, command: int, status: int, sequence: int, body: bytes) -> None:
        if command in ROLES:
            self._centre.bind(self, command, sequence, body)
        elif command == Command.ENQUIRE_LINK:
            self._centre.link_enquired(self, sequence)
        elif command == Command.ENQUIRE_LINK_RESP:
            self._centre.count("links answered")
        elif command == Command.UNBIND:
            self.answer(command, sequence, 0)
            self.close()
        elif command == Command.UNBIND_RESP:
            self.close()
        elif command == Command.DATA_SM:
            self._on_data(sequence, body)
        elif command in _NOT_DONE:
            self.answer(command, sequence, _NOT_DONE[Command(command)])
        elif command & RESPONSE:
            # A generic_nack may be the answer to a receipt; whatever else comes is the answer to nothing.
            self._centre.acknowledged(self, sequence, status or Status.ESME_RUNKNOWNERR)
        else:
            self.send(frame(Command.GENERIC_NACK, sequence, status=Status.ESME_RINVCMDID))

    def _may_transmit(self, command: int, sequence: int) -> bool:
        if self.role in (TRANSMITTER, TRANSCEIVER):
            return True
        self.answer(command, sequence, Status.ESME_RINVBNDSTS)
        return False

    def _on_malformed(self, command: int, sequence: int, error: Malformed) -> None:
        self._centre.count("malformed")
        self.answer(command, sequence, error.status)
