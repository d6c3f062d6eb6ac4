"""Each action of version 2021-01-11, called as a customer would, and what must come back."""

import time
from collections.abc import Callable

from compatibility.clients import Call
from compatibility.stage import (
    CODE_TEXT,
    PACKAGE_SEGMENTS,
    REJECTED_BECAUSE,
    REJECTED_TEXT,
    SECONDS_A_DAY,
    SESSION,
    Stage,
    asked_until,
    hour,
    is_recent,
    sending,
)
from end_to_end.served import PROOF, until
from usual import SIGNATURE

APPROVED, REJECTED = 0, -1
DELIVERED, FAILED = 2, 4
BOUGHT = 1


def send_sms(stage: Stage, call: Call) -> None:
    number = stage.number()
    sent, refused = call("SendSms", sending(stage, number, "+8612"))["SendStatusSet"]
    assert sent.pop("SerialNo")
    assert sent == {
        "PhoneNumber": number,
        "Fee": 1,
        "SessionContext": SESSION,
        "Code": "Ok",
        "Message": "send success",
        "IsoCode": "CN",
    }
    assert (refused["Code"], refused["SerialNo"], refused["Fee"], refused["PhoneNumber"]) == (
        "InvalidParameterValue.IncorrectPhoneNumber",
        "",
        0,
        "+8612",
    )


def send_multi_global_sms(stage: Stage, call: Call) -> None:
    first, second = stage.number_abroad(), stage.number_abroad()
    parameters = {
        "SmsSdkAppId": stage.account.sdk_app_id,
        "MultiSmsInfoSet": [
            {
                "PhoneNumber": first,
                "TemplateId": stage.template_abroad,
                "TemplateParamSet": ["123456"],
                "SessionContext": "a",
            },
            {
                "PhoneNumber": second,
                "TemplateId": stage.template_abroad,
                "TemplateParamSet": ["654321"],
                "SessionContext": "b",
            },
        ],
    }
    statuses = call("SendMultiGlobalSms", parameters)["SendMultiStatusSet"]
    assert all(status.pop("SerialNo") for status in statuses)
    assert statuses == [
        {
            "PhoneNumber": number,
            "Fee": 1,
            "SessionContext": session,
            "Code": "Ok",
            "Message": "send success",
            "IsoCode": "US",
        }
        for number, session in ((first, "a"), (second, "b"))
    ]


def add_sms_template(stage: Stage, call: Call) -> None:
    parameters = {
        "TemplateName": "到店",
        "TemplateContent": "您预订的{1}已经到店。",
        "SmsType": 2,
        "International": 0,
        "Remark": "书到了告诉读者",
    }
    template_id = call("AddSmsTemplate", parameters)["AddTemplateStatus"]["TemplateId"]
    listing = {"International": 0, "TemplateIdSet": [int(template_id)]}
    [template] = call("DescribeSmsTemplateList", listing)["DescribeTemplateStatusSet"]
    assert (template["TemplateName"], template["StatusCode"]) == ("到店", APPROVED)
    assert is_recent(stage, template["CreateTime"])


def modify_sms_template(stage: Stage, call: Call) -> None:
    parameters = {
        "TemplateId": stage.template_rejected,
        "TemplateName": "发货",
        "TemplateContent": "您的订单{1}已发货，请留意查收。",
        "SmsType": 2,
        "International": 0,
        "Remark": "",
    }
    assert call("ModifySmsTemplate", parameters)["ModifyTemplateStatus"] == {"TemplateId": stage.template_rejected}
    listing = {"International": 0, "TemplateIdSet": [stage.template_rejected]}
    [template] = call("DescribeSmsTemplateList", listing)["DescribeTemplateStatusSet"]
    assert (template["TemplateContent"], template["StatusCode"]) == ("您的订单{1}已发货，请留意查收。", APPROVED)


def delete_sms_template(stage: Stage, call: Call) -> None:
    deleted = call("DeleteSmsTemplate", {"TemplateId": stage.template_to_delete})["DeleteTemplateStatus"]
    assert deleted["DeleteStatus"] == "return successfully!"
    assert is_recent(stage, deleted["DeleteTime"])
    listing = {"International": 0, "TemplateIdSet": [stage.template_to_delete]}
    assert call("DescribeSmsTemplateList", listing)["DescribeTemplateStatusSet"] == []


