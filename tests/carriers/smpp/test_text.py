"""Texts written for carriers, and read back from the same octets."""

from itertools import product

import pytest
from hypothesis import example, given, settings, strategies as st

from cleartosend.admission.encoding import segments
from cleartosend.carriers.smpp.pdu import ESM_USER_DATA_HEADER, MOST_MESSAGE_OCTETS, Tag
from cleartosend.carriers.smpp.profile import Joining, Profile, Writing
from cleartosend.carriers.smpp.text import (
    Part,
    Piece,
    Place,
    Written,
    pack,
    read,
    take_apart,
    unpack,
    write,
)
from cleartosend.model.alphabets import GSM_BASIC, GSM_ESCAPE, GSM_EXTENSION, Alphabet, can_write

SEGMENT_OCTETS = 140

GSM = Writing(Alphabet.GSM7, 0)
PACKED = Writing(Alphabet.GSM7, 0, packed=True)
LATIN1 = Writing(Alphabet.LATIN1, 3)
ASCII = Writing(Alphabet.ASCII, 1)
UCS2 = Writing(Alphabet.UCS2, 8)

# A carriage return at the very end of packed septets is how they are filled, so it cannot be told from one.
_GSM_CHARACTERS = (GSM_BASIC + "".join(GSM_EXTENSION)).replace(chr(GSM_ESCAPE), "").replace("\r", "")
TEXTS = {
    GSM: st.text(alphabet=_GSM_CHARACTERS, max_size=500) | st.text(alphabet="a€[", min_size=140, max_size=500),
    LATIN1: st.text(alphabet=st.characters(max_codepoint=0xFF), max_size=500),
    ASCII: st.text(alphabet=st.characters(max_codepoint=0x7F), max_size=500)
    | st.text("a[", min_size=140, max_size=500),
    UCS2: st.text(alphabet="验码👍𠮷a", max_size=500) | st.text(max_size=500),
}
TEXTS[PACKED] = TEXTS[GSM]
REFERENCES = st.integers(0, 100_000)
EVERY_WRITING = pytest.mark.parametrize(
    "writing", TEXTS, ids=lambda one: f"{one.alphabet}{'-packed' if one.packed else ''}"
)
# There are twenty of each.
FEW_OF_EACH = settings(max_examples=20, deadline=None)
EVERY_JOINING = pytest.mark.parametrize(
    ("joining", "wide"), [*product(Joining, [False]), (Joining.HEADER, True)], ids=str
)


def profile(writing: Writing, joining: Joining = Joining.HEADER, *, wide: bool = False) -> Profile:
    return Profile(alphabets=(writing,), joining=joining, wide_references=wide)


def taken_apart(written: Written) -> tuple[list[Place | None], list[Piece]]:
    """What the other side makes of it."""
    apart = [
        take_apart(written.esm_class, written.data_coding, part.short_message, part.tlvs) for part in written.parts
    ]
    return [place for place, _piece in apart], [piece for _place, piece in apart]


def must_write(text: str, how: Profile, *, international: bool = True, reference: int = 0) -> Written:
    written = write(text, how, international=international, reference=reference)
    assert written is not None
    return written


@EVERY_WRITING
@EVERY_JOINING
@FEW_OF_EACH
@given(data=st.data(), international=st.booleans(), reference=REFERENCES)
def test_what_is_written_reads_as_the_same_text(
    data: st.DataObject, writing: Writing, joining: Joining, *, wide: bool, international: bool, reference: int
) -> None:
    text = data.draw(TEXTS[writing])
    how = profile(writing, joining, wide=wide)
    written = must_write(text, how, international=international, reference=reference)
    places, pieces = taken_apart(written)
    assert read(pieces, how) == text
    if len(pieces) > 1:
        width = 0xFF if joining is Joining.HEADER and not wide else 0xFFFF
        assert places == [Place(reference & width, number, len(pieces)) for number in range(1, len(pieces) + 1)]
    else:
        assert places == [None]


