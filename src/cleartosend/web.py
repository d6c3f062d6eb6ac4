"""The ASGI application: the RPC door, and what an operator's machines ask."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from cleartosend import __version__
from cleartosend.compose import Platform
from cleartosend.ports import StoreUnavailable
from cleartosend.store import accounts

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Page = Callable[[Platform], Awaitable[tuple[int, bytes, bytes]]]

JSON = b"application/json"
TEXT = b"text/plain; charset=utf-8"


async def healthz(_platform: Platform) -> tuple[int, bytes, bytes]:
    """The process is alive."""
    return 200, JSON, b'{"status":"ok"}'


async def readyz(platform: Platform) -> tuple[int, bytes, bytes]:
    """The store answers and messages are being sent."""
    try:
        await platform.engine.read(lambda tx: accounts.revisions(tx, [0]))
        store = "ok"
    except StoreUnavailable as error:
        store = str(error)
    sending = platform.is_sending()
    ready = store == "ok" and sending
    answer = {"status": "ok" if ready else "unavailable", "store": store, "sending": sending}
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
