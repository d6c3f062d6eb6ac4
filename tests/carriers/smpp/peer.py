"""An SMSC that does nothing by itself: a test reads what came and writes what it likes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from cleartosend.carriers.smpp.pdu import Bind, Command, Frame, Framer, decode_message_resp, frame, name_of_status
from cleartosend.carriers.smpp.session import Delivery, Manners, Outcome, Session
from cleartosend.ports import NotSubmitted, Submitted

ENOUGH_SECONDS = 10


class Peer:
    """The SMSC's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._framer = Framer(1 << 20)
        self._frames: list[Frame] = []

    async def next(self) -> Frame:
        """The next PDU that came."""
        async with asyncio.timeout(ENOUGH_SECONDS):
            while not self._frames:
                data = await self.reader.read(1 << 16)
                if not data:
                    raise EOFError
                self._frames = self._framer.feed(data)
        return self._frames.pop(0)

    async def take(self, count: int) -> list[Frame]:
        return [await self.next() for _ in range(count)]

    async def says_nothing(self) -> bool:
        """Whether all that came has been read. An enquire_link proves it: its answer comes behind all else."""
        self.send(frame(Command.ENQUIRE_LINK, 77_777))
        return await self.next() == (Command.ENQUIRE_LINK_RESP, 0, 77_777, b"")

    async def hung_up(self) -> bool:
        """Whether nothing comes but the end."""
        with contextlib.suppress(EOFError, ConnectionError):
            await self.next()
            return False
        return True

    def send(self, *frames: bytes) -> None:
        """In one write."""
        self.writer.write(b"".join(frames))

    def answer(self, *asked: Frame, body: bytes = b"id\0", status: int = 0) -> None:
        self.send(*(frame(command | 0x8000_0000, sequence, body, status) for command, _, sequence, _ in asked))

    def hang_up(self) -> None:
        self.writer.close()


class Connected:
    """A session of ours, which this owns, and its peer."""

    def __init__(self, **manners: object) -> None:
        self.deliveries: list[list[Delivery]] = []
        self.not_expected: list[str] = []
        self.given_up = 0
        self.session = Session(self, Manners(**manners))  # type: ignore[arg-type]
        self.peer: Peer

    def outcome_of(self, status: int, body: bytes, number: str) -> Outcome:
        """Says what it was given."""
        if status:
            return NotSubmitted(name_of_status(status), again=False)
        return Submitted((decode_message_resp(body).message_id, number))

    def take(self, _session: Session, deliveries: list[Delivery]) -> None:
        self.deliveries.append(deliveries)

    def ignored(self, what: str) -> None:
        self.not_expected.append(what)

    def gave_up(self, messages: int) -> None:
        self.given_up += messages

    async def bound(self, command: int = Command.BIND_TRANSCEIVER) -> None:
        binding = asyncio.ensure_future(self.session.bind(command, Bind(system_id="cts", password="secret")))
        self.peer.answer(await self.peer.next(), body=b"smsc\0")
        answer = await binding
        assert answer is not None
        assert answer.status == 0

    async def until_delivered(self, count: int) -> list[Delivery]:
        async with asyncio.timeout(ENOUGH_SECONDS):
            while sum(map(len, self.deliveries)) < count:
                await asyncio.sleep(0.001)
        return [delivery for batch in self.deliveries for delivery in batch]


@contextlib.asynccontextmanager
async def connected(**manners: object) -> AsyncIterator[Connected]:
    """A session and its peer, not yet bound."""
    peers: asyncio.Queue[Peer] = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: peers.put_nowait(Peer(reader, writer)), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    both = Connected(**manners)
    await asyncio.get_running_loop().create_connection(lambda: both.session, host, port)
    both.peer = await peers.get()
    try:
        yield both
    finally:
        both.session.hang_up("the test is over")
        both.peer.writer.transport.abort()
        await both.session.ended
        server.close()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def bound(command: int = Command.BIND_TRANSCEIVER, **manners: object) -> AsyncIterator[Connected]:
    """A session that is bound."""
    async with connected(**manners) as both:
        await both.bound(command)
        yield both
