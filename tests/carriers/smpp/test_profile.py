"""Profiles: read, refused with the field's name, and what they say of statuses, numbers and dates."""

from pathlib import Path

import pytest

from cleartosend.carriers.smpp.pdu import Status
from cleartosend.carriers.smpp.profile import (
    Addresses,
    BadProfile,
    IdForm,
    OwnTlv,
    Profile,
    Statuses,
    parse_profile,
    read_profile,
    shipped,
)
from cleartosend.model.alphabets import Alphabet
from cleartosend.model.meanings import meaning_of
from cleartosend.model.messages import ReceiptStatus
from cleartosend.ports import NotSubmitted


def test_what_a_file_does_not_say_is_as_usual() -> None:
    said = parse_profile("", name="mine")
    assert said == Profile()
    usual = read_profile("usual")
    assert usual.receipts == said.receipts
    assert usual.statuses == said.statuses


@pytest.mark.parametrize("name", shipped())
def test_every_profile_that_ships_can_be_read_and_names_its_sources(name: str) -> None:
    profile = read_profile(name)
    assert profile.about.endswith(".")
    assert profile.sources


@pytest.mark.parametrize("name", shipped())
def test_every_error_code_that_is_translated_becomes_one_that_is_known(name: str) -> None:
    for code in read_profile(name).receipts.errors.values():
        assert meaning_of(code).known, code


def test_a_profile_of_ones_own_is_read_from_its_path(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('id_in_answer = "hex"\nid_in_receipt = "decimal"\n')
    profile = read_profile(str(file))
    assert (profile.id_in_answer, profile.id_in_receipt) == (IdForm.HEX, IdForm.DECIMAL)


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("alphabet = []", "unknown field `alphabet`"),
        ('[receipts]\nsource = "voice"', "`$.receipts.source`"),
        ('[receipts.words]\nARRIVED = "ARRIVED"', "`$.receipts.words"),
        ('[receipts]\nutc_offset = "Beijing"', "`$.receipts.utc_offset`"),
        ('[receipts]\nutc_offset = "+24:00"', "receipts.utc_offset"),
        ('[receipts]\npattern = "(?P<id>"', "receipts.pattern"),
        ('[receipts]\npattern = "(?P<id>x)"', "groups named id and status"),
        ('[statuses]\nthrottled = ["ESME_RSLOW"]', "`ESME_RSLOW`"),
        ("alphabets = []", "alphabets: at least one"),
        ('[[alphabets]]\nalphabet = "ebcdic"\ndata_coding = 0', "`$.alphabets[0].alphabet`"),
        ('id_in_answer = "hex"', "id_in_answer and id_in_receipt"),
        ('[[tlvs]]\ntag = 5120\nform = "1"\nvalue = 256', "`256` does not fit"),
        ('[[tlvs]]\ntag = 5120\nform = "hex"\nvalue = "xy"', "tlvs: `xy`"),
        ("registered_delivery = 256", "`$.registered_delivery`"),
        ("joining =", "mine"),
    ],
)
def test_a_profile_that_cannot_be_is_refused_by_the_name_of_the_field(written: str, named: str) -> None:
    with pytest.raises(BadProfile) as refused:
        parse_profile(written, name="mine")
    assert str(refused.value).startswith("profile mine: ")
    assert named in str(refused.value)


def test_a_profile_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="hex-in-answer"):
        read_profile("nowhere")
    with pytest.raises(BadProfile):
        read_profile(str(tmp_path))


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (Status.ESME_RTHROTTLED, NotSubmitted("ESME_RTHROTTLED", again=True, slow_down=True)),
        (Status.ESME_RMSGQFUL, NotSubmitted("ESME_RMSGQFUL", again=True, slow_down=True)),
        (Status.ESME_RSYSERR, NotSubmitted("ESME_RSYSERR", again=True)),
        (Status.ESME_RINVDSTADR, NotSubmitted("ESME_RINVDSTADR", again=False, of_message=True)),
        (Status.ESME_RINVSRCADR, NotSubmitted("ESME_RINVSRCADR", again=False, tell_operator=True)),
        # Of its own, and nobody has said what it means.
        (0x0451, NotSubmitted("0x00000451", again=False, tell_operator=True)),
    ],
)
def test_a_status_says_whether_to_send_again_and_whom_to_tell(status: int, refusal: NotSubmitted) -> None:
    assert Profile().refusal(status) == refusal


