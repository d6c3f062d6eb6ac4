"""Every code of the reference, with the actions that list it, and which of them cannot occur here."""

from collections.abc import Iterable

import msgspec

# The reference's own tables, read from its clients of both versions, say which action lists which code.
SHORT = {
    "SS": "SendSms",
    "MG": "SendMultiGlobalSms",
    "AS": "AddSmsSign",
    "MS": "ModifySmsSign",
    "DS": "DeleteSmsSign",
    "LS": "DescribeSmsSignList",
    "AT": "AddSmsTemplate",
    "MT": "ModifySmsTemplate",
    "DT": "DeleteSmsTemplate",
    "LT": "DescribeSmsTemplateList",
    "PS": "PullSmsSendStatus",
    "PSN": "PullSmsSendStatusByPhoneNumber",
    "PR": "PullSmsReplyStatus",
    "PRN": "PullSmsReplyStatusByPhoneNumber",
    "ST": "SendStatusStatistics",
    "CT": "CallbackStatusStatistics",
    "PK": "SmsPackagesStatistics",
    "PN": "DescribePhoneNumberInfo",
    "RC": "ReportConversion",
}
NOTHING_IS_LISTED_FOR = "DescribeSendRecordList"
"""The newest action: no table of codes has been published for it."""


class Known(msgspec.Struct, frozen=True):
    """Where the reference lists a code."""

    actions: frozenset[str]
    """In the newer version."""
    older: bool
    """Whether the older version has it."""


def _of(actions: str, *, older: bool = True) -> Known:
    return Known(_named(actions.split()), older)


def _but(actions: str, *, older: bool = True) -> Known:
    return Known(frozenset(SHORT.values()) - _named(actions.split()), older)


def _named(actions: Iterable[str]) -> frozenset[str]:
    return frozenset(SHORT[action] for action in actions)


