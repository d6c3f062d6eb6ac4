"""The ASGI application: the RPC door, and what an operator's machines ask."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cleartosend import __version__, telemetry
from cleartosend.carriers.upstream import UpstreamCarrier
from cleartosend.compose import Platform
from cleartosend.ports import StoreUnavailable
from cleartosend.store import accounts

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Page = Callable[[Platform], Awaitable[tuple[int, bytes, bytes]]]
Take = Callable[[UpstreamCarrier, bytes], Awaitable[None]]

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"


async def healthz(_platform: Platform) -> tuple[int, bytes, bytes]:
    """The process is alive."""
    return 200, JSON, b'{"status":"ok"}'


async def readyz(platform: Platform) -> tuple[int, bytes, bytes]:
    """The store answers and the spool is being worked; and how the carriers are."""
    try:
        await platform.engine.read(lambda tx: accounts.revisions(tx, [0]))
        store = "ok"
    except StoreUnavailable as error:
        store = str(error)
    sending = platform.is_sending()
    ready = store == "ok" and sending
    status = "unavailable"
    if ready:
        # Without a carrier calls are still answered and messages kept: to turn callers away would help nobody.
        status = "degraded" if platform.watch.all_are_down() else "ok"
    carriers = {outlet.name: "up" if outlet.carrier.is_up() else "down" for outlet in platform.outlets}
    answer = {"status": status, "store": store, "sending": sending, "carriers": carriers}
    return 200 if ready else 503, JSON, msgspec.json.encode(answer)


async def metrics(platform: Platform) -> tuple[int, bytes, bytes]:
    """Counters, gauges and histograms in Prometheus' text form."""
    await platform.measure()
    return 200, CONTENT_TYPE_LATEST.encode(), generate_latest()


async def welcome(platform: Platform) -> tuple[int, bytes, bytes]:
    """What someone sees who opens the address in a browser."""
    text = (
        f"Clear to Send {__version__} is running.\n\n"
        f"It speaks the Tencent Cloud SMS API (2021-01-11 and 2019-07-11) at this address: give an SDK the endpoint\n"
        f"{platform.settings.host}:{platform.settings.port} over http, and your SecretId and SecretKey.\n\n"
        f"/healthz  /readyz  /metrics\n"
    )
    return 200, TEXT, text.encode()


ANYONE = "anyone who reaches the port"

# Every route with who may call it; the RPC door at / asks for a signature itself.
ROUTES: dict[str, tuple[Page, str]] = {
    "/healthz": (healthz, ANYONE),
    "/readyz": (readyz, ANYONE),
    "/metrics": (metrics, ANYONE),
}


async def statuses(carrier: UpstreamCarrier, body: bytes) -> None:
    """The service upstream says what became of messages."""
    await carrier.take_statuses(body)


async def replies(carrier: UpstreamCarrier, body: bytes) -> None:
    """The service upstream says what somebody wrote back."""
    await carrier.take_replies(body)


WHO_KNOWS_THE_ADDRESS = "who knows the carrier's `callback_secret`, which stands in the address"

# What services upstream push, by the last word of the address: POST /carriers/<name>/<callback_secret>/<word>.
PUSHES: dict[str, tuple[Take, str]] = {
    "status": (statuses, WHO_KNOWS_THE_ADDRESS),
    "reply": (replies, WHO_KNOWS_THE_ADDRESS),
}
MOST_BYTES_OF_PUSH = 1 << 20
"""A hundred statuses are a twentieth of it."""


class Application:
    """Sends each request to the door or to one of the pages."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._door = platform.door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/":
            if _is_a_browser(scope):
                await _answer(send, *await welcome(self._platform))
            else:
                await self._door(scope, receive, send)
        elif route := ROUTES.get(scope["path"]):
            page, _who = route
            try:
                await _answer(send, *await page(self._platform))
            except StoreUnavailable as error:
                await _answer(send, 503, TEXT, f"the store is unavailable: {error}\n".encode())
        elif pushed := _push_to(self._platform, scope):
            await _take_push(*pushed, receive, send)
        else:
            await _answer(send, 404, TEXT, b"There is nothing here. The API is at /.\n")


def _is_a_browser(scope: Scope) -> bool:
    """Whether somebody looks at the address, and nobody calls the API."""
    return (
        scope["method"] == "GET"
        and not scope["query_string"]
        and not any(name in {b"authorization", b"x-tc-action"} for name, _ in scope["headers"])
    )


async def _answer(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", content_type), (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})


def _push_to(platform: Platform, scope: Scope) -> tuple[UpstreamCarrier, Take] | None:
    """The carrier that a push is for, and what is to be done with it; None: it is no push that we wait for."""
    match scope["path"].split("/"):
        case ["", "carriers", name, secret, word] if word in PUSHES and scope["method"] == "POST":
            for carrier in (outlet.carrier for outlet in platform.outlets):
                if carrier.name == name and isinstance(carrier, UpstreamCarrier) and carrier.is_its_secret(secret):
                    return carrier, PUSHES[word][0]
    return None


async def _take_push(carrier: UpstreamCarrier, take: Take, receive: Receive, send: Send) -> None:
    """Say that all is well once what was pushed is kept, and not before: then it is not pushed again."""
    body = await _read_at_most(receive, MOST_BYTES_OF_PUSH)
    status, problem = 200, ""
    if body is None:
        status, problem = 413, "too large"
    else:
        try:
            await take(carrier, body)
        except (msgspec.DecodeError, RecursionError) as error:
            status, problem = 400, str(error)
        except StoreUnavailable as error:
            status, problem = 503, f"the store is unavailable: {error}"
    if problem:
        telemetry.log.warning("upstream.push_not_taken", carrier=carrier.name, problem=problem)
    said = {"result": 1, "errmsg": problem} if problem else {"result": 0, "errmsg": "OK"}
    await _answer(send, status, JSON, msgspec.json.encode(said))


async def _read_at_most(receive: Receive, size_bytes: int) -> bytes | None:
    """The body of a request, or None when it is longer or its sender has gone."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > size_bytes:
            return None
        more = message.get("more_body", False)
    return bytes(body)