def test_every_status_of_the_standard_is_known() -> None:
    for status in Status:
        assert Profile().refusal(status).code == status.name


def test_a_profile_says_what_the_statuses_of_its_carrier_ask_for() -> None:
    said = Profile(statuses=Statuses(throttled=("ESME_RTHROTTLED", 0x0451), temporary=(), permanent=(0x0452,)))
    assert said.refusal(0x0451) == NotSubmitted("0x00000451", again=True, slow_down=True)
    assert said.refusal(0x0452) == NotSubmitted("0x00000452", again=False, of_message=True)
    assert not said.refusal(Status.ESME_RSYSERR).again


@pytest.mark.parametrize(
    ("addresses", "written"),
    [
        (Addresses(), "8613800138000"),
        (Addresses(number="plus"), "+8613800138000"),
        (Addresses(number="zeros"), "008613800138000"),
        (Addresses(without_prefix="86"), "13800138000"),
    ],
)
def test_a_number_is_written_as_the_carrier_wants_it_and_read_back(addresses: Addresses, written: str) -> None:
    said = Profile(addresses=addresses)
    assert said.number("+8613800138000") == written
    assert said.e164(written) == "+8613800138000"


def test_a_number_of_another_country_keeps_its_code() -> None:
    said = Profile(addresses=Addresses(without_prefix="86"))
    assert said.number("+447700900000") == "447700900000"
    # The carrier says that it is international.
    assert said.e164("447700900000", ton=1) == "+447700900000"


def test_who_writes_with_letters_is_left_as_written() -> None:
    assert Profile().e164("Bookshop") == "Bookshop"


@pytest.mark.parametrize(
    ("address", "type_and_plan"), [("Bookshop", (5, 0)), ("10690001", (0, 0)), ("+4477009", (0, 0)), ("", (0, 0))]
)
def test_a_sender_with_letters_is_alphanumeric(address: str, type_and_plan: tuple[int, int]) -> None:
    assert Profile().type_of_source(address) == type_and_plan


def test_what_is_worth_delivering_for_ever_has_no_validity() -> None:
    assert Profile().validity_period(100.0, now=0.0) == ""
    assert Profile(validity="relative").validity_period(100.0, now=100.0) == ""


def test_a_message_brings_the_parameters_that_the_carrier_asks_for() -> None:
    said = Profile(
        tlvs=(
            OwnTlv(tag=0x1400, value="1101"),
            OwnTlv(tag=0x1401, value="1101", form="c-text"),
            OwnTlv(tag=0x1402, value=258, form="2"),
            OwnTlv(tag=0x1403, value="0a0b", form="hex"),
        )
    )
    assert said.own_tlvs == ((0x1400, b"1101"), (0x1401, b"1101\0"), (0x1402, b"\1\2"), (0x1403, b"\n\x0b"))


def test_what_a_profile_says_of_a_status_is_stronger_than_what_is_usual() -> None:
    said = Profile(statuses=Statuses(permanent=("ESME_RINVSRCADR",), operator=("ESME_RTHROTTLED",)))
    assert said.refusal(Status.ESME_RINVSRCADR) == NotSubmitted("ESME_RINVSRCADR", again=False, of_message=True)
    assert said.refusal(Status.ESME_RTHROTTLED) == NotSubmitted("ESME_RTHROTTLED", again=False, tell_operator=True)


def test_words_of_the_carrier_are_read_in_any_case() -> None:
    said = parse_profile('[receipts.words]\nDndNumber = "REJECTD"', name="mine")
    assert said.words == {"DNDNUMBER": ReceiptStatus.REJECTED}


def test_latin_letters_go_out_as_the_profile_says() -> None:
    assert [one.alphabet for one in read_profile("latin1").alphabets] == [
        Alphabet.GSM7,
        Alphabet.LATIN1,
        Alphabet.UCS2,
    ]


def test_the_profile_in_the_how_to_can_be_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "adding-a-profile.md").read_text("utf-8")
    profile = parse_profile(page.split("```toml\n")[1].split("```")[0], name="how-to")
    assert profile.refusal(0x0451).slow_down
    assert profile.words == {"DNDNUM": ReceiptStatus.REJECTED}
