"""What a text is, whatever it was declared to be; none of these texts stands in cues.toml or rules/types.toml."""

from functools import cache

import pytest

from cleartosend.model.verdicts import MessageType, Nature, Part, Submission
from cleartosend.policy.judge import judge
from cleartosend.policy.nature import may_promote, read_nature
from cleartosend.policy.normalise import normalise
from cleartosend.policy.rulebook import Rulebook, load_rulebook

NOTIFICATIONS = [
    "【到件】您有一个包裹已放入小区东门快递柜，凭{1}取件，24小时内免费存放。",
    "您在本店购买的冰箱将于{1}上门安装，请保持电话畅通。",
    "尊敬的业主，因管道检修，{1}至{2}停水，请做好储水准备。",
    "您的借书将于{1}到期，请及时归还或续借。",
    "您本月用电{1}度，电费{2}元，请知悉。",
    "您尾号{1}的账户于{2}支出{3}元，余额{4}元。",
    "您预约的{1}门诊已确认，请提前半小时到院取号。",
    "您的外卖订单{1}由骑手{2}配送，预计{3}送达。",
    "您申请的居住证已制作完成，请携带身份证领取。",
    "航班{1}起飞时间调整为{2}，登机口{3}，给您带来不便敬请谅解。",
    "各位家长：学校定于{1}召开家长会，请准时参加。",
    "您的车辆{1}已完成保养，可到店取车，本次费用{2}元。",
    "您提交的报修单{1}已处理完毕，感谢您的反馈。",
    "排号{1}已到，请到2号窗口办理业务。",
    "您的会员等级已更新为{1}，有效期至{2}。",
    "您的订单{1}使用满减优惠后实付{2}元。",
    "您购买的打折商品不支持无理由退货，退货申请{1}已关闭。",
    "系统升级完成，您的账号密码已重置，请尽快登录修改。",
    "提醒：明天上午九点项目例会，地点三楼会议室。",
    "您的体检报告已出，请凭{1}到自助机打印。",
    "您已成功预订{1}两晚，入住时间{2}，订单号{3}。",
    "您的退款{1}元已原路退回，预计3个工作日到账。",
    "台风预警：今晚到明天有暴雨，请减少外出。",
    "请假申请{1}已由{2}审批通过。",
    "您报名的讲座因场地原因改期至{1}，请知悉。",
    "图书馆公告：{1}闭馆一天，还书期限顺延。",
    "快件{1}因地址不详未能派送，请联系派送员{2}。",
    "您的发票已开具，金额{1}元，请登录邮箱查收。",
    "您的投诉{1}已受理，我们将在3个工作日内回复。",
    "您的礼品卡订单{1}已发货，运单号{2}。",
    "防诈提醒：凡以免费领取礼品为由索要密码的都是诈骗，请勿轻信。",
    "您预订的门票{1}张，取票码{2}，请于{3}前取票。",
    "因门店装修，您预约的课程改至{1}，地点不变。",
    "您的水表读数已更新，本期用水{1}吨。",
    "您委托寄送的花束已由{1}签收，感谢您的惠顾。",
    "值班安排：{1}由{2}值班，请按时到岗。",
    "贵司提交的资质材料已通过审核，请登录系统查看。",
    "您的积分余额{1}分，将于{2}过期。",
    "健身房公告：器械区本周六维护，暂停开放一天。",
    "您好，维修师傅{1}将于{2}上门，电话{3}。",
    "您的购物车商品{1}因缺货取消，款项已退回。",
    "感谢您的光临，本次消费{1}元，会员卡余额{2}元。",
    "停车场临时关闭，已购月卡顺延{1}天。",
    "您租用的设备{1}押金已退回，请查收。",
    "投票提醒：业主大会表决将于{1}截止。",
    "Your package {1} is waiting at the front desk.",
    "Your electricity bill for March is {1}, due on {2}.",
    "Dr. Lee's office: your appointment is on {1} at {2}. Reply C to confirm.",
    "Your table at {1} is reserved for 7 pm.",
    "Flight {1} is delayed by 40 minutes. New gate: {2}.",
    "We received your return. A refund of ${1} is on its way.",
    "Your password was changed on {1}. If this was not you, contact us.",
    "School notice: classes are cancelled tomorrow because of snow.",
    "Your prescription is ready for pickup at {1}.",
    "A payment of $30 was made with your card ending {1}.",
    "Your library book is due on {1}.",
    "Planned maintenance: the service is unavailable from {1} to {2}.",
    "Your repair {1} is finished. Please bring your ticket.",
    "Meeting moved to {1}, room 4.",
    "Your ride is here. Plate {1}.",
    "Your application {1} has been approved. Please bring your ID.",
    "Water supply will be interrupted on {1} from 9 to 12.",
    "Your sale of item {1} is confirmed; ship it by {2}.",
    "Your order {1} was cancelled and the discount code restored.",
    "Your membership card {1} will expire on {2}.",
    "Dear parent, the bus is 15 minutes late today.",
    "Your test results are available in the portal.",
    "Reminder: rent of {1} is due on {2}.",
    "You have used 80% of your data. It renews on {1}.",
    "Your deal with agent {1} has been signed. The documents are in your account.",
    "Your job offer interview slot was cancelled.",
    "Your new card has been mailed to you.",
    "Your gift was delivered to {1} today.",
    "The free parking area is closed tomorrow because of road works.",
    "Your claim {1} is under review.",
]

