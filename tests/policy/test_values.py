"""Values at send: honest ones pass, and none is a message, a link or a contact of its own."""

import pytest

from cleartosend.model.verdicts import Decision, MessageType, Part, Submission
from cleartosend.policy.judge import judge
from cleartosend.policy.rulebook import load_rulebook
from cleartosend.policy.values import Attribute, attribute_of, is_a_message

RULEBOOK = load_rulebook()


def filled_in(text: str, *values: str, type_: MessageType = MessageType.NOTIFICATION) -> Submission:
    """The message that a template and its values make."""
    spans = []
    for number, value in enumerate(values, start=1):
        before, _, after = text.partition(f"{{{number}}}")
        spans.append((len(before), len(before + value)))
        text = before + value + after
    return Submission(text=text, type=type_, part=Part.MESSAGE, values=tuple(spans))


def findings(text: str, *values: str, type_: MessageType = MessageType.NOTIFICATION) -> list[tuple[str, str]]:
    verdict = judge(filled_in(text, *values, type_=type_), RULEBOOK)
    return [(finding.rule, finding.quote) for finding in verdict.findings]


# A template, and what honestly fills it: fillings by line or by " | ", the values of one filling by "｜".
HONEST = {
    "尊敬的{1}，您的预约已登记。": """
        王芳 | 李小龙 | 欧阳娜娜 | 阿卜杜拉·买买提 | 司马相如 | 张先生 | 陈女士 | 刘总 | 王老师 | Wang Fang
        O'Connor | Jean-Luc Picard | Müller | 王* | 李** | 赵钱孙 | 代款 | 戴维 | 贾玲 | 钱多多 | 傅博 | 金利来
        裴佳欣 | 薇薇 | 魏新 | 卫欣 | 郑信 | 彭友泉 | 郝评 | 清风书店 | 深圳市某某科技有限公司 | 会员138****8000
        13800138000 | 用户8841 | 车主粤B12345 | 小区业主 | 三(2)班家长 | A座201住户
    """,
    "您的订单{1}已发货，请注意查收。": """
        20261122000123 | SF1234567890123 | JD-0088-2211 | NO.8841 | #8841 | E20261122A | 粤B·12345 | 沪2026第15号
        YT8812345678901 | 儿童安全座椅 | 《三体》等3本 | iPhone 17 Pro 256GB 黑色 | 实木餐桌（一桌六椅） | 3件商品
        红富士苹果5斤装 | 女士羊绒大衣 M码 | A4复印纸/5包 | Wi-Fi 6路由器 | 多肉植物 & 花盆
        2026款新能源车充电桩7kW | 米家扫地机器人 | 蓝牙耳机(白) | 儿童绘本《猜猜我有多爱你》 | 洗衣液2L*4
    """,
    "您本次消费{1}元，余额{2}元。": """
        35.80｜1,280.00 | 0.01｜0 | 128｜-35.5 | 1280.00｜3,456,789.10 | 约300｜98 | 100-200｜5 | 壹佰贰拾｜3万
        三百五十｜12.5 | 99.9｜**** | +50｜150
    """,
    "您应付金额{1}，请核对账单。": """
        35.80元 | ¥128.00 | ￥1,280 | $99.00 | HK$880 | 1280元整 | 人民币35元 | 3万元 | 免费 | 0 | USD 12.50
        两千元整
    """,
    "您的预约时间为{1}，请准时到场。": """
        明天上午9点 | 2026年11月22日14:30 | 11月22日（周日） | 2026-11-22 14:30 | 14:30-15:00 | 本周六下午
        春节后第一个工作日 | 11/22 | 下午三点半 | 今晚8点 | Nov 22, 2:30 pm | 2026.11.22 | 周一至周五9:00—18:00
        国庆期间 | 即日起 | 冬至
    """,
    "请于{1}分钟内到{2}取号。": """
        5｜3号窗口 | 15｜二楼服务台 | 三十｜东门 | 10-15｜A座大厅 | 约20｜B1层 | 30｜1号楼101 | 半｜自助机
        45｜门诊楼三层心内科
    """,
    "您的包裹已放至{1}，请及时领取。": """
        北京市海淀区中关村大街1号院3号楼2单元501室 | 菜鸟驿站（科苑南路店） | 丰巢柜8号格口 | 小区东门保安亭 | 前台
        家门口鞋柜上 | 广东省深圳市南山区科苑路15号科兴科学园B栋2101室 | 学校北门传达室 | 楼下便利店
        12 High Street, Flat 3, London SW1A 1AA | 上海虹桥火车站地下一层 | 物业服务中心 | 蜂巢快递柜A区 | 美院西门
        党校路营业点
    """,
    "您的申请未通过，原因：{1}。": """
        证件照片不清楚 | 身份证已过期，请重新上传 | 资料不全 | 姓名与证件不一致
        您填写的银行卡号有误，请核对后提交 | 超出受理范围 | 名额已满 | 照片反光 | 公章不清晰
        Please upload a clearer photo of your card
    """,
    "您报名的“{1}”将于{2}开始。": """
        谁的青春不迷茫？新生第一课｜周六9点 | 半程马拉松｜11月22日 | 亲子阅读会｜下午2点 | 请茶：宋人的一天｜14:30
        全国计算机等级考试｜3月 | Python入门｜周一 | 消防安全培训｜明天 | 我们的节日·中秋｜八月十五
        免费的午餐：经济学讲座｜周五 | 如何与你的孩子谈钱｜周日上午
    """,
    "Dear {1}, your order {2} has shipped.": """
        Anna｜A-1001 | Mr. and Mrs. van der Berg｜88-1 | José｜#12 | Dr. Who｜TARDIS 1 | John Smith Jr.｜B2B-7
        customer｜no. 5 | Mary Lowan｜C3PO | Joy Winner｜9 | D'Angelo｜X-99/2 | Li Wei｜20261122
    """,
    "Your table is booked for {1} at {2}.": """
        4｜7:30 pm | two｜noon | 6-8｜19:00 | a party of ten｜8 o'clock
    """,
    "设备{1}温度{2}，状态{3}。": """
        B2-3｜85℃｜异常 | 空压机1号｜-5°C｜停机 | UPS-A｜36.5℃｜正常 | 机房门禁｜25｜打开
    """,
    "来访提醒：{1}（{2}）在{3}等您。": """
        刘工｜电信维修｜大堂 | 快递员小李｜顺丰｜南门 | 张医生｜社区医院｜居委会 | 保险理赔员陈某｜人保｜停车场
    """,
}


