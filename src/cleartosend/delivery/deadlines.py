"""What nobody reports still gets an end: a handed-over message without a receipt, and one that may be out or not."""

from collections.abc import Sequence

from sqlalchemy import Connection

from cleartosend.model.messages import Ending, MessageMove, MessageState, Party
from cleartosend.store import messages

NO_RECEIPT = "NORECEIPT"
IN_DOUBT = "INDOUBT"
MOST_AT_ONCE = 1000


def lose_unreported(tx: Connection, now: float) -> list[Ending]:
    """Messages whose receipt is overdue end as unknown; a receipt that comes later still settles them."""
    overdue = messages.overdue_receipts(tx, now=now, limit=MOST_AT_ONCE)
    return lose(tx, overdue, code=NO_RECEIPT, now=now)


def lose_in_doubt(tx: Connection, message_ids: Sequence[int], now: float) -> list[Ending]:
    """Nobody knows whether these went out, and they are not to be sent again."""
    return lose(tx, message_ids, code=IN_DOUBT, now=now)


def lose(tx: Connection, message_ids: Sequence[int], *, code: str, now: float) -> list[Ending]:
    """Nobody can say what became of these; returns how messages ended."""
    party = Party.CARRIER if code == NO_RECEIPT else Party.US
    return messages.end(
        tx,
        MessageMove.LOSE,
        [
            Ending(message_id=message_id, state=MessageState.UNKNOWN, code=code, party=party, at=now)
            for message_id in message_ids
        ],
    )
