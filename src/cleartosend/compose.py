"""Puts the program together: the one place that knows every plug."""

import asyncio
import contextlib
import fcntl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.admission.accept import Admission, MessageIds
from cleartosend.admission.directory import Directory
from cleartosend.api.tencent.door import Door
from cleartosend.carriers import dispatch as moves
from cleartosend.carriers.dispatch import Dispatch
from cleartosend.carriers.simulator import SimulatorCarrier
from cleartosend.delivery import deadlines
from cleartosend.delivery.receipts import Receipts, take_parked
from cleartosend.delivery.replies import Replies
from cleartosend.model.messages import Ending, Lane, MessageState
from cleartosend.model.verdicts import Submission, Verdict
from cleartosend.policy.judge import judge, suggest
from cleartosend.policy.rulebook import Rulebook, load_rulebook
from cleartosend.ports import Carrier, Engine, StoreUnavailable
from cleartosend.review.apply import Applications
from cleartosend.settings import Settings, overlay_of
from cleartosend.spool import embedded as spool
from cleartosend.store import messages, places, receipts
from cleartosend.store.opening import open_store_and_vault
from cleartosend.store.secrets import Vault

SWEEP_SECONDS = 1.0


class AlreadyServed(Exception):
    """Another server works on this data folder."""


class Platform:
    """The running service: everything that `serve` starts and stops."""

    def __init__(
        self,
        *,
        settings: Settings,
        engine: Engine,
        vault: Vault,
        rulebook: Rulebook,
        carrier: Carrier,
        clock: Callable[[], float],
        ids: MessageIds,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.vault = vault
        self.rulebook = rulebook
        self.carrier = carrier
        self.clock = clock
        self.directory = Directory(engine, vault)
        self.admission = Admission(
            engine=engine,
            directory=self.directory,
            judge=self.judge,
            settings=settings,
            clock=clock,
            ids=ids,
            stop_account=moves.stop_account,
        )
        self.applications = Applications(engine=engine, judge=self.judge, clock=clock, stop_account=moves.stop_account)
        self.receipts = Receipts(engine)
        self.replies = Replies(engine)
        self.dispatch = Dispatch(
            engine=engine, carrier=carrier, settings=settings, clock=clock, settle_parked=take_parked
        )
        self.admission.wake = self.dispatch.wake
        self.door = Door(
            admission=self.admission,
            applications=self.applications,
            directory=self.directory,
            engine=engine,
            clock=clock,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def judge(self, submission: Submission) -> Verdict:
        """What the policy says, of an application with the edit that would pass."""
        return suggest(submission, judge(submission, self.rulebook), self.rulebook)

    async def start(self) -> None:
        """Begin to send what waits and to take what carriers report."""
        await self.carrier.start(on_receipt=self.receipts.take, on_reply=self.replies.take)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self.dispatch.run()), loop.create_task(self._sweep_for_ever())]

    async def stop(self) -> None:
        """Finish what has begun, then let go of everything."""
        self.dispatch.stop()
        if self._tasks:
            running, sweeping = self._tasks
            sweeping.cancel()
            await asyncio.gather(running, sweeping, return_exceptions=True)
        await self.carrier.stop()
        await self.engine.close()

    def is_sending(self) -> bool:
        """Whether what waits in the spool is being taken out of it."""
        return bool(self._tasks) and not self.dispatch.in_trouble and not any(task.done() for task in self._tasks)

    async def measure(self) -> None:
        """Bring the gauges up to date with the store."""

        def count(tx: Connection) -> tuple[dict[int, int], dict[str, int], int]:
            return spool.depth(tx), messages.count_by_state(tx), receipts.count_parked(tx)

        by_lane, by_state, parked = await self.engine.read(count)
        for lane in Lane:
            telemetry.QUEUED.labels(lane.name.lower()).set(by_lane.get(lane, 0))
        telemetry.AWAITING_RECEIPT.set(by_state.get(MessageState.SUBMITTED, 0))
        telemetry.PARKED_RECEIPTS.set(parked)

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                telemetry.tell_ended(await self.engine.write(lambda tx: sweep(tx, self.clock())))
            except StoreUnavailable as error:
                telemetry.log.error("sweep.unavailable", error=str(error))


def sweep(tx: Connection, now: float) -> list[Ending]:
    """Give an end to everything whose time is over; returns how messages ended."""
    in_doubt = spool.left_in_doubt(tx, now=now)
    ended = deadlines.lose(tx, in_doubt, code=deadlines.IN_DOUBT, now=now)
    spool.let_go(tx, in_doubt)
    ended += moves.expire(tx, now)
    # A message that was with a carrier when its account was stopped may have come back to wait.
    for account_id in spool.stopped_accounts(tx):
        ended += moves.stop(tx, account_id, now)
    ended += deadlines.lose_unreported(tx, now)
    places.forget_closed(tx, now=now)
    return ended


@contextlib.asynccontextmanager
async def running_platform(
    settings: Settings, *, clock: Callable[[], float] = time.time, carrier: Carrier | None = None
) -> AsyncIterator[Platform]:
    """
    The service on a data folder, started, and stopped on the way out.

    Raises AlreadyServed, NewerSchema, BadKey, RulebookError, StoreUnavailable or OSError when it cannot be.
    """
    settings.data.mkdir(parents=True, exist_ok=True)
    with only_server_of(settings.data):
        rulebook = load_rulebook(overlay_of(settings))
        engine, vault = await open_store_and_vault(settings)
        if not settings.database:
            # Nobody else can hold a claim on the embedded store, so what the last process claimed is free again.
            await engine.write(lambda tx: spool.end_claims(tx, now=clock()))
        if carrier is None:
            carrier = SimulatorCarrier(
                delay_seconds=settings.simulator_delay_seconds,
                seed=settings.simulator_seed,
                clock=clock,
                outstanding=await engine.read(lambda tx: messages.outstanding(tx, SimulatorCarrier.name)),
            )
        platform = Platform(
            settings=settings,
            engine=engine,
            vault=vault,
            rulebook=rulebook,
            carrier=carrier,
            clock=clock,
            ids=MessageIds(settings.node, clock, newest=await engine.read(messages.newest_id)),
        )
        await platform.start()
        try:
            yield platform
        finally:
            await platform.stop()


@contextlib.contextmanager
def only_server_of(data: Path) -> Iterator[IO[str]]:
    """Hold the folder against a second server until the process ends, however it ends."""
    with open(data / "serve.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another server works on {data}"
            raise AlreadyServed(message) from error
        yield file
