"""Two of our own services in one process, each on a store and a port of its own, the first in front of the second."""

import asyncio
import base64
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from sqlalchemy import Connection, func, select
from usual import Clock, Usual, reasons, usual_account

from cleartosend.compose import Platform, running_platform
from cleartosend.model.carriers import UpstreamLink
from cleartosend.model.messages import MessageState
from cleartosend.ports import Carrier
from cleartosend.settings import Settings
from cleartosend.store import attempts, messages
from cleartosend.store.messages import MessageRecord
from cleartosend.store.opening import open_store, sqlite_path
from cleartosend.store.schema import messages as messages_table, submissions
from cleartosend.web import Application

ENOUGH_SECONDS = 20
KEY_OF_THE_USUAL_VAULT = base64.b64encode(bytes(32)).decode()
NAME = "tencent"
CALLBACK_SECRET = "nobody-knows-this"
ENDED = {MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN}


class House(msgspec.Struct):
    """A service at work."""

    platform: Platform
    port: int

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def carrier(self) -> Carrier:
        return self.platform.outlets[0].carrier

    async def messages(self) -> list[MessageRecord]:
        """All that it knows of, oldest first."""

        def question(tx: Connection) -> list[MessageRecord]:
            ids = tx.execute(select(messages_table.c.id).order_by(messages_table.c.id)).scalars().all()
            return sorted(messages.find(tx, ids), key=lambda message: message.id)

        return await self.platform.engine.read(question)

    async def ended(self, count: int) -> list[MessageRecord]:
        """All that came to an end, once there are so many."""
        found: list[MessageRecord] = []

        async def enough() -> bool:
            found[:] = [message for message in await self.messages() if message.state in ENDED]
            return len(found) >= count

        await until(enough)
        return found

    async def attempts(self) -> list[str]:
        """The codes that its carriers gave for what they did not take just then."""
        known = [message.id for message in await self.messages()]
        return await self.platform.engine.read(
            lambda tx: [attempt.code for message_id in known for attempt in attempts.of(tx, message_id)]
        )

    async def calls(self) -> int:
        """How many calls it took messages by."""
        return await self.platform.engine.read(
            lambda tx: tx.execute(select(func.count()).select_from(submissions)).scalar_one()
        )


def settings_of(data: Path, template: Path, **differs: Any) -> Settings:
    """Settings of a quick service, on a store that is up to date."""
    settings = Settings(
        data=data,
        key=KEY_OF_THE_USUAL_VAULT,
        simulator_delay_seconds=0.01,
        retry_after_seconds=0.0,
        callback_networks="127.0.0.0/8",
        callback_retry_seconds=0.05,
        callback_retry_most_seconds=0.05,
        drain_seconds=1.0,
        open_links=False,
        **differs,
    )
    if not sqlite_path(settings).exists():
        data.mkdir(parents=True)
        shutil.copy(template, sqlite_path(settings))
    return settings


@contextlib.asynccontextmanager
async def house(settings: Settings, clock: Clock, *, port: int = 0) -> AsyncIterator[House]:
    """The whole service, until the way out."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        async with running_platform(settings, clock=clock) as platform:
            server = uvicorn.Server(
                uvicorn.Config(
                    Application(platform), http="httptools", lifespan="off", access_log=False, log_config=None
                )
            )
            serving = asyncio.get_running_loop().create_task(server.serve(sockets=[listener]))
            try:
                yield House(platform, listener.getsockname()[1])
            finally:
                server.should_exit = True
                await serving


class Chain(msgspec.Struct):
    """A service that customers call, in front of one that sends."""

    first: House
    second: House
    caller: Usual
    """The account at the first."""
    known_as: Usual
    """What the first is at the second."""

    async def send(self, *numbers: str, **differs: Any) -> None:
        """The first accepts the usual call, but for what differs."""
        answer = await self.first.platform.admission.accept(self.caller.call(*numbers, **differs))
        assert set(reasons(answer)) == {None}


def link_to(endpoint: str, known_as: Usual, caller: Usual, **differs: Any) -> UpstreamLink:
    """The second as the first knows it."""
    fields: dict[str, object] = {
        "name": NAME,
        "kind": "upstream",
        "endpoint": endpoint,
        "secret_id": known_as.account.secret_id,
        "secret_key": known_as.account.secret_key,
        "sdk_app_id": known_as.account.sdk_app_id,
        "templates": {
            caller.code: known_as.code,
            caller.notice: known_as.notice,
            caller.marketing: known_as.marketing,
        },
        # Wide: at its start the first looks for what waits, and keeps only a tenth of the window free meanwhile.
        "window": 10_000,
        "pull_seconds": 0.05,
        "answer_within_seconds": 5.0,
    }
    return msgspec.convert(fields | differs, UpstreamLink)


async def usual_account_in(settings: Settings) -> Usual:
    """An account on a store that nobody serves yet."""
    engine = await open_store(settings)
    try:
        return await usual_account(engine)
    finally:
        await engine.close()


class Plans(msgspec.Struct, frozen=True):
    """Two services that are not at work yet."""

    first: Settings
    second: Settings
    caller: Usual
    known_as: Usual

    def before(self, second: House, **differs: Any) -> Settings:
        """The first's settings, in front of the second; what differs is about the link between them."""
        link = link_to(second.endpoint, self.known_as, self.caller, **differs)
        return msgspec.structs.replace(self.first, carriers=(link,))

    def chain(self, first: House, second: House) -> Chain:
        return Chain(first, second, self.caller, self.known_as)


async def plans(tmp_path: Path, template: Path) -> Plans:
    second = settings_of(tmp_path / "second", template, receipt_within_seconds=3600.0)
    await usual_account_in(second)
    # Its second account, so that its templates are not numbered as the first service's.
    known_as = await usual_account_in(second)
    first = settings_of(tmp_path / "first", template)
    return Plans(first, second, await usual_account_in(first), known_as)


@contextlib.asynccontextmanager
async def chained(tmp_path: Path, template: Path, clock: Clock, **differs: Any) -> AsyncIterator[Chain]:
    """Both at work."""
    planned = await plans(tmp_path, template)
    async with (
        house(planned.second, clock) as second,
        house(planned.before(second, **differs), clock) as first,
    ):
        yield planned.chain(first, second)


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again, for a bounded time."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not await what():
            await asyncio.sleep(0.01)


def numbers(count: int, start: int = 10_000_000) -> Sequence[str]:
    return [f"+86137{number}" for number in range(start, start + count)]