# Words of promotions stand in them, and promote nothing.
PROMOTING_NOTHING = [
    "校讯通：各位家长，五一将至，孩子们明天起放假，愿大家假期愉快。",
    "全体员工：放假安排见公告，祝各位中秋团圆。",
    "中心医院骨科专家号改为提前三天预约，请知悉。",
    "您本月消费{1}元，余额{2}元，登录网上营业厅可查询优惠信息。",
    "您的流量剩余{1}MB，查询请发送CXLL到10086。",
    "Your free trial ends tonight. To continue using it, send KEEP to 3030. To stop receiving tips, send STOP.",
    'Ada has her birthday today. Reply 1 to send her "Happy birthday!".',
    "Text YES to 70707 to confirm your appointment on {1}.",
]

VERIFICATIONS = [
    "您的登录校验码：{1}，切勿告诉他人。",
    "动态码{1}，用于修改支付密码，10分钟内有效。",
    "{1}（注册验证码），请在页面中填写。",
    "您正在绑定新手机，验证码{1}，如非本人操作请联系客服。",
    "验证码：{1}。您正在领取会员礼品，请勿转告他人。",
    "您的支付验证码为{1}，订单金额{2}元。",
    "短信验证码{1}，工作人员不会向您索要，请勿泄露。",
    "您正在参加抽奖活动的身份核验，验证码{1}。",
    "Use code {1} to sign in to your account.",
    "{1} is your verification code. Do not share it.",
    "Your one-time password is {1}. It is valid for {2} minutes.",
    "Your OTP for the order is {1}.",
    "Security code: {1}. We will never ask for it.",
]

PROMOTIONS = [
    "尊敬的会员，本店冬装全线6折，另有精美围巾相赠，快来选购吧！拒收请回复R",
    "亲爱的老客户，我们的春季新品已经上架，欢迎到店试穿。拒收请回复R",
    "会员您好，本周六会员日全场双倍积分，不见不散。拒收请回复R",
    "尊敬的{1}，值此中秋佳节，祝您和家人团圆美满。拒收请回复R",
    "会员福利：咖啡第二杯半价，仅限本周。拒收请回复R",
    "年终清仓，羽绒服低至99元，数量有限，先到先得。拒收请回复R",
    "感谢您多年来的支持，周年庆期间老顾客到店即送鲜花一束。拒收请回复R",
    "亲爱的会员，您的生日月可享蛋糕八折优惠。拒收请回复R",
    "敬请光临本店新品发布会，届时有神秘大礼。拒收请回复R",
    "暑期特惠！亲子套餐买二送一。拒收请回复R",
    "本店推出全新下午茶套餐，欢迎品尝，优惠价68元。拒收请回复R",
    "尊贵的会员，一年一度的品牌狂欢开始了，满300减60。拒收请回复R",
    "元宵节快乐！凡到店消费的会员可获赠汤圆一份。拒收请回复R",
    "秋冬新款已到柜，会员尊享85折。拒收请回复R",
    "我们为您准备了专属礼包，快去领取吧！拒收请回复R",
    "扫地机器人直降500，今晚八点开抢。拒收请回复R",
    "端午安康！粽子礼盒预售中，会员立减20元。拒收请回复R",
    "新馆落成，诚邀会员体验全新泳池。拒收请回复R",
    "Dear member, enjoy 25% off all sneakers until Sunday. Reply STOP to unsubscribe",
    "Members only: early access to our autumn sale starts now. Reply STOP to unsubscribe",
    "Happy birthday, {1}! A free coffee is waiting for you. Reply STOP to unsubscribe",
    "New collection just dropped. Shop now at our store. Reply STOP to unsubscribe",
    "Buy two, get one free this weekend only. Reply STOP to unsubscribe",
    "Join us for wine tasting on Friday, exclusive to loyal customers. Reply STOP to unsubscribe",
    "Last chance: our clearance ends tonight. Reply STOP to unsubscribe",
    "Come visit our new showroom and get a special gift. Reply STOP to unsubscribe",
    "Season's greetings from all of us. Thank you for your support. Reply STOP to unsubscribe",
    "Your loyalty deserves a reward: $10 off your next visit. Reply STOP to unsubscribe",
    "Try our new menu today, desserts half price. Reply STOP to unsubscribe",
    "Flash sale! Headphones from $19. Reply STOP to unsubscribe",
    "各位家长，文具节开始，书包全场五折，祝大家购物愉快。拒收请回复R",
    "尊敬的会员，推荐您开通畅听包，回复1开通立即生效。拒收请回复R",
    "亲爱的会员，秋冬现货到店，欢迎来店试穿。拒收请回复R",
    "这款保温杯值得您拥有，品质值得信赖。拒收请回复R",
    "Text TUNE to 80800 for this week's ringtones. Reply STOP to unsubscribe",
]

