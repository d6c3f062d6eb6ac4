"""Every action of every version: its name on the wire, the type of its parameters and the function that does it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.pulling import PullSmsSendStatus, pull_sms_send_status
from cleartosend.api.tencent.actions.sending import SendSms, send_sms
from cleartosend.api.tencent.actions.signatures import (
    AddSmsSign,
    DeleteSmsSign,
    DescribeSmsSignList,
    ModifySmsSign,
    add_sms_sign,
    delete_sms_sign,
    describe_sms_sign_list,
    modify_sms_sign,
)
from cleartosend.api.tencent.actions.templates import (
    AddSmsTemplate,
    DeleteSmsTemplate,
    DescribeSmsTemplateList,
    ModifySmsTemplate,
    add_sms_template,
    delete_sms_template,
    describe_sms_template_list,
    modify_sms_template,
)
from cleartosend.api.tencent.errors import Fault
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
        Action(SendSms, send_sms),
        Action(PullSmsSendStatus, pull_sms_send_status),
        Action(AddSmsSign, add_sms_sign),
        Action(ModifySmsSign, modify_sms_sign),
        Action(DeleteSmsSign, delete_sms_sign),
        Action(DescribeSmsSignList, describe_sms_sign_list),
        Action(AddSmsTemplate, add_sms_template),
        Action(ModifySmsTemplate, modify_sms_template),
        Action(DeleteSmsTemplate, delete_sms_template),
        Action(DescribeSmsTemplateList, describe_sms_template_list),
    ),
}
