"""Our carrier with an SMSC that somebody else wrote: node-smpp."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from usual import NOON_IN_BEIJING, Clock

from cleartosend.carriers.smpp.carrier import SmppCarrier
from cleartosend.carriers.smpp.ids import normal
from cleartosend.carriers.smpp.probe import Probe, proposed_profile
from cleartosend.carriers.smpp.profile import Joining, Profile, Writing, read_profile
from cleartosend.model.alphabets import Alphabet
from cleartosend.model.carriers import SmppLink
from cleartosend.model.messages import Parcel, Receipt, ReceiptStatus, Reply
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import NotSubmitted, Submitted

NODE_MODULES = Path(sys.prefix, "node", "node_modules")
ENOUGH_SECONDS = 20
NUMBER = "+8613800138000"
USUAL = read_profile("usual")

if shutil.which("node") is None:
    pytest.skip("node is not installed, so node-smpp was not bound to", allow_module_level=True)
if not (NODE_MODULES / "smpp").is_dir():
    pytest.skip("node-smpp is not installed: `make setup` does it where node and npm are", allow_module_level=True)


class NodeSmsc:
    """The SMSC in a process of its own, and what it said."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.port: int = json.loads(process.stdout.readline())["port"]
        self.taken: list[dict[str, Any]] = []
        self.acknowledged: list[int] = []
        self._forgotten = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def forget(self) -> None:
        """Let go of what was; what comes later is of later."""
        assert self._process.stdin is not None
        self._forgotten.clear()
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        assert self._forgotten.wait(ENOUGH_SECONDS)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "forgotten" in said:
                self.taken.clear()
                self.acknowledged.clear()
                self._forgotten.set()
            elif "acknowledged" in said:
                self.acknowledged.append(said["acknowledged"])
            else:
                self.taken.append(said)


@pytest.fixture(scope="module")
def node() -> Iterator[NodeSmsc]:
    with subprocess.Popen(
        ["node", Path(__file__).with_name("node_smsc.js")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"NODE_PATH": str(NODE_MODULES)},
    ) as process:
        yield NodeSmsc(process)
        process.kill()


@pytest.fixture
def smsc(node: NodeSmsc) -> NodeSmsc:
    node.forget()
    return node


class Reached(msgspec.Struct):
    """A carrier of ours, and what it brought."""

    carrier: SmppCarrier
    receipts: list[Receipt] = []
    replies: list[Reply] = []

    async def keep_receipts(self, receipts: Sequence[Receipt]) -> None:
        self.receipts += receipts

    async def keep_reply(self, reply: Reply) -> None:
        self.replies.append(reply)

    async def submit(self, text: str, *, number: str = NUMBER, international: bool = False) -> Submitted | NotSubmitted:
        parcel = Parcel(
            message_id=1,
            account_id=1,
            number=number,
            text=text,
            signature="清风书店",
            international=international,
            type=MessageType.VERIFICATION,
            template_id="1",
            spans="[]",
            at_most_once=False,
            extension_code="77",
            sender_id="",
            attempts=1,
            deadline_at=NOON_IN_BEIJING + 600,
        )
        async with asyncio.timeout(ENOUGH_SECONDS):
            return await self.carrier.submit(parcel)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(ENOUGH_SECONDS):
        while not condition():
            await asyncio.sleep(0.002)


async def told(smsc: NodeSmsc, count: int) -> list[dict[str, Any]]:
    """What it took; it says so on a line that may be later than its answer."""
    await until(lambda: len(smsc.taken) >= count)
    assert len(smsc.taken) == count
    return smsc.taken


@contextlib.asynccontextmanager
async def reached(smsc: NodeSmsc, profile: Profile = USUAL, **link: Any) -> AsyncIterator[Reached]:
    carrier = SmppCarrier(linked(smsc, **link), profile=profile, clock=Clock())
    both = Reached(carrier)
    await carrier.start(on_receipts=both.keep_receipts, on_reply=both.keep_reply)
    try:
        await until(carrier.is_up)
        yield both
    finally:
        await carrier.stop()


def linked(smsc: NodeSmsc, **differs: Any) -> SmppLink:
    usual = SmppLink(
        name="node",
        host="127.0.0.1",
        port=smsc.port,
        system_id="cts",
        password="secret",
        source_addr="10690001",
    )
    return msgspec.structs.replace(usual, **differs)


def ids_of(said: Submitted | NotSubmitted) -> tuple[str, ...]:
    assert isinstance(said, Submitted), said
    return said.carrier_ids


@pytest.mark.parametrize("text", ["Your code: [123456], 10€", "【清风书店】您的验证码是123456", "ça va", "👍"])
async def test_a_short_text_is_read_as_it_was_written_and_its_receipt_matched(smsc: NodeSmsc, text: str) -> None:
    async with reached(smsc, read_profile("hex-in-answer")) as ours:
        [carrier_id] = ids_of(await ours.submit(text, international=True))
        await until(lambda: bool(ours.receipts))
    [taken] = await told(smsc, 1)
    assert (taken["message"], taken["from"], taken["to"]) == (text, "1069000177", "8613800138000")
    assert taken["registeredDelivery"] == 1
    [receipt] = ours.receipts
    assert (receipt.carrier_id, receipt.status) == (carrier_id, ReceiptStatus.DELIVERED)
    await until(lambda: smsc.acknowledged == [0])


