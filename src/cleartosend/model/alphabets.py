"""The alphabets that a text can be written in, how much of it a segment holds, and where it is cut."""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise


class Alphabet(StrEnum):
    """How a carrier writes a text in the 140 octets of a segment."""

    GSM7 = "gsm7"
    """3GPP TS 23.038 (GSM 03.38), 6.2.1: septets, 160 of them alone and 153 in a part."""
    ASCII = "ascii"
    """IA5, which a carrier writes anew as GSM 03.38, so that a text takes the places it would take there."""
    LATIN1 = "latin1"
    """ISO-8859-1: octets, 140 of them alone and 134 in a part."""
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
LONGEST_ALONE = {Alphabet.GSM7: 160, Alphabet.ASCII: 160, Alphabet.LATIN1: 140, Alphabet.UCS2: 70}
LONGEST_PART = {Alphabet.GSM7: 153, Alphabet.ASCII: 153, Alphabet.LATIN1: 134, Alphabet.UCS2: 67}

_EXTENSION = re.escape("".join(GSM_EXTENSION))
_WRITABLE = {
    Alphabet.GSM7: re.compile(f"[{re.escape(GSM_BASIC.replace(chr(GSM_ESCAPE), ''))}{_EXTENSION}]*+"),
    Alphabet.ASCII: re.compile(r"[\x00-\x7f]*+"),
    Alphabet.LATIN1: re.compile(r"[\x00-\xff]*+"),
    Alphabet.UCS2: re.compile(r".*+", re.DOTALL),
}
_COUNTS_TWICE = {
    Alphabet.GSM7: re.compile(f"[{_EXTENSION}]"),
    Alphabet.ASCII: re.compile(f"[{_EXTENSION}]"),
    Alphabet.UCS2: re.compile("[\U00010000-\U0010ffff]"),
}


def can_write(alphabet: Alphabet, text: str) -> bool:
    """Whether every character of the text stands in the alphabet."""
    return _WRITABLE[alphabet].fullmatch(text) is not None


def alphabet_of(text: str) -> Alphabet:
    """
    Give the smallest alphabet of every telephone that can write the whole text.

    One character outside GSM 03.38 moves all of it to UCS-2, `ç` as well as `验` (the table has only `Ç`).

    >>> alphabet_of("[Acme] 10€: ~5 {min}").value, alphabet_of("code 验").value, alphabet_of("ça va").value
    ('gsm7', 'ucs2', 'ucs2')
    """
    return Alphabet.GSM7 if can_write(Alphabet.GSM7, text) else Alphabet.UCS2


def places(text: str, alphabet: Alphabet) -> int:
    """
    How many places of the alphabet the text takes: two for a character of GSM's extension table or beyond U+FFFF.

    >>> places("5€", Alphabet.GSM7), places("5€", Alphabet.LATIN1), places("好👍", Alphabet.UCS2)
    (3, 2, 3)
    """
    if alphabet is Alphabet.UCS2:
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    counts_twice = _COUNTS_TWICE.get(alphabet)
    return len(text) if counts_twice is None else len(text) + len(counts_twice.findall(text))


def cut(text: str, alphabet: Alphabet, *, alone: int, part: int) -> list[str]:
    """
    Cut a text so that it goes alone or in parts of at most so many places, each filled as far as it goes.

    An escape pair or a surrogate pair stays whole, so the part before it may have a place to spare.

    >>> [len(one) for one in cut("a" * 152 + "€" + "a" * 10, Alphabet.GSM7, alone=160, part=153)]
    [152, 11]
    """
    taken = places(text, alphabet)
    if taken <= alone:
        return [text]
    if taken == len(text):
        return [text[start : start + part] for start in range(0, len(text), part)]
    seams = [0, *_seams(text, alphabet, part)]
    return [text[start:end] for start, end in pairwise(seams)]


def count_parts(text: str, alphabet: Alphabet, *, alone: int, part: int) -> int:
    """How many pieces `cut` gives."""
    taken = places(text, alphabet)
    if taken <= alone:
        return 1
    if taken == len(text):
        return -(-taken // part)
    return sum(1 for _ in _seams(text, alphabet, part))


def _seams(text: str, alphabet: Alphabet, part: int) -> Iterator[int]:
    """Yield where each part of a long text ends, the last one included."""
    count_twice = set(_COUNTS_TWICE[alphabet].findall(text))
    filled = 0
    for position, character in enumerate(text):
        filled += (needed := 2 if character in count_twice else 1)
        if filled > part:
            yield position
            filled = needed
    yield len(text)
