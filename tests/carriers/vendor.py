"""The service upstream on loopback: hears calls, answers each as a test tells it to, and hands things out once."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec
from usual import NOON_IN_BEIJING

Answer = Callable[["Heard"], Awaitable[bytes]]
"""What is written in answer to a call; an empty answer: the connection is cut."""


class Heard(msgspec.Struct, frozen=True):
    """One request as it came in."""

    method: str
    headers: dict[str, str]
    body: bytes

    @property
    def action(self) -> str:
        return self.headers.get("x-tc-action", "")

    @property
    def asked(self) -> dict[str, Any]:
        asked = json.loads(self.body)
        assert isinstance(asked, dict)
        return asked

    @property
    def numbers(self) -> list[str]:
        numbers = self.asked["PhoneNumberSet"]
        assert isinstance(numbers, list)
        return numbers


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def response(**fields: Any) -> bytes:
    return http(json.dumps({"Response": fields | {"RequestId": "r"}}).encode())


def error(code: str) -> bytes:
    """A refusal of the whole call."""
    return response(Error={"Code": code, "Message": "what went wrong"})


def statuses(numbers: Sequence[str], code: str = "Ok") -> bytes:
    """The same for each number."""
    ok = code == "Ok"
    return response(
        SendStatusSet=[
            {
                "SerialNo": serial_of(number) if ok else "",
                "PhoneNumber": number,
                "Fee": int(ok),
                "SessionContext": "",
                "Code": code,
                "Message": "send success" if ok else "what went wrong",
                "IsoCode": "CN",
            }
            for number in numbers
        ]
    )


def serial_of(number: str) -> str:
    return f"5000:{number[1:]}"


def says(written: bytes) -> Answer:
    async def answer(_heard: Heard) -> bytes:
        return written

    return answer


class Vendor:
    """Takes every message and reports it delivered, unless `answer` says something else to SendSms."""

    def __init__(self, answer: Answer | None = None, *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer or self._takes
        self.heard: list[Heard] = []
        self.to_pull: dict[str, list[dict[str, Any]]] = {"PullSmsSendStatus": [], "PullSmsReplyStatus": []}
        """By the action that hands them out."""
        self.records: list[dict[str, Any]] = []
        """All that it has reported, which is told by number as often as it is asked."""
        self.losses = 0
        """How often what is handed out does not arrive."""
        self.busy = 0
        self.busiest = 0
        """Most calls to send that it had in hand at once."""
        self.port = 0
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._at_work: set[asyncio.Task[None]] = set()

    @property
    def endpoint(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def sends(self) -> list[Heard]:
        return [heard for heard in self.heard if heard.action == "SendSms"]

    async def start(self) -> None:
        """Listen: at first on a free port, after a stop on the same again."""
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", self.port, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away at once."""
        assert self._server is not None
        self._server.close()
        for task in self._at_work:
            task.cancel()
        await asyncio.gather(*self._at_work, return_exceptions=True)
        await self._server.wait_closed()

    async def _takes(self, heard: Heard) -> bytes:
        for number in heard.numbers:
            self.report(number)
        return statuses(heard.numbers)

    def report(self, number: str, code: str = "DELIVRD") -> None:
        """Something became of a message."""
        self.records.append(
            {
                "UserReceiveTime": int(NOON_IN_BEIJING) + 7,
                "CountryCode": "86",
                "SubscriberNumber": number.removeprefix("+86"),
                "PhoneNumber": number,
                "SerialNo": serial_of(number),
                "ReportStatus": "SUCCESS" if code == "DELIVRD" else "FAIL",
                "Description": code,
                "SessionContext": "",
            }
        )
        self.to_pull["PullSmsSendStatus"].append(self.records[-1])

    def write_back(self, number: str, text: str, extension_code: str = "") -> None:
        """Somebody answers a message."""
        self.to_pull["PullSmsReplyStatus"].append(
            {
                "ExtendCode": extension_code,
                "CountryCode": "86",
                "PhoneNumber": number,
                "SignName": "",
                "ReplyContent": text,
                "ReplyTime": int(NOON_IN_BEIJING) + 9,
                "SubscriberNumber": number.removeprefix("+86"),
            }
        )

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._at_work.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while answer := await self._answered(await _read(reader)):
                    writer.write(answer)
                    await writer.drain()
        finally:
            self._at_work.discard(task)
            writer.transport.abort()

    async def _answered(self, heard: Heard) -> bytes:
        self.heard.append(heard)
        if heard.action in self.to_pull:
            queue = self.to_pull[heard.action]
            handed_out = queue[: heard.asked["Limit"]]
            del queue[: len(handed_out)]
            if handed_out and self.losses:
                self.losses -= 1
                return b""
            return response(**{f"{heard.action}Set": handed_out or None})
        if heard.action == "PullSmsSendStatusByPhoneNumber":
            its = [record for record in self.records if record["PhoneNumber"] == heard.asked["PhoneNumber"]]
            return response(PullSmsSendStatusSet=its)
        if heard.action != "SendSms":
            return error("MissingParameter")
        self.busy += 1
        self.busiest = max(self.busy, self.busiest)
        try:
            return await self.answer(heard)
        finally:
            self.busy -= 1


async def _read(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    request, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Heard(request.split(" ")[0], headers, body)


@contextlib.asynccontextmanager
async def vendor(answer: Answer | None = None, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Vendor]:
    """At work, and gone on the way out."""
    made = Vendor(answer, tls=tls)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