def describe_sms_template_list(stage: Stage, call: Call) -> None:
    listing = {"International": 0, "TemplateIdSet": [int(stage.template), stage.template_to_delete]}
    approved, *others = call("DescribeSmsTemplateList", listing)["DescribeTemplateStatusSet"]
    approved.pop("CreateTime")
    assert approved == {
        "TemplateId": int(stage.template),
        "International": 0,
        "StatusCode": APPROVED,
        "ReviewReply": "",
        "TemplateName": "t",
        "TemplateContent": CODE_TEXT,
    }
    # Another test may have deleted it.
    for rejected in others:
        assert (rejected["StatusCode"], rejected["ReviewReply"], rejected["TemplateContent"]) == (
            REJECTED,
            REJECTED_BECAUSE,
            REJECTED_TEXT,
        )
    [abroad] = call("DescribeSmsTemplateList", {"International": 1, "Limit": 10, "Offset": 0})[
        "DescribeTemplateStatusSet"
    ]
    assert (abroad["TemplateId"], abroad["International"]) == (int(stage.template_abroad), 1)


def add_sms_sign(stage: Stage, call: Call) -> None:
    parameters = {
        "SignName": "云上花店",
        "SignType": 0,
        "DocumentType": 1,
        "International": 0,
        "SignPurpose": 0,
        "ProofImage": PROOF,
    }
    sign_id = call("AddSmsSign", parameters)["AddSignStatus"]["SignId"]
    listing = {"International": 0, "SignIdSet": [sign_id]}
    [sign] = call("DescribeSmsSignList", listing)["DescribeSignListStatusSet"]
    assert (sign["SignName"], sign["StatusCode"]) == ("云上花店", APPROVED)
    assert is_recent(stage, sign["CreateTime"])


def modify_sms_sign(stage: Stage, call: Call) -> None:
    parameters = {
        "SignId": stage.signature_waiting,
        "SignName": "晨光文化馆",
        "SignType": 5,
        "DocumentType": 3,
        "International": 0,
        "SignPurpose": 1,
        "ProofImage": PROOF,
        "CommissionImage": PROOF,
        "Remark": "代为申请",
    }
    assert call("ModifySmsSign", parameters)["ModifySignStatus"] == {"SignId": stage.signature_waiting}
    listing = {"International": 0, "SignIdSet": [stage.signature_waiting]}
    [sign] = call("DescribeSmsSignList", listing)["DescribeSignListStatusSet"]
    assert sign["SignName"] == "晨光文化馆"


def delete_sms_sign(stage: Stage, call: Call) -> None:
    deleted = call("DeleteSmsSign", {"SignId": stage.signature_to_delete})["DeleteSignStatus"]
    assert deleted["DeleteStatus"] == "return successfully!"
    assert is_recent(stage, deleted["DeleteTime"])
    listing = {"International": 0, "SignIdSet": [stage.signature_to_delete]}
    assert call("DescribeSmsSignList", listing)["DescribeSignListStatusSet"] == []


def describe_sms_sign_list(stage: Stage, call: Call) -> None:
    first, *_ = call("DescribeSmsSignList", {"International": 0, "Limit": 1, "Offset": 0})["DescribeSignListStatusSet"]
    assert (first["SignId"], first["International"], first["StatusCode"]) == (stage.signature_id, 0, APPROVED)
    assert (first["SignName"], first["ReviewReply"]) == (SIGNATURE, "")


def pull_sms_send_status(stage: Stage, call: Call) -> None:
    parameters = {"SmsSdkAppId": stage.account.sdk_app_id, "Limit": 100}
    status = asked_until(
        call,
        "PullSmsSendStatus",
        parameters,
        "PullSmsSendStatusSet",
        lambda status: status["SerialNo"] == stage.delivered,
    )
    _is_of_what_was_delivered(stage, status)


