"""
Whatever an SMSC sends: no crash, no hang, no session lost that the standard does not require to be.

The suite sends a few thousand PDUs; `FUZZED=200000` sends as many as it says. A seed is printed with what
goes wrong, and `FUZZ_SEED` sets it.
"""

import asyncio
import os
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from carriers.smpp.peer import Peer

from cleartosend.carriers.smpp import joining
from cleartosend.carriers.smpp.carrier import SmppCarrier
from cleartosend.carriers.smpp.pdu import (
    BODIES,
    RESPONSE,
    Command,
    DataMessage,
    ShortMessage,
    Status,
    Tag,
    encode_body,
    frame,
)
from cleartosend.carriers.smpp.profile import Profile
from cleartosend.model.carriers import SmppLink
from cleartosend.model.messages import Parcel, Receipt, Reply
from cleartosend.model.verdicts import MessageType

PDUS = int(os.environ.get("FUZZED", "10000"))
SEED = int(os.environ.get("FUZZ_SEED", "34"))
AT_ONCE = 200
ENOUGH_SECONDS = 20

RECEIPT = "id:{} sub:001 dlvrd:001 submit date:2603021200 done date:2603021201 stat:{} err:{} text:hello"
DELIVERIES = {Command.DELIVER_SM, Command.DATA_SM}


def sound(rng: random.Random) -> tuple[int, bytes]:
    """A PDU as it should be: most are what an SMSC sends most."""
    text = RECEIPT.format(rng.getrandbits(40), rng.choice(["DELIVRD", "UNDELIV", "ENROUTE", "?"]), rng.choice("0123"))
    tlvs = ((Tag.RECEIPTED_MESSAGE_ID, b"%x\0" % rng.getrandbits(32)), (Tag.MESSAGE_STATE, bytes((rng.randrange(12),))))
    header = bytes((5, 0, 3, rng.randrange(256), rng.randrange(4), rng.randrange(4)))
    return rng.choice(
        [
            (Command.DELIVER_SM, encode_body(ShortMessage(esm_class=4, short_message=text.encode()))),
            (Command.DELIVER_SM, encode_body(ShortMessage(esm_class=4, source_addr="86138", tlvs=tlvs))),
            (Command.DELIVER_SM, encode_body(ShortMessage(data_coding=8, short_message="退订".encode("utf-16-be")))),
            (Command.DELIVER_SM, encode_body(ShortMessage(esm_class=0x40, short_message=header + b"part"))),
            (Command.DATA_SM, encode_body(DataMessage(esm_class=4, tlvs=((Tag.MESSAGE_PAYLOAD, text.encode()),)))),
            (Command.SUBMIT_SM_RESP, b"%x\0" % rng.getrandbits(32)),
            (rng.choice([*BODIES]), rng.randbytes(rng.randrange(60))),
            (rng.getrandbits(32), rng.randbytes(rng.randrange(60))),
        ]
    )


def spoilt(rng: random.Random, body: bytes) -> bytes:
    """The same with something wrong with it, or nothing."""
    octets = bytearray(body)
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at = rng.randrange(len(octets) + 1)
        match rng.randrange(6):
            case 0:
                del octets[at:]
            case 1:
                octets[at:at] = rng.randbytes(rng.choice([1, 4, 30, 300]))
            case 2:
                octets[at : at + 1] = bytes((rng.choice([0, 1, 0x7F, 0x80, 0xFF]),))
            case 3:
                del octets[at : at + rng.randrange(1, 9)]
            case 4:
                # a parameter that says it is longer than it is
                octets += rng.getrandbits(16).to_bytes(2) + rng.choice([5, 400, 0xFFFF]).to_bytes(2) + b"x"
            case _:
                # without the NULs that end its texts
                octets = bytearray(bytes(octets).replace(b"\0", b"\1", rng.randrange(1, 4)))
    return bytes(octets)


def fuzzed(rng: random.Random, sequence: int) -> tuple[int, bytes]:
    """A PDU of which only the length is sure to be right; goodbye is left out, since it ends the session."""
    command, body = sound(rng)
    if command == Command.UNBIND:
        command = Command.ENQUIRE_LINK_RESP
    status = rng.choice([0, 0, 0, Status.ESME_RTHROTTLED, 0x400, rng.getrandbits(32)])
    return command, frame(command, sequence, spoilt(rng, body), status)


