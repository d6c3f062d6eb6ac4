"""What the SMSC for testing says to its clients: receipts in every dialect, and what recipients reply."""

import time
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from cleartosend.carriers.smpp.pdu import (
    ESM_INTERMEDIATE,
    ESM_USER_DATA_HEADER,
    Command,
    DataMessage,
    ShortMessage,
    Tag,
    encode_body,
    encode_short_message,
)
from cleartosend.carriers.smpp.profile import Profile
from cleartosend.carriers.smpp.text import take_apart, write
from cleartosend.testing.smsc.behaviour import Behaviour, Unfit

DELIVERED = "DELIVRD"
# SMPP 3.4, 5.2.28, as the octet that message_state has. A word that is none of these is told as undeliverable.
_STATES = {
    "ENROUTE": 1,
    DELIVERED: 2,
    "EXPIRED": 3,
    "DELETED": 4,
    "UNDELIV": 5,
    "ACCEPTD": 6,
    "UNKNOWN": 7,
    "REJECTD": 8,
}
_NOT_THE_END = ("ENROUTE", "ACCEPTD")
_NETWORK_GSM = 3
"""Of network_error_code (SMPP 3.4, 5.3.2.31)."""
_EXCERPT_OCTETS = 20
_MOST_OCTETS = 254
PROFILE = Profile()
"""As texts are read and written where nobody says otherwise."""


class Report(msgspec.Struct, frozen=True, gc=False):
    """That something is to be said of a message that was taken."""

    id: int
    message: ShortMessage
    taken_at: float
    behaviour: Behaviour
    stat: str = DELIVERED
    err: str = ""


def is_asked_for(message: ShortMessage, behaviour: Behaviour, stat: str) -> bool:
    """Whether there is a receipt that says so (SMPP 3.4, 5.2.17: bits 1 and 0 of registered_delivery)."""
    if behaviour.receipts != "asked":
        return behaviour.receipts == "all"
    asked = message.registered_delivery & 0b11
    return asked not in {0, 0b10} or (asked == 0b10 and stat != DELIVERED)


def part_of(message: ShortMessage) -> tuple[int, int]:
    """
    Which part of how many a message is.

    >>> part_of(ShortMessage(esm_class=0x40, short_message=bytes([5, 0, 3, 7, 2, 1]) + b"text"))
    (1, 2)
    """
    place, _ = take_apart(message.esm_class, message.data_coding, message.short_message, message.tlvs)
    return (place.number, place.of) if place else (1, 1)


def receipt(report: Report, now: float) -> tuple[int, bytes]:
    """A receipt as the dialect writes it: its command and its body."""
    behaviour = report.behaviour
    carrier_id = behaviour.id_in_receipt.format(id=report.id)
    text = _text(report, carrier_id, now) if behaviour.receipt_text else b""
    tlvs = _tlvs(report, carrier_id) if behaviour.receipt_tlvs else []
    esm_class = behaviour.receipt_esm_class
    if report.stat in _NOT_THE_END and esm_class:
        esm_class = ESM_INTERMEDIATE
    message = report.message
    if behaviour.receipt_in == "short_message":
        return Command.DELIVER_SM, encode_short_message(
            ShortMessage(
                source_addr_ton=message.dest_addr_ton,
                source_addr_npi=message.dest_addr_npi,
                source_addr=message.destination_addr,
                dest_addr_ton=message.source_addr_ton,
                dest_addr_npi=message.source_addr_npi,
                destination_addr=message.source_addr,
                esm_class=esm_class,
                short_message=text[:_MOST_OCTETS],
                tlvs=tuple(tlvs),
            )
        )
    if text:
        tlvs.append((Tag.MESSAGE_PAYLOAD, text))
    in_data = behaviour.receipt_in == "data_sm"
    body = (DataMessage if in_data else ShortMessage)(
        source_addr_ton=message.dest_addr_ton,
        source_addr_npi=message.dest_addr_npi,
        source_addr=message.destination_addr,
        dest_addr_ton=message.source_addr_ton,
        dest_addr_npi=message.source_addr_npi,
        destination_addr=message.source_addr,
        esm_class=esm_class,
        tlvs=tuple(tlvs),
    )
    return Command.DATA_SM if in_data else Command.DELIVER_SM, encode_body(body)


def _text(report: Report, carrier_id: str, now: float) -> bytes:
    written = report.behaviour.receipt_text.format(
        id=carrier_id,
        dlvrd="001" if report.stat == DELIVERED else "000",
        submitted=_date(int(report.taken_at), report.behaviour.dates),
        done=_date(int(now), report.behaviour.dates),
        stat=report.stat,
        err=report.err or "000",
        text=_excerpt(report.message),
    )
    return written.encode("latin-1", "replace")


def _excerpt(message: ShortMessage) -> str:
    octets = message.short_message
    if message.esm_class & ESM_USER_DATA_HEADER and octets:
        octets = octets[octets[0] + 1 :]
    return octets[:_EXCERPT_OCTETS].decode("latin-1")


def _tlvs(report: Report, carrier_id: str) -> list[tuple[int, bytes]]:
    tlvs: list[tuple[int, bytes]] = [
        (Tag.RECEIPTED_MESSAGE_ID, carrier_id.encode("latin-1") + b"\0"),
        (Tag.MESSAGE_STATE, bytes([_STATES.get(report.stat, _STATES["UNDELIV"])])),
    ]
    if digits := "".join(filter(str.isdigit, report.err)):
        tlvs.append((Tag.NETWORK_ERROR_CODE, bytes([_NETWORK_GSM]) + (int(digits) & 0xFFFF).to_bytes(2)))
    return tlvs


@lru_cache(maxsize=1000)
def _date(second: int, form: str) -> str:
    return time.strftime(form, time.gmtime(second))


def replies(text: str, *, number: str, to: str, reference: int) -> Iterator[bytes]:
    """The deliver_sm that a recipient's text comes as: its body, or those of its parts."""
    written = write(text, PROFILE, international=True, reference=reference)
    if written is None:
        raise Unfit("the text is too long")
    for part in written.parts:
        yield encode_short_message(
            ShortMessage(
                source_addr_ton=1,
                source_addr_npi=1,
                source_addr=number,
                destination_addr=to,
                esm_class=written.esm_class,
                data_coding=written.data_coding,
                short_message=part.short_message,
                tlvs=part.tlvs,
            )
        )
