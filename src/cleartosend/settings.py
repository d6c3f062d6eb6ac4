"""Every setting of the operator: its name, default, unit and one line, read from a TOML file and the environment."""

import os
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, get_args, get_type_hints

import msgspec

from cleartosend.model.carriers import Link, Route, SmppLink, UpstreamLink
from cleartosend.model.verdicts import MessageType

FILE_NAME = "cleartosend.toml"
PREFIX = "CLEARTOSEND_"
OF_OTHERS = {"CLEARTOSEND_ENDPOINT"}
"""What begins like a setting and is none: where the programs of examples/ find the service."""


class BadSettings(Exception):
    """A setting is unknown or has a value that it cannot have; the message names it."""


Count = Annotated[int, msgspec.Meta(ge=1)]
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Node = Annotated[int, msgspec.Meta(ge=0, le=31)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]

EVERY_OTHER_COUNTRY = "*"
_PREFIX = re.compile(r"\+[0-9]{1,15}")
# SMPP 3.4, 5.2.8: 21 octets with the NUL behind them.
_ADDRESS = re.compile(r"[ -~]{0,20}")
# RFC 3986, 3.3, without what is written with `%`.
_SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]*")
_HOURS_OF_A_COUNTRY = re.compile(r"([A-Z]{2}|\*)=([0-9]{1,2})-([0-9]{1,2})")


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
    trusted_proxies: str = ""
    """Addresses of proxies, separated by commas, that say in `X-Forwarded-For` where a call comes from."""
    rules: str = ""
    """The operator's own rules, a TOML file or a folder of them; empty: `rules` in the data folder, if it is there."""
    marketing_hours: str = "CN=8-22"
    """When marketing may go where, in all time zones there; `*` is every other country: `CN=8-22,US=9-21,*=8-20`."""
    idempotency_seconds: Seconds = 86400.0
    """How long the answer to a call that has a key is kept, for when the same call is made again."""
    carriers: tuple[Link, ...] = ()
    """The carriers, each a table `[[carriers]]` of the file; none: the simulator, which sends nothing."""
    routes: tuple[Route, ...] = ()
    """Which carriers take which messages, each a table `[[routes]]`; none: every carrier takes every message."""
    window: Count = 100
    """Most messages that the simulator has been handed and whose answers are not yet on disk, where it stands alone."""
    most_waiting: Count = 1_000_000
    """Most messages that may wait for carriers, where codes are refused; notifications at 9/10, marketing at 8/10."""
    most_calls_at_once: Count = 2000
    """Most calls to send that may wait for the store in one process; one to many numbers counts once for each ten."""
    submit_within_seconds: Seconds = 3600.0
    """How long a message may wait for a carrier before it expires."""
    receipt_within_seconds: Seconds = 259200.0
    """How long a receipt may take before a message's end counts as unknown."""
    retry_after_seconds: Seconds = 5.0
    """How long to wait before a message that a carrier could not take is sent again; doubles with each attempt."""
    reply_within_hours: Count = 72
    """How many hours after a message a reply still answers it; one that asks to be left alone always does."""
    opt_out_words: str = ""
    """Words by which people opt out, beside those that are known, separated by commas."""
    opt_in_words: str = ""
    """Words by which people opt in again, beside those that are known, separated by commas."""
    marketing_at_most_once: bool = True
    """Whether marketing that may or may not have gone out when the process died is left alone, not sent again."""
    callback_networks: str = ""
    """Private networks that callbacks may go to, such as `127.0.0.0/8,10.1.0.0/16`; empty: public addresses only."""
    callback_timeout_seconds: Seconds = 10.0
    """How long a customer's server may take to answer a callback, all in all."""
    callback_retry_seconds: Seconds = 5.0
    """How long a server is left alone after a callback that failed; doubles with each failure in a row."""
    callback_retry_most_seconds: Seconds = 600.0
    """How long a server is left alone at most."""
    callback_give_up_seconds: Seconds = 172800.0
    """For how long callbacks are tried before they are given up; they can still be replayed."""
    callback_connections: Count = 100
    """Most callbacks in flight at once, one for each server."""
    callback_kept_days: Count = 7
    """How many days callbacks are kept after they were delivered or given up."""
    simulator_delay_seconds: Seconds = 0.5
    """How long the simulator carrier takes to deliver."""
    simulator_seed: int = 1
    """Where the simulator carrier's chances start from: the same seed, the same chances."""
    drain_seconds: Seconds = 10.0
    """How long a stopping server waits for what it has begun."""
    open_links: bool = True
    """Whether the links of templates are opened; if not, templates with links wait for a person."""
    link_networks: str = ""
    """Networks beyond the public internet that links may lead to, such as `10.1.0.0/16`; empty: none."""
    second_opinion_percent: Percent = 5.0
    """Of a hundred decisions of people, how many are put before another reviewer, to know how far they agree."""
    log_format: Literal["auto", "json", "text"] = "auto"
    """`json`, `text`, or `auto`: text on a terminal and JSON elsewhere."""

    def __post_init__(self) -> None:
        hours_by_country(self.marketing_hours)
        for link in self.carriers:
            for fault in _faults(link):
                raise ValueError(f"carriers: `{link.name}`: {fault}")
        _check_routes(self.carriers, self.routes)


