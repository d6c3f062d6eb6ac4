"""What is made of the carriers is acted on, kept with its reason, and shown."""

import asyncio

import pytest
from carriers.held import Held, dispatching, until
from prometheus_client import REGISTRY
from sqlalchemy import Connection
from structlog.testing import capture_logs
from usual import Clock, claimed, hand_over, usual_account, usual_admission

from cleartosend.carriers.outlet import Outlet, Pace
from cleartosend.carriers.routing import Routing
from cleartosend.carriers.watch import STARTED, TELL_AGAIN_SECONDS, Watch
from cleartosend.delivery.receipts import Receipts
from cleartosend.model.messages import Receipt, ReceiptStatus
from cleartosend.ports import Engine, NotSubmitted, StoreUnavailable
from cleartosend.spool import embedded as spool
from cleartosend.store import carrier_events
from cleartosend.store.carrier_events import CarrierEvent


def numbers(first: int, count: int) -> list[str]:
    return [f"+86137{number:08}" for number in range(first, first + count)]


FAILED = NotSubmitted("ESME_RSYSERR", again=True)


class Watched:
    """Two carriers of one route, and the eye on them."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.first, self.second = Held("first"), Held("second")
        self.outlets = [Outlet(carrier, 10, Pace(0.0, now=clock())) for carrier in (self.first, self.second)]
        self.routing = Routing((), ["first", "second"])
        self.watch = Watch(engine=engine, outlets=self.outlets, routing=self.routing, clock=clock, monotonic=clock)

    def fails(self, carrier: str) -> None:
        for _ in range(50):
            self.watch.told(carrier, FAILED)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def kept(engine: Engine) -> list[CarrierEvent]:
    return await engine.read(lambda tx: carrier_events.newest(tx, carrier=None, limit=99))


async def test_what_changes_is_kept_with_its_reason(engine: Engine, clock: Clock) -> None:
    watched = Watched(engine, clock)
    await watched.watch.look()
    assert await kept(engine) == []
    watched.fails("first")
    await watched.watch.look()
    await watched.watch.look()
    assert await kept(engine) == [
        CarrierEvent(
            at=clock(), route="all", carrier="first", share=0, because="50 errors in a minute, the last ESME_RSYSERR"
        )
    ]
    assert watched.routing.shares("all") == {"first": 0, "second": 1}


async def test_a_new_process_begins_with_whole_shares_and_says_so(engine: Engine, clock: Clock) -> None:
    before = Watched(engine, clock)
    before.fails("first")
    await before.watch.look()
    clock.advance(5)
    after = Watched(engine, clock)
    await after.watch.begin()
    await after.watch.begin()
    newest, _left = await kept(engine)
    assert (newest.carrier, newest.share, newest.because) == ("first", 100, STARTED)
    assert after.routing.shares("all") == {"first": 1, "second": 1}


class Unavailable:
    """A store that takes nothing for a while."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_back = False

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    async def write(self, work: object) -> object:
        if not self.is_back:
            raise StoreUnavailable
        return await self._engine.write(work)  # type: ignore[arg-type]


async def test_a_change_is_made_while_the_store_is_away_and_kept_when_it_is_back(engine: Engine, clock: Clock) -> None:
    store = Unavailable(engine)
    watched = Watched(store, clock)  # type: ignore[arg-type]
    watched.fails("first")
    with pytest.raises(StoreUnavailable):
        await watched.watch.look()
    assert watched.routing.shares("all")["first"] == 0
    assert await kept(engine) == []
    store.is_back = True
    clock.advance(30)
    await watched.watch.look()
    [event] = await kept(engine)
    assert event.at == clock() - 30


async def test_all_are_down_only_when_none_has_been_there_for_a_while(engine: Engine, clock: Clock) -> None:
    watched = Watched(engine, clock)
    watched.first.up = watched.second.up = False
    for _ in range(9):
        clock.advance(1)
        await watched.watch.look()
    assert not watched.watch.all_are_down()
    clock.advance(1)
    await watched.watch.look()
    assert watched.watch.all_are_down()
    watched.second.up = True
    assert not watched.watch.all_are_down()


async def test_a_carrier_whose_receipts_say_that_it_was_slow_is_left(engine: Engine, clock: Clock) -> None:
    watched = Watched(engine, clock)
    receipts = Receipts(engine)
    receipts.delivered = watched.watch.health.delivered
    usual = await usual_account(engine)
    await usual_admission(engine, clock).accept(usual.call(*numbers(0, 20)))

    def taken_by_the_first(tx: Connection) -> list[str]:
        ids = [parcel.message_id for parcel in claimed(tx, clock())]
        return hand_over(tx, ids, now=clock(), carrier="first")

    carrier_ids = await engine.write(taken_by_the_first)
    clock.advance(301)
    await receipts.take(
        [
            Receipt(carrier="first", carrier_id=its, status=ReceiptStatus.DELIVERED, code="DELIVRD", at=clock())
            for its in carrier_ids
        ]
    )
    await watched.watch.look()
    [event] = await kept(engine)
    assert (event.carrier, event.because) == ("first", "20 of 20 deliveries in 15 min took over 5 min")


async def test_an_operator_is_told_of_a_code_once_in_a_while(engine: Engine, clock: Clock) -> None:
    watched = Watched(engine, clock)
    unknown_sender = NotSubmitted("ESME_RINVSRCADR", again=False, tell_operator=True)
    with capture_logs() as logged:
        for _ in range(5):
            watched.watch.told("first", unknown_sender)
        watched.watch.told("second", unknown_sender)
        clock.advance(TELL_AGAIN_SECONDS)
        watched.watch.told("first", unknown_sender)
        watched.watch.told("first", FAILED)
    assert [(line["event"], line["carrier"], line["code"]) for line in logged] == [
        ("carrier.needs_operator", carrier, "ESME_RINVSRCADR") for carrier in ("first", "second", "first")
    ]


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"cleartosend_carrier_{name}", labels)


async def test_the_gauges_show_how_the_carriers_stand(engine: Engine, clock: Clock) -> None:
    watched = Watched(engine, clock)
    watched.outlets[0].take(3, clock())
    watched.second.up = False
    watched.watch.measure()
    assert (gauge("in_hand", carrier="first"), gauge("window", carrier="first")) == (3, 10)
    assert (gauge("up", carrier="first"), gauge("up", carrier="second")) == (1, 0)
    assert gauge("per_second", carrier="first") == 0
    assert (gauge("share", route="all", carrier="first"), gauge("share", route="all", carrier="second")) == (0.5, 0.5)


async def test_messages_leave_a_carrier_that_fails_for_the_other_of_its_route(engine: Engine, clock: Clock) -> None:
    watched = Watched(engine, clock)
    first, second = watched.first, watched.second
    async with dispatching(engine, clock, first, second, routing=watched.routing, window=200) as dispatch:
        dispatch.told = watched.watch.told
        admission = usual_admission(engine, clock, way=dispatch)
        usual = await usual_account(engine)
        await admission.accept(usual.call(*numbers(0, 100)))
        await admission.accept(usual.call(*numbers(100, 100)))
        await until(lambda: (len(first.in_hand), len(second.in_hand)) == (100, 100))
        first.answer(100, NotSubmitted("ESME_RSYSERR", again=False))
        second.answer(100)
        while await engine.read(lambda tx: spool.count(tx, most=1)):
            await asyncio.sleep(0.002)
        await watched.watch.look()
        for turn in range(4):
            await admission.accept(usual.call(*numbers(200 + 5 * turn, 5)))
        await until(lambda: len(second.in_hand) == 20)
        assert not first.in_hand
