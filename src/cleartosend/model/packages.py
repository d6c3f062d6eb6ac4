"""Packages: segments that an account has bought or was given, and that its messages use up."""

from enum import StrEnum

import msgspec


class PackageType(StrEnum):
    """How an account came by a package; it decides how long the package lasts."""

    GIFT = "gift"
    BOUGHT = "bought"


VALID_DAYS = {PackageType.GIFT: 90, PackageType.BOUGHT: 730}
"""How long a package lasts unless something else is agreed: three months, or two years."""


class Package(msgspec.Struct, frozen=True, kw_only=True):
    """Segments paid for or given, and how many of them are used."""

    id: int
    account_id: int
    sdk_app_id: str
    """The only app that may use it; empty: every app of the account."""
    type: PackageType
    amount: int
    used: int
    created_at: float
    effective_at: float
    expires_at: float