def pull_sms_send_status_by_phone_number(stage: Stage, call: Call) -> None:
    status = asked_until(
        call,
        "PullSmsSendStatusByPhoneNumber",
        _of_number(stage, f"+86{stage.national}"),
        "PullSmsSendStatusSet",
        lambda status: status["SerialNo"] == stage.delivered,
    )
    _is_of_what_was_delivered(stage, status)
    failed = asked_until(
        call,
        "PullSmsSendStatusByPhoneNumber",
        _of_number(stage, f"+86{stage.national_of_nobody}"),
        "PullSmsSendStatusSet",
        lambda status: status["SerialNo"] == stage.failed,
    )
    assert (failed["ReportStatus"], failed["Description"]) == ("FAIL", "MK:0000")


def _is_of_what_was_delivered(stage: Stage, status: dict[str, object]) -> None:
    received = status.pop("UserReceiveTime")
    assert isinstance(received, int)
    assert is_recent(stage, received)
    assert status == {
        "CountryCode": "86",
        "SubscriberNumber": stage.national,
        "PhoneNumber": f"+86{stage.national}",
        "SerialNo": stage.delivered,
        "ReportStatus": "SUCCESS",
        "Description": "DELIVRD",
        "SessionContext": SESSION,
    }


def _of_number(stage: Stage, number: str) -> dict[str, object]:
    return {
        "SmsSdkAppId": stage.account.sdk_app_id,
        "PhoneNumber": number,
        "BeginTime": stage.began - 1,
        "EndTime": stage.began + SECONDS_A_DAY,
        "Offset": 0,
        "Limit": 100,
    }


def pull_sms_reply_status(stage: Stage, call: Call) -> None:
    parameters = {"SmsSdkAppId": stage.account.sdk_app_id, "Limit": 100}
    reply = asked_until(call, "PullSmsReplyStatus", parameters, "PullSmsReplyStatusSet", bool)
    _is_the_reply(stage, reply)


def pull_sms_reply_status_by_phone_number(stage: Stage, call: Call) -> None:
    reply = asked_until(
        call,
        "PullSmsReplyStatusByPhoneNumber",
        _of_number(stage, f"+86{stage.national_of_replier}"),
        "PullSmsReplyStatusSet",
        bool,
    )
    _is_the_reply(stage, reply)


def _is_the_reply(stage: Stage, reply: dict[str, object]) -> None:
    replied = reply.pop("ReplyTime")
    assert isinstance(replied, int)
    assert is_recent(stage, replied)
    assert reply == {
        "ExtendCode": "",
        "CountryCode": "86",
        "PhoneNumber": f"+86{stage.national_of_replier}",
        "SignName": SIGNATURE,
        "ReplyContent": "收到，谢谢",
        "SubscriberNumber": stage.national_of_replier,
    }


def send_status_statistics(stage: Stage, call: Call) -> None:
    counts = call("SendStatusStatistics", _since(stage))["SendStatusStatistics"]
    # At least the three of the stage; other tests send as well.
    assert counts["RequestCount"] >= counts["RequestSuccessCount"] >= 3
    assert counts["FeeCount"] >= 3


def callback_status_statistics(stage: Stage, call: Call) -> None:
    counts: dict[str, int] = {}

    def all_have_been_reported_on() -> bool:
        counts.update(call("CallbackStatusStatistics", _since(stage))["CallbackStatusStatistics"])
        return counts["CallbackSuccessCount"] >= 2 and counts["CallbackFailCount"] >= 1

    until(all_have_been_reported_on)
    assert counts["RequestSuccessCount"] >= counts["CallbackCount"]
    assert counts["CallbackCount"] == counts["CallbackSuccessCount"] + counts["CallbackFailCount"]
    # Only a number that does not exist was among them.
    assert (counts["CallbackFailCount"], counts["InvalidNumberCount"]) == (1, 1)
    others = ("InternalError", "ShutdownError", "BlackList", "FrequencyLimit")
    assert [counts[f"{name}Count"] for name in others] == [0] * len(others)


def _since(stage: Stage) -> dict[str, object]:
    return {
        "SmsSdkAppId": stage.account.sdk_app_id,
        "BeginTime": hour(stage.began),
        "EndTime": hour(time.time()),
        "Limit": 0,
        "Offset": 0,
    }


