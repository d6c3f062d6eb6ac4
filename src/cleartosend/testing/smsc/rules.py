"""For whom the SMSC for testing behaves how, and the dice that it throws."""

import random
from collections import Counter
from fnmatch import fnmatchcase

import msgspec

from cleartosend.testing.smsc.behaviour import Behaviour, Unfit, changed

_MOST_NUMBERS_REMEMBERED = 100_000
# With nothing else set than these, no dice are thrown for a message, and its answer goes out at once.
_PLAIN = frozenset(
    {
        "bind", "bind_after", "ignore_links", "receipts", "receipts_after", "id_in_answer", "id_in_receipt",
        "receipt_text", "dates", "receipt_tlvs", "receipt_esm_class", "receipt_in",
    }
)  # fmt: skip


class Manner(msgspec.Struct, frozen=True):
    """A behaviour, and whether it is one that needs no dice."""

    behaviour: Behaviour
    is_plain: bool


def manner(behaviour: Behaviour) -> Manner:
    fair = Behaviour()
    is_plain = behaviour.receipts_after.least == behaviour.receipts_after.most and all(
        name in _PLAIN or getattr(behaviour, name) == getattr(fair, name) for name in Behaviour.__struct_fields__
    )
    return Manner(behaviour, is_plain)


class _Rule(msgspec.Struct):
    """What is changed, and for whom."""

    to: str
    system_id: str
    session: int
    times: int
    changes: dict[str, object]
    manner: Manner
    seen: Counter[str]

    def speaks_of(self, system_id: str, session: int) -> bool:
        return self.session in {0, session} and fnmatchcase(system_id, self.system_id)


class Rules:
    """The behaviour for all, and other behaviours for some. The last rule that fits counts."""

    def __init__(self, behaviour: Behaviour, *, seed: int) -> None:
        self._at_first = behaviour
        self._seed = seed
        self._turns: dict[str, int] = {}
        self._rules: list[_Rule] = []
        self._for_all = manner(behaviour)

    def behave(self, changes: dict[str, object]) -> None:
        self._for_all = manner(changed(self._for_all.behaviour, changes))
        for rule in self._rules:
            rule.manner = manner(changed(self._for_all.behaviour, rule.changes))

    def add(self, changes: dict[str, object], *, to: str, system_id: str, session: int, times: int) -> None:
        if not changes:
            raise Unfit("a rule that changes nothing")
        changed_manner = manner(changed(self._for_all.behaviour, changes))
        self._rules.insert(0, _Rule(to, system_id, session, times, changes, changed_manner, Counter()))

    def calm(self) -> None:
        self._for_all = manner(self._at_first)
        self._rules.clear()

    def for_message(self, system_id: str, session: int, number: str) -> Manner:
        for rule in self._rules:
            if rule.speaks_of(system_id, session) and fnmatchcase(number, rule.to):
                if rule.times:
                    rule.seen[number] += 1
                if rule.seen[number] <= rule.times:
                    return rule.manner
        return self._for_all

    def for_session(self, system_id: str, session: int) -> Behaviour:
        """What does not depend on a message: binds and links."""
        for rule in self._rules:
            if rule.to == "*" and rule.speaks_of(system_id, session):
                return rule.manner.behaviour
        return self._for_all.behaviour

    def dice(self, of: str) -> random.Random:
        """Thrown anew for each message to a number, so that its fate does not hang on what is sent beside it."""
        if len(self._turns) >= _MOST_NUMBERS_REMEMBERED:
            self._turns.clear()
        turn = self._turns[of] = self._turns.get(of, 0) + 1
        return random.Random(f"{self._seed}:{of}:{turn}")  # noqa: S311 - not a secret
