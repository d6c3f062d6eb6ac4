"""A service in front of another: what it accepts is sent there, and what becomes of it there becomes of it here."""

import json
from pathlib import Path

import httpx
import msgspec
import pytest
from carriers.chained import CALLBACK_SECRET, NAME, Chain, chained, house, link_to, numbers, plans, until
from carriers.test_dispatch import ENDS
from sqlalchemy import Connection
from usual import Clock, change_settings, reasons

from cleartosend.carriers import upstream
from cleartosend.carriers.upstream import UpstreamCarrier
from cleartosend.model.carriers import SmppLink
from cleartosend.model.messages import MessageState, Party, Receipt, ReceiptStatus, serial_no
from cleartosend.model.reasons import Reason
from cleartosend.settings import BadSettings
from cleartosend.store import callbacks, receipts, replies, timeline
from cleartosend.store.callbacks import CallbackKind, name_of_secret
from cleartosend.store.replies import ReplyRecord

SECRET = "whsec_" + "c2VjcmV0" * 4
TAKEN = {"result": 0, "errmsg": "OK"}
REPLIES_R = "+8613700099013"


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def call_back(chain: Chain) -> None:
    """From now on the second tells the first by itself."""
    account, vault = chain.known_as.account, chain.second.platform.vault
    addresses = {
        (CallbackKind.STATUS, account.sdk_app_id): "status",
        (CallbackKind.REPLY, str(account.account_id)): "reply",
    }

    def set_endpoints(tx: Connection) -> None:
        for (kind, owner), word in addresses.items():
            callbacks.set_endpoint(
                tx,
                kind=kind,
                owner=owner,
                account_id=account.account_id,
                url=f"{chain.first.endpoint}/carriers/{NAME}/{CALLBACK_SECRET}/{word}",
                sealed_secret=vault.seal(SECRET, name=name_of_secret(kind, owner)),
                now=1.0,
            )

    await chain.second.platform.engine.write(set_endpoints)


async def the_reply(chain: Chain) -> tuple[str, str]:
    """Text and extension code of the one reply that the first has taken, once it has."""
    taken: list[ReplyRecord] = []

    async def has_come() -> bool:
        queue = chain.caller.account.sdk_app_id
        taken.extend(await chain.first.platform.engine.write(lambda tx: replies.take(tx, queue, 10)))
        return bool(taken)

    await until(has_come)
    [reply] = taken
    return reply.text, reply.extension_code


async def may_be_sent_to(chain: Chain, number: str) -> list[Reason | None]:
    return reasons(await chain.first.platform.admission.accept(chain.caller.call(number, values=["9", "5"])))


async def test_each_end_of_a_message_there_is_its_end_here(tmp_path: Path, sqlite_template: Path, clock: Clock) -> None:
    async with chained(tmp_path, sqlite_template, clock) as chain:
        await chain.send(*(f"+86137000{ending}" for ending, *_end in ENDS))
        ended = await chain.first.ended(len(ENDS))
        assert [(message.number[-5:], message.state, message.code, message.party) for message in ended] == ENDS
        # They went there in one call, in the very words, by the name that the template has there.
        [there, *_others] = await chain.second.messages()
        assert await chain.second.calls() == 1
        told = await chain.second.platform.engine.read(lambda tx: timeline.of(tx, there.id))
        here = await chain.first.platform.engine.read(lambda tx: timeline.of(tx, ended[0].id))
        assert told is not None
        assert here is not None
        assert (told.message.text, told.message.template_id) == (here.message.text, chain.known_as.code)
        assert told.message.session_context == f"{ended[0].id}.1+{len(ENDS) - 1}"


async def test_what_is_called_back_ends_messages_and_brings_replies(
    tmp_path: Path, sqlite_template: Path, clock: Clock
) -> None:
    async with chained(tmp_path, sqlite_template, clock, pull=False, callback_secret=CALLBACK_SECRET) as chain:
        await call_back(chain)
        delivered, failed = "+8613711112222", "+8613700099003"
        await chain.send(delivered, failed, REPLIES_R)
        ended = {message.number: (message.state, message.code) for message in await chain.first.ended(3)}
        assert ended == {
            delivered: (MessageState.DELIVERED, "DELIVRD"),
            failed: (MessageState.FAILED, "MK:0000"),
            REPLIES_R: (MessageState.DELIVERED, "DELIVRD"),
        }

        assert await the_reply(chain) == ("R", "")
        clock.advance(31)
        assert await may_be_sent_to(chain, REPLIES_R) == [Reason.OPTED_OUT]


