"""What was accepted leaves the spool, reaches a carrier, and ends in a stated state, whatever the carrier does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest
from sqlalchemy import Connection, select
from usual import Clock, Usual, claimed, reasons, usual_account, usual_admission, usual_dispatch

from cleartosend.carriers import dispatch as moves
from cleartosend.carriers.dispatch import Dispatch
from cleartosend.carriers.simulator import BEHAVIOURS, SimulatorCarrier
from cleartosend.compose import sweep
from cleartosend.delivery.receipts import Receipts
from cleartosend.delivery.replies import Replies
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.messages import MessageState, Parcel, Party, Receipt, ReceiptStatus, Reply
from cleartosend.model.reasons import Reason
from cleartosend.ports import Carrier, Engine, NotSubmitted, OutcomeUnknown, Submitted
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.spool.embedded import Later
from cleartosend.store import accounts, members, messages, receipts
from cleartosend.store.messages import MessageRecord
from cleartosend.store.schema import messages as messages_table

FAST = Settings(simulator_delay_seconds=0.01, retry_after_seconds=0.0)
IMPATIENT = Settings(drain_seconds=0.01)
ENOUGH_SECONDS = 20


@pytest.fixture
def clock() -> Clock:
    return Clock()


def simulator(clock: Clock) -> SimulatorCarrier:
    return SimulatorCarrier(delay_seconds=FAST.simulator_delay_seconds, seed=1, clock=clock)


def replies_of(engine: Engine, clock: Clock) -> Replies:
    return Replies(engine, settings=FAST, accept=usual_admission(engine, clock).accept)


@contextlib.asynccontextmanager
async def sending(
    engine: Engine, carrier: Carrier, clock: Clock, *, settings: Settings = FAST
) -> AsyncIterator[Dispatch]:
    """The carrier's side of the house, at work."""
    await carrier.start(on_receipts=Receipts(engine).take, on_reply=replies_of(engine, clock).take)
    dispatch = usual_dispatch(engine, carrier, clock, settings=settings)
    running = asyncio.get_running_loop().create_task(dispatch.run())
    try:
        yield dispatch
    finally:
        dispatch.stop()
        await running
        await carrier.stop()


async def every_message(engine: Engine) -> list[MessageRecord]:
    def question(tx: Connection) -> list[MessageRecord]:
        ids = tx.execute(select(messages_table.c.id).order_by(messages_table.c.id)).scalars().all()
        return sorted(messages.find(tx, ids), key=lambda message: message.id)

    return await engine.read(question)


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not await what():
            await asyncio.sleep(0.01)


async def ended(engine: Engine) -> list[MessageRecord]:
    """All messages, once none waits any more."""

    async def nobody_waits() -> bool:
        return all(
            message.state not in {MessageState.ACCEPTED, MessageState.SUBMITTED}
            for message in await every_message(engine)
        )

    await until(nobody_waits)
    return await every_message(engine)


async def accept(engine: Engine, clock: Clock, *numbers: str) -> Usual:
    usual = await usual_account(engine)
    clock.advance(1)
    assert reasons(await usual_admission(engine, clock).accept(usual.call(*numbers))) == [None] * len(numbers)
    return usual


async def test_what_was_accepted_is_delivered(engine: Engine, clock: Clock) -> None:
    await accept(engine, clock, *(f"+86137{number:08}" for number in range(200)))
    async with sending(engine, simulator(clock), clock):
        kept = await ended(engine)
    assert {(message.state, message.code, message.party) for message in kept} == {
        (MessageState.DELIVERED, "DELIVRD", Party.NOBODY)
    }
    assert await engine.read(spool.depth) == {}


ENDS = [
    ("99001", MessageState.FAILED, "REJECTD", Party.CARRIER),
    ("99002", MessageState.DELIVERED, "DELIVRD", Party.NOBODY),
    ("99003", MessageState.FAILED, "MK:0000", Party.PHONE),
    ("99004", MessageState.FAILED, "MI:0013", Party.PHONE),
    ("99005", MessageState.FAILED, "MK:0017", Party.PHONE),
    ("99006", MessageState.FAILED, "BWLIST", Party.CARRIER),
    ("99007", MessageState.EXPIRED, "EXPIRED", Party.PHONE),
    ("99008", MessageState.UNKNOWN, "UNKNOWN", Party.CARRIER),
    ("99009", MessageState.DELIVERED, "DELIVRD", Party.NOBODY),
    ("99010", MessageState.DELIVERED, "DELIVRD", Party.NOBODY),
    ("99012", MessageState.DELIVERED, "DELIVRD", Party.NOBODY),
    ("99013", MessageState.DELIVERED, "DELIVRD", Party.NOBODY),
    ("99014", MessageState.DELIVERED, "DELIVRD", Party.NOBODY),
]


