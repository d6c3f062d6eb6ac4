"""What happens at the SMSC for testing: clients bind, messages are taken or not, answers go out or do not."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import cast

import msgspec

from cleartosend.carriers.smpp.pdu import (
    HEADER_OCTETS,
    RESPONSE,
    Bind,
    BindResp,
    Command,
    Malformed,
    ShortMessage,
    Status,
    Tag,
    decode,
    frame,
    name_of_status,
)
from cleartosend.carriers.smpp.text import read, take_apart
from cleartosend.model.masks import masked_number
from cleartosend.testing.smsc.behaviour import Behaviour, Share
from cleartosend.testing.smsc.deliveries import Account, Deliveries
from cleartosend.testing.smsc.rules import Rules
from cleartosend.testing.smsc.session import ROLES, Session
from cleartosend.testing.smsc.writing import DELIVERED, PROFILE, Report, is_asked_for, part_of

_NAME = "cleartosend"
_INTERFACE_VERSION = (Tag.SC_INTERFACE_VERSION, b"\x34")

# Each is a whole PDU, and none answers the message whose answer it is made of.
_NONSENSE: tuple[Callable[[int, bytes], bytes], ...] = (
    # to a request that nobody made
    lambda sequence, body: frame(Command.SUBMIT_SM_RESP, sequence ^ 0x4000_0000, body),
    # to a request of another kind
    lambda sequence, _body: frame(Command.CANCEL_SM_RESP, sequence ^ 0x4000_0000),
    # a command that the standard does not have
    lambda sequence, body: frame(0x0000_0777, sequence, body),
    # a receipt that ends in its first address
    lambda sequence, _body: frame(Command.DELIVER_SM, sequence, b"\0\1\1861380013"),
)


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the SMSC has taken, or a part of one."""

    id: int
    carrier_id: str
    """As the answer named it."""
    at: float
    system_id: str
    session: int
    """The number of the session that it came by, counted from 1."""
    message: ShortMessage
    """All that stood in the PDU."""

    @property
    def number(self) -> str:
        return self.message.destination_addr

    @property
    def text(self) -> str:
        message = self.message
        _, piece = take_apart(message.esm_class, message.data_coding, message.short_message, message.tlvs)
        return read([piece], PROFILE)

    @property
    def part(self) -> tuple[int, int]:
        """Which part of how many."""
        return part_of(self.message)


class Admission(msgspec.Struct, frozen=True, kw_only=True):
    """Who may bind; empty: anybody, with any password."""

    system_id: str = ""
    password: str = ""

    def refusal(self, asked: Bind) -> int:
        if self.system_id and asked.system_id != self.system_id:
            return Status.ESME_RINVSYSID
        if self.password and asked.password != self.password:
            return Status.ESME_RINVPASWD
        return Status.ESME_ROK


class Ids:
    """The numbers that messages are given, one after another."""

    def __init__(self, first: int, *, reused_after: int) -> None:
        self._first = first
        self._reused_after = reused_after
        self._next = first

    def take(self) -> int:
        id_ = self._next
        self._next += 1
        if self._reused_after and self._next - self._first >= self._reused_after:
            self._next = self._first
        return id_


