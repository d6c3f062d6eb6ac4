"""Some of people's decisions are put before another reviewer, who does not see what was decided."""

from collections import Counter

import msgspec
import pytest
from review.test_review import DOUBTFUL, Bench, of, reject, template
from sqlalchemy import Connection
from usual import Clock, usual_account

from cleartosend.model.applications import (
    Opinion,
    ReviewEvent,
    ReviewMove,
    ReviewReason,
    ReviewState,
    Signature,
    Stance,
    Template,
)
from cleartosend.ports import Engine
from cleartosend.review import desk, second
from cleartosend.review.desk import Folder
from cleartosend.review.figures import LEAST_PAIRS_FOR_KAPPA, Figures, figures


@pytest.fixture
async def bench(engine: Engine) -> Bench:
    return Bench(engine, await usual_account(engine), Clock())


async def decided(
    bench: Bench, text: str = DOUBTFUL, *, good: bool = True, percent: float = 100, at: float = 5.0
) -> Folder:
    """Mei has decided on a template that waited."""
    its = of(await bench.apply(template(text)))

    def decide(tx: Connection, one: Signature | Template) -> ReviewEvent | None:
        if good:
            return desk.approve(tx, one, by="mei", because="", now=at, second_opinion_percent=percent)
        return reject(
            tx, one, by="mei", reason=ReviewReason.UNCLEAR, because="", now=at, second_opinion_percent=percent
        )

    assert await bench.decide(its, decide)
    return await bench.folder(template(), its.application.id)


async def given(bench: Bench, folder: Folder, by: str, *, lets_pass: bool) -> Opinion | None:
    return await bench.engine.write(
        lambda tx: second.give(tx, folder.application, by=by, lets_pass=lets_pass, because="why", now=9.0)
    )


async def asked(bench: Bench, reviewer: str) -> list[int]:
    return [one.subject_id for one in await bench.engine.read(lambda tx: second.asked(tx, of=reviewer))]


async def disputed(bench: Bench) -> list[int]:
    return [one.subject_id for one in await bench.engine.read(second.disputed)]


async def counted(bench: Bench) -> Figures:
    return await bench.engine.read(lambda tx: figures(tx, since=2.0))


async def test_a_decision_is_put_before_everybody_but_who_made_it(bench: Bench) -> None:
    folder = await decided(bench)
    assert await asked(bench, "lan") == [folder.application.id]
    assert await asked(bench, "mei") == []
    assert await given(bench, folder, "mei", lets_pass=True) is None


async def test_a_share_of_decisions_is_put_before_another(bench: Bench) -> None:
    folder = await decided(bench, percent=0)
    assert await asked(bench, "lan") == []
    decision = folder.history[-1]

    def chosen(tx: Connection) -> Counter[bool]:
        return Counter(
            second.ask(tx, msgspec.structs.replace(decision, at=float(at)), percent=20) is not None
            for at in range(1000)
        )

    counts = await bench.engine.write(chosen)
    assert 150 < counts[True] < 250


async def test_who_is_asked_sees_the_application_as_it_was_before(bench: Bench) -> None:
    folder = desk.without_its_decision(await decided(bench, good=False))
    assert isinstance(folder.application, Template)
    assert (folder.application.state, folder.application.reply) == (ReviewState.REFERRED, "")
    assert [event.move for event in folder.history] == [ReviewMove.APPLY, ReviewMove.REFER]


@pytest.mark.parametrize("good", [True, False])
async def test_an_opinion_that_agrees_settles_it_and_moves_nothing(bench: Bench, good: bool) -> None:  # noqa: FBT001
    folder = await decided(bench, good=good)
    opinion = await given(bench, folder, "lan", lets_pass=good)
    assert opinion is not None
    assert (opinion.stance, opinion.lets_pass) == (Stance.AGREES, good)
    assert (await asked(bench, "tao"), await disputed(bench)) == ([], [])
    assert await bench.folder(template(), folder.application.id) == folder


async def test_an_opinion_against_it_waits_for_a_third(bench: Bench) -> None:
    folder = await decided(bench)
    opinion = await given(bench, folder, "lan", lets_pass=False)
    assert opinion is not None
    assert (opinion.stance, opinion.lets_pass) == (Stance.DISAGREES, False)
    assert await disputed(bench) == [folder.application.id]
    assert await given(bench, folder, "lan", lets_pass=True) is None
    assert await given(bench, folder, "tao", lets_pass=True)
    assert await disputed(bench) == []


async def test_another_decision_settles_a_dispute(bench: Bench) -> None:
    folder = await decided(bench)
    await given(bench, folder, "lan", lets_pass=False)
    assert await bench.decide(
        folder, lambda tx, one: reject(tx, one, by="boss", reason=ReviewReason.OTHER, because="", now=10.0)
    )
    assert await disputed(bench) == []
    assert await given(bench, folder, "tao", lets_pass=True) is None


async def test_agreement_counts_second_opinions(bench: Bench) -> None:
    for number, lets_pass in enumerate((True, True, False)):
        await given(bench, await decided(bench, f"请核对：第{number}号{{1}}。"), "lan", lets_pass=lets_pass)
    await decided(bench)
    its = await counted(bench)
    assert (its.asked, its.disputed, its.pairs, its.agreeing, its.kappa) == (4, 1, 3, 2, None)
    assert its.by_people == 4


async def test_kappa_is_told_where_there_are_enough_pairs(bench: Bench) -> None:
    folder = await decided(bench, percent=0)
    decision = folder.history[-1]

    def many(tx: Connection) -> None:
        for at in range(LEAST_PAIRS_FOR_KAPPA):
            move = ReviewMove.APPROVE if at % 2 else ReviewMove.REJECT
            second.ask(tx, msgspec.structs.replace(decision, at=10.0 + at, move=move), percent=100)
            assert second.give(tx, folder.application, by="lan", lets_pass=at % 2 == 1, because="", now=10.0 + at)

    await bench.engine.write(many)
    assert (await counted(bench)).kappa == pytest.approx(1.0)
