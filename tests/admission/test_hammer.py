"""64 callers at once, at two nodes that share one store: exactly what a limit leaves is accepted."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest
from sqlalchemy import func, select
from usual import (
    NOON_IN_BEIJING,
    Clock,
    Usual,
    change_app,
    change_settings,
    reasons,
    template_for_abroad,
    usual_account,
    usual_admission,
)

from cleartosend.admission.accept import Admission
from cleartosend.admission.frequency import day_of
from cleartosend.carriers import dispatch
from cleartosend.model.messages import RecipientOutcome, SendCall
from cleartosend.model.packages import PackageType
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store import budgets, packages
from cleartosend.store.opening import open_store
from cleartosend.store.schema import messages

CALLERS = 64
ANN = "+8613711112222"
NUMBERS = [f"+86137{number:08}" for number in range(2000)]


class Nodes(msgspec.Struct, frozen=True):
    """Two that accept into one store."""

    engine: Engine
    clock: Clock
    admissions: tuple[Admission, Admission]

    async def accept(self, calls: Sequence[SendCall]) -> list[list[RecipientOutcome] | Refusal]:
        """Make all calls at once, every other one at the other node."""
        node = itertools.cycle(self.admissions)
        return await asyncio.gather(*(next(node).accept(call) for call in calls))


@pytest.fixture
async def nodes(settings: Settings) -> AsyncIterator[Nodes]:
    clock = Clock()
    first, second = [await open_store(msgspec.structs.replace(settings, node=node)) for node in (0, 1)]
    yield Nodes(first, clock, (usual_admission(first, clock, node=0), usual_admission(second, clock, node=1)))
    await first.close()
    await second.close()


def numbers_per_call(count: int) -> list[list[str]]:
    """For each caller other numbers than for the rest."""
    rows = iter(NUMBERS)
    return [list(itertools.islice(rows, count)) for _ in range(CALLERS)]


async def accepted(nodes: Nodes) -> int:
    return await nodes.engine.read(
        lambda tx: tx.execute(
            select(func.count()).select_from(messages).where(messages.c.state == "accepted")
        ).scalar_one()
    )


async def add_package(nodes: Nodes, usual: Usual, amount: int) -> None:
    await nodes.engine.write(
        lambda tx: packages.add(
            tx,
            account_id=usual.account.account_id,
            sdk_app_id="",
            type=PackageType.BOUGHT,
            amount=amount,
            now=NOON_IN_BEIJING,
            expires_at=NOON_IN_BEIJING + 10_000,
        )
    )


async def used_today(nodes: Nodes, usual: Usual, scope: str) -> int:
    used = await nodes.engine.read(
        lambda tx: budgets.used_on(tx, usual.account.account_id, day=day_of(NOON_IN_BEIJING))
    )
    return used[scope]


async def test_one_number_is_reached_as_often_as_it_may_be(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    await change_settings(nodes.engine, usual, per_number_per_day=7)
    answers = await nodes.accept([usual.call(ANN, values=[str(number), "5"]) for number in range(CALLERS)])
    outcomes = [reason for answer in answers for reason in reasons(answer)]
    assert (outcomes.count(None), outcomes.count(Reason.REACHED_TOO_OFTEN_TODAY)) == (7, CALLERS - 7)
    assert await accepted(nodes) == 7


async def test_the_last_segments_of_packages_are_used_and_no_more(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    await change_settings(nodes.engine, usual, prepaid=True, variable_length=80)
    for amount in (20, 17):
        await add_package(nodes, usual, amount)
    # Two segments each, so one of the 37 is left over.
    calls = [usual.call(*numbers, template=usual.notice, values=["长" * 60]) for numbers in numbers_per_call(2)]
    answers = await nodes.accept(calls)
    outcomes = [reason for answer in answers for reason in reasons(answer)]
    assert (outcomes.count(None), outcomes.count(Reason.PACKAGE_USED_UP)) == (18, 2 * CALLERS - 18)
    assert await accepted(nodes) == 18
    left = await nodes.engine.write(lambda tx: packages.hold(tx, [usual.account.account_id], now=NOON_IN_BEIJING))
    assert [package.amount - package.used for package in left] == [1]


async def test_packages_have_paid_for_what_did_not_expire_while_more_came(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    await change_settings(nodes.engine, usual, prepaid=True)
    for amount in (50, 60, 70):
        await add_package(nodes, usual, amount)
    numbers = iter(NUMBERS)
    for _ in range(3):
        await asyncio.gather(
            nodes.accept([usual.call(next(numbers)) for _ in range(CALLERS)]),
            nodes.engine.write(lambda tx: dispatch.expire(tx, nodes.clock())),
        )
        # What is two rounds old has run out of time.
        nodes.clock.advance(2000)
    left = await nodes.engine.write(lambda tx: packages.hold(tx, [usual.account.account_id], now=nodes.clock()))
    assert 180 - sum(package.amount - package.used for package in left) == await accepted(nodes)


async def test_an_app_sends_what_its_cap_allows(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    await change_app(nodes.engine, usual, daily_cap=101)
    answers = await nodes.accept([usual.call(*numbers) for numbers in numbers_per_call(5)])
    outcomes = [reason for answer in answers for reason in reasons(answer)]
    assert (outcomes.count(None), outcomes.count(Reason.APP_DAILY_CAP)) == (101, 5 * CALLERS - 101)
    assert await accepted(nodes) == 101
    assert await used_today(nodes, usual, f"app:{usual.account.sdk_app_id}") == 101


async def test_an_account_sends_as_many_segments_abroad_as_it_may(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    template = await template_for_abroad(nodes.engine, usual)
    calls = [
        usual.call(*(f"+1415555{number}" for number in range(start, start + 3)), template_id=template, values=["1"])
        for start in range(2000, 2000 + 3 * CALLERS, 3)
    ]
    answers = await nodes.accept([msgspec.structs.replace(call, signature="") for call in calls])
    outcomes = [reason for answer in answers for reason in reasons(answer)]
    assert (outcomes.count(None), outcomes.count(Reason.INTERNATIONAL_DAILY_CAP)) == (100, 3 * CALLERS - 100)
    assert await used_today(nodes, usual, "international") == 100


async def test_one_number_under_a_frequency_limit_and_a_cap_spends_of_each_what_was_accepted(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    await change_settings(nodes.engine, usual, per_number_per_day=9)
    await change_app(nodes.engine, usual, daily_cap=12)
    others = numbers_per_call(1)
    calls = [usual.call(ANN, *other, values=[str(place), "5"]) for place, other in enumerate(others)]
    answers = await nodes.accept(calls)
    outcomes = [reason for answer in answers for reason in reasons(answer)]
    assert outcomes.count(None) == 12
    assert await used_today(nodes, usual, f"app:{usual.account.sdk_app_id}") == 12
    # What the cap refused gave its places back: the number is reached as often as its limit still allows.
    to_ann = sum(reasons(answer)[0] is None for answer in answers)
    assert to_ann <= 9
    await change_settings(nodes.engine, usual, per_number_per_day=9)
    await change_app(nodes.engine, usual)
    again = await nodes.accept([usual.call(ANN, values=[str(place), "6"]) for place in range(CALLERS)])
    assert [reasons(answer) for answer in again].count([None]) == 9 - to_ann


async def test_one_key_makes_one_set_of_messages(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    numbers = NUMBERS[:3]
    answers = await nodes.accept([usual.call(*numbers, key="order 8841")] * CALLERS)
    assert all(answer == answers[0] for answer in answers)
    assert reasons(answers[0]) == [None, None, None]
    assert await accepted(nodes) == 3


async def test_of_two_calls_with_one_key_one_is_answered(nodes: Nodes) -> None:
    usual = await usual_account(nodes.engine)
    calls = [usual.call(NUMBERS[place % 2], key="order 8841") for place in range(CALLERS // 2)]
    answers = await nodes.accept([call for call in calls for _ in range(2)])
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert {refusal.reason for refusal in refused} == {Reason.KEY_USED_FOR_ANOTHER_CALL}
    assert len(refused) == CALLERS / 2
    assert await accepted(nodes) == 1
