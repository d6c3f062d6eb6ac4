"""Calls are accepted, refused whole, or refused number by number, and what was answered is in the store."""

import asyncio
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection, func, select, update
from usual import (
    SIGNATURE,
    Clock,
    approved_signature,
    approved_template,
    change_settings,
    reasons,
    simple_judge,
    template_for_abroad,
    usual_account,
    usual_admission,
)

from cleartosend.admission.accept import MessageIds
from cleartosend.model.accounts import AccountKind, AccountStatus
from cleartosend.model.messages import MessageState, RecipientOutcome, message_id_of
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import Action, MessageType, Submission, Verdict
from cleartosend.ports import Engine
from cleartosend.store import accounts, consent, members, messages
from cleartosend.store.schema import apps, credentials, messages as messages_table, spool

ANN = "+8613711112222"
BEN = "+8613711113333"
JANE = "+14155552671"


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_an_accepted_message_is_on_disk_and_waits_in_the_spool(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    answer = await usual_admission(engine, clock).accept(usual.call("13711112222"))
    assert reasons(answer) == [None]
    assert not isinstance(answer, Refusal)
    assert (answer[0].number, answer[0].iso, answer[0].segments) == (ANN, "CN", 1)
    message_id = message_id_of(answer[0].serial_no)
    assert message_id is not None
    [kept] = await engine.read(lambda tx: messages.find(tx, [message_id]))
    assert (kept.state, kept.number, kept.signature) == (MessageState.ACCEPTED, ANN, SIGNATURE)
    assert await engine.read(lambda tx: tx.execute(select(spool.c.message_id)).scalars().all()) == [message_id]


async def test_two_hundred_numbers_are_answered_in_their_order(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    numbers = [f"+86137{number:08}" for number in range(200)]
    answer = await usual_admission(engine, clock).accept(usual.call(*numbers))
    assert not isinstance(answer, Refusal)
    assert [outcome.number for outcome in answer] == numbers
    assert len({outcome.serial_no for outcome in answer}) == 200


@pytest.mark.parametrize(
    ("differs", "reason"),
    [
        ({"numbers": []}, Reason.NO_RECIPIENTS),
        ({"numbers": [f"+86137{number:08}" for number in range(201)]}, Reason.TOO_MANY_RECIPIENTS),
        ({"numbers": [ANN, JANE]}, Reason.MIXED_COUNTRIES),
        ({"sdk_app_id": "1400999999"}, Reason.APP_NOT_FOUND),
        ({"session_context": "x" * 512}, Reason.SESSION_CONTEXT_TOO_LONG),
        ({"extension_code": "01"}, Reason.EXTENSION_CODE_NOT_ALLOWED),
    ],
)
async def test_some_faults_refuse_the_whole_call(
    engine: Engine, clock: Clock, differs: dict[str, Any], reason: Reason
) -> None:
    usual = await usual_account(engine)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, **differs))
    assert isinstance(answer, Refusal)
    assert answer.reason is reason
    assert await engine.read(lambda tx: tx.execute(select(func.count()).select_from(messages_table)).scalar()) == 0


