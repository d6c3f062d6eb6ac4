"""Into how many segments (计费条) a text is billed, and where it is cut."""

from cleartosend.model.alphabets import LONGEST_ALONE, LONGEST_PART, Alphabet, alphabet_of, count_parts, cut


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
    alphabet = _counted_as(text, international=international)
    return count_parts(text, alphabet, alone=LONGEST_ALONE[alphabet], part=LONGEST_PART[alphabet])


def split(text: str, *, international: bool) -> list[str]:
    """
    Cut `text` into what each segment carries; joined again it is the same text.

    What a reader sees as one character but is several (an emoji family, a letter and its accent) may be cut: handsets
    put the parts together before they show them, and keeping families whole would cost the customer segments. An
    escape pair or a surrogate pair stays whole.

    >>> [len(part) for part in split("验" * 150, international=False)]
    [67, 67, 16]
    >>> [len(part) for part in split("a" * 152 + "€" + "a" * 10, international=True)]
    [152, 11]
    """
    alphabet = _counted_as(text, international=international)
    return cut(text, alphabet, alone=LONGEST_ALONE[alphabet], part=LONGEST_PART[alphabet])


def _counted_as(text: str, *, international: bool) -> Alphabet:
    """
    In which alphabet a text is counted.

    The published rule says "each character counts 1" and does not mention characters beyond U+FFFF. The segment a
    carrier takes has 134 octets of UTF-16, where such a character fills four, so it counts 2 here: by counting it 1 we
    would bill a message for fewer segments than the carrier bills us for.
    """
    return alphabet_of(text) if international else Alphabet.UCS2
