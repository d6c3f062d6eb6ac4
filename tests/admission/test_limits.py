"""Caps, allow-lists and packages: who is refused says why and takes nothing, and what is left goes to others."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import Connection
from usual import (
    NOON_IN_BEIJING,
    SIGNATURE,
    Clock,
    Usual,
    change_app,
    change_settings,
    reasons,
    template_for_abroad,
    usual_account,
    usual_admission,
)

from cleartosend.admission.frequency import day_of
from cleartosend.carriers import dispatch
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.messages import message_id_of
from cleartosend.model.packages import Package, PackageType
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.ports import Engine
from cleartosend.store import accounts, budgets, consent, packages

ANN, BEN, CAT, DAN = "+8613711112222", "+8613711113333", "+8613711114444", "+8613711115555"
JANE, JOE, HANS = "+14155552671", "+14155552672", "+491711234567"


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def used_today(engine: Engine, usual: Usual) -> dict[str, int]:
    used = await engine.read(lambda tx: budgets.used_on(tx, usual.account.account_id, day=day_of(NOON_IN_BEIJING)))
    return {scope.replace(usual.account.sdk_app_id, "APP"): amount for scope, amount in used.items()}


# --- frequency ---


async def test_the_same_text_reaches_a_number_so_often_a_day(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, same_content_per_day=2, per_number_per_day=None)
    admission = usual_admission(engine, clock)
    for refused in (None, None, Reason.SAME_CONTENT_TOO_OFTEN_TODAY):
        assert reasons(await admission.accept(usual.call(ANN))) == [refused]
        clock.advance(60)
    assert reasons(await admission.accept(usual.call(ANN, values=["2", "5"]))) == [None]
    clock.advance(SECONDS_PER_DAY / 2)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]


async def test_a_number_refused_by_a_cap_keeps_its_places(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, per_number_per_day=1)
    await change_app(engine, usual, daily_cap=0)
    admission = usual_admission(engine, clock)
    for _ in range(3):
        assert reasons(await admission.accept(usual.call(ANN))) == [Reason.APP_DAILY_CAP]
    await change_app(engine, usual)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]


async def test_a_number_refused_by_its_frequency_uses_up_no_cap(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, daily_cap=2)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.SAME_CONTENT_TOO_OFTEN]
    assert reasons(await admission.accept(usual.call(BEN, CAT))) == [None, Reason.APP_DAILY_CAP]


async def test_the_place_of_who_was_refused_by_a_cap_is_there_for_another_of_the_same_moment(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, per_number_per_day=1)
    await change_app(engine, usual, daily_cap=0)
    other = await engine.write(
        lambda tx: accounts.add_app(tx, account_id=usual.account.account_id, name="other", now=1.0)
    )
    admission = usual_admission(engine, clock)
    await admission.accept(usual.call(BEN))  # now the account is remembered, and the next two share a transaction
    capped, free = await asyncio.gather(
        admission.accept(usual.call(ANN)), admission.accept(usual.call(ANN, sdk_app_id=other.sdk_app_id))
    )
    assert (reasons(capped), reasons(free)) == ([Reason.APP_DAILY_CAP], [None])


# --- caps ---


async def test_an_app_may_not_send_more_than_its_cap_a_day_in_beijing(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, daily_cap=2)
    admission = usual_admission(engine, clock)
    answer = await admission.accept(usual.call(ANN, BEN, CAT))
    # The first of the call are the first served.
    assert reasons(answer) == [None, None, Reason.APP_DAILY_CAP]
    assert not isinstance(answer, Refusal)
    assert answer[2].refusal == Refusal(Reason.APP_DAILY_CAP, "at most 2")
    clock.advance(SECONDS_PER_DAY / 2)
    assert reasons(await admission.accept(usual.call(CAT))) == [None]


async def test_a_number_given_twice_counts_once(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, daily_cap=2)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, "13711112222", BEN))
    assert reasons(answer) == [None, None, None]


async def test_another_app_of_the_account_has_its_own_cap(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, daily_cap=1)
    other = await engine.write(
        lambda tx: accounts.add_app(tx, account_id=usual.account.account_id, name="other", now=1.0)
    )
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN, BEN))) == [None, Reason.APP_DAILY_CAP]
    assert reasons(await admission.accept(usual.call(BEN, sdk_app_id=other.sdk_app_id))) == [None]


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        ({"daily_cap": 2}, Reason.APP_DAILY_CAP),
        ({"daily_cap_international": 2}, Reason.APP_DAILY_CAP_INTERNATIONAL),
        ({"countries": {"US": {"daily_cap": 2}, "DE": {}}}, Reason.APP_DAILY_CAP_OF_COUNTRY),
        # The widest cap is named first.
        ({"daily_cap": 2, "daily_cap_international": 2}, Reason.APP_DAILY_CAP),
        ({"daily_cap_mainland": 2}, None),
    ],
)
async def test_messages_abroad_have_caps_of_their_own(
    engine: Engine, clock: Clock, caps: dict[str, object], reason: Reason | None
) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, **caps)
    template = await template_for_abroad(engine, usual)
    admission = usual_admission(engine, clock)
    numbers = [JANE, JOE, "+14155552673"]
    answer = await admission.accept(usual.call(*numbers, template_id=template, values=["1"], signature=""))
    assert reasons(answer) == [None, None, reason]


async def test_what_goes_to_the_mainland_does_not_use_up_what_may_go_abroad(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, daily_cap_mainland=1, daily_cap_international=1)
    template = await template_for_abroad(engine, usual)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN, BEN))) == [None, Reason.APP_DAILY_CAP_MAINLAND]
    answer = await admission.accept(usual.call(JANE, template_id=template, values=["1"], signature=""))
    assert reasons(answer) == [None]


async def test_an_account_sends_so_many_segments_abroad_a_day(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, international_segments_per_day=5)
    template = await template_for_abroad(engine, usual, "Dear reader, " * 13 + "{1}")
    admission = usual_admission(engine, clock)
    answer = await admission.accept(usual.call(JANE, JOE, HANS, template_id=template, values=["1"], signature=""))
    assert not isinstance(answer, Refusal)
    assert [outcome.segments for outcome in answer] == [2, 2, 0]
    assert reasons(answer) == [None, None, Reason.INTERNATIONAL_DAILY_CAP]
    # Where two do not fit, one still does.
    short = await template_for_abroad(engine, usual)
    assert reasons(await admission.accept(usual.call(HANS, template_id=short, values=["1"], signature=""))) == [None]
    assert await used_today(engine, usual) == {"international": 5}


async def test_what_is_capped_nowhere_is_counted_nowhere(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    assert reasons(await usual_admission(engine, clock).accept(usual.call(ANN))) == [None]
    assert await used_today(engine, usual) == {}


async def test_an_app_may_be_held_to_some_countries(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, countries={"US": {}})
    template = await template_for_abroad(engine, usual)
    admission = usual_admission(engine, clock)
    answer = await admission.accept(usual.call(JANE, HANS, template_id=template, values=["1"], signature=""))
    assert reasons(answer) == [None, Reason.COUNTRY_NOT_ALLOWED]
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.COUNTRY_NOT_ALLOWED]
    await change_app(engine, usual, countries={"US": {}, "CN": {}})
    assert reasons(await admission.accept(usual.call(ANN))) == [None]


def warnings_given() -> float:
    return REGISTRY.get_sample_value("cleartosend_daily_warnings_total") or 0.0


async def test_a_warning_is_given_once_a_day_for_what_it_is_about(
    engine: Engine, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, daily_warning_mainland=3)
    admission = usual_admission(engine, clock)
    before = warnings_given()
    await admission.accept(usual.call(ANN, BEN))
    assert warnings_given() == before
    await admission.accept(usual.call(CAT, DAN))
    assert warnings_given() == before + 1
    said = capsys.readouterr().err
    assert "app.daily_warning" in said
    assert f"app:{usual.account.sdk_app_id}:mainland" in said
    await admission.accept(usual.call("+8613711116666"))
    assert warnings_given() == before + 1
    clock.advance(SECONDS_PER_DAY)
    await admission.accept(usual.call(ANN, BEN, CAT))
    assert warnings_given() == before + 2


# --- packages ---


async def add_package(engine: Engine, usual: Usual, amount: int, *, sdk_app_id: str = "", days: float = 30) -> int:
    def add(tx: Connection) -> int:
        return packages.add(
            tx,
            account_id=usual.account.account_id,
            sdk_app_id=sdk_app_id,
            type=PackageType.BOUGHT,
            amount=amount,
            now=NOON_IN_BEIJING,
            expires_at=NOON_IN_BEIJING + days * SECONDS_PER_DAY,
        ).id

    return await engine.write(add)


async def all_packages(engine: Engine, usual: Usual) -> list[Package]:
    return await engine.read(
        lambda tx: packages.of(
            tx,
            usual.account.account_id,
            sdk_app_id=None,
            created_from=None,
            created_until=None,
            limit=100,
            offset=0,
        )
    )


async def used_of_packages(engine: Engine, usual: Usual) -> list[int]:
    return [package.used for package in await all_packages(engine, usual)]


async def prepaid_account(engine: Engine, *amounts: int) -> Usual:
    usual = await usual_account(engine)
    await change_settings(engine, usual, prepaid=True, per_number_per_day=None)
    for amount in amounts:
        await add_package(engine, usual, amount)
    return usual


async def test_a_prepaid_account_sends_what_its_packages_hold(engine: Engine, clock: Clock) -> None:
    usual = await prepaid_account(engine, 2)
    admission = usual_admission(engine, clock)
    answer = await admission.accept(usual.call(ANN, BEN, CAT))
    assert reasons(answer) == [None, None, Reason.PACKAGE_USED_UP]
    await add_package(engine, usual, 1)
    assert reasons(await admission.accept(usual.call(CAT))) == [None]
    assert await used_of_packages(engine, usual) == [2, 1]


async def test_a_prepaid_account_without_a_package_sends_nothing_to_the_mainland(engine: Engine, clock: Clock) -> None:
    usual = await prepaid_account(engine)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.PACKAGE_USED_UP]
    template = await template_for_abroad(engine, usual)
    abroad = usual.call(JANE, template_id=template, values=["1"], signature="")
    assert reasons(await admission.accept(abroad)) == [None]


async def test_a_message_of_two_segments_may_be_paid_from_two_packages_but_not_by_half(
    engine: Engine, clock: Clock
) -> None:
    usual = await prepaid_account(engine, 1, 2)
    await change_settings(engine, usual, prepaid=True, per_number_per_day=None, variable_length=80)
    admission = usual_admission(engine, clock)
    answer = await admission.accept(usual.call(ANN, BEN, template=usual.notice, values=["长" * 60]))
    assert reasons(answer) == [None, Reason.PACKAGE_USED_UP]
    assert await used_of_packages(engine, usual) == [1, 1]
    assert not isinstance(answer, Refusal)
    message_id = message_id_of(answer[0].serial_no)
    assert message_id is not None
    paid = await engine.read(lambda tx: packages.paid_by(tx, message_id))
    assert [use.segments for use in paid] == [1, 1]
    # One segment is left, and a message of one segment takes it.
    assert reasons(await admission.accept(usual.call(BEN))) == [None]


async def test_the_package_that_expires_first_is_used_first_and_none_after_its_end(
    engine: Engine, clock: Clock
) -> None:
    usual = await prepaid_account(engine)
    await add_package(engine, usual, 5, days=20)
    await add_package(engine, usual, 5, days=10)
    admission = usual_admission(engine, clock)
    await admission.accept(usual.call(ANN, BEN))
    assert await used_of_packages(engine, usual) == [0, 2]
    clock.advance(10 * SECONDS_PER_DAY)
    await admission.accept(usual.call(ANN))
    assert await used_of_packages(engine, usual) == [1, 2]
    clock.advance(10 * SECONDS_PER_DAY)
    assert reasons(await admission.accept(usual.call(BEN))) == [Reason.PACKAGE_USED_UP]


async def test_a_package_of_one_app_is_not_used_by_another(engine: Engine, clock: Clock) -> None:
    usual = await prepaid_account(engine)
    other = await engine.write(
        lambda tx: accounts.add_app(tx, account_id=usual.account.account_id, name="other", now=1.0)
    )
    await add_package(engine, usual, 5, sdk_app_id=other.sdk_app_id)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.PACKAGE_USED_UP]
    assert reasons(await admission.accept(usual.call(ANN, sdk_app_id=other.sdk_app_id))) == [None]


async def test_a_message_that_no_package_pays_for_uses_up_no_cap_and_no_place(engine: Engine, clock: Clock) -> None:
    usual = await prepaid_account(engine)
    await change_settings(engine, usual, prepaid=True, per_number_per_day=1)
    await change_app(engine, usual, daily_cap=1)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.PACKAGE_USED_UP]
    await add_package(engine, usual, 5)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]


async def test_what_no_carrier_took_is_paid_back_once(engine: Engine, clock: Clock) -> None:
    usual = await prepaid_account(engine, 2)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN, BEN))) == [None, None]
    clock.advance(3601)
    for _ in range(2):
        await engine.write(lambda tx: dispatch.expire(tx, clock()))
        assert await used_of_packages(engine, usual) == [0]
    assert reasons(await admission.accept(usual.call(ANN))) == [None]
    await engine.write(
        lambda tx: dispatch.stop_account(
            tx, usual.account.account_id, AccountStatus.SUSPENDED, by="tester", because="", now=clock()
        )
    )
    assert await used_of_packages(engine, usual) == [0]


# --- confirmations ---


async def test_a_confirmation_goes_to_who_opted_out_however_often_and_without_a_caller(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    await change_app(engine, usual, daily_cap=3)
    await engine.write(
        lambda tx: consent.opt_out(
            tx,
            account_id=usual.account.account_id,
            number=ANN,
            signature=SIGNATURE,
            type_="verification",
            by="reply",
            because="reply 1",
            now=1.0,
        )
    )
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.OPTED_OUT]
    confirmation = usual.call(ANN, secret_id="", confirms=True)
    for reason in (None, None, None, Reason.APP_DAILY_CAP):
        assert reasons(await admission.accept(confirmation)) == [reason]
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.OPTED_OUT]