def sms_packages_statistics(stage: Stage, call: Call) -> None:
    parameters = {
        "SmsSdkAppId": stage.account.sdk_app_id,
        "BeginTime": hour(stage.began - 2 * SECONDS_A_DAY),
        "EndTime": hour(stage.began),
        "Limit": 10,
        "Offset": 0,
    }
    [package] = call("SmsPackagesStatistics", parameters)["SmsPackagesStatisticsSet"]
    assert package["PackageCreateTime"] <= package["PackageEffectiveTime"] < package["PackageExpiredTime"]
    assert (package["PackageAmount"], package["PackageType"]) == (PACKAGE_SEGMENTS, BOUGHT)
    # What the stage sent has been taken from it.
    assert 3 <= package["CurrentUsage"] < PACKAGE_SEGMENTS


def describe_phone_number_info(stage: Stage, call: Call) -> None:
    parameters = {"PhoneNumberSet": [f"+860{stage.national}", "nobody"]}
    known, unknown = call("DescribePhoneNumberInfo", parameters)["PhoneNumberInfoSet"]
    assert known == {
        "Code": "Ok",
        "Message": "Describe success",
        "NationCode": "86",
        "SubscriberNumber": stage.national,
        "PhoneNumber": f"+86{stage.national}",
        "IsoCode": "CN",
        "IsoName": "China",
    }
    assert (unknown["PhoneNumber"], unknown["Code"]) == ("nobody", "FailedOperation.PhoneNumberParseFail")


def report_conversion(stage: Stage, call: Call) -> None:
    parameters = {
        "SmsSdkAppId": stage.account.sdk_app_id,
        "SerialNo": stage.delivered,
        "ConversionTime": int(time.time()),
    }
    status = call("ReportConversion", parameters)["ReportConversionStatus"]
    assert status["Code"].lower() == "ok"


def describe_send_record_list(stage: Stage, call: Call) -> None:
    parameters = {
        "SmsSdkAppId": stage.account.sdk_app_id,
        "PhoneNumber": f"+86{stage.national}",
        "BeginTime": stage.began - 1,
        "Limit": 20,
        "Offset": 0,
    }
    record = asked_until(
        call,
        "DescribeSendRecordList",
        parameters,
        "SendRecordSet",
        lambda record: record["SendStatus"] == DELIVERED,
    )
    sent, received, content = (record.pop(name) for name in ("SendTime", "UserReceiveTime", "Content"))
    assert is_recent(stage, sent)
    assert is_recent(stage, received)
    assert content.startswith(f"【{SIGNATURE}】您的验证码是")
    assert "123456" not in content
    assert record == {
        "PhoneNumber": f"+86{stage.national}",
        "SerialNo": stage.delivered,
        "SendStatus": DELIVERED,
        "RequestCode": "Ok",
        "StatusCode": "DELIVRD",
        "IsoCode": "CN",
    }
    assert call("DescribeSendRecordList", parameters)["TotalCount"] == 1
    failed = asked_until(
        call,
        "DescribeSendRecordList",
        parameters | {"PhoneNumber": f"+86{stage.national_of_nobody}"},
        "SendRecordSet",
        lambda record: record["SendStatus"] == FAILED,
    )
    assert (failed["StatusCode"], failed["UserReceiveTime"]) == ("MK:0000", 0)


CASES: dict[str, Callable[[Stage, Call], None]] = {
    "SendSms": send_sms,
    "SendMultiGlobalSms": send_multi_global_sms,
    "AddSmsTemplate": add_sms_template,
    "ModifySmsTemplate": modify_sms_template,
    "DeleteSmsTemplate": delete_sms_template,
    "DescribeSmsTemplateList": describe_sms_template_list,
    "AddSmsSign": add_sms_sign,
    "ModifySmsSign": modify_sms_sign,
    "DeleteSmsSign": delete_sms_sign,
    "DescribeSmsSignList": describe_sms_sign_list,
    "PullSmsSendStatus": pull_sms_send_status,
    "PullSmsSendStatusByPhoneNumber": pull_sms_send_status_by_phone_number,
    "PullSmsReplyStatus": pull_sms_reply_status,
    "PullSmsReplyStatusByPhoneNumber": pull_sms_reply_status_by_phone_number,
    "SendStatusStatistics": send_status_statistics,
    "CallbackStatusStatistics": callback_status_statistics,
    "SmsPackagesStatistics": sms_packages_statistics,
    "DescribePhoneNumberInfo": describe_phone_number_info,
    "ReportConversion": report_conversion,
    "DescribeSendRecordList": describe_send_record_list,
}
