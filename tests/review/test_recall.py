"""What waits with a signature or template that has lost its approval does not go out."""

import pytest
from sqlalchemy import Connection
from usual import SIGNATURE, Clock, Usual, approved_signature, reasons, usual_account, usual_admission

from cleartosend.carriers import dispatch as moves
from cleartosend.delivery.deadlines import lose_in_doubt
from cleartosend.model.applications import ReviewReason, Signature, Subject, Template
from cleartosend.model.carriers import EVERYTHING
from cleartosend.model.messages import Lane, MessageState, Parcel, Party
from cleartosend.ports import Engine
from cleartosend.review import desk
from cleartosend.review.apply import delete
from cleartosend.spool import embedded as spool
from cleartosend.store import applications, messages

ANN, BEN = "+8613711112222", "+8613711113333"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def usual(engine: Engine, clock: Clock) -> Usual:
    """A code waits for Ann, and a notice for Ben."""
    usual = await usual_account(engine)
    admission = usual_admission(engine, clock)
    assert reasons(await admission.accept(usual.call(ANN))) == [None]
    assert reasons(await admission.accept(usual.call(BEN, template=usual.notice))) == [None]
    return usual


def its_template(tx: Connection, template_id: str) -> Template:
    template = applications.find_template(tx, int(template_id))
    assert template is not None
    return template


def its_signature(tx: Connection, usual: Usual) -> Signature:
    return applications.signatures_of(tx, usual.account.account_id)[0]


async def take_back(engine: Engine, usual: Usual, clock: Clock, template_id: str | None = None) -> None:
    """A person rejects what was approved: a template, or else the signature."""

    def work(tx: Connection) -> None:
        assert desk.reject(
            tx,
            its_template(tx, template_id) if template_id else its_signature(tx, usual),
            by="mei",
            reason=ReviewReason.OTHER,
            because="被投诉",
            now=clock(),
            stop_application=moves.stop_application,
        )

    await engine.write(work)


async def ends(engine: Engine, usual: Usual) -> list[tuple[str, MessageState, str, Party]]:
    """Of what has ended: to whom it was, and how."""
    taken = await engine.write(lambda tx: messages.take_statuses(tx, usual.account.sdk_app_id, 10))
    return [(one.number, one.state, one.code, one.party) for one in taken]


async def claim(engine: Engine, clock: Clock) -> list[Parcel]:
    parcels, _ended = await engine.write(
        lambda tx: moves.claim(tx, now=clock(), route=EVERYTHING, lane=max(Lane), limit=10, lose=lose_in_doubt)
    )
    return parcels


async def claimed(engine: Engine, clock: Clock) -> list[str]:
    """To whom the next messages go."""
    return [parcel.number for parcel in await claim(engine, clock)]


async def test_what_waits_with_a_template_taken_back_is_stopped_and_nothing_else(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    await take_back(engine, usual, clock, usual.code)
    assert await ends(engine, usual) == [(ANN, MessageState.FAILED, "STOPPED", Party.YOU)]
    assert await claimed(engine, clock) == [BEN]


async def test_what_waits_under_a_signature_taken_back_is_stopped(engine: Engine, usual: Usual, clock: Clock) -> None:
    await take_back(engine, usual, clock)
    assert {(number, code) for number, _, code, _ in await ends(engine, usual)} == {(ANN, "STOPPED"), (BEN, "STOPPED")}
    assert await claimed(engine, clock) == []


async def test_what_waits_of_another_account_or_side_of_the_border_goes_out(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    other = await usual_account(engine)
    assert reasons(await usual_admission(engine, clock, node=1).accept(other.call(ANN))) == [None]

    def take_back_the_one_for_abroad(tx: Connection) -> None:
        its_id = approved_signature(tx, usual.account.account_id, SIGNATURE, international=True)
        its = applications.find_signature(tx, its_id)
        assert its is not None
        moves.stop_application(tx, its, now=clock())

    await engine.write(take_back_the_one_for_abroad)
    await take_back(engine, other, clock)
    assert sorted(await claimed(engine, clock)) == [ANN, BEN]
    assert await ends(engine, usual) == []


async def test_what_comes_back_from_a_carrier_after_its_template_was_taken_back_is_stopped(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    parcels = await claim(engine, clock)
    assert len(parcels) == 2
    await take_back(engine, usual, clock, usual.code)
    # It is with a carrier, which may have sent it.
    assert await ends(engine, usual) == []
    again = [spool.Later(due_at=clock(), undone=0, message_id=parcel.message_id) for parcel in parcels]
    await engine.write(lambda tx: spool.put_back(tx, again))
    assert await claimed(engine, clock) == [BEN]
    assert await ends(engine, usual) == [(ANN, MessageState.FAILED, "STOPPED", Party.YOU)]


async def test_what_waits_with_a_template_that_its_customer_deleted_goes_out(
    engine: Engine, usual: Usual, clock: Clock
) -> None:
    assert await engine.write(lambda tx: delete(tx, its_template(tx, usual.code), now=clock()))
    assert sorted(await claimed(engine, clock)) == [ANN, BEN]


async def test_nothing_stops_where_nothing_was_taken_back(engine: Engine, usual: Usual, clock: Clock) -> None:
    def work(tx: Connection) -> None:
        [_code, _notice, marketing] = applications.templates_of(tx, usual.account.account_id)
        moves.stop_application(tx, marketing, now=clock())

    await engine.write(work)
    assert sorted(await claimed(engine, clock)) == [ANN, BEN]
    assert await engine.read(lambda tx: desk.waiting(tx, Subject.TEMPLATE)) == []
