"""`cleartosend account`: make accounts and change what they may do."""

import ipaddress
import secrets
import string
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.admission.numbers import read_number
from cleartosend.api.tencent.rates import PER_SECOND
from cleartosend.carriers.dispatch import stop_account
from cleartosend.cli.changes import with_changes
from cleartosend.cli.options import Words, by_option, data_option, json_lines_option, json_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.accounts import (
    MOST_CREDENTIALS_PER_ACCOUNT,
    Account,
    AccountKind,
    AccountSettings,
    AccountStatus,
    Credential,
)
from cleartosend.model.applications import VARIABLE, ReviewState
from cleartosend.store import accounts, applications
from cleartosend.store.secrets import Vault

_LETTERS = string.ascii_letters + string.digits

kind_option = click.option(
    "--kind", type=click.Choice([kind.value for kind in AccountKind]), required=True, help="What it was verified as."
)


class NewAccount(msgspec.Struct, frozen=True):
    """What its owner needs to call; the key is not to be had a second time."""

    account_id: int
    sdk_app_id: str
    secret_id: str
    secret_key: str


@click.group()
def account() -> None:
    """Accounts, their credentials and their settings."""


@account.command()
@click.argument("name", type=Words())
@kind_option
@click.option("--unverified", is_flag=True, help="Its papers have not been seen: it may neither apply nor send.")
@data_option
@json_option
def create(name: str, kind: str, *, unverified: bool, data: Path | None, as_json: bool) -> None:
    """Make an account with an app and a credential. The secret key is shown this once."""

    async def work(store: OpenStore) -> NewAccount:
        return await store.engine.write(
            lambda tx: create_account(
                tx, name=name, kind=AccountKind(kind), verified=not unverified, vault=store.vault, now=time.time()
            )
        )

    print_values(msgspec.to_builtins(on_store(data, work, may_make=True)), as_json=as_json)


@account.command("list")
@click.option("--status", type=click.Choice([status.value for status in AccountStatus]), help="Only those of a status.")
@data_option
@json_lines_option
def list_(*, status: str | None, data: Path | None, as_json: bool) -> None:
    """All accounts."""
    only = AccountStatus(status) if status else None

    async def work(store: OpenStore) -> list[Account]:
        return await store.engine.read(lambda tx: accounts.every(tx, status=only))

    for one in on_store(data, work):
        if as_json:
            click.echo(msgspec.json.encode(one))
        else:
            click.echo(
                f"{one.id}\t{one.kind}\t{one.status}\t{'verified' if one.verified else 'unverified'}\t{one.name}"
            )


@account.command()
@click.argument("account_id", type=int)
@data_option
@json_option
def show(account_id: int, *, data: Path | None, as_json: bool) -> None:
    """One account with its apps, its credentials (without keys) and its settings."""

    async def work(store: OpenStore) -> dict[str, Any]:
        def question(tx: Connection) -> dict[str, Any]:
            one = existing_account(tx, account_id)
            return {
                **msgspec.to_builtins(one),
                "created_at": when(one.created_at),
                "history": [
                    {"at": when(event.at), "status": event.status, "by": event.by, "because": event.because}
                    for event in accounts.events_of(tx, account_id)
                ],
                "apps": msgspec.to_builtins(accounts.apps_of(tx, account_id)),
                "credentials": [
                    {"secret_id": its.secret_id, "enabled": its.enabled}
                    for its in accounts.credentials_of(tx, account_id, vault=store.vault)
                ],
            }

        return await store.engine.read(question)

    print_values(on_store(data, work), as_json=as_json)


@account.command("set")
@click.argument("account_id", type=int)
@click.argument("changes", nargs=-1, required=True, metavar="NAME=VALUE...")
@data_option
def set_(account_id: int, changes: tuple[str, ...], *, data: Path | None) -> None:
    """
    Change what an account may do: its settings by name, its `kind`, or `verified`.

    A value is JSON, or a plain word: `variable_length=12`, `per_number_per_day=null`,
    `exempt_numbers='["+8613711112222"]'`, `kind=individual`.
    """

    async def work(store: OpenStore) -> None:
        def change(tx: Connection) -> None:
            one = existing_account(tx, account_id)
            settings, kind, verified = changed(one, changes)
            for template_id in {settings.opt_out_confirmation, settings.opt_in_confirmation} - {""}:
                _prove_confirmation(tx, account_id, template_id)
            accounts.set_settings(tx, account_id, settings)
            accounts.set_kind(tx, account_id, kind=kind, verified=verified)

        await store.engine.write(change)

    on_store(data, work)


def _status_command(name: str, status: AccountStatus, what: str) -> None:
    @account.command(name, help=what)
    @click.argument("account_id", type=int)
    @click.option("--because", type=Words(), required=True, help="Why; kept with the account.")
    @by_option
    @data_option
    def command(account_id: int, *, because: str, by: str, data: Path | None) -> None:
        async def work(store: OpenStore) -> None:
            def change(tx: Connection) -> None:
                if existing_account(tx, account_id).status is status:
                    message = f"account {account_id} is {status} already"
                    raise click.ClickException(message)
                change_status = accounts.set_status if status is AccountStatus.ACTIVE else stop_account
                change_status(tx, account_id, status, by=by, because=because, now=time.time())

            await store.engine.write(change)

        on_store(data, work)
        click.echo(f"account {account_id}: {status}")