async def test_a_reply_that_is_pulled_takes_the_number_off(tmp_path: Path, sqlite_template: Path, clock: Clock) -> None:
    async with chained(tmp_path, sqlite_template, clock) as chain:
        for platform, account in ((chain.first.platform, chain.caller), (chain.second.platform, chain.known_as)):
            await change_settings(platform.engine, account, extension_codes_allowed=True)
        await chain.send(REPLIES_R, extension_code="07")
        assert await the_reply(chain) == ("R", "07")
        clock.advance(31)
        assert await may_be_sent_to(chain, REPLIES_R) == [Reason.OPTED_OUT]


async def test_two_hundred_numbers_go_on_in_one_call_and_a_status_not_known_yet_is_put_right_later(
    tmp_path: Path, sqlite_template: Path, clock: Clock
) -> None:
    async with chained(tmp_path, sqlite_template, clock) as chain:
        *most, silent = [*numbers(199), "+8613700099011"]
        await chain.send(*most, silent)
        await chain.first.ended(199)
        assert await chain.second.calls() == 1
        # There, nobody reports on the last in time; here, it may still be reported on.
        clock.advance(3601)
        [its] = [message for message in await chain.first.ended(200) if message.number == silent]
        assert (its.state, its.code, its.party) == (MessageState.UNKNOWN, "NORECEIPT", Party.CARRIER)
        [there] = [message for message in await chain.second.messages() if message.number == silent]
        await chain.second.platform.receipts.take(
            [
                Receipt(
                    carrier="simulator",
                    carrier_id=f"{there.id:x}",
                    status=ReceiptStatus.DELIVERED,
                    code="DELIVRD",
                    at=clock(),
                )
            ]
        )

        async def is_delivered() -> bool:
            [its] = [message for message in await chain.first.messages() if message.number == silent]
            return its.state is MessageState.DELIVERED

        await until(is_delivered)


async def test_what_the_first_refuses_never_reaches_the_second(
    tmp_path: Path, sqlite_template: Path, clock: Clock
) -> None:
    async with chained(tmp_path, sqlite_template, clock) as chain:
        for refused in (
            chain.caller.call("+8613711112222", template=chain.caller.notice, values=["加微信abc123贷款"]),
            chain.caller.call("+8613711113333", template=chain.caller.marketing),
        ):
            assert reasons(await chain.first.platform.admission.accept(refused)) != [None]
        await chain.send("+8613711114444")
        await chain.first.ended(1)
        assert [message.number for message in await chain.second.messages()] == ["+8613711114444"]


async def test_a_template_that_is_not_named_goes_nowhere(tmp_path: Path, sqlite_template: Path, clock: Clock) -> None:
    planned = await plans(tmp_path, sqlite_template)
    async with (
        house(planned.second, clock) as second,
        house(planned.before(second, templates={planned.caller.code: planned.known_as.code}), clock) as first,
    ):
        await planned.chain(first, second).send("+8613711112222", template=planned.caller.notice)
        [refused] = await first.ended(1)
        assert (refused.state, refused.code, refused.party) == (MessageState.FAILED, "TEMPLATE_NOT_MAPPED", Party.US)
        assert await second.messages() == []


async def test_a_refusal_there_ends_a_message_or_puts_it_off_as_its_code_says(
    tmp_path: Path, sqlite_template: Path, clock: Clock
) -> None:
    number = "+8613711112222"
    # The notice goes by a number that nothing has there.
    planned = await plans(tmp_path, sqlite_template)
    mapped = {planned.caller.code: planned.known_as.code, planned.caller.notice: "999"}
    async with (
        house(planned.second, clock) as second,
        house(planned.before(second, templates=mapped), clock) as first,
    ):
        chain = planned.chain(first, second)
        await change_settings(
            first.platform.engine, chain.caller, same_content_per_30_seconds=None, per_number_per_day=None
        )
        await chain.send(number, template=chain.caller.notice)
        [unknown] = await first.ended(1)
        assert (unknown.state, unknown.party) == (MessageState.FAILED, Party.US)
        assert unknown.code == "FailedOperation.TemplateIncorrectOrUnapproved"

        # The same text twice in 30 seconds: the first lets it pass, and the second does not yet.
        await chain.send(number)
        await first.ended(2)
        await chain.send(number)

        async def is_put_off() -> bool:
            return "LimitExceeded.DeliveryFrequencyLimit" in await first.attempts()

        await until(is_put_off)
        clock.advance(31)
        assert (await first.ended(3))[-1].state is MessageState.DELIVERED


