"""Loads the rules of the policy and an operator's overlay, and refuses a rule that fails its own examples."""

import hashlib
import sys
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from itertools import islice, product
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from cleartosend.model.accounts import AccountKind
from cleartosend.model.verdicts import Action, MessageType, Part, Submission
from cleartosend.policy import declared, resemblance, signatures, structure, values
from cleartosend.policy.matchers import Hit, Matcher, PatternError, Wording, compile_wording
from cleartosend.policy.normalise import Folded
from cleartosend.policy.reach import without_words_in_links
from cleartosend.policy.spots import Edit, Span, overlap
from cleartosend.policy.view import Check, View

# The rule that lets the others read no more than the beginning of a text that is far too long.
_CANNOT_BE_TURNED_OFF = "text-is-too-long"
# Enough for every edit of a text worth mending, and bounded for one made to be slow.
_MOST_PLACES_OF_ONE_CHECK = 100

CHECKS: dict[str, Check] = {
    **structure.CHECKS,
    **signatures.CHECKS,
    **declared.CHECKS,
    **resemblance.CHECKS,
    **values.CHECKS,
}


class RulebookError(Exception):
    """Why a rulebook cannot be used, in one line that names the file and the rule."""


class Scope(StrEnum):
    """Whether a rule is for messages to mainland China or to elsewhere."""

    DOMESTIC = "domestic"
    INTERNATIONAL = "international"


class Remedy(StrEnum):
    """The mechanical edit to try where a rule's words stand."""

    DROP_SENTENCE = "drop-sentence"
    DROP_WORDS = "drop-words"


class Bilingual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same sentence in the two languages of applicants."""

    zh: str
    en: str


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the rules of one file are about, and the clause of the written policy that they stand on."""

    id: str
    title: Bilingual
    clause: Bilingual
    rows: tuple[int, ...] = ()
    """Rows of the policy's table that it answers."""


