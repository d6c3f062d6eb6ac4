"""Members: whom an account may reach with marketing, since they bought or registered, and how they came on its list."""

from enum import StrEnum

import msgspec


class MemberSource(StrEnum):
    """How somebody became a member."""

    PURCHASE = "purchase"
    REGISTRATION = "registration"


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A number on an account's list."""

    number: str
    source: MemberSource
    since: float
    """When it bought or registered."""
    import_id: int
    """The import that brought it; 0: none did."""


class ImportState(StrEnum):
    """Only what a finished import brought counts."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    REMOVED = "removed"


class MemberImport(msgspec.Struct, frozen=True, kw_only=True):
    """One file that was read into an account's list."""

    id: int
    account_id: int
    file: str
    state: ImportState
    rows: int
    """Rows written so far."""
    new_members: int
    by: str
    started_at: float
    alive_at: float
    """When it last wrote something."""
    ended_at: float | None
