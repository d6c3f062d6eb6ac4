"""What the codes at a message's end mean: in plain words, who is at fault, how it counts, and what to do next."""

import re
from enum import StrEnum

import msgspec

from cleartosend.model.messages import Party


class Bucket(StrEnum):
    """How a failure counts in the statistics: the reference's five kinds."""

    NONE = ""
    INTERNAL = "internal"
    INVALID_NUMBER = "invalid_number"
    SWITCHED_OFF = "switched_off"
    BLACKLISTED = "blacklisted"
    TOO_OFTEN = "too_often"


class Words(msgspec.Struct, frozen=True):
    """The same thing said in both languages."""

    zh: str
    en: str


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What one code says."""

    says: Words
    next: Words
    """What whoever sent the message can do; empty where there is nothing to be done."""
    party: Party
    """Who is at fault; nobody where the code alone does not prove it."""
    bucket: Bucket
    known: bool = True
    """False of a carrier's own code that nothing here explains."""


# --- what to do, where several codes ask for the same ---

_NOTHING = Words("", "")
_CHECK_NUMBER = Words(
    "请核对号码；确认无效后不要再向它发送。",
    "Check the number; once it is known to be dead, send to it no more.",
)
_TRY_LATER = Words(
    "可稍后再发；若一再失败，请换一种方式联系收件人。",
    "Send again later; if it keeps failing, reach the recipient in another way.",
)
_LEAVE_ALONE = Words(
    "不要再向该号码发送，除非收件人自己要求恢复接收。",
    "Send nothing more to this number unless its owner asks for it.",
)
_ASK_CARRIER_TO_LIFT = Words(
    "请收件人向其运营商申请解除，或换一个号码。",
    "The recipient can ask the carrier to lift it, or give another number.",
)
_SEND_LESS = Words(
    "当天不要再向该号码发送；请减少同一号码的发送次数。",
    "Leave this number alone for the day, and send less often to the same number.",
)
_CHANGE_TEXT = Words(
    "请修改短信内容后重新申请模板；相同的内容会再次被拒。",
    "Change the text and apply for a new template; the same words will be refused again.",
)
_ASK_OPERATOR = Words(
    "请把流水号交给平台运维人员，由其向运营商查询。",
    "Give the serial number to the operator of this platform, who can ask the carrier.",
)


def _meaning(zh: str, en: str, party: Party, bucket: Bucket, then: Words) -> Meaning:
    return Meaning(says=Words(zh, en), next=then, party=party, bucket=bucket)


_NO_SUCH_NUMBER = _meaning(
    "号码是空号，没有这个用户。",
    "There is no such number: nobody holds it.",
    Party.PHONE,
    Bucket.INVALID_NUMBER,
    _CHECK_NUMBER,
)
_OFF = _meaning(
    "手机关机或已停机。", "The telephone is off, or its line suspended.", Party.PHONE, Bucket.SWITCHED_OFF, _TRY_LATER
)
_FULL = _meaning(
    "手机存储已满，收不下新短信。",
    "The telephone's memory is full.",
    Party.PHONE,
    Bucket.SWITCHED_OFF,
    Words("请收件人清理短信后再发。", "Ask the recipient to make room, then send again."),
)
_OUT_OF_REACH = _meaning(
    "手机不在服务区。", "The telephone is out of coverage.", Party.PHONE, Bucket.SWITCHED_OFF, _TRY_LATER
)
_ON_A_BLACKLIST = _meaning(
    "号码在运营商的黑名单上。",
    "The number is on a blacklist of the carrier.",
    Party.CARRIER,
    Bucket.BLACKLISTED,
    _ASK_CARRIER_TO_LIFT,
)
_UNSUBSCRIBED = _meaning(
    "收件人已在运营商处退订。",
    "The recipient has unsubscribed at the carrier.",
    Party.YOU,
    Bucket.BLACKLISTED,
    _LEAVE_ALONE,
)
_DAILY_CAP = _meaning(
    "该号码当天收到的短信已达运营商的上限。",
    "The number has had as many messages today as the carrier allows.",
    Party.YOU,
    Bucket.TOO_OFTEN,
    _SEND_LESS,
)
_UNDELIVERED = _meaning(
    "没有送达：空号、停机或关机。",
    "Not delivered: no such number, or the line suspended or switched off.",
    Party.PHONE,
    Bucket.SWITCHED_OFF,
    _TRY_LATER,
)
_DELIVERED = _meaning("用户短信送达成功", "Delivered to the telephone.", Party.NOBODY, Bucket.NONE, _NOTHING)

