"""`cleartosend members`: the lists that marketing is held against."""

import asyncio
import contextlib
import csv
import heapq
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

import click
import msgspec
from sqlalchemy import Connection

from cleartosend.cli.account import existing_account
from cleartosend.cli.numbers import Column, NumberType, good_rows, progress
from cleartosend.cli.options import OPERATOR, Words, data_option, json_lines_option, json_option, when
from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.consent import ConsentEvent, OptOut
from cleartosend.model.members import ImportState, Member, MemberImport, MemberSource
from cleartosend.model.times import BEIJING
from cleartosend.store import consent, members as store
from cleartosend.store.members import MemberRow

SOURCES = {
    **{source.value: source for source in MemberSource},
    **dict.fromkeys(("purchased", "bought", "购买", "已购买"), MemberSource.PURCHASE),
    **dict.fromkeys(("registered", "注册", "已注册"), MemberSource.REGISTRATION),
}
SOURCE_HEADINGS = frozenset({"source", "来源", "会员来源", "方式"})
SINCE_HEADINGS = frozenset(
    {"since", "date", "time", "时间", "日期", "加入时间", "成为会员时间"}
    | {"注册时间", "注册日期", "购买时间", "购买日期"}
)

# Excel counts days from here, and so gives dates after February 1900 their right numbers.
EXCEL_DAY_0 = datetime(1899, 12, 30, tzinfo=BEIJING)
_EXCEL_DAYS = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_LOCAL_DATE = re.compile(
    r"([0-9]{4})[/.年-]([0-9]{1,2})[/.月-]([0-9]{1,2})日?(?:[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?)?"
)

ROWS_AT_ONCE = 5000
ROWS_IN_MEMORY = 100_000
# Beside a running server: between two of our transactions it gets its own in.
PAUSE_SECONDS = 0.01
DEAD_AFTER_SECONDS = 60.0

account_option = click.option("--account", "account_id", type=int, required=True, help="Whose members they are.")


class Moment(click.ParamType[float]):
    """A date, or a date and a time."""

    name = "time"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, float):
            return value
        try:
            return moment_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.group()
def members() -> None:
    """Who may be reached with marketing: people who bought or registered."""


@members.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@account_option
@click.option("--source", type=click.Choice([one.value for one in MemberSource]), help="How they became members.")
@click.option("--since", type=Moment(), help="When they became members. [default: now]")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write all bad rows into this CSV.")
@data_option
def import_(
    file: Path, *, account_id: int, source: str | None, since: float | None, errors: Path | None, data: Path | None
) -> None:
    """
    Add the numbers of FILE, a CSV or XLSX.

    They stand in its first sheet, in E.164 or national form, in a column headed `number` or in the first one. Columns
    headed `source` and `since` say how and when each became a member; the options fill what is not there.

    All rows are taken or, when one is bad, none; and none counts before the last is in. A number that is on the list
    keeps its source and time.
    """
    now = time.time()
    others = [
        Column(SOURCE_HEADINGS, partial(_source, otherwise=source)),
        Column(SINCE_HEADINGS, partial(_since, otherwise=now if since is None else since, latest=now)),
    ]

    async def work(opened: OpenStore) -> tuple[int, int]:
        await _must_exist(opened, account_id)
        with contextlib.ExitStack() as stack:
            count, lines = _put_aside(good_rows(file, others, errors=errors), stack)
            return count, await _import(opened, lines, account_id, file=file.name, count=count)

    count, new = on_store(data, work)
    click.echo(f"{count} numbers read, {new} new members")


def _put_aside(rows: Iterator[tuple[str, list[Any]]], stack: contextlib.ExitStack) -> tuple[int, Iterator[str]]:
    """
    Keep rows until all have proved good; returns how many, and a line for each, by number.

    An index grows several times faster in its own order. Of a number that is there twice the first stays the first.
    """
    lines = (f"{number},{source},{since!r}\n" for number, (source, since) in rows)
    runs: list[IO[str]] = []
    count = 0
    while run := sorted(islice(lines, ROWS_IN_MEMORY), key=_number_of):
        file = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", newline=""))  # noqa: SIM115 - the stack closes it
        file.writelines(run)
        file.seek(0)
        runs.append(file)
        count += len(run)
    return count, heapq.merge(*runs, key=_number_of)


def _number_of(line: str) -> str:
    return line.partition(",")[0]


