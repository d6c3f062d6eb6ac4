"""What the policy is asked and what it answers: submissions, findings, verdicts."""

from enum import StrEnum

import msgspec

from cleartosend.model.accounts import AccountKind


class MessageType(StrEnum):
    """What an applicant declares a template to be."""

    VERIFICATION = "verification"
    NOTIFICATION = "notification"
    MARKETING = "marketing"


class Nature(StrEnum):
    """What a text is by what it says, whatever was declared."""

    VERIFICATION = "verification"
    NOTIFICATION = "notification"
    MARKETING = "marketing"
    UNCLEAR = "unclear"


class Part(StrEnum):
    """Which text is judged: a template's body, a signature, or a message with its values filled in."""

    TEMPLATE = "template"
    SIGNATURE = "signature"
    MESSAGE = "message"


class Action(StrEnum):
    """What a rule asks for when it finds something, mildest first."""

    REFER = "refer"
    REJECT = "reject"
    BAN = "ban"


class Decision(StrEnum):
    """What becomes of a submission."""

    APPROVE = "approve"
    REFER = "refer"
    REJECT = "reject"


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A text and what its judge must know about it."""

    text: str
    type: MessageType
    account: AccountKind = AccountKind.ORGANIZATION
    international: bool = False
    part: Part = Part.TEMPLATE
    values: tuple[tuple[int, int], ...] = ()
    """Of a message: where in `text` the values of its variables stand, as [start, end) in order."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One place where a text meets a rule."""

    rule: str
    category: str
    action: Action
    because: str
    """For the applicant, in the text's language: what is wrong and what to do about it."""
    clause: str
    """The sentence of the written policy that the rule stands on."""
    quote: str
    """The words as written; empty when what is wrong is something missing."""
    start: int
    end: int
    """Offsets of the quote in the text as written, in characters, [start, end)."""
    fix: str | None = None
    """The whole text with the smallest edit that would pass, where there is one."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The decision on a submission, with everything it stands on."""

    decision: Decision
    nature: Nature
    rulebook: str
    """Digest of the rulebook that judged."""
    findings: tuple[Finding, ...]
    observed: tuple[str, ...] = ()
    """Rules that found something and are only being observed: they had no part in the decision."""

    @property
    def bans(self) -> bool:
        """Whether the account must be suspended at once."""
        return any(finding.action is Action.BAN for finding in self.findings)

    @property
    def banning(self) -> tuple[str, ...]:
        """The rules for which it must be."""
        return tuple(sorted({finding.rule for finding in self.findings if finding.action is Action.BAN}))
