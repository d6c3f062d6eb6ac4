"""What was decided on texts like this one, for whoever decides on the next."""

import re
import zlib
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend.model.applications import VARIABLE, ReviewEvent, ReviewState, Subject, Template
from cleartosend.policy.normalise import fold
from cleartosend.store import applications, likenesses

GRAM = 3
BANDS, ROWS = 10, 3
"""Of two texts that are 70 % alike, 98 in 100 pairs share a band; of two that are 30 % alike, 24."""
LEAST_ALIKE = 0.5
MOST_COMPARED = 100
MOST_SHOWN = 5

_PRIME = (1 << 61) - 1
# Multipliers and addends of the hash functions: any numbers do, as long as they stay the same.
_FUNCTIONS = tuple(
    (zlib.crc32(b"a%d" % number) << 20 | 1, zlib.crc32(b"b%d" % number)) for number in range(BANDS * ROWS)
)
_NO_WORDS = re.compile(r"[\W_]+")


class Precedent(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier template that is like the one at hand, and the last decision on it."""

    template: Template
    alike: float
    """How much of the two texts is the same, 0 to 1."""
    decision: ReviewEvent


def remember(tx: Connection, template: Template) -> None:
    """Let the template be found by those like it."""
    likenesses.remember(tx, template.id, hashes_of(_grams(template.text)))


def like(tx: Connection, template: Template) -> list[Precedent]:
    """Decided templates that are like this one, the most alike first."""
    grams = _grams(template.text)
    candidates = likenesses.sharing(tx, hashes_of(grams), apart_from=template.id, limit=MOST_COMPARED)
    compared = sorted(((alike(grams, _grams(other.text)), other) for other in candidates), key=lambda pair: -pair[0])
    return [
        Precedent(template=other, alike=round(share, 2), decision=_decision_on(tx, other))
        for share, other in compared[:MOST_SHOWN]
        if share >= LEAST_ALIKE
    ]


def same_as_approved(tx: Connection, template: Template) -> Template | None:
    """An approved template of the same account and kind that says the same in other punctuation, spacing or width."""
    wanted = gist(template.text)
    candidates = likenesses.sharing(tx, hashes_of(_grams(template.text)), apart_from=template.id, limit=MOST_COMPARED)
    return next(
        (
            other
            for other in candidates
            if other.state is ReviewState.APPROVED
            and (other.account_id, other.type, other.international)
            == (template.account_id, template.type, template.international)
            and gist(other.text) == wanted
        ),
        None,
    )


def gist(text: str) -> str:
    """
    What a text says, without what only sets it: spaces, punctuation, width and case. Numbers and variables stay.

    >>> gist("您的订单{1}已发货！") == gist("您的订单 {1} 已发货。"), gist("满10元") == gist("满1.0元")
    (True, False)
    """
    # Between digits a mark is part of a number, and between letters of an address.
    return re.sub(r"(?<![a-z0-9])[\W_]+|[\W_]+(?![a-z0-9])", "", fold(text).replace("{", "v").replace("}", "v"))


def alike(grams: frozenset[str], others: frozenset[str]) -> float:
    """
    The share of what two texts have together that both have (Jaccard).

    >>> alike(_grams("您的订单已发货"), _grams("您的订单已发货")), alike(_grams("您的订单"), _grams("会员您好"))
    (1.0, 0.0)
    """
    return len(grams & others) / len(grams | others) if grams | others else 0.0


def hashes_of(grams: frozenset[str]) -> Sequence[int]:
    """MinHash (Broder 1997): for each band, a hash that two texts share the likelier the more alike they are."""
    if not grams:
        return ()
    numbers = [zlib.crc32(gram.encode()) for gram in grams]
    least = [min((one * factor + addend) % _PRIME for one in numbers) for factor, addend in _FUNCTIONS]
    return [
        zlib.crc32(b"".join(one.to_bytes(8, "big") for one in least[band * ROWS : (band + 1) * ROWS]))
        for band in range(BANDS)
    ]


def _grams(text: str) -> frozenset[str]:
    """The runs of three characters of a text; which variable stands somewhere is no difference."""
    bare = _NO_WORDS.sub("", VARIABLE.sub("v", fold(text)))
    return (
        frozenset(bare[start : start + GRAM] for start in range(max(len(bare) - GRAM + 1, 1))) if bare else frozenset()
    )


def _decision_on(tx: Connection, template: Template) -> ReviewEvent:
    return applications.events_of(tx, Subject.TEMPLATE, template.id)[-1]
