"""Every reason has a code and a message in both languages, and every code is one that the reference has."""

import pytest

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.actions.table import ACTIONS
from cleartosend.api.tencent.codes import CODES, PLATFORM_CODES
from cleartosend.api.tencent.errors import CHINESE, SAYINGS, Fault, Saying, fault_of
from cleartosend.model.reasons import Reason, Refusal

PLATFORM = {name: value for name, value in vars(errors).items() if isinstance(value, Saying)}


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_translated(reason: Reason) -> None:
    fault = fault_of(Refusal(reason, "the detail"))
    assert fault.code
    assert fault.message()
    assert fault.message(CHINESE) != fault.message()


@pytest.mark.parametrize("saying", [*SAYINGS.values(), *PLATFORM.values()], ids=lambda saying: saying.code)
def test_every_code_is_one_that_clients_know(saying: Saying) -> None:
    assert saying.code in CODES.keys() | PLATFORM_CODES


@pytest.mark.parametrize("saying", [*SAYINGS.values(), *PLATFORM.values()], ids=lambda saying: saying.code)
def test_both_languages_say_the_same(saying: Saying) -> None:
    assert saying.english.count("{}") == saying.chinese.count("{}")
    assert saying.english.isascii()
    assert not saying.chinese.isascii()


def test_another_code_for_one_action_is_for_an_action_that_there_is() -> None:
    for key in SAYINGS:
        if isinstance(key, tuple):
            reason, action = key
            assert reason in SAYINGS
            assert any(action in actions for actions in ACTIONS.values())


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        (Reason.VALUE_COUNT_DIFFERS, "request content does not match the template content"),
        (
            Reason.TEMPLATE_NOT_APPROVED,
            "template is not approved or request content does not match the approved template content",
        ),
        (Reason.VALUE_NOT_A_CODE, "Verification code template parameter format error"),
        (Reason.SIGNATURE_NOT_APPROVED, "Signature format error or signature not approved"),
        (
            Reason.REACHED_TOO_OFTEN_IN_30_SECONDS,
            "the number of SMS messages sent from a single mobile number within 30 seconds exceeds the upper limit",
        ),
        (
            Reason.REACHED_TOO_OFTEN_IN_AN_HOUR,
            "the number of SMS messages sent from a single mobile number within 1 hour exceeds the upper limit",
        ),
        (
            Reason.REACHED_TOO_OFTEN_TODAY,
            "the number of SMS messages sent from a single mobile number every day exceeds the upper limit",
        ),
    ],
)
def test_messages_that_programs_read_are_word_for_word(reason: Reason, message: str) -> None:
    assert fault_of(Refusal(reason, "any detail")).message() == message


def test_a_detail_with_braces_is_shown_as_it_is() -> None:
    assert Fault(errors.UNKNOWN_PARAMETER, "{0.__class__}").message() == (
        "The parameter `{0.__class__}` is not recognized."
    )
