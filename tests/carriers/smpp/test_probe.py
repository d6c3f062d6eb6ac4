"""What a probe finds out of SMSCs that differ."""

import asyncio
from typing import Any

import pytest

from cleartosend.carriers.smpp import probe as probe_module
from cleartosend.carriers.smpp.pdu import Command
from cleartosend.carriers.smpp.probe import Came, Findings, Probe, proposed_profile
from cleartosend.carriers.smpp.profile import Profile, Writing, parse_profile
from cleartosend.model.alphabets import Alphabet
from cleartosend.model.carriers import SmppLink
from cleartosend.testing import SMSC

NUMBER = "+8613800138000"
MESSAGES = ["short, GSM", "short, UCS-2", "long, in parts, 1 of 2", "long, in parts, 2 of 2"]


async def probed(smsc: SMSC, *, send: bool = True, patience: float = 5.0, **options: Any) -> Findings:
    link = SmppLink(name="probed", host=smsc.host, port=smsc.port, system_id="cts", answer_within_seconds=patience)
    probe = Probe(link, password="secret", profile=Profile())
    binds = await probe.binds()
    if not send:
        return Findings(binds=binds)
    sent, came, pace = await probe.messages(NUMBER, binds=binds, **({"wait_seconds": 5.0} | options))
    return Findings(binds=binds, sent=sent, came=came, pace=pace, profile=proposed_profile(sent, came))


async def test_every_way_to_bind_is_tried() -> None:
    async with SMSC() as smsc:
        found = await probed(smsc, send=False)
    assert [bound.command for bound in found.binds] == ["BIND_TRANSCEIVER", "BIND_TRANSMITTER", "BIND_RECEIVER"]
    assert all(bound.is_taken and bound.version == "3.4" for bound in found.binds)
    assert all(bound.enquire_link_ms is not None for bound in found.binds)
    assert not smsc.messages


async def test_a_bind_that_is_refused_says_with_which_status() -> None:
    async with SMSC(password="another") as smsc:
        found = await probed(smsc, send=False)
    assert [bound.status for bound in found.binds] == ["ESME_RINVPASWD"] * 3


async def test_an_smsc_that_does_not_answer_is_told_from_one_that_is_not_there() -> None:
    async with SMSC(bind_after=5) as smsc:
        silent = await probed(smsc, send=False, patience=0.1)
    gone = await probed(smsc, send=False)
    assert {bound.because for bound in silent.binds} == {"the bind was not answered"}
    assert all("refused" in bound.because or "connect" in bound.because.lower() for bound in gone.binds)


async def test_an_enquire_link_that_is_not_answered_is_told() -> None:
    async with SMSC(ignore_links=1) as smsc:
        found = await probed(smsc, send=False, patience=0.1)
    assert [bound.enquire_link_ms for bound in found.binds] == [None] * 3


@pytest.mark.parametrize(
    ("dialect", "proposed"),
    [
        ("usual", []),
        ("zeros", []),
        ("upper-and-lower", []),
        ("tlv", []),
        ("no-bit", []),
        ("data-sm", []),
        ("hex-answer", ['id_in_answer = "hex"', 'id_in_receipt = "decimal"']),
        ("hex-receipt", ['id_in_answer = "decimal"', 'id_in_receipt = "hex"']),
    ],
)
async def test_receipts_in_each_dialect_are_matched_and_a_profile_proposed(dialect: str, proposed: list[str]) -> None:
    async with SMSC(dialect=dialect, dates="%d.%m.") as smsc:
        found = await probed(smsc)
    assert [one.what for one in found.sent] == MESSAGES
    assert sorted(one.what for one in found.came) == sorted(MESSAGES)
    assert {one.status for one in found.came} == {"DELIVRD"}
    assert {one.marked for one in found.came} == {dialect != "no-bit"}
    assert found.profile == proposed
    parse_profile("\n".join(found.profile), name="proposed")


async def test_the_offset_of_an_smscs_dates_is_found_out() -> None:
    async with SMSC(dates="%y%m%d%H%M") as smsc:
        found = await probed(smsc)
    assert found.profile[0] == "[receipts]"
    assert found.profile[1].startswith('utc_offset = "')
    parse_profile("\n".join(found.profile), name="proposed")


