"""Finds the words and patterns of all rules in one pass over a folded text."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, cached_property
from importlib import resources
from typing import Any, NamedTuple

import ahocorasick_rs
import msgspec
import re2

from cleartosend.policy.normalise import Folded, fold, is_han

# A gate set of more literals than this costs more to keep than the pattern it spares.
_MOST_GATES = 64
# Of one pattern, and of the words of one rule: more than a text of 500 characters has room for, unless it was made to
# be slow; fewer could be used up by hits that are excused.
_MOST_HITS = 64

_OPTIONS = re2.Options()
_OPTIONS.never_capture = True
_OPTIONS.log_errors = False
_ANYWHERE = re2._re2.RE2.Anchor.UNANCHORED  # noqa: SLF001 (see Pattern._match)

# What RE2 knows and Python's parser does not; for finding literals a class is as good as any other.
_UNICODE_CLASS = re.compile(r"\\[pP](?:\{\^?\w+\}|[A-Z])")
_UPPER_CASE = re.compile(r"\\.|\(\?[^)]*?[:)>]|([A-Z])")
# Not public, but the one way to read a pattern without a parser of our own; a test would notice its going.
_parser: Any = re._parser  # type: ignore[attr-defined]  # noqa: SLF001
_constants: Any = re._constants  # type: ignore[attr-defined]  # noqa: SLF001


class PatternError(ValueError):
    """A pattern that cannot be used; the message says why."""


class Wording(NamedTuple):
    """What a rule looks for, ready to be looked for."""

    words: tuple[str, ...]
    patterns: tuple["Pattern", ...]
    unless: tuple["Pattern", ...]
    needs: tuple[str, ...]


class Hit(NamedTuple):
    """Where the wording of a rule stands in a folded text."""

    wording: int
    start: int
    end: int


class Pattern:
    """An RE2 pattern written against folded text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._folded = _fold_pattern(source)

    @cached_property
    def _compiled(self) -> Any:  # noqa: ANN401 (re2 has no types)
        """
        Made when it is first needed: a rulebook has hundreds, at 0.1 ms each, and most wait long for their gate.

        Bytes, so that a text is encoded once for all its patterns.
        """
        return re2.compile(self._folded.encode(), _OPTIONS)

    def try_out(self) -> None:
        """Raise PatternError if RE2 does not take it, or if it matches where there is nothing."""
        try:
            matches_nothing = self._compiled.search(b"") is not None
        except re2.error as error:
            raise PatternError(f"pattern {self.source!r} is not RE2: {error}") from error
        if matches_nothing:
            raise PatternError(f"pattern {self.source!r} matches the empty text")

    @cached_property
    def gates(self) -> frozenset[str]:
        """Literals of which any match contains at least one: 2 or more characters, or one Han character, each."""
        noted = _noted_gates().get(_fingerprint(self._folded))
        return frozenset(self._look_for_gates() if noted is None else noted)

    def _look_for_gates(self) -> Iterable[str]:
        try:
            gates = _strings_of_sequence(_parser.parse(_UNICODE_CLASS.sub(r"\\w", self._folded))).required
        except re.error as error:
            raise PatternError(f"pattern {self.source!r} cannot be read: {error}") from error
        if gates is None:
            raise PatternError(f"pattern {self.source!r} has no literal of two characters that every match contains")
        # What contains another literal adds nothing to it.
        return sorted(gate for gate in gates if not any(other != gate and other in gate for other in gates))

    @cached_property
    def _match(self) -> Callable[[Any, bytes, int, int], tuple[tuple[int, int], ...]]:
        # Below what the module has for everybody, whose generator costs more than most searches.
        return self._compiled._regexp.Match  # type: ignore[no-any-return]  # noqa: SLF001

    def find(self, encoded: bytes) -> list[tuple[int, int]]:
        """Where it matches, in bytes."""
        found: list[tuple[int, int]] = []
        position, length = 0, len(encoded)
        while len(found) < _MOST_HITS:
            start, end = self._match(_ANYWHERE, encoded, position, length)[0]
            if start == end:  # nowhere, which is (-1, -1), or where there is nothing
                break
            found.append((start, end))
            position = end
        return found


def compile_wording(
    *,
    words: Iterable[str] = (),
    patterns: Iterable[str] = (),
    unless: Iterable[str] = (),
    needs: Iterable[str] = (),
) -> Wording:
    """
    Make what a rule says ready; PatternError says which word or pattern cannot be used, and why.

    What only RE2 itself can say of a pattern is said by its `try_out`.
    """
    wording = Wording(
        words=tuple(map(_fold_word, words)),
        patterns=tuple(map(_pattern, patterns)),
        unless=tuple(map(_pattern, unless)),
        needs=tuple(map(_fold_word, needs)),
    )
    for pattern in wording.patterns:
        pattern.gates  # noqa: B018 (raises where there are none)
    return wording


