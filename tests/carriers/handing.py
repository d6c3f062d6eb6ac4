"""What is handed to a carrier, and what it hands back."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from usual import NOON_IN_BEIJING

from cleartosend.model.messages import Parcel, Receipt, Reply
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import StoreUnavailable

ENOUGH_SECONDS = 20
NUMBER = "+8613711112222"
TEXT = "【清风书店】您的验证码是123456，5分钟内有效。"
SPANS = "[[12, 18], [19, 20]]"


class Kept(msgspec.Struct):
    """What the house was told."""

    receipts: list[Receipt] = []
    replies: list[Reply] = []
    troubles: int = 0
    """How often the store cannot keep what comes next."""
    outstanding: list[tuple[str, str]] = []
    """Ids of messages that went out before, and their numbers."""

    async def on_receipts(self, receipts: Sequence[Receipt]) -> None:
        self._in_trouble()
        self.receipts += receipts

    async def on_reply(self, reply: Reply) -> None:
        self._in_trouble()
        self.replies.append(reply)

    async def not_reported(self, most: int) -> list[tuple[str, str]]:
        reported = {receipt.carrier_id for receipt in self.receipts}
        return [one for one in self.outstanding if one[0] not in reported][:most]

    def _in_trouble(self) -> None:
        if self.troubles:
            self.troubles -= 1
            raise StoreUnavailable("the disk is full")


def parcel(number: str = NUMBER, **differs: Any) -> Parcel:
    usual = Parcel(
        message_id=77037622525952000,
        account_id=1,
        number=number,
        text=TEXT,
        signature="清风书店",
        international=False,
        type=MessageType.VERIFICATION,
        extension_code="",
        sender_id="",
        template_id="7",
        spans=SPANS,
        at_most_once=False,
        attempts=1,
        deadline_at=NOON_IN_BEIJING + 600,
    )
    return msgspec.structs.replace(usual, **differs)


def numbers(count: int) -> list[str]:
    return [f"+86137{number:08}" for number in range(count)]


async def until(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not what():
            await asyncio.sleep(0.001)
