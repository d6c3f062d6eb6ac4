"""Judging whole texts, and mending them."""

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

from cleartosend.model.accounts import AccountKind
from cleartosend.model.verdicts import Action, Decision, MessageType, Nature, Part, Submission, Verdict
from cleartosend.policy.judge import judge, suggest
from cleartosend.policy.rulebook import Rulebook, load_rulebook

RULEBOOK = load_rulebook()


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return RULEBOOK


def template(text: str, **differs: object) -> Submission:
    """A domestic notification by an organisation, but for what differs."""
    usual: dict[str, object] = {"text": text, "type": MessageType.NOTIFICATION}
    return Submission(**{**usual, **differs})  # type: ignore[arg-type]


def message(fixed: str, *values: str, **differs: object) -> Submission:
    """A template filled in, with the places of its values."""
    text, spans = "", []
    for piece, value in zip(fixed.split("{}"), (*values, ""), strict=True):
        text += piece
        spans.append((len(text), len(text) + len(value)))
        text += value
    return template(text, part=Part.MESSAGE, values=tuple(spans[: len(values)]), **differs)


def rules(verdict: Verdict) -> set[str]:
    return {finding.rule for finding in verdict.findings}


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("您的验证码是{1}", MessageType.VERIFICATION),
        ("您的登录验证码为{1}，请于{2}分钟内填写。", MessageType.VERIFICATION),
        ("您的订单{1}已发出，运单号{2}，请留意查收。", MessageType.NOTIFICATION),
        ("您已取号{1}，前面还有{2}位，请在现场等候。", MessageType.NOTIFICATION),
        ("尊敬的会员，会员日全场八折，欢迎选购。拒收请回复R", MessageType.MARKETING),
    ],
)
def test_an_ordinary_template_is_approved(rulebook: Rulebook, text: str, type_: MessageType) -> None:
    verdict = judge(template(text, type=type_), rulebook)
    assert (verdict.decision, verdict.findings) == (Decision.APPROVE, ())
    assert verdict.rulebook == rulebook.digest
    assert verdict.nature in {Nature(type_.value), Nature.UNCLEAR}


@pytest.mark.parametrize("name", ["青禾书店", "微信", "马蜂窝", "青禾会议通知"])
def test_a_name_that_identifies_its_owner_is_approved_as_signature(rulebook: Rulebook, name: str) -> None:
    assert judge(template(name, part=Part.SIGNATURE), rulebook).decision is Decision.APPROVE


def test_a_finding_quotes_the_words_as_written(rulebook: Rulebook) -> None:
    text = "您的车已修好，请联系１３８-００１３-８０００取车。"
    (finding,) = judge(template(text), rulebook).findings
    assert finding.rule == "personal-mobile-number"
    assert finding.quote == "１３８-００１３-８０００" == text[finding.start : finding.end]


def test_rejecting_weighs_more_than_referring(rulebook: Rulebook) -> None:
    referred = judge(template("账单已出，请到www.example.com查看。"), rulebook)
    assert (referred.decision, rules(referred)) == (Decision.REFER, {"link-needs-opening"})
    rejected = judge(template("账单已出★请到www.example.com查看。"), rulebook)
    assert rejected.decision is Decision.REJECT
    assert {finding.action for finding in rejected.findings} == {Action.REFER, Action.REJECT}


def test_findings_stand_in_the_order_of_the_text_with_at_most_three_of_a_rule(rulebook: Rulebook) -> None:
    verdict = judge(template("★您的★订单★已★发货，详见www.example.com"), rulebook)
    assert [finding.start for finding in verdict.findings] == sorted(finding.start for finding in verdict.findings)
    assert sum(finding.rule == "garbling-symbol" for finding in verdict.findings) == 3


