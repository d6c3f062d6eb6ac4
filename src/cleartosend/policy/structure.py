"""Judges the form of a text: variables, brackets, length, links, contacts, symbols, the opt-out ending, signatures."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from cleartosend.model.verdicts import MessageType, Part, Submission
from cleartosend.policy.nature import NatureReading, read_nature
from cleartosend.policy.normalise import Folded, Joined, Normalised, normalise

Span = tuple[int, int]

MOST_CHARACTERS = 500
"""Of a message: signature, fixed text and values together."""
MOST_CHARACTERS_READ = 2 * MOST_CHARACTERS
"""Of a text. What is longer is refused for that, so nothing gets past; and no text can take long to judge."""
_SHORTEST_SIGNATURE = len("【】") + 2
OPT_OUT_ENDING = "拒收请回复R"
ENGLISH_OPT_OUT_ENDING = "Reply STOP to unsubscribe"

_MOST_VARIABLES = 10
_MOST_VARIABLES_OF_VERIFICATION = 3
_LEAST_FIXED_TEXT = 3
_LEAST_FIXED_TEXT_TO_A_VARIABLE = 3


class Edit(NamedTuple):
    """A change that would take away what was found: [start, end) of the text as written becomes `replacement`."""

    start: int
    end: int
    replacement: str

    def covers(self, start: int, end: int) -> bool:
        """Whether [start, end) is all within what it changes."""
        return self.start <= start and end <= self.end


class Spot(NamedTuple):
    """A place in the text as written that a check objects to; empty where something is missing."""

    start: int
    end: int
    edit: Edit | None = None


class Variable(NamedTuple):
    """A well-formed `{number}` of a template."""

    start: int
    end: int
    number: int


class View:
    """A submission as the checks see it: each reading of its text is made once, when it is first needed."""

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.text = submission.text[:MOST_CHARACTERS_READ]
        self.normalised: Normalised = normalise(self.text)

    @cached_property
    def reading(self) -> NatureReading:
        """What the text is by what it says."""
        return read_nature(self.normalised, self.submission)

    @property
    def foldings(self) -> list[Folded]:
        """The text folded; closed up where words are spaced out; and, of a message, the wordy values side by side."""
        foldings: list[Folded] = [self.normalised]
        if self.normalised.squeezed is not None:
            foldings.append(self.normalised.squeezed)
        if self.submission.part is Part.MESSAGE and len(self.submission.values) > 1:
            wordy = [(start, end) for start, end in self.submission.values if not self.text[start:end].isdigit()]
            if len(wordy) > 1:
                foldings.append(Joined(self.text, wordy))
        return foldings

    @cached_property
    def variables(self) -> list[Variable]:
        """The template's variables, in the order of the text."""
        return [Variable(*found.span(), int(found[1])) for found in _VARIABLE.finditer(self.text)]

    @cached_property
    def fixed_text(self) -> int:
        """How much of the text is fixed: a Chinese character counts one, a word of another script two."""
        # Of a variable, braces and digits, nothing counts.
        folded = self.normalised.text
        return sum(map(len, _HANS.findall(folded))) + 2 * len(_WORD.findall(folded))

    @cached_property
    def links(self) -> list[Span]:
        """Links, with everything meant as a variable read as if digits stood in its place."""
        if not self.placeholders or not _MAY_BE_LINK.search(self.normalised.text):
            return _links(self.normalised)
        return _links(normalise(_PLACEHOLDER.sub(lambda found: "0" * len(found[0]), self.text)))

    @cached_property
    def placeholders(self) -> list[Span]:
        """The variables and what else in braces was meant as one."""
        return [found.span() for found in _PLACEHOLDER.finditer(self.text)] if "{" in self.text else []

    def touches_a_value(self, span: Span) -> bool:
        """Whether any of it came from a variable's value."""
        return any(_overlap(span, value) for value in self.submission.values)


Check = Callable[[View], Iterable[Spot]]

