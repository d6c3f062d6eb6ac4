"""
What stands on the wire between two speakers of SMPP 3.4: PDUs, written and read.

Citations in brackets are sections of "Short Message Peer to Peer Protocol Specification v3.4", issue 1.2.

>>> written = encode(Command.SUBMIT_SM, ShortMessage(destination_addr="8613800138000", short_message=b"hi"), sequence=7)
>>> [(command, status, sequence, body)] = Framer().feed(written)
>>> decode(command, body).destination_addr
'8613800138000'
"""

import functools
from enum import IntEnum
from struct import Struct as Layout
from typing import Annotated, TypeVar, get_args, get_origin, get_type_hints

import msgspec

HEADER_OCTETS = 16
MOST_OCTETS = 65_536
"""Of one PDU, unless its reader says otherwise: a message_payload of 64 kB does not fit, no carrier sends one."""
MOST_MESSAGE_OCTETS = 254
"""[5.2.22] Of a short_message; what is longer goes as message_payload."""
RESPONSE = 0x8000_0000
"""[3.2.2] The bit that makes a request's command_id that of its response."""


class Command(IntEnum):
    """[5.1.2.1] The commands of the standard."""

    GENERIC_NACK = 0x8000_0000
    BIND_RECEIVER = 0x0000_0001
    BIND_RECEIVER_RESP = 0x8000_0001
    BIND_TRANSMITTER = 0x0000_0002
    BIND_TRANSMITTER_RESP = 0x8000_0002
    QUERY_SM = 0x0000_0003
    QUERY_SM_RESP = 0x8000_0003
    SUBMIT_SM = 0x0000_0004
    SUBMIT_SM_RESP = 0x8000_0004
    DELIVER_SM = 0x0000_0005
    DELIVER_SM_RESP = 0x8000_0005
    UNBIND = 0x0000_0006
    UNBIND_RESP = 0x8000_0006
    REPLACE_SM = 0x0000_0007
    REPLACE_SM_RESP = 0x8000_0007
    CANCEL_SM = 0x0000_0008
    CANCEL_SM_RESP = 0x8000_0008
    BIND_TRANSCEIVER = 0x0000_0009
    BIND_TRANSCEIVER_RESP = 0x8000_0009
    OUTBIND = 0x0000_000B
    ENQUIRE_LINK = 0x0000_0015
    ENQUIRE_LINK_RESP = 0x8000_0015
    SUBMIT_MULTI = 0x0000_0021
    SUBMIT_MULTI_RESP = 0x8000_0021
    ALERT_NOTIFICATION = 0x0000_0102
    DATA_SM = 0x0000_0103
    DATA_SM_RESP = 0x8000_0103


class Status(IntEnum):
    """[5.1.3] The statuses of the standard. Vendors have their own from 0x400 on, which stay plain numbers."""

    ESME_ROK = 0x00
    ESME_RINVMSGLEN = 0x01
    ESME_RINVCMDLEN = 0x02
    ESME_RINVCMDID = 0x03
    ESME_RINVBNDSTS = 0x04
    ESME_RALYBND = 0x05
    ESME_RINVPRTFLG = 0x06
    ESME_RINVREGDLVFLG = 0x07
    ESME_RSYSERR = 0x08
    ESME_RINVSRCADR = 0x0A
    ESME_RINVDSTADR = 0x0B
    ESME_RINVMSGID = 0x0C
    ESME_RBINDFAIL = 0x0D
    ESME_RINVPASWD = 0x0E
    ESME_RINVSYSID = 0x0F
    ESME_RCANCELFAIL = 0x11
    ESME_RREPLACEFAIL = 0x13
    ESME_RMSGQFUL = 0x14
    ESME_RINVSERTYP = 0x15
    ESME_RINVNUMDESTS = 0x33
    ESME_RINVDLNAME = 0x34
    ESME_RINVDESTFLAG = 0x40
    ESME_RINVSUBREP = 0x42
    ESME_RINVESMCLASS = 0x43
    ESME_RCNTSUBDL = 0x44
    ESME_RSUBMITFAIL = 0x45
    ESME_RINVSRCTON = 0x48
    ESME_RINVSRCNPI = 0x49
    ESME_RINVDSTTON = 0x50
    ESME_RINVDSTNPI = 0x51
    ESME_RINVSYSTYP = 0x53
    ESME_RINVREPFLAG = 0x54
    ESME_RINVNUMMSGS = 0x55
    ESME_RTHROTTLED = 0x58
    ESME_RINVSCHED = 0x61
    ESME_RINVEXPIRY = 0x62
    ESME_RINVDFTMSGID = 0x63
    ESME_RX_T_APPN = 0x64
    ESME_RX_P_APPN = 0x65
    ESME_RX_R_APPN = 0x66
    ESME_RQUERYFAIL = 0x67
    ESME_RINVOPTPARSTREAM = 0xC0
    ESME_ROPTPARNOTALLWD = 0xC1
    ESME_RINVPARLEN = 0xC2
    ESME_RMISSINGOPTPARAM = 0xC3
    ESME_RINVOPTPARAMVAL = 0xC4
    ESME_RDELIVERYFAILURE = 0xFE
    ESME_RUNKNOWNERR = 0xFF


