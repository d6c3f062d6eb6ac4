"""What accounts and apps have used up on a day, counted against their caps in the accepting transaction."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from cleartosend.store.schema import budgets

Key = tuple[int, str]
"""An account, and of what its budget is."""


def hold(tx: Connection, keys: Collection[Key], *, day: int) -> dict[Key, int]:
    """What of each budget was used on the day; nobody else can use any until this transaction ends."""
    if not keys:
        return {}
    held = tx.execute(
        _HOLD,
        [
            {"account_id": account_id, "scope": scope, "day": day, "used": 0}
            # In one order on every node, so that two of them never wait for each other.
            for account_id, scope in sorted(keys)
        ],
    )
    return {(row[0], row[1]): row[2] for row in held}


# Nothing is added: it makes the row where there is none, holds it, and tells what it says now.
_HOLD = (
    insert(budgets)
    .on_conflict_do_update(
        index_elements=[budgets.c.account_id, budgets.c.scope, budgets.c.day], set_={"used": budgets.c.used}
    )
    .returning(budgets.c.account_id, budgets.c.scope, budgets.c.used)
)


def spend(tx: Connection, amounts: Mapping[Key, int], *, day: int) -> None:
    """Use up some of budgets that are held."""
    if amounts:
        tx.execute(
            _SPEND,
            [
                {"account": account_id, "of_scope": scope, "on_day": day, "amount": amount}
                for (account_id, scope), amount in amounts.items()
            ],
        )


_SPEND = (
    update(budgets)
    .where(
        budgets.c.account_id == bindparam("account"),
        budgets.c.scope == bindparam("of_scope"),
        budgets.c.day == bindparam("on_day"),
    )
    .values(used=budgets.c.used + bindparam("amount"))
)


def used_on(tx: Connection, account_id: int, *, day: int) -> dict[str, int]:
    """What the account used of each of its budgets on the day; one that is not there was not asked for."""
    rows = tx.execute(
        select(budgets.c.scope, budgets.c.used).where(budgets.c.account_id == account_id, budgets.c.day == day)
    )
    return {row[0]: row[1] for row in rows}


def forget(tx: Connection, *, before_day: int) -> int:
    """Drop what was used on older days; returns how many budgets that were."""
    return tx.execute(delete(budgets).where(budgets.c.day < before_day)).rowcount
