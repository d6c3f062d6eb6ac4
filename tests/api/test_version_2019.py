"""The older version does what the newer does, under its own names and in its own types."""

import base64
from typing import Any

import pytest
from api.calling import NOW, Reply, Service, open_service
from api.test_pulling import answered, ended
from usual import PNG

from cleartosend.model.accounts import AccountKind
from cleartosend.model.messages import MessageState
from cleartosend.model.packages import PackageType
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store import packages

SIGN: dict[str, object] = {
    "SignName": "山海书店",
    "SignType": 0,
    "DocumentType": 0,
    "International": 0,
    "UsedMethod": 0,
    "ProofImage": base64.b64encode(PNG).decode(),
}
TEMPLATE: dict[str, object] = {
    "TemplateName": "parcel",
    "TemplateContent": "您的包裹已到店，请凭{1}取件。",
    "SmsType": 0,
    "International": 0,
    "Remark": "",
}


async def call(service: Service, action: str, parameters: dict[str, object]) -> Reply:
    return await service.call(action, parameters, x_tc_version="2019-07-11")


async def test_a_message_is_sent_by_the_older_names(service: Service) -> None:
    asked: dict[str, object] = {
        "PhoneNumberSet": ["13711112222"],
        "SmsSdkAppid": service.app.sdk_app_id,
        "TemplateID": service.template_ids["code"],
        "Sign": "清风书店",
        "TemplateParamSet": ["123456"],
        "SessionContext": "order 7",
    }
    [status] = (await call(service, "SendSms", asked)).response["SendStatusSet"]
    assert (status["Code"], status["Fee"], status["SessionContext"]) == ("Ok", 1, "order 7")
    for newer in ("SmsSdkAppId", "TemplateId", "SignName"):
        assert (await call(service, "SendSms", asked | {newer: "x"})).code == "UnknownParameter"
    for older in ("SmsSdkAppid", "TemplateID"):
        missing = await call(service, "SendSms", {name: asked[name] for name in asked if name != older})
        assert (missing.code, f"`{older}`" in missing.message) == ("MissingParameter", True)


async def test_a_signature_is_applied_for_amended_listed_and_deleted(service: Service) -> None:
    added = await call(service, "AddSmsSign", SIGN | {"SignName": "清风贷款"})
    sign_id = added.response["AddSignStatus"]["SignId"]
    assert added.response["AddSignStatus"] == {"SignId": sign_id, "SignApplyId": sign_id}
    amended = await call(service, "ModifySmsSign", SIGN | {"SignId": sign_id})
    # A number in one place and text in the other: so typed clients expect it.
    assert amended.response["ModifySignStatus"] == {"SignId": sign_id, "SignApplyId": str(sign_id)}
    listed = await call(service, "DescribeSmsSignList", {"International": 0, "SignIdSet": [sign_id]})
    [sign] = listed.response["DescribeSignListStatusSet"]
    assert (sign["SignName"], sign["StatusCode"], sign["CreateTime"]) == ("山海书店", 0, int(NOW))
    deleted = await call(service, "DeleteSmsSign", {"SignId": sign_id})
    assert deleted.response["DeleteSignStatus"] == {"DeleteStatus": "return successfully!", "DeleteTime": int(NOW)}


async def test_a_template_is_listed_without_its_text(service: Service) -> None:
    added = await call(service, "AddSmsTemplate", TEMPLATE)
    template_id = int(added.response["AddTemplateStatus"]["TemplateId"])
    listed = await call(service, "DescribeSmsTemplateList", {"International": 0, "TemplateIdSet": [template_id]})
    assert listed.response["DescribeTemplateStatusSet"] == [
        {
            "TemplateId": template_id,
            "International": 0,
            "StatusCode": 0,
            "ReviewReply": "",
            "TemplateName": "parcel",
            "CreateTime": int(NOW),
        }
    ]


@pytest.mark.parametrize(
    ("action", "ids"), [("DescribeSmsSignList", "SignIdSet"), ("DescribeSmsTemplateList", "TemplateIdSet")]
)
async def test_lists_are_of_ids_and_without_pages(service: Service, action: str, ids: str) -> None:
    assert (await call(service, action, {"International": 0})).code == "MissingParameter"
    paged = await call(service, action, {"International": 0, ids: [1], "Limit": 10})
    assert paged.code == "UnknownParameter"


async def test_statuses_are_told_with_both_times_and_the_numbers_the_other_way_round(service: Service) -> None:
    serial = await ended(service, "13711112222", MessageState.DELIVERED, "DELIVRD", SessionContext="order 7")
    expected = {
        "UserReceiveTime": "2025-06-15 11:00:05",
        "UserReceiveUnixTime": int(NOW) + 5,
        "NationCode": "86",
        "PurePhoneNumber": "+8613711112222",
        "PhoneNumber": "13711112222",
        "SerialNo": serial,
        "ReportStatus": "SUCCESS",
        "Description": "DELIVRD",
    }
    by_number = await call(service, "PullSmsSendStatusByPhoneNumber", of_number(service))
    assert by_number.response["PullSmsSendStatusSet"] == [expected]
    pulled = await call(service, "PullSmsSendStatus", {"Limit": 10, "SmsSdkAppid": service.app.sdk_app_id})
    assert pulled.response["PullSmsSendStatusSet"] == [expected]


