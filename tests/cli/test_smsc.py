"""`cleartosend smsc` listens, plays its scenario, takes orders, and says what it has seen."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from carriers.smsc.line import NUMBER, bound, short
from click.testing import CliRunner
from delivery.certificates import certificate_for

from cleartosend.carriers.smpp.pdu import Command, Status
from cleartosend.cli.smsc import smsc as smsc_command

SCENARIO = """
[behaviour]
dialect = "hex-answer"
receipts_after = 30

[[rules]]
to = "*99001"
refuse = "ESME_RINVDSTADR"

[[steps]]
at = 0
order = "outcome UNDELIV/011"
"""


class Running:
    """A `cleartosend smsc` as a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.port = int(self.says().rsplit(":", 1)[1])

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def hears(self, order: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{order}\n")
        self.process.stdin.flush()


@contextlib.contextmanager
def running(*options: str) -> Iterator[Running]:
    command = [sys.executable, "-m", "cleartosend", "smsc", "--port", "0", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


async def test_it_plays_its_scenario_and_takes_orders(tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(SCENARIO)
    with running("--scenario", str(scenario), "--receipts", "10ms", "--set", "id_in_answer=0x{id:x}") as smsc:
        assert smsc.says() == "outcome UNDELIV/011: done"
        async with bound(smsc) as its:
            assert smsc.says() == "cts transceiver: bound"
            assert (await its.submit(short(to="8613899001"))).status == Status.ESME_RINVDSTADR
            assert smsc.says() == "86****9001: refused, ESME_RINVDSTADR"
            carrier_id = (await its.submit(short())).carrier_id
            assert smsc.says() == f"86138****8000: taken as {carrier_id}"
            assert carrier_id.startswith("0x")
            receipt = await its.receipt()
            assert f"id:{int(carrier_id, 16)} ".encode() in receipt.short_message
            assert b"stat:UNDELIV err:011" in receipt.short_message
            smsc.hears("messages")
            assert json.loads(smsc.says())["text"] == "hello"
            smsc.hears("explode")
            assert smsc.says() == "no: there is no order explode; help lists them"
            smsc.hears("cut")
            assert await its.closed()
        assert {smsc.says(), smsc.says()} == {"cts transceiver: closed", "done"}
        smsc.hears("quit")
        assert json.loads(smsc.says())["taken"] == 1
        assert smsc.process.wait() == 0


async def test_a_quiet_one_is_silent_speaks_tls_and_stops_at_a_signal(tmp_path: Path) -> None:
    _, client = certificate_for("127.0.0.1", tmp_path)
    certificate = str(tmp_path / "server.pem")
    who = ("--system-id", "cts", "--password", "secret")
    with running("--quiet", "--receipts", "none", "--certificate", certificate, *who) as smsc:
        async with bound(smsc, Command.BIND_TRANSMITTER, tls=client) as its:
            assert (await its.submit(short(to=NUMBER))).status == 0
        smsc.process.send_signal(signal.SIGTERM)
        counts = json.loads(smsc.says())
        assert (counts["taken"], counts["outstanding"]) == (1, 0)
        assert smsc.process.wait() == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--set", "speed=1"), "there is no speed"),
        (("--receipts", "soon"), "receipts_after: soon is no time"),
        (("--certificate", __file__), "test_smsc.py holds no certificate with its key"),
    ],
)
def test_what_it_cannot_do_it_says_in_a_line(options: tuple[str, ...], says: str) -> None:
    ended = CliRunner().invoke(smsc_command, options)
    assert ended.exit_code == 2
    assert says in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
