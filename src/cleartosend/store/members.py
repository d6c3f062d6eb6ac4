"""Who may be reached with marketing, and who asked not to be."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, bindparam, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from cleartosend.store.schema import members, opt_outs


def add_members(tx: Connection, account_id: int, numbers: Sequence[str], *, source: str, now: float) -> int:
    """Put numbers on the account's list; one already there keeps its source and time. Returns how many were new."""
    if not numbers:
        return 0
    rows = tx.execute(
        insert(members).on_conflict_do_nothing().returning(members.c.number),
        [{"account_id": account_id, "number": number, "source": source, "since": now} for number in numbers],
    )
    return len(rows.all())


def which_are_members(tx: Connection, pairs: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Of these pairs of account and number, those where the number is on the account's list."""
    if not pairs:
        return set()
    return {(row[0], row[1]) for row in tx.execute(_ARE_MEMBERS, {"pairs": list(pairs)})}


_ARE_MEMBERS = select(members.c.account_id, members.c.number).where(
    tuple_(members.c.account_id, members.c.number).in_(bindparam("pairs", expanding=True))
)


def opt_out(tx: Connection, *, account_id: int, number: str, signature: str, type: str, now: float) -> None:  # noqa: A002 - the word of the table
    tx.execute(
        insert(opt_outs)
        .values(account_id=account_id, number=number, signature=signature, type=type, at=now)
        .on_conflict_do_nothing()
    )


def opt_outs_among(tx: Connection, pairs: Collection[tuple[int, str]]) -> set[tuple[int, str, str, str]]:
    """All opt-outs of these pairs of account and number, as (account, number, signature, type)."""
    if not pairs:
        return set()
    return {(row[0], row[1], row[2], row[3]) for row in tx.execute(_OPT_OUTS, {"pairs": list(pairs)})}


_OPT_OUTS = select(opt_outs.c.account_id, opt_outs.c.number, opt_outs.c.signature, opt_outs.c.type).where(
    tuple_(opt_outs.c.account_id, opt_outs.c.number).in_(bindparam("pairs", expanding=True))
)
