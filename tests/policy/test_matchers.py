"""Finding words and patterns."""

import re

import pytest
from hypothesis import given, strategies as st

from cleartosend.policy.matchers import Hit, Matcher, Pattern, PatternError, compile_wording
from cleartosend.policy.normalise import normalise


def found(text: str, **wording: list[str]) -> list[str]:
    """The words, as folded, in which one wording is found."""
    folded = normalise(text)
    hits = Matcher([compile_wording(**wording)]).find(folded, [True])
    return [folded.text[hit.start : hit.end] for hit in hits]


def test_overlapping_words_are_all_found() -> None:
    assert found("办理贷款业务", words=["贷款", "办理贷款", "款业"]) == ["办理贷款", "贷款", "款业"]


def test_a_latin_word_is_found_only_as_a_whole() -> None:
    assert found("LOAN 贷loan款 loan2 loans aloan", words=["loan"]) == ["loan", "loan"]


def test_words_are_folded_as_texts_are() -> None:
    assert found("貸款", words=["貸款"]) == ["贷款"]


def test_a_pattern_is_found_wherever_it_stands() -> None:
    assert found("低息贷款，免息贷款", patterns=["(?:低|免)息.{0,4}款"]) == ["低息贷款", "免息贷款"]


def test_chinese_punctuation_in_a_pattern_means_what_it_is_folded_to() -> None:
    assert sorted(found("贷，款（一）", patterns=["贷，款（一）", "贷[，。]款"])) == ["贷,款", "贷,款(一)"]


def test_a_hit_that_overlaps_what_is_excused_is_left_out() -> None:
    assert found("谨防贷款诈骗，贷款", words=["贷款"], unless=["谨防贷款"]) == ["贷款"]


def test_a_hit_counts_only_where_a_needed_word_stands_too() -> None:
    assert found("开业了", words=["开业"], needs=["欢迎", "vip"]) == []
    assert found("开业了，VIP优先", words=["开业"], needs=["欢迎", "vip"]) == ["开业"]
    assert found("开业了，vips优先", words=["开业"], needs=["欢迎", "vip"]) == []


def test_a_wording_that_is_not_asked_for_is_not_looked_for() -> None:
    matcher = Matcher([compile_wording(words=["贷款"]), compile_wording(patterns=["贷.款|贷款"])])
    assert matcher.find(normalise("贷款"), [False, True]) == [Hit(1, 0, 2)]
    assert matcher.find(normalise("贷款"), [True, False]) == [Hit(0, 0, 2)]


def test_offsets_are_in_characters_whatever_their_bytes() -> None:
    folded = normalise("é😀贷a款，贷b款")
    hits = Matcher([compile_wording(patterns=["贷[ab]款"])]).find(folded, [True])
    assert [folded.text[hit.start : hit.end] for hit in hits] == ["贷a款", "贷b款"]


@pytest.mark.parametrize(
    ("pattern", "gates"),
    [
        ("拒收.{0,10}请回复", {"请回复"}),
        ("[加添][微薇]信", {"加微信", "加薇信", "添微信", "添薇信"}),
        ("(?:贷款|借钱).{0,5}", {"贷款", "借钱"}),
        ("x?加?贷.{0,3}", {"贷"}),
        (r"[\p{Han}]{2}彩票", {"彩票"}),
        (r"\bloans?\b", {"loan"}),
        ("(?:高薪)+", {"高薪"}),
        ("a.b加", {"b加"}),
    ],
)
def test_the_gate_of_a_pattern_is_what_every_match_contains(pattern: str, gates: set[str]) -> None:
    assert Pattern(pattern).gates == gates


GATED = ["贷.{0,3}款|借[钱款]", "(?:ab|cd?)贷x*", "a?b?贷[款费]+", "(?:贷(?:款|费)?){1,2}b", "[ab]{2}贷"]


@given(st.sampled_from(GATED), st.text("ab贷款费借钱xcd", max_size=12))
def test_no_match_is_missed_for_want_of_its_gate(pattern: str, text: str) -> None:
    if re.search(pattern, text):
        assert any(gate in text for gate in Pattern(pattern).gates)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [("\\d+.\\d+", "literal"), ("a.b", "literal"), ("Loan", "lower case"), ("(贷款", "read"), ("贷款)", "read")],
)
def test_a_pattern_that_cannot_be_used_says_why(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        compile_wording(patterns=[pattern])


@pytest.mark.parametrize(("pattern", "reason"), [("(?<=贷)款", "not RE2"), ("(?:贷款)*", "empty")])
def test_what_only_re2_can_say_is_said_when_the_pattern_is_tried_out(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        Pattern(pattern).try_out()


def test_a_word_of_nothing_is_refused() -> None:
    with pytest.raises(PatternError, match="nothing to find"):
        compile_wording(words=["\u200b"])
