"""The door itself: one path, the action in a header, an answer always with status 200, as its clients expect."""

import os
import time
import traceback
from collections.abc import Awaitable, Callable
from functools import cache

import msgspec
from prometheus_client import Counter, Histogram

from cleartosend import telemetry
from cleartosend.admission.accept import Admission
from cleartosend.admission.directory import Directory, Dossier
from cleartosend.api.callers import may_call
from cleartosend.api.tencent import errors, older_signing, signing
from cleartosend.api.tencent.actions.call import Call, Rooms
from cleartosend.api.tencent.actions.table import ACTIONS, Action
from cleartosend.api.tencent.envelope import Envelope, open_envelope
from cleartosend.api.tencent.errors import Fault, as_known_to, fault_of
from cleartosend.api.tencent.parameters import SHOWN_CHARACTERS, Answer, Parameters
from cleartosend.api.tencent.rates import Rates
from cleartosend.api.tencent.receiving import Message, Receive, receive_request
from cleartosend.api.tencent.signing import GET, Request
from cleartosend.model.accounts import Credential
from cleartosend.model.reasons import Refusal
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.review.apply import Applications

Send = Callable[[Message], Awaitable[None]]

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
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rooms = Rooms(admission=admission, applications=applications, engine=engine, clock=clock)
        self._directory = directory
        self._clock = clock
        self._rates = Rates(monotonic)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request = await receive_request(scope, headers, receive)
        if request is None:
            return
        began = time.perf_counter()
        request_id = new_request_id()
        name, language = OTHER, headers.get(b"x-tc-language", b"")
        done: Answer | Fault
        if isinstance(request, Fault):
            done = request
        elif isinstance(envelope := open_envelope(request), Fault):
            done = envelope
        else:
            language = envelope.language
            name, done = await self._answer(request, envelope, request_id)
        body = _encode(done, language, request_id)
        code = done.code if isinstance(done, Fault) else OK
        _answers(name, code).inc()
        _seconds(name).observe(time.perf_counter() - began)
        await _send_answer(send, body)

    async def _answer(self, request: Request, envelope: Envelope, request_id: str) -> tuple[str, Answer | Fault]:
        """Do what is asked, or say why not; with the action's name for the metrics."""
        action = _action_of(envelope)
        if isinstance(action, Fault):
            return OTHER, action
        try:
            done = await self._do(action, request, envelope)
        except StoreUnavailable as error:
            telemetry.log.error("store.unavailable", action=action.name, request_id=request_id, error=str(error))
            done = Fault(errors.INTERNAL_ERROR)
        except Exception as error:  # noqa: BLE001 - here is the one place that answers for what nobody expected
            # Where and what, but not the exception's own words: they may quote a text or a number.
            telemetry.log.error(
                "call.failed",
                action=action.name,
                request_id=request_id,
                error=type(error).__name__,
                where=traceback.format_tb(error.__traceback__),
            )
            done = Fault(errors.INTERNAL_ERROR)
        return action.name, done

    async def _do(self, action: Action, request: Request, envelope: Envelope) -> Answer | Fault:
        call = await self._who_calls(request, envelope)
        if isinstance(call, Fault):
            return call
        done: Answer | Refusal | Fault | None = await self._may_not_call(call, action, request.address)
        if done is None:
            asked = _read(action, envelope, request)
            done = asked if isinstance(asked, Fault) else await action.do(call, asked)
        if isinstance(done, Refusal):
            done = fault_of(done, action.name)
        return as_known_to(done, envelope.version, action.name) if isinstance(done, Fault) else done

    async def _who_calls(self, request: Request, envelope: Envelope) -> Call | Fault:
        pairs = envelope.signed_pairs
        claim = signing.read_claim(request) if pairs is None else older_signing.read_claim(pairs)
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
        key, now = credential.secret_key, self._clock()
        fault = (
            signing.verify(request, claim, secret_key=key, now=now)
            if isinstance(claim, signing.Claim)
            else older_signing.verify(request, claim, secret_key=key, now=now)
        )
        return fault or Call(self._rooms, dossier, claim.secret_id, request.headers.get(b"idempotency-key"))

    async def _may_not_call(self, call: Call, action: Action, address: str) -> Refusal | None:
        account = call.dossier.account
        if refusal := self._rates.take(account, action.name):
            return refusal
        if may_call(account, address) is None:
            return None
        # What was remembered of the account may be out of date.
        dossier = await self._directory.verified(account.id)
        return may_call(dossier.account if dossier else account, address)


def new_request_id() -> str:
    """Make a random uuid (RFC 9562, version 4); the library's own takes four times as long."""
    one = os.urandom(16).hex()
    return f"{one[:8]}-{one[8:12]}-4{one[13:16]}-{'89ab'[int(one[16], 16) & 3]}{one[17:20]}-{one[20:]}"


def _credential_in(dossier: Dossier | None, secret_id: str) -> Credential | None:
    """Find the credential, if it is one that may be used."""
    credential = dossier.credentials.get(secret_id) if dossier else None
    return credential if credential and credential.enabled else None


def _action_of(envelope: Envelope) -> Action | Fault:
    if not envelope.version:
        return envelope.missing("Version")
    if envelope.version not in ACTIONS:
        return Fault(errors.NO_SUCH_VERSION, envelope.version[:SHOWN_CHARACTERS])
    if not envelope.action:
        return envelope.missing("Action")
    if action := ACTIONS[envelope.version].get(envelope.action):
        return action
    says_mms = "mms" in envelope.action.lower()
    return Fault(errors.MMS_NOT_SUPPORTED if says_mms else errors.INVALID_ACTION, envelope.action[:SHOWN_CHARACTERS])


def _read(action: Action, envelope: Envelope, request: Request) -> Parameters | Fault:
    if envelope.signed_pairs is not None:
        return action.reader.fit_pairs(envelope.pairs)
    return action.reader.read_query(request.query) if request.method == GET else action.reader.read_json(request.body)


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
