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
    same_content_per_day: Limit | None = None
    """Most messages of the same text to one number in a calendar day, Beijing time; none: no limit."""
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
    international_segments_per_day: Limit | None = 100
    """Most segments to numbers outside mainland China in a calendar day, Beijing time; none: no limit."""
    prepaid: bool = False
    """Whether messages to mainland China go out only as long as a package has segments left."""
    in_arrears: bool = False
    """Whether nothing goes out until a bill has been paid."""
    caller_networks: tuple[str, ...] = ()
    """Addresses and networks (such as `10.1.0.0/16`) that calls may come from; empty: anywhere."""
    requests_per_second: dict[str, Limit] = {}
    """Calls a second by action, where they differ from the published ones; 0 refuses all."""
    opt_out_confirmation: str = ""
    """The id of an approved template without variables that confirms an opt-out; empty: none is sent."""
    opt_in_confirmation: str = ""
    """The id of an approved template without variables that confirms opting in again; empty: none is sent."""


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


class CountryLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may go to one country in a calendar day, Beijing time."""

    daily_cap: Limit | None = None
    """Most messages; none: as many as the app may send."""
    daily_warning: Limit | None = None
    """How many messages are worth a warning to the operator."""


class AppSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be granted or restricted per app. Days are calendar days, Beijing time; none: no limit."""

    daily_cap: Limit | None = None
    """Most messages in a day."""
    daily_cap_mainland: Limit | None = None
    """Most messages to mainland China in a day."""
    daily_cap_international: Limit | None = None
    """Most messages to other places in a day."""
    daily_warning_mainland: Limit | None = None
    """How many messages to mainland China in a day are worth a warning to the operator."""
    daily_warning_international: Limit | None = None
    """How many messages to other places in a day are worth a warning to the operator."""
    countries: dict[str, CountryLimits] | None = None
    """The only countries (ISO 3166-1 alpha-2, as in IsoCode) that messages may go to; none: every one."""
    session_context_is_key: bool = False
    """Whether a SessionContext names its call, so that the same call made again is answered as the first was."""


class App(msgspec.Struct, frozen=True, kw_only=True):
    """One of an account's applications, known on the wire by its SdkAppId."""

    sdk_app_id: str
    account_id: int
    name: str
    enabled: bool
    created_at: float
    settings: AppSettings = AppSettings()


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