@pytest.mark.parametrize(("ending", "state", "code", "party"), ENDS)
async def test_each_ending_of_a_number_comes_to_its_end(
    engine: Engine, clock: Clock, ending: str, state: MessageState, code: str, party: Party
) -> None:
    assert ending in BEHAVIOURS
    usual = await accept(engine, clock, f"+86137000{ending}")
    async with sending(engine, simulator(clock), clock):
        [message] = await ended(engine)
    assert (message.state, message.code, message.party) == (state, code, party)
    # However often the carrier spoke, the customer hears once.
    taken = await engine.write(lambda tx: messages.take_statuses(tx, usual.account.sdk_app_id, 100))
    assert [one.id for one in taken] == [message.id]
    assert await engine.read(receipts.count_parked) == 0


def test_each_documented_ending_is_tested() -> None:
    # The one without a receipt has a test of its own below.
    assert {row[0] for row in ENDS} | {"99011"} == set(BEHAVIOURS)


async def test_a_message_without_a_receipt_ends_as_unknown_and_a_late_receipt_still_settles_it(
    engine: Engine, clock: Clock
) -> None:
    await accept(engine, clock, "+8613700099011")
    async with sending(engine, simulator(clock), clock):

        async def is_submitted() -> bool:
            return (await every_message(engine))[0].state is MessageState.SUBMITTED

        await until(is_submitted)
    clock.advance(FAST.receipt_within_seconds + 1)
    await engine.write(lambda tx: sweep(tx, clock()))
    [message] = await every_message(engine)
    assert (message.state, message.code, message.party) == (MessageState.UNKNOWN, "NORECEIPT", Party.CARRIER)
    late = Receipt(
        carrier="simulator",
        carrier_id=f"{message.id:x}",
        status=ReceiptStatus.DELIVERED,
        code="DELIVRD",
        at=clock(),
    )
    await Receipts(engine).take([late])
    [message] = await every_message(engine)
    assert message.state is MessageState.DELIVERED
    # Who pulls hears of both, each as it was.
    pulled = await engine.write(lambda tx: messages.take_statuses(tx, message.sdk_app_id, 10))
    assert [(one.state, one.code) for one in pulled] == [
        (MessageState.UNKNOWN, "NORECEIPT"),
        (MessageState.DELIVERED, "DELIVRD"),
    ]


async def test_a_receipt_nobody_knows_is_kept(engine: Engine, clock: Clock) -> None:
    stray = Receipt(carrier="simulator", carrier_id="beef", status=ReceiptStatus.DELIVERED, code="DELIVRD", at=clock())
    await Receipts(engine).take([stray])
    await Receipts(engine).take([stray])
    assert await engine.read(receipts.count_parked) == 1


async def test_a_message_that_no_carrier_takes_in_time_expires(engine: Engine, clock: Clock) -> None:
    await accept(engine, clock, "+8613711112222")
    clock.advance(FAST.submit_within_seconds + 1)
    await engine.write(lambda tx: sweep(tx, clock()))
    [message] = await every_message(engine)
    assert (message.state, message.party) == (MessageState.EXPIRED, Party.US)
    assert await engine.read(spool.depth) == {}


async def test_what_waits_of_a_stopped_account_does_not_go_out(engine: Engine, clock: Clock) -> None:
    usual = await accept(engine, clock, "+8613711112222")
    other = await accept(engine, clock, "+8613711113333")
    await engine.write(lambda tx: moves.stop(tx, usual.account.account_id, clock()))
    async with sending(engine, simulator(clock), clock):
        kept = await ended(engine)
    states = {message.account_id: (message.state, message.code) for message in kept}
    assert states[usual.account.account_id] == (MessageState.FAILED, "STOPPED")
    assert states[other.account.account_id] == (MessageState.DELIVERED, "DELIVRD")


async def test_a_reply_of_r_takes_the_number_off(engine: Engine, clock: Clock) -> None:
    usual = await accept(engine, clock, "+8613700099013")
    async with sending(engine, simulator(clock), clock):
        await ended(engine)

        async def is_refused() -> bool:
            clock.advance(60)
            answer = await usual_admission(engine, clock).accept(usual.call("+8613700099013", values=["9", "5"]))
            return reasons(answer) == [Reason.OPTED_OUT]

        await until(is_refused)


