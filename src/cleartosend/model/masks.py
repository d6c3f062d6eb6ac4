"""Numbers and values as they are shown to people who need not know them."""

from collections.abc import Sequence

HIDDEN = "*"
_SHORT = 4


def masked_number(number: str) -> str:
    """
    A number without its middle.

    >>> masked_number("+8613711112222")
    '+86137****2222'
    """
    return number[:-8] + HIDDEN * len(number[-8:-4]) + number[-4:]


def masked_value(value: str) -> str:
    """
    A value of which no more than its ends are left, and nothing of a short one.

    >>> masked_value("123456"), masked_value("520")
    ('1****6', '***')
    """
    if len(value) < _SHORT:
        return HIDDEN * len(value)
    return value[0] + HIDDEN * (len(value) - 2) + value[-1]


def masked_text(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """
    A text with the values that stand at [start, end) masked.

    >>> masked_text("code 123456, thanks", [(5, 11)])
    'code 1****6, thanks'
    """
    for start, end in spans:
        text = text[:start] + masked_value(text[start:end]) + text[end:]
    return text
