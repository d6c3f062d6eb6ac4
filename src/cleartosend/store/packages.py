"""Packages of segments: added, used up by messages in the transaction that accepts them, and asked for."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from cleartosend.model.packages import Package, PackageType
from cleartosend.store.bulk import insert_rows, is_any_of
from cleartosend.store.schema import package_uses, packages


class PackageUse(NamedTuple):
    """A row of `package_uses`, in the order of its columns."""

    message_id: int
    package_id: int
    segments: int


def add(
    tx: Connection,
    *,
    account_id: int,
    sdk_app_id: str,
    type: PackageType,  # noqa: A002 - the word of the table
    amount: int,
    now: float,
    expires_at: float,
) -> Package:
    """A new package, usable at once; with an empty `sdk_app_id` by every app of the account."""
    row = tx.execute(
        insert(packages)
        .values(
            account_id=account_id,
            sdk_app_id=sdk_app_id,
            type=type,
            amount=amount,
            used=0,
            created_at=now,
            effective_at=now,
            expires_at=expires_at,
        )
        .returning(packages)
    ).one()
    return msgspec.convert(row, Package, from_attributes=True)


def of(
    tx: Connection,
    account_id: int,
    *,
    sdk_app_id: str | None,
    created_from: float | None,
    created_until: float | None,
    limit: int,
    offset: int,
) -> list[Package]:
    """The account's packages, oldest first: those that an app may use, those made in a time, or all."""
    question = select(packages).where(packages.c.account_id == account_id)
    if sdk_app_id is not None:
        question = question.where(packages.c.sdk_app_id.in_(("", sdk_app_id)))
    if created_from is not None:
        question = question.where(packages.c.created_at >= created_from)
    if created_until is not None:
        question = question.where(packages.c.created_at <= created_until)
    rows = tx.execute(question.order_by(packages.c.id).limit(limit).offset(offset))
    return [msgspec.convert(row, Package, from_attributes=True) for row in rows]


def hold(tx: Connection, account_ids: Collection[int], *, now: float) -> list[Package]:
    """
    The packages of these accounts that have segments left, the first to expire first.

    Nobody else can use or refund them until this transaction ends.
    """
    rows = tx.execute(_HOLD, {"ids": sorted(account_ids), "now": now})
    held = [msgspec.convert(row, Package, from_attributes=True) for row in rows]
    return sorted(held, key=lambda package: (package.expires_at, package.id))


# In one order on every node, so that two of them never wait for each other.
_HOLD = (
    select(packages)
    .where(
        is_any_of(packages.c.account_id, "ids"),
        packages.c.effective_at <= bindparam("now"),
        packages.c.expires_at > bindparam("now"),
        packages.c.used < packages.c.amount,
    )
    .order_by(packages.c.id)
    .with_for_update()
)


def use(tx: Connection, uses: Sequence[PackageUse]) -> None:
    """Take the segments of messages out of packages that are held, and remember what paid for which message."""
    _change(tx, uses, sign=1)
    insert_rows(tx, package_uses, uses)


def refund(tx: Connection, message_ids: Collection[int]) -> None:
    """Put the segments of messages that no carrier took back where they came from; at most once a message."""
    if message_ids:
        rows = tx.execute(_TAKE_BACK, {"ids": list(message_ids)})
        _change(tx, [PackageUse(*row) for row in rows], sign=-1)


_TAKE_BACK = delete(package_uses).where(is_any_of(package_uses.c.message_id, "ids")).returning(package_uses)


def paid_by(tx: Connection, message_id: int) -> list[PackageUse]:
    """Which packages paid for a message."""
    rows = tx.execute(
        select(package_uses).where(package_uses.c.message_id == message_id).order_by(package_uses.c.package_id)
    )
    return [PackageUse(*row) for row in rows]


def _change(tx: Connection, uses: Sequence[PackageUse], *, sign: int) -> None:
    by_package: dict[int, int] = {}
    for one in uses:
        by_package[one.package_id] = by_package.get(one.package_id, 0) + sign * one.segments
    if by_package:
        tx.execute(_CHANGE, [{"package": package, "segments": by_package[package]} for package in sorted(by_package)])


_CHANGE = (
    update(packages).where(packages.c.id == bindparam("package")).values(used=packages.c.used + bindparam("segments"))
)