async def test_a_sender_that_no_carrier_can_send_as_refuses_a_call_abroad_and_is_nothing_to_mainland_numbers(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    template = await template_for_abroad(engine, usual)
    admission = usual_admission(engine, clock)

    async def abroad(sender_id: str) -> list[RecipientOutcome] | Refusal:
        return await admission.accept(
            usual.call(JANE, template=template, values=["1234"], signature="", sender_id=sender_id)
        )

    refusal = Refusal(Reason.SENDER_ID_MALFORMED, "at most 11 ASCII characters of GSM 03.38, or 20 digits")
    assert await abroad("清风") == refusal
    assert await abroad("ClearToSend1") == refusal
    assert await engine.read(lambda tx: tx.execute(select(func.count()).select_from(messages_table)).scalar()) == 0
    assert reasons(await abroad("ClearToSend")) == [None]
    assert reasons(await admission.accept(usual.call(ANN, sender_id="清风"))) == [None]


@pytest.mark.parametrize(
    ("differs", "reason"),
    [
        ({"signature": ""}, Reason.SIGNATURE_MISSING),
        ({"signature": "别家书店"}, Reason.SIGNATURE_NOT_APPROVED),
        ({"template_id": "999"}, Reason.TEMPLATE_NOT_APPROVED),
        ({"template_id": "not a number"}, Reason.TEMPLATE_NOT_APPROVED),
        ({"values": ["123456"]}, Reason.VALUE_COUNT_DIFFERS),
        ({"values": ["123456", "t.cn/a"]}, Reason.VALUE_HAS_LINK),
        ({"values": ["1234567", "5"]}, Reason.VALUE_NOT_A_CODE),
        ({"values": ["abc", "5"]}, Reason.VALUE_NOT_A_CODE),
        # Digits of other scripts are not what a person is asked to type.
        ({"values": ["１２３４", "5"]}, Reason.VALUE_NOT_A_CODE),
    ],
)
async def test_some_faults_refuse_each_number_and_are_recorded(
    engine: Engine, clock: Clock, differs: dict[str, Any], reason: Reason
) -> None:
    usual = await usual_account(engine)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, BEN, **differs))
    assert reasons(answer) == [reason, reason]
    kept = await engine.read(lambda tx: tx.execute(select(messages_table.c.state, messages_table.c.reason)).all())
    assert [tuple(row) for row in kept] == [(MessageState.REFUSED, reason)] * 2
    assert await engine.read(lambda tx: tx.execute(select(func.count()).select_from(spool)).scalar()) == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("8841", None),
        ("一二三四五六", None),
        ("一二三四五六七", Reason.VALUE_TOO_LONG),
        ("http://t.cn/xyz", Reason.VALUE_HAS_LINK),
        ("13800138000", Reason.VALUE_HAS_CONTACT),
        ("加微信", None),  # three characters and no contact in them; whether the words may stand is the judge's to say
        ("贷款", Reason.CONTENT_PROHIBITED),
    ],
)
async def test_values_of_a_notice_are_short_and_hold_no_link_and_no_contact(
    engine: Engine, clock: Clock, value: str, reason: Reason | None
) -> None:
    usual = await usual_account(engine)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, template=usual.notice, values=[value]))
    assert reasons(answer) == [reason]


async def test_a_refusal_for_content_names_the_gravest_finding(engine: Engine, clock: Clock) -> None:
    def judge(submission: Submission) -> Verdict:
        verdict = simple_judge(submission)
        [finding] = verdict.findings
        ban = msgspec.structs.replace(finding, rule="loan-link", action=Action.BAN, start=finding.end)
        return msgspec.structs.replace(verdict, findings=(finding, ban))

    usual = await usual_account(engine)
    admission = usual_admission(engine, clock, judge=judge)
    answer = await admission.accept(usual.call(ANN, template=usual.notice, values=["贷款"]))
    assert not isinstance(answer, Refusal)
    [outcome] = answer
    assert outcome.refusal == Refusal(Reason.CONTENT_PROHIBITED, "loan-link")


async def test_an_account_may_be_granted_longer_values(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, variable_length=12)
    answer = await usual_admission(engine, clock).accept(
        usual.call(ANN, template=usual.notice, values=["一二三四五六七八九十一二"])
    )
    assert reasons(answer) == [None]


async def test_a_malformed_number_does_not_stop_the_others(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, "12345", BEN))
    assert reasons(answer) == [None, Reason.NUMBER_MALFORMED, None]


