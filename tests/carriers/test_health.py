"""A carrier that errs, dawdles or is gone is left to the others of its route, and comes back step by step."""

import pytest

from cleartosend.carriers.health import Change, Health
from cleartosend.carriers.routing import Routing
from cleartosend.model.carriers import EVERYTHING, Route
from cleartosend.ports import NotSubmitted, Submitted

TAKEN = Submitted(("1",))
FAILED = NotSubmitted("ESME_RSYSERR", again=True)
THROTTLED = NotSubmitted("ESME_RTHROTTLED", again=True, slow_down=True)
NO_SUCH_NUMBER = NotSubmitted("ESME_RINVDSTADR", again=False, of_message=True)
UP = {"a": True, "b": True}
A_MINUTE = 60


class Watch:
    """Two carriers of one route, looked at once a second by a clock that moves only when told."""

    def __init__(self, *routes: Route) -> None:
        self.routing = Routing(routes, ["a", "b"])
        self.health = Health(self.routing, monotonic=lambda: self.now)
        self.now = 1000.0
        self.changes: list[Change] = []

    def pass_seconds(self, seconds: int, *, up: dict[str, bool] | None = None) -> list[Change]:
        """What changed meanwhile."""
        before = len(self.changes)
        for _ in range(seconds):
            self.now += 1
            self.changes += self.health.changes(UP | (up or {}))
        return self.changes[before:]

    def told(self, carrier: str, said: Submitted | NotSubmitted | None, times: int = 1) -> None:
        for _ in range(times):
            self.health.told(carrier, said)

    def delivered(self, carrier: str, *, quickly: int, slowly: int) -> None:
        for _ in range(quickly):
            self.health.delivered(carrier, 5.0)
        for _ in range(slowly):
            self.health.delivered(carrier, 301.0)

    def share(self, carrier: str, route: str = EVERYTHING) -> float:
        return self.routing.shares(route)[carrier]


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_a_carrier_is_left_on_fifty_errors_a_minute(watch: Watch) -> None:
    watch.told("a", FAILED, 49)
    assert watch.pass_seconds(1) == []
    watch.told("a", FAILED)
    [change] = watch.pass_seconds(1)
    assert change == Change(
        route=EVERYTHING, carrier="a", share=0, because="50 errors in a minute, the last ESME_RSYSERR"
    )
    assert (watch.share("a"), watch.share("b")) == (0, 1)


def test_errors_of_more_than_a_minute_do_not_add_up(watch: Watch) -> None:
    for _ in range(20):
        watch.told("a", FAILED, 24)
        assert watch.pass_seconds(31) == []


def test_an_answer_that_never_came_is_an_error(watch: Watch) -> None:
    watch.told("a", None, 50)
    [change] = watch.pass_seconds(1)
    assert change.because == "50 errors in a minute, the last no answer"


@pytest.mark.parametrize("said", [TAKEN, THROTTLED, NO_SUCH_NUMBER])
def test_what_a_carrier_takes_or_throttles_or_what_is_wrong_with_a_message_is_no_error(
    watch: Watch, said: Submitted | NotSubmitted
) -> None:
    watch.told("a", said, 1000)
    assert watch.pass_seconds(A_MINUTE) == []


def test_errors_that_are_lost_in_what_was_taken_are_forgiven(watch: Watch) -> None:
    watch.told("a", TAKEN, 10_000)
    watch.told("a", FAILED, 60)
    assert watch.pass_seconds(1) == []


def test_a_carrier_is_left_when_more_than_fifteen_in_a_hundred_deliveries_took_over_five_minutes(watch: Watch) -> None:
    watch.delivered("a", quickly=85, slowly=15)
    assert watch.pass_seconds(1) == []
    watch.delivered("a", quickly=0, slowly=1)
    [change] = watch.pass_seconds(1)
    assert (change.carrier, change.share) == ("a", 0)
    assert change.because == "16 of 101 deliveries in 15 min took over 5 min"


def test_of_few_deliveries_nothing_is_concluded(watch: Watch) -> None:
    watch.delivered("a", quickly=0, slowly=19)
    assert watch.pass_seconds(A_MINUTE) == []


def test_slow_deliveries_of_more_than_a_quarter_of_an_hour_ago_do_not_count(watch: Watch) -> None:
    watch.delivered("a", quickly=0, slowly=19)
    watch.pass_seconds(16 * A_MINUTE)
    watch.delivered("a", quickly=19, slowly=1)
    assert watch.pass_seconds(1) == []


def test_a_carrier_is_left_when_it_is_gone_for_long_enough_to_matter(watch: Watch) -> None:
    assert watch.pass_seconds(9, up={"a": False}) == []
    [change] = watch.pass_seconds(1, up={"a": False})
    assert change.because == "down for 10 s of the last minute"
    assert watch.health.is_down("a")
    assert not watch.health.is_down("b")


