"""Links are opened before a template may be sent, and again while it may; what was seen is kept."""

import asyncio
import socket
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from review.site import FAIR, PAGE, Answer, Site, site
from usual import Clock, Usual, reasons, usual_account, usual_admission

from cleartosend.carriers.dispatch import stop_account, stop_application
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.applications import ReviewMove, ReviewReason, ReviewState, Subject, Template, TemplateForm
from cleartosend.model.links import Agent, Sight, Visit
from cleartosend.model.messages import MessageState
from cleartosend.model.verdicts import MessageType, Submission, Verdict
from cleartosend.outbound import Guard
from cleartosend.policy.judge import judge
from cleartosend.policy.rulebook import load_rulebook
from cleartosend.ports import Engine
from cleartosend.review import desk
from cleartosend.review.apply import Applications
from cleartosend.review.links import FIRST_LOOK_AGAIN_SECONDS, LARGE_SEND, TRIES, Links
from cleartosend.review.pages import MOST_PAGE_BYTES, MOST_STEPS, look, urls_of
from cleartosend.review.sights import WORDS, Words, findings_of
from cleartosend.settings import Settings
from cleartosend.store import accounts, applications, links, messages

RULEBOOK = load_rulebook(None)
LOAN_APP = PAGE.format(title="极速借款", text="极速贷款，无抵押低息，当天放款，额度二十万。立即下载APP申请贷款。")


def careful_judge(submission: Submission) -> Verdict:
    return judge(submission, RULEBOOK)


