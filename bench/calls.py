"""What a call costs, in CPU time on one core, beside the budgets of the design; `make bench` runs it."""

import asyncio
import contextlib
import gc
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import Connection
from tencentcloud.common.sign import Sign

from cleartosend import __version__
from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.signing import Request, read_claim, verify
from cleartosend.cli.account import NewAccount, create_account
from cleartosend.compose import Platform, running_platform
from cleartosend.model.accounts import AccountKind, AccountSettings
from cleartosend.model.applications import SignatureForm, TemplateForm
from cleartosend.model.messages import Parcel, Receipt, ReceiptStatus, Reply
from cleartosend.model.verdicts import Decision, MessageType, Part, Submission
from cleartosend.ports import NotSubmitted, Submitted
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.store import accounts
from cleartosend.telemetry import set_up_logging

REPEATS = 5
HOST = "127.0.0.1:8080"
SIGNATURE = "清风书店"
TEMPLATE = "尊敬的读者，您订购的图书{1}已于今日由{2}发出，预计{3}天内送达，请保持电话畅通并留意查收，祝您阅读愉快。"
VALUES = ["8841", "顺丰", "3"]
LONG = TEMPLATE * 5
CALLERS = 32


def main() -> None:
    set_up_logging("json", least=50)
    print(
        f"cleartosend {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}"
    )
    print(f"{'':52}{'CPU µs':>10}{'budget':>10}")
    bench_signature_check()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(bench_platform())
    bench_process()


def report(what: str, microseconds: float, budget: float | None = None, note: str = "") -> None:
    """One line of the table."""
    shown = "" if budget is None else f"{budget:.0f}"
    print(f"{what:52}{microseconds:10.1f}{shown:>10}  {note}".rstrip())


def cpu_microseconds(work: Callable[[int], object], times: int) -> float:
    """CPU time of one `work`, the least of several runs: what else the machine does only ever adds."""
    best = float("inf")
    for _ in range(REPEATS):
        gc.collect()
        started = time.process_time()
        for turn in range(times):
            work(turn)
        best = min(best, (time.process_time() - started) / times)
    return best * 1e6


# --- signature check ---


def signed(body: bytes, secret_id: str, secret_key: str, now: float) -> dict[bytes, bytes]:
    """The headers that the vendor's SDK would send with this body."""
    timestamp = str(int(now))
    date = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%d")
    scope = f"{date}/sms/tc3_request"
    headers = {"content-type": "application/json", "host": HOST}
    canonical = "\n".join(
        [
            "POST",
            "/",
            "",
            "".join(f"{name}:{value}\n" for name, value in headers.items()),
            "content-type;host",
            _sha256(body),
        ]
    )
    text = "\n".join(["TC3-HMAC-SHA256", timestamp, scope, _sha256(canonical.encode())])
    signature = Sign.sign_tc3(secret_key, date, "sms", text)
    headers["authorization"] = (
        f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders=content-type;host, Signature={signature}"
    )
    headers |= {"x-tc-action": "SendSms", "x-tc-version": "2021-01-11", "x-tc-timestamp": timestamp}
    return {name.encode(): value.encode() for name, value in headers.items()}


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def bench_signature_check() -> None:
    now = time.time()
    body = json.dumps({"PhoneNumberSet": ["+8613711112222"], "TemplateParamSet": VALUES}).encode()
    headers = signed(body, "AKIDbench", "key", now)
    request = Request(method=b"POST", query=b"", headers=headers, body=body)

    def check(_turn: int) -> None:
        claim = read_claim(request)
        assert not isinstance(claim, Fault)
        assert verify(request, claim, secret_key="key", now=now) is None  # noqa: S106 - opens nothing

    report("signature check, the day's key cached", cpu_microseconds(check, 5000), 5)


# --- the running platform ---


class IdleCarrier:
    """Takes everything and reports nothing, so that only accepting is measured."""

    name = "idle"

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        pass

    def is_up(self) -> bool:
        return True

    def submit(self, parcel: Parcel) -> asyncio.Future[Submitted | NotSubmitted]:  # noqa: ARG002 - nothing is done
        return asyncio.get_running_loop().create_future()

    async def stop(self) -> None:
        pass


