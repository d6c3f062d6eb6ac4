"""Compares what a text is declared to be with what it says."""

import re
from collections.abc import Iterable

from cleartosend.model.verdicts import MessageType, Nature
from cleartosend.policy.nature import shows_members
from cleartosend.policy.spots import Span, Spot
from cleartosend.policy.view import Check, View


def _declared_type_is_not_its_nature(view: View) -> Iterable[Spot]:
    """
    Find the words that show a promotion in what was declared to be something else.

    A template that barely promotes is left to `_may_be_a_promotion`. So is a message, whose template a person has seen,
    unless a value promotes.
    """
    reading = view.reading
    if view.submission.type is MessageType.MARKETING or reading.nature is not Nature.MARKETING:
        return []
    if reading.barely_promotes and not any(map(view.touches_a_value, reading.spans)):
        return []
    return _spots(reading.spans)


def _may_be_a_promotion(view: View) -> Iterable[Spot]:
    """Find words that promotions have and notices seldom, in what was not declared marketing and tells no fact."""
    return [] if view.submission.type is MessageType.MARKETING else _spots(view.reading.doubtful_spans)


# Beside a fact of the trade ("the code for your transaction") as well: a code by name, and something to enter.
_CODE_BY_NAME = re.compile(
    r"验证码|校验码|动态(?:密码|码)|\b(?:otp|passcode|one.time (?:code|password|pin))\b"
    r"|\b(?:enter|use|type|input) \{\d\}"
    r"|\b(?:verification|log.?in|sign.?in|security|confirmation|access|reset|authentication) code\b",
    re.ASCII,
)
_TO_ENTER = re.compile(r"\{\d\}|(?<![\d.])\d{4,8}(?![\d.年])", re.ASCII)


def _nothing_is_verified(view: View) -> Iterable[Spot]:
    """Find the words that show a notice in what was declared a verification."""
    if view.submission.type is not MessageType.VERIFICATION or view.reading.nature is not Nature.NOTIFICATION:
        return []
    folded = view.normalised.text
    if _CODE_BY_NAME.search(folded) and _TO_ENTER.search(folded):
        return []
    return _spots(view.reading.spans)


def _nothing_shows_members(view: View) -> Iterable[Spot]:
    """
    Find the words that promote where none shows that members are meant.

    What was declared marketing and tells no fact is taken for it, whatever words of notices it has; in an empty spot.
    """
    reading = view.reading
    if view.submission.type is not MessageType.MARKETING:
        return []
    if reading.nature is not Nature.MARKETING and reading.tells_a_fact:
        return []
    return [] if shows_members(view.normalised) else _spots(reading.promoting_spans or [(0, 0)])


def _spots(spans: Iterable[Span]) -> list[Spot]:
    return [Spot(start, end) for start, end in spans]


CHECKS: dict[str, Check] = {
    "declared-type-is-not-its-nature": _declared_type_is_not_its_nature,
    "may-be-a-promotion": _may_be_a_promotion,
    "nothing-is-verified": _nothing_is_verified,
    "nothing-shows-members": _nothing_shows_members,
}