PROMOTIONS_IN_NOTICES = [
    "您的包裹已签收。本周全场满199减30，欢迎再次选购！",
    "您预约的理发时间为{1}，办会员卡立享五折。",
    "缴费成功，金额{1}元。推荐好友即送50元话费，快来参加！",
    "您的车已洗好，请取车。新客户首次打蜡特价68元，限时抢购。",
    "退款已到账。双十二狂欢来袭，红包雨等您来抢！",
    "您的体检报告已出。现购买口腔套餐享8折优惠，先到先得。",
    "取餐码{1}。奶茶买一送一，活动仅限今日。",
    "会议改至{1}召开，会后诚邀各位莅临新品品鉴会，好礼相送。",
    "您的快递在驿站，取件码{1}。进店有礼，欢迎选购零食。",
    "Your order {1} has shipped. Shop now for 30% off new arrivals!",
    "Your appointment is confirmed for {1}. Don't miss our facial special: buy one get one free.",
    "Payment received, thank you. Hurry, our summer sale ends tomorrow!",
    "Your parcel was delivered. Save 15% on your next purchase with code BACK15.",
    "Your car is ready for collection. Special offer: free gift with every oil change this month.",
]


def submission(text: str, declared: MessageType = MessageType.NOTIFICATION, part: Part = Part.TEMPLATE) -> Submission:
    return Submission(text=text, type=declared, part=part)


def nature_of(text: str) -> Nature:
    return read_nature(normalise(text)).nature


@cache
def rulebook() -> Rulebook:
    return load_rulebook()


def rules_found(text: str, declared: MessageType) -> set[str]:
    return {finding.rule for finding in judge(submission(text, declared), rulebook()).findings}


@pytest.mark.parametrize("text", NOTIFICATIONS)
def test_a_plain_notice_is_a_notification(text: str) -> None:
    assert nature_of(text) in {Nature.NOTIFICATION, Nature.UNCLEAR}


@pytest.mark.parametrize("text", PROMOTING_NOTHING)
def test_words_of_promotions_do_not_make_one_of_a_notice(text: str) -> None:
    assert nature_of(text) is not Nature.MARKETING
    assert not {rule for rule in rules_found(text, MessageType.NOTIFICATION) if "promotion" in rule}


@pytest.mark.parametrize("text", VERIFICATIONS)
def test_a_code_to_enter_is_a_verification(text: str) -> None:
    assert nature_of(text) is Nature.VERIFICATION


@pytest.mark.parametrize("text", PROMOTIONS)
def test_what_promotes_is_marketing(text: str) -> None:
    assert nature_of(text) is Nature.MARKETING


@pytest.mark.parametrize("text", PROMOTIONS_IN_NOTICES)
def test_a_promotion_behind_a_notice_makes_it_marketing(text: str) -> None:
    assert nature_of(text) is Nature.MARKETING


