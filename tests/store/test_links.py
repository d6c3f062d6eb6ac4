"""The links of templates are claimed when they are due, by one process at a time, and what was seen is kept."""

from functools import partial

import msgspec

from cleartosend.model.links import Agent, Sight, Visit
from cleartosend.ports import Engine
from cleartosend.store import links
from cleartosend.store.links import Check, Seen


async def claim(engine: Engine, now: float, *, limit: int = 10) -> list[Check]:
    return await engine.write(lambda tx: links.claim(tx, now=now, until=now + 60, limit=limit))


async def test_what_is_due_is_claimed_once_the_longest_due_first(engine: Engine) -> None:
    for template_id, due_at in ((1, 30.0), (2, 10.0), (3, 99.0)):
        await engine.write(partial(links.watch, template_id=template_id, due_at=due_at))
    assert [check.template_id for check in await claim(engine, 50.0)] == [2, 1]
    assert await claim(engine, 51.0) == []
    assert {check.template_id for check in await claim(engine, 111.0)} == {1, 2, 3}


async def test_a_plan_ends_the_claim_and_remembers_what_was_seen(engine: Engine) -> None:
    await engine.write(lambda tx: links.watch(tx, 1, due_at=1.0))
    [check] = await claim(engine, 1.0)
    assert check.seen is None
    seen = Seen(domains=(("http://a.example/", "a.example"),), rules=("link-is-shortened",))
    planned = msgspec.structs.replace(check, due_at=5.0, tries=2, trust=3, seen=seen)
    await engine.write(lambda tx: links.plan(tx, planned))
    assert await claim(engine, 4.0) == []
    assert await claim(engine, 5.0) == [planned]


async def test_a_template_that_changed_during_a_look_is_looked_at_again(engine: Engine) -> None:
    await engine.write(lambda tx: links.watch(tx, 1, due_at=1.0))
    [check] = await claim(engine, 1.0)
    await engine.write(lambda tx: links.watch(tx, 1, due_at=2.0))
    await engine.write(lambda tx: links.plan(tx, msgspec.structs.replace(check, due_at=1e6)))
    assert [check.due_at for check in await claim(engine, 2.0)] == [2.0]


async def test_a_hurried_look_is_due_now_and_one_that_is_due_stays_so(engine: Engine) -> None:
    await engine.write(lambda tx: links.watch(tx, 1, due_at=1e6))
    await engine.write(lambda tx: links.watch(tx, 2, due_at=3.0))
    for template_id in (1, 2):
        await engine.write(partial(links.hurry, template_id=template_id, now=7.0))
    assert [(check.template_id, check.due_at) for check in await claim(engine, 7.0)] == [(2, 3.0), (1, 7.0)]


async def test_claims_of_a_process_that_died_are_ended_and_unwatched_templates_are_forgotten(engine: Engine) -> None:
    for template_id in (1, 2):
        await engine.write(partial(links.watch, template_id=template_id, due_at=1.0))
    assert len(await claim(engine, 1.0)) == 2
    await engine.write(links.end_claims)
    await engine.write(lambda tx: links.unwatch(tx, 2))
    assert [check.template_id for check in await claim(engine, 1.0)] == [1]


async def test_visits_come_back_as_they_were_the_newest_first(engine: Engine) -> None:
    visits = [
        Visit(url="http://a.example/", agent=agent, at=at, sight=Sight.OPENED, status=200, chain=("http://a.example/",))
        for agent, at in ((Agent.PHONE, 1.0), (Agent.DESKTOP, 2.0))
    ]
    await engine.write(lambda tx: links.keep(tx, 4, visits))
    assert await engine.read(lambda tx: links.visits_of(tx, 4)) == visits[::-1]
    assert await engine.read(lambda tx: links.visits_of(tx, 4, limit=1)) == visits[1:]
    assert await engine.read(lambda tx: links.visits_of(tx, 5)) == []
