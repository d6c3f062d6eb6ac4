"""A request as it comes over the wire, read whole, and no further than it may go."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.envelope import is_form
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.signing import GET, Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

MOST_BODY_BYTES = 10 * 1024 * 1024
MOST_FORM_BYTES = 1024 * 1024
MOST_QUERY_BYTES = 32 * 1024


async def receive_request(scope: Message, headers: dict[bytes, bytes], receive: Receive) -> Request | Fault | None:
    """Read the whole request; a fault when no more of it should be read; None when the client has gone."""
    method: bytes = scope["method"].encode()
    query: bytes = scope["query_string"]
    if method not in {b"POST", GET}:
        return Fault(errors.UNSUPPORTED_PROTOCOL)
    if len(query) > MOST_QUERY_BYTES:
        return Fault(errors.REQUEST_TOO_LARGE, "32 KB")
    most, said = (MOST_FORM_BYTES, "1 MB") if is_form(headers) else (MOST_BODY_BYTES, "10 MB")
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > most:
        return Fault(errors.REQUEST_TOO_LARGE, said)
    pieces: list[bytes] = []
    size_bytes = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        size_bytes += len(piece)
        if size_bytes > most:
            return Fault(errors.REQUEST_TOO_LARGE, said)
        pieces.append(piece)
        more = message.get("more_body", False)
    client = scope.get("client")
    return Request(method, query, headers, b"".join(pieces), client[0] if client else "")
