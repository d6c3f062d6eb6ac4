"""An operator sees how much goes to each carrier, and why."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cleartosend.cli import cleartosend
from cleartosend.model.messages import Lane
from cleartosend.settings import read_settings
from cleartosend.spool import embedded as spool
from cleartosend.spool.embedded import UNCLAIMED, SpoolRow
from cleartosend.store import carrier_events
from cleartosend.store.carrier_events import CarrierEvent
from cleartosend.store.opening import open_store_and_vault

ROUTES = """
carriers = [
    { name = "first", kind = "simulator" },
    { name = "second", kind = "simulator" },
    { name = "spare", kind = "simulator" },
]
routes = [{ name = "all", carriers = { first = 3, second = 1, spare = 0 } }]
"""
NOON = 1772424000.0
ERRORS = "50 errors in a minute, the last ESME_RSYSERR"


def ran(*arguments: str, data: Path) -> Result:
    return CliRunner().invoke(cleartosend, ["carrier", *arguments, "--data", str(data)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with two messages that wait, and carriers of which one was left."""
    (tmp_path / "cleartosend.toml").write_text(ROUTES)

    async def fill() -> None:
        engine, _vault = await open_store_and_vault(read_settings(tmp_path, environment={}))
        waiting = [
            SpoolRow(message_id, 1, Lane.VERIFICATION, NOON, UNCLAIMED, 0, at_most_once=False, route="all")
            for message_id in (1, 2)
        ]
        await engine.write(lambda tx: spool.put(tx, waiting))
        left = CarrierEvent(at=NOON, route="all", carrier="first", share=0, because=ERRORS)
        some = CarrierEvent(at=NOON + 60, route="all", carrier="first", share=10, because="well for 1 min")
        other = CarrierEvent(at=NOON + 61, route="all", carrier="second", share=100, because="the server was started")
        await engine.write(lambda tx: carrier_events.keep(tx, [left, some, other]))
        await engine.close()

    asyncio.run(fill())
    return tmp_path


def test_the_status_says_what_waits_and_how_much_of_its_share_each_carrier_has(data: Path) -> None:
    said = ran("status", data=data)
    assert (said.exit_code, said.output.splitlines()) == (
        0,
        [
            "all: 2 waiting",
            "  first: 10 % of its share of 3 since 2026-03-02 04:01:00Z: well for 1 min",
            "  second: its share of 1",
            "  spare: stands by",
        ],
    )


def test_the_status_is_there_for_programs(data: Path) -> None:
    first, *others = [json.loads(line) for line in ran("status", "--json", data=data).output.splitlines()]
    assert first == {
        "route": "all",
        "waiting": 2,
        "carrier": "first",
        "weight": 3,
        "share": 10,
        "since": NOON + 60,
        "because": "well for 1 min",
    }
    assert [one["carrier"] for one in others] == ["second", "spare"]


def test_the_log_says_what_changed_and_why_newest_first(data: Path) -> None:
    assert ran("log", "--carrier", "first", data=data).output.splitlines() == [
        "2026-03-02 04:01:00Z\tall\tfirst\t10 %\twell for 1 min",
        f"2026-03-02 04:00:00Z\tall\tfirst\t0 %\t{ERRORS}",
    ]
    [newest] = ran("log", "--limit", "1", "--json", data=data).output.splitlines()
    assert json.loads(newest)["carrier"] == "second"


def test_a_log_of_nothing_says_so(data: Path) -> None:
    assert ran("log", "--carrier", "spare", data=data).output == "None.\n"
