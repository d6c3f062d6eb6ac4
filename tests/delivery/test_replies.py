"""What a reply asks for is done, remembered, confirmed once, and told to the customer."""

from typing import Any

import pytest
from sqlalchemy import Connection, select
from usual import (
    SIGNATURE,
    Clock,
    Usual,
    approved_signature,
    approved_template,
    change_settings,
    claimed,
    hand_over,
    reasons,
    usual_account,
    usual_admission,
)

from cleartosend.carriers import dispatch
from cleartosend.delivery import deadlines
from cleartosend.delivery.replies import MOST_CONFIRMATIONS_A_DAY, Replies
from cleartosend.model.carriers import EVERYTHING
from cleartosend.model.consent import ConsentChange, OptOutSource, Wish
from cleartosend.model.messages import Lane, MessageState, Party, RecipientOutcome, Reply, SendCall
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store import consent, messages, replies
from cleartosend.store.messages import MessageRecord
from cleartosend.store.replies import ReplyRecord
from cleartosend.store.schema import messages as messages_table, submissions

ANN, BEN = "+8613711112222", "+8613711113333"
HOUR = 3600.0


class Bench:
    """An account that sends, and a carrier that takes whatever it is given."""

    def __init__(self, engine: Engine, clock: Clock, usual: Usual, settings: Settings) -> None:
        self.engine = engine
        self.clock = clock
        self.usual = usual
        self.admission = usual_admission(engine, clock)
        self.replies = Replies(engine, settings=settings, accept=self.admission.accept)
        self._texts = 0

    async def accept(self, *numbers: str, **differs: Any) -> list[Reason | None]:
        """Another call, of another text each time."""
        self._texts += 1
        call = self.usual.call(
            *(numbers or (ANN,)), **{"template": self.usual.notice, "values": [f"{self._texts}"]} | differs
        )
        return reasons(await self.admission.accept(call))

    async def send(self, number: str = ANN, **differs: Any) -> None:
        """A message goes out."""
        assert await self.accept(number, **differs) == [None]
        self.clock.advance(1)
        await self.hand_over()

    async def hand_over(self) -> list[MessageRecord]:
        """The carrier takes what waits; returns what it took."""
        now = self.clock()

        def work(tx: Connection) -> list[int]:
            parcels, _withheld = dispatch.claim(
                tx, now=now, route=EVERYTHING, lane=max(Lane), limit=100, lose=deadlines.lose_in_doubt
            )
            ids = [parcel.message_id for parcel in parcels]
            hand_over(tx, ids, now=now, carrier="simulator")
            return ids

        taken = await self.engine.write(work)
        return await self.engine.read(lambda tx: messages.find(tx, taken))

    async def reply(self, text: str, number: str = ANN, *, extension_code: str = "") -> None:
        self.clock.advance(1)
        await self.replies.take(
            Reply(carrier="simulator", number=number, text=text, extension_code=extension_code, at=self.clock())
        )

    async def kept(self) -> list[ReplyRecord]:
        """All replies, oldest first."""
        found = await self.engine.read(
            lambda tx: replies.newest(tx, account_id=None, wish=None, number=None, limit=1000)
        )
        return found[::-1]

    async def history(self, number: str = ANN) -> list[ConsentChange]:
        events = await self.engine.read(lambda tx: consent.events_of(tx, number, account_id=None))
        return [event.change for event in events]


@pytest.fixture
async def bench(engine: Engine, settings: Settings) -> Bench:
    usual = await usual_account(engine)
    await change_settings(engine, usual, per_number_per_day=None)
    return Bench(engine, Clock(), usual, settings)


async def test_r_takes_a_number_off_one_signature_and_type_and_start_puts_it_on_again(bench: Bench) -> None:
    await bench.send()
    await bench.reply("R")
    assert await bench.accept(ANN, BEN) == [Reason.OPTED_OUT, None]
    assert await bench.accept(ANN, template=bench.usual.code, values=["1", "2"]) == [None]
    await bench.reply("start")
    assert await bench.accept(ANN) == [None]
    assert await bench.history() == [ConsentChange.OPTED_OUT, ConsentChange.OPTED_IN]


