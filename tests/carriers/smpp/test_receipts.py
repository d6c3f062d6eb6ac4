"""Receipts of many dialects, what is none, and whatever else may come."""

import os
import random
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from usual import NOON_IN_BEIJING

from cleartosend.carriers.smpp.ids import Ids
from cleartosend.carriers.smpp.pdu import (
    ESM_DELIVERY_ACKNOWLEDGEMENT,
    ESM_INTERMEDIATE,
    ESM_RECEIPT,
    ESM_USER_DATA_HEADER,
    DataMessage,
    ShortMessage,
    Tag,
)
from cleartosend.carriers.smpp.profile import Profile, Receipts, parse_profile, read_profile, shipped
from cleartosend.carriers.smpp.receipts import NumberedAs, Unreadable, read_receipt
from cleartosend.model.meanings import meaning_of
from cleartosend.model.messages import Receipt, ReceiptStatus

NOW = NOON_IN_BEIJING
USUAL = "id:0870928761 sub:001 dlvrd:001 submit date:2603021158 done date:2603021159 stat:{} err:{} text:您好"
FUZZED = int(os.environ.get("FUZZED", "4000"))
"""How many mutations are read; the full number is 200,000."""


def as_written(written_id: str, _addresses: Iterable[str]) -> str:
    return written_id


def delivered(text: str | bytes = "", *, esm_class: int = ESM_RECEIPT, **differs: Any) -> ShortMessage:
    octets = text if isinstance(text, bytes) else text.encode("utf-8")
    return ShortMessage(
        source_addr="8613800138000",
        destination_addr="10690001",
        esm_class=esm_class,
        short_message=octets,
        **differs,
    )


def read(
    message: ShortMessage | DataMessage, profile: Profile | None = None, *, id_of: NumberedAs = as_written
) -> Receipt | Unreadable | None:
    return read_receipt(message, carrier="first", profile=profile or Profile(), id_of=id_of, now=NOW)


def receipt_in(text: str | bytes, profile: Profile | None = None, **differs: Any) -> Receipt:
    found = read(delivered(text, **differs), profile)
    assert isinstance(found, Receipt), found
    return found


@pytest.mark.parametrize(
    ("word", "error", "status", "code"),
    [
        ("DELIVRD", "000", ReceiptStatus.DELIVERED, "DELIVRD"),
        # A code beside a success says nothing of a failure.
        ("DELIVRD", "001", ReceiptStatus.DELIVERED, "DELIVRD"),
        ("EXPIRED", "000", ReceiptStatus.EXPIRED, "EXPIRED"),
        ("DELETED", "000", ReceiptStatus.DELETED, "DELETED"),
        ("UNDELIV", "034", ReceiptStatus.UNDELIVERABLE, "UNDELIV_034"),
        ("ACCEPTD", "000", ReceiptStatus.ACCEPTED, "ACCEPTD"),
        ("ENROUTE", "000", ReceiptStatus.ENROUTE, "ENROUTE"),
        ("UNKNOWN", "000", ReceiptStatus.UNKNOWN, "UNKNOWN"),
        ("REJECTD", "17", ReceiptStatus.REJECTED, "REJECTD_17"),
        # jookies/jasmin#447: these were taken for texts of people.
        ("FAILED", "255", ReceiptStatus.UNDELIVERABLE, "UNDELIV_255"),
        ("Delivered", "0", ReceiptStatus.DELIVERED, "DELIVRD"),
        ("BUFFRED", "000", ReceiptStatus.ENROUTE, "ENROUTE"),
        # On the mainland a code stands where the word would, or where the error would.
        ("MK:0017", "000", ReceiptStatus.UNDELIVERABLE, "MK:0017"),
        ("ID:0013", "000", ReceiptStatus.UNDELIVERABLE, "ID:0013"),
        ("UNDELIV", "MI:0013", ReceiptStatus.UNDELIVERABLE, "MI:0013"),
        # A word that nobody knows: the message has come to some end, and the code says which.
        ("DNDNumber", "000", ReceiptStatus.UNKNOWN, "DNDNUMBER"),
    ],
)
def test_what_a_receipt_says(word: str, error: str, status: ReceiptStatus, code: str) -> None:
    assert receipt_in(USUAL.format(word, error)) == Receipt(
        carrier="first", carrier_id="0870928761", status=status, code=code, at=NOW
    )


