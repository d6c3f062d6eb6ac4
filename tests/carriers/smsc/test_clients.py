"""Clients that others have written get on with the SMSC for testing: they bind, submit, hear of it, and go."""

import asyncio
from typing import Any

import pytest
import smpp34
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from cleartosend.carriers.smpp.pdu import Status
from cleartosend.testing import SMSC

NUMBER = "8613800138000"
TEXTS = {
    "short": "your code is 123456",
    "short, of septets beyond ASCII": "£5 @home [ok] {€}",
    "short, in UCS-2": "您的验证码是123456",
    "long": "your parcel is on its way " * 12,
    "long, in UCS-2": "您的包裹正在派送中，请注意查收。" * 10,
}
ENOUGH_SECONDS = 10


def parts_of(text: str) -> tuple[list[bytes], int, int]:
    """As the library cuts it: the parts, their data_coding and their esm_class."""
    parts, coding, esm_class = smpplib.gsm.make_parts(text)
    return list(parts), coding, esm_class


def smpplib_client(port: int) -> Any:
    """Connected; it unbinds where its block ends."""
    client = smpplib.client.Client("127.0.0.1", port, timeout=ENOUGH_SECONDS, allow_unknown_opt_params=True)
    client.connect()
    return client


async def texts_taken(smsc: SMSC, count: int) -> str:
    """What has come, put together in the order of its parts."""
    return "".join(taken.text for taken in sorted(await smsc.taken(count), key=lambda taken: taken.part))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_smpplib_is_served(text: str) -> None:
    parts, coding, esm_class = parts_of(text)

    def talk(port: int) -> tuple[list[str], list[bytes]]:
        named: list[str] = []
        told: list[bytes] = []
        with smpplib_client(port) as client:
            client.set_message_sent_handler(lambda pdu: named.append(pdu.message_id.decode()))
            client.set_message_received_handler(lambda pdu: told.append(pdu.short_message))
            client.bind_transceiver(system_id="cts", password="secret")
            for part in parts:
                client.send_message(
                    source_addr="10690001",
                    destination_addr=NUMBER,
                    short_message=part,
                    data_coding=coding,
                    esm_class=esm_class,
                    registered_delivery=True,
                )
            while len(told) < len(parts):
                client.read_once()
        return named, told

    async with SMSC(system_id="cts", password="secret") as smsc:
        named, told = await asyncio.to_thread(talk, smsc.port)
        assert await texts_taken(smsc, len(parts)) == text
        assert named == [taken.carrier_id for taken in smsc.messages]
        for carrier_id, receipt in zip(named, told, strict=True):
            assert receipt.startswith(f"id:{carrier_id} ".encode())
        await smsc.told()
        assert smsc.counts["answers to nothing"] == 0


async def test_smpplib_understands_refusals() -> None:
    def talk(port: int) -> list[int]:
        refused: list[int] = []
        with smpplib_client(port) as client:
            with pytest.raises(smpplib.exceptions.PDUError, match="Invalid Password"):
                client.bind_transmitter(system_id="cts", password="wrong")
            client.bind_transmitter(system_id="cts", password="secret")
            client.set_error_pdu_handler(lambda pdu: refused.append(pdu.status))
            client.set_message_sent_handler(lambda **_answer: None)
            for _ in range(2):
                client.send_message(source_addr="1", destination_addr=NUMBER, short_message=b"hi")
                client.read_once()
        return refused

    async with SMSC(password="secret", refuse="ESME_RTHROTTLED") as smsc:
        smsc.rule(times=1, refuse="0x401")
        assert await asyncio.to_thread(talk, smsc.port) == [0x401, Status.ESME_RTHROTTLED]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_smpp34_is_served(text: str) -> None:
    parts, coding, esm_class = parts_of(text)
    async with SMSC(system_id="cts", password="secret") as smsc, asyncio.timeout(ENOUGH_SECONDS):
        client = smpp34.Client("127.0.0.1", smsc.port, "cts", "secret", bind_type="TRX")
        session = await client.connect()
        answers = [
            await session.submit_sm(
                NUMBER,
                part,
                source_addr="10690001",
                registered_delivery=1,
                esm_class=esm_class,
                data_coding=coding,
                tlvs=[smpp34.Tlv(0x1500, b"own")],
            )
            for part in parts
        ]
        told: list[Any] = [await session.next() for _ in parts]
        assert await texts_taken(smsc, len(parts)) == text
        assert [answer.message_id for answer in answers] == [taken.carrier_id for taken in smsc.messages]
        assert {taken.message.tlvs for taken in smsc.messages} == {((0x1500, b"own"),)}
        # The library hands receipts out in an order of its own.
        reported = {receipt.short_message.split()[0].decode() for receipt in told}
        assert reported == {f"id:{answer.message_id}" for answer in answers}
        await smsc.told()
        await session.unbind()
        await smsc.until(lambda: not smsc.bound)
        await client.stop()


async def test_smpp34_understands_refusals_and_replies() -> None:
    async with SMSC(refuse="ESME_RTHROTTLED") as smsc, asyncio.timeout(ENOUGH_SECONDS):
        client = smpp34.Client("127.0.0.1", smsc.port, "cts", "secret", bind_type="TRX")
        session = await client.connect()
        assert (await session.submit_sm(NUMBER, b"hi")).command_status == Status.ESME_RTHROTTLED
        smsc.reply("收到", number=NUMBER, to="10690001")
        reply: Any = await session.next()
        assert (reply.source_addr, reply.short_message.decode("utf-16-be")) == (NUMBER, "收到")
        smsc.cut()
        assert isinstance(await session.next(), smpp34.Disconnected)
        await client.stop()
