"""What people write back, and what it asks for; each wording is one that people use, made anonymous."""

import pytest

from cleartosend.delivery.wishes import own_words, wish_of
from cleartosend.model.consent import Wish

# Clear, however they are written.
OPT_OUTS = [
    "R", "r", "T", "t", "N", "n", "TD", "td", "Td", "QX", "qx", "0000", "退订", "T退订", "t退订", "TD退订",
    "回T退订", "回复TD退订", "退订回T", "退订回N", "拒收请回复R", "拒收回复R", "回复R", "回r", "发送TD", "Ｒ",
    "ＴＤ", "t d", "T D", " td。", "R.", "R!", "r~", "「R」", "(T)", '"TD"', "TT", "rrr", "tdtd", "退 订", "退-订",
    "退。订", "退訂", "退订！！！", "退定", "退订退订", "R👍", "🛑退订🛑", "0 0 0 0", "r\n", "TD\r\n谢谢", "Ｔ退订",
    "ⓡ", "TD，谢谢", "谢谢，退订", "td谢谢", "退订谢谢", "退订，谢谢！", "麻烦退订", "麻烦退订一下，谢谢", "请退订",
    "请帮我退订", "我要退订", "我想退订", "你好，退订", "您好，请帮我退订，谢谢", "马上退订", "立即退订！",
    "退订吧", "退订了", "退订你们的短信", "退订短信", "退订所有短信", "退订广告", "全部退订", "取消", "取消订阅",
    "取消短信", "取消推送", "取消订阅谢谢", "拒收", "R拒收", "拒收短信", "拒绝接收", "拒绝接收短信", "停止发送",
    "停止推送", "停止发送短信", "关闭短信", "关闭推送", "别再发短信了", "不要再发短信了", "请不要再给我发短信",
    "请勿再发短信", "不要给我发广告", "别发广告了", "不要发垃圾短信", "别给我发信息了", "不要再发这些广告短信了",
    "不要再骚扰我", "别骚扰我", "请勿打扰", "请勿骚扰", "不要再打扰我了", "不想再收到你们的短信",
    "不想收到这些广告", "不接收短信", "不再接收短信", "不要再给我推送消息", "把我的号码从名单里删除", "把我删了",
    "删除我的号码", "请stop", "stop谢谢", "不要，退订", "退订，别再发了", "退订！再发就投诉",
    "我从来没注册过，退订", "stop", "Stop", "STOP", "STOP!", "S T O P", "s.t.o.p", "ＳＴＯＰ", "𝐒𝐓𝐎𝐏", "stop.",
    '"STOP"', "'stop'", "STOP STOP STOP", "stop stop", "stop,stop,stop", "Stop. Thank you", "Stop thank you",
    "stop, thanks", "please stop", "Please stop.", "Stop please", "pls stop", "stop now", "STOP NOW!!!", "ok stop",
    "stop all", "STOPALL", "stop texting me", "stop texting", "Stop sending me messages",
    "Please stop sending me these texts", "stop sending me text messages please", "stop messaging me",
    "stop spamming me", "STOP SPAM", "stop it", "stop this", "stop the texts", "stop sms", "stop contacting me",
    "Can you please stop texting me?", "could you stop sending me messages", "I want to stop receiving messages",
    "i'd like to unsubscribe", "I want to unsubscribe", "I would like to opt out", "unsubscribe", "Unsubscribe me",
    "please unsubscribe me from this list", "UNSUBSCRIBE ME PLEASE", "unsub", "unsubcribe", "unsuscribe", "opt out",
    "opt-out", "OPTOUT", "opt me out", "remove me", "remove me from your list",
    "Please remove me from your mailing list", "take me off your list", "take me off this list please",
    "remove my number", "delete my number", "don't text me", "Don't text me again", "do not contact me",
    "do not message me anymore", "never text me again", "don't send me messages", "do not send me any more texts",
    "no more texts", "no more messages please", "I don't want these messages", "I do not wish to receive sms",
    "reply stop", "STOP to end", "stop 2 end", "Reply STOP to unsubscribe", "Text STOP to opt out", "end", "END",
    "quit", "cancel", "Cancel please", "revoke", "remove", "Stop 🙏", "🛑 stop!!",
    "STOP!!! I never signed up for this", "Stop. Who is this?", "Hi, stop please. Thanks!",
    "Stop\nSent from my iPhone", "cancel texts", "stop alerts", "TD stop", "停止", "停止！", "请停止，谢谢", "推订",
    "推订谢谢", "回复推订", "tuiding", "Tui Ding", "TUIDING!", "🛑", "🛑🛑🛑", "🛑 谢谢", "別再發短訊給我",
    "请勿再发短讯",
]  # fmt: skip

# Clear, and never taken from anything less.
OPT_INS = [
    "start", "START", "Start please", "unstop", "UNSTOP!", "subscribe", "Subscribe me again", "resubscribe",
    "opt in", "opt-in", "OPTIN", "opt me back in", "start sending me messages again", "sign me up",
    "I want to subscribe", "please start again", "resume texts", "恢复订阅", "订阅", "重新订阅", "开通", "我要开通",
    "请恢复订阅，谢谢", "取消退订", "恢复接收", "继续发送", "开通短信", "继续接收短信",
]  # fmt: skip

