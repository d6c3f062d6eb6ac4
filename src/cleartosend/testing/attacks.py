"""Ways in which people disguise a text to get it past a filter, each as a seeded function of the text."""

import random
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources

Attack = Callable[[str, random.Random], str]
"""The text in disguise. The same text and the same state of the generator give the same disguise."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{4,}")
# What stands for a variable is not touched: the platform would not know it again.
_VARIABLE = re.compile(r"(\{\d+\})")

_LOOK_ALIKES = {
    "a": "аɑα", "b": "Ь", "c": "сϲ", "d": "ԁ", "e": "еҽ", "g": "ɡ", "h": "һ", "i": "іι", "j": "ј", "k": "κ", "l": "ⅼ",
    "m": "м", "n": "ո", "o": "оοσ", "p": "рρ", "q": "ԛ", "r": "г", "s": "ѕ", "t": "τ", "u": "υս", "v": "ѵν", "w": "ԝ",
    "x": "хχ", "y": "уγ", "A": "АΑ", "B": "ВΒ", "C": "СϹ", "E": "ЕΕ", "H": "НΗ", "I": "ІΙ", "K": "КΚ", "M": "МΜ",
    "N": "Ν", "O": "ОΟ", "P": "РΡ", "S": "Ѕ", "T": "ТΤ", "X": "ХΧ", "Y": "ΥҮ", "Z": "Ζ",
    "口": "囗", "力": "カ", "二": "ニ", "工": "エ", "卜": "ト", "八": "ハ", "夕": "タ",
}  # fmt: skip
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_SYMBOLS = "*·.-_~|/^+"
_LEET = {"a": "4@", "e": "3", "i": "1", "o": "0", "s": "5$", "t": "7", "l": "1"}
_NUMERALS = ("零〇", "一壹①", "二贰②", "三叁③", "四肆④", "五伍⑤", "六陆⑥", "七柒⑦", "八捌⑧", "九玖⑨")
_DECORATION = "🔥💥✨🎉👉❤💯🌟"
_EMOJI = {
    "钱": "💰", "手机": "📱", "电话": "☎", "心": "❤", "信": "✉", "加": "➕", "车": "🚗", "房": "🏠", "奖": "🏆",
    "礼": "🎁", "酒": "🍺", "药": "💊", "卡": "💳", "股": "📈", "飞机": "✈", "书": "📚", "家": "🏠", "火": "🔥",
    "money": "💰", "phone": "📱", "gift": "🎁", "house": "🏠", "car": "🚗", "card": "💳", "beer": "🍺", "win": "🏆",
}  # fmt: skip
# A character taken apart; the parts are read at a glance as what they were.
_SPLIT = {
    "贷": "代贝", "款": "土示欠", "信": "亻言", "加": "力口", "群": "君羊", "赌": "贝者", "博": "十尃", "彩": "采彡",
    "票": "西示", "招": "扌召", "聘": "耳甹", "投": "扌殳", "资": "次贝", "理": "王里", "财": "贝才", "股": "月殳",
    "赚": "贝兼", "钱": "钅戋", "注": "氵主", "法": "氵去", "洗": "氵先", "浴": "氵谷", "酒": "氵酉", "装": "壮衣",
    "修": "亻攸", "保": "亻呆", "险": "阝佥", "利": "禾刂", "息": "自心", "您": "你心", "你": "亻尔", "微": "彳山几攵",
    "费": "弗贝", "额": "客页", "领": "令页", "张": "弓长", "好": "女子", "妹": "女未", "按": "扌安", "摩": "麻手",
    "枪": "木仓", "楼": "木娄", "校": "木交", "课": "讠果", "请": "讠青", "证": "讠正", "询": "讠旬", "话": "讠舌",
    "催": "亻崔", "债": "亻责", "欠": "⺈人", "代": "亻弋", "办": "力八", "开": "一廾", "购": "贝勾", "赠": "贝曾",
    "奖": "丬大", "品": "口口口", "妆": "丬女", "整": "敕正", "减": "冫咸", "肥": "月巴", "烟": "火因", "期": "其月",
    "机": "木几", "码": "石马", "账": "贝长", "号": "口丂", "职": "耳只", "训": "讠川", "学": "⺍子", "盘": "舟皿",
}  # fmt: skip
# What well-known words are called among those who must not say them.
_INITIALS = {
    "借款": "jk", "贷款": "dk", "微信": "wx", "发票": "fp", "招聘": "zp", "兼职": "jz", "投资": "tz", "理财": "lc",
    "彩票": "cp", "股票": "gp", "保险": "bx", "加群": "jq", "公众号": "gzh", "信用卡": "xyk", "赌博": "db",
    "返现": "fx", "刷单": "sd", "装修": "zx", "身份证": "sfz", "客服": "kf", "优惠": "yh", "办证": "bz",
}  # fmt: skip
_CONTACTS = (
    ("加微信", ("+V", "加薇", "➕微", "加威信", "加V信", "jia薇")),
    ("微信", ("威信", "薇信", "V信", "微❤", "wei信", "徽信", "VX")),
    ("QQ群", ("扣扣群", "Q裙", "企鹅群")),
    ("QQ", ("扣扣", "企鹅号", "球球", "秋秋")),
    ("群", ("裙", "qun", "羣")),
    ("加", ("➕", "+", "佳")),
)


def full_width(text: str, rng: random.Random, *, rate: float = 0.6) -> str:
    """Letters, digits and marks in their full width: `ｌｏａｎ`."""
    return _each(text, rng, rate, lambda character: chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else None)


def look_alikes(text: str, rng: random.Random, *, rate: float = 0.4) -> str:
    """Cyrillic, Greek and other letters that look the same."""
    return _each(text, rng, rate, lambda character: _one_of(_LOOK_ALIKES.get(character), rng))


def zero_width(text: str, rng: random.Random, *, rate: float = 0.3) -> str:
    """Characters that nobody sees between those that are seen."""
    return _each(text, rng, rate, lambda character: character + rng.choice(_INVISIBLE) if character.isalnum() else None)


def spaces(text: str, rng: random.Random, *, rate: float = 0.4) -> str:
    """Spaces within words: `贷 款`, `l o a n`."""
    return _spaced(text, rng, rate, " ")


def symbols(text: str, rng: random.Random, *, rate: float = 0.4) -> str:
    """Symbols within words: `贷*款`, `lo.an`."""
    return _spaced(text, rng, rate, _SYMBOLS)


def traditional(text: str, rng: random.Random, *, rate: float = 0.8) -> str:
    """Traditional characters for simplified ones."""
    forms = _traditional_forms()
    return _each(text, rng, rate, lambda character: _one_of(forms.get(character), rng))


def split_characters(text: str, rng: random.Random, *, rate: float = 0.6) -> str:
    """Characters taken apart: `代贝款` for 贷款."""
    return _each(text, rng, rate, _SPLIT.get)


def homophones(text: str, rng: random.Random, *, rate: float = 0.25) -> str:
    """Other characters of the same sound: `带宽` for 贷款."""
    alike = _sounding_alike()
    return _each(text, rng, rate, lambda character: _one_of(alike.get(character, "").replace(character, ""), rng))


def pinyin(text: str, rng: random.Random, *, rate: float = 0.2) -> str:
    """Characters spelt out: `dai款`, `weixin`."""
    syllables = _syllables()
    return _each(text, rng, rate, syllables.get)


def initials(text: str, rng: random.Random, *, rate: float = 0.8) -> str:
    """Well-known words by the initials of their syllables: `jk` for 借款."""
    return _worded(text, rng, rate, _INITIALS)


def numerals(text: str, rng: random.Random, *, rate: float = 0.8) -> str:
    """Digits as words, as formal numerals, or in circles."""
    return _each(
        text, rng, rate, lambda character: rng.choice(_NUMERALS[int(character)]) if character in "0123456789" else None
    )


def keycaps(text: str, rng: random.Random, *, rate: float = 0.8) -> str:
    """Digits as keycap emoji, and emoji for the things they picture."""
    text = _worded(text, rng, rate, _EMOJI)
    return _each(text, rng, rate, lambda character: character + "\ufe0f\u20e3" if character in "0123456789" else None)


def emoji_between(text: str, rng: random.Random, *, rate: float = 0.25) -> str:
    """Emoji between the characters of words."""
    return _each(
        text, rng, rate, lambda character: character + rng.choice(_DECORATION) if _HAN.match(character) else None
    )


def leetspeak(text: str, rng: random.Random, *, rate: float = 0.5) -> str:
    """Digits and signs for letters: `l0an`, `c4$h`."""
    return _each(text, rng, rate, lambda character: _one_of(_LEET.get(character.lower()), rng))


def contacts(text: str, rng: random.Random, *, rate: float = 0.9) -> str:
    """Names of messengers by their nicknames: `+V`, 加薇, 扣扣, 企鹅号, 微❤."""
    for word, names in _CONTACTS:
        text = _replace(text, word, names, rng, rate)
    return text


def mixed(text: str, rng: random.Random) -> str:
    """Three of the others, each at the half of its rate."""
    for attack in rng.sample(_SEVERAL, 3):
        text = attack(text, rng)
    return text


ALL: Mapping[str, Attack] = {
    "full width": full_width,
    "look-alikes": look_alikes,
    "zero width": zero_width,
    "spaces": spaces,
    "symbols": symbols,
    "traditional forms": traditional,
    "split characters": split_characters,
    "homophones": homophones,
    "pinyin": pinyin,
    "initials": initials,
    "numerals": numerals,
    "keycaps and emoji": keycaps,
    "emoji between": emoji_between,
    "leetspeak": leetspeak,
    "contacts": contacts,
    "mixed": mixed,
}
"""Every attack by its name."""

_SEVERAL: tuple[Attack, ...] = (
    lambda text, rng: look_alikes(text, rng, rate=0.2),
    lambda text, rng: zero_width(text, rng, rate=0.15),
    lambda text, rng: spaces(text, rng, rate=0.2),
    lambda text, rng: symbols(text, rng, rate=0.2),
    lambda text, rng: traditional(text, rng, rate=0.4),
    lambda text, rng: split_characters(text, rng, rate=0.3),
    lambda text, rng: homophones(text, rng, rate=0.12),
    lambda text, rng: pinyin(text, rng, rate=0.1),
    lambda text, rng: leetspeak(text, rng, rate=0.25),
)


def _each(text: str, rng: random.Random, rate: float, change: Callable[[str], str | None]) -> str:
    """Change a share of those characters that can be changed."""
    pieces = _VARIABLE.split(text)
    for number in range(0, len(pieces), 2):
        changed = []
        for character in pieces[number]:
            instead = change(character)
            changed.append(instead if instead and rng.random() < rate else character)
        pieces[number] = "".join(changed)
    return "".join(pieces)


def _one_of(several: str | None, rng: random.Random) -> str | None:
    return rng.choice(several) if several else None


def _spaced(text: str, rng: random.Random, rate: float, separators: str) -> str:
    """Separators behind a share of the Chinese characters, and one kind of them all through a share of the words."""

    def spelt_out(found: re.Match[str]) -> str:
        return rng.choice(separators).join(found[0]) if rng.random() < rate else found[0]

    apart = _LATIN_WORD.sub(spelt_out, text)
    return _each(
        apart, rng, rate, lambda character: character + rng.choice(separators) if _HAN.match(character) else None
    )


def _worded(text: str, rng: random.Random, rate: float, instead: Mapping[str, str]) -> str:
    for word, other in instead.items():
        text = _replace(text, word, (other,), rng, rate)
    return text


def _replace(text: str, word: str, others: Sequence[str], rng: random.Random, rate: float) -> str:
    head, *pieces = text.split(word)
    return head + "".join((rng.choice(others) if rng.random() < rate else word) + piece for piece in pieces)


@cache
def _table(name: str) -> dict[str, dict[str, str]]:
    return tomllib.loads(resources.files("cleartosend.policy").joinpath(name).read_text("utf-8"))


@cache
def _syllables() -> dict[str, str]:
    """The syllable of each character."""
    rows: Mapping[str, object] = _table("syllables.toml")
    return {
        character: syllable for syllable, alike in rows.items() for character in str(alike) if not character.isspace()
    }


@cache
def _sounding_alike() -> dict[str, str]:
    """The common characters of the same sound as each character."""
    rows: Mapping[str, object] = _table("syllables.toml")
    return {
        character: str(alike).split(" ")[0]
        for alike in rows.values()
        for character in str(alike)
        if not character.isspace()
    }


@cache
def _traditional_forms() -> dict[str, str]:
    forms: dict[str, str] = {}
    for pair in _table("codepoints.toml")["traditional"]["simplified"].split():
        forms[pair[1]] = forms.get(pair[1], "") + pair[0]
    return forms
