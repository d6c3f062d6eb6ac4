"""Templates whose texts have much in common, found by the hashes that they share."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, tuple_

from cleartosend.model.applications import ReviewState, Template
from cleartosend.store.schema import likenesses, templates

DECIDED = (ReviewState.APPROVED, ReviewState.REJECTED, ReviewState.BANNED)


def remember(tx: Connection, template_id: int, hashes: Sequence[int]) -> None:
    """Keep the hashes of a template's text, one a band, in the place of those of its earlier text."""
    tx.execute(delete(likenesses).where(likenesses.c.template_id == template_id))
    if hashes:
        tx.execute(
            insert(likenesses),
            [{"band": band, "hash": one, "template_id": template_id} for band, one in enumerate(hashes)],
        )


def sharing(tx: Connection, hashes: Sequence[int], *, apart_from: int, limit: int) -> list[Template]:
    """Decided templates that share hashes, those that share most first."""
    if not hashes:
        return []
    rows = tx.execute(
        select(templates)
        .join(likenesses, likenesses.c.template_id == templates.c.id)
        .where(
            tuple_(likenesses.c.band, likenesses.c.hash).in_(list(enumerate(hashes))),
            templates.c.id != apart_from,
            templates.c.state.in_(DECIDED),
        )
        .group_by(*templates.c)
        .order_by(func.count().desc(), templates.c.id.desc())
        .limit(limit)
    )
    return [msgspec.convert(row, Template, from_attributes=True) for row in rows]
