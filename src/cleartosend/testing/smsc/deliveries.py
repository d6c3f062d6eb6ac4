"""How receipts and replies reach the clients of the SMSC for testing: when they are due, and until they are taken."""

import asyncio
import heapq
import time
from collections import Counter, deque
from itertools import chain

from cleartosend.carriers.smpp.pdu import Command, Status, frame
from cleartosend.testing.smsc.session import Delivery, Session
from cleartosend.testing.smsc.writing import DELIVERED, Report, receipt, replies

MOST_OUTSTANDING = 200_000
"""Receipts that wait or will be due. While there are so many, messages are refused, as a full SMSC does."""
REPEAT_AFTER_SECONDS = 1.0
"""When a client is told again what it could not take."""
ACKNOWLEDGE_WITHIN_SECONDS = 10.0
# SMPP 3.4, 5.1.3: these say that the client will never take it; whatever else is not ESME_ROK, that it may later.
_NEVER = (Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN)


class Account:
    """All that is bound, or was, under one system_id."""

    def __init__(self, system_id: str) -> None:
        self.system_id = system_id
        self.sessions: list[Session] = []
        self.waiting: deque[Delivery] = deque()


class Deliveries:
    """What is still to be told, and to whom."""

    def __init__(self, counts: Counter[str]) -> None:
        self.accounts: dict[str, Account] = {}
        self.outstanding = 0
        """What has not been acknowledged, whether it is due or not."""
        self._counts = counts
        self._due: dict[int, list[tuple[Account, Report | Delivery]]] = {}
        self._moments: list[int] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = 0
        self._watch: asyncio.TimerHandle | None = None
        self._references = 0
        self._loop = asyncio.get_running_loop()

    @property
    def is_full(self) -> bool:
        return self.outstanding >= MOST_OUTSTANDING

    def expect(self, system_id: str, report: Report, seconds: float) -> None:
        """Tell it after a while."""
        self.outstanding += 1
        self._later(self.accounts[system_id], report, seconds)

    def tell(self, system_id: str, report: Report) -> None:
        """Tell it now."""
        self.outstanding += 1
        account = self.accounts[system_id]
        self._write(account, report)
        self.pump(account)

    def reply(self, account: Account, text: str, *, number: str, to: str) -> None:
        """A recipient wrote; it is told with what is told next."""
        self._references += 1
        for body in replies(text, number=number, to=to, reference=self._references):
            self.outstanding += 1
            account.waiting.append(Delivery(Command.DELIVER_SM, body, "replies"))

    def pump(self, account: Account) -> None:
        """Tell what waits, as far as the account's sessions have room: they take turns."""
        waiting = account.waiting
        now = self._loop.time()
        for session in sorted(account.sessions, key=_in_flight) if len(account.sessions) > 1 else account.sessions:
            for _ in range(min(session.room, len(waiting))):
                delivery = waiting.popleft()
                delivery.sent_at = now
                sequence = session.next_sequence()
                session.in_flight[sequence] = delivery
                session.send(frame(delivery.command, sequence, delivery.body))
                self._counts[delivery.what] += 1
        if self._watch is None:
            self._watch = self._loop.call_later(ACKNOWLEDGE_WITHIN_SECONDS / 10, self._look_for_silence)

    def acknowledged(self, account: Account, session: Session, sequence: int, status: int) -> None:
        delivery = session.in_flight.pop(sequence, None)
        if delivery is None:
            self._counts["answers to nothing"] += 1
        elif not status or status in _NEVER:
            self.outstanding -= 1
            self._counts["not wanted" if status else "acknowledged"] += 1
        else:
            self._counts["repeated"] += 1
            self._later(account, delivery, REPEAT_AFTER_SECONDS)

    def lost(self, account: Account, session: Session) -> None:
        """The session is gone: what it had not acknowledged is told to another, first of all."""
        self._counts["repeated"] += len(session.in_flight)
        account.waiting.extendleft(reversed(session.in_flight.values()))
        session.in_flight.clear()

    def forget(self) -> None:
        """Nothing that has not been told will be."""
        self._due.clear()
        self._moments.clear()
        for account in self.accounts.values():
            account.waiting.clear()
        self.outstanding = 0

    def stop(self) -> None:
        for timer in (self._alarm, self._watch):
            if timer is not None:
                timer.cancel()

    def _later(self, account: Account, what: Report | Delivery, seconds: float) -> None:
        """What is due in the same millisecond is told together: a timer for each would cost more than all the rest."""
        moment = int((self._loop.time() + seconds) * 1000) + 1
        due = self._due.get(moment)
        if due is not None:
            due.append((account, what))
            return
        self._due[moment] = [(account, what)]
        heapq.heappush(self._moments, moment)
        self._set_alarm()

    def _set_alarm(self) -> None:
        if not self._moments or (self._alarm is not None and self._alarm_at <= self._moments[0]):
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm_at = self._moments[0]
        self._alarm = self._loop.call_at(self._alarm_at / 1000, self._tell_what_is_due)

    def _tell_what_is_due(self) -> None:
        self._alarm = None
        # A timer may go off a little early.
        now = max(int(self._loop.time() * 1000), self._alarm_at)
        told: set[Account] = set()
        while self._moments and self._moments[0] <= now:
            for account, what in self._due.pop(heapq.heappop(self._moments)):
                if isinstance(what, Delivery):
                    account.waiting.append(what)
                else:
                    self._write(account, what)
                told.add(account)
        for account in told:
            self.pump(account)
        self._set_alarm()

    def _write(self, account: Account, report: Report) -> None:
        command, body = receipt(report, time.time())
        account.waiting.append(Delivery(command, body, "receipts"))
        reply = report.behaviour.reply_text
        if reply and report.stat == DELIVERED:
            self.reply(account, reply, number=report.message.destination_addr, to=report.message.source_addr)

    def _look_for_silence(self) -> None:
        """What a client has left unanswered for too long is told again."""
        self._watch = None
        too_old = self._loop.time() - ACKNOWLEDGE_WITHIN_SECONDS
        for account in self.accounts.values():
            for session in account.sessions:
                silent = [sequence for sequence, delivery in session.in_flight.items() if delivery.sent_at <= too_old]
                account.waiting.extend(session.in_flight.pop(sequence) for sequence in silent)
                self._counts["repeated"] += len(silent)
            if account.waiting:
                self.pump(account)
        if self._watch is None and any(
            session.in_flight for session in chain.from_iterable(one.sessions for one in self.accounts.values())
        ):
            self._watch = self._loop.call_later(ACKNOWLEDGE_WITHIN_SECONDS / 10, self._look_for_silence)


def _in_flight(session: Session) -> int:
    return len(session.in_flight)
