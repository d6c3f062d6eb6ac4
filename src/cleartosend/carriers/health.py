"""Which carriers can be relied on: one that errs, dawdles or is gone is left to others, and comes back step by step."""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping

import msgspec

from cleartosend.carriers.routing import Routing
from cleartosend.ports import NotSubmitted, Submitted

ERRORS, ERRORS_WITHIN_SECONDS = 50, 60.0
ERRORS_LEAST_SHARE = 0.01
"""So many errors a minute are too many, unless they are lost in what the carrier took meanwhile."""
SLOW_SECONDS, SLOW_SHARE, SLOW_WITHIN_SECONDS = 300.0, 0.15, 900.0
LEAST_DELIVERED = 20
"""Of fewer deliveries nothing is concluded."""
DOWN_LOOKS, DOWN_WITHIN_SECONDS = 10, 60.0
"""Looks are a second apart: gone for so long within a minute, at once or again and again."""

WHOLE = 10
"""A share comes back by tenths."""
STEP_SECONDS = 60.0
MOST_DOUBLINGS = 4
"""Each relapse doubles what a step takes, so many times at most."""
RELAPSE_WITHIN_SECONDS = 3600.0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """More or less goes to a carrier of a route than before."""

    route: str
    carrier: str
    share: int
    """How much of its share it has now, in parts of a hundred."""
    because: str


class Health:
    """Watches what carriers answer and deliver, and moves their shares of the routes that have others beside them."""

    def __init__(self, routing: Routing, *, monotonic: Callable[[], float]) -> None:
        self._routing = routing
        self._now = monotonic
        # A carrier may be in no route, or have been taken out of the settings and still report.
        self._watched: defaultdict[str, _Watched] = defaultdict(_Watched)
        # Who has no share stands by, and has nothing to lose.
        self._places = [
            _Place(route, carrier, weight)
            for route in routing.names
            for carrier, weight in routing.configured(route).items()
            if weight
        ]

    def told(self, carrier: str, said: Submitted | NotSubmitted | None) -> None:
        """A carrier answered for a message; None: it did not."""
        if isinstance(said, NotSubmitted) and (said.slow_down or said.of_message):
            return
        watched = self._watched[carrier]
        watched.answers.add(self._now(), bad=not isinstance(said, Submitted))
        if not isinstance(said, Submitted):
            watched.last_error = said.code if said else "no answer"

    def delivered(self, carrier: str, seconds: float) -> None:
        """A carrier delivered a message, so long after it took it."""
        self._watched[carrier].deliveries.add(self._now(), bad=seconds > SLOW_SECONDS)

    def is_down(self, carrier: str) -> bool:
        """Whether it has been gone for long enough to matter."""
        return self._watched[carrier].is_down(self._now())

    def changes(self, up: Mapping[str, bool]) -> list[Change]:
        """Move shares by what was seen; asked once a second, with which carriers are up."""
        now = self._now()
        for carrier, is_up in up.items():
            self._watched[carrier].looks.add(now, bad=not is_up)
        return [change for place in self._places if (change := self._moved(place, now))]

    def _moved(self, place: "_Place", now: float) -> Change | None:
        trouble = self._watched[place.carrier].trouble(place.tenths, now)
        if trouble:
            if place.tenths and self._another_can(place, now):
                place.leave(now)
                return self._change(place, trouble)
            if place.tenths < WHOLE:
                place.well_since = now
            return None
        if place.tenths == WHOLE or now - place.well_since < place.step_seconds:
            return None
        place.come_back_a_step(now)
        return self._change(place, f"well for {place.step_seconds / 60:.0f} min")

    def _another_can(self, place: "_Place", now: float) -> bool:
        """Whether the route has another carrier that takes messages and that nothing is said against."""
        shares, configured = self._routing.shares(place.route), self._routing.configured(place.route)
        return any(
            (shares[carrier] > 0 or not configured[carrier]) and not self._watched[carrier].trouble(WHOLE, now)
            for carrier in configured
            if carrier != place.carrier
        )

    def _change(self, place: "_Place", because: str) -> Change:
        self._routing.set_share(place.route, place.carrier, place.weight * place.tenths / WHOLE)
        share = 100 * place.tenths // WHOLE
        return Change(route=place.route, carrier=place.carrier, share=share, because=because)


class _Tally:
    """How many of something there were lately, and how many of them were bad."""

    STEPS = 60

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._steps: deque[list[float]] = deque(maxlen=self.STEPS + 1)
        """Since when, how many, and how many bad."""

    def add(self, now: float, *, bad: bool) -> None:
        if not self._steps or now - self._steps[-1][0] >= self._seconds / self.STEPS:
            self._steps.append([now, 0, 0])
        step = self._steps[-1]
        step[1] += 1
        step[2] += bad

    def count(self, now: float) -> tuple[int, int]:
        """All, and the bad ones."""
        while self._steps and now - self._steps[0][0] >= self._seconds:
            self._steps.popleft()
        return int(sum(step[1] for step in self._steps)), int(sum(step[2] for step in self._steps))


class _Watched:
    """What was seen of a carrier."""

    def __init__(self) -> None:
        self.answers = _Tally(ERRORS_WITHIN_SECONDS)
        self.deliveries = _Tally(SLOW_WITHIN_SECONDS)
        self.looks = _Tally(DOWN_WITHIN_SECONDS)
        self.last_error = ""

    def is_down(self, now: float) -> bool:
        return self.looks.count(now)[1] >= DOWN_LOOKS

    def trouble(self, tenths: int, now: float) -> str | None:
        """What is wrong; on its way back a carrier is forgiven as many errors as it has tenths of its share."""
        if self.is_down(now):
            return f"down for {self.looks.count(now)[1]} s of the last minute"
        answers, errors = self.answers.count(now)
        if errors >= ERRORS * max(tenths, 1) / WHOLE and errors >= answers * ERRORS_LEAST_SHARE:
            return f"{errors} errors in a minute, the last {self.last_error}"
        delivered, slow = self.deliveries.count(now)
        if delivered >= LEAST_DELIVERED and slow > delivered * SLOW_SHARE:
            return f"{slow} of {delivered} deliveries in 15 min took over 5 min"
        return None


class _Place:
    """A carrier's place in a route, and how much of it the carrier has."""

    def __init__(self, route: str, carrier: str, weight: int) -> None:
        self.route = route
        self.carrier = carrier
        self.weight = weight
        self.tenths = WHOLE
        self.well_since = float("-inf")
        """Since when nothing was said against it, or it had its last step."""
        self._relapses = 0

    @property
    def step_seconds(self) -> float:
        return STEP_SECONDS * float(2 ** min(self._relapses, MOST_DOUBLINGS))

    def leave(self, now: float) -> None:
        came_back_lately = now - self.well_since < RELAPSE_WITHIN_SECONDS
        self._relapses = self._relapses + 1 if self.tenths < WHOLE or came_back_lately else 0
        self.tenths, self.well_since = 0, now

    def come_back_a_step(self, now: float) -> None:
        self.tenths += 1
        self.well_since = now