def test_findings_speak_the_language_of_the_text_or_the_one_asked_for(rulebook: Rulebook) -> None:
    chinese, english = template("您的订单★已发货。"), template("Your order ★ has shipped.")
    assert "符号" in judge(chinese, rulebook).findings[0].because
    assert "symbols" in judge(english, rulebook).findings[0].because
    assert "symbols" in judge(chinese, rulebook, language="en").findings[0].because
    assert "符号" in judge(english, rulebook, language="zh").findings[0].because


def test_an_individual_may_not_send_marketing(rulebook: Rulebook) -> None:
    text = "尊敬的会员，会员日全场八折，欢迎选购。拒收请回复R"
    for part in (Part.TEMPLATE, Part.MESSAGE):
        submission = template(text, type=MessageType.MARKETING, account=AccountKind.INDIVIDUAL, part=part)
        assert "marketing-by-individual" in rules(judge(submission, rulebook))


def test_a_message_is_not_held_to_the_notation_of_templates(rulebook: Rulebook) -> None:
    assert judge(message("您的口令是{}，请妥善保管。", "a{2}b"), rulebook).decision is Decision.APPROVE


def test_a_prohibited_word_that_a_value_brings_is_found(rulebook: Rulebook) -> None:
    assert judge(message("您预约的{}已登记，请按时到场。", "彩票"), rulebook).decision is not Decision.APPROVE


@pytest.mark.parametrize(
    "submission",
    [
        message("您预约的彩{}已登记，请按时到场。", "票开奖"),  # across a value and fixed text
        message("您预约的{}号已登记，{}号请按时到场。", "彩", "票开奖"),  # spread over two values
        message("您预约的{}已登记，请按时到场。", "彩 票 开奖"),
        message("您预约的{}已登记，请按时到场。", "彩\u200b票开奖"),
    ],
)
def test_a_prohibited_word_cannot_be_spread_out(rulebook: Rulebook, submission: Submission) -> None:
    verdict = judge(submission, rulebook)
    assert verdict.decision is Decision.REJECT


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("您预约的告别厅时间为{1}，殡仪馆敬上。", "funeral-services"),
        ("您在直播间下单的商品已发货。", "live-streaming"),
    ],
)
def test_a_plain_notice_that_names_a_trade_is_seen_by_a_person(rulebook: Rulebook, text: str, rule: str) -> None:
    verdict = judge(template(text), rulebook)
    assert verdict.decision is Decision.REFER
    assert [(finding.rule, finding.action) for finding in verdict.findings] == [(rule, Action.REFER)]
    sent = judge(template(text.replace("{1}", "周三"), part=Part.MESSAGE), rulebook)
    assert sent.decision is Decision.APPROVE  # as the person did who saw its template


def test_the_same_trade_is_rejected_where_it_is_offered(rulebook: Rulebook) -> None:
    assert judge(template("殡仪一条龙，风水宝地任选，欢迎来电。"), rulebook).decision is Decision.REJECT


def test_what_would_be_referred_counts_in_a_message_only_where_it_touches_a_value(rulebook: Rulebook) -> None:
    fixed = judge(message("账单{}已出，请到www.example.com查看。", "11月"), rulebook)
    assert fixed.decision is Decision.APPROVE
    value = judge(message("账单{}已出，请查看。", "www.example.com"), rulebook)
    assert value.decision is Decision.REJECT


