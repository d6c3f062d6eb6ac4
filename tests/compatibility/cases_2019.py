"""Each action of version 2019-07-11, by that version's own names, and what must come back."""

import time
from collections.abc import Callable

from compatibility.cases_2021 import APPROVED, BOUGHT, REJECTED
from compatibility.clients import Call
from compatibility.stage import (
    PACKAGE_SEGMENTS,
    REJECTED_BECAUSE,
    SECONDS_A_DAY,
    SESSION,
    Stage,
    asked_until,
    hour,
    in_words,
    is_recent,
)
from end_to_end.served import PROOF, until
from usual import SIGNATURE


def send_sms(stage: Stage, call: Call) -> None:
    number = stage.number()
    parameters = {
        "SmsSdkAppid": stage.account.sdk_app_id,
        "Sign": SIGNATURE,
        "TemplateID": stage.template,
        "TemplateParamSet": ["123456"],
        "PhoneNumberSet": [number, "+8612"],
        "SessionContext": SESSION,
    }
    sent, refused = call("SendSms", parameters)["SendStatusSet"]
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


def add_sms_template(stage: Stage, call: Call) -> None:
    parameters = {
        "TemplateName": "到店",
        "TemplateContent": "您预订的{1}已经到店。",
        # Ordinary, as this version numbered it at first.
        "SmsType": 0,
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
    assert template["StatusCode"] == APPROVED


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
    }
    # Another test may have deleted it.
    for rejected in others:
        assert (rejected["StatusCode"], rejected["ReviewReply"]) == (REJECTED, REJECTED_BECAUSE)


def add_sms_sign(stage: Stage, call: Call) -> None:
    parameters = {
        "SignName": "云上花店",
        "SignType": 0,
        "DocumentType": 1,
        "International": 0,
        "UsedMethod": 0,
        "ProofImage": PROOF,
    }
    added = call("AddSmsSign", parameters)["AddSignStatus"]
    listing = {"International": 0, "SignIdSet": [added["SignId"]]}
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
        "UsedMethod": 1,
        "ProofImage": PROOF,
        "CommissionImage": PROOF,
        "Remark": "代为申请",
    }
    assert call("ModifySmsSign", parameters)["ModifySignStatus"]["SignId"] == stage.signature_waiting
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
    listing = {"International": 0, "SignIdSet": [stage.signature_id]}
    [sign] = call("DescribeSmsSignList", listing)["DescribeSignListStatusSet"]
    assert (sign["SignId"], sign["International"], sign["StatusCode"]) == (stage.signature_id, 0, APPROVED)
    assert (sign["SignName"], sign["ReviewReply"]) == (SIGNATURE, "")


def pull_sms_send_status(stage: Stage, call: Call) -> None:
    parameters = {"SmsSdkAppid": stage.account.sdk_app_id, "Limit": 100}
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
    received = status.pop("UserReceiveUnixTime")
    assert isinstance(received, int)
    assert is_recent(stage, received)
    assert status == {
        "UserReceiveTime": in_words(received),
        "NationCode": "86",
        # The one that is called pure has the country's code, and the other has not.
        "PurePhoneNumber": f"+86{stage.national}",
        "PhoneNumber": stage.national,
        "SerialNo": stage.delivered,
        "ReportStatus": "SUCCESS",
        "Description": "DELIVRD",
    }


def _of_number(stage: Stage, number: str) -> dict[str, object]:
    return {
        "SmsSdkAppid": stage.account.sdk_app_id,
        "PhoneNumber": number,
        "SendDateTime": stage.began - 1,
        "EndDateTime": stage.began + SECONDS_A_DAY,
        "Offset": 0,
        "Limit": 100,
    }


def pull_sms_reply_status(stage: Stage, call: Call) -> None:
    parameters = {"SmsSdkAppid": stage.account.sdk_app_id, "Limit": 100}
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
    replied = reply.pop("ReplyUnixTime")
    assert isinstance(replied, int)
    assert is_recent(stage, replied)
    assert reply == {
        "ExtendCode": "",
        "NationCode": "86",
        "PhoneNumber": f"+86{stage.national_of_replier}",
        "Sign": SIGNATURE,
        "ReplyContent": "收到，谢谢",
        "ReplyTime": in_words(replied),
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
    # Numbers, and the second name is spelt so.
    return {
        "SmsSdkAppid": stage.account.sdk_app_id,
        "StartDateTime": int(hour(stage.began)),
        "EndDataTime": int(hour(time.time())),
        "Limit": 0,
        "Offset": 0,
    }


def sms_packages_statistics(stage: Stage, call: Call) -> None:
    parameters = {"SmsSdkAppid": stage.account.sdk_app_id, "Limit": 10, "Offset": 0}
    [package] = call("SmsPackagesStatistics", parameters)["SmsPackagesStatisticsSet"]
    for moment in ("Create", "Effective", "Expired"):
        assert package[f"Package{moment}Time"] == in_words(package[f"Package{moment}UnixTime"])
    assert package["PackageCreateUnixTime"] < package["PackageExpiredUnixTime"]
    assert (package["AmountOfPackage"], package["TypeOfPackage"]) == (PACKAGE_SEGMENTS, BOUGHT)
    # What the stage sent has been taken from it.
    assert 3 <= package["CurrentUsage"] < PACKAGE_SEGMENTS


CASES: dict[str, Callable[[Stage, Call], None]] = {
    "SendSms": send_sms,
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
}