_HAN = re.compile(r"[\u3400-\u9fff]")
_HANS = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+")


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


# ---- the text as a whole ----


def _text_is_empty(view: View) -> Iterator[Spot]:
    if not view.normalised.text.strip():
        yield Spot(0, 0)


def _text_is_too_long(view: View) -> Iterator[Spot]:
    most = MOST_CHARACTERS - (0 if view.submission.international else _SHORTEST_SIGNATURE)
    length = len(view.submission.text)
    if length > most:
        yield Spot(most, length)


def _is_declared_marketing(view: View) -> Iterator[Spot]:
    if view.submission.type is MessageType.MARKETING:
        yield Spot(0, 0)


# ---- characters ----

_BRACKETED = re.compile(r"[【︻][^【】︻︼]*[】︼]|[【】︻︼]")
_QUOTED_INSTEAD = str.maketrans("【︻】︼", "““””")

# Drawn for decoration or known to arrive as something else: boxes, shapes, dingbats, emoji, keyboard art.
_GARBLED = re.compile(
    r"[¥￥](?P<amount>\d[\d,.]*\d|\d|\{\d+\})?"
    r"|(?P<and> ?[&＆] ?)"
    r"|[√※〒〓\u2500-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]\ufe0f?"
    r"|\(?\^[_.oO-]*\^\)?|>_<|(?<![a-zA-Z])[tT]_[tT](?![a-zA-Z])|:-[)(]|:[)(](?=\s|$)",
)

_MAY_BE_GARBLED = re.compile(r"[¥￥&＆√※〒〓\u2500-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff^>_:]")

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\U000e0000-\U000e0fff]+"
)


def _brackets_in_text(view: View) -> Iterator[Spot]:
    """Of a template anywhere, of a message where a value brought them: what looks like a second signature."""
    folded = view.normalised.text
    if "【" not in folded and "】" not in folded:
        return
    for found in _BRACKETED.finditer(view.text):
        if view.submission.part is Part.MESSAGE and not view.touches_a_value(found.span()):
            continue
        # In front or at the end they are a signature, which the platform adds by itself; within, they are quotes.
        first_or_last = found.start() == 0 or found.end() == len(view.text)
        yield _replaced(found, "" if first_or_last else found[0].translate(_QUOTED_INSTEAD))


def _garbled_symbols(view: View) -> Iterator[Spot]:
    if not _MAY_BE_GARBLED.search(view.text):
        return
    for found in _GARBLED.finditer(view.text):
        if any(_overlap(found.span(), link) for link in view.links):
            continue
        if found["amount"]:
            yield _replaced(found, f"{found['amount']}元")
        elif found["and"]:
            yield _replaced(found, "和" if _HAN.search(view.text) else " and ")
        else:
            yield _replaced(found, "")


def _invisible_characters(view: View) -> Iterator[Spot]:
    for found in _INVISIBLE.finditer(view.text):
        yield _replaced(found, "")


def _replaced(found: re.Match[str], replacement: str) -> Spot:
    return Spot(found.start(), found.end(), Edit(found.start(), found.end(), replacement))


# ---- variables ----

_VARIABLE = re.compile(r"(?<![$#{])\{([1-9][0-9]?)\}(?!\})", re.ASCII)
# Everything that looks meant as a variable, here or on another platform, in folded text.
_MEANT_AS_VARIABLE = re.compile(r"[$#]?\{{1,2}[^{}\n]{0,30}\}{1,2}|[{}]|#[a-z_]{2,20}#|%[sd]\b", re.ASCII)
_PLACEHOLDER = re.compile(r"[$#]?\{[^{}\n]{1,20}\}")
_PHONE_PREFIX = re.compile(r"(?<![\d.])(?:1[3-9]\d[\d -]{0,8}|0\d{2,3}[ -]?\d{0,7}|[48]00[ -]?\d{0,6}-?)\$?$")
_CALLED_BEFORE = re.compile(r"(?:电话|手机|热线|拨打|致电|tel|phone|call)[^\d。]{0,8}$")
_DIGITS_FOLLOW = re.compile(r"[ -]?\d{4}(?!\d?[年.])")


