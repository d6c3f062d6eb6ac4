"""What is counted of reviews is what happened in them."""

import pytest
from review.test_review import BAD, DOUBTFUL, GOOD, Bench, of, reject, template
from usual import NOON_IN_BEIJING, Clock, usual_account

from cleartosend.model.applications import ReviewReason
from cleartosend.ports import Engine
from cleartosend.review import desk
from cleartosend.review.figures import Figures, RuleFigures, figures

HOUR = 3600.0


@pytest.fixture
async def bench(engine: Engine) -> Bench:
    return Bench(engine, await usual_account(engine), Clock())


async def counted(bench: Bench, since: float = 2.0) -> Figures:
    """Since after the usual account was made."""
    return await bench.engine.read(lambda tx: figures(tx, since=since))


async def decided(bench: Bench, text: str, by: str, after: float, *, good: bool) -> None:
    its = of(await bench.apply(template(text)))
    at = its.history[-1].at + after
    if good:
        assert await bench.decide(its, lambda tx, one: desk.approve(tx, one, by=by, because="", now=at))
    else:
        assert await bench.decide(
            its, lambda tx, one: reject(tx, one, by=by, reason=ReviewReason.OTHER, because="", now=at)
        )


async def test_nothing_counts_before_anything_happened(bench: Bench) -> None:
    its = await counted(bench)
    assert (its.by_machine, its.by_people, its.waits, its.pairs, its.rules) == (0, 0, 0, 0, [])
    assert its.median_wait_seconds is None


async def test_decisions_of_the_machine_and_of_people_are_told_apart(bench: Bench) -> None:
    for text in (GOOD, BAD):
        await bench.apply(template(text))
    await decided(bench, DOUBTFUL, "mei", HOUR, good=True)
    its = await counted(bench)
    assert (its.by_machine, its.by_people) == (2, 1)


async def test_waits_are_those_for_a_person(bench: Bench) -> None:
    await bench.apply(template(GOOD))
    for number in range(1, 21):
        await decided(bench, f"请核对：第{number}号{{1}}。", "mei", number * HOUR, good=True)
    its = await counted(bench)
    assert its.waits == 20
    assert its.median_wait_seconds == pytest.approx(10.5 * HOUR)
    assert its.p95_wait_seconds == pytest.approx(19.05 * HOUR)


async def test_a_rule_is_overturned_when_a_person_approves_what_it_found(bench: Bench) -> None:
    await decided(bench, "请核对：甲{1}。", "mei", HOUR, good=True)
    await decided(bench, "请核对：乙{1}。", "mei", HOUR, good=False)
    await bench.apply(template("请核对：丙{1}。"))
    assert (await counted(bench)).rules == [RuleFigures(rule="doubtful", found=3, decided=2, overturned=1)]


async def test_two_people_agree_when_they_decide_alike_on_one_text(bench: Bench) -> None:
    others = [Bench(bench.engine, await usual_account(bench.engine), Clock()) for _ in range(2)]
    await decided(bench, DOUBTFUL, "mei", HOUR, good=True)
    await decided(others[0], DOUBTFUL, "lan", HOUR, good=True)
    await decided(others[1], DOUBTFUL, "tao", HOUR, good=False)
    its = await counted(bench)
    assert (its.pairs, its.agreeing) == (3, 1)


async def test_what_is_older_is_not_counted(bench: Bench) -> None:
    await bench.apply(template(GOOD))
    assert (await counted(bench, since=NOON_IN_BEIJING + 1)).by_machine == 0
