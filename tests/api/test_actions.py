"""What each action takes and gives back is as the reference has it, down to which numbers are text."""

import base64
from typing import Any

import pytest
from api.calling import NOW, Service, open_service
from usual import PNG

from cleartosend.model.accounts import AccountKind, AccountStatus
from cleartosend.model.applications import ReviewState, SignatureForm
from cleartosend.model.messages import Ending, MessageMove, MessageState, Party, message_id_of
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store import accounts, applications, messages

SIGN: dict[str, object] = {
    "SignName": "山海书店",
    "SignType": 0,
    "DocumentType": 0,
    "International": 0,
    "SignPurpose": 0,
    "ProofImage": base64.b64encode(PNG).decode(),
    "Remark": "",
    "QualificationId": 12,
}
TEMPLATE: dict[str, object] = {
    "TemplateName": "parcel",
    "TemplateContent": "您的包裹已到店，请凭{1}取件。",
    "SmsType": 2,
    "International": 0,
    "Remark": "",
}


# --- SendSms ---


async def test_each_number_is_answered_in_order(service: Service) -> None:
    reply = await service.send(["13711112222", "+8613711113333", "not a number"], SessionContext="order 7")
    first, second, third = reply.response["SendStatusSet"]
    assert first == {
        "SerialNo": first["SerialNo"],
        "PhoneNumber": "+8613711112222",
        "Fee": 1,
        "SessionContext": "order 7",
        "Code": "Ok",
        "Message": "send success",
        "IsoCode": "CN",
    }
    assert message_id_of(first["SerialNo"]) is not None
    assert second["PhoneNumber"] == "+8613711113333"
    assert third == {
        "SerialNo": "",
        "PhoneNumber": "not a number",
        "Fee": 0,
        "SessionContext": "order 7",
        "Code": "InvalidParameterValue.IncorrectPhoneNumber",
        "Message": "the phone number is malformed",
        "IsoCode": "",
    }


@pytest.mark.parametrize(
    ("changed", "code", "message"),
    [
        (
            {"TemplateParamSet": []},
            "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
            "request content does not match the template content",
        ),
        (
            {"TemplateId": "no such"},
            "FailedOperation.TemplateIncorrectOrUnapproved",
            "template is not approved or request content does not match the approved template content",
        ),
        (
            {"SignName": "别人的店"},
            "FailedOperation.SignatureIncorrectOrUnapproved",
            "Signature format error or signature not approved",
        ),
        (
            {"TemplateParamSet": ["abcdef"]},
            "InvalidParameterValue.TemplateParameterFormatError",
            "Verification code template parameter format error",
        ),
    ],
)
async def test_what_holds_back_every_number_is_said_of_each_in_english(
    service: Service, changed: dict[str, object], code: str, message: str
) -> None:
    reply = await service.send(["13711112222", "13711113333"], "code", **changed)
    for status in reply.response["SendStatusSet"]:
        assert (status["Code"], status["Message"], status["Fee"], status["SerialNo"]) == (code, message, 0, "")


async def test_prohibited_content_is_refused_with_its_rule(service: Service) -> None:
    reply = await service.send(["13711112222"], template="notice", TemplateParamSet=["贷款"])
    (status,) = reply.response["SendStatusSet"]
    assert status["Code"] == "FailedOperation.ContainSensitiveWord"
    assert status["Message"] == "the message contains prohibited content: loan-offer"


async def test_frequency_is_refused_number_by_number(service: Service) -> None:
    await service.send(["13711112222"])
    reply = await service.send(["13711112222", "13711113333"])
    assert [(one["Code"], one["IsoCode"]) for one in reply.response["SendStatusSet"]] == [
        ("LimitExceeded.DeliveryFrequencyLimit", "CN"),
        ("Ok", "CN"),
    ]


async def test_a_suspended_account_is_refused_as_a_whole(service: Service) -> None:
    await service.send(["13711112222"])
    await service.engine.write(
        lambda tx: accounts.set_status(
            tx, service.account.id, AccountStatus.SUSPENDED, by="machine", because="loans", now=NOW
        )
    )
    reply = await service.send(["13711112222"])
    assert reply.code == "UnauthorizedOperation.SdkAppIdIsDisabled"
    assert reply.message == "the account is suspended or banned: suspended"


# --- PullSmsSendStatus ---


async def settle(service: Service, serials: list[str], state: MessageState, code: str) -> None:
    """Do what dispatch and receipts will have done."""
    ids = [message_id for serial in serials if (message_id := message_id_of(serial)) is not None]
    endings = [Ending(message_id=one, state=state, code=code, party=Party.NOBODY, at=NOW + 5.5) for one in ids]
    await service.engine.write(lambda tx: messages.hand_over(tx, ids, now=NOW, receipt_by=NOW + 9))
    await service.engine.write(lambda tx: messages.end(tx, MessageMove.SETTLE, endings))


async def pull(service: Service, limit: int = 100) -> list[dict[str, Any]]:
    reply = await service.call("PullSmsSendStatus", {"Limit": limit, "SmsSdkAppId": service.app.sdk_app_id})
    pulled: list[dict[str, Any]] = reply.response["PullSmsSendStatusSet"]
    return pulled