def _malformed_variables(view: View) -> Iterator[Spot]:
    folded = view.normalised.text
    braces = folded.count("{") + folded.count("}")
    if braces == 2 * len(view.variables) and "#" not in folded and "%" not in folded:
        return
    good = {(variable.start, variable.end) for variable in view.variables}
    for found in _MEANT_AS_VARIABLE.finditer(folded):
        start, end = view.normalised.span(*found.span())
        if (start, end) not in good:
            whole = found.end() - found.start() > 1
            yield Spot(start, end, Edit(start, end, "{1}" if whole else ""))


def _variables_out_of_order(view: View) -> Iterator[Spot]:
    for number, variable in enumerate(view.variables, start=1):
        if variable.number != number:
            yield Spot(variable.start, variable.end, Edit(variable.start, variable.end, f"{{{number}}}"))


def _adjacent_variables(view: View) -> Iterator[Spot]:
    for one, other in pairwise(view.variables):
        if not view.text[one.end : other.start].strip():
            yield Spot(one.start, other.end)


def _only_variables(view: View) -> Iterator[Spot]:
    if view.variables and not view.fixed_text:
        yield Spot(0, len(view.text))


def _too_little_fixed_text(view: View) -> Iterator[Spot]:
    needed = max(_LEAST_FIXED_TEXT, _LEAST_FIXED_TEXT_TO_A_VARIABLE * len(view.variables))
    if view.normalised.text.strip() and 0 < view.fixed_text < needed:
        yield Spot(0, len(view.text))


def _too_many_variables(view: View) -> Iterator[Spot]:
    verification = view.submission.type is MessageType.VERIFICATION
    most = _MOST_VARIABLES_OF_VERIFICATION if verification else _MOST_VARIABLES
    for variable in view.variables[most:]:
        yield Spot(variable.start, variable.end)


def _variables_in_links(view: View) -> Iterator[Spot]:
    if view.placeholders:
        for link in view.links:
            if any(_overlap(link, placeholder) for placeholder in view.placeholders):
                yield Spot(*link)


def _variables_in_phone_numbers(view: View) -> Iterator[Spot]:
    if not view.placeholders:
        return
    # Folded, for digits of every width, wherever that keeps the offsets.
    text = view.normalised.text if len(view.normalised.text) == len(view.text) else view.text
    for found in _PLACEHOLDER.finditer(text):
        before = text[max(0, found.start() - 16) : found.start()]
        prefix = _PHONE_PREFIX.search(before)
        if prefix is not None:
            yield Spot(found.start() - len(prefix[0]), found.end())
        elif _CALLED_BEFORE.search(before) and _DIGITS_FOLLOW.match(text, found.end()):
            yield Spot(*found.span())


def renumbered(text: str) -> str:
    """
    The template with its variables numbered in the order in which they stand.

    >>> renumbered("{2}您好，订单{1}已发货")
    '{1}您好，订单{2}已发货'
    """
    numbers = iter(range(1, len(text)))
    return _VARIABLE.sub(lambda _: f"{{{next(numbers)}}}", text)


def says_something(submission: Submission) -> bool:
    """Whether enough is left of a text that has been mended for it to be worth suggesting."""
    if submission.part is Part.SIGNATURE:
        return bool(submission.text.strip())
    view = View(submission)
    ending = len(OPT_OUT_ENDING) - 1 if submission.text.endswith(OPT_OUT_ENDING) else 0
    return view.fixed_text - ending >= _LEAST_WORTH_SUGGESTING


_LEAST_WORTH_SUGGESTING = 6


# ---- what each type needs ----

