"""Members of accounts: asked for at every marketing message, and read in by the million, of which all or none count."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import (
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert as plain_insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert, insert

from cleartosend.model.members import ImportState, Member, MemberImport
from cleartosend.store.bulk import is_any_of
from cleartosend.store.schema import accounts, member_imports, members

NO_IMPORT = 0
# Engines count the parameters of a statement in 15 bits.
MOST_NUMBERS_AT_ONCE = 5000


class MemberRow(NamedTuple):
    """What an import says of a member."""

    number: str
    source: str
    since: float


_COUNTS = or_(
    members.c.import_id == NO_IMPORT,
    exists().where(member_imports.c.id == members.c.import_id, member_imports.c.state == ImportState.DONE),
)


def which_are_members(tx: Connection, pairs: Collection[tuple[int, str]]) -> set[tuple[int, str]]:
    """Of these pairs of account and number, those where the number is on the account's list."""
    numbers_of: dict[int, list[str]] = {}
    for account_id, number in pairs:
        numbers_of.setdefault(account_id, []).append(number)
    found: set[tuple[int, str]] = set()
    # One statement an account: engines are several times slower at pairs.
    for account_id, numbers in numbers_of.items():
        for some in _cut(numbers):
            rows = tx.execute(_ARE_MEMBERS, {"of_account": account_id, "numbers": some})
            found.update([(account_id, row[0]) for row in rows])
    return found


_ARE_MEMBERS = select(members.c.number).where(
    members.c.account_id == bindparam("of_account"), is_any_of(members.c.number, "numbers"), _COUNTS
)


def add_members(tx: Connection, account_id: int, numbers: Sequence[str], *, source: str, now: float) -> int:
    """Put numbers, who differ from each other, on the account's list; returns how many were new."""
    if not numbers:
        return 0
    rows = [MemberRow(number, source, now) for number in numbers]
    return len(tx.execute(_ADD.returning(members.c.number), _values(account_id, NO_IMPORT, rows)).all())


def _add() -> Insert:
    statement = insert(members)
    new = statement.excluded
    # Whoever is on the list keeps source and time. One that only an unfinished import holds is not on it.
    done = select(member_imports.c.id).where(member_imports.c.state == ImportState.DONE)
    return statement.on_conflict_do_update(
        index_elements=list(members.primary_key),
        set_={"source": new.source, "since": new.since, "import_id": new.import_id},
        where=and_(
            members.c.import_id.not_in((NO_IMPORT, new.import_id)),
            members.c.import_id.not_in(done),
        ),
    )


_ADD = _add()


def _values(account_id: int, import_id: int, rows: Sequence[MemberRow]) -> list[dict[str, object]]:
    shared = {"account_id": account_id, "import_id": import_id}
    return [{"number": row.number, "source": row.source, "since": row.since, **shared} for row in rows]


# --- imports ---


def begin_import(
    tx: Connection, *, account_id: int, file: str, by: str, now: float, dead_before: float
) -> MemberImport | int:
    """
    Start an import; returns its number, or the one that is under way for the account.

    One that has written nothing since `dead_before` is dead, and what it has written is nobody's.
    """
    # Held until the end, so that of two that begin together one sees the other.
    tx.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())
    running = tx.execute(
        select(member_imports)
        .where(member_imports.c.account_id == account_id, member_imports.c.state == ImportState.RUNNING)
        .order_by(member_imports.c.id)
        .with_for_update()
    ).all()
    for row in running:
        if row.alive_at >= dead_before:
            return _import(row)
        end_import(tx, row.id, ImportState.FAILED, now=now)
    number: int = tx.execute(
        plain_insert(member_imports)
        .values(
            account_id=account_id,
            file=file,
            state=ImportState.RUNNING,
            rows=0,
            new_members=0,
            by=by,
            started_at=now,
            alive_at=now,
        )
        .returning(member_imports.c.id)
    ).scalar_one()
    return number


def add_imported(tx: Connection, import_id: int, account_id: int, rows: Sequence[MemberRow], *, now: float) -> bool:
    """Write some rows of an import; False, and nothing is written: it was taken for dead."""
    alive = (
        update(member_imports)
        .where(member_imports.c.id == import_id, member_imports.c.state == ImportState.RUNNING)
        .values(rows=member_imports.c.rows + len(rows), alive_at=now)
        .returning(member_imports.c.id)
    )
    if tx.execute(alive).first() is None:
        return False
    if rows:
        tx.execute(_ADD, _values(account_id, import_id, rows))
    return True


