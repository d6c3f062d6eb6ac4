"""More than carriers can send in time, or the store can write down, is refused and not piled up."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from carriers.held import Held, dispatching, until
from usual import Clock, reasons, usual_account, usual_admission

from cleartosend.admission.accept import Admission
from cleartosend.admission.backlog import Backlog
from cleartosend.model.messages import Lane
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.store import members

A_BOUND = 30
BOUNDED = Settings(most_waiting=A_BOUND, drain_seconds=0.01)
FULL = Refusal(Reason.TOO_MUCH_WAITING, str(A_BOUND))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def numbers(first: int, count: int) -> list[str]:
    return [f"+86137{number:08}" for number in range(first, first + count)]


async def waiting(engine: Engine) -> int:
    return await engine.read(lambda tx: spool.count(tx, most=1000))


async def counted(admission: Admission, engine: Engine) -> None:
    """As the sweep does it."""
    await admission.backlog.count(lambda most: engine.read(lambda tx: spool.count(tx, most=most)))


async def test_callers_hear_when_too_much_waits_and_what_was_accepted_goes_out_when_the_carrier_is_back(
    engine: Engine, clock: Clock
) -> None:
    stalled = Held(up=False)
    async with dispatching(engine, clock, stalled, window=100, settings=BOUNDED) as dispatch:
        admission = usual_admission(engine, clock, settings=BOUNDED, way=dispatch)
        admission.wake = dispatch.wake
        usual = await usual_account(engine)
        answers = [await admission.accept(usual.call(*numbers(10 * turn, 10))) for turn in range(6)]
        assert [isinstance(answer, Refusal) for answer in answers] == [False] * 3 + [True] * 3
        assert answers[-1] == FULL
        # Nothing of what was refused is kept, in memory or on disk.
        assert await waiting(engine) == A_BOUND

        stalled.up = True
        dispatch.wake()
        await until(lambda: len(stalled.got) == A_BOUND)
        stalled.answer(A_BOUND)
        while await waiting(engine):
            await asyncio.sleep(0.002)
        await counted(admission, engine)
        assert reasons(await admission.accept(usual.call(*numbers(100, 10)))) == [None] * 10
    assert {parcel.number for parcel in stalled.got[:A_BOUND]} == set(numbers(0, A_BOUND))


async def test_a_code_is_accepted_and_goes_out_first_while_no_more_marketing_may_wait(
    engine: Engine, clock: Clock
) -> None:
    stalled = Held(up=False)
    async with dispatching(engine, clock, stalled, window=10, settings=BOUNDED) as dispatch:
        admission = usual_admission(engine, clock, settings=BOUNDED, way=dispatch)
        admission.wake = dispatch.wake
        usual = await usual_account(engine)
        account_id, batch = usual.account.account_id, numbers(0, A_BOUND)
        await engine.write(lambda tx: members.add_members(tx, account_id, batch, source="purchase", now=1.0))
        answers = [await admission.accept(usual.call(number, template=usual.marketing)) for number in batch]
        no_more = Refusal(Reason.TOO_MUCH_WAITING, "24")
        assert [answer == no_more for answer in answers] == [False] * 24 + [True] * 6
        assert reasons(await admission.accept(usual.call("+8613800000001"))) == [None]
        assert reasons(await admission.accept(usual.call("+8613800000002", template=usual.notice))) == [None]
        await counted(admission, engine)
        assert await admission.accept(usual.call("+8613700000000", template=usual.marketing)) == no_more

        stalled.up = True
        dispatch.wake()
        await until(lambda: len(stalled.got) >= 3)
        assert [parcel.type for parcel in stalled.got[:3]] == [
            MessageType.VERIFICATION,
            MessageType.NOTIFICATION,
            MessageType.MARKETING,
        ]


async def test_what_others_let_wait_counts_too(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    another_process = usual_admission(engine, clock, node=1)
    await another_process.accept(usual.call(*numbers(0, A_BOUND)))
    admission = usual_admission(engine, clock, settings=BOUNDED)
    await counted(admission, engine)
    assert await admission.accept(usual.call("+8613800000001")) == FULL


async def test_a_call_that_was_answered_before_is_answered_the_same_when_too_much_waits(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock, settings=BOUNDED)
    call = usual.call(*numbers(0, A_BOUND), key="k")
    first = await admission.accept(call)
    assert not isinstance(first, Refusal)
    assert await admission.accept(call) == first
    assert await admission.accept(usual.call("+8613800000001", key="another")) == FULL


async def test_what_the_platform_itself_confirms_goes_all_the_same(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock, settings=BOUNDED)
    await admission.accept(usual.call(*numbers(0, A_BOUND)))
    confirmation = usual.call("+8613800000001", template=usual.notice, confirms=True)
    assert reasons(await admission.accept(confirmation)) == [None]


async def test_only_so_many_calls_wait_for_the_store_at_once(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock, settings=Settings(most_calls_at_once=5))
    calls = [admission.accept(usual.call(number)) for number in numbers(0, 8)]
    answers = await asyncio.gather(*calls)
    assert [answer for answer in answers if isinstance(answer, Refusal)] == [
        Refusal(Reason.TOO_MANY_CALLS_AT_ONCE, "5")
    ] * 3
    # Each that was answered makes room.
    assert reasons(await admission.accept(usual.call("+8613800000001"))) == [None]


async def test_a_call_to_many_numbers_counts_as_several(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock, settings=Settings(most_calls_at_once=5))
    calls = [usual.call(*numbers(100 * turn, 20)) for turn in range(4)]
    answers = await asyncio.gather(*[admission.accept(call) for call in calls])
    # What is begun counts in full, and the last that begins may go over the bound.
    assert [isinstance(answer, Refusal) for answer in answers] == [False, False, False, True]


async def test_a_call_that_is_given_up_makes_room_too(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock, settings=Settings(most_calls_at_once=1))
    task = asyncio.ensure_future(admission.accept(usual.call("+8613800000001")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert reasons(await admission.accept(usual.call("+8613800000002"))) == [None]


def counting(waits: int) -> Callable[[int], Awaitable[int]]:
    async def count(most: int) -> int:
        return min(waits, most)

    return count


async def test_what_is_accepted_while_it_is_counted_is_not_forgotten() -> None:
    backlog = Backlog(most_waiting=10, most_calls_at_once=1)
    backlog.accepted(4)

    async def count_slowly(most: int) -> int:
        backlog.accepted(6)
        return min(4, most)

    await backlog.count(count_slowly)
    assert backlog.no_more_messages(Lane.VERIFICATION) == Refusal(Reason.TOO_MUCH_WAITING, "10")
    await backlog.count(counting(9))
    assert backlog.no_more_messages(Lane.VERIFICATION) is None


@pytest.mark.parametrize(
    ("most_waiting", "bounds"),
    [(1, [1, 1, 1]), (2, [2, 2, 2]), (10, [10, 9, 8]), (15, [15, 14, 12]), (1_000_000, [1_000_000, 900_000, 800_000])],
)
async def test_the_less_urgent_is_refused_the_earlier(most_waiting: int, bounds: list[int]) -> None:
    backlog = Backlog(most_waiting=most_waiting, most_calls_at_once=1)
    for lane, bound in zip(Lane, bounds, strict=True):
        await backlog.count(counting(bound - 1))
        assert backlog.no_more_messages(lane) is None
        await backlog.count(counting(bound))
        assert backlog.no_more_messages(lane) == Refusal(Reason.TOO_MUCH_WAITING, str(bound))


async def test_the_count_stops_at_the_bound(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await usual_admission(engine, clock).accept(usual.call(*numbers(0, 20)))
    assert await engine.read(lambda tx: spool.count(tx, most=7)) == 7
    assert await engine.read(lambda tx: spool.count(tx, most=100)) == 20
