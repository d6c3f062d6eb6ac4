"""The options that commands have in common, and how they show a time."""

from datetime import UTC, datetime
from pathlib import Path

import click

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The data folder. [default: cleartosend-data, or CLEARTOSEND_DATA]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def when(at: float) -> str:
    """A moment for people to read, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
