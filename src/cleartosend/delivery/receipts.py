"""Receipts: stored first, matched to their messages then or later, and turned into statuses."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.model.meanings import meaning_of
from cleartosend.model.messages import Ending, MessageMove, MessageState, Party, Receipt, ReceiptStatus
from cleartosend.ports import Engine
from cleartosend.store import messages, receipts

# What the status alone proves: an undelivered message failed at the telephone, a rejected one at the carrier. The code
# beside it may prove more: a number on a blacklist is not the telephone's fault.
_ENDS = {
    ReceiptStatus.DELIVERED: (MessageState.DELIVERED, Party.NOBODY),
    ReceiptStatus.EXPIRED: (MessageState.EXPIRED, Party.PHONE),
    ReceiptStatus.UNDELIVERABLE: (MessageState.FAILED, Party.PHONE),
    ReceiptStatus.REJECTED: (MessageState.FAILED, Party.CARRIER),
    ReceiptStatus.UNKNOWN: (MessageState.UNKNOWN, Party.CARRIER),
}


class Taken(msgspec.Struct, frozen=True):
    """What came of one receipt."""

    is_new: bool
    ended: tuple[Ending, ...]


class Receipts:
    """Takes receipts from carriers for one process."""

    def __init__(self, engine: Engine) -> None:
        self._take: Callable[[Receipt], Awaitable[Taken]] = engine.batched(take)
        self.wake: Callable[[], None] = lambda: None
        """Called when customers' servers may have something to be told."""

    async def take(self, receipt: Receipt) -> None:
        """Keep a receipt and do what it says; once this returns the carrier may forget it."""
        taken = await self._take(receipt)
        if taken.is_new:
            telemetry.RECEIPTS.labels(receipt.carrier, receipt.status).inc()
            telemetry.tell_ended(taken.ended)
            if taken.ended:
                self.wake()
        else:
            telemetry.REPEATED_RECEIPTS.labels(receipt.carrier).inc()


def take(tx: Connection, arrived: Sequence[Receipt]) -> list[Taken]:
    """Store receipts and settle the messages that are known."""
    new = receipts.keep(tx, arrived)
    known = messages.messages_of_ids(tx, [(receipt.carrier, receipt.carrier_id) for receipt in new])
    message_of = {receipt: known.get((receipt.carrier, receipt.carrier_id)) for receipt in new}
    ended = {
        ending.message_id: ending
        for ending in settle(tx, [(receipt, its) for receipt, its in message_of.items() if its is not None])
    }
    answers = []
    for receipt in arrived:
        ending = ended.pop(message_of.get(receipt) or 0, None)
        answers.append(Taken(receipt in message_of, () if ending is None else (ending,)))
    return answers


def take_parked(tx: Connection, carrier: str, taken: dict[str, int]) -> list[Ending]:
    """Settle the receipts that came before their messages were known by the carrier's ids, given here."""
    waiting = receipts.parked(tx, carrier, list(taken))
    return settle(tx, [(receipt, taken[receipt.carrier_id]) for receipt in waiting])


def settle(tx: Connection, matched: Sequence[tuple[Receipt, int]]) -> list[Ending]:
    """Receipts become their messages' statuses; returns how messages ended."""
    if not matched:
        return []
    receipts.match(tx, matched)
    endings: dict[int, Ending] = {}
    for receipt, message_id in matched:
        state, party = _ENDS[receipt.status]
        if state is not MessageState.DELIVERED:
            party = meaning_of(receipt.code).party or party
        # The first receipt decides; a carrier that says two things of one message is believed the first.
        endings.setdefault(
            message_id, Ending(message_id=message_id, state=state, code=receipt.code, party=party, at=receipt.at)
        )
    return messages.end(tx, MessageMove.SETTLE, list(endings.values()))
