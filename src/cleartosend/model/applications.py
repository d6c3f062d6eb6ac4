"""What is put up for review: signatures and templates, the states they pass through and the moves between them."""

import re
from enum import StrEnum

import msgspec

from cleartosend.model.verdicts import Finding, MessageType

VARIABLE = re.compile(r"\{([1-9][0-9]*)\}", re.ASCII)
"""A variable of a template: `{1}`, `{2}`, ..."""


class Subject(StrEnum):
    """The two kinds of application."""

    SIGNATURE = "signature"
    TEMPLATE = "template"


class ReviewState(StrEnum):
    """Where an application stands. Only an approved one may be used in a message."""

    PENDING = "pending"
    REFERRED = "referred"
    APPROVED = "approved"
    REJECTED = "rejected"
    BANNED = "banned"
    DELETED = "deleted"


class ReviewMove(StrEnum):
    """What can happen to an application. Each move is made by the function of its name in `review`."""

    APPLY = "apply"
    AMEND = "amend"
    APPROVE = "approve"
    REJECT = "reject"
    REFER = "refer"
    RECALL = "recall"
    BAN = "ban"
    DELETE = "delete"


_OPEN = frozenset({ReviewState.PENDING, ReviewState.REFERRED})

# move: (states it may start from, state it ends in). Applying starts from nothing.
REVIEW_MOVES: dict[ReviewMove, tuple[frozenset[ReviewState], ReviewState]] = {
    ReviewMove.APPLY: (frozenset(), ReviewState.PENDING),
    ReviewMove.AMEND: (_OPEN | {ReviewState.REJECTED}, ReviewState.PENDING),
    ReviewMove.REFER: (frozenset({ReviewState.PENDING}), ReviewState.REFERRED),
    ReviewMove.APPROVE: (_OPEN, ReviewState.APPROVED),
    # An approved one may be taken back by a person: the rules or the business behind it may have changed.
    ReviewMove.REJECT: (_OPEN | {ReviewState.APPROVED}, ReviewState.REJECTED),
    # What stands behind its links is no longer what it was approved with.
    ReviewMove.RECALL: (frozenset({ReviewState.APPROVED}), ReviewState.REFERRED),
    ReviewMove.BAN: (_OPEN | {ReviewState.APPROVED, ReviewState.REJECTED}, ReviewState.BANNED),
    ReviewMove.DELETE: (_OPEN | {ReviewState.APPROVED, ReviewState.REJECTED}, ReviewState.DELETED),
}


class ReviewReason(StrEnum):
    """What a reviewer's rejection is about, for programs; the written reason beside it is for the applicant."""

    PROHIBITED_CONTENT = "prohibited-content"
    WRONG_TYPE = "wrong-type"
    FORM = "form"
    DOCUMENTS = "documents"
    IMPERSONATION = "impersonation"
    UNCLEAR = "unclear"
    OTHER = "other"


class SignatureForm(msgspec.Struct, frozen=True, kw_only=True):
    """What an applicant states about a signature."""

    text: str
    sign_type: int
    document_type: int
    international: bool
    for_another: bool
    """Whether the signature belongs to another party, who gave a power of attorney."""
    proof_image: bytes
    commission_image: bytes = b""
    remark: str = ""
    qualification_id: int | None = None


class TemplateForm(msgspec.Struct, frozen=True, kw_only=True):
    """What an applicant states about a template."""

    name: str
    text: str
    type: MessageType
    international: bool
    remark: str = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature and where its review stands."""

    id: int
    account_id: int
    text: str
    sign_type: int
    document_type: int
    international: bool
    for_another: bool
    remark: str
    qualification_id: int | None
    state: ReviewState
    reply: str
    """What the applicant is told: why it was rejected; empty otherwise."""
    created_at: float


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A template and where its review stands."""

    id: int
    account_id: int
    name: str
    text: str
    type: MessageType
    international: bool
    remark: str
    state: ReviewState
    reply: str
    """What the applicant is told: why it was rejected; empty otherwise."""
    created_at: float


class ReviewEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One move of one application, kept for good."""

    subject: Subject
    subject_id: int
    move: ReviewMove
    by: str
    """`machine`, `applicant` or the reviewer's name."""
    at: float
    reason: str
    """A code: the rule that decided, or the reviewer's reason code; empty for an approval."""
    because: str
    rulebook: str
    findings: tuple[Finding, ...]
    text: str
    """The text as it stood when the move was made, so that an old decision can be explained and replayed."""


class Stance(StrEnum):
    """What can come of a decision that is put before another reviewer. The application stays where it is."""

    ASKED = "opinion-asked"
    AGREES = "agrees"
    DISAGREES = "disagrees"


class Opinion(msgspec.Struct, frozen=True, kw_only=True):
    """A decision put before another reviewer, or what that reviewer would have decided; kept for good."""

    subject: Subject
    subject_id: int
    stance: Stance
    by: str
    """Who gave it; where it is only asked, who made the decision."""
    at: float
    decision: ReviewMove
    """What was decided."""
    because: str
    text: str
    """The text that was decided on."""

    @property
    def decides_to_pass(self) -> bool:
        """Whether the decision lets the text be used."""
        return self.decision is ReviewMove.APPROVE

    @property
    def lets_pass(self) -> bool:
        """Whether who gave it would let the text be used."""
        return self.decides_to_pass is not (self.stance is Stance.DISAGREES)
