"""What can be swapped, on one page: the engine that keeps what is written, and the carriers that send."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import AccountStatus
from cleartosend.model.applications import Signature, Template
from cleartosend.model.messages import Ending, Parcel, Receipt, Reply
from cleartosend.model.verdicts import MessageType

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")


class StoreUnavailable(Exception):
    """The store could not take or answer a piece of work: full disk, locked file, lost server. Nothing was recorded."""


class OutcomeUnknown(Exception):
    """A message was handed to a carrier and no answer came: it may have gone out or not."""


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
        self,
        work: Callable[[Connection, Sequence[Item]], Sequence[Result]],
        *,
        size: Callable[[Item], int] | None = None,
    ) -> Callable[[Item], Awaitable[Result]]:
        """
        A function of one item that waits for `work` to be run, once, for the items of all callers waiting.

        `size` tells how many rows, or so, an item is about; work on few may be done more cheaply, if it is brief.
        """
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


class StopApplication(Protocol):
    """
    Stops what waits under a signature or template, in the transaction that takes its approval back.

    Returns how messages ended by that.
    """

    def __call__(self, tx: Connection, application: Signature | Template, *, now: float) -> Sequence[Ending]: ...


class Suspended(msgspec.Struct, frozen=True):
    """An account that the program suspended by itself, to be told once that is committed."""

    account_id: int
    rules: tuple[str, ...]
    """What was found, by which rules."""
    ended: tuple[Ending, ...]
    """What waited of it."""


class Places(Protocol):
    """Room at a carrier that was taken for messages."""

    @property
    def messages(self) -> int:
        """For how many."""
        ...

    def use(self, parcels: Sequence[Parcel]) -> None:
        """Hand these over, at most as many as there are places; the other places are given back."""
        ...


class WayOut(Protocol):
    """How messages leave, for those who accept them: by which route, and at once where a carrier has room."""

    def route_of(self, *, number: str, iso: str, type_: MessageType, signature: str, sender_id: str) -> str | None:
        """The route of a message; None: none leads there."""
        ...

    def reserve(self, route: str, lane: int, messages: int) -> Places | None:
        """Take room at a carrier for messages that are being accepted; None: they wait in the spool."""
        ...


class Submitted(msgspec.Struct, frozen=True):
    """The carrier took the message and will name it by these ids, one a part."""

    carrier_ids: tuple[str, ...]
    one_receipt: bool = False
    """Whether it reports on a message of several parts once, not on each."""


class NotSubmitted(msgspec.Struct, frozen=True):
    """The carrier did not take the message."""

    code: str
    """As the carrier put it."""
    again: bool
    """Whether sending it again later may succeed."""
    slow_down: bool = False
    """Whether nothing is wrong but the pace: the carrier takes less than it is handed."""
    not_sent: bool = False
    """Whether it certainly never left, so that it may go another way at once; that is no attempt."""
    tell_operator: bool = False
    of_message: bool = False
    """Whether the fault is the message's own, such as its number or text: any carrier would have said so."""


class Carrier(Protocol):
    """Sends, and decides nothing but "again?"."""

    @property
    def name(self) -> str:
        """As it stands in receipts and metrics."""
        ...

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        """
        Begin to connect, and return without waiting for the peer.

        Receipts and replies count as taken once the function given here has returned; it raises StoreUnavailable when
        they could not be kept.
        """
        ...

    def is_up(self) -> bool:
        """Whether what is handed over now has a chance to be sent."""
        ...

    def submit(self, parcel: Parcel) -> Awaitable[Submitted | NotSubmitted]:
        """Hand one message over and wait for the carrier's answer. Raises OutcomeUnknown when none came."""
        ...

    async def stop(self) -> None:
        """Say goodbye and disconnect."""
        ...