async def test_each_status_is_pulled_once(service: Service) -> None:
    sent = await service.send(["13711112222", "13711113333"], SessionContext="order 7")
    first, second = [status["SerialNo"] for status in sent.response["SendStatusSet"]]
    await settle(service, [first], MessageState.DELIVERED, "DELIVRD")
    await settle(service, [second], MessageState.FAILED, "MK:0017")
    assert await pull(service, limit=0) == []
    assert await pull(service, limit=1) == [
        {
            "UserReceiveTime": int(NOW) + 5,
            "CountryCode": "86",
            "SubscriberNumber": "13711112222",
            "PhoneNumber": "+8613711112222",
            "SerialNo": first,
            "ReportStatus": "SUCCESS",
            "Description": "DELIVRD",
            "SessionContext": "order 7",
        }
    ]
    (status,) = await pull(service)
    assert (status["SerialNo"], status["ReportStatus"], status["Description"]) == (second, "FAIL", "MK:0017")
    assert await pull(service) == []


async def test_another_accounts_statuses_are_not_handed_out(service: Service) -> None:
    other = await service.engine.write(
        lambda tx: accounts.create(tx, name="other", kind=AccountKind.ORGANIZATION, verified=True, now=NOW)
    )
    app = await service.engine.write(lambda tx: accounts.add_app(tx, account_id=other.id, name="theirs", now=NOW))
    reply = await service.call("PullSmsSendStatus", {"Limit": 10, "SmsSdkAppId": app.sdk_app_id})
    assert reply.code == "UnauthorizedOperation.SmsSdkAppIdVerifyFail"


# --- signatures ---


async def test_a_signature_is_applied_for_listed_and_deleted(service: Service) -> None:
    added = await service.call("AddSmsSign", SIGN)
    sign_id = added.response["AddSignStatus"]["SignId"]
    assert isinstance(sign_id, int)
    listed = await service.call("DescribeSmsSignList", {"International": 0, "SignIdSet": [sign_id]})
    assert listed.response["DescribeSignListStatusSet"] == [
        {
            "SignId": sign_id,
            "International": 0,
            "StatusCode": 0,
            "ReviewReply": "",
            "SignName": "山海书店",
            "CreateTime": int(NOW),
            "QualificationId": 12,
            "QualificationName": None,
            "QualificationStatusCode": None,
        }
    ]
    deleted = await service.call("DeleteSmsSign", {"SignId": sign_id})
    assert deleted.response["DeleteSignStatus"] == {"DeleteStatus": "return successfully!", "DeleteTime": int(NOW)}
    listed = await service.call("DescribeSmsSignList", {"International": 0, "SignIdSet": [sign_id]})
    assert listed.response["DescribeSignListStatusSet"] == []


async def test_a_rejected_signature_says_why_and_may_be_amended(service: Service) -> None:
    added = await service.call("AddSmsSign", SIGN | {"SignName": "清风贷款"})
    sign_id = added.response["AddSignStatus"]["SignId"]
    listed = await service.call("DescribeSmsSignList", {"International": 0, "SignIdSet": [sign_id]})
    (sign,) = listed.response["DescribeSignListStatusSet"]
    assert (sign["StatusCode"], "不得发送贷款内容" in sign["ReviewReply"]) == (-1, True)
    amended = await service.call("ModifySmsSign", SIGN | {"SignId": sign_id})
    assert amended.response["ModifySignStatus"] == {"SignId": sign_id}
    listed = await service.call("DescribeSmsSignList", {"International": 0, "SignIdSet": [sign_id]})
    (sign,) = listed.response["DescribeSignListStatusSet"]
    assert (sign["StatusCode"], sign["SignName"], sign["ReviewReply"]) == (0, "山海书店", "")


async def test_a_signature_for_another_waits_for_a_person(service: Service) -> None:
    image = base64.b64encode(PNG).decode()
    added = await service.call("AddSmsSign", SIGN | {"SignPurpose": 1, "CommissionImage": image})
    sign_id = added.response["AddSignStatus"]["SignId"]
    listed = await service.call("DescribeSmsSignList", {"International": 0, "SignIdSet": [sign_id]})
    assert listed.response["DescribeSignListStatusSet"][0]["StatusCode"] == 1
    kept = await service.engine.read(lambda tx: applications.documents_of(tx, sign_id))
    assert kept == (PNG, PNG)


# --- templates ---


