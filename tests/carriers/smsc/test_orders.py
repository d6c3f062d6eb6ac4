"""The SMSC for testing takes orders in words, and says what it does not understand."""

import json
from pathlib import Path

import pytest
from carriers.smsc.line import NUMBER, SENDER, Line, bound, short

from cleartosend.carriers.smpp.pdu import Command, Status
from cleartosend.testing.smsc import SMSC, Behaviour, Span, Unfit
from cleartosend.testing.smsc.behaviour import Share, changed
from cleartosend.testing.smsc.orders import ORDERS, Scenario, add_rule, obey, play, read_scenario


async def answered(its: Line, *numbers: str) -> list[int]:
    return [(await its.submit(short(to=number, receipt=0))).status for number in numbers or (NUMBER,)]


async def test_it_throttles_and_stops() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        assert await obey(smsc, "throttle 100%") == "done"
        assert await answered(its) == [Status.ESME_RTHROTTLED]
        await obey(smsc, "throttle 0")
        assert await answered(its) == [0]
        await obey(smsc, "throttle 1/s")
        assert Status.ESME_RTHROTTLED in await answered(its, *[NUMBER] * 3)


async def test_it_takes_rules_and_drops_them() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        await obey(smsc, "rule to=*99001 times=1 refuse='0x401 100%'")
        assert await answered(its, "8613899001", "8613899001", NUMBER) == [0x401, 0, 0]
        await obey(smsc, "rule system_id=c?s session=1 refuse=ESME_RSYSERR")
        assert await answered(its) == [Status.ESME_RSYSERR]
        await obey(smsc, "calm")
        assert await answered(its) == [0]


async def test_an_item_of_behaviour_is_an_order() -> None:
    async with SMSC(ids_from=255) as smsc, bound(smsc) as its:
        await obey(smsc, "dialect hex-answer")
        await obey(smsc, "refuse ESME_RSYSERR 0%")
        assert (await its.submit(short(receipt=0))).carrier_id == "ff"


async def test_lines_hang_go_on_and_are_cut() -> None:
    async with SMSC() as smsc, bound(smsc) as its, bound(smsc, system_id="other") as other:
        await obey(smsc, "hang cts")
        its.say(Command.SUBMIT_SM, short(receipt=0))
        assert await answered(other) == [0]
        assert smsc.counts["taken"] == 1
        await obey(smsc, "resume")
        assert (await its.hear()).command == Command.SUBMIT_SM_RESP
        await obey(smsc, "enquire cts")
        assert (await its.hear()).command == Command.ENQUIRE_LINK
        await obey(smsc, "unbind cts")
        assert (await its.hear()).command == Command.UNBIND
        await obey(smsc, "cut other")
        assert await other.closed()
        assert await obey(smsc, "sessions") == "cts transceiver"
        await obey(smsc, "restart forget 0.01")
        assert await its.closed()
        assert await obey(smsc, "sessions") == "nobody is bound"


async def test_recipients_write_on_order() -> None:
    async with SMSC() as smsc, bound(smsc) as its:
        await obey(smsc, f"reply {NUMBER} {SENDER} not now, thanks")
        reply = await its.receipt()
        assert (reply.source_addr, reply.destination_addr, reply.short_message) == (NUMBER, SENDER, b"not now, thanks")


async def test_it_shows_what_it_has_seen() -> None:
    async with SMSC(ids_from=1) as smsc, bound(smsc) as its:
        assert await obey(smsc, "messages") == "none is remembered"
        await answered(its, NUMBER, "8613800138001")
        assert json.loads(await obey(smsc, "counts")) == {"bound": 1, "taken": 2, "outstanding": 0}
        assert json.loads(await obey(smsc, "messages 1")) == {
            "number": "8613800138001",
            "from": SENDER,
            "text": "hello",
            "part": [1, 1],
            "id": "2",
            "system_id": "cts",
        }
        await obey(smsc, "clear")
        assert await obey(smsc, "messages") == "none is remembered"


def test_no_item_of_behaviour_is_hidden_by_an_order() -> None:
    assert not ORDERS.keys() & set(Behaviour.__struct_fields__)


