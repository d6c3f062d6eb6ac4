"""PostgreSQL: the same grouping of commits, by a coroutine over asyncpg."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from cleartosend.ports import StoreUnavailable
from cleartosend.store.groups import MOST_JOBS_PER_GROUP, Job, answer_all, run_together, tell_of_rerun

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")


class PostgresEngine:
    """The store in a PostgreSQL database; each node writes through one connection, in groups."""

    def __init__(self, url: str, *, node: int = 0) -> None:
        self._engine = create_async_engine(
            url, pool_size=5, pool_pre_ping=True, hide_parameters=True, execution_options={"node": node}
        )
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue()
        self._writer = asyncio.get_running_loop().create_task(self._write_until_closed())
        self._connection: AsyncConnection | None = None

    async def read(self, question: Callable[[Connection], T]) -> T:
        try:
            async with self._engine.connect() as connection:
                return await connection.run_sync(question)
        except (DBAPIError, OSError) as error:
            if _is_about_what_was_asked(error):
                raise
            raise StoreUnavailable(str(error)) from error

    async def write(self, work: Callable[[Connection], T]) -> T:
        answer: T = await self._queue(Job(work, _future()))
        return answer

    def batched(
        self,
        work: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        *,
        size: Callable[[Item], int] | None = None,  # noqa: ARG002 - each statement waits for the server, few or many
    ) -> Callable[[Item], Awaitable[Result]]:
        def submit(item: Item) -> Awaitable[Result]:
            return self._queue(Job(work, _future(), items_together=True, item=item))

        return submit

    async def close(self) -> None:
        self._jobs.put_nowait(None)
        await self._writer
        await self._engine.dispose()

    def _queue(self, job: Job) -> asyncio.Future[Any]:
        self._jobs.put_nowait(job)
        return job.answer

    async def _write_until_closed(self) -> None:
        while (job := await self._jobs.get()) is not None:
            jobs = [job]
            while len(jobs) < MOST_JOBS_PER_GROUP and not self._jobs.empty():
                neighbour = self._jobs.get_nowait()
                if neighbour is None:
                    self._jobs.put_nowait(None)
                    break
                jobs.append(neighbour)
            await self._write_group(jobs)
        await self._discard_connection()

    async def _write_group(self, jobs: list[Job]) -> None:
        """Commit the jobs and answer their callers."""
        try:
            answers = await self._commit(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is its caller's to hear
            server_is_gone = isinstance(error, OSError) or (
                isinstance(error, DBAPIError) and error.connection_invalidated
            )
            if server_is_gone:
                await self._discard_connection()
            if len(jobs) > 1 and not server_is_gone:
                # One spoils it for all, or two nodes met in a deadlock: each gets a transaction of its own.
                tell_of_rerun(jobs, error)
                for job in jobs:
                    await self._write_group([job])
                return
            unavailable = isinstance(error, (DBAPIError, OSError)) and not _is_about_what_was_asked(error)
            answer_all(jobs, StoreUnavailable(str(error)) if unavailable else error)
        else:
            answer_all(jobs, answers)

    async def _commit(self, jobs: list[Job]) -> list[Any]:
        if self._connection is None:
            self._connection = await self._engine.connect()
        async with self._connection.begin():
            return await self._connection.run_sync(run_together, jobs)

    async def _discard_connection(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()


def _is_about_what_was_asked(error: DBAPIError | OSError) -> bool:
    """Whether the server is well and cannot do what it was asked: it would not help to ask again."""
    return isinstance(error, DBAPIError) and str(getattr(error.orig, "sqlstate", "") or "")[:2] in _ABOUT_WHAT_WAS_ASKED


# PostgreSQL, appendix A: data that does not fit its type, a constraint that is violated, a statement that is wrong.
_ABOUT_WHAT_WAS_ASKED = {"22", "23", "42"}


def _future() -> asyncio.Future[Any]:
    return asyncio.get_running_loop().create_future()
