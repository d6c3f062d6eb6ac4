"""What stands around the parameters of a request: the action, its version, the language of the answer, who signed."""

import msgspec

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Pairs, read_pairs
from cleartosend.api.tencent.signing import GET, Request

FORM = b"application/x-www-form-urlencoded"
# What a request signed the older way says beside what its action takes.
AROUND = frozenset(
    {
        "Action",
        "Language",
        "Nonce",
        "Region",
        "RequestClient",
        "SecretId",
        "Signature",
        "SignatureMethod",
        "Timestamp",
        "Token",
        "Version",
    }
)

_SIGNED_IN_HEADERS = frozenset({b"authorization", b"x-tc-action", b"x-tc-version"})


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """What is read before it is known who calls."""

    version: str
    action: str
    language: bytes
    signed_pairs: Pairs | None
    """All that the older signatures stand over; None: the request is signed the newer way, in its headers."""

    @property
    def pairs(self) -> Pairs:
        """What the action takes, of a request signed the older way."""
        return [(name, value) for name, value in self.signed_pairs or () if name not in AROUND]

    def missing(self, name: str) -> Fault:
        """Say that this part is missing, by the name it has in this kind of request."""
        return Fault(errors.MISSING_PARAMETER, name if self.signed_pairs is not None else f"X-TC-{name}")


def open_envelope(request: Request) -> Envelope | Fault:
    """Read what stands around the parameters, in headers or, signed the older way, among the parameters."""
    headers = request.headers
    if not _is_signed_the_older_way(request):
        return Envelope(
            headers.get(b"x-tc-version", b"").decode("latin-1"),
            headers.get(b"x-tc-action", b"").decode("latin-1"),
            headers.get(b"x-tc-language", b""),
            None,
        )
    pairs = read_pairs(request.query if request.method == GET else request.body)
    if isinstance(pairs, Fault):
        return pairs
    given = dict(pairs)
    if len(given) < len(pairs):
        return Fault(errors.WRONG_FIELD, "a parameter stands there twice")
    return Envelope(given.get("Version", ""), given.get("Action", ""), given.get("Language", "").encode(), pairs)


def _is_signed_the_older_way(request: Request) -> bool:
    if not _SIGNED_IN_HEADERS.isdisjoint(request.headers):
        return False
    if request.method == GET:
        return bool(request.query)
    return is_form(request.headers)


def is_form(headers: dict[bytes, bytes]) -> bool:
    """Whether the body is a form, and not JSON."""
    return headers.get(b"content-type", b"").split(b";")[0].strip().lower() == FORM
