"""What a carrier sends us becomes a receipt, or is found to be something else; whatever it is, nothing raises."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import msgspec

from cleartosend.carriers.smpp.pdu import (
    ESM_INTERMEDIATE,
    ESM_MESSAGE_TYPE,
    ESM_RECEIPT,
    DataMessage,
    ShortMessage,
    Tag,
)
from cleartosend.carriers.smpp.profile import Profile
from cleartosend.carriers.smpp.text import take_apart
from cleartosend.model.messages import Receipt, ReceiptStatus

_MOST_CHARACTERS = 1024
_MOST_OF_CODE = 32

# [5.2.28], and 0 and 9 of SMPP 5.0, 4.7.15.
_STATES = {
    0: ReceiptStatus.ENROUTE,
    1: ReceiptStatus.ENROUTE,
    2: ReceiptStatus.DELIVERED,
    3: ReceiptStatus.EXPIRED,
    4: ReceiptStatus.DELETED,
    5: ReceiptStatus.UNDELIVERABLE,
    6: ReceiptStatus.ACCEPTED,
    7: ReceiptStatus.UNKNOWN,
    8: ReceiptStatus.REJECTED,
    9: ReceiptStatus.UNDELIVERABLE,
}
# [Appendix B] has the words of seven letters; the others are what carriers were seen to write for them.
_WORDS = {
    **{status.value: status for status in ReceiptStatus},
    "DELIVERED": ReceiptStatus.DELIVERED,
    "DELIVERD": ReceiptStatus.DELIVERED,
    "UNDELIVRD": ReceiptStatus.UNDELIVERABLE,
    "UNDELIVERED": ReceiptStatus.UNDELIVERABLE,
    "UNDELIVERABLE": ReceiptStatus.UNDELIVERABLE,
    "FAILED": ReceiptStatus.UNDELIVERABLE,
    "REJECTED": ReceiptStatus.REJECTED,
    "ACCEPTED": ReceiptStatus.ACCEPTED,
    "ACKED": ReceiptStatus.ACCEPTED,
    "BUFFERED": ReceiptStatus.ENROUTE,
    "BUFFERD": ReceiptStatus.ENROUTE,
    "BUFFRED": ReceiptStatus.ENROUTE,
}
# [Appendix B] to the letter, as nearly all receipts are: read so, they cost a quarter of what the keys cost.
_PLAIN = re.compile(r"id:(\S+) +sub:\S* +dlvrd:\S* +submit date:\S* +done date:(\S*) +stat:(\S+) +err:(\S*)(?:\s|$)")
# What carriers of the mainland write in place of a word, such as MK:0017.
_CODE = re.compile(r"[A-Z]{2}:[0-9A-Z]{3,4}")
_NOT_OF_CODES = re.compile(r"[^\x21-\x7e]+")
_NO_DIGITS = re.compile(r"[^0-9]+")
# A date further from now than that was read wrongly.
_CREDIBLE_SECONDS = timedelta(days=31).total_seconds()

NumberedAs = Callable[[str, Iterable[str]], str]
"""Makes the id of a message from the id that stands in a receipt and the addresses beside it."""


class Unreadable(msgspec.Struct, frozen=True):
    """What the carrier marks as a receipt, and does not say of which message, or what became of it."""

    because: str


class _Said(msgspec.Struct, frozen=True):
    """What stands in a receipt, as it is written; empty where it is not there."""

    id: str = ""
    word: str = ""
    error: str = ""
    done: str = ""
    of_receipts: bool = False
    """Whether there is more that only receipts have."""


def read_receipt(
    delivered: ShortMessage | DataMessage, *, carrier: str, profile: Profile, id_of: NumberedAs, now: float
) -> Receipt | Unreadable | None:
    """
    Read a receipt; None: it is none, but a reply.

    What is marked as a receipt never counts as a reply, however it is written.
    """
    kind = delivered.esm_class & ESM_MESSAGE_TYPE
    marked = kind in (ESM_RECEIPT, ESM_INTERMEDIATE)
    form = profile.receipts
    if not marked and not form.unmarked:
        return None
    tlvs = dict(delivered.tlvs) if delivered.tlvs and form.source != "text" else {}
    said = _Said() if form.source == "tlvs" else _said(_text_of(delivered), profile)
    state = _STATES.get(tlvs[Tag.MESSAGE_STATE][0]) if tlvs.get(Tag.MESSAGE_STATE) else None
    if not marked and not _looks_like_one(said, tlvs, profile):
        return None
    written_id = tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1").strip() or said.id
    carrier_id = id_of(written_id, (delivered.source_addr, delivered.destination_addr)) if written_id else ""
    if not carrier_id:
        return Unreadable("it has no id")
    status = state or _status_of(said.word, profile)
    if status is None:
        return Unreadable("it has no status")
    if kind == ESM_INTERMEDIATE and status is not ReceiptStatus.DELIVERED:
        # [5.2.17] It tells of an attempt, and more will follow.
        status = ReceiptStatus.ENROUTE
    return Receipt(
        carrier=carrier,
        carrier_id=carrier_id,
        status=status,
        code=_code(status, said, tlvs, profile),
        at=_happened_at(said.done, profile, now),
    )


def _text_of(delivered: ShortMessage | DataMessage) -> str:
    octets = delivered.short_message if isinstance(delivered, ShortMessage) else b""
    _place, piece = take_apart(delivered.esm_class, delivered.data_coding, octets, delivered.tlvs)
    # Receipts are plain Latin letters, in whatever coding; only UCS-2 writes them with a zero before each.
    codec = "utf-16-be" if piece.data.startswith(b"\0") else "latin-1"
    return piece.data[: 2 * _MOST_CHARACTERS].decode(codec, "replace")[:_MOST_CHARACTERS]


def _said(text: str, profile: Profile) -> _Said:
    if profile.pattern is not None:
        found = profile.pattern.search(text)
        if found is None:
            return _Said()
        groups = {name: (value or "").strip() for name, value in found.groupdict().items()}
        return _Said(
            id=groups["id"],
            word=groups["status"],
            error=groups.get("error", ""),
            done=groups.get("done", ""),
            of_receipts=True,
        )
    if plain := _PLAIN.match(text):
        written_id, done, word, error = plain.groups()
        return _Said(id=written_id, word=word, error=error, done=done, of_receipts=True)
    values: dict[str, str] = {}
    key, end = "", 0
    for one in profile.receipt_keys.finditer(text):
        if key:
            values.setdefault(key, text[end : one.start()])
        key, end = profile.key_of[one[1].lower()], one.end()
        if key == "text":
            break
    else:
        if key:
            values.setdefault(key, text[end:])
    return _Said(
        id=_first_word(values.get("id", "")),
        word=_first_word(values.get("status", "")),
        error=_first_word(values.get("error", "")),
        done=values.get("done", "").strip(),
        of_receipts="done" in values or "other" in values,
    )


def _first_word(value: str) -> str:
    words = value.split(maxsplit=1)
    return words[0].rstrip(",;|") if words else ""


def _looks_like_one(said: _Said, tlvs: Mapping[int, bytes], profile: Profile) -> bool:
    if Tag.RECEIPTED_MESSAGE_ID in tlvs and Tag.MESSAGE_STATE in tlvs:
        return True
    return bool(said.id and said.of_receipts and _known_word(said.word, profile))


def _known_word(word: str, profile: Profile) -> ReceiptStatus | None:
    word = word.upper()
    known = profile.words.get(word) or _WORDS.get(word)
    # It stands where the word would, and a message that arrived has the word.
    return ReceiptStatus.UNDELIVERABLE if known is None and _CODE.fullmatch(word) else known


def _status_of(word: str, profile: Profile) -> ReceiptStatus | None:
    """What a word says. One that nobody knows says that the message has come to some end."""
    return _known_word(word, profile) or (ReceiptStatus.UNKNOWN if word else None)


def _code(status: ReceiptStatus, said: _Said, tlvs: Mapping[int, bytes], profile: Profile) -> str:
    """What to call it: our name for its error code, else its error code behind the status, else the status."""
    if status is ReceiptStatus.DELIVERED:
        return status.value
    form = profile.receipts
    error = _NOT_OF_CODES.sub("", said.error)
    # [5.3.2.31] One octet for the kind of network, two for its error.
    if error in form.no_error and len(network_error := tlvs.get(Tag.NETWORK_ERROR_CODE, b"")) == 3:
        error = str(int.from_bytes(network_error[1:]))
    ours = form.errors.get(error) or form.errors.get(error.lstrip("0"))
    if ours is not None:
        return ours
    word = _NOT_OF_CODES.sub("", said.word).upper()
    if _known_word(word, profile) is status and not _CODE.fullmatch(word):
        word = status.value
    if _CODE.fullmatch(word) or error in form.no_error:
        return (word or status.value)[:_MOST_OF_CODE]
    if _CODE.fullmatch(error):
        return error
    return f"{word or status.value}_{error}"[:_MOST_OF_CODE]


# --- when ---


def offset_of(delivered: ShortMessage | DataMessage, profile: Profile, *, now: float) -> str | None:
    """
    Which offset from UTC a receipt's date has if what it tells of has just happened; None: it has no such date.

    For finding out; a receipt that came late would tell another one.
    """
    digits = _NO_DIGITS.sub("", _said(_text_of(delivered), profile).done)
    for at in _readings_of_digits(digits, UTC):
        offset_minutes = round((at - now) / 60)
        quarters = round(offset_minutes / 15)
        if -48 <= quarters <= 56 and -5 <= offset_minutes - 15 * quarters <= 1:
            return f"{'-' if quarters < 0 else '+'}{abs(quarters) // 4:02}:{abs(quarters) % 4 * 15:02}"
    return None


def _happened_at(written: str, profile: Profile, now: float) -> float:
    """The date that the carrier gives, where it can be read and is credible; else now."""
    if not written:
        return now
    readings: list[float] = []
    with suppress(ValueError, OverflowError):
        readings = list(_readings(written, profile))
    credible = [at for at in readings if abs(now - at) <= _CREDIBLE_SECONDS]
    # Clocks differ: what has not happened yet has happened now.
    return min(now, min(credible, key=lambda at: abs(now - at))) if credible else now


def _readings(written: str, profile: Profile) -> Iterator[float]:
    """Each moment that a date can mean; without an offset only those that need none."""
    zone = profile.zone
    if profile.receipts.done_format:
        at = datetime.strptime(written, profile.receipts.done_format)  # noqa: DTZ007 - its zone follows
        if at.tzinfo is not None or zone is not None:
            yield (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
        return
    digits = _NO_DIGITS.sub("", written)
    if len(digits) == 10:
        yield float(digits)
    elif len(digits) == 13:
        yield int(digits) / 1000
    elif len(digits) == 15 and written[-1:] in "+-":
        # [7.1.1] With tenths of a second and its own offset, in quarters of an hour.
        offset = timedelta(minutes=15 * int(digits[13:15]))
        at = _date(digits[:12], year_digits=2).replace(tzinfo=UTC)
        yield (at - offset if written[-1] == "+" else at + offset).timestamp()
    if zone is not None:
        yield from _readings_of_digits(digits, zone)


def _readings_of_digits(digits: str, zone: timezone) -> Iterator[float]:
    """The year of two digits or of four, with seconds or without."""
    for length, year_digits in ((10, 2), (12, 2), (12, 4), (14, 4)):
        if len(digits) == length:
            with suppress(ValueError):
                at = _date(digits, year_digits=year_digits).replace(tzinfo=zone)
                # Without seconds it is some moment of that minute; the last one is not before the message was sent.
                yield at.timestamp() + (59 if length - year_digits == 8 else 0)


def _date(digits: str, *, year_digits: int) -> datetime:
    """Raises ValueError where there is no such date."""
    year = int(digits[:year_digits]) + (2000 if year_digits == 2 else 0)
    rest = digits[year_digits:]
    month, day, hour, minute = (int(rest[place : place + 2]) for place in range(0, 8, 2))
    return datetime(year, month, day, hour, minute, int(rest[8:10] or 0))  # noqa: DTZ001 - the caller knows the zone
