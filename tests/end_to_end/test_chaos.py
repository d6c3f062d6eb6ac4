"""One short seed of `make chaos`: a server that is killed under load, and lines that are cut, lose nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import Row

from chaos.plan import plan_of
from chaos.run import seeds_of
from chaos.seed import Played, act
from chaos.verdict import Evidence, judge
from cleartosend.model.messages import MessageState

PLAN = plan_of(37, seconds=1.0)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return asyncio.run(act(PLAN, tmp_path_factory.mktemp("chaos") / "seed"))


def test_a_seed_decides_what_is_done() -> None:
    assert plan_of(7) == plan_of(7)
    assert plan_of(7) != plan_of(11)
    assert seeds_of(["3", "7-9"]) == [3, 7, 8, 9]


def test_nothing_is_lost_and_nothing_is_sent_that_may_not(played: Played) -> None:
    assert {fault.kind for fault in PLAN.faults} == {"kill", "cut"}
    found = judge(PLAN, played.evidence)
    assert found.wrong == []
    assert played.surprises == []
    assert found.counts["delivered"] > 0


def a_message_is_lost(evidence: Evidence) -> Evidence:
    kept = evidence.kept
    return changed(evidence, messages=[row for row in kept.messages if row is not delivered(evidence)[0]])


def one_is_sent_over_and_over(evidence: Evidence) -> Evidence:
    """A code, as often as all windows and crashes together would allow, and once more."""
    code = delivered(evidence, "verification")[0]
    [copy] = [one for one in evidence.copies if (one.token, one.number) == (code.session_context, code.number)][:1]
    most = (evidence.done["kill"] + evidence.done["stop"]) * sum(carrier.window for carrier in PLAN.carriers)
    return msgspec.structs.replace(evidence, copies=[*evidence.copies, *([copy] * (most + 1))])


def marketing_is_sent_twice(evidence: Evidence) -> Evidence:
    row = delivered(evidence, "marketing")[0]
    copies = [one for one in evidence.copies if (one.token, one.number) == (row.session_context, row.number)]
    return msgspec.structs.replace(evidence, copies=[*evidence.copies, *copies])


def what_is_delivered_was_never_taken(evidence: Evidence) -> Evidence:
    row = delivered(evidence)[0]
    copies = [one for one in evidence.copies if (one.token, one.number) != (row.session_context, row.number)]
    return msgspec.structs.replace(evidence, copies=copies)


def what_nobody_asked_for_is_sent(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(
        evidence,
        copies=[*evidence.copies, evidence.copies[0]._replace(token="999999")],
    )


def something_is_still_in_the_spool(evidence: Evidence) -> Evidence:
    return changed(evidence, spool=1)


def a_receipt_is_parked_whose_message_is_known(evidence: Evidence) -> Evidence:
    return changed(evidence, parked=[next(iter(evidence.kept.handed_over))])


def one_was_not_counted(evidence: Evidence) -> Evidence:
    counted = evidence.kept.counted
    return changed(evidence, counted=msgspec.structs.replace(counted, delivered=counted.delivered - 1))


def a_status_is_to_be_told_twice(evidence: Evidence) -> Evidence:
    return changed(evidence, callbacks=[*evidence.kept.callbacks, evidence.kept.callbacks[0]])


def a_status_was_pulled_twice(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, pulled=[*evidence.pulled, evidence.pulled[0]])


def a_status_never_came(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, told=[one for one in evidence.told if one != evidence.told[0]])


def an_opt_out_was_not_heard(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, left_alone={*evidence.left_alone, "+8613700000000"})


@pytest.mark.parametrize(
    "broken",
    [
        a_message_is_lost,
        one_is_sent_over_and_over,
        marketing_is_sent_twice,
        what_is_delivered_was_never_taken,
        what_nobody_asked_for_is_sent,
        something_is_still_in_the_spool,
        a_receipt_is_parked_whose_message_is_known,
        one_was_not_counted,
        a_status_is_to_be_told_twice,
        a_status_was_pulled_twice,
        a_status_never_came,
        an_opt_out_was_not_heard,
    ],
)
def test_a_broken_promise_is_noticed(played: Played, broken: Callable[[Evidence], Evidence]) -> None:
    assert judge(PLAN, broken(played.evidence)).wrong


def delivered(evidence: Evidence, type_: str = "") -> list[Row[Any]]:
    return [row for row in evidence.kept.messages if row.state == MessageState.DELIVERED and type_ in ("", row.type)]


def changed(evidence: Evidence, **changes: object) -> Evidence:
    """The evidence, with something else in the store."""
    return msgspec.structs.replace(evidence, kept=msgspec.structs.replace(evidence.kept, **changes))