# The same words and letters in other sentences, denials, and what else comes in.
NOTHING = [
    "R u there", "R u ok?", "r we still on?", "Don't stop", "dont stop", "please don't stop",
    "Don’t stop texting me", "never stop", "I can't stop laughing", "can't stop won't stop",
    "When does the bus stop", "which stop do I get off", "the bus stop", "No", "no", "Not now", "N/A", "nope", "ok",
    "OK thanks", "thank you", "Thanks!", "yes", "Y", "1", "0", "000", "00000", "hello", "Hi", "T-shirt size M",
    "T恤", "Td bank", "today", "tomorrow", "n95", "no problem", "Start the car", "Started", "starting tomorrow",
    "endless", "The end", "weekend", "at the end", "cancel my order", "cancel my appointment", "quitting", "Run",
    "Nike", "Tom", "Rose", "不要退订", "别退订", "我不退订", "我没有退订", "不想退订", "不用退订", "取消订单",
    "取消预约", "不要取消", "我要取消订单", "收到", "收到，谢谢", "好的", "谢谢", "谢谢你", "什么时候到", "几点",
    "在吗", "多少钱", "不要发货", "别发货了", "不开通", "订阅号是什么", "开通业务要多少钱", "验证码没收到",
    "没收到短信", "我要买", "已经到了", "你是谁", "哈哈", "😂", "", "  ", "...", "123456", "改到明天", "退货",
    "退款", "退票", "停车场在哪", "don't unsubscribe me", "I didn't unsubscribe", "the opt", "restart", "恢复",
    "no stop", "不要推订", "不要停止", "👍", "🙏谢谢",
]  # fmt: skip

# They smell of it: 发 is also to ship, a complaint is no opt-out, a letter beside other words may be a name.
UNSURE = [
    "别再发了", "不要再发了", "别发了", "怎么退订", "如何退订？", "已退订为什么还发", "我不是退订了吗", "退订失败",
    "退订会员", "再发就投诉", "我要投诉", "举报你们", "拉黑了", "烦死了", "滚", "不需要", "不要", "不要了",
    "不感兴趣", "发错了", "打错了", "我不认识你们", "号码换了", "你们怎么有我的电话", "how do I unsubscribe?",
    "How to stop this", "wrong number", "Wrong person", "not interested", "No thanks", "no thank you",
    "leave me alone", "go away", "this is spam", "SPAM", "scam", "who gave you my number", "stop by anytime",
    "stop at the shop please", "stopp", "stp",
    "I unsubscribed already, why are you still texting? unsubscribe did not work", "T. Smith", "R，我要买",
    "取消，改到明天", "stop. start", "退订 订阅", "cancel it", "cancel my subscription",
    "start, but only on weekends", "以后别发了", "请勿再发", "怎么推订", "停止，改到明天",
]  # fmt: skip


@pytest.mark.parametrize("text", OPT_OUTS)
def test_a_clear_opt_out_is_understood(text: str) -> None:
    assert wish_of(text) is Wish.OPT_OUT


@pytest.mark.parametrize("text", OPT_INS)
def test_opting_in_again_is_understood(text: str) -> None:
    assert wish_of(text) is Wish.OPT_IN


@pytest.mark.parametrize("text", NOTHING)
def test_what_asks_for_nothing_changes_nothing(text: str) -> None:
    assert wish_of(text) is Wish.NONE


@pytest.mark.parametrize("text", UNSURE)
def test_what_is_unclear_goes_to_a_person(text: str) -> None:
    assert wish_of(text) is Wish.UNSURE


def test_the_corpus_is_large_and_says_nothing_twice() -> None:
    every = [*OPT_OUTS, *OPT_INS, *NOTHING, *UNSURE]
    assert len(every) >= 150
    assert len(set(every)) == len(every)


OWN = own_words("Basta, 停, no more", "Ja, 继续")


@pytest.mark.parametrize(
    "text", ["basta", "BASTA!", "Ｂａｓｔａ", "basta please", "停", "停，谢谢", "No more.", "n-o more"]
)
def test_the_operators_own_words_opt_out_too(text: str) -> None:
    assert wish_of(text, OWN) is Wish.OPT_OUT
    assert wish_of(text) is not Wish.OPT_OUT


@pytest.mark.parametrize("text", ["ja", "Ja, thanks", "继续"])
def test_the_operators_own_words_opt_in_too(text: str) -> None:
    assert wish_of(text, OWN) is Wish.OPT_IN
    assert wish_of(text) is Wish.NONE


@pytest.mark.parametrize("text", ["basta with cheese", "停车", "jacket"])
def test_an_own_word_inside_another_is_none(text: str) -> None:
    assert wish_of(text, OWN) is Wish.NONE


def test_an_own_word_may_mean_the_opposite_of_a_known_one() -> None:
    assert wish_of("N", own_words("", "N")) is Wish.OPT_IN


@pytest.mark.parametrize(
    "text", ["stop " * 4000, "退订" * 5000, "please " * 3000 + "x", "r" * 20000, "不要再发" * 3000]
)
def test_a_long_reply_is_read_all_the_same(text: str) -> None:
    # The patterns take time in proportion to the text, of which only the beginning is read.
    assert wish_of(text) in Wish
