"""Alphabets and segments, against the frozen answers of an independent implementation and against themselves."""

from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, strategies as st

from cleartosend.admission.encoding import segments, split
from cleartosend.model.alphabets import (
    GSM_BASIC,
    GSM_ESCAPE,
    GSM_EXTENSION,
    LONGEST_ALONE,
    LONGEST_PART,
    Alphabet,
    alphabet_of,
)


class Lengths(msgspec.Struct, frozen=True):
    """How many characters each part has, cut for abroad and for the mainland."""

    international: list[int]
    domestic: list[int]


class Case(msgspec.Struct, frozen=True):
    """A text as runs of a piece, and what the independent implementation says of it."""

    name: str
    text: list[tuple[str, int]]
    alphabet: Alphabet
    international: list[int]
    domestic: list[int]
    ours: Lengths | None = None
    """Where we cut elsewhere on purpose: inside what a reader sees as one character."""

    def written(self) -> str:
        return "".join(piece * times for piece, times in self.text)

    def expected(self, *, international: bool) -> list[int]:
        lengths = self.ours or self
        return lengths.international if international else lengths.domestic


class Frozen(msgspec.Struct, frozen=True):
    """The file; its note says how it was made."""

    note: list[str]
    septets: dict[str, list[int]]
    cases: list[Case]


FROZEN = msgspec.json.decode((Path(__file__).parent / "data" / "segments.json").read_bytes(), type=Frozen)
EVERY_CASE = pytest.mark.parametrize("case", FROZEN.cases, ids=lambda case: case.name)
ABROAD_OR_NOT = pytest.mark.parametrize("international", [False, True])

GSM_CHARACTERS = GSM_BASIC.replace(chr(GSM_ESCAPE), "") + "".join(GSM_EXTENSION)
# Short alphabets make long texts with pairs at every place, which texts of any character seldom are.
LONG_TEXTS = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="验码👍𠮷a", max_size=400),
    st.text(alphabet=GSM_CHARACTERS, max_size=400),
    st.text(alphabet="a€[", min_size=140, max_size=480),
    st.lists(st.tuples(st.sampled_from("a验€👍"), st.integers(1, 80)), max_size=8).map(
        lambda runs: "".join(piece * times for piece, times in runs)
    ),
)


def places(text: str, alphabet: Alphabet) -> int:
    """Count places the slow and plain way."""
    if alphabet is Alphabet.GSM7:
        return sum(2 if character in GSM_EXTENSION else 1 for character in text)
    return sum(2 if ord(character) > 0xFFFF else 1 for character in text)


def counted_as(text: str, *, international: bool) -> Alphabet:
    return alphabet_of(text) if international else Alphabet.UCS2


def test_our_table_is_the_one_others_encode_with() -> None:
    ours = {character: [septet] for septet, character in enumerate(GSM_BASIC) if septet != GSM_ESCAPE}
    ours |= {character: [GSM_ESCAPE, septet] for character, septet in GSM_EXTENSION.items()}
    assert ours == FROZEN.septets


@EVERY_CASE
def test_others_find_the_same_alphabet(case: Case) -> None:
    assert alphabet_of(case.written()) is case.alphabet


@EVERY_CASE
@ABROAD_OR_NOT
def test_others_cut_at_the_same_places(case: Case, *, international: bool) -> None:
    parts = split(case.written(), international=international)
    assert [len(part) for part in parts] == case.expected(international=international)
    assert segments(case.written(), international=international) == len(parts)


def test_where_we_cut_elsewhere_it_never_costs_more() -> None:
    differing = [(case, case.ours) for case in FROZEN.cases if case.ours]
    assert differing
    for case, ours in differing:
        assert len(ours.international) <= len(case.international), case.name
        assert len(ours.domestic) <= len(case.domestic), case.name


@given(text=LONG_TEXTS, international=st.booleans())
def test_the_parts_joined_are_the_text(text: str, *, international: bool) -> None:
    assert "".join(split(text, international=international)) == text


@given(text=LONG_TEXTS, international=st.booleans())
@example(text="验" * 66 + "👍" + "验" * 66, international=False)
@example(text="a" * 152 + "€" + "a" * 152, international=True)
def test_a_text_is_billed_as_many_segments_as_it_is_cut_into(text: str, *, international: bool) -> None:
    assert segments(text, international=international) == len(split(text, international=international))


@given(text=LONG_TEXTS, international=st.booleans())
def test_every_part_fits_and_none_could_be_fuller(text: str, *, international: bool) -> None:
    alphabet = counted_as(text, international=international)
    parts = split(text, international=international)
    if len(parts) == 1:
        assert places(text, alphabet) <= LONGEST_ALONE[alphabet]
        return
    assert places(text, alphabet) > LONGEST_ALONE[alphabet]
    for part, following in pairwise(parts):
        assert places(part, alphabet) <= LONGEST_PART[alphabet] < places(part + following[0], alphabet)
    assert 0 < places(parts[-1], alphabet) <= LONGEST_PART[alphabet]


@given(text=LONG_TEXTS)
def test_a_part_cut_for_the_mainland_fits_in_either_alphabet(text: str) -> None:
    """A carrier may write a Latin part as GSM 03.38: twice 67 septets are fewer than 153."""
    parts = split(text, international=False)
    longest = LONGEST_ALONE if len(parts) == 1 else LONGEST_PART
    for part in parts:
        alphabet = alphabet_of(part)
        assert places(part, alphabet) <= longest[alphabet]


@given(text=st.text(alphabet=st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=500))
def test_without_emoji_the_mainland_bills_by_the_published_rule(text: str) -> None:
    assert segments(text, international=False) == (1 if len(text) <= 70 else -(-len(text) // 67))


@given(text=st.text(alphabet=GSM_BASIC.replace(chr(GSM_ESCAPE), ""), max_size=500))
def test_without_extension_characters_abroad_bills_by_the_published_rule(text: str) -> None:
    assert segments(text, international=True) == (1 if len(text) <= 160 else -(-len(text) // 153))


@given(text=LONG_TEXTS)
def test_a_text_is_gsm_when_each_of_its_characters_is(text: str) -> None:
    expected = Alphabet.GSM7 if set(text) <= set(GSM_CHARACTERS) else Alphabet.UCS2
    assert alphabet_of(text) is expected


def test_an_empty_text_is_one_empty_segment() -> None:
    assert segments("", international=False) == segments("", international=True) == 1
    assert split("", international=False) == split("", international=True) == [""]


def test_half_a_surrogate_pair_is_counted_and_does_not_stop_us() -> None:
    """Python can hold one, though no UTF-8 request can bring it."""
    assert segments("\ud83d" * 71, international=True) == 2
    assert split("\ud83d" * 71, international=True) == ["\ud83d" * 67, "\ud83d" * 4]
