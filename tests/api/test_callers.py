"""Who may call at all, from where and how often, is settled before anything is read of what is asked."""

import pytest
from api.calling import NOW, Reply, Service, send_to, signed_request
from usual import Clock

from cleartosend.api.tencent.actions.table import ACTIONS
from cleartosend.api.tencent.door import Door
from cleartosend.api.tencent.rates import PER_SECOND, Rates
from cleartosend.model.accounts import Account, AccountKind, AccountSettings, AccountStatus
from cleartosend.model.reasons import Reason
from cleartosend.store import accounts

EVERY_ACTION = [(version, action) for version, actions in ACTIONS.items() for action in actions]
WITHOUT_A_CODE_FOR_STOPPED_APPS = {
    "AddSmsSign",
    "ModifySmsSign",
    "DeleteSmsSign",
    "DescribePhoneNumberInfo",
    "ReportConversion",
}
WITHOUT_CODES_FOR_ACCOUNTS = {"DescribePhoneNumberInfo", "ReportConversion"}
DENIED = "UnauthorizedOperation.RequestPermissionDeny"


async def code_of(service: Service, version: str, action: str) -> str:
    return (await service.call(action, {"Surprise": 1}, x_tc_version=version)).code


@pytest.mark.parametrize(("version", "action"), EVERY_ACTION)
async def test_a_stopped_account_is_refused_in_every_action(service: Service, version: str, action: str) -> None:
    expected = "UnauthorizedOperation.SdkAppIdIsDisabled"
    for status in (AccountStatus.SUSPENDED, AccountStatus.BANNED):
        await service.stop(status)
        code = await code_of(service, version, action)
        assert code == (DENIED if action in WITHOUT_A_CODE_FOR_STOPPED_APPS else expected)
    await service.stop(AccountStatus.ACTIVE)
    await service.set(in_arrears=True)
    expected = "UnauthorizedOperation.ServiceSuspendDueToArrears"
    assert await code_of(service, version, action) == (DENIED if action in WITHOUT_CODES_FOR_ACCOUNTS else expected)
    await service.set(caller_networks=["192.0.2.0/24"])
    expected = "UnauthorizedOperation.RequestIpNotInWhitelist"
    assert await code_of(service, version, action) == (DENIED if action in WITHOUT_CODES_FOR_ACCOUNTS else expected)
    await service.set()
    assert await code_of(service, version, action) == "UnknownParameter"


async def test_a_restored_account_may_call_at_once(service: Service) -> None:
    await service.stop(AccountStatus.SUSPENDED)
    assert (await service.send(["13711112222"])).code == "UnauthorizedOperation.SdkAppIdIsDisabled"
    await service.engine.write(
        lambda tx: accounts.set_status(tx, service.account.id, AccountStatus.ACTIVE, by="tester", because="", now=NOW)
    )
    assert (await service.send(["13711112222"])).code == ""


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("10.1.2.3", ""),
        ("::ffff:10.1.2.3", ""),
        ("2001:db8::7", ""),
        ("10.2.0.1", "UnauthorizedOperation.RequestIpNotInWhitelist"),
        ("2001:db9::7", "UnauthorizedOperation.RequestIpNotInWhitelist"),
        ("", "UnauthorizedOperation.RequestIpNotInWhitelist"),
    ],
)
async def test_calls_come_from_the_accounts_own_networks(service: Service, address: str, code: str) -> None:
    await service.set(caller_networks=["10.1.0.0/16", "2001:db8::/32"])
    request = signed_request(b'{"International": 0}', {"x-tc-action": "DescribeSmsTemplateList"})
    assert (await send_to(service.door, request, address=address)).code == code


# --- how often ---


def account(account_id: int = 1, **rates: int) -> Account:
    return Account(
        id=account_id,
        name="",
        kind=AccountKind.ORGANIZATION,
        verified=True,
        status=AccountStatus.ACTIVE,
        settings=AccountSettings(requests_per_second=rates),
        revision=1,
        created_at=NOW,
    )


def let_through(rates: Rates, action: str, times: int, of: Account | None = None) -> int:
    return sum(rates.take(of or account(), action) is None for _ in range(times))


def test_every_action_has_a_rate() -> None:
    assert PER_SECOND.keys() == {action for _version, action in EVERY_ACTION}


@pytest.mark.parametrize(("action", "per_second"), PER_SECOND.items())
def test_a_seconds_worth_may_come_at_once_and_then_evenly(action: str, per_second: int) -> None:
    clock = Clock(NOW)
    rates = Rates(clock)
    assert let_through(rates, action, per_second + 10) == per_second
    clock.advance(1.0)
    assert let_through(rates, action, per_second + 10) == per_second
    # However long nobody calls, no more than a second's worth is saved.
    clock.advance(3600.0)
    assert let_through(rates, action, per_second + 10) == per_second


def test_half_a_second_brings_half_of_it() -> None:
    clock = Clock(NOW)
    rates = Rates(clock)
    assert let_through(rates, "DescribeSmsSignList", 100) == 20
    clock.advance(0.5)
    assert let_through(rates, "DescribeSmsSignList", 100) == 10


def test_accounts_and_actions_do_not_take_from_each_other() -> None:
    rates = Rates(Clock(NOW))
    assert let_through(rates, "AddSmsSign", 5) == 1
    assert let_through(rates, "ModifySmsSign", 5) == 1
    assert let_through(rates, "AddSmsSign", 5, of=account(2)) == 1


def test_an_account_may_have_its_own_rate() -> None:
    rates = Rates(Clock(NOW))
    assert let_through(rates, "AddSmsSign", 50, of=account(AddSmsSign=20)) == 20
    assert let_through(rates, "SendSms", 5, of=account(2, SendSms=0)) == 0
    refusal = rates.take(account(3, AddSmsSign=0), "AddSmsSign")
    assert refusal is not None
    assert (refusal.reason, refusal.detail) == (Reason.CALLED_TOO_OFTEN, "AddSmsSign, 0 a second")


async def test_who_calls_too_often_hears_it_before_what_is_wrong(service: Service) -> None:
    rooms = service.door._rooms  # noqa: SLF001
    door = Door(
        admission=rooms.admission,
        applications=rooms.applications,
        directory=service.directory,
        engine=service.engine,
        clock=service.clock,
        monotonic=Clock(NOW),
    )

    async def add(version: str = "2021-01-11", **headers: str) -> Reply:
        return await send_to(
            door, signed_request(b'{"Surprise": 1}', {"x-tc-action": "AddSmsSign", "x-tc-version": version, **headers})
        )

    assert (await add(authorization="SKIP")).code == "AuthFailure.InvalidAuthorization"
    assert (await add()).code == "UnknownParameter"
    # Both versions count together.
    second = await add("2019-07-11")
    assert second.code == "RequestLimitExceeded"
    assert second.message == "The number of requests exceeds the frequency limit: AddSmsSign, 1 a second."
