"""Surroundings that are not fit get one clear line and exit status 2."""

import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from end_to_end.served import cleartosend, serving


def complaint(*arguments: str, data: Path) -> str:
    """What the command says on standard error, after ending with status 2."""
    ended = cleartosend(*arguments, data=data, check=False)
    assert ended.returncode == 2, ended
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_a_taken_port_is_said(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port}" in complaint("serve", "--port", port, data=tmp_path / "data")


@pytest.mark.parametrize("arguments", [("serve",), ("account", "list"), ("review", "list")])
def test_an_unusable_data_folder_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert "file" in complaint(*arguments, data=tmp_path / "file" / "data")


def test_a_store_that_is_none_is_said(tmp_path: Path) -> None:
    cleartosend("account", "create", "清风书店", "--kind", "organization", data=tmp_path)
    for file in tmp_path.glob("cleartosend.db*"):
        file.unlink()
    (tmp_path / "cleartosend.db").write_text("certainly no database, and long enough to be looked at\n" * 20)
    assert "cleartosend.db" in complaint("serve", "--port", "0", data=tmp_path)


def test_a_store_of_a_newer_version_is_said_and_left_alone(tmp_path: Path) -> None:
    cleartosend("account", "create", "清风书店", "--kind", "organization", data=tmp_path)
    with closing(sqlite3.connect(tmp_path / "cleartosend.db")) as store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
        store.commit()
    assert "9999" in complaint("serve", "--port", "0", data=tmp_path)
    with closing(sqlite3.connect(tmp_path / "cleartosend.db")) as store:
        assert store.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_a_second_server_on_one_folder_is_said(tmp_path: Path) -> None:
    with serving(tmp_path / "data"):
        assert "another server" in complaint("serve", "--port", "0", data=tmp_path / "data")


def test_a_folder_without_a_store_is_said_and_no_store_is_made_in_it(tmp_path: Path) -> None:
    assert "no store" in complaint("review", "list", data=tmp_path / "mistyped")
    assert not (tmp_path / "mistyped").exists()


def test_a_store_without_its_key_is_said_and_no_key_is_made(tmp_path: Path) -> None:
    cleartosend("account", "create", "清风书店", "--kind", "organization", data=tmp_path)
    key = tmp_path / "secret.key"
    its_own = key.read_text()
    key.unlink()
    assert "secret.key is missing" in complaint("serve", "--port", "0", data=tmp_path)
    assert not key.exists()
    for another in ("not base64", "A" * 43 + "="):
        key.write_text(another)
        complaint("account", "list", data=tmp_path)
    key.write_text(its_own)
    assert "清风书店" in cleartosend("account", "list", data=tmp_path).stdout


@pytest.mark.parametrize("address", ["mysql://x", "postgresql://nobody@127.0.0.1:1/nothing"])
def test_a_database_that_cannot_be_used_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("CLEARTOSEND_DATABASE", address)
    assert "the database" in complaint("serve", "--port", "0", data=tmp_path)


@pytest.mark.parametrize("arguments", [("check", "--jsonl"), ("members", "import")])
def test_a_file_that_is_not_there_is_said(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = cleartosend(*arguments, str(tmp_path / "nowhere"), check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


def test_members_come_in_whatever_chinese_spreadsheets_write(tmp_path: Path) -> None:
    cleartosend("account", "create", "清风书店", "--kind", "organization", data=tmp_path)
    file = tmp_path / "members.csv"
    file.write_bytes("手机号,姓名\r\n13711112222,甲\r\n".encode("gb18030"))
    imported = cleartosend("members", "import", str(file), "--account", "1", "--source", "purchase", data=tmp_path)
    assert imported.stdout == "1 numbers read, 1 new members\n"


@pytest.mark.parametrize("change", ["variable_length=-5", "per_number_per_day=-1", "kind=robot", "no_such=1"])
def test_an_impossible_setting_of_an_account_is_said(tmp_path: Path, change: str) -> None:
    cleartosend("account", "create", "清风书店", "--kind", "organization", data=tmp_path)
    ended = cleartosend("account", "set", "1", change, data=tmp_path, check=False)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "line", ["speed = 3", "port = 'high'", "port = ", "marketing_hours = 'UK=9-21'", "simulator_delay_seconds = -4"]
)
def test_a_bad_settings_file_is_said(tmp_path: Path, line: str) -> None:
    (tmp_path / "cleartosend.toml").write_text(line)
    complaint("account", "list", data=tmp_path)


def test_a_bad_key_is_said(tmp_path: Path) -> None:
    cleartosend("account", "create", "清风书店", "--kind", "organization", data=tmp_path)
    (tmp_path / "secret.key").write_text("c2hvcnQ=\n")
    assert "32 bytes" in complaint("account", "show", "1", data=tmp_path)


def test_bad_rules_of_the_operator_are_said(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.toml").write_text("[[rule]]\nid = 'x'\n")
    assert "own.toml" in complaint("serve", "--port", "0", data=tmp_path)
