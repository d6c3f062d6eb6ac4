"""A call to send is looked up, judged, and recorded with its messages, its counts and its place in the spool."""

import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.admission.admit import (
    Case,
    Content,
    Recipient,
    admit_call,
    admit_content,
    admit_means,
    admit_recipient,
)
from cleartosend.admission.directory import Directory, Dossier
from cleartosend.admission.encoding import segments
from cleartosend.admission.frequency import BEIJING_SECONDS_AHEAD, Wanted, content_of, take_places
from cleartosend.admission.numbers import PhoneNumber, read_number
from cleartosend.admission.rendering import fill, sign
from cleartosend.model.accounts import MACHINE, AccountStatus
from cleartosend.model.messages import (
    EPOCH_MILLISECONDS,
    LANES,
    MOST_RECIPIENTS_PER_CALL,
    NODE_BITS,
    SEQUENCE_BITS,
    MessageState,
    Party,
    RecipientOutcome,
    SendCall,
    serial_no,
)
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType, Part, Submission, Verdict
from cleartosend.ports import Engine, StopAccount
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.spool.embedded import UNCLAIMED, SpoolRow
from cleartosend.store import accounts, members, messages
from cleartosend.store.messages import MessageRow, SubmissionRow

Judge = Callable[[Submission], Verdict]

# The store's drivers are quickest with plain strings.
_ACCEPTED, _REFUSED, _YOU = MessageState.ACCEPTED.value, MessageState.REFUSED.value, Party.YOU.value


class MessageIds:
    """
    Numbers that grow with time, laid out as `model.messages` says.

    So messages need no second column to be sorted by age, and nodes no meeting to number them.
    """

    def __init__(self, node: int, clock: Callable[[], float], *, newest: int = 0) -> None:
        self._node = node
        self._clock = clock
        # Past whatever the store holds: a clock that was set back must not make a number twice.
        self._milliseconds = (newest >> (NODE_BITS + SEQUENCE_BITS)) + 1
        self._sequence = 0

    def __call__(self) -> int:
        milliseconds = int(self._clock() * 1000) - EPOCH_MILLISECONDS
        self._sequence += 1
        if milliseconds > self._milliseconds:
            self._milliseconds, self._sequence = milliseconds, 0
        elif self._sequence >> SEQUENCE_BITS:
            self._milliseconds, self._sequence = self._milliseconds + 1, 0
        return ((self._milliseconds << NODE_BITS) | self._node) << SEQUENCE_BITS | self._sequence


class _Draft(msgspec.Struct, kw_only=True):
    """A call on its way into the store: decided as far as it can be without a transaction."""

    call: SendCall
    dossier: Dossier
    numbers: tuple[PhoneNumber | None, ...]
    domestic: bool
    submission_id: int
    message_ids: list[int]
    type: MessageType
    text: str
    spans: tuple[tuple[int, int], ...]
    """Where the values stand in the text, as [start, end)."""
    segments: int
    verdict: Verdict | None
    refusal: Refusal | None
    """What holds back every number of the call alike."""


class Stale(msgspec.Struct, frozen=True):
    """The account changed while its call was being judged; nothing was recorded."""


