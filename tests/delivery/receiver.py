"""A customer's server on loopback that hears callbacks, and answers them as a test tells it to."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from standardwebhooks import Webhook

ENOUGH_SECONDS = 30


class Push(msgspec.Struct, frozen=True):
    """One POST as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def statuses(self) -> list[dict[str, Any]]:
        pushed = json.loads(self.body)
        assert isinstance(pushed, list)
        return pushed

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The body, once the library has found the signature good and the time close to ours."""
        return Webhook(secret).verify(self.body, self.headers)


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


OK = http("200 OK", b'{"result": 0, "errmsg": "OK"}', "Content-Type: application/json")
Behaviour = Callable[[Push, asyncio.StreamWriter], Awaitable[None]]


def says(*answers: bytes) -> Behaviour:
    """Gives these answers in turn, the last one for ever."""
    left = list(answers)

    async def answer(_push: Push, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return answer


async def hangs(_push: Push, _writer: asyncio.StreamWriter) -> None:
    """Takes the push and says nothing, until the other side has had enough."""


async def dies(_push: Push, writer: asyncio.StreamWriter) -> None:
    """Is gone before it has answered."""
    writer.transport.abort()


async def drips(_push: Push, writer: asyncio.StreamWriter) -> None:
    """Answers a byte now and then, and never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def never_ends(_push: Push, writer: asyncio.StreamWriter) -> None:
    """Answers more than anybody should read."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + bytes(4096) + b"\r\n")
        await writer.drain()


class Receiver:
    """Hears pushes one by one, keeps them in order of arrival, and answers each by its `behaviour` of the moment."""

    def __init__(self, behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour or says(OK)
        self.heard: list[Push] = []
        self.open_connections = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._at_work: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}/callback"

    @property
    def sids(self) -> list[str]:
        """The serial numbers in the order in which they were heard, as often as they were heard."""
        return [status["sid"] for push in self.heard for status in push.statuses]

    async def start(self) -> None:
        """Listen: at first on a free port, after a stop on the same again."""
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away at once, in the middle of whatever is being said."""
        assert self._server is not None
        self._server.close()
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await self._server.wait_closed()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._at_work.add(task)
        self.open_connections += 1
        try:
            # Who pushed may be gone, or this server be told to stop.
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    push = await _read(reader)
                    self.heard.append(push)
                    await self.behaviour(push, writer)
        finally:
            self.open_connections -= 1
            self._at_work.discard(task)
            writer.transport.abort()


async def _read(reader: asyncio.StreamReader) -> Push:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.strip().split("\r\n")
    assert request.startswith("POST /callback"), request
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return Push(headers, await reader.readexactly(int(headers["content-length"])))


@contextlib.asynccontextmanager
async def receiving(
    behaviour: Behaviour | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A receiver at work, and gone on the way out."""
    receiver = Receiver(behaviour, tls=tls)
    await receiver.start()
    try:
        yield receiver
    finally:
        await receiver.stop()


async def until(what: Callable[[], bool]) -> None:
    """Look again and again, for a bounded time."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not what():
            await asyncio.sleep(0.01)
