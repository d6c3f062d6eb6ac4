"""Whatever a customer's server does, it hears of every status at least once, in order, and no other server waits."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from delivery.certificates import certificate_for
from delivery.receiver import (
    OK,
    Behaviour,
    Push,
    Receiver,
    dies,
    drips,
    hangs,
    http,
    never_ends,
    receiving,
    says,
    until,
)
from sqlalchemy import Connection, insert, select
from usual import SIGNATURE, VAULT, Clock, Usual, usual_account

from cleartosend.admission.numbers import split_number
from cleartosend.compose import forget_old
from cleartosend.delivery import callbacks as worker
from cleartosend.delivery.callbacks import JITTER, Callbacks
from cleartosend.model.messages import Ending, MessageMove, MessageState, Party, least_id_at, message_id_of, serial_no
from cleartosend.model.verdicts import MessageType
from cleartosend.outbound import guard_of_callbacks
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store import accounts, callbacks, messages
from cleartosend.store.callbacks import CallbackKind, CallbackRecord, Endpoint, Standing
from cleartosend.store.messages import MessageRow, SubmissionRow
from cleartosend.store.opening import open_store
from cleartosend.store.schema import replies, status_queue

T = TypeVar("T")

FAST = Settings(
    callback_networks="127.0.0.0/8",
    callback_timeout_seconds=0.3,
    callback_retry_seconds=0.0,
    drain_seconds=0.5,
)
PATIENT = msgspec.structs.replace(FAST, callback_timeout_seconds=60.0)
SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server in use waits a little to push more at once."""
    monkeypatch.setattr(worker, "GATHER_SECONDS", 0.0)
    monkeypatch.setattr(worker, "LOOK_AGAIN_SECONDS", 0.02)


def callbacks_of(engine: Engine, clock: Callable[[], float], settings: Settings = FAST) -> Callbacks:
    return Callbacks(
        engine=engine,
        vault=VAULT,
        guard=guard_of_callbacks(settings),
        settings=settings,
        clock=clock,
        split_number=split_number,
    )


@contextlib.asynccontextmanager
async def telling(engine: Engine, clock: Callable[[], float], settings: Settings = FAST) -> AsyncIterator[Callbacks]:
    """Callbacks at work."""
    telling_them = callbacks_of(engine, clock, settings)
    running = asyncio.get_running_loop().create_task(telling_them.run())
    try:
        yield telling_them
    finally:
        telling_them.stop()
        await running


async def listen(
    engine: Engine, usual: Usual, url: str, *, kind: CallbackKind = CallbackKind.STATUS, app: str | None = None
) -> None:
    """Have the account's server told."""
    account = usual.account
    owner = app or (account.sdk_app_id if kind is CallbackKind.STATUS else str(account.account_id))
    sealed = VAULT.seal(SECRET, name=callbacks.name_of_secret(kind, owner))
    await engine.write(
        lambda tx: callbacks.set_endpoint(
            tx, kind=kind, owner=owner, account_id=account.account_id, url=url, sealed_secret=sealed, now=0.0
        )
    )


async def send(engine: Engine, clock: Clock, usual: Usual, count: int, *, app: str | None = None) -> list[str]:
    """Messages that a carrier has taken; returns their serial numbers."""
    account = usual.account
    app = app or account.sdk_app_id
    clock.advance(1)
    first = least_id_at(clock())
    ids = range(first, first + count)
    call = SubmissionRow(
        first, account.account_id, app, usual.notice, SIGNATURE, MessageType.NOTIFICATION, False,
        "【清风书店】您的订单8841已发货，请留意查收。", "order 7", "", "", "test", "[]", clock(), "[]", False,
    )  # fmt: skip
    rows = [
        MessageRow(
            message_id, first, account.account_id, app, f"+86137{place:08}", "CN", 1,
            MessageState.ACCEPTED, "", "", "", clock(), clock() + 1000, None, None,
        )
        for place, message_id in enumerate(ids)
    ]  # fmt: skip

    def work(tx: Connection) -> None:
        messages.record(tx, [call], rows)
        messages.hand_over(tx, ids, now=clock(), receipt_by=clock() + 1000)

    await engine.write(work)
    return [serial_no(message_id, international=False) for message_id in ids]