def test_a_carrier_that_comes_and_goes_is_left_too(watch: Watch) -> None:
    for _ in range(5):
        watch.pass_seconds(3)
        watch.pass_seconds(2, up={"a": False})
    assert watch.share("a") == 0


def test_one_that_is_back_at_once_is_not_left(watch: Watch) -> None:
    for _ in range(20):
        watch.pass_seconds(2, up={"a": False})
        assert watch.pass_seconds(58) == []


def test_the_last_that_can_is_never_left(watch: Watch) -> None:
    watch.told("a", FAILED, 50)
    [change] = watch.pass_seconds(1)
    assert change.carrier == "a"
    watch.told("b", FAILED, 500)
    assert watch.pass_seconds(30) == []
    assert watch.share("b") == 1


def test_nobody_is_left_when_all_are_as_bad(watch: Watch) -> None:
    watch.told("a", FAILED, 50)
    watch.told("b", FAILED, 50)
    assert watch.pass_seconds(30) == []


def test_a_carrier_that_has_a_route_to_itself_is_never_left() -> None:
    watch = Watch(Route(name="only", carriers={"a": 1}), Route(name="both", carriers={"a": 1, "b": 1}))
    watch.told("a", FAILED, 50)
    [change] = watch.pass_seconds(1)
    assert change.route == "both"
    assert (watch.share("a", "only"), watch.share("a", "both")) == (1, 0)


def test_a_spare_is_enough_to_leave_the_others_for() -> None:
    watch = Watch(Route(name="r", carriers={"a": 1, "b": 0}))
    watch.told("a", FAILED, 50)
    watch.pass_seconds(1)
    assert watch.share("a", "r") == 0
    assert watch.routing.takers("r", ["a", "b"]) == ["b"]


def test_a_spare_that_is_gone_is_nobody_to_leave_the_others_for() -> None:
    watch = Watch(Route(name="r", carriers={"a": 1, "b": 0}))
    watch.pass_seconds(20, up={"b": False})
    watch.told("a", FAILED, 50)
    assert watch.pass_seconds(1, up={"b": False}) == []


def test_it_comes_back_by_a_tenth_a_minute_while_it_behaves() -> None:
    watch = Watch(Route(name="r", carriers={"a": 30, "b": 10}))
    watch.told("a", FAILED, 50)
    watch.pass_seconds(1)
    # Its errors are a minute old before the first minute begins.
    assert watch.pass_seconds(A_MINUTE) == []
    shares = []
    for _ in range(10):
        [change] = watch.pass_seconds(A_MINUTE)
        assert change.because == "well for 1 min"
        shares.append((change.share, watch.share("a", "r")))
    assert shares == [(10 * tenth, 3.0 * tenth) for tenth in range(1, 11)]
    assert watch.pass_seconds(20 * A_MINUTE) == []


def minutes_away(watch: Watch) -> int:
    """How long the first step back takes."""
    minutes = 0
    while not watch.pass_seconds(A_MINUTE):
        minutes += 1
    return minutes


def test_after_each_relapse_it_comes_back_more_slowly(watch: Watch) -> None:
    waits = []
    for _ in range(7):
        watch.told("a", FAILED, 50)
        watch.pass_seconds(1)
        assert watch.share("a") == 0
        waits.append(minutes_away(watch))
    assert waits == [1, 2, 4, 8, 16, 16, 16]


def test_one_that_was_well_for_an_hour_is_forgiven(watch: Watch) -> None:
    watch.told("a", FAILED, 50)
    watch.pass_seconds(1)
    watch.pass_seconds(12 * A_MINUTE)
    assert watch.share("a") == 1
    watch.pass_seconds(61 * A_MINUTE)
    watch.told("a", FAILED, 50)
    watch.pass_seconds(1)
    assert minutes_away(watch) == 1


def test_on_its_way_back_it_is_forgiven_less(watch: Watch) -> None:
    watch.told("a", FAILED, 50)
    watch.pass_seconds(1)
    minutes_away(watch)
    assert watch.share("a") == pytest.approx(0.1)
    watch.told("a", FAILED, 4)
    assert watch.pass_seconds(1) == []
    watch.told("a", FAILED)
    [change] = watch.pass_seconds(1)
    assert (change.share, change.because) == (0, "5 errors in a minute, the last ESME_RSYSERR")


def test_one_that_is_gone_does_not_come_back_before_it_is_there(watch: Watch) -> None:
    watch.pass_seconds(10, up={"a": False})
    assert watch.pass_seconds(30 * A_MINUTE, up={"a": False}) == []
    assert watch.pass_seconds(A_MINUTE) == []
    assert [change.share for change in watch.pass_seconds(A_MINUTE)] == [10]


def test_a_carrier_that_is_in_no_route_is_watched_for_nothing() -> None:
    watch = Watch(Route(name="r", carriers={"a": 1}))
    watch.delivered("gone", quickly=0, slowly=30)
    assert watch.pass_seconds(20, up={"b": False}) == []
    assert watch.health.is_down("b")
