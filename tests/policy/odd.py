"""Texts stuffed with what rules look for, disguised or nearly there, and noise; up to the longest that is read."""

import random
import tomllib
from importlib import resources
from itertools import cycle, islice
from typing import NamedTuple

from hypothesis import strategies as st

from cleartosend.model.verdicts import MessageType, Part, Submission
from cleartosend.policy.rulebook import Rulebook
from cleartosend.testing import attacks

CHARACTERS = 10_000
DISGUISES = (
    "贷 款 ", "wei xin ", "weixin", "l0an ", "c4$h", "lo*an", "l.o.a.n ", "代贝 ", "鹅肚", "加薇❤", "Ｖ❤信", "1o4n",
    "jia wei", "维芯", "威訫", "带款", "黛 宽", "d.a.i k.u.a.n ", "扌召耳甹", "а", "сash",
    "ｌｏａｎ", "l\u200bo\u200ba\u200bn",
    "加\u0301微\u0336信\u0335",
)  # fmt: skip
NEAR_LINKS = (
    ".com", "a.", "www.", "http://", "https:/", "a.co m", "a点com", "x。com/", "@a.com", "1.2.3.4:", "t.cn/", "a.me/",
    "[.]", "(dot)com",
)  # fmt: skip
NEAR_NUMBERS = (
    "1380013", "一三八〇", "壹 叁 捌 ", "①③⑧", "1️⃣3️⃣", "1-3-8-", "+86 1", "400-",
    "0755 ", "QQ：1", "电话", "𝟙𝟛𝟠", "一百零",
)  # fmt: skip
BRACKETS = ("{1}", "{", "}", "${x}", "#x#", "%s", "【", "】", "[", "([{", "“", "《", "<", "@var(")
MARKS = (
    "★", "😀", "👨‍👩‍👧‍👦", "🇨🇳", "é", "e\u0301\u0302\u0303", "ﷺ", "㍿", "¥1", "￥", "^_^", "&",
    "\u202e", "\n", " ", "。", ",",
    "!", ".",
)  # fmt: skip
ENDINGS = ("", "拒收请回复R", "Reply STOP to opt out")


class Odd(NamedTuple):
    """A text by what it is made of."""

    pieces: tuple[str, ...]
    times: int
    seed: int
    """By which the pieces are drawn, each time anew; 0: in their order, again and again."""
    ending: str

    def __str__(self) -> str:
        if self.seed and self.pieces:
            drawn = random.Random(self.seed).choices(self.pieces, k=self.times)
        else:
            drawn = list(islice(cycle(self.pieces), self.times))
        return "".join(drawn)[: CHARACTERS - len(self.ending)] + self.ending


def odd_texts(rulebook: Rulebook) -> st.SearchStrategy[Odd]:
    """Texts stuffed with what rules look for, disguised or nearly there, and noise, up to the longest that is read."""
    words = sorted({word for rule in rulebook.rules for word in rule.words} | _words_that_show_a_nature())
    caught = sorted({rule.submission_of(example).text for rule in rulebook.rules for example in rule.catches})
    known = st.sampled_from(words) | st.sampled_from(caught)
    disguised = st.builds(
        lambda text, attack, random: attack(text, random),
        known,
        st.sampled_from(list(attacks.ALL.values())),
        st.randoms(use_true_random=False),
    )
    pieces = st.one_of(
        known,
        disguised,
        *map(st.sampled_from, (DISGUISES, NEAR_LINKS, NEAR_NUMBERS, BRACKETS, MARKS)),
        st.text(max_size=8),
        st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=8),
        st.text("abcdeinox0134", max_size=8),
    )
    return st.builds(
        Odd,
        pieces=st.lists(pieces, max_size=40).map(tuple),
        times=st.sampled_from((1, 3, 10, 100, CHARACTERS, CHARACTERS, CHARACTERS)),
        seed=st.integers(0, 99),
        ending=st.sampled_from(ENDINGS),
    )


def odd_submissions(rulebook: Rulebook) -> st.SearchStrategy[tuple[Odd, Submission]]:
    """Such texts put up as anything, with values anywhere, and what they are made of."""
    parts = st.sampled_from((Part.TEMPLATE, Part.TEMPLATE, Part.MESSAGE, Part.MESSAGE, Part.SIGNATURE))
    bounds = st.lists(st.integers(0, CHARACTERS), max_size=24).map(sorted)
    return st.builds(_submission, odd_texts(rulebook), parts, st.sampled_from(MessageType), st.booleans(), bounds)


def _submission(
    odd: Odd,
    part: Part,
    type_: MessageType,
    abroad: bool,  # noqa: FBT001 - drawn in this order
    bounds: list[int],
) -> tuple[Odd, Submission]:
    text = str(odd)
    inside = [bound for bound in bounds if bound <= len(text)]
    values = tuple(zip(inside[::2], inside[1::2], strict=False)) if part is Part.MESSAGE else ()
    return odd, Submission(text=text, type=type_, part=part, international=abroad, values=values)


def _words_that_show_a_nature() -> set[str]:
    cues = tomllib.loads(resources.files("cleartosend.policy").joinpath("cues.toml").read_text("utf-8"))
    return {word for cue in cues["cue"] for word in cue.get("words", ())}
