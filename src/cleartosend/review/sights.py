"""What a reviewer makes of the pages behind a template's links: findings with the address or words they are about."""

import socket
from collections.abc import Callable, Iterable, Sequence
from functools import cache

import msgspec
from publicsuffixlist import PublicSuffixList

from cleartosend.model.accounts import AccountKind
from cleartosend.model.links import Agent, Sight, Visit
from cleartosend.model.verdicts import Action, Finding, MessageType, Part, Submission, Verdict
from cleartosend.policy.normalise import HAN, normalise
from cleartosend.policy.view import MOST_CHARACTERS_READ
from cleartosend.review.pages import host_of

Judge = Callable[[Submission], Verdict]

CATEGORY = "link"
WHAT_A_PAGE_IS_ABOUT = 300
"""Characters of a page, after its title, that tell what it is for; what stands below may be anybody's."""
LEAST_TEXT = 10
LOANS = {"loan", "loan-app-link"}
# Categories about how a message is written, declared or addressed say nothing of a page.
_NOT_OF_PAGES = {"form", "types", "message-relay", "mms", "acquisition", "coupons-points"}
_APPS = {"application/vnd.android.package-archive", "application/octet-stream", "application/x-itunes-ipa"}
_APP_WORDS = ("apk", "app store", "下载", "安装", "download", "install")
SHORTENERS = {
    "bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly", "s.id", "t.ly",
    "rb.gy", "shorturl.at", "tiny.cc", "lnkd.in", "t.cn", "url.cn", "dwz.cn", "suo.im", "sourl.cn", "u.nu", "mrw.so",
    "m3w.cn", "6du.in", "985.so", "3.cn", "tb.cn", "v.ht", "w.url.cn", "c.tb.cn", "m.tb.cn", "dwz.date", "suo.nz",
}  # fmt: skip


class Words(msgspec.Struct, frozen=True):
    """What an applicant is told of one thing that was seen."""

    action: Action
    zh: str
    en: str


# Everything that opening a link can bring up, by the name that stands in findings.
WORDS = {
    "link-does-not-open": Words(
        Action.REJECT,
        "链接打不开。请换成能打开的链接后重新提交。",
        "The link does not open. Put in one that does, and apply again.",
    ),
    "link-leads-inside": Words(
        Action.REJECT,
        "链接指向内部网络地址，收信人无法打开。",
        "The link leads to an address inside a network, which no recipient can open.",
    ),
    "link-to-a-loan-app": Words(
        Action.BAN,
        "链接打开的是贷款应用。贷款应用的链接禁止发送，账号已暂停，等待人工处理。",
        "The link opens a loan app. Loan apps may not be sent; the account is suspended until a person decides.",
    ),
    "link-to-prohibited-content": Words(
        Action.REJECT,
        "链接打开的页面属于禁止发送的内容。",
        "The page that the link opens is of a kind that may not be sent.",
    ),
    "link-not-reached": Words(
        Action.REFER,
        "链接暂时无法访问，需人工核对。",
        "The link could not be reached for now, so a person will look at it.",
    ),
    "link-is-shortened": Words(
        Action.REFER,
        "短链接看不出去向，需人工确认。建议直接写目标网址。",
        "A shortened link hides where it leads, so a person will look at it. Better write the address itself.",
    ),
    "link-looks-like-another": Words(
        Action.REFER,
        "域名中有形近字符，像是在模仿别的网站，需人工确认。",
        "The host name has look-alike characters, as if to pass for another site, so a person will look at it.",
    ),
    "link-without-a-name": Words(
        Action.REFER,
        "链接是 IP 地址，没有域名，需人工确认。",
        "The link is a bare IP address without a name, so a person will look at it.",
    ),
    "link-goes-elsewhere": Words(
        Action.REFER,
        "链接跳转到了另一个域名，需人工确认。",
        "The link leads on to another domain, so a person will look at it.",
    ),
    "link-shows-two-faces": Words(
        Action.REFER,
        "手机和电脑打开的页面不同，需人工确认。",
        "The link shows telephones and computers different pages, so a person will look at it.",
    ),
    "link-to-an-app": Words(
        Action.REFER,
        "链接会下载应用或文件，需人工确认。",
        "The link downloads an app or a file, so a person will look at it.",
    ),
    "link-shows-nothing": Words(
        Action.REFER,
        "页面没有可读的文字（可能需要浏览器运行脚本），需人工确认。",
        "The page has no words to read (it may need a browser that runs scripts), so a person will look at it.",
    ),
    "link-has-moved": Words(
        Action.REFER,
        "链接现在打开的域名与审核时不同，模板暂停使用，需人工确认。",
        "The link now ends at another domain than when it was reviewed; the template waits until a person decides.",
    ),
    "link-page-has-doubts": Words(
        Action.REFER,
        "页面上有需要人工核对的文字。",
        "The page has words that a person should look at.",
    ),
}
CLAUSE = {
    "zh": "链接须以固定文字写在模板正文中并能打开，页面内容同样须符合规范。",
    "en": "A link must be constant text of the template and must open, and its page is held to the same rules.",
}


def findings_of(
    template: str, visits: Sequence[Visit], judge: Judge, *, still_unreachable_is_broken: bool = False
) -> tuple[Finding, ...]:
    """
    What is to be said of a template for what was seen behind its links; nothing where all is well.

    A link that did not answer is doubtful, or broken once it has been tried often enough.
    """
    say = _Sayer(template)
    found: list[Finding] = []
    for url in dict.fromkeys(visit.url for visit in visits):
        of_link = [visit for visit in visits if visit.url == url]
        seen = {visit.sight for visit in of_link}
        error = next((visit.error for visit in of_link if visit.error), "")
        if Sight.NOT_ALLOWED in seen:
            found.append(say("link-leads-inside", url))
        elif seen == {Sight.BROKEN} or (seen == {Sight.UNREACHABLE} and still_unreachable_is_broken):
            found.append(say("link-does-not-open", url, error))
        elif Sight.OPENED not in seen:
            found.append(say("link-not-reached", url, error))
        else:
            found += _of_address(url, of_link, say)
            found += _of_pages(url, of_link, judge, say)
    return tuple(found)


