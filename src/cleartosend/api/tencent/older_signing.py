"""Who calls, by the older signatures: HmacSHA1 and HmacSHA256 over the parameters, in a query or in a form."""

import base64
import hmac
import re

import msgspec

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Pairs
from cleartosend.api.tencent.signing import Request, fresh_seconds, hosts

USUAL_METHOD = "HmacSHA1"
DIGESTS = {USUAL_METHOD: "sha1", "HmacSHA256": "sha256"}
_SECRET_ID = re.compile(r"[!-~]{1,128}")


class Claim(msgspec.Struct, frozen=True, gc=False):
    """Who a request says it is from, and how it would prove it."""

    secret_id: str
    timestamp: str
    digest: str
    signature: str
    signed: Pairs
    """What the signature stands over."""


def read_claim(pairs: Pairs) -> Claim | Fault:
    """Read who signed; nothing is proven yet."""
    given = dict(pairs)
    if given.get("Token"):
        return Fault(errors.TOKENS_NOT_SUPPORTED, "Token")
    for name in ("SecretId", "Signature", "Timestamp", "Nonce"):
        if not given.get(name):
            return Fault(errors.MISSING_PARAMETER, name)
    if not _SECRET_ID.fullmatch(given["SecretId"]):
        return Fault(errors.SECRET_ID_NOT_FOUND)
    digest = DIGESTS.get(given.get("SignatureMethod", USUAL_METHOD))
    if digest is None:
        return Fault(errors.INVALID_SIGNATURE_METHOD)
    signed = [pair for pair in pairs if pair[0] != "Signature"]
    return Claim(given["SecretId"], given["Timestamp"], digest, given["Signature"], signed)


def verify(request: Request, claim: Claim, *, secret_key: str, now: float) -> Fault | None:
    """Whether the request was signed with the key, not long ago."""
    seconds = fresh_seconds(claim.timestamp.encode(), name="Timestamp", now=now)
    if isinstance(seconds, Fault):
        return seconds
    # The values are signed as they are, not as they travel. Clients write a name's underscore as a dot to sign it.
    signed = sorted((name.replace("_", "."), value) for name, value in claim.signed)
    parameters = "&".join([f"{name}={value}" for name, value in signed]).encode()
    for host in hosts(request.headers.get(b"host", b"").strip()):
        text = b"%b%b/?%b" % (request.method, host, parameters)
        expected = base64.b64encode(hmac.digest(secret_key.encode(), text, claim.digest))
        if hmac.compare_digest(expected, claim.signature.encode()):
            return None
    return Fault(errors.SIGNATURE_DIFFERS)
