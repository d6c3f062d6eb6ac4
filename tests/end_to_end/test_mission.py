"""Each row of the policy's table holds when a template is applied for and again when a message is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from review.site import PAGE, Answer, site
from sqlalchemy import Connection
from usual import PNG, Clock, Usual, approved_signature, approved_template, reasons

from cleartosend.cli.account import create_account
from cleartosend.compose import Platform, running_platform
from cleartosend.model.accounts import Account, AccountKind, AccountSettings, AccountStatus
from cleartosend.model.applications import ReviewState, SignatureForm, Subject, Template, TemplateForm
from cleartosend.model.messages import RecipientOutcome
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType
from cleartosend.review.desk import open_folder
from cleartosend.settings import Settings
from cleartosend.store import accounts, members

ANN = "+8613711112222"
BEN = "+8613711113333"
ENDING = "拒收请回复R"
ENOUGH_SECONDS = 20

# For each row that speaks of what a text says: a text that it refuses and a near miss that it lets pass.
TEXTS = [
    (4, "zh", "您的订单已发货，全场新品八折，快来抢购吧", "您的订单已发货，已为您使用优惠券抵扣10元"),
    (4, "en", "Your parcel is on its way. Shop our summer sale now and get 50% off!", "Your parcel is on its way."),
    (6, "zh", "无抵押贷款，最快当天放款，额度高达30万", "本馆提醒：我们从不提供贷款，请谨防贷款诈骗"),
    (
        6,
        "en",
        "Need cash? Get an instant personal loan today, low interest.",
        "Your library loan is due back on Friday.",
    ),
    (7, "zh", "诚邀您参加本公司的面试，请携带简历于周三到场", "您预约的采访定于周三上午，请准时到场"),
    (7, "en", "We are hiring! Come for a job interview on Monday.", "Your print job has finished."),
    (8, "zh", "您的欠款已严重逾期，请立即还款，否则将起诉", "您本月的电费账单为56元，感谢您的使用"),
    (8, "en", "Pay your overdue debt now or we will take legal action.", "Your statement for May is ready to view."),
    (9, "zh", "全屋装修特惠，免费量房设计，欢迎业主咨询", "您购买的沙发将于明日上午送达，请保持电话畅通"),
    (
        9,
        "en",
        "Home renovation offers: free design and measuring for your flat.",
        "Your sofa will be delivered tomorrow.",
    ),
    (10, "zh", "请添加客服微信，进群领取资料", "您已通过微信支付付款25元"),
    (
        10,
        "en",
        "Join our WeChat group and add our WeChat account for news.",
        "Your WeChat Pay payment of 25 yuan arrived.",
    ),
    (11, "zh", "英语培训班火热招生，现在报名立减500元", "家长您好，学校明天放假一天，请安排好孩子"),
    (11, "en", "Enrol now in our English course, places are limited!", "Dear parents, school is closed tomorrow."),
    (13, "zh", "购物满100返现20元，充值VIP会员享双倍返利", "您的退款20元已原路退回，请查收"),
    (13, "en", "Get 20% cashback on every order, buy our VIP membership.", "Your refund of 20 yuan has been issued."),
    (14, "zh", "新店盛大开业，新用户注册即送大礼包", "您的账号已注册成功，请妥善保管密码"),
    (14, "en", "Grand opening! New users get a sign-up gift.", "Your account has been registered."),
]

# Rows whose texts have a link, which no value may have: told apart at send by the template, not by the value.
LOAN_APP = {
    "zh": "下载急速贷APP领取借款额度：https://dk.example.cn/app",
    "en": "Download our loan app and borrow cash at once: https://loan.example.com/app",
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def platform(tmp_path: Path, clock: Clock) -> AsyncIterator[Platform]:
    # The texts below have links to nowhere: those of a site of our own are opened in a test of their own.
    settings = Settings(data=tmp_path / "data", drain_seconds=0.1, open_links=False)
    async with running_platform(settings, clock=clock) as running:
        yield running


async def account_of(platform: Platform, *, kind: AccountKind = AccountKind.ORGANIZATION) -> Usual:
    """A verified account that may use long values, with an approved signature and templates that are all variable."""

    def work(tx: Connection) -> Usual:
        made = create_account(tx, name="清风书店", kind=kind, verified=True, vault=platform.vault, now=1.0)
        generous = AccountSettings(variable_length=500, per_number_per_day=None, same_content_per_30_seconds=None)
        accounts.set_settings(tx, made.account_id, generous)
        approved_signature(tx, made.account_id)
        return Usual(
            made,
            code=approved_template(tx, made.account_id, "您的验证码是{1}", MessageType.VERIFICATION),
            notice=approved_template(tx, made.account_id, "通知：{1}。", MessageType.NOTIFICATION),
            marketing=approved_template(tx, made.account_id, "尊敬的会员，{1}" + ENDING, MessageType.MARKETING),
        )

    return await platform.engine.write(work)


async def read_account(platform: Platform, usual: Usual) -> Account:
    account = await platform.engine.read(lambda tx: accounts.find(tx, usual.account.account_id))
    assert account is not None
    return account


async def apply(
    platform: Platform, usual: Usual, text: str, type_: MessageType = MessageType.NOTIFICATION
) -> Template | Refusal:
    """Apply for a template; what became of it."""
    form = TemplateForm(name="t", text=text, type=type_, international=False)
    made = await platform.applications.apply(await read_account(platform, usual), form)
    return made if isinstance(made, Refusal) else await read_template(platform, made)


async def read_template(platform: Platform, template_id: int) -> Template:
    folder = await platform.engine.read(lambda tx: open_folder(tx, Subject.TEMPLATE, template_id))
    assert folder is not None
    assert isinstance(folder.application, Template)
    return folder.application


async def state_of(platform: Platform, usual: Usual, text: str) -> ReviewState:
    application = await apply(platform, usual, text)
    assert isinstance(application, Template)
    return application.state


async def send(
    platform: Platform, usual: Usual, value: str, *, template: str | None = None, number: str = ANN
) -> list[RecipientOutcome] | Refusal:
    return await platform.admission.accept(usual.call(number, template=template or usual.notice, values=[value]))


@pytest.mark.parametrize(("row", "language", "refused", "passes"), TEXTS)
async def test_a_row_holds_at_application(
    platform: Platform, row: int, language: str, refused: str, passes: str
) -> None:
    usual = await account_of(platform)
    assert await state_of(platform, usual, refused) is ReviewState.REJECTED, (row, language)
    assert await state_of(platform, usual, passes) is ReviewState.APPROVED, (row, language)


@pytest.mark.parametrize(("row", "language", "refused", "passes"), TEXTS)
async def test_a_row_holds_at_send(platform: Platform, row: int, language: str, refused: str, passes: str) -> None:
    usual = await account_of(platform)
    assert reasons(await send(platform, usual, refused)) == [Reason.CONTENT_PROHIBITED], (row, language)
    assert reasons(await send(platform, usual, passes)) == [None], (row, language)


@pytest.mark.parametrize(("row", "language", "refused", "passes"), TEXTS)
async def test_what_is_rejected_is_kept_with_the_words(
    platform: Platform, row: int, language: str, refused: str, passes: str
) -> None:
    usual = await account_of(platform)
    application = await apply(platform, usual, refused)
    assert isinstance(application, Template)
    folder = await platform.engine.read(lambda tx: open_folder(tx, Subject.TEMPLATE, application.id))
    assert folder is not None
    event = folder.history[-1]
    assert (event.by, event.rulebook, event.text) == ("machine", platform.rulebook.digest, refused)
    assert event.findings, (row, language, passes)
    assert all(refused[finding.start : finding.end] == finding.quote for finding in event.findings)
    assert any(f"“{finding.quote}”" in application.reply for finding in event.findings)


async def test_row_1_nothing_is_sent_without_both_approved(platform: Platform) -> None:
    usual = await account_of(platform)
    rejected = await apply(platform, usual, "低息贷款，当天放款")
    assert isinstance(rejected, Template)
    call = usual.call(ANN, template_id=str(rejected.id), values=[])
    assert reasons(await platform.admission.accept(call)) == [Reason.TEMPLATE_NOT_APPROVED]
    call = usual.call(ANN, template=usual.notice, values=["到了"], signature="没有申请")
    assert reasons(await platform.admission.accept(call)) == [Reason.SIGNATURE_NOT_APPROVED]
    assert reasons(await send(platform, usual, "到了")) == [None]


async def test_row_2_an_individual_neither_applies_for_marketing_nor_sends_it(platform: Platform) -> None:
    individual = await account_of(platform, kind=AccountKind.INDIVIDUAL)
    for text in ("尊敬的会员，新书已到店，欢迎选购。拒收请回复R", "Dear member, new books are in. 拒收请回复R"):
        refused = await apply(platform, individual, text, MessageType.MARKETING)
        assert isinstance(refused, Refusal)
        assert refused.reason is Reason.MARKETING_TEMPLATE_BY_INDIVIDUAL
    outcome = await send(platform, individual, "新书已到店，欢迎选购。", template=individual.marketing)
    assert reasons(outcome) == [Reason.MARKETING_BY_INDIVIDUAL]
    assert reasons(await send(platform, individual, "到了")) == [None]


async def test_row_3_an_organisation_markets_to_its_members_and_to_nobody_else(platform: Platform) -> None:
    usual = await account_of(platform)
    await platform.engine.write(
        lambda tx: members.add_members(tx, usual.account.account_id, [ANN], source="registration", now=1.0)
    )
    for text in (
        "尊敬的会员，您订阅的期刊已出新一期，欢迎阅读。拒收请回复R",
        "Dear member, our new books are in. 拒收请回复R",
    ):
        application = await apply(platform, usual, text, MessageType.MARKETING)
        assert isinstance(application, Template)
        assert application.state is ReviewState.APPROVED, application.reply
        call = usual.call(ANN, BEN, template_id=str(application.id), values=[])
        assert reasons(await platform.admission.accept(call)) == [None, Reason.NOT_A_MEMBER]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("您的电子发票已开具，请访问 https://fp.example.cn/{1} 查看。", ReviewState.REJECTED),
        ("您的电子发票已开具，详情见{1}.example.cn。", ReviewState.REJECTED),
        ("Your invoice is ready: www.{1}.com", ReviewState.REJECTED),
        # Until it has been opened, nobody knows what is behind a link.
        ("您的电子发票已开具，请访问 https://fp.example.cn/my 查看。", ReviewState.REFERRED),
        ("Your invoice is ready: https://fp.example.com/my", ReviewState.REFERRED),
        ("您的电子发票已开具，金额12.50元。", ReviewState.APPROVED),
        ("Your invoice no. {1} over 12.50 is ready.", ReviewState.APPROVED),
    ],
)
async def test_row_5_a_link_is_constant_text(platform: Platform, text: str, state: ReviewState) -> None:
    assert await state_of(platform, await account_of(platform), text) is state


@pytest.mark.parametrize(
    ("path", "state", "status"),
    [
        ("/invoice", ReviewState.APPROVED, AccountStatus.ACTIVE),
        ("/nothing", ReviewState.REJECTED, AccountStatus.ACTIVE),
        ("/loans", ReviewState.REJECTED, AccountStatus.SUSPENDED),
    ],
)
async def test_rows_5_and_12_a_link_is_opened_and_its_page_is_held_to_the_rules(
    tmp_path: Path, path: str, state: ReviewState, status: AccountStatus
) -> None:
    settings = Settings(data=tmp_path / "data", drain_seconds=0.1, link_networks="127.0.0.0/8,::1/128")
    async with site() as pages, running_platform(settings) as platform:
        pages.pages["/invoice"] = Answer(PAGE.format(title="电子发票", text="您的电子发票已开具，请核对抬头和金额。"))
        loans = "无抵押贷款，当天放款，额度三十万。立即下载APP申请贷款。"
        pages.pages["/loans"] = Answer(PAGE.format(title="极速贷", text=loans))
        usual = await account_of(platform)
        application = await apply(platform, usual, f"您的电子发票已开具，请访问 {pages.url(path)} 查看。")
        assert isinstance(application, Template)
        async with asyncio.timeout(ENOUGH_SECONDS):
            while (application := await read_template(platform, application.id)).state is ReviewState.REFERRED:
                await asyncio.sleep(0.02)
        assert application.state is state, application.reply
        assert (await read_account(platform, usual)).status is status


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("https://example.cn/a", Reason.VALUE_HAS_LINK),
        ("详见 t.cn/a8xK", Reason.VALUE_HAS_LINK),
        ("see example.com", Reason.VALUE_HAS_LINK),
        ("金额12.50元", None),
        ("version 3.14 installed", None),
    ],
)
async def test_row_5_no_value_holds_a_link(platform: Platform, value: str, reason: Reason | None) -> None:
    assert reasons(await send(platform, await account_of(platform), value)) == [reason]


@pytest.mark.parametrize("language", LOAN_APP)
async def test_row_12_a_link_to_a_loan_app_stops_the_account_at_application(platform: Platform, language: str) -> None:
    usual, other = await account_of(platform), await account_of(platform)
    application = await apply(platform, usual, LOAN_APP[language])
    assert isinstance(application, Template)
    assert application.state is ReviewState.REJECTED
    assert (await read_account(platform, usual)).status is AccountStatus.SUSPENDED
    assert (await read_account(platform, other)).status is AccountStatus.ACTIVE
    answer = await send(platform, usual, "到了")
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.ACCOUNT_NOT_ACTIVE
    refused = await apply(platform, usual, "您的订单已发货。")
    assert isinstance(refused, Refusal)


@pytest.mark.parametrize("language", LOAN_APP)
async def test_row_12_a_link_to_a_loan_app_stops_the_account_at_send(platform: Platform, language: str) -> None:
    usual = await account_of(platform)
    assert reasons(await send(platform, usual, LOAN_APP[language])) == [Reason.VALUE_HAS_LINK]
    assert (await read_account(platform, usual)).status is AccountStatus.SUSPENDED
    assert isinstance(await send(platform, usual, "到了"), Refusal)


@pytest.mark.parametrize(
    "text", ["谨防诈骗：本行不会以短信发送贷款APP下载链接", "We never send links to loan apps. Beware of fraud."]
)
async def test_row_12_a_warning_of_loan_apps_stops_nobody(platform: Platform, text: str) -> None:
    usual = await account_of(platform)
    assert await state_of(platform, usual, text) is ReviewState.APPROVED
    assert reasons(await send(platform, usual, text)) == [None]
    assert (await read_account(platform, usual)).status is AccountStatus.ACTIVE


async def test_a_signature_is_held_to_the_same_rules(platform: Platform) -> None:
    usual = await account_of(platform)
    account = await read_account(platform, usual)

    async def state(text: str) -> ReviewState:
        form = SignatureForm(
            text=text, sign_type=0, document_type=0, international=False, for_another=False, proof_image=PNG
        )
        made = await platform.applications.apply(account, form)
        assert not isinstance(made, Refusal), made
        folder = await platform.engine.read(lambda tx: open_folder(tx, Subject.SIGNATURE, made))
        assert folder is not None
        return folder.application.state

    assert await state("低息贷款") is ReviewState.REJECTED
    assert await state("测试") is ReviewState.REJECTED
    assert await state("明月茶馆") is ReviewState.APPROVED


def test_every_row_about_texts_has_both_languages() -> None:
    assert {(row, language) for row, language, _, _ in TEXTS} == {
        (row, language) for row in (4, 6, 7, 8, 9, 10, 11, 13, 14) for language in ("zh", "en")
    }
