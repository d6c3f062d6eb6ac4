"""Undoes what hides a word from who looks for it: split characters, sounds, spellings, pictures, digits for letters."""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from importlib import resources
from itertools import product
from typing import Any, NamedTuple

import ahocorasick_rs

from cleartosend.policy.normalise import Folded, Squeezed, fold
from cleartosend.policy.spots import Span

# Letters and the digits and signs that stand for letters, in one word: l0an, c4$h.
_LEET = str.maketrans("013457@$", "oieastas")
# What looks like an l as much as like an i: read so where the rules know no such word, at the end of a word, doubled,
# and before most vowels.
_ONE_FOR_L = re.compile(r"1(?=[oae0431]|$)|(?<=1)1")
# Signs within a word: lo*an; of those that words may have, only between short pieces: lo-an.
_SIGNS_WITHIN = re.compile(
    r"(?<![a-z0-9])(?:[a-z]+(?:[*_~|^·+=]{1,2}[a-z]+)+|[a-z]{1,3}(?:[-.·][a-wyz]{1,3})+)(?![a-z0-9/@:-]|\.[a-z0-9])"
)
_MAY_HAVE_SIGNS_WITHIN = re.compile(r"[a-z][*_~|^·+=.-][a-z]|[a-z][*_~|^·+=]{2}[a-z]")
_NO_LETTER = re.compile(r"[^a-z]+")
_LEET_WORD = re.compile(
    r"(?<![a-z0-9@$./:])(?=[a-z0-9@$]*[a-z])(?=[a-z]*[013457@$])[a-z0-9@$]{3,20}(?![a-z0-9@/:]|\.[a-z0-9])"
)
_MAY_BE_LEET = re.compile(r"[a-z][013457@$]|[013457@$][a-z]")
_MOST_ONES = 3
# Amounts with their units, model numbers, and digits that somebody has masked.
_MEASURED = re.compile(
    r"\d+(?:[a-z]{1,2}|kwh|mph|pcs|gbp|usd|rmb|days?|hrs?|mins?)|[a-z]\d+|[a-z]{1,3}\d{2,}|\d+[a-z]+\d+|.*xx.*"
)
_LATIN = re.compile(r"[a-z]")
_BESIDE_A_CHARACTER = re.compile(r"(?<=[\u3400-\u9fff])[a-z]{2,}(?![a-z0-9])|(?<![a-z0-9])[a-z]{2,}(?=[\u3400-\u9fff])")
_LATIN_RUN = re.compile(r"[a-z]{2,}")
_LEAST_TO_HIDE = 3
_CHARACTERS_TO_ONE_BY_CHANCE = 24
_LEAST_IN_FEW_WORDS, _CHARACTERS_TO_ONE_IN_FEW_WORDS = 2, 6
_PARTS = "亻彳氵冫扌讠钅纟忄礻艹辶刂阝饣丬疒示⺮攵"
_FIRST_CODE = 0xE000  # of the private use area: a code point for each syllable


class _Piece(NamedTuple):
    """What [start, end) of a text is read as."""

    start: int
    end: int
    text: str


class Undone:
    """A folded text with its disguises undone; it adds what is found across something that was in disguise."""

    def __init__(self, base: Folded, pieces: Iterable[_Piece], *, hides: bool = False) -> None:
        self.hides = hides
        """Whether so much was in disguise that somebody hides something."""
        self._base = base
        self.pieces = list(pieces)
        text, position, changed = [], 0, []
        length = 0
        for start, end, instead in self.pieces:
            text += [base.text[position:start], instead]
            length += start - position
            changed.append((length, length + len(instead)))
            length += len(instead)
            position = end
        text.append(base.text[position:])
        self.text = "".join(text)
        self._changed = changed
        self._ends = [end for _, end in changed]

    def adds(self, start: int, end: int) -> bool:
        """Whether any of [start, end) was in disguise."""
        number = bisect_left(self._ends, start + 1)
        if number < len(self._changed) and self._changed[number][0] < end:
            return True
        return isinstance(self._base, Undone) and self._base.adds(*self._in_base(start, end))

    def span(self, start: int, end: int) -> Span:
        """Where [start, end), which is not empty, stands in the text as written."""
        return self._base.span(*self._in_base(start, end))

    @property
    def signs(self) -> int:
        """How many words, sounds apart, were written as nobody writes who does not hide them."""
        if isinstance(self._base, Undone):
            return self._base.signs
        return len(
            {piece.text for piece in self.pieces if _is_telling(self._base.text[piece.start : piece.end], piece.text)}
        )

    @cached_property
    def disguised(self) -> list[Span]:
        """Where in the text as written something was in disguise."""
        return [self._base.span(start, end) for start, end, _ in self.pieces]

    def _in_base(self, start: int, end: int) -> Span:
        return self._origin(start, last=False), self._origin(end, last=True)

    def _origin(self, offset: int, *, last: bool) -> int:
        number = bisect_left(self._ends, offset) if last else bisect_right(self._ends, offset)
        if number < len(self.pieces):
            start = self._changed[number][0]
            if start < offset or (start == offset and not last):
                return self.pieces[number].end if last else self.pieces[number].start
        return offset + (self.pieces[number - 1].end - self._ends[number - 1] if number else 0)


