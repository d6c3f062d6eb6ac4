"""Claims waiting messages, hands them to the carrier within its window, and records its answers."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.messages import Ending, MessageMove, MessageState, Parcel, Party, accepted_at
from cleartosend.ports import Carrier, Engine, NotSubmitted, StoreUnavailable, Submitted
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.store import accounts, attempts, messages, packages
from cleartosend.store.attempts import Attempt

# A claim outlives any honest answer of a carrier; after it, a message that may be sent twice is sent again.
CLAIM_SECONDS = 120.0
# How long the spool is left alone when nothing wakes us: what another process accepted, or what falls due again.
LOOK_AGAIN_SECONDS = 0.5
AFTER_TROUBLE_SECONDS = 1.0
MOST_AT_ONCE = 1000

EXPIRED_UNSENT = "EXPIRED_UNSENT"
STOPPED = "STOPPED"
OPTED_OUT = "OPTEDOUT"

SettleParked = Callable[[Connection, str, dict[str, int]], list[Ending]]


class _Answer(msgspec.Struct, frozen=True):
    """What the carrier said of one parcel."""

    parcel: Parcel
    said: Submitted | NotSubmitted


class Dispatch:
    """Empties the spool into one carrier, until it is stopped."""

    def __init__(
        self,
        *,
        engine: Engine,
        carrier: Carrier,
        settings: Settings,
        clock: Callable[[], float],
        settle_parked: SettleParked,
    ) -> None:
        self._engine = engine
        self._carrier = carrier
        self._settings = settings
        self._clock = clock
        self._settle_parked = settle_parked
        self._record: Callable[[_Answer], Awaitable[tuple[Ending, ...]]] = engine.batched(self.record)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._more_waits = True
        """Whether the last claim left anything behind, as far as is known."""
        self._stopping = False
        self.in_trouble = False
        """Whether the spool could not be worked when it was last tried."""

    def wake(self) -> None:
        """Something new waits."""
        self._more_waits = True
        self._look.set()

    async def run(self) -> None:
        """Send until told to stop, then wait for what is in flight."""
        while not self._stopping:
            try:
                await self._send_what_fits()
                self.in_trouble = False
                await self._wait_for_more()
            except StoreUnavailable as error:
                self.in_trouble = True
                telemetry.log.error("spool.unavailable", error=str(error))
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)
        if self._in_flight:
            _answered, silent = await asyncio.wait(self._in_flight, timeout=self._settings.drain_seconds)
            # Their claims stay; when those run out, the next process decides about them.
            for task in silent:
                task.cancel()
            await asyncio.gather(*silent, return_exceptions=True)

    def stop(self) -> None:
        """Claim no more."""
        self._stopping = True
        self._look.set()

    async def _send_what_fits(self) -> None:
        """Claim what fits in the window and start sending it."""
        room = self._settings.window - len(self._in_flight)
        self._look.clear()
        if room <= 0:
            return
        self._more_waits = False
        now = self._clock()
        parcels, withheld = await self._engine.write(lambda tx: claim(tx, now=now, limit=room))
        telemetry.tell_ended(withheld)
        if len(parcels) + len(withheld) == room:
            self._more_waits = True
        if withheld:
            # They leave room at once, and no answer of a carrier will say so.
            self._look.set()
        for parcel in parcels:
            task = asyncio.get_running_loop().create_task(self._send(parcel))
            self._in_flight.add(task)
            task.add_done_callback(self._let_go)

    async def _wait_for_more(self) -> None:
        """Until there is something to send and room for it; now and then look all the same."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._look.wait()

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if self._more_waits:
            self._look.set()

    async def _send(self, parcel: Parcel) -> None:
        try:
            said = await self._carrier.submit(parcel)
        except Exception:  # noqa: BLE001 - a carrier's failure must not end the sending of the others
            # Whether it went out is not known. The claim stays until it runs out, and then the class of the message
            # decides: sent again, or ended as unknown.
            telemetry.log.exception("carrier.failed", carrier=self._carrier.name, message=parcel.message_id)
            return
        telemetry.tell_ended(await self._keep(_Answer(parcel, said)))
        if isinstance(said, Submitted):
            telemetry.SUBMITTED.labels(self._carrier.name).inc()
            telemetry.SUBMIT_SECONDS.observe(max(self._clock() - accepted_at(parcel.message_id), 0.0))
        else:
            telemetry.NOT_SUBMITTED.labels(self._carrier.name, said.code).inc()
            telemetry.log.warning(
                "message.not_submitted",
                carrier=self._carrier.name,
                message=parcel.message_id,
                code=said.code,
                again=said.again,
            )

    async def _keep(self, answer: _Answer) -> tuple[Ending, ...]:
        """Write the answer down, however long the store needs: it is worth a message."""
        while True:
            try:
                return await self._record(answer)
            except StoreUnavailable as error:
                telemetry.log.error("answer.not_recorded", message=answer.parcel.message_id, error=str(error))
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)

    def record(self, tx: Connection, answers: Sequence[_Answer]) -> list[tuple[Ending, ...]]:
        """Write down what the carrier said of these parcels; returns, for each, how messages ended by it."""
        now = self._clock()
        taken: list[tuple[int, str, Sequence[str]]] = []
        later: list[tuple[int, float]] = []
        failed: list[tuple[int, str]] = []
        refused: list[Attempt] = []
        for answer in answers:
            parcel = answer.parcel
            if isinstance(answer.said, Submitted):
                taken.append((parcel.message_id, self._carrier.name, answer.said.carrier_ids))
                continue
            refused.append(
                Attempt(
                    message_id=parcel.message_id,
                    carrier=self._carrier.name,
                    code=answer.said.code,
                    again=answer.said.again,
                    at=now,
                )
            )
            again_at = now + self._settings.retry_after_seconds * 2 ** (parcel.attempts - 1)
            if answer.said.again and again_at < parcel.deadline_at:
                later.append((parcel.message_id, again_at))
            else:
                failed.append((parcel.message_id, answer.said.code))
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
        by_message = {ending.message_id: (ending,) for ending in ended}
        return [by_message.get(answer.parcel.message_id, ()) for answer in answers]