class Tag(IntEnum):
    """[5.3.2] The optional parameters of the standard. Vendors have their own from 0x1400 on."""

    DEST_ADDR_SUBUNIT = 0x0005
    DEST_NETWORK_TYPE = 0x0006
    DEST_BEARER_TYPE = 0x0007
    DEST_TELEMATICS_ID = 0x0008
    SOURCE_ADDR_SUBUNIT = 0x000D
    SOURCE_NETWORK_TYPE = 0x000E
    SOURCE_BEARER_TYPE = 0x000F
    SOURCE_TELEMATICS_ID = 0x0010
    QOS_TIME_TO_LIVE = 0x0017
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    MS_MSG_WAIT_FACILITIES = 0x0030
    PRIVACY_INDICATOR = 0x0201
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    USER_MESSAGE_REFERENCE = 0x0204
    USER_RESPONSE_CODE = 0x0205
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    CALLBACK_NUM_PRES_IND = 0x0302
    CALLBACK_NUM_ATAG = 0x0303
    NUMBER_OF_MESSAGES = 0x0304
    CALLBACK_NUM = 0x0381
    DPF_RESULT = 0x0420
    SET_DPF = 0x0421
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    USSD_SERVICE_OP = 0x0501
    DISPLAY_TIME = 0x1201
    SMS_SIGNAL = 0x1203
    MS_VALIDITY = 0x1204
    ALERT_ON_MESSAGE_DELIVERY = 0x130C
    ITS_REPLY_TYPE = 0x1380
    ITS_SESSION_INFO = 0x1383


# [5.2.12] esm_class: bits 5-2 say what a message is, bit 6 that it begins with a user data header.
ESM_MESSAGE_TYPE = 0b0011_1100
ESM_RECEIPT = 0b0000_0100
ESM_DELIVERY_ACKNOWLEDGEMENT = 0b0000_1000
ESM_USER_ACKNOWLEDGEMENT = 0b0001_0000
ESM_CONVERSATION_ABORT = 0b0001_1000
ESM_INTERMEDIATE = 0b0010_0000
ESM_USER_DATA_HEADER = 0b0100_0000


def name_of_status(status: int) -> str:
    """
    How a status is written in logs and codes.

    >>> name_of_status(0x58), name_of_status(0x400)
    ('ESME_RTHROTTLED', '0x00000400')
    """
    return _STATUS_NAMES.get(status) or f"0x{status:08X}"


_STATUS_NAMES = {status.value: status.name for status in Status}


class Malformed(Exception):
    """A PDU whose frame is sound and whose body is not: it is answered with `status`, and the session goes on."""

    def __init__(self, status: Status, what: str) -> None:
        super().__init__(f"{status.name}: {what}")
        self.status = status


