"""DescribeSendRecordList: every message to a number, refused ones too, with as much of its text as may be shown."""

from sqlalchemy import Connection

from cleartosend.api.tencent.actions.by_number import number_and_period
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.actions.paging import limit_is_wrong, offset_is_wrong
from cleartosend.api.tencent.errors import Fault, fault_of
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.masks import masked_text
from cleartosend.model.messages import MessageState, serial_no
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.store import records
from cleartosend.store.records import SendRecord

DAYS_BACK = 3
MOST_PER_PAGE = 50
USUAL_PER_PAGE = 20
MOST_RECORDS = 1000

REFUSED, DELIVERED, SENDING, FAILED = 1, 2, 3, 4
STATUSES = {
    MessageState.REFUSED: REFUSED,
    MessageState.ACCEPTED: SENDING,
    MessageState.SUBMITTED: SENDING,
    MessageState.DELIVERED: DELIVERED,
    MessageState.FAILED: FAILED,
    MessageState.EXPIRED: FAILED,
    MessageState.UNKNOWN: FAILED,
}


class DescribeSendRecordList(Parameters):
    phone_number: str
    sms_sdk_app_id: str
    begin_time: int
    end_time: int | None = None
    limit: int = USUAL_PER_PAGE
    offset: int = 0


class DescribedRecord(Answer):
    phone_number: str
    serial_no: str
    send_status: int
    request_code: str
    status_code: str
    iso_code: str
    content: str
    send_time: int
    user_receive_time: int


class DescribeSendRecordListAnswer(Answer):
    send_record_set: list[DescribedRecord]
    total_count: int


async def describe_send_record_list(
    call: Call, asked: DescribeSendRecordList
) -> DescribeSendRecordListAnswer | Refusal | Fault:
    if fault := limit_is_wrong(asked.limit, MOST_PER_PAGE, least=1) or offset_is_wrong(asked.offset, MOST_RECORDS):
        return fault
    meant = await number_and_period(
        call,
        phone_number=asked.phone_number,
        sms_sdk_app_id=asked.sms_sdk_app_id,
        begin_time=asked.begin_time,
        end_time=asked.end_time,
        days_back=DAYS_BACK,
    )
    if isinstance(meant, (Fault, Refusal)):
        return meant
    number, period = meant
    # Those beyond the last that may be seen are not seen on the last page either.
    limit = min(asked.limit, MOST_RECORDS - asked.offset)

    def question(tx: Connection) -> tuple[list[SendRecord], int]:
        app, since, until = asked.sms_sdk_app_id, period.since, period.until
        found = records.to_number(tx, app, number.e164, since=since, until=until, limit=limit, offset=asked.offset)
        return found, records.count_to_number(tx, app, number.e164, since=since, until=until, most=MOST_RECORDS)

    found, count = await call.rooms.engine.read(question)
    return DescribeSendRecordListAnswer(send_record_set=[_described(record) for record in found], total_count=count)


def _described(record: SendRecord) -> DescribedRecord:
    refused = record.state is MessageState.REFUSED
    status = STATUSES[record.state]
    return DescribedRecord(
        phone_number=record.number,
        serial_no="" if refused else serial_no(record.id, international=record.international),
        send_status=status,
        request_code=fault_of(Refusal(Reason(record.reason)), "SendSms").code if refused else "Ok",
        status_code=record.code if status in {DELIVERED, FAILED} else "",
        iso_code=record.iso,
        content=masked_text(record.text, record.spans),
        send_time=int(record.accepted_at),
        user_receive_time=int(record.ended_at or 0) if status == DELIVERED else 0,
    )
