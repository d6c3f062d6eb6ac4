"""Statistics by the hour, of what was sent and of what was reported; and what is left of packages."""

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions.apps import app_is_not_the_callers
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.paging import MOST_OFFSET, limit_is_wrong, offset_is_wrong
from cleartosend.api.tencent.actions.times import Hours, read_hours
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.packages import Package, PackageType
from cleartosend.model.reasons import Refusal
from cleartosend.model.times import SECONDS_PER_HOUR
from cleartosend.store import packages, statistics
from cleartosend.store.statistics import HourCounts

MOST_HOURS = 32 * 24
MOST_PACKAGES = 500
PACKAGE_TYPES = {PackageType.GIFT: 0, PackageType.BOUGHT: 1}


class SendStatusStatistics(Parameters):
    begin_time: str
    end_time: str
    sms_sdk_app_id: str
    limit: int
    offset: int


class CallbackStatusStatistics(SendStatusStatistics):
    pass


class SmsPackagesStatistics(Parameters):
    sms_sdk_app_id: str
    limit: int
    offset: int
    begin_time: str
    end_time: str


class SendCounts(Answer):
    fee_count: int
    request_count: int
    request_success_count: int


class SendStatusStatisticsAnswer(Answer):
    send_status_statistics: SendCounts


class CallbackCounts(Answer):
    callback_count: int
    request_success_count: int
    callback_fail_count: int
    callback_success_count: int
    internal_error_count: int
    invalid_number_count: int
    shutdown_error_count: int
    black_list_count: int
    frequency_limit_count: int


class CallbackStatusStatisticsAnswer(Answer):
    callback_status_statistics: CallbackCounts


class CountedPackage(Answer):
    package_create_time: int
    package_effective_time: int
    package_expired_time: int
    package_amount: int
    package_type: int
    package_id: int
    current_usage: int


class SmsPackagesStatisticsAnswer(Answer):
    sms_packages_statistics_set: list[CountedPackage]


async def send_status_statistics(
    call: Call, asked: SendStatusStatistics
) -> SendStatusStatisticsAnswer | Refusal | Fault:
    counted = await _count(call, asked, read_hours(asked.begin_time, asked.end_time))
    if isinstance(counted, (Fault, Refusal)):
        return counted
    return SendStatusStatisticsAnswer(
        send_status_statistics=SendCounts(
            fee_count=counted.segments, request_count=counted.requests, request_success_count=counted.accepted
        )
    )


async def callback_status_statistics(
    call: Call, asked: CallbackStatusStatistics
) -> CallbackStatusStatisticsAnswer | Refusal | Fault:
    hours = read_hours(asked.begin_time, asked.end_time)
    if isinstance(hours, Hours) and hours.last - hours.first >= MOST_HOURS:
        hours = Fault(errors.INVALID_END, "within 32 days of the beginning")
    counted = await _count(call, asked, hours)
    if isinstance(counted, (Fault, Refusal)):
        return counted
    return CallbackStatusStatisticsAnswer(
        callback_status_statistics=CallbackCounts(
            callback_count=counted.reported,
            request_success_count=counted.accepted,
            callback_fail_count=counted.failed,
            callback_success_count=counted.delivered,
            internal_error_count=counted.internal,
            invalid_number_count=counted.invalid_number,
            shutdown_error_count=counted.switched_off,
            black_list_count=counted.blacklisted,
            frequency_limit_count=counted.too_often,
        )
    )


async def sms_packages_statistics(
    call: Call, asked: SmsPackagesStatistics
) -> SmsPackagesStatisticsAnswer | Refusal | Fault:
    hours = read_hours(asked.begin_time, asked.end_time)
    if isinstance(hours, Fault):
        return hours
    if hours.first == hours.last:
        return Fault(errors.INVALID_END, "later than the beginning")
    if hours.last * SECONDS_PER_HOUR > call.rooms.clock():
        return Fault(errors.INVALID_END, "in the past")
    listed = await packages_of(call, asked.sms_sdk_app_id, limit=asked.limit, offset=asked.offset, made_in=hours)
    if isinstance(listed, (Fault, Refusal)):
        return listed
    return SmsPackagesStatisticsAnswer(sms_packages_statistics_set=[_counted(package) for package in listed])


async def packages_of(
    call: Call, sdk_app_id: str, *, limit: int, offset: int, made_in: Hours | None
) -> list[Package] | Refusal | Fault:
    """List the packages that an app may use, made in these hours or at any time."""
    if wrong := (
        limit_is_wrong(limit, MOST_PACKAGES)
        or offset_is_wrong(offset)
        or await app_is_not_the_callers(call, sdk_app_id)
    ):
        return wrong
    return await call.rooms.engine.read(
        lambda tx: packages.of(
            tx,
            call.dossier.account.id,
            sdk_app_id=sdk_app_id,
            created_from=float(made_in.first * SECONDS_PER_HOUR) if made_in else None,
            # The hour of the end counts whole.
            created_until=float((made_in.last + 1) * SECONDS_PER_HOUR - 1) if made_in else None,
            limit=limit,
            offset=offset,
        )
    )


async def _count(call: Call, asked: SendStatusStatistics, hours: Hours | Fault) -> HourCounts | Refusal | Fault:
    if isinstance(hours, Fault):
        return hours
    # The reference wants both to be 0 and has one row to give; what else they are makes no difference.
    if wrong := (
        limit_is_wrong(asked.limit, MOST_OFFSET)
        or offset_is_wrong(asked.offset)
        or await app_is_not_the_callers(call, asked.sms_sdk_app_id)
    ):
        return wrong
    return await call.rooms.engine.read(
        lambda tx: statistics.read(tx, asked.sms_sdk_app_id, from_hour=hours.first, to_hour=hours.last)
    )


def _counted(package: Package) -> CountedPackage:
    return CountedPackage(
        package_create_time=int(package.created_at),
        package_effective_time=int(package.effective_at),
        package_expired_time=int(package.expires_at),
        package_amount=package.amount,
        package_type=PACKAGE_TYPES[package.type],
        package_id=package.id,
        current_usage=package.used,
    )
