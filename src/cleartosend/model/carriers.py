"""Carriers and the routes to them, as an operator writes them down."""

from typing import Annotated, Literal

import msgspec

from cleartosend.model.verdicts import MessageType

Name = Annotated[str, msgspec.Meta(pattern="^[a-z0-9][a-z0-9-]{0,31}$")]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Weight = Annotated[int, msgspec.Meta(ge=0, le=1000)]


class _Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What is said of every carrier."""

    name: Name
    """As it stands in routes, receipts and metrics."""
    window: Count = 100
    """Most messages that it has been handed and whose answers are not yet on disk, all its sessions together."""
    per_second: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Most messages that it is handed a second; 0: as many as it takes."""


class SimulatorLink(_Link, frozen=True, kw_only=True, tag="simulator"):
    """Sends nothing, and delivers all the same."""

    delay_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.5
    """How long it takes to deliver."""
    seed: int = 1
    """Where its chances start from: the same seed, the same chances."""


class SmppLink(_Link, frozen=True, kw_only=True, tag="smpp"):
    """A carrier's message centre, by SMPP 3.4."""

    host: str
    """Where the message centre listens: a name or an address."""
    port: Port = 2775
    """The TCP port there."""
    system_id: str
    """Who we are there."""
    password: str = ""
    """By what it knows us; either this or `password_file`."""
    password_file: str = ""
    """A file whose first line is the password."""
    system_type: str = ""
    """What some message centres ask for beside it."""
    profile: str = "usual"
    """How the carrier writes things: the name of a profile that ships, or the path of one."""
    bind: Literal["transceiver", "separate"] = "transceiver"
    """`transceiver`: one connection for both ways; `separate`: a transmitter and a receiver."""
    sessions: Count = 1
    """How many connections; of `separate`, how many of each."""
    session_window: Count = 50
    """Most requests of a connection that wait for their answers."""
    tls: bool = False
    """Whether the connection is made with TLS."""
    tls_ca: str = ""
    """A file of certificates to trust; empty: those of the system."""
    source_addr: str = ""
    """The address that messages come from; an extension code is written behind it."""
    sources: dict[str, str] = {}
    """Addresses of their own, by signature."""
    enquire_link_seconds: Seconds = 30.0
    """How long a connection may be silent before it is asked whether it lives."""
    answer_within_seconds: Seconds = 10.0
    """How long an answer may take before the message counts as gone out or not, nobody knows."""
    reconnect_most_seconds: Seconds = 60.0
    """How long at most between two attempts to connect; the first come quickly."""


class UpstreamLink(_Link, frozen=True, kw_only=True, tag="upstream"):
    """Another service that speaks the Tencent Cloud SMS API."""

    endpoint: str
    """Its address, such as `https://sms.tencentcloudapi.com`."""
    region: str = "ap-guangzhou"
    """The X-TC-Region of our calls."""
    secret_id: str
    """Who we are there."""
    secret_key: str = ""
    """What our calls are signed with; either this or `secret_key_file`."""
    secret_key_file: str = ""
    """A file whose first line is the key."""
    sdk_app_id: str
    """The application there that our messages go out by."""
    templates: dict[str, str] = {}
    """What our templates are called there, by our TemplateId; nothing is sent with one that is not named."""
    same_templates: bool = False
    """Whether a template that is not named has the same number there, and the same text."""
    pull_seconds: Seconds = 5.0
    """How often statuses and replies are asked for where none are called back."""
    pull: bool = True
    """Whether statuses and replies are asked for; if not, they must be called back."""
    callback_secret: str = ""
    """What the address for callbacks ends in, so that nobody else knows it; empty: there is none."""
    answer_within_seconds: Seconds = 10.0
    """How long an answer may take before the message counts as gone out or not, nobody knows."""


Link = SimulatorLink | SmppLink | UpstreamLink


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which carriers take which messages. The first route that fits a message is its route; empty lists fit all."""

    name: Name
    """As it stands in what is shown of it, and in metrics."""
    countries: tuple[str, ...] = ()
    """ISO 3166 codes."""
    prefixes: tuple[str, ...] = ()
    """Beginnings of numbers, such as `+86138`."""
    types: tuple[MessageType, ...] = ()
    """`verification`, `notification`, `marketing`."""
    signatures: tuple[str, ...] = ()
    """What stands in the brackets, without them."""
    senders: tuple[str, ...] = ()
    """Sender ids."""
    carriers: dict[str, Weight]
    """Shares of its messages, such as `{ first = 3, second = 1 }`; a carrier with 0 stands by until no other is up."""


EVERYTHING = "all"
"""The route where none is written down: every carrier takes every message."""