class Kept:
    """Takes whatever comes and makes sure that a store could keep it."""

    def __init__(self) -> None:
        self.receipts = 0
        self.replies = 0

    async def keep_receipts(self, receipts: Sequence[Receipt]) -> None:
        for receipt in receipts:
            assert 0 < len(receipt.carrier_id) <= 256
            assert receipt.code.isprintable()
            assert len(receipt.code) <= 32
        self.receipts += len(receipts)

    async def keep_reply(self, reply: Reply) -> None:
        assert "\0" not in reply.text + reply.number + reply.extension_code
        (reply.text + reply.number + reply.extension_code).encode()
        self.replies += 1


async def carrier_and_peer() -> tuple[SmppCarrier, Kept, Peer, asyncio.Server]:
    """A carrier of ours, bound to an SMSC that this test writes for."""
    peers: asyncio.Queue[Peer] = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: peers.put_nowait(Peer(reader, writer)), "127.0.0.1", 0)
    link = {"name": "fuzzed", "host": "127.0.0.1", "port": server.sockets[0].getsockname()[1], "system_id": "cts"}
    carrier = SmppCarrier(msgspec.convert(link | {"session_window": 20}, SmppLink), profile=Profile())
    kept = Kept()
    await carrier.start(on_receipts=kept.keep_receipts, on_reply=kept.keep_reply)
    peer = await peers.get()
    peer.answer(await peer.next(), body=b"smsc\0")
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not carrier.is_up():
            await asyncio.sleep(0.001)
    return carrier, kept, peer, server


def parcel() -> Parcel:
    fields: dict[str, Any] = {
        "message_id": 1,
        "account_id": 1,
        "template_id": "1",
        "number": "+8613800138000",
        "text": "hello",
        "signature": "",
        "international": True,
        "type": MessageType.VERIFICATION,
        "extension_code": "",
        "sender_id": "",
        "spans": "[]",
        "at_most_once": False,
        "attempts": 1,
        "deadline_at": 2e9,
    }
    return Parcel(**fields)


async def test_whatever_comes_is_answered_as_the_standard_has_it_and_the_session_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(joining, "WAIT_SECONDS", 0.001)
    rng = random.Random(SEED)
    carrier, kept, peer, server = await carrier_and_peer()
    try:
        for start in range(1_000_000, 1_000_000 + PDUS, AT_ONCE):
            waiting = {carrier.submit(parcel()) for _ in range(20)}
            # Some of what comes may be taken for their answers, as it may be.
            ours = [(await peer.next())[2] for _ in range(20)]
            unused = ours.copy()
            sent: dict[int, int] = {}
            for place in range(AT_ONCE):
                sequence = unused.pop() if unused and rng.random() < 0.05 else start + place
                sent[sequence], written = fuzzed(rng, sequence)
                peer.send(written)
            peer.send(frame(Command.ENQUIRE_LINK, 1))
            answered: dict[int, list[int]] = {}
            expected = {sequence for sequence, command in sent.items() if command in DELIVERIES}
            async with asyncio.timeout(ENOUGH_SECONDS):
                while 1 not in answered or not expected <= answered.keys():
                    command, _status, sequence, _body = await peer.next()
                    answered.setdefault(sequence, []).append(command)
            assert answered.pop(1) == [Command.ENQUIRE_LINK_RESP]
            for sequence, commands in answered.items():
                (command,) = commands
                assert command in {sent[sequence] | RESPONSE, Command.GENERIC_NACK}, f"seed {SEED}"
            assert not any(sent[sequence] & RESPONSE for sequence in answered), f"seed {SEED}"
            peer.send(*(frame(Command.SUBMIT_SM_RESP, sequence, b"1\0") for sequence in ours))
            await asyncio.wait(waiting, timeout=ENOUGH_SECONDS)
            assert carrier.is_up(), f"seed {SEED}"
        assert kept.receipts > PDUS / 20
        assert kept.replies > PDUS / 50
    finally:
        peer.hang_up()
        server.close()
        await carrier.stop()


async def test_octets_of_any_kind_end_a_session_or_wait_for_more_and_nothing_else_happens() -> None:
    """Here the lengths lie as well, so that sessions end; the carrier comes back each time."""
    rng = random.Random(SEED)
    for _ in range(max(20, PDUS // 1000)):
        carrier, _kept, peer, server = await carrier_and_peer()
        stream = bytearray(b"".join(fuzzed(rng, place)[1] for place in range(5)))
        for _ in range(3):
            stream[rng.randrange(len(stream))] = rng.randrange(256)
        peer.send(bytes(stream))
        peer.writer.write_eof()
        async with asyncio.timeout(ENOUGH_SECONDS):
            while await peer.reader.read(65_536):
                pass
        peer.hang_up()
        server.close()
        await carrier.stop()
