"""A call to send is looked up, judged, and recorded with its messages, its counts and its place in the spool."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.admission import repeated
from cleartosend.admission.admit import (
    Case,
    Content,
    Recipient,
    admit_call,
    admit_content,
    admit_means,
    admit_recipient,
)
from cleartosend.admission.backlog import Backlog
from cleartosend.admission.directory import Directory, Dossier, UsableTemplate
from cleartosend.admission.encoding import segments
from cleartosend.admission.frequency import Wanted, content_of
from cleartosend.admission.hours import MarketingHours
from cleartosend.admission.numbers import MAINLAND_CHINA, PhoneNumber, read_number
from cleartosend.admission.rendering import fill, sign
from cleartosend.admission.repeated import Name
from cleartosend.admission.reserve import Needs, reserve
from cleartosend.admission.spending import Bill, Charge, Crossed, charges_of
from cleartosend.model.accounts import MACHINE, AccountStatus
from cleartosend.model.carriers import EVERYTHING
from cleartosend.model.messages import (
    EPOCH_MILLISECONDS,
    LANES,
    MOST_RECIPIENTS_PER_CALL,
    NODE_BITS,
    SEQUENCE_BITS,
    MessageState,
    Parcel,
    Party,
    RecipientOutcome,
    SendCall,
    serial_no,
)
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType, Part, Submission, Verdict
from cleartosend.ports import Engine, Places, StopAccount, Suspended, WayOut
from cleartosend.settings import Settings, hours_by_country
from cleartosend.spool import embedded as spool
from cleartosend.spool.embedded import UNCLAIMED, SpoolRow
from cleartosend.store import accounts, consent, members, messages
from cleartosend.store.answered_calls import Answered, Key
from cleartosend.store.messages import MessageRow, SubmissionRow
from cleartosend.store.statistics import Tally

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
    name: Name | None
    """What tells the call from others, where it has a key."""
    routes: list[str | None]
    """By which route each number is reached; None: by none."""
    places: Mapping[str, Places]
    """Room at carriers, by route, for messages that need not wait."""


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a call, and what there is to tell of it once it is committed."""

    answer: list[RecipientOutcome] | Refusal
    is_new: bool
    """Whether it was not answered before."""
    crossed: tuple[Crossed, ...] = ()
    suspended: Suspended | None = None
    """The account, where this call stopped it."""
    parcels: Mapping[str, Sequence[Parcel]] = {}
    """What has a place at a carrier already, by route."""


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
        way: WayOut | None = None,
    ) -> None:
        self._engine = engine
        self._way = way
        """None: no carrier is near, and every message waits by one route."""
        self._directory = directory
        self._judge = judge
        self._settings = settings
        self._clock = clock
        self._ids = ids
        self._stop_account = stop_account
        self._hours = MarketingHours(hours_by_country(settings.marketing_hours))
        self._record: Callable[[_Draft], Awaitable[Recorded | Stale]] = engine.batched(
            self.record, size=lambda draft: len(draft.message_ids)
        )
        self.backlog = Backlog(most_waiting=settings.most_waiting, most_calls_at_once=settings.most_calls_at_once)
        self.wake: Callable[[], None] = lambda: None
        """Called when something new waits in the spool."""
        self.sent: Callable[[str, int], None] = lambda _template_id, _messages: None
        """Called with the template of what was accepted, and how many messages."""

    async def accept(self, call: SendCall) -> list[RecipientOutcome] | Refusal:
        """
        Answer a call: a refusal of all of it, or what became of each number, in the call's order.

        What is answered is on disk. Raises StoreUnavailable, and then nothing is. A call with a key that was answered
        is answered the same again, whatever has changed since.
        """
        if refusal := self.backlog.begin(call):
            self._tell(call, Recorded(answer=refusal, is_new=True))
            return refusal
        try:
            return await self._accept(call)
        finally:
            self.backlog.end(call)

    async def _accept(self, call: SendCall) -> list[RecipientOutcome] | Refusal:
        dossier = await self._directory.current(call.account_id)
        # What the platform itself has to confirm is little, and was promised.
        if dossier is not None and not call.confirms:
            lane = LANES[_type_of(dossier.templates.get(call.template_id))]
            if refusal := self.backlog.no_more_messages(lane):
                return await self._refuse(call, dossier, refusal)
        while dossier is not None:
            case = await self._look_up(call, dossier)
            refusal = admit_call(case)
            if refusal is None:
                recorded = await self._record_and_send(self._draft(case))
                if not isinstance(recorded, Stale):
                    self._tell(call, recorded)
                    return recorded.answer
            # What was remembered of the account may be out of date, for a no as for a yes.
            known, dossier = dossier, await self._directory.verified(call.account_id)
            if refusal is not None and dossier is known:
                return await self._refuse(call, known, refusal)
        return Refusal(Reason.ACCOUNT_NOT_ACTIVE)

    async def _refuse(self, call: SendCall, dossier: Dossier, refusal: Refusal) -> list[RecipientOutcome] | Refusal:
        """Refuse all of a call, unless it was answered before."""
        before = await self._answer_before(call, dossier)
        self._tell(call, Recorded(answer=before or refusal, is_new=before is None))
        return before or refusal

    async def _record_and_send(self, draft: _Draft) -> Recorded | Stale:
        """Once it is on disk, what has a place at a carrier goes there; all other places are given back."""
        parcels: Mapping[str, Sequence[Parcel]] = {}
        try:
            recorded = await self._record(draft)
            if isinstance(recorded, Recorded):
                parcels = recorded.parcels
            return recorded
        finally:
            for route, places in draft.places.items():
                places.use(parcels.get(route, ()))

    async def _answer_before(self, call: SendCall, dossier: Dossier) -> list[RecipientOutcome] | Refusal | None:
        """What the same call was answered when it was made before; None: it was not, or it has no key."""
        name = repeated.name_of(call, dossier.apps.get(call.sdk_app_id))
        return None if name is None else await self._engine.read(lambda tx: repeated.find(tx, name))

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
            outside_hours=self._hours.missed(MAINLAND_CHINA, self._clock()),
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
        type_ = _type_of(usable)
        routes = [self._route_of(case.call, number, type_) for number in case.numbers]
        return _Draft(
            call=case.call,
            dossier=case.dossier,
            numbers=case.numbers,
            domestic=case.domestic,
            submission_id=self._ids(),
            message_ids=[self._ids() for _ in case.numbers],
            type=type_,
            text=text,
            spans=in_text,
            segments=segments(text, international=not case.domestic),
            verdict=verdict,
            refusal=refusal,
            name=repeated.name_of(case.call, case.dossier.apps.get(case.call.sdk_app_id)),
            routes=routes,
            places={} if refusal else self._places(routes, type_),
        )

    def _route_of(self, call: SendCall, number: PhoneNumber | None, type_: MessageType) -> str | None:
        if number is None:
            return None
        if self._way is None:
            return EVERYTHING
        return self._way.route_of(
            number=number.e164, iso=number.iso, type_=type_, signature=call.signature, sender_id=call.sender_id
        )

    def _places(self, routes: Sequence[str | None], type_: MessageType) -> dict[str, Places]:
        if self._way is None:
            return {}
        wanted: dict[str, int] = {}
        for route in routes:
            if route is not None:
                wanted[route] = wanted.get(route, 0) + 1
        lane = LANES[type_]
        return {
            route: places
            for route, messages in wanted.items()
            if (places := self._way.reserve(route, lane, messages)) is not None
        }

    def record(self, tx: Connection, drafts: Sequence[_Draft]) -> list[Recorded | Stale]:
        """Decide number by number and write what was decided, for all callers in one transaction."""
        now = self._clock()
        revisions = accounts.hold_revisions(tx, {draft.dossier.account.id for draft in drafts})
        fresh = [draft for draft in drafts if revisions.get(draft.dossier.account.id) == draft.dossier.account.revision]
        new, answered = _first_of_each_key(tx, fresh, now=now)
        refusals, crossed = self._refusals(tx, new, now=now)
        decided = [(draft, _outcomes(draft, refusals)) for draft in new]
        parcels = self._write(tx, decided, now=now)
        answered |= repeated.keep(tx, {draft.name: its for draft, its in decided if draft.name})
        suspended = self._suspend(tx, new, now=now)
        recorded: dict[int, Recorded] = {
            draft.submission_id: Recorded(
                answer=its,
                is_new=True,
                crossed=tuple(crossed.get(draft.submission_id, ())),
                suspended=suspended.get(draft.submission_id),
                parcels=parcels.get(draft.submission_id, {}),
            )
            for draft, its in decided
        }
        for draft in fresh:
            if draft.name and draft.submission_id not in recorded:
                answer = repeated.answer_again(draft.name, answered[draft.name.key])
                recorded[draft.submission_id] = Recorded(answer=answer, is_new=False)
        return [recorded.get(draft.submission_id, Stale()) for draft in drafts]

    def _refusals(
        self, tx: Connection, drafts: Sequence[_Draft], *, now: float
    ) -> tuple[dict[tuple[int, str], Refusal], dict[int, list[Crossed]]]:
        """Which numbers are refused, by (call, number), limits last; and the warnings that calls have crossed."""
        refusals: dict[tuple[int, str], Refusal] = {}
        asked = [(draft, _first_of_each_number(draft)) for draft in drafts if draft.refusal is None]
        their_members = members.which_are_members(
            tx,
            [
                (draft.call.account_id, e164)
                for draft, numbers in asked
                if draft.type is MessageType.MARKETING
                for e164 in numbers
            ],
        )
        held = consent.held(
            tx,
            [(draft.call.account_id, e164) for draft, numbers in asked if not draft.call.confirms for e164 in numbers],
        )
        keys: list[tuple[int, str]] = []
        needs: list[Needs] = []
        for draft, numbers in asked:
            needs_of = _Needs(draft)
            countries = draft.dossier.apps[draft.call.sdk_app_id].settings.countries
            for e164, (number, message_id, route) in numbers.items():
                recipient = Recipient(
                    number=number,
                    country_allowed=countries is None or number.iso in countries,
                    has_route=route is not None,
                    outside_hours="" if draft.domestic else self._hours.missed(number.iso, now),
                    is_member=(draft.call.account_id, e164) in their_members,
                    held_back_by=None
                    if draft.call.confirms
                    else held.back(draft.call.account_id, e164, draft.call.signature, draft.type),
                )
                key = (draft.submission_id, e164)
                if refusal := admit_recipient(recipient, draft.type):
                    refusals[key] = refusal
                else:
                    keys.append(key)
                    needs.append(needs_of(number, message_id))
        reserved = reserve(tx, needs, now=now)
        refusals |= {key: refused for key, refused in zip(keys, reserved.refusals, strict=True) if refused}
        crossed: dict[int, list[Crossed]] = {}
        for one in reserved.crossed:
            crossed.setdefault(one.submission_id, []).append(one)
        return refusals, crossed

    def _suspend(self, tx: Connection, drafts: Sequence[_Draft], *, now: float) -> dict[int, Suspended]:
        """Row 12 of the policy: an account stops at once, by the first call that has cause; a person then decides."""
        suspended: dict[int, Suspended] = {}
        for draft in drafts:
            account_id = draft.dossier.account.id
            stopped_before = any(its.account_id == account_id for its in suspended.values())
            if draft.verdict is None or not draft.verdict.bans or stopped_before:
                continue
            rules = draft.verdict.banning
            serial = serial_no(draft.message_ids[0], international=not draft.domestic)
            because = f"message {serial}: {', '.join(rules)}"
            ended = self._stop_account(tx, account_id, AccountStatus.SUSPENDED, by=MACHINE, because=because, now=now)
            suspended[draft.submission_id] = Suspended(account_id, rules, tuple(ended))
        return suspended

    def _write(
        self, tx: Connection, decided: Sequence[tuple[_Draft, list[RecipientOutcome]]], *, now: float
    ) -> dict[int, dict[str, list[Parcel]]]:
        """Write calls and messages; returns what has a place at a carrier, by call and route."""
        deadline = now + self._settings.submit_within_seconds
        message_rows: list[MessageRow] = []
        spool_rows: list[SpoolRow] = []
        parcels: dict[int, dict[str, list[Parcel]]] = {}
        tally = Tally()
        for draft, outcomes in decided:
            tally.asked(
                draft.call.sdk_app_id,
                at=now,
                requests=len({outcome.number for outcome in outcomes}),
                segments=[outcome.segments for outcome in outcomes if outcome.segments],
            )
            account_id = draft.dossier.account.id
            lane = int(LANES[draft.type])
            at_most_once = draft.type is MessageType.MARKETING and self._settings.marketing_at_most_once
            left = {route: places.messages for route, places in draft.places.items()}
            for message_id, route, outcome in zip(draft.message_ids, draft.routes, outcomes, strict=True):
                if outcome.refusal is None and not outcome.segments:
                    continue  # the second copy of a number: its first is recorded
                row = (message_id, draft.submission_id, account_id, draft.call.sdk_app_id, outcome.number, outcome.iso)
                if outcome.refusal or route is None:
                    reason = outcome.refusal.reason.value if outcome.refusal else ""
                    message_rows.append(MessageRow(*row, 0, _REFUSED, reason, "", _YOU, now, None, None, now))
                    continue
                message_rows.append(
                    MessageRow(*row, outcome.segments, _ACCEPTED, "", "", "", now, deadline, None, None)
                )
                if left.get(route):
                    left[route] -= 1
                    parcel = _parcel(draft, message_id, outcome.number, deadline=deadline, at_most_once=at_most_once)
                    parcels.setdefault(draft.submission_id, {}).setdefault(route, []).append(parcel)
                    claim = (now + spool.CLAIM_SECONDS, parcel.attempts)
                else:
                    claim = (UNCLAIMED, 0)
                spool_rows.append(SpoolRow(message_id, account_id, lane, spool.AT_ONCE, *claim, at_most_once, route))
        messages.record(tx, [_submission_row(draft, now) for draft, _ in decided], message_rows)
        spool.put(tx, spool_rows)
        tally.write(tx)
        return parcels

    def _tell(self, call: SendCall, recorded: Recorded) -> None:
        if isinstance(recorded.answer, Refusal):
            refused = recorded.answer.reason
            telemetry.REFUSED.labels(refused).inc()
            telemetry.log.info("call.refused", account=call.account_id, app=call.sdk_app_id, reason=refused)
            return
        if not recorded.is_new:
            telemetry.REPEATED_CALLS.inc()
            return
        if stopped := recorded.suspended:
            telemetry.tell_suspended(stopped.account_id, rules=stopped.rules, ended=stopped.ended)
        for crossed in recorded.crossed:
            telemetry.DAILY_WARNINGS.inc()
            telemetry.log.warning(
                "app.daily_warning", account=crossed.account_id, scope=crossed.scope, messages=crossed.warning
            )
        accepted = 0
        reasons: dict[str, int] = {}
        for outcome in recorded.answer:
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
            self.backlog.accepted(accepted)
            if accepted > sum(map(len, recorded.parcels.values())):
                self.wake()
            self.sent(call.template_id, accepted)


