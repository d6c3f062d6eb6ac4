"""Statistics and packages are told for the hours of Beijing's clock that were asked for."""

from functools import partial

import pytest
from api.calling import NOW, Reply, Service

from cleartosend.model.packages import PackageType
from cleartosend.store import packages

# NOW is 2025-06-15 11:00 in Beijing.
BEGIN = "InvalidParameterValue.BeginTimeVerifyFail"
END = "InvalidParameterValue.EndTimeVerifyFail"
DAY = 86_400


async def count(service: Service, action: str, begin: str, end: str, **changed: object) -> Reply:
    asked: dict[str, object] = {
        "BeginTime": begin,
        "EndTime": end,
        "SmsSdkAppId": service.app.sdk_app_id,
        "Limit": 0,
        "Offset": 0,
    }
    return await service.call(action, asked | changed)


async def test_what_was_sent_is_counted_by_the_hour(service: Service) -> None:
    await service.send(["13711112222", "13711112222", "13711113333", "x"])
    service.clock.advance(3600)
    await service.send(["13711114444"])
    first = await count(service, "SendStatusStatistics", "2025061511", "2025061511")
    assert first.response["SendStatusStatistics"] == {"FeeCount": 2, "RequestCount": 3, "RequestSuccessCount": 2}
    both = await count(service, "SendStatusStatistics", "2025061511", "2025061512", Limit=7, Offset=7)
    assert both.response["SendStatusStatistics"] == {"FeeCount": 3, "RequestCount": 4, "RequestSuccessCount": 3}
    none = await count(service, "SendStatusStatistics", "2025061411", "2025061510")
    assert none.response["SendStatusStatistics"] == {"FeeCount": 0, "RequestCount": 0, "RequestSuccessCount": 0}


async def test_what_was_reported_is_counted_by_what_it_means(service: Service) -> None:
    await service.send(["13711112222"])
    reply = await count(service, "CallbackStatusStatistics", "2025061511", "2025061511")
    assert reply.response["CallbackStatusStatistics"] == {
        "CallbackCount": 0,
        "RequestSuccessCount": 1,
        "CallbackFailCount": 0,
        "CallbackSuccessCount": 0,
        "InternalErrorCount": 0,
        "InvalidNumberCount": 0,
        "ShutdownErrorCount": 0,
        "BlackListCount": 0,
        "FrequencyLimitCount": 0,
    }


@pytest.mark.parametrize(
    ("action", "begin", "end", "code"),
    [
        ("SendStatusStatistics", "2025061525", "2025061511", BEGIN),
        ("SendStatusStatistics", "20250615", "2025061511", BEGIN),
        ("SendStatusStatistics", "2025061511", "二零二五零六一五", END),
        ("SendStatusStatistics", "2025061511", "2025061510", END),
        ("SendStatusStatistics", "2024010100", "2025061511", ""),
        ("CallbackStatusStatistics", "2025051412", "2025061511", ""),
        ("CallbackStatusStatistics", "2025051411", "2025061511", END),
        ("CallbackStatusStatistics", "", "2025061511", BEGIN),
        ("SmsPackagesStatistics", "2025061510", "2025061511", ""),
        ("SmsPackagesStatistics", "2025061511", "2025061511", END),
        ("SmsPackagesStatistics", "2025061511", "2025061512", END),
        ("SmsPackagesStatistics", "x", "2025061511", BEGIN),
    ],
)
async def test_hours_that_cannot_be_are_refused(service: Service, action: str, begin: str, end: str, code: str) -> None:
    assert (await count(service, action, begin, end)).code == code


@pytest.mark.parametrize("action", ["SendStatusStatistics", "CallbackStatusStatistics", "SmsPackagesStatistics"])
async def test_what_is_wrong_is_named(service: Service, action: str) -> None:
    async def code(**changed: object) -> str:
        return (await count(service, action, "2025061410", "2025061411", **changed)).code

    assert await code(Limit=-1) == "InvalidParameterValue.LimitVerifyFail"
    assert await code(Offset=-1) == "InvalidParameterValue.OffsetVerifyFail"
    assert await code(Limit="0") == "FailedOperation.FailResolvePacket"
    assert await code(SmsSdkAppId="1499999999") == "InvalidParameterValue.SdkAppIdNotExist"
    assert await code(BeginTime=None) == "MissingParameter"
    await service.set_app(enabled=False)
    assert await code() == "UnauthorizedOperation.SdkAppIdIsDisabled"


async def test_packages_are_listed_by_when_they_were_made(service: Service) -> None:
    for made, type_, app, amount in (
        (NOW - 40 * DAY, PackageType.GIFT, "", 100),
        (NOW - DAY, PackageType.BOUGHT, service.app.sdk_app_id, 5000),
        (NOW - DAY, PackageType.BOUGHT, "1400000099", 7),
    ):
        await service.engine.write(
            partial(
                packages.add,
                account_id=service.account.id,
                sdk_app_id=app,
                type=type_,
                amount=amount,
                now=made,
                expires_at=made + 90 * DAY,
            )
        )
    newest = await count(service, "SmsPackagesStatistics", "2025061400", "2025061511", Limit=500)
    assert newest.response["SmsPackagesStatisticsSet"] == [
        {
            "PackageCreateTime": int(NOW) - DAY,
            "PackageEffectiveTime": int(NOW) - DAY,
            "PackageExpiredTime": int(NOW) + 89 * DAY,
            "PackageAmount": 5000,
            "PackageType": 1,
            "PackageId": 2,
            "CurrentUsage": 0,
        }
    ]
    both = await count(service, "SmsPackagesStatistics", "2025010100", "2025061511", Limit=500)
    assert [one["PackageType"] for one in both.response["SmsPackagesStatisticsSet"]] == [0, 1]
    second = await count(service, "SmsPackagesStatistics", "2025010100", "2025061511", Limit=1, Offset=1)
    assert [one["PackageAmount"] for one in second.response["SmsPackagesStatisticsSet"]] == [5000]
    too_many = await count(service, "SmsPackagesStatistics", "2025010100", "2025061511", Limit=501)
    assert too_many.code == "InvalidParameterValue.LimitVerifyFail"


async def test_what_a_package_has_paid_is_told(service: Service) -> None:
    await service.engine.write(
        lambda tx: packages.add(
            tx,
            account_id=service.account.id,
            sdk_app_id="",
            type=PackageType.BOUGHT,
            amount=10,
            now=NOW - DAY,
            expires_at=NOW + DAY,
        )
    )
    await service.set(prepaid=True)
    assert (await service.send(["13711112222", "13711113333"])).code == ""
    reply = await count(service, "SmsPackagesStatistics", "2025010100", "2025061511", Limit=500)
    assert [one["CurrentUsage"] for one in reply.response["SmsPackagesStatisticsSet"]] == [2]