async def test_a_template_is_applied_for_amended_listed_and_deleted(service: Service) -> None:
    added = await service.call("AddSmsTemplate", TEMPLATE | {"TemplateContent": "贷款到账{1}元"})
    template_id = added.response["AddTemplateStatus"]["TemplateId"]
    assert isinstance(template_id, str)
    listed = await service.call("DescribeSmsTemplateList", {"International": 0, "TemplateIdSet": [int(template_id)]})
    assert listed.response["DescribeTemplateStatusSet"][0]["StatusCode"] == -1
    amended = await service.call("ModifySmsTemplate", TEMPLATE | {"TemplateId": int(template_id)})
    assert amended.response["ModifyTemplateStatus"] == {"TemplateId": int(template_id)}
    listed = await service.call("DescribeSmsTemplateList", {"International": 0, "TemplateIdSet": [int(template_id)]})
    assert listed.response["DescribeTemplateStatusSet"] == [
        {
            "TemplateId": int(template_id),
            "International": 0,
            "StatusCode": 0,
            "ReviewReply": "",
            "TemplateName": "parcel",
            "CreateTime": int(NOW),
            "TemplateContent": "您的包裹已到店，请凭{1}取件。",
        }
    ]
    deleted = await service.call("DeleteSmsTemplate", {"TemplateId": int(template_id)})
    assert deleted.response["DeleteTemplateStatus"] == {
        "DeleteStatus": "return successfully!",
        "DeleteTime": int(NOW),
    }
    again = await service.call("DeleteSmsTemplate", {"TemplateId": int(template_id)})
    assert again.code == "FailedOperation.TemplateIdNotExist"


@pytest.mark.parametrize(
    ("sms_type", "text", "type_"),
    [
        (1, "新书到店，会员选购，拒收请回复R", MessageType.MARKETING),
        (2, "您的包裹已到店。", MessageType.NOTIFICATION),
        (3, "您的动态码是{1}，请勿告诉他人。", MessageType.VERIFICATION),
        (0, "您的验证码是{1}，请勿告诉他人。", MessageType.VERIFICATION),
        (0, "Your Code is {1}, keep it to yourself.", MessageType.VERIFICATION),
        (0, "您的包裹已到店。", MessageType.NOTIFICATION),
    ],
)
async def test_the_declared_type_is_kept(service: Service, sms_type: int, text: str, type_: MessageType) -> None:
    added = await service.call("AddSmsTemplate", TEMPLATE | {"SmsType": sms_type, "TemplateContent": text})
    template_id = int(added.response["AddTemplateStatus"]["TemplateId"])
    kept = await service.engine.read(lambda tx: applications.find_template(tx, template_id))
    assert kept is not None
    assert (kept.type, kept.state) == (type_, ReviewState.APPROVED)


async def listed_ids(service: Service, **asked: object) -> list[int]:
    reply = await service.call("DescribeSmsTemplateList", {"International": 0} | asked)
    return [template["TemplateId"] for template in reply.response["DescribeTemplateStatusSet"]]


async def test_lists_are_paged_and_a_limit_of_0_means_10(service: Service) -> None:
    for number in range(12):
        await service.call("AddSmsTemplate", TEMPLATE | {"TemplateName": f"parcel {number}"})
    everything = await listed_ids(service, Limit=100)
    assert len(everything) == 14
    assert await listed_ids(service) == await listed_ids(service, Limit=0) == everything[:10]
    assert await listed_ids(service, Limit=3, Offset=10) == everything[10:13]
    # Given ids, limit and offset do not count.
    assert await listed_ids(service, TemplateIdSet=everything, Limit=1, Offset=5) == everything
    assert await listed_ids(service, International=1) == []
    assert await listed_ids(service, International=3) == []


async def test_an_individual_goes_through_the_operator(engine: Engine, settings: Settings) -> None:
    service = await open_service(engine, settings, kind=AccountKind.INDIVIDUAL)
    for action, parameters in (
        ("AddSmsSign", SIGN),
        ("AddSmsTemplate", TEMPLATE),
        ("DeleteSmsSign", {"SignId": 1}),
        ("DeleteSmsTemplate", {"TemplateId": 1}),
        ("DescribeSmsSignList", {"International": 0}),
        ("DescribeSmsTemplateList", {"International": 0}),
    ):
        assert (await service.call(action, parameters)).code == "FailedOperation.NotEnterpriseCertification"
    marketing = TEMPLATE | {"SmsType": 1}
    assert (await service.call("AddSmsTemplate", marketing)).code == "FailedOperation.ForbidAddMarketingTemplates"


async def test_a_template_needs_a_signature_first(engine: Engine, settings: Settings) -> None:
    service = await open_service(engine, settings)
    await service.call("DeleteSmsSign", {"SignId": 1})
    assert (await service.call("AddSmsTemplate", TEMPLATE)).code == "FailedOperation.MissingSignature"


async def test_another_accounts_applications_are_out_of_reach(service: Service) -> None:
    other = await service.engine.write(
        lambda tx: accounts.create(tx, name="other", kind=AccountKind.ORGANIZATION, verified=True, now=NOW)
    )
    form = SignatureForm(
        text="别人的店", sign_type=0, document_type=0, international=False, for_another=False, proof_image=PNG
    )
    theirs = await service.applications.apply(other, form)
    listed = await service.call("DescribeSmsSignList", {"International": 0, "SignIdSet": [theirs]})
    assert listed.response["DescribeSignListStatusSet"] == []
    assert (await service.call("DeleteSmsSign", {"SignId": theirs})).code == "FailedOperation.SignIdNotExist"
    amended = await service.call("ModifySmsSign", SIGN | {"SignId": theirs})
    assert amended.code == "FailedOperation.MissingSignatureToModify"
