"""What a seed plays on: a store with an account that may send, and the server as a process that can be wronged."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from chaos import moved_clock
from chaos.plan import Plan
from cleartosend.cli.account import NewAccount, create_account
from cleartosend.cli.store import NODE
from cleartosend.delivery.callbacks import CLAIM_SECONDS as OF_CALLBACKS
from cleartosend.model.accounts import AccountKind, AccountSettings
from cleartosend.model.applications import ReviewMove, SignatureForm, TemplateForm
from cleartosend.model.members import MemberSource
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine
from cleartosend.review.moves import make
from cleartosend.settings import Settings, read_settings
from cleartosend.spool.embedded import CLAIM_SECONDS, IN_DOUBT
from cleartosend.store import accounts, applications, callbacks, members
from cleartosend.store.callbacks import CallbackKind
from cleartosend.store.opening import open_store_and_vault
from cleartosend.store.schema import endpoints, spool
from cleartosend.store.secrets import Vault
from cleartosend.testing.smsc import SMSC

SIGNATURE = "清风书店"
ADDRESS = "10690001"
"""Where messages come from."""
TEMPLATES = {
    "code": ("您的验证码是{1}，5分钟内有效。", MessageType.VERIFICATION),
    "notice": ("您的订单{1}已发货，请留意查收。", MessageType.NOTIFICATION),
    # In two parts, each of which says which call it is of.
    "long notice": (
        "您的订单{1}已发货，请留意查收。" + "配送期间如遇天气原因可能略有延迟，敬请谅解。" * 4 + "订单{1}由仓库发出。",
        MessageType.NOTIFICATION,
    ),
    "marketing": ("尊敬的会员，本店第{1}期新书上架，欢迎选购。拒收请回复R", MessageType.MARKETING),
}
PER_NUMBER_PER_DAY = 3
RECIPIENTS = 2500
MEMBERS = 1200
"""The first so many of the recipients."""
RECEIPT_WITHIN_SECONDS = 6.0
ANSWER_WITHIN_SECONDS = 1.0
ENOUGH_SECONDS = 30.0
STOP_SECONDS = 20.0
SETTLED_SECONDS = 0.25
_PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


def number_of(recipient: int) -> str:
    return f"+86137{recipient:08}"


class Stage(msgspec.Struct, frozen=True):
    """A store that a server can be started on."""

    settings: Settings
    account: NewAccount
    templates: dict[str, str]


async def set_up(plan: Plan, folder: Path, *, database: str, smscs: dict[str, SMSC], callback_url: str) -> Stage:
    """Write the settings, and an account with all that it needs."""
    data = folder / "data"
    data.mkdir(parents=True)
    (data / "cleartosend.toml").write_text(_settings(plan, database=database, smscs=smscs))
    settings = read_settings(data, environment={})
    async with opened(settings) as (engine, vault):
        return await engine.write(lambda tx: _fill(tx, settings, vault, callback_url))


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[tuple[Engine, Vault]]:
    """The store, beside the server."""
    engine, vault = await open_store_and_vault(msgspec.structs.replace(settings, node=NODE))
    try:
        yield engine, vault
    finally:
        await engine.close()


def _settings(plan: Plan, *, database: str, smscs: dict[str, SMSC]) -> str:
    lines = [
        f"database = {json.dumps(database)}",
        'marketing_hours = "CN=0-24"',
        f"submit_within_seconds = {plan.submit_within_seconds}",
        f"receipt_within_seconds = {RECEIPT_WITHIN_SECONDS}",
        "retry_after_seconds = 0.2",
        'callback_networks = "127.0.0.0/8"',
        "callback_retry_seconds = 0.2",
        "callback_retry_most_seconds = 1.0",
        "callback_timeout_seconds = 2.0",
        "drain_seconds = 2.0",
        "open_links = false",
    ]
    for carrier in plan.carriers:
        lines += [
            "[[carriers]]",
            'kind = "smpp"',
            'host = "127.0.0.1"',
            f"port = {smscs[carrier.name].port}",
            f'system_id = "{carrier.name}"',
            f'source_addr = "{ADDRESS}"',
            f"answer_within_seconds = {ANSWER_WITHIN_SECONDS}",
            "enquire_link_seconds = 1.0",
            "reconnect_most_seconds = 1.0",
        ]
        for name in ("name", "profile", "bind", "sessions", "window", "session_window", "per_second"):
            lines.append(f"{name} = {json.dumps(getattr(carrier, name))}")
    for route in plan.routes:
        shares = ", ".join(f"{name} = {share}" for name, share in route.carriers.items())
        lines += ["[[routes]]", f'name = "{route.name}"', f"types = {json.dumps(route.types)}"]
        lines += [f"carriers = {{ {shares} }}"]
    return "\n".join(lines) + "\n"


def _fill(tx: Connection, settings: Settings, vault: Vault, callback_url: str) -> Stage:
    now = time.time()
    made = create_account(tx, name=SIGNATURE, kind=AccountKind.ORGANIZATION, verified=True, vault=vault, now=now)
    account_settings = AccountSettings(
        requests_per_second={"SendSms": 1_000_000, "PullSmsSendStatus": 1_000_000},
        per_number_per_day=PER_NUMBER_PER_DAY,
    )
    accounts.set_settings(tx, made.account_id, account_settings)
    form = SignatureForm(
        text=SIGNATURE, sign_type=0, document_type=0, international=False, for_another=False, proof_image=_PNG
    )
    signature = applications.find_signature(tx, applications.add_signature(tx, made.account_id, form, now=now))
    assert signature is not None
    make(tx, signature, ReviewMove.APPROVE, by="chaos", now=now)
    templates = {name: _template(tx, made.account_id, *its, now=now) for name, its in TEMPLATES.items()}
    numbers = [number_of(recipient) for recipient in range(MEMBERS)]
    members.add_members(tx, made.account_id, numbers, source=MemberSource.PURCHASE, now=now)
    callbacks.set_endpoint(
        tx,
        kind=CallbackKind.STATUS,
        owner=made.sdk_app_id,
        account_id=made.account_id,
        url=callback_url,
        sealed_secret=vault.seal(
            "whsec_" + "QUFB" * 8, name=callbacks.name_of_secret(CallbackKind.STATUS, made.sdk_app_id)
        ),
        now=now,
    )
    return Stage(settings, made, templates)


def _template(tx: Connection, account_id: int, written: str, type_: MessageType, *, now: float) -> str:
    form = TemplateForm(name="t", text=written, type=type_, international=False)
    template = applications.find_template(tx, applications.add_template(tx, account_id, form, now=now))
    assert template is not None
    make(tx, template, ReviewMove.APPROVE, by="chaos", now=now)
    return str(template.id)


# --- PostgreSQL ---


def address_of(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def run_on(server: str, statement: str) -> None:
    """Run a statement outside of any transaction."""
    engine = create_async_engine(make_url(server).set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


CUT_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def let_claims_run_out(settings: Settings) -> None:
    """
    As if the server had been away for as long as its claims last.

    On PostgreSQL another node may hold a claim, so what a dead one held waits for that time; we do not.
    """
    async with opened(settings) as (engine, _vault):
        await engine.write(lambda tx: end_claims(tx, made_before=float("inf")))


def end_claims(tx: Connection, *, made_before: float) -> None:
    """Let claims run out that are older than that."""
    for table, last_seconds in ((spool, CLAIM_SECONDS), (endpoints, OF_CALLBACKS)):
        made_at = table.c.claimed_until - last_seconds
        tx.execute(
            table.update().where(table.c.claimed_until > IN_DOUBT, made_at < made_before).values(claimed_until=IN_DOUBT)
        )


# --- the server ---


class Server:
    """`cleartosend serve` on a stage, whatever happens to it."""

    def __init__(self, stage: Stage, *, log: Path, clock: Path | None) -> None:
        """`clock` is a file that moves its clock; None: it has that of the machine."""
        self.endpoint = ""
        """Where it listens; empty while it does not."""
        self.most_kilobytes = 0
        """The most memory that it ever had."""
        self._stage = stage
        self._log = log
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._up_before = 0.0
        self._up_since = 0.0
        self._one_thing_at_a_time = asyncio.Lock()

    def up_seconds(self) -> float:
        """For how long it has listened, all in all: by this clock things go wrong, so that they do so under load."""
        return self._up_before + (time.monotonic() - self._up_since if self.endpoint else 0.0)

    async def start(self) -> None:
        program: Sequence[str] = ("-m", "cleartosend") if self._clock is None else (moved_clock.__file__,)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLEARTOSEND_")}
        if self._clock is not None:
            environment[moved_clock.FILE] = str(self._clock)
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *program,
                *("serve", "--data", str(self._stage.settings.data), "--port", "0"),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        self._process = process
        assert process.stdout is not None
        async with asyncio.timeout(ENOUGH_SECONDS):
            while b"listening on http://" not in (line := await process.stdout.readline()):
                if not line:
                    raise RuntimeError(f"the server ended by itself: see {self._log}")
        self._up_since = time.monotonic()
        self.endpoint = line.decode().rsplit("http://", 1)[1].strip()

    async def kill(self, *, away_seconds: float = 0.0) -> None:
        """Kill it, and start it again."""
        async with self._one_thing_at_a_time:
            await self._end(signal.SIGKILL)
            if self._stage.settings.database:
                await let_claims_run_out(self._stage.settings)
            await asyncio.sleep(away_seconds)
            await self.start()

    async def stop_and_start(self) -> None:
        async with self._one_thing_at_a_time:
            await self._end(signal.SIGTERM)
            if self._stage.settings.database:
                await let_claims_run_out(self._stage.settings)
            await self.start()

    async def freeze(self, seconds: float) -> None:
        """Nothing of it runs, and its connections stay open."""
        async with self._one_thing_at_a_time:
            process = self._running()
            process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)

    async def fill_disk(self, seconds: float) -> None:
        """No file of its grows any more: a bound of the kernel's, since a small disk of our own would need rights."""
        async with self._one_thing_at_a_time:
            process = self._running()
            _soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
            files = self._stage.settings.data.glob("cleartosend.db*")
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (min(file.stat().st_size for file in files), hard))
        await asyncio.sleep(seconds)
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def ended_by_itself(self) -> str:
        """That it did, though nobody had told it to; empty: it is there."""
        status = None if self._process is None else self._process.returncode
        return "" if status is None else f"the server ended by itself with {status}"

    async def end(self) -> None:
        """SIGTERM, for the last time."""
        async with self._one_thing_at_a_time:
            if self._process is not None and self._process.returncode is None:
                await self._end(signal.SIGTERM)

    def give_up(self) -> None:
        """Leave nothing running, whatever the reason."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def _end(self, by: signal.Signals) -> None:
        process = self._running()
        self.note_memory()
        self._up_before, self.endpoint = self.up_seconds(), ""
        process.send_signal(by)
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            raise RuntimeError(f"the server did not stop within {STOP_SECONDS:.0f} s") from None

    def note_memory(self) -> None:
        assert self._process is not None
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.most_kilobytes = max(self.most_kilobytes, int(line.split()[1]))

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        if ended := self.ended_by_itself():
            raise RuntimeError(f"{ended}: see {self._log}")
        return self._process
