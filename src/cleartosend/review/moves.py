"""The one place where an application moves from state to state, and the move is kept."""

from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.model.accounts import MACHINE
from cleartosend.model.applications import REVIEW_MOVES, ReviewEvent, ReviewMove, Signature, Subject, Template
from cleartosend.model.verdicts import Verdict
from cleartosend.ports import Suspended
from cleartosend.store import applications

APPLICANT = "applicant"


def subject_of(application: Signature | Template) -> Subject:
    return Subject.SIGNATURE if isinstance(application, Signature) else Subject.TEMPLATE


def make(
    tx: Connection,
    application: Signature | Template,
    move: ReviewMove,
    *,
    by: str,
    now: float,
    reason: str = "",
    because: str = "",
    verdict: Verdict | None = None,
) -> ReviewEvent | None:
    """Make the move and keep it; None, and nothing done, where the application's state does not allow it."""
    froms, to = REVIEW_MOVES[move]
    event = ReviewEvent(
        subject=subject_of(application),
        subject_id=application.id,
        move=move,
        by=by,
        at=now,
        reason=reason,
        because=because,
        rulebook=verdict.rulebook if verdict else "",
        findings=verdict.findings if verdict else (),
        text=application.text,
    )
    reply = because if move in {ReviewMove.REJECT, ReviewMove.RECALL, ReviewMove.BAN} else ""
    if move is ReviewMove.APPLY:
        applications.keep_event(tx, event)
    elif not applications.move(
        tx, event, account_id=application.account_id, from_states=froms, to_state=to, reply=reply
    ):
        return None
    return event


def tell(*events: ReviewEvent | None, suspended: Suspended | None = None) -> None:
    """Count and log what was done; for when its transaction is committed, since that may be run twice."""
    for event in events:
        if event is not None:
            _tell_move(event)
    if suspended is not None:
        telemetry.tell_suspended(suspended.account_id, rules=suspended.rules, ended=suspended.ended)


def _tell_move(event: ReviewEvent) -> None:
    by = "machine" if event.by == MACHINE else "person"
    telemetry.REVIEWS.labels(event.subject, event.move, by).inc()
    telemetry.log.info(
        "application.moved",
        subject=event.subject,
        id=event.subject_id,
        move=event.move,
        by=event.by,
        reason=event.reason,
    )