class Desk:
    """An account that applies with links, and the opener of links that runs when it is told to."""

    def __init__(self, engine: Engine, usual: Usual, pages: Site, *, networks: str = "127.0.0.0/8,::1/128") -> None:
        self.engine = engine
        self.usual = usual
        self.site = pages
        self.clock = Clock()
        self.guard = Guard(networks)
        self.links = Links(
            engine=engine,
            guard=self.guard,
            judge=careful_judge,
            clock=self.clock,
            stop_account=stop_account,
            stop_application=stop_application,
        )
        self.applications = Applications(
            engine=engine, judge=careful_judge, clock=self.clock, stop_account=stop_account
        )

    async def apply(
        self,
        *urls: str,
        text: str = "您的订单已发货，详情见 {}，请留意查收。",
        type_: MessageType = MessageType.NOTIFICATION,
    ) -> int:
        account = await self.engine.read(lambda tx: accounts.find(tx, self.usual.account.account_id))
        assert account is not None
        form = TemplateForm(name="t", text=text.format(" ".join(urls)), type=type_, international=False)
        made = await self.applications.apply(account, form)
        assert isinstance(made, int)
        return made

    async def open_due(self) -> int:
        async with self.guard.client(most_connections=4) as client:
            return await self.links.open_due(client)

    async def opened(self, *urls: str) -> Template:
        """Apply, open, and see what became of it."""
        template_id = await self.apply(*urls)
        assert await self.open_due() == 1
        return await self.template(template_id)

    async def template(self, template_id: int) -> Template:
        found = await self.engine.read(lambda tx: applications.find_template(tx, template_id))
        assert found is not None
        return found

    async def visits(self, template_id: int) -> list[Visit]:
        return await self.engine.read(lambda tx: links.visits_of(tx, template_id))

    async def status(self) -> AccountStatus:
        account = await self.engine.read(lambda tx: accounts.find(tx, self.usual.account.account_id))
        assert account is not None
        return account.status


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite alone: what is asked of the store about links is tested on every engine beside the store."""
    return Settings(data=tmp_path / "data")


@pytest.fixture
async def pages() -> AsyncIterator[Site]:
    async with site() as its:
        yield its


@pytest.fixture
async def its(engine: Engine, pages: Site) -> Desk:
    return Desk(engine, await usual_account(engine), pages)


async def test_a_template_waits_until_its_link_has_been_opened_and_is_then_approved(its: Desk) -> None:
    template_id = await its.apply(its.site.url("/order"))
    assert (await its.template(template_id)).state is ReviewState.REFERRED
    its.site.pages["/order"] = Answer()
    await its.open_due()
    assert (await its.template(template_id)).state is ReviewState.APPROVED


async def test_what_was_seen_by_telephone_and_desk_is_kept(its: Desk) -> None:
    template = await its.opened(its.site.url())
    visits = await its.visits(template.id)
    assert {visit.agent for visit in visits} == set(Agent)
    for visit in visits:
        assert (visit.sight, visit.status, visit.title) == (Sight.OPENED, 200, "订单查询")
        assert visit.chain == (its.site.url(),)
        assert visit.text.startswith("请输入订单号")
        assert len(visit.digest) == 64


async def test_a_link_to_nothing_is_rejected_with_the_link_quoted(its: Desk) -> None:
    template = await its.opened(its.site.url("/gone"))
    assert template.state is ReviewState.REJECTED
    assert "[link-does-not-open]" in template.reply
    assert f"localhost:{its.site.port}/gone" in template.reply


async def test_a_link_to_a_loan_app_is_rejected_and_the_account_stopped(its: Desk) -> None:
    its.site.pages["/app"] = Answer(LOAN_APP)
    template = await its.opened(its.site.url("/app"))
    assert template.state is ReviewState.REJECTED
    assert "[link-to-a-loan-app]" in template.reply
    assert await its.status() is AccountStatus.SUSPENDED


async def test_a_page_of_a_prohibited_kind_is_rejected_and_its_words_are_quoted(its: Desk) -> None:
    text = "澳门在线赌场，百家乐、老虎机，首存送彩金，注册即可下注。"
    its.site.pages["/play"] = Answer(PAGE.format(title="真人娱乐", text=text))
    template = await its.opened(its.site.url("/play"))
    assert template.state is ReviewState.REJECTED
    assert "[link-to-prohibited-content]" in template.reply
    assert "“" in template.reply
    assert await its.status() is AccountStatus.ACTIVE


async def test_a_bank_that_mentions_loans_far_down_its_page_waits_for_a_person(its: Desk) -> None:
    news = "本行营业时间为周一至周五上午九点至下午五点，节假日安排以公告为准。" * 20
    its.site.pages["/bank"] = Answer(PAGE.format(title="清风银行", text=f"{news}无抵押贷款，当天放款。"))
    template = await its.opened(its.site.url("/bank"))
    assert template.state is ReviewState.REFERRED
    assert await its.status() is AccountStatus.ACTIVE


async def test_redirects_within_a_domain_are_followed_and_kept(its: Desk) -> None:
    its.site.redirect("/short", "/long")
    its.site.pages["/long"] = Answer()
    template = await its.opened(its.site.url("/short"))
    assert template.state is ReviewState.APPROVED
    assert (await its.visits(template.id))[0].chain == (its.site.url("/short"), its.site.url("/long"))


async def test_a_page_that_sends_its_reader_on_by_itself_is_followed_too(its: Desk) -> None:
    its.site.pages["/start"] = Answer('<html><head><meta http-equiv="Refresh" content="0; url=/app"></head></html>')
    its.site.pages["/app"] = Answer(LOAN_APP)
    assert "[link-to-a-loan-app]" in (await its.opened(its.site.url("/start"))).reply


async def test_a_link_that_leads_to_another_domain_waits_for_a_person(its: Desk) -> None:
    its.site.redirect("/out", its.site.url(host="127.0.0.1"))
    assert (await its.opened(its.site.url("/out"))).state is ReviewState.REFERRED


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f000001", "0x7f.1", "2130706433", "0177.0.0.1", "127.1"])
async def test_a_bare_address_waits_for_a_person_in_any_spelling(its: Desk, host: str) -> None:
    assert (await its.opened(its.site.url(host=host))).state is not ReviewState.APPROVED


async def test_redirects_in_a_circle_come_to_an_end(its: Desk) -> None:
    its.site.redirect("/round", "/round")
    template = await its.opened(its.site.url("/round"))
    assert template.state is ReviewState.REFERRED
    assert its.site.asked.count("/round") == MOST_STEPS * len(Agent)


async def test_a_link_that_shows_telephones_another_page_waits_for_a_person(its: Desk) -> None:
    def two_faced(head: str) -> Answer:
        return Answer("", 302, (("Location", its.site.url(host="127.0.0.1")),)) if "Mobile" in head else Answer()

    its.site.pages["/two"] = two_faced
    template = await its.opened(its.site.url("/two"))
    assert template.state is ReviewState.REFERRED


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"PK\x03\x04", headers=(("Content-Type", "application/vnd.android.package-archive"),)),
        Answer("<html><body><div id=app></div><script>draw()</script></body></html>"),
        Answer("busy", 503),
        Answer("not for robots", 403),
    ],
    ids=["an app", "a page drawn by scripts", "a busy server", "a server that turns robots away"],
)
async def test_what_a_machine_cannot_read_waits_for_a_person(its: Desk, answer: Answer) -> None:
    its.site.pages["/odd"] = answer
    assert (await its.opened(its.site.url("/odd"))).state is ReviewState.REFERRED


async def test_an_endless_page_is_not_read_to_its_end(its: Desk) -> None:
    its.site.pages["/long"] = Answer(FAIR + "x" * MOST_PAGE_BYTES)
    template = await its.opened(its.site.url("/long"))
    assert template.state is ReviewState.REFERRED
    assert "longer than" in (await its.visits(template.id))[0].error


async def test_a_page_in_an_older_chinese_encoding_is_read(its: Desk) -> None:
    its.site.pages["/gbk"] = Answer(LOAN_APP.encode("gb18030"), headers=(("Content-Type", "text/html; charset=gbk"),))
    assert "[link-to-a-loan-app]" in (await its.opened(its.site.url("/gbk"))).reply


async def test_every_link_of_a_template_counts(its: Desk) -> None:
    assert (await its.opened(its.site.url(), its.site.url("/gone"))).state is ReviewState.REJECTED


async def test_without_a_way_out_a_link_waits_for_a_person_however_often_it_is_tried(
    its: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_names(*_arguments: object, **_named: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", no_names)
    monkeypatch.setattr(socket, "getaddrinfo", no_names)
    template_id = await its.apply("http://shop.example.com/x")
    for _ in range(TRIES + 1):
        assert await its.open_due() == 1
        its.clock.advance(86_400)
    assert (await its.template(template_id)).state is ReviewState.REFERRED


async def test_a_link_that_never_answers_is_rejected_when_others_do(its: Desk) -> None:
    its.site.pages["/busy"] = Answer("busy", 503)
    template_id = await its.apply(its.site.url("/busy"))
    for _ in range(TRIES):
        assert (await its.template(template_id)).state is ReviewState.REFERRED
        await its.open_due()
        its.clock.advance(3600)
    assert (await its.template(template_id)).state is ReviewState.REJECTED


async def test_a_doubt_about_the_text_is_not_settled_by_its_link(its: Desk) -> None:
    template_id = await its.apply(its.site.url(), text="您的验证码是{{1}}，详情见 {}。", type_=MessageType.VERIFICATION)
    [*_, referred] = await its.engine.read(lambda tx: applications.events_of(tx, Subject.TEMPLATE, template_id))
    assert {finding.rule for finding in referred.findings} == {"link-in-verification"}
    await its.open_due()
    assert (await its.template(template_id)).state is ReviewState.REFERRED


# --- after approval ---


async def test_links_are_opened_again_ever_more_rarely_while_nothing_changes(its: Desk) -> None:
    await its.opened(its.site.url())
    waits = []
    for _ in range(4):
        waited = 0.0
        while not await its.open_due():
            its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
            waited += FIRST_LOOK_AGAIN_SECONDS
        waits.append(waited / FIRST_LOOK_AGAIN_SECONDS)
    assert waits == [1, 2, 4, 8]


async def test_a_page_that_turned_into_a_loan_app_takes_the_approval_back_and_stops_the_account(its: Desk) -> None:
    template = await its.opened(its.site.url())
    its.site.pages["/"] = Answer(LOAN_APP)
    its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
    await its.open_due()
    recalled = await its.template(template.id)
    assert recalled.state is ReviewState.REFERRED
    assert "[link-to-a-loan-app]" in recalled.reply
    assert await its.status() is AccountStatus.SUSPENDED
    history = await its.engine.read(lambda tx: applications.events_of(tx, Subject.TEMPLATE, template.id))
    assert history[-1].move is ReviewMove.RECALL
    assert history[-1].findings


async def test_a_link_that_has_moved_to_another_domain_takes_the_approval_back(its: Desk) -> None:
    template = await its.opened(its.site.url())
    its.site.redirect("/", its.site.url("/there", host="127.0.0.1"))
    its.site.pages["/there"] = Answer()
    its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
    await its.open_due()
    assert (await its.template(template.id)).state is ReviewState.REFERRED


async def test_what_waits_with_a_template_whose_link_has_moved_does_not_go_out(its: Desk) -> None:
    template = await its.opened(its.site.url())
    its.site.redirect("/", its.site.url("/there", host="127.0.0.1"))
    its.site.pages["/there"] = Answer()
    its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
    call = its.usual.call("+8613711112222", template=str(template.id), values=())
    assert reasons(await usual_admission(its.engine, its.clock).accept(call)) == [None]
    await its.open_due()
    assert (await its.template(template.id)).state is ReviewState.REFERRED
    [ended] = await its.engine.write(lambda tx: messages.take_statuses(tx, its.usual.account.sdk_app_id, 10))
    assert (ended.state, ended.code) == (MessageState.FAILED, "STOPPED")


async def test_another_text_on_the_same_page_is_no_drift(its: Desk) -> None:
    template = await its.opened(its.site.url())
    its.site.pages["/"] = Answer(PAGE.format(title="订单查询", text="系统将于今晚升级，届时请稍后再查询您的订单。"))
    its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
    await its.open_due()
    assert (await its.template(template.id)).state is ReviewState.APPROVED


async def test_one_bad_day_of_a_site_does_not_take_its_approval_back(its: Desk) -> None:
    template = await its.opened(its.site.url())
    its.site.pages["/"] = Answer("busy", 503)
    its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
    await its.open_due()
    its.site.pages["/"] = Answer()
    its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
    await its.open_due()
    assert (await its.template(template.id)).state is ReviewState.APPROVED


async def test_a_site_that_stays_silent_takes_its_approval_back(its: Desk) -> None:
    template = await its.opened(its.site.url())
    its.site.pages["/"] = Answer("busy", 503)
    for _ in range(TRIES):
        its.clock.advance(FIRST_LOOK_AGAIN_SECONDS)
        await its.open_due()
    assert (await its.template(template.id)).state is ReviewState.REFERRED


async def test_what_a_person_approved_in_spite_of_a_doubt_is_not_taken_back_for_that_doubt(its: Desk) -> None:
    its.site.redirect("/out", its.site.url(host="127.0.0.1"))
    template = await its.opened(its.site.url("/out"))
    await its.engine.write(lambda tx: desk.approve(tx, template, by="mei", because="a partner's", now=its.clock()))
    its.clock.advance(30 * 86_400)
    assert await its.open_due() == 1
    assert (await its.template(template.id)).state is ReviewState.APPROVED


async def test_the_first_large_send_is_a_reason_to_look_again_at_once(its: Desk) -> None:
    template = await its.opened(its.site.url())
    its.links.sent(str(template.id), LARGE_SEND - 1)
    assert await its.open_due() == 0
    its.links.sent(str(template.id), 1)
    assert await its.open_due() == 1


async def test_a_template_that_was_rejected_or_deleted_is_opened_no_more(its: Desk) -> None:
    template = await its.opened(its.site.url())
    await its.engine.write(
        lambda tx: desk.reject(
            tx,
            template,
            by="mei",
            reason=ReviewReason.OTHER,
            because="no",
            now=its.clock(),
            stop_application=stop_application,
        )
    )
    its.clock.advance(30 * 86_400)
    asked = len(its.site.asked)
    await its.open_due()
    await its.open_due()
    its.clock.advance(30 * 86_400)
    assert await its.open_due() == 0
    assert len(its.site.asked) <= asked + len(Agent)


async def test_an_amended_template_is_judged_by_its_new_links(its: Desk) -> None:
    template = await its.opened(its.site.url("/gone"))
    account = await its.engine.read(lambda tx: accounts.find(tx, template.account_id))
    assert account is not None
    better = TemplateForm(
        name="t",
        text=f"您的订单已发货，详情见 {its.site.url()}，请留意查收。",
        type=MessageType.NOTIFICATION,
        international=False,
    )
    await its.applications.amend(account, template.id, better)
    await its.open_due()
    assert (await its.template(template.id)).state is ReviewState.APPROVED


async def test_one_pages_trouble_does_not_end_the_opening_of_others(its: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    odd, good = await its.apply(its.site.url("/odd")), await its.apply(its.site.url())

    def trips(template: str, *arguments: Any, **named: Any) -> Any:
        if "/odd" in template:
            raise ValueError("nobody expected this")
        return findings_of(template, *arguments, **named)

    monkeypatch.setattr("cleartosend.review.links.findings_of", trips)
    assert await its.open_due() == 2
    assert (await its.template(odd)).state is ReviewState.REFERRED
    assert (await its.template(good)).state is ReviewState.APPROVED


# --- nothing private is opened ---

# Every spelling of this machine, and what may stand beside it.
LOOPBACK = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f000001", "017700000001", "127.1"]
PRIVATE = [
    "127.0.0.2",
    "0.0.0.0",  # noqa: S104 - to be refused
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.100.100.200",
    "[::1]",
    "[::ffff:10.0.0.1]",
    "[fd00::1]",
    "[fe80::1]",
    "167772161",
    "0x0a000001",
    "012.0.0.1",
    "10.1",
]


@pytest.fixture
def elsewhere(pages: Site, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Where connections would have been opened to, the site apart; none is."""
    attempts: list[object] = []
    connect = BaseSelectorEventLoop.sock_connect

    async def sock_connect(loop: BaseSelectorEventLoop, its: socket.socket, address: tuple[Any, ...]) -> None:
        if address[:2] != ("127.0.0.1", pages.port):
            attempts.append(address)
            raise ConnectionRefusedError
        await connect(loop, its, address)

    monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", sock_connect)
    return attempts


