"""Statistics are counted as things happen, once for each message, in the hour in which they happen."""

from importlib import import_module

import msgspec
import pytest
from sqlalchemy import Connection, delete, select, text
from usual import Clock, Usual, claimed, hand_over, reasons, usual_account, usual_admission

from cleartosend.carriers import dispatch as moves
from cleartosend.compose import sweep
from cleartosend.delivery.receipts import take
from cleartosend.model.messages import Receipt, ReceiptStatus
from cleartosend.model.reasons import Reason
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store import statistics
from cleartosend.store.opening import open_store
from cleartosend.store.schema import statistics as statistics_table
from cleartosend.store.statistics import HourCounts

HOUR = 3600
COUNT_EARLIER_MESSAGES = import_module(
    "cleartosend.store.migrations.versions.0002_limits_consent_and_callbacks"
).COUNT_EARLIER_MESSAGES
ANN, BEN, CAT, DAN = "+8613711112222", "+8613711113333", "+8613711114444", "+8613711115555"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def usual(engine: Engine) -> Usual:
    return await usual_account(engine)


async def counts(engine: Engine, usual: Usual, at: float, *, until: float | None = None) -> HourCounts:
    """What was counted in the hours of the times given."""
    app = usual.account.sdk_app_id
    to = until or at
    return await engine.read(lambda tx: statistics.read(tx, app, from_hour=int(at // HOUR), to_hour=int(to // HOUR)))


async def all_handed_over(engine: Engine, clock: Clock) -> list[str]:
    """A carrier takes everything that waits; returns its ids, in the order of the messages."""

    def work(tx: Connection) -> list[str]:
        now = clock()
        return hand_over(tx, [parcel.message_id for parcel in claimed(tx, now)], now=now)

    return await engine.write(work)


async def report(engine: Engine, carrier_id: str, status: ReceiptStatus, code: str, *, at: float) -> None:
    receipt = Receipt(carrier="c", carrier_id=carrier_id, status=status, code=code, at=at)
    await engine.write(lambda tx: take(tx, [[receipt]]))


async def test_what_was_asked_for_counts_in_the_hour_of_its_call(engine: Engine, usual: Usual, clock: Clock) -> None:
    admission = usual_admission(engine, clock)
    answer = await admission.accept(usual.call(ANN, BEN, ANN, "nobody"))
    assert reasons(answer) == [None, None, None, Reason.NUMBER_MALFORMED]
    # Ann's two copies are one message; the number that cannot be read was asked for all the same.
    assert await counts(engine, usual, clock()) == HourCounts(requests=3, accepted=2, segments=2)
    began = clock()
    clock.advance(HOUR)
    await admission.accept(usual.call(CAT))
    assert await counts(engine, usual, clock()) == HourCounts(requests=1, accepted=1, segments=1)
    assert await counts(engine, usual, began, until=clock()) == HourCounts(requests=4, accepted=3, segments=3)


async def test_a_refused_call_is_a_request_and_nothing_more(engine: Engine, usual: Usual, clock: Clock) -> None:
    await usual_admission(engine, clock).accept(usual.call(ANN, BEN, values=["too", "many", "values"]))
    assert await counts(engine, usual, clock()) == HourCounts(requests=2)


async def test_a_receipt_counts_in_its_own_hour_and_by_what_its_code_means(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    numbers = [f"+86137111122{number:02}" for number in range(7)]
    assert reasons(await usual_admission(engine, clock).accept(usual.call(*numbers))) == [None] * 7
    ids = await all_handed_over(engine, clock)
    later = clock() + HOUR
    ends = [
        (ReceiptStatus.DELIVERED, "DELIVRD"),
        (ReceiptStatus.UNDELIVERABLE, "MK:0000"),
        (ReceiptStatus.UNDELIVERABLE, "MI:0013"),
        (ReceiptStatus.REJECTED, "BWLIST"),
        (ReceiptStatus.REJECTED, "MX:0003"),
        (ReceiptStatus.REJECTED, "XY:9999"),
        (ReceiptStatus.UNKNOWN, "UNKNOWN"),
    ]
    for carrier_id, (status, code) in zip(ids, ends, strict=True):
        await report(engine, carrier_id, status, code, at=later)
        # Said twice, it counts once.
        await report(engine, carrier_id, status, code, at=later)
    assert await counts(engine, usual, clock()) == HourCounts(requests=7, accepted=7, segments=7)
    assert await counts(engine, usual, later) == HourCounts(
        reported=7,
        delivered=1,
        failed=6,
        invalid_number=1,
        switched_off=1,
        blacklisted=1,
        too_often=1,
        internal=2,
    )


async def test_a_receipt_that_comes_after_a_message_was_given_up_corrects_what_was_counted(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await usual_admission(engine, clock).accept(usual.call(ANN))
    [carrier_id] = await all_handed_over(engine, clock)
    clock.advance(2 * HOUR)
    await engine.write(lambda tx: sweep(tx, clock()))
    given_up_at = clock()
    assert await counts(engine, usual, given_up_at) == HourCounts(reported=1, failed=1, internal=1)
    late = given_up_at + HOUR
    await report(engine, carrier_id, ReceiptStatus.DELIVERED, "DELIVRD", at=late)
    assert await counts(engine, usual, given_up_at) == HourCounts()
    assert await counts(engine, usual, late) == HourCounts(reported=1, delivered=1)


async def test_what_no_carrier_took_counts_as_failed_and_its_segments_are_not_paid_for(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await usual_admission(engine, clock).accept(usual.call(ANN))
    accepted_at = clock()
    clock.advance(Settings().submit_within_seconds + 1)
    await engine.write(lambda tx: sweep(tx, clock()))
    assert await counts(engine, usual, clock()) == HourCounts(reported=1, failed=1, internal=1)
    assert await counts(engine, usual, accepted_at) == HourCounts(requests=1, accepted=1)


async def test_each_node_counts_in_rows_of_its_own(settings: Settings, clock: Clock) -> None:
    nodes = [await open_store(msgspec.structs.replace(settings, node=node)) for node in (1, 2)]
    try:
        usual = await usual_account(nodes[0])
        for node, number in zip(nodes, (ANN, BEN), strict=True):
            await usual_admission(node, clock).accept(usual.call(number))
            clock.advance(1)
        rows = await nodes[0].read(
            lambda tx: tx.execute(select(statistics_table.c.node).order_by(statistics_table.c.node)).scalars().all()
        )
        assert rows == [1, 2]
        assert (await counts(nodes[0], usual, clock())).accepted == len(nodes)
    finally:
        for node in nodes:
            await node.close()


async def test_a_store_from_before_statistics_counts_what_it_holds(engine: Engine, usual: Usual, clock: Clock) -> None:
    admission = usual_admission(engine, clock)
    await admission.accept(usual.call(ANN, BEN, CAT))
    await admission.accept(usual.call(ANN, values=["too", "many", "values"]))
    ids = await all_handed_over(engine, clock)
    later = clock() + HOUR
    await report(engine, ids[0], ReceiptStatus.DELIVERED, "DELIVRD", at=later)
    await report(engine, ids[1], ReceiptStatus.UNKNOWN, "UNKNOWN", at=later)
    # One that no carrier takes in time.
    await admission.accept(usual.call(DAN))
    clock.advance(2 * HOUR)
    await engine.write(lambda tx: moves.expire(tx, clock()))
    hours = [clock() - 2 * HOUR, later, clock()]
    counted = [await counts(engine, usual, at) for at in hours]

    def work(tx: Connection) -> None:
        tx.execute(delete(statistics_table))
        tx.execute(text(COUNT_EARLIER_MESSAGES))

    await engine.write(work)
    again = [await counts(engine, usual, at) for at in hours]
    # Why what failed did is counted from now on only.
    assert again == [*counted[:2], msgspec.structs.replace(counted[2], internal=0)]
    assert counted[2].failed == 1
