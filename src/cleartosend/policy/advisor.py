"""Answers in words the question whether something may be sent: yes, no or on which conditions, and by which clause."""

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

import msgspec

from cleartosend.model.verdicts import Action, MessageType, Submission
from cleartosend.policy.explaining import Explanation, explain
from cleartosend.policy.normalise import fold, is_han
from cleartosend.policy.rulebook import Bilingual, Rulebook, enforced
from cleartosend.policy.view import View

_FALLBACK = "how-to-know"
# Whoever, marketing, notification, member: such words together weigh no more than this, and any subject weighs more.
_MOST_WEIGHT_OF_GENERALITIES = 5
_LETTER = "[a-z0-9]"
# In a question these name the medium; in a text to send they may advertise it.
_MEDIUM = re.compile(r"短信|短讯|群发|\b(?:bulk )?(?:sms|text messag\w+)\b")
_RULE_ID = re.compile(r"(?<![a-z0-9-])[a-z0-9]+(?:-[a-z0-9]+)*(?![a-z0-9-])")
_ABOUT_RULES = re.compile(
    r"\brules?\b|\bexplain|\bmeans?\b|\bwhat does\b|\bwhy\b|规则|解释|什么意思|含义|为什么|是什么"
)
# A question is short; what is longer is a text to be judged, and is read no further.
_LONGEST_QUESTION = 1000


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the policy says to a question, in the question's language."""

    answer: Literal["yes", "no", "conditional"]
    """Whether what is asked about may be sent."""
    rule: str
    """What it stands on: a category or rule of the rulebook, a reason, or a part of the specifications."""
    text: str
    """Why, and what would pass."""
    clause: str
    """The sentence of the written policy."""
    explanation: Explanation | None = None
    """Where a rule was named: all that there is to say of it."""


class _Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that a question can name, and the ways to name it."""

    weight: int
    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer, and the topics that ask for it."""

    id: str
    rule: str
    answer: Literal["yes", "no", "conditional"]
    asks: tuple[str, ...]
    text: Bilingual
    clause: Bilingual
    questions: tuple[str, ...]
    rows: tuple[int, ...] = ()
    unless: tuple[str, ...] = ()
    sure: bool = False
    """Whether it stands though the question holds words that a rule would reject: it asks about their absence."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topics: dict[str, _Topic]
    answer: tuple[_Entry, ...]


class _Naming(NamedTuple):
    """How a topic is recognised."""

    wanted: re.Pattern[str]
    unless: re.Pattern[str] | None

    def stands_in(self, question: str) -> bool:
        """Whether any hit is outside of everything that is excused."""
        excused = [found.span() for found in self.unless.finditer(question)] if self.unless else []
        return any(
            not any(start < found.end() and found.start() < end for start, end in excused)
            for found in self.wanted.finditer(question)
        )


class _Asking(NamedTuple):
    """Topics that together ask for an answer."""

    weight: int
    topics: frozenset[str]
    entry: _Entry

    @property
    def is_sure(self) -> bool:
        """Whether the answer stands without asking the rulebook."""
        return self.entry.sure or (self.weight > _MOST_WEIGHT_OF_GENERALITIES and self.entry.answer != "yes")


def ask(question: str, rulebook: Rulebook) -> Answer:
    """
    Find the answer that fits best what a question names, however it is worded.

    A question that names a rule by its id has the rule explained.
    A question that names nothing but generalities, or would be answered yes, is tried on the rulebook as well: what a
    rule rejects in it may not be sent.
    """
    question = question[:_LONGEST_QUESTION]
    language = language_of(question)
    named = _rule_named_in(question, rulebook)
    if named is not None:
        its = explain(named, rulebook, language)
        answer: Literal["no", "conditional"] = "conditional" if its.action is Action.REFER else "no"
        return Answer(answer=answer, rule=named, text=its.because, clause=its.clause, explanation=its)
    asking = _asking_of(question)
    if asking is None or not asking.is_sure:
        refused = _refused_by_rulebook(question, rulebook, language)
        if refused is not None:
            return refused
    entry = asking.entry if asking else _entry(_FALLBACK)
    return Answer(
        answer=entry.answer,
        rule=entry.rule,
        text=_in(language, entry.text),
        clause=_in(language, entry.clause),
    )


def language_of(question: str) -> str:
    """In which language it is asked, and will be answered."""
    return "zh" if any(map(is_han, fold(question))) else "en"


def rules_of_answers() -> frozenset[str]:
    """Everything that an answer can name as its rule without asking the rulebook."""
    return frozenset(entry.rule for entry in _knowledge().answer)


def misled_questions() -> list[str]:
    """List the questions of answers.toml that do not lead to their own answer; with one, its evidence is missing."""
    misled = []
    for entry in _knowledge().answer:
        for question in entry.questions:
            found = _asking_of(question)
            if found is None or found.entry is not entry:
                misled.append(f"{entry.id}: {question} (leads to {found.entry.id if found else 'nothing'})")
    return misled


def _in(language: str, sentence: Bilingual) -> str:
    return sentence.zh if language == "zh" else sentence.en


def _asking_of(question: str) -> _Asking | None:
    named = frozenset(_topics_of(question))
    best: _Asking | None = None
    for asking in _askings():
        if (
            asking.topics <= named
            and named.isdisjoint(asking.entry.unless)
            and (best is None or asking.weight > best.weight)
        ):
            best = asking
    return best


def _topics_of(question: str) -> Iterator[str]:
    folded = fold(question).replace("\u2019", "'")
    for name, naming in _namings().items():
        if naming.stands_in(folded):
            yield name


def _rule_named_in(question: str, rulebook: Rulebook) -> str | None:
    """
    The id of the first rule that is named.

    Ids such as "cash-back" are words of their own, and name the rule only alone or where rules are spoken of.
    """
    question = fold(question).strip()
    about_rules = _ABOUT_RULES.search(question)
    for rule_id in _RULE_ID.findall(question):
        if rulebook.has(rule_id) and (about_rules or rule_id == question or rule_id.count("-") > 1):
            return str(rule_id)
    return None


def _refused_by_rulebook(question: str, rulebook: Rulebook, language: str) -> Answer | None:
    """Answer by a rule that would reject the question's own words, if it were a text to send."""
    submission = Submission(text=_MEDIUM.sub("", fold(question)), type=MessageType.NOTIFICATION)
    for place in enforced(rulebook.look(View(submission))):
        if place.rule.action is Action.REFER or place.rule.check:
            continue
        category = rulebook.category_of(place.rule.id)
        return Answer(
            answer="no",
            rule=category.id,
            text=_in(language, place.rule.because),
            clause=_in(language, place.rule.clause or category.clause),
        )
    return None


