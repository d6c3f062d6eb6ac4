"""Receipts: stored first, matched to their messages then or later, and turned into statuses."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.lull import Lull
from cleartosend.model.meanings import meaning_of
from cleartosend.model.messages import Ending, MessageMove, MessageState, Party, Receipt, ReceiptStatus
from cleartosend.ports import Engine
from cleartosend.store import handovers, messages, receipts
from cleartosend.store.handovers import Handover

# What the status alone proves: an undelivered message failed at the telephone, a rejected one at the carrier. The code
# beside it may prove more: a number on a blacklist is not the telephone's fault. What is not here ends nothing.
_ENDS = {
    ReceiptStatus.DELIVERED: (MessageState.DELIVERED, Party.NOBODY),
    ReceiptStatus.EXPIRED: (MessageState.EXPIRED, Party.PHONE),
    ReceiptStatus.UNDELIVERABLE: (MessageState.FAILED, Party.PHONE),
    ReceiptStatus.REJECTED: (MessageState.FAILED, Party.CARRIER),
    ReceiptStatus.DELETED: (MessageState.FAILED, Party.CARRIER),
    ReceiptStatus.UNKNOWN: (MessageState.UNKNOWN, Party.CARRIER),
}


class Taken(msgspec.Struct, frozen=True):
    """What came of receipts that arrived together."""

    new: tuple[Receipt, ...]
    """Those that had not been said before."""
    ended: tuple[Ending, ...]
    seconds: tuple[tuple[str, float], ...]
    """Of what was delivered, by which carrier and how long after it took it."""


class Receipts:
    """Takes receipts from carriers for one process."""

    def __init__(self, engine: Engine) -> None:
        self._take: Callable[[Sequence[Receipt]], Awaitable[Taken]] = engine.batched(take, size=len)
        self.wake: Callable[[], None] = lambda: None
        """Called when customers' servers may have something to be told."""
        self.delivered: Callable[[str, float], None] = lambda _carrier, _seconds: None
        """Called with each delivery's carrier and how long it took."""
        self._together = asyncio.Event()
        """Set when those that have just come are kept."""
        self._lull = Lull(self._keep_those)

    async def take(self, arrived: Sequence[Receipt]) -> None:
        """Keep receipts and do what they say; once this returns their carrier may forget them."""
        self._lull.more()
        await self._together.wait()
        taken = await self._take(arrived)
        telemetry.tell_receipts(arrived, taken.new)
        for carrier, seconds in taken.seconds:
            self.delivered(carrier, seconds)
        if taken.ended:
            telemetry.tell_ended(taken.ended)
            self.wake()

    def _keep_those(self) -> None:
        together, self._together = self._together, asyncio.Event()
        together.set()


def take(tx: Connection, arrivals: Sequence[Sequence[Receipt]]) -> list[Taken]:
    """Store receipts and settle the messages that are known."""
    everything = [receipt for arrived in arrivals for receipt in arrived]
    known = handovers.meant(tx, [(receipt.carrier, receipt.carrier_id) for receipt in everything])
    of_receipt = [known.get((receipt.carrier, receipt.carrier_id)) for receipt in everything]
    new = receipts.keep(
        tx, [(receipt, its and its.message_id) for receipt, its in zip(everything, of_receipt, strict=True)]
    )
    # The same thing said twice in one breath is said once.
    firsts = {
        key: (receipt, its)
        for receipt, its in zip(everything, of_receipt, strict=True)
        if (key := receipts.key_of(receipt)) in new
    }
    ended = settle(tx, [(receipt, its) for receipt, its in firsts.values() if its])
    by_message = {ending.message_id: ending for ending in ended}
    answers: list[Taken] = []
    for arrived in arrivals:
        news: list[Receipt] = []
        its_ends: list[Ending] = []
        seconds: list[tuple[str, float]] = []
        for receipt in arrived:
            first = firsts.pop(receipts.key_of(receipt), None)
            if first is None:
                continue
            news.append(receipt)
            handover = first[1]
            ending = by_message.pop(handover.message_id, None) if handover else None
            if ending is not None and handover is not None:
                its_ends.append(ending)
                if ending.state is MessageState.DELIVERED:
                    seconds.append((receipt.carrier, max(ending.at - handover.at, 0.0)))
        answers.append(Taken(tuple(news), tuple(its_ends), tuple(seconds)))
    return answers


def take_parked(tx: Connection, carrier: str, taken: dict[str, Handover]) -> list[Ending]:
    """Settle the receipts that came before their messages were known by the carrier's ids, given here."""
    waiting = [(receipt, taken[receipt.carrier_id]) for receipt in receipts.parked(tx, carrier, list(taken))]
    receipts.match(tx, [(receipt, its.message_id) for receipt, its in waiting])
    return settle(tx, waiting)


def settle(tx: Connection, matched: Sequence[tuple[Receipt, Handover]]) -> list[Ending]:
    """
    Receipts that are stored become their messages' statuses; returns how messages ended.

    The first word on a message that ends it decides; a carrier that says two things is believed the first. A message
    of several parts is delivered when each part is, and has failed as soon as one has.
    """
    said: dict[int, Receipt] = {}
    handed_over: dict[int, Handover] = {}
    in_parts: set[int] = set()
    for receipt, its in matched:
        if receipt.status not in _ENDS:
            continue
        handed_over[its.message_id] = its
        if its.parts > 1:
            in_parts.add(its.message_id)
        else:
            said.setdefault(its.message_id, receipt)
    for message_id, of_parts in receipts.of_messages(tx, in_parts).items():
        if its_end := _end_of_parts(of_parts, handed_over[message_id].parts):
            said[message_id] = its_end
    return messages.end(tx, MessageMove.SETTLE, [_ending(handed_over[one], receipt) for one, receipt in said.items()])


def _end_of_parts(said: Sequence[Receipt], parts: int) -> Receipt | None:
    """What ends a message of several parts: the first that failed, or the last of all that were delivered."""
    of_part: dict[str, Receipt] = {}
    for receipt in said:
        if receipt.status in _ENDS:
            of_part.setdefault(receipt.carrier_id, receipt)
    failed = [receipt for receipt in of_part.values() if receipt.status is not ReceiptStatus.DELIVERED]
    if failed:
        return failed[0]
    return max(of_part.values(), key=lambda receipt: receipt.at) if len(of_part) >= parts else None


def _ending(its: Handover, receipt: Receipt) -> Ending:
    state, party = _ENDS[receipt.status]
    if state is not MessageState.DELIVERED:
        party = meaning_of(receipt.code).party or party
    # Carriers write times in whole seconds or minutes; nothing ends before it was handed over.
    at = max(receipt.at, its.at)
    return Ending(message_id=its.message_id, state=state, code=receipt.code, party=party, at=at)
