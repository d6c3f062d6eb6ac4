"""All that a message needs under its limits (places, room under caps, segments of packages), or nothing of it."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend.admission.frequency import Wanted, take_places
from cleartosend.admission.spending import Bill, Crossed, Purse
from cleartosend.model.reasons import Refusal
from cleartosend.store import places
from cleartosend.store.places import Key


class Needs(msgspec.Struct, frozen=True):
    """What one message asks for."""

    places: Wanted
    bill: Bill | None
    """None: nothing of it is capped and no package pays for it."""


class Reserved(msgspec.Struct, frozen=True):
    """What came of it."""

    refusals: list[Refusal | None]
    """One a message, in their order."""
    crossed: list[Crossed]


def reserve(tx: Connection, needs: Sequence[Needs], *, now: float) -> Reserved:
    """Decide message by message; who is refused has taken nothing."""
    bills = [one.bill for one in needs if one.bill]
    # Budgets before places, and each of them in one order, so that two nodes never wait for each other.
    purse = Purse(tx, bills, now=now) if bills else None
    refusals: list[Refusal | None] = [None] * len(needs)
    asking = list(range(len(needs)))
    while asking:
        answers = take_places(tx, [needs[index].places for index in asking], now=now)
        crowded_out: list[int] = []
        given_back: list[Key] = []
        for index, answer in zip(asking, answers, strict=True):
            bill = needs[index].bill
            if isinstance(answer, Refusal):
                refusals[index] = answer
                crowded_out.append(index)
            elif purse and bill and (refusal := purse.pay(bill)):
                refusals[index] = refusal
                given_back += answer
        places.give_back(tx, given_back)
        # A place that nobody keeps may be what another message to the same number was refused.
        free = {(account_id, number) for account_id, number, _limit, _content in given_back}
        asking = [
            index for index in crowded_out if (needs[index].places.account_id, needs[index].places.number) in free
        ]
        for index in asking:
            refusals[index] = None
    if purse:
        purse.write(tx)
    return Reserved(refusals, purse.crossed if purse else [])