_status_command("suspend", AccountStatus.SUSPENDED, "Stop all sending of an account until it is restored.")
_status_command("ban", AccountStatus.BANNED, "Stop all sending of an account for good.")
_status_command("restore", AccountStatus.ACTIVE, "Let a suspended or banned account send again.")


@account.group()
def credential() -> None:
    """Credentials: at most two an account."""


@credential.command("add")
@click.argument("account_id", type=int)
@data_option
@json_option
def add_credential(account_id: int, *, data: Path | None, as_json: bool) -> None:
    """Make a second credential. The secret key is shown this once."""

    async def work(store: OpenStore) -> Credential:
        def add(tx: Connection) -> Credential:
            existing_account(tx, account_id)
            if len(accounts.credentials_of(tx, account_id, vault=store.vault)) >= MOST_CREDENTIALS_PER_ACCOUNT:
                message = f"account {account_id} has {MOST_CREDENTIALS_PER_ACCOUNT} credentials, the most it may have"
                raise click.ClickException(message)
            new = new_credential(account_id, time.time())
            accounts.add_credential(tx, new, vault=store.vault)
            return new

        return await store.engine.write(add)

    new = on_store(data, work)
    print_values({"secret_id": new.secret_id, "secret_key": new.secret_key}, as_json=as_json)


def _credential_command(name: str, *, enabled: bool, what: str) -> None:
    @credential.command(name, help=what)
    @click.argument("secret_id")
    @data_option
    def command(secret_id: str, *, data: Path | None) -> None:
        async def work(store: OpenStore) -> bool:
            return await store.engine.write(lambda tx: accounts.set_credential_enabled(tx, secret_id, enabled=enabled))

        if not on_store(data, work):
            message = f"there is no credential {secret_id}"
            raise click.ClickException(message)


_credential_command("disable", enabled=False, what="Refuse calls signed with a credential.")
_credential_command("enable", enabled=True, what="Take calls signed with a credential again.")


def create_account(
    tx: Connection, *, name: str, kind: AccountKind, verified: bool, vault: Vault, now: float
) -> NewAccount:
    """An account with one app and one credential."""
    made = accounts.create(tx, name=name, kind=kind, verified=verified, now=now)
    app = accounts.add_app(tx, account_id=made.id, name=name, now=now)
    new = new_credential(made.id, now)
    accounts.add_credential(tx, new, vault=vault)
    return NewAccount(made.id, app.sdk_app_id, new.secret_id, new.secret_key)


def new_credential(account_id: int, now: float) -> Credential:
    """A credential in the reference's form: `AKID` and 32 letters or digits, and a key of 32."""
    return Credential(
        secret_id="AKID" + _random(32), secret_key=_random(32), account_id=account_id, enabled=True, created_at=now
    )


def changed(one: Account, changes: Sequence[str]) -> tuple[AccountSettings, AccountKind, bool]:
    """The account's settings, kind and verification after the changes NAME=VALUE."""
    values: dict[str, Any] = {
        **msgspec.to_builtins(one.settings),
        "kind": one.kind.value,
        "verified": one.verified,
    }
    values = with_changes(values, changes)
    try:
        kind = msgspec.convert(values.pop("kind"), AccountKind)
        verified = msgspec.convert(values.pop("verified"), bool)
        settings = msgspec.convert(values, AccountSettings)
    except msgspec.ValidationError as error:
        raise click.UsageError(str(error)) from error
    return _proved(settings), kind, verified


def _prove_confirmation(tx: Connection, account_id: int, template_id: str) -> None:
    """Refuse a template that could not confirm anything: it has nobody's values and is sent at once."""
    templates = {str(one.id): one for one in applications.templates_of(tx, account_id)}
    template = templates.get(template_id)
    if template is None or template.state is not ReviewState.APPROVED or VARIABLE.search(template.text):
        message = f"{template_id} is not an approved template of account {account_id} without variables"
        raise click.UsageError(message)


def _proved(settings: AccountSettings) -> AccountSettings:
    """The settings with their numbers as we write them; refuse what could never have an effect."""
    exempt: list[str] = []
    for written in settings.exempt_numbers:
        number = read_number(written)
        if number is None:
            message = f"exempt_numbers: {written} is not a telephone number"
            raise click.UsageError(message)
        exempt.append(number.e164)
    for network in settings.caller_networks:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            message = f"caller_networks: {network} is neither an address nor a network"
            raise click.UsageError(message) from error
    for action in settings.requests_per_second:
        if action not in PER_SECOND:
            message = f"requests_per_second: there is no action {action}"
            raise click.UsageError(message)
    return msgspec.structs.replace(settings, exempt_numbers=tuple(exempt))


def existing_account(tx: Connection, account_id: int) -> Account:
    one = accounts.find(tx, account_id)
    if one is None:
        message = f"there is no account {account_id}"
        raise click.ClickException(message)
    return one


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def print_values(values: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(values))
        return
    for name, value in values.items():
        click.echo(f"{name}: {value if isinstance(value, str) else msgspec.json.encode(value).decode()}")