async def seen(url: str, guard: Guard) -> Visit:
    async with guard.client(most_connections=1) as client:
        return await look(client, guard, url, Agent.PHONE, now=1.0)


@pytest.mark.parametrize("host", [*LOOPBACK, *PRIVATE])
async def test_a_link_to_a_private_address_is_not_opened(elsewhere: list[object], host: str) -> None:
    assert (await seen(f"http://{host}/x", Guard())).sight is Sight.NOT_ALLOWED
    assert elsewhere == []


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_redirect_to_a_private_address_is_not_followed(elsewhere: list[object], pages: Site, host: str) -> None:
    pages.redirect("/in", f"http://{host}/x")
    visit = await seen(pages.url("/in", host="127.0.0.1"), Guard("127.0.0.1/32"))
    assert visit.sight is not Sight.OPENED
    assert pages.asked == ["/in"]
    assert elsewhere == []


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://shop.example.com/", "javascript:alert(1)", "http:///x"])
async def test_a_redirect_to_what_is_no_web_page_is_not_followed(elsewhere: list[object], pages: Site, to: str) -> None:
    pages.redirect("/odd", to)
    visit = await seen(pages.url("/odd", host="127.0.0.1"), Guard("127.0.0.1/32"))
    assert visit.sight is not Sight.OPENED
    assert elsewhere == []


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("详见 example.com/a。", ["http://example.com/a"]),
        ("见https://m.example.cn/x?y=1，谢谢", ["https://m.example.cn/x?y=1"]),
        ("两次 example.com 和 example.com", ["http://example.com"]),
        ("没有链接", []),
    ],
)
def test_addresses_are_read_from_a_text_as_a_telephone_would(text: str, urls: list[str]) -> None:
    assert urls_of(text) == urls


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_every_finding_has_its_words_in_both_languages(words: Words) -> None:
    assert not words.zh.isascii()
    assert words.en.isascii()
