"""Judges the form of a signature: its length and characters, and whether it names anybody."""

import re
from collections.abc import Iterator

from cleartosend.policy.spots import Spot, replaced
from cleartosend.policy.view import Check, View

SIGNATURE_LENGTH = (2, 12)
"""Least and most characters, brackets apart; abroad it is SIGNATURE_LENGTH_ABROAD."""
SIGNATURE_LENGTH_ABROAD = (2, 15)
_SIGNATURE_BRACKETS = re.compile(r"[【】\[\]［］〔〕〖〗]")
_NOT_OF_A_SIGNATURE = re.compile(r"[^\u3400-\u9fffA-Za-z0-9【】\[\]［］〔〕〖〗]")
_NOT_OF_A_SIGNATURE_ABROAD = re.compile(
    r"[\x00-\x1f\x7f<>{}|\\^~\u2000-\u206f\u2500-\u2bff\ufe00-\ufe0f\U0001f000-\U000fffff]"
)

# A name made of nothing but these says nothing about who sends.
_NEUTRAL_WORDS = (
    "会议 通知 提醒 提示 公告 测试 试用 验证码 验证 校验 客服 客户 服务 公司 有限公司 平台 系统 官方 官网 短信"
    " 消息 信息 优惠 活动 商城 网站 中心 用户 会员 登录 注册 订单 物流 快递 企业 集团 店铺 商家 商店 门店 本店"
    " 我们 我的 学校 医院 部门 单位 个人 姓名 签名 模板 你好 您好 温馨 重要 紧急 最新 专用 管理 助手 小助手 示例"
    " 样例 名称 应用 网址 促销 特价 福利 营销 推广 预约 tests? testing demo sample notifications? notice notify"
    " info information messages? sms verification verify codes? otp admin service customer support system official"
    " 某{1,2} x{2,} [甲乙丙丁]公司 张三 李四 王五 赵六 网 网站 队 团队 招聘 求职 人才 人力 人力资源 劳务"
    " 装修 装饰 家装 施工 工程 建材 房产 中介 家政 保洁 搬家 维修 美容 美发 餐饮 超市 药店 诊所 培训 教育"
    " 科技 网络 传媒 广告 贸易 电商 旅游 旅行社 物业 保险 理财 examples? someone recruitment recruiting hiring"
    " john.?doe jane.?doe"
    " company shop store app hello welcome alerts? reminder promo promotion offer sale user member login abc abcd"
    " abcde asdf? qwer qwert qwerty xyz foo bar name sign signature"
)
_NEUTRAL = re.compile(rf"(?:{'|'.join(sorted(_NEUTRAL_WORDS.split(), key=len, reverse=True))}|[\d\s])+")
_REPEATED = re.compile(r"(?:([a-z])\1++)+|(.)\2\2+")
_LONGEST_NAME_LOOKED_AT = 40  # far longer than a signature may be
_ALSO_A_BRAND = frozenset({"qq", "快递100"})

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢"
    "姚沈钟姜崔谭陆范汪廖石贾夏付方邹熊孟秦邱侯江尹薛闫雷黎史陶贺毛郝顾龚邵覃武钱戴严莫孔"
)
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰梅红玲建国文辉力俊峰琴燕萍波斌鹏飞浩宇轩梓涵欣怡"
    "佳雪婷慧莹倩雯琪颖洁瑶璐晨曦阳博瑞泽昊然志永春庆凯龙帅亮东林海鑫旭健淑珍凤莲云霖思彤诗雨嘉豪子小晓晶"
    "蕾薇宁彬兵勤爱民卫松柏青立成荣清翔"
)
_PERSON = re.compile(rf"[{_SURNAMES}](?:[{_GIVEN}]{{1,2}}|(?:先生|女士|小姐|老师|总|经理|老板|医生))")


def _signature_length(view: View) -> Iterator[Spot]:
    least, most = SIGNATURE_LENGTH_ABROAD if view.submission.international else SIGNATURE_LENGTH
    if not least <= len(_SIGNATURE_BRACKETS.sub("", view.text).strip()) <= most:
        yield Spot(0, len(view.text))


def _signature_brackets(view: View) -> Iterator[Spot]:
    for found in _SIGNATURE_BRACKETS.finditer(view.text):
        yield replaced(found, "")


def _signature_characters(view: View) -> Iterator[Spot]:
    wrong = _NOT_OF_A_SIGNATURE_ABROAD if view.submission.international else _NOT_OF_A_SIGNATURE
    for found in wrong.finditer(view.text):
        yield replaced(found, "")


def _name_alone(view: View) -> str:
    return _SIGNATURE_BRACKETS.sub("", view.normalised.text).strip()


def _neutral_signature(view: View) -> Iterator[Spot]:
    name = _name_alone(view)
    if len(name) > _LONGEST_NAME_LOOKED_AT:
        return
    if name not in _ALSO_A_BRAND and (_NEUTRAL.fullmatch(name) or _REPEATED.fullmatch(name)):
        yield Spot(0, len(view.text))


def _personal_name(view: View) -> Iterator[Spot]:
    if _PERSON.fullmatch(_name_alone(view)):
        yield Spot(0, len(view.text))


CHECKS: dict[str, Check] = {
    "signature-length": _signature_length,
    "signature-brackets": _signature_brackets,
    "signature-characters": _signature_characters,
    "neutral-signature": _neutral_signature,
    "personal-name": _personal_name,
}
