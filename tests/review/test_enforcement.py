"""A stopped account waits for a person, and what it applied for waits for that."""

from collections.abc import Sequence

import pytest
import structlog
from prometheus_client import REGISTRY
from sqlalchemy import Connection
from usual import Clock, Usual, reasons, usual_account, usual_admission

from cleartosend.carriers.dispatch import stop_account
from cleartosend.model.accounts import MACHINE, AccountStatus
from cleartosend.model.applications import Subject, TemplateForm
from cleartosend.model.messages import MessageState
from cleartosend.model.reasons import Refusal
from cleartosend.model.verdicts import Action, Decision, Finding, MessageType, Nature, Submission, Verdict
from cleartosend.ports import Engine
from cleartosend.review import desk
from cleartosend.review.apply import Applications
from cleartosend.store import accounts, messages

ANN, BEN = "+8613711112222", "+8613711113333"
BAD = "急速贷"
DOUBTFUL = "请核对：{1}。"


def strict_judge(submission: Submission) -> Verdict:
    """Bans 急速贷 and has a doubt about 核对."""
    findings: Sequence[Finding] = ()
    for word, action in ((BAD, Action.BAN), ("核对", Action.REFER)):
        if word in submission.text:
            start = submission.text.index(word)
            findings = (
                Finding(
                    rule=f"rule-of-{action}",
                    category="test",
                    action=action,
                    because=f"不得出现{word}。",
                    clause="",
                    quote=word,
                    start=start,
                    end=start + len(word),
                ),
            )
            break
    decision = Decision.APPROVE
    if findings:
        decision = Decision.REFER if findings[0].action is Action.REFER else Decision.REJECT
    return Verdict(decision=decision, nature=Nature.NOTIFICATION, rulebook="test", findings=tuple(findings))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def usual(engine: Engine) -> Usual:
    return await usual_account(engine)


async def apply(engine: Engine, usual: Usual, clock: Clock, text: str) -> int | Refusal:
    applications = Applications(engine=engine, judge=strict_judge, clock=clock, stop_account=stop_account)
    account = await engine.read(lambda tx: accounts.find(tx, usual.account.account_id))
    assert account is not None
    form = TemplateForm(name="t", text=text, type=MessageType.NOTIFICATION, international=False)
    return await applications.apply(account, form)


async def set_status(engine: Engine, usual: Usual, status: AccountStatus, *, at: float) -> None:
    account_id = usual.account.account_id
    await engine.write(lambda tx: accounts.set_status(tx, account_id, status, by="ann", because="why", now=at))


async def waiting(engine: Engine) -> list[str]:
    return [one.text for one in await engine.read(lambda tx: desk.waiting(tx, Subject.TEMPLATE))]


async def suspended(engine: Engine) -> list[int]:
    return [one.account.id for one in await engine.read(desk.suspended)]


def count_of_suspensions() -> float:
    return REGISTRY.get_sample_value("cleartosend_accounts_suspended_total") or 0.0


async def test_an_account_stopped_by_the_machine_is_told_without_the_words(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    assert reasons(await usual_admission(engine, clock).accept(usual.call(ANN, BEN))) == [None, None]
    before = count_of_suspensions()
    with structlog.testing.capture_logs() as told:
        assert isinstance(await apply(engine, usual, clock, f"下载{BAD}。"), int)
    [line] = [line for line in told if line["event"] == "account.suspended"]
    assert line == {
        "event": "account.suspended",
        "log_level": "warning",
        "account": usual.account.account_id,
        "rules": ["rule-of-ban"],
        "stopped": 2,
    }
    assert count_of_suspensions() == before + 1
    [stopped] = await engine.read(desk.suspended)
    assert (stopped.event.by, stopped.event.status) == (MACHINE, AccountStatus.SUSPENDED)
    assert BAD in stopped.event.because


async def test_two_calls_at_once_stop_their_account_once(engine: Engine, usual: Usual, clock: Clock) -> None:
    admission = usual_admission(engine, clock)
    admission._judge = strict_judge  # noqa: SLF001 - the usual one bans nothing
    calls = [usual.call(number, template=usual.notice, values=[BAD]) for number in (ANN, BEN)]
    await admission.accept(usual.call(ANN))
    drafts = [
        admission._draft(await admission._look_up(call, dossier))  # noqa: SLF001 - both in one transaction
        for call in calls
        if (dossier := await admission._directory.current(call.account_id))  # noqa: SLF001
    ]
    await engine.write(lambda tx: admission.record(tx, drafts))
    history = await engine.read(lambda tx: accounts.events_of(tx, usual.account.account_id))
    assert [event.status for event in history] == [AccountStatus.SUSPENDED]


async def test_a_stopped_account_s_applications_wait_until_it_is_restored(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await apply(engine, usual, clock, DOUBTFUL)
    assert await waiting(engine) == [DOUBTFUL]
    for status in (AccountStatus.SUSPENDED, AccountStatus.BANNED):
        await set_status(engine, usual, status, at=clock())
        assert await waiting(engine) == []
    await set_status(engine, usual, AccountStatus.ACTIVE, at=clock())
    assert await waiting(engine) == [DOUBTFUL]


async def test_suspended_accounts_wait_for_a_decision_the_longest_waiting_first(engine: Engine, clock: Clock) -> None:
    first, second, third = [await usual_account(engine) for _ in range(3)]
    await set_status(engine, second, AccountStatus.SUSPENDED, at=clock())
    await set_status(engine, first, AccountStatus.SUSPENDED, at=clock() + 1)
    await set_status(engine, third, AccountStatus.BANNED, at=clock() + 2)
    assert await suspended(engine) == [second.account.account_id, first.account.account_id]
    await set_status(engine, second, AccountStatus.ACTIVE, at=clock() + 3)
    assert await suspended(engine) == [first.account.account_id]


async def test_what_waits_of_a_stopped_account_fails_and_its_customer_hears_of_it(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await usual_admission(engine, clock).accept(usual.call(ANN))
    await apply(engine, usual, clock, f"下载{BAD}。")

    def work(tx: Connection) -> list[tuple[MessageState, str]]:
        taken = messages.take_statuses(tx, usual.account.sdk_app_id, 10)
        return [(one.state, one.code) for one in taken]

    assert await engine.write(work) == [(MessageState.FAILED, "STOPPED")]