async def test_help_names_every_order() -> None:
    async with SMSC() as smsc:
        helped = (await obey(smsc, "help")).splitlines()
        assert [line.split()[0].rstrip(":") for line in helped] == list(ORDERS)
        assert await obey(smsc, "  ") == ""


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ("explode", "there is no order explode"),
        ("throttle", "it is throttle 50% of the messages"),
        ("throttle often", "refuse: often is no share"),
        ("restart soon", "it is restart"),
        ("cut one two", "it is cut"),
        ("rule to=*", "a rule that changes nothing"),
        ("rule refuse", "refuse is not of the form name=value"),
        ("rule session=one refuse=1", "session and times are numbers"),
        ("rule to=* retort=1", "there is no retort"),
        ("reply 'no end", "No closing quotation"),
        ("reply 86138 106 hi", "nobody has bound yet"),
        ("refuse ESME_RNONSENSE", "ESME_RNONSENSE is no command_status"),
        ("refuse ESME_RSYSERR 50% of", "is not a word and its share"),
        ("refuse ESME_RSYSERR 60%, ESME_RTHROTTLED 60%", "more than 100%"),
        ("never 150%", "150% is not from 0 to 1"),
        ("answer_after soon", "soon is no time"),
        ("answer_after 2-1s", "2-1s ends before it begins"),
        ("cut_after_messages few", "few is no number"),
        ("receipt_tlvs perhaps", "perhaps is neither yes nor no"),
        ("receipts sometimes", "sometimes is none of asked, all, none"),
        ("dialect klingon", "there is no dialect klingon"),
        ("id_in_answer {number}", "id_in_answer: {number} cannot be filled in"),
        ("receipt_text id:{id} of:{nobody}", "receipt_text: id:{id} of:{nobody} cannot be filled in"),
    ],
)
async def test_what_it_does_not_understand_it_names(order: str, says: str) -> None:
    async with SMSC() as smsc:
        with pytest.raises(Unfit) as raised:
            await obey(smsc, order)
        assert says in str(raised.value)


@pytest.mark.parametrize(
    ("words", "behaviour"),
    [
        ({"never": "25%"}, Behaviour(never=Share(0.25))),
        ({"never": 0.25}, Behaviour(never=Share(0.25))),
        ({"answer_after": 0.5}, Behaviour(answer_after=Span(0.5, 0.5))),
        ({"answer_after": "500ms"}, Behaviour(answer_after=Span(0.5, 0.5))),
        ({"answer_after": "0.1-0.5s"}, Behaviour(answer_after=Span(0.1, 0.5))),
        ({"answer_after": Span(0.1, 0.5)}, Behaviour(answer_after=Span(0.1, 0.5))),
        ({"cut_after_messages": "0x10"}, Behaviour(cut_after_messages=16)),
        ({"receipt_tlvs": True}, Behaviour(receipt_tlvs=True)),
        ({"receipt_tlvs": "yes"}, Behaviour(receipt_tlvs=True)),
        ({"dialect": "no-bit"}, Behaviour(receipt_esm_class=0)),
    ],
)
def test_values_and_words_mean_the_same(words: dict[str, object], behaviour: Behaviour) -> None:
    assert changed(Behaviour(), words) == behaviour


SCENARIO = """
behaviour = { dialect = "hex-answer", receipts = "none" }

[[rules]]
to = "*99001"
refuse = "ESME_RINVDSTADR"

[[steps]]
at = 0.01
order = "throttle 100%"

[[steps]]
at = 0
order = "explode"
"""


async def test_a_scenario_is_played_in_its_time(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text(SCENARIO)
    scenario = read_scenario(file)
    async with SMSC(**scenario.behaviour) as smsc, bound(smsc) as its:
        for rule in scenario.rules:
            add_rule(smsc, rule)
        assert await answered(its, "8613899001", NUMBER) == [Status.ESME_RINVDSTADR, 0]
        told: list[str] = []
        await play(smsc, scenario.steps, tell=told.append)
        assert await answered(its) == [Status.ESME_RTHROTTLED]
    assert told == ["explode: no: there is no order explode; help lists them", "throttle 100%: done"]


@pytest.mark.parametrize("written", ["steps = 1", "[[steps]]\nat = 1", "nonsense", "speed = 1", "\xff"])
def test_a_scenario_that_cannot_be_played_is_named(written: str, tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_bytes(written.encode("latin-1"))
    with pytest.raises(Unfit, match=r"scenario\.toml"):
        read_scenario(file)


def test_an_empty_scenario_is_one(tmp_path: Path) -> None:
    file = tmp_path / "scenario.toml"
    file.write_text("")
    assert read_scenario(file) == Scenario()