async def test_how_ids_are_written_is_learned_from_the_first_receipts(smsc: NodeSmsc) -> None:
    async with reached(smsc) as ours:
        answered = [(await ours.submit("Hello", international=True)) for _ in range(20)]
        await until(lambda: len(ours.receipts) == 20)
    assert sorted(receipt.carrier_id for receipt in ours.receipts) == sorted(
        one for said in answered for one in ids_of(said)
    )


@pytest.mark.parametrize("joining", [Joining.HEADER, Joining.TLVS])
@pytest.mark.parametrize("text", ["Long [texts] cost 10€ a part. " * 12, "您的快递已到达小区门口的柜子。👍" * 12])
async def test_a_long_text_is_put_together_from_its_parts(smsc: NodeSmsc, text: str, joining: Joining) -> None:
    async with reached(smsc, Profile(joining=joining)) as ours:
        ids = ids_of(await ours.submit(text, international=True))
        await until(lambda: len(ours.receipts) == len(ids))
    parts = await told(smsc, len(ids))
    assert len(parts) > 1
    assert "".join(part["message"] for part in parts) == text
    if joining is Joining.HEADER:
        reference = parts[0]["udh"][0][4:6]
        assert [part["udh"] for part in parts] == [
            [f"0003{reference}{len(parts):02x}{number:02x}"] for number in range(1, len(parts) + 1)
        ]
    else:
        assert [part["sar"][1:] for part in parts] == [[len(parts), number] for number in range(1, len(parts) + 1)]
    assert sorted(receipt.carrier_id for receipt in ours.receipts) == sorted(ids)


async def test_a_payload_is_read_as_one_text(smsc: NodeSmsc) -> None:
    text = "您的快递已到达小区门口的柜子。" * 12
    async with reached(smsc, read_profile("payload")) as ours:
        assert len(ids_of(await ours.submit(text))) == 1
    assert [part["message"] for part in await told(smsc, 1)] == [text]


async def test_latin_letters_go_out_as_such(smsc: NodeSmsc) -> None:
    async with reached(smsc, Profile(alphabets=(Writing(Alphabet.LATIN1, 3), Writing(Alphabet.UCS2, 8)))) as ours:
        await ours.submit("ça va, Zoë?", international=True)
    assert [(part["message"], part["dataCoding"]) for part in await told(smsc, 1)] == [("ça va, Zoë?", 3)]


async def test_what_the_smsc_refuses_is_classed(smsc: NodeSmsc) -> None:
    async with reached(smsc) as ours:
        refused = await ours.submit("Hello", number="+8613800099001")
        throttled = await ours.submit("Hello", number="+8613800099002")
        taken = await ours.submit("Hello", number="+8613800099002")
    assert refused == NotSubmitted("ESME_RINVDSTADR", again=False, of_message=True)
    assert throttled == NotSubmitted("ESME_RTHROTTLED", again=True, slow_down=True)
    assert isinstance(taken, Submitted)


async def test_a_failure_comes_back_with_its_code(smsc: NodeSmsc) -> None:
    async with reached(smsc) as ours:
        await ours.submit("Hello", number="+8613800099003")
        await until(lambda: bool(ours.receipts))
    [receipt] = ours.receipts
    assert (receipt.status, receipt.code) == (ReceiptStatus.UNDELIVERABLE, "UNDELIV_034")


@pytest.mark.parametrize("bind", ["transceiver", "separate"])
async def test_a_long_reply_is_put_together_however_we_are_bound(smsc: NodeSmsc, bind: str) -> None:
    async with reached(smsc, bind=bind) as ours:
        await ours.submit("Hello", number="+8613800099014")
        await until(lambda: bool(ours.replies))
        await until(lambda: smsc.acknowledged == [0, 0, 0])
    [reply] = ours.replies
    assert (reply.text, reply.number, reply.extension_code) == ("回复的第一段，和第二段👍", "+8613800099014", "77")


async def test_a_probe_finds_out_what_it_does(smsc: NodeSmsc) -> None:
    probe = Probe(linked(smsc), password="secret", profile=Profile())
    binds = await probe.binds()
    sent, came, _pace = await probe.messages(NUMBER, binds=binds, wait_seconds=ENOUGH_SECONDS)
    assert [(bound.is_taken, bound.system_id, bound.version) for bound in binds] == [(True, "node-smpp", "")] * 3
    assert {normal(one.id) for one in sent} == {normal(one.answer_id) for one in came}
    assert proposed_profile(sent, came)[:2] == ['id_in_answer = "hex"', 'id_in_receipt = "decimal"']
