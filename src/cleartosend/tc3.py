"""TC3-HMAC-SHA256, the part that is the same for whoever signs a request and whoever verifies it."""

import hashlib
import hmac
import time
from functools import lru_cache

from cleartosend.model.times import SECONDS_PER_DAY


@lru_cache(maxsize=8)
def utc_date(day: int) -> bytes:
    """
    Write a day, counted from 1970, as it stands in a Credential.

    >>> utc_date(20_000)
    b'2024-10-04'
    """
    return time.strftime("%Y-%m-%d", time.gmtime(day * SECONDS_PER_DAY)).encode()


# A key lasts a day. It is remembered by the secret it was made of, so a changed secret never meets an old key; and
# begun with, since a copy of that costs half of beginning anew.
@lru_cache(maxsize=4096)
def signing_key(secret_key: str, date: bytes, service: bytes) -> hmac.HMAC:
    """Begin with the key of a day. Whoever goes on does so with a copy."""
    key = b"TC3" + secret_key.encode()
    for word in (date, service, b"tc3_request"):
        key = hmac.digest(key, word, "sha256")
    return hmac.new(key, digestmod="sha256")


def authorization(
    body: bytes, *, host: str, content_type: str, service: str, secret_id: str, secret_key: str, seconds: int
) -> str:
    """Sign a POST to `/`, as a client does: the header `Authorization`, beside an `X-TC-Timestamp` of these seconds."""
    date = utc_date(seconds // SECONDS_PER_DAY)
    scope = f"{date.decode()}/{service}/tc3_request"
    names = "content-type;host"
    payload = hashlib.sha256(body).hexdigest()
    canonical = f"POST\n/\n\ncontent-type:{content_type}\nhost:{host}\n\n{names}\n{payload}"
    keyed = signing_key(secret_key, date, service.encode()).copy()
    keyed.update(f"TC3-HMAC-SHA256\n{seconds}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}".encode())
    return f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={keyed.hexdigest()}"
