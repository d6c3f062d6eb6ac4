"""ReportConversion: a recipient is said to have used the code that a message brought."""

import msgspec

from cleartosend.api.tencent.actions.apps import app_is_not_the_callers
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.messages import message_id_of
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.store import conversions


class ReportConversion(Parameters):
    sms_sdk_app_id: str
    serial_no: str
    conversion_time: int = 0


class ConversionStatus(Answer):
    code: str = "OK"
    message: str = "success"


class ReportConversionAnswer(Answer):
    report_conversion_status: ConversionStatus = msgspec.field(default_factory=ConversionStatus)


async def report_conversion(call: Call, asked: ReportConversion) -> ReportConversionAnswer | Refusal:
    if refusal := await app_is_not_the_callers(call, asked.sms_sdk_app_id):
        return refusal
    message_id = message_id_of(asked.serial_no)
    now = call.rooms.clock()
    # A time that has not come yet is a client's clock, or its milliseconds.
    at = float(asked.conversion_time) if 0 < asked.conversion_time <= now else now
    account_id = call.dossier.account.id
    if message_id is None or not await call.rooms.engine.write(
        lambda tx: conversions.keep(
            tx, message_id=message_id, account_id=account_id, sdk_app_id=asked.sms_sdk_app_id, at=at
        )
    ):
        return Refusal(Reason.MESSAGE_NOT_FOUND)
    return ReportConversionAnswer()
