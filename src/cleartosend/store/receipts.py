"""Receipts as they came, matched to their messages then or later."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from cleartosend.model.messages import Receipt, ReceiptStatus
from cleartosend.store.schema import receipts


def keep(tx: Connection, new: Sequence[Receipt]) -> list[Receipt]:
    """Store receipts as they came, unmatched; returns those that had not been stored before."""
    if not new:
        return []
    rows = tx.execute(
        _KEEP,
        [
            {
                "carrier": receipt.carrier,
                "carrier_id": receipt.carrier_id,
                "status": receipt.status,
                "code": receipt.code,
                "at": receipt.at,
            }
            for receipt in new
        ],
    )
    stored = {(row[0], row[1], row[2]) for row in rows}
    return [receipt for receipt in new if (receipt.carrier, receipt.carrier_id, receipt.code) in stored]


_KEEP = insert(receipts).on_conflict_do_nothing().returning(receipts.c.carrier, receipts.c.carrier_id, receipts.c.code)


def match(tx: Connection, matched: Sequence[tuple[Receipt, int]]) -> None:
    """Remember which message each receipt was for."""
    if matched:
        tx.execute(
            _MATCH,
            [
                {
                    "of_carrier": receipt.carrier,
                    "of_id": receipt.carrier_id,
                    "of_code": receipt.code,
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
        receipts.c.code == bindparam("of_code"),
    )
    .values(message_id=bindparam("its_message"))
)


def parked(tx: Connection, carrier: str, carrier_ids: Sequence[str]) -> list[Receipt]:
    """Receipts that came before their message was known by the carrier's ids given, oldest first."""
    rows = tx.execute(_PARKED, {"of_carrier": carrier, "ids": carrier_ids})
    return [
        Receipt(
            carrier=row.carrier,
            carrier_id=row.carrier_id,
            status=ReceiptStatus(row.status),
            code=row.code,
            at=row.at,
        )
        for row in rows
    ]


_PARKED = (
    select(receipts)
    .where(
        receipts.c.carrier == bindparam("of_carrier"),
        receipts.c.carrier_id.in_(bindparam("ids", expanding=True)),
        receipts.c.message_id.is_(None),
    )
    .order_by(receipts.c.id)
)


def count_parked(tx: Connection) -> int:
    return tx.execute(select(func.count()).select_from(receipts).where(receipts.c.message_id.is_(None))).scalar_one()