async def test_who_opted_out_while_a_message_waited_does_not_get_it(bench: Bench) -> None:
    await bench.send()
    assert await bench.accept(ANN, BEN) == [None, None]
    await bench.reply("退订")
    [taken] = await bench.hand_over()
    assert taken.number == BEN

    def question(tx: Connection) -> list[int]:
        return list(tx.execute(select(messages_table.c.id).where(messages_table.c.code == "OPTEDOUT")).scalars())

    [message] = await bench.engine.read(lambda tx: messages.find(tx, question(tx)))
    assert (message.number, message.state, message.party) == (ANN, MessageState.FAILED, Party.YOU)
    # Its customer hears of it as of any other end.
    told = await bench.engine.write(lambda tx: messages.take_statuses(tx, bench.usual.account.sdk_app_id, 10))
    assert [one.id for one in told] == [message.id]


async def test_many_who_opted_out_do_not_hold_up_the_one_behind_them(bench: Bench) -> None:
    await bench.send()
    await bench.reply("R")
    assert await bench.accept(BEN) == [None]

    def listed(tx: Connection) -> int:
        return consent.put_on_list(
            tx, [BEN], account_id=0, signature="", type_="", by="operator", because="asked", now=bench.clock()
        )

    await bench.engine.write(listed)
    assert await bench.accept("+8613711114444") == [None]
    taken = await bench.hand_over()
    assert [message.number for message in taken] == ["+8613711114444"]


async def test_another_accounts_opt_out_changes_nothing(bench: Bench) -> None:
    other = await usual_account(bench.engine)
    await bench.send()
    await bench.reply("R")
    assert reasons(await bench.admission.accept(other.call(ANN, template=other.notice))) == [None]


async def test_the_extension_code_tells_which_message_is_answered(bench: Bench) -> None:
    await change_settings(bench.engine, bench.usual, per_number_per_day=None, extension_codes_allowed=True)
    await bench.send(extension_code="7")
    await bench.send(template=bench.usual.code, values=["1", "2"], extension_code="8")
    await bench.reply("R", extension_code="7")
    assert await bench.accept(ANN) == [Reason.OPTED_OUT]
    assert await bench.accept(ANN, template=bench.usual.code, values=["3", "4"]) == [None]


async def test_without_one_the_newest_message_is_answered(bench: Bench) -> None:
    await bench.send()
    await bench.send(template=bench.usual.code, values=["1", "2"])
    await bench.reply("R")
    assert await bench.accept(ANN) == [None]
    assert await bench.accept(ANN, template=bench.usual.code, values=["3", "4"]) == [Reason.OPTED_OUT]


async def test_a_late_reply_is_nobodys_but_a_late_opt_out_counts(bench: Bench) -> None:
    await bench.send()
    await bench.reply("收到")
    bench.clock.advance(72 * HOUR)
    await bench.reply("收到")
    await bench.reply("R")
    in_time, late, opt_out = await bench.kept()
    account_id = bench.usual.account.account_id
    assert [one.account_id for one in (in_time, late, opt_out)] == [account_id, None, account_id]
    assert (in_time.signature, late.message_id, opt_out.wish) == (SIGNATURE, None, Wish.OPT_OUT)
    assert await bench.accept(ANN) == [Reason.OPTED_OUT]


async def test_a_reply_that_is_quicker_than_the_carriers_answer_is_heard(bench: Bench) -> None:
    assert await bench.accept() == [None]
    await bench.reply("R")
    assert await bench.accept() == [Reason.OPTED_OUT]


