"""One carrier's way out: how much it may have in hand, how fast it is handed more, and who goes first."""

import msgspec

from cleartosend.model.messages import Lane
from cleartosend.ports import Carrier

BURST_SECONDS = 0.1
"""What was not used of a pace is kept for so long."""
PAUSE_SECONDS = 1.0
"""How long nothing is handed to a carrier that said it was too much."""
SLOWER, FASTER = 0.5, 1.5
"""What a carrier's word does to the pace, and each quiet second."""
LEAST_PER_SECOND = 1.0
KEPT_FREE = 10
"""One place in so many of a window is kept from marketing, so that a code finds room at once."""


class Pace:
    """
    How many messages a second, at most.

    Times are those of a clock that nobody sets. When the carrier says that this is too much, the pace falls to half of
    what it took, and comes back by itself.
    """

    def __init__(self, per_second: float, *, now: float) -> None:
        self._most = per_second
        self._per_second = per_second
        """0: as many as are taken."""
        self._allowed = max(per_second * BURST_SECONDS, 1.0)
        self._at = now
        self._quiet_until = now
        self._counted_since = now
        self._counted = 0
        self._measured = 0.0

    @property
    def per_second(self) -> float:
        """The pace as it is now; 0: as many as are taken."""
        return self._per_second

    def room(self, now: float) -> int | None:
        """How many may be handed over at once; None: any number."""
        self._pass_time(now)
        if now < self._quiet_until:
            return 0
        return None if not self._per_second else int(self._allowed)

    def wait_seconds(self, now: float) -> float:
        """How long until one more may be handed over."""
        if now < self._quiet_until:
            return self._quiet_until - now
        if not self._per_second or self._allowed >= 1:
            return 0.0
        return (1 - self._allowed) / self._per_second

    def take(self, messages: int, now: float) -> None:
        """So many are handed over; a negative number: they were not after all."""
        self._pass_time(now)
        self._allowed -= messages
        self._counted += messages

    def slow_down(self, now: float) -> None:
        """The carrier said that it is too much."""
        self._pass_time(now)
        if now < self._quiet_until:
            return  # said of what was handed over before it was heard
        had = self._per_second or max(self._measured, self._counted / max(now - self._counted_since, 0.1))
        self._per_second = max(had * SLOWER, LEAST_PER_SECOND)
        self._allowed = 0.0
        self._quiet_until = now + PAUSE_SECONDS

    def _pass_time(self, now: float) -> None:
        elapsed = now - self._at
        self._at = now
        self._allowed = min(self._allowed + elapsed * self._per_second, self._per_second * BURST_SECONDS + 1)
        since = now - self._counted_since
        if since < 1:
            return
        self._measured, self._counted, self._counted_since = self._counted / since, 0, now
        if now < self._quiet_until or self._per_second == self._most:
            return
        # Only a pace that was used proves that more may be tried.
        if self._measured >= self._per_second * 0.5:
            faster = self._per_second * FASTER + 1
            if self._most:
                self._per_second = min(faster, self._most)
            else:
                self._per_second = faster if faster < UNBOUNDED_PER_SECOND else 0.0


UNBOUNDED_PER_SECOND = 20_000.0
"""A pace as high as this needs no bound any more."""


class Outlet(msgspec.Struct):
    """A carrier with what it has in hand."""

    carrier: Carrier
    window: int
    """Most messages that it has been handed and whose answers are not yet on disk."""
    pace: Pace
    in_hand: int = 0
    """Places taken in the window."""

    @property
    def name(self) -> str:
        return self.carrier.name

    def room(self, lane: int, now: float) -> int:
        """How many more messages of a lane it may be handed now."""
        kept_free = -(-self.window // KEPT_FREE) if lane >= Lane.MARKETING and self.window > 1 else 0
        room = self.window - kept_free - self.in_hand
        if room <= 0 or not self.carrier.is_up():
            return 0
        allowed = self.pace.room(now)
        return room if allowed is None else min(room, allowed)

    def take(self, messages: int, now: float) -> None:
        """Take places for messages that will be handed over."""
        self.in_hand += messages
        self.pace.take(messages, now)

    def give_back(self, messages: int, now: float) -> None:
        """Places were taken and not used."""
        self.in_hand -= messages
        self.pace.take(-messages, now)

    def let_go(self, messages: int) -> None:
        """What the carrier said of so many is on disk."""
        self.in_hand -= messages
