"""Folding a text, and finding the way back to it."""

import pytest
from hypothesis import given, strategies as st

from cleartosend.policy.normalise import Joined, fold, normalise


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("贷款", "贷款"),
        ("貸款", "贷款"),
        ("ＶＩＰ１２３", "vip123"),
        ("加\u200b微\ufeff信", "加微信"),
        ("l\u00adoan", "loan"),
        ("lоаn", "loan"),  # Cyrillic о and а
        ("ｌｏａｎ", "loan"),
        ("lóan", "loan"),
        ("l\u0336o\u0336a\u0336n", "loan"),
        ("❶❷③④⑤", "12345"),
        ("1️⃣3️⃣8️⃣", "138"),
        ("⑴⒉", "12"),
        ("🅛🅞🅐🅝 🆅🅸🅿", "loan vip"),
        ("١٣٨", "138"),  # Arabic-Indic digits
        ("🇻🇽", "vx"),
        ("𝓵𝓸𝓪𝓷", "loan"),
        ("⼒⻋", "力车"),  # radicals
        ("\u202e贷款\u202c", "贷款"),
        ("a\r\n\tb\x00c", "a\n\n bc"),
        ("\ud800贷款", "贷款"),
        ("您好，验证码：｛1｝", "您好,验证码:{1}"),
    ],
)
def test_what_a_reader_takes_for_the_same_is_folded_to_the_same(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_a_place_in_the_folded_text_leads_back_to_the_place_as_written() -> None:
    written = "请加\u200bＶ\u0301信㍿领取"
    folded = normalise(written)
    start = folded.text.index("v信")
    assert written[slice(*folded.span(start, start + 2))] == "Ｖ\u0301信"
    start = folded.text.index("株式会社")
    assert written[slice(*folded.span(start + 1, start + 3))] == "㍿"


@pytest.mark.parametrize(
    ("written", "squeezed"),
    [
        ("办理贷 款", "办理贷款"),
        ("加-微★信", "加微信"),
        ("贷.款", "贷款"),
        ("apply for a l-o-a-n now", "apply for a loan now"),
        ("办理l o a n业务", "办理loan业务"),
    ],
)
def test_words_that_are_spaced_out_are_closed_up(written: str, squeezed: str) -> None:
    view = normalise(written).squeezed
    assert view is not None
    assert view.text == squeezed


@pytest.mark.parametrize(
    "written", ["已还，款项无误", "已还。款项无误", "您好！请登录", "plan a or plan b", "共 3 件", "的{1}号"]
)
def test_what_ends_a_thought_keeps_words_apart(written: str) -> None:
    assert normalise(written).squeezed is None


def test_only_what_crosses_a_closed_gap_is_new_in_the_squeezed_text() -> None:
    view = normalise("贷款 已还 款").squeezed
    assert view is not None
    assert not view.adds(view.text.index("贷款"), 2)
    assert view.adds(view.text.index("还款"), view.text.index("还款") + 2)
    assert view.span(3, 5) == (4, 7)


def test_values_read_together_lead_back_to_where_they_stand() -> None:
    written = "您的贷号，款号"
    joined = Joined(written, [(2, 3), (5, 6)])
    assert joined.text == "贷款"
    assert joined.adds(0, 2)
    assert joined.span(0, 2) == (2, 6)


@given(st.text(max_size=60))
def test_folding_is_settled_and_every_place_leads_back(written: str) -> None:
    folded = normalise(written)
    end = 0
    for offset in range(len(folded.text)):
        start, end = folded.span(offset, offset + 1)
        assert 0 <= start < end <= len(written)
        assert folded.text[offset] in fold(written[start:end])
    assert folded.span(0, len(folded.text))[1] >= end
    if folded.squeezed is not None:
        assert len(folded.squeezed.text) < len(folded.text)