_PATTERNS: dict[str, Pattern] = {}


def _pattern(source: str) -> Pattern:
    """One object for a pattern that several rules share, so that it is compiled, and looked for in a text, once."""
    if source not in _PATTERNS:
        _PATTERNS[source] = Pattern(source)
    return _PATTERNS[source]


# ---- the literals of the shipped patterns, which take longer to find than everything else at a start ----

GATES = "gates.json"


def gates_anew() -> str:
    """What gates.json is to say: the literals of every pattern made so far, looked for again."""
    patterns = [pattern for pattern in _PATTERNS.values() if "gates" in vars(pattern)]
    noted = {_fingerprint(pattern._folded): pattern._look_for_gates() for pattern in patterns}  # noqa: SLF001
    lines = (msgspec.json.encode({key: noted[key]}).decode().strip("{}") for key in sorted(noted))
    return "{" + ",\n".join(lines) + "}\n"


@cache
def _noted_gates() -> dict[str, list[str]]:
    noted = resources.files(__package__).joinpath(GATES)
    return msgspec.json.decode(noted.read_bytes(), type=dict[str, list[str]]) if noted.is_file() else {}


def _fingerprint(pattern: str) -> str:
    return hashlib.blake2b(pattern.encode(), digest_size=8).hexdigest()


class Matcher:
    """The words and patterns of many rules, numbered as they were given."""

    def __init__(self, wordings: Sequence[Wording]) -> None:
        words: dict[str, list[int]] = {}
        gated: dict[str, list[tuple[int, Pattern]]] = {}
        self._unless: list[tuple[Pattern, ...]] = []
        self._needs: list[tuple[str, ...]] = []
        for number, wording in enumerate(wordings):
            for word in wording.words:
                words.setdefault(word, []).append(number)
            for pattern in wording.patterns:
                for gate in pattern.gates:
                    gated.setdefault(gate, []).append((number, pattern))
            self._unless.append(wording.unless)
            self._needs.append(wording.needs)
        literals = sorted(words.keys() | gated.keys())
        self._words = [tuple(words.get(literal, ())) for literal in literals]
        self._gated = [tuple(gated.get(literal, ())) for literal in literals]
        self._automaton = ahocorasick_rs.AhoCorasick(literals) if literals else None

    def find(self, folded: Folded, asked: Sequence[bool]) -> list[Hit]:
        """Every place where a wording stands; `asked` says of each wording whether it is wanted."""
        if self._automaton is None:
            return []
        text = folded.text
        hits: list[Hit] = []
        counts: dict[int, int] = {}
        opened: dict[int, tuple[int, Pattern]] = {}
        for literal, start, end in self._automaton.find_matches_as_indexes(text, overlapping=True):
            for number in self._words[literal]:
                if asked[number] and counts.get(number, 0) < _MOST_HITS and _stands_alone(text, start, end):
                    counts[number] = counts.get(number, 0) + 1
                    hits.append(Hit(number, start, end))
            for gate in self._gated[literal]:
                if asked[gate[0]]:
                    opened[id(gate[1])] = gate
        encoded = text.encode() if opened else b""
        for number, pattern in opened.values():
            for start, end in pattern.find(encoded):
                hits.append(Hit(number, *_in_characters(encoded, start, end)))
        if not hits:
            return []
        return [*self._without_excused(text, encoded or text.encode(), hits)]

    def _without_excused(self, text: str, encoded: bytes, hits: Sequence[Hit]) -> Iterator[Hit]:
        """Leave out a hit whose rule needs another word that is missing, or one inside what its rule excuses."""
        excused: dict[Pattern, list[tuple[int, int]]] = {}
        lacking = {
            number
            for number in {hit.wording for hit in hits}
            if (needs := self._needs[number]) and not any(_contains_word(text, word) for word in needs)
        }
        for hit in hits:
            if hit.wording in lacking:
                continue
            for pattern in self._unless[hit.wording]:
                if pattern not in excused:
                    excused[pattern] = [_in_characters(encoded, *found) for found in pattern.find(encoded)]
                if any(start < hit.end and hit.start < end for start, end in excused[pattern]):
                    break
            else:
                yield hit


def _fold_word(word: str) -> str:
    folded = fold(word)
    if not folded.strip():
        raise PatternError(f"word {word!r} has nothing to find")
    return folded