_OPERATOR_MENDS = Words(
    "请平台方核对该通道的设置，改正后重新发送。",
    "The operator should check the settings of the carrier; once they are mended, send it again.",
)
_FIND_OUT_FIRST = Words("短信可能已送达；重发前请先确认。", "It may have arrived: find out before sending it again.")
_OPERATOR_CONNECTS = Words(
    "若最终没有发出，请重新发送；平台方请查看通道是否连通。",
    "If it did not go out in the end, send it again; the operator should see whether the carrier is connected.",
)

# Codes of our own, for ends and attempts of which no carrier said anything.
OWN: dict[str, Meaning] = {
    "EXPIRED_UNSENT": _meaning(
        "在有效期内没有运营商接收这条短信，因此没有发出。",
        "No carrier took it in time, so it did not go out.",
        Party.US,
        Bucket.INTERNAL,
        Words(
            "若内容仍然有用，请重新发送；平台方请查看通道是否连通。",
            "Send it again if it still matters; the operator should see whether the carrier is connected.",
        ),
    ),
    "STOPPED": _meaning(
        "短信等待发送时，账号被暂停或封禁，或者其签名、模板被收回，因此没有发出。",
        "While it waited, the account was stopped, or its signature or template lost approval, so it did not go out.",
        Party.YOU,
        Bucket.INTERNAL,
        Words(
            "请联系平台处理账号状态，或查看签名、模板的审核意见；恢复后需要重新发送。",
            "Settle it with the operator, or read what the review says; once restored, send it again.",
        ),
    ),
    "OPTEDOUT": _meaning(
        "收件人在短信等待发送时退订，因此没有发出。",
        "The recipient opted out while it waited, so it did not go out.",
        Party.YOU,
        Bucket.BLACKLISTED,
        _LEAVE_ALONE,
    ),
    "NORECEIPT": _meaning(
        "运营商已接收，但在规定时间内没有返回回执；之后到达的回执仍然有效。",
        "A carrier took it and sent no receipt in time; one that comes later still counts.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _FIND_OUT_FIRST,
    ),
    "INDOUBT": _meaning(
        "交给运营商时平台或线路中断，没有得到答复，不知道是否发出；不再重发。",
        "The platform or the line went down while handing it over; it may have gone out, and is not sent again.",
        Party.US,
        Bucket.INTERNAL,
        _FIND_OUT_FIRST,
    ),
    "NOANSWER": _meaning(
        "已交给运营商，但没有得到答复，没有人知道是否发出。",
        "It was handed to the carrier and no answer came: nobody knows whether it went out.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _FIND_OUT_FIRST,
    ),
    "NOT_BOUND": _meaning(
        "与运营商的连接已断开，没有交出。",
        "No connection to the carrier was bound, so it was not handed over.",
        Party.US,
        Bucket.INTERNAL,
        _OPERATOR_CONNECTS,
    ),
    "NOT_CONNECTED": _meaning(
        "连接不上上游服务，没有交出。",
        "No connection to the service could be made, so it was not handed over.",
        Party.US,
        Bucket.INTERNAL,
        _OPERATOR_CONNECTS,
    ),
    "NOTHANDED": _meaning(
        "本平台出错，没有交给运营商。",
        "A fault of this platform kept it from being handed over.",
        Party.US,
        Bucket.INTERNAL,
        Words("请平台方查看日志 carrier.failed。", "The operator should look in the log for carrier.failed."),
    ),
    "UNWRITABLE": _meaning(
        "短信含有该运营商无法表示的字符，或者太长。",
        "It has a character that no alphabet of the carrier has, or is too long for it.",
        Party.YOU,
        Bucket.INTERNAL,
        Words(
            "请修改内容后重新发送；平台方也可以给通道配置更多字符集（alphabets）。",
            "Change the text and send it again; or the operator gives the carrier's profile another of the alphabets.",
        ),
    ),
    "BAD_ADDRESS": _meaning(
        "发送方号码或收件号码写不进短信：太长，或含有不允许的字符。",
        "The address of the sender or of the recipient is too long to be written, or has letters that none has.",
        Party.US,
        Bucket.INTERNAL,
        Words(
            "请平台方核对 source_addr、sources 和扩展码的总长度（不超过 20 位）。",
            "The operator should check source_addr and sources: with an extension code behind them, at most 20 octets.",
        ),
    ),
    "TEMPLATE_NOT_MAPPED": _meaning(
        "上游服务中没有与该模板对应的模板。",
        "The settings do not say what the template is called at the service upstream.",
        Party.US,
        Bucket.INTERNAL,
        Words(
            "请平台方在通道的 templates 中写上它，或者设置 same_templates，然后重新发送。",
            "The operator should name it in the carrier's templates, or set same_templates; then send it again.",
        ),
    ),
}

