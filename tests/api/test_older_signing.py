"""Requests signed the older way are let in as the vendor's client makes them, in a query and in a form."""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

import msgspec
import pytest
import time_machine
from api.calling import HOST, NOW, SECRET_ID, SECRET_KEY, Reply, Service, send_to
from tencentcloud.common.credential import Credential
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111.sms_client import SmsClient
from usual import SIGNATURE

from cleartosend.api.tencent.receiving import MOST_FORM_BYTES
from cleartosend.api.tencent.signing import Request

FORM = "application/x-www-form-urlencoded"
SEND: dict[str, object] = {
    "PhoneNumberSet": ["+8613711112222", "13711113333"],
    "SmsSdkAppId": "1400000001",
    "TemplateId": "1",
    "SignName": SIGNATURE,
    "TemplateParamSet": ["123456"],
    "SessionContext": "a=b&c+d e%20_二",
}


def by_the_python_client(
    sign_method: str, method: str, parameters: dict[str, object], *, action: str = "SendSms", token: str | None = None
) -> Request:
    """Make what the real Python client would send at NOW."""
    profile = ClientProfile(
        signMethod=sign_method,
        language="en-US",
        httpProfile=HttpProfile(protocol="http", endpoint=HOST, reqMethod=method),
    )
    client = SmsClient(Credential(SECRET_ID, SECRET_KEY, token), "ap-guangzhou", profile)
    made = RequestInternal(HOST, method, "/")
    with time_machine.travel(NOW, tick=False):
        client._build_req_inter(action, parameters, made)  # noqa: SLF001
    headers = {b"host": HOST.encode(), b"content-type": made.header["Content-Type"].encode()}
    data = made.data.encode()
    return Request(method.encode(), data, headers, b"") if method == "GET" else Request(b"POST", b"", headers, data)


def by_hand(pairs: dict[str, str], *, host: str = HOST, method: str = "POST", digest: str = "sha1") -> Request:
    """Sign as the documents describe it; what is empty is left out."""
    given = {
        "Action": "DescribeSmsTemplateList",
        "Version": "2021-01-11",
        "Timestamp": str(int(NOW)),
        "Nonce": "7",
        "SecretId": SECRET_ID,
        "International": "0",
        **pairs,
    }
    given = {name: value for name, value in given.items() if value}
    text = f"{method}{host}/?" + "&".join(f"{name}={given[name]}" for name in sorted(given))
    signature = base64.b64encode(hmac.new(SECRET_KEY.encode(), text.encode(), digest).digest()).decode()
    written = urlencode(given | {"Signature": signature}).encode()
    headers = {b"host": HOST.encode(), b"content-type": FORM.encode()}
    return Request(b"POST", b"", headers, written) if method == "POST" else Request(b"GET", written, headers, b"")


