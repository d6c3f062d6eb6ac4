"""The whole platform: a carrier that fails is left, one that is gone is told of, and too much is refused."""

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from carriers.held import Held, until
from sqlalchemy import Connection
from usual import SIGNATURE, approved_signature, approved_template

from cleartosend.cli.account import create_account
from cleartosend.compose import Platform, running_platform
from cleartosend.model.accounts import AccountKind
from cleartosend.model.carriers import Route, SimulatorLink, SmppLink
from cleartosend.model.messages import SendCall
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.store import carrier_events
from cleartosend.testing import SMSC
from cleartosend.web import readyz

REFUSED = "99001"
"""How a number ends that the simulator refuses."""


class Sender:
    """An account that sends notices by a platform."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform

    async def prepare(self) -> "Sender":
        def work(tx: Connection) -> SendCall:
            made = create_account(
                tx, name="a", kind=AccountKind.ORGANIZATION, verified=True, vault=self.platform.vault, now=1.0
            )
            approved_signature(tx, made.account_id)
            return SendCall(
                account_id=made.account_id,
                secret_id=made.secret_id,
                sdk_app_id=made.sdk_app_id,
                template_id=approved_template(tx, made.account_id, "您的订单已发货。", MessageType.NOTIFICATION),
                signature=SIGNATURE,
                numbers=(),
            )

        self._call = await self.platform.engine.write(work)
        return self

    async def send(self, *numbers: str) -> Any:
        return await self.platform.admission.accept(msgspec.structs.replace(self._call, numbers=numbers))


async def ready(platform: Platform) -> tuple[int, dict[str, Any]]:
    status, _type, body = await readyz(platform)
    return status, msgspec.json.decode(body)


async def until_nothing_waits(platform: Platform) -> None:
    async with asyncio.timeout(20):
        while await platform.engine.read(lambda tx: spool.count(tx, most=1)):
            await asyncio.sleep(0.01)


async def test_a_carrier_that_fails_is_left_by_every_route_that_has_another(tmp_path: Path) -> None:
    settings = Settings(
        data=tmp_path,
        carriers=(SimulatorLink(name="first", delay_seconds=0.0), SimulatorLink(name="second", delay_seconds=0.0)),
        routes=(
            Route(name="only", prefixes=("+86137",), carriers={"first": 1}),
            Route(name="both", carriers={"first": 1, "second": 1}),
        ),
    )
    async with running_platform(settings) as platform:
        sender = await Sender(platform).prepare()
        await sender.send(*[f"+86137{number:03}{REFUSED}" for number in range(60)])
        await until_nothing_waits(platform)
        await platform.watch.look()
        assert platform.routing.shares("only") == {"first": 1}
        assert platform.routing.shares("both") == {"first": 0, "second": 1}
        [event] = await platform.engine.read(lambda tx: carrier_events.newest(tx, carrier=None, limit=9))
        assert (event.route, event.carrier, event.share) == ("both", "first", 0)
        assert event.because.endswith(" errors in a minute, the last REJECTD")
        assert await ready(platform) == (
            200,
            {"status": "ok", "store": "ok", "sending": True, "carriers": {"first": "up", "second": "up"}},
        )


async def test_what_one_message_centre_will_not_take_goes_to_the_other_until_it_does_again(tmp_path: Path) -> None:
    async with SMSC() as first, contextlib.AsyncExitStack() as until_it_is_gone:
        second = await until_it_is_gone.enter_async_context(SMSC())
        carriers = tuple(
            SmppLink(name=name, host="127.0.0.1", port=smsc.port, system_id="cts")
            for name, smsc in (("first", first), ("second", second))
        )
        settings = Settings(data=tmp_path, carriers=carriers, retry_after_seconds=0.0)
        async with running_platform(settings) as platform:
            sender = await Sender(platform).prepare()
            await until(lambda: all(outlet.carrier.is_up() for outlet in platform.outlets))
            first.behave(refuse="ESME_RSYSERR")
            await sender.send(*[f"+86137{number:08}" for number in range(100)])
            await sender.send(*[f"+86138{number:08}" for number in range(100)])
            async with asyncio.timeout(20):
                while platform.routing.shares("all")["first"]:
                    # As the sweep does it, once a second.
                    await platform.watch.look()
                    await asyncio.sleep(0.02)
            await until_nothing_waits(platform)
            assert (first.counts["taken"], second.counts["taken"]) == (0, 200)
            # It is well again: nothing is sent there yet, but when the other one is gone.
            first.calm()
            await sender.send("+8613900000001")
            await until_nothing_waits(platform)
            assert first.counts["taken"] == 0
            await until_it_is_gone.aclose()
            await until(lambda: not platform.outlets[1].carrier.is_up())
            await sender.send("+8613900000002")
            await until_nothing_waits(platform)
            assert first.counts["taken"] == 1


async def test_a_platform_without_a_carrier_is_degraded_and_keeps_what_it_accepts(tmp_path: Path) -> None:
    gone = Held(up=False)
    async with running_platform(Settings(data=tmp_path, drain_seconds=0.0), carrier=gone) as platform:
        sender = await Sender(platform).prepare()
        assert (await ready(platform))[1]["status"] == "ok"
        for _ in range(10):
            await platform.watch.look()
        status, said = await ready(platform)
        assert (status, said["status"], said["carriers"]) == (200, "degraded", {"held": "down"})
        [outcome] = await sender.send("+8613711112222")
        assert outcome.refusal is None


@pytest.mark.parametrize("by_whom", ["this process", "the last one"])
async def test_too_much_that_waits_is_refused_whoever_let_it_wait(tmp_path: Path, by_whom: str) -> None:
    settings = Settings(data=tmp_path, drain_seconds=0.0, most_waiting=3)
    numbers = ("+8613711112222", "+8613711113333", "+8613711114444")
    async with running_platform(settings, carrier=Held(up=False)) as platform:
        sender = await Sender(platform).prepare()
        await sender.send(*numbers)
        if by_whom == "this process":
            assert await sender.send("+8613711115555") == Refusal(Reason.TOO_MUCH_WAITING, "3")
    if by_whom == "the last one":
        async with running_platform(settings, carrier=Held(up=False)) as platform:
            sender.platform = platform
            assert await sender.send("+8613711115555") == Refusal(Reason.TOO_MUCH_WAITING, "3")
