"""`cleartosend smsc`: an SMSC to test clients against, which takes orders while it runs."""

import asyncio
import contextlib
import os
import signal
import ssl
import sys
import threading
from pathlib import Path

import click
import uvloop

from cleartosend.cli.problems import in_one_line
from cleartosend.testing.smsc import DIALECTS, SMSC, Unfit
from cleartosend.testing.smsc.orders import Scenario, add_rule, obey, pair, play, read_scenario

_REMEMBERED = 1000
_STANDARD_INPUT = 0


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=2775,
    show_default=True,
    help="The port to listen on; 0 takes a free one.",
)
@click.option("--system-id", default="", help="Who may bind. [default: anybody]")
@click.option("--password", default="", help="With which password. [default: any]")
@click.option("--receipts", metavar="TIME", help="When receipts come: 0.5s, 1-5s, none. [default: at once]")
@click.option("--dialect", type=click.Choice(list(DIALECTS)), help="How ids and receipts are written. [default: usual]")
@click.option("--set", "items", metavar="NAME=VALUE", multiple=True, help="Set an item of behaviour; may be repeated.")
@click.option(
    "--scenario", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Behaviour, rules and steps."
)
@click.option("--seed", default=1, show_default=True, help="Where its chances start from.")
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Speak TLS, with the certificate and the key in this PEM file.",
)
@click.option("--quiet", is_flag=True, help="Remember no messages, and say nothing of them: a sink for load tests.")
def smsc(
    *,
    host: str,
    port: int,
    system_id: str,
    password: str,
    receipts: str | None,
    dialect: str | None,
    items: tuple[str, ...],
    scenario: Path | None,
    seed: int,
    certificate: Path | None,
    quiet: bool,
) -> None:
    """
    Run an SMSC to test clients against, until it is told to stop.

    It sends nothing. It speaks SMPP 3.4, takes what it is given, reports on it, and misbehaves on order: lines on
    standard input such as `throttle 50%`, `cut` or `restart`; `help` lists them, `quit` ends.
    """
    with in_one_line(Unfit):
        played = read_scenario(scenario) if scenario else Scenario()
        behaviour = dict(played.behaviour)
        if dialect is not None:
            behaviour["dialect"] = dialect
        if receipts == "none":
            behaviour["receipts"] = "none"
        elif receipts is not None:
            behaviour["receipts_after"] = receipts
        for name, value in map(pair, items):
            # What is set by name counts more than a dialect, so it comes behind it.
            behaviour.pop(name, None)
            behaviour[name] = value
        tls = None
        if certificate is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            try:
                tls.load_cert_chain(certificate)
            except ssl.SSLError as error:
                raise Unfit(f"{certificate} holds no certificate with its key, in PEM") from error
        centre = SMSC(
            host=host,
            port=port,
            system_id=system_id,
            password=password,
            tls=tls,
            seed=seed,
            keep=0 if quiet else _REMEMBERED,
            tell=None if quiet else click.echo,
            **behaviour,
        )
        for rule in played.rules:
            add_rule(centre, rule)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(centre, played))


async def _run(centre: SMSC, played: Scenario) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with centre:
        click.echo(f"The SMSC is listening on {centre.host}:{centre.port}")
        async with asyncio.TaskGroup() as group:
            tasks = (
                group.create_task(play(centre, played.steps, tell=click.echo)),
                group.create_task(_take_orders(centre, stopped)),
            )
            await stopped.wait()
            for task in tasks:
                task.cancel()
        click.echo(await obey(centre, "counts"))


async def _take_orders(centre: SMSC, stopped: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str] = asyncio.Queue()

    def read() -> None:
        if sys.stdin is None:
            return  # number 0 is another file then
        rest = b""
        # Not through sys.stdin, whose lock a thread that waits for input would hold until the program ends.
        with contextlib.suppress(RuntimeError):  # the loop has ended
            while data := os.read(_STANDARD_INPUT, 4096):
                *whole, rest = (rest + data).split(b"\n")
                for line in whole:
                    loop.call_soon_threadsafe(lines.put_nowait, line.decode("utf-8", "replace").strip())

    threading.Thread(target=read, daemon=True).start()
    while (line := await lines.get()) != "quit":
        try:
            click.echo(await obey(centre, line))
        except Unfit as error:
            click.echo(f"no: {error}")
    stopped.set()