async def test_replies_are_told_with_both_times(service: Service) -> None:
    await ended(service, "13711112222", MessageState.DELIVERED, "DELIVRD")
    await answered(service, "+8613711112222", "谢谢")
    expected = {
        "ExtendCode": "7",
        "NationCode": "86",
        "PhoneNumber": "+8613711112222",
        "Sign": "清风书店",
        "ReplyContent": "谢谢",
        "ReplyTime": "2025-06-15 11:01:00",
        "ReplyUnixTime": int(NOW) + 60,
    }
    asked = of_number(service) | {"EndDateTime": int(NOW) + 100}
    by_number = await call(service, "PullSmsReplyStatusByPhoneNumber", asked)
    assert by_number.response["PullSmsReplyStatusSet"] == [expected]
    pulled = await call(service, "PullSmsReplyStatus", {"Limit": 10, "SmsSdkAppid": service.app.sdk_app_id})
    assert pulled.response["PullSmsReplyStatusSet"] == [expected]


def of_number(service: Service) -> dict[str, object]:
    return {
        "SendDateTime": int(NOW) - 60,
        "Offset": 0,
        "Limit": 100,
        "PhoneNumber": "13711112222",
        "SmsSdkAppid": service.app.sdk_app_id,
    }


async def test_hours_are_numbers(service: Service) -> None:
    await service.send(["13711112222"])
    asked: dict[str, Any] = {
        "StartDateTime": 2025061511,
        "EndDataTime": 2025061511,
        "SmsSdkAppid": service.app.sdk_app_id,
        "Limit": 0,
        "Offset": 0,
    }
    sent = await call(service, "SendStatusStatistics", asked)
    assert sent.response["SendStatusStatistics"] == {"FeeCount": 1, "RequestCount": 1, "RequestSuccessCount": 1}
    told = await call(service, "CallbackStatusStatistics", asked)
    assert told.response["CallbackStatusStatistics"]["RequestSuccessCount"] == 1
    assert (await call(service, "SendStatusStatistics", asked | {"StartDateTime": "2025061511"})).code == (
        "FailedOperation.FailResolvePacket"
    )
    assert (await call(service, "SendStatusStatistics", asked | {"EndDataTime": 2025061510})).code == (
        "InvalidParameterValue.EndTimeVerifyFail"
    )


async def test_packages_are_listed_without_a_time_and_told_with_both(service: Service) -> None:
    await service.engine.write(
        lambda tx: packages.add(
            tx,
            account_id=service.account.id,
            sdk_app_id="",
            type=PackageType.GIFT,
            amount=100,
            now=NOW,
            expires_at=NOW + 86_400,
        )
    )
    asked: dict[str, object] = {"SmsSdkAppid": service.app.sdk_app_id, "Limit": 10, "Offset": 0}
    reply = await call(service, "SmsPackagesStatistics", asked)
    assert reply.response["SmsPackagesStatisticsSet"] == [
        {
            "PackageCreateTime": "2025-06-15 11:00:00",
            "PackageCreateUnixTime": int(NOW),
            "PackageEffectiveTime": "2025-06-15 11:00:00",
            "PackageEffectiveUnixTime": int(NOW),
            "PackageExpiredTime": "2025-06-16 11:00:00",
            "PackageExpiredUnixTime": int(NOW) + 86_400,
            "AmountOfPackage": 100,
            "TypeOfPackage": 0,
            "PackageId": 1,
            "CurrentUsage": 0,
        }
    ]


async def test_newer_codes_are_told_by_older_ones(engine: Engine, settings: Settings) -> None:
    service = await open_service(engine, settings, kind=AccountKind.INDIVIDUAL)
    marketing = TEMPLATE | {"SmsType": 1}
    assert (await call(service, "AddSmsTemplate", marketing)).code == "FailedOperation.NotEnterpriseCertification"
    wrong = await call(service, "ModifySmsSign", SIGN | {"UsedMethod": 7, "SignId": 1})
    assert wrong.code == "InvalidParameterValue.InvalidUsedMethod"
    assert wrong.message == "`UsedMethod` must be 0 (own use) or 1 (for another party)."
    asked: dict[str, object] = {"SmsSdkAppid": service.app.sdk_app_id, "Limit": 501, "Offset": 0}
    assert (await call(service, "SmsPackagesStatistics", asked)).code == "FailedOperation.FailResolvePacket"


@pytest.mark.parametrize(
    "action", ["SendMultiGlobalSms", "DescribePhoneNumberInfo", "ReportConversion", "DescribeSendRecordList"]
)
async def test_newer_actions_are_not_in_the_older_version(service: Service, action: str) -> None:
    assert (await call(service, action, {})).code == "InvalidAction"
