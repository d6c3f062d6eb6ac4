"""The options that commands have in common, and how they show a time."""

import getpass
from datetime import UTC, datetime
from pathlib import Path

import click

OPERATOR = "operator"
"""Who acts where a command does not ask."""


def user() -> str:
    """Who gives the command."""
    try:
        return getpass.getuser()
    # In a container there may be nobody of this number.
    except (KeyError, OSError):
        return OPERATOR


data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="The data folder. [default: cleartosend-data, or CLEARTOSEND_DATA]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
json_lines_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value a line.")
by_option = click.option("--by", default=user, help="Who decides. [default: you]")


class Words(click.ParamType[str]):
    """A text with something in it."""

    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail("it is blank", param, ctx)
        return value


def when(at: float) -> str:
    """A moment for people to read, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