class _Needs:
    """What the messages of one call need, each under the limits of its account and app."""

    def __init__(self, draft: _Draft) -> None:
        self._draft = draft
        self._account = draft.dossier.account
        self._app = draft.dossier.apps[draft.call.sdk_app_id]
        self._content = content_of(draft.text)
        self._from_packages = draft.segments if draft.domestic and self._account.settings.prepaid else 0
        self._charges: dict[str, tuple[Charge, ...]] = {}

    def __call__(self, number: PhoneNumber, message_id: int) -> Needs:
        draft, account = self._draft, self._account
        if number.iso not in self._charges:
            self._charges[number.iso] = charges_of(
                account, self._app, iso=number.iso, domestic=draft.domestic, segments=draft.segments
            )
        charges = self._charges[number.iso]
        bill = None
        if charges or self._from_packages:
            bill = Bill(
                account_id=account.id,
                sdk_app_id=self._app.sdk_app_id,
                submission_id=draft.submission_id,
                message_id=message_id,
                charges=charges,
                from_packages=self._from_packages,
            )
        exempt = draft.call.confirms or number.e164 in account.settings.exempt_numbers
        return Needs(Wanted(account.id, account.settings, number.e164, self._content, exempt), bill)


def _type_of(usable: UsableTemplate | None) -> MessageType:
    return usable.template.type if usable else MessageType.NOTIFICATION


