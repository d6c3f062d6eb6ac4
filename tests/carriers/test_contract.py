"""What every carrier does, whatever it speaks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import msgspec
import pytest
from carriers.handing import ENOUGH_SECONDS, Kept, numbers, parcel, until
from carriers.test_upstream import link_to
from carriers.vendor import Heard, statuses, vendor
from usual import Clock

from cleartosend.carriers import simulator, upstream
from cleartosend.carriers.simulator import SimulatorCarrier
from cleartosend.carriers.smpp.carrier import SmppCarrier
from cleartosend.carriers.smpp.profile import Profile
from cleartosend.carriers.upstream import UpstreamCarrier
from cleartosend.model.carriers import SmppLink
from cleartosend.model.messages import ReceiptStatus
from cleartosend.ports import Carrier, NotSubmitted, OutcomeUnknown, Submitted
from cleartosend.testing.smsc import SMSC, deliveries

# The simulator knows numbers by their endings.
REFUSED = "+8613700099001"
REPLIES_R = "+8613700099013"
QUICK_SECONDS = 0.001


class Contracted(msgspec.Struct, frozen=True):
    """
    A carrier that is not started, with its peer at work.

    The peer takes what it is handed and reports it delivered, and refuses REFUSED for good.
    """

    carrier: Carrier
    write_back: Callable[[str], None]
    """REPLIES_R, which was sent a message with the extension code given, writes R."""


@contextlib.asynccontextmanager
async def the_simulator() -> AsyncIterator[Contracted]:
    carrier = SimulatorCarrier(name="this", delay_seconds=QUICK_SECONDS, seed=1, clock=Clock())
    # Its recipients write by themselves.
    yield Contracted(carrier, lambda _extension_code: None)


@contextlib.asynccontextmanager
async def an_upstream() -> AsyncIterator[Contracted]:
    async def answer(heard: Heard) -> bytes:
        if REFUSED in heard.numbers:
            return statuses(heard.numbers, "FailedOperation.PhoneNumberInBlacklist")
        for number in heard.numbers:
            service.report(number)
        return statuses(heard.numbers)

    async with vendor(answer) as service:
        link = link_to(service.endpoint, name="this", pull_seconds=QUICK_SECONDS)
        carrier = UpstreamCarrier(link, secret_key=link.secret_key, outstanding=Kept().not_reported, clock=Clock())
        yield Contracted(carrier, lambda extension_code: service.write_back(REPLIES_R, "R", extension_code))


@contextlib.asynccontextmanager
async def an_smsc() -> AsyncIterator[Contracted]:
    async with SMSC() as smsc:
        smsc.rule(to=f"*{REFUSED[1:]}", refuse="ESME_RINVDSTADR")
        link = SmppLink(name="this", host=smsc.host, port=smsc.port, system_id="cts", source_addr="10690001")
        carrier = SmppCarrier(link, profile=Profile(), clock=Clock())
        yield Contracted(
            carrier,
            lambda extension_code: smsc.reply("R", number=REPLIES_R[1:], to=f"10690001{extension_code}"),
        )


CARRIERS: dict[str, Callable[[], AbstractAsyncContextManager[Contracted]]] = {
    "simulator": the_simulator,
    "smpp": an_smsc,
    "upstream": an_upstream,
}


@pytest.fixture(params=CARRIERS)
async def contracted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Contracted]:
    for module in (simulator, upstream):
        monkeypatch.setattr(module, "AFTER_TROUBLE_SECONDS", QUICK_SECONDS)
    monkeypatch.setattr(deliveries, "REPEAT_AFTER_SECONDS", QUICK_SECONDS)
    async with CARRIERS[request.param]() as made:
        yield made


@contextlib.asynccontextmanager
async def at_work(contracted: Contracted, kept: Kept) -> AsyncIterator[Carrier]:
    carrier = contracted.carrier
    await carrier.start(on_receipts=kept.on_receipts, on_reply=kept.on_reply)
    try:
        await until(carrier.is_up)
        yield carrier
    finally:
        await carrier.stop()


async def test_what_it_takes_it_names_and_reports_on_by_that_name(contracted: Contracted) -> None:
    kept = Kept()
    async with at_work(contracted, kept) as carrier:
        said = await asyncio.gather(
            *[carrier.submit(parcel(number, message_id=at)) for at, number in enumerate(numbers(5))]
        )
        assert all(isinstance(one, Submitted) for one in said)
        names = [name for one in said if isinstance(one, Submitted) for name in one.carrier_ids]
        assert len(set(names)) == 5
        await until(lambda: len(kept.receipts) >= 5)
    assert {receipt.carrier_id for receipt in kept.receipts} == set(names)
    assert {(receipt.carrier, receipt.status) for receipt in kept.receipts} == {(carrier.name, ReceiptStatus.DELIVERED)}


async def test_what_is_refused_for_good_is_not_tried_again(contracted: Contracted) -> None:
    async with at_work(contracted, Kept()) as carrier:
        said = await carrier.submit(parcel(REFUSED))
    assert isinstance(said, NotSubmitted)
    assert said.code
    assert (said.again, said.slow_down, said.tell_operator) == (False, False, False)


async def test_what_could_not_be_kept_is_told_again(contracted: Contracted) -> None:
    kept = Kept(troubles=3)
    async with at_work(contracted, kept) as carrier:
        await carrier.submit(parcel(REPLIES_R))
        contracted.write_back("")
        await until(lambda: bool(kept.receipts and kept.replies))
    assert (len(kept.receipts), len(kept.replies)) == (1, 1)


async def test_a_reply_says_who_wrote_what_to_which_extension(contracted: Contracted) -> None:
    kept = Kept()
    async with at_work(contracted, kept) as carrier:
        await carrier.submit(parcel(REPLIES_R, extension_code="07"))
        contracted.write_back("07")
        await until(lambda: bool(kept.replies))
    [reply] = kept.replies
    assert (reply.carrier, reply.number, reply.text, reply.extension_code) == (carrier.name, REPLIES_R, "R", "07")


async def test_it_answers_for_what_it_has_in_hand_when_it_stops(contracted: Contracted) -> None:
    async with at_work(contracted, Kept()) as carrier:
        answers = [asyncio.ensure_future(carrier.submit(parcel(number))) for number in numbers(3)]
    said = await asyncio.wait_for(asyncio.gather(*answers, return_exceptions=True), timeout=ENOUGH_SECONDS)
    assert all(isinstance(one, Submitted | NotSubmitted | OutcomeUnknown) for one in said)