@pytest.mark.parametrize(
    "text",
    [
        "id:7a sub:001 dlvrd:001 submit date:2603021158 done date:2603021159 stat:UNDELIV err:034 text:",
        "id:7a sub:001 dlvrd:001 submit date:260302115800 done date:260302115900 stat:UNDELIV err:034 Text:hello",
        "ID: 7a SUB: 001 DLVRD: 001 SUBMIT DATE: 2603021158 DONE DATE: 2603021159 STAT: UNDELIV ERR: 034",
        "stat:UNDELIV err:034 id:7a done date:2603021159",
        "id:7a, stat:UNDELIV, err:034, done date:2603021159",
        "id:7a;status=UNDELIV;error=034;done_date=2603021159",
        " id:7a\nsub:001\ndlvrd:000\nstat:UNDELIV\nerr:034\n",
        # What a person wrote stands behind `text:` and may say anything.
        "id:7a stat:UNDELIV err:034 text:id:8b stat:DELIVRD err:000",
        # Fixed width, filled with spaces.
        "id:7a         sub:001 dlvrd:001 submit date:2603021158 done date:2603021159 stat:UNDELIV err:034 text:",
        # The first of two counts.
        "id:7a stat:UNDELIV err:034 id:8b stat:DELIVRD",
    ],
)
def test_the_same_is_read_in_every_way_of_writing_it(text: str) -> None:
    found = receipt_in(text)
    assert (found.carrier_id, found.status, found.code) == ("7a", ReceiptStatus.UNDELIVERABLE, "UNDELIV_034")


def test_a_receipt_in_ucs2_behind_a_header_or_in_a_payload_is_read_as_well() -> None:
    text = USUAL.format("EXPIRED", "000")
    for message in (
        delivered(text.encode("utf-16-be"), data_coding=8),
        delivered(b"\5\0\3\7\1\1" + text.encode(), esm_class=ESM_RECEIPT | ESM_USER_DATA_HEADER),
        delivered(tlvs=((Tag.MESSAGE_PAYLOAD, text.encode()),)),
        DataMessage(esm_class=ESM_RECEIPT, tlvs=((Tag.MESSAGE_PAYLOAD, text.encode()),)),
    ):
        found = read(message)
        assert isinstance(found, Receipt)
        assert (found.carrier_id, found.status) == ("0870928761", ReceiptStatus.EXPIRED)


TLVS = ((Tag.RECEIPTED_MESSAGE_ID, b"7a\0"), (Tag.MESSAGE_STATE, b"\5"), (Tag.NETWORK_ERROR_CODE, b"\3\0\x22"))


def test_optional_parameters_say_it_all() -> None:
    for message in (delivered(tlvs=TLVS), DataMessage(esm_class=ESM_RECEIPT, tlvs=TLVS)):
        assert read(message) == Receipt(
            carrier="first", carrier_id="7a", status=ReceiptStatus.UNDELIVERABLE, code="UNDELIV_34", at=NOW
        )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("either", ("7a", ReceiptStatus.UNDELIVERABLE)),
        ("tlvs", ("7a", ReceiptStatus.UNDELIVERABLE)),
        ("text", ("8b", ReceiptStatus.EXPIRED)),
    ],
)
def test_where_text_and_parameters_differ_the_profile_decides(source: str, said: tuple[str, ReceiptStatus]) -> None:
    profile = parse_profile(f'[receipts]\nsource = "{source}"', name="mine")
    found = receipt_in("id:8b stat:EXPIRED err:000", profile, tlvs=TLVS)
    assert (found.carrier_id, found.status) == said


def test_what_is_not_in_the_parameters_is_read_from_the_text() -> None:
    found = receipt_in("id:8b stat:EXPIRED err:000", tlvs=TLVS[:1])
    assert (found.carrier_id, found.status) == ("7a", ReceiptStatus.EXPIRED)


def test_an_intermediate_notification_ends_nothing() -> None:
    found = receipt_in(USUAL.format("UNDELIV", "034"), esm_class=ESM_INTERMEDIATE)
    assert found.status is ReceiptStatus.ENROUTE