async def test_what_may_have_gone_out_is_answered_before_what_waits_and_before_what_went_out_earlier(
    bench: Bench,
) -> None:
    await bench.send()
    assert await bench.accept(template=bench.usual.code, values=["1", "2"]) == [None]

    def lose(tx: Connection) -> None:
        parcels = claimed(tx, bench.clock())
        deadlines.lose_in_doubt(tx, [parcel.message_id for parcel in parcels], bench.clock())

    await bench.engine.write(lose)
    assert await bench.accept() == [None]
    await bench.reply("R")
    assert await bench.accept(template=bench.usual.code, values=["3", "4"]) == [Reason.OPTED_OUT]
    assert await bench.accept() == [None]


async def test_what_never_went_out_is_not_answered(bench: Bench) -> None:
    assert await bench.accept() == [None]
    await bench.engine.write(lambda tx: dispatch.stop(tx, bench.usual.account.account_id, bench.clock()))
    await bench.reply("R")
    assert await bench.accept() == [None]


async def test_a_reply_of_somebody_nobody_wrote_to_is_kept(bench: Bench) -> None:
    await bench.reply("R", number=BEN)
    [kept] = await bench.kept()
    assert (kept.account_id, kept.message_id, kept.wish) == (None, None, Wish.OPT_OUT)
    assert await bench.history(BEN) == []


async def test_what_is_unclear_changes_nothing_and_waits_for_a_person(bench: Bench) -> None:
    await bench.send()
    await bench.reply("别再发了")
    assert await bench.accept(ANN) == [None]
    [unsure] = await bench.engine.read(
        lambda tx: replies.newest(tx, account_id=None, wish=Wish.UNSURE, number=None, limit=9)
    )
    assert unsure.text == "别再发了"


async def test_each_reply_is_handed_out_once_oldest_first(bench: Bench) -> None:
    await bench.send()
    for text in ("一", "二", "三"):
        await bench.reply(text)
    app = bench.usual.account.sdk_app_id
    first = await bench.engine.write(lambda tx: replies.take(tx, app, 2))
    second = await bench.engine.write(lambda tx: replies.take(tx, app, 2))
    assert [one.text for one in (*first, *second)] == ["一", "二", "三"]
    assert await bench.engine.write(lambda tx: replies.take(tx, app, 2)) == []
    assert await bench.engine.write(lambda tx: replies.take(tx, "1400009999", 2)) == []


async def test_replies_of_a_number_can_be_read_again_and_again(bench: Bench) -> None:
    await bench.send()
    await bench.reply("一")
    since = bench.clock()
    await bench.reply("二")
    app = bench.usual.account.sdk_app_id

    async def between(since: float, until: float) -> list[str]:
        found = await bench.engine.read(lambda tx: replies.of_number(tx, app, ANN, since=since, until=until, limit=10))
        return [one.text for one in found]

    assert await between(since, bench.clock()) == ["一", "二"]
    assert await between(since, bench.clock()) == ["一", "二"]
    assert await between(since + 0.5, bench.clock()) == ["二"]
    assert await between(0.0, since - 0.5) == []


# --- confirmations ---


async def confirming(bench: Bench, **settings: object) -> None:
    """The account confirms opt-outs and opt-ins."""

    def template(tx: Connection, text: str) -> str:
        return approved_template(tx, bench.usual.account.account_id, text, MessageType.NOTIFICATION)

    out = await bench.engine.write(lambda tx: template(tx, "您已退订，今后不再收到此类短信。"))
    back = await bench.engine.write(lambda tx: template(tx, "您已恢复订阅。"))
    given = {"per_number_per_day": 1, "opt_out_confirmation": out, "opt_in_confirmation": back} | settings
    await change_settings(bench.engine, bench.usual, **given)


async def confirmations(bench: Bench) -> list[str]:
    """What was accepted to confirm something, oldest first."""

    def question(tx: Connection) -> list[str]:
        asked = select(submissions.c.text).where(submissions.c.confirms).order_by(submissions.c.id)
        return list(tx.execute(asked).scalars())

    return await bench.engine.read(question)


