"""
What a message costs from the signed call to its status, by SMPP: the whole program, and Kannel beside it.

`make bench` runs it. The server, the SMSC for testing and the client that calls are processes of their own on one
machine; CPU time is the server's alone.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from calls import SIGNATURE, VALUES, IdleCarrier, make_ready, signed

from cleartosend.cli.account import NewAccount
from cleartosend.compose import running_platform
from cleartosend.settings import Settings
from cleartosend.store.opening import sqlite_path

SECONDS = 30.0
WINDOW = 1000
CONNECTIONS = 32
CALLS_OF_200 = 4
DRAIN_SECONDS = 120.0
RECEIPTS_AFTER = "0.5s"
KANNEL_CONNECTIONS = 32


class Load(msgspec.Struct):
    """What a client did and how it was answered."""

    messages: int = 0
    seconds: float = 0.0
    latencies: list[float] = msgspec.field(default_factory=list)
    """Seconds from the call to its answer."""


class Way(msgspec.Struct, frozen=True):
    """How one HTTP request is made, and how it is seen that it was accepted."""

    request: Callable[[int], bytes]
    """The octets of a request for the numbers from this one on."""
    accepted: Callable[[bytes], int]
    """How many messages an answer accepts."""
    numbers: int
    """How many numbers a request has."""


# --- processes ---


@contextlib.contextmanager
def smsc() -> Iterator[int]:
    """The SMSC for testing as a process; its port."""
    command = [sys.executable, "-m", "cleartosend", "smsc", "--port", "0", "--quiet", "--receipts", RECEIPTS_AFTER]
    with _process(command, stdin=subprocess.PIPE) as process:
        yield _port_in(process)


@contextlib.contextmanager
def server(folder: Path, smsc_port: int) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """`cleartosend serve` with one SMPP carrier; the process and its port."""
    (folder / "cleartosend.toml").write_text(
        f"""
[[carriers]]
kind = "smpp"
name = "bench"
host = "127.0.0.1"
port = {smsc_port}
system_id = "bench"
window = {WINDOW}
session_window = {WINDOW}
source_addr = "10690001"
"""
    )
    command = [sys.executable, "-m", "cleartosend", "serve", "--data", str(folder), "--port", "0"]
    with _process(command) as process:
        yield process, _port_in(process)


@contextlib.contextmanager
def _process(command: Sequence[str], *, stdin: int | None = None) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _port_in(process: "subprocess.Popen[str]") -> int:
    """The port that a process says it listens on, in its first line."""
    assert process.stdout is not None
    line = process.stdout.readline()
    return int(line.strip().rstrip("/.").rsplit(":", 1)[1].split()[0])


def cpu_seconds(*pids: int) -> float:
    """CPU time of processes, all their threads."""
    spent = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        spent += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def megabytes(which: str, *pids: int) -> float:
    """The memory of processes: what they have (`VmRSS`) or the most that they had (`VmHWM`)."""
    kilobytes = 0
    for pid in pids:
        [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith(which)]
        kilobytes += int(line.split()[1])
    return kilobytes / 1024


# --- the client ---


class Caller(asyncio.Protocol):
    """A kept connection that makes one request after another."""

    def __init__(self) -> None:
        self._buffer = b""
        self._answer: asyncio.Future[bytes] | None = None
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    async def ask(self, request: bytes) -> bytes:
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        if len(body) >= length:
            self._buffer = body[length:]
            assert self._answer is not None
            self._answer.set_result(body[:length])

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError())

    def close(self) -> None:
        assert self._transport is not None
        self._transport.close()


async def load(port: int, way: Way, *, connections: int, seconds: float, per_second: float = 0.0) -> Load:
    """Call for so long: each connection as soon as it is answered, or so many requests a second in all."""
    done = Load()
    loop = asyncio.get_running_loop()
    callers = [(await loop.create_connection(Caller, "127.0.0.1", port))[1] for _ in range(connections)]
    began = time.perf_counter()
    due = _times(began, per_second)

    async def call_on(caller: Caller) -> None:
        while (at := next(due)) < began + seconds and time.perf_counter() < began + seconds:
            if (wait := at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            # Of a steady rate, what is late is late from when it was due.
            since = at if per_second else time.perf_counter()
            answer = await caller.ask(way.request(next(_BLOCKS) * _NUMBERS_A_BLOCK))
            done.latencies.append(time.perf_counter() - since)
            accepted = way.accepted(answer)
            assert accepted == way.numbers, answer[:300]
            done.messages += accepted

    await asyncio.gather(*(call_on(caller) for caller in callers))
    done.seconds = time.perf_counter() - began
    for caller in callers:
        caller.close()
    return done


# Each request has numbers that none before it had.
_BLOCKS = itertools.count(int(time.time()) % 10**5)
_NUMBERS_A_BLOCK = 200


def _times(began: float, per_second: float) -> Iterator[float]:
    turn = 0
    while True:
        yield began + turn / per_second if per_second else began
        turn += 1


def send_sms(account: NewAccount, template_id: str, numbers: int) -> Way:
    """A signed SendSms, as the vendor's SDK makes it."""

    def request(first: int) -> bytes:
        body = json.dumps(
            {
                "PhoneNumberSet": [f"+86139{number % 10**8:08}" for number in range(first, first + numbers)],
                "SmsSdkAppId": account.sdk_app_id,
                "SignName": SIGNATURE,
                "TemplateId": template_id,
                "TemplateParamSet": VALUES,
            }
        ).encode()
        headers = signed(body, account.secret_id, account.secret_key, time.time())
        head = b"".join(name + b": " + value + b"\r\n" for name, value in headers.items())
        return b"POST / HTTP/1.1\r\n%scontent-length: %d\r\n\r\n%s" % (head, len(body), body)

    return Way(request=request, accepted=lambda answer: answer.count(b'"Code":"Ok"'), numbers=numbers)