@pytest.mark.parametrize("text", PROMOTIONS_IN_NOTICES)
def test_a_promotion_declared_as_a_notification_is_refused_with_the_words_that_show_it(text: str) -> None:
    findings = judge(submission(text), rulebook()).findings
    quotes = [finding.quote for finding in findings if finding.rule == "promotion-declared-as-notification"]
    assert quotes
    assert all(quote and quote in text for quote in quotes)


def test_the_same_text_declared_as_marketing_is_no_mismatch() -> None:
    for text in PROMOTIONS:
        assert "promotion-declared-as-notification" in rules_found(text, MessageType.NOTIFICATION)
        assert "promotion-declared-as-verification" in rules_found(text, MessageType.VERIFICATION)
        assert not {rule for rule in rules_found(text, MessageType.MARKETING) if rule.startswith("promotion-declared")}


def test_a_notification_declared_as_marketing_is_left_alone() -> None:
    for text in NOTIFICATIONS:
        found = rules_found(text, MessageType.MARKETING)
        assert "promotion-declared-as-notification" not in found
        if read_nature(normalise(text)).tells_a_fact:
            assert "marketing-not-addressed-to-members" not in found


def test_marketing_is_not_taken_for_a_notice_because_of_one_word_of_notices() -> None:
    for text in ("长期收购旧书，欢迎通知亲友。", "Bags of all sizes, fast delivery."):
        assert "marketing-not-addressed-to-members" in rules_found(text, MessageType.MARKETING)


def test_a_promoting_word_within_a_fact_is_seen_by_a_person() -> None:
    found = rules_found("您使用的满减券已退回账户。", MessageType.NOTIFICATION)
    assert "may-be-a-promotion" in found
    assert "promotion-declared-as-notification" not in found


def test_a_message_of_such_a_template_goes_out_unless_a_value_promotes() -> None:
    start = len("您使用的满减券已退回账户，订单")

    def judged(value: str) -> set[str]:
        text = f"您使用的满减券已退回账户，订单{value}已取消。"
        span = (start, start + len(value))
        sent = Submission(text=text, type=MessageType.NOTIFICATION, part=Part.MESSAGE, values=(span,))
        return {finding.rule for finding in judge(sent, rulebook()).findings}

    assert judged("夏季薄款睡衣两件套") == set()
    assert judged("全场五折，快来抢购") == {"promotion-declared-as-notification"}


def test_a_code_with_its_use_beside_it_is_a_verification() -> None:
    for text in (
        "Your OTP for the transaction of $120.00 is {1}. Do not share it.",
        "Enter {1} to confirm your new number. The code expires soon.",
    ):
        assert "not-a-verification" not in rules_found(text, MessageType.VERIFICATION)


def test_a_notice_declared_as_a_verification_is_refused() -> None:
    assert "not-a-verification" in rules_found("您的包裹已由前台代收，请及时领取。", MessageType.VERIFICATION)
    assert "not-a-verification" in rules_found("Your appointment is on {1} at {2}.", MessageType.VERIFICATION)


def test_a_verification_is_never_called_a_notice() -> None:
    for text in VERIFICATIONS:
        assert "not-a-verification" not in rules_found(text, MessageType.VERIFICATION)


def test_a_promotion_for_nobody_in_particular_is_referred() -> None:
    assert "marketing-not-addressed-to-members" in rules_found("全场半价，快来选购。拒收请回复R", MessageType.MARKETING)
    assert "marketing-not-addressed-to-members" not in rules_found(
        "尊敬的会员，全场半价，快来选购。拒收请回复R", MessageType.MARKETING
    )


@pytest.mark.parametrize(
    "text",
    [
        "优 惠 大 酬 宾，全 场 清 仓",
        "全場五折起，歡迎選購",
        "全场５折起，欢迎选购",
        "限\u200b时抢\u200b购",
        "S H O P N O W, 30% off",
    ],
)
def test_a_promotion_in_disguise_is_read_all_the_same(text: str) -> None:
    assert nature_of(text) is Nature.MARKETING


def test_the_words_that_show_it_are_given_in_the_text_as_written() -> None:
    text = "【通知】全\u200b场五折起，歡迎選購"
    reading = read_nature(normalise(text))
    assert [text[start:end] for start, end in reading.spans] == ["全\u200b场五折起", "歡迎選購"]


