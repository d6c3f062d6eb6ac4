"""The door itself: one path, the action in a header, an answer always with status 200, as its clients expect."""

import os
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import msgspec
from prometheus_client import Counter, Histogram

from cleartosend import telemetry
from cleartosend.admission.accept import Admission
from cleartosend.admission.directory import Directory, Dossier
from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions.call import Call, Rooms
from cleartosend.api.tencent.actions.table import ACTIONS, Action
from cleartosend.api.tencent.errors import Fault, fault_of
from cleartosend.api.tencent.parameters import SHOWN_CHARACTERS, Answer
from cleartosend.api.tencent.signing import GET, Request, read_claim, verify
from cleartosend.model.accounts import Credential
from cleartosend.model.reasons import Refusal
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.review.apply import Applications

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MOST_BODY_BYTES = 10 * 1024 * 1024
MOST_QUERY_BYTES = 32 * 1024
OTHER = "other"
"""What metrics call an action that there is not, so that callers cannot invent labels."""
OK = "Ok"

_encoder = msgspec.json.Encoder()


class _Error(Answer):
    code: str
    message: str


class _ErrorAnswer(Answer):
    error: _Error


class Door:
    """An ASGI application for `POST /` and `GET /`."""

    def __init__(
        self,
        *,
        admission: Admission,
        applications: Applications,
        directory: Directory,
        engine: Engine,
        clock: Callable[[], float],
    ) -> None:
        self._rooms = Rooms(admission=admission, applications=applications, engine=engine)
        self._directory = directory
        self._clock = clock

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request = await _receive_request(scope, headers, receive)
        if request is None:
            return
        began = time.perf_counter()
        request_id = new_request_id()
        name, done = await self._answer(request, request_id)
        body = _encode(done, headers.get(b"x-tc-language", b""), request_id)
        code = done.code if isinstance(done, Fault) else OK
        _answers(name, code).inc()
        _seconds(name).observe(time.perf_counter() - began)
        await _send_answer(send, body)

    async def _answer(self, request: Request | Fault, request_id: str) -> tuple[str, Answer | Fault]:
        """Do what is asked, or say why not; with the action's name for the metrics."""
        if isinstance(request, Fault):
            return OTHER, request
        action = _action_of(request)
        if isinstance(action, Fault):
            return OTHER, action
        try:
            return action.name, await self._do(action, request)
        except StoreUnavailable as error:
            telemetry.log.error("store.unavailable", action=action.name, request_id=request_id, error=str(error))
        except Exception as error:  # noqa: BLE001 - here is the one place that answers for what nobody expected
            # Where and what, but not the exception's own words: they may quote a text or a number.
            telemetry.log.error(
                "call.failed",
                action=action.name,
                request_id=request_id,
                error=type(error).__name__,
                where=traceback.format_tb(error.__traceback__),
            )
        return action.name, Fault(errors.INTERNAL_ERROR)

    async def _do(self, action: Action, request: Request) -> Answer | Fault:
        call = await self._who_calls(request)
        if isinstance(call, Fault):
            return call
        asked = (
            action.reader.read_query(request.query) if request.method == GET else action.reader.read_json(request.body)
        )
        if isinstance(asked, Fault):
            return asked
        done = await action.do(call, asked)
        return fault_of(done, action.name) if isinstance(done, Refusal) else done

    async def _who_calls(self, request: Request) -> Call | Fault:
        claim = read_claim(request)
        if isinstance(claim, Fault):
            return claim
        dossier = await self._directory.by_secret_id(claim.secret_id)
        credential = _credential_in(dossier, claim.secret_id)
        if dossier is not None and credential is None:
            # Made or enabled a moment ago, perhaps.
            dossier = await self._directory.verified(dossier.account.id)
            credential = _credential_in(dossier, claim.secret_id)
        if dossier is None or credential is None:
            return Fault(errors.SECRET_ID_NOT_FOUND)
        fault = verify(request, claim, secret_key=credential.secret_key, now=self._clock())
        return fault or Call(self._rooms, dossier, claim.secret_id)


def new_request_id() -> str:
    """Make a random uuid (RFC 9562, version 4); the library's own takes four times as long."""
    one = os.urandom(16).hex()
    return f"{one[:8]}-{one[8:12]}-4{one[13:16]}-{'89ab'[int(one[16], 16) & 3]}{one[17:20]}-{one[20:]}"


def _credential_in(dossier: Dossier | None, secret_id: str) -> Credential | None:
    """Find the credential, if it is one that may be used."""
    credential = dossier.credentials.get(secret_id) if dossier else None
    return credential if credential and credential.enabled else None


async def _receive_request(scope: Message, headers: dict[bytes, bytes], receive: Receive) -> Request | Fault | None:
    """Read the whole request; a fault when no more of it should be read; None when the client has gone."""
    method: bytes = scope["method"].encode()
    query: bytes = scope["query_string"]
    if method not in {b"POST", GET}:
        return Fault(errors.UNSUPPORTED_PROTOCOL)
    if len(query) > MOST_QUERY_BYTES:
        return Fault(errors.REQUEST_TOO_LARGE, "32 KB")
    announced = headers.get(b"content-length", b"0")
    if announced.isdigit() and int(announced) > MOST_BODY_BYTES:
        return Fault(errors.REQUEST_TOO_LARGE, "10 MB")
    pieces: list[bytes] = []
    size_bytes = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        piece = message.get("body", b"")
        size_bytes += len(piece)
        if size_bytes > MOST_BODY_BYTES:
            return Fault(errors.REQUEST_TOO_LARGE, "10 MB")
        pieces.append(piece)
        more = message.get("more_body", False)
    return Request(method, query, headers, b"".join(pieces))


def _action_of(request: Request) -> Action | Fault:
    version = request.headers.get(b"x-tc-version", b"").decode("latin-1")
    name = request.headers.get(b"x-tc-action", b"").decode("latin-1")
    if not version and not name and b"Signature=" in (request.query or request.body):
        return Fault(errors.INVALID_AUTHORIZATION, "HmacSHA1 and HmacSHA256 are not supported, use TC3-HMAC-SHA256")
    if not version:
        return Fault(errors.MISSING_PARAMETER, "X-TC-Version")
    if version not in ACTIONS:
        return Fault(errors.NO_SUCH_VERSION, version[:SHOWN_CHARACTERS])
    if not name:
        return Fault(errors.MISSING_PARAMETER, "X-TC-Action")
    if action := ACTIONS[version].get(name):
        return action
    shown = name[:SHOWN_CHARACTERS]
    return Fault(errors.MMS_NOT_SUPPORTED if "mms" in name.lower() else errors.INVALID_ACTION, shown)


def _encode(done: Answer | Fault, language: bytes, request_id: str) -> bytes:
    if isinstance(done, Fault):
        done = _ErrorAnswer(error=_Error(code=done.code, message=done.message(language)))
    # Every answer is an object with at least one field: the request id goes in behind the last.
    return b'{"Response":%b,"RequestId":"%b"}}' % (_encoder.encode(done)[:-1], request_id.encode())


async def _send_answer(send: Send, body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                # Exactly this: with a charset behind it, the Python client takes an error for a success.
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


@cache
def _answers(action: str, code: str) -> Counter:
    return telemetry.REQUESTS.labels(action, code)


@cache
def _seconds(action: str) -> Histogram:
    return telemetry.REQUEST_SECONDS.labels(action)
