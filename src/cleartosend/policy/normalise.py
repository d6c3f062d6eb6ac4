"""Folds a text to what its reader sees, one code point at a time, with the way back to the text as written."""

import re
import tomllib
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from importlib import resources
from itertools import accumulate
from typing import Protocol

# What separates characters without ending a thought. A full stop is among them, since Chinese ends a sentence with 。
# and a dot between two Han characters only keeps them apart; braces are not, since they hold a variable.
_SEPARATORS = r"[^\w\n,!?;:。、{}]"
_SEPARATED = re.compile(rf"{_SEPARATORS}+")
_SPELT_OUT = re.compile(r"\b[a-z]([ ._*~/|+-]{1,2})[a-z](?:\1[a-z])+\b", re.ASCII)
_SEPARATOR = re.compile(r"[ ._*~/|+-]+")

_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")  # Hangul fillers: letters by category, blank to the eye
_DROPPED_CATEGORIES = frozenset({"Mn", "Me", "Cf", "Cs", "Cc"})
_KEPT_CONTROLS = {"\n": "\n", "\r": "\n", "\t": " ", "\x0b": "\n", "\x0c": "\n", "\x85": "\n"}
# NFKC writes out whole blessings; four characters keep 株式会社 and a.m., and keep a text made of such ones short.
_LONGEST_FOLDED = 4
_LAST_WITH_LATIN_MARKS = 0x24F
_LAST_LATIN_EXTENDED = range(0x1E00, 0x1F00)

# (first, last, what the first stands for): runs of decorated digits and letters that NFKC leaves alone or wraps in
# brackets. An integer counts up; a letter goes through the alphabet.
_DECORATED: tuple[tuple[int, int, int | str], ...] = (
    (0x2474, 0x2487, 1),  # (1) to (20)
    (0x2488, 0x249B, 1),  # 1. to 20.
    (0x249C, 0x24B5, "a"),  # (a) to (z)
    (0x24EB, 0x24F4, 11),  # negative circled 11 to 20
    (0x24F5, 0x24FE, 1),  # double circled
    (0x24FF, 0x24FF, 0),
    (0x2776, 0x277F, 1),  # dingbat negative circled
    (0x2780, 0x2789, 1),
    (0x278A, 0x2793, 1),
    (0x1F110, 0x1F129, "a"),  # (A) to (Z)
    (0x1F150, 0x1F169, "a"),  # negative circled
    (0x1F170, 0x1F189, "a"),  # negative squared
    (0x1F1E6, 0x1F1FF, "a"),  # regional indicators
)


class Folded(Protocol):
    """A text to match in, whose offsets lead back to the text as written."""

    @property
    def text(self) -> str:
        """What is matched."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where [start, end) of `text` stands in the text as written."""

    def adds(self, start: int, end: int) -> bool:
        """Whether what is found at [start, end) could not be found in the plain folded text."""


class Normalised:
    """
    A text as written and as folded.

    >>> folded = normalise("加\u200bＶＸ")
    >>> folded.text, folded.span(1, 3)
    ('加vx', (2, 4))
    """

    def __init__(self, written: str, text: str) -> None:
        self.written = written
        self.text = text

    @cached_property
    def _origins(self) -> list[int]:
        """For each folded character, and for the end, the offset of the character as written that it came from."""
        origins: list[int] = []
        for offset, character in enumerate(self.written):
            length = len(_TABLE[ord(character)])
            if length == 1:
                origins.append(offset)
            else:
                origins += [offset] * length
        origins.append(len(self.written))
        return origins

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where [start, end) stands in the text as written, with the invisible characters that follow it there."""
        if self.written == self.text:
            return start, end
        origins = self._origins
        if start >= end:
            return origins[start], origins[start]
        return origins[start], max(origins[end - 1] + 1, origins[end])

    def adds(self, start: int, end: int) -> bool:
        """Whether there is anything to find: all that is found in the plain folded text counts."""
        return start < end

    @cached_property
    def squeezed(self) -> "Squeezed | None":
        """The same text without what stands between its characters only to keep them apart; None where nothing does."""
        gaps = _gaps(self.text)
        return Squeezed(self, gaps) if gaps else None


class _Pieced:
    """Pieces of folded text put side by side; it adds what is found across a seam between two of them."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self.text = "".join(pieces)
        self._seams = list(accumulate(map(len, pieces)))

    def adds(self, start: int, end: int) -> bool:
        """Whether a seam is strictly inside [start, end)."""
        return bisect_right(self._seams, start) < bisect_left(self._seams, end)