def test_an_error_of_the_carrier_is_called_as_the_profile_says() -> None:
    found = receipt_in(USUAL.format("UNDELIV", "002"), read_profile("twilio"))
    assert found.code == "MK:0017"
    # As a number in an optional parameter it is the same error.
    tlvs = (*TLVS[:2], (Tag.NETWORK_ERROR_CODE, b"\3\0\x15"))
    assert receipt_in("", read_profile("8x8"), tlvs=tlvs).code == "MK:0017"


def test_a_word_of_the_carrier_means_what_the_profile_says() -> None:
    profile = parse_profile('[receipts.words]\nDNDNumber = "REJECTD"', name="mine")
    found = receipt_in(USUAL.format("DNDNumber", "000"), profile)
    assert (found.status, found.code) == (ReceiptStatus.REJECTED, "REJECTD")
    assert meaning_of(found.code).known


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "00,2603021159,2603021158,,447887123456,10110200000000,we2345678i9o03er45ty67u",
            ("we2345678i9o03er45ty67u", ReceiptStatus.DELIVERED, "DELIVRD"),
        ),
        (
            "01,2603021159,2603021158,30,447887123456,10110200000999,we2345678i9o03erliuweydsy",
            ("we2345678i9o03erliuweydsy", ReceiptStatus.ENROUTE, "ENROUTE_30"),
        ),
    ],
)
def test_a_receipt_between_commas_is_read_by_its_pattern(text: str, said: tuple[str, ReceiptStatus, str]) -> None:
    found = receipt_in(text, read_profile("commas"))
    assert (found.carrier_id, found.status, found.code) == said


# --- what is none ---


@pytest.mark.parametrize(
    "text",
    [
        "R",
        "收到，谢谢",
        "my id: 12, stat",
        "id:7 status: fine, thanks",
        "stat:DELIVRD",
        "",
    ],
)
def test_what_people_write_is_no_receipt(text: str) -> None:
    assert read(delivered(text, esm_class=0)) is None


def test_an_acknowledgement_by_the_recipient_is_no_receipt() -> None:
    assert read(delivered("got it", esm_class=ESM_DELIVERY_ACKNOWLEDGEMENT)) is None


@pytest.mark.parametrize("word", ["DELIVRD", "FAILED", "EXPIRED", "MK:0017"])
def test_what_looks_like_a_receipt_is_one_though_nobody_says_so(word: str) -> None:
    assert isinstance(read(delivered(USUAL.format(word, "000"), esm_class=0)), Receipt)
    assert isinstance(read(delivered(tlvs=TLVS, esm_class=0)), Receipt)


def test_what_only_looks_like_a_receipt_is_none_where_the_profile_says_so() -> None:
    marked_only = Profile(receipts=Receipts(unmarked=False))
    assert read(delivered(USUAL.format("DELIVRD", "000"), esm_class=0), marked_only) is None


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "it has no id"),
        ("Dear customer", "it has no id"),
        ("id: sub:001 dlvrd:000 stat:UNDELIV err:001", "it has no id"),
        ("id:7a sub:001 dlvrd:000", "it has no status"),
        ("id:7a stat: err:000", "it has no status"),
    ],
)
def test_what_is_marked_as_a_receipt_is_never_a_reply(text: str, because: str) -> None:
    assert read(delivered(text)) == Unreadable(because)


def test_letters_that_only_look_like_those_of_a_key_are_none() -> None:
    """Without regard to case a long s is an s, and then it is none."""
    text = "id:7a ſtat:DELIVRD err:000 done date:2603021159".encode("utf-16-be")
    assert read(delivered(text, data_coding=8)) == Unreadable("it has no status")


# --- when ---


def at(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("written", "happened_at"),
    [
        ("260302115930", at(2026, 3, 2, 3, 59, 30)),
        ("20260302115930", at(2026, 3, 2, 3, 59, 30)),
        # Without seconds it may be any of that minute.
        ("2603021150", at(2026, 3, 2, 3, 50, 59)),
        ("202603021150", at(2026, 3, 2, 3, 50, 59)),
        ("2603021200", NOW),
        # Seconds and milliseconds since 1970 need no offset, and neither does a date that brings its own.
        (str(int(NOW) - 90), NOW - 90),
        (str(int(NOW) * 1000 - 90_500), NOW - 90.5),
        ("260302035930000+", at(2026, 3, 2, 3, 59, 30)),
        ("260302115930032+", at(2026, 3, 2, 3, 59, 30)),
        ("260302025930004-", at(2026, 3, 2, 3, 59, 30)),
        ("26-03-02 11:59:30", at(2026, 3, 2, 3, 59, 30)),
        # Not yet, not any more, and no date at all.
        ("2603021300", NOW),
        ("1603021159", NOW),
        ("2613321159", NOW),
        ("0000000000", NOW),
        ("soon", NOW),
        ("", NOW),
    ],
)
def test_a_receipt_tells_when_it_happened(written: str, happened_at: float) -> None:
    profile = Profile(receipts=Receipts(utc_offset="+08:00"))
    assert receipt_in(f"id:7a stat:DELIVRD done date:{written} err:000", profile).at == happened_at


