"""Undoing disguises: what is read in them, where it stands as written, and that honest texts need none."""

import random

import pytest
from hypothesis import given, strategies as st

from cleartosend.model.verdicts import Decision, MessageType, Submission
from cleartosend.policy.disguise import undo
from cleartosend.policy.judge import judge
from cleartosend.policy.normalise import normalise
from cleartosend.policy.rulebook import load_rulebook
from cleartosend.testing import attacks

RULEBOOK = load_rulebook()


def undone(written: str) -> str:
    folded = normalise(written)
    found = undo(folded.squeezed or folded)
    return folded.text if found is None else found.text


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("急需代贝土示欠请来电", "急需贷款请来电"),
        ("扌召耳甹普工", "招聘普工"),
        ("袋宽请来电", "贷款请来电"),
        ("办理dai款", "办理贷款"),
        ("办理daikuan业务", "办理贷款业务"),
        ("请加wei信", "请加微信"),
        ("请加薇❤", "请加薇信"),
        ("代开发嘌", "代开发票"),
        ("cheap l0an", "cheap loan"),
        ("get c4$h now", "get cash now"),
        ("1oan today", "loan today"),
        ("lo*an today", "loan today"),
        ("lo-an today", "loan today"),
    ],
)
def test_a_disguised_word_is_read(written: str, read: str) -> None:
    assert undone(written) == read


@pytest.mark.parametrize(
    "written",
    [
        "今晚机房带宽升级，请提前保存。",
        "您的预期到货时间为{1}。",
        "头发护理预约成功，时间{1}。",
        "您的MP3播放器和4K电视已发货。",
        "B2B平台将于{1}升级到v2.0。",
        "请连接Wi-Fi后登录user_name@example.com。",
        "The meeting is at 4pm in room 12b.",
        "Your e-mail address was changed.",
        "COVID19 test results are ready.",
        "司机李师傅（粤B12345）将于{1}到达。",
    ],
)
def test_an_honest_text_is_not_read_for_anything_else(written: str) -> None:
    submission = Submission(text=written, type=MessageType.NOTIFICATION)
    assert not [finding for finding in judge(submission, RULEBOOK).findings if finding.category != "form"]


def test_what_was_undone_leads_back_to_the_place_as_written() -> None:
    written = "您好，急需代\u200b贝土示欠请来电"
    found = undo(normalise(written))
    assert found is not None
    start = found.text.index("贷款")
    assert written[slice(*found.span(start, start + 2))] == "代\u200b贝土示欠"
    assert found.adds(start, start + 2)
    assert not found.adds(0, 2)


def test_a_place_behind_several_disguises_is_found_too() -> None:
    written = "扌召耳甹普工，代贝土示欠"
    found = undo(normalise(written))
    assert found is not None
    start = found.text.index("普工")
    assert written[slice(*found.span(start, start + 2))] == "普工"


def test_one_sound_alike_may_be_chance_and_several_hide_something() -> None:
    chance = undo(normalise("以前的渐止今天又开始了，请留意天气变化。"))
    hidden = undo(normalise("自煮铺胶，味姚很好，吃后口复，荒迎选够，厂驾只消"))
    assert chance is None or not chance.hides
    assert hidden is not None
    assert hidden.hides


def test_in_few_words_two_sounds_alike_hide_something() -> None:
    assert undone("劲天给我大宽") == "今天给我打款"
    assert undone("李明天十点到。") == "李明天十点到。"


@given(st.text(max_size=300))
def test_any_text_can_be_undone_and_every_place_in_it_leads_back(written: str) -> None:
    folded = normalise(written)
    found = undo(folded.squeezed or folded)
    if found is None:
        return
    for offset in range(len(found.text)):
        start, end = found.span(offset, offset + 1)
        assert 0 <= start < end <= len(written)


@given(
    st.lists(
        st.sampled_from(["代贝", "dai", "wei信", "l0an", "鹅肚", "款", " ", "，", "a", "亻言", "❤", "贷"]), max_size=12
    )
)
def test_places_keep_their_order_through_the_undoing(pieces: list[str]) -> None:
    folded = normalise("".join(pieces))
    found = undo(folded.squeezed or folded)
    if found is None:
        return
    starts = [found.span(offset, offset + 1)[0] for offset in range(len(found.text))]
    assert starts == sorted(starts)


@pytest.mark.parametrize("name", attacks.ALL)
@pytest.mark.parametrize(
    "text",
    [
        "无抵押贷款，当天放款，利息低，请加微信13800138000咨询办理。",
        "代开各类发票，先验票后付款，联系电话13800138000，微信同号。",
        "招聘兼职打字员，日结200元，加QQ群12345678报名。",
        "Quick personal loans with no credit check, borrow 5000 today, call 13800138000.",
    ],
)
def test_what_is_stopped_in_the_clear_is_stopped_in_disguise(name: str, text: str) -> None:
    for seed in range(10):
        disguised = attacks.ALL[name](text, random.Random(seed))
        verdict = judge(Submission(text=disguised, type=MessageType.NOTIFICATION), RULEBOOK)
        assert verdict.decision is not Decision.APPROVE, disguised
