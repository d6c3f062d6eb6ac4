"""One seed from its beginning to its verdict."""

import asyncio
import contextlib
import shutil
import time
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import Connection, func, select

from chaos import moved_clock
from chaos.faults import Director
from chaos.load import CallbackServer, Customer
from chaos.plan import Plan
from chaos.stage import SETTLED_SECONDS, Server, Stage, end_claims, opened, set_up
from chaos.verdict import Evidence, copies_of, judge, read_all
from cleartosend.model.messages import MessageState
from cleartosend.store.schema import callbacks, messages, spool
from cleartosend.testing.smsc import SMSC

CALLS_ANSWERED_SECONDS = 20.0
STUCK_SECONDS = 20.0
"""Where nothing has changed for so long, nothing will."""
CALM_SECONDS = 200.0
"""Within this, everything has its end, at the pace that a throttling carrier has left."""
STALE_CLAIM_SECONDS = 8.0
"""No answer is waited for as long as that."""


class Report(msgspec.Struct, frozen=True):
    """What became of a seed."""

    plan: Plan
    counts: dict[str, int]
    wrong: list[str]
    took_seconds: float
    calm_seconds: float
    folder: str


async def play(plan: Plan, folder: Path, *, database: str = "") -> Report:
    """Play a seed in a folder, which is left behind when something is wrong."""
    started = time.monotonic()
    played = await act(plan, folder, database=database)
    found = judge(plan, played.evidence)
    wrong = [*played.surprises, *found.wrong]
    if not wrong:
        shutil.rmtree(folder)
    return Report(
        plan, found.counts, wrong, time.monotonic() - started, played.calm_seconds, str(folder) if wrong else ""
    )


class Played(msgspec.Struct, frozen=True):
    """A seed that waits for its verdict."""

    evidence: Evidence
    surprises: list[str]
    calm_seconds: float
    """How long it took until nothing waited any more."""


async def act(plan: Plan, folder: Path, *, database: str = "") -> Played:
    """Do what the plan says, calm down, and gather what is left."""
    folder.mkdir(parents=True)
    clock = folder / "clock" if plan.moves_clock else None
    if clock is not None:
        moved_clock.move(clock, 0.0)
    async with contextlib.AsyncExitStack() as stack:
        callback_server = CallbackServer(plan.seed)
        callback_url = await callback_server.start()
        stack.push_async_callback(callback_server.stop)
        smscs = {
            carrier.name: await stack.enter_async_context(
                SMSC(seed=plan.seed, ids_reused_after=carrier.ids_reused_after, **carrier.behaviour)
            )
            for carrier in plan.carriers
        }
        stage = await set_up(plan, folder, database=database, smscs=smscs, callback_url=callback_url)
        server = Server(stage, log=folder / "serve.log", clock=clock)
        stack.callback(server.give_up)
        director = Director(plan, server=server, smscs=smscs, database=database, clock=clock)
        customer = Customer(plan, stage, server, ahead_seconds=lambda: director.ahead_seconds)
        stack.push_async_callback(customer.close)
        await server.start()
        calling = asyncio.create_task(customer.send_for(plan.seconds))
        await director.play()
        director.calm()
        callback_server.calm()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CALLS_ANSWERED_SECONDS):
                await asyncio.shield(calling)
        customer.stop_repeating()
        await calling
        calm_since = time.monotonic()
        waits = await _all_is_over(stage, smscs, director)
        calm_seconds = time.monotonic() - calm_since
        while not waits and await customer.pull():
            pass
        ended = server.ended_by_itself()
        await server.end()
        async with opened(stage.settings) as (engine, _vault):
            kept = await engine.read(lambda tx: read_all(tx, stage))
        evidence = Evidence(
            kept=kept,
            copies=copies_of(smscs),
            calls=customer.calls,
            pulled=customer.pulled,
            pulls_unanswered=customer.pulls_unanswered,
            told=callback_server.told,
            left_alone=director.left_alone,
            done=director.done,
            most_kilobytes=server.most_kilobytes,
        )
    surprises = [f"it did not come to rest: {waits}"] * bool(waits) + [ended] * bool(ended)
    surprises += _in_log(folder / "serve.log")
    return Played(evidence, surprises, calm_seconds)


async def _all_is_over(stage: Stage, smscs: dict[str, SMSC], director: Director) -> str:
    """Wait until nothing waits for anything; what still does when nothing changes any more, in words."""
    calm_since = changed_at = time.monotonic()
    async with opened(stage.settings) as (engine, _vault):
        waits = "?"
        while waits and changed_at > time.monotonic() - STUCK_SECONDS and time.monotonic() < calm_since + CALM_SECONDS:
            before = waits
            await asyncio.sleep(SETTLED_SECONDS)
            stale_since = time.time() + director.ahead_seconds - STALE_CLAIM_SECONDS
            if stage.settings.database and time.monotonic() - calm_since > STALE_CLAIM_SECONDS:
                # What a lost connection to the database left claimed by nobody, as if its claim's time had passed.
                await engine.write(partial(end_claims, made_before=stale_since))
            waiting = await engine.read(_count_waiting)
            waiting["receipts"] = sum(smsc.outstanding for smsc in smscs.values())
            waits = ", ".join(f"{count} {what}" for what, count in waiting.items() if count)
            if waits != before:
                changed_at = time.monotonic()
            if not any(count for what, count in waiting.items() if what != MessageState.SUBMITTED):
                # What is left waits for receipts that will not come, and so for its deadline.
                director.wait_for_the_clock()
    return waits


def _count_waiting(tx: Connection) -> dict[str, int]:
    """What is not at its end."""
    by_state = tx.execute(
        select(messages.c.state, func.count())
        .where(messages.c.state.in_((MessageState.ACCEPTED, MessageState.SUBMITTED)))
        .group_by(messages.c.state)
    )
    return {
        **{row[0]: row[1] for row in by_state},
        "in the spool": tx.execute(select(func.count()).select_from(spool)).scalar_one(),
        "callbacks": tx.execute(
            select(func.count()).select_from(callbacks).where(callbacks.c.standing == "waiting")
        ).scalar_one(),
    }


def _in_log(log: Path) -> list[str]:
    """What nobody expected, in the server's log."""
    lines = log.read_text("utf-8", "replace").splitlines()
    odd = [line for line in lines if '"exception"' in line or line.startswith("Traceback")]
    return [f"the log has {len(odd)} exceptions, such as {odd[0][:200]}"] if odd else []
