"""A client of SMPP that says just what a test has it say, and shows what it hears."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Protocol, TypeVar

from cleartosend.carriers.smpp.pdu import (
    ESM_USER_DATA_HEADER,
    RESPONSE,
    Bind,
    Body,
    Command,
    Frame,
    Framer,
    MessageResp,
    ShortMessage,
    Tlvs,
    decode,
    encode,
    encode_body,
    frame,
)

ENOUGH_SECONDS = 10
NUMBER = "8613800138000"
SENDER = "10690001"
B = TypeVar("B", bound=Body)


def short(
    text: bytes = b"hello",
    to: str = NUMBER,
    *,
    receipt: int = 1,
    esm_class: int = 0,
    data_coding: int = 0,
    tlvs: Tlvs = (),
) -> ShortMessage:
    """A message as most are, and what differs."""
    return ShortMessage(
        source_addr=SENDER,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=to,
        registered_delivery=receipt,
        esm_class=esm_class,
        data_coding=data_coding,
        short_message=text,
        tlvs=tlvs,
    )


def part(nth: int, of: int, text: bytes = b"hello", to: str = NUMBER) -> ShortMessage:
    return short(bytes((5, 0, 3, 7, of, nth)) + text, to, esm_class=ESM_USER_DATA_HEADER)


class Listener(Protocol):
    """Whatever has a port to connect to."""

    @property
    def port(self) -> int: ...


class Heard(tuple[int, int, int, bytes]):
    """A PDU as it came."""

    __slots__ = ()

    @property
    def command(self) -> int:
        return self[0]

    @property
    def status(self) -> int:
        return self[1]

    @property
    def sequence(self) -> int:
        return self[2]

    def read(self, kind: type[B]) -> B:
        body = decode(self[0], self[3])
        assert isinstance(body, kind)
        return body

    @property
    def carrier_id(self) -> str:
        return self.read(MessageResp).message_id

    @property
    def message(self) -> ShortMessage:
        return self.read(ShortMessage)


class Line:
    """One connection. What is asked is not answered for: a test says that it wants to hear, and what it hears."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._framer = Framer()
        self._frames: list[Frame] = []
        self._sequence = 0

    def say(self, command: int, body: bytes | Body = b"", sequence: int | None = None) -> int:
        """Make a request; returns its number."""
        if sequence is None:
            self._sequence += 1
            sequence = self._sequence
        octets = body if isinstance(body, bytes) else encode_body(body)
        self._writer.write(frame(command, sequence, octets))
        return sequence

    def octets(self, octets: bytes) -> None:
        self._writer.write(octets)

    def acknowledge(self, heard: Heard, status: int = 0) -> None:
        self._writer.write(encode(heard.command | RESPONSE, MessageResp(), sequence=heard.sequence, status=status))

    async def hear(self) -> Heard:
        """The next PDU; raises EOFError once the line is closed."""
        async with asyncio.timeout(ENOUGH_SECONDS):
            while not self._frames:
                data = await self._reader.read(1 << 16)
                if not data:
                    raise EOFError
                self._frames += self._framer.feed(data)
        return Heard(self._frames.pop(0))

    async def raw(self) -> bytes:
        """Whatever comes until the line is closed, or has come so far."""
        async with asyncio.timeout(ENOUGH_SECONDS):
            return await self._reader.read(1 << 16)

    async def skip(self, octets: int) -> None:
        async with asyncio.timeout(ENOUGH_SECONDS):
            await self._reader.readexactly(octets)

    async def ask(self, command: int, body: bytes | Body = b"") -> Heard:
        """A request, and what is heard next."""
        self.say(command, body)
        return await self.hear()

    async def submit(self, message: ShortMessage) -> Heard:
        return await self.ask(Command.SUBMIT_SM, message)

    async def receipt(self) -> ShortMessage:
        """The next PDU, which is a receipt or a reply; it is acknowledged."""
        heard = await self.hear()
        self.acknowledge(heard)
        return heard.message

    async def silence(self) -> None:
        """Nothing comes before the answer to a question that is asked now."""
        sequence = self.say(Command.ENQUIRE_LINK)
        heard = await self.hear()
        assert (heard.command, heard.sequence) == (Command.ENQUIRE_LINK_RESP, sequence)

    async def closed(self) -> bool:
        try:
            await self.hear()
        except (EOFError, ConnectionError):
            return True
        return False


@contextlib.asynccontextmanager
async def acknowledging(its: Line) -> AsyncIterator[list[Heard]]:
    """Meanwhile all that is heard is acknowledged."""
    heard: list[Heard] = []

    async def acknowledge() -> None:
        while True:
            heard.append(await its.hear())
            its.acknowledge(heard[-1])

    task = asyncio.get_running_loop().create_task(acknowledge())
    try:
        yield heard
    finally:
        task.cancel()


@contextlib.asynccontextmanager
async def line(to: Listener, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Line]:
    """A connection that is not bound."""
    reader, writer = await asyncio.open_connection("127.0.0.1", to.port, ssl=tls)
    try:
        yield Line(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def bound(
    to: Listener,
    command: Command = Command.BIND_TRANSCEIVER,
    *,
    system_id: str = "cts",
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Line]:
    """A connection that is."""
    async with line(to, tls=tls) as its:
        heard = await its.ask(command, Bind(system_id=system_id, password="secret"))
        assert heard.status == 0
        yield its
