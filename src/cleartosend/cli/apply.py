"""`cleartosend apply`: put a signature or template up for review for an account that may not do so by API."""

import time
from collections.abc import Callable
from pathlib import Path

import click

from cleartosend.carriers.dispatch import stop_account
from cleartosend.cli.options import data_option
from cleartosend.cli.review import describe
from cleartosend.cli.rules import open_rulebook
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.applications import SignatureForm, Subject, TemplateForm
from cleartosend.model.reasons import Refusal
from cleartosend.model.verdicts import MessageType, Submission, Verdict
from cleartosend.policy.judge import judge, suggest
from cleartosend.review.apply import Applications
from cleartosend.review.desk import open_folder
from cleartosend.store import accounts

account_option = click.option("--account", "account_id", type=int, required=True, help="For whom.")
international_option = click.option("--international", is_flag=True, help="For recipients outside mainland China.")


@click.group()
def apply() -> None:
    """Apply for an account: individuals, who may not do so by API, go through the operator."""


@apply.command()
@click.argument("text")
@account_option
@click.option(
    "--proof", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, help="A JPEG or PNG."
)
@click.option("--sign-type", type=click.IntRange(0, 6), default=0, show_default=True)
@click.option("--document-type", type=click.IntRange(0, 8), default=0, show_default=True)
@international_option
@data_option
def signature(
    text: str,
    *,
    account_id: int,
    proof: Path,
    sign_type: int,
    document_type: int,
    international: bool,
    data: Path | None,
) -> None:
    """Apply for the signature TEXT, without brackets."""
    form = SignatureForm(
        text=text,
        sign_type=sign_type,
        document_type=document_type,
        international=international,
        for_another=False,
        proof_image=proof.read_bytes(),
    )
    _apply(data, account_id, Subject.SIGNATURE, form)


@apply.command()
@click.argument("text")
@account_option
@click.option("--name", default="", help="A name to know it by.")
@click.option(
    "--type", "type_", type=click.Choice([one.value for one in MessageType]), required=True, help="What it is."
)
@click.option("--remark", default="", help="For the reviewer: a filled example, what it is for.")
@international_option
@data_option
def template(
    text: str, *, account_id: int, name: str, type_: str, remark: str, international: bool, data: Path | None
) -> None:
    """Apply for the template TEXT."""
    form = TemplateForm(
        name=name or text[:20], text=text, type=MessageType(type_), international=international, remark=remark
    )
    _apply(data, account_id, Subject.TEMPLATE, form)


def _apply(data: Path | None, account_id: int, subject: Subject, form: SignatureForm | TemplateForm) -> None:
    judge_it = _judge(data)

    async def work(store: OpenStore) -> str:
        account = await store.engine.read(lambda tx: accounts.find(tx, account_id))
        if account is None:
            message = f"there is no account {account_id}"
            raise click.ClickException(message)
        applications = Applications(engine=store.engine, judge=judge_it, clock=time.time, stop_account=stop_account)
        made = await applications.apply(account, form, by_api=False)
        if isinstance(made, Refusal):
            message = f"refused: {made.reason} {made.detail}".rstrip()
            raise click.ClickException(message)
        folder = await store.engine.read(lambda tx: open_folder(tx, subject, made))
        return describe(folder) if folder else ""

    click.echo(on_store(data, work))


def _judge(data: Path | None) -> Callable[[Submission], Verdict]:
    rulebook = open_rulebook(data=data)
    return lambda submission: suggest(submission, judge(submission, rulebook), rulebook)
