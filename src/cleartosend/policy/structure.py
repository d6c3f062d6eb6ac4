"""Judges the form of a template or message: variables, brackets, length, links, symbols, the opt-out ending."""

import re
from collections.abc import Iterator
from itertools import pairwise

from cleartosend.model.messages import MOST_CHARACTERS_PER_MESSAGE
from cleartosend.model.verdicts import MessageType, Part
from cleartosend.policy.normalise import HAN
from cleartosend.policy.reach import MAY_BE_MOBILE, SPOKEN_DIGITS, links_of, mobiles_of
from cleartosend.policy.spots import Edit, Spot, overlap, replaced
from cleartosend.policy.view import PLACEHOLDER, VARIABLE, Check, View

_SHORTEST_SIGNATURE = len("【】") + 2
OPT_OUT_ENDING = "拒收请回复R"
ENGLISH_OPT_OUT_ENDING = "Reply STOP to unsubscribe"

_MOST_VARIABLES = 10
_MOST_VARIABLES_OF_VERIFICATION = 3
_LEAST_FIXED_TEXT = 3
_LEAST_FIXED_TEXT_TO_A_VARIABLE = 3

# ---- the text as a whole ----


def _text_is_empty(view: View) -> Iterator[Spot]:
    if not view.normalised.text.strip():
        yield Spot(0, 0)


def _text_is_too_long(view: View) -> Iterator[Spot]:
    most = MOST_CHARACTERS_PER_MESSAGE - (0 if view.submission.international else _SHORTEST_SIGNATURE)
    length = len(view.submission.text)
    if length > most:
        yield Spot(most, length)


def _is_declared_marketing(view: View) -> Iterator[Spot]:
    if view.submission.type is MessageType.MARKETING:
        yield Spot(0, 0)


# ---- characters ----

_BRACKETED = re.compile(r"[【︻][^【】︻︼]*[】︼]|[【】︻︼]")
_QUOTED_INSTEAD = str.maketrans("【︻】︼", "““””")

# Drawn for decoration or known to arrive as something else: boxes, shapes, dingbats, emoji, keyboard art; not the one
# upright line that is typed for a stroke.
_GARBLED = re.compile(
    r"[¥￥](?P<amount>\d[\d,.]*\d|\d|\{\d+\})?"
    r"|(?P<and> ?[&＆] ?)"
    r"|[√※〒〓\u2500\u2501\u2503-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]\ufe0f?"
    r"|\(?\^[_.oO-]*\^\)?|>_<|(?<![a-zA-Z])[tT]_[tT](?![a-zA-Z])|:-[)(]|:[)(](?=\s|$)",
)

_MAY_BE_GARBLED = re.compile(
    r"[¥￥&＆√※〒〓\u2500\u2501\u2503-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff^>_:]"
)

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
        yield replaced(found, "" if first_or_last else found[0].translate(_QUOTED_INSTEAD))


def _garbled_symbols(view: View) -> Iterator[Spot]:
    if not _MAY_BE_GARBLED.search(view.text):
        return
    for found in _GARBLED.finditer(view.text):
        if any(overlap(found.span(), link) for link in view.links):
            continue
        if found["amount"]:
            yield replaced(found, f"{found['amount']}元")
        elif found["and"]:
            # In a text of Latin letters it arrives as it is, being one of the characters of the GSM alphabet.
            if HAN.search(view.text):
                yield replaced(found, "和")
        else:
            yield replaced(found, "")


def _invisible_characters(view: View) -> Iterator[Spot]:
    for found in _INVISIBLE.finditer(view.text):
        yield replaced(found, "")


_GREEK_OR_CYRILLIC = re.compile(r"[\u0370-\u052f]")
_LETTERS_OF_TWO_SCRIPTS = re.compile(
    r"[a-z][\u0370-\u0373\u0376-\u03ff\u0400-\u052f]|[\u0370-\u03ff\u0400-\u052f][a-z]", re.IGNORECASE
)
_MOST_SIGNS_BY_CHANCE = 1
_MOST_GAPS_BY_CHANCE = 3
_HANS_TO_A_GAP = 4