class SilentCarrier:
    """Takes parcels and never answers."""

    name = "simulator"

    def __init__(self) -> None:
        self.taken: list[Parcel] = []

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        pass

    def is_up(self) -> bool:
        return True

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        self.taken.append(parcel)
        await asyncio.Event().wait()
        raise AssertionError

    async def stop(self) -> None:
        pass


class LosingCarrier(SilentCarrier):
    """Loses its connection after it took a parcel, the first time it is given one."""

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        self.taken.append(parcel)
        if parcel.attempts == 1:
            raise OutcomeUnknown
        return Submitted((f"{parcel.message_id:x}",))


async def code_and_marketing(engine: Engine, clock: Clock) -> None:
    """One message that may be sent twice and one that may not wait in the spool."""
    usual = await usual_account(engine)
    await engine.write(
        lambda tx: members.add_members(tx, usual.account.account_id, ["+8613711113333"], source="purchase", now=clock())
    )
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call("+8613711112222"))) == [None]
    assert reasons(await admission.accept(usual.call("+8613711113333", template=usual.marketing))) == [None]


async def test_after_a_crash_what_was_in_flight_is_sent_again_but_marketing_is_not(
    engine: Engine, clock: Clock
) -> None:
    await code_and_marketing(engine, clock)
    silent = SilentCarrier()
    async with sending(engine, silent, clock, settings=IMPATIENT):

        async def both_were_taken() -> bool:
            return len(silent.taken) == 2

        await until(both_were_taken)
    # A new process, which knows that it is alone.
    await engine.write(spool.end_claims)
    await engine.write(lambda tx: sweep(tx, clock()))
    async with sending(engine, simulator(clock), clock):
        code, marketing = await ended(engine)
    assert (code.state, code.number) == (MessageState.DELIVERED, "+8613711112222")
    assert (marketing.state, marketing.code, marketing.party) == (MessageState.UNKNOWN, "INDOUBT", Party.US)


async def test_what_a_carrier_is_being_asked_to_take_does_not_expire(engine: Engine, clock: Clock) -> None:
    await accept(engine, clock, "+8613711112222")
    clock.advance(FAST.submit_within_seconds - 1)
    await engine.write(lambda tx: claimed(tx, clock()))
    clock.advance(2)
    await engine.write(lambda tx: sweep(tx, clock()))
    assert (await every_message(engine))[0].state is MessageState.ACCEPTED
    # Once nobody has it any more, nobody knows whether it went out.
    clock.advance(spool.CLAIM_SECONDS)
    await engine.write(lambda tx: sweep(tx, clock()))
    [message] = await every_message(engine)
    assert (message.state, message.code) == (MessageState.UNKNOWN, "INDOUBT")


async def test_a_message_that_comes_back_from_a_carrier_to_a_stopped_account_is_stopped(
    engine: Engine, clock: Clock
) -> None:
    usual = await accept(engine, clock, "+8613711112222")
    [parcel] = await engine.write(lambda tx: claimed(tx, clock()))

    def suspend(tx: Connection) -> None:
        account_id = usual.account.account_id
        accounts.set_status(tx, account_id, AccountStatus.SUSPENDED, by="tester", because="", now=clock())
        moves.stop(tx, account_id, clock())

    await engine.write(suspend)
    assert (await every_message(engine))[0].state is MessageState.ACCEPTED
    await engine.write(lambda tx: spool.put_back(tx, [Later(clock(), 0, parcel.message_id)]))
    await engine.write(lambda tx: sweep(tx, clock()))
    [message] = await every_message(engine)
    assert (message.state, message.code) == (MessageState.FAILED, "STOPPED")


async def test_where_nobody_knows_whether_it_went_out_a_code_is_sent_again_and_marketing_is_not(
    engine: Engine, clock: Clock
) -> None:
    await code_and_marketing(engine, clock)
    losing = LosingCarrier()
    async with sending(engine, losing, clock):

        async def nothing_waits() -> bool:
            return not any(message.state is MessageState.ACCEPTED for message in await every_message(engine))

        await until(nothing_waits)
    code, marketing = await every_message(engine)
    assert code.state is MessageState.SUBMITTED
    assert (marketing.state, marketing.code, marketing.party) == (MessageState.UNKNOWN, "INDOUBT", Party.US)
    assert [parcel.attempts for parcel in losing.taken if parcel.message_id == code.id] == [1, 2]
    assert [parcel.attempts for parcel in losing.taken if parcel.message_id == marketing.id] == [1]