class Admission:
    """Accepts calls for one process."""

    def __init__(
        self,
        *,
        engine: Engine,
        directory: Directory,
        judge: Judge,
        settings: Settings,
        clock: Callable[[], float],
        ids: MessageIds,
        stop_account: StopAccount,
    ) -> None:
        self._engine = engine
        self._directory = directory
        self._judge = judge
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._stop_account = stop_account
        self._record: Callable[[_Draft], Awaitable[list[RecipientOutcome] | Stale]] = engine.batched(self.record)
        self.wake: Callable[[], None] = lambda: None
        """Called when something new waits in the spool."""

    async def accept(self, call: SendCall) -> list[RecipientOutcome] | Refusal:
        """
        Answer a call: a refusal of all of it, or what became of each number, in the call's order.

        What is answered is on disk. Raises StoreUnavailable, and then nothing is.
        """
        dossier = await self._directory.current(call.account_id)
        while dossier is not None:
            case = await self._look_up(call, dossier)
            refusal = admit_call(case)
            if refusal is None:
                outcome = await self._record(self._draft(case))
                if not isinstance(outcome, Stale):
                    self._tell(call, outcome)
                    return outcome
            # What was remembered of the account may be out of date, for a no as for a yes.
            known, dossier = dossier, await self._directory.verified(call.account_id)
            if refusal is not None and dossier is known:
                telemetry.REFUSED.labels(refusal.reason).inc()
                telemetry.log.info("call.refused", account=call.account_id, app=call.sdk_app_id, reason=refusal.reason)
                return refusal
        return Refusal(Reason.ACCOUNT_NOT_ACTIVE)

    async def _look_up(self, call: SendCall, dossier: Dossier) -> Case:
        owner: int | None = dossier.account.id
        if call.sdk_app_id not in dossier.apps:
            app = await self._engine.read(lambda tx: accounts.find_app(tx, call.sdk_app_id))
            owner = app.account_id if app else None
        return Case(
            call=call,
            dossier=dossier,
            app_owner=owner,
            # Of a call with too many, which is refused as a whole, only so many are read.
            numbers=tuple([read_number(number) for number in call.numbers[:MOST_RECIPIENTS_PER_CALL]]),
            hour_in_beijing=time.gmtime(self._clock() + BEIJING_SECONDS_AHEAD).tm_hour,
            marketing_hours=(self._settings.marketing_opens_hour, self._settings.marketing_closes_hour),
        )

    def _draft(self, case: Case) -> _Draft:
        """Judge what would be sent; what remains to be asked of the store is one question a number."""
        text, verdict, refusal = "", None, admit_means(case)
        in_text: tuple[tuple[int, int], ...] = ()
        usable = case.template
        if refusal is None and usable is not None:
            template = usable.template
            body, spans = fill(usable.rendering, case.call.values)
            text = sign(body, case.call.signature, international=not case.domestic)
            ahead = len(text) - len(body)
            in_text = tuple([(start + ahead, end + ahead) for start, end in spans])
            verdict = self._judge(
                Submission(
                    text=body,
                    type=template.type,
                    account=case.dossier.account.kind,
                    international=template.international,
                    part=Part.MESSAGE,
                    values=spans,
                )
            )
            refusal = admit_content(case, Content(template=usable, text=text, verdict=verdict))
        return _Draft(
            call=case.call,
            dossier=case.dossier,
            numbers=case.numbers,
            domestic=case.domestic,
            submission_id=self._ids(),
            message_ids=[self._ids() for _ in case.numbers],
            type=usable.template.type if usable else MessageType.NOTIFICATION,
            text=text,
            spans=in_text,
            segments=segments(text, international=not case.domestic),
            verdict=verdict,
            refusal=refusal,
        )

    def record(self, tx: Connection, drafts: Sequence[_Draft]) -> list[list[RecipientOutcome] | Stale]:
        """Decide number by number and write what was decided, for all callers in one transaction."""
        now = self._clock()
        revisions = accounts.hold_revisions(tx, {draft.dossier.account.id for draft in drafts})
        fresh = [draft for draft in drafts if revisions.get(draft.dossier.account.id) == draft.dossier.account.revision]
        refusals = _refusals(tx, fresh, now=now)
        outcomes = {id(draft): _outcomes(draft, refusals) for draft in fresh}
        self._write(tx, [(draft, outcomes[id(draft)]) for draft in fresh], now=now)
        for draft in fresh:
            if draft.verdict is not None and draft.verdict.bans:
                self._suspend(tx, draft, draft.verdict, now=now)
        return [outcomes.get(id(draft), Stale()) for draft in drafts]

    def _suspend(self, tx: Connection, draft: _Draft, verdict: Verdict, *, now: float) -> None:
        """Row 12 of the policy: the account stops at once; a person then bans or restores it."""
        rules = sorted({finding.rule for finding in verdict.findings})
        because = f"call {draft.submission_id}: {', '.join(rules)}"
        account_id = draft.dossier.account.id
        self._stop_account(tx, account_id, AccountStatus.SUSPENDED, by=MACHINE, because=because, now=now)

    def _write(self, tx: Connection, decided: Sequence[tuple[_Draft, list[RecipientOutcome]]], *, now: float) -> None:
        deadline = now + self._settings.submit_within_seconds
        message_rows: list[MessageRow] = []
        spool_rows: list[SpoolRow] = []
        for draft, outcomes in decided:
            account_id = draft.dossier.account.id
            lane = int(LANES[draft.type])
            at_most_once = draft.type is MessageType.MARKETING and self._settings.marketing_at_most_once
            for message_id, outcome in zip(draft.message_ids, outcomes, strict=True):
                if outcome.refusal is None and not outcome.segments:
                    continue  # the second copy of a number: its first is recorded
                row = (message_id, draft.submission_id, account_id, draft.call.sdk_app_id, outcome.number, outcome.iso)
                if outcome.refusal:
                    reason = outcome.refusal.reason.value
                    message_rows.append(MessageRow(*row, 0, _REFUSED, reason, "", _YOU, now, None, None, now))
                else:
                    message_rows.append(
                        MessageRow(*row, outcome.segments, _ACCEPTED, "", "", "", now, deadline, None, None)
                    )
                    spool_rows.append(SpoolRow(message_id, account_id, lane, now, UNCLAIMED, 0, at_most_once))
        messages.record(tx, [_submission_row(draft, now) for draft, _ in decided], message_rows)
        spool.put(tx, spool_rows)

    def _tell(self, call: SendCall, outcomes: Sequence[RecipientOutcome]) -> None:
        accepted = 0
        reasons: dict[str, int] = {}
        for outcome in outcomes:
            if outcome.refusal is None:
                accepted += 1
            else:
                reasons[outcome.refusal.reason] = reasons.get(outcome.refusal.reason, 0) + 1
        for reason, times in reasons.items():
            telemetry.REFUSED.labels(reason).inc(times)
        if reasons:
            telemetry.log.info(
                "messages.refused", account=call.account_id, app=call.sdk_app_id, template=call.template_id, **reasons
            )
        if accepted:
            telemetry.ACCEPTED.inc(accepted)
            self.wake()


