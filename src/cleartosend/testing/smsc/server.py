"""The SMSC for testing as tests and commands see it: what it can be told, and what it can be asked."""

import asyncio
import ssl
import time
from collections import Counter, deque
from collections.abc import Callable
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Self

from cleartosend.carriers.smpp.pdu import Command, frame
from cleartosend.testing.smsc.behaviour import Behaviour, Unfit, changed
from cleartosend.testing.smsc.exchange import Admission, Exchange, Ids, Taken
from cleartosend.testing.smsc.rules import Rules
from cleartosend.testing.smsc.session import Session

ENOUGH_SECONDS = 30.0
EVERYBODY = "*"


class SMSC:
    """
    Listens while it is entered; on a free port, where none is given.

        async with SMSC(receipts_after=0.05) as smsc:
            smsc.rule(to="*99001", refuse="ESME_RINVDSTADR")
            ...  # bind to smsc.port, and submit
            [message] = await smsc.taken(1)

    Whatever is not a parameter of its own is an item of `Behaviour`. Under one seed, the same messages to a number
    meet the same fate, whatever is sent beside them.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        system_id: str = "",
        password: str = "",
        tls: ssl.SSLContext | None = None,
        seed: int = 1,
        keep: int | None = None,
        ids_from: int | None = None,
        ids_reused_after: int = 0,
        tell: Callable[[str], None] | None = None,
        **behaviour: object,
    ) -> None:
        """
        Make one that does not listen yet.

        `system_id` and `password` say who may bind; empty: anybody. `keep` is how many messages are remembered; None:
        all. `ids_from` is the first id; None: one that no SMSC before this one has given. `tell` hears in a sentence
        of what happens, without texts and whole numbers.
        """
        self.host = host
        self.port = port
        self.messages: deque[Taken] = deque(maxlen=keep)
        self.counts: Counter[str] = Counter()
        self._tls = tls
        self._tell = tell
        self._admission = Admission(system_id=system_id, password=password)
        self._ids = Ids(time.time_ns() // 1000 if ids_from is None else ids_from, reused_after=ids_reused_after)
        self._rules = Rules(changed(Behaviour(), behaviour), seed=seed)
        self._server: asyncio.Server | None = None
        self._exchange: Exchange

    async def __aenter__(self) -> Self:
        self._exchange = Exchange(
            admission=self._admission,
            rules=self._rules,
            ids=self._ids,
            messages=self.messages,
            counts=self.counts,
            tell=self._tell,
        )
        await self._listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()
        self._exchange.deliveries.stop()

    # --- what it is told ---

    def behave(self, **changes: object) -> None:
        """Set items of Behaviour, as values or in words, for all whom no rule speaks of."""
        self._rules.behave(changes)

    def rule(
        self, *, to: str = EVERYBODY, system_id: str = EVERYBODY, session: int = 0, times: int = 0, **changes: object
    ) -> None:
        """
        Behave in another way for some: numbers and system_ids with `*` for anything, a session by its number.

        With `times`, so often for each number. Of several rules that fit, the last one counts.
        """
        self._rules.add(changes, to=to, system_id=system_id, session=session, times=times)

    def calm(self) -> None:
        """Behave as at first, without rules; sessions that hang go on."""
        self._rules.calm()
        self.resume()

    def cut(self, system_id: str = EVERYBODY) -> None:
        """Close lines, at once and without a word."""
        for session in self._sessions_of(system_id):
            session.abort()

    def hang(self, system_id: str = EVERYBODY) -> None:
        """Read nothing and write nothing on lines that stay open."""
        for session in self._sessions_of(system_id):
            session.hang()

    def resume(self, system_id: str = EVERYBODY) -> None:
        """Let those go on."""
        for session in self._sessions_of(system_id):
            session.resume()

    def unbind(self, system_id: str = EVERYBODY) -> None:
        """Ask clients to go."""
        self.send(Command.UNBIND, system_id=system_id)

    def enquire(self, system_id: str = EVERYBODY) -> None:
        """Ask clients whether they are there; `counts["links answered"]` tells how many said so."""
        self.send(Command.ENQUIRE_LINK, system_id=system_id)

    def send(self, command: int, body: bytes = b"", *, system_id: str = EVERYBODY) -> None:
        """Send clients a request of any kind."""
        for session in self._sessions_of(system_id):
            session.send(frame(command, session.next_sequence(), body))

    def send_octets(self, octets: bytes, *, system_id: str = EVERYBODY) -> None:
        """Send clients whatever it is."""
        for session in self._sessions_of(system_id):
            session.send(octets)

    def reply(self, text: str, *, number: str, to: str = "", system_id: str = "") -> None:
        """A recipient writes; the client of this system_id hears of it, or the one that bound first."""
        deliveries = self._exchange.deliveries
        account = deliveries.accounts.get(system_id) if system_id else next(iter(deliveries.accounts.values()), None)
        if account is None:
            raise Unfit(f"nobody has bound as {system_id}" if system_id else "nobody has bound yet")
        deliveries.reply(account, text, number=number, to=to)
        deliveries.pump(account)

    async def restart(self, *, forget: bool = False, away_seconds: float = 0.0) -> None:
        """Close everything, be away for a while, and listen again; with `forget`, without the receipts that waited."""
        await self._close()
        if forget:
            self._exchange.deliveries.forget()
        await asyncio.sleep(away_seconds)
        await self._listen()

    def clear(self) -> None:
        """Forget the messages and the counts."""
        self.messages.clear()
        self.counts.clear()

    # --- what it is asked ---

    @property
    def bound(self) -> list[str]:
        """Who is bound: `cts transceiver`."""
        return [f"{session.system_id} {session.role}" for session in self._exchange.sessions if session.role]

    @property
    def outstanding(self) -> int:
        """Receipts and replies that nobody has acknowledged yet, those included that are not due."""
        return self._exchange.deliveries.outstanding

    async def taken(self, count: int) -> list[Taken]:
        """Wait until so many messages have been taken; all that are remembered."""
        await self.until(lambda: self.counts["taken"] >= count)
        return list(self.messages)

    async def told(self) -> None:
        """Wait until all receipts and replies are acknowledged."""
        await self.until(lambda: not self.outstanding)

    async def until(self, condition: Callable[[], bool], *, seconds: float = ENOUGH_SECONDS) -> None:
        """Wait until it is so; it is asked whenever something has come in. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            await self._exchange.until(condition)

    # --- its lines ---

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Session(self._exchange), self.host, self.port, ssl=self._tls, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for session in tuple(self._exchange.sessions):
            session.abort()
        await self.until(lambda: not self._exchange.sessions)

    def _sessions_of(self, system_id: str) -> list[Session]:
        return [session for session in self._exchange.sessions if fnmatchcase(session.system_id, system_id)]
