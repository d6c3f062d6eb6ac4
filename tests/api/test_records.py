"""What is told of one number's messages, of numbers themselves, and of codes that were used."""

from typing import Any

import pytest
from api.calling import NOW, Reply, Service
from api.test_pulling import ended
from usual import SIGNATURE

from cleartosend.model.messages import MessageState, message_id_of, serial_no
from cleartosend.store import conversions

DAY = 86_400
NUMBER = "13711112222"


async def records(service: Service, **changed: object) -> Reply:
    asked: dict[str, object] = {
        "PhoneNumber": NUMBER,
        "SmsSdkAppId": service.app.sdk_app_id,
        "BeginTime": int(NOW) - DAY,
    }
    return await service.call("DescribeSendRecordList", asked | changed)


async def test_every_message_to_a_number_is_told_newest_first(service: Service) -> None:
    delivered = await ended(service, NUMBER, MessageState.DELIVERED, "DELIVRD")
    service.clock.advance(60)
    failed = await ended(service, NUMBER, MessageState.FAILED, "MK:0017", TemplateParamSet=["42"])
    service.clock.advance(60)
    refused = await service.send([NUMBER], template="notice", TemplateParamSet=["贷款"])
    assert refused.response["SendStatusSet"][0]["SerialNo"] == ""
    service.clock.advance(60)
    await service.set(per_number_per_day=None)
    waiting = (await service.send([NUMBER], template="notice")).response["SendStatusSet"][0]["SerialNo"]
    await ended(service, "13711113333", MessageState.DELIVERED, "DELIVRD")
    reply = await records(service)
    assert reply.response["TotalCount"] == 4
    told = reply.response["SendRecordSet"]
    assert [(one["SerialNo"], one["SendStatus"], one["RequestCode"], one["StatusCode"]) for one in told] == [
        (waiting, 3, "Ok", ""),
        ("", 1, "FailedOperation.ContainSensitiveWord", ""),
        (failed, 4, "Ok", "MK:0017"),
        (delivered, 2, "Ok", "DELIVRD"),
    ]
    assert [one["UserReceiveTime"] for one in told] == [0, 0, 0, int(NOW) + 5]
    assert told[3] == {
        "PhoneNumber": "+8613711112222",
        "SerialNo": delivered,
        "SendStatus": 2,
        "RequestCode": "Ok",
        "StatusCode": "DELIVRD",
        "IsoCode": "CN",
        "Content": f"【{SIGNATURE}】您的验证码是1****6，请勿告诉他人。",
        "SendTime": int(NOW),
        "UserReceiveTime": int(NOW) + 5,
    }
    assert told[2]["Content"] == f"【{SIGNATURE}】您的验证码是**，请勿告诉他人。"


async def test_records_come_in_pages(service: Service) -> None:
    await service.set(per_number_per_day=None, same_content_per_30_seconds=None)
    for _ in range(3):
        await service.send([NUMBER])
        service.clock.advance(1)

    async def times(**changed: object) -> list[int]:
        told = (await records(service, **changed)).response["SendRecordSet"]
        return [one["SendTime"] - int(NOW) for one in told]

    assert await times() == [2, 1, 0]
    assert await times(Limit=1) == [2]
    assert await times(Limit=50, Offset=1) == [1, 0]
    assert await times(Offset=1000) == []
    assert await times(EndTime=int(NOW) + 1) == [1, 0]
    assert await times(PhoneNumber="+86 137 1111 3333") == []
    page = await records(service, Limit=1, Offset=2)
    assert page.response["TotalCount"] == 3


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"BeginTime": int(NOW) - 3 * DAY}, ""),
        ({"BeginTime": int(NOW) - 3 * DAY - 3600}, "InvalidParameterValue.BeginTimeVerifyFail"),
        ({"EndTime": int(NOW) * 1000}, "InvalidParameterValue.EndTimeVerifyFail"),
        ({"EndTime": int(NOW) - DAY - 1}, "InvalidParameterValue.InvalidStartTime"),
        ({"Limit": 0}, "InvalidParameterValue.LimitVerifyFail"),
        ({"Limit": 51}, "InvalidParameterValue.LimitVerifyFail"),
        ({"Offset": -1}, "InvalidParameterValue.OffsetVerifyFail"),
        ({"Offset": 1001}, "InvalidParameterValue.OffsetVerifyFail"),
        ({"PhoneNumber": "x"}, "InvalidParameterValue.IncorrectPhoneNumber"),
        ({"SmsSdkAppId": "1499999999"}, "InvalidParameterValue.SdkAppIdNotExist"),
        ({"PhoneNumber": None}, "MissingParameter"),
    ],
)
async def test_what_is_wrong_is_named(service: Service, changed: dict[str, object], code: str) -> None:
    assert (await records(service, **changed)).code == code