@EVERY_WRITING
@EVERY_JOINING
@FEW_OF_EACH
@given(data=st.data(), international=st.booleans())
def test_every_part_fits_in_a_segment(
    data: st.DataObject, writing: Writing, joining: Joining, *, wide: bool, international: bool
) -> None:
    text = data.draw(TEXTS[writing])
    written = must_write(text, profile(writing, joining, wide=wide), international=international)
    assert len(written.parts) == 1 or joining is not Joining.PAYLOAD
    for part in written.parts:
        assert len(part.short_message) <= MOST_MESSAGE_OCTETS
        if Tag.MESSAGE_PAYLOAD in dict(part.tlvs):
            assert part.short_message == b""
        else:
            header = 0 if written.esm_class or len(written.parts) == 1 else 6
            assert header + octets_on_the_air(part, written, writing) <= SEGMENT_OCTETS


def octets_on_the_air(part: Part, written: Written, writing: Writing) -> int:
    """What the carrier's own message takes, in which septets are always packed."""
    _place, piece = take_apart(written.esm_class, written.data_coding, part.short_message, ())
    text = read([piece], profile(writing))
    if writing.packed or not can_write(Alphabet.GSM7, text):
        return len(part.short_message)
    septets = sum(2 if character in GSM_EXTENSION else 1 for character in text)
    return piece.behind + -(-(septets * 7 + -piece.behind * 8 % 7) // 8)


@given(text=TEXTS[UCS2] | TEXTS[GSM], international=st.booleans())
@example(text="验" * 66 + "👍" + "验" * 66, international=False)
@example(text="a" * 152 + "€" + "a" * 152, international=True)
def test_a_text_goes_out_in_as_many_parts_as_it_is_billed(text: str, *, international: bool) -> None:
    written = must_write(text, Profile(), international=international)
    assert len(written.parts) == segments(text, international=international)


@given(text=TEXTS[LATIN1], international=st.booleans())
def test_a_further_alphabet_never_makes_more_parts_than_are_billed(text: str, *, international: bool) -> None:
    how = Profile(alphabets=(GSM, LATIN1, UCS2))
    written = must_write(text, how, international=international)
    assert len(written.parts) <= segments(text, international=international)


def test_the_first_alphabet_that_can_write_a_text_writes_it() -> None:
    how = Profile(alphabets=(GSM, LATIN1, UCS2))
    codings = [must_write(text, how).data_coding for text in ("10€", "ça va", "验证码")]
    assert codings == [0, 3, 8]


def test_what_no_alphabet_of_the_carrier_can_write_is_not_written() -> None:
    assert write("验证码", profile(GSM), international=True, reference=0) is None


def test_a_header_says_which_part_of_how_many_it_stands_before() -> None:
    written = must_write("验" * 71, Profile(), reference=0x1A7)
    assert written.esm_class == ESM_USER_DATA_HEADER
    assert [part.short_message[:6] for part in written.parts] == [b"\5\0\3\xa7\2\1", b"\5\0\3\xa7\2\2"]


def test_optional_parameters_say_which_part_of_how_many_it_is() -> None:
    written = must_write("验" * 71, profile(UCS2, Joining.TLVS), reference=0x1A7)
    assert written.esm_class == 0
    assert written.parts[1].tlvs == (
        (Tag.SAR_MSG_REF_NUM, b"\1\xa7"),
        (Tag.SAR_TOTAL_SEGMENTS, b"\2"),
        (Tag.SAR_SEGMENT_SEQNUM, b"\2"),
    )


def test_a_payload_holds_the_whole_of_a_long_text_and_nothing_of_a_short_one() -> None:
    how = profile(UCS2, Joining.PAYLOAD)
    assert must_write("验" * 70, how).parts == (Part("验".encode("utf-16-be") * 70),)
    assert must_write("验" * 71, how).parts == (Part(b"", ((Tag.MESSAGE_PAYLOAD, "验".encode("utf-16-be") * 71),)),)


@pytest.mark.parametrize(
    ("written", "coding", "text"),
    [
        (b"\x00\x1b\x65\x02", 0, "@€$"),
        # An escape that means nothing shows what stands behind it, and one at the end a space (TS 23.038, 6.2.1.1).
        (b"a\x1bb\x1b", 0, "ab "),
        # Not septets at all: some write their own alphabet under the name of the default one.
        (b"caf\xe9", 0, "café"),
        (b"caf\xe9", 3, "café"),
        ("код".encode("iso8859-5"), 6, "код"),
        (b"9\x8c", 8, "㦌"),
        # Half a unit more than there should be.
        (b"\x00a\x00", 8, "a\ufffd"),
        # TS 23.038, 4: a class of GSM septets, and UCS-2 in the general group.
        (b"\x00", 0xF0, "@"),
        (b"\x00a", 0x18, "a"),
        (b"\xff\xfe", 4, "ÿþ"),
        (b"\xff" * 3, 14, "\ufffd" * 3),
    ],
)
def test_what_others_write_is_read(written: bytes, coding: int, text: str) -> None:
    assert read([Piece(written, coding)], Profile()) == text


def test_a_character_that_was_cut_in_two_is_read_whole() -> None:
    octets = "a👍".encode("utf-16-be")
    for cut in range(len(octets)):
        assert read([Piece(octets[:cut], 8), Piece(octets[cut:], 8)], Profile()) == "a👍"
    assert read([Piece(b"\x1b", 0), Piece(b"\x65", 0)], Profile()) == "€"


@pytest.mark.parametrize(
    ("header", "place"),
    [
        (b"\x05\x00\x03\x07\x02\x01", Place(7, 1, 2)),
        (b"\x06\x08\x04\x01\x02\x03\x02", Place(0x102, 2, 3)),
        # Behind another element: a port (TS 23.040, 9.2.3.24.4).
        (b"\x0b\x05\x04\x23\xf0\x00\x00\x00\x03\x07\x02\x02", Place(7, 2, 2)),
        # Numbers that cannot be are as if they were not there.
        (b"\x05\x00\x03\x07\x02\x00", None),
        (b"\x05\x00\x03\x07\x02\x03", None),
        (b"\x05\x00\x03\x07\x01\x01", None),
        (b"\x05\x00\x02\x07\x02\x01", None),
        (b"\x00", None),
    ],
)
def test_a_header_is_read_and_taken_off(header: bytes, place: Place | None) -> None:
    assert take_apart(ESM_USER_DATA_HEADER, 0, header + b"text", ()) == (place, Piece(b"text", 0, len(header)))


def test_a_header_longer_than_its_message_is_taken_for_text() -> None:
    assert take_apart(ESM_USER_DATA_HEADER, 0, b"\x09ab", ()) == (None, Piece(b"\x09ab", 0))


@given(data=st.binary(max_size=160), coding=st.integers(0, 255), behind=st.integers(0, 20), packed=st.booleans())
def test_whatever_comes_can_be_read_and_kept(data: bytes, coding: int, behind: int, *, packed: bool) -> None:
    how = profile(PACKED if packed else GSM)
    assert read([Piece(data, coding, behind)], how).encode("utf-8") is not None


@given(
    esm_class=st.integers(0, 255),
    data=st.binary(max_size=20),
    tlvs=st.lists(st.tuples(st.sampled_from([*Tag]), st.binary(max_size=4))).map(tuple),
)
def test_whatever_comes_can_be_taken_apart(esm_class: int, data: bytes, tlvs: tuple[tuple[int, bytes], ...]) -> None:
    place, _piece = take_apart(esm_class, 0, data, tlvs)
    assert place is None or 1 <= place.number <= place.of <= 255


@given(septets=st.binary(max_size=200).map(lambda data: bytes(one & 0x7F for one in data)), behind=st.integers(0, 8))
def test_packed_septets_are_unpacked_again(septets: bytes, behind: int) -> None:
    if not septets.endswith(b"\r"):
        assert unpack(pack(septets, behind=behind), behind=behind) == septets


def test_packed_septets_begin_behind_a_header_at_a_whole_septet() -> None:
    # Six octets are 48 bits, so one bit is left free before the first septet.
    assert pack(b"a", behind=6) == bytes((0x61 << 1,))
    assert pack(b"a", behind=7) == bytes((0x61,))
