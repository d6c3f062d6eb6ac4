"""`cleartosend carrier status`, `log` and `parked`: how much goes to a carrier, why, and what it says of no message."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.carriers.routing import Routing
from cleartosend.cli.options import data_option, json_lines_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.compose import links_of
from cleartosend.model.messages import Receipt
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.store import carrier_events, handovers, receipts
from cleartosend.store.carrier_events import CarrierEvent

ALL_OF_IT = 100


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A carrier's place in a route, as the server last left it."""

    route: str
    waiting: int
    """Messages of the route that no carrier has taken."""
    carrier: str
    weight: int
    share: int
    """How much of that it has, in parts of a hundred."""
    since: float | None
    because: str


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier reported of messages that are not known, newest first."""

    carrier: str
    receipts: tuple[Receipt, ...]
    without_receipt: tuple[str, ...]
    """Its ids of messages that it took and has not reported on."""


@click.command()
@data_option
@json_lines_option
def status(*, data: Path | None, as_json: bool) -> None:
    """How much waits for each route, and how much of its share each carrier has; /readyz says who is up."""

    async def work(store: OpenStore) -> list[Standing]:
        return await store.engine.read(lambda tx: list(_standings(tx, store.settings)))

    standings = on_store(data, work)
    if as_json:
        for standing in standings:
            click.echo(msgspec.json.encode(standing))
        return
    for route, waiting in dict.fromkeys((one.route, one.waiting) for one in standings):
        click.echo(f"{route}: {waiting} waiting")
        for standing in standings:
            if standing.route == route:
                click.echo(f"  {_described(standing)}")


@click.command()
@click.option("--carrier", "name", help="Only those of this carrier.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most to list.")
@data_option
@json_lines_option
def log(*, name: str | None, limit: int, data: Path | None, as_json: bool) -> None:
    """Why more or less went to a carrier than before, newest first."""

    async def work(store: OpenStore) -> list[CarrierEvent]:
        return await store.engine.read(lambda tx: carrier_events.newest(tx, carrier=name, limit=limit))

    events = on_store(data, work)
    for event in events:
        if as_json:
            click.echo(msgspec.json.encode(event))
        else:
            click.echo(f"{when(event.at)}\t{event.route}\t{event.carrier}\t{event.share} %\t{event.because}")
    if not events and not as_json:
        click.echo("None.")


@click.command()
@click.option("--carrier", "name", help="Only those of this carrier.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=10, show_default=True, help="Most of each carrier.")
@data_option
@json_lines_option
def parked(*, name: str | None, limit: int, data: Path | None, as_json: bool) -> None:
    """Receipts whose message is not known, newest first, beside the ids that wait for one."""

    async def work(store: OpenStore) -> list[Parked]:
        names = [link.name for link in links_of(store.settings) if name in {None, link.name}]
        return await store.engine.read(lambda tx: list(_parked(tx, names, limit)))

    found = on_store(data, work)
    for one in found:
        if as_json:
            click.echo(msgspec.json.encode(one))
        else:
            click.echo("\n".join(_parked_lines(one)))
    if not found and not as_json:
        click.echo("None.")


def _parked(tx: Connection, carriers: Sequence[str], limit: int) -> Iterator[Parked]:
    for name in carriers:
        if of_it := receipts.newest_parked(tx, name, most=limit):
            without = [carrier_id for carrier_id, _number in handovers.outstanding(tx, name, most=limit)]
            yield Parked(carrier=name, receipts=tuple(of_it), without_receipt=tuple(without))


def _parked_lines(of_it: Parked) -> Iterator[str]:
    yield of_it.carrier
    for receipt in of_it.receipts:
        yield f"  {when(receipt.at)}  {receipt.carrier_id}: {receipt.code}"
    if of_it.without_receipt:
        yield f"  ids of answers that no receipt has had yet: {', '.join(of_it.without_receipt)}"
    else:
        yield "  no message waits for a receipt of this carrier"


def _standings(tx: Connection, settings: Settings) -> Iterator[Standing]:
    routing = Routing(settings.routes, [link.name for link in links_of(settings)])
    latest, waiting = carrier_events.latest(tx), spool.depth_by_route(tx)
    for route in routing.names:
        for carrier, weight in routing.configured(route).items():
            event = latest.get((route, carrier))
            yield Standing(
                route=route,
                waiting=waiting.get(route, 0),
                carrier=carrier,
                weight=weight,
                share=event.share if event else ALL_OF_IT,
                since=event.at if event else None,
                because=event.because if event else "",
            )


def _described(standing: Standing) -> str:
    if not standing.weight:
        return f"{standing.carrier}: stands by"
    if standing.share == ALL_OF_IT or standing.since is None:
        return f"{standing.carrier}: its share of {standing.weight}"
    some = f"{standing.share} % of its share of {standing.weight}" if standing.share else "left"
    return f"{standing.carrier}: {some} since {when(standing.since)}: {standing.because}"
