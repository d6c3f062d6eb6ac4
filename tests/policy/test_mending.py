"""What is cut out of a text takes its marks and spaces with it, and what is left is suggested if it says something."""

import pytest

from cleartosend.model.verdicts import MessageType, Part, Submission
from cleartosend.policy.mending import applied, says_something
from cleartosend.policy.spots import Edit


@pytest.mark.parametrize(
    ("text", "cut", "left"),
    [
        ("您的订单已发货，速抢，请查收。", "速抢，", "您的订单已发货，请查收。"),
        ("您的订单已发货，速抢。", "速抢。", "您的订单已发货。"),
        ("您的订单已发货，速抢！请查收。", "速抢！", "您的订单已发货。请查收。"),
        ("您的订单已发货。全场八折！请查收。", "全场八折！", "您的订单已发货。请查收。"),
        ("您的订单已发货，全场八折。 拒收请回复R", "全场八折。", "您的订单已发货。拒收请回复R"),
        ("速抢！您的订单已发货。", "速抢", "您的订单已发货。"),
        ("您的订单（速抢）已发货。", "速抢", "您的订单已发货。"),
        ("您的订单已发货，★。", "★", "您的订单已发货。"),
        ("Shop now! Your order has shipped.", "Shop now!", "Your order has shipped."),
        ("Your order has shipped. Big sale! Track it.", " Big sale!", "Your order has shipped. Track it."),
        ("Your order ★ has shipped.", "★", "Your order has shipped."),
        ("Your order has shipped, shop now.", " shop now.", "Your order has shipped."),
        ("全场八折。", "全场八折。", ""),
    ],
)
def test_no_mark_is_left_without_its_words(text: str, cut: str, left: str) -> None:
    start = text.index(cut)
    assert applied([Edit(start, start + len(cut), "")], text) == left


def test_of_edits_that_overlap_the_one_that_reaches_furthest_is_made() -> None:
    assert (
        applied([Edit(2, 4, "x"), Edit(0, 3, ""), Edit(0, 6, ""), Edit(8, 9, "丙")], "甲甲甲甲甲甲乙乙丁") == "乙乙丙"
    )


@pytest.mark.parametrize(
    ("text", "worth_sending"),
    [
        ("您的订单{1}已发货。", True),
        ("尊敬的会员，您的生日月已到。拒收请回复R", True),
        ("Your code is {1}", True),
        ("尊敬的会员， 拒收请回复R", False),
        ("尊敬的用户{1}您好，感谢您的支持！", False),
        ("亲爱的家长，祝您生活愉快，拒收请回复R", False),
        ("Dear customer {1}, thank you for your support. Reply STOP to unsubscribe", False),
        ("Hi {1}, ok", False),
        ("Reply R to unsubscribe", False),
        ("亲爱的会员，回复TD退订", False),
        ("{1}{2}", False),
        ("", False),
    ],
)
def test_greetings_thanks_and_endings_say_nothing(text: str, worth_sending: bool) -> None:  # noqa: FBT001
    assert says_something(Submission(text=text, type=MessageType.MARKETING)) is worth_sending


def test_of_a_signature_any_name_that_is_left_is_worth_suggesting() -> None:
    assert says_something(Submission(text="青禾", type=MessageType.NOTIFICATION, part=Part.SIGNATURE))
    assert not says_something(Submission(text=" ", type=MessageType.NOTIFICATION, part=Part.SIGNATURE))
