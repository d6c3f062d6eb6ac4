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

# Codes of our own, for ends that no carrier reported.
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
        Words("短信可能已送达；重发前请先确认。", "It may have arrived: find out before sending it again."),
    ),
    "INDOUBT": _meaning(
        "交给运营商时平台或线路中断，没有得到答复，不知道是否发出；不再重发。",
        "The platform or the line went down while handing it over; it may have gone out, and is not sent again.",
        Party.US,
        Bucket.INTERNAL,
        Words("短信可能已送达；重发前请先确认。", "It may have arrived: find out before sending it again."),
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
    # 5.1.3, ESME_RTHROTTLED: an answer to a submit, not a receipt.
    "THROTTLED": _meaning(
        "通道当时太忙，没有接收。",
        "The carrier was too busy to take it.",
        Party.CARRIER,
        Bucket.INTERNAL,
        Words("若最终没有发出，请稍后重新发送。", "If it did not go out in the end, send it again later."),
    ),
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

_FAMILY = re.compile(r"[A-Z]+(?=_)")
_EXACT = {**FAMILIES, **CARRIERS, **OWN}


def meaning_of(code: str) -> Meaning:
    """
    What a code means.

    >>> meaning_of("REJECTD_017").party
    <Party.CARRIER: 'carrier'>
    >>> meaning_of("XY:1234").known
    False
    """
    meaning = _EXACT.get(code)
    if meaning is None:
        family = _FAMILY.match(code)
        meaning = FAMILIES.get(family[0], UNEXPLAINED) if family else UNEXPLAINED
    return meaning