async def _import(opened: OpenStore, lines: Iterator[str], account_id: int, *, file: str, count: int) -> int:
    """Write the lines put aside; returns how many were new members."""
    engine = opened.engine
    await _forget_uncounted(opened, account_id)
    now = time.time()
    begun = await engine.write(
        lambda tx: store.begin_import(
            tx, account_id=account_id, file=file, by=OPERATOR, now=now, dead_before=now - DEAD_AFTER_SECONDS
        )
    )
    if isinstance(begun, MemberImport):
        message = f"import {begun.id} of account {account_id} is under way, {begun.rows} rows in"
        raise click.ClickException(message)
    try:
        with progress("writing", count) as bar:
            for rows in _pieces(lines):
                add = partial(store.add_imported, import_id=begun, account_id=account_id, rows=rows, now=time.time())
                _still_alive(await engine.write(add))
                bar.update(len(rows))
                await asyncio.sleep(PAUSE_SECONDS)
        new = await engine.read(lambda tx: store.count_imported(tx, begun))
        end = partial(store.end_import, import_id=begun, state=ImportState.DONE, now=time.time(), new_members=new)
        _still_alive(await engine.write(end))
    except BaseException:
        end = partial(store.end_import, import_id=begun, state=ImportState.FAILED, now=time.time())
        await engine.write(end)
        raise
    return new


def _still_alive(written: bool) -> None:  # noqa: FBT001 - what the store has answered
    if not written:
        message = f"silent for {DEAD_AFTER_SECONDS:.0f} seconds, it was taken for dead; nothing was imported"
        raise Problem(message)


async def _forget_uncounted(opened: OpenStore, account_id: int) -> None:
    """Clear away what dead and undone imports have left."""
    forget = partial(store.forget_uncounted, account_id=account_id, limit=ROWS_AT_ONCE)
    while True:
        if not await opened.engine.write(forget):
            return
        await asyncio.sleep(PAUSE_SECONDS)


def _pieces(lines: Iterator[str]) -> Iterator[list[MemberRow]]:
    while some := list(islice(lines, ROWS_AT_ONCE)):
        yield [
            MemberRow(number, source, float(since))
            for number, source, since in (line.rstrip("\n").split(",") for line in some)
        ]


def _source(written: str, *, otherwise: str | None) -> str:
    if not written:
        if otherwise is None:
            raise ValueError("no source: give --source, or a column headed `source`")
        return otherwise
    source = SOURCES.get(written.casefold())
    if source is None:
        raise ValueError(f"no source: {written[:40]}; it is purchase or registration")
    return source.value


def _since(written: str, *, otherwise: float, latest: float) -> float:
    if not written:
        return otherwise
    since = moment_of(written)
    if since > latest:
        raise ValueError(f"not yet a member: {written[:40]} is to come")
    return since


@lru_cache(maxsize=65_536)
def moment_of(written: str) -> float:
    """
    A date, or a date and a time, in Beijing where it does not say; raises ValueError.

    >>> [moment_of(text) for text in ("2026-03-02", "2026/3/2 0:00", "2026年3月2日", "46083", "2026-03-01T16:00:00Z")]
    [1772380800.0, 1772380800.0, 1772380800.0, 1772380800.0, 1772380800.0]
    """
    if _EXCEL_DAYS.fullmatch(written):
        # A whole second: the fraction of a day that Excel keeps is not exact.
        return float(round((EXCEL_DAY_0 + timedelta(days=float(written))).timestamp()))
    try:
        if local := _LOCAL_DATE.fullmatch(written):
            parts = [int(part) for part in local.groups(default="0")]
            return datetime(*parts, tzinfo=BEIJING).timestamp()  # type: ignore[misc,arg-type]
        moment = datetime.fromisoformat(written)
        return (moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)).timestamp()
    except ValueError as error:
        raise ValueError(f"no date: {written[:40]}") from error


