"""`cleartosend opt-out`: the do-not-disturb list, what recipients opted out of, and every change of both."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.cli.account import existing_account
from cleartosend.cli.members import PAUSE_SECONDS, ROWS_AT_ONCE, described, scope_of
from cleartosend.cli.numbers import NumberType, good_rows, progress
from cleartosend.cli.options import OPERATOR, Words, data_option, json_lines_option, json_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.consent import ANY, EVERYONE, ConsentEvent, OptOut, OptOutSource
from cleartosend.model.verdicts import MessageType
from cleartosend.store import consent

account_option = click.option(
    "--account", "account_id", type=click.IntRange(1), help="Whose messages. [default: every account's]"
)
signature_option = click.option("--signature", default=ANY, help="Under which signature. [default: every one]")
type_option = click.option(
    "--type",
    "type_",
    type=click.Choice([one.value for one in MessageType]),
    help="Which type. [default: every one]",
)
because_option = click.option("--because", type=Words(), required=True, help="Why; kept for good.")


@click.group("opt-out")
def opt_out() -> None:
    """Whom nobody is to disturb, and who opted out."""


@opt_out.command()
@click.argument("numbers", type=NumberType(), nargs=-1, required=True)
@account_option
@signature_option
@type_option
@because_option
@data_option
def add(
    numbers: tuple[str, ...],
    *,
    account_id: int | None,
    signature: str,
    type_: str | None,
    because: str,
    data: Path | None,
) -> None:
    """
    Put NUMBERS on the do-not-disturb list, at once: also what waits for them is not sent any more.

    No reply takes a number off this list again.
    """
    put = _putting(account_id, signature, type_, because)

    async def work(opened: OpenStore) -> int:
        await _must_exist(opened, account_id)
        return await opened.engine.write(partial(put, numbers=list(dict.fromkeys(numbers))))

    click.echo(f"{on_store(data, work)} numbers added")


@opt_out.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_option
@signature_option
@type_option
@because_option
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write all bad rows into this CSV.")
@data_option
def import_(
    file: Path,
    *,
    account_id: int | None,
    signature: str,
    type_: str | None,
    because: str,
    errors: Path | None,
    data: Path | None,
) -> None:
    """
    Put the numbers of FILE, a CSV or XLSX, on the do-not-disturb list; the file is read as by `members import`.

    All rows are looked at before the first is taken, and none is when one is bad.
    """
    put = _putting(account_id, signature, type_, because)

    async def work(opened: OpenStore) -> tuple[int, int]:
        await _must_exist(opened, account_id)
        numbers = iter(found := dict.fromkeys(number for number, _ in good_rows(file, [], errors=errors)))
        new = 0
        with progress("writing", len(found)) as bar:
            while some := list(islice(numbers, ROWS_AT_ONCE)):
                new += await opened.engine.write(partial(put, numbers=some))
                bar.update(len(some))
                await asyncio.sleep(PAUSE_SECONDS)
        return len(found), new

    count, new = on_store(data, work)
    click.echo(f"{count} numbers read, {new} numbers added")


class _Put(msgspec.Struct, frozen=True):
    """Puts numbers on the list, the same way each time."""

    account_id: int
    signature: str
    type: str
    because: str

    def __call__(self, tx: Connection, *, numbers: Sequence[str]) -> int:
        return consent.put_on_list(
            tx,
            numbers,
            account_id=self.account_id,
            signature=self.signature,
            type_=self.type,
            by=OPERATOR,
            because=self.because,
            now=time.time(),
        )


def _putting(account_id: int | None, signature: str, type_: str | None, because: str) -> _Put:
    return _Put(account_id or EVERYONE, signature, type_ or ANY, because)


async def _must_exist(opened: OpenStore, account_id: int | None) -> None:
    if account_id:
        await opened.engine.read(partial(existing_account, account_id=account_id))


@opt_out.command()
@click.argument("numbers", type=NumberType(), nargs=-1, required=True)
@account_option
@click.option("--signature", help="Only under this signature.")
@click.option("--type", "type_", type=click.Choice([one.value for one in MessageType]), help="Only of this type.")
@because_option
@data_option
def remove(
    numbers: tuple[str, ...],
    *,
    account_id: int | None,
    signature: str | None,
    type_: str | None,
    because: str,
    data: Path | None,
) -> None:
    """
    Let NUMBERS be reached again: end entries of the list and opt-outs by reply.

    Without an account those that hold for every account, and with one its own. What was, stays in the history.
    """

    async def work(opened: OpenStore) -> list[OptOut]:
        await _must_exist(opened, account_id)

        def change(tx: Connection) -> list[OptOut]:
            return [
                ended
                for number in numbers
                for ended in consent.take_off(
                    tx,
                    number,
                    account_id=account_id or EVERYONE,
                    signature=signature,
                    type_=type_,
                    by=OPERATOR,
                    because=because,
                    now=time.time(),
                )
            ]

        return await opened.engine.write(change)

    ended = on_store(data, work)
    for one in ended:
        click.echo(f"{one.number}: {scope_of(one.account_id, one.signature, one.type)}")
    click.echo(f"{len(ended)} entries ended")


@opt_out.command("list")
@click.option("--account", "account_id", type=click.IntRange(0), help="Whose; 0: those that hold for every account.")
@click.option(
    "--source", type=click.Choice([one.value for one in OptOutSource]), help="Only those by reply, or listed."
)
@click.option("--all", "every", is_flag=True, help="All of them, not only the first hundred.")
@data_option
@json_lines_option
def list_(*, account_id: int | None, source: str | None, every: bool, data: Path | None, as_json: bool) -> None:
    """Who is not to be reached, by number: source, account, signature, type, since when."""
    only = None if source is None else OptOutSource(source)

    async def work(opened: OpenStore) -> bool:
        await _must_exist(opened, account_id)
        after: OptOut | None = None
        while page := await opened.engine.read(
            partial(consent.page, account_id=account_id, source=only, after=after, limit=ROWS_AT_ONCE if every else 101)
        ):
            for one in page if every else page[:100]:
                scope = scope_of(one.account_id, one.signature, one.type)
                click.echo(
                    msgspec.json.encode(one) if as_json else f"{one.number}\t{one.source}\t{scope}\t{when(one.at)}"
                )
            if not every:
                return len(page) > 100
            after = page[-1]
        return False

    if on_store(data, work):
        click.echo("there are more: --all", err=True)


@opt_out.command()
@click.argument("number", type=NumberType())
@data_option
@json_option
def show(number: str, *, data: Path | None, as_json: bool) -> None:
    """What holds messages to NUMBER back, and every change of that: who, when and why."""

    async def work(opened: OpenStore) -> tuple[list[OptOut], list[ConsentEvent]]:
        return await opened.engine.read(
            lambda tx: (
                consent.of_number(tx, number, account_id=None),
                consent.events_of(tx, number, account_id=None),
            )
        )

    opt_outs, history = on_store(data, work)
    if as_json:
        click.echo(msgspec.json.encode({"opt_outs": opt_outs, "history": history}))
        return
    if not opt_outs:
        click.echo(f"nothing holds messages to {number} back")
    for line in described(opt_outs, history):
        click.echo(line)
