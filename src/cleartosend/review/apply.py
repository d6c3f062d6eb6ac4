"""The applicant's part of a review: apply, amend, delete."""

from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import Account, AccountKind, AccountStatus
from cleartosend.model.applications import (
    VARIABLE,
    ReviewEvent,
    ReviewMove,
    ReviewState,
    Signature,
    SignatureForm,
    Subject,
    Template,
    TemplateForm,
)
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType, Submission, Verdict
from cleartosend.policy.signatures import SIGNATURE_LENGTH, SIGNATURE_LENGTH_ABROAD
from cleartosend.ports import Engine, StopAccount, Suspended
from cleartosend.review import precedents
from cleartosend.review.moves import APPLICANT, make, tell
from cleartosend.review.pages import urls_of
from cleartosend.review.triage import submission_of, triage
from cleartosend.store import accounts, applications, links

Form = SignatureForm | TemplateForm

IMAGE_BYTES = 5 * 1024 * 1024
IMAGE_BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")

# Which papers prove which kind of signature (the reference's SignType and DocumentType).
DOCUMENTS_FOR = {
    0: {0, 1},
    1: {0, 1, 2, 3, 4},
    2: {0, 1, 2, 3, 5},
    3: {0, 1, 2, 3, 8},
    4: {7},
    5: {2, 3},
    6: {0, 1, 2, 3, 6},
}
# Withdrawn by the newest rules: website, official account and mini program everywhere, app at home.
WITHDRAWN_SIGN_TYPES = {2, 3, 6}
APP_SIGN_TYPE = 1
WITHDRAWN_DOCUMENT_TYPES = {5, 6, 8}
OPT_OUT_AT_HOME, OPT_OUT_ABROAD = "拒收请回复R", "Reply STOP to unsubscribe"
OPT_OUT_RULES = {"opt-out-is-missing", "english-opt-out-is-missing"}


class _Made(msgspec.Struct, frozen=True):
    """An application and what moved it."""

    id: int
    events: tuple[ReviewEvent | None, ...]
    suspended: Suspended | None


class Applications:
    """Takes applications for one process, judges each before it writes anything."""

    def __init__(
        self,
        *,
        engine: Engine,
        judge: Callable[[Submission], Verdict],
        clock: Callable[[], float],
        stop_account: StopAccount,
    ) -> None:
        self._engine = engine
        self._judge = judge
        self._clock = clock
        self._stop_account = stop_account
        self.wake: Callable[[], None] = lambda: None
        """Called when a template may have links to open."""

    async def apply(self, account: Account, form: Form, *, by_api: bool = True) -> int | Refusal:
        """Put a signature or template up for review; returns its id. The machine has decided when this returns."""
        verdict = self._judge(submission_of(account.kind, form))

        def work(tx: Connection) -> _Made | Refusal:
            current = _as_it_is(tx, account)
            refusal = may_apply(current, form, verdict, by_api=by_api) or _there_is_room(tx, current, form)
            if refusal:
                return refusal
            application, applied = apply(tx, current, form, now=self._clock())
            decided, suspended = self._triage(tx, application, verdict, current)
            return _Made(application.id, (applied, decided), suspended)

        return self._told(await self._engine.write(work))

    async def amend(self, account: Account, application_id: int, form: Form, *, by_api: bool = True) -> int | Refusal:
        """Change what is pending or was rejected, and have it reviewed again."""
        verdict = self._judge(submission_of(account.kind, form))

        def work(tx: Connection) -> _Made | Refusal:
            current = _as_it_is(tx, account)
            if refusal := may_apply(current, form, verdict, by_api=by_api):
                return refusal
            old = _find(tx, account, _subject(form), application_id)
            if isinstance(old, Refusal):
                return old
            if refusal := may_amend(old, form):
                return refusal
            if isinstance(form, SignatureForm) and (refusal := _is_not_there_yet(tx, account, form, apart=old.id)):
                return refusal
            application, amended = amend(tx, old, form, now=self._clock())
            decided, suspended = self._triage(tx, application, verdict, current)
            return _Made(application.id, (amended, decided), suspended)

        return self._told(await self._engine.write(work))

    async def delete(
        self, account: Account, subject: Subject, application_id: int, *, by_api: bool = True
    ) -> float | Refusal:
        """Take an application or an approved signature or template away; returns when."""

        def work(tx: Connection) -> float | Refusal:
            if refusal := may_use_the_api(account, by_api=by_api):
                return refusal
            old = _find(tx, account, subject, application_id)
            if isinstance(old, Refusal):
                return old
            now = self._clock()
            return now if delete(tx, old, now=now) else Refusal(Reason.NOTHING_TO_MOVE)

        return await self._engine.write(work)

    def _triage(
        self, tx: Connection, application: Signature | Template, verdict: Verdict, account: Account
    ) -> tuple[ReviewEvent | None, Suspended | None]:
        now = self._clock()
        if isinstance(application, Template):
            precedents.remember(tx, application)
            if urls_of(application.text):
                links.watch(tx, application.id, due_at=now)
            else:
                links.unwatch(tx, application.id)
        return triage(tx, application, verdict, account=account, now=now, stop_account=self._stop_account)

    def _told(self, made: _Made | Refusal) -> int | Refusal:
        """What the applicant hears; the moves, and that the account was stopped, are told to the operator."""
        if isinstance(made, Refusal):
            return made
        tell(*made.events, suspended=made.suspended)
        self.wake()
        return made.id


