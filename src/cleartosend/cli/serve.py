"""`cleartosend serve`: the service, until it is told to stop."""

import asyncio
import contextlib
import gc
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import click
import uvicorn
import uvloop
from sqlalchemy import Connection

from cleartosend.cli.account import NewAccount, create_account
from cleartosend.cli.options import data_option
from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.cli.store import PROBLEMS
from cleartosend.compose import AlreadyServed, Platform, running_platform
from cleartosend.model.accounts import AccountKind, AccountSettings
from cleartosend.policy.rulebook import RulebookError
from cleartosend.settings import Settings, read_settings
from cleartosend.store import accounts
from cleartosend.telemetry import log, set_up_logging
from cleartosend.web import Application

DEMO_ACCOUNT = "清风书店"
TOUR_NUMBERS = ("+8613711112222", "+8613711113333")
TOUR_RATES = dict.fromkeys(("AddSmsSign", "AddSmsTemplate"), 20)


@click.command()
@data_option
@click.option("--host", help="The address to listen on. [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one. [default: 8080]"
)
@click.option("--demo", is_flag=True, help="With a sample organisation account, and how to call as it.")
def serve(*, data: Path | None, host: str | None, port: int | None, demo: bool) -> None:
    """Run the service. SIGTERM or Ctrl-C finishes what has begun, and stops; SIGUSR1 takes up changed rules."""
    with in_one_line(*PROBLEMS, AlreadyServed, RulebookError):
        settings = read_settings(data, host=host, port=port)
        set_up_logging(settings.log_format)
        with _listening(settings) as listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, listener, demo=demo))


async def _serve(settings: Settings, listener: socket.socket, *, demo: bool) -> None:
    async with running_platform(settings) as platform:
        server = _Server(
            uvicorn.Config(
                Application(platform),
                http="httptools",
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                # Whoever may write the header says where a call comes from, and so passes any `caller_networks`.
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies,
                timeout_graceful_shutdown=int(settings.drain_seconds),
            )
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.stop)
        reloading: set[asyncio.Task[None]] = set()

        def reload_rules() -> None:
            task = loop.create_task(platform.reload_rules())
            reloading.add(task)
            task.add_done_callback(reloading.discard)

        loop.add_signal_handler(signal.SIGUSR1, reload_rules)
        host, port = listener.getsockname()[:2]
        if demo:
            click.echo(_demo_text(host, port, await platform.engine.write(lambda tx: demo_account(tx, platform))))
        click.echo(f"Clear to Send is listening on http://{host}:{port}")
        # What stands now stays: to walk through the rules again and again would hold everybody up for 60 ms at a time.
        gc.collect()
        gc.freeze()
        log.info("server.started", host=host, port=port, rulebook=platform.rulebook.digest)
        await server.serve(sockets=[listener])
        log.info("server.stopping")


class _Server(uvicorn.Server):
    """Uvicorn, with the signals left to us: it would end the process before the platform has stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


@contextlib.contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """Take the port before anything is opened, so that a taken one costs nothing."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        message = f"{settings.host}: {error.strerror}"
        raise Problem(message) from error
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            message = f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            raise Problem(message) from error
        listener.listen(2048)
        listener.setblocking(False)
        yield listener


def demo_account(tx: Connection, platform: Platform) -> NewAccount:
    """The sample account, made at the first run."""
    for account in accounts.every(tx):
        if account.name == DEMO_ACCOUNT:
            credential = accounts.credentials_of(tx, account.id, vault=platform.vault)[0]
            app = accounts.apps_of(tx, account.id)[0]
            return NewAccount(account.id, app.sdk_app_id, credential.secret_id, credential.secret_key)
    made = create_account(
        tx, name=DEMO_ACCOUNT, kind=AccountKind.ORGANIZATION, verified=True, vault=platform.vault, now=time.time()
    )
    # The tour may be taken again and again.
    settings = AccountSettings(exempt_numbers=TOUR_NUMBERS, requests_per_second=TOUR_RATES)
    accounts.set_settings(tx, made.account_id, settings)
    return made


def _demo_text(host: str, port: int, account: NewAccount) -> str:
    return f"""
A sample organisation account, {DEMO_ACCOUNT}, for the simulator carrier (it sends nothing). In another terminal:

export CLEARTOSEND_ENDPOINT={host}:{port}
export TENCENTCLOUD_SECRET_ID={account.secret_id}
export TENCENTCLOUD_SECRET_KEY={account.secret_key}
export SMS_SDK_APP_ID={account.sdk_app_id}
make tour
"""