def _fold_pattern(source: str) -> str:
    """The pattern with its characters folded as texts are; what is ASCII in it is syntax and stays."""
    upper = next((found for found in _UPPER_CASE.finditer(_UNICODE_CLASS.sub("", source)) if found[1]), None)
    if upper is not None:
        raise PatternError(f"pattern {source!r} is to be written in lower case, since texts are folded to it")
    return "".join(map(_fold_in_pattern, source))


@cache
def _fold_in_pattern(character: str) -> str:
    return character if character.isascii() else re.escape(fold(character))


def _in_characters(encoded: bytes, start: int, end: int) -> tuple[int, int]:
    first = len(encoded[:start].decode())
    return first, first + len(encoded[start:end].decode())


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no Latin letter or digit continues a Latin word that begins or ends here."""
    return not (
        (start > 0 and _is_latin(text[start]) and _is_latin(text[start - 1]))
        or (end < len(text) and _is_latin(text[end - 1]) and _is_latin(text[end]))
    )


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _contains_word(text: str, word: str) -> bool:
    start = text.find(word)
    while start >= 0:
        if _stands_alone(text, start, start + len(word)):
            return True
        start = text.find(word, start + 1)
    return False


# ---- the literals that a pattern cannot do without ----


class _Strings(NamedTuple):
    """What is known of the strings that a piece of a pattern can match."""

    exact: frozenset[str] | None
    """All of them, where they are few."""
    required: frozenset[str] | None
    """Literals of which each of them contains one."""


_NOTHING = frozenset({""})
_ANYTHING = _Strings(None, None)


def _strings_of_sequence(nodes: Iterable[Any]) -> _Strings:
    """Pieces one after another: what is exact is multiplied out while it stays small, the best set is required."""
    candidates: list[frozenset[str]] = []
    running = _NOTHING
    for node in nodes:
        if node[0] is _constants.LITERAL:
            character = chr(node[1])
            running = frozenset([before + character for before in running])
            continue
        exact, required = _strings_of(node)
        if exact is not None and len(running) * len(exact) <= _MOST_GATES:
            running = frozenset([before + after for before in running for after in exact])
            continue
        candidates.append(running)
        if required is not None:
            candidates.append(required)
        running = _NOTHING if exact is None else exact
        if exact is None:
            candidates.append(_NOTHING)  # so that a sequence with a gap is not taken for an exact one
    if not candidates:
        return _Strings(running, _better([running]))
    return _Strings(None, _better([*candidates, running]))


# The nodes are of the parser's own tree, which has no types.
def _strings_of(node: Any) -> _Strings:  # noqa: ANN401
    kind, value = node
    if kind is _constants.LITERAL:
        return _of_all([chr(value)])
    if kind is _constants.IN:
        return _strings_of_class(value)
    if kind is _constants.AT:
        return _Strings(_NOTHING, None)
    if kind is _constants.SUBPATTERN:
        return _strings_of_sequence(value[-1])
    if kind is _constants.BRANCH:
        return _any_of([_strings_of_sequence(branch) for branch in value[1]])
    if kind in {_constants.MAX_REPEAT, _constants.MIN_REPEAT}:
        least, most, repeated = value
        once = _strings_of_sequence(repeated)
        if most == 1:
            optional = least == 0
            exact = once.exact | _NOTHING if optional and once.exact is not None else once.exact
            return _Strings(exact, None if optional else once.required)
        return _Strings(None, once.required if least else None)
    return _ANYTHING


def _strings_of_class(members: Sequence[Any]) -> _Strings:
    characters: set[str] = set()
    for kind, value in members:
        if kind is _constants.LITERAL:
            characters.add(chr(value))
        elif kind is _constants.RANGE and value[1] - value[0] < _MOST_GATES:
            characters.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return _ANYTHING
    return _of_all(characters)


def _of_all(strings: Iterable[str]) -> _Strings:
    exact = frozenset(strings)
    return _Strings(exact, _better([exact])) if len(exact) <= _MOST_GATES else _ANYTHING


def _any_of(branches: Sequence[_Strings]) -> _Strings:
    """One of several pieces."""
    return _Strings(_union([branch.exact for branch in branches]), _union([branch.required for branch in branches]))


def _union(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    united: set[str] = set()
    for one in sets:
        if one is None:
            return None
        united |= one
    return frozenset(united) if len(united) <= _MOST_GATES else None


def _better(candidates: Iterable[frozenset[str]]) -> frozenset[str] | None:
    """Of the sets that can be gates, the one whose shortest literal is longest; of those, the smallest."""
    usable = [candidate for candidate in candidates if all(map(_is_gate, candidate))]
    return max(usable, key=lambda gates: (min(map(len, gates)), -len(gates)), default=None)


def _is_gate(literal: str) -> bool:
    return len(literal) > 1 or is_han(literal)
