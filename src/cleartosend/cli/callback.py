"""`cleartosend callback`: where customers' servers hear of statuses and replies, and what they have not heard yet."""

import base64
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.cli.options import data_option, json_lines_option, json_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.delivery.callbacks import Answer, ReplyBody, StatusBody, push
from cleartosend.model.meanings import meaning_of
from cleartosend.model.messages import serial_no
from cleartosend.outbound import guard_of_callbacks
from cleartosend.store import accounts, callbacks
from cleartosend.store.callbacks import Backlog, CallbackKind, CallbackRecord, Endpoint, Standing

Command = TypeVar("Command", bound=Callable[..., None])

# Standard Webhooks asks for 24 to 64 bytes.
SECRET_BYTES = 32
MOST_OF_ANSWER_SHOWN = 200

_SAMPLE_STATUS = StatusBody(
    user_receive_time="2026-01-01 08:00:00",
    nationcode="86",
    mobile="13700000000",
    report_status="SUCCESS",
    errmsg="DELIVRD",
    description=meaning_of("DELIVRD").says.zh,
    sid=serial_no(0, international=False),
    ext="",
)
_SAMPLE_REPLY = ReplyBody(extend="", mobile="13700000000", nationcode="86", sign="", text="test", time=1767225600)


class Whose(msgspec.Struct, frozen=True):
    """The kind and owner of an endpoint, as given by the options."""

    kind: CallbackKind
    owner: str

    def __str__(self) -> str:
        return f"the statuses of app {self.owner}" if self.kind is CallbackKind.STATUS else f"replies to {self.owner}"


def whose_options(command: Command) -> Command:
    """--app for the statuses of an app, --account with --replies for the replies to an account."""
    for option in (
        click.option("--replies", is_flag=True, help="With --account: the replies to it."),
        click.option("--account", "account_id", type=int, help="The account whose replies are meant."),
        click.option("--app", "sdk_app_id", help="The SdkAppId whose statuses are meant."),
    ):
        command = option(command)
    return command


def whose(sdk_app_id: str | None, account_id: int | None, *, replies: bool) -> Whose:
    if sdk_app_id is not None and account_id is None and not replies:
        return Whose(CallbackKind.STATUS, sdk_app_id)
    if account_id is not None and sdk_app_id is None and replies:
        return Whose(CallbackKind.REPLY, str(account_id))
    message = "it takes --app SDKAPPID for statuses, or --account NUMBER --replies for replies"
    raise click.UsageError(message)


@click.group()
def callback() -> None:
    """Where customers' servers hear of statuses and replies."""


@callback.command("set")
@whose_options
@click.option("--url", required=True, help="Where to POST to: http or https.")
@click.option("--new-secret", is_flag=True, help="Sign with a new secret from now on.")
@data_option
@json_option
def set_(
    sdk_app_id: str | None,
    account_id: int | None,
    *,
    replies: bool,
    url: str,
    new_secret: bool,
    data: Path | None,
    as_json: bool,
) -> None:
    """Have a customer's server told. The secret that signs what it is sent is shown this once."""
    its = whose(sdk_app_id, account_id, replies=replies)

    async def work(store: OpenStore) -> str:
        if objection := await guard_of_callbacks(store.settings).objection_to_name(url):
            message = f"{objection}; the setting callback_networks allows networks of your own"
            raise click.ClickException(message)
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
        sealed = store.vault.seal(secret, name=callbacks.name_of_secret(its.kind, its.owner))

        def change(tx: Connection) -> str:
            owner_account_id = _account_of(tx, its)
            known = callbacks.find_endpoint(tx, its.kind, its.owner)
            keeps_secret = known is not None and known.enabled and not new_secret
            callbacks.set_endpoint(
                tx,
                kind=its.kind,
                owner=its.owner,
                account_id=owner_account_id,
                url=url,
                sealed_secret=known.sealed_secret if known and keeps_secret else sealed,
                now=time.time(),
            )
            return "" if keeps_secret else secret

        return await store.engine.write(change)

    secret = on_store(data, work)
    told = {"kind": its.kind, "owner": its.owner, "url": url} | ({"secret": secret} if secret else {})
    if as_json:
        click.echo(msgspec.json.encode(told))
    else:
        click.echo("\n".join(f"{name}: {value}" for name, value in told.items()))


@callback.command()
@whose_options
@data_option
def remove(sdk_app_id: str | None, account_id: int | None, *, replies: bool, data: Path | None) -> None:
    """Tell a server no more. What waits for it is given up; it can be replayed once there is another."""
    its = whose(sdk_app_id, account_id, replies=replies)

    async def work(store: OpenStore) -> int:
        def stop(tx: Connection) -> Endpoint:
            endpoint = _existing(tx, its, enabled=True)
            callbacks.disable_endpoint(tx, endpoint)
            return endpoint

        endpoint, now = await store.engine.write(stop), time.time()
        return await _in_steps(
            store,
            lambda tx: callbacks.give_up(tx, endpoint, waiting_since_before=now, now=now, error="removed"),
        )

    click.echo(f"removed; {on_store(data, work)} given up")


@callback.command("list")
@data_option
@json_lines_option
def list_(*, data: Path | None, as_json: bool) -> None:
    """Every server that is told, and what waits for it."""

    async def work(store: OpenStore) -> list[Backlog]:
        return await store.engine.read(callbacks.backlogs)

    for backlog in on_store(data, work):
        if as_json:
            click.echo(msgspec.json.encode(_in_json(backlog)))
        else:
            click.echo("\t".join(_in_words(backlog)))


