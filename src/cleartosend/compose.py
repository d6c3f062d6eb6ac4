"""Puts the program together: the one place that knows every plug."""

import asyncio
import contextlib
import fcntl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.admission.accept import Admission, MessageIds
from cleartosend.admission.directory import Directory
from cleartosend.admission.frequency import day_of
from cleartosend.admission.numbers import split_number
from cleartosend.api.tencent.door import Door
from cleartosend.carriers import dispatch as moves
from cleartosend.carriers.dispatch import Dispatch
from cleartosend.carriers.outlet import Outlet, Pace
from cleartosend.carriers.routing import Routing
from cleartosend.carriers.simulator import SimulatorCarrier
from cleartosend.carriers.smpp.carrier import SmppCarrier
from cleartosend.carriers.smpp.line import password_of
from cleartosend.carriers.smpp.profile import BadProfile, read_profile
from cleartosend.carriers.upstream import UpstreamCarrier
from cleartosend.carriers.watch import Watch
from cleartosend.delivery import deadlines
from cleartosend.delivery.callbacks import Callbacks
from cleartosend.delivery.receipts import Receipts, take_parked
from cleartosend.delivery.replies import Replies
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.carriers import Link, SimulatorLink, SmppLink, UpstreamLink
from cleartosend.model.messages import Ending, Lane, MessageState
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.model.verdicts import Submission, Verdict
from cleartosend.outbound import guard_of_callbacks, guard_of_links
from cleartosend.policy.judge import judge, suggest
from cleartosend.policy.rulebook import Rulebook, RulebookError, load_rulebook
from cleartosend.ports import Carrier, Engine, StoreUnavailable
from cleartosend.review.apply import Applications
from cleartosend.review.links import Links
from cleartosend.settings import BadSettings, Settings, overlay_of
from cleartosend.spool import embedded as spool
from cleartosend.store import (
    accounts,
    answered_calls,
    budgets,
    callbacks,
    carrier_events,
    handovers,
    links,
    messages,
    places,
    receipts,
)
from cleartosend.store.callbacks import CallbackKind
from cleartosend.store.opening import make_data_folder, open_store_and_vault
from cleartosend.store.secrets import Vault

