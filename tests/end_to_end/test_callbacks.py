"""A customer's server hears every status of a real process, whichever of the two dies."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from delivery.receiver import Receiver, hangs, http, says, until
from end_to_end.served import ENOUGH_SECONDS, Caller, Server, cleartosend, serving

NOTICE = "您的订单{1}已发货，请留意查收。"
ON_LOOPBACK = {
    "CLEARTOSEND_CALLBACK_NETWORKS": "127.0.0.0/8",
    "CLEARTOSEND_CALLBACK_RETRY_SECONDS": "0.2",
    "CLEARTOSEND_CALLBACK_RETRY_MOST_SECONDS": "0.2",
}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Serve a customer on loopback; what the test waits for must not run in its own thread."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()


@pytest.fixture(autouse=True)
def loopback_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands obey the same setting as the server."""
    for name, value in ON_LOOPBACK.items():
        monkeypatch.setenv(name, value)


async def command(*arguments: str, data: Path, check: bool = True) -> Any:
    return await asyncio.to_thread(cleartosend, "callback", *arguments, data=data, check=check)


async def listed(data: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await command("list", "--json", data=data)).stdout.splitlines()]


async def all_is_taken(data: Path) -> None:
    """Until it is known of everything that the customer's server has taken it."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        while any(its["waiting"] for its in await listed(data)):
            await asyncio.sleep(0.01)


async def sender(server: Server) -> tuple[Caller, Callable[[int], Any]]:
    """An account, and a function by which it sends to so many numbers; each number once."""

    def prepare() -> tuple[Caller, str]:
        caller = server.create_account()
        caller.add_sign()
        return caller, caller.add_template(NOTICE)

    caller, template_id = await asyncio.to_thread(prepare)
    numbers = iter(range(10_000_000, 20_000_000))

    async def send(count: int) -> list[str]:
        to = [f"+86137{next(numbers)}" for _ in range(count)]
        sent = await asyncio.to_thread(caller.send, template_id, ["8841"], to, SessionContext="order 8841")
        assert {one.Code for one in sent} == {"Ok"}
        return [one.SerialNo for one in sent]

    return caller, send


async def test_a_customer_is_told_from_the_command_line_on(tmp_path: Path, receiver: Receiver) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        caller, send = await sender(server)
        app = ("--app", caller.sdk_app_id)
        made = json.loads((await command("set", *app, "--url", receiver.url, "--json", data=data)).stdout)
        assert made["secret"].startswith("whsec_")
        tested = await command("test", *app, data=data)
        assert "HTTP 200" in tested.stdout
        receiver.heard.pop().verified(made["secret"])

        serials = await send(150)
        await until(lambda: set(serials) == set(receiver.sids))
        [status, *_] = receiver.heard[0].verified(made["secret"])
        assert (status["report_status"], status["errmsg"], status["ext"]) == ("SUCCESS", "DELIVRD", "order 8841")

        # The address changes, and what is known of its secret stays.
        moved = json.loads((await command("set", *app, "--url", f"{receiver.url}/2", "--json", data=data)).stdout)
        assert "secret" not in moved
        [serial] = await send(1)
        await until(lambda: serial in receiver.sids)
        receiver.heard[-1].verified(made["secret"])

        await all_is_taken(data)
        receiver.heard.clear()
        assert (await command("replay", *app, "--all", data=data)).stdout == "151 wait again\n"
        await until(lambda: len(receiver.sids) == 151)
        shown = (await command("show", *app, "--limit", "1", data=data)).stdout
        assert serial in shown
        [its] = await listed(data)
        assert (its["failures"], its["given_up"], its["enabled"]) == (0, 0, True)
        await command("remove", *app, data=data)
        assert (await command("test", *app, data=data, check=False)).returncode == 1


async def test_a_reply_is_told_to_its_account(tmp_path: Path, receiver: Receiver) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        caller, _send = await sender(server)
        whose = ("--account", str(caller.account_id), "--replies")
        await command("set", *whose, "--url", receiver.url, data=data)

        def send_to_one_who_answers() -> None:
            template_id = caller.add_template("您的包裹{1}已到站，请及时领取。")
            [sent] = caller.send(template_id, ["8841"], ["+8613700099013"])
            assert sent.Code == "Ok"

        await asyncio.to_thread(send_to_one_who_answers)
        await until(lambda: bool(receiver.heard))
    reply = json.loads(receiver.heard[0].body)
    assert (reply["nationcode"], reply["mobile"], reply["sign"]) == ("86", "13700099013", "清风书店")
    assert reply["text"] == "R"


async def test_nothing_is_lost_when_we_are_killed_while_the_customer_is_told(
    tmp_path: Path, receiver: Receiver
) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        caller, send = await sender(server)
        await command("set", "--app", caller.sdk_app_id, "--url", receiver.url, data=data)
        receiver.behaviour = hangs
        serials = await send(200)
        await until(lambda: bool(receiver.heard))
        server.kill()
    receiver.behaviour = says(http("200 OK", b'{"result": 0}'))
    with serving(data):
        await until(lambda: set(serials) == set(receiver.sids))


async def test_nothing_is_lost_when_both_are_killed_again_and_again(tmp_path: Path, receiver: Receiver) -> None:
    data = tmp_path / "data"
    serials: list[str] = []
    with serving(data) as server:
        caller, send = await sender(server)
        await command("set", "--app", caller.sdk_app_id, "--url", receiver.url, data=data)
        for _ in range(2):
            serials += await send(100)
        await receiver.stop()
        serials += await send(100)
        server.kill()
    await receiver.start()
    with serving(data) as server:
        caller.moved_to(server.endpoint)
        serials += await send(100)
        server.kill()
    with serving(data):
        await until(lambda: set(serials) == set(receiver.sids))


async def test_a_private_address_is_refused_when_it_is_set(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLEARTOSEND_CALLBACK_NETWORKS")
    data = tmp_path / "data"
    await asyncio.to_thread(cleartosend, "account", "create", "清风书店", "--kind", "organization", data=data)
    for url in (receiver.url, "http://169.254.169.254/", "http://2130706433/", "ftp://example.com/"):
        said = await command("set", "--app", "1400000001", "--url", url, data=data, check=False)
        assert said.returncode == 1
        assert "is not permitted" in said.stderr
    assert await listed(data) == []


async def test_networks_that_are_none_keep_the_server_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLEARTOSEND_CALLBACK_NETWORKS", "loopback")
    said = await asyncio.to_thread(cleartosend, "serve", "--port", "0", data=tmp_path / "data", check=False)
    assert said.returncode == 2
    assert "callback_networks: 'loopback' does not appear to be" in said.stderr
    assert "Traceback" not in said.stderr