class InstantCarrier(IdleCarrier):
    """Takes everything at once, and reports on it when told to."""

    def __init__(self) -> None:
        self._taken: list[str] = []
        self._on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]]

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],  # noqa: ARG002 - nobody replies
    ) -> None:
        self._on_receipts = on_receipts

    def submit(self, parcel: Parcel) -> asyncio.Future[Submitted | NotSubmitted]:
        answer: asyncio.Future[Submitted | NotSubmitted] = asyncio.get_running_loop().create_future()
        carrier_id = f"{parcel.message_id:x}"
        self._taken.append(carrier_id)
        answer.set_result(Submitted((carrier_id,)))
        return answer

    async def report(self, at_once: int) -> None:
        """Everything was delivered: so many receipts a read."""
        now = time.time()
        said = [
            Receipt(carrier=self.name, carrier_id=one, status=ReceiptStatus.DELIVERED, code="DELIVRD", at=now)
            for one in self._taken
        ]
        self._taken.clear()
        for start in range(0, len(said), at_once):
            await self._on_receipts(said[start : start + at_once])


async def bench_platform() -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), drain_seconds=0.1)
        async with running_platform(settings, carrier=IdleCarrier()) as running:
            bench_judge(running)
            account, template_id = await make_ready(running)
            call = Calls(running, account, template_id)
            accepting: dict[int, float] = {}
            for numbers, callers, times, budget in ((1, CALLERS, 150, 125), (1, 1, 500, None), (200, 4, 8, 30)):
                best, rate = await call.cost(numbers, callers, times)
                what = f"SendSms, {numbers} number{'s' * (numbers > 1)}, durable, {callers} at once, a message"
                report(what, best, budget, f"{rate:,.0f}/s")
                if callers > 1:
                    accepting[numbers] = best
    with tempfile.TemporaryDirectory() as folder:
        carrier = InstantCarrier()
        async with running_platform(Settings(data=Path(folder), window=1000), carrier=carrier) as running:
            account, template_id = await make_ready(running)
            call = Calls(running, account, template_id)
            for numbers, callers, times in ((1, CALLERS, 150), (200, 4, 8)):
                settling: list[float] = []

                async def settle(settling: list[float] = settling, at_once: int = callers) -> None:
                    started = time.process_time()
                    await carrier.report(max(at_once, 32))
                    settling.append(time.process_time() - started)

                best, rate = await call.cost(numbers, callers, times, then=settle)
                called = f"{numbers} number{'s' * (numbers > 1)} a call"
                report(f"handed to a carrier, its answer kept, {called}", best - accepting[numbers])
                report(f"a receipt to a status, {called}", min(settling) / (numbers * callers * times) * 1e6, 30)
                note = f"{rate:,.0f}/s, without HTTP and without SMPP"
                settled = best + min(settling) / (numbers * callers * times) * 1e6
                report(f"from the call to the status, {called}", settled, None, note)


def bench_judge(running: Platform) -> None:
    def judged(text: str, **differs: Any) -> Callable[[int], object]:
        submission = Submission(text=text, type=MessageType.NOTIFICATION, **differs)
        assert running.judge(submission).decision is Decision.APPROVE, running.judge(submission)
        return lambda _turn: running.judge(submission)

    report(f"judge a template of {len(TEMPLATE)} characters", cpu_microseconds(judged(TEMPLATE), 2000), 120)
    long = "".join(f"{{{n}}}" if piece is None else piece for n, piece in enumerate(_pieces(LONG), start=1))
    report(f"judge a text of {len(long)} characters", cpu_microseconds(judged(long), 1000), 200)
    message = "尊敬的读者，您订购的图书8841已于今日由顺丰发出，预计3天内送达，请保持电话畅通并留意查收，祝您阅读愉快。"
    spans = tuple((start, start + len(value)) for value in VALUES if (start := message.index(value)))
    report(
        f"judge a rendered message of {len(message)} characters",
        cpu_microseconds(judged(message, part=Part.MESSAGE, values=spans), 2000),
        30,
    )


def _pieces(text: str) -> Iterator[str]:
    """The text without its variables: repeated, their numbers would be out of order."""
    for variable in ("{1}", "{2}", "{3}"):
        text = text.replace(variable, "若干")
    yield text


