"""SQLite: one writer that commits for all who wait, and readers beside it."""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, NullPool, Transaction, create_engine, event
from sqlalchemy.exc import InterfaceError, OperationalError

from cleartosend.ports import StoreUnavailable
from cleartosend.store.groups import MOST_JOBS_PER_GROUP, Job, answer_all, run_together, tell_of_rerun

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

LOCK_WAIT_SECONDS = 5.0
LOCK_LOOK_SECONDS = 0.005
# 200 rows take the loop's thread some 5 ms.
MOST_ROWS_HERE = 200
HELD_UP_SECONDS = 0.025
NONE_HERE_SECONDS = 1.0
READERS = 2
UNAVAILABLE = (OperationalError, InterfaceError)


def open_sqlite(path: Path, *, begin: str, node: int = 0, waits_for_lock: bool = True) -> Engine:
    """Connections to the file, each transaction of which starts with the statement `begin`; they know their node."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=NullPool,
        # Parameters are texts and numbers: nothing for an exception's message.
        hide_parameters=True,
        execution_options={"node": node},
        # The driver's own idea of when a transaction begins is switched off; the event below begins each.
        connect_args={
            "check_same_thread": False,
            "timeout": LOCK_WAIT_SECONDS if waits_for_lock else 0,
            "isolation_level": None,
        },
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


class _Group(msgspec.Struct):
    """Jobs that share a transaction."""

    jobs: Sequence[Job]
    transaction: Transaction | None = None
    """One in which they have been done, so that only the commit is left."""
    answers: Sequence[Any] = ()


_Outcomes = Sequence[tuple[Sequence[Job], Sequence[Any] | Exception]]
"""What jobs came to: an answer for each, or the same exception for all."""


class SqliteEngine:
    """
    The store in one file, for the event loop that opened it.

    What waits is done in groups, each in one transaction, one after the other; whatever comes meanwhile is the next
    group. A thread of its own, the writer, does them and waits for the disk. Of a small group it has only the commit:
    the statements are done in the loop's thread, since every one of them would be a struggle of two threads for the
    interpreter, which costs more than it does. When a group fails it is rolled back and done again one by one, so that
    only what fails alone fails.
    """

    def __init__(self, path: Path, *, node: int = 0) -> None:
        _look_at_types()
        self._loop = asyncio.get_running_loop()
        self._writer_engine = open_sqlite(path, begin="BEGIN IMMEDIATE", node=node, waits_for_lock=False)
        self._reader_engine = open_sqlite(path, begin="BEGIN")
        self._waiting: list[Job] = []
        self._at_work = False
        """Whether the writer has a group. The connection is its own as long as it has, and the loop's otherwise."""
        self._connection: Connection | None = None
        self._none_here_before = 0.0
        """The monotonic time before which no group is done in the loop's thread."""
        self._groups: queue.SimpleQueue[_Group | None] = queue.SimpleQueue()
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
        self,
        work: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        *,
        size: Callable[[Item], int] | None = None,
    ) -> Callable[[Item], Awaitable[Result]]:
        def submit(item: Item) -> Awaitable[Result]:
            rows = size(item) if size else None
            return self._queue(Job(work, self._loop.create_future(), items_together=True, item=item, rows=rows))

        return submit

    async def close(self) -> None:
        # What waits is done in its order, and so this last.
        with contextlib.suppress(StoreUnavailable):
            await self.write(lambda _tx: None)
        self._groups.put(None)
        await self._loop.run_in_executor(None, self._writer.join)
        self._readers.shutdown()
        for connection in self._connections:
            connection.close()
        self._reader_engine.dispose()
        self._writer_engine.dispose()

    # --- in the loop's thread ---

    def _queue(self, job: Job) -> asyncio.Future[Any]:
        if not self._waiting:
            self._loop.call_soon(self._begin_group)
        self._waiting.append(job)
        return job.answer

    def _begin_group(self) -> None:
        """Let what waits be done, unless another group is."""
        if self._at_work or not self._waiting:
            return
        jobs, self._waiting = self._waiting[:MOST_JOBS_PER_GROUP], self._waiting[MOST_JOBS_PER_GROUP:]
        self._at_work = True
        self._groups.put(self._done_here(jobs))

    def _done_here(self, jobs: Sequence[Job]) -> _Group:
        """Do small work on the spot. Where that fails nothing is done: the writer does it again, and tells."""
        began = monotonic()
        rows = sum(MOST_ROWS_HERE + 1 if job.rows is None else job.rows for job in jobs)
        if self._connection is None or rows > MOST_ROWS_HERE or began < self._none_here_before:
            return _Group(jobs)
        try:
            transaction = self._connection.begin()
        except UNAVAILABLE:
            # Another process is writing, and the loop cannot wait for it.
            return _Group(jobs)
        try:
            answers = run_together(self._connection, jobs)
        except Exception:  # noqa: BLE001 - it is met again where it is told
            try:
                transaction.rollback()
            except UNAVAILABLE:
                self._discard_connection()
            return _Group(jobs)
        if (now := monotonic()) > began + HELD_UP_SECONDS:
            # The disk is slow to read from: the writer can wait for it.
            self._none_here_before = now + NONE_HERE_SECONDS
        return _Group(jobs, transaction, answers)

    def _hear(self, outcomes: _Outcomes) -> None:
        """The writer has done a group."""
        self._at_work = False
        for jobs, outcome in outcomes:
            answer_all(jobs, outcome)
        # Those who have just heard go on first.
        self._loop.call_soon(self._begin_group)

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
        while (group := self._groups.get()) is not None:
            outcomes = self._outcomes_of(group)
            # A loop that is gone waits for nothing.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._hear, outcomes)
        self._discard_connection()

    def _outcomes_of(self, group: _Group) -> _Outcomes:
        jobs = group.jobs
        try:
            return [(jobs, self._commit(group))]
        except UNAVAILABLE as error:
            # Beginning, writing or committing failed for a reason that the neighbours share.
            self._discard_connection()
            return [(jobs, StoreUnavailable(str(error.orig)))]
        except Exception as error:  # noqa: BLE001 - whatever it is, it is its caller's to hear
            if len(jobs) == 1:
                return [(jobs, error)]
            tell_of_rerun(jobs, error)
            return [outcome for job in jobs for outcome in self._outcomes_of(_Group([job]))]

    def _commit(self, group: _Group) -> Sequence[Any]:
        if group.transaction is not None:
            with group.transaction:
                return group.answers
        connection, transaction = self._begun()
        with transaction:
            return run_together(connection, group.jobs)

    def _begun(self) -> tuple[Connection, Transaction]:
        """Begin a transaction, as soon as no other process writes."""
        latest = monotonic() + LOCK_WAIT_SECONDS
        while True:
            try:
                if self._connection is None:
                    self._connection = self._writer_engine.connect()
                return self._connection, self._connection.begin()
            except OperationalError as error:
                if not _is_locked(error) or monotonic() > latest:
                    raise
            sleep(LOCK_LOOK_SECONDS)

    def _discard_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _is_locked(error: OperationalError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    # SQLite, result codes: what is more to say stands in the bits above.
    return code is not None and code & 0xFF == sqlite3.SQLITE_BUSY


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
