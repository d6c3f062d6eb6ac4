"""PullSmsSendStatus: what became of messages, taken from a queue."""

from cleartosend.admission.numbers import read_number
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.paging import MOST_PER_PAGE, limit_is_wrong
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.messages import MessageState, serial_no
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.store import accounts, messages


class PullSmsSendStatus(Parameters):
    limit: int
    sms_sdk_app_id: str


class PulledStatus(Answer):
    user_receive_time: int
    country_code: str
    subscriber_number: str
    phone_number: str
    serial_no: str
    report_status: str
    description: str
    session_context: str


class PullSmsSendStatusAnswer(Answer):
    pull_sms_send_status_set: list[PulledStatus]


async def pull_sms_send_status(call: Call, asked: PullSmsSendStatus) -> PullSmsSendStatusAnswer | Refusal | Fault:
    """Each status is handed out once, to the account that owns the app."""
    if fault := limit_is_wrong(asked.limit, MOST_PER_PAGE):
        return fault
    if refusal := await app_is_not_the_callers(call, asked.sms_sdk_app_id):
        return refusal
    taken = await call.rooms.engine.write(lambda tx: messages.take_statuses(tx, asked.sms_sdk_app_id, asked.limit))
    return PullSmsSendStatusAnswer(pull_sms_send_status_set=[_status(message) for message in taken])


async def app_is_not_the_callers(call: Call, sdk_app_id: str) -> Refusal | None:
    if sdk_app_id in call.dossier.apps:
        return None
    app = await call.rooms.engine.read(lambda tx: accounts.find_app(tx, sdk_app_id))
    if app is None:
        return Refusal(Reason.APP_NOT_FOUND, sdk_app_id)
    return None if app.account_id == call.dossier.account.id else Refusal(Reason.APP_NOT_YOURS, sdk_app_id)


def _status(message: messages.MessageRecord) -> PulledStatus:
    number = read_number(message.number)
    return PulledStatus(
        user_receive_time=int(message.ended_at or message.accepted_at),
        country_code=number.country_code if number else "",
        subscriber_number=number.national if number else message.number,
        phone_number=message.number,
        serial_no=serial_no(message.id, international=message.international),
        report_status="SUCCESS" if message.state is MessageState.DELIVERED else "FAIL",
        description=message.code,
        session_context=message.session_context,
    )
