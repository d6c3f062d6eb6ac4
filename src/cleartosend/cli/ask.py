"""`cleartosend ask`: "may I send ...?", answered from the rules."""

import click
import msgspec

from cleartosend.cli.rules import open_rulebook
from cleartosend.model.verdicts import Action
from cleartosend.policy.advisor import Answer, ask as answer_to, language_of
from cleartosend.policy.explaining import in_words


@click.command()
@click.argument("question")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ask(question: str, *, as_json: bool) -> None:
    """Answer a QUESTION about what may be sent, or explain the rule that it names by its id, in its language."""
    answer = _of_what_links_bring_up(question) or answer_to(question, open_rulebook())
    if as_json:
        click.echo(msgspec.json.encode(answer).decode())
    elif answer.explanation:
        click.echo(in_words(answer.explanation, language_of(question)))
    else:
        click.echo(f"{answer.answer}: {answer.text}\n({answer.rule}: {answer.clause})")


def _of_what_links_bring_up(question: str) -> Answer | None:
    """What stands in findings under the name of a sight, which is no rule of the rulebook."""
    if "link" not in question.lower():
        return None
    # It reads pages, with all that this needs; other questions should not wait for that.
    from cleartosend.review.sights import CLAUSE, WORDS  # noqa: PLC0415

    named = next((name for name in WORDS if name in question.lower()), None)
    if named is None:
        return None
    language, words = language_of(question), WORDS[named]
    return Answer(
        answer="conditional" if words.action is Action.REFER else "no",
        rule=named,
        text=words.zh if language == "zh" else words.en,
        clause=CLAUSE[language],
    )