_ASK_WHAT_WAS_AGREED = Words(
    "请平台方核对该通道的 source_addr 和 sources，并向运营商确认允许使用的发送方号码。",
    "The operator should check source_addr and sources, and ask the carrier which addresses were agreed.",
)
_REFUSES_SENDER = _meaning(
    "运营商不接受这个发送方号码。",
    "The carrier does not let it come from this address.",
    Party.US,
    Bucket.INTERNAL,
    _ASK_WHAT_WAS_AGREED,
)
_REFUSES_LOGIN = _meaning(
    "运营商不接受本平台的账号或密码。",
    "The carrier does not know this platform, or not by this password.",
    Party.US,
    Bucket.INTERNAL,
    Words(
        "请平台方核对 system_id、password_file 和 system_type。",
        "The operator should check system_id, password_file and system_type.",
    ),
)
_REFUSES_NUMBER = _meaning(
    "运营商不接受这个号码。",
    "The carrier does not take the number: it is wrong, or not one that it reaches.",
    Party.PHONE,
    Bucket.INVALID_NUMBER,
    _CHECK_NUMBER,
)
_REFUSES_FORM = _meaning(
    "运营商不接受这条消息的某个字段。",
    "The carrier does not take one of the fields that are written with every message.",
    Party.US,
    Bucket.INTERNAL,
    Words(
        "请平台方核对该通道的 profile 和运营商的接入文档。",
        "The operator should compare the carrier's profile with what the carrier has documented.",
    ),
)
_TOO_BUSY = _meaning(
    "通道当时太忙，没有接收。",
    "The carrier was too busy to take it.",
    Party.CARRIER,
    Bucket.INTERNAL,
    Words(
        "若最终没有发出，请稍后重新发送；平台方可以调低 per_second。",
        "If it did not go out in the end, send it again later; the operator may lower per_second.",
    ),
)
_BROKEN_AT_CARRIER = _meaning(
    "运营商的系统出错，没有接收。",
    "The carrier's own system failed, and did not take it.",
    Party.CARRIER,
    Bucket.INTERNAL,
    _ASK_OPERATOR,
)
_REFUSED_OTHERWISE = _meaning(
    "运营商在提交时拒绝了这条短信，理由是 SMPP 3.4 中的一个状态。",
    "The carrier refused it when it was handed over, with a status of SMPP 3.4.",
    Party.CARRIER,
    Bucket.INTERNAL,
    _ASK_OPERATOR,
)

