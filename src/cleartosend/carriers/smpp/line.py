"""A connection to an SMSC that is wanted for good: made, bound, and made again whenever it ends."""

import asyncio
import random
import ssl
from pathlib import Path

from cleartosend import telemetry
from cleartosend.carriers.smpp.pdu import Bind, Command, Status, Unwritable, name_of_status
from cleartosend.carriers.smpp.session import Manners, Owner, Session
from cleartosend.model.carriers import SmppLink

# What waits before the first attempt to come back, and the second; then twice as long each time.
AT_FIRST_SECONDS = 0.1
THEN_SECONDS = 1.0
# A connection that lasted so long was a good one, and its end is the first of a new series.
STEADY_SECONDS = 10.0
GOODBYE_SECONDS = 2.0

# The next attempt will be refused like this one until somebody changes something.
_OPERATORS_FAULT = {
    Status.ESME_RBINDFAIL,
    Status.ESME_RINVPASWD,
    Status.ESME_RINVSYSID,
    Status.ESME_RINVSYSTYP,
}


class Line:
    """One connection, and whoever sees to it that there is one."""

    def __init__(self, link: SmppLink, *, command: Command, owner: Owner, tls: ssl.SSLContext | None) -> None:
        self._link = link
        self._command = command
        self._owner = owner
        self._tls = tls
        self._manners = Manners(
            window=link.session_window,
            answer_within_seconds=link.answer_within_seconds,
            enquire_link_seconds=link.enquire_link_seconds,
        )
        self._attempts = 0
        """Those that failed, since the last that was good."""
        self._last_said: tuple[str, str] | None = None
        self._wanted = True
        self.session: Session | None = None
        """While it is bound."""

    async def run(self) -> None:
        """Connect, and connect again, for ever."""
        while self._wanted:
            operators_fault = await self._connect_once()
            if self._wanted:
                await asyncio.sleep(self._wait_seconds(slowly=operators_fault))

    async def stop(self) -> None:
        """Want it no more, and say goodbye."""
        self._wanted = False
        if (session := self.session) is not None:
            try:
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await session.unbind()
            except TimeoutError:
                session.hang_up("the SMSC did not say goodbye")

    async def _connect_once(self) -> bool:
        """From the first octet to the last; returns whether it is for the operator to mend."""
        try:
            password = password_of(self._link)
            async with asyncio.timeout(self._link.answer_within_seconds):
                _transport, session = await asyncio.get_running_loop().create_connection(
                    lambda: Session(self._owner, self._manners),
                    self._link.host,
                    self._link.port,
                    ssl=self._tls,
                    server_hostname=self._link.host if self._tls else None,
                )
        except (OSError, TimeoutError, UnicodeError) as error:
            # A name that is none is a UnicodeError.
            self._failed("carrier.not_connected", "failed", str(error) or "no answer in time")
            return False
        try:
            return await self._bound_once(session, password)
        finally:
            session.hang_up("it is not wanted any more")

    async def _bound_once(self, session: Session, password: str) -> bool:
        loop = asyncio.get_running_loop()
        bind = Bind(system_id=self._link.system_id, password=password, system_type=self._link.system_type)
        try:
            answer = await session.bind(self._command, bind)
        except Unwritable as error:
            self._failed("carrier.bind_refused", "refused", str(error), operators_fault=True)
            return True
        if answer is None:
            self._failed("carrier.not_bound", "unanswered", "the bind was not answered")
            return False
        if answer.status:
            operators_fault = answer.status in _OPERATORS_FAULT
            because = name_of_status(answer.status)
            self._failed("carrier.bind_refused", "refused", because, operators_fault=operators_fault)
            return operators_fault
        telemetry.CARRIER_CONNECTS.labels(self._link.name, "bound").inc()
        telemetry.log.info("carrier.bound", carrier=self._link.name, bind=self._command.name.lower())
        self._last_said = None
        self.session, since = session, loop.time()
        with telemetry.CARRIER_SESSIONS.labels(self._link.name).track_inprogress():
            # Not awaited itself: who is cancelled would cancel what others wait for.
            await asyncio.wait([session.ended])
        self.session = None
        if loop.time() - since >= STEADY_SECONDS:
            self._attempts = 0
        if self._wanted:
            self._failed("carrier.lost", "", session.ended.result())
        return False

    def _failed(self, event: str, outcome: str, because: str, *, operators_fault: bool = False) -> None:
        """Count it, and log it where it is not what was logged last: a carrier may be away for days."""
        if outcome:
            telemetry.CARRIER_CONNECTS.labels(self._link.name, outcome).inc()
        if self._last_said != (event, because):
            self._last_said = (event, because)
            write = telemetry.log.error if operators_fault else telemetry.log.warning
            write(event, carrier=self._link.name, bind=self._command.name.lower(), because=because)

    def _wait_seconds(self, *, slowly: bool) -> float:
        wait = AT_FIRST_SECONDS if self._attempts == 0 else THEN_SECONDS * 2.0 ** min(self._attempts - 1, 30)
        self._attempts += 1
        if slowly:
            wait = self._link.reconnect_most_seconds
        # Not all at the same moment, neither the sessions of one process nor those of several.
        return min(wait, self._link.reconnect_most_seconds) * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


def password_of(link: SmppLink) -> str:
    """Read anew for each bind, so that a new one needs no restart. Raises OSError."""
    if not link.password_file:
        return link.password
    return Path(link.password_file).read_text(encoding="latin-1").split("\n", 1)[0].rstrip("\r")
