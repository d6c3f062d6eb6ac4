"""The SMSC for testing in a thread of its own, for tests that know no event loop."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from cleartosend.testing.smsc.exchange import Taken
from cleartosend.testing.smsc.orders import obey
from cleartosend.testing.smsc.server import ENOUGH_SECONDS, SMSC

T = TypeVar("T")


class SMSCInThread:
    """An SMSC as another thread may use it."""

    def __init__(self, smsc: SMSC, loop: asyncio.AbstractEventLoop) -> None:
        self.port = smsc.port
        self._smsc = smsc
        self._loop = loop

    def obey(self, order: str) -> str:
        """Do what a line of words says, as `cleartosend smsc` does. Raises Unfit."""
        return _there(self._loop, obey(self._smsc, order))

    def until(self, condition: Callable[[SMSC], bool], *, seconds: float = ENOUGH_SECONDS) -> None:
        """Wait until it is so. Raises TimeoutError."""
        waiting = self._smsc.until(lambda: condition(self._smsc), seconds=seconds)
        _there(self._loop, waiting)

    def taken(self, count: int) -> list[Taken]:
        """Wait until so many messages have been taken; all that are remembered."""
        return _there(self._loop, self._smsc.taken(count))

    def told(self) -> None:
        """Wait until all receipts and replies are acknowledged."""
        _there(self._loop, self._smsc.told())


@contextlib.contextmanager
def smsc_in_thread(**options: Any) -> Iterator[SMSCInThread]:  # noqa: ANN401 - whatever SMSC takes
    """Run one beside the test; the options are those of SMSC."""
    smsc = SMSC(**options)
    loop = asyncio.new_event_loop()
    with contextlib.closing(loop), ThreadPoolExecutor(1) as thread:
        thread.submit(loop.run_forever)
        try:
            _there(loop, smsc.__aenter__())
            try:
                yield SMSCInThread(smsc, loop)
            finally:
                _there(loop, smsc.__aexit__(None, None, None))
        finally:
            loop.call_soon_threadsafe(loop.stop)


def _there(loop: asyncio.AbstractEventLoop, what: Coroutine[Any, Any, T]) -> T:
    return asyncio.run_coroutine_threadsafe(what, loop).result()
