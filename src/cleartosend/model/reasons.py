"""Why a call, an application or a recipient is refused: one closed list, in our words. Dialects translate it."""

from enum import StrEnum

import msgspec


class Reason(StrEnum):
    """Each reason is the same word in answers, logs, metrics and the store."""

    # who calls
    ACCOUNT_NOT_ACTIVE = "account-not-active"
    ACCOUNT_NOT_VERIFIED = "account-not-verified"
    APP_NOT_FOUND = "app-not-found"
    APP_NOT_YOURS = "app-not-yours"
    APP_DISABLED = "app-disabled"
    CREDENTIAL_DISABLED = "credential-disabled"
    CALLER_NOT_ALLOWED = "caller-not-allowed"
    CALLED_TOO_OFTEN = "called-too-often"
    IN_ARREARS = "in-arrears"

    # what is asked
    NO_RECIPIENTS = "no-recipients"
    TOO_MANY_RECIPIENTS = "too-many-recipients"
    MIXED_COUNTRIES = "mixed-countries"
    SESSION_CONTEXT_TOO_LONG = "session-context-too-long"
    EXTENSION_CODE_NOT_ALLOWED = "extension-code-not-allowed"
    EXTENSION_CODE_MALFORMED = "extension-code-malformed"
    SENDER_ID_MALFORMED = "sender-id-malformed"
    DOMESTIC_NUMBER = "domestic-number"
    KEY_USED_FOR_ANOTHER_CALL = "key-used-for-another-call"
    MESSAGE_NOT_FOUND = "message-not-found"

    # what would be sent
    SIGNATURE_MISSING = "signature-missing"
    SIGNATURE_NOT_APPROVED = "signature-not-approved"
    TEMPLATE_NOT_APPROVED = "template-not-approved"
    TEMPLATE_IS_DOMESTIC = "template-is-domestic"
    TEMPLATE_IS_INTERNATIONAL = "template-is-international"
    VALUE_COUNT_DIFFERS = "value-count-differs"
    VALUE_NOT_A_CODE = "value-not-a-code"
    VALUE_TOO_LONG = "value-too-long"
    VALUE_HAS_LINK = "value-has-link"
    VALUE_HAS_CONTACT = "value-has-contact"
    MESSAGE_TOO_LONG = "message-too-long"
    CONTENT_PROHIBITED = "content-prohibited"
    MARKETING_BY_INDIVIDUAL = "marketing-by-individual"
    MARKETING_NOT_ALLOWED = "marketing-not-allowed"
    OUTSIDE_MARKETING_HOURS = "outside-marketing-hours"

    # to whom
    NUMBER_MALFORMED = "number-malformed"
    NOT_A_MEMBER = "not-a-member"
    OPTED_OUT = "opted-out"
    DO_NOT_DISTURB = "do-not-disturb"
    COUNTRY_NOT_ALLOWED = "country-not-allowed"
    NO_ROUTE = "no-route"
    SAME_CONTENT_TOO_OFTEN = "same-content-too-often"
    REACHED_TOO_OFTEN_IN_30_SECONDS = "reached-too-often-in-30-seconds"
    REACHED_TOO_OFTEN_IN_AN_HOUR = "reached-too-often-in-an-hour"
    REACHED_TOO_OFTEN_TODAY = "reached-too-often-today"
    SAME_CONTENT_TOO_OFTEN_TODAY = "same-content-too-often-today"

    # how much
    APP_DAILY_CAP = "app-daily-cap"
    APP_DAILY_CAP_MAINLAND = "app-daily-cap-mainland"
    APP_DAILY_CAP_INTERNATIONAL = "app-daily-cap-international"
    APP_DAILY_CAP_OF_COUNTRY = "app-daily-cap-of-country"
    INTERNATIONAL_DAILY_CAP = "international-daily-cap"
    PACKAGE_USED_UP = "package-used-up"
    TOO_MUCH_WAITING = "too-much-waiting"
    TOO_MANY_CALLS_AT_ONCE = "too-many-calls-at-once"

    # applications
    APPLICATIONS_NOT_BY_API = "applications-not-by-api"
    MARKETING_TEMPLATE_BY_INDIVIDUAL = "marketing-template-by-individual"
    SIGNATURE_NEEDED_FIRST = "signature-needed-first"
    SIGNATURE_NOT_FOUND = "signature-not-found"
    SIGNATURE_ALREADY_APPROVED = "signature-already-approved"
    SIGNATURE_ALREADY_PENDING = "signature-already-pending"
    SIGNATURE_TOO_LONG = "signature-too-long"
    TOO_MANY_SIGNATURES = "too-many-signatures"
    DOCUMENT_DOES_NOT_FIT = "document-does-not-fit"
    IMAGE_INVALID = "image-invalid"
    NOTHING_TO_MOVE = "nothing-to-move"
    TEMPLATE_NOT_FOUND = "template-not-found"
    TEMPLATE_ALREADY_APPROVED = "template-already-approved"
    TOO_MANY_TEMPLATES = "too-many-templates"
    OPT_OUT_ENDING_MISSING = "opt-out-ending-missing"
    SIGN_TYPE_NOT_OFFERED = "sign-type-not-offered"
    SCOPE_CANNOT_CHANGE = "scope-cannot-change"
    VARIABLES_NOT_ALLOWED = "variables-not-allowed"


class Refusal(msgspec.Struct, frozen=True):
    """A reason for programs and a detail for people; never the text of a message."""

    reason: Reason
    detail: str = ""