CODES: dict[str, Known] = {
    "FailedOperation.ContainSensitiveWord": _of("MG SS"),
    "FailedOperation.FailResolvePacket": _but("PRN PN RC"),
    "FailedOperation.ForbidAddMarketingTemplates": _of("AT LT MT", older=False),
    "FailedOperation.InsufficientBalanceInSmsPackage": _of("MG SS"),
    "FailedOperation.JsonParseFail": _but("MG MT RC"),
    "FailedOperation.MarketingSendTimeConstraint": _of("MG SS"),
    "FailedOperation.MissingSignature": _of("AT"),
    "FailedOperation.MissingSignatureList": _of("MS"),
    "FailedOperation.MissingSignatureToModify": _of("DS MS"),
    "FailedOperation.MissingTemplateList": _of("MT"),
    "FailedOperation.MissingTemplateToModify": _of("AT DT LT MT"),
    "FailedOperation.NotEnterpriseCertification": _of("AS AT DS DT LS LT MS MT"),
    "FailedOperation.OtherError": _of("AS AT DS DT LS LT MS MT"),
    "FailedOperation.ParametersOtherError": _of("AS"),
    "FailedOperation.PhoneNumberInBlacklist": _of("CT PR PRN PS PSN MG SS ST PK"),
    "FailedOperation.PhoneNumberParseFail": _of("PN", older=False),
    "FailedOperation.ProhibitSubAccountUse": _of("LT", older=False),
    "FailedOperation.QualificationIdNotApproved": _of("AS MS"),
    "FailedOperation.SignIdNotExist": _of("DS"),
    "FailedOperation.SignNumberLimit": _of("AS MS"),
    "FailedOperation.SignatureIncorrectOrUnapproved": _of("MG SS PK"),
    "FailedOperation.TemplateAlreadyPassedCheck": _of("AT MS MT"),
    "FailedOperation.TemplateIdNotExist": _of("AS CT DS DT MS"),
    "FailedOperation.TemplateIncorrectOrUnapproved": _of("MG SS ST"),
    "FailedOperation.TemplateNumberLimit": _of("AT LT MT"),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": _of("MG SS"),
    "FailedOperation.TemplateUnapprovedOrNotExist": _of("MG SS"),
    "InternalError.ConstructUserDataFail": _of(""),
    "InternalError.JsonParseFail": _of("AT LS PSN MG"),
    "InternalError.OtherError": _but("AS LT PN RC"),
    "InternalError.ParseBackendResponseFail": _of("ST PK"),
    "InternalError.RequestTimeException": _but("PN RC"),
    "InternalError.RestApiInterfaceNotExist": _but("PN RC"),
    "InternalError.SendAndRecvFail": _of("AT CT LS LT PR PRN PS PSN RC MG SS ST PK"),
    "InternalError.SigFieldMissing": _of("AS CT PR PS PSN MG SS ST PK"),
    "InternalError.SigVerificationFail": _but("PN RC"),
    "InternalError.Timeout": _but("MT PN RC"),
    "InternalError.UnknownError": _but("PN RC"),
    "InvalidParameter": _of("CT MS PR PRN PS PSN ST PK"),
    "InvalidParameter.AppidAndBizId": _of("AS MS"),
    "InvalidParameter.DirtyWordFound": _of("AT MT", older=False),
    "InvalidParameter.InvalidParameters": _of("AT MT"),
    "InvalidParameterValue.BeginTimeVerifyFail": _of("CT PRN PSN ST PK"),
    "InvalidParameterValue.ContentLengthLimit": _of("MG SS"),
    "InvalidParameterValue.EndTimeVerifyFail": _of("CT PRN PSN ST PK"),
    "InvalidParameterValue.ImageInvalid": _of("AS MS"),
    "InvalidParameterValue.IncorrectPhoneNumber": _of("CT PN PR PRN PS PSN MG SS ST PK"),
    "InvalidParameterValue.InvalidDocumentType": _of("AS MS"),
    "InvalidParameterValue.InvalidInternational": _of("AS AT LT MS MT"),
    "InvalidParameterValue.InvalidSignPurpose": _of("MS", older=False),
    "InvalidParameterValue.InvalidSmsType": _of("AT MT"),
    "InvalidParameterValue.InvalidStartTime": _of("PRN PSN"),
    "InvalidParameterValue.InvalidTemplateFormat": _of("AT LT MT", older=False),
    "InvalidParameterValue.InvalidUsedMethod": _of("AS"),
    "InvalidParameterValue.LimitVerifyFail": _of("CT LS LT ST PK", older=False),
    "InvalidParameterValue.MarketingTemplateWithoutUnsubscribe": _of("AT MT"),
    "InvalidParameterValue.MissingSignatureList": _of(""),
    "InvalidParameterValue.MultiSmsInfoSetEmpty": _of("MG", older=False),
    "InvalidParameterValue.OffsetVerifyFail": _of("CT ST PK", older=False),
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": _of("MG SS"),
    "InvalidParameterValue.QualificationIdNotFound": _of("AS MS"),
    "InvalidParameterValue.SdkAppIdNotExist": _of("AS CT PR PRN PS PSN MG SS ST PK"),
    "InvalidParameterValue.SignAlreadyPassedCheck": _of("AS MS"),
    "InvalidParameterValue.SignExistAndUnapproved": _of("AS MS"),
    "InvalidParameterValue.SignNameLengthTooLong": _of("AS MS"),
    "InvalidParameterValue.TemplateParameterFormatError": _of("MG SS"),
    "InvalidParameterValue.TemplateParameterLengthLimit": _of("MG SS"),
    "InvalidParameterValue.TemplateWithDirtyWords": _of("LT", older=False),
    "InvalidParameterValue.UnsupportedTemplateVariable": _of("AT MT"),
    "LimitExceeded.AppCountryOrRegionDailyLimit": _of("MG SS"),
    "LimitExceeded.AppCountryOrRegionInBlacklist": _of("MG SS"),
    "LimitExceeded.AppDailyLimit": _of("MG SS"),
    "LimitExceeded.AppGlobalDailyLimit": _of("MG SS"),
    "LimitExceeded.AppMainlandChinaDailyLimit": _of("MG SS"),
    "LimitExceeded.DailyLimit": _of("MG SS"),
    "LimitExceeded.DeliveryFrequencyLimit": _of("MG SS"),
    "LimitExceeded.GlobalSmsSendingRateLimit": _of("MG SS"),
    "LimitExceeded.PhoneNumberCountLimit": _of("PN MG SS"),
    "LimitExceeded.PhoneNumberDailyLimit": _of("MG SS"),
    "LimitExceeded.PhoneNumberOneHourLimit": _of("MG SS"),
    "LimitExceeded.PhoneNumberSameContentDailyLimit": _of("MG SS"),
    "LimitExceeded.PhoneNumberThirtySecondLimit": _of("MG SS"),
    "MissingParameter": _of("AS CT PR PRN PSN ST PK"),
    "MissingParameter.EmptyPhoneNumberSet": _of("MG SS"),
    "MissingParameter.MissingSignatureList": _of(""),
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": _of("MG SS"),
    "UnauthorizedOperation.RequestIpNotInWhitelist": _but("PN RC"),
    "UnauthorizedOperation.RequestPermissionDeny": _but("PN RC"),
    "UnauthorizedOperation.SdkAppIdIsDisabled": _but("AS MS DS PN RC"),
    "UnauthorizedOperation.ServiceSuspendDueToArrears": _but("PN RC"),
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": _of("CT PR PRN PS PSN RC MG SS ST PK"),
    "UnsupportedOperation": _but("PN RC"),
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": _of("MG SS"),
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber": _of("MG SS"),
    "UnsupportedOperation.ContainDomesticPhoneNumber": _of("MG", older=False),
    "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone": _of("MG SS"),
    "UnsupportedOperation.UnsupportedRegion": _of("MG SS"),
}
"""Codes of the service."""

