"""What became of messages and what was written back: taken from a queue, or asked for by number."""

from cleartosend.admission.numbers import PhoneNumber, split_number
from cleartosend.api.tencent.actions.apps import app_is_not_the_callers
from cleartosend.api.tencent.actions.by_number import number_and_period
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.paging import MOST_PER_PAGE, limit_is_wrong, offset_is_wrong
from cleartosend.api.tencent.actions.times import Period
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.messages import MessageState, serial_no
from cleartosend.model.reasons import Refusal
from cleartosend.store import messages, records, replies

DAYS_BACK = 7


class PullSmsSendStatus(Parameters):
    limit: int
    sms_sdk_app_id: str


class PullSmsReplyStatus(PullSmsSendStatus):
    pass


class PullSmsSendStatusByPhoneNumber(Parameters):
    begin_time: int
    offset: int
    limit: int
    phone_number: str
    sms_sdk_app_id: str
    end_time: int | None = None


class PullSmsReplyStatusByPhoneNumber(PullSmsSendStatusByPhoneNumber):
    pass


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


class PulledReply(Answer):
    extend_code: str
    country_code: str
    phone_number: str
    sign_name: str
    reply_content: str
    reply_time: int
    subscriber_number: str


class PullSmsReplyStatusAnswer(Answer):
    pull_sms_reply_status_set: list[PulledReply]


async def pull_sms_send_status(call: Call, asked: PullSmsSendStatus) -> PullSmsSendStatusAnswer | Refusal | Fault:
    """Each status is handed out once, to the account that owns the app."""
    if wrong := await _queue_is_not_to_be_had(call, asked):
        return wrong
    taken = await call.rooms.engine.write(lambda tx: messages.take_statuses(tx, asked.sms_sdk_app_id, asked.limit))
    return PullSmsSendStatusAnswer(pull_sms_send_status_set=[_status(message) for message in taken])


async def pull_sms_reply_status(call: Call, asked: PullSmsReplyStatus) -> PullSmsReplyStatusAnswer | Refusal | Fault:
    """Each reply is handed out once, to the account that owns the app."""
    if wrong := await _queue_is_not_to_be_had(call, asked):
        return wrong
    taken = await call.rooms.engine.write(lambda tx: replies.take(tx, asked.sms_sdk_app_id, asked.limit))
    return PullSmsReplyStatusAnswer(pull_sms_reply_status_set=[_reply(reply) for reply in taken])


async def pull_sms_send_status_by_phone_number(
    call: Call, asked: PullSmsSendStatusByPhoneNumber
) -> PullSmsSendStatusAnswer | Refusal | Fault:
    """As often as one likes."""
    meant = await _what_is_meant(call, asked)
    if isinstance(meant, (Fault, Refusal)):
        return meant
    number, period = meant
    found = await call.rooms.engine.read(
        lambda tx: records.ended_to(
            tx, asked.sms_sdk_app_id, number.e164, since=period.since, until=period.until, limit=asked.limit
        )
    )
    return PullSmsSendStatusAnswer(pull_sms_send_status_set=[_status(message) for message in found])


async def pull_sms_reply_status_by_phone_number(
    call: Call, asked: PullSmsReplyStatusByPhoneNumber
) -> PullSmsReplyStatusAnswer | Refusal | Fault:
    """As often as one likes."""
    meant = await _what_is_meant(call, asked)
    if isinstance(meant, (Fault, Refusal)):
        return meant
    number, period = meant
    found = await call.rooms.engine.read(
        lambda tx: replies.of_number(
            tx, asked.sms_sdk_app_id, number.e164, since=period.since, until=period.until, limit=asked.limit
        )
    )
    return PullSmsReplyStatusAnswer(pull_sms_reply_status_set=[_reply(reply) for reply in found])


async def _queue_is_not_to_be_had(call: Call, asked: PullSmsSendStatus) -> Refusal | Fault | None:
    return limit_is_wrong(asked.limit, MOST_PER_PAGE) or await app_is_not_the_callers(call, asked.sms_sdk_app_id)


async def _what_is_meant(
    call: Call, asked: PullSmsSendStatusByPhoneNumber
) -> tuple[PhoneNumber, Period] | Refusal | Fault:
    # The reference has fixed the offset.
    if fault := limit_is_wrong(asked.limit, MOST_PER_PAGE) or offset_is_wrong(asked.offset, most=0):
        return fault
    return await number_and_period(
        call,
        phone_number=asked.phone_number,
        sms_sdk_app_id=asked.sms_sdk_app_id,
        begin_time=asked.begin_time,
        end_time=asked.end_time,
        days_back=DAYS_BACK,
    )


def _status(message: messages.MessageRecord | records.SendRecord) -> PulledStatus:
    country_code, national = split_number(message.number)
    return PulledStatus(
        user_receive_time=int(message.ended_at or message.accepted_at),
        country_code=country_code,
        subscriber_number=national,
        phone_number=message.number,
        serial_no=serial_no(message.id, international=message.international),
        report_status="SUCCESS" if message.state is MessageState.DELIVERED else "FAIL",
        description=message.code,
        session_context=message.session_context,
    )


def _reply(reply: replies.ReplyRecord) -> PulledReply:
    country_code, national = split_number(reply.number)
    return PulledReply(
        extend_code=reply.extension_code,
        country_code=country_code,
        phone_number=reply.number,
        sign_name=reply.signature or "",
        reply_content=reply.text,
        reply_time=int(reply.at),
        subscriber_number=national,
    )
