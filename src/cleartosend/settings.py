"""Every setting of the operator: its name, default, unit and one line, read from a TOML file and the environment."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

FILE_NAME = "cleartosend.toml"
PREFIX = "CLEARTOSEND_"


class BadSettings(Exception):
    """A setting is unknown or has a value that it cannot have; the message names it."""


Count = Annotated[int, msgspec.Meta(ge=1)]
Hour = Annotated[int, msgspec.Meta(ge=0, le=24)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Node = Annotated[int, msgspec.Meta(ge=0, le=31)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator may set, in `cleartosend.toml` in the data folder or as `CLEARTOSEND_<NAME>`."""

    data: Path = Path("cleartosend-data")
    """The folder that holds the store, the key and the settings file."""
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: Port = 8080
    """The TCP port to listen on; 0 takes a free one."""
    database: str = ""
    """A PostgreSQL address (`postgresql://user@host/name`); empty: a SQLite file in the data folder."""
    key: str = ""
    """The key that seals secrets: 32 bytes in base64; empty: the file `secret.key` in the data folder."""
    node: Node = 0
    """This process's number, 0 to 31, different for each process that accepts messages into one database."""
    rules: str = ""
    """The operator's own rules, a TOML file or a folder of them; empty: `rules` in the data folder, if it is there."""
    marketing_opens_hour: Hour = 8
    """The hour, Beijing time, from which marketing may go to mainland numbers."""
    marketing_closes_hour: Hour = 22
    """The hour, Beijing time, from which marketing may no longer go to mainland numbers."""
    window: Count = 100
    """Most messages in flight at a carrier, sent and not yet answered."""
    submit_within_seconds: Seconds = 3600.0
    """How long a message may wait for a carrier before it expires."""
    receipt_within_seconds: Seconds = 259200.0
    """How long a receipt may take before a message's end counts as unknown."""
    retry_after_seconds: Seconds = 5.0
    """How long to wait before a message that a carrier could not take is sent again; doubles with each attempt."""
    marketing_at_most_once: bool = True
    """Whether marketing that may or may not have gone out when the process died is left alone, not sent again."""
    simulator_delay_seconds: Seconds = 0.5
    """How long the simulator carrier takes to deliver."""
    simulator_seed: int = 1
    """Where the simulator carrier's chances start from: the same seed, the same chances."""
    drain_seconds: Seconds = 10.0
    """How long a stopping server waits for what it has begun."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """`json`, `text`, or `auto`: text on a terminal and JSON elsewhere."""


def read_settings(data: Path | None = None, environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """
    The defaults, overlaid by the file, the environment and what was given on the command line, in this order.

    Raises BadSettings with one line that names the setting.
    """
    environment = os.environ if environment is None else environment
    from_environment = {
        name: environment[f"{PREFIX}{name.upper()}"]
        for name in Settings.__struct_fields__
        if f"{PREFIX}{name.upper()}" in environment
    }
    if data is None:
        data = Path(from_environment.get("data", Settings().data))
    values: dict[str, object] = {
        **_read_file(data / FILE_NAME),
        **from_environment,
        **{name: value for name, value in given.items() if value is not None},
        "data": str(data),
    }
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        message = f"the settings of {data}: {error}"
        raise BadSettings(message) from error


def overlay_of(settings: Settings) -> Path | None:
    """The operator's own rules, where there are any."""
    if settings.rules:
        return Path(settings.rules)
    folder = settings.data / "rules"
    return folder if folder.is_dir() else None


def _read_file(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        message = f"{path}: {error}"
        raise BadSettings(message) from error


def _to_path(wanted: type, value: object) -> object:
    return wanted(value)
