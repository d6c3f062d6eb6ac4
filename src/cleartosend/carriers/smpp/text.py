"""A text becomes the octets of its messages, cut, numbered and joined as a carrier wants it; and back again."""

import re
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

import msgspec

from cleartosend.carriers.smpp.pdu import ESM_USER_DATA_HEADER, Tag, Tlvs
from cleartosend.carriers.smpp.profile import Joining, Profile, Writing
from cleartosend.model.alphabets import (
    GSM_BASIC,
    GSM_ESCAPE,
    GSM_EXTENSION,
    LONGEST_ALONE,
    LONGEST_PART,
    Alphabet,
    can_write,
    cut,
)

MOST_PARTS = 255
"""As many as the one octet that counts them can say."""

# 3GPP TS 23.040, 9.2.3.24.1 and 9.2.3.24.8: a part of several, with a reference of one octet or of two.
_CONCATENATED = 0x00
_CONCATENATED_WIDE = 0x08

_ESCAPE = chr(GSM_ESCAPE)
_TO_GSM = str.maketrans(
    {character: chr(septet) for septet, character in enumerate(GSM_BASIC) if septet != GSM_ESCAPE}
    | {character: _ESCAPE + chr(septet) for character, septet in GSM_EXTENSION.items()}
)
_FROM_GSM = str.maketrans({chr(septet): character for septet, character in enumerate(GSM_BASIC)})
# TS 23.038, 6.2.1.1: a telephone that does not know an escaped character shows that of the basic table; an escape
# before another escape, or at the end, is a space.
_EXTENDED = {chr(septet): character for character, septet in GSM_EXTENSION.items()}
_ESCAPED = re.compile(f"{_ESCAPE}(.?)", re.DOTALL)

# [5.2.19] data_coding, as far as Python knows the character set; the rest of the values are for GSM (TS 23.038, 4).
_CODECS = {1: "latin-1", 3: "latin-1", 5: "shift_jis", 6: "iso8859-5", 7: "iso8859-8", 14: "euc_kr"}


class Part(msgspec.Struct, frozen=True):
    """What one submit_sm carries of a text."""

    short_message: bytes
    tlvs: Tlvs = ()


class Written(msgspec.Struct, frozen=True):
    """A text as it goes out."""

    data_coding: int
    esm_class: int
    """To be added to what else stands there: whether the parts begin with a header."""
    parts: tuple[Part, ...]


class Place(msgspec.Struct, frozen=True):
    """Which part of which text a message is."""

    reference: int
    number: int
    """Counted from 1."""
    of: int


class Piece(msgspec.Struct, frozen=True):
    """The octets of a text, or of a part of one, as they came."""

    data: bytes
    data_coding: int
    behind: int = 0
    """How many octets of header stood before them, which matters to packed septets."""


def write(text: str, profile: Profile, *, international: bool, reference: int) -> Written | None:
    """
    Write a text as the profile says; None where it has characters that no alphabet of the carrier can write.

    It is cut where the segments that it is billed as end, so never into more parts than those, unless the profile has
    a narrower alphabet or a wider header. `reference` tells the parts of texts to one number apart; it may begin again
    from 0.
    """
    writing = _writing_for(text, profile)
    if writing is None:
        return None
    # At home each character counts as one of UCS-2, whatever it is written in.
    alphabet = writing.alphabet if international else Alphabet.UCS2
    part = LONGEST_PART[alphabet]
    if profile.joining is Joining.HEADER and profile.wide_references:
        part -= 1
    pieces = cut(text, alphabet, alone=LONGEST_ALONE[alphabet], part=part)
    coding = writing.data_coding
    if len(pieces) == 1:
        return Written(coding, 0, (Part(_octets(text, writing)),))
    if profile.joining is Joining.PAYLOAD:
        return Written(coding, 0, (Part(b"", ((Tag.MESSAGE_PAYLOAD, _octets(text, writing)),)),))
    if len(pieces) > MOST_PARTS:
        return None
    if profile.joining is Joining.TLVS:
        parts = tuple(
            Part(_octets(piece, writing), _sar(reference, number, len(pieces)))
            for number, piece in enumerate(pieces, 1)
        )
        return Written(coding, 0, parts)
    headers = [
        _header(reference, number, len(pieces), wide=profile.wide_references) for number in range(1, len(pieces) + 1)
    ]
    parts = tuple(
        Part(header + _octets(piece, writing, behind=len(header)))
        for header, piece in zip(headers, pieces, strict=True)
    )
    return Written(coding, ESM_USER_DATA_HEADER, parts)


