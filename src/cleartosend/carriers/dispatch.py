"""Claims waiting messages, hands them to the carrier within its window, and records its answers."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.carriers.outlet import PAUSE_SECONDS, Outlet
from cleartosend.carriers.routing import Routing
from cleartosend.lull import Lull
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.applications import Signature, Template
from cleartosend.model.meanings import meaning_of
from cleartosend.model.messages import LANES, Ending, Lane, MessageMove, MessageState, Parcel, Party, accepted_at
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine, NotSubmitted, OutcomeUnknown, StoreUnavailable, Submitted
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.spool.embedded import Later
from cleartosend.store import accounts, attempts, handovers, messages, packages
from cleartosend.store.attempts import Attempt
from cleartosend.store.handovers import Handover, HandoverRow

# How long the spool is left alone when nothing wakes us: what another process accepted, or what falls due again.
LOOK_AGAIN_SECONDS = 0.5
AFTER_TROUBLE_SECONDS = 1.0
MOST_AT_ONCE = 1000
NOTHING = -1

EXPIRED_UNSENT = "EXPIRED_UNSENT"
STOPPED = "STOPPED"
OPTED_OUT = "OPTEDOUT"
NO_ANSWER = "NOANSWER"
NOT_HANDED_OVER = "NOTHANDED"

SettleParked = Callable[[Connection, str, dict[str, Handover]], list[Ending]]
Lose = Callable[[Connection, Sequence[int], float], list[Ending]]
"""Ends messages of which nobody knows whether they went out."""


class _Answer(msgspec.Struct, frozen=True):
    """What a carrier said of one parcel; None: nobody knows whether it went out."""

    outlet: Outlet
    parcel: Parcel
    said: Submitted | NotSubmitted | None


class Reservation(msgspec.Struct, frozen=True):
    """Room at a carrier, taken for messages that are just being accepted, so that they need not wait in the spool."""

    messages: int
    use: Callable[[Sequence[Parcel]], None]
    """Hands these over and gives the other places back."""


class Dispatch:
    """Empties the spool into the carriers, until it is stopped."""

    def __init__(
        self,
        *,
        engine: Engine,
        outlets: Sequence[Outlet],
        routing: Routing,
        settings: Settings,
        clock: Callable[[], float],
        settle_parked: SettleParked,
        lose: Lose,
    ) -> None:
        self._engine = engine
        self._outlets = {outlet.name: outlet for outlet in outlets}
        self._routing = routing
        self._settings = settings
        self._clock = clock
        self._settle_parked = settle_parked
        self._lose = lose
        self._in_flight: set[asyncio.Future[Submitted | NotSubmitted]] = set()
        """What carriers have not answered."""
        self.in_hand: set[int] = set()
        """The messages that were handed over and whose answers are not yet on disk."""
        self._answers: list[_Answer] = []
        """What carriers have just said."""
        self._lull = Lull(self._keep_answers)
        self._record: Callable[[Sequence[_Answer]], Awaitable[list[Ending]]] = engine.batched(
            lambda tx, groups: [self.record(tx, answers) for answers in groups], size=len
        )
        self._recording: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._waiting = {route: int(max(Lane)) for route in routing.names}
        """The least urgent lane of each route in which something may wait; NOTHING where nothing does."""
        self._urgent = dict.fromkeys(routing.names, True)
        """Whether anything that is more urgent than marketing may wait on each route."""
        self._turns = [*routing.names]
        """The routes, in the order in which they are looked at."""
        self._looked_at = monotonic()
        """When everything that may wait was last looked for."""
        self._stopping = False
        self.route_of = routing.route_of
        self.in_trouble = False
        """Whether the spool could not be worked when it was last tried."""
        self.told: Callable[[str, Submitted | NotSubmitted | None], None] = lambda _carrier, _said: None
        """Called with what a carrier said of each message; None: nothing."""

    def wake(self) -> None:
        """Something new waits, nobody knows where."""
        for route in self._waiting:
            self._waiting[route] = int(max(Lane))
            self._urgent[route] = True
        self._look.set()

    def reserve(self, route: str, lane: int, messages: int) -> Reservation | None:
        """
        Take room for messages that are being accepted, where none wait before them; None: they wait like the others.

        What is not used is given back.
        """
        if self._stopping or self._waiting[route] >= 0:
            return None
        now = monotonic()
        chosen = self._choose(route, lane, now)
        if chosen is None:
            return None
        outlet, room, able = chosen
        places = min(room, messages)
        outlet.take(places, now)
        self._routing.count(route, able, outlet.name, places)
        return Reservation(places, partial(self._use, outlet, places))

    def _use(self, outlet: Outlet, places: int, parcels: Sequence[Parcel]) -> None:
        if unused := places - len(parcels):
            outlet.give_back(unused, monotonic())
            self._look.set()
        self._hand_over(outlet, parcels)

    async def run(self) -> None:
        """Send until told to stop, then wait for what is in hand."""
        while not self._stopping:
            try:
                await self._send_what_fits()
                self.in_trouble = False
                await self._wait_for_more()
            except StoreUnavailable as error:
                self.in_trouble = True
                telemetry.log.error("spool.unavailable", error=str(error))
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)
        # The claims of what gets no answer in time stay; when those run out, the next process decides about them.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_seconds):
                while any(outlet.in_hand for outlet in self._outlets.values()):
                    self._look.clear()
                    await self._look.wait()
        unfinished: list[asyncio.Future[Any]] = [*self._in_flight, *self._recording]
        for one in unfinished:
            one.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    def stop(self) -> None:
        """Claim no more."""
        self._stopping = True
        self._look.set()
        self._lull.end()

    async def _send_what_fits(self) -> None:
        """Claim, route by route, what the carriers have room for, and hand it over."""
        self._look.clear()
        if monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
            # What another process accepted, and what falls due again, wakes nobody.
            self._looked_at = monotonic()
            self.wake()
        for route in [*self._turns]:
            if (lane := self._waiting[route]) < 0:
                continue
            now = monotonic()
            chosen = self._choose(route, lane, now)
            if chosen is None and lane >= Lane.MARKETING and self._urgent[route]:
                # No room for everything; perhaps there is for what is urgent.
                lane = Lane.MARKETING - 1
                chosen = self._choose(route, lane, now)
            if chosen is not None:
                # Who had its turn goes last, so that none always finds the windows filled by those before it.
                self._turns.remove(route)
                self._turns.append(route)
                await self._send_some(route, lane, *chosen)

    async def _send_some(self, route: str, lane: int, outlet: Outlet, room: int, able: Sequence[str]) -> None:
        now = self._clock()
        room = min(room, MOST_AT_ONCE)
        before, self._waiting[route] = self._waiting[route], NOTHING
        self._urgent[route] = False
        outlet.take(room, monotonic())
        claimed = 0
        try:
            free, withheld = await self._engine.write(
                lambda tx: claim(tx, now=now, route=route, lane=lane, limit=room, lose=self._lose)
            )
            claimed = len(free) + len(withheld)
            if claimed == room or lane < before:
                # There may be more of these lanes, or there is of others, which were not looked at.
                self._waiting[route] = max(self._waiting[route], before)
            if claimed == room:
                self._look.set()
                # What is urgent is claimed first: who got marketing has got all of that.
                self._urgent[route] |= not (free and LANES[free[-1].type] >= Lane.MARKETING)
        except BaseException:
            self._waiting[route], self._urgent[route] = before, True
            outlet.give_back(room, monotonic())
            raise
        # A claim runs out before its answer is on disk where the store was away for long, or the clock was set.
        parcels = [parcel for parcel in free if parcel.message_id not in self.in_hand]
        if unused := room - len(parcels):
            outlet.give_back(unused, monotonic())
        self._routing.count(route, able, outlet.name, len(parcels))
        telemetry.tell_ended(withheld)
        self._hand_over(outlet, parcels)

    def _choose(self, route: str, lane: int, now: float) -> tuple[Outlet, int, Sequence[str]] | None:
        """A carrier of the route with room for the lane, how much, and who else has any."""
        up = [name for name in self._routing.shares(route) if self._outlets[name].carrier.is_up()]
        rooms = {name: self._outlets[name].room(lane, now) for name in self._routing.takers(route, up)}
        able = [name for name, room in rooms.items() if room > 0]
        name = self._routing.choose(route, able)
        return None if name is None else (self._outlets[name], rooms[name], able)

    async def _wait_for_more(self) -> None:
        """Until there is something to send and room for it; now and then look all the same."""
        now = monotonic()
        waits = [outlet.pace.wait_seconds(now) for outlet in self._outlets.values()]
        seconds = min([LOOK_AGAIN_SECONDS, *(wait for wait in waits if wait > 0)])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._look.wait()

    def _hand_over(self, outlet: Outlet, parcels: Sequence[Parcel]) -> None:
        """The places of these are taken; each is let go once its answer is on disk."""
        self.in_hand.update(parcel.message_id for parcel in parcels)
        for parcel in parcels:
            try:
                answer = asyncio.ensure_future(outlet.carrier.submit(parcel))
            except Exception:  # noqa: BLE001 - a carrier's failure must not end the sending of the others
                telemetry.log.exception("carrier.failed", carrier=outlet.name, message=parcel.message_id)
                self._note(_Answer(outlet, parcel, NotSubmitted(NOT_HANDED_OVER, again=True, tell_operator=True)))
                continue
            self._in_flight.add(answer)
            answer.add_done_callback(partial(self._answered, outlet, parcel))

    def _answered(self, outlet: Outlet, parcel: Parcel, answer: "asyncio.Future[Submitted | NotSubmitted]") -> None:
        self._in_flight.discard(answer)
        if answer.cancelled():
            return  # we stop, and the next process decides about it
        said: Submitted | NotSubmitted | None = None
        if error := answer.exception():
            if not isinstance(error, OutcomeUnknown):
                telemetry.log.error("carrier.failed", carrier=outlet.name, message=parcel.message_id, exc_info=error)
        else:
            said = answer.result()
        self._note(_Answer(outlet, parcel, said))

    def _note(self, answer: _Answer) -> None:
        """Answers that come soon after each other are written down together."""
        self._answers.append(answer)
        self._lull.more()

    def _keep_answers(self) -> None:
        answers, self._answers = self._answers, []
        task = asyncio.get_running_loop().create_task(self._keep(answers))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _keep(self, answers: Sequence[_Answer]) -> None:
        """Write the answers down, however long the store needs: each is worth a message."""
        now = self._clock()
        for answer in answers:
            if isinstance(answer.said, NotSubmitted) and answer.said.slow_down:
                answer.outlet.pace.slow_down(monotonic())
        while True:
            try:
                telemetry.tell_ended(await self._record(answers))
                break
            except StoreUnavailable as error:
                telemetry.log.error("answers.not_recorded", messages=len(answers), error=str(error))
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)
            except Exception:  # noqa: BLE001 - what is wrong with one answer must not lose the others
                telemetry.log.exception("answers.not_recorded", messages=len(answers))
                if len(answers) == 1:
                    # Its claim runs out, and then the class of the message decides.
                    self._let_go(answers[0])
                    return
                for answer in answers:
                    await self._keep([answer])
                return
        taken: dict[str, list[float]] = {}
        for answer in answers:
            self._let_go(answer)
            self.told(answer.outlet.name, answer.said)
            if isinstance(answer.said, Submitted):
                taken.setdefault(answer.outlet.name, []).append(accepted_at(answer.parcel.message_id))
            else:
                _tell_not_submitted(answer)
        for carrier, since in taken.items():
            telemetry.tell_submitted(carrier, [max(now - at, 0.0) for at in since])
        if any(isinstance(answer.said, NotSubmitted) and answer.said.not_sent for answer in answers):
            self.wake()
        self._look.set()

    def _let_go(self, answer: _Answer) -> None:
        answer.outlet.let_go(1)
        self.in_hand.discard(answer.parcel.message_id)

    def record(self, tx: Connection, answers: Sequence[_Answer]) -> list[Ending]:
        """Write down what the carriers said of these parcels; returns how messages ended by it."""
        now = self._clock()
        taken: list[tuple[int, str, Submitted]] = []
        later: list[Later] = []
        failed: list[tuple[int, str]] = []
        lost: list[int] = []
        refused: list[Attempt] = []
        for answer in answers:
            parcel, said = answer.parcel, answer.said
            if isinstance(said, Submitted):
                taken.append((parcel.message_id, answer.outlet.name, said))
                continue
            if said is not None and said.not_sent and now < parcel.deadline_at:
                later.append(Later(now, 1, parcel.message_id, parcel.in_doubt))
                continue
            refused.append(_attempt_of(answer, now))
            if said is None and parcel.at_most_once:
                lost.append(parcel.message_id)
                continue
            in_doubt = said is None or parcel.in_doubt
            throttled = said is not None and said.slow_down
            wait = PAUSE_SECONDS if throttled else self._retry_seconds(parcel.attempts)
            if (said is None or said.again) and now + wait < parcel.deadline_at:
                later.append(Later(now + wait, int(throttled), parcel.message_id, in_doubt))
            elif said is None or in_doubt:
                # A no to a second copy says nothing of the first.
                lost.append(parcel.message_id)
            else:
                failed.append((parcel.message_id, said.code))
        ended = submit(
            tx,
            taken,
            now=now,
            receipt_by=now + self._settings.receipt_within_seconds,
            settle_parked=self._settle_parked,
        )
        attempts.keep(tx, refused)
        spool.put_back(tx, later)
        ended += fail(tx, failed, now=now)
        if lost:
            ended += self._lose(tx, lost, now)
            spool.let_go(tx, lost)
        return ended

    def _retry_seconds(self, attempts_made: int) -> float:
        return min(self._settings.retry_after_seconds * 2.0 ** min(attempts_made - 1, 16), spool.LONGEST_WAIT_SECONDS)


def _attempt_of(answer: _Answer, now: float) -> Attempt:
    said = answer.said or NotSubmitted(NO_ANSWER, again=True)
    assert isinstance(said, NotSubmitted)  # noqa: S101 - what a carrier took is no failed attempt
    return Attempt(
        message_id=answer.parcel.message_id, carrier=answer.outlet.name, code=said.code, again=said.again, at=now
    )


def _tell_not_submitted(answer: _Answer) -> None:
    said = answer.said
    code = NO_ANSWER if said is None else said.code  # type: ignore[union-attr]
    telemetry.NOT_SUBMITTED.labels(answer.outlet.name, code).inc()
    if isinstance(said, NotSubmitted) and (said.slow_down or said.not_sent):
        return
    telemetry.log.warning(
        "message.not_submitted",
        carrier=answer.outlet.name,
        message=answer.parcel.message_id,
        code=code,
        again=not isinstance(said, NotSubmitted) or said.again,
    )


def claim(
    tx: Connection, *, now: float, route: str, lane: int, limit: int, lose: Lose
) -> tuple[list[Parcel], list[Ending]]:
    """Take the most urgent messages; those that nobody wants, or that may not go out, any more end here."""
    claimed = spool.claim(tx, now=now, route=route, lane=lane, limit=limit)
    kept_back = [parcel for parcel in claimed if parcel.recalled or parcel.opted_out]
    in_doubt = [parcel.message_id for parcel in kept_back if parcel.in_doubt]
    recalled = [parcel.message_id for parcel in kept_back if parcel.recalled and not parcel.in_doubt]
    unwanted = [parcel.message_id for parcel in kept_back if not parcel.recalled and not parcel.in_doubt]
    ended = [*_stopped(tx, recalled, now=now), *withhold(tx, unwanted, now=now), *lose(tx, in_doubt, now)]
    spool.let_go(tx, in_doubt)
    return [parcel for parcel in claimed if not parcel.opted_out and not parcel.recalled], ended


def send_by_routes_of_today(tx: Connection, routing: Routing) -> None:
    """What waits by a route that is not there any more waits by the first one that fits, or the first of all."""
    for gone in set(spool.routes_of(tx)) - set(routing.names):
        while waiting := spool.waiting_by(tx, gone, MOST_AT_ONCE):
            spool.send_by(
                tx,
                {
                    message_id: routing.route_of(
                        number=number,
                        iso=iso,
                        type_=MessageType(type_),
                        signature=signature,
                        sender_id=sender_id,
                    )
                    or routing.names[0]
                    for message_id, number, iso, type_, signature, sender_id in waiting
                },
            )


# --- the moves ---


def submit(
    tx: Connection,
    taken: Sequence[tuple[int, str, Submitted]],
    *,
    now: float,
    receipt_by: float,
    settle_parked: SettleParked,
) -> list[Ending]:
    """
    Carriers took these messages (id, carrier, what it said).

    Receipts that were quicker than its answer settle them; returns how messages ended by that. So for the moves below.
    """
    ids = [message_id for message_id, _carrier, _said in taken]
    messages.hand_over(tx, ids, now=now, receipt_by=receipt_by)
    rows = [
        HandoverRow(carrier, carrier_id, message_id, now, 1 if said.one_receipt else len(said.carrier_ids))
        for message_id, carrier, said in taken
        for carrier_id in said.carrier_ids
    ]
    handovers.keep(tx, rows)
    spool.let_go(tx, ids)
    by_carrier: dict[str, dict[str, Handover]] = {}
    for row in rows:
        by_carrier.setdefault(row.carrier, {})[row.carrier_id] = Handover(row.message_id, row.parts, row.at)
    return [ending for carrier, its in by_carrier.items() for ending in settle_parked(tx, carrier, its)]


def fail(tx: Connection, failed: Sequence[tuple[int, str]], *, now: float) -> list[Ending]:
    """A carrier will not take these messages (id, its code)."""
    return _end(tx, MessageMove.FAIL, MessageState.FAILED, failed, party=Party.CARRIER, now=now)


def stop(tx: Connection, account_id: int, now: float) -> list[Ending]:
    """The account may not send any more: what still waits for a carrier will not go out; what is with one, may."""
    return _stopped(tx, spool.waiting_of(tx, account_id), now=now)


def stop_application(tx: Connection, application: Signature | Template, *, now: float) -> list[Ending]:
    """The signature or template may not be used any more: what still waits with it will not go out."""
    return _stopped(tx, spool.waiting_under(tx, application), now=now)


def _stopped(tx: Connection, message_ids: Sequence[int], *, now: float) -> list[Ending]:
    stopped = [(message_id, STOPPED) for message_id in message_ids]
    return _end(tx, MessageMove.STOP, MessageState.FAILED, stopped, party=Party.YOU, now=now)


def withhold(tx: Connection, message_ids: Sequence[int], *, now: float) -> list[Ending]:
    """The recipients of these messages have asked, while they waited, not to be reached."""
    return _end(
        tx,
        MessageMove.WITHHOLD,
        MessageState.FAILED,
        [(message_id, OPTED_OUT) for message_id in message_ids],
        party=Party.YOU,
        now=now,
    )


def stop_account(
    tx: Connection, account_id: int, status: AccountStatus, *, by: str, because: str, now: float
) -> list[Ending]:
    """Suspend or ban an account, remember who did and why, and stop what waits of it."""
    accounts.set_status(tx, account_id, status, by=by, because=because, now=now)
    return stop(tx, account_id, now)


def expire(tx: Connection, now: float) -> list[Ending]:
    """No carrier took these messages in time."""
    overdue = spool.overdue(tx, now=now, limit=MOST_AT_ONCE)
    return _end(
        tx,
        MessageMove.EXPIRE,
        MessageState.EXPIRED,
        [(message_id, EXPIRED_UNSENT) for message_id in overdue],
        party=Party.US,
        now=now,
    )


def _end(
    tx: Connection,
    move: MessageMove,
    state: MessageState,
    ended: Sequence[tuple[int, str]],
    *,
    party: Party,
    now: float,
) -> list[Ending]:
    moved = messages.end(
        tx,
        move,
        [
            Ending(message_id=message_id, state=state, code=code, party=meaning_of(code).party or party, at=now)
            for message_id, code in ended
        ],
    )
    spool.let_go(tx, [message_id for message_id, _code in ended])
    # No carrier took them, so nobody pays for them.
    packages.refund(tx, [ending.message_id for ending in moved])
    return moved
