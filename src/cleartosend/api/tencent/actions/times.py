"""Times as the wire writes them: Unix seconds, and hours of Beijing's clock as `2024050113`."""

from datetime import datetime

import msgspec

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.signing import MOST_SECONDS_APART
from cleartosend.model.times import BEIJING, SECONDS_PER_DAY, SECONDS_PER_HOUR

LAST_SECOND = 253_402_300_799
"""The last of the year 9999."""
_HOUR_FORMAT = "%Y%m%d%H"
_HOUR_DIGITS = 10


class Period(msgspec.Struct, frozen=True):
    """From when until when, in Unix seconds, both included."""

    since: float
    until: float


class Hours(msgspec.Struct, frozen=True):
    """From which hour to which, in hours of Unix time, both included."""

    first: int
    last: int


def read_period(begin: int, end: int | None, *, now: float, days_back: int) -> Period | Fault:
    """Read what was asked for in seconds; without an end, until now."""
    # A client works its beginning out by its own clock.
    if not now - days_back * SECONDS_PER_DAY - MOST_SECONDS_APART <= begin <= now + MOST_SECONDS_APART:
        return Fault(errors.INVALID_BEGIN, f"in the last {days_back} days")
    if end is None:
        return Period(begin, now)
    if not 0 <= end <= LAST_SECOND:
        return Fault(errors.INVALID_END, "in Unix seconds")
    return Fault(errors.BEGIN_AFTER_END) if begin > end else Period(begin, end)


def read_hours(begin: str, end: str) -> Hours | Fault:
    """Read what was asked for in hours."""
    first, last = hour_of(begin), hour_of(end)
    if first is None:
        return Fault(errors.INVALID_BEGIN, "an hour, such as 2024050113")
    if last is None:
        return Fault(errors.INVALID_END, "an hour, such as 2024050113")
    return Fault(errors.INVALID_END, "not before the beginning") if first > last else Hours(first, last)


def hour_of(written: str) -> int | None:
    """
    Read an hour of Beijing's clock as an hour of Unix time; None where it is none.

    >>> hour_of("1970010108"), hour_of("2024050125"), hour_of("20240501")
    (0, None, None)
    """
    if len(written) != _HOUR_DIGITS or not written.isascii() or not written.isdigit():
        return None
    try:
        hour = datetime.strptime(written, _HOUR_FORMAT).replace(tzinfo=BEIJING)
    except ValueError:
        return None
    return int(hour.timestamp()) // SECONDS_PER_HOUR