async def test_under_a_wrong_key_messages_wait_until_somebody_puts_it_right(
    tmp_path: Path, sqlite_template: Path, clock: Clock
) -> None:
    planned = await plans(tmp_path, sqlite_template)
    (tmp_path / "key").write_text(planned.known_as.account.secret_key + "\nthe old one\n")
    async with house(planned.second, clock) as second:
        async with house(planned.before(second, secret_key="wrong"), clock) as first:
            await planned.chain(first, second).send("+8613711112222")

            async def is_refused() -> bool:
                return "AuthFailure.SignatureFailure" in await first.attempts()

            await until(is_refused)
            assert [message.state for message in await first.messages()] == [MessageState.ACCEPTED]
        right = planned.before(second, secret_key="", secret_key_file=str(tmp_path / "key"))
        async with house(right, clock) as first:
            assert [message.state for message in await first.ended(1)] == [MessageState.DELIVERED]


async def test_nothing_is_lost_while_the_second_is_away(
    tmp_path: Path, sqlite_template: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "LEAST_SECONDS_BETWEEN_ATTEMPTS", 0.05)
    planned = await plans(tmp_path, sqlite_template)
    async with house(planned.second, clock) as second:
        port = second.port
        settings = planned.before(second)
    async with house(settings, clock) as first:
        await planned.chain(first, second).send(*numbers(20))

        async def is_down() -> bool:
            first.platform.dispatch.wake()
            return not first.carrier.is_up()

        await until(is_down)
        assert {message.state for message in await first.messages()} == {MessageState.ACCEPTED}
        async with house(planned.second, clock, port=port):
            ended = await first.ended(20)
    assert [message.state for message in ended] == [MessageState.DELIVERED] * 20


async def test_a_push_is_taken_once_it_is_kept_and_from_nobody_who_does_not_know_the_address(
    tmp_path: Path, sqlite_template: Path, clock: Clock
) -> None:
    async with chained(tmp_path, sqlite_template, clock, pull=False, callback_secret=CALLBACK_SECRET) as chain:
        await chain.send("+8613711112222")
        [there] = await chain.second.ended(1)
        serial = serial_no(there.id, international=False)
        status = {
            "user_receive_time": "2026-03-02 12:00:07",
            "nationcode": "86",
            "mobile": "13711112222",
            "report_status": "SUCCESS",
            "errmsg": "DELIVRD",
            "description": "",
            "sid": serial,
            "ext": "",
        }
        early = status | {"sid": serial_no(there.id + 1, international=False)}
        body = json.dumps([status, early]).encode()
        at = f"{chain.first.endpoint}/carriers/{NAME}/{CALLBACK_SECRET}/status"
        async with httpx.AsyncClient(trust_env=False) as client:

            async def pushed(url: str, body: bytes, method: str = "POST") -> int:
                return (await client.request(method, url, content=body)).status_code

            guessed = CALLBACK_SECRET[:-1]
            for nowhere in (
                at.replace(CALLBACK_SECRET, guessed),
                at.replace(f"{CALLBACK_SECRET}/", ""),
                at.replace(NAME, "unicom"),
                at.replace("status", "statuses"),
                f"{at}/more",
            ):
                assert await pushed(nowhere, body) == 404
            assert await pushed(at, body, "GET") == 404
            assert await pushed(at, b"no JSON") == 400
            assert await pushed(at, b'[{"sid": 7}]') == 400
            assert await pushed(at, b"[" * 100_000) == 400
            assert await pushed(at, b" " * (1 << 21)) == 413
            assert [message.state for message in await chain.first.messages()] == [MessageState.SUBMITTED]

            for _ in range(2):
                answer = await client.post(at, content=body)
                assert (answer.status_code, answer.json()) == (200, TAKEN)
        [message] = await chain.first.messages()
        assert (message.state, message.ended_at) == (MessageState.DELIVERED, clock() + 7)
        # What is not known yet waits for its message.
        assert await chain.first.platform.engine.read(receipts.count_parked) == 1


async def test_without_a_secret_there_is_no_address(tmp_path: Path, sqlite_template: Path, clock: Clock) -> None:
    async with chained(tmp_path, sqlite_template, clock) as chain, httpx.AsyncClient(trust_env=False) as client:
        assert isinstance(chain.first.carrier, UpstreamCarrier)
        answer = await client.post(f"{chain.first.endpoint}/carriers/{NAME}//status", content=b"[]")
    assert answer.status_code == 404


async def test_a_key_that_cannot_be_read_is_told_at_the_start(
    tmp_path: Path, sqlite_template: Path, clock: Clock
) -> None:
    planned = await plans(tmp_path, sqlite_template)
    nowhere = str(tmp_path / "none")
    key = link_to("http://127.0.0.1:9", planned.known_as, planned.caller, secret_key="", secret_key_file=nowhere)
    password = SmppLink(name=NAME, host="127.0.0.1", port=9, system_id="cts", password_file=nowhere)
    for link in (key, password):
        with pytest.raises(BadSettings, match=f"`{NAME}`: .*No such file.*{nowhere}"):
            async with house(msgspec.structs.replace(planned.first, carriers=(link,)), clock):
                pass