async def test_of_a_number_given_twice_one_copy_is_sent(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    answer = await usual_admission(engine, clock).accept(usual.call("13711112222", ANN, "+86 137-1111-2222"))
    assert reasons(answer) == [None, None, None]
    assert not isinstance(answer, Refusal)
    assert len({outcome.serial_no for outcome in answer}) == 1
    assert [outcome.segments for outcome in answer] == [1, 0, 0]
    assert await engine.read(lambda tx: tx.execute(select(func.count()).select_from(spool)).scalar()) == 1


async def test_a_suspended_account_is_refused_at_once(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]
    await engine.write(
        lambda tx: accounts.set_status(
            tx, usual.account.account_id, AccountStatus.SUSPENDED, by="tester", because="", now=1.0
        )
    )
    answer = await admission.accept(usual.call(BEN))
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.ACCOUNT_NOT_ACTIVE


@pytest.mark.parametrize(("table", "reason"), [(apps, Reason.APP_DISABLED), (credentials, Reason.CREDENTIAL_DISABLED)])
async def test_a_disabled_app_or_credential_is_refused_at_once(
    engine: Engine, clock: Clock, table: object, reason: Reason
) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]

    def disable(tx: Connection) -> None:
        tx.execute(update(apps if table is apps else credentials).values(enabled=False))
        accounts.touch(tx, usual.account.account_id)

    await engine.write(disable)
    answer = await admission.accept(usual.call(BEN))
    assert isinstance(answer, Refusal)
    assert answer.reason is reason


async def test_another_accounts_app_is_not_yours(engine: Engine, clock: Clock) -> None:
    usual, other = await usual_account(engine), await usual_account(engine)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, sdk_app_id=other.account.sdk_app_id))
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.APP_NOT_YOURS


async def test_an_unverified_account_may_not_send(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await engine.write(
        lambda tx: accounts.set_kind(tx, usual.account.account_id, kind=AccountKind.ORGANIZATION, verified=False)
    )
    answer = await usual_admission(engine, clock).accept(usual.call(ANN))
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.ACCOUNT_NOT_VERIFIED


async def test_a_domestic_template_does_not_go_abroad_nor_the_other_way(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)

    def make_ready(tx: Connection) -> str:
        approved_signature(tx, usual.account.account_id, "Breeze", international=True)
        return approved_template(
            tx, usual.account.account_id, "Your code is {1}", MessageType.VERIFICATION, international=True
        )

    abroad = await engine.write(make_ready)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(JANE, signature="Breeze"))) == [Reason.TEMPLATE_IS_DOMESTIC]
    home_call = usual.call(ANN, template_id=abroad, values=["1234"])
    assert reasons(await admission.accept(home_call)) == [Reason.TEMPLATE_IS_INTERNATIONAL]
    # Abroad a signature is optional.
    for signature in ("Breeze", ""):
        clock.advance(60)
        call = usual.call(JANE, signature=signature, template_id=abroad, values=["1234"])
        assert reasons(await admission.accept(call)) == [None]


async def add_members(engine: Engine, account_id: int, *numbers: str) -> None:
    await engine.write(lambda tx: members.add_members(tx, account_id, numbers, source="purchase", now=1.0))


async def test_marketing_reaches_members_only(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await add_members(engine, usual.account.account_id, ANN)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, BEN, template=usual.marketing))
    assert reasons(answer) == [None, Reason.NOT_A_MEMBER]


async def test_another_accounts_members_are_not_yours(engine: Engine, clock: Clock) -> None:
    usual, other = await usual_account(engine), await usual_account(engine)
    await add_members(engine, other.account.account_id, ANN)
    answer = await usual_admission(engine, clock).accept(usual.call(ANN, template=usual.marketing))
    assert reasons(answer) == [Reason.NOT_A_MEMBER]


async def test_an_individual_may_not_send_marketing_even_with_an_approved_template(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine, kind=AccountKind.INDIVIDUAL)
    await add_members(engine, usual.account.account_id, ANN)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN, template=usual.marketing))) == [
        Reason.MARKETING_BY_INDIVIDUAL
    ]
    assert reasons(await admission.accept(usual.call(ANN, template=usual.notice))) == [None]


