"""DescribePhoneNumberInfo: how numbers are read, and which countries they belong to."""

import re
from functools import cache
from importlib import resources

from cleartosend.admission.numbers import UNKNOWN_COUNTRY, read_number
from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions.call import Call
from cleartosend.api.tencent.errors import Fault, fault_of
from cleartosend.api.tencent.parameters import Answer, Parameters
from cleartosend.model.messages import MOST_RECIPIENTS_PER_CALL
from cleartosend.model.reasons import Reason, Refusal

_SHAPED_LIKE_A_NUMBER = re.compile(r"\+?[0-9]{5,20}")


class DescribePhoneNumberInfo(Parameters):
    phone_number_set: tuple[str, ...]


class PhoneNumberInfo(Answer):
    code: str
    message: str
    nation_code: str
    subscriber_number: str
    phone_number: str
    iso_code: str
    iso_name: str


class DescribePhoneNumberInfoAnswer(Answer):
    phone_number_info_set: list[PhoneNumberInfo]


async def describe_phone_number_info(
    _call: Call, asked: DescribePhoneNumberInfo
) -> DescribePhoneNumberInfoAnswer | Refusal:
    if not asked.phone_number_set:
        return Refusal(Reason.NO_RECIPIENTS)
    if len(asked.phone_number_set) > MOST_RECIPIENTS_PER_CALL:
        return Refusal(Reason.TOO_MANY_RECIPIENTS, f"at most {MOST_RECIPIENTS_PER_CALL}")
    return DescribePhoneNumberInfoAnswer(phone_number_info_set=[_info(written) for written in asked.phone_number_set])


def _info(written: str) -> PhoneNumberInfo:
    number = read_number(written)
    if number is None:
        fault = (
            fault_of(Refusal(Reason.NUMBER_MALFORMED))
            if _SHAPED_LIKE_A_NUMBER.fullmatch(written)
            else Fault(errors.NUMBER_NOT_PARSED)
        )
        return PhoneNumberInfo(
            code=fault.code,
            message=fault.message(),
            nation_code="",
            subscriber_number="",
            phone_number=written,
            iso_code="",
            iso_name="",
        )
    return PhoneNumberInfo(
        code="Ok",
        message="Describe success",
        nation_code=number.country_code,
        subscriber_number=number.national,
        phone_number=number.e164,
        iso_code=number.iso,
        iso_name="" if number.iso == UNKNOWN_COUNTRY else country_names().get(number.iso, ""),
    )


@cache
def country_names() -> dict[str, str]:
    """
    The English names of countries by their ISO codes, from the table beside the time zones.

    >>> country_names()["CN"], country_names()["SG"]
    ('China', 'Singapore')
    """
    table = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text("utf-8")
    return dict(line.split("\t", 1) for line in table.splitlines() if line and not line.startswith("#"))