_CODE_WORD = re.compile(r"验证码|(?<![a-z])(?:pass)?codes?(?![a-z])|(?<![a-z])otp(?![a-z])")
_NEARLY_THE_CODE_WORD = re.compile(r"校验码|动态密码|动态码|确认码|认证码|驗證碼|检验码|随机码|短信码")
_OLD_OPT_OUT = re.compile(
    r"[\s,，;；(（\[【]*(?:如需|如要)?"
    r"(?:(?:退订|拒收|取消)\s*请?\s*(?:回复|回|发送|发)?\s*[“\"']?(?:td|qx|t|n|r|0000)[”\"']?"
    r"|(?:回复?|发送?)\s*[“\"']?(?:td|qx|t|n|r|0000)[”\"']?\s*(?:可|即可)?(?:退订|拒收|取消))"
    r"[\s)）\]】。.!！~]*$"
)
_ENGLISH_OPT_OUT = re.compile(
    r"\b(?:reply|text|send|txt)\b.{0,12}\b(?:stop|unsubscribe|unsub|optout|quit|end|cancel|no|t|td|r)\b"
    r"|\b(?:unsubscribe|opt[ -]?out|opt out)\b|\bstop\b.{0,12}\b(?:2|to)\b.{0,6}\b(?:end|stop|cancel|quit)\b"
    r"|退订|拒收请回复",
    re.ASCII,
)
_ENGLISH_ENDING = 60


def _code_word_is_missing(view: View) -> Iterator[Spot]:
    folded = view.normalised.text
    chinese = not view.submission.international and _HAN.search(folded)
    found = _CODE_WORD.search(folded)
    if found and (not chinese or "验证码" in folded):
        return
    nearly = _NEARLY_THE_CODE_WORD.search(view.text)
    if nearly:
        yield _replaced(nearly, "验证码")
    else:
        yield Spot(len(view.text), len(view.text))


def _opt_out_is_missing(view: View) -> Iterator[Spot]:
    text = view.text.rstrip()
    if text.endswith(OPT_OUT_ENDING):
        return
    old = _OLD_OPT_OUT.search(text.lower().translate(_FULL_WIDTH_LATIN), max(0, len(text) - 40))
    start = old.start() if old else len(text)
    before = text[:start]
    joint = "，" if before and (before[-1].isalnum() or before[-1] in "}”）)") else ""
    yield Spot(start, len(text), Edit(start, len(view.text), joint + OPT_OUT_ENDING))


_FULL_WIDTH_LATIN = str.maketrans("ＴＤＮＲｔｄｎｒ", "tdnrtdnr")


def _english_opt_out_is_missing(view: View) -> Iterator[Spot]:
    if _ENGLISH_OPT_OUT.search(view.normalised.text[-_ENGLISH_ENDING:]):
        return
    text = view.text.rstrip()
    joint = " " if not text or text[-1] in ".!?。！？" else ". "
    yield Spot(len(text), len(text), Edit(len(text), len(view.text), joint + ENGLISH_OPT_OUT_ENDING))


# ---- links and contacts ----

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
_MAY_BE_LINK = re.compile(r"[.。][a-z0-9{中公网集]|:/|(?:点|[)\]]) ?[a-z]")
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
    return _links(normalise(text))


def _links(normalised: Normalised) -> list[Span]:
    if not _MAY_BE_LINK.search(normalised.text):
        return []
    text = normalised.text.replace("。", ".")
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
    return [normalised.span(start, end) for start, end in _merged(spans)]


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
_SPOKEN_DIGITS = str.maketrans("零一二三四五六七八九壹贰叁肆伍陆柒捌玖幺两", "012345678912345678912")
_MOBILE = re.compile(
    r"(?<![a-z0-9])(?:(?:tel|phone|call|mobile|vx|wx|qq)[:. ]*)?(?:(?:\+|00)?86[- ]?)?"
    r"(?:1[3-9]\d[-. ·_]{0,2}\d{4}[-. ·_]{0,2}\d{4}|1[3-9](?:[- ]?\d){9}|1([-. ·_])[3-9](?:\1\d){9})(?!\d)"
)
_MAY_BE_MOBILE = re.compile(r"[1一壹幺][-. ·_]{0,2}[3-9三四五六七八九叁肆伍陆柒捌玖]")
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
_CONTACT_WORD = re.compile(r"联系|致电|拨打|电话|手机|热线|咨询|微信|加v|vx|tel|phone|call|contact|text")
_NEAR = 14


