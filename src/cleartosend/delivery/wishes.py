"""What a reply asks for: to be left alone, to be reached again, something a person should look at, or nothing."""

import re
from enum import Enum, auto

import msgspec
import re2

from cleartosend.model.consent import Wish
from cleartosend.policy.normalise import fold

# Whoever asks for something like this is brief; the rest of a long reply is not looked at.
MOST_CHARACTERS = 500


class OwnWords(msgspec.Struct, frozen=True):
    """Words that an operator has added, folded and without anything between their letters."""

    opt_out: frozenset[str] = frozenset()
    opt_in: frozenset[str] = frozenset()


def own_words(opt_out: str, opt_in: str) -> OwnWords:
    """
    Words as a setting lists them, separated by commas.

    >>> sorted(own_words("No More, 停,", "Ja").opt_out)
    ['nomore', '停']
    """
    return OwnWords(_listed(opt_out), _listed(opt_in))


def wish_of(text: str, own: OwnWords = OwnWords()) -> Wish:  # noqa: B008 - it is frozen
    """
    Read a reply: case, width, spaces, punctuation, emoji and courtesy do not matter.

    >>> [wish_of(text).value for text in ("Stop. Thank you", "谢谢，退订", " t d。", "start", "R u there")]
    ['opt-out', 'opt-out', 'opt-out', 'opt-in', '']
    >>> [wish_of(text).value for text in ("Don't stop", "不要退订", "怎么退订")]
    ['', '', 'unsure']
    """
    folded = fold(text[:MOST_CHARACTERS]).translate(_APOSTROPHES)
    # Spelt out or broken up, as in `S T O P` and `退 订`, it is one word after all.
    whole = _read("".join(_BETWEEN.split(folded)), own)
    said = {whole} if whole in _CLEAR else {_read(clause, own) for clause in _CLAUSES.split(folded)}
    said -= {_Said.COURTESY}
    if not said and _STOP_SIGN in text:
        return Wish.OPT_OUT
    if said & _OUT and said <= _OUT:
        return Wish.OPT_OUT
    if said == {_Said.OPT_IN}:
        return Wish.OPT_IN
    if _Said.OPT_OUT in said and _Said.OPT_IN not in said:
        # As in `Stop! I never signed up for this`.
        return Wish.OPT_OUT
    if said & _CLEAR or _smells(folded):
        return Wish.UNSURE
    return Wish.NONE


class _Said(Enum):
    """What one clause of a reply says."""

    COURTESY = auto()
    OPT_OUT = auto()
    OPT_OUT_BY_ITSELF = auto()
    """An opt-out where nothing else is said: a letter, or a word that may be about an order or an appointment."""
    OPT_IN = auto()
    OTHER = auto()


_OUT = {_Said.OPT_OUT, _Said.OPT_OUT_BY_ITSELF}
_CLEAR = {*_OUT, _Said.OPT_IN}

_STOP_SIGN = "🛑"
_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´"))
_BETWEEN = re.compile(r"[\W_]+")
_CLAUSES = re.compile(r"[\n.,!?;:。、…~()\[\]\"“”]+")


def _listed(words: str) -> frozenset[str]:
    return frozenset("".join(_BETWEEN.split(fold(word))) for word in words.split(",")) - {""}


def _read(clause: str, own: OwnWords) -> _Said:
    words = [word for word in _BETWEEN.split(_THANKS.sub(" ", clause)) if word and word not in _COURTESIES]
    bare = "".join(words)
    if not bare or _CHINESE_COURTESY.fullmatch(bare):
        return _Said.COURTESY
    if bare in own.opt_out:
        return _Said.OPT_OUT
    if bare in own.opt_in:
        return _Said.OPT_IN
    # Each English word ends with a space in what is matched, so that no word begins within another.
    sentence = "".join(f"{word} " for word in words)
    for said, english, chinese in _GRAMMAR:
        if english.fullmatch(sentence) or chinese.fullmatch(bare):
            return said
    return _Said.OTHER