def fillings() -> list[tuple[str, list[str]]]:
    """Each template with the values of one filling."""
    return [
        (text, filling.strip().split("｜"))
        for text, block in HONEST.items()
        for line in block.strip().splitlines()
        for filling in line.split(" | ")
    ]


@pytest.mark.parametrize(("text", "values"), fillings())
def test_an_honest_value_passes(text: str, values: list[str]) -> None:
    assert findings(text, *values) == []


@pytest.mark.parametrize("code", ["4370", "123456", "0000", "8-2-9913", "G-482913", "ab12cd"])
def test_a_code_in_the_form_of_a_code_passes(code: str) -> None:
    assert findings("您的验证码是{1}，5分钟内有效。", code, type_=MessageType.VERIFICATION) == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("您的订单{1}已发货。", ["快来领取，您有一份大礼"]),
        ("您的订单{1}已发货。", ["丢失请联系客服办理双倍理赔，勿告知他人"]),
        ("尊敬的{1}，您好。", ["客户，本店清仓，欢迎光临选购"]),
        ("您好，{1}。", ["您的账户有风险请立即登录核实"]),
        ("提醒：{1}，谢谢。", ["今晚开会。散会后请来我办公室"]),
        ("Hello {1}, see you.", ["there, call now to claim your free gift"]),
        ("Your order {1} has shipped.", ["is late. please contact us to get a refund"]),
    ],
)
def test_a_message_is_not_smuggled_through_one_value(text: str, values: list[str]) -> None:
    verdict = judge(filled_in(text, *values), RULEBOOK)
    assert verdict.decision is Decision.REJECT
    assert "message-in-a-value" in {finding.rule for finding in verdict.findings}


