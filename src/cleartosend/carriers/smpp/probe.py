"""Finds out what an SMSC does, by binding to it and, if wanted, by sending to a telephone that is at hand."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

import msgspec

from cleartosend.carriers.smpp.ids import SAME, Forms, normal as normal_id, readings
from cleartosend.carriers.smpp.pdu import (
    ESM_INTERMEDIATE,
    ESM_MESSAGE_TYPE,
    ESM_RECEIPT,
    RESPONSE,
    Bind,
    BindResp,
    Body,
    Command,
    DataMessage,
    Empty,
    Framer,
    Malformed,
    ShortMessage,
    Status,
    Tag,
    decode,
    decode_message_resp,
    encode,
    frame,
    name_of_status,
    tlv,
)
from cleartosend.carriers.smpp.profile import Profile, Receipts
from cleartosend.carriers.smpp.receipts import Unreadable, offset_of, read_receipt
from cleartosend.carriers.smpp.text import write
from cleartosend.model.carriers import SmppLink
from cleartosend.model.messages import Receipt, ReceiptStatus

BINDS = (Command.BIND_TRANSCEIVER, Command.BIND_TRANSMITTER, Command.BIND_RECEIVER)
TEXTS = {
    "short, GSM": "Clear to Send: a test of [GSM], 10€",
    "short, UCS-2": "Clear to Send：测试短信",
    "long, in parts": "Clear to Send: a test of a text in parts, numbered by a header. " * 3,
}
BURST = "one of many"
BURST_SECONDS = 1.0
BURST_TEXT = "Clear to Send: a test of pace"
LONG = "long, in parts"
NO_ALPHABET = "the profile has no alphabet for it"

_IN_TEXT = Profile(receipts=Receipts(source="text"))
_IN_TLVS = Profile(receipts=Receipts(source="tlvs"))


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one kind of bind."""

    command: str
    status: str
    """The name of the command_status; empty: no answer came, or no connection."""
    because: str = ""
    """Why none came."""
    system_id: str = ""
    """What the SMSC calls itself."""
    version: str = ""
    """Of SMPP, as sc_interface_version has it; empty: it does not say, and is taken to speak 3.3 [5.3.2.25]."""
    answer_ms: float = 0.0
    enquire_link_ms: float | None = None
    """How long enquire_link took; None: it was not answered."""

    @property
    def is_taken(self) -> bool:
        return self.status == Status.ESME_ROK.name


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A message, or a part of one, and what the SMSC said to it."""

    what: str
    status: str
    """Empty: it did not answer."""
    id: str = ""
    """As it stands in the answer."""
    throttled: bool = False
    """Whether it was refused for the pace alone."""
    answer_ms: float = 0.0

    @property
    def is_taken(self) -> bool:
        return self.status == Status.ESME_ROK.name


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, or what may be one."""

    what: str
    """Which message it was for; empty: none that was sent here."""
    after_seconds: float
    """Since the probe began to send."""
    marked: bool
    """Whether esm_class says that it is a receipt."""
    id_in_text: str = ""
    id_in_tlvs: str = ""
    status: str = ""
    code: str = ""
    answer_id: str = ""
    """The id that the answer had."""
    forms: Forms | None = None
    """How the ids are written in answer and receipt, if it was for a message sent here."""
    utc_offset: str = ""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What came of many messages at once."""

    offered: int
    taken: int
    throttled: int
    reported: int
    """Of how many the end was told in time."""
    statuses: dict[str, int]
    median_ms: float


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found out."""

    binds: list[Bound]
    sent: list[Sent] = []
    came: list[Came] = []
    pace: Pace | None = None
    profile: list[str] = []
    """What a profile for it should say, as lines of TOML; none: the usual one fits, as far as can be seen."""

    @property
    def is_any_taken(self) -> bool:
        """Whether the SMSC took a test message."""
        return any(sent.is_taken for sent in self.sent) or (self.pace is not None and self.pace.taken > 0)


class Heard(NamedTuple):
    """An answer."""

    status: int
    body: bytes
    ms: float