def contacts_in(text: str) -> list[Span]:
    """
    Where a text gives a way to reach somebody: telephone numbers, e-mail addresses, WeChat and QQ names.

    A long number is one only if by itself it has the shape of a telephone number; in whatever digits it is written.

    >>> text = "订单202611220001，加微信：abc_123，一三八〇〇一三八〇〇〇"
    >>> [text[start:end] for start, end in contacts_in(text)]
    ['微信：abc_123', '一三八〇〇一三八〇〇〇']
    """
    normalised = normalise(text)
    digits = normalised.text.translate(_SPOKEN_DIGITS)
    spans = _mobiles(digits)
    for shape in (_LANDLINE, _EMAIL, _SOCIAL):
        spans += [found.span() for found in shape.finditer(digits)]
    spans += [found.span(1) for found in _CALLED.finditer(digits)]
    return [normalised.span(start, end) for start, end in _merged(spans)]


def _mobiles(digits: str) -> list[Span]:
    return [found.span() for found in _MOBILE.finditer(digits) if not _DATE.search(found[0])]


def _personal_mobiles(view: View) -> Iterator[Spot]:
    """Of a template anywhere; of a message in a value, after words that ask the recipient to use it."""
    normalised = view.normalised
    if not _MAY_BE_MOBILE.search(normalised.text):
        return
    digits = normalised.text.translate(_SPOKEN_DIGITS)
    for start, end in _mobiles(digits):
        span = normalised.span(start, end)
        if view.submission.part is Part.MESSAGE and not (
            view.touches_a_value(span) and _CONTACT_WORD.search(digits, max(0, start - _NEAR), start + 4)
        ):
            continue
        yield Spot(*span)


def _constant_links(view: View) -> Iterator[Spot]:
    for link in view.links:
        if not any(_overlap(link, placeholder) for placeholder in view.placeholders):
            yield Spot(*link)


def _links_from_values(view: View) -> Iterator[Spot]:
    for link in _links(view.normalised):
        if view.touches_a_value(link):
            yield Spot(*link)


# ---- signatures ----

_SIGNATURE_LENGTH = (2, 12)
_SIGNATURE_LENGTH_ABROAD = (2, 15)
_SIGNATURE_BRACKETS = re.compile(r"[【】\[\]［］〔〕〖〗]")
_NOT_OF_A_SIGNATURE = re.compile(r"[^\u3400-\u9fffA-Za-z0-9【】\[\]［］〔〕〖〗]")
_NOT_OF_A_SIGNATURE_ABROAD = re.compile(
    r"[\x00-\x1f\x7f<>{}|\\^~\u2000-\u206f\u2500-\u2bff\ufe00-\ufe0f\U0001f000-\U000fffff]"
)

