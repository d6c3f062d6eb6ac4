"""SendSms: one text to many numbers."""

from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.errors import fault_of
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.messages import RecipientOutcome, SendCall
from cleartosend.model.reasons import Refusal


class SendSms(Parameters):
    phone_number_set: tuple[str, ...]
    sms_sdk_app_id: str
    template_id: str
    sign_name: str = ""
    template_param_set: tuple[str, ...] = ()
    extend_code: str = ""
    session_context: str = ""
    sender_id: str = ""


class SendStatus(Answer):
    serial_no: str
    phone_number: str
    fee: int
    session_context: str
    code: str
    message: str
    iso_code: str


class SendSmsAnswer(Answer):
    send_status_set: list[SendStatus]


async def send_sms(call: Call, asked: SendSms) -> SendSmsAnswer | Refusal:
    outcomes = await call.rooms.admission.accept(
        SendCall(
            account_id=call.dossier.account.id,
            secret_id=call.secret_id,
            sdk_app_id=asked.sms_sdk_app_id,
            template_id=asked.template_id,
            signature=asked.sign_name,
            numbers=asked.phone_number_set,
            values=asked.template_param_set,
            session_context=asked.session_context,
            extension_code=asked.extend_code,
            sender_id=asked.sender_id,
        )
    )
    if isinstance(outcomes, Refusal):
        return outcomes
    return SendSmsAnswer(send_status_set=[_status(outcome, asked.session_context) for outcome in outcomes])


def _status(outcome: RecipientOutcome, session_context: str) -> SendStatus:
    code, message = "Ok", "send success"
    if outcome.refusal is not None:
        # Whatever language was asked for: the reference writes these in English, and programs read them.
        fault = fault_of(outcome.refusal, "SendSms")
        code, message = fault.code, fault.message()
    return SendStatus(
        serial_no=outcome.serial_no,
        phone_number=outcome.number,
        fee=outcome.segments,
        session_context=session_context,
        code=code,
        message=message,
        iso_code=outcome.iso,
    )