# SMPP 3.4, 5.1.3: answers to what was handed over. One that is not here is of the family `ESME`.
STATUSES: dict[str, Meaning] = {
    **dict.fromkeys(["ESME_RTHROTTLED", "ESME_RMSGQFUL"], _TOO_BUSY),
    **dict.fromkeys(
        ["ESME_RSYSERR", "ESME_RX_T_APPN", "ESME_RUNKNOWNERR", "ESME_RDELIVERYFAILURE"], _BROKEN_AT_CARRIER
    ),
    "ESME_RINVSRCADR": _REFUSES_SENDER,
    "ESME_RINVSRCTON": _REFUSES_SENDER,
    "ESME_RINVSRCNPI": _REFUSES_SENDER,
    **dict.fromkeys(["ESME_RINVSYSID", "ESME_RINVPASWD", "ESME_RINVSYSTYP", "ESME_RBINDFAIL"], _REFUSES_LOGIN),
    "ESME_RINVDSTADR": _REFUSES_NUMBER,
    "ESME_RINVMSGLEN": _meaning(
        "运营商认为短信太长。",
        "The text is too long for the carrier.",
        Party.YOU,
        Bucket.INTERNAL,
        Words("请缩短内容后重新发送。", "Make the text shorter and send it again."),
    ),
    "ESME_RSUBMITFAIL": _meaning(
        "运营商没有接收，没有说明原因。",
        "The carrier did not take it, and does not say why.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _ASK_OPERATOR,
    ),
    "ESME_RINVBNDSTS": _meaning(
        "连接的状态不允许发送。",
        "The connection was not in a state to send on.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _OPERATOR_CONNECTS,
    ),
    **dict.fromkeys(
        [
            *("ESME_RINVCMDLEN", "ESME_RINVCMDID", "ESME_RINVPRTFLG", "ESME_RINVREGDLVFLG", "ESME_RINVSERTYP"),
            *("ESME_RINVESMCLASS", "ESME_RINVDSTTON", "ESME_RINVDSTNPI", "ESME_RINVREPFLAG", "ESME_RINVSCHED"),
            *("ESME_RINVEXPIRY", "ESME_RINVDFTMSGID", "ESME_RINVOPTPARSTREAM", "ESME_ROPTPARNOTALLWD"),
            *("ESME_RINVPARLEN", "ESME_RMISSINGOPTPARAM", "ESME_RINVOPTPARAMVAL"),
        ],
        _REFUSES_FORM,
    ),
    "ESME": _REFUSED_OTHERWISE,
}