class _Line:
    """A connection on which requests wait for their answers, and what comes by itself is taken and kept."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer_within: float, news: asyncio.Event
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._answer_within = answer_within
        self._news = news
        self._sequence = 0
        self._waiting: dict[int, asyncio.Future[Heard]] = {}
        self._asked_at: dict[int, float] = {}
        self._delivered: list[tuple[float, ShortMessage | DataMessage]] = []
        self.is_open = True
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def ask(self, command: Command, body: Body) -> Heard | None:
        """The answer to a request; None when none came in time."""
        if not self.is_open:
            return None
        self._sequence += 1
        sequence = self._sequence
        future = self._waiting[sequence] = asyncio.get_running_loop().create_future()
        self._asked_at[sequence] = time.perf_counter()
        self._writer.write(encode(command, body, sequence=sequence))
        try:
            return await asyncio.wait_for(future, self._answer_within)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            self._waiting.pop(sequence, None)

    def take_delivered(self) -> list[tuple[float, ShortMessage | DataMessage]]:
        """What was delivered since it was last asked for, and when."""
        delivered, self._delivered = self._delivered, []
        return delivered

    async def leave(self) -> None:
        await self.ask(Command.UNBIND, Empty())
        self._reading.cancel()
        self._writer.close()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        framer = Framer()
        try:
            while framer.fault is None and (data := await self._reader.read(1 << 16)):
                for command, status, sequence, body in framer.feed(data):
                    self._take(command, status, sequence, body)
        except ConnectionError:
            pass
        finally:
            self.is_open = False
            self._news.set()
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(ConnectionError("the SMSC hung up"))

    def _take(self, command: int, status: int, sequence: int, body: bytes) -> None:
        if command & RESPONSE:
            future = self._waiting.get(sequence)
            if future is not None and not future.done():
                future.set_result(Heard(status, body, (time.perf_counter() - self._asked_at[sequence]) * 1000))
            return
        if command in (Command.DELIVER_SM, Command.DATA_SM):
            try:
                message = decode(command, body)
            except Malformed as error:
                self._writer.write(frame(command | RESPONSE, sequence, b"\0", error.status))
                return
            if isinstance(message, ShortMessage | DataMessage):
                self._delivered.append((time.time(), message))
                self._news.set()
            self._writer.write(frame(command | RESPONSE, sequence, b"\0"))
        elif command in (Command.ENQUIRE_LINK, Command.UNBIND):
            self._writer.write(frame(command | RESPONSE, sequence))


class Probe:
    """One examination of one SMSC."""

    def __init__(self, link: SmppLink, *, password: str, profile: Profile, tls: ssl.SSLContext | None = None) -> None:
        self._link = link
        self._password = password
        self._profile = profile
        self._tls = tls
        self._news = asyncio.Event()
        """Set when something was delivered."""

    async def binds(self) -> list[Bound]:
        """Bind in each way, one after the other, and ask for a sign of life."""
        found: list[Bound] = []
        for command in BINDS:
            line, bound = await self._bind(command)
            if line is not None:
                await line.leave()
            found.append(bound)
        return found

    async def messages(
        self, number: str, *, binds: Sequence[Bound], before: str = "", burst: int = 0, wait_seconds: float
    ) -> tuple[list[Sent], list[Came], Pace | None]:
        """
        Send three texts to a number, and `burst` more within a second, and wait for what is reported of the three.

        These are real messages; each begins with `before`.
        """
        taken = {bound.command for bound in binds if bound.is_taken}
        ways = [Command.BIND_TRANSCEIVER]
        if Command.BIND_TRANSCEIVER.name not in taken:
            ways = [Command.BIND_RECEIVER, Command.BIND_TRANSMITTER]
        lines = [line for line in [(await self._bind(way))[0] for way in ways] if line is not None]
        try:
            if len(lines) < len(ways):
                return [], [], None
            began, sender = time.time(), lines[-1]
            sent: list[Sent] = []
            for reference, (what, text) in enumerate(TEXTS.items(), 1):
                sent += await self._submit(sender, number, what, before + text, reference)
            at_once = await self._burst(sender, number, before + BURST_TEXT, burst) if burst else []
            came = await _all_that_came(lines, sent + at_once, self._news, began=began, wait_seconds=wait_seconds)
            return sent, [one for one in came if one.what != BURST], _pace(at_once, came) if burst else None
        finally:
            for line in lines:
                await line.leave()

    async def _bind(self, command: Command) -> tuple[_Line | None, Bound]:
        link = self._link
        try:
            async with asyncio.timeout(link.answer_within_seconds):
                reader, writer = await asyncio.open_connection(link.host, link.port, ssl=self._tls)
        except (OSError, TimeoutError) as error:
            return None, Bound(command=command.name, status="", because=str(error) or "no connection in time")
        line = _Line(reader, writer, link.answer_within_seconds, self._news)
        bind = Bind(system_id=link.system_id, password=self._password, system_type=link.system_type)
        heard = await line.ask(command, bind)
        if heard is None:
            await line.leave()
            return None, Bound(command=command.name, status="", because="the bind was not answered")
        answer = decode(command | RESPONSE, heard.body)
        if heard.status != Status.ESME_ROK or not isinstance(answer, BindResp):
            await line.leave()
            return None, Bound(command=command.name, status=name_of_status(heard.status), answer_ms=heard.ms)
        alive = await line.ask(Command.ENQUIRE_LINK, Empty())
        version = tlv(answer.tlvs, Tag.SC_INTERFACE_VERSION)
        return line, Bound(
            command=command.name,
            status=name_of_status(heard.status),
            system_id=answer.system_id,
            # [5.2.4] 0x34 is 3.4.
            version=f"{version[0] >> 4}.{version[0] & 0xF}" if version else "",
            answer_ms=heard.ms,
            enquire_link_ms=None if alive is None else alive.ms,
        )

    async def _submit(self, line: _Line, number: str, what: str, text: str, reference: int) -> list[Sent]:
        written = write(text, self._profile, international=True, reference=reference)
        if written is None:
            return [Sent(what=what, status=NO_ALPHABET)]
        profile, source = self._profile, self._link.source_addr
        source_ton, source_npi = profile.type_of_source(source)
        found: list[Sent] = []
        for place, part in enumerate(written.parts, 1):
            message = ShortMessage(
                service_type=profile.service_type,
                source_addr_ton=source_ton,
                source_addr_npi=source_npi,
                source_addr=source,
                dest_addr_ton=profile.addresses.destination_ton,
                dest_addr_npi=profile.addresses.destination_npi,
                destination_addr=profile.number(number),
                esm_class=written.esm_class,
                protocol_id=profile.protocol_id,
                priority_flag=profile.priority,
                registered_delivery=profile.registered_delivery,
                data_coding=written.data_coding,
                short_message=part.short_message,
                tlvs=(*part.tlvs, *profile.own_tlvs),
            )
            heard = await line.ask(Command.SUBMIT_SM, message)
            its_name = what if len(written.parts) == 1 else f"{what}, {place} of {len(written.parts)}"
            if heard is None:
                found.append(Sent(what=its_name, status=""))
            else:
                found.append(
                    Sent(
                        what=its_name,
                        status=name_of_status(heard.status),
                        id=decode_message_resp(heard.body).message_id,
                        throttled=profile.refusal(heard.status).slow_down,
                        answer_ms=heard.ms,
                    )
                )
        return found

    async def _burst(self, line: _Line, number: str, text: str, offered: int) -> list[Sent]:
        """So many messages, spread over a second."""
        began = time.monotonic()
        asked: list[asyncio.Task[list[Sent]]] = []
        for place in range(offered):
            await asyncio.sleep(max(began + place * BURST_SECONDS / offered - time.monotonic(), 0))
            asked.append(asyncio.create_task(self._submit(line, number, BURST, text, 0)))
        return [one for answer in await asyncio.gather(*asked) for one in answer]


async def _all_that_came(
    lines: Sequence[_Line], sent: Sequence[Sent], news: asyncio.Event, *, began: float, wait_seconds: float
) -> list[Came]:
    """What is reported until each message that was taken has its end, or the time is up."""
    awaited = Counter(one.what for one in sent if one.is_taken)
    came: list[Came] = []
    with suppress(TimeoutError):
        async with asyncio.timeout(wait_seconds):
            while True:
                news.clear()
                delivered = [one for line in lines for one in line.take_delivered()]
                seen = (_seen(at - began, message, sent, at) for at, message in delivered)
                came += (one for one in seen if one is not None)
                if not awaited - _ended(came) or not all(line.is_open for line in lines):
                    break
                await news.wait()
    return came


def _ended(came: Sequence[Came]) -> Counter[str]:
    """The messages that came to an end."""
    return Counter(one.what for one in came if one.status not in (ReceiptStatus.ENROUTE, ReceiptStatus.ACCEPTED))


def _pace(at_once: Sequence[Sent], came: Sequence[Came]) -> Pace:
    times = sorted(one.answer_ms for one in at_once if one.status)
    return Pace(
        offered=len(at_once),
        taken=sum(one.is_taken for one in at_once),
        throttled=sum(one.throttled for one in at_once),
        reported=_ended(came)[BURST],
        statuses=Counter(one.status or "no answer" for one in at_once),
        median_ms=times[len(times) // 2] if times else 0.0,
    )


def _seen(after: float, message: ShortMessage | DataMessage, sent: Sequence[Sent], at: float) -> Came | None:
    """What a delivery is, and which message it is about; None: it is not about any."""
    in_text, in_tlvs = (
        read_receipt(message, carrier="", profile=profile, id_of=lambda written, _numbers: written, now=at)
        for profile in (_IN_TEXT, _IN_TLVS)
    )
    said = in_tlvs if isinstance(in_tlvs, Receipt) else in_text
    if said is None:
        return None
    marked = message.esm_class & ESM_MESSAGE_TYPE in (ESM_RECEIPT, ESM_INTERMEDIATE)
    if isinstance(said, Unreadable):
        return Came(what="", after_seconds=after, marked=marked, status=said.because)
    by_id = {normal_id(one.id): one for one in sent if one.id}
    forms, about = next(
        (
            (forms, by_id[reading])
            for one in (in_tlvs, in_text)
            if isinstance(one, Receipt)
            for forms, reading in readings(one.carrier_id)
            if reading in by_id
        ),
        (None, None),
    )
    return Came(
        what="" if about is None else about.what,
        after_seconds=after,
        marked=marked,
        id_in_text=in_text.carrier_id if isinstance(in_text, Receipt) else "",
        id_in_tlvs=in_tlvs.carrier_id if isinstance(in_tlvs, Receipt) else "",
        status=said.status.value,
        code=said.code,
        answer_id="" if about is None else about.id,
        forms=forms,
        utc_offset=offset_of(message, _IN_TEXT, now=at) or "",
    )


def proposed_profile(sent: Sequence[Sent], came: Sequence[Came]) -> list[str]:
    """What a profile should say for receipts like these to be read, and texts like these to be sent."""
    lines: list[str] = []
    all_forms = {one.forms for one in came if one.forms is not None}
    if len(all_forms) == 1 and (forms := all_forms.pop()) != SAME:
        lines += [f'id_in_answer = "{forms[0]}"', f'id_in_receipt = "{forms[1]}"']
    of_receipts: list[str] = []
    if any(_is_told_in_text_alone(one) for one in came):
        of_receipts.append('source = "text"')
    offsets = {one.utc_offset for one in came if one.utc_offset}
    if len(offsets) == 1:
        of_receipts.append(f'utc_offset = "{offsets.pop()}"')
    parts = {one.what for one in sent if one.what.startswith(LONG) and one.is_taken}
    if len(parts) > 1 and len(parts & set(_ended(came))) == 1:
        of_receipts.append('parts = "one"')
    return lines + (["[receipts]", *of_receipts] if of_receipts else [])


def _is_told_in_text_alone(came: Came) -> bool:
    """Whether its id in the text is the answer's, and that in the optional parameters is another."""
    found = normal_id(came.answer_id)
    in_tlvs, in_text = (
        any(reading == found for _forms, reading in readings(one)) for one in (came.id_in_tlvs, came.id_in_text)
    )
    return bool(came.id_in_tlvs) and in_text and not in_tlvs
