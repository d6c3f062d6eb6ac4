"""Who is not to be reached: what replies ask for, opt-outs, the do-not-disturb list, and every change of them."""

from enum import StrEnum

import msgspec

EVERYONE = 0
"""Stands for an account's number in what holds for every account."""
ANY = ""
"""Stands for a signature or a type in what holds for every one."""


class Wish(StrEnum):
    """What the words of a reply ask for."""

    NONE = ""
    OPT_OUT = "opt-out"
    OPT_IN = "opt-in"
    UNSURE = "unsure"
    """Perhaps an opt-out: a person decides."""


class OptOutSource(StrEnum):
    """How a number came to be left alone. Only what a reply asked for, a reply takes back."""

    REPLY = "reply"
    LIST = "list"


class ConsentChange(StrEnum):
    """What can change about who may be reached."""

    OPTED_OUT = "opted-out"
    OPTED_IN = "opted-in"
    LISTED = "listed"
    UNLISTED = "unlisted"
    MEMBER_REMOVED = "member-removed"


class OptOut(msgspec.Struct, frozen=True, kw_only=True):
    """A number that is not to be reached by an account under a signature with a type of message."""

    account_id: int
    number: str
    signature: str
    type: str
    at: float
    source: OptOutSource


class ConsentEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of who may be reached, kept for good."""

    account_id: int
    number: str
    signature: str
    type: str
    change: ConsentChange
    by: str
    because: str
    at: float
