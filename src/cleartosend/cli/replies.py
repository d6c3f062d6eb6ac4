"""`cleartosend replies`: what recipients wrote back, and what a person makes of the unclear ones."""

import time
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.cli.account import existing_account
from cleartosend.cli.numbers import NumberType
from cleartosend.cli.options import OPERATOR, Words, data_option, json_lines_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.delivery.replies import do
from cleartosend.model.consent import Wish
from cleartosend.store import replies as store
from cleartosend.store.replies import ReplyRecord

NOTHING = "nothing"
DECISIONS = {Wish.OPT_OUT.value: Wish.OPT_OUT, Wish.OPT_IN.value: Wish.OPT_IN, NOTHING: Wish.NONE}


@click.group()
def replies() -> None:
    """What recipients wrote back."""


@replies.command("list")
@click.option("--account", "account_id", type=int, help="Only replies to this account.")
@click.option("--number", type=NumberType(), help="Only from this number.")
@click.option(
    "--unsure", is_flag=True, help="Only those that may be opt-outs: a person decides, with `replies decide`."
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@data_option
@json_lines_option
def list_(
    *, account_id: int | None, number: str | None, unsure: bool, limit: int, data: Path | None, as_json: bool
) -> None:
    """Replies, newest first: number of the reply, time, account, sender, what it asks for, and its words."""
    wish = Wish.UNSURE if unsure else None

    async def work(opened: OpenStore) -> list[ReplyRecord]:
        def question(tx: Connection) -> list[ReplyRecord]:
            if account_id is not None:
                existing_account(tx, account_id)
            return store.newest(tx, account_id=account_id, wish=wish, number=number, limit=limit)

        return await opened.engine.read(question)

    for one in on_store(data, work):
        words = " ".join(one.text.split())
        click.echo(
            msgspec.json.encode(one)
            if as_json
            else f"{one.id}\t{when(one.at)}\t{one.account_id or '-'}\t{one.number}\t{one.wish or '-'}\t{words}"
        )


@replies.command()
@click.argument("reply_id", type=int, metavar="REPLY")
@click.argument("decision", type=click.Choice(list(DECISIONS)))
@click.option("--because", type=Words(), required=True, help="Why; kept for good.")
@data_option
def decide(reply_id: int, decision: str, *, because: str, data: Path | None) -> None:
    """Say what REPLY asks for, and do it as if its words had been clear."""
    wish = DECISIONS[decision]

    async def work(opened: OpenStore) -> bool:
        def change(tx: Connection) -> bool:
            reply = store.find(tx, reply_id)
            if reply is None:
                message = f"there is no reply {reply_id}"
                raise click.ClickException(message)
            answers = store.answered(tx, reply)
            if answers is None:
                message = f"reply {reply_id} answers no message: put {reply.number} on the list with `opt-out add`"
                raise click.ClickException(message)
            store.set_wish(tx, reply_id, wish)
            why = f"reply {reply_id}: {because}"
            return do(tx, wish, answers, number=reply.number, by=OPERATOR, because=why, now=time.time())

        return await opened.engine.write(change)

    click.echo("done" if on_store(data, work) else "nothing changes by it")
