"""Judges a submission by a rulebook, and suggests the edit that would pass."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from cleartosend.model.messages import MOST_CHARACTERS_PER_MESSAGE
from cleartosend.model.verdicts import Action, Decision, Finding, Nature, Part, Submission, Verdict
from cleartosend.policy.mending import applied, says_something
from cleartosend.policy.normalise import HAN
from cleartosend.policy.rulebook import Place, Remedy, Rulebook, enforced
from cleartosend.policy.spots import Edit
from cleartosend.policy.structure import renumbered
from cleartosend.policy.view import View

_MOST_FINDINGS_OF_ONE_RULE = 3
# Mending one thing can bring up another: a sentence dropped may have held the opt-out ending.
_ROUNDS_OF_MENDING = 3

_SENTENCE_ENDS = re.compile(r"[。！？!?；;\n]+|\.(?=\s|$)")
_CLAUSE_ENDS = re.compile(r"[，,。！？!?；;\n]+|\.(?=\s|$)")


def judge(submission: Submission, rulebook: Rulebook, *, language: str | None = None, closely: bool = True) -> Verdict:
    """
    What the rulebook says about a text.

    Findings speak `language`, zh or en; where none is asked for, Chinese if the text has any Chinese or is a domestic
    signature, whose letters say nothing about its owner, else English.
    Of a message, whose fixed text a person may have passed, what would only be referred counts if it touches a value.
    `closely`: whether a template that no rule rejects is read by the model as well, which can only refer it.
    """
    view = View(submission)
    found = _touching_values(submission, rulebook.look(view))
    places = enforced(found)
    decision = _decision(place.rule.action for place in places)
    if closely and decision is not Decision.REJECT and submission.part is Part.TEMPLATE:
        closer = rulebook.look_closer(view)
        found = [*found, *closer]
        places += enforced(closer)
        decision = _decision(place.rule.action for place in places)
    return Verdict(
        decision=decision,
        nature=view.reading.nature,
        rulebook=rulebook.digest,
        findings=_findings(submission.text, places, rulebook, _language(submission, language)) if places else (),
        observed=tuple(dict.fromkeys(place.rule.id for place in found if place.rule.observe)),
    )


def suggest(submission: Submission, verdict: Verdict, rulebook: Rulebook) -> Verdict:
    """The same verdict; where edits that the rules know of make the text pass, their findings carry that text."""
    if (
        submission.part is Part.MESSAGE
        or verdict.decision is Decision.APPROVE
        or len(submission.text) > MOST_CHARACTERS_PER_MESSAGE
    ):
        return verdict
    for ends in (_SENTENCE_ENDS, _CLAUSE_ENDS):
        mended, rules = _mended(submission, rulebook, ends)
        if mended is not None:
            findings = (
                msgspec.structs.replace(finding, fix=mended) if finding.rule in rules else finding
                for finding in verdict.findings
            )
            return msgspec.structs.replace(verdict, findings=tuple(findings))
    return verdict


def _touching_values(submission: Submission, places: list[Place]) -> list[Place]:
    if submission.part is not Part.MESSAGE:
        return places
    return [
        place
        for place in places
        if place.rule.action is not Action.REFER
        or any(start < place.end and place.start < end for start, end in submission.values)
    ]


def _decision(actions: Iterable[Action]) -> Decision:
    found = set(actions)
    if found & {Action.REJECT, Action.BAN}:
        return Decision.REJECT
    return Decision.REFER if found else Decision.APPROVE


def _language(submission: Submission, asked_for: str | None) -> str:
    if asked_for is not None:
        return asked_for
    at_home = submission.part is Part.SIGNATURE and not submission.international
    return "zh" if at_home or HAN.search(submission.text) else "en"


def _findings(
    text: str,
    places: Sequence[Place],
    rulebook: Rulebook,
    language: str,
) -> tuple[Finding, ...]:
    """In the order of the text, the first few of each rule, with what overlaps taken together."""
    english = language == "en"
    spans: dict[str, list[tuple[int, int]]] = {}
    actions = {place.rule.id: place.rule.action for place in places}
    for place in sorted(places, key=lambda place: (place.start, place.end)):
        of_rule = spans.setdefault(place.rule.id, [])
        if of_rule and place.start < of_rule[-1][1]:
            of_rule[-1] = (of_rule[-1][0], max(of_rule[-1][1], place.end))
        elif not of_rule or of_rule[-1] != (place.start, place.end):
            of_rule.append((place.start, place.end))
    findings = []
    for rule_id, of_rule in spans.items():
        rule, category = rulebook.rule(rule_id), rulebook.category_of(rule_id)
        clause = rule.clause or category.clause
        for start, end in of_rule[:_MOST_FINDINGS_OF_ONE_RULE]:
            findings.append(
                Finding(
                    rule=rule_id,
                    category=category.id,
                    action=actions[rule_id],
                    because=rule.because.en if english else rule.because.zh,
                    clause=clause.en if english else clause.zh,
                    quote=text[start:end],
                    start=start,
                    end=end,
                )
            )
    findings.sort(key=lambda finding: (finding.start, finding.end, finding.rule))
    return tuple(findings)


def _mended(submission: Submission, rulebook: Rulebook, ends: re.Pattern[str]) -> tuple[str | None, set[str]]:
    """The text after all edits, if it then passes and still says something, and the rules whose edits made it."""
    rules: set[str] = set()
    cut = False
    for _ in range(_ROUNDS_OF_MENDING):
        places = enforced(rulebook.look(View(submission)))
        bounds = [0, *(found.end() for found in ends.finditer(submission.text)), len(submission.text)]
        cut = cut or any(place.rule.remedy is not None for place in places)
        edits = {edit: place.rule.id for place in places if (edit := place.edit or _remedy(place, bounds)) is not None}
        if not all(any(edit.covers(place.start, place.end) for edit in edits) for place in places):
            return None, rules
        rules.update(edits.values())
        text = applied(edits, submission.text)
        if submission.part is Part.TEMPLATE:
            text = renumbered(text)
        submission = msgspec.structs.replace(submission, text=text)
        if not says_something(submission):
            return None, rules
        verdict = judge(submission, rulebook)
        if verdict.decision is Decision.APPROVE:
            # What is left of words that may not be sent, and tells nothing of its own, was about the same.
            return (None if cut and verdict.nature is Nature.UNCLEAR else text), rules
    return None, rules


def _remedy(place: Place, bounds: Sequence[int]) -> Edit | None:
    """The edit that a rule asks for by name; `bounds` are where sentences begin and end."""
    if place.rule.remedy is Remedy.DROP_WORDS:
        return Edit(place.start, place.end, "")
    if place.rule.remedy is Remedy.DROP_SENTENCE:
        first = bounds[bisect_right(bounds, place.start) - 1]
        return Edit(first, bounds[bisect_left(bounds, max(place.end, first + 1))], "")
    return None
