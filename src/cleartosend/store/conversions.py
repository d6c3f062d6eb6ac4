"""Codes that their recipients are said to have used."""

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from cleartosend.store.schema import conversions, messages


def keep(tx: Connection, *, message_id: int, account_id: int, sdk_app_id: str, at: float) -> bool:
    """Remember the first time a message's code was used; False where the app has no such message."""
    known = tx.execute(
        select(messages.c.id).where(
            messages.c.id == message_id, messages.c.account_id == account_id, messages.c.sdk_app_id == sdk_app_id
        )
    ).first()
    if known is None:
        return False
    tx.execute(insert(conversions).values(message_id=message_id, account_id=account_id, at=at).on_conflict_do_nothing())
    return True


def at_of(tx: Connection, message_id: int) -> float | None:
    """When a message's code was used; None where nobody said that it was."""
    return tx.execute(select(conversions.c.at).where(conversions.c.message_id == message_id)).scalar()