def claim(tx: Connection, *, now: float, limit: int) -> tuple[list[Parcel], list[Ending]]:
    """Take the most urgent messages; those whose recipients do not want them any more end here."""
    claimed = spool.claim(tx, now=now, until=now + CLAIM_SECONDS, limit=limit)
    unwanted = [parcel.message_id for parcel in claimed if parcel.opted_out]
    return [parcel for parcel in claimed if not parcel.opted_out], withhold(tx, unwanted, now=now)


# --- the moves ---


def submit(
    tx: Connection,
    taken: Sequence[tuple[int, str, Sequence[str]]],
    *,
    now: float,
    receipt_by: float,
    settle_parked: SettleParked,
) -> list[Ending]:
    """
    A carrier took these messages (id, carrier, its ids).

    Receipts that were quicker than its answer settle them; returns how messages ended by that. So for the moves below.
    """
    messages.hand_over(tx, taken, now=now, receipt_by=receipt_by)
    spool.let_go(tx, [message_id for message_id, _carrier, _ids in taken])
    by_carrier: dict[str, dict[str, int]] = {}
    for message_id, carrier, ids in taken:
        by_carrier.setdefault(carrier, {}).update(dict.fromkeys(ids, message_id))
    ended: list[Ending] = []
    for carrier, ids_of_messages in by_carrier.items():
        ended += settle_parked(tx, carrier, ids_of_messages)
    return ended


def fail(tx: Connection, failed: Sequence[tuple[int, str]], *, now: float) -> list[Ending]:
    """A carrier will not take these messages (id, its code)."""
    return _end(tx, MessageMove.FAIL, MessageState.FAILED, failed, party=Party.CARRIER, now=now)


def stop(tx: Connection, account_id: int, now: float) -> list[Ending]:
    """The account may not send any more: what still waits for a carrier will not go out; what is with one, may."""
    waiting = [(message_id, STOPPED) for message_id in spool.waiting_of(tx, account_id)]
    return _end(tx, MessageMove.STOP, MessageState.FAILED, waiting, party=Party.YOU, now=now)


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
        [Ending(message_id=message_id, state=state, code=code, party=party, at=now) for message_id, code in ended],
    )
    spool.let_go(tx, [message_id for message_id, _code in ended])
    # No carrier took them, so nobody pays for them.
    packages.refund(tx, [ending.message_id for ending in moved])
    return moved
