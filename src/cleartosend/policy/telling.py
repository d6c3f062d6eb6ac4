"""What an applicant is told of a verdict."""

from collections.abc import Sequence

from cleartosend.model.verdicts import Action, Finding

_GRAVITY = {action: gravity for gravity, action in enumerate(Action)}
# How a text should be declared or written is no advice for one that must not be sent at all.
_ABOUT_THE_FORM = {"types", "form"}


def deciding(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that the decision stands on, the gravest first: prohibited content before faults of form."""
    gravest = max((_GRAVITY[finding.action] for finding in findings), default=0)
    # A ban is a rejection with consequences: what rejects beside it counts as well.
    least = min(gravest, _GRAVITY[Action.REJECT])
    counting = [finding for finding in findings if _GRAVITY[finding.action] >= least]
    about_content = [finding for finding in counting if finding.category not in _ABOUT_THE_FORM]
    return sorted(about_content or counting, key=lambda finding: -_GRAVITY[finding.action])


def in_words(findings: Sequence[Finding]) -> str:
    """What an applicant is told: for each rule the words, what is wrong with them, and last what would pass."""
    quotes: dict[str, list[str]] = {}
    because: dict[str, str] = {}
    for finding in deciding(findings):
        because[finding.rule] = finding.because
        if finding.quote:
            quotes.setdefault(finding.rule, []).append(f"“{finding.quote}”")
    lines = [
        " ".join([f"[{rule}]", *dict.fromkeys(quotes.get(rule, [])), its_because])
        for rule, its_because in because.items()
    ]
    if fix := next((finding.fix for finding in findings if finding.fix), None):
        lines.append(f"→ {fix}")
    return "\n".join(lines)