@pytest.mark.parametrize(
    ("hours_after_noon", "reason"),
    [
        (-4.001, Reason.OUTSIDE_MARKETING_HOURS),
        (-4, None),
        (9.999, None),
        (10, Reason.OUTSIDE_MARKETING_HOURS),
    ],
)
async def test_marketing_goes_from_eight_to_twenty_two_in_beijing(
    engine: Engine, clock: Clock, hours_after_noon: float, reason: Reason | None
) -> None:
    usual = await usual_account(engine)
    await add_members(engine, usual.account.account_id, ANN)
    clock.advance(hours_after_noon * 3600)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN, template=usual.marketing))) == [reason]
    assert reasons(await admission.accept(usual.call(ANN))) == [None]


async def test_one_opted_out_recipient_does_not_stop_the_others(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await engine.write(
        lambda tx: consent.opt_out(
            tx,
            account_id=usual.account.account_id,
            number=ANN,
            signature=SIGNATURE,
            type_="notification",
            by="reply",
            because="reply 1",
            now=1.0,
        )
    )
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN, BEN, template=usual.notice))) == [Reason.OPTED_OUT, None]
    # An opt-out is for one signature and one type.
    assert reasons(await admission.accept(usual.call(ANN))) == [None]


async def test_the_same_text_reaches_a_number_once_in_thirty_seconds(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]
    assert reasons(await admission.accept(usual.call(ANN))) == [Reason.SAME_CONTENT_TOO_OFTEN]
    clock.advance(30)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]


async def test_a_number_is_reached_twice_a_day_in_beijing(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    for code in ("1", "2"):
        assert reasons(await admission.accept(usual.call(ANN, values=[code, "5"]))) == [None]
    assert reasons(await admission.accept(usual.call(ANN, values=["3", "5"]))) == [Reason.REACHED_TOO_OFTEN_TODAY]
    clock.advance(11.99 * 3600)
    assert reasons(await admission.accept(usual.call(ANN, values=["3", "5"]))) == [Reason.REACHED_TOO_OFTEN_TODAY]
    clock.advance(0.02 * 3600)
    assert reasons(await admission.accept(usual.call(ANN, values=["3", "5"]))) == [None]


async def test_a_message_that_one_limit_holds_back_takes_no_place_under_another(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, per_number_per_day=2, per_number_per_hour=1)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN, values=["1", "5"]))) == [None]
    for code in ("2", "3", "4"):
        answer = await admission.accept(usual.call(ANN, values=[code, "5"]))
        assert reasons(answer) == [Reason.REACHED_TOO_OFTEN_IN_AN_HOUR]
    clock.advance(3600)
    assert reasons(await admission.accept(usual.call(ANN, values=["4", "5"]))) == [None]


async def test_exempt_numbers_are_not_held_back(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, exempt_numbers=[ANN])
    admission = usual_admission(engine, clock)
    for _ in range(5):
        assert reasons(await admission.accept(usual.call(ANN))) == [None]


async def test_of_many_callers_at_once_exactly_the_limit_passes(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await change_settings(engine, usual, per_number_per_day=7)
    admission = usual_admission(engine, clock)
    answers = await asyncio.gather(
        *(admission.accept(usual.call(ANN, values=[str(number), "5"])) for number in range(64))
    )
    assert [reasons(answer) for answer in answers].count([None]) == 7


def test_numbers_of_messages_grow_whatever_the_clock_does(clock: Clock) -> None:
    ids = MessageIds(3, clock)
    made = [ids() for _ in range(70_000)]  # more than one millisecond has room for
    clock.advance(-1000)
    made += [ids(), ids()]
    clock.advance(2000)
    made += [ids()]
    restarted = MessageIds(3, Clock(clock.now - 5000), newest=made[-1])
    made += [restarted()]
    assert made == sorted(set(made))
    assert made[-1] < 1 << 62
    assert {number >> 16 & 0b11111 for number in made} == {3}
