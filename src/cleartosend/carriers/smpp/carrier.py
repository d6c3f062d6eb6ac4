"""A carrier that is reached by SMPP 3.4: parcels go out over its connections; receipts and replies come in."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any

from cleartosend import telemetry
from cleartosend.carriers.smpp.ids import Ids
from cleartosend.carriers.smpp.joining import Held, Joining
from cleartosend.carriers.smpp.line import Line
from cleartosend.carriers.smpp.pdu import (
    ESM_CONVERSATION_ABORT,
    ESM_DELIVERY_ACKNOWLEDGEMENT,
    ESM_MESSAGE_TYPE,
    Command,
    ShortMessage,
    Status,
    Unwritable,
    decode_message_resp,
    encode_short_message,
)
from cleartosend.carriers.smpp.profile import Profile
from cleartosend.carriers.smpp.receipts import Unreadable, read_receipt
from cleartosend.carriers.smpp.session import NOT_BOUND, Delivery, Outcome, Session
from cleartosend.carriers.smpp.text import Piece, Written, read, take_apart, write
from cleartosend.model.carriers import SmppLink
from cleartosend.model.messages import Parcel, Receipt, Reply
from cleartosend.ports import NotSubmitted, StoreUnavailable, Submitted

# How long it is waited before parts that were refused are sent again, when others of their text have gone.
PART_PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0)
# Receipts are read so many at a time, and others have their turn in between.
RECEIPTS_AT_ONCE = 500

UNWRITABLE = NotSubmitted("UNWRITABLE", again=False, of_message=True)
"""It has a character that no alphabet of the carrier has, or needs more parts than can be counted."""
BAD_ADDRESS = NotSubmitted("BAD_ADDRESS", again=False, tell_operator=True)
"""An address is longer than its field, or has letters that no address has."""

_FOR_NOBODY = {ESM_DELIVERY_ACKNOWLEDGEMENT, ESM_CONVERSATION_ABORT}


class SmppCarrier:
    """
    Hands parcels to the least busy of its connections, each of which is made again whenever it ends.

    The parts of a long text leave together, in order, on one connection. When all are refused, so is the text, for the
    reason of the first. When some have gone and others are refused for a while, those alone are sent again, a few
    times; the whole is not, since the telephone would show what it has twice. A text of which a part is refused for
    good, or for too long, has failed for good.
    """

    def __init__(
        self,
        link: SmppLink,
        *,
        profile: Profile,
        clock: Callable[[], float] = time.time,
        outstanding: Iterable[tuple[str, str]] = (),
    ) -> None:
        """
        Know the ids and numbers of what is with the carrier from before, newest first.

        Raises OSError where the certificates to trust cannot be read.
        """
        self.name = link.name
        self._link = link
        self._profile = profile
        self._clock = clock
        self._ids = Ids(profile, outstanding=outstanding)
        self._ids_known = False
        self._unreadable: set[Unreadable] = set()
        self._one_receipt = profile.receipts.parts == "one"
        # The longest first, since one may begin with another.
        self._our_addresses = sorted({link.source_addr, *link.sources.values()} - {""}, key=len, reverse=True)
        tls = ssl.create_default_context(cafile=link.tls_ca or None) if link.tls else None
        commands = (
            [Command.BIND_TRANSCEIVER]
            if link.bind == "transceiver"
            else [Command.BIND_TRANSMITTER, Command.BIND_RECEIVER]
        )
        self._lines = [
            Line(link, command=command, owner=self, tls=tls) for command in commands for _ in range(link.sessions)
        ]
        self._joining = Joining(self._keep_reply)
        self._reference = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        """What is being kept, and texts of several parts on their way."""
        self._running: list[asyncio.Task[None]] = []
        self._on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]]
        self._on_reply: Callable[[Reply], Awaitable[None]]

    # --- the port ---

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        self._on_receipts = on_receipts
        self._on_reply = on_reply
        self._running = [asyncio.get_running_loop().create_task(line.run()) for line in self._lines]

    def is_up(self) -> bool:
        return self._least_busy() is not None

    def submit(self, parcel: Parcel) -> asyncio.Future[Outcome]:
        session = self._least_busy()
        if session is None:
            return _said(NOT_BOUND)
        self._reference = (self._reference + 1) & 0xFFFF
        written = write(parcel.text, self._profile, international=parcel.international, reference=self._reference)
        if written is None:
            return _said(UNWRITABLE)
        try:
            bodies = self._bodies(parcel, written)
        except Unwritable:
            return _said(BAD_ADDRESS)
        futures = [session.submit(body, parcel.number) for body in bodies]
        if len(futures) == 1:
            return futures[0]
        return self._begin(self._all_parts(parcel, bodies, futures))

    async def stop(self) -> None:
        self._joining.give_out_all()
        # What is being kept is acknowledged while there is a connection to do it on.
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(line.stop() for line in self._lines))
        for running in self._running:
            running.cancel()
        self._joining.give_out_all()
        await asyncio.gather(*self._running, *self._tasks, return_exceptions=True)

    # --- sending ---

    def _least_busy(self) -> Session | None:
        found, least = None, 0
        for line in self._lines:
            session = line.session
            if session is not None and session.may_transmit():
                load = session.load()
                if found is None or load < least:
                    found, least = session, load
        return found

    def _bodies(self, parcel: Parcel, written: Written) -> list[bytes]:
        """The submit_sm of each part; raises Unwritable."""
        profile = self._profile
        source = self._source_of(parcel)
        source_ton, source_npi = profile.type_of_source(source)
        return [
            encode_short_message(
                ShortMessage(
                    service_type=profile.service_type,
                    source_addr_ton=source_ton,
                    source_addr_npi=source_npi,
                    source_addr=source,
                    dest_addr_ton=profile.addresses.destination_ton,
                    dest_addr_npi=profile.addresses.destination_npi,
                    destination_addr=profile.number(parcel.number),
                    esm_class=written.esm_class,
                    protocol_id=profile.protocol_id,
                    priority_flag=profile.priority,
                    validity_period=profile.validity_period(parcel.deadline_at, now=self._clock()),
                    registered_delivery=profile.registered_delivery,
                    data_coding=written.data_coding,
                    short_message=part.short_message,
                    tlvs=part.tlvs + profile.own_tlvs,
                )
            )
            for part in written.parts
        ]

    def _source_of(self, parcel: Parcel) -> str:
        """A sender id stands by itself; an extension code stands behind our address, and replies come back to both."""
        if parcel.sender_id:
            return parcel.sender_id
        return self._link.sources.get(parcel.signature, self._link.source_addr) + parcel.extension_code

    async def _all_parts(
        self, parcel: Parcel, bodies: Sequence[bytes], futures: Iterable[asyncio.Future[Outcome]]
    ) -> Outcome:
        """What became of a text, by what became of its parts. Raises OutcomeUnknown if that is not known of one."""
        outcomes = list(await asyncio.gather(*futures))
        pauses = iter(PART_PAUSES_SECONDS)
        while refused := {place: said for place, said in enumerate(outcomes) if isinstance(said, NotSubmitted)}:
            worst = next((said for said in refused.values() if not said.again), next(iter(refused.values())))
            if len(refused) == len(outcomes):
                return worst
            pause = next(pauses, None)
            if not worst.again or pause is None or self._clock() + pause >= parcel.deadline_at:
                return NotSubmitted(
                    worst.code, again=False, tell_operator=worst.tell_operator, of_message=worst.of_message
                )
            await asyncio.sleep(pause)
            if (session := self._least_busy()) is not None:
                again = await asyncio.gather(*(session.submit(bodies[place], parcel.number) for place in refused))
                for place, said in zip(refused, again, strict=True):
                    outcomes[place] = said
        ids = [one for said in outcomes if isinstance(said, Submitted) for one in said.carrier_ids]
        return Submitted(tuple(ids), one_receipt=self._one_receipt)

    # --- what the sessions tell ---

    def outcome_of(self, status: int, body: bytes, number: str) -> Outcome:
        if status != Status.ESME_ROK:
            return self._profile.refusal(status)
        message_id = decode_message_resp(body).message_id
        return Submitted((self._ids.of_answer(message_id, number=number),) if message_id else ())

    def take(self, session: Session, deliveries: list[Delivery]) -> None:
        self._begin(self._keep(session, deliveries))

    def ignored(self, what: str) -> None:
        telemetry.CARRIER_IGNORED.labels(self.name, what).inc()

    def gave_up(self, messages: int) -> None:
        telemetry.CARRIER_UNANSWERED.labels(self.name).inc(messages)

    # --- receipts and replies ---

    async def _keep(self, session: Session, deliveries: Sequence[Delivery]) -> None:
        for start in range(0, len(deliveries), RECEIPTS_AT_ONCE):
            receipts: list[Receipt] = []
            of_receipts: list[Held] = []
            for delivery in deliveries[start : start + RECEIPTS_AT_ONCE]:
                said = read_receipt(
                    delivery.message,
                    carrier=self.name,
                    profile=self._profile,
                    id_of=self._id_of_receipt,
                    now=self._clock(),
                )
                if isinstance(said, Receipt):
                    receipts.append(said)
                    of_receipts.append((session, delivery))
                elif said is None:
                    self._take_reply((session, delivery))
                else:
                    # It would be no more readable if it came again.
                    self._tell_unreadable(said)
                    session.acknowledge([delivery])
            if receipts:
                await self._once_kept(self._on_receipts(receipts), of_receipts)

    def _tell_unreadable(self, said: Unreadable) -> None:
        """Count it, and log the first of a kind: where one is, all are."""
        self.ignored("unreadable receipt")
        if said not in self._unreadable:
            self._unreadable.add(said)
            telemetry.log.warning("receipt.unreadable", carrier=self.name, because=said.because)

    def _id_of_receipt(self, written: str, numbers: Iterable[str]) -> str:
        found = self._ids.of_receipt(written, numbers=numbers)
        if self._ids.learned is not None and not self._ids_known:
            self._ids_known = True
            in_answer, in_receipt = self._ids.learned
            telemetry.log.info("carrier.ids_learned", carrier=self.name, in_answer=in_answer, in_receipt=in_receipt)
        return found

    def _take_reply(self, held: Held) -> None:
        session, delivery = held
        message = delivery.message
        if message.esm_class & ESM_MESSAGE_TYPE in _FOR_NOBODY:
            # [5.2.12] A telephone says that it, or a program on it, has the message. Nobody asked for that.
            self.ignored("acknowledgement of a telephone")
            session.acknowledge([delivery])
            return
        octets = message.short_message if isinstance(message, ShortMessage) else b""
        place, piece = take_apart(message.esm_class, message.data_coding, octets, message.tlvs)
        if place is None:
            self._keep_reply([held], [piece])
        else:
            self._joining.take(held, place, piece)

    def _keep_reply(self, held: list[Held], pieces: list[Piece]) -> None:
        message = held[0][1].message
        reply = Reply(
            carrier=self.name,
            number=self._profile.e164(message.source_addr, ton=message.source_addr_ton),
            # A store may have no place for a NUL, and nobody misses it.
            text=read(pieces, self._profile).replace("\0", ""),
            extension_code=self._extension_of(message.destination_addr),
            at=self._clock(),
        )
        self._begin(self._once_kept(self._on_reply(reply), held))

    def _extension_of(self, address: str) -> str:
        """What somebody wrote behind our address when answering."""
        address = address.removeprefix("+")
        for ours in self._our_addresses:
            if address.startswith(ours):
                return address.removeprefix(ours)
        return ""

    async def _once_kept(self, keeping: Awaitable[None], held: Sequence[Held]) -> None:
        """Acknowledge what was kept; the carrier brings anew what was not."""
        status = Status.ESME_ROK
        try:
            await keeping
        except StoreUnavailable as error:
            status = Status.ESME_RX_T_APPN
            telemetry.log.error("delivery.not_kept", carrier=self.name, deliveries=len(held), error=str(error))
        except Exception:  # noqa: BLE001 - what is never answered would stop the carrier from sending more
            status = Status.ESME_RX_T_APPN
            telemetry.log.exception("delivery.not_kept", carrier=self.name, deliveries=len(held))
        by_session: dict[Session, list[Delivery]] = {}
        for session, delivery in held:
            by_session.setdefault(session, []).append(delivery)
        for session, deliveries in by_session.items():
            session.acknowledge(deliveries, status)

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _said(outcome: Outcome) -> asyncio.Future[Outcome]:
    future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    future.set_result(outcome)
    return future