def _text_in_disguise(view: View) -> Iterator[Spot]:
    """Words hidden so often that somebody means to: honest texts need almost nothing undone."""
    if _GREEK_OR_CYRILLIC.search(view.text):
        for found in _LETTERS_OF_TWO_SCRIPTS.finditer(view.text):
            yield Spot(*found.span())
    undone = view.undone
    if undone is not None and (undone.hides or undone.signs > _MOST_SIGNS_BY_CHANCE):
        for start, end in undone.disguised:
            yield Spot(start, end)
    squeezed = view.normalised.squeezed
    if squeezed is not None:
        gaps = squeezed.gaps
        if len(gaps) > _MOST_GAPS_BY_CHANCE and len(gaps) * _HANS_TO_A_GAP >= len(squeezed.text):
            yield Spot(*gaps[0])


# ---- variables ----

_OF_OTHER_PLATFORMS = frozenset("#%@")
# Everything that looks meant as a variable, here or on another platform, in folded text.
_MEANT_AS_VARIABLE = re.compile(
    r"[$#]?\{{1,2}[^{}\n]{0,30}\}{1,2}|\{\d{1,2}(?!\d)|[{}]|#[a-z_\u3400-\u9fff]{2,20}#|@var\([^)\n]{0,20}\)|%[sd]\b",
    re.ASCII,
)
_PHONE_PREFIX = re.compile(r"(?<![\d.])(?:1[3-9]\d[\d -]{0,8}|0\d{2,3}[ -]?\d{0,7}|[48]00[ -]?\d{0,6}-?)\$?$")
_CALLED_BEFORE = re.compile(r"(?:电话|手机|热线|拨打|致电|tel|phone|call)[^\d。]{0,8}$")
_DIGITS_FOLLOW = re.compile(r"[ -]?\d{4}(?!\d?[年.])")


def _malformed_variables(view: View) -> Iterator[Spot]:
    folded = view.normalised.text
    braces = folded.count("{") + folded.count("}")
    if braces == 2 * len(view.variables) and not _OF_OTHER_PLATFORMS.intersection(folded):
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
    if 0 < view.fixed_text < _LEAST_FIXED_TEXT_TO_A_VARIABLE * len(view.variables):
        yield Spot(0, len(view.text))


def _says_nothing(view: View) -> Iterator[Spot]:
    if view.normalised.text.strip() and not view.variables and view.fixed_text < _LEAST_FIXED_TEXT:
        yield Spot(0, len(view.text))


def _too_many_variables(view: View) -> Iterator[Spot]:
    verification = view.submission.type is MessageType.VERIFICATION
    most = _MOST_VARIABLES_OF_VERIFICATION if verification else _MOST_VARIABLES
    for variable in view.variables[most:]:
        yield Spot(variable.start, variable.end)


def _variables_in_links(view: View) -> Iterator[Spot]:
    if view.placeholders:
        for link in view.links:
            if any(overlap(link, placeholder) for placeholder in view.placeholders):
                yield Spot(*link)


def _variables_in_phone_numbers(view: View) -> Iterator[Spot]:
    if not view.placeholders:
        return
    # Folded, for digits of every width, wherever that keeps the offsets.
    text = view.normalised.text if len(view.normalised.text) == len(view.text) else view.text
    for found in PLACEHOLDER.finditer(text):
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
    return VARIABLE.sub(lambda _: f"{{{next(numbers)}}}", text)


# ---- what each type needs ----

_CODE_WORD = re.compile(r"验证码|(?<![a-z])(?:pass)?codes?(?![a-z])|(?<![a-z])otp(?![a-z])")
_NEARLY_THE_CODE_WORD = re.compile(r"校验码|动态密码|动态口令|安全码|动态码|确认码|认证码|驗證碼|检验码|随机码|短信码")
_OLD_OPT_OUT = re.compile(
    r"[\s,，;；(（\[【]*(?:如需|如要)?"
    r"(?:(?:退订|拒收|取消)\s*请?\s*(?:回复|回|发送|发)?\s*[“\"']?(?:td|qx|t|n|r|0000)[”\"']?"
    r"|(?:回复?|发送?)\s*[“\"']?(?:td|qx|t|n|r|0000)[”\"']?\s*(?:可|即可)?(?:退订|拒收|取消))"
    r"[\s)）\]】。.!！~]*$"
)
OPT_OUT = re.compile(
    r"\b(?:reply|text|send|txt)\b.{0,12}\b(?:stop|unsubscribe|unsub|optout|quit|end|cancel|no|t|td|r)\b"
    r"|\b(?:unsubscribe|opt[ -]?out|opt out)\b|\bstop\b.{0,12}\b(?:2|to)\b.{0,6}\b(?:end|stop|cancel|quit)\b"
    r"|退订|拒收请回复",
    re.ASCII,
)
_ENGLISH_ENDING = 60