def _first_of_each_key(
    tx: Connection, drafts: Sequence[_Draft], *, now: float
) -> tuple[list[_Draft], dict[Key, Answered]]:
    """The calls that are made for the first time, and what those of the other keys were answered."""
    names = [draft.name for draft in drafts if draft.name]
    if not names:
        return [*drafts], {}
    answered = repeated.claim(tx, names, now=now)
    seen = set(answered)
    new: list[_Draft] = []
    for draft in drafts:
        if draft.name is None:
            new.append(draft)
        elif draft.name.key not in seen:
            new.append(draft)
            seen.add(draft.name.key)
    return new, answered


def _first_of_each_number(draft: _Draft) -> dict[str, tuple[PhoneNumber, int, str | None]]:
    """The numbers of a call without repetition, each with the id and the route of its message."""
    firsts: dict[str, tuple[PhoneNumber, int, str | None]] = {}
    for number, message_id, route in zip(draft.numbers, draft.message_ids, draft.routes, strict=True):
        if number:
            firsts.setdefault(number.e164, (number, message_id, route))
    return firsts


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


def _parcel(draft: _Draft, message_id: int, number: str, *, deadline: float, at_most_once: bool) -> Parcel:
    return Parcel(
        message_id=message_id,
        account_id=draft.dossier.account.id,
        number=number,
        text=draft.text,
        signature=draft.call.signature,
        international=not draft.domestic,
        type=draft.type,
        extension_code=draft.call.extension_code,
        sender_id=_sender_id(draft),
        template_id=draft.call.template_id,
        spans=_spans(draft),
        at_most_once=at_most_once,
        attempts=1,
        deadline_at=deadline,
    )


def _sender_id(draft: _Draft) -> str:
    # Mainland numbers see no sender's name.
    return "" if draft.domestic else draft.call.sender_id


def _spans(draft: _Draft) -> str:
    return msgspec.json.encode(draft.spans).decode() if draft.spans else "[]"


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
        sender_id=_sender_id(draft),
        rulebook=verdict.rulebook if verdict else "",
        findings=msgspec.json.encode(verdict.findings).decode() if verdict and verdict.findings else "[]",
        at=now,
        spans=_spans(draft),
        confirms=call.confirms,
    )
