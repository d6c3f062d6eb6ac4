"""Version 2019-07-11: the same actions under other names; nothing is decided here, each calls the newer one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec

from cleartosend.api.tencent.actions import counting, pulling, sending, signatures, templates
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.reviewing import Ids
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.packages import Package
from cleartosend.model.reasons import Refusal
from cleartosend.model.times import text_of

Asked = TypeVar("Asked")
Done = TypeVar("Done", bound=Answer)
Given = TypeVar("Given", bound=Answer)
NewerStatistics = TypeVar("NewerStatistics", bound=counting.SendStatusStatistics)

# --- parameters: those of the newer version, by the names of this one ---


class SendSms(sending.SendSms, kw_only=True):
    sms_sdk_app_id: str = msgspec.field(name="SmsSdkAppid")
    template_id: str = msgspec.field(name="TemplateID")
    sign_name: str = msgspec.field(name="Sign", default="")


class AddSmsSign(signatures.AddSmsSign, kw_only=True):
    sign_purpose: int = msgspec.field(name="UsedMethod")


class ModifySmsSign(signatures.ModifySmsSign, kw_only=True):
    sign_purpose: int = msgspec.field(name="UsedMethod")


class PullSmsSendStatus(pulling.PullSmsSendStatus, kw_only=True):
    sms_sdk_app_id: str = msgspec.field(name="SmsSdkAppid")


class PullSmsReplyStatus(pulling.PullSmsReplyStatus, kw_only=True):
    sms_sdk_app_id: str = msgspec.field(name="SmsSdkAppid")


class PullSmsSendStatusByPhoneNumber(pulling.PullSmsSendStatusByPhoneNumber, kw_only=True):
    sms_sdk_app_id: str = msgspec.field(name="SmsSdkAppid")
    begin_time: int = msgspec.field(name="SendDateTime")
    end_time: int | None = msgspec.field(name="EndDateTime", default=None)


class PullSmsReplyStatusByPhoneNumber(pulling.PullSmsReplyStatusByPhoneNumber, kw_only=True):
    sms_sdk_app_id: str = msgspec.field(name="SmsSdkAppid")
    begin_time: int = msgspec.field(name="SendDateTime")
    end_time: int | None = msgspec.field(name="EndDateTime", default=None)


# Where the types differ too, they are made into those of the newer version.


class DescribeSmsSignList(Parameters):
    sign_id_set: Ids
    international: int


class DescribeSmsTemplateList(Parameters):
    template_id_set: Ids
    international: int


class SendStatusStatistics(Parameters):
    start_date_time: int
    end_data_time: int
    sms_sdk_app_id: str = msgspec.field(name="SmsSdkAppid")
    limit: int
    offset: int


class CallbackStatusStatistics(SendStatusStatistics):
    pass


class SmsPackagesStatistics(Parameters):
    sms_sdk_app_id: str = msgspec.field(name="SmsSdkAppid")
    limit: int
    offset: int


# --- answers ---


class AddedSign(Answer):
    sign_id: int
    sign_apply_id: int


class AddSmsSignAnswer(Answer):
    add_sign_status: AddedSign


class ModifiedSign(Answer):
    sign_id: int
    # Text here and a number above: so the reference has it, and typed clients insist.
    sign_apply_id: str


class ModifySmsSignAnswer(Answer):
    modify_sign_status: ModifiedSign


class DescribedTemplate(Answer):
    template_id: int
    international: int
    status_code: int
    review_reply: str
    template_name: str
    create_time: int


class DescribeSmsTemplateListAnswer(Answer):
    describe_template_status_set: list[DescribedTemplate]


class PulledStatus(Answer):
    user_receive_time: str
    user_receive_unix_time: int
    nation_code: str
    pure_phone_number: str
    phone_number: str
    serial_no: str
    report_status: str
    description: str


class PullSmsSendStatusAnswer(Answer):
    pull_sms_send_status_set: list[PulledStatus]


class PulledReply(Answer):
    extend_code: str
    nation_code: str
    phone_number: str
    sign: str
    reply_content: str
    reply_time: str
    reply_unix_time: int


class PullSmsReplyStatusAnswer(Answer):
    pull_sms_reply_status_set: list[PulledReply]


class CountedPackage(Answer):
    package_create_time: str
    package_create_unix_time: int
    package_effective_time: str
    package_effective_unix_time: int
    package_expired_time: str
    package_expired_unix_time: int
    amount_of_package: int
    type_of_package: int
    package_id: int
    current_usage: int


class SmsPackagesStatisticsAnswer(Answer):
    sms_packages_statistics_set: list[CountedPackage]


# --- the newer answers, as this version tells them ---


def _added_sign(done: signatures.AddSmsSignAnswer) -> AddSmsSignAnswer:
    sign_id = done.add_sign_status.sign_id
    return AddSmsSignAnswer(add_sign_status=AddedSign(sign_id=sign_id, sign_apply_id=sign_id))


def _modified_sign(done: signatures.ModifySmsSignAnswer) -> ModifySmsSignAnswer:
    sign_id = done.modify_sign_status.sign_id
    return ModifySmsSignAnswer(modify_sign_status=ModifiedSign(sign_id=sign_id, sign_apply_id=str(sign_id)))


def _templates(done: templates.DescribeSmsTemplateListAnswer) -> DescribeSmsTemplateListAnswer:
    return DescribeSmsTemplateListAnswer(
        describe_template_status_set=[
            DescribedTemplate(
                template_id=one.template_id,
                international=one.international,
                status_code=one.status_code,
                review_reply=one.review_reply,
                template_name=one.template_name,
                create_time=one.create_time,
            )
            for one in done.describe_template_status_set
        ]
    )


def _statuses(done: pulling.PullSmsSendStatusAnswer) -> PullSmsSendStatusAnswer:
    return PullSmsSendStatusAnswer(
        pull_sms_send_status_set=[
            PulledStatus(
                user_receive_time=text_of(one.user_receive_time),
                user_receive_unix_time=one.user_receive_time,
                nation_code=one.country_code,
                # Pure is what the newer version calls the telephone number, and the other way round.
                pure_phone_number=one.phone_number,
                phone_number=one.subscriber_number,
                serial_no=one.serial_no,
                report_status=one.report_status,
                description=one.description,
            )
            for one in done.pull_sms_send_status_set
        ]
    )


def _replies(done: pulling.PullSmsReplyStatusAnswer) -> PullSmsReplyStatusAnswer:
    return PullSmsReplyStatusAnswer(
        pull_sms_reply_status_set=[
            PulledReply(
                extend_code=one.extend_code,
                nation_code=one.country_code,
                phone_number=one.phone_number,
                sign=one.sign_name,
                reply_content=one.reply_content,
                reply_time=text_of(one.reply_time),
                reply_unix_time=one.reply_time,
            )
            for one in done.pull_sms_reply_status_set
        ]
    )


def _package(package: Package) -> CountedPackage:
    return CountedPackage(
        package_create_time=text_of(package.created_at),
        package_create_unix_time=int(package.created_at),
        package_effective_time=text_of(package.effective_at),
        package_effective_unix_time=int(package.effective_at),
        package_expired_time=text_of(package.expires_at),
        package_expired_unix_time=int(package.expires_at),
        amount_of_package=package.amount,
        type_of_package=counting.PACKAGE_TYPES[package.type],
        package_id=package.id,
        current_usage=package.used,
    )


# --- the actions that are not the newer ones word for word ---


def _telling(
    does: Callable[[Call, Asked], Awaitable[Done | Refusal | Fault]], gives: Callable[[Done], Given]
) -> Callable[[Call, Asked], Awaitable[Given | Refusal | Fault]]:
    """Do what the newer action does, and tell it as this version does."""

    async def do(call: Call, asked: Asked) -> Given | Refusal | Fault:
        done = await does(call, asked)
        return done if isinstance(done, (Refusal, Fault)) else gives(done)

    return do


add_sms_sign = _telling(signatures.add_sms_sign, _added_sign)
modify_sms_sign = _telling(signatures.modify_sms_sign, _modified_sign)
pull_sms_send_status = _telling(pulling.pull_sms_send_status, _statuses)
pull_sms_reply_status = _telling(pulling.pull_sms_reply_status, _replies)
pull_sms_send_status_by_phone_number = _telling(pulling.pull_sms_send_status_by_phone_number, _statuses)
pull_sms_reply_status_by_phone_number = _telling(pulling.pull_sms_reply_status_by_phone_number, _replies)


async def describe_sms_sign_list(
    call: Call, asked: DescribeSmsSignList
) -> signatures.DescribeSmsSignListAnswer | Refusal | Fault:
    newer = signatures.DescribeSmsSignList(international=asked.international, sign_id_set=asked.sign_id_set)
    return await signatures.describe_sms_sign_list(call, newer)


async def describe_sms_template_list(
    call: Call, asked: DescribeSmsTemplateList
) -> DescribeSmsTemplateListAnswer | Refusal | Fault:
    newer = templates.DescribeSmsTemplateList(international=asked.international, template_id_set=asked.template_id_set)
    return await _described_templates(call, newer)


_described_templates = _telling(templates.describe_sms_template_list, _templates)


async def send_status_statistics(
    call: Call, asked: SendStatusStatistics
) -> counting.SendStatusStatisticsAnswer | Refusal | Fault:
    return await counting.send_status_statistics(call, _hours(asked, counting.SendStatusStatistics))


async def callback_status_statistics(
    call: Call, asked: CallbackStatusStatistics
) -> counting.CallbackStatusStatisticsAnswer | Refusal | Fault:
    return await counting.callback_status_statistics(call, _hours(asked, counting.CallbackStatusStatistics))


async def sms_packages_statistics(
    call: Call, asked: SmsPackagesStatistics
) -> SmsPackagesStatisticsAnswer | Refusal | Fault:
    listed = await counting.packages_of(
        call, asked.sms_sdk_app_id, limit=asked.limit, offset=asked.offset, made_in=None
    )
    if isinstance(listed, (Refusal, Fault)):
        return listed
    return SmsPackagesStatisticsAnswer(sms_packages_statistics_set=[_package(package) for package in listed])


def _hours(asked: SendStatusStatistics, newer: type[NewerStatistics]) -> NewerStatistics:
    """Make the numbers of this version, such as 2024050113, the texts of the newer one."""
    return newer(
        begin_time=str(asked.start_date_time),
        end_time=str(asked.end_data_time),
        sms_sdk_app_id=asked.sms_sdk_app_id,
        limit=asked.limit,
        offset=asked.offset,
    )