def _code_word_is_missing(view: View) -> Iterator[Spot]:
    folded = view.normalised.text
    chinese = not view.submission.international and HAN.search(folded)
    found = _CODE_WORD.search(folded)
    if found and (not chinese or "验证码" in folded):
        return
    nearly = _NEARLY_THE_CODE_WORD.search(view.text)
    if nearly:
        yield replaced(nearly, "验证码")
    elif view.variables:
        # Where the code stands, most likely: beside it the word is missing.
        yield Spot(view.variables[0].start, view.variables[0].end)
    else:
        yield Spot(len(view.text), len(view.text))


def _opt_out_is_missing(view: View) -> Iterator[Spot]:
    text = view.text.rstrip()
    if text.endswith(OPT_OUT_ENDING):
        return
    # Who writes to the mainland in English may tell how to opt out in English.
    if not HAN.search(text) and OPT_OUT.search(view.normalised.text[-_ENGLISH_ENDING:]):
        return
    old = _OLD_OPT_OUT.search(text.lower().translate(_FULL_WIDTH_LATIN), max(0, len(text) - 40))
    start = old.start() if old else len(text)
    before = text[:start]
    joint = "，" if before and (before[-1].isalnum() or before[-1] in "}”）)") else ""
    yield Spot(start, len(text), Edit(start, len(view.text), joint + OPT_OUT_ENDING))


_FULL_WIDTH_LATIN = str.maketrans("ＴＤＮＲｔｄｎｒ", "tdnrtdnr")


def _english_opt_out_is_missing(view: View) -> Iterator[Spot]:
    if OPT_OUT.search(view.normalised.text[-_ENGLISH_ENDING:]):
        return
    text = view.text.rstrip()
    joint = " " if not text or text[-1] in ".!?。！？" else ". "
    yield Spot(len(text), len(text), Edit(len(text), len(view.text), joint + ENGLISH_OPT_OUT_ENDING))


# ---- links and contacts ----

_CONTACT_WORD = re.compile(r"联系|致电|拨打|电话|手机|热线|咨询|微信|加v|vx|tel|phone|call|contact|text")
_NEAR = 14


def _personal_mobiles(view: View) -> Iterator[Spot]:
    """Of a template anywhere; of a message in a value, after words that ask the recipient to use it."""
    normalised = view.normalised
    if not MAY_BE_MOBILE.search(normalised.text):
        return
    digits = normalised.text.translate(SPOKEN_DIGITS)
    for start, end in mobiles_of(digits):
        span = normalised.span(start, end)
        if view.submission.part is Part.MESSAGE and not (
            view.touches_a_value(span) and _CONTACT_WORD.search(digits, max(0, start - _NEAR), start + 4)
        ):
            continue
        yield Spot(*span)


def _constant_links(view: View) -> Iterator[Spot]:
    for link in view.links:
        if not any(overlap(link, placeholder) for placeholder in view.placeholders):
            yield Spot(*link)


def _links_from_values(view: View) -> Iterator[Spot]:
    for link in links_of(view.normalised):
        if view.touches_a_value(link):
            yield Spot(*link)


CHECKS: dict[str, Check] = {
    "text-is-empty": _text_is_empty,
    "text-is-too-long": _text_is_too_long,
    "is-declared-marketing": _is_declared_marketing,
    "brackets-in-text": _brackets_in_text,
    "garbled-symbols": _garbled_symbols,
    "invisible-characters": _invisible_characters,
    "text-in-disguise": _text_in_disguise,
    "malformed-variables": _malformed_variables,
    "variables-out-of-order": _variables_out_of_order,
    "adjacent-variables": _adjacent_variables,
    "only-variables": _only_variables,
    "too-little-fixed-text": _too_little_fixed_text,
    "says-nothing": _says_nothing,
    "too-many-variables": _too_many_variables,
    "variables-in-links": _variables_in_links,
    "variables-in-phone-numbers": _variables_in_phone_numbers,
    "code-word-is-missing": _code_word_is_missing,
    "opt-out-is-missing": _opt_out_is_missing,
    "english-opt-out-is-missing": _english_opt_out_is_missing,
    "constant-links": _constant_links,
    "links-from-values": _links_from_values,
    "personal-mobiles": _personal_mobiles,
}
