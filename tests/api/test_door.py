"""Whatever comes in, the door answers with status 200, a RequestId, and the code that the reference would give."""

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import pytest
from api.calling import HOST, NOW, SECRET_ID, SECRET_KEY, Reply, Service, send_to, sign, signed_request
from prometheus_client import REGISTRY
from sqlalchemy import Connection
from usual import VAULT

from cleartosend.admission.directory import Directory
from cleartosend.api.tencent.actions.table import ACTIONS
from cleartosend.api.tencent.door import Door, new_request_id
from cleartosend.api.tencent.receiving import MOST_BODY_BYTES
from cleartosend.api.tencent.signing import Request
from cleartosend.model.accounts import Credential
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.store import accounts

SEND: dict[str, object] = {
    "PhoneNumberSet": ["+8613711112222"],
    "SmsSdkAppId": "1400000001",
    "TemplateId": "1",
    "SignName": "清风书店",
    "TemplateParamSet": ["123456"],
}
SIGN: dict[str, object] = {
    "SignName": "山海书店",
    "SignType": 0,
    "DocumentType": 0,
    "International": 0,
    "SignPurpose": 0,
    "ProofImage": "iVBORw0KGgo=",
}
TEMPLATE: dict[str, object] = {
    "TemplateName": "n",
    "TemplateContent": "您的包裹已到店。",
    "SmsType": 2,
    "International": 0,
    "Remark": "",
}

T = TypeVar("T")


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_an_answer_is_as_the_clients_need_it(service: Service) -> None:
    reply = await service.call("SendSms", SEND)
    assert reply.status == 200
    # Exactly: with a charset, the Python client would take an error for a success.
    assert reply.headers[b"content-type"] == b"application/json"
    assert uuid.UUID(reply.response["RequestId"]).version == 4
    assert [status["Code"] for status in reply.response["SendStatusSet"]] == ["Ok"]


async def test_an_error_is_as_the_clients_need_it(service: Service) -> None:
    reply = await service.call("SendSms", SEND, x_tc_timestamp="1")
    assert reply.status == 200
    assert reply.headers[b"content-type"] == b"application/json"
    assert uuid.UUID(reply.response["RequestId"]).version == 4
    assert reply.response.keys() == {"Error", "RequestId"}
    assert reply.code == "AuthFailure.SignatureExpire"


def test_request_ids_are_random_uuids() -> None:
    made = [new_request_id() for _ in range(1000)]
    assert all(str(uuid.UUID(one)) == one and uuid.UUID(one).version == 4 for one in made)
    assert all(uuid.UUID(one).variant == uuid.RFC_4122 for one in made)
    assert len(set(made)) == len(made)