def undo(folded: Folded) -> Undone | None:
    """The text with its disguises undone; None where there are none."""
    pieces = [*_all_signs().find(folded.text)]
    if _LATIN.search(folded.text):
        pieces += [*_leet(folded.text), *_signs_within(folded.text)]
        pieces.sort()
    if pieces:
        folded = Undone(folded, _apart(pieces))
    heard = _all_sounds().find(folded)
    if heard.pieces:
        return Undone(folded, heard.pieces, hides=heard.hides)
    return folded if isinstance(folded, Undone) else None


def _is_telling(written: str, read: str) -> bool:
    """Whether what was undone has parts that are no characters by themselves, or makes a word that the rules know."""
    return read in _words_in_letters() if written.isascii() else any(part in written for part in _PARTS)


def _apart(pieces: Iterable[_Piece]) -> Iterator[_Piece]:
    reached = 0
    for piece in pieces:
        if piece.start >= reached:
            yield piece
            reached = piece.end


# ---- parts of characters, pictures and nicknames ----


class _Signs:
    def __init__(self) -> None:
        data = _read("disguises.toml")
        meant = {
            fold(sign): word
            for table in ("split", "pictures", "names")
            for word, signs in data[table].items()
            for sign in signs.split()
        }
        self._signs = sorted(meant)
        self._words = [meant[sign] for sign in self._signs]
        self._automaton = ahocorasick_rs.AhoCorasick(self._signs, matchkind=ahocorasick_rs.MatchKind.LeftmostLongest)

    def find(self, text: str) -> Iterator[_Piece]:
        for number, start, end in self._automaton.find_matches_as_indexes(text):
            if _continues(text, start, end):
                continue
            yield _Piece(start, end, self._words[number])


def _continues(text: str, start: int, end: int) -> bool:
    """Whether the Latin letters at either end are only a part of a longer word."""
    return (start > 0 and _is_latin(text[start]) and _is_latin(text[start - 1])) or (
        end < len(text) and _is_latin(text[end - 1]) and text[end].isalpha() and text[end].isascii()
    )


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


# ---- digits and signs for letters ----


def _leet(text: str) -> Iterator[_Piece]:
    if not _MAY_BE_LEET.search(text):
        return
    for found in _LEET_WORD.finditer(text):
        if not _MEASURED.fullmatch(found[0]):
            yield _Piece(*found.span(), _letters_for(found[0]))


def _letters_for(word: str) -> str:
    ones = word.count("1")
    if 0 < ones <= _MOST_ONES:
        for letters in product("il", repeat=ones):
            read = word.replace("1", "{}").format(*letters).translate(_LEET)
            if read in _words_in_letters():
                return read
    return _ONE_FOR_L.sub("l", word).translate(_LEET)


@cache
def _words_in_letters() -> frozenset[str]:
    return frozenset(_read("sounds.toml")["letters"].split())


def _signs_within(text: str) -> Iterator[_Piece]:
    if not _MAY_HAVE_SIGNS_WITHIN.search(text):
        return
    for found in _SIGNS_WITHIN.finditer(text):
        yield _Piece(*found.span(), _NO_LETTER.sub("", found[0]))


# ---- sounds ----


class _Heard(NamedTuple):
    """What was read by its sound, and whether that is more than chance."""

    pieces: list[_Piece]
    hides: bool


_NOTHING_HEARD = _Heard([], hides=False)


