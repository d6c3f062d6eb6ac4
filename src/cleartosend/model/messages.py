"""What is sent: calls, recipients and messages, the states a message passes through and the moves between them."""

from enum import IntEnum, StrEnum
from uuid import UUID

import msgspec

from cleartosend.model.reasons import Refusal
from cleartosend.model.verdicts import MessageType


class MessageState(StrEnum):
    """Where a message stands. Accepted is not handed over, and handed over is not delivered."""

    REFUSED = "refused"
    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class MessageMove(StrEnum):
    """What can happen to a message. Each move is made by the function named beside it in MESSAGE_MOVES."""

    REFUSE = "refuse"
    ACCEPT = "accept"
    SUBMIT = "submit"
    FAIL = "fail"
    STOP = "stop"
    WITHHOLD = "withhold"
    SETTLE = "settle"
    EXPIRE = "expire"
    LOSE = "lose"


_WAITING = frozenset({MessageState.ACCEPTED})
_HANDED_OVER = frozenset({MessageState.SUBMITTED})
_ENDS = frozenset({MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN})

# move: (states it may start from, states it may end in, the function that makes it)
#
#   refuse ─► refused
#   accept ─► accepted ─ submit ─► submitted ─ settle ─► delivered | failed | expired | unknown
#                │ fail, stop, withhold ─► failed
#                │                       │ lose ─► unknown ─ settle (a late receipt) ─► delivered | failed
#                │ expire ─► expired
#                └ lose ─► unknown (at most once, and the process died between claim and answer)
MESSAGE_MOVES: dict[MessageMove, tuple[frozenset[MessageState], frozenset[MessageState], str]] = {
    MessageMove.REFUSE: (frozenset(), frozenset({MessageState.REFUSED}), "admission.accept.Admission.record"),
    MessageMove.ACCEPT: (frozenset(), _WAITING, "admission.accept.Admission.record"),
    MessageMove.SUBMIT: (_WAITING, _HANDED_OVER, "carriers.dispatch.submit"),
    MessageMove.FAIL: (_WAITING, frozenset({MessageState.FAILED}), "carriers.dispatch.fail"),
    MessageMove.STOP: (_WAITING, frozenset({MessageState.FAILED}), "carriers.dispatch.stop"),
    MessageMove.WITHHOLD: (_WAITING, frozenset({MessageState.FAILED}), "carriers.dispatch.withhold"),
    MessageMove.SETTLE: (_HANDED_OVER | {MessageState.UNKNOWN}, _ENDS, "delivery.receipts.settle"),
    MessageMove.EXPIRE: (_WAITING, frozenset({MessageState.EXPIRED}), "carriers.dispatch.expire"),
    MessageMove.LOSE: (_WAITING | _HANDED_OVER, frozenset({MessageState.UNKNOWN}), "delivery.deadlines.lose"),
}


class Party(StrEnum):
    """Who a message failed at, as far as the code that came back proves."""

    NOBODY = ""
    YOU = "you"
    US = "us"
    CARRIER = "carrier"
    PHONE = "phone"


class Lane(IntEnum):
    """Queues that do not wait for each other, most urgent first."""

    VERIFICATION = 0
    NOTIFICATION = 1
    MARKETING = 2


LANES = {
    MessageType.VERIFICATION: Lane.VERIFICATION,
    MessageType.NOTIFICATION: Lane.NOTIFICATION,
    MessageType.MARKETING: Lane.MARKETING,
}

MOST_RECIPIENTS_PER_CALL = 200
MOST_CHARACTERS_PER_MESSAGE = 500
"""Signature, fixed text and values together."""


class SendCall(msgspec.Struct, frozen=True, kw_only=True):
    """One request to send, as every dialect puts it."""

    account_id: int
    secret_id: str
    sdk_app_id: str
    template_id: str
    """As written by the caller; it may not be a number."""
    signature: str
    numbers: tuple[str, ...]
    values: tuple[str, ...] = ()
    session_context: str = ""
    extension_code: str = ""
    sender_id: str = ""
    key: str = ""
    """Names the call, so that it is answered once however often it is made; empty: it has no name."""
    confirms: bool = False
    """Whether it tells somebody that they opted out or in: the platform itself sends that, whatever they asked for."""


class RecipientOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one number of a call: a serial number, or a refusal."""

    number: str
    """E.164 where it could be read, else as written."""
    iso: str
    serial_no: str
    segments: int
    refusal: Refusal | None


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """A message on its way to a carrier."""

    message_id: int
    account_id: int
    number: str
    text: str
    """With the signature in its brackets."""
    signature: str
    international: bool
    type: MessageType
    extension_code: str
    sender_id: str
    template_id: str
    spans: str
    """Where the values stand in the text, as JSON: `[[start, end], ...]`."""
    at_most_once: bool
    """Whether it is left alone when nobody knows whether it went out."""
    attempts: int
    deadline_at: float
    in_doubt: bool = False
    """Whether it may have gone out already: somebody was asked to take it, and what became of that is not known."""
    opted_out: bool = False
    """Whether its recipient has asked, since it was accepted, not to be reached with it."""
    recalled: bool = False
    """Whether its template has lost its approval since it was accepted."""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a message leaves the state it waits in."""

    message_id: int
    state: MessageState
    code: str
    party: Party
    at: float


class ReceiptStatus(StrEnum):
    """What a carrier's receipt says, in the words of SMPP 3.4, 5.2.28."""

    DELIVERED = "DELIVRD"
    EXPIRED = "EXPIRED"
    UNDELIVERABLE = "UNDELIV"
    REJECTED = "REJECTD"
    DELETED = "DELETED"
    UNKNOWN = "UNKNOWN"
    # On its way: these end nothing.
    ENROUTE = "ENROUTE"
    ACCEPTED = "ACCEPTD"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier's word on what became of a message."""

    carrier: str
    carrier_id: str
    status: ReceiptStatus
    code: str
    """As the carrier wrote it, such as `DELIVRD` or `MK:0017`."""
    at: float
    """When it says that happened; where it does not say, when it said so."""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipient wrote back."""

    carrier: str
    number: str
    text: str
    extension_code: str
    at: float


# A message's number: milliseconds since 2025, the node, a sequence; 62 bits in all.
EPOCH_MILLISECONDS = 1_735_689_600_000
NODE_BITS = 5
SEQUENCE_BITS = 16


def accepted_at(message_id: int) -> float:
    """
    When a message was numbered, in Unix seconds: its number tells.

    >>> accepted_at(0)
    1735689600.0
    """
    return ((message_id >> (NODE_BITS + SEQUENCE_BITS)) + EPOCH_MILLISECONDS) / 1000


def least_id_at(at: float) -> int:
    """
    No message that was accepted at the time given, or later, has a lower number.

    >>> accepted_at(least_id_at(1772424000.0))
    1772424000.0
    """
    return (int(at * 1000) - EPOCH_MILLISECONDS) << (NODE_BITS + SEQUENCE_BITS)


def serial_no(message_id: int, *, international: bool) -> str:
    """
    The message's number on the wire: digits and a colon at home, a uuid abroad.

    >>> serial_no(7, international=False)
    '5000:1000000000000000000000000007'
    >>> message_id_of(serial_no(7, international=True))
    7
    """
    if international:
        return str(UUID(int=_UUID_FIXED_BITS | message_id))
    return f"5000:1{message_id:0{_DIGITS}d}"


def message_id_of(serial: str) -> int | None:
    """The message a serial number belongs to; None when it is not one of ours."""
    digits = serial.removeprefix("5000:1")
    if digits != serial:
        is_ours = len(digits) == _DIGITS and digits.isascii() and digits.isdigit() and int(digits) <= _UUID_NUMBER_BITS
        return int(digits) if is_ours else None
    try:
        number = UUID(serial).int
    except ValueError:
        return None
    return number ^ _UUID_FIXED_BITS if number & ~_UUID_NUMBER_BITS == _UUID_FIXED_BITS else None


# RFC 9562, 5.8: version 8 in bits 48-51, variant 10 in bits 64-65; the other 122 bits are ours. A message id has 63:
# its top bit falls under the variant, so ids keep below 2**62.
_UUID_FIXED_BITS = (8 << 76) | (2 << 62)
_UUID_NUMBER_BITS = (1 << 62) - 1
_DIGITS = 27