@pytest.mark.parametrize(
    ("text", "type_", "fix"),
    [
        (
            "尊敬的会员，会员日全场八折，欢迎选购！回T退订。",
            "marketing",
            "尊敬的会员，会员日全场八折，欢迎选购！拒收请回复R",
        ),
        ("尊敬的会员，会员日全场八折，欢迎选购", "marketing", "尊敬的会员，会员日全场八折，欢迎选购，拒收请回复R"),
        ("【青禾】您的订单{1}已发货，请查收。", "notification", "您的订单{1}已发货，请查收。"),
        ("您的订单${2}已发货，运单号{code}。", "notification", "您的订单{1}已发货，运单号{2}。"),
        ("您的订单{2}已发货，运单号{1}。", "notification", "您的订单{1}已发货，运单号{2}。"),
        ("★您本次消费￥{1}，余额￥{2}，感谢光临。", "notification", "您本次消费{1}元，余额{2}元，感谢光临。"),
        ("您的动态码是{1}，请勿泄露给他人。", "verification", "您的验证码是{1}，请勿泄露给他人。"),
        ("您的验证码是{1}，请勿泄露。详见www.example.com", "verification", "您的验证码是{1}，请勿泄露。"),
        ("您的订单{1已发货，请查收。", "notification", "您的订单{1}已发货，请查收。"),
        ("您的订单{1}已发货，全场八折速来抢购！", "notification", "您的订单{1}已发货。"),
        ("您的订单{1}已发货（★），请查收。", "notification", "您的订单{1}已发货，请查收。"),
    ],
)
def test_a_text_that_small_edits_would_make_pass_is_suggested(
    rulebook: Rulebook, text: str, type_: str, fix: str
) -> None:
    submission = template(text, type=MessageType(type_))
    mended = suggest(submission, judge(submission, rulebook), rulebook)
    assert {finding.fix for finding in mended.findings} == {fix}
    assert judge(template(fix, type=submission.type), rulebook).decision is Decision.APPROVE


def test_a_greeting_and_an_ending_alone_are_not_suggested(rulebook: Rulebook) -> None:
    submission = template("尊敬的会员，充值100元返现50元。 拒收请回复R", type=MessageType.MARKETING)
    verdict = suggest(submission, judge(submission, rulebook), rulebook)
    assert verdict.decision is Decision.REJECT
    assert {finding.fix for finding in verdict.findings} == {None}


def test_the_brackets_of_a_signature_are_taken_off(rulebook: Rulebook) -> None:
    submission = template("【青禾书店】", part=Part.SIGNATURE)
    assert suggest(submission, judge(submission, rulebook), rulebook).findings[0].fix == "青禾书店"


@pytest.mark.parametrize(
    "text",
    [
        "★",
        "{1}{2}",
        "★{1}★",
        "您的账单已出，请到www.example.com查看。",
        # All that would be left is a greeting, thanks, or an ending.
        "尊敬的用户{1}您好，全场八折速来抢购，感谢您的支持！",
        "亲爱的会员，无抵押贷款当天放款，祝您生活愉快。",
        "Dear customer {1}, shop our summer sale now! Thank you for your support.",
        # The rest was about the same.
        "代孕服务，包成功，一对一咨询",
        "免抵押免担保，额度最高五十万，凭工作证明就能办",
        "Our WeChat ID: shop_2024, talk to us any time.",
    ],
)
def test_where_nothing_sensible_would_be_left_nothing_is_suggested(rulebook: Rulebook, text: str) -> None:
    submission = template(text)
    assert all(finding.fix is None for finding in suggest(submission, judge(submission, rulebook), rulebook).findings)


TROUBLE = (
    "您的验证码是 {1} {2} ${1} { } 【 】 贷款 加\u200b微信 www. .com １３８００１３８０００ 退订回T 拒收请回复R"
    " ￥ & ★ 。 ， l-o-a-n \ufdfa 😀 STOP \ud800 招聘 返利"
)
PIECES = st.one_of(st.text(max_size=8), st.sampled_from([*TROUBLE.split(), " ", "\n"]))
SUBMISSIONS = st.builds(
    Submission,
    text=st.lists(PIECES, max_size=30).map("".join),
    type=st.sampled_from(MessageType),
    account=st.sampled_from(AccountKind),
    part=st.sampled_from(Part),
    international=st.booleans(),
)
PLACES = st.tuples(*[st.integers(0, 80)] * 4).map(sorted)


