"""A carrier that sends nothing: it delivers after a while, and certain endings of numbers make it misbehave."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from cleartosend import telemetry
from cleartosend.model.messages import Parcel, Receipt, ReceiptStatus, Reply
from cleartosend.ports import NotSubmitted, StoreUnavailable, Submitted

LATE = 10.0
"""How many delays a late receipt takes."""
AFTER_TROUBLE_SECONDS = 0.5


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What the simulator does with a number of a certain ending."""

    what: str
    status: ReceiptStatus = ReceiptStatus.DELIVERED
    code: str = "DELIVRD"
    receipts: int = 1
    delays: float = 1.0
    """When the receipt comes, in delays of the carrier; 0 is before the answer to the submit."""
    refusal: NotSubmitted | None = None
    refusals: int = 1_000_000
    """How often the submit is refused before it is taken."""
    reply: str = ""


DELIVERED = Behaviour(what="delivered")
# Five digits, so that nobody meets one by counting up from nought.
BEHAVIOURS = {
    "99001": Behaviour(what="refused by the carrier for good", refusal=NotSubmitted("REJECTD", again=False)),
    "99002": Behaviour(
        what="throttled once, then delivered", refusal=NotSubmitted("THROTTLED", again=True), refusals=1
    ),
    "99003": Behaviour(what="no such number", status=ReceiptStatus.UNDELIVERABLE, code="MK:0000"),
    "99004": Behaviour(what="switched off", status=ReceiptStatus.UNDELIVERABLE, code="MI:0013"),
    "99005": Behaviour(what="memory full", status=ReceiptStatus.UNDELIVERABLE, code="MK:0017"),
    "99006": Behaviour(what="on the carrier's blacklist", status=ReceiptStatus.REJECTED, code="BWLIST"),
    "99007": Behaviour(what="validity passed", status=ReceiptStatus.EXPIRED, code="EXPIRED"),
    "99008": Behaviour(what="carrier does not know", status=ReceiptStatus.UNKNOWN, code="UNKNOWN"),
    "99009": Behaviour(what="delivered, receipt ten delays late", delays=LATE),
    "99010": Behaviour(what="delivered, receipt twice", receipts=2),
    "99011": Behaviour(what="no receipt at all", receipts=0),
    "99012": Behaviour(what="delivered, receipt before the submit's answer", delays=0.0),
    "99013": Behaviour(what="delivered, then replies R", reply="R"),
    "99014": Behaviour(what="delivered, then replies a sentence", reply="收到，谢谢"),
}


class SimulatorCarrier:
    """
    Delivers what it is given after `delay_seconds`, give or take a tenth, the same way under the same seed.

    `outstanding` is what a real carrier would remember by itself when we come back: its ids of the messages that it
    took and has not reported on, with their numbers.
    """

    def __init__(
        self,
        *,
        name: str = "simulator",
        delay_seconds: float,
        seed: int,
        clock: Callable[[], float] = time.time,
        outstanding: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.name = name
        self._delay_seconds = delay_seconds
        self._seed = seed
        self._clock = clock
        self._outstanding = outstanding
        self._attempts: dict[str, int] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]]
        self._on_reply: Callable[[Reply], Awaitable[None]]

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        self._on_receipts = on_receipts
        self._on_reply = on_reply
        for carrier_id, number in self._outstanding:
            self._begin(carrier_id, number, extension_code="")

    def is_up(self) -> bool:
        return True

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        behaviour = _behaviour_of(parcel.number)
        if behaviour.refusal is not None and parcel.attempts <= behaviour.refusals:
            return behaviour.refusal
        carrier_id = f"{parcel.message_id:x}"
        if not behaviour.delays:
            await self._report(carrier_id, behaviour)
        else:
            self._begin(carrier_id, parcel.number, extension_code=parcel.extension_code)
        return Submitted((carrier_id,))

    async def stop(self) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _begin(self, carrier_id: str, number: str, *, extension_code: str) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(carrier_id, number, extension_code))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _deliver(self, carrier_id: str, number: str, extension_code: str) -> None:
        behaviour = _behaviour_of(number)
        await asyncio.sleep(self._delay_seconds * behaviour.delays * self._jitter(number))
        for _ in range(behaviour.receipts):
            await self._report(carrier_id, behaviour)
        if behaviour.reply:
            await self._until_taken(
                lambda: self._on_reply(
                    Reply(
                        carrier=self.name,
                        number=number,
                        text=behaviour.reply,
                        extension_code=extension_code,
                        at=self._clock(),
                    )
                )
            )

    async def _report(self, carrier_id: str, behaviour: Behaviour) -> None:
        receipt = Receipt(
            carrier=self.name,
            carrier_id=carrier_id,
            status=behaviour.status,
            code=behaviour.code,
            at=self._clock(),
        )
        await self._until_taken(lambda: self._on_receipts([receipt]))

    async def _until_taken(self, tell: Callable[[], Awaitable[None]]) -> None:
        """As a carrier does: what is not acknowledged is told again."""
        while True:
            try:
                return await tell()
            except StoreUnavailable as error:
                telemetry.log.warning("simulator.not_heard", error=str(error))
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)

    def _jitter(self, number: str) -> float:
        turn = self._attempts[number] = self._attempts.get(number, 0) + 1
        return random.Random(f"{self._seed}:{number}:{turn}").uniform(0.9, 1.1)  # noqa: S311 - not a secret


def _behaviour_of(number: str) -> Behaviour:
    return BEHAVIOURS.get(number[-5:], DELIVERED)
