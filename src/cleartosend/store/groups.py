"""Work that waits for the writer, and how a group of it becomes one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry

# A group is bounded so that the first caller of a long queue does not wait for the last.
MOST_JOBS_PER_GROUP = 512


class Job(msgspec.Struct):
    """
    One caller's piece of work.

    `work` takes the connection and, when `items_together` is set, the list of the items of all its callers.
    """

    work: Callable[..., Any]
    answer: asyncio.Future[Any]
    items_together: bool = False
    item: Any = None
    rows: int | None = None
    """How many rows it is about, where that is known."""


def run_together(connection: Connection, jobs: Sequence[Job]) -> list[Any]:
    """Run all jobs, those of one batched work in a single call, and return the answers in the jobs' order."""
    answers: list[Any] = [None] * len(jobs)
    batches: dict[Callable[..., Any], list[int]] = {}
    for place, job in enumerate(jobs):
        if job.items_together:
            batches.setdefault(job.work, []).append(place)
        else:
            answers[place] = job.work(connection)
    for work, places in batches.items():
        for place, answer in zip(places, work(connection, [jobs[place].item for place in places]), strict=True):
            answers[place] = answer
    return answers


def answer_all(jobs: Sequence[Job], outcome: Sequence[Any] | Exception) -> None:
    """Give each caller its answer, or all of them the same exception; those who wait no longer are passed over."""
    if isinstance(outcome, Exception):
        for job in jobs:
            if not job.answer.done():
                job.answer.set_exception(outcome)
        return
    for job, answer in zip(jobs, outcome, strict=True):
        if not job.answer.done():
            job.answer.set_result(answer)


def tell_of_rerun(jobs: Sequence[Job], error: Exception) -> None:
    """A group that fails and is run one by one is dear: the operator should know which work spoils it."""
    works = sorted({getattr(job.work, "__qualname__", repr(job.work)) for job in jobs})
    telemetry.log.warning("store.group_rerun", jobs=len(jobs), works=works, error=type(error).__name__)
