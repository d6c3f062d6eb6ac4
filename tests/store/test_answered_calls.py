"""A key is taken once, and what it was answered is there until it is forgotten."""

from sqlalchemy import Connection

from cleartosend.ports import Engine
from cleartosend.store import answered_calls
from cleartosend.store.answered_calls import Answered

FIRST, SECOND, NEIGHBOURS = (1, "a"), (1, "b"), (2, "a")


async def test_a_key_is_taken_once_and_by_each_account(engine: Engine) -> None:
    def claim(tx: Connection, *keys: answered_calls.Key) -> set[answered_calls.Key]:
        return answered_calls.claim(tx, dict.fromkeys(keys, "fingerprint"), now=1.0)

    assert await engine.write(lambda tx: claim(tx, FIRST, NEIGHBOURS)) == {FIRST, NEIGHBOURS}
    assert await engine.write(lambda tx: claim(tx, FIRST, SECOND)) == {SECOND}


async def test_an_answer_is_kept_under_its_key(engine: Engine) -> None:
    def answer(tx: Connection) -> None:
        answered_calls.claim(tx, {FIRST: "one", SECOND: "two"}, now=1.0)
        answered_calls.answer(tx, {FIRST: "[1]", SECOND: "[2]"})

    await engine.write(answer)
    found = await engine.read(lambda tx: answered_calls.find(tx, [FIRST, NEIGHBOURS]))
    assert found == {FIRST: Answered("one", "[1]")}


async def test_old_answers_are_forgotten(engine: Engine) -> None:
    await engine.write(lambda tx: answered_calls.claim(tx, {FIRST: "one"}, now=1.0))
    await engine.write(lambda tx: answered_calls.claim(tx, {SECOND: "two"}, now=2.0))
    assert await engine.write(lambda tx: answered_calls.forget(tx, before=2.0)) == 1
    assert set(await engine.read(lambda tx: answered_calls.find(tx, [FIRST, SECOND]))) == {SECOND}