SWEEP_SECONDS = 1.0
MOST_IDS_TO_LEARN_FROM = 2500
COUNT_WAITING_SECONDS = 5.0
"""How long the count of what waits for carriers is good for; of a million it takes a tenth of a second."""
DAYS_TO_LOOK_BACK = 31
"""How long it is known what was used of a day's caps, and why less went to a carrier."""


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
        outlets: Sequence[Outlet],
        clock: Callable[[], float],
        ids: MessageIds,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.vault = vault
        self.rulebook = rulebook
        self.outlets = outlets
        self.clock = clock
        self.directory = Directory(engine, vault)
        self.routing = Routing(settings.routes, [outlet.name for outlet in outlets])
        self.watch = Watch(engine=engine, outlets=outlets, routing=self.routing, clock=clock, monotonic=time.monotonic)
        self.dispatch = Dispatch(
            engine=engine,
            outlets=outlets,
            routing=self.routing,
            settings=settings,
            clock=clock,
            settle_parked=take_parked,
            lose=deadlines.lose_in_doubt,
        )
        self.admission = Admission(
            engine=engine,
            directory=self.directory,
            judge=self.judge,
            settings=settings,
            clock=clock,
            ids=ids,
            stop_account=moves.stop_account,
            way=self.dispatch,
        )
        self.applications = Applications(engine=engine, judge=self.judge, clock=clock, stop_account=moves.stop_account)
        self.receipts = Receipts(engine)
        self.replies = Replies(engine, settings=settings, accept=self.admission.accept)
        self.admission.wake = self.dispatch.wake
        self.door = Door(
            admission=self.admission,
            applications=self.applications,
            directory=self.directory,
            engine=engine,
            clock=clock,
        )
        self.callbacks = Callbacks(
            engine=engine,
            vault=vault,
            guard=guard_of_callbacks(settings),
            settings=settings,
            clock=clock,
            split_number=split_number,
        )
        self.links = Links(
            engine=engine,
            guard=guard_of_links(settings),
            judge=self.judge,
            clock=clock,
            stop_account=moves.stop_account,
            stop_application=moves.stop_application,
        )
        self.applications.wake = self.links.wake
        self.admission.sent = self.links.sent
        self.dispatch.told = self.watch.told
        self.receipts.delivered = self.watch.health.delivered
        self.receipts.wake = self.callbacks.wake
        self.replies.wake = self.callbacks.wake
        self._counted_at = 0.0
        """When it was last counted what waits for carriers."""
        self._tasks: list[asyncio.Task[None]] = []
        """What is told to stop, and finishes what it has begun."""
        self._endless: list[asyncio.Task[None]] = []
        """What is cut short."""

    def judge(self, submission: Submission) -> Verdict:
        """What the policy says, of an application with the edit that would pass."""
        verdict = suggest(submission, judge(submission, self.rulebook), self.rulebook)
        for rule in verdict.observed:
            telemetry.OBSERVED.labels(rule, submission.part).inc()
        return verdict

    async def reload_rules(self) -> None:
        """Judge by the rules as they stand now; rules that cannot be loaded leave things as they were."""
        try:
            # Beside the loop: it takes as long as a hundred calls.
            rulebook = await asyncio.to_thread(load_rulebook, overlay_of(self.settings))
        except (RulebookError, OSError) as error:
            telemetry.log.error("policy.not_reloaded", error=str(error), rulebook=self.rulebook.digest)
            return
        self.rulebook = rulebook
        telemetry.log.info("policy.reloaded", rulebook=rulebook.digest)

    async def start(self) -> None:
        """Begin to send what waits and to take what carriers report."""
        await self.engine.write(lambda tx: moves.send_by_routes_of_today(tx, self.routing))
        await self.watch.begin()
        await self._count_waiting()
        for outlet in self.outlets:
            await outlet.carrier.start(on_receipts=self.receipts.take, on_reply=self.replies.take)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(work) for work in (self.dispatch.run(), self.callbacks.run())]
        self._endless = [loop.create_task(self._sweep_for_ever())]
        if self.settings.open_links:
            self._endless.append(loop.create_task(self.links.run()))

    async def stop(self) -> None:
        """Finish what has begun, then let go of everything."""
        self.dispatch.stop()
        self.callbacks.stop()
        for task in self._endless:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._endless, return_exceptions=True)
        await asyncio.gather(*(outlet.carrier.stop() for outlet in self.outlets), return_exceptions=True)
        await self.engine.close()

    def is_sending(self) -> bool:
        """Whether what waits in the spool is being taken out of it."""
        tasks = self._tasks + self._endless
        return bool(tasks) and not self.dispatch.in_trouble and not any(task.done() for task in tasks)

    async def measure(self) -> None:
        """Bring the gauges up to date with the store and the carriers."""

        def count(tx: Connection) -> tuple[dict[int, int], dict[str, int], int, dict[str, int], int]:
            return (
                spool.depth(tx),
                messages.count_by_state(tx),
                receipts.count_parked(tx),
                callbacks.count_waiting(tx),
                len(accounts.every(tx, status=AccountStatus.SUSPENDED)),
            )

        by_lane, by_state, parked, untold, suspended = await self.engine.read(count)
        for lane in Lane:
            telemetry.QUEUED.labels(lane.name.lower()).set(by_lane.get(lane, 0))
        telemetry.AWAITING_RECEIPT.set(by_state.get(MessageState.SUBMITTED, 0))
        telemetry.PARKED_RECEIPTS.set(parked)
        telemetry.AWAITING_DECISION.set(suspended)
        for kind in CallbackKind:
            telemetry.CALLBACKS_WAITING.labels(kind).set(untold.get(kind, 0))
        self.watch.measure()

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                await self.watch.look()
                if time.monotonic() - self._counted_at >= COUNT_WAITING_SECONDS:
                    await self._count_waiting()
                ended = await self.engine.write(lambda tx: sweep(tx, self.clock()))
                telemetry.tell_ended(ended)
                if ended:
                    self.callbacks.wake()
                await self.engine.write(lambda tx: forget_old(tx, self.clock(), settings=self.settings))
                # In small steps, so that callers who wait for the store at the same time wait no longer for this.
                while await self.engine.write(lambda tx: places.forget_closed(tx, now=self.clock())):
                    pass
            except StoreUnavailable as error:
                telemetry.log.error("sweep.unavailable", error=str(error))

    async def _count_waiting(self) -> None:
        self._counted_at = time.monotonic()
        await self.admission.backlog.count(lambda most: self.engine.read(lambda tx: spool.count(tx, most=most)))