def id_of(serial: str) -> int:
    message_id = message_id_of(serial)
    assert message_id is not None
    return message_id


async def end(
    engine: Engine,
    serials: list[str],
    *,
    at: float,
    state: MessageState = MessageState.DELIVERED,
    code: str = "DELIVRD",
    move: MessageMove = MessageMove.SETTLE,
) -> None:
    endings = [
        Ending(message_id=id_of(serial), state=state, code=code, party=Party.NOBODY, at=at) for serial in serials
    ]
    moved = await engine.write(lambda tx: messages.end(tx, move, endings))
    assert len(moved) == len(serials)


async def delivered(engine: Engine, clock: Clock, usual: Usual, count: int, *, app: str | None = None) -> list[str]:
    """Messages that have come to their end; returns their serial numbers."""
    serials = await send(engine, clock, usual, count, app=app)
    await end(engine, serials, at=clock())
    return serials


async def endpoint_of(engine: Engine, usual: Usual, kind: CallbackKind = CallbackKind.STATUS) -> Endpoint:
    account = usual.account
    owner = account.sdk_app_id if kind is CallbackKind.STATUS else str(account.account_id)
    endpoint = await engine.read(lambda tx: callbacks.find_endpoint(tx, kind, owner))
    assert endpoint is not None
    return endpoint


async def rows_of(engine: Engine, usual: Usual) -> list[CallbackRecord]:
    """What the account's server was to be told, oldest first."""
    endpoint = await endpoint_of(engine, usual)
    return sorted(await engine.read(lambda tx: callbacks.latest(tx, endpoint, 1000)), key=lambda record: record.id)


async def nothing_waits(engine: Engine) -> None:
    async with asyncio.timeout(20):
        while await engine.read(callbacks.count_waiting):
            await asyncio.sleep(0.01)


async def failed(engine: Engine, usual: Usual, times: int) -> Endpoint:
    """The endpoint, once it has failed so often in a row."""
    async with asyncio.timeout(20):
        while (endpoint := await endpoint_of(engine, usual)).failures < times:
            await asyncio.sleep(0.01)
    return endpoint


def first_heard(receiver: Receiver) -> list[str]:
    """The serial numbers in the order in which they were first heard."""
    return list(dict.fromkeys(receiver.sids))


# --- what is said ---