@pytest.mark.parametrize(
    "text",
    [
        "请勿错过全场五折，欢迎选购",
        "不要错过本次特价优惠",
        "Do not miss our sale",
        "Never miss our great offers again, shop now",
    ],
)
def test_telling_people_not_to_miss_it_is_no_excuse(text: str) -> None:
    assert nature_of(text) is Nature.MARKETING


@pytest.mark.parametrize(
    "text",
    [
        "谨防冒充商家以优惠返现为名的诈骗，请勿转账。",
        "本通知不是促销短信，请您放心查看工单{1}。",
        "我们不会以赠送礼品为由向您索要密码。",
        "Beware of messages that promise a free gift.",
        "This is not a promotion: your report {1} is ready.",
        "Ignore any text about a prize or discount; it is a scam.",
    ],
)
def test_a_warning_of_promotions_promotes_nothing(text: str) -> None:
    assert nature_of(text) is not Nature.MARKETING


@pytest.mark.parametrize("text", ["", "{1}", "你好", "Hello there", "。。。", "12345"])
def test_a_text_that_shows_nothing_is_unclear(text: str) -> None:
    assert nature_of(text) is Nature.UNCLEAR


def test_what_was_declared_plays_no_part_in_what_a_text_is() -> None:
    rulebook = load_rulebook()
    for text in [*NOTIFICATIONS[:5], *VERIFICATIONS[:5], *PROMOTIONS[:5]]:
        natures = {judge(submission(text, declared), rulebook).nature for declared in MessageType}
        assert len(natures) == 1


@pytest.mark.parametrize(
    "text",
    [
        "办公桌椅每套360元，款式多样。",
        "地板划痕太多吗？半天就能磨平。",
        "Leaking roof? One visit and it is dry.",
        "Any bouquet $15.",
    ],
)
def test_words_usual_in_promotions_and_no_fact_beside_them_raise_a_doubt(text: str) -> None:
    found = rules_found(text, MessageType.NOTIFICATION)
    assert found & {"may-be-a-promotion", "promotion-declared-as-notification"}


@pytest.mark.parametrize(
    "text",
    [
        "您本次停车费用15元，已从余额扣除。",
        "订单{1}已退款36元，请注意查收。",
        "如需帮助请联系客服{1}。",
        "Your fare was $12.40. Thank you for riding.",
        "Did you just sign in from a new phone? If not, change your password.",
    ],
)
def test_a_price_or_a_question_beside_a_fact_raises_none(text: str) -> None:
    assert "may-be-a-promotion" not in rules_found(text, MessageType.NOTIFICATION)


@pytest.mark.parametrize("text", ["高端红木手串，支持定制。拒收请回复R", "We print flyers and posters. 拒收请回复R"])
def test_marketing_that_shows_neither_a_fact_nor_members_is_referred(text: str) -> None:
    assert "marketing-not-addressed-to-members" in rules_found(text, MessageType.MARKETING)


@pytest.mark.parametrize(
    "text",
    [
        "您的VIP会员有效期至{1}，感谢您的支持。",
        "您参与的团购已成团，商家将于{1}发货。",
        "Your VIP membership is valid until {1}. Thank you for your support.",
        "Price drop alerts were switched off.",
    ],
)
def test_thanks_and_trade_words_in_a_notice_are_no_promotion(text: str) -> None:
    assert nature_of(text) is not Nature.MARKETING


@pytest.mark.parametrize("value", ["8841", "3", "2026-11-22 10:30", "顺丰", "王小明", "A座", "FedEx", "12.50", ""])
def test_an_ordinary_value_promotes_nothing(value: str) -> None:
    assert not may_promote(value)


@pytest.mark.parametrize("value", ["五折", "半价秒杀", "大促", "已发货，欢迎再次选购", "half price today"])
def test_a_value_that_promotes_or_could_hold_a_sentence_is_read_with_its_message(value: str) -> None:
    assert may_promote(value)


def test_a_promotion_brought_by_a_value_is_read_in_its_message() -> None:
    text = "您的订单已发货，全场五折，快来抢购，请注意查收。"
    value = "已发货，全场五折，快来抢购"
    start = text.index(value)
    message = Submission(
        text=text, type=MessageType.NOTIFICATION, part=Part.MESSAGE, values=((start, start + len(value)),)
    )
    assert "promotion-declared-as-notification" in {finding.rule for finding in judge(message, rulebook()).findings}
