"""Who calls: the TC3-HMAC-SHA256 signature of a request, read and verified as its clients really make it."""

import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence

import msgspec

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.errors import Fault
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.tc3 import signing_key, utc_date

MOST_SECONDS_APART = 300
SERVICE = b"sms"
GET = b"GET"
MUST_BE_SIGNED = frozenset({b"content-type", b"host"})

_WORD = rb"[!-+\--.0-~]{1,128}"
_AUTHORIZATION = re.compile(
    rb"TC3-HMAC-SHA256 +Credential=(?P<secret_id>%b)/(?P<date>[0-9-]{10})/(?P<service>%b)/tc3_request"
    rb", *SignedHeaders=(?P<signed_headers>[!-+\--~]+), *Signature=(?P<signature>[0-9a-f]{64})" % (_WORD, _WORD)
)
_PORT = re.compile(rb":[0-9]*\Z")
_EMPTY_PAYLOAD = hashlib.sha256(b"").hexdigest().encode()
# Clients that leave the body unsigned hash this text in its place; the documents say they would put the text itself.
_UNSIGNED = b"UNSIGNED-PAYLOAD"
_UNSIGNED_PAYLOAD = hashlib.sha256(_UNSIGNED).hexdigest().encode()


class Request(msgspec.Struct, frozen=True, gc=False):
    """An HTTP request as it came over the wire."""

    method: bytes
    query: bytes
    headers: dict[bytes, bytes]
    """By lower-case name."""
    body: bytes
    address: str = ""
    """Of who calls, as the web server tells it; empty where it cannot."""


class Claim(msgspec.Struct, frozen=True, gc=False):
    """Who a request says it is from, and how it would prove it."""

    secret_id: str
    date: bytes
    service: bytes
    names: list[bytes]
    """Of the headers that were signed, in their order."""
    signature: str


def read_claim(request: Request) -> Claim | Fault:
    """Read what the Authorization header says; nothing is proven yet."""
    if request.headers.get(b"x-tc-token"):
        return Fault(errors.TOKENS_NOT_SUPPORTED, "X-TC-Token")
    written = _AUTHORIZATION.fullmatch(request.headers.get(b"authorization", b""))
    if written is None:
        return Fault(errors.INVALID_AUTHORIZATION, "TC3-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…")
    secret_id, date, service, signed_headers, signature = written.groups()
    # The Node client, and others of its age, name the service after the first word of the endpoint, whatever that is.
    if service != SERVICE and _first_label(service) != _first_label(request.headers.get(b"host", b"")):
        return Fault(errors.INVALID_AUTHORIZATION, "the service in Credential must be `sms`")
    names = signed_headers.split(b";")
    if not MUST_BE_SIGNED.issubset(names):
        return Fault(errors.INVALID_AUTHORIZATION, "SignedHeaders must include content-type and host")
    return Claim(secret_id.decode("ascii"), date, service, names, signature.decode("ascii"))


def verify(request: Request, claim: Claim, *, secret_key: str, now: float) -> Fault | None:
    """
    Whether the request was signed with the key, not long ago.

    The same signature may come again while it is fresh: clients retry. There is no memory of signatures to keep.
    """
    timestamp = request.headers.get(b"x-tc-timestamp", b"")
    seconds = fresh_seconds(timestamp, name="X-TC-Timestamp", now=now)
    if isinstance(seconds, Fault):
        return seconds
    if claim.date != utc_date(seconds // SECONDS_PER_DAY):
        return Fault(errors.INVALID_AUTHORIZATION, "the date in Credential must be that of X-TC-Timestamp in UTC")
    key = signing_key(secret_key, claim.date, claim.service)
    # Apart from the values of the signed headers, everything is the same in each reading.
    before = b"%b\n/\n%b\n" % (request.method, request.query if request.method == GET else b"")
    after = b"\n%b\n%b" % (b";".join(claim.names), _payload(request))
    scope = b"TC3-HMAC-SHA256\n%b\n%b/%b/tc3_request\n" % (timestamp, claim.date, claim.service)
    for values in _readings(request.headers, claim.names):
        headers = b"".join([name + b":" + value + b"\n" for name, value in zip(claim.names, values, strict=True)])
        keyed = key.copy()
        keyed.update(scope + hashlib.sha256(before + headers + after).hexdigest().encode())
        if hmac.compare_digest(keyed.hexdigest(), claim.signature):
            return None
    return Fault(errors.SIGNATURE_DIFFERS)


def fresh_seconds(timestamp: bytes, *, name: str, now: float) -> int | Fault:
    """Read the time at which a request was signed, which must not be long ago."""
    if not timestamp:
        return Fault(errors.MISSING_PARAMETER, name)
    if not timestamp.isdigit() or len(timestamp) > len(b"253402300799"):
        return Fault(errors.INVALID_TIMESTAMP, name)
    seconds = int(timestamp)
    return Fault(errors.SIGNATURE_EXPIRED) if abs(now - seconds) > MOST_SECONDS_APART else seconds


def _first_label(host: bytes) -> bytes:
    """
    Cut a host down to its first word.

    >>> _first_label(b"SMS-gateway.example.com:8080"), _first_label(b"localhost:8080")
    (b'sms-gateway', b'localhost')
    """
    return _PORT.sub(b"", host).split(b".")[0].lower()


def hosts(received: bytes) -> tuple[bytes, ...]:
    """List the hosts that a client may have signed for the one it sent: the Node client leaves the port out."""
    portless = _PORT.sub(b"", received)
    return (received,) if portless == received else (received, portless)


def _payload(request: Request) -> bytes:
    if request.headers.get(b"x-tc-content-sha256") == _UNSIGNED:
        return _UNSIGNED_PAYLOAD
    if request.method == GET:
        return _EMPTY_PAYLOAD
    return hashlib.sha256(request.body).hexdigest().encode()


def _readings(headers: dict[bytes, bytes], names: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """List the values that a client may have signed for the headers it sent, the likeliest first."""
    received = [headers.get(name, b"").strip() for name in names]
    yield received
    # The Node client sends a host with its port and signs it without.
    portless = [
        _PORT.sub(b"", value) if name == b"host" else value for name, value in zip(names, received, strict=True)
    ]
    # The documents' own samples sign x-tc-action, or every value, in lower case.
    tried = [received]
    for values in (received, portless):
        action_lowered = [
            value.lower() if name == b"x-tc-action" else value for name, value in zip(names, values, strict=True)
        ]
        for reading in (values, action_lowered, [value.lower() for value in values]):
            if reading not in tried:
                tried.append(reading)
                yield reading
