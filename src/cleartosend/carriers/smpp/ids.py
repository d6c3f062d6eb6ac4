"""A carrier's ids of messages, written one way in its answers and perhaps another way in its receipts."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from cleartosend.carriers.smpp.profile import IdForm, Profile

# Controls and spaces: fixed-width ids are filled with them, and no store takes a NUL.
_NOT_OF_IDS = re.compile(r"[\x00-\x20\x7f-\xa0]+")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_DIGITS = re.compile(r"[0-9]+")
# An id in an answer has at most 65 octets; a receipt may claim anything.
_MOST_CHARACTERS = 256

SAMPLE = 5_000
ENOUGH = 5
"""How many receipts have to agree before their form is taken for that of all."""
_TELLING_DIGITS = 8
"""Of a number, from its end: carriers write the beginning in many ways."""


def normal(written: str) -> str:
    """
    One way to write an id that is written with more or fewer zeros, in capitals or not.

    >>> normal(" 00BBA622"), normal("000"), normal("6b1e-Q")
    ('bba622', '0', '6b1e-Q')
    """
    if not _HEX.fullmatch(written):
        written = _NOT_OF_IDS.sub("", written)
        if not _HEX.fullmatch(written.replace("-", "")):
            return written[:_MOST_CHARACTERS]
    return written[:_MOST_CHARACTERS].lower().lstrip("0") or "0"


def _hex_of_decimal(written: str) -> str | None:
    return f"{int(written):x}" if _DIGITS.fullmatch(written) else None


def _decimal_of_hex(written: str) -> str | None:
    return str(int(written, 16)) if _HEX.fullmatch(written) else None


Forms = tuple[IdForm, IdForm]
"""How answers write ids, and how receipts do."""
_Change = Callable[[str], str | None]
# What makes the id of a receipt that of the answer.
_CHANGES: dict[Forms, _Change] = {
    (IdForm.HEX, IdForm.DECIMAL): _hex_of_decimal,
    (IdForm.DECIMAL, IdForm.HEX): _decimal_of_hex,
}
SAME: Forms = (IdForm.AS_IS, IdForm.AS_IS)


def readings(written: str) -> Iterator[tuple[Forms, str]]:
    """What an id in a receipt may be in the answer, in its normal form, by how the two are written."""
    found = normal(written)
    yield SAME, found
    for forms, change in _CHANGES.items():
        if (changed := change(found)) is not None:
            yield forms, changed


class Ids:
    """
    Gives each message one id, however it is written: that of the answer, in its normal form.

    Where the profile does not know how ids are written, the first receipts tell. The ids of some answers are
    remembered with the numbers they were for. A receipt whose id, read another way, is one of them, and whose number
    is the same, is for that message: an id alone would be no proof, as the hex of one message is the decimal of
    another. Once a few receipts agree, all are read that way; until then, one that fits nowhere is taken as it is.

    `outstanding` are the ids and numbers of messages that are with the carrier from before, newest first.
    """

    def __init__(self, profile: Profile, *, outstanding: Iterable[tuple[str, str]] = ()) -> None:
        self._change = _CHANGES.get((profile.id_in_answer, profile.id_in_receipt))
        self._learns = profile.learn_ids and profile.id_in_answer is IdForm.AS_IS
        self._answered: dict[str, str] = {}
        self._votes: Counter[Forms] = Counter()
        self.learned: Forms | None = None
        """How answers and receipts write ids, once that is found out: what the profile should say."""
        if self._learns:
            # Not all of the room: some of them may never be reported on.
            for written, number in islice(outstanding, SAMPLE // 2):
                self.of_answer(written, number=number)

    def of_answer(self, written: str, *, number: str) -> str:
        """The id of a message that the carrier has just taken for `number`."""
        found = normal(written)
        if self._learns and len(self._answered) < SAMPLE:
            self._answered[found] = number[-_TELLING_DIGITS:]
        return found

    def of_receipt(self, written: str, numbers: Iterable[str] = ()) -> str:
        """The id of the message that a receipt is for; `numbers` are the addresses in the receipt."""
        found = normal(written)
        if self._learns:
            return self._found_out(found, {number[-_TELLING_DIGITS:] for number in numbers if number})
        return (self._change(found) if self._change else None) or found

    def _found_out(self, found: str, tails: set[str]) -> str:
        for forms, reading in readings(found):
            if self._answered.get(reading) in tails:
                del self._answered[reading]
                self._vote(forms)
                return reading
        return found

    def _vote(self, forms: Forms) -> None:
        self._votes[forms] += 1
        if len(self._votes) == 1 and self._votes[forms] >= ENOUGH:
            self._learns = False
            self._answered.clear()
            self._change = _CHANGES.get(forms)
            self.learned = forms