# A name made of nothing but these says nothing about who sends.
_NEUTRAL_WORDS = (
    "会议 通知 提醒 提示 公告 测试 试用 验证码 验证 校验 客服 客户 服务 公司 有限公司 平台 系统 官方 官网 短信"
    " 消息 信息 优惠 活动 商城 网站 中心 用户 会员 登录 注册 订单 物流 快递 企业 集团 店铺 商家 商店 门店 本店"
    " 我们 我的 学校 医院 部门 单位 个人 姓名 签名 模板 你好 您好 温馨 重要 紧急 最新 专用 管理 助手 小助手 示例"
    " 样例 名称 应用 网址 促销 特价 福利 营销 推广 预约 tests? testing demo sample notifications? notice notify"
    " info information messages? sms verification verify codes? otp admin service customer support system official"
    " company shop store app hello welcome alerts? reminder promo promotion offer sale user member login abc abcd"
    " abcde asdf? qwer qwert qwerty xyz foo bar name sign signature"
)
_NEUTRAL = re.compile(rf"(?:{'|'.join(sorted(_NEUTRAL_WORDS.split(), key=len, reverse=True))}|[\d\s])+")
_REPEATED = re.compile(r"(?:([a-z])\1++)+|(.)\2\2+")
_LONGEST_NAME_LOOKED_AT = 40  # far longer than a signature may be
_ALSO_A_BRAND = frozenset({"qq"})

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石贾夏付方邹熊孟秦邱侯江尹薛闫雷黎史陶贺毛郝顾龚邵覃武钱戴严莫孔"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰梅红玲建国文辉力俊峰琴燕萍波斌鹏飞浩宇轩梓涵欣怡"
    "佳雪婷慧莹倩雯琪颖洁瑶璐晨曦阳博瑞泽昊然志永春庆凯龙帅亮东林海鑫旭健淑珍凤莲云霖思彤诗雨嘉豪子小晓晶"
    "蕾薇宁彬兵勤爱民卫松柏青立成荣清翔"
)
_PERSON = re.compile(rf"[{_SURNAMES}](?:[{_GIVEN}]{{1,2}}|(?:先生|女士|小姐|老师|总|经理|老板|医生))")


def _signature_length(view: View) -> Iterator[Spot]:
    least, most = _SIGNATURE_LENGTH_ABROAD if view.submission.international else _SIGNATURE_LENGTH
    if not least <= len(_SIGNATURE_BRACKETS.sub("", view.text).strip()) <= most:
        yield Spot(0, len(view.text))


def _signature_brackets(view: View) -> Iterator[Spot]:
    for found in _SIGNATURE_BRACKETS.finditer(view.text):
        yield _replaced(found, "")


def _signature_characters(view: View) -> Iterator[Spot]:
    wrong = _NOT_OF_A_SIGNATURE_ABROAD if view.submission.international else _NOT_OF_A_SIGNATURE
    for found in wrong.finditer(view.text):
        yield _replaced(found, "")


def _name_alone(view: View) -> str:
    return _SIGNATURE_BRACKETS.sub("", view.normalised.text).strip()


def _neutral_signature(view: View) -> Iterator[Spot]:
    name = _name_alone(view)
    if len(name) > _LONGEST_NAME_LOOKED_AT:
        return
    if name not in _ALSO_A_BRAND and (_NEUTRAL.fullmatch(name) or _REPEATED.fullmatch(name)):
        yield Spot(0, len(view.text))


def _personal_name(view: View) -> Iterator[Spot]:
    if _PERSON.fullmatch(_name_alone(view)):
        yield Spot(0, len(view.text))


CHECKS: dict[str, Check] = {
    "text-is-empty": _text_is_empty,
    "text-is-too-long": _text_is_too_long,
    "is-declared-marketing": _is_declared_marketing,
    "brackets-in-text": _brackets_in_text,
    "garbled-symbols": _garbled_symbols,
    "invisible-characters": _invisible_characters,
    "malformed-variables": _malformed_variables,
    "variables-out-of-order": _variables_out_of_order,
    "adjacent-variables": _adjacent_variables,
    "only-variables": _only_variables,
    "too-little-fixed-text": _too_little_fixed_text,
    "too-many-variables": _too_many_variables,
    "variables-in-links": _variables_in_links,
    "variables-in-phone-numbers": _variables_in_phone_numbers,
    "code-word-is-missing": _code_word_is_missing,
    "opt-out-is-missing": _opt_out_is_missing,
    "english-opt-out-is-missing": _english_opt_out_is_missing,
    "constant-links": _constant_links,
    "links-from-values": _links_from_values,
    "personal-mobiles": _personal_mobiles,
    "signature-length": _signature_length,
    "signature-brackets": _signature_brackets,
    "signature-characters": _signature_characters,
    "neutral-signature": _neutral_signature,
    "personal-name": _personal_name,
}
