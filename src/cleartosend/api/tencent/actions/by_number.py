"""What is asked about one number: whose, of which app, and of what time."""

from cleartosend.admission.numbers import PhoneNumber, read_number
from cleartosend.api.tencent.actions.apps import app_is_not_the_callers
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.times import Period, read_period
from cleartosend.api.tencent.errors import Fault
from cleartosend.model.reasons import Reason, Refusal


async def number_and_period(
    call: Call, *, phone_number: str, sms_sdk_app_id: str, begin_time: int, end_time: int | None, days_back: int
) -> tuple[PhoneNumber, Period] | Refusal | Fault:
    """Read whom and what time is meant, or say why it cannot be asked about."""
    period = read_period(begin_time, end_time, now=call.rooms.clock(), days_back=days_back)
    if isinstance(period, Fault):
        return period
    number = read_number(phone_number)
    if number is None:
        return Refusal(Reason.NUMBER_MALFORMED)
    return await app_is_not_the_callers(call, sms_sdk_app_id) or (number, period)
