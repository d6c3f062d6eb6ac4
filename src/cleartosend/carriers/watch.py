"""Looks after the carriers once a second: moves their shares, keeps and tells why, and shows how they stand."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.carriers.health import Health
from cleartosend.carriers.outlet import Outlet
from cleartosend.carriers.routing import Routing
from cleartosend.ports import Engine, NotSubmitted, Submitted
from cleartosend.store import carrier_events
from cleartosend.store.carrier_events import CarrierEvent

ALL_OF_IT = 100
STARTED = "the server was started"
TELL_AGAIN_SECONDS = 600.0
"""How long what an operator has been told is not said again."""


class Watch:
    """One process's eye on its carriers."""

    def __init__(
        self,
        *,
        engine: Engine,
        outlets: Sequence[Outlet],
        routing: Routing,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._outlets = outlets
        self._routing = routing
        self._clock = clock
        self._monotonic = monotonic
        self.health = Health(routing, monotonic=monotonic)
        self._to_keep: list[CarrierEvent] = []
        self._told_at: dict[tuple[str, str], float] = {}
        """When the operator was told of a carrier's code."""

    async def begin(self) -> None:
        """Start with whole shares: what the last process made of the carriers does not hold any more."""
        await self._engine.write(self._give_all_back)

    def _give_all_back(self, tx: Connection) -> None:
        now = self._clock()
        less = [event for event in carrier_events.latest(tx).values() if event.share < ALL_OF_IT]
        given = [msgspec.structs.replace(event, at=now, share=ALL_OF_IT, because=STARTED) for event in less]
        carrier_events.keep(tx, given)

    def told(self, carrier: str, said: Submitted | NotSubmitted | None) -> None:
        """A carrier answered for a message; None: it did not."""
        self.health.told(carrier, said)
        if isinstance(said, NotSubmitted) and said.tell_operator:
            now, about = self._monotonic(), (carrier, said.code)
            if now - self._told_at.get(about, float("-inf")) >= TELL_AGAIN_SECONDS:
                self._told_at[about] = now
                telemetry.log.error("carrier.needs_operator", carrier=carrier, code=said.code)

    async def look(self) -> None:
        """See how the carriers do, and act on it. Raises StoreUnavailable when that could not be kept yet."""
        now = self._clock()
        for change in self.health.changes({outlet.name: outlet.carrier.is_up() for outlet in self._outlets}):
            telemetry.log.warning("carrier.share", **msgspec.structs.asdict(change))
            self._to_keep.append(CarrierEvent(at=now, **msgspec.structs.asdict(change)))
        if events := [*self._to_keep]:
            await self._engine.write(lambda tx: carrier_events.keep(tx, events))
            del self._to_keep[: len(events)]

    def all_are_down(self) -> bool:
        """Whether no carrier has been there for long enough to matter."""
        return all(not outlet.carrier.is_up() and self.health.is_down(outlet.name) for outlet in self._outlets)

    def measure(self) -> None:
        """Bring the gauges up to date with the carriers."""
        for outlet in self._outlets:
            telemetry.CARRIER_UP.labels(outlet.name).set(outlet.carrier.is_up())
            telemetry.CARRIER_IN_HAND.labels(outlet.name).set(outlet.in_hand)
            telemetry.CARRIER_WINDOW.labels(outlet.name).set(outlet.window)
            telemetry.CARRIER_PER_SECOND.labels(outlet.name).set(outlet.pace.per_second)
        for route in self._routing.names:
            shares = self._routing.shares(route)
            for carrier, share in shares.items():
                telemetry.CARRIER_SHARE.labels(route, carrier).set(share / (sum(shares.values()) or 1))