def _smells(folded: str) -> bool:
    """Whether there is anything of an opt-out in it that is not plainly denied."""
    sentence = "".join(f"{word} " for word in _BETWEEN.split(folded) if word)
    bare = _CHINESE_DENIAL.sub("", sentence.replace(" ", ""))
    return bool(_CHINESE_SMELL.search(bare) or _ENGLISH_SMELL.search(" " + _ENGLISH_DENIAL.sub("", sentence)))


def _any(words: str) -> str:
    return f"(?:{'|'.join(words.split())})"


# --- English ---

_THANKS = re.compile(r"\b(?:thank (?:you|u|ya)(?: (?:so|very) much)?|many thanks|much appreciated)\b")
_COURTESIES = frozenset(
    {
        "please",
        "pls",
        "plz",
        "plse",
        "kindly",
        "thanks",
        "thankyou",
        "thx",
        "tks",
        "tnx",
        "ty",
        "cheers",
        "hi",
        "hello",
        "hey",
        "dear",
        "sir",
        "madam",
        "maam",
        "ok",
        "okay",
        "yes",
        "now",
        "immediately",
        "asap",
        "just",
        "sorry",
        "guys",
        "team",
        "folks",
        "regards",
        "bye",
    }
)
_ABOUT = _any(
    "all any anymore more again further future ever sending send texting text texts txt txts texted messaging message "
    "messages messaged msg msgs sms smses spam spamming contacting contact bothering harassing disturbing receiving "
    "getting me us my phone cell mobile number to from on of and for the this that these those it such your ur you "
    "promotional promotion promotions promo promos marketing advertising advert adverts advertisement advertisements "
    "ad ads offers notification notifications alerts unwanted unsolicited list mailing"
)
_SENT = _any(
    "texts text txt txts messages message msg msgs sms smses spam ads adverts advertisements promos promotions offers "
    "notifications alerts marketing advertising"
)
_ASKING = (
    r"(?:(?:(?:can|could|would|will) (?:you|u) |(?:i|we) (?:want|wish|need|would like|demand) (?:you )?to |"
    r"id like (?:you )?to |i want (?:you )?to |reply |text |send |you (?:must|need to|should) )*)"
)
_UNSUBSCRIBE = _any(
    "unsubscribe unsubscribed unsub unsubs unsubcribe unsuscribe unsubscibe unsubsribe unsubscrib unsubscirbe "
    "unsubscrbe unsubscride usubscribe optout"
)
_TO_END = r"(?:(?:2|to) (?:end|stop|quit|cancel|unsubscribe|opt out|optout) )?"
_NEVER = r"(?:do not|dont|donot|never|no longer|not to)"

