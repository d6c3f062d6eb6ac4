"""Judges the values of a message: whether each has the form that the words around it promise, and none is a message."""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise

from cleartosend.policy.normalise import HAN, Joined, fold
from cleartosend.policy.reach import contacts_of, links_of
from cleartosend.policy.spots import Span, Spot
from cleartosend.policy.view import Check, View


class Attribute(StrEnum):
    """What a variable is for, as the fixed text around it tells."""

    CODE = "code"
    AMOUNT = "amount"
    NUMBER = "number"
    DATE = "date"
    ORDER = "order"
    NAME = "name"
    ADDRESS = "address"
    REASON = "reason"
    LABELLED = "labelled"
    TITLE = "title"
    FREE = "free"


_LINK_WORD = r"(?:号码?|编号)?\s*(?:为|是|is|are|of)?\s*:?\s*[\"“'(]?$"
_BEFORE = re.compile(
    "|".join(
        rf"(?P<{attribute.name}>{words}{_LINK_WORD})"
        for attribute, words in (
            (Attribute.CODE, r"(?:验证码|校验码|动态码|动态密码|确认码|验证代码|\b(?:pass)?code|\botp)"),
            (Attribute.AMOUNT, r"(?:金额|实付|应付|共付|合计|总计|[¥$£€]|\brmb)"),
            (Attribute.DATE, r"(?:日期|有效期至|截止时间|截至|\bexpires on|\bdue on)"),
            (Attribute.ORDER, r"(?:订单|单号|流水|受理|工单|编号|车牌|尾号|\b(?:order|ref|invoice|no\.)|#)"),
            (Attribute.NAME, r"(?:尊敬的|亲爱的|收件人|联系人|\bdear|\bhi|\bhello|\bdr\.?)"),
            (Attribute.ADDRESS, r"(?:地址|地点|位于|送至|送往|送到|寄往|\baddress|\bvenue)"),
            # What a label announces may be a sentence; whether such a label may stand alone is for who reviews it.
            (Attribute.REASON, r"(?:原因|理由|备注|说明|内容|留言|意见|\breason|\bnote|\bbecause|\bcomment)"),
            (Attribute.LABELLED, r"(?:通知|公告|提示|事项|消息|\bnotice)(?=\s*:)"),
        )
    )
)  # fmt: skip
_AFTER = re.compile(
    "|".join(
        rf"(?P<{attribute.name}>{words})"
        for attribute, words in (
            (Attribute.CODE, r"(?:为|是)您的[^。,]{0,8}验证码|is your [a-z -]{0,24}(?:code|password)"),
            (Attribute.AMOUNT, r" ?(?:元|块钱|yuan\b|rmb\b|usd\b|dollars?\b)"),
            (Attribute.NUMBER, r" ?(?:分钟|小时|天(?!气)|[个次件位张份条台%]|人(?!民)|(?:minute|hour|day|item)s?\b)"),
            (Attribute.NAME, r"(?:先生|女士|小姐|同学|老师|师傅|医生|家长|您好|你好)"),
        )
    )
)  # fmt: skip
_FAR_BEFORE = 16
_FAR_AFTER = 32

_NUMERALS = "零〇一二两三四五六七八九十百千万亿半几数壹贰叁肆伍陆柒捌玖拾佰仟整正角分元块余多若干"
_FORMS: dict[Attribute, re.Pattern[str]] = {
    Attribute.CODE: re.compile(r"[a-z0-9][a-z0-9 -]{0,11}"),
    Attribute.AMOUNT: re.compile(
        rf"[约共计-]?[+-]?(?:[¥$£€]|人民币|rmb|cny|usd|hkd|hk\$|us\$)? ?[\d*x][\d,.*x ]{{0,18}}"
        rf"(?:[-~至到]\d[\d,.]{{0,12}})? ?"
        rf"(?:元整?|块|万元?|亿元?|千|百|美元|港元|港币|欧元|英镑|日元|起|左右|以内|usd|cny|rmb|k)?"
        rf"|[{_NUMERALS}]{{1,16}}|免费|无|全额|0"
    ),
    Attribute.NUMBER: re.compile(
        rf"[约近第至少最多]{{0,2}}[\d.,]{{1,12}}(?: ?[-~至到/、,] ?[\d.]{{1,8}})*(?:余|多|个|以内|左右|万|千|百)?"
        rf"|[{_NUMERALS}]{{1,8}}(?:[-~至到][{_NUMERALS}]{{1,6}})?"
        r"|[a-z]{3,9}(?:[- ][a-z]{3,6})?|[a-z0-9/-]{1,20}"
    ),
    Attribute.DATE: re.compile(r"[^。!?;]{1,40}"),
    Attribute.ORDER: re.compile(r"[^。!?;,]{1,48}"),
    Attribute.NAME: re.compile(r"[^。!?;:0-9]{1,40}|[^。!?;:]{1,30}"),
}

# What is shorter says nothing, whatever it stands for; but a code is nothing else.
_SHORTEST_OF_A_CODE = 5
_SHORTEST_OF_ANOTHER_FORM = 11

# ---- what makes a value a message of its own ----