def read(pieces: Sequence[Piece], profile: Profile) -> str:
    """
    Read a text from its parts, in order; what cannot be a character comes out as U+FFFD, and nothing raises.

    The octets of parts are put together first, so that a character which somebody else cut in two is whole again.
    """
    texts: list[str] = []
    for coding, run in groupby(pieces, key=attrgetter("data_coding")):
        writing = _writing_of(coding, profile)
        if writing is None:
            texts.append(b"".join(piece.data for piece in run).decode(_CODECS[coding], "replace"))
        elif writing.packed:
            texts.append(_from_septets(b"".join(unpack(piece.data, behind=piece.behind) for piece in run)))
        else:
            texts.append(_text(b"".join(piece.data for piece in run), writing.alphabet))
    return "".join(texts)


def take_apart(esm_class: int, data_coding: int, short_message: bytes, tlvs: Tlvs) -> tuple[Place | None, Piece]:
    """
    Tell the octets of a message's text from those that say which part of a longer one it is; None: it is whole.

    A payload in the optional parameters stands for an empty short_message [5.3.2.32].
    """
    values = dict(tlvs)
    data = short_message or values.get(Tag.MESSAGE_PAYLOAD, b"")
    if esm_class & ESM_USER_DATA_HEADER and data and data[0] < len(data):
        behind = data[0] + 1
        return _place_in_header(data[1:behind]), Piece(data[behind:], data_coding, behind)
    reference, of, number = (
        int.from_bytes(values.get(tag, b""))
        for tag in (Tag.SAR_MSG_REF_NUM, Tag.SAR_TOTAL_SEGMENTS, Tag.SAR_SEGMENT_SEQNUM)
    )
    return _place(reference, number, of), Piece(data, data_coding)


def _writing_for(text: str, profile: Profile) -> Writing | None:
    for writing in profile.alphabets:
        if can_write(writing.alphabet, text):
            return writing
    return None


def _header(reference: int, number: int, of: int, *, wide: bool) -> bytes:
    if wide:
        return bytes((6, _CONCATENATED_WIDE, 4, reference >> 8 & 0xFF, reference & 0xFF, of, number))
    return bytes((5, _CONCATENATED, 3, reference & 0xFF, of, number))


def _sar(reference: int, number: int, of: int) -> Tlvs:
    return (
        (Tag.SAR_MSG_REF_NUM, (reference & 0xFFFF).to_bytes(2)),
        (Tag.SAR_TOTAL_SEGMENTS, of.to_bytes(1)),
        (Tag.SAR_SEGMENT_SEQNUM, number.to_bytes(1)),
    )


def _place_in_header(elements: bytes) -> Place | None:
    """Of the elements of a user data header, the one that numbers the parts."""
    while len(elements) >= 2:
        identifier, length = elements[0], elements[1]
        value, elements = elements[2 : 2 + length], elements[2 + length :]
        if identifier == _CONCATENATED and len(value) == 3:
            return _place(value[0], value[2], value[1])
        if identifier == _CONCATENATED_WIDE and len(value) == 4:
            return _place(int.from_bytes(value[:2]), value[3], value[2])
    return None


def _place(reference: int, number: int, of: int) -> Place | None:
    """TS 23.040, 9.2.3.24.1: numbers that cannot be are as if they were not there."""
    return Place(reference, number, of) if of > 1 and 1 <= number <= of <= MOST_PARTS else None


