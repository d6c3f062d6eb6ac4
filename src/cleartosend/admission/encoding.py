"""Which alphabet a text needs, into how many segments (计费条) it is billed, and where it is cut."""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise


class Alphabet(StrEnum):
    """How a carrier writes a text in the 140 octets of a segment."""

    GSM7 = "gsm7"
    """3GPP TS 23.038 (GSM 03.38), 6.2.1: septets, 160 of them alone and 153 in a part."""
    UCS2 = "ucs2"
    """16-bit units, 70 of them alone and 67 in a part."""


# 3GPP TS 23.038, 6.2.1, in the order of its codes, so that a character's place is its septet. 0x1B is not a
# character but the escape to the table below; a text that contains it is not GSM text.
GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_ESCAPE = 0x1B
# 3GPP TS 23.038, 6.2.1.1: the septet that follows the escape.
GSM_EXTENSION = {
    "\f": 0x0A,
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}

# A part is shorter than a message that goes alone: six octets go to the header that numbers the parts
# (TS 23.040, 9.2.3.24.1).
LONGEST_ALONE = {Alphabet.GSM7: 160, Alphabet.UCS2: 70}
LONGEST_PART = {Alphabet.GSM7: 153, Alphabet.UCS2: 67}

_EXTENSION = re.escape("".join(GSM_EXTENSION))
_GSM_TEXT = re.compile(f"[{re.escape(GSM_BASIC.replace(chr(GSM_ESCAPE), ''))}{_EXTENSION}]*+")
_COUNTS_TWICE = {Alphabet.GSM7: re.compile(f"[{_EXTENSION}]"), Alphabet.UCS2: re.compile("[\U00010000-\U0010ffff]")}


def alphabet_of(text: str) -> Alphabet:
    """
    Give the smallest alphabet that can write the whole text.

    One character outside GSM 03.38 moves all of it to UCS-2, `ç` as well as `验` (the table has only `Ç`).

    >>> alphabet_of("[Acme] 10€: ~5 {min}").value, alphabet_of("code 验").value, alphabet_of("ça va").value
    ('gsm7', 'ucs2', 'ucs2')
    """
    return Alphabet.GSM7 if _GSM_TEXT.fullmatch(text) else Alphabet.UCS2


def segments(text: str, *, international: bool) -> int:
    """
    Count the segments that `text`, signature included, is billed as; always as many as `split` gives.

    Inside mainland China every character counts 1, Latin ones too: 70 go alone, 67 to a part.

    >>> [segments("验" * n, international=False) for n in (0, 70, 71, 134, 135, 150)]
    [1, 1, 2, 2, 3, 3]
    >>> segments("a" * 71, international=False), segments("a" * 71, international=True)
    (2, 1)

    Elsewhere a GSM text has 160 or 153 places, of which the extension table takes two a character.

    >>> [segments("a" * n, international=True) for n in (160, 161, 306, 307, 320)]
    [1, 2, 2, 3, 3]
    >>> segments("[" + "a" * 158, international=True), segments("[" + "a" * 159, international=True)
    (1, 2)

    An emoji takes two places of UCS-2, and is not cut in half where two parts meet. Where a pair would be, the count
    can be one more than the published ceil(n / 67) or ceil(n / 153), because the carrier receives one more.

    >>> segments("👍" * 35, international=False), segments("👍" * 36, international=False)
    (1, 2)
    >>> segments("验" * 134, international=False), segments("验" * 66 + "👍" + "验" * 66, international=False)
    (2, 3)
    """
    alphabet, places = _measure(text, international=international)
    if places <= LONGEST_ALONE[alphabet]:
        return 1
    if places == len(text):
        return -(-places // LONGEST_PART[alphabet])
    return sum(1 for _ in _cuts(text, alphabet))


def split(text: str, *, international: bool) -> list[str]:
    """
    Cut `text` into what each segment carries; joined again it is the same text.

    An escape pair or a surrogate pair stays whole, so the part before it may have a place to spare. What a reader
    sees as one character but is several (an emoji family, a letter and its accent) may be cut: handsets put the
    parts together before they show them, and keeping families whole would cost the customer segments.

    >>> [len(part) for part in split("验" * 150, international=False)]
    [67, 67, 16]
    >>> [len(part) for part in split("a" * 152 + "€" + "a" * 10, international=True)]
    [152, 11]
    """
    alphabet, places = _measure(text, international=international)
    if places <= LONGEST_ALONE[alphabet]:
        return [text]
    if places == len(text):
        longest = LONGEST_PART[alphabet]
        return [text[start : start + longest] for start in range(0, len(text), longest)]
    seams = [0, *_cuts(text, alphabet)]
    return [text[start:end] for start, end in pairwise(seams)]


def _measure(text: str, *, international: bool) -> tuple[Alphabet, int]:
    """Say in which alphabet a text is counted and how many places of it the text takes."""
    if international and _GSM_TEXT.fullmatch(text):
        return Alphabet.GSM7, len(text) + len(_COUNTS_TWICE[Alphabet.GSM7].findall(text))
    # The published rule says "each character counts 1" and does not mention characters beyond U+FFFF. The segment
    # a carrier takes has 134 octets of UTF-16, where such a character fills four, so it counts 2 here: by counting
    # it 1 we would bill a message for fewer segments than the carrier bills us for.
    return Alphabet.UCS2, len(text.encode("utf-16-le", "surrogatepass")) // 2


def _cuts(text: str, alphabet: Alphabet) -> Iterator[int]:
    """Yield where each part of a long text ends, the last one included, filling every part as far as it goes."""
    longest = LONGEST_PART[alphabet]
    count_twice = set(_COUNTS_TWICE[alphabet].findall(text))
    places = 0
    for position, character in enumerate(text):
        places += (needed := 2 if character in count_twice else 1)
        if places > longest:
            yield position
            places = needed
    yield len(text)