# --- ours ---


async def ready(folder: Path) -> tuple[NewAccount, str]:
    """A data folder whose account may send."""
    async with running_platform(Settings(data=folder, open_links=False), carrier=IdleCarrier()) as running:
        return await make_ready(running)


async def until_all_ended(folder: Path) -> None:
    """Wait until no message waits for a carrier or a receipt."""
    waiting = "SELECT EXISTS (SELECT 1 FROM messages WHERE deadline_at IS NOT NULL)"
    async with asyncio.timeout(DRAIN_SECONDS):
        with contextlib.closing(
            sqlite3.connect(f"file:{sqlite_path(Settings(data=folder))}?mode=ro", uri=True)
        ) as store:
            while store.execute(waiting).fetchone()[0]:
                await asyncio.sleep(0.05)


def states(folder: Path) -> dict[str, int]:
    """How many messages stand where."""
    with contextlib.closing(sqlite3.connect(sqlite_path(Settings(data=folder)))) as store:
        return dict(store.execute("SELECT state, count(*) FROM messages GROUP BY state"))


def accept_to_submit(folder: Path, *, since: float) -> list[float]:
    """Seconds from acceptance to the carrier's answer on disk, of every message accepted since then."""
    with contextlib.closing(sqlite3.connect(sqlite_path(Settings(data=folder)))) as store:
        rows = store.execute("SELECT submitted_at - accepted_at FROM messages WHERE accepted_at >= ?", (since,))
        return [row[0] for row in rows]


async def bench_ours(numbers: int, seconds: float) -> float:
    """One line at full load and one at half of it; returns what was sustained, in messages a second."""
    connections = CONNECTIONS if numbers == 1 else CALLS_OF_200
    called = f"{numbers} number{'s' * (numbers > 1)} a call"
    async with _running() as (folder, process, port, account, template_id):
        way = send_sms(account, template_id, numbers)
        await load(port, way, connections=connections, seconds=1.0)
        await until_all_ended(folder)
        began, spent = time.perf_counter(), cpu_seconds(process.pid)
        made = await load(port, way, connections=connections, seconds=seconds)
        await until_all_ended(folder)
        took = time.perf_counter() - began
        spent = cpu_seconds(process.pid) - spent
        kept = states(folder)
        assert set(kept) == {"delivered"}, kept
        sustained = made.messages / took
        show(f"{called}, full load", made, took, spent, megabytes("VmHWM", process.pid))
    async with _running() as (folder, process, port, account, template_id):
        way = send_sms(account, template_id, numbers)
        await load(port, way, connections=connections, seconds=1.0)
        await until_all_ended(folder)
        since = time.time()
        half = await load(
            port, way, connections=connections, seconds=min(seconds, 10.0), per_second=sustained / numbers / 2
        )
        await until_all_ended(folder)
        print(
            f"{called}, half load: {half.messages / half.seconds:,.0f}/s, accept {_percentiles(half.latencies)}, "
            f"accept to submit {_percentiles(accept_to_submit(folder, since=since))}"
        )
    return sustained


@contextlib.asynccontextmanager
async def _running() -> AsyncIterator[tuple[Path, "subprocess.Popen[str]", int, NewAccount, str]]:
    with tempfile.TemporaryDirectory() as name, smsc() as smsc_port:
        folder = Path(name)
        account, template_id = await ready(folder)
        with server(folder, smsc_port) as (process, port):
            yield folder, process, port, account, template_id


def show(what: str, made: Load, took: float, spent: float, peak: float) -> None:
    """A line of what a full load came to, from the first call to the last status."""
    print(
        f"{what}: {made.messages / took:,.0f}/s ({made.messages:,} accepted in {made.seconds:.0f} s, all told after "
        f"{took:.0f} s), {spent / made.messages * 1e6:.0f} µs CPU a message, accept {_percentiles(made.latencies)}, "
        f"peak {peak:.0f} MB"
    )


