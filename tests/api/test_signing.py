"""A request is let in when its client signed it, in any of the ways in which clients really sign, and not otherwise."""

import json
import time

import msgspec
import pytest
import time_machine
from api.calling import HOST, NOW, SECRET_ID, SECRET_KEY, sign, signed_request
from tencentcloud.common.credential import Credential
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111.sms_client import SmsClient

from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.signing import Claim, Request, read_claim, verify

JSON = "application/json"
BODY = json.dumps({"PhoneNumberSet": ["+8613711112222"], "SignName": "清风"}, ensure_ascii=False).encode()


def refusal(request: Request, *, secret_key: str = SECRET_KEY, now: float = NOW) -> str:
    """Tell the code with which the request is refused; empty when it is let in."""
    claim = read_claim(request)
    if isinstance(claim, Fault):
        return claim.code
    fault = verify(request, claim, secret_key=secret_key, now=now)
    return fault.code if fault else ""


def with_headers(request: Request, **headers: str) -> Request:
    """Change headers (with _ for -) after the request was signed."""
    changed = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return msgspec.structs.replace(request, headers=request.headers | changed)


def by_the_python_client(method: str = "POST", *, unsigned: bool = False, parameters: object = None) -> Request:
    """Make what the real Python client would send at NOW."""
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=HOST, reqMethod=method))
    profile.unsignedPayload = unsigned
    client = SmsClient(Credential(SECRET_ID, SECRET_KEY), "ap-guangzhou", profile)
    made = RequestInternal(HOST, method, "/")
    with time_machine.travel(NOW, tick=False):
        client._build_req_inter("SendSms", parameters or {"SignName": "清风", "Limit": 10}, made)  # noqa: SLF001
    headers = {name.lower().encode(): str(value).encode() for name, value in made.header.items()}
    data = made.data.encode()
    return Request(method.encode(), data, headers, b"") if method == "GET" else Request(b"POST", b"", headers, data)


@pytest.mark.parametrize(
    "request_",
    [
        by_the_python_client(),
        by_the_python_client("GET"),
        by_the_python_client("GET", parameters={"B": "二 &=+", "A": ["1", "2"]}),
        by_the_python_client(unsigned=True),
        by_the_python_client("GET", unsigned=True),
    ],
    ids=["POST", "GET", "GET in the client's own order", "unsigned payload", "GET, unsigned payload"],
)
def test_what_the_python_client_signs_is_let_in(request_: Request) -> None:
    assert refusal(request_) == ""
    assert refusal(request_, secret_key="another key") == "AuthFailure.SignatureFailure"
    changed = with_headers(request_, content_type="text/plain")
    assert refusal(changed) == "AuthFailure.SignatureFailure"


def test_our_own_reading_of_the_documents_signs_as_the_python_client_does() -> None:
    theirs = by_the_python_client()
    ours = sign(timestamp=int(NOW), body=theirs.body, signed={"content-type": JSON, "host": HOST})
    assert theirs.headers[b"authorization"].decode() == ours


@pytest.mark.parametrize(
    ("signed", "headers"),
    [
        pytest.param({"content-type": JSON, "host": HOST}, {}, id="usual"),
        pytest.param({"host": HOST, "content-type": JSON}, {}, id="another order"),
        pytest.param({"content-type": JSON, "host": "127.0.0.1"}, {}, id="Node: host without its port"),
        pytest.param({"content-type": JSON, "host": "::1"}, {"host": "::1"}, id="a host of many colons"),
        pytest.param({"content-type": JSON, "host": "[::1]"}, {"host": "[::1]:8080"}, id="Node on IPv6"),
        pytest.param(
            {"content-type": "application/json; charset=utf-8", "host": HOST},
            {"content-type": "application/json; charset=utf-8"},
            id="Java: charset",
        ),
        pytest.param({"content-type": JSON, "host": HOST, "x-tc-action": "SendSms"}, {}, id="action as sent"),
        pytest.param({"content-type": JSON, "host": HOST, "x-tc-action": "sendsms"}, {}, id="action in lower case"),
        pytest.param(
            {"content-type": JSON, "host": "127.0.0.1", "x-tc-action": "sendsms"}, {}, id="both oddities at once"
        ),
        pytest.param(
            {"content-type": "application/json; charset=UTF-8", "host": HOST, "x-tc-action": "sendsms"},
            {"content-type": "application/json; charset=UTF-8"},
            id="only the action in lower case",
        ),
        pytest.param(
            {"content-type": "application/json; charset=utf-8", "host": "sms.example"},
            {"content-type": "application/json; charset=UTF-8", "host": "SMS.example"},
            id="every value in lower case",
        ),
        pytest.param({"content-type": JSON, "host": HOST}, {"content-type": f" {JSON} "}, id="values are trimmed"),
    ],
)
def test_each_way_to_sign_headers_is_let_in(signed: dict[str, str], headers: dict[str, str]) -> None:
    request = signed_request(BODY, headers, signed=signed)
    assert refusal(request) == ""
    assert refusal(msgspec.structs.replace(request, body=BODY + b" ")) == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(
    ("host", "signed_host", "service"),
    [
        ("127.0.0.1:8080", "127.0.0.1", "127"),
        ("localhost:8080", "localhost", "localhost:8080"),
        ("gateway.example.com", "gateway.example.com", "gateway"),
        ("gateway.example.com", "gateway.example.com", "Gateway"),
        ("127.0.0.1:8080", "127.0.0.1:8080", "sms"),
    ],
)
def test_the_service_may_be_named_after_the_endpoint_as_node_does(host: str, signed_host: str, service: str) -> None:
    signed = {"content-type": JSON, "host": signed_host}
    authorization = sign(timestamp=int(NOW), body=BODY, signed=signed, service=service)
    request = signed_request(BODY, {"host": host, "authorization": authorization})
    assert refusal(request) == ""
    assert refusal(request, secret_key="another key") == "AuthFailure.SignatureFailure"
    elsewhere = signed_request(BODY, {"host": "cvm.example.com", "authorization": authorization})
    assert refusal(elsewhere) == (
        "AuthFailure.SignatureFailure" if service == "sms" else "AuthFailure.InvalidAuthorization"
    )


