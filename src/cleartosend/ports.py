"""What can be swapped, on one page: the engine that keeps what is written, and the carriers that send."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import AccountStatus
from cleartosend.model.messages import Ending, Parcel, Receipt, Reply

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")


class StoreUnavailable(Exception):
    """The store could not take or answer a piece of work: full disk, locked file, lost server. Nothing was recorded."""


class Engine(Protocol):
    """
    Keeps what is written.

    Work is a plain function of a connection. It may be run again from the start when a neighbour in its transaction
    fails, so it touches nothing but the connection.
    """

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Answer a question from what is committed."""
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction, alone or with others waiting, and return once it is on disk."""
        ...

    def batched(
        self, work: Callable[[Connection, Sequence[Item]], Sequence[Result]]
    ) -> Callable[[Item], Awaitable[Result]]:
        """A function of one item that waits for `work` to be run, once, for the items of all callers waiting."""
        ...

    async def close(self) -> None:
        """Finish the work at hand and let go."""
        ...


class StopAccount(Protocol):
    """
    Suspends or bans an account, and stops what waits of it, in the transaction of whoever has cause to.

    Returns how messages ended by that.
    """

    def __call__(
        self, tx: Connection, account_id: int, status: AccountStatus, *, by: str, because: str, now: float
    ) -> Sequence[Ending]: ...


class Suspended(msgspec.Struct, frozen=True):
    """An account that the program suspended by itself, to be told once that is committed."""

    account_id: int
    rules: tuple[str, ...]
    """What was found, by which rules."""
    ended: tuple[Ending, ...]
    """What waited of it."""


class Submitted(msgspec.Struct, frozen=True):
    """The carrier took the message and will name it by these ids, one a part."""

    carrier_ids: tuple[str, ...]


class NotSubmitted(msgspec.Struct, frozen=True):
    """The carrier did not take the message."""

    code: str
    """As the carrier put it."""
    again: bool
    """Whether sending it again later may succeed."""
    tell_operator: bool = False


class Carrier(Protocol):
    """Sends, and decides nothing but "again?"."""

    @property
    def name(self) -> str:
        """As it stands in receipts and metrics."""
        ...

    async def start(
        self, *, on_receipt: Callable[[Receipt], Awaitable[None]], on_reply: Callable[[Reply], Awaitable[None]]
    ) -> None:
        """Connect. A receipt or reply counts as taken once the function given here has returned."""
        ...

    async def submit(self, parcel: Parcel) -> Submitted | NotSubmitted:
        """Hand one message over and wait for the carrier's answer."""
        ...

    async def stop(self) -> None:
        """Say goodbye and disconnect."""
        ...
