"""`cleartosend review`: the reviewer's desk on the command line."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.carriers.dispatch import stop_account, stop_application
from cleartosend.cli.options import by_option, data_option, json_lines_option, json_option, user, when
from cleartosend.cli.problems import in_one_line
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.applications import Opinion, ReviewReason, Signature, Stance, Subject, Template
from cleartosend.model.links import Visit
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.review import desk, second
from cleartosend.review.desk import Folder, Stopped
from cleartosend.review.figures import Figures, figures
from cleartosend.review.moves import subject_of
from cleartosend.store.applications import documents_of

subject_argument = click.argument("subject", type=click.Choice([subject.value for subject in Subject]))
id_argument = click.argument("application_id", type=int, metavar="ID")
ACCOUNT = "account"
SHOWN_CHARACTERS = 160
"""Of a page; all that was kept is in --json."""


@click.group()
def review() -> None:
    """What waits for a person, and the decision on it."""


@review.command("list")
@click.argument("subject", required=False, type=click.Choice([*[subject.value for subject in Subject], ACCOUNT]))
@click.option("--by", "of", default=user, help="Whose second opinions to ask for. [default: yours]")
@data_option
@json_lines_option
def list_(subject: str | None, *, of: str, data: Path | None, as_json: bool) -> None:
    """
    Everything that waits for a person, the longest waiting first: suspended accounts, signatures, templates.

    Then some decisions of others, on which a second opinion is asked, and what second opinions are against.
    """
    subjects = [its for its in Subject if subject in {None, its.value}]

    async def work(store: OpenStore) -> tuple[list[Stopped], list[Signature | Template], list[Opinion]]:
        def question(tx: Connection) -> tuple[list[Stopped], list[Signature | Template], list[Opinion]]:
            stopped = desk.suspended(tx) if subject in {None, ACCOUNT} else []
            opinions = [one for one in (*second.asked(tx, of=of), *second.disputed(tx)) if one.subject in subjects]
            return stopped, [one for its in subjects for one in desk.waiting(tx, its)], opinions

        return await store.engine.read(question)

    stopped, waiting, opinions = on_store(data, work)
    for its in stopped:
        account, event = its.account, its.event
        if as_json:
            click.echo(msgspec.json.encode({"subject": ACCOUNT, **msgspec.to_builtins(account), "event": event}))
        else:
            why = " ".join(event.because.split())
            click.echo(f"{ACCOUNT} {account.id}\t{account.name}\t{when(event.at)}\tsuspended by {event.by}: {why}")
    for one in waiting:
        if as_json:
            click.echo(msgspec.json.encode({"subject": subject_of(one), **msgspec.to_builtins(one)}))
        else:
            click.echo(f"{subject_of(one)} {one.id}\taccount {one.account_id}\t{when(one.created_at)}\t{one.text}")
    for opinion in opinions:
        click.echo(msgspec.json.encode(_shown_of(opinion)) if as_json else _in_a_line(opinion))
    if not stopped and not waiting and not opinions and not as_json:
        click.echo("Nothing waits.")


def _shown_of(opinion: Opinion) -> dict[str, Any]:
    """Without the decision and who made it, where an opinion is still asked: it is to be given without them."""
    shown: dict[str, Any] = msgspec.to_builtins(opinion)
    if opinion.stance is Stance.ASKED:
        del shown["decision"], shown["by"]
    return shown


def _in_a_line(opinion: Opinion) -> str:
    its = f"{opinion.subject} {opinion.subject_id}"
    if opinion.stance is Stance.ASKED:
        return f"{its}\tsecond opinion\t{when(opinion.at)}\t{opinion.text}"
    would = "approve" if opinion.lets_pass else "reject"
    because = f": {opinion.because}" if opinion.because else ""
    return (
        f"{its}\tdisputed\t{when(opinion.at)}\tthe decision was {opinion.decision}; {opinion.by} would {would}{because}"
    )


@review.command()
@subject_argument
@id_argument
@click.option("--approve/--reject", "lets_pass", default=None, help="What you would have decided.")
@click.option("--because", default="", help="Why; kept with the opinion.")
@by_option
@data_option
def opinion(
    subject: str, application_id: int, *, lets_pass: bool | None, because: str, by: str, data: Path | None
) -> None:
    """
    Give a second opinion on what somebody else decided; without --approve or --reject, see what they saw.

    The application stays as it was decided. An opinion against the decision stands in the list, for a third opinion or
    another decision.
    """

    async def work(store: OpenStore) -> Folder:
        def give(tx: Connection) -> Folder:
            folder = _folder(tx, Subject(subject), application_id)
            if not second.is_asked(tx, folder.application, of=by):
                message = f"no opinion of {by} is asked on {subject} {application_id}"
                raise click.ClickException(message)
            if lets_pass is None:
                return desk.without_its_decision(folder)
            second.give(tx, folder.application, by=by, lets_pass=lets_pass, because=because, now=time.time())
            return folder

        return await store.engine.write(give)

    click.echo(describe(on_store(data, work)))


@review.command()
@subject_argument
@id_argument
@click.option(
    "--papers",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the pictures uploaded with a signature into this folder.",
)
@data_option
@json_option
def show(subject: str, application_id: int, *, papers: Path | None, data: Path | None, as_json: bool) -> None:
    """One application with its account and its history."""

    async def work(store: OpenStore) -> tuple[Folder, tuple[bytes, bytes]]:
        def question(tx: Connection) -> tuple[Folder, tuple[bytes, bytes]]:
            folder = _folder(tx, Subject(subject), application_id)
            return folder, documents_of(tx, application_id) if subject == Subject.SIGNATURE else (b"", b"")

        return await store.engine.read(question)

    folder, pictures = on_store(data, work)
    click.echo(msgspec.json.encode(folder) if as_json else describe(folder))
    if papers is not None:
        with in_one_line():
            _write_papers(papers, application_id, dict(zip(("proof", "power-of-attorney"), pictures, strict=True)))


@review.command()
@subject_argument
@id_argument
@click.option("--because", default="", help="Why; kept with the decision.")
@by_option
@data_option
def approve(subject: str, application_id: int, *, because: str, by: str, data: Path | None) -> None:
    """Let it be used."""

    def move(tx: Connection, its: Signature | Template, percent: float) -> object:
        return desk.approve(tx, its, by=by, because=because, now=time.time(), second_opinion_percent=percent)

    _decide(data, Subject(subject), application_id, move)


@review.command()
@subject_argument
@id_argument
@click.option("--because", default="", help="What the applicant reads.")
@click.option(
    "--reason",
    type=click.Choice([reason.value for reason in ReviewReason]),
    default=ReviewReason.OTHER.value,
    show_default=True,
    help="What it is about, as a code.",
)
@by_option
@data_option
def reject(subject: str, application_id: int, *, because: str, reason: str, by: str, data: Path | None) -> None:
    """Send it back to its applicant, or take back what was approved."""

    def move(tx: Connection, its: Signature | Template, percent: float) -> object:
        return desk.reject(
            tx,
            its,
            by=by,
            reason=ReviewReason(reason),
            because=because,
            now=time.time(),
            stop_application=stop_application,
            second_opinion_percent=percent,
        )

    _decide(data, Subject(subject), application_id, move)


@review.command()
@subject_argument
@id_argument
@click.option("--because", default="", help="What the applicant reads.")
@by_option
@data_option
def ban(subject: str, application_id: int, *, because: str, by: str, data: Path | None) -> None:
    """Reject it for good and ban its account, whose waiting messages stop."""

    def move(tx: Connection, its: Signature | Template, _percent: float) -> object:
        return desk.ban(tx, its, by=by, because=because, now=time.time(), stop_account=stop_account)

    _decide(data, Subject(subject), application_id, move)


@review.command("figures")
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="How far back to count.")
@data_option
@json_option
def figures_(*, days: int, data: Path | None, as_json: bool) -> None:
    """How long applicants wait, how often people agree, and which rules people overturn."""
    since = time.time() - days * SECONDS_PER_DAY

    async def work(store: OpenStore) -> Figures:
        return await store.engine.read(lambda tx: figures(tx, since=since))

    its = on_store(data, work)
    click.echo(msgspec.json.encode(its) if as_json else _told(its, days))


def _told(its: Figures, days: int) -> str:
    wait = "nobody has waited for a person"
    if its.median_wait_seconds is not None and its.p95_wait_seconds is not None:
        wait = f"half within {in_time(its.median_wait_seconds)}, 95 % within {in_time(its.p95_wait_seconds)}"
    agreement = "no text was decided by two people"
    if its.pairs:
        agreement = f"{its.agreeing} of {its.pairs} times ({its.agreeing / its.pairs:.0%})"
        agreement += f", kappa {its.kappa:.2f}" if its.kappa is not None else ", too few for kappa"
    lines = [
        f"in {days} days",
        f"  decided      {its.by_machine} by the machine, {its.by_people} by people",
        f"  wait         {wait}",
        f"  agreement    {agreement}",
        f"  opinions     {its.asked} asked, {its.disputed} against the decision",
    ]
    overturned = [one for one in its.rules if one.decided]
    if overturned:
        lines.append("  rules that people decided on: overturned / decided / found")
        lines += [f"    {one.rule:40} {one.overturned:5} {one.decided:5} {one.found:5}" for one in overturned]
    return "\n".join(lines)


def in_time(seconds: float) -> str:
    """
    A length of time in the unit that suits it.

    >>> in_time(42), in_time(600), in_time(7200), in_time(259200)
    ('42 s', '10 min', '2 h', '3 days')
    """
    for unit, length, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < most:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / SECONDS_PER_DAY:.0f} days"


def describe(folder: Folder) -> str:
    """A folder for people to read."""
    its = folder.application
    lines = [
        f"{subject_of(its)} {its.id}: {its.state}",
        f"  text      {its.text}",
        f"  account   {folder.account.id} {folder.account.name} ({folder.account.kind}, {folder.account.status})",
    ]
    if isinstance(its, Template):
        lines += [f"  name      {its.name}", f"  type      {its.type}"]
    else:
        lines.append(f"  papers    sign type {its.sign_type}, document type {its.document_type}")
    lines.append(f"  for       {'numbers abroad' if its.international else 'mainland numbers'}")
    if its.remark:
        lines.append(f"  remark    {its.remark}")
    for event in folder.history:
        reason = f" [{event.reason}]" if event.reason else ""
        rulebook = f" (rulebook {event.rulebook[:12]})" if event.rulebook else ""
        lines.append(f"  {when(event.at)}  {event.move} by {event.by}{reason}{rulebook}")
        lines += [f"      {line}" for line in event.because.splitlines()]
    for precedent in folder.precedents:
        other, decision = precedent.template, precedent.decision
        reason = f" [{decision.reason}]" if decision.reason else ""
        lines.append(
            f"  like template {other.id} ({precedent.alike:.0%}): {other.state} by {decision.by}{reason}  {other.text}"
        )
    for visit in folder.visits:
        first, *rest = shown(visit)
        lines += [f"  {when(visit.at)}  opened {first}", *(f"      {line}" for line in rest)]
    return "\n".join(lines)


def shown(visit: Visit) -> list[str]:
    """One look behind a link, for people to read."""
    lines = [f"{visit.url} as a {visit.agent}: {visit.sight}" + (f", {visit.error}" if visit.error else "")]
    lines += [f"led on to {url}" for url in visit.chain[1:]]
    if visit.status:
        lines.append(f"status {visit.status} {visit.content_type} sha256 {visit.digest[:12]}")
    if visit.title or visit.text:
        lines.append(f"“{visit.title}” {visit.text[:SHOWN_CHARACTERS]}")
    return lines


def _write_papers(folder: Path, signature_id: int, pictures: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        if picture:
            ending = "png" if picture.startswith(b"\x89PNG") else "jpg"
            path = folder / f"signature-{signature_id}-{name}.{ending}"
            path.write_bytes(picture)
            click.echo(f"  {name:18}{path}")


def _folder(tx: Connection, subject: Subject, application_id: int) -> Folder:
    folder = desk.open_folder(tx, subject, application_id)
    if folder is None:
        message = f"there is no {subject} {application_id}"
        raise click.ClickException(message)
    return folder


def _decide(
    data: Path | None,
    subject: Subject,
    application_id: int,
    move: Callable[[Connection, Any, float], object],
) -> None:
    async def work(store: OpenStore) -> Folder:
        def decide(tx: Connection) -> Folder:
            its = _folder(tx, subject, application_id).application
            if not move(tx, its, store.settings.second_opinion_percent):
                message = f"{subject} {its.id} is {its.state}, and this cannot be done to it any more"
                raise click.ClickException(message)
            return _folder(tx, subject, application_id)

        return await store.engine.write(decide)

    click.echo(describe(on_store(data, work)))
