"""What carriers report becomes the end of a message, part by part, however often and in whatever order they say it."""

import pytest
from sqlalchemy import Connection, select
from usual import Clock, Usual, claimed, usual_account, usual_admission

from cleartosend.carriers import dispatch as moves
from cleartosend.delivery.receipts import take, take_parked
from cleartosend.model.messages import MessageState, Receipt, ReceiptStatus
from cleartosend.ports import Engine, Submitted
from cleartosend.store import messages, receipts
from cleartosend.store.messages import MessageRecord
from cleartosend.store.schema import receipts as receipts_table

ANN, BEN = "+8613711112222", "+8613711113333"
DELIVERED, FAILED = ReceiptStatus.DELIVERED, ReceiptStatus.UNDELIVERABLE


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Told:
    """One account's messages, and a carrier that takes and reports on them."""

    def __init__(self, engine: Engine, usual: Usual, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self._usual = usual
        self._admission = usual_admission(engine, clock)

    async def send(self, *ids: str, number: str = ANN, one_receipt: bool = False) -> int:
        """A message that the carrier takes under these ids, one a part; returns its number."""
        self.clock.advance(60)
        await self._admission.accept(self._usual.call(number, values=(str(int(self.clock()))[-6:], "5")))

        def work(tx: Connection) -> int:
            [parcel] = claimed(tx, self.clock())
            said = Submitted(ids, one_receipt=one_receipt)
            now = self.clock()
            taken = [(parcel.message_id, "c", said)]
            moves.submit(tx, taken, now=now, receipt_by=now + 60, settle_parked=take_parked)
            return parcel.message_id

        return await self.engine.write(work)

    async def report(
        self, carrier_id: str, status: ReceiptStatus = DELIVERED, code: str = "", *, at: float = 1.0
    ) -> None:
        said = Receipt(carrier="c", carrier_id=carrier_id, status=status, code=code or status.value, at=at)
        await self.engine.write(lambda tx: take(tx, [[said]]))

    async def message(self, message_id: int) -> MessageRecord:
        [found] = await self.engine.read(lambda tx: messages.find(tx, [message_id]))
        return found

    async def state(self, message_id: int) -> MessageState:
        return (await self.message(message_id)).state


@pytest.fixture
async def told(engine: Engine, clock: Clock) -> Told:
    return Told(engine, await usual_account(engine), clock)


async def test_a_long_message_is_delivered_when_all_its_parts_are(told: Told) -> None:
    message = await told.send("1", "2", "3")
    now = told.clock()
    await told.report("2", at=now + 20)
    await told.report("1", at=now + 30)
    await told.report("1", at=now + 30)
    assert await told.state(message) is MessageState.SUBMITTED
    await told.report("3", at=now + 10)
    assert await told.state(message) is MessageState.DELIVERED
    # It was whole when the last of its parts was there.
    assert (await told.message(message)).ended_at == now + 30


async def test_nothing_ends_before_it_was_handed_over(told: Told) -> None:
    message = await told.send("1")
    # As a carrier writes it that has only minutes.
    await told.report("1", at=told.clock() - 59)
    ended = await told.message(message)
    assert ended.ended_at == ended.submitted_at


async def test_a_long_message_has_failed_as_soon_as_one_part_has(told: Told) -> None:
    message = await told.send("1", "2")
    await told.report("1")
    await told.report("2", FAILED, "MK:0017")
    ended = await told.message(message)
    assert (ended.state, ended.code) == (MessageState.FAILED, "MK:0017")


async def test_parts_reported_together_settle_their_message_once(told: Told, engine: Engine) -> None:
    message = await told.send("1", "2")
    both = [Receipt(carrier="c", carrier_id=one, status=DELIVERED, code="DELIVRD", at=5.0) for one in ("1", "2")]
    [taken] = await engine.write(lambda tx: take(tx, [both]))
    assert [ending.message_id for ending in taken.ended] == [message]


async def test_a_carrier_that_reports_once_a_message_is_believed(told: Told) -> None:
    message = await told.send("1", "2", one_receipt=True)
    await told.report("1")
    assert await told.state(message) is MessageState.DELIVERED


async def test_parts_reported_before_the_answer_to_the_submit_are_counted(told: Told) -> None:
    await told.report("1")
    await told.report("2")
    message = await told.send("1", "2")
    assert await told.state(message) is MessageState.DELIVERED


@pytest.mark.parametrize("status", [ReceiptStatus.ENROUTE, ReceiptStatus.ACCEPTED])
async def test_a_message_on_its_way_has_not_ended(told: Told, status: ReceiptStatus) -> None:
    message = await told.send("1")
    await told.report("1", status)
    assert await told.state(message) is MessageState.SUBMITTED
    await told.report("1")
    assert await told.state(message) is MessageState.DELIVERED


async def test_a_message_that_the_carrier_deleted_has_failed(told: Told) -> None:
    message = await told.send("1")
    await told.report("1", ReceiptStatus.DELETED)
    assert await told.state(message) is MessageState.FAILED


async def test_the_first_word_on_a_message_is_believed(told: Told) -> None:
    message = await told.send("1")
    await told.report("1", FAILED, "MK:0017", at=3.0)
    await told.report("1", DELIVERED, at=4.0)
    assert await told.state(message) is MessageState.FAILED


async def test_a_carrier_that_uses_an_id_again_is_heard_about_both_messages(told: Told) -> None:
    first = await told.send("1")
    await told.report("1", at=3.0)
    second = await told.send("1", number=BEN)
    assert await told.state(second) is MessageState.SUBMITTED
    await told.report("1", at=4.0)
    assert (await told.state(first), await told.state(second)) == (MessageState.DELIVERED, MessageState.DELIVERED)


async def test_a_receipt_said_twice_is_kept_once_and_names_its_message(told: Told, engine: Engine) -> None:
    message = await told.send("1")
    for _ in range(2):
        await told.report("1")
    kept = await engine.read(lambda tx: tx.execute(select(receipts_table.c.message_id)).scalars().all())
    assert kept == [message]
    assert await engine.read(receipts.count_parked) == 0


async def test_how_long_a_carrier_took_is_known_of_what_it_delivered(told: Told, engine: Engine, clock: Clock) -> None:
    await told.send("1")
    said = Receipt(carrier="c", carrier_id="1", status=DELIVERED, code="DELIVRD", at=clock() + 7)
    [taken] = await engine.write(lambda tx: take(tx, [[said]]))
    assert taken.seconds == (("c", 7.0),)