async def test_a_status_is_told_in_the_references_fields(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        [serial, refused] = await send(engine, clock, usual, 2)
        await end(engine, [serial], at=1772424000.5)
        await end(engine, [refused], at=1772424001.0, state=MessageState.FAILED, code="MK:0017")
        async with telling(engine, clock):
            await nothing_waits(engine)
    [push] = receiver.heard
    assert push.headers["content-type"] == "application/json;charset=utf-8"
    [taken, not_taken] = push.statuses
    assert taken == {
        "user_receive_time": "2026-03-02 12:00:00",
        "nationcode": "86",
        "mobile": "13700000000",
        "report_status": "SUCCESS",
        "errmsg": "DELIVRD",
        "description": taken["description"],
        "sid": serial,
        "ext": "order 7",
    }
    assert list(taken) == [
        "user_receive_time", "nationcode", "mobile", "report_status", "errmsg", "description", "sid", "ext",
    ]  # fmt: skip
    assert (not_taken["report_status"], not_taken["errmsg"], not_taken["sid"]) == ("FAIL", "MK:0017", refused)
    assert taken["description"]
    assert not_taken["description"] not in {"", taken["description"]}


async def test_a_reply_is_told_in_the_references_fields(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    [serial] = await send(engine, clock, usual, 1)

    def reply(tx: Connection) -> None:
        reply_id = tx.execute(
            insert(replies)
            .values(
                carrier="simulator",
                number="+8613700000000",
                text="谢谢",
                extension_code="12",
                at=1772424000.5,
                account_id=usual.account.account_id,
                sdk_app_id=usual.account.sdk_app_id,
                signature=SIGNATURE,
                message_id=id_of(serial),
            )
            .returning(replies.c.id)
        ).scalar_one()
        callbacks.tell_of_reply(
            tx, account_id=usual.account.account_id, message_id=id_of(serial), reply_id=reply_id, at=1772424000.5
        )

    async with receiving() as receiver:
        await engine.write(reply)
        # Nobody listened to the first one.
        await listen(engine, usual, receiver.url, kind=CallbackKind.REPLY)
        await engine.write(reply)
        await engine.write(reply)
        async with telling(engine, clock):
            await nothing_waits(engine)
    assert [msgspec.json.decode(push.body) for push in receiver.heard] == 2 * [
        {
            "extend": "12",
            "mobile": "13700000000",
            "nationcode": "86",
            "sign": SIGNATURE,
            "text": "谢谢",
            "time": 1772424000,
        }
    ]


async def test_the_signature_is_good_for_the_library(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        [serial] = await delivered(engine, clock, usual, 1)
        # The library compares the time with its own.
        async with telling(engine, time.time):
            await nothing_waits(engine)
    [push] = receiver.heard
    assert push.verified(SECRET)[0]["sid"] == serial


async def test_statuses_go_in_batches_of_100_in_their_order(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        serials = await delivered(engine, clock, usual, 250)
        async with telling(engine, clock):
            await nothing_waits(engine)
    assert [len(push.statuses) for push in receiver.heard] == [100, 100, 50]
    assert receiver.sids == serials


async def test_a_message_that_was_unknown_and_then_delivered_is_told_of_twice_in_this_order(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        serials = await send(engine, clock, usual, 2)
        await end(engine, serials, at=clock(), state=MessageState.UNKNOWN, code="NORECEIPT", move=MessageMove.LOSE)
        await end(engine, serials[:1], at=clock())
        async with telling(engine, clock):
            await nothing_waits(engine)
    told = [(status["sid"], status["errmsg"]) for push in receiver.heard for status in push.statuses]
    assert told == [(serials[0], "NORECEIPT"), (serials[1], "NORECEIPT"), (serials[0], "DELIVRD")]


async def test_what_ends_while_the_server_is_told_is_told_soon_after(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        serials = await send(engine, clock, usual, 3)
        async with telling(engine, clock) as telling_them:
            for serial in serials:
                await end(engine, [serial], at=clock())
                telling_them.wake()
                await until(lambda serial=serial: serial in receiver.sids)  # type: ignore[misc]
    assert receiver.sids == serials


async def test_an_app_without_a_server_has_nothing_queued(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await delivered(engine, clock, usual, 1)
    assert await engine.read(callbacks.count_waiting) == {}


# --- servers that do not take it ---

BAD = [
    pytest.param(says(http("500 Internal Server Error", b'{"result": 0}')), "HTTP 500", id="500"),
    pytest.param(says(http("404 Not Found")), "HTTP 404", id="404"),
    pytest.param(says(http("200 OK", b'{"result": 1, "errmsg": "busy"}')), "result 1", id="result-1"),
    pytest.param(says(http("200 OK", b"OK")), "no JSON object", id="garbage"),
    pytest.param(says(http("200 OK", b"[0]")), "no JSON object", id="array"),
    pytest.param(says(http("200 OK", b'{"result": "fine"}')), "no JSON object", id="result-is-words"),
    pytest.param(says(http("200 OK", b'{"result": false}')), "no JSON object", id="result-is-false"),
    pytest.param(says(http("200 OK", b'{"result": 0, "x": ' + b"[" * 9000)), "no JSON object", id="deep"),
    pytest.param(says(http("200 OK", b"")), "no JSON object", id="empty"),
    pytest.param(says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "RemoteProtocolError", id="no-http"),
    pytest.param(says(http("302 Found", b"", "Location: http://127.0.0.1:1/")), "redirects", id="redirect"),
    pytest.param(
        says(http("307 Temporary Redirect", b"", "Location: nonsense://")), "redirects", id="redirect-nowhere"
    ),
    pytest.param(never_ends, "more than 16384 bytes", id="endless"),
    pytest.param(drips, "no answer within 0.3 s", id="drips"),
    pytest.param(hangs, "no answer within 0.3 s", id="hangs"),
    pytest.param(dies, "RemoteProtocolError", id="dies"),
]


@pytest.mark.parametrize(("behaviour", "problem"), BAD)
async def test_what_was_not_taken_is_told_again_before_what_follows(
    engine: Engine, clock: Clock, behaviour: Behaviour, problem: str
) -> None:
    usual = await usual_account(engine)
    waiting = msgspec.structs.replace(FAST, callback_retry_seconds=1000.0)
    async with receiving(behaviour) as receiver:
        await listen(engine, usual, receiver.url)
        first = await delivered(engine, clock, usual, 3)
        async with telling(engine, clock, waiting):
            endpoint = await failed(engine, usual, 1)
            assert problem in endpoint.last_error
            then = await delivered(engine, clock, usual, 2)
            receiver.behaviour = says(OK)
            clock.now = endpoint.due_at
            await nothing_waits(engine)
    assert [len(push.statuses) for push in receiver.heard] == [3, 3, 2]
    assert first_heard(receiver) == first + then
    # The receiver can tell that it has heard the same before.
    assert receiver.heard[0].id == receiver.heard[1].id != receiver.heard[2].id
    assert receiver.heard[0].body == receiver.heard[1].body
    assert [(row.standing, row.attempts, row.error) for row in await rows_of(engine, usual)] == [
        *3 * [(Standing.DELIVERED, 2, "")],
        *2 * [(Standing.DELIVERED, 1, "")],
    ]
    assert (await endpoint_of(engine, usual)).failures == 0


async def test_a_redirect_leads_nowhere(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as elsewhere, receiving() as receiver:
        receiver.behaviour = says(http("308 Permanent Redirect", b"", f"Location: {elsewhere.url}"))
        await listen(engine, usual, receiver.url)
        await delivered(engine, clock, usual, 1)
        async with telling(engine, clock):
            await failed(engine, usual, 3)
    assert len(receiver.heard) >= 3
    assert elsewhere.heard == []


async def test_a_server_that_comes_and_goes_hears_everything_in_order(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:

        async def one_and_then_gone(_push: Push, writer: asyncio.StreamWriter) -> None:
            if len(receiver.heard) % 2:
                writer.write(OK)
                await writer.drain()
            else:
                # It took the batch and dies before it has said so.
                crash.append(asyncio.get_running_loop().create_task(receiver.stop()))
                await asyncio.Event().wait()

        crash: list[asyncio.Task[None]] = []
        receiver.behaviour = one_and_then_gone
        await listen(engine, usual, receiver.url)
        serials = await delivered(engine, clock, usual, 400)
        async with telling(engine, clock):
            for crashes in (1, 2, 3):
                await until(lambda crashes=crashes: len(crash) == crashes)  # type: ignore[misc]
                await crash[-1]
                # Nobody answers there now.
                await failed(engine, usual, 3)
                await receiver.start()
            await nothing_waits(engine)
    assert first_heard(receiver) == serials
    # Heard twice was only what it had not said that it had taken.
    assert len(receiver.sids) == 400 + 3 * 100


async def test_a_server_whose_certificate_nobody_vouches_for_hears_nothing(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    usual = await usual_account(engine)
    server, _client = certificate_for("127.0.0.1", tmp_path)
    async with receiving(tls=server) as receiver:
        await listen(engine, usual, receiver.url)
        await delivered(engine, clock, usual, 1)
        async with telling(engine, clock):
            endpoint = await failed(engine, usual, 1)
    assert "CERTIFICATE_VERIFY_FAILED" in endpoint.last_error
    assert receiver.heard == []


async def test_a_private_address_that_is_not_allowed_hears_nothing(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        await delivered(engine, clock, usual, 1)
        async with telling(engine, clock, msgspec.structs.replace(FAST, callback_networks="10.0.0.0/8")):
            endpoint = await failed(engine, usual, 1)
    assert endpoint.last_error.startswith("not allowed")
    assert receiver.heard == []
    assert receiver.open_connections == 0


async def test_a_failing_server_is_left_alone_for_longer_and_longer(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    settings = msgspec.structs.replace(FAST, callback_retry_seconds=5.0, callback_retry_most_seconds=60.0)
    async with receiving(says(http("503 Service Unavailable"))) as receiver:
        await listen(engine, usual, receiver.url)
        await delivered(engine, clock, usual, 1)
        async with telling(engine, clock, settings):
            for times, pause_seconds in enumerate((5, 10, 20, 40, 60, 60), start=1):
                endpoint = await failed(engine, usual, times)
                least, most = JITTER
                assert least * pause_seconds <= endpoint.due_at - clock() <= most * pause_seconds
                assert len(receiver.heard) == times
                clock.now = endpoint.due_at
            await failed(engine, usual, 7)
            receiver.behaviour = says(OK)
            clock.now = (await endpoint_of(engine, usual)).due_at
            await nothing_waits(engine)
    assert (await endpoint_of(engine, usual)).failures == 0


async def test_what_is_given_up_stands_there_and_is_told_again_in_order_when_asked_for(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    settings = msgspec.structs.replace(FAST, callback_retry_seconds=1000.0, callback_give_up_seconds=3600.0)
    async with receiving(says(http("500 Internal Server Error"))) as receiver:
        await listen(engine, usual, receiver.url)
        old = await delivered(engine, clock, usual, 150)
        async with telling(engine, clock, settings):
            await failed(engine, usual, 1)
            clock.advance(3601)
            young = await delivered(engine, clock, usual, 2)
            # All that is too old goes at once, not a batch at a time.
            await failed(engine, usual, 2)
            rows = await rows_of(engine, usual)
            assert [row.standing for row in rows] == 150 * [Standing.GIVEN_UP] + 2 * [Standing.WAITING]
            assert rows[0].error == rows[149].error == "HTTP 500"
            receiver.behaviour = says(OK)
            receiver.heard.clear()
            clock.advance(3600)
            await nothing_waits(engine)
            assert receiver.sids == young
            endpoint = await endpoint_of(engine, usual)
            again = await engine.write(
                lambda tx: callbacks.replay(tx, endpoint, standing=Standing.GIVEN_UP, since=None, now=clock())
            )
            assert again == 150
            await nothing_waits(engine)
            assert receiver.sids == young + old


async def test_what_was_delivered_can_be_told_again_from_a_time_on(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        await delivered(engine, clock, usual, 1)
        clock.advance(100)
        since = clock()
        late = await delivered(engine, clock, usual, 3)
        async with telling(engine, clock):
            await nothing_waits(engine)
            receiver.heard.clear()
            endpoint = await endpoint_of(engine, usual)
            clock.advance(1)
            await engine.write(lambda tx: callbacks.replay(tx, endpoint, standing=None, since=since, now=clock()))
            await nothing_waits(engine)
    assert receiver.sids == late


async def test_who_is_removed_hears_no_more_until_there_is_another_address(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, "http://127.0.0.1:1/callback")
        [waiting] = await delivered(engine, clock, usual, 1)
        endpoint = await endpoint_of(engine, usual)
        clock.advance(100)

        def remove(tx: Connection) -> int:
            callbacks.disable_endpoint(tx, endpoint)
            return callbacks.give_up(tx, endpoint, waiting_since_before=clock(), now=clock(), error="removed")

        assert await engine.write(remove) == 1
        await delivered(engine, clock, usual, 1)
        assert await engine.read(callbacks.count_waiting) == {}
        await listen(engine, usual, receiver.url)
        clock.advance(1)
        await engine.write(
            lambda tx: callbacks.replay(tx, endpoint, standing=Standing.GIVEN_UP, since=None, now=clock())
        )
        async with telling(engine, clock):
            await nothing_waits(engine)
    assert receiver.sids == [waiting]


# --- servers beside each other ---


async def another_app(engine: Engine, usual: Usual) -> str:
    def add(tx: Connection) -> str:
        return accounts.add_app(tx, account_id=usual.account.account_id, name="another", now=1.0).sdk_app_id

    return await engine.write(add)


async def test_a_server_that_hangs_does_not_hold_up_another(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    app = await another_app(engine, usual)
    two_at_once = msgspec.structs.replace(PATIENT, callback_connections=2)
    async with receiving(hangs) as hanging, receiving() as working:
        await listen(engine, usual, hanging.url)
        await listen(engine, usual, working.url, app=app)
        await delivered(engine, clock, usual, 150)
        clock.advance(100)
        serials = await delivered(engine, clock, usual, 350, app=app)
        async with telling(engine, clock, two_at_once):
            await until(lambda: len(hanging.heard) == 1)
            await until(lambda: working.sids == serials)
            # All of that while the first push to the other one was still out.
            assert len(hanging.heard) == 1
            assert (await endpoint_of(engine, usual)).failures == 0


async def test_a_server_that_is_left_alone_holds_no_connection(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    app = await another_app(engine, usual)
    one_at_once = msgspec.structs.replace(FAST, callback_connections=1, callback_retry_seconds=1000.0)
    async with receiving(hangs) as hanging, receiving() as working:
        await listen(engine, usual, hanging.url)
        await listen(engine, usual, working.url, app=app)
        await delivered(engine, clock, usual, 1)
        async with telling(engine, clock, one_at_once):
            await failed(engine, usual, 1)
            clock.advance(100)
            serials = await delivered(engine, clock, usual, 150, app=app)
            await until(lambda: working.sids == serials)
            await until(lambda: hanging.open_connections == 0)
            assert len(hanging.heard) == 1


async def test_a_server_with_a_long_backlog_takes_turns_with_another(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    app = await another_app(engine, usual)
    one_at_once = msgspec.structs.replace(FAST, callback_connections=1)
    order: list[Receiver] = []
    async with receiving() as one, receiving() as other:
        for receiver in (one, other):

            async def note(_push: Push, writer: asyncio.StreamWriter, its: Receiver = receiver) -> None:
                order.append(its)
                writer.write(OK)
                # One turn lasts longer than another in the clock that orders them.
                clock.advance(1)

            receiver.behaviour = note
        await listen(engine, usual, one.url)
        await listen(engine, usual, other.url, app=app)
        await delivered(engine, clock, usual, 400)
        clock.advance(100)
        await delivered(engine, clock, usual, 400, app=app)
        async with telling(engine, clock, one_at_once):
            await nothing_waits(engine)
    assert len(order) == 8
    assert all(order[turn] is not order[turn + 1] for turn in range(7))


# --- processes that come and go ---


async def test_what_was_being_told_when_the_process_ended_is_told_again(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving(hangs) as receiver:
        await listen(engine, usual, receiver.url)
        serials = await delivered(engine, clock, usual, 2)
        # It is told to stop, and does not wait for the answer.
        async with telling(engine, clock, msgspec.structs.replace(PATIENT, drain_seconds=0.0)):
            await until(lambda: len(receiver.heard) == 1)
        receiver.behaviour = says(OK)
        async with telling(engine, clock):
            # As far as anybody can know, somebody else is telling it.
            await asyncio.sleep(0.1)
            assert len(receiver.heard) == 1
            clock.advance(PATIENT.callback_timeout_seconds + worker.CLAIM_SECONDS)
            await nothing_waits(engine)
    assert first_heard(receiver) == serials


async def test_a_process_that_is_alone_need_not_wait_for_the_claims_of_a_dead_one(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        serials = await delivered(engine, clock, usual, 2)
        await engine.write(
            lambda tx: callbacks.claim(tx, now=clock(), until=clock() + 1000, longest_wait_seconds=600, limit=1)
        )
        await engine.write(callbacks.end_claims)
        async with telling(engine, clock):
            await nothing_waits(engine)
    assert receiver.sids == serials


async def test_an_answer_that_comes_after_the_claim_ran_out_does_not_end_anothers_claim(
    engine: Engine, clock: Clock
) -> None:
    usual = await usual_account(engine)
    await listen(engine, usual, "http://127.0.0.1:1/callback")
    await delivered(engine, clock, usual, 1)

    def work(tx: Connection) -> Endpoint | None:
        [slow] = callbacks.claim(tx, now=clock(), until=clock() + 10, longest_wait_seconds=600, limit=1)
        clock.advance(11)
        [quick] = callbacks.claim(tx, now=clock(), until=clock() + 10, longest_wait_seconds=600, limit=1)
        callbacks.not_told(tx, slow, [], now=clock(), error="late", again_at=clock())
        callbacks.told(tx, slow, [], now=clock(), claimed_until=callbacks.UNCLAIMED)
        callbacks.let_go(tx, slow)
        assert callbacks.find_endpoint(tx, quick.kind, quick.owner) == quick
        return quick

    await engine.write(work)


async def test_a_store_that_was_away_for_a_moment_holds_up_no_server(
    engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = await usual_account(engine)
    read, failures = engine.read, iter([StoreUnavailable("gone")])

    async def read_or_fail(question: Callable[[Connection], T]) -> T:
        if failure := next(failures, None):
            raise failure
        return await read(question)

    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        serials = await delivered(engine, clock, usual, 1)
        monkeypatch.setattr(engine, "read", read_or_fail)
        # The claim would run out in a minute by a clock that stands still.
        async with telling(engine, clock):
            await until(lambda: receiver.sids == serials)


async def test_a_clock_that_is_set_back_holds_up_no_server(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    await listen(engine, usual, "http://127.0.0.1:1/callback")
    await delivered(engine, clock, usual, 1)

    def claim(tx: Connection) -> list[Endpoint]:
        return callbacks.claim(tx, now=clock(), until=clock() + 10, longest_wait_seconds=600, limit=1)

    def work(tx: Connection) -> None:
        [its] = claim(tx)
        callbacks.told(tx, its, [], now=clock(), claimed_until=callbacks.UNCLAIMED)
        clock.advance(-3600)
        [its] = claim(tx)
        callbacks.not_told(tx, its, [], now=clock(), error="late", again_at=clock() + 60)
        assert claim(tx) == []
        clock.advance(-3600)
        assert len(claim(tx)) == 1

    await engine.write(work)


async def test_two_processes_never_tell_one_server_at_once(
    postgres_settings: Callable[[], Awaitable[Settings]], clock: Clock
) -> None:
    settings = await postgres_settings()
    one, other = await open_store(settings), await open_store(settings)
    usual = await usual_account(one)
    at_once = most_at_once = 0

    async def take_your_time(_push: Push, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(most_at_once, at_once)
        await asyncio.sleep(0.01)
        at_once -= 1
        writer.write(OK)

    async with receiving(take_your_time) as receiver:
        await listen(one, usual, receiver.url)
        serials = await send(one, clock, usual, 400)
        async with telling(one, clock, PATIENT) as first, telling(other, clock, PATIENT) as second:
            for start in range(0, 400, 10):
                await end(one, serials[start : start + 10], at=clock())
                first.wake()
                second.wake()
            await nothing_waits(one)
    await one.close()
    await other.close()
    assert most_at_once == 1
    assert receiver.sids == serials


# --- what is kept ---


async def test_what_was_told_is_dropped_after_its_days_and_what_waits_is_not(engine: Engine, clock: Clock) -> None:
    usual = await usual_account(engine)
    async with receiving() as receiver:
        await listen(engine, usual, receiver.url)
        await delivered(engine, clock, usual, 2)
        async with telling(engine, clock):
            await nothing_waits(engine)
    clock.advance(100)
    [waiting] = await delivered(engine, clock, usual, 1)

    async def kept_after(days: float) -> tuple[int, int]:
        now = clock() + days * 86400
        await engine.write(lambda tx: forget_old(tx, now, settings=FAST))
        pulled: list[Any] = await engine.read(lambda tx: list(tx.execute(select(status_queue))))
        return len(await rows_of(engine, usual)), len(pulled)

    assert await kept_after(6.9) == (3, 3)
    assert await kept_after(7.1) == (1, 0)
    [row] = await rows_of(engine, usual)
    assert (row.standing, row.message_id) == (Standing.WAITING, id_of(waiting))