async def make_ready(running: Platform) -> tuple[NewAccount, str]:
    """An account with an approved signature and template, by the way every applicant goes."""

    def create(tx: Connection) -> NewAccount:
        made = create_account(
            tx, name=SIGNATURE, kind=AccountKind.ORGANIZATION, verified=True, vault=running.vault, now=time.time()
        )
        # As fast as it goes, and not as fast as one account usually may.
        accounts.set_settings(tx, made.account_id, AccountSettings(requests_per_second={"SendSms": 1_000_000}))
        return made

    made = await running.engine.write(create)
    account = await running.engine.read(lambda tx: accounts.find(tx, made.account_id))
    assert account is not None
    picture = b"\x89PNG\r\n\x1a\n" + bytes(16)
    signature = SignatureForm(
        text=SIGNATURE, sign_type=0, document_type=0, international=False, for_another=False, proof_image=picture
    )
    template = TemplateForm(name="bench", text=TEMPLATE, type=MessageType.NOTIFICATION, international=False)
    await running.applications.apply(account, signature)
    return made, str(await running.applications.apply(account, template))


class Calls:
    """Signed calls to the door, each to numbers that no call before it had."""

    def __init__(self, running: Platform, account: NewAccount, template_id: str) -> None:
        self._running = running
        self._account = account
        self._template_id = template_id
        self._next_number = int(time.time() * 1000) % 10**8

    async def cost(
        self, numbers: int, callers: int, times: int, *, then: Callable[[], Awaitable[None]] | None = None
    ) -> tuple[float, float]:
        """CPU µs and messages a second of the best run, until nothing waits for a carrier; what follows is apart."""
        best, rate = float("inf"), 0.0
        for _ in range(REPEATS):
            groups = [[self._call(numbers) for _ in range(callers)] for _ in range(times)]
            gc.collect()
            started, since = time.process_time(), time.perf_counter()
            for group in groups:
                await asyncio.gather(*(self._make(scope, body) for scope, body in group))
            if then is not None:
                while await self._running.engine.read(spool.depth):
                    await asyncio.sleep(0.005)
            count = numbers * callers * times
            best = min(best, (time.process_time() - started) / count)
            rate = max(rate, count / (time.perf_counter() - since))
            if then is not None:
                await then()
        return best * 1e6, rate

    def _call(self, numbers: int) -> tuple[dict[str, Any], bytes]:
        first, self._next_number = self._next_number, self._next_number + numbers
        body = json.dumps(
            {
                # None ends in 99xxx, for which the simulator has its own ideas.
                "PhoneNumberSet": [f"+86139{number % 10**7:07}5" for number in range(first, first + numbers)],
                "SmsSdkAppId": self._account.sdk_app_id,
                "SignName": SIGNATURE,
                "TemplateId": self._template_id,
                "TemplateParamSet": VALUES,
            }
        ).encode()
        headers = signed(body, self._account.secret_id, self._account.secret_key, time.time())
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/",
            "query_string": b"",
            "headers": [*headers.items(), (b"content-length", str(len(body)).encode())],
        }
        return scope, body

    async def _make(self, scope: dict[str, Any], body: bytes) -> None:
        answers: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(answer: Any) -> None:
            answers.append(answer)

        await self._running.door(scope, receive, send)
        accepted = answers[-1]["body"].count(b'"Code":"Ok"')
        assert accepted == body.count(b"+86139"), answers[-1]["body"][:300]


# --- the process ---


def bench_process() -> None:
    """Start-up time and idle memory of `cleartosend serve`, a second start and the third."""
    with tempfile.TemporaryDirectory() as folder:
        for turn in ("first start", "later start"):
            since = time.perf_counter()
            with _serving(folder) as process:
                started = time.perf_counter() - since
                used = _cpu_seconds(process.pid)
                time.sleep(2)
                print(
                    f"{turn}: listening after {started:.2f} s ({used:.2f} s CPU; budget 2 s), "
                    f"{_resident_megabytes(process.pid):.0f} MB resident (budget 200 MB)"
                )


@contextlib.contextmanager
def _serving(folder: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "cleartosend", "serve", "--data", folder, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert "listening" in process.stdout.readline()
        try:
            yield process
        finally:
            process.terminate()


def _cpu_seconds(pid: int) -> float:
    fields: Sequence[str] = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_megabytes(pid: int) -> float:
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
