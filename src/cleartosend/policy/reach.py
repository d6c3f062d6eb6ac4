"""Finds in a text the ways to reach somebody: links, telephone numbers, e-mail addresses, WeChat and QQ names."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from cleartosend.policy.normalise import Folded, Normalised, normalise
from cleartosend.policy.spots import Span

# Top-level domains after which bare text is a link on a telephone.
_SURE_ENDINGS = (
    "com|cn|net|org|edu|gov|info|biz|top|xyz|vip|shop|club|site|online|store|tech|link|live|wang|ren|mobi|cc|tv|io|app"
    "|dev|hk|tw|jp|kr|uk|ru|de|fr|eu|us|ca|co|ai|ly|icu|fun|ltd|group|work|ink|pro|asia|click|win|bid|loan|wiki|space"
    "|website|page|cloud|run|art|city|center|law|art|plus|life|red|kim|pub|host|press|ws|la|sg|my|au|nz|vn|th|ph|mm|pw"
)
# Country codes that are also English words or common abbreviations: a domain only with a path behind.
_UNSURE_ENDINGS = "me|is|it|in|to|be|do|so|at|am|as|no|by|gd|gl|gg|id|st|sh|lc|tt|fm|im|pe|li|re|es|ch|se|nl|pl|br|mx"
_ENDING = re.compile(
    rf"\.(?:(?:{_SURE_ENDINGS})(?![a-z0-9-])|(?:{_UNSURE_ENDINGS})(?=/)"
    r"|(?:中国|公司|网络|网址|集团)(?![\u3400-\u9fff]))"
)
_SCHEME = re.compile(r"\b[a-z][a-z0-9+]{1,9}:/{1,2}(?=[^\s/])|\bwww\.(?=\w)", re.ASCII)
_ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{2,5}(?!\d)|(?=/))")
MAY_BE_LINK = re.compile(r"[.。][a-z0-9{中公网集]|:/|(?:点|[)\]]) ?[a-z]")
_DOT_WORD = re.compile(
    r"(?<=[a-z0-9])\s?(?:点|\[\.\]|\(\.\)|\(dot\)|\[dot\])\s?(?=(?:com|cn|net|org|top|vip|xyz|cc|shop)\b)",
    re.ASCII,
)
_HOST_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")
_PATH_END = re.compile(r"[^a-z0-9\-._~/?#\[\]@&=+%$*:]")
_AFTER_LINK = ".:?&=~*"


def links_in(text: str) -> list[Span]:
    """
    Where links stand in a text: whatever a telephone might make clickable, in any spelling.

    >>> text = "详见ｗｗｗ。abc。com/x，共12.50元"
    >>> [text[start:end] for start, end in links_in(text)]
    ['ｗｗｗ。abc。com/x']
    """
    return links_of(normalise(text))


def links_of(folded: Folded) -> list[Span]:
    """As `links_in`, of a text that is folded already."""
    if not MAY_BE_LINK.search(folded.text):
        return []
    text = folded.text.replace("。", ".")
    # Padded, so that offsets stay.
    text = _DOT_WORD.sub(lambda found: ".".ljust(len(found[0]), "."), text)
    spans = [(found.start(), _end_of_link(text, found.end())) for found in _SCHEME.finditer(text)]
    spans += [(found.start(), _end_of_link(text, found.end())) for found in _ADDRESS.finditer(text)]
    position = 0
    for found in _ENDING.finditer(text):
        if found.start() < position:
            continue
        start = _start_of_host(text, found.start(), position)
        position = found.end()
        if start < found.start() and text[start - 1 : start] != "@":
            position = _end_of_link(text, found.end())
            spans.append((start, position))
    return [folded.span(start, end) for start, end in _merged(spans)]


# With what was written against it: "loan.www.example.com" is a word and a link.
_HEAD = re.compile(r"[^/]*?(?:https?:/{1,2}|www\.)")


def without_words_in_links(folded: Folded, links: Iterable[Span]) -> Folded:
    """
    The text with every link still a link, but one that says nothing; offsets stay.

    >>> text = "book: https://lib.example.com/loan now"
    >>> without_words_in_links(normalise(text), links_in(text)).text
    'book: https://zzzzzzzzzzzzzzzzzzzz now'
    """
    text = folded.text
    spans = [folded.span(at, at + 1) for at in range(len(text))]
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    for link in links:
        start, end = bisect_right(ends, link[0]), bisect_left(starts, link[1])
        if start >= end:
            continue
        address = text[start:end]
        # "loan.Top" may as well be the end of one sentence and the beginning of the next.
        if "/" not in address and address.count(".") == 1:
            continue
        found = _HEAD.match(address)
        head = found[0] if found else "www."
        text = text[:start] + head.ljust(end - start, "z")[: end - start] + text[end:]
    return Normalised(text, text)


def _start_of_host(text: str, end: int, least: int) -> int:
    start = end
    while start > least and text[start - 1] in _HOST_CHARACTERS:
        start -= 1
    while start < end and text[start] in ".-":
        start += 1
    return start


def _end_of_link(text: str, start: int) -> int:
    stop = _PATH_END.search(text, start)
    end = stop.start() if stop else len(text)
    while end > start and text[end - 1] in _AFTER_LINK:
        end -= 1
    return end


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


# Digits in words, one for one, so that offsets stay.
SPOKEN_DIGITS = str.maketrans("零一二三四五六七八九壹贰叁肆伍陆柒捌玖幺两", "012345678912345678912")
_MOBILE = re.compile(
    r"(?<![a-z0-9])(?:(?:tel|phone|call|mobile|vx|wx|qq)[:. ]*)?(?:(?:\+|00)?86[- ]?)?"
    r"(?:1[3-9]\d[-. ·_]{0,2}\d{4}[-. ·_]{0,2}\d{4}|1[3-9](?:[- ]?\d){9}|1([-. ·_])[3-9](?:\1\d){9})(?!\d)"
)
MAY_BE_MOBILE = re.compile(r"[1一壹幺][-. ·_]{0,2}[3-9三四五六七八九叁肆伍陆柒捌玖]")
_DATE = re.compile(r"20\d\d-\d{1,2}-\d")
_LANDLINE = re.compile(
    r"(?<![a-z0-9])(?:(?:\+|00)?86[- ]?)?"
    r"(?:\(?0(?:10|2\d|[3-9]\d\d)\)?[- ]{0,2}[2-8]\d{2,3}[- ]?\d{4}(?:-\d{1,5})?"
    r"|[48]00[- ]?[016-9]\d{2}[- ]?\d{4}|[48]00[- ]\d{4}[- ]\d{3})(?!\d)"
)
_CALLED = re.compile(r"(?:拨打|致电|电话|热线|客服|咨询)[:是为 ]{0,3}(\d{5,8}|\d{3,4}-\d{7,8})(?![\d年月日元])")
_EMAIL = re.compile(r"[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,5}[a-z]{2,}", re.ASCII)
_SOCIAL = re.compile(
    r"(?:(?:微信|薇信|威信|v信|wechat|weixin|扣扣|企鹅|抖音)(?:号码|号|群|id)?|加v|(?<![a-z])(?:vx|wx|qq)(?:号码|号|群)?)"
    r"[:：;\s为是]{0,3}(?=[a-z0-9_-]*\d|[a-z]+[_-])[a-z0-9][a-z0-9_-]{4,19}(?![a-z0-9])"
)
_SHORTEST_CONTACT = len("a@b.cn")


def contacts_in(text: str) -> list[Span]:
    """
    Where a text gives a way to reach somebody: telephone numbers, e-mail addresses, WeChat and QQ names.

    A long number is one only if by itself it has the shape of a telephone number; in whatever digits it is written.

    >>> text = "订单202611220001，加微信：abc_123，一三八〇〇一三八〇〇〇"
    >>> [text[start:end] for start, end in contacts_in(text)]
    ['微信：abc_123', '一三八〇〇一三八〇〇〇']
    """
    return contacts_of(normalise(text)) if len(text) >= _SHORTEST_CONTACT else []


def contacts_of(folded: Folded) -> list[Span]:
    """As `contacts_in`, of a text that is folded already."""
    digits = folded.text.translate(SPOKEN_DIGITS)
    spans = mobiles_of(digits)
    for shape in (_LANDLINE, _EMAIL, _SOCIAL):
        spans += [found.span() for found in shape.finditer(digits)]
    spans += [found.span(1) for found in _CALLED.finditer(digits)]
    return [folded.span(start, end) for start, end in _merged(spans)]


def mobiles_of(digits: str) -> list[Span]:
    """Where mobile numbers stand in a folded text whose digits are digits."""
    return [found.span() for found in _MOBILE.finditer(digits) if not _DATE.search(found[0])]
