"""What another rulebook would decide of what stands decided: templates, signatures and messages that went out."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import AccountKind
from cleartosend.model.applications import ReviewState, Signature, Subject, Template
from cleartosend.model.verdicts import Decision, Part, Submission, Verdict
from cleartosend.policy.telling import deciding
from cleartosend.review.triage import submission_of
from cleartosend.store import accounts, applications, records

Judge = Callable[[Submission], Verdict]
MESSAGE = "message"
LIVE = (ReviewState.APPROVED, ReviewState.REFERRED, ReviewState.PENDING)


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the two rulebooks decide differently."""

    what: str
    id: int
    account_id: int
    text: str
    before: Decision
    after: Decision
    rules: tuple[str, ...]
    """Those that the graver of the two decisions stands on."""
    quotes: tuple[str, ...]


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What came of judging everything twice."""

    compared: int
    flips: list[Flip]


class _Case(msgspec.Struct, frozen=True):
    what: str
    id: int
    account_id: int
    submission: Submission


def replay(tx: Connection, before: Judge, after: Judge, *, messages_since: float | None, most_messages: int) -> Replay:
    """
    Judge what may be used or waits, by both rulebooks; with a time given, the calls since then as well.

    Each text is judged once a rulebook, however often it was sent.
    """
    kind_of = _kinds(tx)
    cases = list(_applications(tx, kind_of))
    if messages_since is not None:
        cases += _messages(tx, kind_of, since=messages_since, most=most_messages)
    flips = [flip for case in cases if (flip := _flip(case, before, after))]
    return Replay(compared=len(cases), flips=flips)


def _kinds(tx: Connection) -> Callable[[int], AccountKind]:
    @cache
    def kind_of(account_id: int) -> AccountKind:
        account = accounts.find(tx, account_id)
        return account.kind if account else AccountKind.ORGANIZATION

    return kind_of


def _applications(tx: Connection, kind_of: Callable[[int], AccountKind]) -> Iterator[_Case]:
    for subject in Subject:
        its: Sequence[Signature | Template] = applications.in_state(tx, subject, LIVE)
        for one in its:
            yield _Case(subject, one.id, one.account_id, submission_of(kind_of(one.account_id), one))


def _messages(tx: Connection, kind_of: Callable[[int], AccountKind], *, since: float, most: int) -> Iterator[_Case]:
    seen: set[Submission] = set()
    for call in records.calls_since(tx, since=since, limit=most):
        submission = Submission(
            text=call.body,
            type=call.type,
            account=kind_of(call.account_id),
            international=call.international,
            part=Part.MESSAGE,
            values=call.values,
        )
        if submission not in seen:
            seen.add(submission)
            yield _Case(MESSAGE, call.id, call.account_id, submission)


def _flip(case: _Case, before: Judge, after: Judge) -> Flip | None:
    old, new = before(case.submission), after(case.submission)
    if old.decision is new.decision:
        return None
    graver = deciding(max(old, new, key=lambda verdict: list(Decision).index(verdict.decision)).findings)
    return Flip(
        what=case.what,
        id=case.id,
        account_id=case.account_id,
        text=case.submission.text,
        before=old.decision,
        after=new.decision,
        rules=tuple(dict.fromkeys(finding.rule for finding in graver)),
        quotes=tuple(dict.fromkeys(finding.quote for finding in graver if finding.quote)),
    )