class Unwritable(Exception):
    """A value does not fit in the field it was meant for; `field` names it."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} does not fit its field")
        self.field = field


# --- bodies ---

Tlvs = tuple[tuple[int, bytes], ...]
"""Optional parameters in their order, tag and value; tags may come more than once, and none is lost."""


class Text(msgspec.Struct, frozen=True):
    """A C-octet string [3.1]: how long it may be with its NUL, and what to answer when it is longer."""

    most_octets: int
    fault: Status


_ServiceType = Annotated[str, Text(6, Status.ESME_RINVSERTYP)]
_Source = Annotated[str, Text(21, Status.ESME_RINVSRCADR)]
_Destination = Annotated[str, Text(21, Status.ESME_RINVDSTADR)]
_LongSource = Annotated[str, Text(65, Status.ESME_RINVSRCADR)]
_LongDestination = Annotated[str, Text(65, Status.ESME_RINVDSTADR)]
_Schedule = Annotated[str, Text(17, Status.ESME_RINVSCHED)]
_Validity = Annotated[str, Text(17, Status.ESME_RINVEXPIRY)]
# [5.2.23] gives a message id 65 octets. Carriers with longer ones exist, and an id is worth more than a rule.
_MessageId = Annotated[str, Text(256, Status.ESME_RINVMSGID)]
# [4.1] gives a system id 16 octets and a password 9. Longer ones are handed out, and then they are checked.
_SystemId = Annotated[str, Text(65, Status.ESME_RINVSYSID)]
_Password = Annotated[str, Text(65, Status.ESME_RINVPASWD)]


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """
    The fields of a PDU in the order of the wire: str is a C-octet string, int is one octet.

    `short_message` stands behind an octet that tells its length. What follows the last field is optional parameters,
    which are read whether the standard has a place for them or not.
    """

    tlvs: Tlvs = ()


class Bind(Body, frozen=True, kw_only=True):
    """[4.1.1, 4.1.3, 4.1.5] bind_transmitter, bind_receiver, bind_transceiver."""

    system_id: _SystemId = ""
    password: _Password = ""
    system_type: Annotated[str, Text(13, Status.ESME_RINVSYSTYP)] = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: Annotated[str, Text(41, Status.ESME_RINVSRCADR)] = ""

    # What an exception or a log shows of it must not be the password.
    def __repr__(self) -> str:
        return f"Bind(system_id={self.system_id!r}, system_type={self.system_type!r})"


class BindResp(Body, frozen=True, kw_only=True):
    """[4.1.2, 4.1.4, 4.1.6] The answers to those."""

    system_id: _SystemId = ""


class Outbind(Body, frozen=True, kw_only=True):
    """[4.1.7] outbind: the SMSC asks to be bound to."""

    system_id: _SystemId = ""
    password: _Password = ""

    def __repr__(self) -> str:
        return f"Outbind(system_id={self.system_id!r})"


class ShortMessage(Body, frozen=True, kw_only=True):
    """[4.4.1, 4.6.1] submit_sm and deliver_sm, which have the same fields."""

    service_type: _ServiceType = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: _Source = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: _Destination = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: _Schedule = ""
    validity_period: _Validity = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class DataMessage(Body, frozen=True, kw_only=True):
    """[4.7.1] data_sm."""

    service_type: _ServiceType = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: _LongSource = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: _LongDestination = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0


class MessageResp(Body, frozen=True, kw_only=True):
    """[4.4.2, 4.6.2, 4.7.2] submit_sm_resp, deliver_sm_resp, data_sm_resp. Refusals often have no body at all."""

    message_id: _MessageId = ""


class Query(Body, frozen=True, kw_only=True):
    """[4.8.1] query_sm."""

    message_id: _MessageId = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: _Source = ""


class QueryResp(Body, frozen=True, kw_only=True):
    """[4.8.2] query_sm_resp."""

    message_id: _MessageId = ""
    final_date: _Schedule = ""
    message_state: int = 0
    error_code: int = 0


class Cancel(Body, frozen=True, kw_only=True):
    """[4.9.1] cancel_sm."""

    service_type: _ServiceType = ""
    message_id: _MessageId = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: _Source = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: _Destination = ""


class Replace(Body, frozen=True, kw_only=True):
    """[4.10.1] replace_sm."""

    message_id: _MessageId = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: _Source = ""
    schedule_delivery_time: _Schedule = ""
    validity_period: _Validity = ""
    registered_delivery: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""


class Alert(Body, frozen=True, kw_only=True):
    """[4.12.1] alert_notification."""

    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: _LongSource = ""
    esme_addr_ton: int = 0
    esme_addr_npi: int = 0
    esme_addr: _LongDestination = ""


class Empty(Body, frozen=True, kw_only=True):
    """[4.2, 4.3, 4.11] unbind, enquire_link, generic_nack and the answers that say nothing but their status."""


BODIES: dict[int, type[Body]] = {
    Command.BIND_RECEIVER: Bind,
    Command.BIND_TRANSMITTER: Bind,
    Command.BIND_TRANSCEIVER: Bind,
    Command.BIND_RECEIVER_RESP: BindResp,
    Command.BIND_TRANSMITTER_RESP: BindResp,
    Command.BIND_TRANSCEIVER_RESP: BindResp,
    Command.OUTBIND: Outbind,
    Command.UNBIND: Empty,
    Command.UNBIND_RESP: Empty,
    Command.ENQUIRE_LINK: Empty,
    Command.ENQUIRE_LINK_RESP: Empty,
    Command.GENERIC_NACK: Empty,
    Command.SUBMIT_SM: ShortMessage,
    Command.SUBMIT_SM_RESP: MessageResp,
    Command.DELIVER_SM: ShortMessage,
    Command.DELIVER_SM_RESP: MessageResp,
    Command.DATA_SM: DataMessage,
    Command.DATA_SM_RESP: MessageResp,
    Command.QUERY_SM: Query,
    Command.QUERY_SM_RESP: QueryResp,
    Command.CANCEL_SM: Cancel,
    Command.CANCEL_SM_RESP: Empty,
    Command.REPLACE_SM: Replace,
    Command.REPLACE_SM_RESP: Empty,
    Command.ALERT_NOTIFICATION: Alert,
}
"""What the commands carry. submit_multi is the one of the standard that is not read: nobody here sends or takes it."""


# --- frames ---

Frame = tuple[int, int, int, bytes]
"""A PDU that is whole: command, status, sequence number, body. A plain tuple, since every message makes two."""

_HEADER = Layout("!IIII")
_pack_header = _HEADER.pack
_unpack_header = _HEADER.unpack_from


def frame(command: int, sequence: int, body: bytes = b"", status: int = 0) -> bytes:
    """A PDU with a body that is written already."""
    return _pack_header(HEADER_OCTETS + len(body), command, status, sequence) + body


class BadLength(msgspec.Struct, frozen=True):
    """A command_length that cannot be: where the next PDU begins is not known, and the session is over [3.2.2]."""

    length: int
    sequence: int
    """Of that PDU, for the generic_nack; 0 where it has not come."""


class Framer:
    """Cuts what is read into PDUs; what is not whole yet is kept for the next time."""

    def __init__(self, most_octets: int = MOST_OCTETS) -> None:
        self._most_octets = most_octets
        self._rest = bytearray()
        self._octets_needed = HEADER_OCTETS
        self.fault: BadLength | None = None
        """Once there is one, nothing more is read."""

    @property
    def waits_for_more(self) -> bool:
        """Whether a PDU has begun and not ended."""
        return bool(self._rest)

    def feed(self, data: bytes) -> list[Frame]:
        """All PDUs that are whole now."""
        if self.fault is not None:
            return []
        rest = self._rest
        if rest:
            rest += data
            if len(rest) < self._octets_needed:
                return []
            data = bytes(rest)
            rest.clear()
        frames: list[Frame] = []
        add = frames.append
        start, end, most = 0, len(data), self._most_octets
        while start + HEADER_OCTETS <= end:
            length, command, status, sequence = _unpack_header(data, start)
            if not HEADER_OCTETS <= length <= most:
                self.fault = BadLength(length, sequence)
                return frames
            stop = start + length
            if stop > end:
                self._octets_needed = length
                rest += data[start:]
                return frames
            add((command, status, sequence, data[start + HEADER_OCTETS : stop]))
            start = stop
        if start < end:
            self._keep_headless(data[start:])
        return frames

    def _keep_headless(self, data: bytes) -> None:
        """A length is four octets long, and a bad one is known as soon as those have come."""
        length = int.from_bytes(data[:4])
        if len(data) >= 4 and not HEADER_OCTETS <= length <= self._most_octets:
            self.fault = BadLength(length, 0)
            return
        self._octets_needed = HEADER_OCTETS if len(data) >= 4 else 4
        self._rest += data


# --- writing ---


def encode(command: int, body: Body, *, sequence: int, status: int = 0) -> bytes:
    """A whole PDU; raises Unwritable."""
    return frame(command, sequence, encode_body(body), status)


def encode_body(body: Body) -> bytes:
    """A body of any kind; raises Unwritable."""
    parts: list[bytes] = []
    for name, text in _layout(type(body)):
        value = getattr(body, name)
        if text is not None:
            parts.append(_written_text(name, value, text))
        elif name == "short_message":
            parts += (_written_octet("sm_length", len(value)), value)
        else:
            parts.append(_written_octet(name, value))
    parts.append(encode_tlvs(body.tlvs))
    return b"".join(parts)


def encode_short_message(message: ShortMessage) -> bytes:
    """What `encode_body` makes of it, at a fifth of the cost."""
    service_type, source, destination = message.service_type, message.source_addr, message.destination_addr
    schedule, validity, text = message.schedule_delivery_time, message.validity_period, message.short_message
    texts = f"{service_type}{source}{destination}{schedule}{validity}"
    if (
        len(service_type) > 5
        or len(source) > 20
        or len(destination) > 20
        or len(schedule) > 16
        or len(validity) > 16
        or not texts.isascii()
        or "\0" in texts
    ):
        return encode_body(message)
    try:
        written = b"%b\0%c%c%b\0%c%c%b\0%c%c%c%b\0%b\0%c%c%c%c%c%b" % (
            service_type.encode(),
            message.source_addr_ton,
            message.source_addr_npi,
            source.encode(),
            message.dest_addr_ton,
            message.dest_addr_npi,
            destination.encode(),
            message.esm_class,
            message.protocol_id,
            message.priority_flag,
            schedule.encode(),
            validity.encode(),
            message.registered_delivery,
            message.replace_if_present_flag,
            message.data_coding,
            message.sm_default_msg_id,
            len(text),
            text,
        )
    except OverflowError:
        return encode_body(message)
    return written + encode_tlvs(message.tlvs) if message.tlvs else written


def encode_tlvs(tlvs: Tlvs) -> bytes:
    """Optional parameters; raises Unwritable."""
    parts: list[bytes] = []
    for tag, value in tlvs:
        if len(value) > 0xFFFF or not 0 <= tag <= 0xFFFF:
            raise Unwritable(f"0x{tag:04X}")
        parts += (tag.to_bytes(2), len(value).to_bytes(2), value)
    return b"".join(parts)


def _written_text(name: str, value: str, text: Text) -> bytes:
    try:
        written = value.encode("latin-1")
    except UnicodeEncodeError as error:
        raise Unwritable(name) from error
    if len(written) >= text.most_octets or 0 in written:
        raise Unwritable(name)
    return written + b"\0"


def _written_octet(name: str, value: int) -> bytes:
    if not 0 <= value <= 0xFF:
        raise Unwritable(name)
    return value.to_bytes(1)


# --- reading ---


def decode(command: int, body: bytes) -> Body:
    """
    The fields of a PDU; raises Malformed.

    Responses are read as far as they go: whoever wrote them cannot be told what is wrong with them.
    """
    kind = BODIES.get(command)
    if kind is None:
        raise Malformed(Status.ESME_RINVCMDID, f"command 0x{command:08X}")
    if kind is ShortMessage:
        return decode_short_message(body)
    if kind is MessageResp:
        return decode_message_resp(body)
    return _read_fields(kind, body, as_far_as_it_goes=command >= RESPONSE)


def decode_short_message(body: bytes) -> ShortMessage:
    """A submit_sm or deliver_sm; raises Malformed."""
    find = body.index
    try:
        service_end = find(0, 0, 6)
        source_end = find(0, service_end + 3, service_end + 24)
        destination_end = find(0, source_end + 3, source_end + 24)
        schedule_end = find(0, destination_end + 4, destination_end + 21)
        validity_end = find(0, schedule_end + 1, schedule_end + 18)
        text_start = validity_end + 6
        text_end = text_start + body[validity_end + 5]
        if text_end > len(body):
            raise IndexError  # noqa: TRY301 - one way out of what is not plain
    except (ValueError, IndexError):
        # What is wrong is found out by the reader that goes field by field.
        return _read_fields(ShortMessage, body)
    texts = body[:validity_end].decode("latin-1")
    return ShortMessage(
        service_type=texts[:service_end],
        source_addr_ton=body[service_end + 1],
        source_addr_npi=body[service_end + 2],
        source_addr=texts[service_end + 3 : source_end],
        dest_addr_ton=body[source_end + 1],
        dest_addr_npi=body[source_end + 2],
        destination_addr=texts[source_end + 3 : destination_end],
        esm_class=body[destination_end + 1],
        protocol_id=body[destination_end + 2],
        priority_flag=body[destination_end + 3],
        schedule_delivery_time=texts[destination_end + 4 : schedule_end],
        validity_period=texts[schedule_end + 1 : validity_end],
        registered_delivery=body[validity_end + 1],
        replace_if_present_flag=body[validity_end + 2],
        data_coding=body[validity_end + 3],
        sm_default_msg_id=body[validity_end + 4],
        short_message=body[text_start:text_end],
        tlvs=() if text_end == len(body) else _read_tlvs(body, text_end),
    )


def decode_message_resp(body: bytes) -> MessageResp:
    """The answer to a message. An id that no NUL ends is taken for one all the same; a refusal may lack it."""
    end = body.find(0)
    if end < 0 or end + 1 == len(body):
        return MessageResp(message_id=(body if end < 0 else body[:end]).decode("latin-1"))
    return MessageResp(message_id=body[:end].decode("latin-1"), tlvs=_read_whole_tlvs(body, end + 1))


def tlv(tlvs: Tlvs, tag: int) -> bytes | None:
    """The value of the first optional parameter with this tag."""
    for its_tag, value in tlvs:
        if its_tag == tag:
            return value
    return None


_B = TypeVar("_B", bound=Body)


def _read_fields(kind: type[_B], body: bytes, *, as_far_as_it_goes: bool = False) -> _B:
    """Field by field, which finds what is wrong with a body that is not plain."""
    fields: dict[str, object] = {}
    at = 0
    try:
        for name, text in _layout(kind):
            if text is not None:
                fields[name], at = _read_text(name, text, body, at)
            elif name == "short_message":
                fields[name], at = _read_counted(body, at)
            else:
                fields[name], at = _read_octet(name, body, at)
        fields["tlvs"] = _read_whole_tlvs(body, at) if as_far_as_it_goes else _read_tlvs(body, at)
    except Malformed:
        if not as_far_as_it_goes:
            raise
    return kind(**fields)  # type: ignore[arg-type]


def _read_text(name: str, text: Text, body: bytes, at: int) -> tuple[str, int]:
    end = body.find(0, at, at + text.most_octets)
    if end < 0:
        if len(body) - at >= text.most_octets:
            raise Malformed(text.fault, f"{name} is too long")
        raise Malformed(Status.ESME_RINVCMDLEN, f"the PDU ends in {name}")
    return body[at:end].decode("latin-1"), end + 1


def _read_counted(body: bytes, at: int) -> tuple[bytes, int]:
    length, start = _read_octet("sm_length", body, at)
    if start + length > len(body):
        raise Malformed(Status.ESME_RINVMSGLEN, f"sm_length is {length}, {len(body) - start} octets follow")
    return body[start : start + length], start + length


def _read_octet(name: str, body: bytes, at: int) -> tuple[int, int]:
    if at >= len(body):
        raise Malformed(Status.ESME_RINVCMDLEN, f"the PDU ends before {name}")
    return body[at], at + 1


def _read_tlvs(body: bytes, at: int) -> Tlvs:
    """[5.3.1] Tag, length, value, to the end of the PDU."""
    read: list[tuple[int, bytes]] = []
    end = len(body)
    while at < end:
        if end - at < 4:
            raise Malformed(Status.ESME_RINVOPTPARSTREAM, f"{end - at} octets where a parameter should begin")
        tag, length = _unpack_tlv(body, at)
        at += 4
        if at + length > end:
            raise Malformed(Status.ESME_RINVOPTPARSTREAM, f"parameter 0x{tag:04X} is longer than its PDU")
        read.append((tag, body[at : at + length]))
        at += length
    return tuple(read)


def _read_whole_tlvs(body: bytes, at: int) -> Tlvs:
    """Those before the first that is broken."""
    read: list[tuple[int, bytes]] = []
    while at + 4 <= len(body):
        tag, length = _unpack_tlv(body, at)
        if at + 4 + length > len(body):
            break
        read.append((tag, body[at + 4 : at + 4 + length]))
        at += 4 + length
    return tuple(read)


_unpack_tlv = Layout("!HH").unpack_from


@functools.cache
def _layout(kind: type[Body]) -> tuple[tuple[str, Text | None], ...]:
    """The mandatory fields of a body in their order, with what a C-octet string may hold."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple(
        (name, get_args(hints[name])[1] if get_origin(hints[name]) is Annotated else None)
        for name in kind.__struct_fields__
        if name != "tlvs"
    )