# --- octets ---


def _octets(text: str, writing: Writing, *, behind: int = 0) -> bytes:
    match writing.alphabet:
        case Alphabet.UCS2:
            return text.encode("utf-16-be", "surrogatepass")
        case Alphabet.GSM7:
            septets = text.translate(_TO_GSM).encode("latin-1")
            return pack(septets, behind=behind) if writing.packed else septets
        case _:
            return text.encode("latin-1")


def _text(data: bytes, alphabet: Alphabet) -> str:
    match alphabet:
        case Alphabet.UCS2:
            return data.decode("utf-16-be", "replace")
        case Alphabet.GSM7:
            return _from_septets(data)
        case _:
            return data.decode("latin-1")


def _from_septets(septets: bytes) -> str:
    text = septets.decode("latin-1")
    if not text.isascii():
        # No septets: a carrier that writes its default alphabet in octets, and says so to nobody.
        return text
    if _ESCAPE not in text:
        return text.translate(_FROM_GSM)
    # What is escaped is taken out of the way before the rest is translated.
    pieces: list[str] = []
    end = 0
    for escaped in _ESCAPED.finditer(text):
        pieces.append(text[end : escaped.start()].translate(_FROM_GSM))
        pieces.append(_EXTENDED.get(escaped[1]) or _plain(escaped[1]))
        end = escaped.end()
    pieces.append(text[end:].translate(_FROM_GSM))
    return "".join(pieces)


def _plain(character: str) -> str:
    return " " if character in ("", _ESCAPE) else character.translate(_FROM_GSM)


def pack(septets: bytes, *, behind: int = 0) -> bytes:
    """
    Write septets without gaps, as TS 23.038, 6.1.2.1 does; behind a header they begin at the next whole septet.

    Seven bits to spare would read as one more `@`, so a carriage return fills them (6.1.2.3.1).

    >>> pack(b"hellohello").hex()
    'e8329bfd4697d9ec37'
    >>> unpack(pack(b"sevenup"))
    b'sevenup'
    """
    fill = -behind * 8 % 7
    bits = fill + len(septets) * 7
    if bits % 8 == 1:
        septets += b"\r"
        bits += 7
    packed = 0
    for septet in reversed(septets):
        packed = packed << 7 | septet
    return (packed << fill).to_bytes(-(-bits // 8), "little")


def unpack(data: bytes, *, behind: int = 0) -> bytes:
    """The septets that `pack` wrote, but for a carriage return in the last seven bits, which fills them."""
    fill = -behind * 8 % 7
    packed = int.from_bytes(data, "little") >> fill
    count = max(len(data) * 8 - fill, 0) // 7
    septets = bytes(packed >> 7 * place & 0x7F for place in range(count))
    if (fill + count * 7) % 8 == 0 and septets.endswith(b"\r"):
        return septets[:-1]
    return septets


def _writing_of(data_coding: int, profile: Profile) -> Writing | None:
    """How a text of this coding is written; None where Python has a codec for it."""
    for writing in profile.alphabets:
        if writing.data_coding == data_coding:
            return writing
    return None if data_coding in _CODECS else Writing(_alphabet_by_standard(data_coding), data_coding)


def _alphabet_by_standard(data_coding: int) -> Alphabet:
    """TS 23.038, 4: two bits in the groups that SMPP leaves to GSM, and what is neither septets nor UCS-2 is octets."""
    if data_coding == 8 or data_coding & 0xF0 == 0xE0:
        return Alphabet.UCS2
    if data_coding & 0xF0 == 0xF0:
        return Alphabet.LATIN1 if data_coding & 0x04 else Alphabet.GSM7
    if data_coding & 0xC0 == 0:
        return (Alphabet.GSM7, Alphabet.LATIN1, Alphabet.UCS2, Alphabet.GSM7)[data_coding >> 2 & 3]
    return Alphabet.GSM7
