"""What is asked about the messages of one number is answered alike by every engine."""

import msgspec
from sqlalchemy import Connection
from usual import NOON_IN_BEIJING, Clock, Usual, change_settings, usual_account, usual_admission

from cleartosend.model.messages import Ending, MessageMove, MessageState, Party, message_id_of
from cleartosend.ports import Engine
from cleartosend.store import conversions, messages, records

NUMBER = "+8613711112222"


class Sent(msgspec.Struct, frozen=True):
    """An account that sent one message, was refused the next and has a third waiting, each a minute after the last."""

    usual: Usual
    delivered: int

    @property
    def app(self) -> str:
        return self.usual.account.sdk_app_id


async def three_messages(engine: Engine) -> Sent:
    usual = await usual_account(engine)
    await change_settings(engine, usual, per_number_per_day=None)
    clock = Clock()
    admission = usual_admission(engine, clock)
    answers = []
    for values in (("123456", "5"), ("123456", "贷款"), ("654321", "5")):
        answers.append(await admission.accept(usual.call(NUMBER, values=values)))
        clock.advance(60)
    await admission.accept(usual.call("+8613711113333"))
    first = answers[0]
    assert isinstance(first, list)
    delivered = message_id_of(first[0].serial_no)
    assert delivered is not None
    ending = Ending(
        message_id=delivered, state=MessageState.DELIVERED, code="DELIVRD", party=Party.NOBODY, at=clock.now
    )

    def settle(tx: Connection) -> None:
        messages.hand_over(tx, [delivered], now=clock.now, receipt_by=clock.now)
        messages.end(tx, MessageMove.SETTLE, [ending])

    await engine.write(settle)
    return Sent(usual, delivered)


async def test_all_of_a_number_is_told_newest_first_and_its_ends_oldest_first(engine: Engine) -> None:
    sent = await three_messages(engine)
    since, until = NOON_IN_BEIJING, NOON_IN_BEIJING + 3600

    def ask(tx: Connection) -> tuple[list[records.SendRecord], list[records.SendRecord], int, int]:
        return (
            records.to_number(tx, sent.app, NUMBER, since=since, until=until, limit=10, offset=0),
            records.ended_to(tx, sent.app, NUMBER, since=since, until=until, limit=10),
            records.count_to_number(tx, sent.app, NUMBER, since=since, until=until, most=10),
            records.count_to_number(tx, sent.app, NUMBER, since=since, until=until, most=2),
        )

    every, ended, count, counted = await engine.read(ask)
    assert [one.state for one in every] == [MessageState.ACCEPTED, MessageState.REFUSED, MessageState.DELIVERED]
    assert [one.id for one in ended] == [sent.delivered]
    assert (count, counted) == (3, 2)
    first = ended[0]
    assert [first.text[start:end] for start, end in first.spans] == ["123456", "5"]


async def test_a_time_a_page_and_an_app_are_kept_to(engine: Engine) -> None:
    sent = await three_messages(engine)
    noon = NOON_IN_BEIJING

    def ask(tx: Connection) -> list[int]:
        def times(app: str = sent.app, since: float = noon, until: float = noon + 3600, offset: int = 0) -> int:
            return len(records.to_number(tx, app, NUMBER, since=since, until=until, limit=2, offset=offset))

        return [times(), times(offset=2), times(since=noon + 60), times(since=noon + 61), times(until=noon), times("1")]

    assert await engine.read(ask) == [2, 1, 2, 1, 1, 0]


async def test_a_conversion_is_kept_once_and_only_for_a_message_of_the_app(engine: Engine) -> None:
    sent = await three_messages(engine)
    account_id = sent.usual.account.account_id

    async def keep(message_id: int, at: float, app: str = sent.app) -> bool:
        return await engine.write(
            lambda tx: conversions.keep(tx, message_id=message_id, account_id=account_id, sdk_app_id=app, at=at)
        )

    assert await keep(sent.delivered, 5.0)
    assert await keep(sent.delivered, 7.0)
    assert not await keep(sent.delivered, 7.0, app="1")
    assert not await keep(7, 7.0)
    assert await engine.read(lambda tx: conversions.at_of(tx, sent.delivered)) == 5.0
    assert await engine.read(lambda tx: conversions.at_of(tx, 7)) is None
