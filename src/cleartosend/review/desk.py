"""The reviewer's part of a review: see what waits, approve, reject, ban."""

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import Account, AccountEvent, AccountStatus
from cleartosend.model.applications import (
    ReviewEvent,
    ReviewMove,
    ReviewReason,
    ReviewState,
    Signature,
    Subject,
    Template,
)
from cleartosend.model.links import Visit
from cleartosend.ports import StopAccount, StopApplication
from cleartosend.review import second
from cleartosend.review.moves import make, subject_of
from cleartosend.review.precedents import Precedent, like
from cleartosend.store import accounts, applications, links

# What an applicant reads where the reviewer wrote nothing.
IN_WORDS = {
    ReviewReason.PROHIBITED_CONTENT: "内容属于禁止发送的类别。 (prohibited content)",
    ReviewReason.WRONG_TYPE: "申报的类型与内容不符。 (declared as the wrong type)",
    ReviewReason.FORM: "格式不符合规范。 (not in the right form)",
    ReviewReason.DOCUMENTS: "证明文件不符合要求。 (the documents do not prove it)",
    ReviewReason.IMPERSONATION: "名义与申请人不符。 (somebody else's name)",
    ReviewReason.UNCLEAR: "用途不清楚，请补充说明。 (what it is for is not clear)",
    ReviewReason.OTHER: "审核未通过。 (not approved)",
}
WAITING = (ReviewState.PENDING, ReviewState.REFERRED)


class Folder(msgspec.Struct, frozen=True):
    """All that a reviewer sees of one application."""

    application: Signature | Template
    account: Account
    history: list[ReviewEvent]
    visits: list[Visit]
    """What was last seen behind the links of a template, newest first."""
    precedents: list[Precedent]
    """Earlier templates that are like it, the most alike first."""


class Stopped(msgspec.Struct, frozen=True):
    """A suspended account, and who suspended it, when and why."""

    account: Account
    event: AccountEvent


def waiting(tx: Connection, subject: Subject) -> list[Signature] | list[Template]:
    """What waits for a person, longest first; what a stopped account applied for waits for its own decision first."""
    return applications.in_state(tx, subject, WAITING)


def suspended(tx: Connection) -> list[Stopped]:
    """The accounts that wait for a person to ban or restore them, longest first."""
    stopped = [
        Stopped(account, accounts.events_of(tx, account.id)[-1])
        for account in accounts.every(tx, status=AccountStatus.SUSPENDED)
    ]
    return sorted(stopped, key=lambda one: one.event.at)


def open_folder(tx: Connection, subject: Subject, application_id: int) -> Folder | None:
    """None when there is no such application, or it was deleted."""
    application: Signature | Template | None
    if subject is Subject.SIGNATURE:
        application = applications.find_signature(tx, application_id)
    else:
        application = applications.find_template(tx, application_id)
    if application is None:
        return None
    account = accounts.find(tx, application.account_id)
    if account is None:
        return None
    history = applications.events_of(tx, subject_of(application), application.id)
    if isinstance(application, Signature):
        return Folder(application, account, history, [], [])
    visits = links.visits_of(tx, application.id)
    return Folder(application, account, history, visits, like(tx, application))


def without_its_decision(folder: Folder) -> Folder:
    """What its reviewer saw, for one who is to say what they would have decided."""
    application = msgspec.structs.replace(folder.application, state=ReviewState.REFERRED, reply="")
    return msgspec.structs.replace(folder, application=application, history=folder.history[:-1])


def approve(
    tx: Connection,
    application: Signature | Template,
    *,
    by: str,
    because: str,
    now: float,
    second_opinion_percent: float = 0.0,
) -> ReviewEvent | None:
    """
    Let it be used. None where its state does not allow it; so for the other moves.

    `second_opinion_percent`: how many in a hundred of such decisions are put before another reviewer.
    """
    approved = make(tx, application, ReviewMove.APPROVE, by=by, because=because, now=now)
    if approved is not None:
        second.ask(tx, approved, percent=second_opinion_percent)
    return approved


def reject(
    tx: Connection,
    application: Signature | Template,
    *,
    by: str,
    reason: ReviewReason,
    because: str,
    now: float,
    stop_application: StopApplication,
    second_opinion_percent: float = 0.0,
) -> ReviewEvent | None:
    """
    Send it back, or take back what was approved, and what waits with it stops.

    The applicant reads `because`, or else what it is about.
    """
    because = because or IN_WORDS[reason]
    rejected = make(tx, application, ReviewMove.REJECT, by=by, reason=reason, because=because, now=now)
    if rejected is not None:
        stop_application(tx, application, now=now)
        second.ask(tx, rejected, percent=second_opinion_percent)
    return rejected


def ban(
    tx: Connection,
    application: Signature | Template,
    *,
    by: str,
    because: str,
    now: float,
    stop_account: StopAccount,
) -> ReviewEvent | None:
    """Reject it for good and ban its account, whose waiting messages stop."""
    reason = ReviewReason.PROHIBITED_CONTENT
    because = because or IN_WORDS[reason]
    banned = make(tx, application, ReviewMove.BAN, by=by, reason=reason, because=because, now=now)
    if banned is None:
        return None
    stop_account(tx, application.account_id, AccountStatus.BANNED, by=by, because=because, now=now)
    return banned
