"""What was seen behind a link of a template: kept as the evidence of what was decided on it."""

from enum import StrEnum

import msgspec


class Agent(StrEnum):
    """Whom the link's server was shown: some servers show a telephone another page than a reviewer's desk."""

    PHONE = "phone"
    DESKTOP = "desktop"


class Sight(StrEnum):
    """What opening a link came to."""

    OPENED = "opened"
    BROKEN = "broken"
    """There is certainly nothing: no such page."""
    NOT_ALLOWED = "not-allowed"
    """It leads to an address that nobody outside could open."""
    UNREACHABLE = "unreachable"
    """No answer, or one that says nothing: whether it is them or us cannot be told from one look."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One link opened once."""

    url: str
    agent: Agent
    at: float
    sight: Sight
    status: int = 0
    """Of the last answer; 0: there was none."""
    chain: tuple[str, ...] = ()
    """Every address on the way, the one asked for first and the one that answered last."""
    content_type: str = ""
    title: str = ""
    text: str = ""
    """What a reader of the page sees, cut where it becomes long."""
    digest: str = ""
    """SHA-256 of the whole page as it came."""
    error: str = ""

    @property
    def final_url(self) -> str:
        return self.chain[-1] if self.chain else self.url
