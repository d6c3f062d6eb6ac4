"""A clock that is set, forwards or backwards, neither holds up what waits nor sends anything twice."""

import pytest
from carriers.held import Held, dispatching, until
from usual import Clock, Usual, usual_account, usual_admission

from cleartosend.model.messages import MessageState
from cleartosend.ports import Engine, NotSubmitted
from cleartosend.settings import Settings
from cleartosend.spool.embedded import CLAIM_SECONDS
from cleartosend.store import messages

ANN, BEN = "+8613711112222", "+8613711113333"
HOUR = 3600.0
LATER = Settings(retry_after_seconds=60.0)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def usual(engine: Engine) -> Usual:
    return await usual_account(engine)


async def accept(engine: Engine, usual: Usual, clock: Clock, number: str) -> None:
    answer = await usual_admission(engine, clock).accept(usual.call(number))
    assert isinstance(answer, list)
    assert answer[0].refusal is None


async def test_what_was_accepted_before_the_clock_was_set_back_goes_out_at_once(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await accept(engine, usual, clock, ANN)
    clock.advance(-HOUR)
    carrier = Held()
    async with dispatching(engine, clock, carrier):
        await until(lambda: bool(carrier.in_hand))
        carrier.answer(1)


async def test_what_waits_for_its_next_attempt_does_not_wait_for_the_clock_to_come_back(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await accept(engine, usual, clock, ANN)
    carrier = Held()
    async with dispatching(engine, clock, carrier, settings=LATER) as dispatch:
        await until(lambda: bool(carrier.in_hand))
        carrier.answer(1, NotSubmitted("ESME_RSYSERR", again=True))
        await until(lambda: not dispatch.in_hand)
        clock.advance(-HOUR)
        dispatch.wake()
        await until(lambda: bool(carrier.in_hand))
        carrier.answer(1)


async def test_what_a_carrier_has_in_hand_is_not_handed_over_again_when_its_claim_has_run_out(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await accept(engine, usual, clock, ANN)
    carrier = Held()
    async with dispatching(engine, clock, carrier) as dispatch:
        await until(lambda: len(carrier.in_hand) == 1)
        # The store could not be written for so long, or somebody has set the clock.
        clock.advance(CLAIM_SECONDS + 1)
        await accept(engine, usual, clock, BEN)
        dispatch.wake()
        await until(lambda: len(carrier.in_hand) == 2)
        carrier.answer(2)
    assert [parcel.number for parcel in carrier.got] == [ANN, BEN]
    newest = await engine.read(messages.newest_id)
    [last] = await engine.read(lambda tx: messages.find(tx, [newest]))
    assert last.state is MessageState.SUBMITTED
