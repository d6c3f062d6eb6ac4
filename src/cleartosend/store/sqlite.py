"""SQLite: one writer thread that commits for all who wait, and readers beside it."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import InterfaceError, OperationalError

from cleartosend.ports import StoreUnavailable
from cleartosend.store.groups import MOST_JOBS_PER_GROUP, Job, run_together, tell_of_rerun

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

LOCK_WAIT_SECONDS = 5.0
READERS = 2
UNAVAILABLE = (OperationalError, InterfaceError)


def open_sqlite(path: Path, *, begin: str, node: int = 0) -> Engine:
    """Connections to the file, each transaction of which starts with the statement `begin`; they know their node."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        # Parameters are texts and numbers: nothing for an exception's message.
        hide_parameters=True,
        execution_options={"node": node},
        # The driver's own idea of when a transaction begins is switched off; the event below begins each.
        connect_args={"check_same_thread": False, "timeout": LOCK_WAIT_SECONDS, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        # FULL: a commit is on disk before it is answered. Grouped, it costs next to nothing.
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA cache_size=-32768")
        connection.execute("PRAGMA temp_store=MEMORY")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class SqliteEngine:
    """
    The store in one file, for the event loop that opened it.

    Callers hand their work to a single writer thread, all of one turn of the loop at once. While it commits, others
    queue up; it takes them all into its next transaction. When one fails, the group is rolled back and run again one
    by one, so that only the one fails.
    """

    def __init__(self, path: Path, *, node: int = 0) -> None:
        _look_at_types()
        self._loop = asyncio.get_running_loop()
        self._writer_engine = open_sqlite(path, begin="BEGIN IMMEDIATE", node=node)
        self._reader_engine = open_sqlite(path, begin="BEGIN")
        self._this_turn: list[Job] = []
        self._turns: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._writer = threading.Thread(target=self._write_until_closed, name="store-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._connections: list[Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    async def read(self, question: Callable[[Connection], T]) -> T:
        return await self._loop.run_in_executor(self._readers, self._answer, question)

    async def write(self, work: Callable[[Connection], T]) -> T:
        answer: T = await self._queue(Job(work, self._loop.create_future()))
        return answer

    def batched(
        self, work: Callable[[Connection, Sequence[Item]], Sequence[Result]]
    ) -> Callable[[Item], Awaitable[Result]]:
        def submit(item: Item) -> Awaitable[Result]:
            return self._queue(Job(work, self._loop.create_future(), items_together=True, item=item))

        return submit

    async def close(self) -> None:
        self._hand_over_this_turn()
        self._turns.put(None)
        await self._loop.run_in_executor(None, self._writer.join)
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()
        self._reader_engine.dispose()
        self._writer_engine.dispose()

    # --- in the loop's thread ---

    def _queue(self, job: Job) -> asyncio.Future[Any]:
        if not self._this_turn:
            self._loop.call_soon(self._hand_over_this_turn)
        self._this_turn.append(job)
        return job.answer

    def _hand_over_this_turn(self) -> None:
        if self._this_turn:
            self._turns.put(self._this_turn)
            self._this_turn = []

    # --- in the readers' threads ---

    def _answer(self, question: Callable[[Connection], T]) -> T:
        connection: Connection | None = getattr(self._local, "connection", None)
        try:
            if connection is None:
                connection = self._local.connection = self._reader_engine.connect()
                self._connections.append(connection)
            with connection.begin():
                return question(connection)
        except UNAVAILABLE as error:
            raise StoreUnavailable(str(error.orig)) from error

    # --- in the writer's thread ---

    def _write_until_closed(self) -> None:
        while (jobs := self._turns.get()) is not None:
            while len(jobs) < MOST_JOBS_PER_GROUP and not self._turns.empty():
                another = self._turns.get()
                if another is None:
                    self._turns.put(None)
                    break
                jobs += another
            self._write_group(jobs)
        self._discard_connection()

    def _write_group(self, jobs: list[Job]) -> None:
        """Commit the jobs and answer their callers."""
        try:
            answers = self._commit(jobs)
        except UNAVAILABLE as error:
            # Beginning, writing or committing failed for a reason that the neighbours share.
            self._discard_connection()
            self._tell(_set_exceptions, jobs, StoreUnavailable(str(error.orig)))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is its caller's to hear
            if len(jobs) > 1:
                tell_of_rerun(jobs, error)
                for job in jobs:
                    self._write_group([job])
            else:
                self._tell(_set_exceptions, jobs, error)
        else:
            self._tell(_set_results, jobs, answers)

    def _commit(self, jobs: list[Job]) -> list[Any]:
        if self._connection is None:
            self._connection = self._writer_engine.connect()
        with self._connection.begin():
            return run_together(self._connection, jobs)

    def _discard_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _tell(self, function: Callable[..., None], *arguments: object) -> None:
        # One wake-up for the whole group: waking a loop costs a system call. A loop that is gone waits for nothing.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)


def _look_at_types() -> None:
    """
    Have msgspec look at each of our types before there are threads.

    It does so when a type is first converted to, and two threads that do it first together end the process.
    """
    types = msgspec.Struct.__subclasses__()
    while types:
        one = types.pop()
        types += one.__subclasses__()
        if one.__module__.partition(".")[0] == "cleartosend":
            # What cannot be converted to is none that anybody converts to.
            with contextlib.suppress(TypeError):
                msgspec.json.Decoder(one)


def _set_results(jobs: list[Job], answers: list[Any]) -> None:
    for job, answer in zip(jobs, answers, strict=True):
        if not job.answer.done():
            job.answer.set_result(answer)


def _set_exceptions(jobs: list[Job], error: Exception) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(error)
