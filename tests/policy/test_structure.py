"""Links, contacts and the form of a text. What each form rule finds is beside the rule, in rules/form.toml."""

import pytest
from hypothesis import given, strategies as st

from cleartosend.model.verdicts import Decision, MessageType, Part, Submission
from cleartosend.policy.judge import judge
from cleartosend.policy.reach import contacts_in, links_in
from cleartosend.policy.rulebook import load_rulebook
from cleartosend.policy.structure import renumbered

RULEBOOK = load_rulebook()


def quoted(text: str, spans: list[tuple[int, int]]) -> list[str]:
    return [text[start:end] for start, end in spans]


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("详见https://www.example.com/a?b=1&c=2 。", ["https://www.example.com/a?b=1&c=2"]),
        ("详见HTTP://EXAMPLE.COM/A，谢谢", ["HTTP://EXAMPLE.COM/A"]),
        ("详见hxxp://example.com/b", ["hxxp://example.com/b"]),
        ("请打开www.example.cn查看", ["www.example.cn"]),
        ("猛戳t.cn/Ab12", ["t.cn/Ab12"]),
        ("see bit.ly/3xYz.", ["bit.ly/3xYz"]),
        ("see t.me/some", ["t.me/some"]),
        ("ｅｘａｍｐｌｅ．ｃｏｍ", ["ｅｘａｍｐｌｅ．ｃｏｍ"]),
        ("example。com/x", ["example。com/x"]),
        ("ex\u200bample.c\u200bom", ["ex\u200bample.c\u200bom"]),
        ("请打开example点com查看", ["example点com"]),
        ("example[.]com", ["example[.]com"]),
        ("http://203.0.113.7/x", ["http://203.0.113.7/x"]),
        ("203.0.113.7:8080", ["203.0.113.7:8080"]),
        ("weixin://dl/chat", ["weixin://dl/chat"]),
        ("a.example.com b.example.org", ["a.example.com", "b.example.org"]),
        ("ехаmрlе.com", ["ехаmрlе.com"]),  # Cyrillic look-alikes
    ],
)
def test_a_link_is_found_in_any_spelling(text: str, links: list[str]) -> None:
    assert quoted(text, links_in(text)) == links


@pytest.mark.parametrize(
    "text",
    [
        "共12.50元，约3.14倍",
        "版本1.2.3，内核5.10.0-8",
        "时间14:30，日期2026.11.22",
        "您好。请于10点到3号楼。谢谢",
        "Thanks.Your order is here. It is done.It was fast.",
        "文件report.pdf和a.docx",
        "someone@example.com",
        "地址192.168.1.1",
        "1/2，A/B，24/7",
        "上午9点common room",
        "e.g. this, i.e. that",
    ],
)
def test_what_no_telephone_makes_clickable_is_no_link(text: str) -> None:
    assert links_in(text) == []


@pytest.mark.parametrize(
    ("text", "contacts"),
    [
        ("请致电13800138000。", ["13800138000"]),
        ("138-0013-8000", ["138-0013-8000"]),
        ("1 3 8 0 0 1 3 8 0 0 0", ["1 3 8 0 0 1 3 8 0 0 0"]),
        ("+86 138 0013 8000", ["+86 138 0013 8000"]),
        ("１３８００１３８０００", ["１３８００１３８０００"]),
        ("①③⑧00138000", ["①③⑧00138000"]),
        ("壹叁捌零零壹叁捌零零零", ["壹叁捌零零壹叁捌零零零"]),
        ("1\u200b3800138000", ["1\u200b3800138000"]),
        ("0755-83765566", ["0755-83765566"]),
        ("(010)62345678", ["(010)62345678"]),
        ("400-670-0700", ["400-670-0700"]),
        ("4006700700", ["4006700700"]),
        ("拨打12345", ["12345"]),
        ("someone@example.com", ["someone@example.com"]),
        ("加V：abc_123", ["加V：abc_123"]),
        ("微信号 wxid123456", ["微信号 wxid123456"]),
        ("薇信abc12345", ["薇信abc12345"]),
        ("QQ：12345678", ["QQ：12345678"]),
        ("扣扣 12345678", ["扣扣 12345678"]),
    ],
)
def test_a_contact_is_found_in_any_digits(text: str, contacts: list[str]) -> None:
    assert quoted(text, contacts_in(text)) == contacts


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        "20261122001",  # an order number of eleven digits
        "751234567890",
        "SF1380013800012",
        "75123456789012",
        "2026-11-22 13:00",
        "12.50",
        "1380013800",
        "138****8000",
        "QQ登录验证码123456",
        "微信支付12345元",
        "一共三件，五折",
    ],
)
def test_a_number_that_is_not_a_telephone_number_is_no_contact(text: str) -> None:
    assert contacts_in(text) == []


def test_variables_are_renumbered_in_the_order_of_the_text() -> None:
    assert renumbered("{3}和{1}，${2}") == "{1}和{2}，${2}"


@given(st.text("w.cn/:hftpm点。a1 @-微信qq，{}\u200b３", max_size=40))
def test_spans_are_in_order_and_within_the_text(text: str) -> None:
    for spans in (links_in(text), contacts_in(text)):
        position = 0
        for start, end in spans:
            assert position <= start < end <= len(text)
            position = end


@pytest.mark.parametrize(
    ("name", "decision"),
    [
        ("人才网", Decision.REJECT),
        ("装饰公司", Decision.REJECT),
        ("施工队", Decision.REJECT),
        ("某某科技", Decision.REJECT),
        ("某平台", Decision.REJECT),
        ("XXX科技", Decision.REJECT),
        ("甲公司", Decision.REJECT),
        ("李四", Decision.REJECT),
        ("王五", Decision.REJECT),
        ("智联招聘", Decision.APPROVE),
        ("前程无忧", Decision.APPROVE),
        ("贝壳装饰", Decision.APPROVE),
        ("青禾科技", Decision.APPROVE),
        ("58同城", Decision.APPROVE),
        ("李小明", Decision.REFER),
    ],
)
def test_a_trade_or_a_placeholder_is_nobodys_name(name: str, decision: Decision) -> None:
    signature = Submission(text=name, type=MessageType.NOTIFICATION, part=Part.SIGNATURE)
    assert judge(signature, RULEBOOK).decision is decision
