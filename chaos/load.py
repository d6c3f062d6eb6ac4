"""Customers: they call, repeat what they may repeat, pull statuses, and have a server that is told of them."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from chaos.plan import Plan
from chaos.stage import MEMBERS, RECIPIENTS, SIGNATURE, Server, Stage, number_of
from cleartosend import tc3

CONTENT_TYPE = "application/json"
PATIENCE_SECONDS = 3.0
"""How long a customer waits for an answer."""
# Some of each call's numbers are none.
_NO_NUMBERS = ("12345", "+86138", "+8613700")
_KINDS = {"code": 5, "notice": 4, "long notice": 1, "marketing": 3}
"""What is sent, and how often of each."""


class Told(msgspec.Struct, frozen=True):
    """What a call was answered of one number."""

    number: str
    code: str
    serial: str


class Call(msgspec.Struct, kw_only=True):
    """A call to send, and what came of it."""

    token: str
    """Stands in the text of its messages, and in those of no other call."""
    kind: str
    numbers: list[str]
    key: str
    answer: list[Told] | None = None
    errors: list[str] = []
    unanswered: int = 0
    """How often it was made and nothing came back."""
    contradicted: bool = False
    """Whether it was made again, after it was answered, and answered otherwise."""


class Customer:
    """Everybody who calls, at once."""

    def __init__(self, plan: Plan, stage: Stage, server: Server, *, ahead_seconds: Callable[[], float]) -> None:
        self.calls: list[Call] = []
        self.pulled: list[dict[str, Any]] = []
        self.pulls_unanswered = 0
        self._plan = plan
        self._stage = stage
        self._server = server
        self._ahead_seconds = ahead_seconds
        """By how much the server's clock is ahead: a customer's clock is set like it."""
        self._http = httpx.AsyncClient(timeout=PATIENCE_SECONDS, trust_env=False)
        self._over = asyncio.Event()
        self._last_token = 100_000

    async def send_for(self, seconds: float) -> None:
        """Call, all callers at once, for so long; then see to what has to be repeated."""
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(self._caller(number, seconds)) for number in range(self._plan.callers)]
            puller = group.create_task(self._pull_for_ever())
            await asyncio.wait(callers)
            puller.cancel()

    def stop_repeating(self) -> None:
        self._over.set()

    async def close(self) -> None:
        await self._http.aclose()

    async def _caller(self, number: int, seconds: float) -> None:
        dice = random.Random(f"{self._plan.seed}:caller:{number}")
        while self._server.up_seconds() < seconds:
            call = self._draw(dice)
            self.calls.append(call)
            await self._make(call)
            if call.key:
                while call.answer is None and not self._over.is_set():
                    await asyncio.sleep(0.1)
                    await self._make(call)
                if dice.random() < 0.2:
                    await self._make(call)
            await asyncio.sleep(dice.uniform(0, 0.06))

    def _draw(self, dice: random.Random) -> Call:
        [kind] = dice.choices([*_KINDS], [*_KINDS.values()])
        count = dice.choice((1, 1, 1, 1, 1, 1, 2, 5, 20, dice.randint(50, 180)))
        if kind == "code":
            count = min(count, 2)
        # Some who are no members as well, whom marketing must not reach.
        among = MEMBERS + 100 if kind == "marketing" else RECIPIENTS
        numbers = [number_of(recipient) for recipient in dice.sample(range(among), count)]
        if dice.random() < 0.1:
            numbers.append(dice.choice(_NO_NUMBERS))
        self._last_token += 1
        key = f"call-{self._last_token}" if dice.random() < 0.4 else ""
        return Call(token=str(self._last_token), kind=kind, numbers=numbers, key=key)

    async def _make(self, call: Call) -> None:
        body = {
            "SmsSdkAppId": self._stage.account.sdk_app_id,
            "SignName": SIGNATURE,
            "TemplateId": self._stage.templates[call.kind],
            "TemplateParamSet": [call.token],
            "PhoneNumberSet": call.numbers,
            "SessionContext": call.token,
        }
        said = await self._post("SendSms", body, key=call.key)
        if said is not None and said.get("Error", {}).get("Code") == "AuthFailure.SignatureExpire":
            # The clock was set while the call was on its way: signed anew, it is in time.
            said = await self._post("SendSms", body, key=call.key)
        if said is None:
            call.unanswered += 1
        elif "Error" in said:
            call.errors.append(said["Error"]["Code"])
        else:
            answer = [Told(one["PhoneNumber"], one["Code"], one["SerialNo"]) for one in said["SendStatusSet"]]
            call.contradicted |= call.answer not in (None, answer)
            call.answer = answer

    async def _pull_for_ever(self) -> None:
        while True:
            await asyncio.sleep(0.3)
            await self.pull()

    async def pull(self) -> int:
        """Take some statuses; how many came."""
        said = await self._post("PullSmsSendStatus", {"SmsSdkAppId": self._stage.account.sdk_app_id, "Limit": 100})
        if said is None or "Error" in said:
            self.pulls_unanswered += said is None
            return 0
        statuses = said["PullSmsSendStatusSet"]
        self.pulled += statuses
        return len(statuses)

    async def _post(self, action: str, fields: dict[str, Any], *, key: str = "") -> dict[str, Any] | None:
        """What the server answered; None: nothing."""
        host = self._server.endpoint
        if not host:
            await asyncio.sleep(0.05)
            return None
        body = msgspec.json.encode(fields)
        account, seconds = self._stage.account, int(time.time() + self._ahead_seconds())
        headers = {
            "Content-Type": CONTENT_TYPE,
            "X-TC-Action": action,
            "X-TC-Version": "2021-01-11",
            "X-TC-Timestamp": str(seconds),
            "Authorization": tc3.authorization(
                body,
                host=host,
                content_type=CONTENT_TYPE,
                service="sms",
                secret_id=account.secret_id,
                secret_key=account.secret_key,
                seconds=seconds,
            ),
        }
        if key:
            headers["Idempotency-Key"] = key
        try:
            answer = await self._http.post(f"http://{host}/", content=body, headers=headers)
            response: dict[str, Any] = answer.json()["Response"]
        except (httpx.HTTPError, ValueError, KeyError):
            return None
        return response


class CallbackServer:
    """A customer's own server: it is told of statuses, and fails now and then."""

    def __init__(self, seed: int) -> None:
        self.told: list[tuple[str, str]] = []
        """Serial numbers and what became of them, in the order in which they came, repeated ones as well."""
        self._dice = random.Random(f"{seed}:callbacks")
        self._calm = False
        self._server: asyncio.Server | None = None

    async def start(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/statuses"

    def calm(self) -> None:
        self._calm = True

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
            statuses = msgspec.json.decode(await reader.readexactly(length))
            fate = 1.0 if self._calm else self._dice.random()
            if fate >= 0.1:
                # Whatever is then answered, or lost of the answer, these have been told.
                self.told += [(one["sid"], one["errmsg"]) for one in statuses]
            if fate >= 0.15:
                said = b'{"result": 0, "errmsg": "OK"}'
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(said), said)
                )
            elif fate < 0.05:
                writer.write(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()
