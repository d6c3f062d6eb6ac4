"""May it go? The checks of a call, of what it would send, and of each recipient, in the order of asking."""

from collections.abc import Callable
from functools import cached_property

import msgspec

from cleartosend.admission.directory import Dossier, UsableTemplate
from cleartosend.admission.numbers import PhoneNumber
from cleartosend.model.accounts import AccountKind, AccountStatus
from cleartosend.model.alphabets import Alphabet, can_write, places
from cleartosend.model.applications import ReviewState
from cleartosend.model.consent import OptOutSource
from cleartosend.model.messages import MOST_CHARACTERS_PER_MESSAGE, MOST_RECIPIENTS_PER_CALL, SendCall
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import Action, MessageType, Verdict
from cleartosend.policy.reach import contacts_in, links_in
from cleartosend.policy.telling import deciding

SESSION_CONTEXT_BYTES = 512
CODE_DIGITS = 6
EXTENSION_DIGITS = 12
"""Behind a number of eight digits at least, a sender has twenty, the most that carriers take."""
# 3GPP TS 23.040, 9.1.2.5: the ten octets of an address hold so many digits, or so many septets. That a name is ASCII
# is SMPP's (3.4, 3.1).
SENDER_DIGITS = 20
SENDER_PLACES = 11


class Case(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A call with all that was looked up for it, before anything is decided."""

    call: SendCall
    dossier: Dossier
    app_owner: int | None
    """The account that owns the app of the call; None when there is no such app."""
    numbers: tuple[PhoneNumber | None, ...]
    """The call's numbers in its order; None for one that cannot be read."""
    outside_hours: str
    """The hours in which marketing may go to mainland numbers, when it is outside of them; else empty."""

    @cached_property
    def template(self) -> UsableTemplate | None:
        return self.dossier.templates.get(self.call.template_id)

    @cached_property
    def domestic(self) -> bool:
        """Whether it goes to mainland numbers; where none can be read, whether its template would."""
        side = True if self.template is None else not self.template.template.international
        return next((number.domestic for number in self.numbers if number), side)


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a case would send, once its template and values fit together."""

    template: UsableTemplate
    text: str
    """As it would go out, signature included."""
    verdict: Verdict


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """One number of a call and what the store says of it."""

    number: PhoneNumber | None
    country_allowed: bool
    has_route: bool
    """Whether the operator's routes lead to it."""
    outside_hours: str
    """The hours in which marketing may go to its country, when it is outside of them; else empty."""
    is_member: bool
    held_back_by: OptOutSource | None


def admit_call(case: Case) -> Refusal | None:
    """Whether the call may be answered number by number; a refusal here is one for all of it."""
    return _first(CALL_CHECKS, case)


def admit_means(case: Case) -> Refusal | None:
    """Whether signature and template may be used, and the values fit, so that there is a message to judge."""
    return _first(MEANS_CHECKS, case)


def admit_content(case: Case, content: Content) -> Refusal | None:
    """Whether what would be sent may be, whoever receives it."""
    for check in CONTENT_CHECKS:
        if refusal := check(case, content):
            return refusal
    return None


def admit_recipient(recipient: Recipient, type_: MessageType) -> Refusal | None:
    """Whether this number may be reached, limits apart: those take something and so come last."""
    for check in RECIPIENT_CHECKS:
        if refusal := check(recipient, type_):
            return refusal
    return None


# --- once a call ---


def account_is_active(case: Case) -> Refusal | None:
    if case.dossier.account.status is not AccountStatus.ACTIVE:
        return Refusal(Reason.ACCOUNT_NOT_ACTIVE, case.dossier.account.status)
    return None


def account_is_verified(case: Case) -> Refusal | None:
    return None if case.dossier.account.verified else Refusal(Reason.ACCOUNT_NOT_VERIFIED)


def account_owes_nothing(case: Case) -> Refusal | None:
    return Refusal(Reason.IN_ARREARS) if case.dossier.account.settings.in_arrears else None


def credential_is_enabled(case: Case) -> Refusal | None:
    if case.call.confirms:
        return None  # nobody called: the platform sends it by itself
    credential = case.dossier.credentials.get(case.call.secret_id)
    if credential is None or not credential.enabled:
        return Refusal(Reason.CREDENTIAL_DISABLED)
    return None


def app_is_the_accounts_own(case: Case) -> Refusal | None:
    if case.app_owner is None:
        return Refusal(Reason.APP_NOT_FOUND, case.call.sdk_app_id)
    if case.app_owner != case.dossier.account.id:
        return Refusal(Reason.APP_NOT_YOURS, case.call.sdk_app_id)
    return None


def app_is_enabled(case: Case) -> Refusal | None:
    app = case.dossier.apps.get(case.call.sdk_app_id)
    return Refusal(Reason.APP_DISABLED, case.call.sdk_app_id) if app is None or not app.enabled else None


def there_are_recipients(case: Case) -> Refusal | None:
    return None if case.call.numbers else Refusal(Reason.NO_RECIPIENTS)


def recipients_are_not_too_many(case: Case) -> Refusal | None:
    if len(case.call.numbers) > MOST_RECIPIENTS_PER_CALL:
        return Refusal(Reason.TOO_MANY_RECIPIENTS, f"at most {MOST_RECIPIENTS_PER_CALL}")
    return None


def recipients_are_on_one_side(case: Case) -> Refusal | None:
    sides = {number.domestic for number in case.numbers if number}
    return Refusal(Reason.MIXED_COUNTRIES) if len(sides) > 1 else None


def session_context_is_short(case: Case) -> Refusal | None:
    if len(case.call.session_context.encode()) >= SESSION_CONTEXT_BYTES:
        return Refusal(Reason.SESSION_CONTEXT_TOO_LONG, f"under {SESSION_CONTEXT_BYTES} bytes")
    return None


def extension_code_is_allowed(case: Case) -> Refusal | None:
    if case.call.extension_code and not case.dossier.account.settings.extension_codes_allowed:
        return Refusal(Reason.EXTENSION_CODE_NOT_ALLOWED)
    return None


def extension_code_is_digits(case: Case) -> Refusal | None:
    code = case.call.extension_code
    if len(code) > EXTENSION_DIGITS or not (code == "" or (code.isascii() and code.isdigit())):
        return Refusal(Reason.EXTENSION_CODE_MALFORMED, f"{EXTENSION_DIGITS}")
    return None


def sender_id_can_be_sent(case: Case) -> Refusal | None:
    sender_id = case.call.sender_id
    # Mainland numbers see no sender's name.
    if not sender_id or case.domestic or is_sender(sender_id):
        return None
    return Refusal(
        Reason.SENDER_ID_MALFORMED,
        f"at most {SENDER_PLACES} ASCII characters of GSM 03.38, or {SENDER_DIGITS} digits",
    )


def is_sender(sender_id: str) -> bool:
    r"""
    Whether there are carriers that can send a message from this.

    >>> [is_sender(one) for one in ("Clear2 Send", "10690000123456789012", "+447700900000")]
    [True, True, True]
    >>> [is_sender(one) for one in ("ClearToSend1", "[bookshop]", "106900001234567890123", "清风", "Café", "a\nb")]
    [False, False, False, False, False, False]
    """
    if not (sender_id.isascii() and sender_id.isprintable()):
        return False
    if sender_id.removeprefix("+").isdigit():
        return len(sender_id) <= SENDER_DIGITS
    return can_write(Alphabet.GSM7, sender_id) and places(sender_id, Alphabet.GSM7) <= SENDER_PLACES


# --- once a call, on what it would be made of ---


def signature_is_approved(case: Case) -> Refusal | None:
    if not case.call.signature:
        # Abroad a signature is optional.
        return Refusal(Reason.SIGNATURE_MISSING) if case.domestic else None
    if (case.call.signature, not case.domestic) not in case.dossier.signatures:
        return Refusal(Reason.SIGNATURE_NOT_APPROVED, case.call.signature)
    return None


def template_is_approved(case: Case) -> Refusal | None:
    if case.template is None or case.template.template.state is not ReviewState.APPROVED:
        return Refusal(Reason.TEMPLATE_NOT_APPROVED, case.call.template_id)
    return None


def template_is_for_this_side(case: Case) -> Refusal | None:
    if case.template is None or case.template.template.international is not case.domestic:
        return None
    return Refusal(Reason.TEMPLATE_IS_INTERNATIONAL if case.domestic else Reason.TEMPLATE_IS_DOMESTIC)


def values_match_the_variables(case: Case) -> Refusal | None:
    given, wanted = len(case.call.values), case.template.rendering.variables if case.template else 0
    if given != wanted:
        return Refusal(Reason.VALUE_COUNT_DIFFERS, f"{given} given, {wanted} wanted")
    return None


# --- once a call, on the message as it would go out ---


def values_have_no_link(case: Case, _content: Content) -> Refusal | None:
    for place, value in enumerate(case.call.values):
        if links_in(value):
            return Refusal(Reason.VALUE_HAS_LINK, f"TemplateParamSet.{place}")
    return None


def codes_are_digits(case: Case, content: Content) -> Refusal | None:
    if content.template.template.type is not MessageType.VERIFICATION:
        return None
    for place, value in enumerate(case.call.values):
        if len(value) > CODE_DIGITS or not (value == "" or (value.isascii() and value.isdigit())):
            return Refusal(Reason.VALUE_NOT_A_CODE, f"TemplateParamSet.{place}: 0 to {CODE_DIGITS} digits")
    return None


def values_have_no_contact(case: Case, _content: Content) -> Refusal | None:
    for place, value in enumerate(case.call.values):
        if contacts_in(value):
            return Refusal(Reason.VALUE_HAS_CONTACT, f"TemplateParamSet.{place}")
    return None


def values_are_short(case: Case, _content: Content) -> Refusal | None:
    most = case.dossier.account.settings.variable_length
    for place, value in enumerate(case.call.values):
        if len(value) > most:
            return Refusal(Reason.VALUE_TOO_LONG, f"TemplateParamSet.{place}: {len(value)} characters, at most {most}")
    return None


def message_is_not_too_long(_case: Case, content: Content) -> Refusal | None:
    if len(content.text) > MOST_CHARACTERS_PER_MESSAGE:
        return Refusal(Reason.MESSAGE_TOO_LONG, f"{len(content.text)}, at most {MOST_CHARACTERS_PER_MESSAGE}")
    return None


def marketing_is_by_an_organization(case: Case, content: Content) -> Refusal | None:
    if _is_marketing(content) and case.dossier.account.kind is AccountKind.INDIVIDUAL:
        return Refusal(Reason.MARKETING_BY_INDIVIDUAL)
    return None


def marketing_is_allowed(case: Case, content: Content) -> Refusal | None:
    if _is_marketing(content) and not case.dossier.account.settings.marketing_allowed:
        return Refusal(Reason.MARKETING_NOT_ALLOWED)
    return None


def content_is_not_prohibited(_case: Case, content: Content) -> Refusal | None:
    for finding in deciding(content.verdict.findings):
        if finding.action is not Action.REFER:
            return Refusal(Reason.CONTENT_PROHIBITED, finding.rule)
    return None


def values_need_no_second_look(_case: Case, content: Content) -> Refusal | None:
    # A template's own words may be referred to a person; at send there is nobody to ask, so a doubt is a no.
    for finding in content.verdict.findings:
        return Refusal(Reason.CONTENT_PROHIBITED, finding.rule)
    return None


def hour_is_fit_for_marketing(case: Case, content: Content) -> Refusal | None:
    if _is_marketing(content) and case.domestic and case.outside_hours:
        return Refusal(Reason.OUTSIDE_MARKETING_HOURS, case.outside_hours)
    return None


# --- once a recipient ---


def number_can_be_read(recipient: Recipient, _type: MessageType) -> Refusal | None:
    return Refusal(Reason.NUMBER_MALFORMED) if recipient.number is None else None


def country_is_allowed(recipient: Recipient, _type: MessageType) -> Refusal | None:
    if recipient.number is not None and not recipient.country_allowed:
        return Refusal(Reason.COUNTRY_NOT_ALLOWED, recipient.number.iso)
    return None


def a_route_leads_there(recipient: Recipient, _type: MessageType) -> Refusal | None:
    if recipient.number is not None and not recipient.has_route:
        return Refusal(Reason.NO_ROUTE, recipient.number.iso)
    return None


def hour_is_fit_for_the_country(recipient: Recipient, type_: MessageType) -> Refusal | None:
    if type_ is MessageType.MARKETING and recipient.outside_hours:
        return Refusal(Reason.OUTSIDE_MARKETING_HOURS, recipient.outside_hours)
    return None


def recipient_is_a_member(recipient: Recipient, type_: MessageType) -> Refusal | None:
    if type_ is MessageType.MARKETING and not recipient.is_member:
        return Refusal(Reason.NOT_A_MEMBER)
    return None


def recipient_may_be_disturbed(recipient: Recipient, _type: MessageType) -> Refusal | None:
    return Refusal(Reason.DO_NOT_DISTURB) if recipient.held_back_by is OptOutSource.LIST else None


def recipient_has_not_opted_out(recipient: Recipient, _type: MessageType) -> Refusal | None:
    return Refusal(Reason.OPTED_OUT) if recipient.held_back_by is OptOutSource.REPLY else None


CALL_CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    account_is_active,
    account_is_verified,
    account_owes_nothing,
    credential_is_enabled,
    app_is_the_accounts_own,
    app_is_enabled,
    there_are_recipients,
    recipients_are_not_too_many,
    recipients_are_on_one_side,
    session_context_is_short,
    extension_code_is_allowed,
    extension_code_is_digits,
    sender_id_can_be_sent,
)

MEANS_CHECKS: tuple[Callable[[Case], Refusal | None], ...] = (
    template_is_for_this_side,
    signature_is_approved,
    template_is_approved,
    values_match_the_variables,
)

CONTENT_CHECKS: tuple[Callable[[Case, Content], Refusal | None], ...] = (
    values_have_no_link,
    codes_are_digits,
    values_have_no_contact,
    values_are_short,
    message_is_not_too_long,
    marketing_is_by_an_organization,
    marketing_is_allowed,
    content_is_not_prohibited,
    values_need_no_second_look,
    hour_is_fit_for_marketing,
)

RECIPIENT_CHECKS: tuple[Callable[[Recipient, MessageType], Refusal | None], ...] = (
    number_can_be_read,
    country_is_allowed,
    a_route_leads_there,
    hour_is_fit_for_the_country,
    recipient_is_a_member,
    recipient_may_be_disturbed,
    recipient_has_not_opted_out,
)


def _first(checks: tuple[Callable[[Case], Refusal | None], ...], case: Case) -> Refusal | None:
    for check in checks:
        if refusal := check(case):
            return refusal
    return None


def _is_marketing(content: Content) -> bool:
    return content.template.template.type is MessageType.MARKETING
