"""`cleartosend link`: what is seen behind a link, and what a review makes of it."""

import asyncio
import time
from pathlib import Path

import click
import msgspec

from cleartosend.cli.options import data_option, json_option
from cleartosend.cli.problems import in_one_line
from cleartosend.cli.review import shown
from cleartosend.cli.rules import open_rulebook
from cleartosend.model.links import Agent, Visit
from cleartosend.model.verdicts import Finding
from cleartosend.outbound import Guard, guard_of_links
from cleartosend.policy.judge import judge
from cleartosend.review.pages import look, urls_of
from cleartosend.review.sights import findings_of
from cleartosend.settings import BadSettings, read_settings


class Seen(msgspec.Struct, frozen=True):
    """What opening the links of a text came to."""

    visits: list[Visit]
    findings: tuple[Finding, ...]


@click.group()
def link() -> None:
    """Links in templates: they are opened before a template is approved."""


@link.command("open")
@click.argument("text")
@data_option
@json_option
def open_(text: str, *, data: Path | None, as_json: bool) -> None:
    """Open the links of a TEXT, or one link, as a review would; exits 1 where it would not approve them."""
    urls = urls_of(text)
    if not urls:
        raise click.UsageError("there is no link in it")
    rulebook = open_rulebook(data=data)
    with in_one_line(BadSettings):
        guard = guard_of_links(read_settings(data))
    visits = asyncio.run(_visit(urls, guard))
    seen = Seen(visits, findings_of(text, visits, lambda submission: judge(submission, rulebook)))
    if as_json:
        click.echo(msgspec.json.encode(seen))
    else:
        for visit in seen.visits:
            click.echo("\n  ".join(shown(visit)))
        for finding in seen.findings:
            click.echo(f"{finding.action}: [{finding.rule}] “{finding.quote}” {finding.because}")
        if not seen.findings:
            click.echo("nothing speaks against it")
    if seen.findings:
        raise SystemExit(1)


async def _visit(urls: list[str], guard: Guard) -> list[Visit]:
    async with guard.client(most_connections=2) as client:
        return [await look(client, guard, url, agent, now=time.time()) for url in urls for agent in Agent]