def moved(template: str, ends_before: dict[str, str], visits: Sequence[Visit]) -> tuple[Finding, ...]:
    """Where links end at other domains than before, which are given by url."""
    say = _Sayer(template)
    return tuple(
        say("link-has-moved", visit.url, domain_of(visit.final_url))
        for visit in {visit.url: visit for visit in visits if visit.sight is Sight.OPENED}.values()
        if domain_of(visit.final_url) != ends_before.get(visit.url, domain_of(visit.final_url))
    )


class _Sayer:
    """Makes findings in the language of the template."""

    def __init__(self, template: str) -> None:
        self._template = template
        self._language = "zh" if HAN.search(template) else "en"

    def __call__(self, rule: str, url: str, *details: str) -> Finding:
        words = WORDS[rule]
        said = words.zh if self._language == "zh" else words.en
        shown = ", ".join(detail for detail in details if detail)
        place = self._template.find(url.removeprefix("http://"))
        return Finding(
            rule=rule,
            category=CATEGORY,
            action=words.action,
            because=f"{said} ({shown})" if shown else said,
            clause=CLAUSE[self._language],
            quote=url.removeprefix("http://") if place >= 0 else url,
            start=max(place, 0),
            end=max(place, 0) + len(url.removeprefix("http://")) if place >= 0 else 0,
        )


def _of_address(url: str, visits: Sequence[Visit], say: _Sayer) -> Iterable[Finding]:
    host = host_of(url)
    opened = [visit for visit in visits if visit.sight is Sight.OPENED]
    ends = {domain_of(visit.final_url) for visit in opened}
    if domain_of(url) in SHORTENERS or host in SHORTENERS:
        yield say("link-is-shortened", url, opened[0].final_url)
    elif ends != {domain_of(url)}:
        yield say("link-goes-elsewhere", url, *sorted(ends))
    if not host.isascii() or any(label.startswith("xn--") for label in host.split(".")):
        shown = host.encode().decode("idna") if host.isascii() else host
        if normalise(shown).text.isascii():
            yield say("link-looks-like-another", url, shown)
    if is_bare_address(host):
        yield say("link-without-a-name", url)
    if len(ends) > 1 or len(opened) < len(visits):
        yield say("link-shows-two-faces", url, *(f"{visit.agent}: {visit.final_url}" for visit in visits))


def _of_pages(url: str, visits: Sequence[Visit], judge: Judge, say: _Sayer) -> Iterable[Finding]:
    """What stands on the pages; what both show is said once."""
    said: set[str] = set()
    for visit in sorted(visits, key=lambda visit: visit.agent is not Agent.PHONE):
        if visit.sight is not Sight.OPENED:
            continue
        for finding in _of_page(url, visit, judge, say):
            if finding.rule not in said:
                said.add(finding.rule)
                yield finding


def _of_page(url: str, visit: Visit, judge: Judge, say: _Sayer) -> Iterable[Finding]:
    if visit.content_type in _APPS or visit.final_url.lower().endswith((".apk", ".ipa")):
        yield say("link-to-an-app", url, visit.content_type)
        return
    if len(visit.text) < LEAST_TEXT:
        yield say("link-shows-nothing", url)
    head = f"{visit.title}\n{visit.text[:WHAT_A_PAGE_IS_ABOUT]}"
    about = _prohibited(judge, head)
    if about:
        quotes = [f"“{finding.quote}”" for finding in about[:3]]
        is_an_app = any(word in head.lower() for word in _APP_WORDS)
        loans = is_an_app and any(finding.category in LOANS for finding in about)
        yield say("link-to-a-loan-app" if loans else "link-to-prohibited-content", url, *quotes)
    elif further := _prohibited(judge, visit.text):
        yield say("link-page-has-doubts", url, *(f"“{finding.quote}”" for finding in further[:3]))


def _prohibited(judge: Judge, text: str) -> list[Finding]:
    """What a text has that no message may have, whoever writes it and however it is declared."""
    # In pieces, of which each is read to its end.
    verdicts = (
        judge(
            Submission(
                text=text[start : start + MOST_CHARACTERS_READ],
                type=MessageType.NOTIFICATION,
                account=AccountKind.ORGANIZATION,
                international=not HAN.search(text),
                part=Part.MESSAGE,
            )
        )
        for start in range(0, len(text), MOST_CHARACTERS_READ)
    )
    return [
        finding
        for verdict in verdicts
        for finding in verdict.findings
        if finding.action is not Action.REFER and finding.category not in _NOT_OF_PAGES
    ]


def domain_of(url: str) -> str:
    """
    The part of a host that somebody registered.

    >>> domain_of("https://m.shop.example.com.cn/x"), domain_of("http://192.0.2.7/")
    ('example.com.cn', '192.0.2.7')
    """
    host = host_of(url)
    if is_bare_address(host):
        return host
    return _suffixes().privatesuffix(host) or host


def is_bare_address(host: str) -> bool:
    """
    Whether a host is an address in any spelling that browsers take, and no name.

    >>> [is_bare_address(host) for host in ("192.0.2.7", "0x7f.1", "2130706433", "2001:db8::1", "shop.cn")]
    [True, True, True, True, False]
    """
    try:
        socket.inet_aton(host)
    except OSError:
        return ":" in host
    return True


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