async def test_one_receipt_for_all_parts_is_noticed() -> None:
    async with SMSC(receipts_of="last", dates="%d.%m.") as smsc:
        found = await probed(smsc, wait_seconds=0.3)
    assert found.profile == ["[receipts]", 'parts = "one"']


async def test_an_id_that_no_answer_had_is_shown_as_such() -> None:
    async with SMSC(receipts_unknown=1) as smsc:
        found = await probed(smsc)
    assert any(one.forms is None and one.what == "" for one in found.came)


async def test_messages_go_by_separate_connections_where_one_for_both_ways_is_refused() -> None:
    async with SMSC() as smsc:
        found = await probed(smsc, send=False)
        link = SmppLink(name="probed", host=smsc.host, port=smsc.port, system_id="cts")
        separate = [bound for bound in found.binds if bound.command != Command.BIND_TRANSCEIVER.name]
        sent, came, _pace = await Probe(link, password="", profile=Profile()).messages(
            NUMBER, binds=separate, wait_seconds=5.0
        )
    assert all(one.is_taken for one in sent)
    assert sorted(one.what for one in came) == sorted(MESSAGES)


async def test_a_burst_shows_what_is_throttled_and_its_receipts_are_only_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probe_module, "BURST_SECONDS", 0.05)
    async with SMSC(refuse="ESME_RTHROTTLED 30%") as smsc:
        found = await probed(smsc, burst=40)
    assert found.pace is not None
    assert found.pace.offered == 40
    assert found.pace.taken + found.pace.throttled == 40
    assert found.pace.throttled > 0
    assert found.pace.reported == found.pace.taken
    assert {one.what for one in found.came} <= set(MESSAGES)


async def test_what_is_refused_is_told_and_its_receipt_not_waited_for() -> None:
    async with SMSC(refuse="0x0451") as smsc:
        found = await probed(smsc)
    assert {one.status for one in found.sent} == {"0x00000451"}
    assert found.came == []


async def test_a_message_that_is_not_answered_is_told_from_one_that_is_refused() -> None:
    async with SMSC(never=1, receipts="none") as smsc:
        found = await probed(smsc, patience=0.1, wait_seconds=0.1)
    assert [one.status for one in found.sent] == [""] * len(MESSAGES)


async def test_an_smsc_that_hangs_up_ends_the_waiting() -> None:
    async with SMSC(cut_after_messages=2) as smsc:
        found = await probed(smsc, wait_seconds=60.0)
    assert [one.is_taken for one in found.sent[1:]] == [False] * 3


async def test_what_is_no_receipt_or_cannot_be_read_is_told_from_those_that_can() -> None:
    async with SMSC(receipt_text="received", reply_text="R") as smsc:
        found = await probed(smsc, wait_seconds=0.3)
    assert {(one.status, one.what) for one in found.came} == {("it has no id", "")}
    assert found.profile == []


async def test_the_smsc_may_ask_and_talk_nonsense_meanwhile() -> None:
    async with SMSC(receipts_after=0.1) as smsc:
        probing = asyncio.ensure_future(probed(smsc))
        await smsc.taken(1)
        smsc.enquire()
        # A delivery that ends in its first address.
        smsc.send(Command.DELIVER_SM, b"\0\1\x0186138")
        found = await probing
        assert smsc.counts["links answered"] == 1
    assert sorted(one.what for one in found.came) == sorted(MESSAGES)


async def test_a_text_that_the_profile_cannot_write_is_not_sent() -> None:
    async with SMSC() as smsc:
        link = SmppLink(name="probed", host=smsc.host, port=smsc.port, system_id="cts")
        probe = Probe(link, password="", profile=Profile(alphabets=(Writing(Alphabet.GSM7, 0),)))
        sent, came, _pace = await probe.messages(NUMBER, binds=await probe.binds(), wait_seconds=5.0)
    assert [one.is_taken for one in sent] == [True, False, True, True]
    assert len(came) == 3


def test_where_only_the_id_in_the_text_is_that_of_the_answer_the_text_is_to_be_read() -> None:
    came = Came(
        what="short, GSM",
        after_seconds=1.0,
        marked=True,
        id_in_text="7a",
        id_in_tlvs="other",
        status="DELIVRD",
        answer_id="7A",
    )
    assert proposed_profile([], [came]) == ["[receipts]", 'source = "text"']
