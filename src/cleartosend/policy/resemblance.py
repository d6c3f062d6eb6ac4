"""Compares a text that no rule rejects with the prohibited kinds that it may resemble, so that a person looks."""

import hashlib
from collections.abc import Iterable
from functools import cache, partial
from importlib import resources

from cleartosend.model.verdicts import MessageType
from cleartosend.policy.spots import Spot
from cleartosend.policy.view import Check, View

KINDS = (
    "acquisition",
    "adult",
    "agency-services",
    "alcohol-tobacco",
    "dating",
    "debt-collection",
    "education-marketing",
    "fraud",
    "gambling",
    "home-decor",
    "insurance",
    "invoice-id",
    "legal-emigration",
    "live-games",
    "loan",
    "medical-beauty",
    "political-religious",
    "real-estate",
    "rebate",
    "recruitment",
    "social-invite",
    "stocks-investment",
    "violence-contraband",
)
"""The categories of the rulebook that the model tells apart."""


def raises_doubt(view: View) -> bool:
    """Whether any of the checks below can find something."""
    return bool(view.impression.spans or view.impression.promoting)


def _looks_like(kind: str, view: View) -> Iterable[Spot]:
    """Find the words that speak for a kind, where it is the likeliest one and likely enough."""
    impression = view.impression
    return [Spot(start, end) for start, end in impression.spans] if impression.kind == kind else []


def _looks_like_a_promotion(view: View) -> Iterable[Spot]:
    """Find the words that speak for a promotion in what was declared to be something else and tells no fact."""
    if view.submission.type is MessageType.MARKETING or view.reading.tells_a_fact:
        return []
    return [Spot(start, end) for start, end in view.impression.promoting]


CHECKS: dict[str, Check] = {
    **{f"looks-like-{kind}": partial(_looks_like, kind) for kind in KINDS},
    "looks-like-a-promotion": _looks_like_a_promotion,
}
"""They are asked only about applications that no rule rejects, since reading a text so closely takes time."""


@cache
def digest() -> str:
    """SHA-256 of the model, in hexadecimal, which a verdict may stand on; it is read here without being loaded."""
    return hashlib.sha256(resources.files(__package__).joinpath("model.npz").read_bytes()).hexdigest()