# action, parameters, code of the error, what its message must name
BAD_INPUT: list[tuple[str, object, str, str]] = [
    ("SendSms", [], "FailedOperation.JsonParseFail", "JSON"),
    ("SendSms", "text", "FailedOperation.JsonParseFail", "JSON"),
    ("SendSms", {}, "MissingParameter", "`PhoneNumberSet`"),
    ("SendSms", SEND | {"SmsSdkAppId": None}, "MissingParameter", "`SmsSdkAppId`"),
    ("SendSms", SEND | {"PhoneNumberSet": []}, "MissingParameter.EmptyPhoneNumberSet", "PhoneNumberSet"),
    ("SendSms", SEND | {"PhoneNumberSet": "+8613711112222"}, "FailedOperation.FailResolvePacket", "PhoneNumberSet"),
    ("SendSms", SEND | {"PhoneNumberSet": [13711112222]}, "FailedOperation.FailResolvePacket", "PhoneNumberSet"),
    ("SendSms", SEND | {"SmsSdkAppId": 1400000001}, "FailedOperation.FailResolvePacket", "SmsSdkAppId: expected `str`"),
    ("SendSms", SEND | {"TemplateParamSet": {"1": "x"}}, "FailedOperation.FailResolvePacket", "TemplateParamSet"),
    ("SendSms", SEND | {"TemplateParamSet": ["\0"]}, "FailedOperation.FailResolvePacket", "TemplateParamSet"),
    ("SendSms", SEND | {"SignName": ["a", "\0"]}, "FailedOperation.FailResolvePacket", "SignName"),
    ("SendSms", SEND | {"Sign": "清风书店"}, "UnknownParameter", "`Sign`"),
    ("SendSms", SEND | {"smsSdkAppId": "1"}, "UnknownParameter", "`smsSdkAppId`"),
    ("SendSms", SEND | {"ImageUrl": "https://example.com/a.png"}, "UnsupportedOperation", "`ImageUrl`"),
    ("SendSms", SEND | {"mmsContent": {}}, "UnsupportedOperation", "MMS is not supported"),
    ("SendSms", SEND | {"Attachments": []}, "UnsupportedOperation", "`Attachments`"),
    ("SendSms", SEND | {"AudioFile": "", "Zzz": 1}, "UnsupportedOperation", "`AudioFile`"),
    ("AddSmsTemplate", TEMPLATE | {"PictureSet": ["x"]}, "UnsupportedOperation", "`PictureSet`"),
    ("AddSmsSign", SIGN | {"VideoProof": "x"}, "UnsupportedOperation", "`VideoProof`"),
    ("SendMmsMessage", SEND, "UnsupportedOperation", "`SendMmsMessage`"),
    ("SendEmail", SEND, "InvalidAction", "`SendEmail`"),
    ("sendSms", SEND, "InvalidAction", "`sendSms`"),
    ("", SEND, "MissingParameter", "`X-TC-Action`"),
    ("SendSms", SEND | {"SmsSdkAppId": "1499999999"}, "InvalidParameterValue.SdkAppIdNotExist", ""),
    ("SendSms", SEND | {"PhoneNumberSet": ["1"] * 201}, "LimitExceeded.PhoneNumberCountLimit", "200"),
    (
        "SendSms",
        SEND | {"PhoneNumberSet": ["+8613711112222", "+85261234567"]},
        "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber",
        "",
    ),
    ("SendSms", SEND | {"SessionContext": "x" * 512}, "InvalidParameterValue", "SessionContext"),
    ("SendSms", SEND | {"ExtendCode": "12"}, "UnauthorizedOperation.RequestPermissionDeny", "ExtendCode"),
    ("PullSmsSendStatus", {"Limit": 101, "SmsSdkAppId": "1"}, "FailedOperation.FailResolvePacket", "100"),
    ("PullSmsSendStatus", {"Limit": -1, "SmsSdkAppId": "1"}, "FailedOperation.FailResolvePacket", "Limit"),
    ("PullSmsSendStatus", {"Limit": "10", "SmsSdkAppId": "1"}, "FailedOperation.FailResolvePacket", "Limit"),
    ("PullSmsSendStatus", {"Limit": True, "SmsSdkAppId": "1"}, "FailedOperation.FailResolvePacket", "Limit"),
    ("PullSmsSendStatus", {"Limit": 10, "SmsSdkAppId": "1"}, "InvalidParameterValue.SdkAppIdNotExist", ""),
    ("PullSmsSendStatus", {"Limit": 10}, "MissingParameter", "`SmsSdkAppId`"),
    ("AddSmsSign", SIGN | {"International": 2}, "InvalidParameterValue.InvalidInternational", ""),
    ("AddSmsSign", SIGN | {"SignType": 7}, "FailedOperation.FailResolvePacket", "SignType"),
    ("AddSmsSign", SIGN | {"SignType": 2}, "UnsupportedOperation", "SignType"),
    ("AddSmsSign", SIGN | {"DocumentType": -1}, "InvalidParameterValue.InvalidDocumentType", "DocumentType"),
    ("AddSmsSign", SIGN | {"DocumentType": 7}, "InvalidParameterValue.InvalidDocumentType", "DocumentType"),
    ("AddSmsSign", SIGN | {"SignPurpose": 2}, "InvalidParameterValue.InvalidUsedMethod", "SignPurpose"),
    ("AddSmsSign", SIGN | {"SignPurpose": 1}, "InvalidParameterValue.ImageInvalid", "CommissionImage"),
    (
        "AddSmsSign",
        SIGN | {"ProofImage": "data:image/png;base64,iVBORw0KGgo="},
        "InvalidParameterValue.ImageInvalid",
        "ProofImage",
    ),
    ("AddSmsSign", SIGN | {"ProofImage": "密"}, "InvalidParameterValue.ImageInvalid", "ProofImage"),
    ("AddSmsSign", SIGN | {"ProofImage": "aGVsbG8="}, "InvalidParameterValue.ImageInvalid", "ProofImage"),
    ("AddSmsSign", SIGN | {"SignName": "书" * 13}, "InvalidParameterValue.SignNameLengthTooLong", "12"),
    ("AddSmsSign", SIGN | {"SignName": "清风书店"}, "InvalidParameterValue.SignAlreadyPassedCheck", ""),
    ("AddSmsSign", SIGN | {"QualificationId": -1}, "FailedOperation.FailResolvePacket", "QualificationId"),
    ("ModifySmsSign", SIGN | {"SignId": 99}, "FailedOperation.MissingSignatureToModify", "99"),
    ("ModifySmsSign", SIGN | {"SignId": 1, "SignPurpose": 5}, "InvalidParameterValue.InvalidSignPurpose", ""),
    ("ModifySmsSign", SIGN | {"SignId": 1}, "InvalidParameterValue.SignAlreadyPassedCheck", ""),
    ("ModifySmsSign", SIGN, "MissingParameter", "`SignId`"),
    ("DeleteSmsSign", {"SignId": 99}, "FailedOperation.SignIdNotExist", "99"),
    ("DeleteSmsSign", {"SignId": 2**64}, "FailedOperation.FailResolvePacket", "SignId"),
    ("DeleteSmsSign", {"SignId": "1"}, "FailedOperation.FailResolvePacket", "SignId: expected `int`"),
    ("DescribeSmsSignList", {}, "MissingParameter", "`International`"),
    ("DescribeSmsSignList", {"International": 3}, "FailedOperation.FailResolvePacket", "`International`"),
    ("DescribeSmsSignList", {"International": 0, "Limit": 101}, "InvalidParameterValue.LimitVerifyFail", ""),
    ("DescribeSmsSignList", {"International": 0, "Offset": -1}, "FailedOperation.FailResolvePacket", "`Offset`"),
    ("DescribeSmsSignList", {"International": 0, "Offset": 2**63}, "FailedOperation.FailResolvePacket", ""),
    (
        "DescribeSmsSignList",
        {"International": 0, "SignIdSet": list(range(101))},
        "FailedOperation.FailResolvePacket",
        "SignIdSet",
    ),
    ("AddSmsTemplate", TEMPLATE | {"SmsType": 4}, "InvalidParameterValue.InvalidSmsType", ""),
    ("AddSmsTemplate", TEMPLATE | {"International": 3}, "InvalidParameterValue.InvalidInternational", ""),
    (
        "AddSmsTemplate",
        TEMPLATE | {"SmsType": 1, "TemplateContent": "新书到店，欢迎会员选购"},
        "InvalidParameterValue.MarketingTemplateWithoutUnsubscribe",
        "拒收请回复R",
    ),
    ("ModifySmsTemplate", TEMPLATE | {"TemplateId": 99}, "FailedOperation.MissingTemplateToModify", "99"),
    ("ModifySmsTemplate", TEMPLATE | {"TemplateId": 1}, "FailedOperation.TemplateAlreadyPassedCheck", ""),
    ("DeleteSmsTemplate", {"TemplateId": 99}, "FailedOperation.TemplateIdNotExist", "99"),
    ("DescribeSmsTemplateList", {"International": 2}, "InvalidParameterValue.InvalidInternational", ""),
]


