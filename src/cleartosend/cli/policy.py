"""`cleartosend policy`: hold rules to their examples, and see what a change of rules would change."""

import time
from pathlib import Path

import click
import msgspec

from cleartosend.cli.options import data_option, json_option
from cleartosend.cli.rules import open_rulebook
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.policy.judge import judge
from cleartosend.review.replay import MESSAGE, Flip, Replay, replay

MOST_MESSAGES = 20_000
rules_type = click.Path(exists=True, path_type=Path)


@click.group()
def policy() -> None:
    """The rules that everything is judged by: test them, and see what a change would change."""


@policy.command()
@click.option("--rules", type=rules_type, help="Rules of your own, laid over ours; else those of the data folder.")
@data_option
def test(*, rules: Path | None, data: Path | None) -> None:
    """Hold every rule to its own examples. Exit status 1 when one fails."""
    rulebook = open_rulebook(rules=rules, data=data)
    failures = rulebook.all_failures()
    for failure in failures:
        click.echo(failure)
    click.echo(f"{len(rulebook.rules)} rules, {len(failures)} failures; rulebook {rulebook.digest[:12]}")
    raise SystemExit(1 if failures else 0)


@policy.command()
@click.argument("new", type=rules_type)
@click.option("--old", type=rules_type, help="What to compare with; else the rules of the data folder.")
@click.option("--replay", "with_messages", is_flag=True, help="Judge what was sent lately as well.")
@click.option("--days", type=click.IntRange(1), default=7, show_default=True, help="How far back to replay.")
@data_option
@json_option
def diff(new: Path, *, old: Path | None, with_messages: bool, days: int, data: Path | None, as_json: bool) -> None:
    """
    Show what the rules of NEW, laid over ours, would decide otherwise. Exit status 1 when anything.

    Every signature and template that may be used or waits is judged by both, and with --replay the calls of the last
    days too. Nothing is changed.
    """
    before, after = open_rulebook(rules=old, data=data), open_rulebook(rules=new)
    since = time.time() - days * SECONDS_PER_DAY if with_messages else None

    async def work(store: OpenStore) -> Replay:
        return await store.engine.read(
            lambda tx: replay(
                tx,
                lambda submission: judge(submission, before),
                lambda submission: judge(submission, after),
                messages_since=since,
                most_messages=MOST_MESSAGES,
            )
        )

    its = on_store(data, work)
    if as_json:
        click.echo(msgspec.json.encode(its))
    else:
        for flip in its.flips:
            click.echo(_told(flip))
        click.echo(f"{its.compared} compared, {len(its.flips)} would be decided otherwise")
    raise SystemExit(1 if its.flips else 0)


def _told(flip: Flip) -> str:
    quotes = " ".join(f"“{quote}”" for quote in flip.quotes)
    # A message is its sender's own; a template is what was put up for review.
    text = "" if flip.what == MESSAGE else f"  {flip.text}"
    return (
        f"{flip.what} {flip.id} (account {flip.account_id}): {flip.before} -> {flip.after}"
        f"  [{', '.join(flip.rules)}] {quotes}{text}"
    )
