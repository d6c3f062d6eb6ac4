"""Reads what a text is by what it says: a verification, a notification or marketing, and the words that show it."""

import re
import tomllib
from bisect import bisect
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from importlib import resources
from typing import NamedTuple

import msgspec

from cleartosend.model.verdicts import Nature
from cleartosend.policy.matchers import Matcher, compile_wording
from cleartosend.policy.normalise import Folded, Normalised, normalise

# See the head of cues.toml for why there are two.
_MARKETING_ALONE = 3
_MARKETING_BESIDE_A_FACT = 5
_A_FACT = 2
_SEVERAL_FACTS = 4
# Of words in one clause with a fact: what weighs less may well belong to it.
_PLAINLY = 8
_CLAUSE_END = re.compile(r"[。!?;,\n]|\.(?=\s|$)")
_NO_WORDING = "0123456789.,:;-/ "
_SHORTEST_CUE = 2
# Names, carriers, units: what is longer may be a sentence.
_LONGEST_LABEL = 6
# What one kind of cue shows by itself, too little to refuse for and too much to pass.
_DOUBTFUL = frozenset({"what promotions have and notices seldom"})


class NatureReading:
    """What a text is, and the words that show it."""

    def __init__(self, nature: Nature, folded: Folded, found: "list[_Found]") -> None:
        self.nature = nature
        self._folded = folded
        self._found = found

    @cached_property
    def tells_a_fact(self) -> bool:
        """Whether the text tells of an order, an appointment, a code: of something that happened or will."""
        return _weight_of_facts(self._folded, self._found) >= _A_FACT

    @cached_property
    def tells_several_facts(self) -> bool:
        """Whether it tells as much as an order and an appointment would together."""
        return _weight_of_facts(self._folded, self._found) >= _SEVERAL_FACTS

    @cached_property
    def barely_promotes(self) -> bool:
        """Whether the little that makes it marketing stands within what it tells, and may be read otherwise."""
        return (
            self.nature is Nature.MARKETING
            and _weight_of_promotion(self._folded, self._found) < _PLAINLY
            and _promotes_only_within_facts(self._folded, self._found)
        )

    @cached_property
    def promoting_spans(self) -> list[tuple[int, int]]:
        """Where the words stand that make it marketing; none where it is not."""
        return self.spans if self.nature is Nature.MARKETING else []

    @cached_property
    def doubtful_spans(self) -> list[tuple[int, int]]:
        """Where words stand that raise a doubt whether it promotes: it barely does, or no fact stands beside them."""
        if self.barely_promotes:
            return self.spans
        if self.nature is Nature.MARKETING or self.tells_a_fact:
            return []
        return [self._folded.span(start, end) for start, end, cue in self._found if cue.about in _DOUBTFUL]

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Where the words that show it stand in the text as written, in its order."""
        return [self._folded.span(start, end) for start, end, cue in self._found if cue.shows is self.nature]


class _Cue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words that show a nature, and how much each of them counts."""

    shows: Nature
    about: str
    weight: int
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    excused: tuple[str, ...]
    cue: tuple[_Cue, ...]
    member: _Cue


class _Found(NamedTuple):
    """A cue's words in a folded text."""

    start: int
    end: int
    cue: _Cue


class _Cues:
    """Cues, ready to be looked for in one pass."""

    def __init__(self, cues: Iterable[_Cue], excused: Sequence[str] = ()) -> None:
        self._cues = tuple(cues)
        self._asked = [True] * len(self._cues)
        self._matcher = Matcher(
            [compile_wording(words=cue.words, patterns=cue.patterns, unless=cue.unless) for cue in self._cues]
        )
        # A wording each, so that of the many only those are tried whose literals stand in the text.
        self._excusing = Matcher([compile_wording(patterns=[pattern]) for pattern in excused])
        self._all_excusing = [True] * len(excused)

    def find(self, folded: Folded) -> list[_Found]:
        """Everything that stands in the text."""
        cues = self._cues
        return [_Found(start, end, cues[number]) for number, start, end in self._matcher.find(folded, self._asked)]

    def settled(self, folded: Folded, found: list[_Found]) -> list[_Found]:
        """Drop promoting words that promote nothing, and take together what overlaps; in the text's order."""
        excused = self._excused_in(folded)
        left: list[_Found] = []
        reached = -1
        for one in sorted(found, key=_from_left_longest_first):
            start, end, cue = one
            if cue.shows is Nature.MARKETING and any(first < end and start < last for first, last in excused):
                continue
            if start >= reached:
                left.append(one)
            elif cue.shows is left[-1].cue.shows:
                weightier = max(cue, left[-1].cue, key=_weight_of)
                left[-1] = _Found(left[-1].start, max(end, reached), weightier)
            elif end > reached:
                left.append(one)
            reached = max(end, reached)
        return left

    def _excused_in(self, folded: Folded) -> list[tuple[int, int]]:
        return [(start, end) for _, start, end in self._excusing.find(folded, self._all_excusing)]


