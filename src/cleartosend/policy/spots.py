"""Where in a text something was found, and what edit would take it away."""

import re
from typing import NamedTuple

Span = tuple[int, int]


class Edit(NamedTuple):
    """A change that would take away what was found: [start, end) of the text as written becomes `replacement`."""

    start: int
    end: int
    replacement: str

    def covers(self, start: int, end: int) -> bool:
        """Whether [start, end) is all within what it changes."""
        return self.start <= start and end <= self.end


class Spot(NamedTuple):
    """A place in the text as written that a check objects to; empty where something is missing."""

    start: int
    end: int
    edit: Edit | None = None


def overlap(one: Span, other: Span) -> bool:
    """Whether two spans share a character."""
    return one[0] < other[1] and other[0] < one[1]


def replaced(found: re.Match[str], replacement: str) -> Spot:
    """A spot that would be mended by writing something else in its place."""
    return Spot(found.start(), found.end(), Edit(found.start(), found.end(), replacement))
