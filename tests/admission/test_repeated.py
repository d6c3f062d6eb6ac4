"""A call with a key is answered once, and then the same, whatever has changed since."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select
from usual import Clock, change_app, change_settings, reasons, usual_account, usual_admission

from cleartosend.compose import forget_old
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store import accounts
from cleartosend.store.schema import answered_calls, messages, spool

ANN, BEN, CAT = "+8613711112222", "+8613711113333", "+8613711114444"


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def count(engine: Engine, table: Any) -> int:
    return await engine.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one())


async def test_a_call_made_again_is_answered_as_the_first_was_and_sends_nothing(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    call = usual.call(ANN, "12345", BEN, "13711112222", key="order 8841")
    first = await admission.accept(call)
    assert reasons(first) == [None, Reason.NUMBER_MALFORMED, None, None]
    recorded = await count(engine, messages)
    for _ in range(2):
        assert await admission.accept(call) == first
    assert await count(engine, messages) == recorded
    assert await count(engine, spool) == 2


async def test_a_node_that_did_not_take_the_first_call_answers_the_same(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    call = usual.call(ANN, key="order 8841")
    first = await usual_admission(engine, clock).accept(call)
    assert await usual_admission(engine, clock, node=1).accept(call) == first


async def test_a_call_without_a_key_is_a_new_one_each_time(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, same_content_per_30_seconds=None)
    admission = usual_admission(engine, clock)
    first, second = [await admission.accept(usual.call(ANN, session_context="1")) for _ in range(2)]
    assert first != second
    assert await count(engine, answered_calls) == 0


@pytest.mark.parametrize(
    "differs",
    [
        {"numbers": [BEN]},
        {"values": ["654321", "5"]},
        {"signature": "别家书店"},
        {"template_id": "999"},
        {"session_context": "other"},
        {"sender_id": "other"},
    ],
)
async def test_a_key_cannot_be_used_for_another_call(engine: Engine, clock: Clock, differs: dict[str, Any]) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    await admission.accept(usual.call(ANN, key="order 8841"))
    answer = await admission.accept(usual.call(**{"numbers": [ANN]} | differs, key="order 8841"))
    assert answer == Refusal(Reason.KEY_USED_FOR_ANOTHER_CALL)
    assert await count(engine, messages) == 1


async def test_another_credential_of_the_account_repeats_the_same_call(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    first = await admission.accept(usual.call(ANN, key="order 8841"))
    assert await admission.accept(usual.call(ANN, key="order 8841", secret_id="another")) == first


async def test_accounts_and_apps_have_keys_of_their_own(engine: Engine, clock: Clock) -> None:
    usual, neighbour = await usual_account(engine), await usual_account(engine)
    app = await engine.write(
        lambda tx: accounts.add_app(tx, account_id=usual.account.account_id, name="other", now=1.0)
    )
    admission = usual_admission(engine, clock)
    for call in (
        usual.call(ANN, key="order 8841"),
        usual.call(BEN, key="order 8841", sdk_app_id=app.sdk_app_id),
        neighbour.call(CAT, key="order 8841"),
    ):
        assert reasons(await admission.accept(call)) == [None]


async def test_a_session_context_is_a_key_where_the_app_says_so(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, session_context_is_key=True)
    admission = usual_admission(engine, clock)
    first = await admission.accept(usual.call(ANN, session_context="8841"))
    assert reasons(first) == [None]
    assert await admission.accept(usual.call(ANN, session_context="8841")) == first
    # The same words as a key are another name.
    assert reasons(await admission.accept(usual.call(BEN, key="8841"))) == [None]
    # No context, no key.
    assert reasons(await admission.accept(usual.call(CAT))) == [None]
    assert reasons(await admission.accept(usual.call(CAT))) == [Reason.SAME_CONTENT_TOO_OFTEN]


async def test_a_call_refused_as_a_whole_leaves_its_key_free(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    refused = await admission.accept(usual.call(ANN, "+14155552671", key="order 8841"))
    assert isinstance(refused, Refusal)
    assert reasons(await admission.accept(usual.call(ANN, key="order 8841"))) == [None]


async def test_a_change_of_the_account_does_not_change_the_answer(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    call = usual.call(ANN, key="order 8841")
    first = await admission.accept(call)
    await change_settings(engine, usual, per_number_per_day=0)
    assert await admission.accept(call) == first
    await engine.write(
        lambda tx: accounts.set_status(
            tx, usual.account.account_id, AccountStatus.SUSPENDED, by="tester", because="", now=1.0
        )
    )
    assert await admission.accept(call) == first
    new = await admission.accept(usual.call(ANN, key="order 8842"))
    assert isinstance(new, Refusal)
    assert new.reason is Reason.ACCOUNT_NOT_ACTIVE


async def test_what_was_refused_number_by_number_stays_refused_under_its_key(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    await admission.accept(usual.call(ANN))
    call = usual.call(ANN, BEN, key="order 8841")
    first = await admission.accept(call)
    assert reasons(first) == [Reason.SAME_CONTENT_TOO_OFTEN, None]
    clock.advance(60)
    assert await admission.accept(call) == first


async def test_equal_calls_of_one_moment_make_one_message_though_the_account_just_changed(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(BEN))) == [None]  # now the account is remembered
    await change_settings(engine, usual, per_number_per_day=5)
    answers = await asyncio.gather(*(admission.accept(usual.call(ANN, key="order 8841")) for _ in range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert await count(engine, messages) == 2


async def test_a_key_is_free_again_when_its_time_is_over(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    call = usual.call(ANN, key="order 8841")
    first = await admission.accept(call)
    for seconds, is_kept in ((86400, True), (1, False)):
        clock.advance(seconds)
        await engine.write(lambda tx: forget_old(tx, clock(), settings=Settings()))
        assert (await admission.accept(call) == first) is is_kept


async def test_keys_may_be_long_and_hold_anything(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    for key in ("x" * 10_000, "\x00", "订单"):
        call = usual.call(ANN, values=[str(len(key)), "5"], key=key)
        assert await admission.accept(call) == await admission.accept(call)