_OPT_OUT_IN_ENGLISH = re2.compile(
    rf"{_ASKING}(?:"
    rf"(?:stop )+(?:{_ABOUT} )*{_TO_END}|"
    rf"stopall |"
    rf"(?:{_UNSUBSCRIBE}|opt (?:me |us )?out) (?:{_ABOUT} )*|"
    rf"(?:remove|delete|erase) (?:me|us|(?:my|this) (?:phone |mobile |cell )?number) (?:{_ABOUT} |off )*|"
    rf"take (?:me|us|(?:my|this) number) off (?:{_ABOUT} )*|"
    rf"{_NEVER} (?:text|txt|message|msg|sms|contact|spam|bother|disturb) (?:{_ABOUT} )*|"
    rf"{_NEVER} send (?:{_ABOUT} )*{_SENT} (?:{_ABOUT} )*|"
    rf"no more (?:{_ABOUT} )*{_SENT} (?:{_ABOUT} )*|"
    rf"(?:i |we )?(?:do not|dont) (?:want|wish|need) (?:{_ABOUT} |receive |get )*{_SENT} (?:{_ABOUT} )*|"
    rf"(?:cancel|end) (?:{_ABOUT} )*{_SENT} "
    rf")"
)
# 47 CFR 64.1200(a)(10) names these beside stop and unsubscribe; `cancel it` may be about an appointment.
_ALONE_IN_ENGLISH = re2.compile(r"(?:(?:end|quit|cancel|revoke|remove|stop|r|t|n|td|qx) )+")
_OPT_IN_IN_ENGLISH = re2.compile(
    rf"{_ASKING}(?:"
    r"(?:unstop|start|subscribe|resubscribe|optin|opt (?:me |us )?(?:back )?in|sign me (?:back )?up) "
    r"(?:(?:sending|receiving|getting|me|us|my|number|again|back|texts?|messages?|sms|the|your|to|alerts|offers) )*|"
    r"resume (?:sending |the |your |my |all )*(?:texts|messages|sms|alerts) "
    r")"
)
_ENGLISH_DENIAL = re.compile(
    r"\b(?:do not|dont|not|never|didnt|did not|wont|will not|cant|cannot|can not|couldnt|why|no) "
    r"(?:want to |need to |going to )?(?:stop|opt out|optout)\b|"
    r"\b(?:do not|dont|not|never|didnt|did not|wont) (?:want to |need to )?unsubscribe\b"
)
_ENGLISH_SMELL = re2.compile(
    rf" (?:{_UNSUBSCRIBE}|unsubscribing|opt out|opting out|wrong (?:number|person)|not interested|"
    r"no thanks|no thank you|leave me alone|go away|get lost|f(?:uck)? off|spam|spammers?|scam|scammers?|"
    r"harass|harassing|harassment|remove me|take me off|no more|"
    r"stop (?:sending|texting|messaging|spamming|contacting|calling)|"
    r"how (?:do|can|to) .*stop|cancel (?:it|this|that|(?:my |the )?subscription)|"
    r"(?:got|get|gave you|have) my (?:phone )?number|do not call|dont call) |"
    r"^ (?:please |pls )?stop |^ (?:stopp|stpo|sotp|stp|stip|dtop|stahp) $"
)

# --- Chinese ---

_LETTERS = r"(?:r+|t+|n+|(?:td)+|(?:qx)+|(?:0000)+|stop|unsubscribe)"
_ANSWERING = r"(?:回复?|发送?|编辑|输入)"
_UNSUBSCRIBING = r"(?:退订|退定|退钉|退顶|推订|tuiding)"
_BEFORE = (
    r"(?:请|麻烦|谢谢|多谢|感谢|拜托|劳驾|您好|你好|亲|好的|嗯|哦|帮我|帮忙|给我|你们?|您|客服|我要求|我要|我想|"
    r"我|本人|要求|申请|需要|要|想|立即|立刻|马上|尽快|现在|直接|全部|都|赶紧|快)*"
)
_AFTER = (
    r"(?:吧|了|啊|呀|哈|啦|呢|哦|喔|嘛|掉|一下|谢谢|多谢|感谢|谢|您|你们?|亲|辛苦|拜托|马上|立即|好吗|行吗|ok|thanks|"
    r"thankyou|thx|please|pls)*"
)
_WHOSE = (
    r"(?:你们?|您|贵公司|贵司|公司|贵店|店|你家|的|这些|这种|这类|此类|那些|任何|所有|全部|一切|本|该|此|类|营销|广告|推广|"
    r"促销|推销|垃圾|骚扰|商业|什么|各种|无聊|乱七八糟|手机)*"
)
_MESSAGES = r"(?:(?:短信息?|短讯|短消息|信息|消息|讯息|简讯|广告|推销|营销|推广|推送|通知|垃圾|sms)+)"
_DO_NOT = r"(?:不要|别|请勿|勿|不用|不想要?|不必|无需|停止|禁止|不许|不准|不得|甭|莫|不需要)"
_TO_ME = r"(?:(?:给|向|往|跟|对)(?:我们?|本人|这个?号码?|此号码?)(?:的?手机|的?号码)?)?"

