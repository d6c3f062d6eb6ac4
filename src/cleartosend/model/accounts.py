"""Who may call: accounts, their applications' identifiers (apps), their credentials and their settings."""

from enum import StrEnum
from typing import Annotated

import msgspec


class AccountKind(StrEnum):
    """What an account was verified as; it decides what it may apply for and send."""

    ORGANIZATION = "organization"
    INDIVIDUAL = "individual"


class AccountStatus(StrEnum):
    """Only an active account may send."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    BANNED = "banned"


MACHINE = "machine"
"""Stands where a person's name would, for what the program decided by itself."""


Limit = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may grant or restrict per account. The defaults are the newest published ones."""

    variable_length: Limit = 6
    """Most characters in one variable's value, outside verification codes."""
    variables_allowed: bool = True
    """Whether domestic notification and marketing templates may have variables."""
    marketing_allowed: bool = True
    """Whether an organisation may send marketing; an individual never may."""
    same_content_per_30_seconds: Limit | None = 1
    """Most messages of the same text to one number in 30 seconds; none: no limit."""
    per_number_per_30_seconds: Limit | None = None
    """Most messages to one number in 30 seconds; none: no limit."""
    per_number_per_hour: Limit | None = None
    """Most messages to one number in an hour; none: no limit."""
    per_number_per_day: Limit | None = 2
    """Most messages to one number in a calendar day, Beijing time; none: no limit."""
    exempt_numbers: tuple[str, ...] = ()
    """Numbers (E.164) that no frequency limit holds back: a team's own telephones."""
    extension_codes_allowed: bool = False
    """Whether calls may give an ExtendCode."""
    signature_limit: Limit = 50
    """Most signatures, deleted ones apart."""
    template_limit: Limit = 200
    """Most templates, deleted ones apart."""
    applies_by_api: bool | None = None
    """Whether signatures and templates may be applied for by API; none: organisations may, individuals may not."""


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A verified or unverified person or organisation."""

    id: int
    name: str
    kind: AccountKind
    verified: bool
    status: AccountStatus
    settings: AccountSettings
    revision: int
    """Grows with every change to the account or to anything it owns that sending depends on."""
    created_at: float


class AccountEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an account's status, kept for good."""

    status: AccountStatus
    by: str
    because: str
    at: float


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One of an account's applications, known on the wire by its SdkAppId."""

    sdk_app_id: str
    account_id: int
    name: str
    enabled: bool
    created_at: float


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A SecretId and its SecretKey; the key is in memory only while it is used."""

    secret_id: str
    secret_key: str
    account_id: int
    enabled: bool
    created_at: float

    def __repr__(self) -> str:
        return f"Credential({self.secret_id})"


MOST_CREDENTIALS_PER_ACCOUNT = 2
