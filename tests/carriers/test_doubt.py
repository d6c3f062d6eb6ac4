"""What may have gone out is never said not to have, whatever ends it: nobody knows whether somebody has read it."""

from collections.abc import Awaitable, Callable

import pytest
from carriers.held import Held, dispatching, until
from sqlalchemy import Connection
from usual import SIGNATURE, Clock, Usual, claimed, usual_account, usual_admission

from cleartosend.carriers import dispatch as moves
from cleartosend.compose import sweep
from cleartosend.delivery.deadlines import lose_in_doubt
from cleartosend.model.accounts import AccountStatus
from cleartosend.model.applications import ReviewMove
from cleartosend.model.messages import MessageState, Parcel
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine, NotSubmitted, OutcomeUnknown
from cleartosend.review.moves import make
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.store import applications, consent, messages

ANN = "+8613711112222"
AT_ONCE = Settings(retry_after_seconds=0.0)
BUSY = NotSubmitted("ESME_RSYSERR", again=True)
NEVER = NotSubmitted("ESME_RSUBMITFAIL", again=False)


class Case:
    """A message, with whatever may become of it."""

    def __init__(self, engine: Engine, usual: Usual) -> None:
        self.engine = engine
        self.usual = usual
        self.clock = Clock()

    async def accept(self) -> None:
        await usual_admission(self.engine, self.clock).accept(self.usual.call(ANN))

    async def crash_with_it_in_hand(self) -> None:
        """It is claimed and may be out, and nobody wrote down what became of it; the new process is alone."""
        await self.engine.write(lambda tx: claimed(tx, self.clock()))
        await self.engine.write(spool.end_claims)

    async def hear_no_answer(self) -> None:
        """It is handed over, and the connection ends before the answer."""
        carrier = Held()
        async with dispatching(self.engine, self.clock, carrier, settings=AT_ONCE):
            await until(lambda: bool(carrier.in_hand))
            [(_parcel, answer)] = carrier.in_hand
            # It waits for its next attempt while the carrier is away.
            carrier.up = False
            answer.set_exception(OutcomeUnknown())

    async def be_told(self, said: NotSubmitted) -> None:
        """The next carrier to be asked says no."""
        carrier = Held()
        async with dispatching(self.engine, self.clock, carrier, settings=AT_ONCE):
            await until(lambda: bool(carrier.in_hand))
            carrier.up = False
            carrier.answer(1, said)

    async def claim(self) -> list[Parcel]:
        """What a carrier would be handed now."""

        def work(tx: Connection) -> list[Parcel]:
            parcels, _ended = moves.claim(tx, now=self.clock(), route="all", lane=2, limit=10, lose=lose_in_doubt)
            return parcels

        return await self.engine.write(work)

    async def sweep(self) -> None:
        await self.engine.write(lambda tx: sweep(tx, self.clock()))

    async def end(self) -> tuple[MessageState, str]:
        newest = await self.engine.read(messages.newest_id)
        [found] = await self.engine.read(lambda tx: messages.find(tx, [newest]))
        return found.state, found.code


@pytest.fixture
async def case(engine: Engine) -> Case:
    case = Case(engine, await usual_account(engine))
    await case.accept()
    return case


async def opt_out(case: Case) -> None:
    await case.engine.write(
        lambda tx: consent.opt_out(
            tx,
            account_id=case.usual.account.account_id,
            number=ANN,
            signature=SIGNATURE,
            type_=MessageType.VERIFICATION,
            by="tester",
            because="test",
            now=case.clock(),
        )
    )
    assert await case.claim() == []


async def recall(case: Case) -> None:
    def work(tx: Connection) -> None:
        template = applications.find_template(tx, int(case.usual.code))
        assert template is not None
        assert make(tx, template, ReviewMove.BAN, by="tester", now=case.clock())

    await case.engine.write(work)
    assert await case.claim() == []


async def refuse_for_good(case: Case) -> None:
    await case.be_told(NEVER)


async def pass_its_time(case: Case) -> None:
    """Somebody is asked once more, and is busy."""
    await case.be_told(BUSY)
    case.clock.advance(AT_ONCE.submit_within_seconds + 1)
    await case.sweep()


async def stop_the_account(case: Case) -> None:
    await case.engine.write(
        lambda tx: moves.stop_account(
            tx,
            case.usual.account.account_id,
            AccountStatus.SUSPENDED,
            by="tester",
            because="test",
            now=case.clock(),
        )
    )
    await case.sweep()


ENDS = [
    (opt_out, (MessageState.FAILED, "OPTEDOUT")),
    (recall, (MessageState.FAILED, "STOPPED")),
    (refuse_for_good, (MessageState.FAILED, "ESME_RSUBMITFAIL")),
    (pass_its_time, (MessageState.EXPIRED, "EXPIRED_UNSENT")),
    (stop_the_account, (MessageState.FAILED, "STOPPED")),
]


@pytest.mark.parametrize(("its_end", "said"), ENDS)
async def test_what_never_went_out_ends_as_it_is(
    case: Case, its_end: Callable[[Case], Awaitable[None]], said: tuple[MessageState, str]
) -> None:
    await its_end(case)
    assert await case.end() == said


@pytest.mark.parametrize("its_end", [its_end for its_end, _said in ENDS])
@pytest.mark.parametrize("doubt", [Case.crash_with_it_in_hand, Case.hear_no_answer])
async def test_what_may_have_gone_out_ends_in_doubt(
    case: Case, doubt: Callable[[Case], Awaitable[None]], its_end: Callable[[Case], Awaitable[None]]
) -> None:
    await doubt(case)
    await its_end(case)
    assert await case.end() == (MessageState.UNKNOWN, "INDOUBT")
    assert await case.engine.read(spool.depth) == {}
