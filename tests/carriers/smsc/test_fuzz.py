"""Whatever a client writes, the SMSC for testing lives, and serves the next one."""

import random

from carriers.smsc.line import NUMBER, Line, bound, part, short

from cleartosend.carriers.smpp.pdu import Bind, Cancel, Command, MessageResp, Query, encode
from cleartosend.testing import SMSC

PDUS = [
    encode(Command.SUBMIT_SM, short(), sequence=1),
    encode(Command.SUBMIT_SM, part(1, 2), sequence=2),
    encode(Command.SUBMIT_SM, short(b"", tlvs=((0x0424, b"long" * 50), (0x020E, b"\2"), (0x020F, b""))), sequence=3),
    encode(Command.BIND_TRANSCEIVER, Bind(system_id="cts", password="secret"), sequence=4),
    encode(Command.DELIVER_SM_RESP, MessageResp(message_id=NUMBER), sequence=5),
    encode(Command.QUERY_SM, Query(message_id="5"), sequence=6),
    encode(Command.CANCEL_SM, Cancel(message_id="5"), sequence=7),
    encode(Command.DATA_SM, MessageResp(message_id="not one"), sequence=8),
]
MUTATIONS = 2000


def mutated(dice: random.Random) -> bytes:
    """A PDU with some octets changed, taken out or put in, in a frame that is sound nine times of ten."""
    octets = bytearray(dice.choice(PDUS))
    for _ in range(dice.randint(1, 4)):
        # The frame's length is not touched here.
        at = dice.randrange(4, len(octets))
        match dice.randrange(3):
            case 0:
                octets[at] = dice.choice((0, 0x7F, 0xFF, dice.randrange(256)))
            case 1 if len(octets) > 36:
                del octets[at : at + dice.randint(1, 20)]
            case _:
                octets[at:at] = dice.randbytes(dice.randint(1, 20))
    if dice.random() < 0.9:
        octets += bytes(max(0, 16 - len(octets)))
        octets[:4] = len(octets).to_bytes(4)
    return bytes(octets)


async def serves(its: Line) -> bool:
    """Whether the line still answers; whatever else it says before that is not looked at."""
    sequence = its.say(Command.ENQUIRE_LINK, sequence=0x0EAD_BEEF)
    try:
        while True:
            heard = await its.hear()
            if (heard.command, heard.sequence) == (Command.ENQUIRE_LINK_RESP, sequence):
                return True
    except (EOFError, ConnectionError):
        return False


async def test_it_does_not_die_of_what_it_reads() -> None:
    dice = random.Random(20261122)
    left, lines = MUTATIONS, 0
    async with SMSC(keep=0, never=0.1, receipts="all") as smsc:
        while left:
            lines += 1
            async with bound(smsc) as its:
                for _ in range(min(20, left)):
                    its.octets(mutated(dice))
                    left -= 1
                # A length that cannot be, or an unbind, ends a line; one that lies keeps it waiting for the rest.
                its.octets(bytes(70_000))
                assert not await serves(its)
        async with bound(smsc, system_id="after") as its:
            assert (await its.submit(short(receipt=0))).status == 0
        assert lines == 100
        assert smsc.counts["malformed"] > 100


async def test_a_sound_frame_never_ends_a_line() -> None:
    dice = random.Random(7)
    async with SMSC(keep=0, receipts="none") as smsc, bound(smsc) as its:
        for _ in range(500):
            octets = mutated(dice)
            command = int.from_bytes(octets[4:8])
            if len(octets) == int.from_bytes(octets[:4]) and command not in {Command.UNBIND, 0x8000_0006}:
                its.octets(octets)
        assert await serves(its)
