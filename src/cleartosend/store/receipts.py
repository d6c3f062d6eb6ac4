"""Receipts as they came, matched to their messages then or later."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from cleartosend.model.messages import Receipt, ReceiptStatus
from cleartosend.store.bulk import is_any_of, run_for_each
from cleartosend.store.handovers import ids_by_carrier
from cleartosend.store.schema import handovers, receipts

Key = tuple[str, str, str, float]


def keep(tx: Connection, arrived: Sequence[tuple[Receipt, int | None]]) -> set[Key]:
    """
    Store receipts with the messages they are for, where these are known; returns the keys of those that are new.

    One that two nodes hear at the same time is stored once, and may be new to both.
    """
    asked = ids_by_carrier((receipt.carrier, receipt.carrier_id) for receipt, _message in arrived)
    known = {
        (carrier, row[0], row[1], row[2])
        for carrier, ids in asked.items()
        for row in tx.execute(_KNOWN, {"of_carrier": carrier, "ids": ids})
    }
    new = {key_of(receipt): (receipt, message) for receipt, message in arrived if key_of(receipt) not in known}
    run_for_each(
        tx,
        _KEEP,
        _KEPT,
        [
            (one.carrier, one.carrier_id, one.status.value, one.code, one.at, message_id)
            for one, message_id in new.values()
        ],
    )
    return set(new)


_KNOWN = select(receipts.c.carrier_id, receipts.c.code, receipts.c.at).where(
    receipts.c.carrier == bindparam("of_carrier"), is_any_of(receipts.c.carrier_id, "ids")
)
_KEPT = ("carrier", "carrier_id", "status", "code", "at", "message_id")
_KEEP = insert(receipts).values(dict.fromkeys(_KEPT)).on_conflict_do_nothing()


def key_of(receipt: Receipt) -> Key:
    """What tells a receipt from others."""
    return (receipt.carrier, receipt.carrier_id, receipt.code, receipt.at)


def match(tx: Connection, matched: Sequence[tuple[Receipt, int]]) -> None:
    """Remember which message each parked receipt was for."""
    if matched:
        tx.execute(
            _MATCH,
            [
                {
                    "of_carrier": receipt.carrier,
                    "of_id": receipt.carrier_id,
                    "its_message": message_id,
                }
                for receipt, message_id in matched
            ],
        )


_MATCH = (
    update(receipts)
    .where(
        receipts.c.carrier == bindparam("of_carrier"),
        receipts.c.carrier_id == bindparam("of_id"),
        receipts.c.message_id.is_(None),
    )
    .values(message_id=bindparam("its_message"))
)


def of_messages(tx: Connection, message_ids: Collection[int]) -> dict[int, list[Receipt]]:
    """What carriers said of messages, oldest first."""
    found: dict[int, list[Receipt]] = {}
    if message_ids:
        for row in tx.execute(_OF_MESSAGES, {"ids": sorted(message_ids)}):
            found.setdefault(row.message_id, []).append(_receipt(row))
    return found


_OF_MESSAGES = (
    select(receipts)
    .join(handovers, and_(handovers.c.carrier == receipts.c.carrier, handovers.c.carrier_id == receipts.c.carrier_id))
    .where(is_any_of(handovers.c.message_id, "ids"), receipts.c.message_id == handovers.c.message_id)
    .order_by(receipts.c.id)
)


def parked(tx: Connection, carrier: str, carrier_ids: Sequence[str]) -> list[Receipt]:
    """Receipts that came before their message was known by the carrier's ids given, oldest first."""
    rows = tx.execute(_PARKED, {"of_carrier": carrier, "ids": carrier_ids})
    return [_receipt(row) for row in rows]


_PARKED = (
    select(receipts)
    .where(
        receipts.c.carrier == bindparam("of_carrier"),
        is_any_of(receipts.c.carrier_id, "ids"),
        receipts.c.message_id.is_(None),
    )
    .order_by(receipts.c.id)
)


def newest_parked(tx: Connection, carrier: str, *, most: int) -> list[Receipt]:
    """Receipts of the carrier whose message is not known, newest first."""
    rows = tx.execute(
        select(receipts)
        .where(receipts.c.carrier == carrier, receipts.c.message_id.is_(None))
        .order_by(receipts.c.id.desc())
        .limit(most)
    )
    return [_receipt(row) for row in rows]


def count_parked(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(receipts).where(receipts.c.message_id.is_(None))).scalar_one()


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        carrier=row.carrier,
        carrier_id=row.carrier_id,
        status=ReceiptStatus(row.status),
        code=row.code,
        at=row.at,
    )