@pytest.mark.parametrize("sign_method", ["HmacSHA1", "HmacSHA256"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_the_python_client_signs_is_let_in(service: Service, sign_method: str, method: str) -> None:
    reply = await send_to(service.door, by_the_python_client(sign_method, method, SEND))
    assert [(one["Code"], one["SessionContext"]) for one in reply.response["SendStatusSet"]] == [
        ("Ok", SEND["SessionContext"])
    ] * 2


@pytest.mark.parametrize("sign_method", ["HmacSHA1", "HmacSHA256"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_was_changed_on_the_way_is_refused(service: Service, sign_method: str, method: str) -> None:
    request = by_the_python_client(sign_method, method, SEND)
    body, query = (one.replace(b"123456", b"123457") for one in (request.body, request.query))
    changed = msgspec.structs.replace(request, body=body, query=query)
    assert (await send_to(service.door, changed)).code == "AuthFailure.SignatureFailure"


async def test_objects_in_lists_are_put_back_together(service: Service) -> None:
    asked: dict[str, object] = {
        "SmsSdkAppId": "1400000001",
        "MultiSmsInfoSet": [{"PhoneNumber": "+8613711112222", "TemplateId": "1", "TemplateParamSet": ["a", "b"]}],
    }
    request = by_the_python_client("HmacSHA256", "POST", asked, action="SendMultiGlobalSms")
    assert (await send_to(service.door, request)).code == "UnsupportedOperation.ContainDomesticPhoneNumber"


async def test_without_a_method_it_is_the_first(service: Service) -> None:
    for digest, method in (("sha1", ""), ("sha1", "HmacSHA1"), ("sha256", "HmacSHA256")):
        assert (await send_to(service.door, by_hand({"SignatureMethod": method}, digest=digest))).code == ""
    assert (await send_to(service.door, by_hand({}, digest="sha256"))).code == "AuthFailure.SignatureFailure"


async def test_the_host_may_be_signed_without_its_port(service: Service) -> None:
    assert (await send_to(service.door, by_hand({}, host="127.0.0.1", method="GET"))).code == ""
    assert (await send_to(service.door, by_hand({}, host="elsewhere", method="GET"))).code == (
        "AuthFailure.SignatureFailure"
    )


@pytest.mark.parametrize(
    ("pairs", "code", "names"),
    [
        ({"Version": ""}, "MissingParameter", "`Version`"),
        ({"Version": "2020-01-01"}, "NoSuchVersion", "2020-01-01"),
        ({"Action": ""}, "MissingParameter", "`Action`"),
        ({"Action": "Invented"}, "InvalidAction", "`Invented`"),
        ({"Action": "SendMms"}, "UnsupportedOperation", "MMS"),
        ({"SecretId": ""}, "MissingParameter", "`SecretId`"),
        ({"SecretId": "nobody"}, "AuthFailure.SecretIdNotFound", ""),
        ({"SecretId": "密\0"}, "AuthFailure.SecretIdNotFound", ""),
        ({"Nonce": ""}, "MissingParameter", "`Nonce`"),
        ({"Timestamp": ""}, "MissingParameter", "`Timestamp`"),
        ({"Timestamp": "soon"}, "InvalidParameterValue", "`Timestamp`"),
        ({"Timestamp": str(int(NOW) - 301)}, "AuthFailure.SignatureExpire", ""),
        ({"SignatureMethod": "HmacMD5"}, "InvalidParameterValue", "`SignatureMethod`"),
        ({"Token": "temporary"}, "AuthFailure.TokenFailure", "`Token`"),
        ({"Surprise": "1"}, "UnknownParameter", "`Surprise`"),
        ({"International": "zero"}, "FailedOperation.FailResolvePacket", "International"),
        ({"Region": "ap-nowhere", "RequestClient": "x"}, "", ""),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_wrong_is_named(
    service: Service, method: str, pairs: dict[str, str], code: str, names: str
) -> None:
    reply = await send_to(service.door, by_hand(pairs, method=method))
    assert reply.code == code
    assert not code or names in reply.message


async def test_temporary_credentials_of_the_client_are_refused(service: Service) -> None:
    request = by_the_python_client("HmacSHA1", "GET", SEND, token="temporary")
    assert (await send_to(service.door, request)).code == "AuthFailure.TokenFailure"


async def test_the_language_stands_among_the_parameters(service: Service) -> None:
    async def said(**pairs: str) -> Reply:
        return await send_to(service.door, by_hand({"International": "", **pairs}))

    assert (await said()).message == "The request is missing a required parameter `International`."
    assert (await said(Language="zh-CN")).message == "请求缺少必要参数 `International`。"


@pytest.mark.parametrize("body", [b"Action=%FF", "Action=密".encode(), b"Action=A&Action=B", b"a=&" * 20_000])
async def test_a_form_that_cannot_be_read_is_refused(service: Service, body: bytes) -> None:
    request = msgspec.structs.replace(by_hand({}), body=body)
    assert (await send_to(service.door, request)).code == "FailedOperation.FailResolvePacket"


async def test_a_form_is_smaller_than_json_may_be(service: Service) -> None:
    request = msgspec.structs.replace(by_hand({}), body=b"a" * (MOST_FORM_BYTES + 1))
    assert (await send_to(service.door, request)).code == "RequestSizeLimitExceeded"


def test_our_own_reading_of_the_documents_signs_as_the_python_client_does() -> None:
    theirs = by_the_python_client("HmacSHA1", "GET", {"A": "1"})
    pairs = dict(pair.split("=") for pair in theirs.query.decode().split("&"))
    text = f"GET{HOST}/?" + "&".join(f"{name}={pairs[name]}" for name in sorted(pairs) if name != "Signature")
    ours = base64.b64encode(hmac.new(SECRET_KEY.encode(), text.encode(), hashlib.sha1).digest())
    assert urlencode({"Signature": ours}) == f"Signature={pairs['Signature']}"