_SENTENCE_WITHIN = re.compile(
    r"[。!?;\n].{4}|(?<!\bmr)(?<!\bmrs)(?<!\bms)(?<!\bdr)(?<!\bst)(?<!\bno)(?<!\brd)(?<!\bave)\. [a-z].{12}"
)
# What stands in quotes is a title, which may be a sentence.
_OPENS_A_TITLE = re.compile(r"[\"“‘《「『<(（]$")
_SPEAKS = re.compile(
    r"您|你(?!好)|咱|我们|我司|本店|本公司|欢迎|点击|立即|马上|赶快|速来|联系|咨询|致电|拨打|加我|回复|领取|抢购|办理|免费|优惠|详情|详询|登录|下载"
    r"|(?<![申邀报敬恳聘宴])请(?![假教求示帖柬])|\b(?:you|your|we|our|us|please|click|call|visit|reply|now|free|get|win|join|contact|text|buy|claim|hurry)\b"
)
_SPOKEN_ENOUGH = 2
_SPOKEN_ENOUGH_ENGLISH = 3
_SHORTEST_MESSAGE = 8
_SHORTEST_ENGLISH_MESSAGE = 5  # words
_LONGEST_CLAUSE = 30
_COMMAS = re.compile(r"[,、]")
_MOST_COMMAS = 2
_LONGEST_REASON = 60
_MAY_BE_A_SENTENCE = {Attribute.REASON, Attribute.LABELLED, Attribute.TITLE}


def attribute_of(before: str, after: str) -> Attribute:
    """
    What a variable between these two stretches of folded text is for.

    >>> attribute_of("您的验证码是", ",5分钟内有效"), attribute_of("实付", "元"), attribute_of("", "您好")
    (<Attribute.CODE: 'code'>, <Attribute.AMOUNT: 'amount'>, <Attribute.NAME: 'name'>)
    """
    if _OPENS_A_TITLE.search(before):
        return Attribute.TITLE
    told = _AFTER.match(after) or _BEFORE.search(before)
    return Attribute[told.lastgroup] if told and told.lastgroup else Attribute.FREE


def is_a_message(value: str, attribute: Attribute = Attribute.FREE) -> bool:
    """
    Whether a folded value speaks to somebody, or says more than one thing, as no name, number or title does.

    >>> is_a_message("速来领取,您有一笔优惠"), is_a_message("深圳市南山区科苑路15号b栋2101室")
    (True, False)
    """
    if attribute in _MAY_BE_A_SENTENCE:
        return len(value) > _LONGEST_REASON
    words = len(value.split())
    chinese = bool(HAN.search(value))
    if chinese:
        if len(value) < _SHORTEST_MESSAGE:
            return False
    elif words < _SHORTEST_ENGLISH_MESSAGE:
        return False
    if _SENTENCE_WITHIN.search(value):
        return True
    spoken = set(_SPEAKS.findall(value))
    if len(spoken) >= (_SPOKEN_ENOUGH if chinese else _SPOKEN_ENOUGH_ENGLISH):
        return True
    # A long list of things is an address or a title; a long list that also speaks is not.
    return len(value) > _LONGEST_CLAUSE and len(_COMMAS.findall(value)) >= _MOST_COMMAS and bool(spoken)


def _values(view: View, *, shortest: int = 1) -> Iterator[tuple[Span, str, Attribute]]:
    """Each value but the plainest: where it stands, its folded text, and what it is for."""
    written = view.text
    for start, end in view.wordy_values:
        value = fold(written[start:end]).strip()
        if value.isdigit() or len(value) < shortest:
            continue
        before, after = written[max(0, start - _FAR_BEFORE) : start], written[end : end + _FAR_AFTER]
        yield (start, end), value, attribute_of(fold(before), fold(after))


def _values_that_are_messages(view: View) -> Iterator[Spot]:
    for span, value, attribute in _values(view, shortest=_SHORTEST_MESSAGE):
        if is_a_message(value, attribute):
            yield Spot(*span)


def _values_of_another_form(view: View) -> Iterator[Spot]:
    for span, value, attribute in _values(view, shortest=_SHORTEST_OF_A_CODE):
        if attribute is not Attribute.CODE and len(value) < _SHORTEST_OF_ANOTHER_FORM:
            continue
        form = _FORMS.get(attribute)
        if form is not None and not form.fullmatch(value):
            yield Spot(*span)


_ASKS_TO_REACH = re.compile(
    r"联系|致电|拨打|电话|手机|热线|咨询|微信|加|扣|群|\b(?:call|text|add|contact|tel|phone|wechat|whatsapp)\b"
)
_MAY_REACH = re.compile(r"(?:[\d一二三四五六七八九零〇壹幺]\D{0,2}){7}|@|[.。][a-z]|[a-z]{3}", re.IGNORECASE)
_PART_OF_A_LINK = re.compile(r"^\.[a-z]|[a-z0-9]\.$|www|http|://")
_JUST_BEFORE = 6
# What may stand between two parts of a number or a link without keeping them apart.
_TOUCHING = re.compile(r"[\W_]{0,2}")


def _reached_across_values(view: View) -> Iterator[Spot]:
    """Links and contacts of which one value brings the beginning and another the end."""
    spans = view.submission.values
    if len(spans) < 2:
        return
    if not _MAY_REACH.search("".join([view.text[start:end] for start, end in spans])):
        return
    joined = Joined(view.text, spans)
    close = any(_TOUCHING.fullmatch(view.text, one[1], other[0]) for one, other in pairwise(spans))
    links = links_of(joined) if close or _PART_OF_A_LINK.search(joined.text) else []
    contacts = [
        (start, end)
        for start, end in contacts_of(joined)
        if close or _ASKS_TO_REACH.search(fold(view.text[max(0, start - _JUST_BEFORE) : start + _JUST_BEFORE]))
    ]
    for start, end in (*links, *contacts):
        if not any(first <= start and end <= last for first, last in spans):
            yield Spot(start, end)


CHECKS: dict[str, Check] = {
    "values-that-are-messages": _values_that_are_messages,
    "values-of-another-form": _values_of_another_form,
    "reached-across-values": _reached_across_values,
}
