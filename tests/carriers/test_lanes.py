"""What is urgent never waits behind what is not, nor one route or carrier for another."""

import asyncio
from collections.abc import Sequence

import pytest
from carriers.held import Held, dispatching, until
from usual import Clock, Usual, usual_account, usual_admission

from cleartosend.admission.accept import Admission
from cleartosend.carriers.dispatch import Dispatch
from cleartosend.carriers.routing import Routing
from cleartosend.model.carriers import Route
from cleartosend.model.messages import Parcel
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine
from cleartosend.store import members

WINDOW = 10


@pytest.fixture
def clock() -> Clock:
    return Clock()


def numbers(first: int, count: int) -> list[str]:
    return [f"+86137{number:08}" for number in range(first, first + count)]


async def market(engine: Engine, admission: Admission) -> Usual:
    """A batch of marketing that no carrier has done with for a long time."""
    usual = await usual_account(engine)
    account_id, recipients = usual.account.account_id, numbers(0, 100)
    await engine.write(lambda tx: members.add_members(tx, account_id, recipients, source="purchase", now=1.0))
    await admission.accept(usual.call(*recipients, template=usual.marketing))
    return usual


def types_of(got: Sequence[Parcel]) -> list[MessageType]:
    return [parcel.type for parcel in got]


async def settled(dispatch: Dispatch) -> None:
    """Let the dispatcher look again, and see that it has found what it would."""
    dispatch.wake()
    await asyncio.sleep(0.05)


async def test_a_code_finds_room_while_marketing_fills_the_rest_of_the_window(engine: Engine, clock: Clock) -> None:
    slow = Held()
    async with dispatching(engine, clock, slow, window=WINDOW) as dispatch:
        admission = usual_admission(engine, clock, way=dispatch)
        admission.wake = dispatch.wake
        usual = await market(engine, admission)
        await until(lambda: len(slow.got) == WINDOW - 1)
        await settled(dispatch)
        # The carrier answers nothing, and no more of the batch is handed to it.
        assert types_of(slow.got) == [MessageType.MARKETING] * (WINDOW - 1)
        await admission.accept(usual.call("+8613800000001"))
        await until(lambda: len(slow.got) == WINDOW)
        assert types_of(slow.got)[-1] is MessageType.VERIFICATION


async def test_codes_of_a_burst_go_before_what_waits_of_a_batch(engine: Engine, clock: Clock) -> None:
    slow = Held()
    async with dispatching(engine, clock, slow, window=WINDOW) as dispatch:
        admission = usual_admission(engine, clock, way=dispatch)
        admission.wake = dispatch.wake
        usual = await market(engine, admission)
        await until(lambda: len(slow.got) == WINDOW - 1)
        await admission.accept(usual.call(*[f"+8613800000{number:03}" for number in range(20)]))
        while len(slow.got) < WINDOW - 1 + 20:
            had = len(slow.got)
            slow.answer(1)
            await until(lambda: len(slow.got) > had)  # noqa: B023 - waited for at once
        assert types_of(slow.got)[WINDOW - 1 :] == [MessageType.VERIFICATION] * 20


async def test_codes_of_a_route_do_not_wait_behind_what_another_route_sends_by_the_same_carrier(
    engine: Engine, clock: Clock
) -> None:
    slow = Held()
    notices = Route(name="notices", types=(MessageType.NOTIFICATION,), carriers={"held": 1})
    codes = Route(name="codes", carriers={"held": 1})
    async with dispatching(engine, clock, slow, routing=Routing((notices, codes), ["held"]), window=WINDOW) as dispatch:
        admission = usual_admission(engine, clock, way=dispatch)
        admission.wake = dispatch.wake
        usual = await usual_account(engine)
        await admission.accept(usual.call(*numbers(0, 100), template=usual.notice))
        await until(lambda: len(slow.got) == WINDOW)
        await admission.accept(usual.call("+8613800000001"))
        for answered in range(1, 4):
            slow.answer(1)
            await until(lambda: len(slow.got) == WINDOW + answered)  # noqa: B023 - waited for at once
        assert MessageType.VERIFICATION in types_of(slow.got[WINDOW:])


async def test_a_carrier_without_a_session_holds_up_no_other_carrier_of_its_route(engine: Engine, clock: Clock) -> None:
    down, up = Held("down", up=False), Held("up")
    async with dispatching(engine, clock, down, up) as dispatch:
        admission = usual_admission(engine, clock, way=dispatch)
        admission.wake = dispatch.wake
        usual = await usual_account(engine)
        await admission.accept(usual.call(*numbers(0, 4)))
        await until(lambda: len(up.got) == 4)
        assert not down.got


async def test_a_carrier_without_a_session_holds_up_no_other_route(engine: Engine, clock: Clock) -> None:
    down, up = Held("down", up=False), Held("up")
    routes = (
        Route(name="notices", types=(MessageType.NOTIFICATION,), carriers={"down": 1}),
        Route(name="rest", carriers={"up": 1}),
    )
    async with dispatching(engine, clock, down, up, routing=Routing(routes, ["down", "up"])) as dispatch:
        admission = usual_admission(engine, clock, way=dispatch)
        admission.wake = dispatch.wake
        usual = await usual_account(engine)
        await admission.accept(usual.call(*numbers(0, 50), template=usual.notice))
        await admission.accept(usual.call("+8613800000001"))
        await until(lambda: len(up.got) == 1)
        # Once it is back it gets what waited.
        down.up = True
        dispatch.wake()
        await until(lambda: len(down.got) == WINDOW)


async def test_a_full_window_sends_nothing_to_a_carrier_that_was_left(engine: Engine, clock: Clock) -> None:
    left, first = Held("left"), Held("first")
    routing = Routing((), ["left", "first"])
    routing.set_share("all", "left", 0)
    async with dispatching(engine, clock, left, first, routing=routing) as dispatch:
        admission = usual_admission(engine, clock, way=dispatch)
        admission.wake = dispatch.wake
        usual = await usual_account(engine)
        await admission.accept(usual.call(*numbers(0, 50)))
        await until(lambda: len(first.got) == WINDOW)
        await settled(dispatch)
        assert not left.got
        # It is all that there is when the other one has no session any more.
        first.up = False
        dispatch.wake()
        await until(lambda: len(left.got) == WINDOW)
