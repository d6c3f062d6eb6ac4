"""Every code of the reference is either produced here by an action that lists it, or it is said why none can be."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
from api.calling import NOW, Reply, Service
from sqlalchemy import Connection
from usual import PNG, SIGNATURE

from cleartosend.api.tencent.actions.table import ACTIONS
from cleartosend.api.tencent.codes import CANNOT_OCCUR, CODES, NOTHING_IS_LISTED_FOR, PLATFORM_CODES, SHORT
from cleartosend.api.tencent.errors import INSTEAD, INSTEAD_IN_THE_OLDER_VERSION, OLDER_VERSION
from cleartosend.model.accounts import AccountKind
from cleartosend.model.applications import ReviewMove
from cleartosend.model.verdicts import MessageType
from cleartosend.review.moves import make
from cleartosend.store import accounts, applications, consent

APP = "1400000001"
NUMBER, HONG_KONG = "+8613711112222", "+85261234567"
PROOF = base64.b64encode(PNG).decode()
MARKETING = "新书到店，会员选购，拒收请回复R"
Before = Callable[[Service], Awaitable[object]]

# What each action would be called with to succeed, or nearly.
USUAL: dict[str, dict[str, Any]] = {
    "SendSms": {
        "PhoneNumberSet": [NUMBER],
        "SmsSdkAppId": APP,
        "TemplateId": "1",
        "SignName": SIGNATURE,
        "TemplateParamSet": ["123456"],
    },
    "SendMultiGlobalSms": {"SmsSdkAppId": APP, "MultiSmsInfoSet": [{"PhoneNumber": HONG_KONG, "TemplateId": "3"}]},
    "AddSmsSign": {
        "SignName": "山海书店",
        "SignType": 0,
        "DocumentType": 0,
        "International": 0,
        "SignPurpose": 0,
        "ProofImage": PROOF,
        "CommissionImage": PROOF,
    },
    "DeleteSmsSign": {"SignId": 1},
    "AddSmsTemplate": {
        "TemplateName": "parcel",
        "TemplateContent": "您的包裹已到店，请凭{1}取件。",
        "SmsType": 2,
        "International": 0,
        "Remark": "",
    },
    "DeleteSmsTemplate": {"TemplateId": 1},
    "PullSmsSendStatusByPhoneNumber": {
        "BeginTime": int(NOW) - 60,
        "Offset": 0,
        "Limit": 10,
        "PhoneNumber": NUMBER,
        "SmsSdkAppId": APP,
    },
    "SmsPackagesStatistics": {
        "BeginTime": "2025061400",
        "EndTime": "2025061410",
        "SmsSdkAppId": APP,
        "Limit": 10,
        "Offset": 0,
    },
    "DescribePhoneNumberInfo": {"PhoneNumberSet": [NUMBER]},
}
USUAL["ModifySmsSign"] = USUAL["AddSmsSign"] | {"SignId": 1}
USUAL["ModifySmsTemplate"] = USUAL["AddSmsTemplate"] | {"TemplateId": 1}
USUAL["PullSmsReplyStatusByPhoneNumber"] = USUAL["PullSmsSendStatusByPhoneNumber"]


class Case(msgspec.Struct, frozen=True):
    """How a code comes about: what differs from the usual call, and what is done before it."""

    action: str
    differs: dict[str, Any] | list[object] = {}
    before: Before | None = None


# --- what is done before ---


def account(**settings: object) -> Before:
    return lambda service: service.set(**settings)


def app(**settings: Any) -> Before:
    return lambda service: service.set_app(**settings)


def template(text: str, type_: MessageType = MessageType.NOTIFICATION, *, international: bool = False) -> Before:
    """Have a third template."""
    return lambda service: service.template(text, type_, international=international)


def called(action: str, **differs: object) -> Before:
    return lambda service: service.call(action, USUAL[action] | differs)


def both(*steps: Before) -> Before:
    async def do(service: Service) -> None:
        for step in steps:
            await step(service)

    return do


async def individual(service: Service) -> None:
    await service.engine.write(
        lambda tx: accounts.set_kind(tx, service.account.id, kind=AccountKind.INDIVIDUAL, verified=True)
    )
    await service.account_changed()


async def late_in_the_evening(service: Service) -> None:
    service.clock.advance(12 * 3600)


async def banned_template(service: Service) -> None:
    def ban(tx: Connection) -> None:
        found = applications.find_template(tx, 1)
        assert found is not None
        assert make(tx, found, ReviewMove.BAN, by="tester", now=NOW)

    await service.engine.write(ban)


async def opted_out(service: Service) -> None:
    await service.engine.write(
        lambda tx: consent.opt_out(
            tx,
            account_id=service.account.id,
            number=NUMBER,
            signature=SIGNATURE,
            type_=MessageType.VERIFICATION,
            by="recipient",
            because="T",
            now=NOW,
        )
    )


async def app_of_another(service: Service) -> None:
    """Have the app 1400000002 belong to somebody else."""

    def work(tx: Connection) -> None:
        other = accounts.create(tx, name="other", kind=AccountKind.ORGANIZATION, verified=True, now=NOW)
        accounts.add_app(tx, account_id=other.id, name="theirs", now=NOW)

    await service.engine.write(work)


abroad = template("Your parcel has arrived.", international=True)
marketing = template(MARKETING, MessageType.MARKETING)
THIRD = {"TemplateId": "3", "TemplateParamSet": []}
NOTICE = {"TemplateId": "2", "TemplateParamSet": ["8841"]}
LATER = {"TemplateParamSet": ["654321"]}

PRODUCED: dict[str, Case] = {
    "FailedOperation.ContainSensitiveWord": Case("SendSms", {"TemplateId": "2", "TemplateParamSet": ["贷款"]}),
    "FailedOperation.FailResolvePacket": Case("SendSms", {"SmsSdkAppId": 1400000001}),
    "FailedOperation.ForbidAddMarketingTemplates": Case("AddSmsTemplate", {"SmsType": 1}, individual),
    "FailedOperation.InsufficientBalanceInSmsPackage": Case("SendSms", before=account(prepaid=True)),
    "FailedOperation.JsonParseFail": Case("SendSms", []),
    "FailedOperation.MarketingSendTimeConstraint": Case("SendSms", THIRD, both(marketing, late_in_the_evening)),
    "FailedOperation.MissingSignature": Case("AddSmsTemplate", before=called("DeleteSmsSign")),
    "FailedOperation.MissingSignatureToModify": Case("ModifySmsSign", {"SignId": 99}),
    "FailedOperation.MissingTemplateToModify": Case("ModifySmsTemplate", {"TemplateId": 99}),
    "FailedOperation.NotEnterpriseCertification": Case("ModifySmsSign", {"SignId": 99}, individual),
    "FailedOperation.OtherError": Case("DeleteSmsTemplate", before=banned_template),
    "FailedOperation.PhoneNumberInBlacklist": Case("SendSms", before=opted_out),
    "FailedOperation.PhoneNumberParseFail": Case("DescribePhoneNumberInfo", {"PhoneNumberSet": ["hello"]}),
    "FailedOperation.SignIdNotExist": Case("DeleteSmsSign", {"SignId": 99}),
    "FailedOperation.SignNumberLimit": Case("AddSmsSign", before=account(signature_limit=1)),
    "FailedOperation.SignatureIncorrectOrUnapproved": Case("SendSms", {"SignName": "1"}),
    "FailedOperation.TemplateAlreadyPassedCheck": Case("ModifySmsTemplate"),
    "FailedOperation.TemplateIdNotExist": Case("DeleteSmsTemplate", {"TemplateId": 99}),
    "FailedOperation.TemplateIncorrectOrUnapproved": Case("SendSms", {"TemplateId": "99"}),
    "FailedOperation.TemplateNumberLimit": Case("AddSmsTemplate", before=account(template_limit=2)),
    "FailedOperation.TemplateParamSetNotMatchApprovedTemplate": Case("SendSms", {"TemplateParamSet": []}),
    "InvalidParameter": Case("PullSmsReplyStatusByPhoneNumber", {"Limit": "ten"}),
    "InvalidParameterValue.BeginTimeVerifyFail": Case("PullSmsSendStatusByPhoneNumber", {"BeginTime": 1}),
    "InvalidParameterValue.ContentLengthLimit": Case(
        "SendSms", {"TemplateId": "2", "TemplateParamSet": ["书" * 500]}, account(variable_length=1000)
    ),
    "InvalidParameterValue.EndTimeVerifyFail": Case("SmsPackagesStatistics", {"EndTime": "2025061511111"}),
    "InvalidParameterValue.ImageInvalid": Case("AddSmsSign", {"ProofImage": "aGVsbG8="}),
    "InvalidParameterValue.IncorrectPhoneNumber": Case("SendSms", {"PhoneNumberSet": ["12"]}),
    "InvalidParameterValue.InvalidDocumentType": Case("AddSmsSign", {"DocumentType": 7}),
    "InvalidParameterValue.InvalidInternational": Case("AddSmsTemplate", {"International": 7}),
    "InvalidParameterValue.InvalidSignPurpose": Case("ModifySmsSign", {"SignPurpose": 7}),
    "InvalidParameterValue.InvalidSmsType": Case("AddSmsTemplate", {"SmsType": 7}),
    "InvalidParameterValue.InvalidStartTime": Case("PullSmsSendStatusByPhoneNumber", {"EndTime": 1}),
    "InvalidParameterValue.InvalidUsedMethod": Case("AddSmsSign", {"SignPurpose": 7}),
    "InvalidParameterValue.LimitVerifyFail": Case("SmsPackagesStatistics", {"Limit": 501}),
    "InvalidParameterValue.MarketingTemplateWithoutUnsubscribe": Case("AddSmsTemplate", {"SmsType": 1}),
    "InvalidParameterValue.MultiSmsInfoSetEmpty": Case("SendMultiGlobalSms", {"MultiSmsInfoSet": []}),
    "InvalidParameterValue.OffsetVerifyFail": Case("SmsPackagesStatistics", {"Offset": -1}),
    "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter": Case(
        "SendSms", {"TemplateId": "2", "TemplateParamSet": ["http://a.cn/b"]}, account(variable_length=20)
    ),
    "InvalidParameterValue.SdkAppIdNotExist": Case("SendSms", {"SmsSdkAppId": "1499999999"}),
    "InvalidParameterValue.SignAlreadyPassedCheck": Case("AddSmsSign", {"SignName": SIGNATURE}),
    # For another party's signature somebody must look at the papers.
    "InvalidParameterValue.SignExistAndUnapproved": Case(
        "AddSmsSign", {"SignPurpose": 1}, called("AddSmsSign", SignPurpose=1)
    ),
    "InvalidParameterValue.SignNameLengthTooLong": Case("AddSmsSign", {"SignName": "书" * 13}),
    "InvalidParameterValue.TemplateParameterFormatError": Case("SendSms", {"TemplateParamSet": ["abc"]}),
    "InvalidParameterValue.TemplateParameterLengthLimit": Case(
        "SendSms", {"TemplateId": "2", "TemplateParamSet": ["一本好看的新书"]}
    ),
    "InvalidParameterValue.UnsupportedTemplateVariable": Case(
        "AddSmsTemplate", before=account(variables_allowed=False)
    ),
    "LimitExceeded.AppCountryOrRegionDailyLimit": Case("SendSms", before=app(countries={"CN": {"daily_cap": 0}})),
    "LimitExceeded.AppCountryOrRegionInBlacklist": Case("SendSms", before=app(countries={"US": {}})),
    "LimitExceeded.AppDailyLimit": Case("SendSms", before=app(daily_cap=0)),
    "LimitExceeded.AppGlobalDailyLimit": Case(
        "SendMultiGlobalSms", before=both(abroad, app(daily_cap_international=0))
    ),
    "LimitExceeded.AppMainlandChinaDailyLimit": Case("SendSms", before=app(daily_cap_mainland=0)),
    "LimitExceeded.DailyLimit": Case(
        "SendMultiGlobalSms", before=both(abroad, account(international_segments_per_day=0))
    ),
    "LimitExceeded.DeliveryFrequencyLimit": Case("SendSms", before=called("SendSms")),
    "LimitExceeded.PhoneNumberCountLimit": Case("SendSms", {"PhoneNumberSet": [NUMBER] * 201}),
    "LimitExceeded.PhoneNumberDailyLimit": Case("SendSms", NOTICE, both(called("SendSms"), called("SendSms", **LATER))),
    "LimitExceeded.PhoneNumberOneHourLimit": Case(
        "SendSms", NOTICE, both(account(per_number_per_hour=1), called("SendSms"))
    ),
    "LimitExceeded.PhoneNumberSameContentDailyLimit": Case(
        "SendSms",
        before=both(account(same_content_per_day=1, same_content_per_30_seconds=None), called("SendSms")),
    ),
    "LimitExceeded.PhoneNumberThirtySecondLimit": Case(
        "SendSms", NOTICE, both(account(per_number_per_30_seconds=1), called("SendSms"))
    ),
    "MissingParameter": Case("SmsPackagesStatistics", {"BeginTime": None}),
    "MissingParameter.EmptyPhoneNumberSet": Case("SendSms", {"PhoneNumberSet": []}),
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": Case(
        "SendSms", THIRD, both(marketing, individual)
    ),
    "UnauthorizedOperation.RequestIpNotInWhitelist": Case("SendSms", before=account(caller_networks=["192.0.2.0/24"])),
    "UnauthorizedOperation.RequestPermissionDeny": Case("SendSms", {"ExtendCode": "7"}),
    "UnauthorizedOperation.SdkAppIdIsDisabled": Case("SendSms", before=app(enabled=False)),
    "UnauthorizedOperation.ServiceSuspendDueToArrears": Case("SendSms", before=account(in_arrears=True)),
    "UnauthorizedOperation.SmsSdkAppIdVerifyFail": Case("SendSms", {"SmsSdkAppId": "1400000002"}, app_of_another),
    "UnsupportedOperation": Case("SendSms", {"PictureUrl": "https://example.com/a.png"}),
    "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone": Case("SendSms", {"PhoneNumberSet": [HONG_KONG]}),
    "UnsupportedOperation.ContainDomesticAndInternationalPhoneNumber": Case(
        "SendSms", {"PhoneNumberSet": [NUMBER, HONG_KONG]}
    ),
    "UnsupportedOperation.ContainDomesticPhoneNumber": Case(
        "SendMultiGlobalSms", {"MultiSmsInfoSet": [{"PhoneNumber": NUMBER, "TemplateId": "1"}]}
    ),
    "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone": Case("SendSms", THIRD, abroad),
}


def code_of(reply: Reply) -> str:
    """Tell the code of the whole call, or else of its first item."""
    for items in ("SendStatusSet", "SendMultiStatusSet", "PhoneNumberInfoSet"):
        if items in reply.response:
            return str(reply.response[items][0]["Code"])
    return reply.code


@pytest.mark.parametrize(("code", "case"), PRODUCED.items(), ids=PRODUCED)
async def test_a_code_comes_about_in_an_action_that_lists_it(service: Service, code: str, case: Case) -> None:
    assert case.action in CODES[code].actions
    if case.before:
        await case.before(service)
    asked = case.differs if isinstance(case.differs, list) else USUAL[case.action] | case.differs
    assert code_of(await service.call(case.action, asked)) == code


def test_every_code_is_produced_or_it_is_said_why_it_cannot_be() -> None:
    assert PRODUCED.keys() | CANNOT_OCCUR.keys() == CODES.keys()
    assert not PRODUCED.keys() & CANNOT_OCCUR.keys()
    assert all(CANNOT_OCCUR.values())


def test_the_reference_lists_codes_for_every_action_but_the_newest() -> None:
    assert {*SHORT.values(), NOTHING_IS_LISTED_FOR} == ACTIONS["2021-01-11"].keys()


def test_what_is_said_instead_is_listed_where_it_is_said() -> None:
    for code, actions in INSTEAD.items():
        for action, instead in actions.items():
            assert action not in CODES[code].actions
            # Of these two the reference lists next to nothing; "not permitted" is what clients branch on elsewhere.
            bare = action in {"DescribePhoneNumberInfo", "ReportConversion"}
            assert bare or action in CODES[instead].actions | PLATFORM_CODES
    for code, instead in INSTEAD_IN_THE_OLDER_VERSION.items():
        assert (CODES[code].older, CODES[instead].older) == (False, True)
    assert OLDER_VERSION in ACTIONS