# --- the moves ---


def apply(
    tx: Connection, account: Account, form: Form, *, now: float
) -> tuple[Signature | Template, ReviewEvent | None]:
    application: Signature | Template | None
    if isinstance(form, SignatureForm):
        application = applications.find_signature(tx, applications.add_signature(tx, account.id, form, now=now))
    else:
        application = applications.find_template(tx, applications.add_template(tx, account.id, form, now=now))
    assert application is not None  # noqa: S101 - it was written a line ago
    return application, make(tx, application, ReviewMove.APPLY, by=APPLICANT, now=now)


def amend(
    tx: Connection, old: Signature | Template, form: Form, *, now: float
) -> tuple[Signature | Template, ReviewEvent | None]:
    changed: Signature | Template
    if isinstance(form, SignatureForm):
        applications.change_signature(tx, old.id, form, now=now)
    else:
        applications.change_template(tx, old.id, form, now=now)
    changed = msgspec.structs.replace(old, text=form.text)
    return changed, make(tx, changed, ReviewMove.AMEND, by=APPLICANT, now=now)


def delete(tx: Connection, old: Signature | Template, *, now: float) -> ReviewEvent | None:
    return make(tx, old, ReviewMove.DELETE, by=APPLICANT, now=now)


# --- what stands against it ---


def may_apply(account: Account, form: Form, verdict: Verdict, *, by_api: bool) -> Refusal | None:
    """What the account and the form tell without a look at the store."""
    if refusal := _account_may_send(account):
        return refusal
    if isinstance(form, TemplateForm) and _is_marketing_by_an_individual(account, form):
        return Refusal(Reason.MARKETING_TEMPLATE_BY_INDIVIDUAL)
    if refusal := may_use_the_api(account, by_api=by_api):
        return refusal
    if isinstance(form, TemplateForm):
        return _what_the_template_breaks(account, form, verdict)
    return _what_the_papers_break(form)


def may_amend(old: Signature | Template, form: Form) -> Refusal | None:
    if old.state in {ReviewState.APPROVED, ReviewState.BANNED}:
        return Refusal(
            Reason.SIGNATURE_ALREADY_APPROVED if isinstance(form, SignatureForm) else Reason.TEMPLATE_ALREADY_APPROVED
        )
    if old.international is not form.international:
        return Refusal(Reason.SCOPE_CANNOT_CHANGE, "International")
    return None


def _as_it_is(tx: Connection, account: Account) -> Account:
    """The account, which may have been stopped since its caller was authenticated."""
    return accounts.find(tx, account.id) or account


def _account_may_send(account: Account) -> Refusal | None:
    if account.status is not AccountStatus.ACTIVE:
        return Refusal(Reason.ACCOUNT_NOT_ACTIVE, account.status)
    return None if account.verified else Refusal(Reason.ACCOUNT_NOT_VERIFIED)