class Squeezed(_Pieced):
    """A folded text with the gaps inside its words closed: `贷 款` and `l o a n` become `贷款` and `loan`."""

    def __init__(self, normalised: Normalised, gaps: list[tuple[int, int]]) -> None:
        self._normalised = normalised
        self._gaps = gaps
        starts = [0, *(end for _, end in gaps)]
        ends = [*(start for start, _ in gaps), len(normalised.text)]
        self._kept = list(zip(starts, ends, strict=True))
        super().__init__([normalised.text[start:end] for start, end in self._kept])

    @property
    def gaps(self) -> list[tuple[int, int]]:
        """Where in the text as written the gaps stood that were closed."""
        return [self._normalised.span(start, end) for start, end in self._gaps]

    @cached_property
    def _origins(self) -> list[int]:
        return [offset for start, end in self._kept for offset in range(start, end)]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where [start, end), which is not empty, stands in the text as written."""
        return self._normalised.span(self._origins[start], self._origins[end - 1] + 1)


class Joined(_Pieced):
    """Some stretches of a text read as one, such as the values of a message that together spell a word."""

    def __init__(self, written: str, spans: Sequence[tuple[int, int]]) -> None:
        self._spans = spans
        self._pieces = [normalise(written[start:end]) for start, end in spans]
        super().__init__([piece.text for piece in self._pieces])

    @cached_property
    def _origins(self) -> list[tuple[int, int]]:
        return [
            (first + start, first + end)
            for (first, _), piece in zip(self._spans, self._pieces, strict=True)
            for offset in range(len(piece.text))
            for start, end in (piece.span(offset, offset + 1),)
        ]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """From where the first to where the last character of [start, end), which is not empty, stands as written."""
        return self._origins[start][0], self._origins[end - 1][1]


def normalise(written: str) -> Normalised:
    """Fold width, case, traditional forms and look-alikes; drop what cannot be seen."""
    return Normalised(written, written.translate(_TABLE))


def fold(text: str) -> str:
    """
    The folded text alone, where nobody needs the way back.

    >>> fold("Ｖ信 ❶❷ 貸款 Сlick")
    'v信 12 贷款 click'
    """
    return text.translate(_TABLE)


HAN = re.compile(r"[\u3400-\u9fff]")


def is_han(character: str) -> bool:
    """Whether a folded character is a Chinese one."""
    return "\u3400" <= character <= "\u9fff"


def _gaps(text: str) -> list[tuple[int, int]]:
    """Where separators stand between two Han characters or between the letters of a word spelt out, in order."""
    gaps = []
    if not text.isascii():
        for separated in _SEPARATED.finditer(text):
            start, end = separated.span()
            if is_han(text[start - 1 : start]) and is_han(text[end : end + 1]):
                gaps.append((start, end))
    for word in _SPELT_OUT.finditer(text):
        gaps += [gap.span() for gap in _SEPARATOR.finditer(text, *word.span())]
    gaps.sort()
    return gaps


class _Table(dict[int, str]):
    """Code point to folded text, filled as characters are met."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        folded = _fold_character(character)
        # Unassigned and private code points are not kept, so that no text can make the table grow without need.
        if unicodedata.category(character) not in {"Cn", "Co"}:
            self[code_point] = folded
        return folded


def _fold_character(character: str) -> str:
    if character in _ALIKE:
        return _ALIKE[character]
    folded = []
    for part in _decompose(character).casefold():
        alike = _ALIKE.get(part, part)
        if _is_kept(alike):
            folded.append(alike)
    return "".join(folded)[:_LONGEST_FOLDED]


def _decompose(character: str) -> str:
    if character in _KEPT_CONTROLS:
        return _KEPT_CONTROLS[character]
    category = unicodedata.category(character)
    if category in {"Zl", "Zp"}:
        return "\n"
    if category == "Zs" or character == "\u2800":  # the empty Braille cell
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(character))
    code_point = ord(character)
    if code_point <= _LAST_WITH_LATIN_MARKS or code_point in _LAST_LATIN_EXTENDED:
        return unicodedata.normalize("NFKD", character)
    return unicodedata.normalize("NFKC", character)


def _is_kept(part: str) -> bool:
    if part == "\n":
        return True
    return part not in _INVISIBLE_LETTERS and unicodedata.category(part[0]) not in _DROPPED_CATEGORIES


def _read_alike() -> dict[str, str]:
    """The rows of codepoints.toml and of the decorated runs above: a character and what it is read as."""
    data = tomllib.loads(resources.files(__package__).joinpath("codepoints.toml").read_text("utf-8"))
    alike = {pair[0]: pair[1] for pair in data["traditional"]["simplified"].split()}
    for target, sources in data["look_alikes"].items():
        alike.update(dict.fromkeys(sources, target))
    for first, last, stands_for in _DECORATED:
        for step in range(last - first + 1):
            alike[chr(first + step)] = (
                str(stands_for + step) if isinstance(stands_for, int) else chr(ord(stands_for) + step)
            )
    return alike


_ALIKE = _read_alike()
_TABLE = _Table()
