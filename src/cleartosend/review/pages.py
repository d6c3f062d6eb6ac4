"""Opens a link as a telephone or a desk would: step by step, within bounds, and never on a private network."""

import asyncio
import hashlib
import re
import socket
from urllib.parse import urljoin, urlsplit

import httpx
from selectolax.lexbor import LexborHTMLParser

from cleartosend.model.links import Agent, Sight, Visit
from cleartosend.outbound import TROUBLE, Guard, in_words, read_at_most
from cleartosend.policy.normalise import normalise
from cleartosend.policy.reach import links_in

MOST_STEPS = 6
"""The page asked for and five redirects: browsers give up later, readers sooner."""
MOST_PAGE_BYTES = 2 * 1024 * 1024
MOST_TEXT_CHARACTERS = 10_000
LOOK_SECONDS = 15.0
"""For all steps together."""
NOTHING_THERE = {404, 410}

_AGENTS = {
    Agent.PHONE: "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Mobile Safari/537.36",
    Agent.DESKTOP: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    "Safari/537.36",
}
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_REFRESH = re.compile(r"\s*\d*\s*;?\s*url\s*=\s*['\"]?([^'\"]+)", re.IGNORECASE)
_CHARSET = re.compile(rb"<meta[^>]{1,200}charset=[\"']?([A-Za-z0-9_-]{2,20})", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


def urls_of(text: str) -> list[str]:
    """
    The addresses that a telephone would open from a text, each once.

    >>> urls_of("详见ｗｗｗ。abc。com/x 或 https://abc.com/y，回复R")
    ['http://www.abc.com/x', 'https://abc.com/y']
    """
    found = [normalise(text[start:end]).text.replace("。", ".") for start, end in links_in(text)]
    return list(dict.fromkeys(url if _SCHEME.match(url) else f"http://{url}" for url in found))


async def look(client: httpx.AsyncClient, guard: Guard, url: str, agent: Agent, *, now: float) -> Visit:
    """Open one link, and say what was seen; nothing that its server does is an exception here."""
    chain = [url]
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            while True:
                if guard.objection(chain[-1]):
                    return _visit(url, agent, now, Sight.NOT_ALLOWED, chain, error="not a public address")
                page = await _one_step(client, chain[-1], agent)
                if not page.leads_to:
                    return page.visit(url, agent, now, chain)
                if len(chain) == MOST_STEPS:
                    return _visit(url, agent, now, Sight.UNREACHABLE, chain, error=f"over {MOST_STEPS - 1} redirects")
                chain.append(urljoin(chain[-1], page.leads_to))
    except TimeoutError:
        return _visit(url, agent, now, Sight.UNREACHABLE, chain, error=f"no answer within {LOOK_SECONDS:.0f} s")
    except TROUBLE as error:
        words = in_words(error)
        sight = Sight.NOT_ALLOWED if words.startswith("not allowed") else Sight.UNREACHABLE
        if _is_no_such_name(error):
            sight, words = Sight.BROKEN, "no such host name"
        return _visit(url, agent, now, sight, chain, error=words)


class _Page:
    """What one address answered."""

    def __init__(self, answer: httpx.Response, body: bytes | None) -> None:
        self._answer = answer
        self._body = body
        self._content_type = answer.headers.get("content-type", "").split(";")[0].strip().lower()
        self._html = LexborHTMLParser(_decoded(answer, body)) if body and self._is_html() else None
        self.leads_to: str = answer.headers.get("location", "") if answer.is_redirect else self._refresh()

    def visit(self, url: str, agent: Agent, now: float, chain: list[str]) -> Visit:
        status = self._answer.status_code
        if status in NOTHING_THERE:
            return _visit(url, agent, now, Sight.BROKEN, chain, status=status, error=f"status {status}")
        if not self._answer.is_success:
            return _visit(url, agent, now, Sight.UNREACHABLE, chain, status=status, error=f"status {status}")
        return Visit(
            url=url,
            agent=agent,
            at=now,
            sight=Sight.OPENED,
            status=status,
            chain=tuple(chain),
            content_type=self._content_type,
            title=self._title(),
            text=self._text(),
            digest=hashlib.sha256(self._body or b"").hexdigest(),
            error="" if self._body is not None else f"longer than {MOST_PAGE_BYTES} bytes",
        )

    def _is_html(self) -> bool:
        return self._content_type in {"text/html", "application/xhtml+xml", ""}

    def _refresh(self) -> str:
        """Where a page without a redirect sends its reader on to at once."""
        for meta in self._html.css("meta[http-equiv]") if self._html else []:
            if (meta.attributes.get("http-equiv") or "").lower() == "refresh":
                found = _REFRESH.match(meta.attributes.get("content") or "")
                if found:
                    return found[1].strip()
        return ""

    def _title(self) -> str:
        title = self._html.css_first("title") if self._html else None
        return _SPACE.sub(" ", title.text()).strip()[:200] if title else ""

    def _text(self) -> str:
        if self._html is None:
            plain = self._content_type == "text/plain" and self._body
            return _decoded(self._answer, self._body)[:MOST_TEXT_CHARACTERS] if plain else ""
        self._html.strip_tags(["script", "style", "noscript", "template", "head"])
        body = self._html.body
        return _SPACE.sub(" ", body.text(separator=" ")).strip()[:MOST_TEXT_CHARACTERS] if body else ""


async def _one_step(client: httpx.AsyncClient, url: str, agent: Agent) -> _Page:
    headers = {
        "User-Agent": _AGENTS[agent],
        "Accept": "text/html,*/*;q=0.5",
        "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.8",
    }
    async with client.stream("GET", url, headers=headers) as answer:
        body = b"" if answer.is_redirect else await read_at_most(answer, MOST_PAGE_BYTES)
        return _Page(answer, body)


def _decoded(answer: httpx.Response, body: bytes | None) -> str:
    """The page's text in the encoding that it names, or else in one that fits."""
    body = body or b""
    in_page = _CHARSET.search(body[:2048])
    for encoding in (answer.charset_encoding, in_page[1].decode("ascii") if in_page else None, "utf-8", "gb18030"):
        try:
            return body.decode(encoding or "utf-8")
        except (LookupError, UnicodeDecodeError):
            continue
    return body.decode("utf-8", "replace")


def _visit(url: str, agent: Agent, now: float, sight: Sight, chain: list[str], *, status: int = 0, error: str) -> Visit:
    return Visit(url=url, agent=agent, at=now, sight=sight, status=status, chain=tuple(chain), error=error)


def _is_no_such_name(error: BaseException | None) -> bool:
    """Whether the name server knew that there is no such name; a name server that does not answer says less."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return error.errno == socket.EAI_NONAME
        error = error.__cause__ or error.__context__
    return False


def host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()