@cache
def _knowledge() -> _File:
    return msgspec.convert(
        tomllib.loads(resources.files(__package__).joinpath("answers.toml").read_text("utf-8")), _File
    )


@cache
def _entry(entry_id: str) -> _Entry:
    return next(entry for entry in _knowledge().answer if entry.id == entry_id)


@cache
def _namings() -> dict[str, _Naming]:
    return {
        name: _Naming(
            re.compile("|".join([*map(_pattern_of_word, topic.words), *map(_fold_pattern, topic.patterns)])),
            re.compile("|".join(map(_fold_pattern, topic.unless))) if topic.unless else None,
        )
        for name, topic in _knowledge().topics.items()
    }


@cache
def _askings() -> tuple[_Asking, ...]:
    return tuple(_all_askings(_knowledge()))


def _all_askings(knowledge: _File) -> Iterable[_Asking]:
    for entry in knowledge.answer:
        for ask_ in entry.asks:
            topics = frozenset(ask_.split())
            yield _Asking(sum(knowledge.topics[topic].weight for topic in topics), topics, entry)


def _pattern_of_word(word: str) -> str:
    """
    Turn a word as answers.toml writes it into a pattern.

    >>> re.findall(_pattern_of_word("recruit*"), "recruiting recruits")
    ['recruiting', 'recruits']
    >>> re.findall(_pattern_of_word("job offer"), "job-offers, joboffer")
    ['job-offers']
    """
    word = fold(word)
    stem = r"[\s-]+".join(map(re.escape, word.removesuffix("*").split()))
    before = f"(?<!{_LETTER})" if re.match(_LETTER, word) else ""
    if word.endswith("*"):
        return before + stem + "[a-z]*"
    return before + stem + (rf"(?:e?s)?(?!{_LETTER})" if re.search(f"{_LETTER}$", word) else "")


def _fold_pattern(pattern: str) -> str:
    return "".join(piece if piece.isascii() else re.escape(fold(piece)) for piece in pattern)