async def test_a_confirmation_is_not_blocked_by_its_own_opt_out_nor_by_frequency(bench: Bench) -> None:
    await confirming(bench)
    await bench.send()
    await bench.reply("Stop. Thank you")
    assert await confirmations(bench) == [f"【{SIGNATURE}】您已退订，今后不再收到此类短信。"]
    # Nor just before it is sent, though it is of the type that was opted out of.
    [taken] = await bench.hand_over()
    assert (taken.number, taken.state) == (ANN, MessageState.SUBMITTED)


async def test_one_opt_out_is_confirmed_once_and_so_is_opting_in_again(bench: Bench) -> None:
    await confirming(bench)
    await bench.send()
    await bench.reply("R")
    await bench.hand_over()
    # It answers what was opted out of, not the confirmation, and changes nothing any more.
    await bench.reply("R")
    await bench.reply("恢复订阅")
    await bench.reply("恢复订阅")
    assert [text[-8:] for text in await confirmations(bench)] == [
        "不再收到此类短信。"[-8:],
        f"{SIGNATURE}】您已恢复订阅。"[-8:],
    ]
    assert await bench.history() == [ConsentChange.OPTED_OUT, ConsentChange.OPTED_IN]


async def test_who_is_on_the_list_hears_no_confirmation_and_start_does_not_take_them_off(bench: Bench) -> None:
    await confirming(bench)
    await bench.send()
    account_id = bench.usual.account.account_id
    await bench.engine.write(
        lambda tx: consent.put_on_list(
            tx, [ANN], account_id=account_id, signature="", type_="", by="operator", because="asked", now=1.0
        )
    )
    await bench.reply("R")
    await bench.reply("start")
    assert await confirmations(bench) == []
    assert await bench.accept(ANN) == [Reason.DO_NOT_DISTURB]


async def test_two_machines_do_not_confirm_to_each_other_for_ever(bench: Bench) -> None:
    await confirming(bench)
    await bench.send()
    for _ in range(MOST_CONFIRMATIONS_A_DAY):
        await bench.reply("R")
        await bench.reply("start")
    assert len(await confirmations(bench)) == MOST_CONFIRMATIONS_A_DAY


async def test_nothing_is_confirmed_unless_the_account_wants_it(bench: Bench) -> None:
    await bench.send()
    await bench.reply("R")
    assert await confirmations(bench) == []


@pytest.mark.parametrize("trouble", [StoreUnavailable("full"), RuntimeError("bug"), None])
async def test_a_reply_counts_even_if_its_confirmation_does_not_go_out(bench: Bench, trouble: Exception | None) -> None:
    async def refuse(_call: SendCall) -> list[RecipientOutcome] | Refusal:
        if trouble is not None:
            raise trouble
        return Refusal(Reason.TEMPLATE_NOT_APPROVED)

    await confirming(bench)
    await bench.send()
    bench.replies = Replies(bench.engine, settings=Settings(), accept=refuse)
    await bench.reply("R")
    assert [one.wish for one in await bench.kept()] == [Wish.OPT_OUT]
    assert await bench.history() == [ConsentChange.OPTED_OUT]


# --- the list ---


LISTED = [
    ({}, Reason.DO_NOT_DISTURB),
    ({"account_id": 0}, Reason.DO_NOT_DISTURB),
    ({"account_id": 999}, None),
    ({"signature": SIGNATURE}, Reason.DO_NOT_DISTURB),
    ({"signature": "另一签名"}, None),
    ({"type_": "notification"}, Reason.DO_NOT_DISTURB),
    ({"type_": "marketing"}, None),
    ({"account_id": 0, "signature": SIGNATURE, "type_": "notification"}, Reason.DO_NOT_DISTURB),
]


