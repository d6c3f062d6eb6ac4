"""What a message uses up of its app's and its account's caps for the day and, where it is prepaid, of a package."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection

from cleartosend.admission.frequency import day_of
from cleartosend.model.accounts import Account, App
from cleartosend.model.packages import Package
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.store import budgets, packages
from cleartosend.store.packages import PackageUse

INTERNATIONAL = "international"
MAINLAND = "mainland"


def scope_of(sdk_app_id: str, part: str = "") -> str:
    """
    The name of an app's budget: of all its messages, or of a part of them (mainland, international, a country).

    >>> scope_of("1400000001"), scope_of("1400000001", "US")
    ('app:1400000001', 'app:1400000001:US')
    """
    return f"app:{sdk_app_id}:{part}" if part else f"app:{sdk_app_id}"


class Charge(msgspec.Struct, frozen=True):
    """What one message takes of one budget of the day."""

    budget: budgets.Key
    amount: int
    cap: int | None
    warning: int | None
    reason: Reason
    """Why it is refused when the cap does not leave as much."""


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """All that one message uses up."""

    account_id: int
    sdk_app_id: str
    submission_id: int
    message_id: int
    charges: tuple[Charge, ...]
    from_packages: int
    """How many segments packages pay for."""


class Crossed(msgspec.Struct, frozen=True):
    """A call with which a budget has reached the number that its operator wants to hear of."""

    submission_id: int
    account_id: int
    scope: str
    warning: int


def charges_of(account: Account, app: App, *, iso: str, domestic: bool, segments: int) -> tuple[Charge, ...]:
    """What a message to a country takes; nothing where there is neither a cap nor a warning."""
    its = app.settings
    charges: list[Charge] = []

    def charge(scope: str, cap: int | None, reason: Reason, *, warning: int | None = None, amount: int = 1) -> None:
        if cap is not None or warning is not None:
            charges.append(Charge((account.id, scope), amount, cap, warning, reason))

    charge(scope_of(app.sdk_app_id), its.daily_cap, Reason.APP_DAILY_CAP)
    if domestic:
        charge(
            scope_of(app.sdk_app_id, MAINLAND),
            its.daily_cap_mainland,
            Reason.APP_DAILY_CAP_MAINLAND,
            warning=its.daily_warning_mainland,
        )
    else:
        charge(
            scope_of(app.sdk_app_id, INTERNATIONAL),
            its.daily_cap_international,
            Reason.APP_DAILY_CAP_INTERNATIONAL,
            warning=its.daily_warning_international,
        )
        charge(
            INTERNATIONAL,
            account.settings.international_segments_per_day,
            Reason.INTERNATIONAL_DAILY_CAP,
            amount=segments,
        )
    if its.countries and (country := its.countries.get(iso)):
        charge(
            scope_of(app.sdk_app_id, iso),
            country.daily_cap,
            Reason.APP_DAILY_CAP_OF_COUNTRY,
            warning=country.daily_warning,
        )
    return tuple(charges)


class Purse:
    """
    What is left of the budgets and packages that some bills are paid from.

    All of it is held from here to the end of the transaction, so what is left is what is there.
    """

    def __init__(self, tx: Connection, bills: Iterable[Bill], *, now: float) -> None:
        bills = list(bills)
        self._day = day_of(now)
        self._used = budgets.hold(tx, {charge.budget for bill in bills for charge in bill.charges}, day=self._day)
        prepaid = {bill.account_id for bill in bills if bill.from_packages}
        self._packages: list[Package] = packages.hold(tx, prepaid, now=now) if prepaid else []
        self._left = {package.id: package.amount - package.used for package in self._packages}
        self._spent: dict[budgets.Key, int] = {}
        self._uses: list[PackageUse] = []
        self.crossed: list[Crossed] = []

    def pay(self, bill: Bill) -> Refusal | None:
        """Pay all of a bill, or nothing and say what there is not enough of."""
        for charge in bill.charges:
            if charge.cap is not None and self._used[charge.budget] + charge.amount > charge.cap:
                return Refusal(charge.reason, f"at most {charge.cap}")
        uses = self._taken_from_packages(bill)
        if uses is None:
            return Refusal(Reason.PACKAGE_USED_UP)
        for use in uses:
            self._left[use.package_id] -= use.segments
        self._uses += uses
        for charge in bill.charges:
            self._spend(charge, bill)
        return None

    def write(self, tx: Connection) -> None:
        """Put down what was paid."""
        budgets.spend(tx, self._spent, day=self._day)
        packages.use(tx, self._uses)

    def _taken_from_packages(self, bill: Bill) -> list[PackageUse] | None:
        """From which packages a bill can be paid, the first to expire first; None: they do not hold enough."""
        uses: list[PackageUse] = []
        missing = bill.from_packages
        for package in self._packages if missing else ():
            is_its_own = package.account_id == bill.account_id and package.sdk_app_id in {"", bill.sdk_app_id}
            if is_its_own and (taken := min(missing, self._left[package.id])):
                uses.append(PackageUse(bill.message_id, package.id, taken))
                missing -= taken
        return None if missing else uses

    def _spend(self, charge: Charge, bill: Bill) -> None:
        before = self._used[charge.budget]
        self._used[charge.budget] = after = before + charge.amount
        self._spent[charge.budget] = self._spent.get(charge.budget, 0) + charge.amount
        if charge.warning is not None and before < charge.warning <= after:
            self.crossed.append(Crossed(bill.submission_id, *charge.budget, charge.warning))
