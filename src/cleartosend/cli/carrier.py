"""`cleartosend carrier`: the carriers and routes as configured, and what an SMSC does when it is tried."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from cleartosend.admission.numbers import read_number
from cleartosend.carriers.smpp.pdu import Unwritable
from cleartosend.carriers.smpp.probe import NO_ALPHABET, Bound, Came, Findings, Pace, Probe, Sent, proposed_profile
from cleartosend.carriers.smpp.profile import USUAL, BadProfile, read_profile
from cleartosend.cli.carrier_log import log, parked, status
from cleartosend.cli.options import data_option, json_lines_option, json_option
from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.compose import links_of, secret_of
from cleartosend.model.carriers import Link, Route, SimulatorLink, SmppLink, UpstreamLink
from cleartosend.model.masks import masked_number
from cleartosend.settings import BadSettings, Settings, read_settings

SECRET_FIELDS = ("password", "secret_key", "callback_secret")
# What to look at first, by what a carrier said of test messages.
_LOOK_AT = {
    **dict.fromkeys(["ESME_RINVSRCADR", "ESME_RINVSRCTON", "ESME_RINVSRCNPI"], "`source_addr`, or --source"),
    **dict.fromkeys(
        ["ESME_RINVDSTADR", "ESME_RINVDSTTON", "ESME_RINVDSTNPI"], "the number, and the profile's `[addresses]`"
    ),
    **dict.fromkeys(["ESME_RTHROTTLED", "ESME_RMSGQFUL"], "`per_second`: it is too much for it; or try later"),
    "ESME_RINVSERTYP": "the profile's `service_type`",
    "ESME_RINVSYSTYP": "`system_type`",
    "ESME_RINVBNDSTS": '`bind`: whether it is to be "separate"',
    "ESME_RINVESMCLASS": "the profile's `joining`",
    "ESME_RINVREGDLVFLG": "the profile's `registered_delivery`",
    NO_ALPHABET: "the profile's `alphabets`",
    "": "`answer_within_seconds`, or ask the carrier why it is silent",
}


@click.group()
def carrier() -> None:
    """Carriers: how they are configured, and what they do."""


carrier.add_command(log)
carrier.add_command(parked)
carrier.add_command(status)


@carrier.command("list")
@data_option
@json_lines_option
def list_(*, data: Path | None, as_json: bool) -> None:
    """Carriers and routes as the settings have them; without secrets."""
    with in_one_line(BadSettings):
        settings = read_settings(data)
    if as_json:
        for link in links_of(settings):
            click.echo(msgspec.json.encode(_without_secrets(link)))
        for route in settings.routes:
            click.echo(msgspec.json.encode(route))
    else:
        click.echo("\n".join(_listed(settings)))


@carrier.command()
@click.argument("name", required=False)
@click.option("--host", help="Instead of NAME: where the SMSC listens.")
@click.option("--port", type=click.IntRange(1, 65535), default=2775, show_default=True)
@click.option("--system-id", help="With --host: who binds.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False), help="With --host: its password.")
@click.option("--system-type", default="", help="With --host: what some SMSCs ask for.")
@click.option("--tls", is_flag=True, help="With --host: connect with TLS.")
@click.option("--source", help="The sender of test messages.")
@click.option("--profile", help="Write test messages as this profile says. [default: the carrier's, or usual]")
@click.option("--to", help="Send test messages to this number. These are real ones, and cost what they cost.")
@click.option("--before", default="", help="What each of them begins with, such as a signature in its brackets.")
@click.option("--rate", type=click.IntRange(1, 1000), help="With --to: send so many more within a second.")
@click.option("--wait", "wait_seconds", type=float, default=30.0, show_default=True, help="Seconds for receipts.")
@data_option
@json_option
def probe(
    name: str | None,
    *,
    host: str | None,
    port: int,
    system_id: str | None,
    password_file: str | None,
    system_type: str,
    tls: bool,
    source: str | None,
    profile: str | None,
    to: str | None,
    before: str,
    rate: int | None,
    wait_seconds: float,
    data: Path | None,
    as_json: bool,
) -> None:
    """
    Bind to the carrier NAME, or to an SMSC at --host, and say what it does; exits 1 where no bind is taken.

    With --to it sends three real messages, waits for their receipts, and ends with what a profile should say; it
    exits 1 where none of them is taken.
    """
    if (name is None) == (host is None):
        raise click.UsageError("it takes the NAME of a carrier, or --host with --system-id")
    if to is None and rate is not None:
        raise click.UsageError("--rate sends real messages, so it needs --to")
    if name is not None:
        link = _configured(name, data)
    elif system_id is not None:
        link = SmppLink(
            name="probed",
            host=str(host),
            port=port,
            system_id=system_id,
            password_file=password_file or "",
            password="" if password_file else click.prompt("Password", hide_input=True, default="", err=True),
            system_type=system_type,
            tls=tls,
        )
    else:
        raise click.UsageError("--host needs --system-id")
    if source is not None:
        link = msgspec.structs.replace(link, source_addr=source)
    number = None if to is None else _number(to)
    with in_one_line(BadProfile, BadSettings, Unwritable):
        probing = Probe(
            link,
            password=secret_of(link.name, given=link.password, file=link.password_file),
            profile=read_profile(profile or link.profile),
            tls=ssl.create_default_context(cafile=link.tls_ca or None) if link.tls else None,
        )
        findings = asyncio.run(_probe(probing, number, before=before, rate=rate or 0, wait_seconds=wait_seconds))
    if as_json:
        click.echo(msgspec.json.encode(findings))
    else:
        click.echo("\n".join(_told(link, number, findings)))
    if not any(bound.is_taken for bound in findings.binds) or (number is not None and not findings.is_any_taken):
        raise SystemExit(1)


async def _probe(probing: Probe, number: str | None, *, before: str, rate: int, wait_seconds: float) -> Findings:
    binds = await probing.binds()
    if number is None:
        return Findings(binds=binds)
    sent, came, pace = await probing.messages(number, binds=binds, before=before, burst=rate, wait_seconds=wait_seconds)
    return Findings(binds=binds, sent=sent, came=came, pace=pace, profile=proposed_profile(sent, came))


def _configured(name: str, data: Path | None) -> SmppLink:
    with in_one_line(BadSettings):
        links = {link.name: link for link in links_of(read_settings(data))}
    link = links.get(name)
    if link is None:
        raise Problem(f"there is no carrier `{name}`; there are {', '.join(links)}")
    if not isinstance(link, SmppLink):
        raise Problem(f"`{name}` does not speak SMPP, so there is nothing to bind to")
    return link


def _number(written: str) -> str:
    number = read_number(written)
    if number is None:
        raise click.BadParameter(f"`{written}` is not a number, such as +8613711112222", param_hint="--to")
    return number.e164


# --- what it looks like ---


def _without_secrets(link: Link) -> dict[str, object]:
    fields = msgspec.to_builtins(link)
    return {name: "…" if name in SECRET_FIELDS and value else value for name, value in fields.items()}


def _listed(settings: Settings) -> Iterator[str]:
    for link in links_of(settings):
        pace = f", {link.per_second:g} a second" if link.per_second else ""
        yield f"{link.name}: {_where(link)}; window {link.window}{pace}"
    if not settings.routes:
        yield "every carrier takes every message"
    for route in settings.routes:
        yield f"{route.name}: {_which(route)} → {_shares(route)}"


def _where(link: Link) -> str:
    match link:
        case SimulatorLink():
            return "simulator, which sends nothing"
        case UpstreamLink():
            return f"upstream, {link.endpoint}, SdkAppId {link.sdk_app_id}"
        case SmppLink():
            # Of separate ones the transmitters alone carry messages.
            both = " on transmitters, and as many receivers" if link.bind == "separate" else ""
            return (
                f"SMPP, {link.host}:{link.port}{' with TLS' if link.tls else ''} as {link.system_id}, "
                f"profile {link.profile}, {link.sessions} × {link.session_window} unanswered{both}"
            )


def _which(route: Route) -> str:
    fields = (route.countries, route.prefixes, route.types, route.signatures, route.senders)
    return "; ".join(", ".join(field) for field in fields if field) or "everything"


def _shares(route: Route) -> str:
    return ", ".join(
        f"{name} {share}" if share else f"{name} when others fail" for name, share in route.carriers.items()
    )


def _told(link: SmppLink, number: str | None, findings: Findings) -> Iterator[str]:
    yield f"{link.host}:{link.port}"
    yield from (f"  {_bound(bound)}" for bound in findings.binds)
    if number is None or not any(bound.is_taken for bound in findings.binds):
        return
    yield f"messages to {masked_number(number)}, real ones"
    yield from (f"  {_sent(sent)}" for sent in findings.sent)
    if findings.pace is not None:
        yield "pace"
        yield from (f"  {line}" for line in _pace(findings.pace))
    yield "receipts"
    yield from (f"  {_came(came)}" for came in findings.came)
    if not findings.came:
        yield "  none came in time"
    yield "profile"
    yield from (f"  {line}".rstrip() for line in findings.profile or _of_profile(findings))


def _of_profile(findings: Findings) -> Iterator[str]:
    """What is said of it where there is nothing that it should say."""
    if not findings.is_any_taken:
        yield "nothing can be said of it, since no test message was taken; look at"
        yield from dict.fromkeys(f"  {_look_at(sent.status)}" for sent in findings.sent)
        if not findings.sent:
            yield "  `bind`: a transceiver, or both a transmitter and a receiver, could not be bound"
    elif not findings.came:
        yield "nothing can be said of it without receipts; look at `registered_delivery`, or wait longer with --wait"
    else:
        yield f'"{USUAL}" fits, as far as this shows'


def _look_at(status: str) -> str:
    its_setting = _LOOK_AT.get(status) or "what the carrier has documented of it"
    return f"{status}: {its_setting}" if status else its_setting


def _bound(bound: Bound) -> str:
    if not bound.status:
        return f"{bound.command.lower()}: {bound.because}"
    if not bound.is_taken:
        return f"{bound.command.lower()}: refused with {bound.status}"
    alive = "not answered" if bound.enquire_link_ms is None else f"answered in {bound.enquire_link_ms:.1f} ms"
    version = f"SMPP {bound.version}" if bound.version else "no version, so perhaps SMPP 3.3"
    by = bound.system_id or "somebody without a name"
    return f"{bound.command.lower()}: taken in {bound.answer_ms:.1f} ms by {by}, {version}; enquire_link {alive}"


def _sent(sent: Sent) -> str:
    if not sent.status:
        return f"{sent.what}: not answered"
    if not sent.is_taken:
        return f"{sent.what}: refused with {sent.status} in {sent.answer_ms:.1f} ms"
    return f"{sent.what}: taken in {sent.answer_ms:.1f} ms as {sent.id or 'nothing: it has no id'}"


def _pace(pace: Pace) -> Iterator[str]:
    yield f"of {pace.offered} within a second {pace.taken} taken and {pace.throttled} throttled"
    yield f"of those taken {pace.reported} reported on"
    yield ", ".join(f"{status} {count}" for status, count in pace.statuses.items())
    if pace.median_ms:
        carried = 50_000 / pace.median_ms
        yield f"half of the answers within {pace.median_ms:.1f} ms: a window of 50 carries {carried:.0f} a second"


def _came(came: Came) -> str:
    where = " and ".join(
        words for written, words in ((came.id_in_text, "text"), (came.id_in_tlvs, "optional parameters")) if written
    )
    mark = "" if came.marked else ", not marked as a receipt"
    after = f"after {came.after_seconds:.1f} s"
    if not where:
        return f"{after}: unreadable, {came.status}{mark}"
    said = f"{after}: {came.status} ({came.code}) of {came.id_in_tlvs or came.id_in_text} in the {where}"
    if came.forms is None:
        return f"{said}, an id that no answer had{mark}"
    return f"{came.what}, {said}; {_forms(came)}{mark}"


def _forms(came: Came) -> str:
    if came.forms is None or came.forms[0] is came.forms[1]:
        return f"the answer said {came.answer_id}"
    return f"the answer said {came.answer_id}: {came.forms[0]} there, {came.forms[1]} here"
