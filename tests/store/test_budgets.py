"""A budget is held, spent from, and forgotten when its day is long over."""

from sqlalchemy import Connection

from cleartosend.ports import Engine
from cleartosend.store import budgets

APP, COUNTRY = (1, "app:1400000001"), (1, "app:1400000001:US")


async def test_what_is_spent_is_used_on_that_day_only(engine: Engine) -> None:
    def spend(tx: Connection, day: int) -> dict[budgets.Key, int]:
        used = budgets.hold(tx, {APP, COUNTRY}, day=day)
        budgets.spend(tx, {APP: 3}, day=day)
        return used

    assert await engine.write(lambda tx: spend(tx, 1)) == {APP: 0, COUNTRY: 0}
    assert await engine.write(lambda tx: spend(tx, 1)) == {APP: 3, COUNTRY: 0}
    assert await engine.write(lambda tx: spend(tx, 2)) == {APP: 0, COUNTRY: 0}
    assert await engine.read(lambda tx: budgets.used_on(tx, 1, day=1)) == {APP[1]: 6, COUNTRY[1]: 0}
    assert await engine.read(lambda tx: budgets.used_on(tx, 2, day=1)) == {}


async def test_old_days_are_forgotten(engine: Engine) -> None:
    for day in (1, 2, 3):
        await engine.write(lambda tx, day=day: budgets.hold(tx, {APP}, day=day))  # type: ignore[misc]
    assert await engine.write(lambda tx: budgets.forget(tx, before_day=3)) == 2
    assert await engine.read(lambda tx: budgets.used_on(tx, 1, day=3)) == {APP[1]: 0}


async def test_to_hold_nothing_asks_nothing(engine: Engine) -> None:
    assert await engine.write(lambda tx: budgets.hold(tx, set(), day=1)) == {}