@pytest.mark.parametrize(("action", "parameters", "code", "names"), BAD_INPUT)
async def test_what_is_wrong_is_named(service: Service, action: str, parameters: object, code: str, names: str) -> None:
    reply = await service.call(action, parameters)
    assert (reply.code, reply.status) == (code, 200)
    assert names in reply.message


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b'{"SignName": "\xff"}', b'{"SignName": "\\ud800"}', b"[" * 100_000, b'{"a":1}{'],
)
async def test_a_body_that_is_not_json_is_refused(service: Service, body: bytes) -> None:
    assert (await send_to(service.door, signed_request(body))).code == "FailedOperation.JsonParseFail"


async def test_what_is_null_is_absent(service: Service) -> None:
    reply = await service.call("SendSms", SEND | {"ExtendCode": None, "SenderId": None, "Surprise": None})
    assert [status["Code"] for status in reply.response["SendStatusSet"]] == ["Ok"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x_tc_version": "2020-01-01"}, "NoSuchVersion"),
        ({"x_tc_version": ""}, "MissingParameter"),
        ({"authorization": "SKIP"}, "AuthFailure.InvalidAuthorization"),
        ({"x_tc_token": "token"}, "AuthFailure.TokenFailure"),
        ({"x_tc_timestamp": "1749950000"}, "AuthFailure.SignatureExpire"),
        ({"host": "elsewhere"}, "AuthFailure.SignatureFailure"),
        # What comes first is told first.
        ({"x_tc_version": "2000-01-01", "x_tc_timestamp": "1", "authorization": ""}, "NoSuchVersion"),
        ({"x_tc_timestamp": "1", "host": "elsewhere"}, "AuthFailure.SignatureExpire"),
    ],
)
async def test_the_checks_come_in_their_order(service: Service, headers: dict[str, str], code: str) -> None:
    assert (await service.call("SendSms", {"Wrong": 1}, **headers)).code == code


