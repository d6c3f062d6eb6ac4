"""Lengths of time, and Beijing's clock, by which days begin and times are written."""

from datetime import datetime, timedelta, timezone

SECONDS_PER_HOUR = 3600
SECONDS_PER_DAY = 86_400
BEIJING_SECONDS_AHEAD = 8 * SECONDS_PER_HOUR
BEIJING = timezone(timedelta(seconds=BEIJING_SECONDS_AHEAD))


def text_of(seconds: float) -> str:
    """
    Write a time of Beijing's clock as the reference writes it.

    >>> text_of(1570526317)
    '2019-10-08 17:18:37'
    """
    return datetime.fromtimestamp(seconds, BEIJING).strftime("%Y-%m-%d %H:%M:%S")