async def test_a_full_window_claims_no_more_and_does_not_keep_the_server_from_stopping(
    engine: Engine, clock: Clock
) -> None:
    await accept(engine, clock, *(f"+86137{number:08}" for number in range(30)))
    silent = SilentCarrier()
    settings = Settings(window=10, drain_seconds=0.01)
    dispatch = usual_dispatch(engine, silent, clock, settings=settings)
    running = asyncio.get_running_loop().create_task(dispatch.run())

    async def the_window_is_full() -> bool:
        return len(silent.taken) >= 10

    await until(the_window_is_full)
    dispatch.wake()
    await asyncio.sleep(0.05)
    assert len(silent.taken) == 10
    dispatch.stop()
    async with asyncio.timeout(ENOUGH_SECONDS):
        await running


async def test_a_small_window_still_empties_the_spool(engine: Engine, clock: Clock) -> None:
    await accept(engine, clock, *(f"+86137{number:08}" for number in range(100)))
    carrier = simulator(clock)
    await carrier.start(on_receipts=Receipts(engine).take, on_reply=replies_of(engine, clock).take)
    dispatch = usual_dispatch(engine, carrier, clock, settings=Settings(window=7))
    running = asyncio.get_running_loop().create_task(dispatch.run())
    kept = await ended(engine)
    assert {message.state for message in kept} == {MessageState.DELIVERED}
    dispatch.stop()
    await running
    await carrier.stop()


async def test_codes_do_not_wait_behind_marketing(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    await admission.accept(usual.call("+8613711112222", template=usual.notice))
    await admission.accept(usual.call("+8613711113333"))
    first, second = await engine.write(lambda tx: claimed(tx, clock()))
    assert (first.number, second.number) == ("+8613711113333", "+8613711112222")


class UnboundCarrier(SilentCarrier):
    """Has lost its line when it is given the first message, and has another for it at once."""

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        self.taken.append(parcel)
        if len(self.taken) == 1:
            return NotSubmitted("NOT_BOUND", again=True, not_sent=True)
        return Submitted((f"{parcel.message_id:x}",))


async def test_what_certainly_never_left_goes_another_way_at_once_and_that_is_no_attempt(
    engine: Engine, clock: Clock
) -> None:
    await accept(engine, clock, "+8613711112222")
    unbound = UnboundCarrier()
    # Who would wait here for a second attempt would wait for ever: the clock stands still.
    async with sending(engine, unbound, clock, settings=Settings(retry_after_seconds=60.0)):

        async def it_was_taken() -> bool:
            return (await every_message(engine))[0].state is MessageState.SUBMITTED

        await until(it_was_taken)
    assert [parcel.attempts for parcel in unbound.taken] == [1, 1]


class BrokenCarrier(SilentCarrier):
    """Trips over what it is given, once."""

    def submit(self, parcel: Parcel) -> "asyncio.Future[Submitted | NotSubmitted]":  # type: ignore[override]
        self.taken.append(parcel)
        if parcel.attempts == 1 and parcel.number.endswith("2"):
            raise KeyError(parcel.number)
        answer: asyncio.Future[Submitted | NotSubmitted] = asyncio.get_running_loop().create_future()
        answer.set_result(Submitted((f"{parcel.message_id:x}",)))
        return answer


async def test_a_carrier_that_trips_over_one_message_takes_the_others(engine: Engine, clock: Clock) -> None:
    await accept(engine, clock, "+8613711112222", "+8613711113333")
    async with sending(engine, BrokenCarrier(), clock):

        async def both_were_taken() -> bool:
            return {message.state for message in await every_message(engine)} == {MessageState.SUBMITTED}

        await until(both_were_taken)


class OddCarrier(SilentCarrier):
    """Names one message in a way that the store cannot keep."""

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        odd = parcel.number.endswith("2")
        return Submitted((b"\xff",)) if odd else Submitted((f"{parcel.message_id:x}",))  # type: ignore[arg-type]


async def test_an_answer_that_cannot_be_kept_does_not_lose_the_others(engine: Engine, clock: Clock) -> None:
    await accept(engine, clock, "+8613711112222", "+8613711113333")
    async with sending(engine, OddCarrier(), clock, settings=IMPATIENT):

        async def the_other_is_with_the_carrier() -> bool:
            return MessageState.SUBMITTED in {message.state for message in await every_message(engine)}

        await until(the_other_is_with_the_carrier)
    assert [message.state for message in await every_message(engine)].count(MessageState.SUBMITTED) >= 1