@pytest.mark.parametrize(
    ("text", "values", "rule"),
    [
        ("取件{1}，货架{2}。", ["无抵押贷", "款找小王"], "loan"),
        ("您好{1}和{2}，预约成功。", ["招聘兼", "职日结"], "recruitment"),
        ("单号{1}，备注{2}。", ["加微", "信号见面单"], "social-invite"),
        ("Hello {1} and {2}.", ["cash", "back on every order"], "rebate"),
    ],
)
def test_prohibited_words_are_not_split_over_two_values(text: str, values: list[str], rule: str) -> None:
    verdict = judge(filled_in(text, *values), RULEBOOK)
    assert verdict.decision is not Decision.APPROVE
    assert rule in {finding.category for finding in verdict.findings}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("请联系{1}转{2}。", ["1380013", "8000"]),
        ("查询码{1}{2}。", ["1380013", "8000"]),
        ("请致电{1}，工号{2}。", ["一三八零零", "一三八零零零"]),
        ("编号{1}，编号{2}。", ["www.abc", ".com/x"]),
        ("编号{1} {2}。", ["http:", "//abc.cn"]),
    ],
)
def test_a_link_or_a_number_is_not_split_over_values(text: str, values: list[str]) -> None:
    assert judge(filled_in(text, *values), RULEBOOK).decision is Decision.REJECT


def test_digits_of_two_values_that_stand_apart_are_not_read_as_one_number() -> None:
    assert findings("您的订单{1}共{2}件，预计{3}送达。", "1380013", "8000", "周二") == []
    assert findings("您应付{1}元，单号{2}，如有疑问请联系客服。", "135", "20261122") == []


@pytest.mark.parametrize("value", ["袋宽", "dai款", "代贝款", "贷 款"])
def test_a_disguise_in_a_value_is_undone(value: str) -> None:
    verdict = judge(filled_in("您好，无抵押{1}当天放款。", value), RULEBOOK)
    assert verdict.decision is Decision.REJECT


def test_what_is_disguised_in_the_fixed_text_of_a_message_was_judged_with_its_template() -> None:
    assert findings("您的魏心钱包收到{1}元。", "12.50") == []


@pytest.mark.parametrize(
    ("before", "after", "attribute"),
    [
        ("您的验证码为:", ",请勿泄露", Attribute.CODE),
        ("", "为您的登录验证码", Attribute.CODE),
        ("本次消费", "元", Attribute.AMOUNT),
        ("请于", "分钟内填写", Attribute.NUMBER),
        ("您的订单号", "已发货", Attribute.ORDER),
        ("尊敬的", ",您好", Attribute.NAME),
        ("", "同学,你的成绩", Attribute.NAME),
        ("送至", ",请查收", Attribute.ADDRESS),
        ("未通过,原因:", "", Attribute.REASON),
        ("物业通知:", "。", Attribute.LABELLED),
        ("您借阅的《", "》已到期", Attribute.TITLE),
        ("your code is ", ".", Attribute.CODE),
        ("请尽快参加", "会议", Attribute.FREE),
    ],
)
def test_what_a_variable_is_for_follows_from_the_words_around_it(before: str, after: str, attribute: Attribute) -> None:
    assert attribute_of(before, after) is attribute


def test_a_long_address_is_no_message_and_a_short_order_is_one() -> None:
    assert not is_a_message("广东省深圳市南山区粤海街道科苑路15号科兴科学园b栋3单元2101室前台转王芳女士")
    assert is_a_message("您有一笔款项请领取")