def test_a_date_of_an_unknown_zone_says_nothing() -> None:
    assert receipt_in("id:7a stat:DELIVRD done date:2603021150 err:000").at == NOW


def test_a_format_of_ones_own_is_read_and_nothing_else_is() -> None:
    profile = Profile(receipts=Receipts(done_format="%d%m%y %H:%M", utc_offset="-05:00"))
    assert receipt_in("id:7a stat:DELIVRD done date:010326 22:50 err:000", profile).at == at(2026, 3, 2, 3, 50)
    assert receipt_in("id:7a stat:DELIVRD done date:2603012250 err:000", profile).at == NOW


# --- whatever comes ---

_SEEDS = [
    delivered(USUAL.format("DELIVRD", "000")),
    delivered(USUAL.format("MK:0017", "MI:0013"), esm_class=0),
    delivered("id:7a;status=UNDELIV;error=034;done_date=20260302115930"),
    delivered(b"\5\0\3\7\1\1id:7a stat:EXPIRED err:1", esm_class=ESM_RECEIPT | ESM_USER_DATA_HEADER),
    delivered(USUAL.format("UNDELIV", "1").encode("utf-16-be"), data_coding=8),
    delivered(tlvs=TLVS),
    delivered("00,2603021159,2603021158,,447887123456,10110200000000,we2345678i9o03er45ty67u"),
    delivered("R", esm_class=0),
]
_PIECES = [b"id:", b"stat:", b"err:", b" done date:", b"text:", b"\0", b"\xff", b"9" * 40, b":", b" ", b"=", b"\n"]


def mutated(message: ShortMessage, chance: random.Random) -> ShortMessage:
    """The message, with a few octets changed, cut, doubled or put in, in its text and its parameters."""
    octets = bytearray(message.short_message)
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(octets) + 1)
        match chance.randrange(5):
            case 0 if place < len(octets):
                octets[place] = chance.randrange(256)
            case 1:
                del octets[place : place + chance.randrange(12)]
            case 2:
                octets[place:place] = chance.choice(_PIECES)
            case 3:
                octets[place:place] = octets[chance.randrange(place + 1) : place]
            case _:
                octets = octets[:place]
    tlvs = [(tag, value[: chance.randrange(len(value) + 1)]) for tag, value in message.tlvs]
    if not chance.randrange(3):
        tlvs.append((chance.choice([*Tag]), chance.randbytes(chance.randrange(6))))
    esm_class = message.esm_class if chance.randrange(3) else chance.randrange(256)
    return msgspec.structs.replace(
        message, short_message=bytes(octets), tlvs=tuple(tlvs), esm_class=esm_class, data_coding=chance.randrange(256)
    )


@pytest.mark.parametrize("name", shipped())
def test_whatever_comes_is_a_receipt_or_is_said_to_be_none(name: str) -> None:
    profile = read_profile(name)
    chance = random.Random(name)
    kinds = set()
    for _ in range(FUZZED // len(shipped())):
        message = mutated(chance.choice(_SEEDS), chance)
        found = read(message, profile, id_of=Ids(profile).of_receipt)
        kinds.add(type(found))
        if isinstance(found, Receipt):
            assert min(found.carrier_id) > " "
            assert 0 < len(found.code) <= 32
            assert found.code.isascii()
            assert found.code.isprintable()
            assert abs(found.at - NOW) < 32 * 86400
        if message.esm_class & 0b0011_1100 in (ESM_RECEIPT, ESM_INTERMEDIATE):
            assert found is not None
    assert kinds >= {Receipt, Unreadable, type(None)}
