"""A template and its values become the message that goes out."""

from collections.abc import Sequence

import msgspec

from cleartosend.model.applications import VARIABLE


class Rendering(msgspec.Struct, frozen=True):
    """A template's fixed text, cut at its variables once so that each message is only a join."""

    pieces: tuple[str, ...]
    """The fixed text before, between and after the variables: one more than there are places."""
    places: tuple[int, ...]
    """Which value, from 0, stands at each place."""
    variables: int
    """How many values a message must bring."""


def prepare(template: str) -> Rendering:
    """
    Cut a template at its variables.

    >>> prepare("您的验证码是{1}，{2}分钟内有效。").pieces
    ('您的验证码是', '，', '分钟内有效。')
    """
    parts = VARIABLE.split(template)
    numbers = [int(number) for number in parts[1::2]]
    return Rendering(tuple(parts[::2]), tuple(number - 1 for number in numbers), max(numbers, default=0))


def fill(rendering: Rendering, values: Sequence[str]) -> tuple[str, tuple[tuple[int, int], ...]]:
    """
    The body with its values, and where each stands as [start, end).

    >>> fill(prepare("订单{1}已到{2}"), ["8", "店"])
    ('订单8已到店', ((2, 3), (5, 6)))
    """
    parts = [rendering.pieces[0]]
    spans: list[tuple[int, int]] = []
    at = len(parts[0])
    for place, piece in zip(rendering.places, rendering.pieces[1:], strict=True):
        value = values[place]
        spans.append((at, at + len(value)))
        at += len(value) + len(piece)
        parts += (value, piece)
    return "".join(parts), tuple(spans)


def sign(body: str, signature: str, *, international: bool) -> str:
    """
    The body behind its signature, in the brackets of its side of the border.

    >>> sign("hello", "Clear", international=True), sign("你好", "清风", international=False)
    ('[Clear]hello', '【清风】你好')
    """
    if not signature:
        return body
    return f"[{signature}]{body}" if international else f"【{signature}】{body}"