async def test_headers_nobody_knows_are_ignored(service: Service) -> None:
    reply = await service.call("SendSms", SEND, x_tc_region="ap-nowhere", x_tc_traceid="1", x_tc_future="x")
    assert reply.code == ""


async def test_an_unknown_secret_id_and_a_disabled_one_are_refused_alike(service: Service) -> None:
    signed = {"content-type": "application/json", "host": HOST}
    unknown = sign(timestamp=int(NOW), body=b"{}", signed=signed, secret_id="AKIDnobody")
    assert (
        await send_to(service.door, signed_request(headers={"authorization": unknown}))
    ).code == "AuthFailure.SecretIdNotFound"
    await service.engine.write(lambda tx: accounts.set_credential_enabled(tx, SECRET_ID, enabled=False))
    await service.account_changed()
    assert (await service.call("SendSms", SEND)).code == "AuthFailure.SecretIdNotFound"


async def test_a_credential_that_was_just_made_or_enabled_is_found(service: Service) -> None:
    assert (await service.call("SendSms", SEND)).code == ""
    new = Credential(secret_id="AKIDnew", secret_key="new", account_id=service.account.id, enabled=True, created_at=NOW)
    await service.engine.write(lambda tx: accounts.add_credential(tx, new, vault=VAULT))
    signed = {"content-type": "application/json", "host": HOST}
    authorization = sign(timestamp=int(NOW), body=b"{}", signed=signed, secret_id="AKIDnew", secret_key="new")
    request = signed_request(headers={"authorization": authorization})
    assert (await send_to(service.door, request)).code == "MissingParameter"


@pytest.mark.parametrize("method", [b"PUT", b"HEAD", b"DELETE", b"OPTIONS", b"post"])
async def test_other_methods_are_refused(service: Service, method: bytes) -> None:
    request = msgspec.structs.replace(signed_request(), method=method)
    assert (await send_to(service.door, request)).code == "UnsupportedProtocol"


async def test_too_large_a_body_is_refused_before_it_is_read(service: Service) -> None:
    announced = signed_request(headers={"content-length": str(MOST_BODY_BYTES + 1)})
    assert (await send_to(service.door, announced, pieces=[b"never read"])).code == "RequestSizeLimitExceeded"
    pieces = [bytes(MOST_BODY_BYTES // 2)] * 2 + [b"1", b"never read"]
    assert (await send_to(service.door, signed_request(), pieces=pieces)).code == "RequestSizeLimitExceeded"
    assert pieces == [b"never read"]


async def test_a_body_may_come_in_pieces(service: Service) -> None:
    body = json.dumps(SEND).encode()
    pieces = [body[:10], b"", body[10:]]
    assert (await send_to(service.door, signed_request(body), pieces=pieces)).code == ""


async def test_nothing_is_said_to_a_client_that_has_gone(service: Service) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_message: object) -> None:
        pytest.fail("there is nobody to hear it")

    await service.door({"method": "POST", "query_string": b"", "headers": []}, receive, send)


def get(query: str, action: str = "SendSms") -> Request:
    signed = {"content-type": "application/x-www-form-urlencoded", "host": HOST}
    authorization = sign(timestamp=int(NOW), method="GET", query=query, signed=signed)
    headers = {"authorization": authorization, "content-type": signed["content-type"], "x-tc-action": action}
    usual = signed_request(headers=headers)
    return msgspec.structs.replace(usual, method=b"GET", query=query.encode(), body=b"")


SEND_QUERY = "PhoneNumberSet.0=%2B8613711112222&SmsSdkAppId=1400000001&TemplateId=1"


async def test_a_get_is_answered_like_a_post(service: Service) -> None:
    query = "PhoneNumberSet.1=13711113333&" + SEND_QUERY + "&SignName=%E6%B8%85%E9%A3%8E%E4%B9%A6%E5%BA%97"
    reply = await send_to(service.door, get(query + "&TemplateParamSet.0=123456&SessionContext="))
    assert [(one["Code"], one["PhoneNumber"]) for one in reply.response["SendStatusSet"]] == [
        ("Ok", "+8613711112222"),
        ("Ok", "+8613711113333"),
    ]
    reply = await send_to(service.door, get("International=0&Limit=1", "DescribeSmsTemplateList"))
    assert len(reply.response["DescribeTemplateStatusSet"]) == 1


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "MissingParameter"),
        (SEND_QUERY + "&Surprise=1", "UnknownParameter"),
        (SEND_QUERY + "&PhotoSet.0=1", "UnsupportedOperation"),
        (SEND_QUERY + "&PhoneNumberSet.2=1", "FailedOperation.FailResolvePacket"),
        (SEND_QUERY + "&PhoneNumberSet.0=1", "FailedOperation.FailResolvePacket"),
        (SEND_QUERY + "&PhoneNumberSet.0.1=1", "FailedOperation.FailResolvePacket"),
        (SEND_QUERY + "&PhoneNumberSet=1", "FailedOperation.FailResolvePacket"),
        (SEND_QUERY + "&A.B.C.D.E.F=1", "FailedOperation.FailResolvePacket"),
        (SEND_QUERY + "&SignName=%FF", "FailedOperation.FailResolvePacket"),
        (SEND_QUERY + "&SignName=%00", "FailedOperation.FailResolvePacket"),
        ("SmsSdkAppId=1&" * 4000, "RequestSizeLimitExceeded"),
    ],
)
async def test_a_query_that_is_wrong_is_refused(service: Service, query: str, code: str) -> None:
    assert (await send_to(service.door, get(query))).code == code


