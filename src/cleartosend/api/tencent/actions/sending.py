"""SendSms: one text to many numbers; SendMultiGlobalSms: to each number abroad a text of its own."""

import asyncio
import re

from cleartosend.admission.numbers import read_number
from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.errors import Fault, fault_of
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.messages import MOST_RECIPIENTS_PER_CALL, RecipientOutcome, SendCall
from cleartosend.model.reasons import Reason, Refusal

_KEY = re.compile(rb"[!-~]{1,255}")


class SendSms(Parameters):
    phone_number_set: tuple[str, ...]
    sms_sdk_app_id: str
    template_id: str
    sign_name: str = ""
    template_param_set: tuple[str, ...] = ()
    extend_code: str = ""
    session_context: str = ""
    sender_id: str = ""


class MultiSmsInfo(Parameters):
    phone_number: str
    template_id: str
    template_param_set: tuple[str, ...] = ()
    sender_id: str = ""
    session_context: str = ""


class SendMultiGlobalSms(Parameters):
    sms_sdk_app_id: str
    multi_sms_info_set: tuple[MultiSmsInfo, ...]


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


class SendMultiGlobalSmsAnswer(Answer):
    send_multi_status_set: list[SendStatus]


async def send_sms(call: Call, asked: SendSms) -> SendSmsAnswer | Refusal | Fault:
    key = _key_of(call)
    if isinstance(key, Fault):
        return key
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
            key=key,
        )
    )
    if isinstance(outcomes, Refusal):
        return outcomes
    return SendSmsAnswer(send_status_set=[_status(outcome, asked.session_context, "SendSms") for outcome in outcomes])


async def send_multi_global_sms(call: Call, asked: SendMultiGlobalSms) -> SendMultiGlobalSmsAnswer | Refusal | Fault:
    key = _key_of(call)
    if isinstance(key, Fault):
        return key
    infos = asked.multi_sms_info_set
    if fault := _what_no_item_may_break(infos):
        return fault
    answers = await asyncio.gather(
        *[
            call.rooms.admission.accept(_send_call(call, asked, info, _key_of_item(key, at)))
            for at, info in enumerate(infos)
        ]
    )
    refusals = [answer for answer in answers if isinstance(answer, Refusal)]
    if len(refusals) == len(answers) and len(set(refusals)) == 1:
        # It is about the caller or the app, not about any one item.
        return refusals[0]
    return SendMultiGlobalSmsAnswer(
        send_multi_status_set=[_status_of_item(info, answer) for info, answer in zip(infos, answers, strict=True)]
    )


def _what_no_item_may_break(infos: tuple[MultiSmsInfo, ...]) -> Refusal | Fault | None:
    if not infos:
        return Fault(errors.MULTI_SET_EMPTY)
    if len(infos) > MOST_RECIPIENTS_PER_CALL:
        return Refusal(Reason.TOO_MANY_RECIPIENTS, f"at most {MOST_RECIPIENTS_PER_CALL}")
    for at, info in enumerate(infos):
        number = read_number(info.phone_number)
        if number is not None and number.domestic:
            return Refusal(Reason.DOMESTIC_NUMBER, f"MultiSmsInfoSet.{at}")
    return None


def _send_call(call: Call, asked: SendMultiGlobalSms, info: MultiSmsInfo, key: str) -> SendCall:
    return SendCall(
        account_id=call.dossier.account.id,
        secret_id=call.secret_id,
        sdk_app_id=asked.sms_sdk_app_id,
        template_id=info.template_id,
        signature="",
        numbers=(info.phone_number,),
        values=info.template_param_set,
        session_context=info.session_context,
        sender_id=info.sender_id,
        key=key,
    )


def _key_of(call: Call) -> str | Fault:
    if call.key is None:
        return ""
    return call.key.decode("ascii") if _KEY.fullmatch(call.key) else Fault(errors.INVALID_KEY)


def _key_of_item(key: str, at: int) -> str:
    """No caller can write this key: a space is none of a key's characters."""
    return f"{key} {at}" if key else ""


def _status_of_item(info: MultiSmsInfo, answer: list[RecipientOutcome] | Refusal) -> SendStatus:
    number = read_number(info.phone_number)
    iso = number.iso if number else ""
    if isinstance(answer, Refusal):
        e164 = number.e164 if number else info.phone_number
        outcome = RecipientOutcome(number=e164, iso=iso, serial_no="", segments=0, refusal=answer)
    else:
        [outcome] = answer
    status = _status(outcome, info.session_context, "SendMultiGlobalSms")
    # Unlike SendSms, this one names the country of what it refuses.
    status.iso_code = iso
    return status


def _status(outcome: RecipientOutcome, session_context: str, action: str) -> SendStatus:
    code, message = "Ok", "send success"
    if outcome.refusal is not None:
        # Whatever language was asked for: the reference writes these in English, and programs read them.
        fault = fault_of(outcome.refusal, action)
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
