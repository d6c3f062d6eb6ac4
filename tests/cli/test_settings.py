"""A setting that is not there is refused, wherever it stands; the tour says what it needs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleartosend.model.carriers import Route, SimulatorLink, SmppLink
from cleartosend.model.verdicts import MessageType
from cleartosend.settings import BadSettings, read_settings

TOUR = Path(__file__).parents[2] / "examples" / "tour.py"


@pytest.mark.parametrize("name", ["PORTT", "OPENLINKS", "port", ""])
def test_an_unknown_setting_of_the_environment_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadSettings, match=f"CLEARTOSEND_{name}: there is no such setting"):
        read_settings(tmp_path, environment={f"CLEARTOSEND_{name}": "3"})


def test_an_unknown_setting_of_the_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "cleartosend.toml").write_text("portt = 3\n")
    with pytest.raises(BadSettings, match="portt"):
        read_settings(tmp_path, environment={})


def test_what_others_call_similarly_is_passed_over(tmp_path: Path) -> None:
    environment = {"CLEARTOSEND_ENDPOINT": "127.0.0.1:8080", "CLEARTOSEND_PORT": "3", "CLEARTOSENDER": "me"}
    assert read_settings(tmp_path, environment=environment).port == 3


CARRIERS = """
carriers = [{ name = "first", kind = "simulator" }, { name = "second", kind = "simulator", window = 10 }]
"""


def test_carriers_and_routes_are_read_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "cleartosend.toml").write_text(
        """
        [[carriers]]
        name = "first"
        kind = "simulator"

        [[carriers]]
        name = "second"
        kind = "smpp"
        host = "smsc.example"
        system_id = "cts"
        per_second = 200
        sources = { "清风书店" = "10690001" }

        [[routes]]
        name = "codes"
        types = ["verification"]
        carriers = { second = 3, first = 1 }
        """
    )
    read = read_settings(tmp_path, environment={})
    first, second = read.carriers
    assert isinstance(first, SimulatorLink)
    assert isinstance(second, SmppLink)
    assert (second.per_second, second.sources, second.port) == (200, {"清风书店": "10690001"}, 2775)
    assert read.routes == (Route(name="codes", types=(MessageType.VERIFICATION,), carriers={"second": 3, "first": 1}),)


def test_carriers_and_routes_are_read_from_the_environment_as_json(tmp_path: Path) -> None:
    environment = {
        "CLEARTOSEND_CARRIERS": '[{"name": "only", "kind": "simulator"}]',
        "CLEARTOSEND_ROUTES": '[{"name": "all", "carriers": {"only": 1}}]',
    }
    read = read_settings(tmp_path, environment=environment)
    assert [link.name for link in read.carriers] == ["only"]
    assert read.routes == (Route(name="all", carriers={"only": 1}),)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ('carriers = [{ name = "a", kind = "simulator" }, { name = "a", kind = "simulator" }]', "`a` is there twice"),
        ('carriers = [{ name = "a b", kind = "simulator" }]', "carriers"),
        ('carriers = [{ name = "a", kind = "pigeon" }]', "pigeon.*; there are `simulator`, `smpp`, `upstream`"),
        ('carriers = [{ name = "a", kind = "smpp" }]', "host"),
        ('carriers = [{ name = "a", kind = "simulator", windw = 3 }]', "windw"),
        ('carriers = [{ name = "a", kind = "simulator", window = 0 }]', "window"),
        (CARRIERS + 'routes = [{ name = "r", carriers = { third = 1 } }]', "the carrier `third`, which is not there"),
        (CARRIERS + 'routes = [{ name = "r", carriers = { first = 0 } }]', "`r` has no carrier with a share"),
        (CARRIERS + 'routes = [{ name = "r", carriers = {} }]', "`r` has no carrier with a share"),
        (CARRIERS + 'routes = [{ name = "r", carriers = { first = -1 } }]', "carriers"),
        (
            CARRIERS + 'routes = [{ name = "r", carriers = { first = 1 } }, { name = "r", carriers = { second = 1 } }]',
            "`r` is there twice",
        ),
        (CARRIERS + 'routes = [{ name = "r", countries = ["XX"], carriers = { first = 1 } }]', "no country `XX`"),
        (
            CARRIERS + 'routes = [{ name = "r", prefixes = ["138"], carriers = { first = 1 } }]',
            "`138` is not",
        ),
        (
            CARRIERS + 'routes = [{ name = "r", types = ["codes"], carriers = { first = 1 } }]',
            "codes.*; there are `verification`, `notification`, `marketing`",
        ),
        ('routes = [{ name = "r", carriers = { simulator = 1 } }]', "the carrier `simulator`, which is not there"),
        ("carriers = 3", "carriers"),
        ('log_format = "yaml"', "yaml.*; there are `auto`, `json`, `text`"),
    ],
)
def test_carriers_and_routes_that_cannot_be_are_refused_by_name(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "cleartosend.toml").write_text(written)
    with pytest.raises(BadSettings, match=told):
        read_settings(tmp_path, environment={})


SMSC = {"kind": "smpp", "host": "smsc.example", "system_id": "cts"}
SERVICE = {
    "kind": "upstream",
    "endpoint": "https://sms.example",
    "secret_id": "AKID",
    "secret_key": "wheat",
    "sdk_app_id": "1400006666",
}


@pytest.mark.parametrize(
    ("link", "told"),
    [
        (SMSC | {"bind": "receiver"}, "receiver.*; there are `transceiver`, `separate`"),
        (SMSC | {"host": ""}, "`a`: host is empty"),
        (SMSC | {"system_id": " "}, "`a`: system_id is empty"),
        (SMSC | {"password": "p", "password_file": "/p"}, "`a`: password and password_file are both there"),
        (SMSC | {"source_addr": "1" * 21}, "`1{21}` is not an address: at most 20"),
        (SMSC | {"source_addr": "清风"}, "`清风` is not an address"),
        (SMSC | {"sources": {"清风书店": "106\t9"}}, "is not an address"),
        (SERVICE | {"secret_id": ""}, "`a`: secret_id is empty"),
        (SERVICE | {"sdk_app_id": ""}, "`a`: sdk_app_id is empty"),
        (SERVICE | {"secret_key": ""}, "`a`: neither secret_key nor secret_key_file is there"),
        (SERVICE | {"secret_key_file": "/k"}, "`a`: secret_key and secret_key_file are both there"),
        (SERVICE | {"callback_secret": "a/b"}, "`a`: callback_secret: .* letters and digits"),
        (SERVICE | {"callback_secret": "a%20b"}, "callback_secret"),
        (SERVICE | {"callback_secret": "a?b"}, "callback_secret"),
        (SERVICE | {"callback_secret": "清风"}, "callback_secret"),
    ],
)
def test_a_carrier_that_could_never_carry_is_refused_by_name(
    tmp_path: Path, link: dict[str, object], told: str
) -> None:
    environment = {"CLEARTOSEND_CARRIERS": json.dumps([{"name": "a"} | link])}
    with pytest.raises(BadSettings, match=told):
        read_settings(tmp_path, environment=environment)


@pytest.mark.parametrize(
    "link",
    [
        SMSC | {"source_addr": "1" * 20, "sources": {"清风书店": "Clear To Send", "清风": "+10690001"}},
        SMSC | {"password_file": "/etc/cleartosend/first.password"},
        SERVICE | {"secret_key": "", "secret_key_file": "/etc/cleartosend/second.key"},
        SERVICE | {"callback_secret": "nobody-knows_this.~=+:@2"},
    ],
)
def test_what_a_carrier_can_be_is_taken(tmp_path: Path, link: dict[str, object]) -> None:
    environment = {"CLEARTOSEND_CARRIERS": json.dumps([{"name": "a"} | link])}
    assert [link.name for link in read_settings(tmp_path, environment=environment).carriers] == ["a"]


def test_a_table_of_the_environment_that_is_no_json_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="CLEARTOSEND_CARRIERS: "):
        read_settings(tmp_path, environment={"CLEARTOSEND_CARRIERS": "[[carriers]]"})


def test_the_tour_says_in_one_line_what_it_needs() -> None:
    bare = {name: value for name, value in os.environ.items() if name == "PATH"}
    ended = subprocess.run([sys.executable, TOUR], env=bare, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert "make run" in line
