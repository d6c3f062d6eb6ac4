"""Waiting until what comes pauses, so that what comes soon after each other is written down together."""

import asyncio
from collections.abc import Callable

# Few at a time are dear to write down. But whoever sends a burst may send no more until we have answered it.
QUIET_SECONDS = 0.001
MOST_SECONDS = 0.005


class Lull:
    """Calls `then` once nothing has come for a moment, at the latest a few moments after the first."""

    def __init__(self, then: Callable[[], None]) -> None:
        self._then = then
        self._timer: asyncio.TimerHandle | None = None
        self._came = 0
        self._latest = 0.0

    def more(self) -> None:
        """Something came."""
        self._came += 1
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._latest = loop.time() + MOST_SECONDS
            self._wait(loop)

    def end(self) -> None:
        """Wait no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._then()

    def _wait(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = loop.call_later(QUIET_SECONDS, self._look, loop, self._came)

    def _look(self, loop: asyncio.AbstractEventLoop, before: int) -> None:
        if self._came > before and loop.time() < self._latest:
            self._wait(loop)
        else:
            self.end()
