"""`cleartosend check`: what the policy says of a text, before anyone applies."""

import codecs
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.cli.rules import open_rulebook
from cleartosend.model.accounts import AccountKind
from cleartosend.model.verdicts import Decision, MessageType, Submission, Verdict
from cleartosend.policy.judge import judge, suggest
from cleartosend.policy.telling import in_words


class Line(msgspec.Struct, frozen=True):
    """One line of a file to check; what else stands in it is passed over."""

    text: str
    type: MessageType = MessageType.NOTIFICATION
    account: AccountKind = AccountKind.ORGANIZATION
    international: bool | str | int | None = False


@click.command()
@click.argument("text", required=False)
@click.option(
    "--type",
    "type_",
    type=click.Choice([one.value for one in MessageType]),
    default=MessageType.NOTIFICATION.value,
    show_default=True,
    help="What the template is declared to be.",
)
@click.option(
    "--account",
    type=click.Choice([one.value for one in AccountKind]),
    default=AccountKind.ORGANIZATION.value,
    show_default=True,
    help="Who would apply.",
)
@click.option("--international", is_flag=True, help="For recipients outside mainland China.")
@click.option(
    "--jsonl",
    type=click.Path(path_type=str),
    help="Check a file, or - for standard input: one JSON object a line (text, type, account, international).",
)
@click.option("--rules", type=click.Path(exists=True, path_type=Path), help="Rules of your own, laid over ours.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(
    text: str | None,
    *,
    type_: str,
    account: str,
    international: bool,
    jsonl: str | None,
    rules: Path | None,
    as_json: bool,
) -> None:
    """
    Judge a template's TEXT. Exit status 0 when it would be approved, 1 otherwise.

    With --jsonl, one verdict a line in the order of the file; exit status 0 when every line was judged.
    """
    if (text is None) is (jsonl is None):
        message = "it takes a TEXT or --jsonl FILE"
        raise click.UsageError(message)
    rulebook = open_rulebook(rules=rules)
    if jsonl is not None:
        for line in _lines(jsonl):
            verdict = suggest(line, judge(line, rulebook), rulebook)
            sys.stdout.buffer.write(msgspec.json.encode(as_data(verdict)) + b"\n")
        sys.stdout.flush()
        return
    submission = Submission(
        text=text or "", type=MessageType(type_), account=AccountKind(account), international=international
    )
    verdict = suggest(submission, judge(submission, rulebook), rulebook)
    click.echo(msgspec.json.encode(as_data(verdict)).decode() if as_json else _in_words(verdict))
    sys.exit(0 if verdict.decision is Decision.APPROVE else 1)


def as_data(verdict: Verdict) -> dict[str, Any]:
    """A verdict in the form that others build on."""
    return {
        "decision": verdict.decision,
        "nature": verdict.nature,
        "rulebook": verdict.rulebook,
        "findings": [
            {
                "rule": finding.rule,
                "category": finding.category,
                "action": finding.action,
                "because": finding.because,
                "quote": finding.quote,
                "start": finding.start,
                "end": finding.end,
                "fix": finding.fix,
            }
            for finding in verdict.findings
        ],
    }


def _lines(path: str) -> Iterator[Submission]:
    with in_one_line(), click.open_file(path, "rb") as file:
        for number, raw in enumerate(file, start=1):
            raw_line = raw.removeprefix(codecs.BOM_UTF8).strip()
            if not raw_line:
                continue
            try:
                line = msgspec.json.decode(raw_line, type=Line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                message = f"{path}, line {number}: {error}"
                raise Problem(message) from error
            abroad = line.international is True
            yield Submission(text=line.text, type=line.type, account=line.account, international=abroad)


def _in_words(verdict: Verdict) -> str:
    heading = f"{verdict.decision}  (reads as {verdict.nature}; rulebook {verdict.rulebook[:12]})"
    return "\n".join([heading, in_words(verdict.findings)]).rstrip()