class Example(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that a rule must, or must not, find something in. What it leaves out is as the rule expects it."""

    text: str
    type: MessageType | None = None
    account: AccountKind | None = None
    international: bool | None = None
    part: Part | None = None
    values: tuple[str, ...] = ()
    """Of a message: what stands in place of `{1}`, `{2}`, ... of its text."""


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that the policy looks for, what it does about it, and the evidence that it finds what it says."""

    id: str
    action: Action
    because: Bilingual
    clause: Bilingual | None = None
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    check: str | None = None
    unless: tuple[str, ...] = ()
    excused_by: tuple[str, ...] = ()
    """Names of excuses, whose patterns count as if they stood in `unless`."""
    needs: tuple[str, ...] = ()
    beside_links: bool = False
    """Whether only words beside links count, since what stands in an address alone says little."""
    refers_notices: bool = False
    """Whether a plain notice is only referred: its words are in notices of the trade as often as in its offers."""
    types: tuple[MessageType, ...] = tuple(MessageType)
    parts: tuple[Part, ...] = tuple(Part)
    accounts: tuple[AccountKind, ...] = tuple(AccountKind)
    scope: Scope | None = None
    remedy: Remedy | None = None
    observe: bool = False
    """Whether what it finds is only counted, and decides nothing."""
    catches: tuple[str | Example, ...] = ()
    lets_pass: tuple[str | Example, ...] = ()

    def is_for(self, kind: "Kind") -> bool:
        """Whether the rule is asked about submissions of this kind at all."""
        return (
            kind.type in self.types
            and kind.part in self.parts
            and kind.account in self.accounts
            and self.scope is not (Scope.DOMESTIC if kind.international else Scope.INTERNATIONAL)
        )

    def submission_of(self, example: str | Example) -> Submission:
        """The example as it would be submitted: a notification by an organisation, if the rule is for those."""
        if isinstance(example, str):
            example = Example(text=example)
        part = example.part or _usual(Part.TEMPLATE, self.parts)
        text, values = _filled_in(example) if part is Part.MESSAGE else (example.text, ())
        abroad = self.scope is Scope.INTERNATIONAL if example.international is None else example.international
        return Submission(
            text=text,
            values=values,
            part=part,
            type=example.type or _usual(MessageType.NOTIFICATION, self.types),
            account=example.account or _usual(AccountKind.ORGANIZATION, self.accounts),
            international=abroad,
        )


class Kind(NamedTuple):
    """What of a submission decides which rules are asked."""

    type: MessageType
    part: Part
    account: AccountKind
    international: bool


class Place(NamedTuple):
    """Where a rule finds something, in the text as written."""

    rule: Rule
    start: int
    end: int
    edit: Edit | None


class Entry(NamedTuple):
    """A rule, the id of the category it stands in, and its wording made ready."""

    category: str
    rule: Rule
    wording: Wording


class Rulebook:
    """All rules in force, ready to be asked."""

    def __init__(self, categories: dict[str, Category], entries: Iterable[Entry]) -> None:
        entries = sorted(entries, key=lambda entry: entry.rule.id)
        self.categories = categories
        self.rules = tuple(entry.rule for entry in entries)
        self.digest = _digest(categories, entries)
        """SHA-256 of all that the rules say, in hexadecimal."""
        self._matcher = Matcher([entry.wording for entry in entries])
        self._by_id = {entry.rule.id: entry for entry in entries}
        self._referring = {
            rule.id: msgspec.structs.replace(rule, action=Action.REFER) for rule in self.rules if rule.refers_notices
        }
        self._asked: dict[Kind, list[bool]] = {}
        self._checks: dict[Kind, list[tuple[Rule, Check]]] = {}
        self._closer_checks: dict[Kind, list[tuple[Rule, Check]]] = {}
        for kind in map(Kind._make, product(MessageType, Part, AccountKind, (False, True))):
            self._asked[kind] = [rule.is_for(kind) for rule in self.rules]
            checks = [(rule, CHECKS[rule.check]) for rule in self.rules if rule.check and rule.is_for(kind)]
            self._checks[kind] = [asked for asked in checks if asked[0].check not in resemblance.CHECKS]
            self._closer_checks[kind] = [asked for asked in checks if asked[0].check in resemblance.CHECKS]

    def rule(self, rule_id: str) -> Rule:
        """The rule of that id; KeyError where none is in force."""
        return self._by_id[rule_id].rule

    def has(self, rule_id: str) -> bool:
        """Whether a rule of that id is in force."""
        return rule_id in self._by_id

    def category_of(self, rule_id: str) -> Category:
        """The category in which a rule stands."""
        return self.categories[self._by_id[rule_id].category]

    def look(self, view: View) -> list[Place]:
        """Every place where a rule finds something."""
        kind = _kind_of(view.submission)
        asked = self._asked[kind]
        places = []
        for folding in view.foldings:
            for number, start, end in self._beside_links(view, folding, self._matcher.find(folding, asked)):
                if not folding.adds(start, end):
                    continue
                rule, span = self.rules[number], folding.span(start, end)
                if rule.beside_links:
                    span = _with_whole_links(span, view.links)
                if folding is not view.undone or _counts_undone(view, rule, span):
                    places.append(Place(rule, *span, None))
        places += _checked(self._checks[kind], view)
        if any(place.rule.id in self._referring for place in places) and view.is_a_plain_notice:
            places = [self._referred(view, place) for place in places]
        return places

    def _referred(self, view: View, place: Place) -> Place:
        """The place as a plain notice has it; what a value brought to one is none of the notice's own."""
        if place.rule.id not in self._referring or view.touches_a_value((place.start, place.end)):
            return place
        return place._replace(rule=self._referring[place.rule.id])

    def _beside_links(self, view: View, folding: Folded, hits: list[Hit]) -> list[Hit]:
        """The hits without those of words that stand in a link, where the rule wants them beside it."""
        doubted = {hit.wording for hit in hits if self.rules[hit.wording].beside_links}
        if not doubted or not view.links:
            return hits
        asked = [number in doubted for number in range(len(self.rules))]
        again = self._matcher.find(without_words_in_links(folding, view.links), asked)
        return [hit for hit in hits if hit.wording not in doubted] + again

    def look_closer(self, view: View) -> list[Place]:
        """
        Every place that looks like something prohibited to the model, for which a person is to look.

        A notice of several facts is not shown to it: it hardly ever finds one to stop, and often doubts a good one.
        """
        checks = self._closer_checks[_kind_of(view.submission)]
        if not checks or (view.is_a_plain_notice and view.reading.tells_several_facts):
            return []
        if not resemblance.raises_doubt(view):
            return []
        return list(_checked(checks, view))

    def failures(self, rule_id: str) -> list[str]:
        """A line for each example that the rule misses, or finds something in where it should not."""
        rule = self.rule(rule_id)
        lines = []
        if not rule.catches or not rule.lets_pass:
            lines.append(f"rule {rule_id}: it needs a text that it catches and one that it lets pass")
        for example in rule.catches:
            submission = rule.submission_of(example)
            if not rule.is_for(_kind_of(submission)):
                lines.append(f"rule {rule_id}: it is not for what it should catch: {submission.text}")
            elif not self._finds(rule_id, submission):
                lines.append(f"rule {rule_id}: it misses: {submission.text}")
        for example in rule.lets_pass:
            submission = rule.submission_of(example)
            if self._finds(rule_id, submission):
                lines.append(f"rule {rule_id}: it should let pass: {submission.text}")
        return lines

    def all_failures(self) -> list[str]:
        """The same for every rule."""
        return [failure for rule in self.rules for failure in self.failures(rule.id)]

    def _finds(self, rule_id: str, submission: Submission) -> bool:
        view = View(submission)
        closer = self.rule(rule_id).check in resemblance.CHECKS
        return any(place.rule.id == rule_id for place in (self.look_closer(view) if closer else self.look(view)))


def load_rulebook(overlay: Path | None = None) -> Rulebook:
    """
    The shipped rules, with an operator's file or directory of files laid over them.

    The overlay's rules are held to their examples here; the shipped ones are held to theirs by the tests and by
    `python -m cleartosend.policy.rulebook`, since that costs more than a start should.
    """
    if overlay is None:
        return _shipped_rulebook()
    loading = _shipped_rules()
    files = sorted(overlay.glob("*.toml")) if overlay.is_dir() else [overlay]
    loading.add_excuses(files)
    laid_over = loading.lay_over(files)
    rulebook = loading.rulebook()
    for rule_id in laid_over:
        for failure in rulebook.failures(rule_id):
            raise RulebookError(failure)
    return rulebook


def _with_whole_links(span: Span, links: Iterable[Span]) -> Span:
    """The span, and the rest of what links it reaches into, so that nobody is shown half a link."""
    reached = [span, *(link for link in links if overlap(span, link))]
    return min(start for start, _ in reached), max(end for _, end in reached)


@cache
def _shipped_rulebook() -> Rulebook:
    """The rules as they are shipped: they cannot change while the program runs."""
    return _shipped_rules().rulebook()


def _shipped_rules() -> "_Loading":
    loading = _Loading()
    loading.add_excuses(_shipped("excuses.toml"))
    loading.add(_shipped())
    return loading


def enforced(places: list[Place]) -> list[Place]:
    """The places whose rules decide, without those that are only observed."""
    return [place for place in places if not place.rule.observe]


def _counts_undone(view: View, rule: Rule, span: Span) -> bool:
    """Whether what was found only by undoing a disguise counts: little that might be chance is not worth a doubt."""
    if view.submission.part is Part.MESSAGE and not view.touches_a_value(span):
        return False  # the fixed text was judged with its template
    return rule.action is not Action.REFER or (view.undone is not None and view.undone.hides)


def _checked(checks: Iterable[tuple[Rule, Check]], view: View) -> Iterator[Place]:
    for rule, check in checks:
        for start, end, edit in islice(check(view), _MOST_PLACES_OF_ONE_CHECK):
            yield Place(rule, start, end, edit)


class _Off(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file as written, its category and rules not yet looked at."""

    category: dict[str, Any] | None = None
    excuses: dict[str, tuple[str, ...]] = {}
    rule: tuple[dict[str, Any], ...] = ()
    off: tuple[str | _Off, ...] = ()
    observe: tuple[str, ...] = ()


class _Loading:
    """The categories and rules read so far."""

    def __init__(self, *, tries_out: bool = False) -> None:
        """`tries_out`: compile every pattern at once, to know that it can be, rather than when it is first needed."""
        self._tries_out = tries_out
        self._categories: dict[str, Category] = {}
        self._excuses: dict[str, tuple[str, ...]] = {}
        self._entries: dict[str, Entry] = {}

    def add_excuses(self, files: Iterable[Traversable]) -> None:
        """Patterns that rules name instead of repeating them; what an overlay names anew is its own."""
        for _name, file in _read(files):
            self._excuses |= file.excuses

    def add(self, files: Iterable[Traversable]) -> None:
        """Files of rules that have nothing to do with what was read before."""
        for name, file in _read(files):
            if file.off or file.observe:
                raise RulebookError(f"{name}: only an overlay turns rules off or has them observed")
            for entry in self._entries_of(name, file, try_out=self._tries_out):
                if entry.rule.id in self._entries:
                    raise RulebookError(f"{name}: rule {entry.rule.id}: there is one of that id already")
                self._entries[entry.rule.id] = entry

    def lay_over(self, files: Iterable[Traversable]) -> list[str]:
        """Files whose rules replace those of an id and that turn others off or watch them; returns their rules' ids."""
        laid_over: list[str] = []
        for name, file in _read(files):
            for off in file.off:
                rule_id = off if isinstance(off, str) else off.rule
                if rule_id == _CANNOT_BE_TURNED_OFF:
                    raise RulebookError(f"{name}: rule {rule_id} cannot be turned off: texts are read only so far")
                if self._entries.pop(rule_id, None) is None:
                    raise RulebookError(f"{name}: there is no rule {rule_id} to turn off")
            for entry in self._entries_of(name, file, try_out=True):
                if entry.rule.id == _CANNOT_BE_TURNED_OFF:
                    raise RulebookError(f"{name}: rule {entry.rule.id} cannot be replaced: texts are read only so far")
                if entry.rule.id in laid_over:
                    raise RulebookError(f"{name}: rule {entry.rule.id}: the overlay has one of that id already")
                self._entries[entry.rule.id] = entry
                laid_over.append(entry.rule.id)
            for rule_id in file.observe:
                if rule_id == _CANNOT_BE_TURNED_OFF or rule_id not in self._entries:
                    raise RulebookError(f"{name}: there is no rule {rule_id} to observe")
                watched = self._entries[rule_id]
                self._entries[rule_id] = watched._replace(rule=msgspec.structs.replace(watched.rule, observe=True))
        return [rule_id for rule_id in laid_over if rule_id in self._entries]

    def rulebook(self) -> Rulebook:
        return Rulebook(self._categories, self._entries.values())

    def _entries_of(self, name: str, file: _File, *, try_out: bool) -> list[Entry]:
        if file.category is None:
            if file.rule:
                raise RulebookError(f"{name}: rules stand in a [category]")
            return []
        category = self._category(name, file.category)
        return [_entry(name, category, raw, self._excuses, try_out=try_out) for raw in file.rule]

    def _category(self, name: str, raw: dict[str, Any]) -> str:
        """The id of the file's category; where only an id is given, it is one that is known already."""
        if raw.keys() == {"id"} and raw["id"] in self._categories:
            return str(raw["id"])
        try:
            category = msgspec.convert(raw, Category)
        except msgspec.ValidationError as error:
            raise RulebookError(f"{name}: category: {error}") from error
        self._categories[category.id] = category
        return category.id


def _shipped(ending: str = ".toml") -> list[Traversable]:
    """The files of the package's rules, or those of one ending."""
    rules = resources.files(__package__).joinpath("rules")
    return sorted((file for file in rules.iterdir() if file.name.endswith(ending)), key=lambda file: file.name)


def _read(files: Iterable[Traversable]) -> Iterable[tuple[str, _File]]:
    for file in files:
        try:
            yield file.name, msgspec.convert(tomllib.loads(file.read_text("utf-8")), _File)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise RulebookError(f"{file.name}: {error}") from error


def _entry(
    file_name: str, category: str, raw: dict[str, Any], excuses: dict[str, tuple[str, ...]], *, try_out: bool
) -> Entry:
    name = f"{file_name}: rule {raw.get('id', 'without an id')}"
    try:
        rule = msgspec.convert(raw, Rule)
        unknown = [excuse for excuse in rule.excused_by if excuse not in excuses]
        if unknown:
            raise RulebookError(f"{name}: there is no excuse {unknown[0]}")
        excused = (pattern for excuse in rule.excused_by for pattern in excuses[excuse])
        rule = msgspec.structs.replace(rule, unless=(*rule.unless, *excused))
        wording = compile_wording(words=rule.words, patterns=rule.patterns, unless=rule.unless, needs=rule.needs)
        if try_out:
            for pattern in (*wording.patterns, *wording.unless):
                pattern.try_out()
    except (msgspec.ValidationError, PatternError) as error:
        raise RulebookError(f"{name}: {error}") from error
    if bool(rule.check) == bool(rule.words or rule.patterns):
        raise RulebookError(f"{name}: it looks for words and patterns, or it has a check")
    if rule.check and rule.check not in CHECKS:
        raise RulebookError(f"{name}: there is no check {rule.check}")
    if not (rule.types and rule.parts and rule.accounts):
        raise RulebookError(f"{name}: it is for nothing")
    return Entry(category, rule, wording)


_Word = TypeVar("_Word")


def _usual(usual: _Word, allowed: Sequence[_Word]) -> _Word:
    return usual if usual in allowed else allowed[0]


def _kind_of(submission: Submission) -> Kind:
    return Kind(submission.type, submission.part, submission.account, submission.international)


def _filled_in(example: Example) -> tuple[str, tuple[tuple[int, int], ...]]:
    """The example's text with its values in place of its variables, and where they stand."""
    text, spans = "", []
    rest = example.text
    for number, value in enumerate(example.values, start=1):
        before, _, rest = rest.partition(f"{{{number}}}")
        spans.append((len(text + before), len(text + before + value)))
        text += before + value
    return text + rest, tuple(spans)


def _digest(categories: dict[str, Category], entries: Sequence[Entry]) -> str:
    """Of everything that can change a verdict or its words; the examples change neither."""
    content = (
        resemblance.digest(),
        sorted(categories.values(), key=lambda category: category.id),
        [(entry.category, msgspec.structs.replace(entry.rule, catches=(), lets_pass=())) for entry in entries],
    )
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()


def main(files: Sequence[str]) -> int:
    """Hold the shipped rulebook, or just the files named, to its examples: a line for each that fails."""
    loading = _Loading(tries_out=True)
    try:
        loading.add_excuses(_shipped("excuses.toml"))
        loading.add([Path(file) for file in files] or _shipped())
        rulebook = loading.rulebook()
    except RulebookError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    failures = rulebook.all_failures()
    sys.stdout.writelines(f"{line}\n" for line in (*failures, f"{len(rulebook.rules)} rules, {len(failures)} failures"))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