@settings(max_examples=100, deadline=None)
@given(SUBMISSIONS, PLACES)
def test_whatever_the_text_the_judge_answers_and_quotes_it_rightly(submission: Submission, places: list[int]) -> None:
    text = submission.text
    if submission.part is Part.MESSAGE:
        one, two, three, four = (min(place, len(text)) for place in places)
        submission = msgspec.structs.replace(submission, values=((one, two), (three, four)))
    verdict = suggest(submission, judge(submission, RULEBOOK), RULEBOOK)
    assert (verdict.decision is Decision.APPROVE) == (not verdict.findings)
    for finding in verdict.findings:
        assert text[finding.start : finding.end] == finding.quote
        if finding.fix is not None:
            mended = msgspec.structs.replace(submission, text=finding.fix)
            assert judge(mended, RULEBOOK).decision is Decision.APPROVE


@pytest.mark.parametrize("part", Part)
def test_a_text_far_too_long_is_refused_whatever_it_says_at_its_end(rulebook: Rulebook, part: Part) -> None:
    assert "text-is-too-long" in rules(judge(template("您的订单已发货。" * 500 + "办理贷款", part=part), rulebook))


@pytest.mark.parametrize(
    "text",
    [
        "您借阅的图书已到期，请续借，详情见 http://lib.example.com/loan 请查看。",
        "Your library book is due. Renew at https://lib.example.com/loan/renew",
        "您的还款已到账，详情见 https://bank.example.com/loan 。",
        "您的还款已到账，详情见 https://bank.example.com/daikuan 。",
        "The new pieces are at https://museum.example.org/loans/ today.",
        "See https://museum.example.org/loans/ and download the catalogue.",
        "Get details at https://lib.example.com/loans or in our app.",
        "Download the calendar at calendar.com",
        "您还可借3本图书，详情 https://lib.example.com/x 。",
        "Borrow up to five books: https://lib.example.com/x",
    ],
)
def test_a_loan_in_a_link_alone_goes_to_a_person(rulebook: Rulebook, text: str) -> None:
    assert judge(template(text), rulebook).decision is Decision.REFER


@pytest.mark.parametrize(
    "text",
    [
        "立即借款，三分钟到账 https://bank.example.com/loan 。",
        "Get an instant loan: https://lib.example.com/loan",
        "Install it from https://quickloans.example.com/app",
        "Get an instant loan.Top rates at https://x.example.com/y",
        "Get an instant loan.www.x.example.com/y",
    ],
)
def test_lending_words_beside_a_link_ban(rulebook: Rulebook, text: str) -> None:
    assert judge(template(text), rulebook).bans


def test_a_quote_of_words_beside_a_link_has_all_of_the_link(rulebook: Rulebook) -> None:
    verdict = judge(template("Quick cash: https://x.example.com/y and more"), rulebook)
    assert "Quick cash: https://x.example.com/y" in {finding.quote for finding in verdict.findings}


@pytest.mark.parametrize("text", ["下载借款APP领取5万额度", "Download our loan app and borrow cash at once."])
def test_a_loan_app_is_called_nothing_else(rulebook: Rulebook, text: str) -> None:
    verdict = judge(template(text), rulebook)
    assert verdict.bans
    assert {finding.category for finding in verdict.findings} <= {"loan", "loan-app-link"}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x", "says-nothing"),
        ("hello", "says-nothing"),
        ("5", "says-nothing"),
        ("１２３。", "says-nothing"),
        ("您好{1}", "too-little-fixed-text"),
        ("{1}", "only-variables"),
    ],
)
def test_a_text_that_says_nothing_is_rejected_for_what_it_lacks(rulebook: Rulebook, text: str, rule: str) -> None:
    verdict = judge(template(text), rulebook)
    assert verdict.decision is Decision.REJECT
    assert rules(verdict) == {rule}


def test_findings_of_a_domestic_signature_speak_chinese_whatever_its_letters(rulebook: Rulebook) -> None:
    at_home = judge(template("XX", part=Part.SIGNATURE), rulebook)
    abroad = judge(template("XX", part=Part.SIGNATURE, international=True), rulebook)
    assert "签名" in at_home.findings[0].because
    assert "signature" in abroad.findings[0].because
    assert "signature" in judge(template("XX", part=Part.SIGNATURE), rulebook, language="en").findings[0].because