def sweep(tx: Connection, now: float) -> list[Ending]:
    """Give an end to everything whose time is over; returns how messages ended."""
    in_doubt = spool.left_in_doubt(tx, now=now)
    ended = deadlines.lose_in_doubt(tx, in_doubt, now)
    spool.let_go(tx, in_doubt)
    ended += moves.expire(tx, now)
    # A message that was with a carrier when its account was stopped may have come back to wait.
    for account_id in spool.stopped_accounts(tx):
        ended += moves.stop(tx, account_id, now)
    ended += deadlines.lose_unreported(tx, now)
    return ended


def forget_old(tx: Connection, now: float, *, settings: Settings) -> None:
    """Drop, in small steps, what has been kept for long enough."""
    callbacks.forget_done(tx, before=now - settings.callback_kept_days * SECONDS_PER_DAY)
    messages.forget_unpulled(tx, before=now - messages.KEPT_TO_PULL_SECONDS)
    answered_calls.forget(tx, before=now - settings.idempotency_seconds)
    budgets.forget(tx, before_day=day_of(now) - DAYS_TO_LOOK_BACK)
    carrier_events.forget(tx, before=now - DAYS_TO_LOOK_BACK * SECONDS_PER_DAY)


@contextlib.asynccontextmanager
async def running_platform(
    settings: Settings, *, clock: Callable[[], float] = time.time, carrier: Carrier | None = None
) -> AsyncIterator[Platform]:
    """
    The service on a data folder, started, and stopped on the way out.

    Raises AlreadyServed, BadSettings, NewerSchema, BadKey, RulebookError, StoreUnavailable or OSError if it cannot be.
    """
    make_data_folder(settings)
    with only_server_of(settings.data):
        rulebook = load_rulebook(overlay_of(settings))
        engine, vault = await open_store_and_vault(settings)
        if not settings.database:
            # Nobody else can hold a claim on the embedded store, so what the last process claimed is free again.
            await engine.write(spool.end_claims)
            await engine.write(callbacks.end_claims)
            await engine.write(links.end_claims)
        if carrier is None:
            outlets = [
                Outlet(await carrier_of(link, engine, clock), link.window, Pace(link.per_second, now=time.monotonic()))
                for link in links_of(settings)
            ]
        else:
            outlets = [Outlet(carrier, settings.window, Pace(0.0, now=time.monotonic()))]
        platform = Platform(
            settings=settings,
            engine=engine,
            vault=vault,
            rulebook=rulebook,
            outlets=outlets,
            clock=clock,
            ids=MessageIds(settings.node, clock, newest=await engine.read(messages.newest_id)),
        )
        await platform.start()
        try:
            yield platform
        finally:
            await platform.stop()


def links_of(settings: Settings) -> Sequence[Link]:
    """The carriers as configured, or the simulator that stands in for them."""
    alone = SimulatorLink(
        name="simulator",
        window=settings.window,
        delay_seconds=settings.simulator_delay_seconds,
        seed=settings.simulator_seed,
    )
    return settings.carriers or (alone,)


async def carrier_of(link: Link, engine: Engine, clock: Callable[[], float]) -> Carrier:
    """What is configured, ready to be started."""
    match link:
        case SimulatorLink():
            return SimulatorCarrier(
                name=link.name,
                delay_seconds=link.delay_seconds,
                seed=link.seed,
                clock=clock,
                outstanding=await engine.read(lambda tx: handovers.outstanding(tx, link.name)),
            )
        case UpstreamLink():
            secret_key = secret_of(link.name, given=link.secret_key, file=link.secret_key_file)
            return UpstreamCarrier(
                link,
                secret_key=secret_key,
                outstanding=lambda most: engine.read(lambda tx: handovers.outstanding(tx, link.name, most=most)),
                clock=clock,
            )
        case SmppLink():
            known = await engine.read(lambda tx: handovers.outstanding(tx, link.name, most=MOST_IDS_TO_LEARN_FROM))
            try:
                password_of(link)  # that its file cannot be read is told now, not at the first bind
                return SmppCarrier(link, profile=read_profile(link.profile), clock=clock, outstanding=known)
            except (BadProfile, OSError) as error:
                message = f"carriers: `{link.name}`: {error}"
                raise BadSettings(message) from error
        case _:
            raise BadSettings(f"carriers: {link.name}")


def secret_of(carrier: str, *, given: str, file: str) -> str:
    """What a carrier knows us by: as it was given, or the first line of a file. Raises BadSettings."""
    if not file:
        return given
    try:
        return Path(file).read_text().partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSettings(f"carriers: `{carrier}`: {error}") from error


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
