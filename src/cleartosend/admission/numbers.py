"""A telephone number as somebody wrote it becomes the one way we write it, or None."""

import re
from functools import lru_cache

import msgspec
import phonenumbers

MAINLAND_CHINA = "CN"
UNKNOWN_COUNTRY = "DEF"
"""What stands in `iso` for a number that belongs to no country, such as a satellite telephone's."""
COUNTRIES = frozenset({*phonenumbers.SUPPORTED_REGIONS, UNKNOWN_COUNTRY})
"""All that can stand in `iso`."""


class PhoneNumber(msgspec.Struct, frozen=True, gc=False):
    """A number that a message can be sent to."""

    e164: str
    country_code: str
    national: str
    """The number without its country code and without a trunk 0: what the wire calls SubscriberNumber."""
    iso: str
    """ISO 3166-1 alpha-2, or DEF."""
    domestic: bool
    """Whether it is reached as mainland China is. Hong Kong, Macao and Taiwan have their own codes and are not."""


_CHINA = "86"
# Every 11-digit number from 13 to 19 is a mobile's or a data card's. The carriers open new ranges faster than
# libraries learn them, so the shape decides here and the carrier has the last word. Some people write the trunk 0.
_MAINLAND_MOBILE = re.compile(r"(?:\+86|0086|86)?0?(1[3-9][0-9]{9})")
_WRITTEN_WITH_SEPARATORS = re.compile(r"\+? *[0-9](?:[ -]*[0-9])*+")
_SEPARATORS = str.maketrans("", "", " -")
# ITU-T E.164, 6.1: at most 15 digits. One more is let through for the trunk 0 that some write after the country code.
_WITH_COUNTRY_CODE = re.compile(r"(?:\+|00)([1-9][0-9]{4,15})")


def read_number(written: str) -> PhoneNumber | None:
    """
    Read one recipient; None: nobody can be sent a message at what is written.

    A number without a country code is a mainland mobile. Spaces and hyphens may stand between digits.

    >>> read_number("13711112222")
    PhoneNumber(e164='+8613711112222', country_code='86', national='13711112222', iso='CN', domestic=True)
    >>> [read_number(written).e164 for written in ("8613711112222", "008613711112222", "+86018501234444")]
    ['+8613711112222', '+8613711112222', '+8618501234444']
    >>> read_number("+852 6123-4567")
    PhoneNumber(e164='+85261234567', country_code='852', national='61234567', iso='HK', domestic=False)

    A landline of the mainland receives no messages.

    >>> read_number("+861062701234") is None, read_number("hello") is None
    (True, True)
    """
    if mobile := _MAINLAND_MOBILE.fullmatch(written):
        national = mobile[1]
        return PhoneNumber("+86" + national, _CHINA, national, MAINLAND_CHINA, domestic=True)
    bare = written.strip()
    if not _WRITTEN_WITH_SEPARATORS.fullmatch(bare):
        return None
    bare = bare.translate(_SEPARATORS)
    if bare != written:
        return read_number(bare)
    if with_country_code := _WITH_COUNTRY_CODE.fullmatch(bare):
        return _read_abroad("+" + with_country_code[1])
    return None


def split_number(e164: str) -> tuple[str, str]:
    """
    Country code and national number, as customers write them; what cannot be read has no code.

    >>> split_number("+8613711112222"), split_number("hello")
    (('86', '13711112222'), ('', 'hello'))
    """
    number = read_number(e164)
    return (number.country_code, number.national) if number else ("", e164)


@lru_cache(maxsize=16_384)
def _read_abroad(plus_and_digits: str) -> PhoneNumber | None:
    """Ask the library, some 20 µs a number. The only place that knows which library, so that it can be another."""
    try:
        number = phonenumbers.parse(plus_and_digits)
    except phonenumbers.NumberParseException:
        return None
    # Beyond the mainland a valid number is enough, mobile or not: in North America the digits do not tell, and there
    # are countries whose carriers read messages aloud to landlines.
    if str(number.country_code) == _CHINA or not phonenumbers.is_valid_number(number):
        return None
    country_code = str(number.country_code)
    national = phonenumbers.national_significant_number(number)
    region = phonenumbers.region_code_for_number(number)
    iso = UNKNOWN_COUNTRY if region in (None, phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY) else region
    return PhoneNumber(f"+{country_code}{national}", country_code, national, iso, domestic=False)
