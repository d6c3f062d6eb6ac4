"""Packages are listed by app and time, held while they can be used, and paid back once."""

import pytest
from sqlalchemy import Connection

from cleartosend.model.packages import Package, PackageType
from cleartosend.ports import Engine
from cleartosend.store import packages
from cleartosend.store.packages import PackageUse

APP, OTHER_APP = "1400000001", "1400000002"


def add(tx: Connection, *, amount: int = 10, sdk_app_id: str = "", now: float = 100.0, until: float = 900.0) -> int:
    return packages.add(
        tx, account_id=1, sdk_app_id=sdk_app_id, type=PackageType.GIFT, amount=amount, now=now, expires_at=until
    ).id


def listed(
    tx: Connection,
    *,
    sdk_app_id: str | None = None,
    since: float | None = None,
    until: float | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[int]:
    found = packages.of(
        tx, 1, sdk_app_id=sdk_app_id, created_from=since, created_until=until, limit=limit, offset=offset
    )
    return [package.id for package in found]


async def test_a_package_says_what_it_is(engine: Engine) -> None:
    package_id = await engine.write(lambda tx: add(tx, sdk_app_id=APP))
    [package] = await engine.write(lambda tx: packages.hold(tx, [1], now=100.0))
    assert package == Package(
        id=package_id,
        account_id=1,
        sdk_app_id=APP,
        type=PackageType.GIFT,
        amount=10,
        used=0,
        created_at=100.0,
        effective_at=100.0,
        expires_at=900.0,
    )


async def test_packages_are_listed_by_app_time_and_page(engine: Engine) -> None:
    def add_all(tx: Connection) -> list[int]:
        return [add(tx), add(tx, sdk_app_id=APP, now=200.0), add(tx, sdk_app_id=OTHER_APP, now=300.0)]

    any_app, its_own, others = await engine.write(add_all)
    assert await engine.read(listed) == [any_app, its_own, others]
    assert await engine.read(lambda tx: listed(tx, sdk_app_id=APP)) == [any_app, its_own]
    assert await engine.read(lambda tx: listed(tx, since=200.0)) == [its_own, others]
    assert await engine.read(lambda tx: listed(tx, until=200.0)) == [any_app, its_own]
    assert await engine.read(lambda tx: listed(tx, limit=1, offset=1)) == [its_own]


@pytest.mark.parametrize(("now", "is_there"), [(99.0, False), (100.0, True), (899.0, True), (900.0, False)])
async def test_a_package_can_be_used_in_its_time(engine: Engine, now: float, *, is_there: bool) -> None:
    await engine.write(add)
    assert bool(await engine.write(lambda tx: packages.hold(tx, [1], now=now))) is is_there
    assert await engine.write(lambda tx: packages.hold(tx, [2], now=now)) == []


async def test_what_was_used_is_gone_and_what_was_paid_back_is_there_again(engine: Engine) -> None:
    def use(tx: Connection) -> None:
        first, second = add(tx, amount=3), add(tx, amount=5)
        packages.use(tx, [PackageUse(7, first, 1), PackageUse(8, first, 2), PackageUse(8, second, 1)])

    def left(tx: Connection) -> list[int]:
        return [package.amount - package.used for package in packages.hold(tx, [1], now=100.0)]

    await engine.write(use)
    assert await engine.write(left) == [4]  # the first is used up
    assert [one.segments for one in await engine.read(lambda tx: packages.paid_by(tx, 8))] == [2, 1]
    for _ in range(2):
        await engine.write(lambda tx: packages.refund(tx, [8, 9]))
        assert await engine.write(left) == [2, 5]
    assert await engine.read(lambda tx: packages.paid_by(tx, 8)) == []


async def test_the_first_to_expire_comes_first(engine: Engine) -> None:
    def add_all(tx: Connection) -> list[int]:
        return [add(tx, until=900.0), add(tx, until=500.0), add(tx, until=500.0)]

    last, first, second = await engine.write(add_all)
    held = await engine.write(lambda tx: packages.hold(tx, [1], now=100.0))
    assert [package.id for package in held] == [first, second, last]
