"""Explains one rule: what it finds, what follows, by which clause, with texts that it stops and lets pass."""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec

from cleartosend.model.verdicts import Action, Submission
from cleartosend.policy import resemblance
from cleartosend.policy.judge import judge, suggest
from cleartosend.policy.normalise import HAN
from cleartosend.policy.rulebook import Bilingual, Example, Rule, Rulebook
from cleartosend.policy.view import View

_MOST_QUOTED = 5
_MOST_EXAMPLES_TRIED = 8
_CONSEQUENCES = {
    Action.REFER: Bilingual(zh="转人工审核", en="a person decides"),
    Action.REJECT: Bilingual(zh="拒绝", en="rejected"),
    Action.BAN: Bilingual(zh="拒绝，并立即暂停账号", en="rejected, and the account is suspended at once"),
}
_ONLY_OBSERVED = Bilingual(zh="（仅观察，暂不生效）", en=" (only observed: it decides nothing yet)")
_HEADINGS = {
    "finds": Bilingual(zh="查找", en="finds"),
    "because": Bilingual(zh="说明", en="because"),
    "clause": Bilingual(zh="条款", en="clause"),
    "caught": Bilingual(zh="命中", en="caught"),
    "passed": Bilingual(zh="放行", en="passed"),
    "edit": Bilingual(zh="改法", en="edit"),
}
_NO_EDIT = Bilingual(zh="没有可以直接建议的改法。", en="none that could be suggested")


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """All that there is to say of one rule, in one language."""

    rule: str
    category: str
    title: str
    action: Action
    observed: bool
    """Whether what it finds decides nothing yet."""
    finds: tuple[str, ...]
    """What it found in its own examples, as written there; empty where it finds that something is missing."""
    because: str
    clause: str
    caught: str
    """A text that it catches."""
    passed: str
    """A text near to such ones that it lets pass."""
    edit: str | None
    """What the caught text becomes by the edit that would pass, where there is one."""


def explain(rule_id: str, rulebook: Rulebook, language: str) -> Explanation:
    """KeyError where no such rule is in force."""
    rule, category = rulebook.rule(rule_id), rulebook.category_of(rule_id)
    caught = list(_in_language(rule, rule.catches, language))
    mended = (_mended(submission, rule, rulebook) for submission in caught[:_MOST_EXAMPLES_TRIED])
    shown, edit = next(
        ((submission, edit) for submission, edit in zip(caught, mended, strict=False) if edit), (caught[0], None)
    )
    quoted = dict.fromkeys(quote for submission in caught for quote in _quotes(submission, rule, rulebook))
    return Explanation(
        rule=rule.id,
        category=category.id,
        title=_said(category.title, language),
        action=rule.action,
        observed=rule.observe,
        finds=tuple(islice(quoted, _MOST_QUOTED)),
        because=_said(rule.because, language),
        clause=_said(rule.clause or category.clause, language),
        caught=shown.text,
        passed=next(_in_language(rule, rule.lets_pass, language)).text,
        edit=edit,
    )


def in_words(its: Explanation, language: str) -> str:
    """An explanation for people to read."""
    consequence = _said(_CONSEQUENCES[its.action], language) + (_said(_ONLY_OBSERVED, language) if its.observed else "")
    lines = {
        "finds": ", ".join(f"“{quote}”" for quote in its.finds),
        "because": its.because,
        "clause": its.clause,
        "caught": its.caught,
        "passed": its.passed,
        "edit": its.edit or _said(_NO_EDIT, language),
    }
    told = [f"  {_said(_HEADINGS[name], language):8} {' '.join(line.split())}" for name, line in lines.items() if line]
    return "\n".join([f"{its.rule} ({its.title}): {consequence}", *told])


def _said(sentence: Bilingual, language: str) -> str:
    return sentence.zh if language == "zh" else sentence.en


def _in_language(rule: Rule, examples: Iterable[str | Example], language: str) -> Iterator[Submission]:
    """The examples as submissions, those in the language first."""
    submissions = map(rule.submission_of, examples)
    yield from sorted(submissions, key=lambda submission: bool(HAN.search(submission.text)) is not (language == "zh"))


def _mended(submission: Submission, rule: Rule, rulebook: Rulebook) -> str | None:
    verdict = suggest(submission, judge(submission, rulebook), rulebook)
    return next((finding.fix for finding in verdict.findings if finding.rule == rule.id), None)


def _quotes(submission: Submission, rule: Rule, rulebook: Rulebook) -> Iterator[str]:
    view = View(submission)
    for place in rulebook.look_closer(view) if rule.check in resemblance.CHECKS else rulebook.look(view):
        if place.rule.id == rule.id and place.start < place.end:
            yield submission.text[place.start : place.end]
