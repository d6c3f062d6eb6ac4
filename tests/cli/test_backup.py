"""`cleartosend backup` keeps what it copies from others, and overwrites nothing unasked."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cleartosend.cli import cleartosend


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    made = CliRunner().invoke(
        cleartosend, ["account", "create", "清风书店", "--kind", "organization", "--data", str(data)]
    )
    assert made.exit_code == 0
    return data


def backup(data: Path, file: Path, *options: str) -> Result:
    return CliRunner().invoke(cleartosend, ["backup", str(file), "--data", str(data), *options])


def names_in(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as store:
        return [name for (name,) in store.execute("SELECT name FROM accounts")]


def test_only_its_owner_reads_a_new_data_folder_and_a_backup(data: Path, tmp_path: Path) -> None:
    assert data.stat().st_mode & 0o777 == 0o700
    (tmp_path / "copy.db.part").write_text("left by a backup that was killed")
    assert backup(data, tmp_path / "copy.db").exit_code == 0
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path / "copy.db") == ["清风书店"]
    assert not (tmp_path / "copy.db.part").exists()


def test_a_file_is_overwritten_only_when_forced(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("mine")
    refused = backup(data, copy)
    assert refused.exit_code == 2
    assert f"{copy}: it is there already" in refused.stderr
    assert copy.read_text() == "mine"
    assert backup(data, copy, "--force").exit_code == 0
    assert names_in(copy) == ["清风书店"]
    assert copy.stat().st_mode & 0o777 == 0o600


def test_the_store_is_not_overwritten_with_its_own_copy(data: Path) -> None:
    refused = backup(data, data / "cleartosend.db", "--force")
    assert refused.exit_code == 2
    assert "the store itself" in refused.stderr


def test_a_file_that_cannot_be_written_is_named(data: Path, tmp_path: Path) -> None:
    refused = backup(data, tmp_path / "nowhere" / "copy.db")
    assert refused.exit_code == 2
    assert f"{tmp_path / 'nowhere' / 'copy.db'}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