# What a service upstream says, in the codes of the Tencent Cloud SMS API. `FailedOperation.X` is of the family before
# the point where it does not stand here itself.
UPSTREAM: dict[str, Meaning] = {
    "FailedOperation": _meaning(
        "上游服务拒绝了这条短信。",
        "The service upstream refused the message.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _ASK_OPERATOR,
    ),
    "FailedOperation.ContainSensitiveWord": _meaning(
        "上游服务认为内容含有敏感词。",
        "The text has a word that the service upstream does not let pass.",
        Party.YOU,
        Bucket.INTERNAL,
        _CHANGE_TEXT,
    ),
    "FailedOperation.PhoneNumberInBlacklist": _meaning(
        "号码在上游服务的黑名单上。",
        "The number is on a blacklist of the service upstream.",
        Party.CARRIER,
        Bucket.BLACKLISTED,
        _ASK_CARRIER_TO_LIFT,
    ),
    "FailedOperation.InsufficientBalanceInSmsPackage": _meaning(
        "本平台在上游服务的套餐包已用完。",
        "This platform's package at the service upstream is used up.",
        Party.US,
        Bucket.INTERNAL,
        Words("请平台方购买套餐包。", "The operator should buy another package."),
    ),
    **dict.fromkeys(
        [
            "FailedOperation.SignatureIncorrectOrUnapproved",
            "FailedOperation.TemplateIncorrectOrUnapproved",
            "FailedOperation.TemplateUnapprovedOrNotExist",
        ],
        _meaning(
            "签名或模板在上游服务没有通过审核。",
            "The signature or template is not approved at the service upstream.",
            Party.US,
            Bucket.INTERNAL,
            Words(
                "请平台方在上游服务申请它，并核对 templates。",
                "The operator should apply for it there, and check the carrier's templates.",
            ),
        ),
    ),
    "LimitExceeded": _meaning(
        "超过了上游服务给本平台的发送上限。",
        "It is more than the service upstream lets this platform send.",
        Party.US,
        Bucket.INTERNAL,
        Words(
            "请平台方查看在上游服务的各项上限。",
            "The operator should look at the limits of the account and the application there.",
        ),
    ),
    **dict.fromkeys(
        [
            "LimitExceeded.DeliveryFrequencyLimit",
            "LimitExceeded.PhoneNumberCountLimit",
            "LimitExceeded.PhoneNumberDailyLimit",
            "LimitExceeded.PhoneNumberOneHourLimit",
            "LimitExceeded.PhoneNumberSameContentDailyLimit",
            "LimitExceeded.PhoneNumberThirtySecondLimit",
        ],
        _meaning(
            "该号码收到的短信已达上游服务的上限。",
            "The number has had as many messages as the service upstream allows.",
            Party.YOU,
            Bucket.TOO_OFTEN,
            _SEND_LESS,
        ),
    ),
    "RequestLimitExceeded": _TOO_BUSY,
    **dict.fromkeys(
        ["InvalidParameter", "InvalidParameterValue", "MissingParameter", "UnknownParameter"],
        _meaning(
            "上游服务认为请求有误。",
            "The service upstream says that something in the call is wrong.",
            Party.US,
            Bucket.INTERNAL,
            _OPERATOR_MENDS,
        ),
    ),
    "InvalidParameterValue.IncorrectPhoneNumber": _REFUSES_NUMBER,
    **dict.fromkeys(
        ["AuthFailure", "UnauthorizedOperation", "IpInBlacklist", "IpNotInWhitelist"],
        _meaning(
            "上游服务不允许本平台发送。",
            "The service upstream does not let this platform send.",
            Party.US,
            Bucket.INTERNAL,
            Words(
                "请平台方核对 secret_id、secret_key、sdk_app_id 和上游账号的权限。",
                "The operator should check secret_id, secret_key, sdk_app_id and what the account there may do.",
            ),
        ),
    ),
    "UnsupportedOperation": _meaning(
        "上游服务不支持这样发送。",
        "The service upstream does not send like this.",
        Party.US,
        Bucket.INTERNAL,
        _OPERATOR_MENDS,
    ),
    **dict.fromkeys(["ServiceUnavailable", "ResourceInsufficient", "ResourceUnavailable"], _TOO_BUSY),
    "InternalError": _BROKEN_AT_CARRIER,
    # HTTP is the family of `HTTP_404` and its like.
    **dict.fromkeys(
        ["ActionOffline", "InvalidAction", "NoSuchProduct", "NoSuchVersion", "UnsupportedProtocol", "HTTP"],
        _meaning(
            "上游服务没有按接口约定回答。",
            "What answered did not answer as the service upstream should.",
            Party.US,
            Bucket.INTERNAL,
            Words("请平台方核对 endpoint。", "The operator should check the endpoint."),
        ),
    ),
    "UnsupportedRegion": _meaning(
        "上游服务没有这个地域。",
        "The service upstream has no such region.",
        Party.US,
        Bucket.INTERNAL,
        Words("请平台方核对 region。", "The operator should check the region."),
    ),
}

# SMPP 3.4, 5.2.28: the words of any carrier. A longer code that begins with one (`EXPIRED_012`) is of its family.
FAMILIES: dict[str, Meaning] = {
    "DELIVRD": _DELIVERED,
    "EXPIRED": _meaning(
        "运营商在有效期内没能送到手机。",
        "The carrier could not reach the telephone before the message expired.",
        Party.PHONE,
        Bucket.SWITCHED_OFF,
        _TRY_LATER,
    ),
    "DELETED": _meaning(
        "短信在运营商处被删除。", "The carrier deleted it.", Party.CARRIER, Bucket.INTERNAL, _ASK_OPERATOR
    ),
    "UNDELIV": _UNDELIVERED,
    "UNDELIVRD": _UNDELIVERED,
    "ACCEPTD": _meaning(
        "运营商已接收，但没有说明是否送达。",
        "The carrier took it and did not say whether it arrived.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _ASK_OPERATOR,
    ),
    "UNKNOWN": _meaning(
        "运营商不知道短信的结果。",
        "The carrier does not know what became of it.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _ASK_OPERATOR,
    ),
    # As the simulator has it.
    "THROTTLED": _TOO_BUSY,
    "REJECTD": _meaning(
        "运营商拒绝了这条短信。", "The carrier refused it.", Party.CARRIER, Bucket.INTERNAL, _ASK_OPERATOR
    ),
}

