"""The rulebook that a command judges by."""

from pathlib import Path

from cleartosend.cli.problems import in_one_line
from cleartosend.policy.rulebook import Rulebook, RulebookError, load_rulebook
from cleartosend.settings import BadSettings, overlay_of, read_settings


def open_rulebook(*, rules: Path | None = None, data: Path | None = None) -> Rulebook:
    """The shipped rules under those given, or under those of the data folder's operator where none are."""
    with in_one_line(BadSettings, RulebookError):
        return load_rulebook(rules or overlay_of(read_settings(data)))