@members.command("list")
@account_option
@click.option("--after", default="", help="Begin after this number.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@data_option
@json_lines_option
def list_(*, account_id: int, after: str, limit: int, data: Path | None, as_json: bool) -> None:
    """Members by number: number, source, since when, and the import that brought it."""

    async def work(opened: OpenStore) -> list[Member]:
        await _must_exist(opened, account_id)
        return await opened.engine.read(lambda tx: store.page(tx, account_id, after=after, limit=limit))

    for one in on_store(data, work):
        click.echo(
            msgspec.json.encode(one)
            if as_json
            else f"{one.number}\t{one.source}\t{when(one.since)}\t{one.import_id or '-'}"
        )


@members.command("count")
@account_option
@data_option
@json_option
def count_(*, account_id: int, data: Path | None, as_json: bool) -> None:
    """How many members there are, by source."""

    async def work(opened: OpenStore) -> dict[str, int]:
        await _must_exist(opened, account_id)
        return await opened.engine.read(lambda tx: store.count(tx, account_id))

    by_source = on_store(data, work)
    if as_json:
        click.echo(msgspec.json.encode(by_source))
        return
    for source, count in by_source.items():
        click.echo(f"{source}: {count}")
    click.echo(f"all: {sum(by_source.values())}")


@members.command()
@account_option
@click.option(
    "--to", "file", type=click.Path(dir_okay=False, path_type=Path), help="The file to write. [default: the terminal]"
)
@data_option
def export(*, account_id: int, file: Path | None, data: Path | None) -> None:
    """Write all members as CSV, in the form that `import` reads."""

    async def work(opened: OpenStore) -> None:
        await _must_exist(opened, account_id)
        with in_one_line(), click.open_file(str(file or "-"), "w", encoding="utf-8") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(("number", "source", "since"))
            after = ""
            while page := await opened.engine.read(
                partial(store.page, account_id=account_id, after=after, limit=ROWS_AT_ONCE)
            ):
                writer.writerows(
                    (one.number, one.source.value, datetime.fromtimestamp(one.since, UTC).isoformat()) for one in page
                )
                after = page[-1].number

    on_store(data, work)


@members.command()
@click.argument("numbers", type=NumberType(), nargs=-1)
@account_option
@click.option("--import", "import_id", type=int, help="All that this import brought.")
@click.option("--because", type=Words(), help="Why; needed with numbers, and kept with them.")
@data_option
def remove(
    numbers: tuple[str, ...], *, account_id: int, import_id: int | None, because: str | None, data: Path | None
) -> None:
    """Take NUMBERS off the list, or all that one import brought."""
    if bool(numbers and because) == (import_id is not None):
        message = "it takes numbers and --because, or --import"
        raise click.UsageError(message)

    async def work(opened: OpenStore) -> int:
        await _must_exist(opened, account_id)
        if import_id is not None:
            return await _undo(opened, account_id, import_id)

        def change(tx: Connection) -> int:
            gone = store.remove(tx, account_id, numbers)
            consent.remember_removal(
                tx, gone, account_id=account_id, by=OPERATOR, because=because or "", now=time.time()
            )
            return len(gone)

        return await opened.engine.write(change)

    click.echo(f"{on_store(data, work)} members removed")


async def _undo(opened: OpenStore, account_id: int, import_id: int) -> int:
    def change(tx: Connection) -> int:
        one = store.find_import(tx, import_id)
        if one is None or one.account_id != account_id or not store.undo_import(tx, import_id):
            message = f"account {account_id} has no import {import_id} that is done"
            raise click.ClickException(message)
        return store.count_imported(tx, import_id)

    gone = await opened.engine.write(change)
    await _forget_uncounted(opened, account_id)
    return gone


@members.command()
@account_option
@data_option
@json_lines_option
def imports(*, account_id: int, data: Path | None, as_json: bool) -> None:
    """The files that were read into the list."""

    async def work(opened: OpenStore) -> list[MemberImport]:
        await _must_exist(opened, account_id)
        return await opened.engine.read(lambda tx: store.imports_of(tx, account_id))

    for one in on_store(data, work):
        click.echo(
            msgspec.json.encode(one)
            if as_json
            else f"{one.id}\t{one.state}\t{when(one.started_at)}\t{one.rows} rows\t{one.new_members} new\t{one.file}"
        )


@members.command()
@click.argument("number", type=NumberType())
@account_option
@data_option
@json_option
def show(number: str, *, account_id: int, data: Path | None, as_json: bool) -> None:
    """Whether NUMBER is a member, since when and by which file, what it opted out of, and every change of that."""

    async def work(opened: OpenStore) -> dict[str, Any]:
        def question(tx: Connection) -> dict[str, Any]:
            existing_account(tx, account_id)
            return {
                "member": store.find(tx, account_id, number),
                "opt_outs": consent.of_number(tx, number, account_id=account_id),
                "history": consent.events_of(tx, number, account_id=account_id),
            }

        return await opened.engine.read(question)

    found = on_store(data, work)
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    member: Member | None = found["member"]
    if member is None:
        click.echo(f"{number} is no member of account {account_id}")
    else:
        by = f"import {member.import_id}" if member.import_id else "no import"
        click.echo(f"{number} is a member by {member.source} since {when(member.since)}, by {by}")
    for line in described(found["opt_outs"], found["history"]):
        click.echo(line)


def described(opt_outs: list[OptOut], history: list[ConsentEvent]) -> Iterator[str]:
    """What holds messages to a number back, and how that came about, for people."""
    for one in opt_outs:
        yield f"{one.source}: {scope_of(one.account_id, one.signature, one.type)}, since {when(one.at)}"
    for event in history:
        scope = scope_of(event.account_id, event.signature, event.type)
        yield f"{when(event.at)} {event.change} by {event.by}: {scope}; {event.because}"


def scope_of(account_id: int, signature: str, type_: str) -> str:
    """Which messages something is about."""
    whose = f"account {account_id}" if account_id else "every account"
    return f"{whose}, {signature or 'every signature'}, {type_ or 'every type'}"


async def _must_exist(opened: OpenStore, account_id: int) -> None:
    await opened.engine.read(partial(existing_account, account_id=account_id))