class _Sounds:
    """Words by the syllables that they are read as."""

    def __init__(self) -> None:
        syllables: dict[str, str] = _read("syllables.toml")
        self._codes: dict[int, str] = {}
        self._code_of: dict[str, str] = {}
        for number, (syllable, alike) in enumerate(syllables.items()):
            code = chr(_FIRST_CODE + number)
            self._code_of[syllable] = code
            for character in alike.replace(" ", ""):
                self._codes[ord(character)] = code
        self._syllable = re.compile("|".join(sorted(self._code_of, key=len, reverse=True)))
        self._spelt = re.compile(rf"(?:{self._syllable.pattern})+")
        data = _read("sounds.toml")
        self._words = data["words"].split()
        self._usual = frozenset(self._words) | frozenset(data["usual"].split())
        self._always = frozenset(_read("disguises.toml")["sounds"]["always"].split())
        self._automaton = ahocorasick_rs.AhoCorasick(
            [word.translate(self._codes) for word in self._words], matchkind=ahocorasick_rs.MatchKind.LeftmostLongest
        )

    def find(self, folded: Folded) -> "_Heard":
        """
        What is read like one of the words and is no usual word itself.

        Two characters may sound so by chance, where one word ends and another begins. So most count only in a text
        that has more such places than chance would give it.
        """
        text = folded.text
        pieces = list(self._all(text))
        if not pieces and not _LATIN_RUN.search(text):
            return _NOTHING_HEARD
        weight = sum(len(piece.text) - 1 for piece in pieces)
        spelt = self._spelt_beside_characters(text)
        dense = weight * _CHARACTERS_TO_ONE_BY_CHANCE >= len(text)
        crowded = weight * _CHARACTERS_TO_ONE_IN_FEW_WORDS >= len(text) and weight >= _LEAST_IN_FEW_WORDS
        hides = spelt >= _LEAST_TO_HIDE or (dense and weight + spelt >= _LEAST_TO_HIDE) or crowded
        if not hides:
            pieces = [
                piece
                for piece in pieces
                if piece.text in self._always
                and not (isinstance(folded, Squeezed) and folded.adds(piece.start, piece.end))
            ]
        return _Heard(pieces, hides=hides)

    def _spelt_beside_characters(self, text: str) -> int:
        """How many syllables and words in Latin letters touch the characters of which they are a part."""
        if not _LATIN_RUN.search(text):
            return 0
        found = {run[0] for run in _BESIDE_A_CHARACTER.finditer(text) if self._spelt.fullmatch(run[0])}
        return len(found)

    def _all(self, text: str) -> Iterator[_Piece]:
        if text.isascii():
            return
        coded = text.translate(self._codes)
        offsets: list[int] | None = None
        if _LATIN_RUN.search(text):
            coded, offsets = self._with_spelt(text, coded)
        for number, start, end in self._automaton.find_matches_as_indexes(coded):
            first, last = (start, end) if offsets is None else (offsets[start], offsets[end])
            written = text[first:last]
            if not (written in self._usual or self._straddles(text, first, last) or _breaks_a_run(text, first, last)):
                yield _Piece(first, last, self._words[number])

    def _straddles(self, text: str, start: int, end: int) -> bool:
        """Whether these two are the end of one usual word, or the beginning of another."""
        return end - start == 2 and not self._usual.isdisjoint((text[start - 1 : start + 1], text[end - 1 : end + 1]))

    def _with_spelt(self, text: str, coded: str) -> tuple[str, list[int]]:
        """The codes of the syllables written in Latin letters in their place, and where each code comes from."""
        pieces: list[str] = []
        offsets: list[int] = []
        position = 0
        for run in _LATIN_RUN.finditer(text):
            if not self._spelt.fullmatch(run[0]):
                continue
            pieces.append(coded[position : run.start()])
            offsets += range(position, run.start())
            for syllable in self._syllable.finditer(run[0]):
                pieces.append(self._code_of[syllable[0]])
                offsets.append(run.start() + syllable.start())
            position = run.end()
        pieces.append(coded[position:])
        offsets += range(position, len(text) + 1)
        return "".join(pieces), offsets


def _breaks_a_run(text: str, start: int, end: int) -> bool:
    """Whether it begins or ends within what is written in Latin letters."""
    return _continues(text, start, end)


@cache
def _all_signs() -> _Signs:
    return _Signs()


@cache
def _all_sounds() -> _Sounds:
    return _Sounds()


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text("utf-8"))
