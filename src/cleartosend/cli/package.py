"""`cleartosend package`: segments that accounts have bought or were given."""

import time
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.cli.account import existing_account
from cleartosend.cli.options import data_option, json_lines_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.packages import VALID_DAYS, Package, PackageType
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.store import accounts, packages

MOST_SEGMENTS = 1_000_000_000
MOST_SHOWN = 10_000


@click.group()
def package() -> None:
    """Packages of segments, from which a prepaid account's messages to mainland China are paid."""


@package.command()
@click.argument("account_id", type=int)
@click.argument("amount", type=click.IntRange(1, MOST_SEGMENTS))
@click.option("--app", "sdk_app_id", default="", help="The only app that may use it. [default: every app]")
@click.option("--gift", is_flag=True, help="It was given, not bought.")
@click.option(
    "--valid-days",
    type=click.IntRange(1, 36_500),
    help=f"How long it lasts. [default: {VALID_DAYS[PackageType.BOUGHT]}; a gift {VALID_DAYS[PackageType.GIFT]}]",
)
@data_option
def add(
    account_id: int, amount: int, *, sdk_app_id: str, gift: bool, valid_days: int | None, data: Path | None
) -> None:
    """
    Add a package of AMOUNT segments to an account.

    It makes the account prepaid: from then on its messages to mainland China go out only as long as a package has
    segments left.
    """
    type_ = PackageType.GIFT if gift else PackageType.BOUGHT

    async def work(store: OpenStore) -> tuple[Package, bool]:
        def write(tx: Connection) -> tuple[Package, bool]:
            account = existing_account(tx, account_id)
            if sdk_app_id and sdk_app_id not in {app.sdk_app_id for app in accounts.apps_of(tx, account_id)}:
                message = f"account {account_id} has no app {sdk_app_id}"
                raise click.ClickException(message)
            now = time.time()
            added = packages.add(
                tx,
                account_id=account_id,
                sdk_app_id=sdk_app_id,
                type=type_,
                amount=amount,
                now=now,
                expires_at=now + (valid_days or VALID_DAYS[type_]) * SECONDS_PER_DAY,
            )
            if not account.settings.prepaid:
                accounts.set_settings(tx, account_id, msgspec.structs.replace(account.settings, prepaid=True))
            return added, not account.settings.prepaid

        return await store.engine.write(write)

    added, became_prepaid = on_store(data, work)
    click.echo(f"package {added.id}: {added.amount} segments until {when(added.expires_at)}")
    if became_prepaid:
        click.echo(f"account {account_id} is prepaid from now on (`account set {account_id} prepaid=false` undoes it)")


@package.command("list")
@click.argument("account_id", type=int)
@data_option
@json_lines_option
def list_(account_id: int, *, data: Path | None, as_json: bool) -> None:
    """The packages of an account, oldest first: used and bought segments, the app, and until when."""

    async def work(store: OpenStore) -> list[Package]:
        def question(tx: Connection) -> list[Package]:
            existing_account(tx, account_id)
            return packages.of(
                tx,
                account_id,
                sdk_app_id=None,
                created_from=None,
                created_until=None,
                limit=MOST_SHOWN,
                offset=0,
            )

        return await store.engine.read(question)

    for one in on_store(data, work):
        if as_json:
            click.echo(msgspec.json.encode(one))
        else:
            click.echo(
                f"{one.id}\t{one.type}\t{one.used} of {one.amount} used\t{one.sdk_app_id or 'every app'}\t"
                f"until {when(one.expires_at)}"
            )
