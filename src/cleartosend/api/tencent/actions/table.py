"""Every action of every version: its name on the wire, the type of its parameters and the function that does it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from cleartosend.api.tencent.actions import (
    converting,
    counting,
    numbers,
    pulling,
    records,
    sending,
    signatures,
    templates,
    version_2019 as older,
)
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.errors import OLDER_VERSION, Fault
from cleartosend.api.tencent.parameters import Answer, Parameters, Reader
from cleartosend.model.reasons import Refusal

Asked = TypeVar("Asked", bound=Parameters)
Done = Answer | Refusal | Fault


class Action:
    """One thing that can be asked for."""

    def __init__(self, takes: type[Asked], does: Callable[[Call, Asked], Awaitable[Done]]) -> None:
        self.name = takes.__name__
        self.reader = Reader(takes)
        # The reader makes nothing but what the function takes; the pair is checked here, where both are known.
        self.do: Callable[[Call, Parameters], Awaitable[Done]] = does  # type: ignore[assignment]


def _by_name(*actions: Action) -> dict[str, Action]:
    return {action.name: action for action in actions}


ACTIONS: dict[str, dict[str, Action]] = {
    "2021-01-11": _by_name(
        Action(sending.SendSms, sending.send_sms),
        Action(sending.SendMultiGlobalSms, sending.send_multi_global_sms),
        Action(pulling.PullSmsSendStatus, pulling.pull_sms_send_status),
        Action(pulling.PullSmsSendStatusByPhoneNumber, pulling.pull_sms_send_status_by_phone_number),
        Action(pulling.PullSmsReplyStatus, pulling.pull_sms_reply_status),
        Action(pulling.PullSmsReplyStatusByPhoneNumber, pulling.pull_sms_reply_status_by_phone_number),
        Action(counting.SendStatusStatistics, counting.send_status_statistics),
        Action(counting.CallbackStatusStatistics, counting.callback_status_statistics),
        Action(counting.SmsPackagesStatistics, counting.sms_packages_statistics),
        Action(records.DescribeSendRecordList, records.describe_send_record_list),
        Action(numbers.DescribePhoneNumberInfo, numbers.describe_phone_number_info),
        Action(converting.ReportConversion, converting.report_conversion),
        Action(signatures.AddSmsSign, signatures.add_sms_sign),
        Action(signatures.ModifySmsSign, signatures.modify_sms_sign),
        Action(signatures.DeleteSmsSign, signatures.delete_sms_sign),
        Action(signatures.DescribeSmsSignList, signatures.describe_sms_sign_list),
        Action(templates.AddSmsTemplate, templates.add_sms_template),
        Action(templates.ModifySmsTemplate, templates.modify_sms_template),
        Action(templates.DeleteSmsTemplate, templates.delete_sms_template),
        Action(templates.DescribeSmsTemplateList, templates.describe_sms_template_list),
    ),
    OLDER_VERSION: _by_name(
        Action(older.SendSms, sending.send_sms),
        Action(older.PullSmsSendStatus, older.pull_sms_send_status),
        Action(older.PullSmsSendStatusByPhoneNumber, older.pull_sms_send_status_by_phone_number),
        Action(older.PullSmsReplyStatus, older.pull_sms_reply_status),
        Action(older.PullSmsReplyStatusByPhoneNumber, older.pull_sms_reply_status_by_phone_number),
        Action(older.SendStatusStatistics, older.send_status_statistics),
        Action(older.CallbackStatusStatistics, older.callback_status_statistics),
        Action(older.SmsPackagesStatistics, older.sms_packages_statistics),
        Action(older.AddSmsSign, older.add_sms_sign),
        Action(older.ModifySmsSign, older.modify_sms_sign),
        Action(signatures.DeleteSmsSign, signatures.delete_sms_sign),
        Action(older.DescribeSmsSignList, older.describe_sms_sign_list),
        Action(templates.AddSmsTemplate, templates.add_sms_template),
        Action(templates.ModifySmsTemplate, templates.modify_sms_template),
        Action(templates.DeleteSmsTemplate, templates.delete_sms_template),
        Action(older.DescribeSmsTemplateList, older.describe_sms_template_list),
    ),
}
