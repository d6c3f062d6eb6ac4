"""The links of templates: when they are to be opened, and what was seen behind them each time."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from cleartosend.model.links import Visit
from cleartosend.store.schema import link_checks, link_visits

UNCLAIMED = 0.0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a look at all links of a template came to, for the next look to be compared with."""

    domains: tuple[tuple[str, str], ...] = ()
    """Where each link ended, as (url, domain)."""
    rules: tuple[str, ...] = ()
    """What was to be said of it."""


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A template whose links are to be opened."""

    template_id: int
    due_at: float
    tries: int
    """Looks in a row in which a link did not answer."""
    trust: int
    """Looks in a row in which nothing had changed."""
    seen: Seen | None


def watch(tx: Connection, template_id: int, *, due_at: float) -> None:
    """Open the links of a template, new or changed, at the time given; what is known of them is forgotten."""
    fresh = {
        "template_id": template_id,
        "due_at": due_at,
        "claimed_until": UNCLAIMED,
        "tries": 0,
        "trust": 0,
        "seen": None,
    }
    statement = upsert(link_checks).values(fresh)
    changed = {name: statement.excluded[name] for name in fresh if name != "template_id"}
    tx.execute(statement.on_conflict_do_update(index_elements=["template_id"], set_=changed))


def unwatch(tx: Connection, template_id: int) -> None:
    """Open them no more; what was seen is kept."""
    tx.execute(delete(link_checks).where(link_checks.c.template_id == template_id))


def hurry(tx: Connection, template_id: int, *, now: float) -> None:
    """Look at the next opportunity, whatever the plan was."""
    tx.execute(
        update(link_checks)
        .where(link_checks.c.template_id == template_id, link_checks.c.due_at > now)
        .values(due_at=now)
    )


def claim(tx: Connection, *, now: float, until: float, limit: int) -> list[Check]:
    """Take due templates for oneself until the time given; after it they are anybody's again."""
    free = (
        select(link_checks.c.template_id)
        .where(link_checks.c.due_at <= now, link_checks.c.claimed_until <= now)
        .order_by(link_checks.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = tx.execute(
        update(link_checks)
        .where(link_checks.c.template_id.in_(free.scalar_subquery()))
        .values(claimed_until=until)
        .returning(link_checks)
    )
    checks = [msgspec.convert(row, Check, from_attributes=True) for row in rows]
    return sorted(checks, key=lambda check: check.due_at)


def plan(tx: Connection, check: Check) -> None:
    """Remember what a look came to, and when the next is due; unless the template was changed meanwhile."""
    tx.execute(
        update(link_checks)
        .where(link_checks.c.template_id == check.template_id, link_checks.c.claimed_until > UNCLAIMED)
        .values(
            due_at=check.due_at,
            claimed_until=UNCLAIMED,
            tries=check.tries,
            trust=check.trust,
            seen=msgspec.to_builtins(check.seen),
        )
    )


def end_claims(tx: Connection) -> None:
    """Let all claims run out now; for a process that knows that it is alone."""
    tx.execute(update(link_checks).values(claimed_until=UNCLAIMED))


def keep(tx: Connection, template_id: int, visits: Sequence[Visit]) -> None:
    """Keep what was seen."""
    if visits:
        tx.execute(
            insert(link_visits),
            [{"template_id": template_id, **msgspec.to_builtins(visit)} for visit in visits],
        )


def visits_of(tx: Connection, template_id: int, *, limit: int = 20) -> list[Visit]:
    """The newest visits to the links of a template, newest first."""
    rows = tx.execute(_VISITS, {"of_template": template_id, "most": limit})
    return [msgspec.convert(row, Visit, from_attributes=True) for row in rows]


_VISITS = (
    select(link_visits)
    .where(link_visits.c.template_id == bindparam("of_template"))
    .order_by(link_visits.c.id.desc())
    .limit(bindparam("most"))
)
