"""`cleartosend check`: what the policy says of a text, before anyone applies."""

import codecs
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec

from cleartosend.cli import sarif
from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.cli.rules import open_rulebook
from cleartosend.cli.template_files import ENDINGS, read_templates
from cleartosend.model.accounts import AccountKind
from cleartosend.model.verdicts import Decision, MessageType, Submission, Verdict
from cleartosend.policy.judge import judge, suggest
from cleartosend.policy.rulebook import Rulebook
from cleartosend.policy.telling import in_words


class Line(msgspec.Struct, frozen=True):
    """One line of a file to check; what else stands in it is passed over."""

    text: str
    type: MessageType = MessageType.NOTIFICATION
    account: AccountKind = AccountKind.ORGANIZATION
    international: bool | str | int | None = False


@click.command()
@click.argument("texts", nargs=-1, metavar="[TEXT | FILE...]")
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON; of files, one value a line.")
@click.option("--sarif", "as_sarif", is_flag=True, help="Of files: print SARIF 2.1.0.")
@click.option("--strict", is_flag=True, help="Of files: fail for what a person would have to look at, too.")
def check(
    texts: tuple[str, ...],
    *,
    type_: str,
    account: str,
    international: bool,
    jsonl: str | None,
    rules: Path | None,
    as_json: bool,
    as_sarif: bool,
    strict: bool,
) -> None:
    """
    Judge a template's TEXT, or the templates in FILEs. Exit status 0 when it would be approved, 1 otherwise.

    Files are YAML, JSON or CSV: a list of templates, or templates by name, each a text or `text` with `type`,
    `international`, `account`. Their exit status is 0 unless something would be rejected.

    With --jsonl, one verdict a line in the order of the file; exit status 0 when every line was judged.
    """
    files = [Path(one) for one in texts if Path(one).suffix.lower() in ENDINGS]
    if bool(texts) is (jsonl is not None) or (len(texts) > 1 and len(files) < len(texts)):
        message = "it takes a TEXT, files of templates, or --jsonl FILE"
        raise click.UsageError(message)
    rulebook = open_rulebook(rules=rules)
    if files:
        sys.exit(_check_files(files, rulebook, as_json=as_json, as_sarif=as_sarif, strict=strict))
    if jsonl is not None:
        for line in _lines(jsonl):
            verdict = suggest(line, judge(line, rulebook), rulebook)
            sys.stdout.buffer.write(msgspec.json.encode(as_data(verdict)) + b"\n")
        sys.stdout.flush()
        return
    [text] = texts
    submission = Submission(
        text=text, type=MessageType(type_), account=AccountKind(account), international=international
    )
    verdict = suggest(submission, judge(submission, rulebook), rulebook)
    click.echo(msgspec.json.encode(as_data(verdict)).decode() if as_json else _in_words(verdict))
    sys.exit(0 if verdict.decision is Decision.APPROVE else 1)


def _check_files(files: list[Path], rulebook: Rulebook, *, as_json: bool, as_sarif: bool, strict: bool) -> int:
    """Judge every template of the files and print what was found; returns the exit status."""
    with in_one_line():
        written = [template for path in files for template in read_templates(path)]
    judged = [(one, suggest(one.submission, judge(one.submission, rulebook), rulebook)) for one in written]
    if as_sarif:
        click.echo(msgspec.json.format(msgspec.json.encode(sarif.as_sarif(judged)), indent=2))
    elif as_json:
        for one, verdict in judged:
            where = {"file": str(one.path), "line": one.first_line, "name": one.name}
            click.echo(msgspec.json.encode(where | as_data(verdict)))
    else:
        for one, verdict in judged:
            if verdict.decision is not Decision.APPROVE:
                name = f" {one.name}" if one.name else ""
                click.echo(f"{one.path}:{one.first_line}:{name} {verdict.decision}")
                click.echo("\n".join(f"    {line}" for line in in_words(verdict.findings).splitlines()))
        decisions = Counter(verdict.decision for _, verdict in judged)
        counts = ", ".join(f"{decisions[decision]} {decision}" for decision in Decision)
        click.echo(f"{len(judged)} templates: {counts}")
    bad = {Decision.REJECT, Decision.REFER} if strict else {Decision.REJECT}
    return int(any(verdict.decision in bad for _, verdict in judged))


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
