"""What goes wrong, done when the plan says so."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from chaos import moved_clock
from chaos.plan import Fault, Plan
from chaos.stage import ADDRESS, CUT_OTHERS, Server, run_on
from cleartosend.spool.embedded import CLAIM_SECONDS
from cleartosend.testing.smsc import SMSC, Behaviour
from cleartosend.testing.smsc.behaviour import changed

OPT_OUT_WORDS = ("R", "TD", "退订")


class Director:
    """Does the plan's faults to the server and its carriers."""

    def __init__(
        self, plan: Plan, *, server: Server, smscs: Mapping[str, SMSC], database: str, clock: Path | None
    ) -> None:
        self.ahead_seconds = 0.0
        """By how much the server's clock has been set."""
        self.done: Counter[str] = Counter()
        self.left_alone: set[str] = set()
        """Who has asked for that."""
        self._furthest_ahead = 0.0
        self._plan = plan
        self._server = server
        self._smscs = smscs
        self._database = database
        self._clock = clock
        self._as_usual = {carrier.name: changed(Behaviour(), carrier.behaviour) for carrier in plan.carriers}
        self._restarting = {carrier.name: asyncio.Lock() for carrier in plan.carriers}
        self._deeds: Mapping[str, Callable[[Fault], object]] = {
            "kill": lambda fault: server.kill(away_seconds=fault.seconds),
            "stop": lambda _fault: server.stop_and_start(),
            "freeze": lambda fault: server.freeze(fault.seconds),
            "fill disk": lambda fault: server.fill_disk(fault.seconds),
            "cut database": lambda _fault: run_on(database, CUT_OTHERS),
            "set clock": self._set_clock,
            "misbehave": self._misbehave,
            "cut": lambda fault: _now(smscs[fault.carrier].cut),
            "unbind": lambda fault: _now(smscs[fault.carrier].unbind),
            "hang": self._hang,
            "restart": self._restart,
        }

    async def play(self) -> None:
        """All faults, each when it is due; returns when the last one is over."""
        async with asyncio.TaskGroup() as group:
            for fault in self._plan.faults:
                group.create_task(self._do(fault))
            group.create_task(self._until(self._plan.seconds))
            group.create_task(self._ask_to_be_left_alone())

    def calm(self) -> None:
        """Nothing is wrong with any carrier any more."""
        for smsc in self._smscs.values():
            smsc.calm()

    def wait_for_the_clock(self) -> None:
        """As if it had been waited until a clock that was set back had come to where it was."""
        if self._clock is not None and self.ahead_seconds < self._furthest_ahead:
            self.ahead_seconds = self._furthest_ahead
            moved_clock.move(self._clock, self.ahead_seconds)

    async def _do(self, fault: Fault) -> None:
        await self._until(fault.at)
        self.done[fault.kind] += 1
        await self._deeds[fault.kind](fault)  # type: ignore[misc]

    async def _until(self, at: float) -> None:
        while self._server.up_seconds() < at:
            await asyncio.sleep(0.01)

    async def _set_clock(self, fault: Fault) -> None:
        assert self._clock is not None
        self.ahead_seconds += fault.amount
        self._furthest_ahead = max(self._furthest_ahead, self.ahead_seconds)
        self.done["leap"] += fault.amount >= CLAIM_SECONDS
        moved_clock.move(self._clock, self.ahead_seconds)

    async def _misbehave(self, fault: Fault) -> None:
        smsc = self._smscs[fault.carrier]
        smsc.behave(**fault.changes)
        await asyncio.sleep(fault.seconds)
        smsc.behave(**{name: getattr(self._as_usual[fault.carrier], name) for name in fault.changes})

    async def _hang(self, fault: Fault) -> None:
        self._smscs[fault.carrier].hang()
        await asyncio.sleep(fault.seconds)
        self._smscs[fault.carrier].resume()

    async def _restart(self, fault: Fault) -> None:
        async with self._restarting[fault.carrier]:
            await self._smscs[fault.carrier].restart(forget=fault.forget, away_seconds=fault.seconds)

    async def _ask_to_be_left_alone(self) -> None:
        """Some recipients of what has gone out answer that they want no more of it."""
        dice = random.Random(f"{self._plan.seed}:opt-outs")
        for at in sorted(dice.uniform(0, self._plan.seconds) for _ in range(self._plan.opt_outs)):
            await self._until(at)
            name, smsc = dice.choice(list(self._smscs.items()))
            if smsc.messages:
                number = f"+{dice.choice(smsc.messages).number.lstrip('+')}"
                self.left_alone.add(number)
                smsc.reply(dice.choice(OPT_OUT_WORDS), number=number, to=ADDRESS, system_id=name)


async def _now(deed: Callable[[], None]) -> None:
    deed()
