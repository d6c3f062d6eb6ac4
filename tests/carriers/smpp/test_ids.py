"""Ids in answers and in receipts: one message, however they are written."""

import pytest

from cleartosend.carriers.smpp.ids import ENOUGH, SAME, SAMPLE, Ids, normal
from cleartosend.carriers.smpp.profile import IdForm, Profile

HEX_THEN_DECIMAL = Profile(id_in_answer=IdForm.HEX, id_in_receipt=IdForm.DECIMAL)
DECIMAL_THEN_HEX = Profile(id_in_answer=IdForm.DECIMAL, id_in_receipt=IdForm.HEX)
BOTH_HEX = Profile(id_in_answer=IdForm.HEX, id_in_receipt=IdForm.HEX)


def number(place: int) -> str:
    return f"86138{place:08}"


@pytest.mark.parametrize(
    ("profile", "in_answer", "in_receipt"),
    [
        (Profile(), "0123456789", "123456789"),
        # jookies/jasmin#1129: with zeros before, and in another case.
        (Profile(), "00bba622", "BBA622"),
        (BOTH_HEX, "00bba622", "BBA622"),
        (Profile(), "3a53f38c-5a9d-4c4e-8e7f-000000000001", "3A53F38C-5A9D-4C4E-8E7F-000000000001"),
        (Profile(), "msg_42", "msg_42 "),
        # opentelecoms-org/jsmpp#56: ten digits for what was hexadecimal.
        (HEX_THEN_DECIMAL, "33E95179", "0870928761"),
        (DECIMAL_THEN_HEX, "870928761", "33E95179"),
        # Not in the base that was promised: as it is.
        (HEX_THEN_DECIMAL, "msg_42", "msg_42"),
        (DECIMAL_THEN_HEX, "msg_42", "msg_42"),
        (Profile(), "000", "0"),
    ],
)
def test_a_receipt_has_the_id_of_the_answer(profile: Profile, in_answer: str, in_receipt: str) -> None:
    ids = Ids(profile)
    assert ids.of_receipt(in_receipt) == ids.of_answer(in_answer, number=number(1))


def test_letters_that_are_no_digits_keep_their_case() -> None:
    assert normal("AbCzQ") != normal("aBcZq")


def test_an_id_has_no_octet_that_a_store_refuses() -> None:
    assert normal("a\0b\x1f\xa0-1 ") == "ab-1"
    assert len(normal("7" * 10_000)) <= 256


@pytest.mark.parametrize(
    ("forms", "in_answer", "in_receipt"),
    [
        (SAME, "{:d}", "{:010d}"),
        (SAME, "{:08x}", "{:X}"),
        ((IdForm.HEX, IdForm.DECIMAL), "{:X}", "{:010d}"),
        ((IdForm.DECIMAL, IdForm.HEX), "{:d}", "{:08x}"),
    ],
)
def test_the_first_receipts_tell_how_ids_are_written(
    forms: tuple[IdForm, IdForm], in_answer: str, in_receipt: str
) -> None:
    ids = Ids(Profile())
    first = 0x0870_92AB
    answers = [ids.of_answer(in_answer.format(first + place), number=number(place)) for place in range(20)]
    for place in range(ENOUGH):
        assert ids.learned is None
        assert ids.of_receipt(in_receipt.format(first + place), (number(place), "10690001")) == answers[place]
    assert ids.learned == forms
    # From then on the number need not be there, nor the answer have been ours.
    assert ids.of_receipt(in_receipt.format(first + 19)) == answers[19]
    assert ids.of_receipt(in_receipt.format(0x0ABC_DEF1)) == normal(in_answer.format(0x0ABC_DEF1))


def test_after_a_restart_the_receipts_of_what_is_outstanding_tell_it_anew() -> None:
    first = 0x0870_92AB
    outstanding = [(f"{first + place:x}", number(place)) for place in range(ENOUGH)]
    ids = Ids(Profile(), outstanding=outstanding)
    for place, (in_answer, its_number) in enumerate(outstanding):
        assert ids.of_receipt(str(first + place), (its_number,)) == in_answer
    assert ids.learned == (IdForm.HEX, IdForm.DECIMAL)


def test_the_hex_of_one_message_is_not_taken_for_the_decimal_of_another() -> None:
    """Ids are counted up, so that both readings of a receipt are ids of messages; the number tells which."""
    ids = Ids(Profile())
    # 16 is the decimal of 10 in hex, and 10 is another message.
    one = ids.of_answer("10", number=number(1))
    another = ids.of_answer("16", number=number(2))
    assert ids.of_receipt("16", (number(1),)) == one
    assert ids.of_receipt("22", (number(2),)) == another


def test_nothing_is_learned_from_receipts_that_do_not_agree() -> None:
    ids = Ids(Profile())
    for place in range(2 * ENOUGH):
        written = 0xA0_0000 + place
        ids.of_answer(f"{written:x}", number=number(place))
        ids.of_receipt(f"{written:x}" if place % 2 else f"{written:d}", (number(place),))
    assert ids.learned is None


def test_a_receipt_that_fits_nowhere_is_taken_as_it_is() -> None:
    ids = Ids(Profile())
    ids.of_answer("ff", number=number(1))
    assert ids.of_receipt("255", (number(2),)) == "255"


def test_what_is_remembered_has_a_bound() -> None:
    ids = Ids(Profile())
    for place in range(SAMPLE + 10):
        ids.of_answer(f"{place:x}", number=number(place))
    # Beyond the sample nothing was kept, so the other reading is not found.
    assert ids.of_receipt(str(SAMPLE + 5), (number(SAMPLE + 5),)) == str(SAMPLE + 5)
    assert ids.of_receipt(str(SAMPLE - 1), (number(SAMPLE - 1),)) == f"{SAMPLE - 1:x}"


def test_a_profile_that_must_not_learn_does_not() -> None:
    ids = Ids(Profile(learn_ids=False))
    ids.of_answer("ff", number=number(1))
    assert ids.of_receipt("255", (number(1),)) == "255"