# What carriers in mainland China write in receipts.
CARRIERS: dict[str, Meaning] = {
    "NOROUTE": _meaning(
        "没有通往该号码的路由。",
        "No route leads to this number.",
        Party.CARRIER,
        Bucket.INTERNAL,
        _ASK_OPERATOR,
    ),
    "ERR_NUM": _meaning(
        "号码有误或受到限制。",
        "The number is wrong or restricted.",
        Party.YOU,
        Bucket.INVALID_NUMBER,
        _CHECK_NUMBER,
    ),
    "MX:0003": _DAILY_CAP,
    "TE:0003": _DAILY_CAP,
    "MX:0012": _UNSUBSCRIBED,
    "TUIDING": _UNSUBSCRIBED,
    "TE:0014": _meaning(
        "人工审核没有通过。",
        "It was refused in a manual review at the carrier.",
        Party.YOU,
        Bucket.INTERNAL,
        _CHANGE_TEXT,
    ),
    "TC:0007": _meaning(
        "内容含有运营商的敏感词。",
        "The text has a word that the carrier does not let pass.",
        Party.YOU,
        Bucket.INTERNAL,
        _CHANGE_TEXT,
    ),
    "TD:0004": _meaning(
        "运营商怀疑是诈骗短信。",
        "The carrier suspects phishing.",
        Party.YOU,
        Bucket.BLACKLISTED,
        _CHANGE_TEXT,
    ),
    **dict.fromkeys(["TD:0001", "TD:19", "BWLIST", "DB:0144", "W-BLACK", "HIGRISK"], _ON_A_BLACKLIST),
    **dict.fromkeys(["MK:0000", "MK:0012", "MK:0001"], _NO_SUCH_NUMBER),
    **dict.fromkeys(["MI:0013", "MI:0024"], _OFF),
    "MK:0017": _FULL,
    "MK:0008": _OUT_OF_REACH,
    # Bare numbers are China Unicom's.
    **dict.fromkeys(["1", "67", "61"], _NO_SUCH_NUMBER),
    **dict.fromkeys(["4", "54", "5"], _OFF),
    **dict.fromkeys(["79", "43"], _FULL),
    **dict.fromkeys(["15", "55"], _OUT_OF_REACH),
}

UNEXPLAINED = Meaning(
    says=Words(
        "这是运营商自己的代码，这里没有对它的解释。", "This code is the carrier's own; nothing here explains it."
    ),
    next=_ASK_OPERATOR,
    party=Party.NOBODY,
    bucket=Bucket.INTERNAL,
    known=False,
)

_FAMILY = re.compile(r"[A-Z]+(?=_)|[A-Za-z]+(?=\.)")
_EXACT = {**FAMILIES, **STATUSES, **UPSTREAM, **CARRIERS, **OWN}
_OF_FAMILIES = {**FAMILIES, "ESME": STATUSES["ESME"], **UPSTREAM}


def meaning_of(code: str) -> Meaning:
    """
    What a code means.

    >>> meaning_of("REJECTD_017").party
    <Party.CARRIER: 'carrier'>
    >>> meaning_of("LimitExceeded.PhoneNumberDailyLimit").bucket
    <Bucket.TOO_OFTEN: 'too_often'>
    >>> meaning_of("XY:1234").known
    False
    """
    meaning = _EXACT.get(code)
    if meaning is None:
        family = _FAMILY.match(code)
        meaning = _OF_FAMILIES.get(family[0], UNEXPLAINED) if family else UNEXPLAINED
    return meaning
