"""How recipients are written, and which of them nobody can reach."""

import pytest
from hypothesis import example, given, strategies as st

from cleartosend.admission.numbers import PhoneNumber, read_number

MAINLAND = PhoneNumber(e164="+8613711112222", country_code="86", national="13711112222", iso="CN", domestic=True)


@pytest.mark.parametrize(
    "written",
    [
        "+8613711112222",
        "8613711112222",
        "008613711112222",
        "13711112222",
        "013711112222",  # with the trunk 0
        "+86013711112222",
        "+86 137 1111 2222",
        "137-1111-2222",
        "0086-137-1111-2222",
        "+ 86 13711112222",
        " 13711112222 ",
        "13711112222\r\n",  # the end of a line of an import
    ],
)
def test_a_mainland_mobile_may_be_written_in_many_ways(written: str) -> None:
    assert read_number(written) == MAINLAND


@given(
    prefix=st.sampled_from(["", "+86", "86", "0086", "+86 ", "+860"]),
    national=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
)
# Ranges that a library or an old list does not know: data cards, virtual operators, satellite, broadcasting network.
@example(prefix="+86", national="14412345678")
@example(prefix="", national="14900000000")
@example(prefix="", national="15400000000")
@example(prefix="", national="17100000000")
@example(prefix="", national="19200000000")
def test_every_eleven_digits_from_13_to_19_are_a_mobile(prefix: str, national: str) -> None:
    assert read_number(prefix + national) == PhoneNumber("+86" + national, "86", national, "CN", domestic=True)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("+85261234567", PhoneNumber("+85261234567", "852", "61234567", "HK", domestic=False)),
        ("+853 6612 3456", PhoneNumber("+85366123456", "853", "66123456", "MO", domestic=False)),
        ("+886 912-345-678", PhoneNumber("+886912345678", "886", "912345678", "TW", domestic=False)),
        ("0085261234567", PhoneNumber("+85261234567", "852", "61234567", "HK", domestic=False)),
        ("+12025550123", PhoneNumber("+12025550123", "1", "2025550123", "US", domestic=False)),
        ("+14165550123", PhoneNumber("+14165550123", "1", "4165550123", "CA", domestic=False)),
        ("+4407400123456", PhoneNumber("+447400123456", "44", "7400123456", "GB", domestic=False)),  # trunk 0
        ("+39 02 1234 5678", PhoneNumber("+390212345678", "39", "0212345678", "IT", domestic=False)),  # 0 belongs to it
        ("+4915123456789", PhoneNumber("+4915123456789", "49", "15123456789", "DE", domestic=False)),
    ],
)
def test_other_countries_regions_and_codes_are_not_domestic(written: str, expected: PhoneNumber) -> None:
    assert read_number(written) == expected


def test_a_number_of_no_country_is_of_country_def() -> None:
    satellite = read_number("+870773111632")
    assert satellite is not None
    assert satellite.iso == "DEF"


@pytest.mark.parametrize(
    "written",
    [
        "",
        " ",
        "+",
        "hello",
        "+86",
        "110",
        "1371111222",  # a digit short
        "137111122223",  # a digit long
        "12711112222",  # no such range
        "+861062701234",  # a landline in Beijing
        "01062701234",
        "057187654321",
        "+864001234567",  # a service line
        "10690000123",  # what we send from, not to
        "85261234567",  # Hong Kong without its +: eleven digits, but no mainland mobile
        "+85212",
        "+999123456789",  # no such country
        "+0013711112222",
        "+1 202 555 0123 ext. 4",
        "+1-800-FLOWERS",
        "tel:+8613711112222",
        "１３７１１１１２２２２",
        "13711112222,13711112223",
        "13711112222\n13711112223",
        "+" * 1000,
        "1" * 10_000,
        "1 " * 10_000,
    ],
)
def test_what_cannot_be_sent_to_is_none(written: str) -> None:
    assert read_number(written) is None


@given(written=st.one_of(st.text(max_size=40), st.text(alphabet="+0123456789 -", max_size=30)))
def test_a_number_that_was_read_reads_as_itself(written: str) -> None:
    number = read_number(written)
    if number is not None:
        assert number.e164 == f"+{number.country_code}{number.national}"
        assert number.domestic == (number.country_code == "86")
        assert read_number(number.e164) == number