def _refusals(tx: Connection, drafts: Sequence[_Draft], *, now: float) -> dict[tuple[int, str], Refusal]:
    """Which numbers of these calls are refused, by (submission, number); frequency is asked last."""
    refusals: dict[tuple[int, str], Refusal] = {}
    pairs = [(draft, number) for draft in drafts if draft.refusal is None for number in {*draft.numbers} if number]
    their_members = members.which_are_members(
        tx, [(draft.call.account_id, number.e164) for draft, number in pairs if draft.type is MessageType.MARKETING]
    )
    their_opt_outs = members.opt_outs_among(tx, [(draft.call.account_id, number.e164) for draft, number in pairs])
    asking: list[tuple[tuple[int, str], Wanted]] = []
    for draft, number in pairs:
        recipient = Recipient(
            number=number,
            is_member=(draft.call.account_id, number.e164) in their_members,
            opted_out=(draft.call.account_id, number.e164, draft.call.signature, draft.type) in their_opt_outs,
        )
        key = (draft.submission_id, number.e164)
        if refusal := admit_recipient(recipient, draft.type):
            refusals[key] = refusal
        else:
            account = draft.dossier.account
            asking.append((key, Wanted(account.id, account.settings, number.e164, content_of(draft.text))))
    for (key, _), refusal in zip(asking, take_places(tx, [wanted for _, wanted in asking], now=now), strict=True):
        if refusal:
            refusals[key] = refusal
    return refusals


def _outcomes(draft: _Draft, refusals: dict[tuple[int, str], Refusal]) -> list[RecipientOutcome]:
    outcomes: list[RecipientOutcome] = []
    serials: dict[str, str] = {}
    for written, number, message_id in zip(draft.call.numbers, draft.numbers, draft.message_ids, strict=True):
        e164 = number.e164 if number else written
        refusal = draft.refusal or (
            refusals.get((draft.submission_id, e164)) if number else Refusal(Reason.NUMBER_MALFORMED)
        )
        repeated = e164 in serials
        serial = ""
        if refusal is None:
            # Of a number that stands in one call twice, one copy is sent; both places tell of that one.
            serial = serials.setdefault(e164, serial_no(message_id, international=not draft.domestic))
        outcomes.append(
            RecipientOutcome(
                number=e164,
                iso=number.iso if number and not draft.refusal else "",
                serial_no=serial,
                segments=0 if refusal or repeated else draft.segments,
                refusal=refusal,
            )
        )
    return outcomes


def _submission_row(draft: _Draft, now: float) -> SubmissionRow:
    call, verdict = draft.call, draft.verdict
    return SubmissionRow(
        id=draft.submission_id,
        account_id=draft.dossier.account.id,
        sdk_app_id=call.sdk_app_id,
        template_id=call.template_id,
        signature=call.signature,
        type=draft.type.value,
        international=not draft.domestic,
        text=draft.text,
        session_context=call.session_context,
        extension_code=call.extension_code,
        sender_id=call.sender_id,
        rulebook=verdict.rulebook if verdict else "",
        findings=msgspec.json.encode(verdict.findings).decode() if verdict and verdict.findings else "[]",
        at=now,
        spans=msgspec.json.encode(draft.spans).decode() if draft.spans else "[]",
        confirms=call.confirms,
    )