def _percentiles(seconds: Sequence[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"p50 {cuts[49] * 1000:.0f} ms, p99 {cuts[98] * 1000:.0f} ms"


async def soak(messages: int) -> None:
    """Memory over very many messages, looked at after each tenth."""
    async with _running() as (folder, process, port, account, template_id):
        way = send_sms(account, template_id, 200)
        shown: list[str] = []
        sent = 0
        for _ in range(10):
            goal = sent + messages // 10
            while sent < goal:
                sent += (await load(port, way, connections=CALLS_OF_200, seconds=2.0)).messages
            await until_all_ended(folder)
            shown.append(f"{megabytes('VmRSS', process.pid):.0f}")
        kept = states(folder)
        print(
            f"{sum(kept.values()):,} messages with receipts, all {', '.join(kept)}: resident after each tenth, in MB: "
            f"{' '.join(shown)}; peak {megabytes('VmHWM', process.pid):.0f} MB (budget 400)"
        )


# --- Kannel ---


async def bench_kannel(seconds: float) -> None:
    """HTTP to SMPP with a store file, receipts, and an HTTP callback for each."""
    with tempfile.TemporaryDirectory() as name, smsc() as smsc_port:
        told = _Told()
        listener = await asyncio.get_running_loop().create_server(lambda: _Receiver(told), "127.0.0.1", 0)
        callback_port = listener.sockets[0].getsockname()[1]
        ports = [_free_port() for _ in range(3)]
        configuration = Path(name) / "kannel.conf"
        configuration.write_text(_kannel_configuration(Path(name), smsc_port, *ports))
        url = f"http://127.0.0.1:{callback_port}/?status=%25d"

        def request(first: int) -> bytes:
            query = (
                f"username=u&password=p&to=86139{first % 10**8:08}&text=Your+order+8841+was+sent+today+and+comes+soon"
            )
            query += f"&dlr-mask=31&dlr-url={url}"
            return f"GET /cgi-bin/sendsms?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()

        way = Way(request=request, accepted=lambda answer: answer.count(b"Accepted"), numbers=1)
        with (
            _process([shutil.which("bearerbox") or "", str(configuration)]) as bearer,
            contextlib.ExitStack() as stack,
        ):
            await _until_open(ports[1])
            box = stack.enter_context(_process([shutil.which("smsbox") or "", str(configuration)]))
            await _until_open(ports[2])
            await asyncio.sleep(1)
            began, spent = time.perf_counter(), cpu_seconds(bearer.pid, box.pid)
            made = await load(ports[2], way, connections=KANNEL_CONNECTIONS, seconds=seconds)
            await _until(lambda: _is_told(told, made.messages))
            took = time.perf_counter() - began
            spent = cpu_seconds(bearer.pid, box.pid) - spent
            show("Kannel, 1 number a call, full load", made, took, spent, megabytes("VmHWM", bearer.pid, box.pid))
            print(f"    {told.count:,} callbacks; no signature, no policy, no consent, and no sync to disk")
        listener.close()


class _Told(msgspec.Struct):
    count: int = 0


class _Receiver(asyncio.Protocol):
    """Takes callbacks."""

    def __init__(self, told: _Told) -> None:
        self._told = told
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        requests = data.count(b"\r\n\r\n")
        self._told.count += requests
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" * requests)


def _kannel_configuration(folder: Path, smsc_port: int, admin: int, box: int, http: int) -> str:
    return f"""
group = core
admin-port = {admin}
admin-password = x
smsbox-port = {box}
log-level = 4
log-file = "{folder}/bearerbox.log"
store-type = file
store-location = "{folder}/store"
dlr-storage = internal
sms-outgoing-queue-limit = 10000000

group = smsc
smsc = smpp
smsc-id = bench
host = 127.0.0.1
port = {smsc_port}
transceiver-mode = true
smsc-username = kannel
smsc-password = x
system-type = ""
max-pending-submits = {WINDOW}
msg-id-type = 0x00

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {http}
log-level = 4
log-file = "{folder}/smsbox.log"
http-request-retry = 0

group = sendsms-user
username = u
password = p
default-sender = 10690001
max-messages = 1
"""


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


async def _until_open(port: int) -> None:
    async def is_open() -> bool:
        try:
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await _until(is_open)


async def _is_told(told: _Told, messages: int) -> bool:
    return told.count >= messages


async def _until(what: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(DRAIN_SECONDS):
        while not await what():
            await asyncio.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a message costs by SMPP, from the signed call to its status.")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each full load lasts")
    parser.add_argument("--soak", type=int, default=0, metavar="MESSAGES", help="watch the memory over so many, alone")
    asked = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if asked.soak:
            runner.run(soak(asked.soak))
            return
        for numbers in (1, 200):
            runner.run(bench_ours(numbers, asked.seconds))
        if shutil.which("bearerbox") and shutil.which("smsbox"):
            runner.run(bench_kannel(asked.seconds))
        else:
            print("Kannel is not installed (Debian: kannel), so it is not measured beside")


if __name__ == "__main__":
    main()