def read_settings(data: Path | None = None, environment: Mapping[str, str] | None = None, **given: object) -> Settings:
    """
    The defaults, overlaid by the file, the environment and what was given on the command line, in this order.

    Raises BadSettings with one line that names the setting.
    """
    environment = os.environ if environment is None else environment
    names = {f"{PREFIX}{name.upper()}": name for name in Settings.__struct_fields__}
    unknown = sorted(one for one in environment if one.startswith(PREFIX) and one not in {*names, *OF_OTHERS})
    if unknown:
        message = f"{unknown[0]}: there is no such setting"
        raise BadSettings(message)
    from_environment: dict[str, object] = {
        name: _unpacked(name, environment[variable]) for variable, name in names.items() if variable in environment
    }
    if data is None:
        data = Path(str(from_environment.get("data", Settings().data)))
    values: dict[str, object] = {
        **_read_file(data / FILE_NAME),
        **from_environment,
        **{name: value for name, value in given.items() if value is not None},
        "data": str(data),
    }
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        message = f"the settings of {data}: {error}{_instead_of(str(error))}"
        raise BadSettings(message) from error


@cache
def hours_by_country(written: str) -> Mapping[str, tuple[int, int]]:
    """
    Read the setting `marketing_hours`: from and until which hour, by country. Raises ValueError with what is wrong.

    >>> hours_by_country("CN=8-22, *=9-21")
    {'CN': (8, 22), '*': (9, 21)}
    """
    found: dict[str, tuple[int, int]] = {}
    for item in written.replace(" ", "").split(",") if written.strip() else ():
        read = _HOURS_OF_A_COUNTRY.fullmatch(item)
        opens, closes = (int(read[2]), int(read[3])) if read else (0, 0)
        if read is None or not opens < closes <= 24:
            raise ValueError(f"marketing_hours: `{item}` is not a country and its hours, such as `CN=8-22`")
        country = read[1]
        if country != EVERY_OTHER_COUNTRY and country not in _countries():
            raise ValueError(f"marketing_hours: there is no country `{country}`")
        if country in found:
            raise ValueError(f"marketing_hours: `{country}` is there twice")
        found[country] = (opens, closes)
    return found


def _faults(link: Link) -> Iterator[str]:
    """What a carrier could never work with."""
    match link:
        case SmppLink():
            yield from _empty(link, "host", "system_id")
            yield from _both(link, "password", "password_file")
            for address in (link.source_addr, *link.sources.values()):
                if not _ADDRESS.fullmatch(address):
                    yield f"`{address}` is not an address: at most 20 letters, digits and signs of ASCII"
        case UpstreamLink():
            yield from _empty(link, "secret_id", "sdk_app_id")
            yield from _both(link, "secret_key", "secret_key_file")
            if not link.secret_key and not link.secret_key_file:
                yield "neither secret_key nor secret_key_file is there"
            if not _SEGMENT.fullmatch(link.callback_secret):
                yield "callback_secret: it stands in an address, so it is written with letters and digits"


def _empty(link: Link, *names: str) -> Iterator[str]:
    yield from (f"{name} is empty" for name in names if not getattr(link, name).strip())


def _both(link: Link, given: str, file: str) -> Iterator[str]:
    if getattr(link, given) and getattr(link, file):
        yield f"{given} and {file} are both there"


def _check_routes(carriers: Sequence[Link], routes: Sequence[Route]) -> None:
    names = [link.name for link in carriers]
    for name, times in Counter(names).items():
        if times > 1:
            raise ValueError(f"carriers: `{name}` is there twice")
    for name, times in Counter(route.name for route in routes).items():
        if times > 1:
            raise ValueError(f"routes: `{name}` is there twice")
    for route in routes:
        if unknown := sorted(set(route.carriers) - set(names)):
            raise ValueError(f"routes: `{route.name}` names the carrier `{unknown[0]}`, which is not there")
        if not any(route.carriers.values()):
            raise ValueError(f"routes: `{route.name}` has no carrier with a share")
        if unknown := sorted(set(route.countries) - _countries()):
            raise ValueError(f"routes: `{route.name}`: there is no country `{unknown[0]}`")
        if odd := [prefix for prefix in route.prefixes if not _PREFIX.fullmatch(prefix)]:
            raise ValueError(f"routes: `{route.name}`: `{odd[0]}` is not the beginning of a number, such as `+86138`")


@cache
def _countries() -> frozenset[str]:
    """The codes of ISO 3166-1 alpha-2."""
    table = resources.files("tzdata").joinpath("zoneinfo/iso3166.tab").read_text("utf-8")
    return frozenset(line[:2] for line in table.splitlines() if not line.startswith("#"))


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


def _unpacked(name: str, value: str) -> object:
    """Tables are written as JSON in the environment."""
    if name not in _TABLES:
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        message = f"{PREFIX}{name.upper()}: {error}"
        raise BadSettings(message) from error


_TABLES = {"carriers", "routes"}


def _instead_of(problem: str) -> str:
    """What may stand where a word stands that may not, as msgspec tells it."""
    if not problem.startswith("Invalid"):
        return ""
    words = next((words for name, words in _WORDS.items() if f".{name}" in problem), ())
    return f"; there are {', '.join(f'`{word}`' for word in words)}" if words else ""


_WORDS: Mapping[str, Sequence[str]] = {
    "kind": [str(link.__struct_config__.tag) for link in get_args(Link)],
    "bind": get_args(get_type_hints(SmppLink)["bind"]),
    "types": list(MessageType),
    "log_format": get_args(get_type_hints(Settings)["log_format"]),
}


def _to_path(wanted: type, value: object) -> object:
    return wanted(value)
