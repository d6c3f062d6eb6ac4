"""A reviewer sees what was decided on texts like the one at hand, and what only looks different is not asked twice."""

import pytest
from review.test_review import Bench, of, reject, template
from usual import Clock, usual_account

from cleartosend.model.applications import ReviewMove, ReviewReason, ReviewState
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine
from cleartosend.review import desk
from cleartosend.review.desk import Folder
from cleartosend.review.precedents import gist, hashes_of

ORDER = "请核对：您的订单{1}已由{2}签收，如有疑问请联系客服。"


@pytest.fixture
async def bench(engine: Engine) -> Bench:
    return Bench(engine, await usual_account(engine), Clock())


async def applied(bench: Bench, text: str, type_: MessageType = MessageType.NOTIFICATION) -> Folder:
    return of(await bench.apply(template(text, type_)))


async def approved(bench: Bench, text: str) -> int:
    its = await applied(bench, text)
    assert await bench.decide(its, lambda tx, one: desk.approve(tx, one, by="mei", because="", now=1.0))
    return its.application.id


async def rejected(bench: Bench, text: str) -> int:
    its = await applied(bench, text)
    assert await bench.decide(
        its, lambda tx, one: reject(tx, one, by="mei", reason=ReviewReason.UNCLEAR, because="", now=1.0)
    )
    return its.application.id


async def test_what_was_decided_on_texts_like_it_stands_in_the_folder_the_most_alike_first(bench: Bench) -> None:
    close = await approved(bench, ORDER.replace("已由{2}签收", "由{2}代为签收"))
    closer = await rejected(bench, ORDER.replace("客服", "客服热线"))
    await approved(bench, "请核对：本馆将于周五闭馆，图书请提前归还。")
    found = (await applied(bench, ORDER)).precedents
    assert [(one.template.id, one.decision.move) for one in found] == [
        (closer, ReviewMove.REJECT),
        (close, ReviewMove.APPROVE),
    ]
    assert 0.5 <= found[1].alike < found[0].alike < 1


async def test_what_waits_itself_is_no_precedent(bench: Bench) -> None:
    await applied(bench, ORDER)
    assert (await applied(bench, ORDER.replace("签收", "代收"))).precedents == []


@pytest.mark.parametrize(
    "text",
    [
        "请核对： 您的订单{1}已由{2}签收。如有疑问，请联系客服！",
        "请核对:您的订单{1}已由{2}签收,如有疑问请联系客服.",
    ],
)
async def test_an_edit_of_punctuation_and_spacing_is_approved_as_the_first_was(bench: Bench, text: str) -> None:
    first = await approved(bench, ORDER)
    its = await applied(bench, text)
    assert its.application.state is ReviewState.APPROVED
    assert (its.history[-1].reason, its.history[-1].because) == ("same-as-approved", f"template {first}")


@pytest.mark.parametrize(
    "text",
    [
        ORDER.replace("{1}", "{3}").replace("{2}", "{1}").replace("{3}", "{2}"),
        ORDER.replace("请联系", "请勿联系"),
        ORDER.replace("客服", "客服13800138000"),
    ],
)
async def test_an_edit_of_meaning_is_looked_at_again(bench: Bench, text: str) -> None:
    await approved(bench, ORDER)
    assert (await applied(bench, text)).application.state is ReviewState.REFERRED


async def test_what_was_approved_as_another_type_or_for_another_account_is_looked_at_again(bench: Bench) -> None:
    await approved(bench, ORDER)
    other = Bench(bench.engine, await usual_account(bench.engine), Clock())
    assert (await applied(other, ORDER)).application.state is ReviewState.REFERRED
    its = await applied(bench, ORDER, MessageType.VERIFICATION)
    assert its.application.state is ReviewState.REFERRED


async def test_words_that_a_person_rejected_are_looked_at_again(bench: Bench) -> None:
    await approved(bench, ORDER)
    edited = ORDER.replace("，", ", ")
    await rejected(bench, edited)
    assert (await applied(bench, edited)).application.state is ReviewState.REFERRED


def test_a_text_without_words_is_like_no_other() -> None:
    assert gist("！？。") == ""
    assert not hashes_of(frozenset())