# --- numbers ---


async def described(service: Service, *numbers: str) -> list[dict[str, Any]]:
    reply = await service.call("DescribePhoneNumberInfo", {"PhoneNumberSet": numbers})
    told: list[dict[str, Any]] = reply.response["PhoneNumberInfoSet"]
    return told


async def test_a_number_is_told_as_it_is_read(service: Service) -> None:
    assert await described(service, "+86018501234444") == [
        {
            "Code": "Ok",
            "Message": "Describe success",
            "NationCode": "86",
            "SubscriberNumber": "18501234444",
            "PhoneNumber": "+8618501234444",
            "IsoCode": "CN",
            "IsoName": "China",
        }
    ]
    told = await described(service, "+85261234567", "+12025550123", "+870772001234", "hello", "+8612", "12345678")
    assert [(one["Code"].split(".")[-1], one["PhoneNumber"], one["IsoCode"], one["IsoName"]) for one in told] == [
        ("Ok", "+85261234567", "HK", "Hong Kong"),
        ("Ok", "+12025550123", "US", "United States"),
        ("Ok", "+870772001234", "DEF", ""),
        ("PhoneNumberParseFail", "hello", "", ""),
        ("PhoneNumberParseFail", "+8612", "", ""),
        ("IncorrectPhoneNumber", "12345678", "", ""),
    ]


@pytest.mark.parametrize(
    ("numbers", "code"),
    [([], "MissingParameter"), (["1"] * 201, "LimitExceeded.PhoneNumberCountLimit"), ([1], "InvalidParameter")],
)
async def test_there_is_at_least_one_number_and_not_too_many(
    service: Service, numbers: list[object], code: str
) -> None:
    assert (await service.call("DescribePhoneNumberInfo", {"PhoneNumberSet": numbers})).code == code


# --- conversions ---


async def report(service: Service, serial: object, **changed: object) -> Reply:
    asked = {"SmsSdkAppId": service.app.sdk_app_id, "SerialNo": serial}
    return await service.call("ReportConversion", asked | changed)


async def test_a_code_is_said_to_be_used_and_the_first_time_counts(service: Service) -> None:
    serial = (await service.send([NUMBER])).response["SendStatusSet"][0]["SerialNo"]
    service.clock.advance(60)
    for at in (int(NOW) + 30, int(NOW) + 40):
        reply = await report(service, serial, ConversionTime=at)
        assert reply.response["ReportConversionStatus"] == {"Code": "OK", "Message": "success"}
    message_id = message_id_of(serial)
    assert message_id is not None
    assert await service.engine.read(lambda tx: conversions.at_of(tx, message_id)) == NOW + 30


@pytest.mark.parametrize("given", [{}, {"ConversionTime": int(NOW) * 1000}])
async def test_without_a_time_that_can_be_it_is_now(service: Service, given: dict[str, object]) -> None:
    serial = (await service.send([NUMBER])).response["SendStatusSet"][0]["SerialNo"]
    await report(service, serial, **given)
    message_id = message_id_of(serial)
    assert message_id is not None
    assert await service.engine.read(lambda tx: conversions.at_of(tx, message_id)) == NOW


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"SerialNo": serial_no(7, international=False)}, "InvalidParameterValue"),
        ({"SerialNo": "5000:1" + "9" * 27}, "InvalidParameterValue"),
        ({"SerialNo": "5000:1" + "9" * 9000}, "InvalidParameterValue"),
        ({"SerialNo": "nonsense"}, "InvalidParameterValue"),
        ({"SerialNo": 7}, "InvalidParameter"),
        ({"SmsSdkAppId": "1499999999"}, "UnauthorizedOperation.SmsSdkAppIdVerifyFail"),
    ],
)
async def test_only_a_message_of_the_app_can_be_reported(
    service: Service, changed: dict[str, object], code: str
) -> None:
    assert (await report(service, "", **changed)).code == code