_OPT_OUT_IN_CHINESE = re2.compile(
    rf"{_BEFORE}(?:"
    rf"{_ANSWERING}?{_LETTERS}?{_UNSUBSCRIBING}+{_WHOSE}{_MESSAGES}?|"
    rf"{_ANSWERING}?{_LETTERS}拒收|"
    rf"(?:{_UNSUBSCRIBING}|拒收|取消)请?{_ANSWERING}{_LETTERS}|"
    rf"(?:取消|停止|关闭|终止)(?:订阅|推送|发送|接收|短信)+{_WHOSE}{_MESSAGES}?|"
    rf"(?:取消|停止|关闭|终止|拒绝|拒收|屏蔽)(?:接收|接受|收)?{_WHOSE}{_MESSAGES}|拒绝接收|"
    rf"{_DO_NOT}再?{_TO_ME}再?(?:发送|发|推送|推|群发|寄)?来?{_WHOSE}{_MESSAGES}(?:给我|过来|来)?|"
    rf"{_DO_NOT}再?来?(?:骚扰|打扰)(?:我们?|本人|人)?|"
    rf"(?:不想|不要|不愿意?|不希望|不再|不需要|拒绝|不)再?(?:接收|收到|收|接受|看到|接到){_WHOSE}{_MESSAGES}|"
    rf"把?(?:我|本人|这个|此|本)的?(?:手机号码?|号码?|电话号?码?|联系方式)?从?(?:你们?的?)?(?:名单|列表|系统)?(?:里|中|上)?"
    rf"(?:删除|删了|删掉|移除|移出|去掉)(?:名单|列表)?|"
    rf"(?:删除|移除)我的?(?:手机号码?|号码|电话|联系方式)"
    rf"){_AFTER}"
)
# A letter beside other words may be the start of a name; 取消, 停止 and 拒收 may be about an order.
_ALONE_IN_CHINESE = re2.compile(rf"{_BEFORE}(?:{_ANSWERING}?{_LETTERS}|取消|停止|拒收){_AFTER}")
_OPT_IN_IN_CHINESE = re2.compile(
    rf"{_BEFORE}(?:(?:恢复|重新|继续|开启|开通|再次)(?:订阅|接收|收|发送|推送|短信)+|(?:取消|撤销){_UNSUBSCRIBING}|取消拒收|"
    rf"订阅|开通){_AFTER}"
)
_CHINESE_COURTESY = re2.compile(
    r"(?:请|麻烦|谢谢|多谢|感谢|谢了?|拜托|劳驾|您好|你好|亲|好的?|嗯|哦|辛苦了?|您|你们?|了|啊|哈|客服|再见|3q)+"
)
_CHINESE_DENIAL = re.compile(
    r"(?:不要|不想|不用|不会|不|别|没有?|并未|从未|未)(?:取消|退订|退定|推订|拒收|拒绝|投诉|举报|拉黑)"
)
_CHINESE_SMELL = re2.compile(
    r"退订|退定|推订|tuiding|取消订阅|取消短信|拒收|拒绝|骚扰|投诉|举报|12321|12315|工信部|拉黑|黑名单|垃圾(?:短信|信息|广告)|"
    r"(?:别|不要|不用|勿|停止|不许|不准)再?(?:给我|向我|往我|跟我)?再?(?:发(?:[^货票快顺邮包]|$)|推送|打扰|联系|烦)|"
    r"发错|打错|^不要了?$|不需要|不感兴趣|没兴趣|号码?换了|换号|不是本人|不认识你|(?:哪|怎么).{0,4}(?:有|来|知道)我的?(?:号|电话|手机)|"
    r"烦死|滚"
)

_GRAMMAR = (
    (_Said.OPT_OUT, _OPT_OUT_IN_ENGLISH, _OPT_OUT_IN_CHINESE),
    (_Said.OPT_OUT_BY_ITSELF, _ALONE_IN_ENGLISH, _ALONE_IN_CHINESE),
    (_Said.OPT_IN, _OPT_IN_IN_ENGLISH, _OPT_IN_IN_CHINESE),
)
