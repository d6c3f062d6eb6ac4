"""Whether it is an hour for marketing where a recipient is: the country's hours, in every time zone it has."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache, lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from cleartosend.settings import EVERY_OTHER_COUNTRY

# Zones differ from each other, and change their clocks, by multiples of this.
QUARTER_OF_AN_HOUR = 900
# One country keeps one time by law, whatever some of it lives by; the others have zones that the table does not list.
_ZONES_BY_LAW = {
    "CN": ("Asia/Shanghai",),
    "XK": ("Europe/Belgrade",),
    "AC": ("Atlantic/St_Helena",),
    "TA": ("Atlantic/St_Helena",),
}


class MarketingHours:
    """
    When marketing may go to which country.

    >>> at_noon_in_beijing = 1772424000.0
    >>> hours = MarketingHours({"CN": (8, 22), "US": (9, 21)})
    >>> hours.missed("CN", at_noon_in_beijing), hours.missed("US", at_noon_in_beijing)
    ('', '09:00-21:00 (US)')
    """

    def __init__(self, by_country: Mapping[str, tuple[int, int]]) -> None:
        self._by_country = by_country

    def missed(self, iso: str, now: float) -> str:
        """The hours of the country, for people to read, when it is outside of them somewhere there; else nothing."""
        hours = self._by_country.get(iso) or self._by_country.get(EVERY_OTHER_COUNTRY)
        if hours is None or _all_within(iso, hours, int(now // QUARTER_OF_AN_HOUR)):
            return ""
        opens, closes = hours
        return f"{opens:02}:00-{closes:02}:00 ({iso})"


@lru_cache(maxsize=4096)
def _all_within(iso: str, hours: tuple[int, int], quarter: int) -> bool:
    opens, closes = hours
    now = quarter * QUARTER_OF_AN_HOUR
    return all(opens <= datetime.fromtimestamp(now, ZoneInfo(zone)).hour < closes for zone in _zones_of(iso))


def _zones_of(iso: str) -> tuple[str, ...]:
    """The country's time zones; for what belongs to no country, every one there is."""
    zones = _zones_by_country()
    return zones.get(iso) or tuple({zone for of_country in zones.values() for zone in of_country})


@cache
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    zones: dict[str, tuple[str, ...]] = {}
    for line in resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text("ascii").splitlines():
        if not line.startswith("#"):
            iso, _place, zone = line.split("\t")[:3]
            zones[iso] = (*zones.get(iso, ()), zone)
    return zones | _ZONES_BY_LAW
