"""Whatever happens, or does not, every message comes to an end."""

from collections.abc import Awaitable, Callable

import pytest
from usual import Clock, Usual, change_settings, claimed, hand_over, usual_account, usual_admission

from cleartosend.admission.accept import Admission
from cleartosend.carriers import dispatch as moves
from cleartosend.compose import sweep
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.messages import MESSAGE_MOVES, MessageState, Party
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.spool.embedded import CLAIM_SECONDS, Later
from cleartosend.store import accounts, members, messages
from cleartosend.store.messages import MessageRecord

ANN = "+8613711112222"
SETTINGS = Settings()
ENDS = {MessageState.REFUSED, MessageState.DELIVERED, MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN}


class Walk:
    """One message, which is left alone in some state."""

    def __init__(self, engine: Engine, usual: Usual, clock: Clock) -> None:
        self.engine = engine
        self.usual = usual
        self.clock = clock
        self.admission: Admission = usual_admission(engine, clock)

    async def accept(self, *, marketing: bool = False) -> None:
        template = self.usual.marketing if marketing else None
        answer = await self.admission.accept(self.usual.call(ANN, template=template))
        assert isinstance(answer, list)
        assert answer[0].refusal is None

    async def claim(self) -> list[int]:
        now = self.clock()
        return [parcel.message_id for parcel in await self.engine.write(lambda tx: claimed(tx, now))]

    async def put_back(self, message_id: int) -> None:
        await self.engine.write(lambda tx: spool.put_back(tx, [Later(self.clock() + 5, 0, message_id)]))

    async def hand_over(self, message_id: int) -> None:
        now = self.clock()
        within = SETTINGS.receipt_within_seconds
        await self.engine.write(lambda tx: hand_over(tx, [message_id], now=now, within=within))

    async def suspend(self) -> None:
        account_id = self.usual.account.account_id
        await self.engine.write(
            lambda tx: moves.stop_account(
                tx, account_id, AccountStatus.SUSPENDED, by="tester", because="test", now=self.clock()
            )
        )

    async def sweep(self) -> None:
        await self.engine.write(lambda tx: sweep(tx, self.clock()))

    async def message(self) -> MessageRecord:
        newest = await self.engine.read(messages.newest_id)
        [found] = await self.engine.read(lambda tx: messages.find(tx, [newest]))
        return found


@pytest.fixture
async def walk(engine: Engine) -> Walk:
    usual = await usual_account(engine)
    await change_settings(engine, usual, per_number_per_day=None, same_content_per_30_seconds=None)
    account_id = usual.account.account_id
    await engine.write(lambda tx: members.add_members(tx, account_id, [ANN], source="purchase", now=1.0))
    return Walk(engine, usual, Clock())


async def never_claimed(walk: Walk) -> None:
    await walk.accept()


async def claimed_and_never_answered(walk: Walk) -> None:
    await walk.accept()
    await walk.claim()


async def claimed_again_and_again(walk: Walk) -> None:
    await walk.accept()
    await walk.claim()
    walk.clock.advance(CLAIM_SECONDS + 1)
    await walk.sweep()
    assert await walk.claim(), "its claim ran out, and it may be sent twice"


async def marketing_claimed_and_never_answered(walk: Walk) -> None:
    await walk.accept(marketing=True)
    await walk.claim()


async def put_back_until_it_was_too_late(walk: Walk) -> None:
    await walk.accept()
    [message_id] = await walk.claim()
    await walk.put_back(message_id)


async def submitted_without_a_receipt(walk: Walk) -> None:
    await walk.accept()
    [message_id] = await walk.claim()
    await walk.hand_over(message_id)


async def suspended_while_with_a_carrier_that_never_answers(walk: Walk) -> None:
    await walk.accept()
    await walk.claim()
    await walk.suspend()


LEFT_ALONE: list[tuple[Callable[[Walk], Awaitable[None]], MessageState, MessageState, str, Party]] = [
    (never_claimed, MessageState.ACCEPTED, MessageState.EXPIRED, "EXPIRED_UNSENT", Party.US),
    (claimed_and_never_answered, MessageState.ACCEPTED, MessageState.UNKNOWN, "INDOUBT", Party.US),
    (claimed_again_and_again, MessageState.ACCEPTED, MessageState.UNKNOWN, "INDOUBT", Party.US),
    (marketing_claimed_and_never_answered, MessageState.ACCEPTED, MessageState.UNKNOWN, "INDOUBT", Party.US),
    (put_back_until_it_was_too_late, MessageState.ACCEPTED, MessageState.EXPIRED, "EXPIRED_UNSENT", Party.US),
    (submitted_without_a_receipt, MessageState.SUBMITTED, MessageState.UNKNOWN, "NORECEIPT", Party.CARRIER),
    (
        suspended_while_with_a_carrier_that_never_answers,
        MessageState.ACCEPTED,
        MessageState.UNKNOWN,
        "INDOUBT",
        Party.US,
    ),
]


@pytest.mark.parametrize(
    ("leave", "state", "end", "code", "party"), LEFT_ALONE, ids=lambda its: getattr(its, "__name__", its)
)
async def test_a_message_that_is_left_alone_ends_when_its_time_is_over(
    walk: Walk,
    leave: Callable[[Walk], Awaitable[None]],
    state: MessageState,
    end: MessageState,
    code: str,
    party: Party,
) -> None:
    await leave(walk)
    waiting = await walk.message()
    assert waiting.state is state
    assert waiting.deadline_at is not None
    walk.clock.now = waiting.deadline_at - 1
    if code != "INDOUBT":  # a claim that may not be made twice ends with itself, long before
        await walk.sweep()
        assert (await walk.message()).state is state
    walk.clock.advance(2)
    await walk.sweep()
    ended = await walk.message()
    assert (ended.state, ended.code, ended.party) == (end, code, party)
    assert ended.deadline_at is None
    assert await walk.engine.read(spool.depth) == {}


def test_every_state_that_is_no_end_is_walked() -> None:
    assert {state for _leave, state, *_rest in LEFT_ALONE} == set(MessageState) - ENDS
    # What can be left without a late receipt is a state to be walked.
    assert {state for starts, _ends, _by in MESSAGE_MOVES.values() for state in starts} - {MessageState.UNKNOWN} == set(
        MessageState
    ) - ENDS


async def test_a_suspended_account_s_message_is_not_handed_over_a_second_time(walk: Walk) -> None:
    await walk.accept()
    await walk.claim()
    await walk.suspend()
    walk.clock.advance(CLAIM_SECONDS + 1)
    assert await walk.claim() == []
    await walk.sweep()
    assert (await walk.message()).code == "INDOUBT"


async def test_a_suspended_account_s_message_that_comes_back_from_a_carrier_is_stopped(walk: Walk) -> None:
    await walk.accept()
    [message_id] = await walk.claim()
    await walk.suspend()
    await walk.put_back(message_id)
    walk.clock.advance(6)
    assert await walk.claim() == []
    await walk.sweep()
    stopped = await walk.message()
    assert (stopped.state, stopped.code, stopped.party) == (MessageState.FAILED, "STOPPED", Party.YOU)


async def test_a_restored_account_s_messages_go_out_again(walk: Walk) -> None:
    await walk.suspend()
    account_id = walk.usual.account.account_id
    await walk.engine.write(
        lambda tx: accounts.set_status(
            tx, account_id, AccountStatus.ACTIVE, by="tester", because="a mistake", now=walk.clock()
        )
    )
    await walk.accept()
    assert len(await walk.claim()) == 1
