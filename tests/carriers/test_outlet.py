"""A carrier is handed no more than its window and its pace allow, and a place is kept for what is urgent."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from cleartosend.carriers.outlet import PAUSE_SECONDS, UNBOUNDED_PER_SECOND, Outlet, Pace
from cleartosend.model.messages import Lane, Parcel, Receipt, Reply
from cleartosend.ports import NotSubmitted, Submitted

NOON = 43200.0
AN_HOUR = 3600.0


def handed_over(pace: Pace, *, since: float, seconds: float, wanted_per_second: float = 1e6) -> int:
    """How many go out when somebody asks a hundred times a second for all the room there is."""
    out = 0
    for step in range(int(seconds * 100)):
        now = since + (step + 1) / 100
        room = pace.room(now)
        most = int(wanted_per_second / 100)
        some = most if room is None else min(room, most)
        pace.take(some, now)
        out += some
    return out


@pytest.mark.parametrize("per_second", [0.5, 1, 7, 100, 2500])
def test_the_pace_is_held(per_second: float) -> None:
    pace = Pace(per_second, now=NOON)
    out = handed_over(pace, since=NOON, seconds=60)
    # What was saved up before is a tenth of a second's worth, or one message.
    assert per_second * 60 * 0.97 <= out <= per_second * 60.1 + 1


def test_what_was_not_used_is_not_saved_up() -> None:
    pace = Pace(100, now=NOON)
    assert pace.room(NOON + AN_HOUR) == 11


def test_a_carrier_without_a_pace_is_handed_any_number() -> None:
    pace = Pace(0, now=NOON)
    pace.take(100_000, NOON)
    assert pace.room(NOON) is None
    assert pace.wait_seconds(NOON) == 0


def test_it_says_how_long_until_the_next_may_go() -> None:
    pace = Pace(2, now=NOON)
    pace.take(1, NOON)
    assert pace.room(NOON) == 0
    assert pace.wait_seconds(NOON) == pytest.approx(0.5)
    assert pace.room(NOON + pace.wait_seconds(NOON)) == 1


def test_places_that_were_not_used_may_be_used_after_all() -> None:
    pace = Pace(100, now=NOON)
    pace.take(10, NOON)
    pace.take(-10, NOON)
    assert pace.room(NOON) == 10


def test_a_throttled_carrier_is_left_alone_and_then_handed_half_of_what_it_took() -> None:
    pace = Pace(0, now=NOON)
    handed_over(pace, since=NOON, seconds=5, wanted_per_second=1000)
    pace.slow_down(NOON + 5)
    assert pace.room(NOON + 5 + PAUSE_SECONDS / 2) == 0
    assert pace.wait_seconds(NOON + 5 + PAUSE_SECONDS / 2) == pytest.approx(PAUSE_SECONDS / 2)
    assert pace.per_second == pytest.approx(500, rel=0.05)


def test_what_was_handed_over_before_it_was_heard_slows_nothing_more() -> None:
    pace = Pace(100, now=NOON)
    for _ in range(50):
        pace.slow_down(NOON)
    assert pace.per_second == 50


def test_a_carrier_that_goes_on_throttling_is_still_handed_one_a_second() -> None:
    pace = Pace(100, now=NOON)
    for second in range(60):
        pace.slow_down(NOON + 2 * second)
    assert pace.per_second == 1


def test_a_pace_that_is_used_comes_back_by_itself() -> None:
    pace = Pace(100, now=NOON)
    pace.slow_down(NOON)
    handed_over(pace, since=NOON, seconds=10)
    assert pace.per_second == 100


def test_a_carrier_without_a_pace_has_none_again_once_it_takes_anything() -> None:
    pace = Pace(0, now=NOON)
    handed_over(pace, since=NOON, seconds=5, wanted_per_second=1000)
    pace.slow_down(NOON + 5)
    handed_over(pace, since=NOON + 5, seconds=60, wanted_per_second=2 * UNBOUNDED_PER_SECOND)
    assert pace.per_second == 0


def test_a_pace_that_nobody_uses_proves_nothing_and_stays() -> None:
    pace = Pace(100, now=NOON)
    pace.slow_down(NOON)
    handed_over(pace, since=NOON, seconds=60, wanted_per_second=0)
    assert pace.per_second == 50


class Idle:
    """A carrier that is up or down, and is handed nothing."""

    name = "idle"

    def __init__(self, *, up: bool = True) -> None:
        self.up = up

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        pass

    def is_up(self) -> bool:
        return self.up

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        raise NotImplementedError

    async def stop(self) -> None:
        pass


def outlet(window: int, *, per_second: float = 0.0, up: bool = True) -> Outlet:
    return Outlet(Idle(up=up), window, Pace(per_second, now=NOON))


@pytest.mark.parametrize(("window", "for_marketing"), [(1, 1), (2, 1), (10, 9), (100, 90), (15, 13)])
def test_a_tenth_of_the_window_is_kept_from_marketing(window: int, for_marketing: int) -> None:
    its = outlet(window)
    assert its.room(Lane.MARKETING, NOON) == for_marketing
    its.take(for_marketing, NOON)
    assert its.room(Lane.MARKETING, NOON) == 0
    assert its.room(Lane.VERIFICATION, NOON) == its.room(Lane.NOTIFICATION, NOON) == window - for_marketing


def test_there_is_no_room_at_a_carrier_that_is_down() -> None:
    assert outlet(100, up=False).room(Lane.VERIFICATION, NOON) == 0


def test_the_pace_bounds_the_room_too() -> None:
    assert outlet(100, per_second=50).room(Lane.VERIFICATION, NOON) == 5


def test_places_are_free_again_when_given_back_or_answered() -> None:
    its = outlet(10, per_second=100)
    its.take(10, NOON)
    its.give_back(4, NOON)
    assert its.room(Lane.VERIFICATION, NOON) == 4
    its.let_go(6)
    # The window is free; what went out counts for the pace.
    assert its.in_hand == 0
    assert its.room(Lane.VERIFICATION, NOON) == 4