@pytest.mark.parametrize(("entry", "reason"), LISTED)
async def test_an_entry_of_the_list_holds_back_what_it_is_about(
    bench: Bench, entry: dict[str, object], reason: Reason | None
) -> None:
    given = {"account_id": bench.usual.account.account_id, "signature": "", "type_": ""} | entry
    await bench.engine.write(
        lambda tx: consent.put_on_list(tx, [ANN], **given, by="operator", because="asked", now=1.0)  # type: ignore[arg-type]
    )
    assert await bench.accept(ANN, BEN) == [reason, None]


async def test_what_the_list_takes_over_no_reply_takes_back_and_a_removal_ends_it(bench: Bench) -> None:
    await bench.send()
    await bench.reply("R")
    account_id = bench.usual.account.account_id

    def on_the_list(tx: Connection) -> int:
        return consent.put_on_list(
            tx,
            [ANN],
            account_id=account_id,
            signature=SIGNATURE,
            type_="notification",
            by="operator",
            because="letter",
            now=bench.clock(),
        )

    assert await bench.engine.write(on_the_list) == 1
    assert await bench.engine.write(on_the_list) == 0
    await bench.reply("start")
    assert await bench.accept(ANN) == [Reason.DO_NOT_DISTURB]
    [entry] = await bench.engine.read(lambda tx: consent.of_number(tx, ANN, account_id=account_id))
    assert entry.source is OptOutSource.LIST
    await bench.engine.write(
        lambda tx: consent.take_off(
            tx,
            ANN,
            account_id=account_id,
            signature=None,
            type_=None,
            by="operator",
            because="letter",
            now=bench.clock(),
        )
    )
    assert await bench.accept(ANN) == [None]
    assert await bench.history() == [ConsentChange.OPTED_OUT, ConsentChange.LISTED, ConsentChange.UNLISTED]


async def test_an_unsigned_message_is_opted_out_of_under_every_signature(bench: Bench) -> None:
    def abroad(tx: Connection) -> str:
        account_id = bench.usual.account.account_id
        approved_signature(tx, account_id, "Breeze", international=True)
        return approved_template(
            tx, account_id, "Your order {1} is here.", MessageType.NOTIFICATION, international=True
        )

    template = await bench.engine.write(abroad)
    number = "+85261234567"
    await bench.send(number, template=template, signature="")
    await bench.reply("STOP", number)
    assert await bench.accept(number, template=template, signature="Breeze") == [Reason.OPTED_OUT]


async def test_the_list_is_read_page_by_page(engine: Engine) -> None:
    numbers = [f"+86137000000{number:02}" for number in range(25)]

    def listed(tx: Connection) -> None:
        for account_id in (0, 1):
            consent.put_on_list(
                tx, numbers, account_id=account_id, signature="", type_="", by="operator", because="x", now=1.0
            )

    await engine.write(listed)
    found = []
    page = await engine.read(lambda tx: consent.page(tx, account_id=None, source=None, after=None, limit=7))
    while page:
        found += [(one.number, one.account_id) for one in page]
        after = page[-1]
        page = await engine.read(
            lambda tx, after=after: consent.page(tx, account_id=None, source=None, after=after, limit=7)  # type: ignore[misc]
        )
    assert found == [(number, account_id) for number in numbers for account_id in (0, 1)]


async def test_more_numbers_than_a_statement_takes_are_looked_up(engine: Engine) -> None:
    numbers = [f"+861370{number:07}" for number in range(12_000)]
    await engine.write(
        lambda tx: consent.put_on_list(
            tx, numbers[-1:], account_id=0, signature="", type_="", by="operator", because="x", now=1.0
        )
    )
    held = await engine.read(lambda tx: consent.held(tx, [(1, number) for number in numbers]))
    assert held.back(1, numbers[0], SIGNATURE, "marketing") is None
    assert held.back(1, numbers[-1], SIGNATURE, "marketing") is OptOutSource.LIST
