"""An operator sees how much goes to each carrier, and why."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection
from usual import hand_over

from cleartosend.cli import cleartosend
from cleartosend.model.messages import Lane, Receipt, ReceiptStatus
from cleartosend.settings import read_settings
from cleartosend.spool import embedded as spool
from cleartosend.spool.embedded import UNCLAIMED, SpoolRow
from cleartosend.store import carrier_events, messages, receipts
from cleartosend.store.carrier_events import CarrierEvent
from cleartosend.store.messages import MessageRow
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


def test_receipts_of_unknown_messages_stand_beside_the_ids_that_wait_for_one(data: Path) -> None:
    assert ran("parked", data=data).output == "None.\n"

    async def fill() -> str:
        engine, _vault = await open_store_and_vault(read_settings(data, environment={}))
        odd = Receipt(carrier="first", carrier_id="4D2", status=ReceiptStatus.DELIVERED, code="DELIVRD", at=NOON)

        def keep(tx: Connection) -> str:
            receipts.keep(tx, [(odd, None)])
            waiting = MessageRow(
                1, 1, 1, "", "+8613711112222", "CN", 1, "accepted", "", "", "", NOON, NOON + 60, None, None
            )
            messages.record(tx, [], [waiting])
            [carrier_id] = hand_over(tx, [1], now=NOON, carrier="first")
            return carrier_id

        carrier_id = await engine.write(keep)
        await engine.close()
        return carrier_id

    waits = asyncio.run(fill())
    assert ran("parked", data=data).output.splitlines() == [
        "first",
        "  2026-03-02 04:00:00Z  4D2: DELIVRD",
        f"  ids of answers that no receipt has had yet: {waits}",
    ]
    [found] = [json.loads(line) for line in ran("parked", "--json", data=data).output.splitlines()]
    assert (found["carrier"], found["receipts"][0]["carrier_id"], found["without_receipt"]) == ("first", "4D2", [waits])
    assert ran("parked", "--carrier", "second", data=data).output == "None.\n"