async def test_an_error_is_told_in_the_language_that_was_asked_for(service: Service) -> None:
    english = await service.call("SendSms", {})
    chinese = await service.call("SendSms", {}, x_tc_language="zh-CN")
    assert english.code == chinese.code
    assert english.message == "The request is missing a required parameter `PhoneNumberSet`."
    assert chinese.message == "请求缺少必要参数 `PhoneNumberSet`。"


class BrokenEngine:
    """A store that fails in the way given."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def read(self, _question: Callable[[Connection], T]) -> T:
        raise self._error

    async def write(self, _work: Callable[[Connection], T]) -> T:
        raise self._error

    def batched(
        self,
        _work: Callable[[Connection, Sequence[Any]], Sequence[T]],
        *,
        size: Callable[[Any], int] | None = None,  # noqa: ARG002
    ) -> Callable[[Any], Any]:
        raise self._error

    async def close(self) -> None:
        raise self._error


async def call_broken(service: Service, error: Exception) -> Reply:
    broken: Engine = BrokenEngine(error)
    door = Door(
        admission=service.door._rooms.admission,  # noqa: SLF001
        applications=service.applications,
        directory=Directory(broken, VAULT),
        engine=broken,
        clock=service.clock,
    )
    return await send_to(door, signed_request(json.dumps(SEND).encode()))


@pytest.mark.parametrize("error", [StoreUnavailable("disk is full"), KeyError("13711112222")])
async def test_what_nobody_expected_is_an_internal_error(
    service: Service, error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = await call_broken(service, error)
    assert reply.status == 200
    assert reply.code == "InternalError"
    logged = capsys.readouterr()
    assert reply.response["RequestId"] in logged.out + logged.err
    assert "13711112222" not in logged.out + logged.err
    assert SECRET_KEY not in logged.out + logged.err


async def test_calls_are_counted_by_action_and_code(service: Service) -> None:
    counter = "cleartosend_requests_total"
    before = [
        sample(counter, action="DeleteSmsSign", code="FailedOperation.SignIdNotExist"),
        sample(counter, action="other", code="InvalidAction"),
        sample("cleartosend_request_seconds_count", action="DeleteSmsSign"),
    ]
    await service.call("DeleteSmsSign", {"SignId": 99})
    await service.call("Invented" + uuid.uuid4().hex)
    after = [
        sample(counter, action="DeleteSmsSign", code="FailedOperation.SignIdNotExist"),
        sample(counter, action="other", code="InvalidAction"),
        sample("cleartosend_request_seconds_count", action="DeleteSmsSign"),
    ]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("version", "name"), [(version, name) for version, actions in ACTIONS.items() for name in actions]
)
async def test_every_action_is_reached_by_its_name(service: Service, version: str, name: str) -> None:
    reply = await service.call(name, {"Surprise": 1}, x_tc_version=version)
    assert (reply.code, "`Surprise`" in reply.message) == ("UnknownParameter", True)