def may_use_the_api(account: Account, *, by_api: bool = True) -> Refusal | None:
    """The reference refuses every call on signatures and templates to an individual, lists included."""
    allowed = account.settings.applies_by_api
    if allowed is None:
        allowed = account.kind is AccountKind.ORGANIZATION
    return Refusal(Reason.APPLICATIONS_NOT_BY_API) if by_api and not allowed else None


def _is_marketing_by_an_individual(account: Account, form: TemplateForm) -> bool:
    return form.type is MessageType.MARKETING and account.kind is AccountKind.INDIVIDUAL


def _what_the_template_breaks(account: Account, form: TemplateForm, verdict: Verdict) -> Refusal | None:
    bounded = not form.international and form.type is not MessageType.VERIFICATION
    if bounded and not account.settings.variables_allowed and VARIABLE.search(form.text):
        return Refusal(Reason.VARIABLES_NOT_ALLOWED, "TemplateContent")
    # The reference answers this one at once rather than after a review.
    if any(finding.rule in OPT_OUT_RULES for finding in verdict.findings):
        return Refusal(Reason.OPT_OUT_ENDING_MISSING, OPT_OUT_ABROAD if form.international else OPT_OUT_AT_HOME)
    return None


def _what_the_papers_break(form: SignatureForm) -> Refusal | None:
    if form.sign_type in WITHDRAWN_SIGN_TYPES or (form.sign_type == APP_SIGN_TYPE and not form.international):
        return Refusal(Reason.SIGN_TYPE_NOT_OFFERED, "SignType")
    if form.document_type not in DOCUMENTS_FOR[form.sign_type] - WITHDRAWN_DOCUMENT_TYPES:
        return Refusal(Reason.DOCUMENT_DOES_NOT_FIT, "DocumentType")
    if not _is_image(form.proof_image):
        return Refusal(Reason.IMAGE_INVALID, "ProofImage")
    # A power of attorney takes effect for another's signature only.
    if form.for_another and not _is_image(form.commission_image):
        return Refusal(Reason.IMAGE_INVALID, "CommissionImage")
    _least, most = SIGNATURE_LENGTH_ABROAD if form.international else SIGNATURE_LENGTH
    if len(form.text) > most:
        return Refusal(Reason.SIGNATURE_TOO_LONG, f"SignName: at most {most} characters")
    return None


def _is_image(content: bytes) -> bool:
    return content.startswith(IMAGE_BEGINNINGS) and len(content) <= IMAGE_BYTES


def _there_is_room(tx: Connection, account: Account, form: Form) -> Refusal | None:
    """What the account's other applications tell."""
    count = applications.count_of(tx, _subject(form), account.id)
    if isinstance(form, SignatureForm):
        if count >= account.settings.signature_limit:
            return Refusal(Reason.TOO_MANY_SIGNATURES, f"at most {account.settings.signature_limit}")
        return _is_not_there_yet(tx, account, form)
    if not applications.count_of(tx, Subject.SIGNATURE, account.id):
        return Refusal(Reason.SIGNATURE_NEEDED_FIRST)
    if count >= account.settings.template_limit:
        return Refusal(Reason.TOO_MANY_TEMPLATES, f"at most {account.settings.template_limit}")
    return None


def _is_not_there_yet(
    tx: Connection, account: Account, form: SignatureForm, *, apart: int | None = None
) -> Refusal | None:
    for other in applications.signatures_of(tx, account.id, international=form.international):
        if other.text == form.text and other.id != apart:
            if other.state is ReviewState.APPROVED:
                return Refusal(Reason.SIGNATURE_ALREADY_APPROVED, "SignName")
            if other.state in {ReviewState.PENDING, ReviewState.REFERRED}:
                return Refusal(Reason.SIGNATURE_ALREADY_PENDING, "SignName")
    return None


def _subject(form: Form) -> Subject:
    return Subject.SIGNATURE if isinstance(form, SignatureForm) else Subject.TEMPLATE


def _find(tx: Connection, account: Account, subject: Subject, application_id: int) -> Signature | Template | Refusal:
    if subject is Subject.SIGNATURE:
        return applications.find_signature(tx, application_id, account_id=account.id) or Refusal(
            Reason.SIGNATURE_NOT_FOUND, str(application_id)
        )
    return applications.find_template(tx, application_id, account_id=account.id) or Refusal(
        Reason.TEMPLATE_NOT_FOUND, str(application_id)
    )
