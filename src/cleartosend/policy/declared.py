"""Compares what a text is declared to be with what it says."""

from collections.abc import Iterable

from cleartosend.model.verdicts import MessageType, Nature
from cleartosend.policy.nature import shows_members
from cleartosend.policy.spots import Span, Spot
from cleartosend.policy.view import Check, View


def _declared_type_is_not_its_nature(view: View) -> Iterable[Spot]:
    """Find the words that show a promotion in what was declared to be something else."""
    if view.submission.type is MessageType.MARKETING or view.reading.nature is not Nature.MARKETING:
        return []
    return _spots(view.reading.spans)


def _may_be_a_promotion(view: View) -> Iterable[Spot]:
    """Find words that promotions have and notices seldom, in what was not declared marketing and tells no fact."""
    return [] if view.submission.type is MessageType.MARKETING else _spots(view.reading.doubtful_spans)


def _nothing_is_verified(view: View) -> Iterable[Spot]:
    """Find the words that show a notice in what was declared a verification."""
    if view.submission.type is not MessageType.VERIFICATION or view.reading.nature is not Nature.NOTIFICATION:
        return []
    return _spots(view.reading.spans)


def _nothing_shows_members(view: View) -> Iterable[Spot]:
    """
    Find the words that promote where none shows that members are meant.

    What was declared marketing and shows no nature of its own is taken for it, in an empty spot.
    """
    reading = view.reading
    if view.submission.type is not MessageType.MARKETING or reading.nature not in {Nature.MARKETING, Nature.UNCLEAR}:
        return []
    return [] if shows_members(view.normalised) else _spots(reading.spans or [(0, 0)])


def _spots(spans: Iterable[Span]) -> list[Spot]:
    return [Spot(start, end) for start, end in spans]


CHECKS: dict[str, Check] = {
    "declared-type-is-not-its-nature": _declared_type_is_not_its_nature,
    "may-be-a-promotion": _may_be_a_promotion,
    "nothing-is-verified": _nothing_is_verified,
    "nothing-shows-members": _nothing_shows_members,
}
