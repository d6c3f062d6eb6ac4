"""A setting that is not there is refused, wherever it stands; the tour says what it needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_tour_says_in_one_line_what_it_needs() -> None:
    bare = {name: value for name, value in os.environ.items() if name == "PATH"}
    ended = subprocess.run([sys.executable, TOUR], env=bare, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    [line] = ended.stderr.splitlines()
    assert "make run" in line
