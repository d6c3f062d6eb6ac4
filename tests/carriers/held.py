"""Carriers that answer when a test says so, and the carriers' side of the house at work with them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from time import monotonic

from usual import Clock

from cleartosend.carriers.dispatch import Dispatch
from cleartosend.carriers.outlet import Outlet, Pace
from cleartosend.carriers.routing import Routing
from cleartosend.delivery.deadlines import lose_in_doubt
from cleartosend.delivery.receipts import take_parked
from cleartosend.model.messages import Parcel, Receipt, Reply
from cleartosend.ports import Engine, NotSubmitted, Submitted
from cleartosend.settings import Settings

ENOUGH_SECONDS = 20


class Held:
    """Takes what it is handed and answers when it is told to."""

    def __init__(self, name: str = "held", *, up: bool = True) -> None:
        self.name = name
        self.up = up
        self.got: list[Parcel] = []
        """Everything that it was handed, in order."""
        self.in_hand: list[tuple[Parcel, asyncio.Future[Submitted | NotSubmitted]]] = []

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        pass

    def is_up(self) -> bool:
        return self.up

    def submit(self, parcel: Parcel) -> asyncio.Future[Submitted | NotSubmitted]:
        answer: asyncio.Future[Submitted | NotSubmitted] = asyncio.get_running_loop().create_future()
        self.got.append(parcel)
        self.in_hand.append((parcel, answer))
        return answer

    def answer(self, messages: int, said: NotSubmitted | None = None) -> None:
        """Take so many of those in hand, oldest first, or say this of them."""
        answered, self.in_hand = self.in_hand[:messages], self.in_hand[messages:]
        for parcel, answer in answered:
            answer.set_result(said or Submitted((f"{self.name}-{parcel.message_id:x}",)))

    async def stop(self) -> None:
        pass


@contextlib.asynccontextmanager
async def dispatching(
    engine: Engine,
    clock: Clock,
    *carriers: Held,
    routing: Routing | None = None,
    window: int = 10,
    settings: Settings | None = None,
) -> AsyncIterator[Dispatch]:
    """The carriers, each behind a window of its own."""
    dispatch = Dispatch(
        engine=engine,
        outlets=[Outlet(carrier, window, Pace(0.0, now=monotonic())) for carrier in carriers],
        routing=routing or Routing((), [carrier.name for carrier in carriers]),
        settings=settings or Settings(drain_seconds=0.01),
        clock=clock,
        settle_parked=take_parked,
        lose=lose_in_doubt,
    )
    running = asyncio.get_running_loop().create_task(dispatch.run())
    try:
        yield dispatch
    finally:
        dispatch.stop()
        await running


async def until(what: Callable[[], bool]) -> None:
    """Wait for something that another task does."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not what():
            await asyncio.sleep(0.002)