def test_the_raw_bytes_of_the_body_count() -> None:
    request = signed_request(BODY)
    respelled = json.dumps(json.loads(BODY)).encode()
    assert json.loads(respelled) == json.loads(request.body)
    assert refusal(msgspec.structs.replace(request, body=respelled)) == "AuthFailure.SignatureFailure"


def test_an_unsigned_body_must_be_announced() -> None:
    authorization = sign(timestamp=int(NOW), payload=b"UNSIGNED-PAYLOAD", signed={"content-type": JSON, "host": HOST})
    request = with_headers(signed_request(BODY), authorization=authorization)
    assert refusal(request) == "AuthFailure.SignatureFailure"
    assert refusal(with_headers(request, x_tc_content_sha256="UNSIGNED-PAYLOAD")) == ""


def test_the_query_of_a_post_is_not_signed() -> None:
    assert refusal(msgspec.structs.replace(signed_request(BODY), query=b"a=1")) == ""


@pytest.mark.parametrize(
    ("seconds_late", "code"),
    [
        (0, ""),
        (300, ""),
        (-300, ""),
        (301, "AuthFailure.SignatureExpire"),
        (-301, "AuthFailure.SignatureExpire"),
        (10**9, "AuthFailure.SignatureExpire"),
    ],
)
def test_a_signature_holds_five_minutes_either_way(seconds_late: int, code: str) -> None:
    assert refusal(signed_request(BODY), now=NOW + seconds_late) == code


def test_a_signature_may_come_again_while_it_holds() -> None:
    request = signed_request(BODY)
    assert [refusal(request, now=NOW + late) for late in (0, 1, 299)] == ["", "", ""]


def test_a_signature_made_before_midnight_holds_after_it() -> None:
    midnight = NOW - NOW % 86_400
    assert refusal(signed_request(BODY, timestamp=int(midnight) - 1), now=midnight + 1) == ""


def test_the_date_is_the_timestamps_in_utc() -> None:
    # NOW is in the small hours of UTC's day; a client that takes the date of New York signs yesterday's.
    authorization = sign(timestamp=int(NOW), body=BODY, signed={"content-type": JSON, "host": HOST}, date="2025-06-14")
    request = with_headers(signed_request(BODY), authorization=authorization)
    assert refusal(request) == "AuthFailure.InvalidAuthorization"


@pytest.mark.parametrize(
    ("timestamp", "code"),
    [
        ("", "MissingParameter"),
        ("soon", "InvalidParameterValue"),
        ("-1", "InvalidParameterValue"),
        ("1" * 400, "InvalidParameterValue"),
        ("1749956401", "AuthFailure.SignatureFailure"),
    ],
)
def test_a_timestamp_must_be_a_time_and_the_one_that_was_signed(timestamp: str, code: str) -> None:
    assert refusal(with_headers(signed_request(BODY), x_tc_timestamp=timestamp)) == code


USUAL = signed_request(BODY).headers[b"authorization"].decode()


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "SKIP",
        "Bearer abc",
        USUAL.replace("TC3-HMAC-SHA256", "TC3-HMAC-SHA1"),
        USUAL.replace("tc3_request", "aws4_request"),
        USUAL.replace("/sms/", "/cvm/"),
        USUAL.replace("content-type;host", "host"),
        USUAL.replace("content-type;host", "content-type"),
        USUAL.replace("content-type;host", ""),
        USUAL.replace(SECRET_ID, ""),
        USUAL.replace(SECRET_ID, "a" * 129),
        USUAL.replace(SECRET_ID, "密"),
        USUAL[:-1],
        USUAL + "0",
        USUAL.upper(),
    ],
)
def test_an_authorization_that_is_not_as_described_is_refused(authorization: str) -> None:
    assert refusal(with_headers(signed_request(BODY), authorization=authorization)) == (
        "AuthFailure.InvalidAuthorization"
    )


def test_an_authorization_may_be_written_without_spaces() -> None:
    request = with_headers(signed_request(BODY), authorization=USUAL.replace(", ", ","))
    assert refusal(request) == ""


def test_temporary_credentials_are_refused_by_their_name() -> None:
    assert refusal(signed_request(BODY, {"x-tc-token": "token"})) == "AuthFailure.TokenFailure"
    assert refusal(signed_request(BODY, {"x-tc-token": ""})) == ""


def test_a_changed_secret_does_not_meet_the_key_of_the_old_one() -> None:
    request = signed_request(BODY)
    assert refusal(request) == ""
    assert refusal(request, secret_key="a new secret") == "AuthFailure.SignatureFailure"
    assert refusal(request) == ""


def test_every_digit_of_the_signature_counts() -> None:
    claim = read_claim(signed_request(BODY))
    assert isinstance(claim, Claim)
    for place in (0, 31, 63):
        digit = "1" if claim.signature[place] == "0" else "0"
        wrong = claim.signature[:place] + digit + claim.signature[place + 1 :]
        altered = msgspec.structs.replace(claim, signature=wrong)
        assert verify(signed_request(BODY), altered, secret_key=SECRET_KEY, now=NOW) is not None


def test_time_stands_where_the_tests_think_it_does() -> None:
    assert time.strftime("%F %T", time.gmtime(NOW)) == "2025-06-15 03:00:00"
