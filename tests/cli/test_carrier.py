"""`cleartosend carrier` lists what is configured and probes an SMSC that is there."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cleartosend.carriers.smpp import probe
from cleartosend.cli import cleartosend
from cleartosend.testing import SMSC

SETTINGS = """
[[carriers]]
name = "first"
kind = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "cts"
password = "open sesame"
source_addr = "10690001"
answer_within_seconds = 5

[[carriers]]
name = "second"
kind = "simulator"

[[carriers]]
name = "third"
kind = "upstream"
endpoint = "https://sms.example.com"
secret_id = "AKID"
secret_key = "open wheat"
sdk_app_id = "1400000001"

[[routes]]
name = "codes"
types = ["verification"]
countries = ["CN"]
carriers = {{ first = 3, second = 0 }}

[[routes]]
name = "rest"
carriers = {{ second = 1 }}
"""


def ran(*arguments: str) -> Result:
    return CliRunner().invoke(cleartosend, ["carrier", *arguments])


def configured(folder: Path, *, port: int = 2775) -> str:
    (folder / "cleartosend.toml").write_text(SETTINGS.format(port=port))
    return str(folder)


def test_carriers_and_routes_are_listed_without_their_secrets(tmp_path: Path) -> None:
    listed = ran("list", "--data", configured(tmp_path))
    assert listed.exit_code == 0
    assert listed.output.splitlines() == [
        "first: SMPP, 127.0.0.1:2775 as cts, profile usual, 1 × 50 unanswered; window 100",
        "second: simulator, which sends nothing; window 100",
        "third: upstream, https://sms.example.com, SdkAppId 1400000001; window 100",
        "codes: CN; verification → first 3, second when others fail",
        "rest: everything → second 1",
    ]
    in_json = ran("list", "--data", str(tmp_path), "--json").output
    first, *_ = (json.loads(line) for line in in_json.splitlines())
    assert (first["kind"], first["host"], first["password"]) == ("smpp", "127.0.0.1", "…")
    assert "open" not in in_json


def test_without_any_the_simulator_takes_everything(tmp_path: Path) -> None:
    listed = ran("list", "--data", str(tmp_path))
    assert listed.output.splitlines() == [
        "simulator: simulator, which sends nothing; window 100",
        "every carrier takes every message",
    ]


async def test_a_carrier_is_probed_by_its_name_and_with_a_number_a_profile_is_proposed(tmp_path: Path) -> None:
    async with SMSC(password="open sesame", dialect="hex-answer", dates="%d.%m.") as smsc:
        data = configured(tmp_path, port=smsc.port)
        bound = await asyncio.to_thread(ran, "probe", "first", "--data", data)
        assert bound.exit_code == 0, bound.output
        assert not smsc.messages
        sent = await asyncio.to_thread(ran, "probe", "first", "--data", data, "--to", "13800138000")
        shown = await asyncio.to_thread(
            ran, "probe", "first", "--data", data, "--to", "13800138000", "--before", "【书店】", "--json"
        )
    assert "bind_receiver: taken in" in bound.output
    assert "messages to +86138****8000, real ones" in sent.output
    assert "13800138000" not in sent.output
    assert sent.output.splitlines()[-3:] == ["profile", '  id_in_answer = "hex"', '  id_in_receipt = "decimal"']
    assert json.loads(shown.output)["profile"] == ['id_in_answer = "hex"', 'id_in_receipt = "decimal"']
    first = smsc.messages[0].message
    assert (first.source_addr, first.destination_addr) == ("10690001", "8613800138000")
    assert smsc.messages[4].text.startswith("【书店】Clear to Send")


async def test_what_is_throttled_refused_or_not_reported_on_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "BURST_SECONDS", 0.05)
    async with SMSC(password="open sesame", receipts="none", refuse="ESME_RTHROTTLED 60%") as smsc:
        data = configured(tmp_path, port=smsc.port)
        probed = await asyncio.to_thread(
            *(ran, "probe", "first", "--data", data, "--to", "13800138000"),
            *("--rate", "20", "--wait", "0.1", "--source", "Bookshop"),
        )
        assert {taken.message.source_addr for taken in smsc.messages} == {"Bookshop"}
    assert probed.exit_code == 0, probed.output
    assert "refused with ESME_RTHROTTLED in" in probed.output
    assert "of 20 within a second " in probed.output
    assert "of those taken 0 reported on" in probed.output
    *_, receipts, none, profile, said = probed.output.splitlines()
    assert (receipts, none, profile) == ("receipts", "  none came in time", "profile")
    assert said.startswith("  nothing can be said of it without receipts; ")


@pytest.mark.parametrize(
    ("status", "setting"), [("ESME_RINVSRCADR", "`source_addr`, or --source"), ("0x00000451", "what the carrier")]
)
async def test_a_probe_of_which_no_message_is_taken_is_a_failure_and_says_what_to_look_at(
    tmp_path: Path, status: str, setting: str
) -> None:
    async with SMSC(password="open sesame", refuse=status) as smsc:
        data = configured(tmp_path, port=smsc.port)
        probed = await asyncio.to_thread(ran, "probe", "first", "--data", data, "--to", "13800138000", "--wait", "0.1")
    assert probed.exit_code == 1
    assert "fits" not in probed.output
    *_, profile, nothing, look_at = probed.output.splitlines()
    assert (profile, nothing) == ("profile", "  nothing can be said of it, since no test message was taken; look at")
    assert look_at.startswith(f"    {status}: {setting}")


def test_of_separate_connections_only_the_transmitters_carry_messages(tmp_path: Path) -> None:
    data = configured(tmp_path)
    settings = tmp_path / "cleartosend.toml"
    settings.write_text(settings.read_text().replace('system_id = "cts"\n', 'system_id = "cts"\nbind = "separate"\n'))
    listed = ran("list", "--data", data)
    assert "profile usual, 1 × 50 unanswered on transmitters, and as many receivers; window 100" in listed.output


async def test_receipts_are_shown_as_they_came(tmp_path: Path) -> None:
    async with SMSC(password="open sesame", receipts_unknown=1, receipt_esm_class=0) as smsc:
        data = configured(tmp_path, port=smsc.port)
        probed = await asyncio.to_thread(ran, "probe", "first", "--data", data, "--to", "13800138000")
    first = smsc.messages[0].carrier_id
    assert f"DELIVRD (DELIVRD) of {first} in the text; the answer said {first}" in probed.output
    assert "an id that no answer had, not marked as a receipt" in probed.output


async def test_an_smsc_is_probed_where_it_listens_and_one_that_takes_no_bind_is_a_failure(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    async with SMSC(system_id="cts", password="secret") as smsc:
        where = ("probe", "--host", smsc.host, "--port", str(smsc.port), "--password-file", str(password))
        taken = await asyncio.to_thread(ran, *where, "--system-id", "cts")
        refused = await asyncio.to_thread(ran, *where, "--system-id", "somebody")
    assert taken.exit_code == 0, taken.output
    assert refused.exit_code == 1
    assert "refused with ESME_R" in refused.output


def test_what_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    data = configured(tmp_path)
    for arguments, said in [
        (("probe",), "it takes the NAME of a carrier, or --host"),
        (("probe", "first", "--host", "a"), "it takes the NAME of a carrier, or --host"),
        (("probe", "--host", "a"), "--host needs --system-id"),
        (("probe", "fourth", "--data", data), "there is no carrier `fourth`; there are first, second, third"),
        (("probe", "second", "--data", data), "`second` does not speak SMPP"),
        (("probe", "first", "--data", data, "--rate", "5"), "--rate sends real messages, so it needs --to"),
        (("probe", "first", "--data", data, "--to", "somebody"), "`somebody` is not a number"),
        (("probe", "first", "--data", data, "--profile", "nowhere"), "there is no profile `nowhere`"),
    ]:
        refused = ran(*arguments)
        assert refused.exit_code == 2, arguments
        assert said in refused.output


def test_the_carrier_in_the_how_to_can_be_configured(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "carriers.md").read_text("utf-8")
    (tmp_path / "cleartosend.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    listed = ran("list", "--data", str(tmp_path))
    assert listed.output.startswith("first: SMPP, smsc.example.com:2775 with TLS as cts, profile usual, 2 × 20")
