"""Whatever is sent, parameters are read or refused; nothing that a client writes is a surprise."""

import json
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from cleartosend.api.tencent import older_signing
from cleartosend.api.tencent.actions.table import ACTIONS
from cleartosend.api.tencent.envelope import Envelope, open_envelope
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Reader, speaks_of_mms
from cleartosend.api.tencent.signing import Request

READERS = [action.reader for actions in ACTIONS.values() for action in actions.values()]
NAMES = sorted({name for reader in READERS for name in reader.names} | {"", "Surprise", "0", "."})
CODES = {"MissingParameter", "UnknownParameter", "UnsupportedOperation"} | {
    f"FailedOperation.{code}" for code in ("JsonParseFail", "FailResolvePacket")
}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
objects = st.dictionaries(st.sampled_from(NAMES) | st.text(), values, max_size=8)


def is_read_or_refused(found: msgspec.Struct) -> bool:
    return not isinstance(found, Fault) or (found.code in CODES and bool(found.message()))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(READERS), st.binary() | objects.map(lambda given: json.dumps(given).encode()))
def test_any_body_is_read_or_refused(reader: Reader, body: bytes) -> None:
    assert is_read_or_refused(reader.read_json(body))


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(READERS),
    st.lists(st.tuples(st.sampled_from(NAMES) | st.text("A01.&=%+"), st.text("A01%.&=\xff")), max_size=6),
)
def test_any_query_is_read_or_refused(reader: Reader, pairs: list[tuple[str, str]]) -> None:
    query = "&".join(f"{name}={value}" for name, value in pairs).encode()
    assert is_read_or_refused(reader.read_query(query))


@settings(max_examples=200, deadline=None)
@given(
    st.binary()
    | st.dictionaries(
        st.sampled_from(["Action", "Version", "SecretId", "Signature", "SignatureMethod", "Timestamp", "Nonce", "A.0"]),
        st.text(),
    ).map(lambda given: urlencode(given).encode())
)
def test_any_form_is_read_or_refused(form: bytes) -> None:
    request = Request(b"POST", b"", {b"content-type": b"application/x-www-form-urlencoded"}, form)
    envelope = open_envelope(request)
    assert is_read_or_refused(envelope)
    if isinstance(envelope, Envelope) and envelope.signed_pairs is not None:
        claim = older_signing.read_claim(envelope.signed_pairs)
        assert isinstance(claim, Fault) or older_signing.verify(request, claim, secret_key="key", now=0.0) is not None


@pytest.mark.parametrize("depth", [10, 400, 900, 100_000])
def test_however_deep_a_body_nests(depth: int) -> None:
    body = b'{"SignName":' + b"[" * depth + b"]" * depth + b"}"
    assert is_read_or_refused(READERS[0].read_json(body))


@pytest.mark.parametrize("number", ["1" * 20, "9" * 400, "1e400", "-0", "1.5", "10.0", "1E2"])
def test_however_large_a_number_is(number: str) -> None:
    body = f'{{"SmsSdkAppId":"1","Limit":{number}}}'.encode()
    assert is_read_or_refused(ACTIONS["2021-01-11"]["PullSmsSendStatus"].reader.read_json(body))


@pytest.mark.parametrize("name", ["MmsTitle", "ImageUrl", "imageSet", "PICTURES", "Photo", "AudioFile", "VoiceId"])
def test_names_that_speak_of_pictures_and_sounds(name: str) -> None:
    assert speaks_of_mms(name)


def test_no_field_of_a_plain_message_speaks_of_pictures_and_sounds() -> None:
    assert not any(speaks_of_mms(name) for name in ACTIONS["2021-01-11"]["SendSms"].reader.names)
