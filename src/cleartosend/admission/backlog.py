"""How much is under way at once: more is not accepted than memory holds and carriers can still send in time."""

from collections.abc import Awaitable, Callable

from cleartosend.model.messages import Lane, SendCall
from cleartosend.model.reasons import Reason, Refusal

NUMBERS_PER_CALL = 10
"""Ten numbers of one call take as much memory as four calls to one, and as long as two."""


class Backlog:
    """What waits for carriers, and the calls that wait for the store; both are bounded."""

    def __init__(self, *, most_waiting: int, most_calls_at_once: int) -> None:
        self._most_waiting = most_waiting
        self._most_calls = most_calls_at_once
        self._counted = 0
        self._accepted_since = 0
        self._calls = 0
        """How many wait for the store just now."""

    async def count(self, counted: Callable[[int], Awaitable[int]]) -> None:
        """Count anew what waits, as far as it matters: `counted` is told where it may stop."""
        before = self._accepted_since
        self._counted = await counted(self._most_waiting)
        # What was accepted meanwhile may be in the count already: too much is soon put right.
        self._accepted_since -= before

    def accepted(self, messages: int) -> None:
        """So many more wait."""
        self._accepted_since += messages

    def begin(self, call: SendCall) -> Refusal | None:
        """Let a call wait for the store until it is ended; refuse it when too many do."""
        if self._calls >= self._most_calls:
            return Refusal(Reason.TOO_MANY_CALLS_AT_ONCE, str(self._most_calls))
        self._calls += _weight(call)
        return None

    def end(self, call: SendCall) -> None:
        """The call was answered."""
        self._calls -= _weight(call)

    def no_more_messages(self, lane: Lane) -> Refusal | None:
        """
        Refuse messages when too many wait for carriers, by the last count and what was accepted since.

        Each lane leaves a tenth more to those before it, so that no code is refused because less urgent things wait.
        """
        most = self._most_waiting - self._most_waiting * lane // 10
        if self._counted + self._accepted_since < most:
            return None
        return Refusal(Reason.TOO_MUCH_WAITING, str(most))


def _weight(call: SendCall) -> int:
    return -(-len(call.numbers) // NUMBERS_PER_CALL)