class Exchange:
    """Where the sessions meet; it does with each message what the rules say."""

    def __init__(
        self,
        *,
        admission: Admission,
        rules: Rules,
        ids: Ids,
        messages: deque[Taken],
        counts: Counter[str],
        tell: Callable[[str], None] | None,
    ) -> None:
        self.sessions: list[Session] = []
        self.deliveries = Deliveries(counts)
        self._admission = admission
        self._rules = rules
        self._ids = ids
        self._messages = messages
        self._keeps = messages.maxlen != 0
        self._counts = counts
        self._tell = tell
        self._sessions_so_far = 0
        self._this_second: dict[str, tuple[int, int]] = {}
        self._waiters: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._loop = asyncio.get_running_loop()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it is so; it is asked whenever something has come in."""
        if not condition():
            future: asyncio.Future[None] = self._loop.create_future()
            self._waiters.append((condition, future))
            await future

    def notice(self) -> None:
        if not self._waiters:
            return
        for condition, future in self._waiters:
            if not future.done() and condition():
                future.set_result(None)
        self._waiters = [waiter for waiter in self._waiters if not waiter[1].done()]

    def count(self, what: str) -> None:
        self._counts[what] += 1

    def _happened(self, what: str, sentence: str, *words: object) -> None:
        self._counts[what] += 1
        if self._tell is not None:
            self._tell(sentence % words)

    # --- lines ---

    def opened(self, session: Session) -> int:
        self.sessions.append(session)
        self._sessions_so_far += 1
        return self._sessions_so_far

    def closed(self, session: Session) -> None:
        self.sessions.remove(session)
        if session.role:
            account = self.deliveries.accounts[session.system_id]
            account.sessions.remove(session)
            self._happened("closed", "%s %s: closed", session.system_id, session.role)
            self.deliveries.lost(account, session)
            self.deliveries.pump(account)
        self.notice()

    def has_room(self, session: Session) -> None:
        account = self.deliveries.accounts.get(session.system_id)
        if account is not None and account.waiting:
            self.deliveries.pump(account)

    def acknowledged(self, session: Session, sequence: int, status: int) -> None:
        account = self.deliveries.accounts.get(session.system_id)
        if account is None:
            self.count("answers to nothing")
        else:
            self.deliveries.acknowledged(account, session, sequence, status)

    def link_enquired(self, session: Session, sequence: int) -> None:
        self.count("links")
        behaviour = self._rules.for_session(session.system_id, session.number)
        if not behaviour.ignore_links or not _falls(behaviour.ignore_links, self._rules.dice(session.system_id)):
            session.answer(Command.ENQUIRE_LINK, sequence, 0)

    # --- binds ---

    def bind(self, session: Session, command: int, sequence: int, body: bytes) -> None:
        try:
            asked = cast("Bind", decode(command, body))
        except Malformed as error:
            self.count("malformed")
            session.answer(command, sequence, error.status)
            return
        behaviour = self._rules.for_session(asked.system_id, session.number)
        dice = self._rules.dice(asked.system_id)
        drawn = int(behaviour.bind.draw(dice) or 0)

        def answer() -> None:
            status = Status.ESME_RALYBND if session.role else self._admission.refusal(asked) or drawn
            if status:
                self._happened("binds refused", "%s: bind refused, %s", asked.system_id, name_of_status(status))
                session.answer(command, sequence, status)
            else:
                self._bound(session, command, sequence, asked.system_id)
            self.notice()

        self._after(behaviour.bind_after.draw(dice), answer)

    def _bound(self, session: Session, command: int, sequence: int, system_id: str) -> None:
        if not session.is_open:
            return
        session.system_id = system_id
        session.role = ROLES[Command(command)]
        account = self.deliveries.accounts.setdefault(system_id, Account(system_id))
        account.sessions.append(session)
        self._happened("bound", "%s %s: bound", system_id, session.role)
        session.answer(command, sequence, 0, BindResp(system_id=_NAME, tlvs=(_INTERFACE_VERSION,)))
        self.deliveries.pump(account)

    # --- messages ---

    def message(self, session: Session, command: int, sequence: int, message: ShortMessage) -> None:
        session.messages += 1
        manner = self._rules.for_message(session.system_id, session.number, message.destination_addr)
        behaviour = manner.behaviour
        if manner.is_plain and not self.deliveries.is_full:
            report, answer = self._take(session, command, sequence, message, behaviour)
            session.send(answer)
            if is_asked_for(message, behaviour, DELIVERED):
                self.deliveries.expect(session.system_id, report, behaviour.receipts_after.least)
            return
        dice = self._rules.dice(message.destination_addr)
        refusal = self._refusal(session.system_id, behaviour, dice)
        delay = behaviour.answer_after.draw(dice)
        if _falls(behaviour.cut_before_taking, dice):
            self.count("cut")
            session.close()
        elif refusal:
            self._happened(
                "refused", "%s: refused, %s", masked_number(message.destination_addr), name_of_status(refusal)
            )
            self._after(delay, lambda: session.answer(command, sequence, refusal))
        else:
            report, answer = self._take(session, command, sequence, message, behaviour)
            reports = self._reports(session.system_id, report, dice)
            answer = self._answer(session, sequence, answer, behaviour, dice)

            def go_on() -> None:
                session.send(answer)
                for seconds, one in reports:
                    self.deliveries.expect(session.system_id, one, seconds)

            self._after(delay, go_on)

    def _refusal(self, system_id: str, behaviour: Behaviour, dice: random.Random) -> int:
        drawn = behaviour.refuse.draw(dice)
        if drawn:
            return int(drawn)
        if self.deliveries.is_full:
            return Status.ESME_RMSGQFUL
        if behaviour.throttle_above:
            this_second = int(self._loop.time())
            second, count = self._this_second.get(system_id, (0, 0))
            count = count + 1 if second == this_second else 1
            self._this_second[system_id] = (this_second, count)
            if count > behaviour.throttle_above:
                return Status.ESME_RTHROTTLED
        return Status.ESME_ROK

    def _take(
        self, session: Session, command: int, sequence: int, message: ShortMessage, behaviour: Behaviour
    ) -> tuple[Report, bytes]:
        """What may be reported of it, and its answer."""
        id_ = self._ids.take()
        carrier_id = behaviour.id_in_answer.format(id=id_)
        at = time.time()
        self._counts["taken"] += 1
        if self._keeps:
            self._messages.append(
                Taken(
                    id=id_,
                    carrier_id=carrier_id,
                    at=at,
                    system_id=session.system_id,
                    session=session.number,
                    message=message,
                )
            )
        if self._tell is not None:
            self._tell(f"{masked_number(message.destination_addr)}: taken as {carrier_id}")
        answer = frame(command | RESPONSE, sequence, carrier_id.encode("latin-1") + b"\0")
        return Report(id_, message, at, behaviour), answer

    def _answer(
        self, session: Session, sequence: int, answer: bytes, behaviour: Behaviour, dice: random.Random
    ) -> bytes:
        """What is written instead of the answer, if anything; the line may end here."""
        # Thrown for all, whatever came of the others, so that one setting does not change what another does.
        cut, cut_amid, hang, never, twice, garbage, broken = (
            _falls(share, dice)
            for share in (
                behaviour.cut_before_answer,
                behaviour.cut_amid_answer,
                behaviour.hang_before_answer,
                behaviour.never,
                behaviour.twice,
                behaviour.garbage,
                behaviour.broken,
            )
        )
        if cut or cut_amid or 0 < behaviour.cut_after_messages <= session.messages:
            self.count("cut")
            if cut_amid:
                session.send(answer[: len(answer) // 2])
            session.close()
        elif hang or session.messages == behaviour.hang_after_messages:
            self.count("hung")
            session.hang()
        if never:
            return b""
        if broken:
            return b"\xff" * len(answer)
        if garbage:
            return dice.choice(_NONSENSE)(sequence, answer[HEADER_OCTETS:])
        return answer + answer if twice else answer

    def _reports(self, system_id: str, report: Report, dice: random.Random) -> list[tuple[float, Report]]:
        """What is to be told of a message, and when after its answer; what comes before the answer is told here."""
        behaviour = report.behaviour
        stat, _, err = (behaviour.outcome.draw(dice) or DELIVERED).partition("/")
        after = behaviour.receipts_after.draw(dice)
        early, lost, twice, unknown = (
            _falls(share, dice)
            for share in (
                behaviour.receipts_early,
                behaviour.receipts_lost,
                behaviour.receipts_twice,
                behaviour.receipts_unknown,
            )
        )
        nth, total = part_of(report.message)
        of_this_part = behaviour.receipts_of == "each" or nth == (1 if behaviour.receipts_of == "first" else total)
        if lost or not of_this_part or not is_asked_for(report.message, behaviour, stat):
            return []
        final = msgspec.structs.replace(report, stat=stat, err=err)
        reports = [(after, final)]
        if behaviour.intermediate:
            reports.insert(0, (after / 2, msgspec.structs.replace(report, stat=behaviour.intermediate)))
        if twice:
            reports.append((after, final))
        if unknown:
            reports.append((after, msgspec.structs.replace(final, id=self._ids.take())))
        if not early:
            return reports
        for _after, one in reports:
            self.deliveries.tell(system_id, one)
        return []

    def _after(self, seconds: float, deed: Callable[[], None]) -> None:
        if seconds:
            self._loop.call_later(seconds, deed)
        else:
            deed()


def _falls(share: Share, dice: random.Random) -> bool:
    return dice.random() < share
