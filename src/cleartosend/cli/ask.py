"""`cleartosend ask`: "may I send ...?", answered from the rules."""

import click
import msgspec

from cleartosend.cli.rules import open_rulebook
from cleartosend.policy.advisor import ask as answer_to


@click.command()
@click.argument("question")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ask(question: str, *, as_json: bool) -> None:
    """Answer a QUESTION about what may be sent, in its language."""
    answer = answer_to(question, open_rulebook())
    if as_json:
        click.echo(msgspec.json.encode(answer).decode())
    else:
        click.echo(f"{answer.answer}: {answer.text}\n({answer.rule}: {answer.clause})")