def end_import(tx: Connection, import_id: int, state: ImportState, *, now: float, new_members: int = 0) -> bool:
    """From here on all that a running import has written counts, or none of it; False: it was taken for dead."""
    ended = (
        update(member_imports)
        .where(member_imports.c.id == import_id, member_imports.c.state == ImportState.RUNNING)
        .values(state=state, new_members=new_members, ended_at=now)
        .returning(member_imports.c.id)
    )
    return tx.execute(ended).first() is not None


def undo_import(tx: Connection, import_id: int) -> bool:
    """From here on what a finished import brought counts no more; False: there is no such import."""
    undone = (
        update(member_imports)
        .where(member_imports.c.id == import_id, member_imports.c.state == ImportState.DONE)
        .values(state=ImportState.REMOVED)
        .returning(member_imports.c.id)
    )
    return tx.execute(undone).first() is not None


def forget_uncounted(tx: Connection, account_id: int, *, limit: int) -> int:
    """Delete some of the rows that failed and removed imports of the account left behind; returns how many."""
    dead = select(member_imports.c.id).where(
        member_imports.c.account_id == account_id,
        member_imports.c.state.in_((ImportState.FAILED, ImportState.REMOVED)),
    )
    numbers = select(members.c.number).where(members.c.account_id == account_id, members.c.import_id.in_(dead))
    some = tx.execute(numbers.limit(limit)).scalars().all()
    for numbers_at_once in _cut(some):
        tx.execute(_FORGET, {"of_account": account_id, "numbers": numbers_at_once})
    return len(some)


_FORGET = delete(members).where(members.c.account_id == bindparam("of_account"), is_any_of(members.c.number, "numbers"))


def count_imported(tx: Connection, import_id: int) -> int:
    """How many members an import has brought."""
    return tx.execute(select(func.count()).select_from(members).where(members.c.import_id == import_id)).scalar_one()


def imports_of(tx: Connection, account_id: int) -> list[MemberImport]:
    """The account's imports, oldest first."""
    question = select(member_imports).where(member_imports.c.account_id == account_id).order_by(member_imports.c.id)
    return [_import(row) for row in tx.execute(question)]


def find_import(tx: Connection, import_id: int) -> MemberImport | None:
    row = tx.execute(select(member_imports).where(member_imports.c.id == import_id)).first()
    return None if row is None else _import(row)


# --- looking ---


def find(tx: Connection, account_id: int, number: str) -> Member | None:
    row = tx.execute(
        select(members).where(members.c.account_id == account_id, members.c.number == number, _COUNTS)
    ).first()
    return None if row is None else _member(row)


def count(tx: Connection, account_id: int) -> dict[str, int]:
    """How many members the account has, by source."""
    rows = tx.execute(
        select(members.c.source, func.count())
        .where(members.c.account_id == account_id, _COUNTS)
        .group_by(members.c.source)
        .order_by(members.c.source)
    )
    return {row[0]: row[1] for row in rows}


def page(tx: Connection, account_id: int, *, after: str, limit: int) -> list[Member]:
    """Members in the order of their numbers, from the one after the number given on."""
    rows = tx.execute(
        select(members)
        .where(members.c.account_id == account_id, members.c.number > after, _COUNTS)
        .order_by(members.c.number)
        .limit(limit)
    )
    return [_member(row) for row in rows]


def remove(tx: Connection, account_id: int, numbers: Sequence[str]) -> list[str]:
    """Take numbers off the account's list; returns those that were on it."""
    on_it = sorted(number for _, number in which_are_members(tx, [(account_id, number) for number in numbers]))
    for some in _cut(on_it):
        tx.execute(_FORGET, {"of_account": account_id, "numbers": some})
    return on_it


def _cut(numbers: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(numbers), MOST_NUMBERS_AT_ONCE):
        yield list(numbers[start : start + MOST_NUMBERS_AT_ONCE])


def _member(row: Row[Any]) -> Member:
    return msgspec.convert(row, Member, from_attributes=True)


def _import(row: Row[Any]) -> MemberImport:
    return msgspec.convert(row, MemberImport, from_attributes=True)