PLATFORM_CODES = frozenset(
    {
        "ActionOffline",
        "AuthFailure.InvalidAuthorization",
        "AuthFailure.InvalidSecretId",
        "AuthFailure.MFAFailure",
        "AuthFailure.SecretIdNotFound",
        "AuthFailure.SignatureExpire",
        "AuthFailure.SignatureFailure",
        "AuthFailure.TokenFailure",
        "AuthFailure.UnauthorizedOperation",
        "DryRunOperation",
        "FailedOperation",
        "InternalError",
        "InvalidAction",
        "InvalidParameter",
        "InvalidParameterValue",
        "InvalidRequest",
        "IpInBlacklist",
        "IpNotInWhitelist",
        "LimitExceeded",
        "MissingParameter",
        "NoSuchProduct",
        "NoSuchVersion",
        "RequestLimitExceeded",
        "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
        "RequestLimitExceeded.IPLimitExceeded",
        "RequestLimitExceeded.UinLimitExceeded",
        "RequestSizeLimitExceeded",
        "ResourceInUse",
        "ResourceInsufficient",
        "ResourceNotFound",
        "ResourceUnavailable",
        "ResponseSizeLimitExceeded",
        "ServiceUnavailable",
        "UnauthorizedOperation",
        "UnknownParameter",
        "UnsupportedOperation",
        "UnsupportedProtocol",
        "UnsupportedRegion",
    }
)
"""Codes that any action of any service may answer with."""

_IN_REVIEW = (
    "An application is taken and reviewed at once: what is wrong with its text is told in `ReviewReply`, "
    "with the words, the rule and an edit that would pass"
)
_ONE_PROCESS = "No step behind the door answers over a wire; what nobody expected is `InternalError` with a RequestId"
_NO_QUALIFICATIONS = (
    "A company's papers are reviewed with the signature; any `QualificationId` is kept and none is needed"
)
_OLDER_SPELLING = "The older version lists it beside codes that say the same, and gives it to no case of its own"

CANNOT_OCCUR: dict[str, str] = {
    "FailedOperation.MissingSignatureList": (
        "An account without signatures has none of the SignId given either: `FailedOperation.MissingSignatureToModify`"
    ),
    "FailedOperation.MissingTemplateList": (
        "An account without templates has none of the TemplateId given either: "
        "`FailedOperation.MissingTemplateToModify`"
    ),
    "FailedOperation.ParametersOtherError": "What is wrong with a parameter is named by a code of its own",
    "FailedOperation.ProhibitSubAccountUse": "There are no sub-accounts",
    "FailedOperation.QualificationIdNotApproved": _NO_QUALIFICATIONS,
    "FailedOperation.TemplateUnapprovedOrNotExist": (
        "Listed beside `FailedOperation.TemplateIncorrectOrUnapproved`, which the reference's own answers carry"
    ),
    "InternalError.ConstructUserDataFail": _ONE_PROCESS,
    "InternalError.JsonParseFail": _ONE_PROCESS,
    "InternalError.OtherError": _ONE_PROCESS,
    "InternalError.ParseBackendResponseFail": _ONE_PROCESS,
    "InternalError.RequestTimeException": "A time too far off is `AuthFailure.SignatureExpire`",
    "InternalError.RestApiInterfaceNotExist": "An action that there is not is `InvalidAction`",
    "InternalError.SendAndRecvFail": _ONE_PROCESS,
    "InternalError.SigFieldMissing": "Of the oldest protocol, which is not spoken here",
    "InternalError.SigVerificationFail": "Of the oldest protocol, which is not spoken here",
    "InternalError.Timeout": _ONE_PROCESS,
    "InternalError.UnknownError": _ONE_PROCESS,
    "InvalidParameter.AppidAndBizId": "Signatures belong to an account, not to an app",
    "InvalidParameter.DirtyWordFound": _IN_REVIEW,
    "InvalidParameter.InvalidParameters": "What is wrong with a parameter is named by a code of its own",
    "InvalidParameterValue.InvalidTemplateFormat": _IN_REVIEW,
    "InvalidParameterValue.MissingSignatureList": _OLDER_SPELLING,
    "InvalidParameterValue.QualificationIdNotFound": _NO_QUALIFICATIONS,
    "InvalidParameterValue.TemplateWithDirtyWords": _IN_REVIEW,
    "LimitExceeded.GlobalSmsSendingRateLimit": (
        "Messages abroad are limited by number, app, country and day, each with its own code, and by calls a second"
    ),
    "MissingParameter.MissingSignatureList": _OLDER_SPELLING,
    "UnsupportedOperation.UnsupportedRegion": (
        "A country that the app does not allow, or no route leads to, is `LimitExceeded.AppCountryOrRegionInBlacklist`"
    ),
}
"""Codes of the service that nothing here answers with, and why."""
