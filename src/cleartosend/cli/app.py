"""`cleartosend app`: make an account's apps, and set how much each may send and where."""

import time
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.admission.frequency import day_of
from cleartosend.admission.numbers import COUNTRIES, MAINLAND_CHINA
from cleartosend.admission.spending import charges_of
from cleartosend.cli.account import existing_account, print_values
from cleartosend.cli.changes import with_changes
from cleartosend.cli.options import Words, data_option, json_lines_option, json_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.accounts import Account, App, AppSettings
from cleartosend.store import accounts, budgets


class Budget(msgspec.Struct, frozen=True):
    """What was used of something today, beside what may be."""

    of: str
    used: int
    cap: int | None
    warning: int | None


@click.group()
def app() -> None:
    """Apps: what they are called, where they may send to, and how much in a day."""


@app.command()
@click.argument("account_id", type=int)
@click.argument("name", type=Words())
@data_option
@json_option
def create(account_id: int, name: str, *, data: Path | None, as_json: bool) -> None:
    """Make another app of an account."""

    async def work(store: OpenStore) -> App:
        def make(tx: Connection) -> App:
            existing_account(tx, account_id)
            return accounts.add_app(tx, account_id=account_id, name=name, now=time.time())

        return await store.engine.write(make)

    made = on_store(data, work)
    print_values({"sdk_app_id": made.sdk_app_id, "account_id": made.account_id, "name": made.name}, as_json=as_json)


@app.command("list")
@click.argument("account_id", type=int)
@data_option
@json_lines_option
def list_(account_id: int, *, data: Path | None, as_json: bool) -> None:
    """The apps of an account."""

    async def work(store: OpenStore) -> list[App]:
        def question(tx: Connection) -> list[App]:
            existing_account(tx, account_id)
            return accounts.apps_of(tx, account_id)

        return await store.engine.read(question)

    for one in on_store(data, work):
        if as_json:
            click.echo(msgspec.json.encode(one))
        else:
            click.echo(f"{one.sdk_app_id}\t{'enabled' if one.enabled else 'disabled'}\t{one.name}")


@app.command()
@click.argument("sdk_app_id")
@data_option
@json_option
def show(sdk_app_id: str, *, data: Path | None, as_json: bool) -> None:
    """One app with its settings, and what was used today (Beijing time) of each of its caps."""

    async def work(store: OpenStore) -> tuple[App, list[Budget]]:
        def question(tx: Connection) -> tuple[App, list[Budget]]:
            one = _existing(tx, sdk_app_id)
            return one, _used_today(tx, existing_account(tx, one.account_id), one)

        return await store.engine.read(question)

    one, today = on_store(data, work)
    values = {**msgspec.to_builtins(one), "created_at": when(one.created_at)}
    if as_json:
        print_values({**values, "today": msgspec.to_builtins(today)}, as_json=True)
        return
    print_values(values, as_json=False)
    for budget in today:
        cap = ", no cap" if budget.cap is None else f" of {budget.cap}"
        warning = "" if budget.warning is None else f", warning at {budget.warning}"
        click.echo(f"today, {budget.of}: {budget.used}{cap}{warning}")


@app.command("set")
@click.argument("sdk_app_id")
@click.argument("changes", nargs=-1, required=True, metavar="NAME=VALUE...")
@data_option
def set_(sdk_app_id: str, changes: tuple[str, ...], *, data: Path | None) -> None:
    """
    Change what an app may do: its settings by name, or its `name`.

    A value is JSON, or a plain word: `daily_cap=1000`, `daily_cap=null`, `session_context_is_key=true`,
    `countries='{"US": {"daily_cap": 100}, "GB": {}}'`.
    """

    async def work(store: OpenStore) -> None:
        def change(tx: Connection) -> None:
            one = _existing(tx, sdk_app_id)
            values = with_changes({**msgspec.to_builtins(one.settings), "name": one.name}, changes)
            try:
                name = msgspec.convert(values.pop("name"), str)
                settings = msgspec.convert(values, AppSettings)
            except msgspec.ValidationError as error:
                raise click.UsageError(str(error)) from error
            _prove(settings)
            accounts.set_app(tx, one, name=name, enabled=one.enabled, settings=settings)

        await store.engine.write(change)

    on_store(data, work)


def _switch_command(name: str, *, enabled: bool, what: str) -> None:
    @app.command(name, help=what)
    @click.argument("sdk_app_id")
    @data_option
    def command(sdk_app_id: str, *, data: Path | None) -> None:
        async def work(store: OpenStore) -> None:
            def change(tx: Connection) -> None:
                one = _existing(tx, sdk_app_id)
                accounts.set_app(tx, one, name=one.name, enabled=enabled, settings=one.settings)

            await store.engine.write(change)

        on_store(data, work)


_switch_command("disable", enabled=False, what="Refuse every call of an app.")
_switch_command("enable", enabled=True, what="Take an app's calls again.")


def _used_today(tx: Connection, account: Account, one: App) -> list[Budget]:
    """Every budget that the app's messages count against, whatever country they go to."""
    used = budgets.used_on(tx, account.id, day=day_of(time.time()))
    countries = one.settings.countries or {}
    found: dict[str, Budget] = {}
    for iso in (MAINLAND_CHINA, "", *countries):
        for charge in charges_of(account, one, iso=iso, domestic=iso == MAINLAND_CHINA, segments=0):
            _account_id, scope = charge.budget
            found[scope] = Budget(scope, used.get(scope, 0), charge.cap, charge.warning)
    return list(found.values())


def _prove(settings: AppSettings) -> None:
    """Refuse settings that cannot be meant."""
    for iso, country in (settings.countries or {}).items():
        if iso not in COUNTRIES:
            message = f"countries: there is no country {iso}"
            raise click.UsageError(message)
        if country.daily_cap is not None and settings.daily_cap is not None and country.daily_cap > settings.daily_cap:
            message = f"countries: {iso} may not have a daily_cap above the app's, {settings.daily_cap}"
            raise click.UsageError(message)


def _existing(tx: Connection, sdk_app_id: str) -> App:
    one = accounts.find_app(tx, sdk_app_id)
    if one is None:
        message = f"there is no app {sdk_app_id}"
        raise click.ClickException(message)
    return one
