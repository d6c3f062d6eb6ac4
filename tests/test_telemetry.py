"""The log is for people; nothing depends on whether it can be written."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from cleartosend.telemetry import log, set_up_logging


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_an_event_is_a_line_of_json_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("json")
    log.warning("store.unavailable", error="disk I/O error")
    said = capsys.readouterr().err
    assert said.startswith('{"error": "disk I/O error", "event": "store.unavailable", "level": "warning"')
    assert said.endswith("}\n")


def test_a_full_disk_under_the_log_stops_nobody() -> None:
    set_up_logging("json")
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails as well
    with contextlib.redirect_stderr(full):
        log.error("store.unavailable", error="disk I/O error")
        log.info("server.started")
    with contextlib.suppress(OSError):
        full.close()
