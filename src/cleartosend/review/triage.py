"""The machine's part of a review: approve, reject, or refer to a person."""

from sqlalchemy import Connection

from cleartosend.model.accounts import MACHINE, Account, AccountKind, AccountStatus
from cleartosend.model.applications import ReviewEvent, ReviewMove, Signature, SignatureForm, Template, TemplateForm
from cleartosend.model.verdicts import Decision, MessageType, Part, Submission, Verdict
from cleartosend.policy.telling import deciding, in_words
from cleartosend.ports import StopAccount, Suspended
from cleartosend.review import precedents
from cleartosend.review.moves import make, subject_of
from cleartosend.store import applications

TRADEMARK = 4
GOVERNMENT = 5
SAME_AS_APPROVED = "same-as-approved"


def submission_of(kind: AccountKind, its: SignatureForm | TemplateForm | Signature | Template) -> Submission:
    """What the policy is asked about an application of an account of this kind."""
    if isinstance(its, SignatureForm | Signature):
        return Submission(
            text=its.text,
            type=MessageType.NOTIFICATION,
            account=kind,
            international=its.international,
            part=Part.SIGNATURE,
        )
    return Submission(text=its.text, type=its.type, account=kind, international=its.international)


def triage(
    tx: Connection,
    application: Signature | Template,
    verdict: Verdict,
    *,
    account: Account,
    now: float,
    stop_account: StopAccount,
) -> tuple[ReviewEvent | None, Suspended | None]:
    """
    Decide what can be decided from the text and the form; the rest waits for a person.

    Returns the move made and, where the text calls for it, the account stopped.
    """
    if verdict.decision is Decision.REJECT:
        rejected = reject(tx, application, verdict, now=now)
        return rejected, suspend(tx, account, verdict, now=now, stop_account=stop_account) if verdict.bans else None
    return _refer_or_approve(tx, application, verdict, now=now), None


def suspend(tx: Connection, account: Account, verdict: Verdict, *, now: float, stop_account: StopAccount) -> Suspended:
    """Row 12 of the policy: the account stops at once; a person then bans or restores it."""
    because = in_words(verdict.findings)
    ended = stop_account(tx, account.id, AccountStatus.SUSPENDED, by=MACHINE, because=because, now=now)
    return Suspended(account.id, verdict.banning, tuple(ended))


def _refer_or_approve(
    tx: Connection, application: Signature | Template, verdict: Verdict, *, now: float
) -> ReviewEvent | None:
    if verdict.decision is Decision.REFER and (same := _approved_before(tx, application)):
        return approve(tx, application, verdict, reason=SAME_AS_APPROVED, because=f"template {same.id}", now=now)
    if verdict.decision is Decision.REFER:
        return refer(tx, application, verdict, reason=deciding(verdict.findings)[0].rule, now=now)
    if reason := a_person_said_no(tx, application) or documents_need_a_person(application):
        return refer(tx, application, verdict, reason=reason, now=now)
    return approve(tx, application, verdict, now=now)


def _approved_before(tx: Connection, application: Signature | Template) -> Template | None:
    """What was approved with the same words, unless a person has said no to these."""
    if isinstance(application, Signature) or a_person_said_no(tx, application):
        return None
    return precedents.same_as_approved(tx, application)


def approve(
    tx: Connection,
    application: Signature | Template,
    verdict: Verdict,
    *,
    reason: str = "",
    because: str = "",
    now: float,
) -> ReviewEvent | None:
    return make(
        tx, application, ReviewMove.APPROVE, by=MACHINE, now=now, reason=reason, because=because, verdict=verdict
    )


def refer(
    tx: Connection, application: Signature | Template, verdict: Verdict, *, reason: str, now: float
) -> ReviewEvent | None:
    because = in_words(verdict.findings)
    return make(tx, application, ReviewMove.REFER, by=MACHINE, now=now, reason=reason, because=because, verdict=verdict)


def reject(tx: Connection, application: Signature | Template, verdict: Verdict, *, now: float) -> ReviewEvent | None:
    reason, because = deciding(verdict.findings)[0].rule, in_words(verdict.findings)
    return make(
        tx, application, ReviewMove.REJECT, by=MACHINE, now=now, reason=reason, because=because, verdict=verdict
    )


def a_person_said_no(tx: Connection, application: Signature | Template) -> str:
    """A text that a person rejected is not approved by a machine, whoever puts it up again under whatever id."""
    last = applications.last_person_on(tx, subject_of(application), application.account_id, application.text)
    return "rejected-by-a-person-before" if last in {ReviewMove.REJECT, ReviewMove.BAN} else ""


def documents_need_a_person(application: Signature | Template) -> str:
    """Why a person must look at the papers of a signature; empty where the verified account answers for it."""
    if isinstance(application, Template):
        return ""
    if application.for_another:
        return "power-of-attorney"
    if application.sign_type == TRADEMARK:
        return "trademark-certificate"
    if application.sign_type == GOVERNMENT:
        return "government-certificate"
    return ""