def _from_left_longest_first(found: _Found) -> tuple[int, int]:
    return found.start, -found.end


def _weight_of(cue: _Cue) -> int:
    return cue.weight


def read_nature(normalised: Normalised) -> NatureReading:
    """Read what the text is by what it says; one whose words are spaced out is read closed up as well."""
    reading = _read(normalised)
    if reading.nature is not Nature.MARKETING and normalised.squeezed is not None:
        closed_up = _read(normalised.squeezed)
        if closed_up.nature is Nature.MARKETING:
            return closed_up
    return reading


def may_promote(value: str) -> bool:
    """Whether what stands in place of a variable may make a promotion of a text that was none."""
    if len(value.strip(_NO_WORDING)) < _SHORTEST_CUE:
        return False
    return len(value) > _LONGEST_LABEL or any(
        cue.shows is Nature.MARKETING for _, _, cue in _cues().find(normalise(value))
    )


def _read(folded: Folded) -> NatureReading:
    cues = _cues()
    found = cues.find(folded)
    shown = {one.cue.shows for one in found}
    if Nature.MARKETING in shown and _could_matter(folded, found):
        found = cues.settled(folded, found)
        if _promotes(folded, found):
            return NatureReading(Nature.MARKETING, folded, found)
    for nature in (Nature.VERIFICATION, Nature.NOTIFICATION):
        if nature in shown:
            return NatureReading(nature, folded, found)
    return NatureReading(Nature.UNCLEAR, folded, found)


def _could_matter(folded: Folded, found: list[_Found]) -> bool:
    """Whether the promoting words, excused or not, weigh enough to look closer at them."""
    promoting = {folded.text[start:end]: cue for start, end, cue in found if cue.shows is Nature.MARKETING}
    return sum(map(_weight_of, promoting.values())) >= _MARKETING_ALONE or any(
        cue.about in _DOUBTFUL for _, _, cue in found
    )


def _promotes(folded: Folded, found: list[_Found]) -> bool:
    enough = _MARKETING_BESIDE_A_FACT if _weight_of_facts(folded, found) >= _A_FACT else _MARKETING_ALONE
    return _weight_of_promotion(folded, found) >= enough


def _weight_of_promotion(folded: Folded, found: list[_Found]) -> int:
    promoting = {folded.text[start:end]: cue.weight for start, end, cue in found if cue.shows is Nature.MARKETING}
    return sum(promoting.values())


def _promotes_only_within_facts(folded: Folded, found: list[_Found]) -> bool:
    """Whether every clause with a promoting word has a fact as well."""
    of_clause: dict[int, list[_Cue]] = {}
    ends = [end.start() for end in _CLAUSE_END.finditer(folded.text)]
    for start, _, cue in found:
        of_clause.setdefault(bisect(ends, start), []).append(cue)
    return all(
        any(cue.shows is not Nature.MARKETING and cue.weight >= _A_FACT for cue in cues)
        for cues in of_clause.values()
        if any(cue.shows is Nature.MARKETING for cue in cues)
    )


def _weight_of_facts(folded: Folded, found: list[_Found]) -> int:
    facts = {folded.text[start:end]: cue.weight for start, end, cue in found if cue.shows is not Nature.MARKETING}
    return sum(facts.values())


@cache
def _cues() -> _Cues:
    return _Cues(_file().cue, _file().excused)


@cache
def _signs_of_members() -> _Cues:
    return _Cues([_file().member])


@cache
def _file() -> _File:
    return msgspec.convert(tomllib.loads(resources.files(__package__).joinpath("cues.toml").read_text("utf-8")), _File)


def shows_members(normalised: Normalised) -> bool:
    """Whether any word shows that the text is meant for members."""
    return bool(_signs_of_members().find(normalised))