@callback.command()
@whose_options
@click.option("--limit", type=click.IntRange(1, 10000), default=20, show_default=True, help="How many, newest first.")
@data_option
@json_lines_option
def show(
    sdk_app_id: str | None, account_id: int | None, *, replies: bool, limit: int, data: Path | None, as_json: bool
) -> None:
    """What one server was told or is to be told: newest first, with attempts and errors."""
    its = whose(sdk_app_id, account_id, replies=replies)

    async def work(store: OpenStore) -> list[CallbackRecord]:
        return await store.engine.read(lambda tx: callbacks.latest(tx, _existing(tx, its), limit))

    for record in on_store(data, work):
        serial = serial_no(record.message_id, international=record.international)
        if as_json:
            click.echo(msgspec.json.encode({"serial_no": serial, **msgspec.to_builtins(record)}))
            continue
        what = f"{record.state} {record.code}" if record.reply_id is None else f"reply {record.reply_id}"
        fields = [when(record.at), serial, what, record.standing, f"{record.attempts} attempts"]
        if record.done_at is not None:
            fields.append(when(record.done_at))
        click.echo("\t".join([*fields, record.error] if record.error else fields))


@callback.command()
@whose_options
@click.option("--since", help="Only what came about at this time or later, such as 2026-03-02T04:00:00Z; UTC.")
@click.option("--given-up/--all", "given_up_only", default=True, help="What was given up, or also what was delivered.")
@data_option
def replay(
    sdk_app_id: str | None,
    account_id: int | None,
    *,
    replies: bool,
    since: str | None,
    given_up_only: bool,
    data: Path | None,
) -> None:
    """Tell a server again, in the old order."""
    its = whose(sdk_app_id, account_id, replies=replies)
    from_time = None if since is None else _moment(since)

    async def work(store: OpenStore) -> int:
        now = time.time()
        return await _in_steps(
            store,
            lambda tx: callbacks.replay(
                tx,
                _existing(tx, its, enabled=True),
                standing=Standing.GIVEN_UP if given_up_only else None,
                since=from_time,
                now=now,
            ),
        )

    click.echo(f"{on_store(data, work)} wait again")


@callback.command()
@whose_options
@data_option
def test(sdk_app_id: str | None, account_id: int | None, *, replies: bool, data: Path | None) -> None:
    """Send a server one made-up status or reply, and show what it answers; exit status 1 when it did not take it."""
    its = whose(sdk_app_id, account_id, replies=replies)

    async def work(store: OpenStore) -> Answer:
        endpoint = await store.engine.read(lambda tx: _existing(tx, its, enabled=True))
        sample = [_SAMPLE_STATUS] if its.kind is CallbackKind.STATUS else _SAMPLE_REPLY
        async with guard_of_callbacks(store.settings).client(most_connections=1) as client:
            return await push(
                client,
                url=endpoint.url,
                secret=endpoint.secret(store.vault),
                webhook_id=f"test-{secrets.token_hex(8)}",
                body=msgspec.json.encode(sample),
                now=time.time(),
                within_seconds=store.settings.callback_timeout_seconds,
            )

    answer = on_store(data, work)
    if answer.http_status is not None:
        click.echo(f"HTTP {answer.http_status}")
        click.echo(_printable(answer.body))
    if answer.problem:
        message = f"not taken: {answer.problem}"
        raise click.ClickException(message)
    click.echo("taken")


async def _in_steps(store: OpenStore, step: Callable[[Connection], int]) -> int:
    """Do it until nothing is left to do, and let the server write in between; returns how much was done."""
    done = 0
    while some := await store.engine.write(step):
        done += some
    return done


def _account_of(tx: Connection, its: Whose) -> int:
    if its.kind is CallbackKind.STATUS:
        app = accounts.find_app(tx, its.owner)
        account_id = None if app is None else app.account_id
    else:
        account_id = None if accounts.find(tx, int(its.owner)) is None else int(its.owner)
    if account_id is None:
        message = f"there is no {'app' if its.kind is CallbackKind.STATUS else 'account'} {its.owner}"
        raise click.ClickException(message)
    return account_id


def _existing(tx: Connection, its: Whose, *, enabled: bool = False) -> Endpoint:
    """The endpoint; with `enabled`, only one that has not been removed."""
    endpoint = callbacks.find_endpoint(tx, its.kind, its.owner)
    if endpoint is None or (enabled and not endpoint.enabled):
        message = f"nobody is told of {its}"
        raise click.ClickException(message)
    return endpoint


def _in_json(backlog: Backlog) -> dict[str, Any]:
    endpoint = backlog.endpoint
    return {
        "kind": endpoint.kind,
        "owner": endpoint.owner,
        "account_id": endpoint.account_id,
        "url": endpoint.url,
        "enabled": endpoint.enabled,
        "waiting": backlog.waiting,
        "given_up": backlog.given_up,
        "failures": endpoint.failures,
        "last_error": endpoint.last_error,
        "last_tried_at": endpoint.last_tried_at,
        "next_attempt_at": endpoint.due_at if endpoint.failures else None,
    }


def _in_words(backlog: Backlog) -> list[str]:
    endpoint = backlog.endpoint
    words = [endpoint.kind, endpoint.owner, endpoint.url, f"{backlog.waiting} waiting", f"{backlog.given_up} given up"]
    if not endpoint.enabled:
        words.append("removed")
    elif endpoint.failures:
        words.append(f"{endpoint.failures} failures, next attempt {when(endpoint.due_at)}: {endpoint.last_error}")
    return words


def _moment(written: str) -> float:
    try:
        moment = datetime.fromisoformat(written)
    except ValueError as error:
        message = f"--since: {error}"
        raise click.UsageError(message) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _printable(body: bytes) -> str:
    text = body.decode(errors="replace")[:MOST_OF_ANSWER_SHOWN]
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
