"""PDUs are written and read as SMPP 3.4 has them, and what is wrong with one is said in its words."""

import random
from typing import Any

import pytest
import smpp34
from hypothesis import given, strategies as st
from smpplib.client import SimpleSequenceGenerator
from smpplib.smpp import make_pdu, parse_pdu

from cleartosend.carriers.smpp.pdu import (
    BODIES,
    MOST_OCTETS,
    RESPONSE,
    Alert,
    BadLength,
    Bind,
    BindResp,
    Body,
    Cancel,
    Command,
    DataMessage,
    Empty,
    Framer,
    Malformed,
    MessageResp,
    Outbind,
    Query,
    QueryResp,
    Replace,
    ShortMessage,
    Status,
    Tag,
    Unwritable,
    decode,
    decode_short_message,
    encode,
    encode_body,
    encode_short_message,
    frame,
    tlv,
)

octets = st.integers(0, 255)
tlvs = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4).map(tuple)
FULL = ShortMessage(
    service_type="CMT",
    source_addr_ton=5,
    source_addr_npi=0,
    source_addr="ClearToSend",
    dest_addr_ton=1,
    dest_addr_npi=1,
    destination_addr="8613800138000",
    esm_class=0x40,
    protocol_id=1,
    priority_flag=2,
    schedule_delivery_time="260302040000000+",
    validity_period="000000010000000R",
    registered_delivery=1,
    replace_if_present_flag=1,
    data_coding=8,
    sm_default_msg_id=3,
    short_message=b"\x05\x00\x03\x07\x02\x01" + "您好".encode("utf-16-be"),
    tlvs=((Tag.USER_MESSAGE_REFERENCE, b"\x00\x01"), (0x1400, b"vendor"), (0x1400, b"twice")),
)


def text(most: int) -> st.SearchStrategy[str]:
    return st.text(st.characters(min_codepoint=1, max_codepoint=255), max_size=most)


short_messages = st.builds(
    ShortMessage,
    service_type=text(5),
    source_addr_ton=octets,
    source_addr_npi=octets,
    source_addr=text(20),
    dest_addr_ton=octets,
    dest_addr_npi=octets,
    destination_addr=text(20),
    esm_class=octets,
    protocol_id=octets,
    priority_flag=octets,
    schedule_delivery_time=text(16),
    validity_period=text(16),
    registered_delivery=octets,
    replace_if_present_flag=octets,
    data_coding=octets,
    sm_default_msg_id=octets,
    short_message=st.binary(max_size=255),
    tlvs=tlvs,
)


# --- written and read again ---


@given(short_messages)
def test_a_message_is_read_as_it_was_written(message: ShortMessage) -> None:
    written = encode_short_message(message)
    assert written == encode_body(message)
    assert decode_short_message(written) == message


@pytest.mark.parametrize(
    ("command", "body"),
    [
        (Command.BIND_TRANSMITTER, Bind(system_id="cts", password="secret", system_type="SMPP", address_range="10690")),
        (Command.BIND_RECEIVER, Bind(addr_ton=1, addr_npi=1)),
        (Command.BIND_TRANSCEIVER, Bind(password="longer than the eight that the standard has")),
        (Command.BIND_TRANSCEIVER_RESP, BindResp(system_id="smsc", tlvs=((Tag.SC_INTERFACE_VERSION, b"\x34"),))),
        (Command.OUTBIND, Outbind(system_id="smsc", password="secret")),
        (Command.SUBMIT_SM, FULL),
        (Command.DELIVER_SM, FULL),
        (Command.SUBMIT_SM_RESP, MessageResp(message_id="0af1")),
        (Command.SUBMIT_SM_RESP, MessageResp(message_id="0af1", tlvs=((Tag.ADDITIONAL_STATUS_INFO_TEXT, b"ok\0"),))),
        (Command.DELIVER_SM_RESP, MessageResp()),
        (Command.DATA_SM, DataMessage(destination_addr="x" * 64, tlvs=((Tag.MESSAGE_PAYLOAD, bytes(20_000)),))),
        (Command.DATA_SM_RESP, MessageResp(message_id="1", tlvs=((Tag.DELIVERY_FAILURE_REASON, b"\1"),))),
        (Command.QUERY_SM, Query(message_id="7", source_addr_ton=1, source_addr="10690")),
        (Command.QUERY_SM_RESP, QueryResp(message_id="7", final_date="260302040000000+", message_state=2)),
        (Command.CANCEL_SM, Cancel(service_type="CMT", message_id="7", destination_addr="86138")),
        (Command.CANCEL_SM_RESP, Empty()),
        (Command.REPLACE_SM, Replace(message_id="7", short_message=b"instead", sm_default_msg_id=1)),
        (Command.ALERT_NOTIFICATION, Alert(source_addr="86138", esme_addr_ton=1, esme_addr="10690")),
        (Command.ENQUIRE_LINK, Empty()),
        (Command.GENERIC_NACK, Empty()),
    ],
)
def test_every_kind_of_pdu_is_read_as_it_was_written(command: Command, body: Body) -> None:
    written = encode(command, body, sequence=7, status=3)
    assert Framer().feed(written) == [(command, 3, 7, written[16:])]
    assert decode(command, written[16:]) == body
    assert int.from_bytes(written[:4]) == len(written)


def test_every_command_of_the_standard_is_read_but_for_those_to_many() -> None:
    assert set(Command) - set(BODIES) == {Command.SUBMIT_MULTI, Command.SUBMIT_MULTI_RESP}


def test_octets_of_a_pdu_are_those_of_the_standard() -> None:
    """The bind_transmitter of SMPP 3.4, 3.2.1.1, which is printed there octet by octet."""
    written = encode(
        Command.BIND_TRANSMITTER,
        Bind(
            system_id="SMPP3TEST",
            password="secret08",
            system_type="SUBMIT1",
            interface_version=0,
            addr_ton=1,
            addr_npi=1,
        ),
        sequence=1,
    )
    assert written == bytes.fromhex(
        "0000002f 00000002 00000000 00000001 534d50503354455354 00 7365637265743038 00 5355424d495431 00 00 01 01 00"
    )


def test_a_parameter_is_found_by_its_tag_the_first_of_several() -> None:
    assert tlv(FULL.tlvs, 0x1400) == b"vendor"
    assert tlv(FULL.tlvs, 0x1401) is None


# --- what cannot be written ---


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source_addr": "x" * 21}, "source_addr"),
        ({"destination_addr": "86\x00138"}, "destination_addr"),
        ({"source_addr": "清风"}, "source_addr"),
        ({"service_type": "CMTCMT"}, "service_type"),
        ({"validity_period": "0" * 17}, "validity_period"),
        ({"data_coding": 256}, "data_coding"),
        ({"esm_class": -1}, "esm_class"),
        ({"short_message": bytes(256)}, "sm_length"),
        ({"tlvs": ((1, bytes(65_536)),)}, "0x0001"),
    ],
)
def test_what_does_not_fit_its_field_is_not_written(changes: dict[str, Any], field: str) -> None:
    for write in (encode_short_message, encode_body):
        with pytest.raises(Unwritable) as caught:
            write(ShortMessage(**changes))
        assert caught.value.field == field


# --- what cannot be read ---

PLAIN = encode_short_message(ShortMessage(source_addr="10690", destination_addr="86138", short_message=b"hello"))


@pytest.mark.parametrize(
    ("command", "body", "status"),
    [
        (Command.DELIVER_SM, b"", Status.ESME_RINVCMDLEN),
        (Command.DELIVER_SM, b"CMT", Status.ESME_RINVCMDLEN),
        (Command.DELIVER_SM, b"CMTCMT\0" + PLAIN[1:], Status.ESME_RINVSERTYP),
        (Command.DELIVER_SM, b"\0\1\1" + b"1" * 21 + b"\0" + bytes(40), Status.ESME_RINVSRCADR),
        (Command.DELIVER_SM, b"\0\1\1\0\1\1" + b"1" * 21 + b"\0" + bytes(40), Status.ESME_RINVDSTADR),
        (Command.DELIVER_SM, b"\0\1\1\0\1\1\0\0\0\0" + b"1" * 17 + bytes(40), Status.ESME_RINVSCHED),
        (Command.DELIVER_SM, b"\0\1\1\0\1\1\0\0\0\0\0" + b"1" * 17 + bytes(40), Status.ESME_RINVEXPIRY),
        (Command.DELIVER_SM, PLAIN[:-6], Status.ESME_RINVCMDLEN),
        (Command.DELIVER_SM, PLAIN[:-1], Status.ESME_RINVMSGLEN),
        (Command.DELIVER_SM, PLAIN + b"\x04\x24\x00", Status.ESME_RINVOPTPARSTREAM),
        (Command.DELIVER_SM, PLAIN + b"\x04\x24\xff\xff" + bytes(100), Status.ESME_RINVOPTPARSTREAM),
        (Command.SUBMIT_SM, PLAIN[:-1], Status.ESME_RINVMSGLEN),
        (Command.DATA_SM, b"\0\1\1" + b"1" * 65, Status.ESME_RINVSRCADR),
        (Command.BIND_TRANSCEIVER, b"x" * 70, Status.ESME_RINVSYSID),
        (Command.BIND_TRANSCEIVER, b"x\0" + b"y" * 70, Status.ESME_RINVPASWD),
        (Command.BIND_TRANSCEIVER, b"x\0y\0" + b"z" * 13, Status.ESME_RINVSYSTYP),
        (Command.QUERY_SM, b"x" * 300, Status.ESME_RINVMSGID),
        (Command.SUBMIT_MULTI, PLAIN, Status.ESME_RINVCMDID),
        (0x0001_0200, b"", Status.ESME_RINVCMDID),
    ],
)
def test_what_is_wrong_with_a_pdu_is_said_in_the_words_of_the_standard(
    command: int, body: bytes, status: Status
) -> None:
    with pytest.raises(Malformed) as caught:
        decode(command, body)
    assert caught.value.status is status


def test_a_message_cut_anywhere_is_malformed_or_what_is_left_is_whole() -> None:
    whole = encode_short_message(FULL)
    read = []
    for end in range(len(whole)):
        try:
            read.append(decode_short_message(whole[:end]))
        except Malformed:
            continue
    # Only between its optional parameters can it be cut so that nobody notices.
    assert [len(message.tlvs) for message in read] == [0, 1, 2]


@pytest.mark.parametrize(
    ("command", "body", "read"),
    [
        (Command.SUBMIT_SM_RESP, b"", MessageResp()),
        (Command.SUBMIT_SM_RESP, b"\0", MessageResp()),
        (Command.SUBMIT_SM_RESP, b"no NUL", MessageResp(message_id="no NUL")),
        (Command.SUBMIT_SM_RESP, b"id\0\x04\x24", MessageResp(message_id="id")),
        (Command.SUBMIT_SM_RESP, b"id\0\0\1\0\1x\0\2\0\x09", MessageResp(message_id="id", tlvs=((1, b"x"),))),
        (Command.BIND_TRANSCEIVER_RESP, b"", BindResp()),
        (Command.QUERY_SM_RESP, b"7\0" + b"1" * 40, QueryResp(message_id="7")),
        (Command.UNBIND_RESP, b"\0", Empty()),
    ],
)
def test_an_answer_is_read_as_far_as_it_goes(command: int, body: bytes, read: Body) -> None:
    assert decode(command, body) == read


# --- framing ---


@given(st.data())
def test_pdus_are_the_same_however_their_octets_come(data: st.DataObject) -> None:
    frames = [frame(4, place, bytes(place % 7)) for place in range(data.draw(st.integers(1, 8)))]
    stream = b"".join(frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    framer = Framer()
    read = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        read += framer.feed(stream[start:end])
    assert read == [(4, 0, place, bytes(place % 7)) for place in range(len(frames))]
    assert not framer.waits_for_more
    assert framer.fault is None


@pytest.mark.parametrize("length", [0, 1, 15, MOST_OCTETS + 1, 0xFFFF_FFFF])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_length_that_cannot_be_is_found_when_it_comes_and_not_waited_for(length: int, *, at_once: bool) -> None:
    framer = Framer()
    stream = frame(0x15, 1) + length.to_bytes(4) + bytes(8) + (9).to_bytes(4)
    chunks = [stream] if at_once else [stream[place : place + 1] for place in range(len(stream))]
    read = [one for chunk in chunks for one in framer.feed(chunk)]
    assert read == [(0x15, 0, 1, b"")]
    assert framer.fault == BadLength(length, 9 if at_once else 0)
    assert framer.feed(frame(0x15, 2)) == []


def test_the_longest_pdu_is_read_and_one_longer_is_not() -> None:
    assert len(Framer(100).feed(frame(5, 1, bytes(84)))) == 1
    framer = Framer(100)
    assert framer.feed(frame(5, 1, bytes(85))) == []
    assert framer.fault == BadLength(101, 1)


# --- as others write it ---


def random_message(rng: random.Random) -> ShortMessage:
    """Any but for what the other writers cannot: characters beyond ASCII, and times that are no times."""

    def digits(most: int) -> str:
        return "".join(rng.choices("0123456789abc", k=rng.randrange(most + 1)))

    return ShortMessage(
        service_type=digits(5),
        source_addr_ton=rng.randrange(7),
        source_addr_npi=rng.choice([0, 1, 3, 4, 6, 8, 9, 10, 14, 18]),
        source_addr=digits(20),
        dest_addr_ton=rng.randrange(7),
        dest_addr_npi=rng.choice([0, 1, 3, 4, 6, 8, 9, 10, 14, 18]),
        destination_addr=digits(20),
        esm_class=rng.choice([0, 0x04, 0x40, 0x44]),
        protocol_id=rng.randrange(256),
        priority_flag=rng.randrange(4),
        schedule_delivery_time=rng.choice(["", "260302040000000+"]),
        validity_period=rng.choice(["", "000000010000000R"]),
        registered_delivery=rng.randrange(2),
        replace_if_present_flag=rng.randrange(2),
        data_coding=rng.choice([0, 1, 3, 4, 8, 0xF0]),
        sm_default_msg_id=rng.randrange(255),
        short_message=rng.randbytes(rng.randrange(255)),
    )


@pytest.mark.parametrize("kind", [smpp34.SubmitSm, smpp34.DeliverSm])
def test_messages_of_smpp34_are_read_alike_and_written_octet_for_octet(kind: Any) -> None:
    rng = random.Random(34)
    for sequence in range(1, 201):
        message = random_message(rng)
        tags = [(rng.choice([0x0204, 0x1400, 0x3FFF]), rng.randbytes(rng.randrange(40))) for _ in range(3)]
        fields = {name: getattr(message, name) for name in message.__struct_fields__ if name != "tlvs"}
        theirs = kind(**fields, tlvs=[smpp34.Tlv(*one) for one in tags], sequence_number=sequence).encode()
        ((command, status, its_sequence, body),) = Framer().feed(theirs)
        read = decode_short_message(body)
        assert (status, its_sequence, read.short_message) == (0, sequence, message.short_message)
        assert [*read.tlvs] == tags
        assert encode(command, read, sequence=sequence) == theirs
        again = smpp34.decode(theirs)
        assert {name: getattr(again, name) for name in fields} == fields


THEIR_NAMES = {
    Command.BIND_TRANSMITTER: "bind_transmitter",
    Command.BIND_TRANSCEIVER: "bind_transceiver",
    Command.SUBMIT_SM: "submit_sm",
    Command.DELIVER_SM: "deliver_sm",
    Command.DATA_SM: "data_sm",
    Command.QUERY_SM: "query_sm",
    Command.ENQUIRE_LINK: "enquire_link",
    Command.UNBIND: "unbind",
}


@pytest.mark.parametrize(
    ("command", "body"),
    [
        (Command.BIND_TRANSMITTER, Bind(system_id="cts", password="secret", system_type="SMPP")),
        (Command.BIND_TRANSCEIVER, Bind(system_id="cts", password="secret", interface_version=0x34, addr_ton=1)),
        *[(Command.SUBMIT_SM, random_message(random.Random(seed))) for seed in range(25)],
        *[(Command.DELIVER_SM, random_message(random.Random(seed))) for seed in range(25, 50)],
        (Command.DELIVER_SM, ShortMessage(tlvs=((Tag.RECEIPTED_MESSAGE_ID, b"7\0"), (Tag.MESSAGE_STATE, b"\2")))),
        (Command.DATA_SM, DataMessage(source_addr="1", destination_addr="2", data_coding=8)),
        (Command.QUERY_SM, Query(message_id="7", source_addr="1")),
        (Command.ENQUIRE_LINK, Empty()),
        (Command.UNBIND, Empty()),
    ],
)
def test_smpplib_reads_what_we_write_and_we_read_what_it_writes(command: Command, body: Body) -> None:
    """Its fields have the standard's names too, so all that both know are compared."""
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name != "tlvs"}
    numbers = SimpleSequenceGenerator()
    theirs = parse_pdu(encode(command, body, sequence=7), client=numbers, allow_unknown_opt_params=True)
    assert theirs.command == THEIR_NAMES[command]
    assert theirs.sequence == 7
    for name, value in fields.items():
        read = getattr(theirs, name)
        assert (read or b"" if isinstance(value, str | bytes) else read or 0) == (
            value.encode() if isinstance(value, str) else value
        ), name

    kept = {name: value for name, value in fields.items() if value}
    written = make_pdu(THEIR_NAMES[command], client=numbers, **kept).generate()
    ((their_command, _, _, its_body),) = Framer().feed(written)
    assert their_command == command
    read_again = decode(command, its_body)
    assert {name: getattr(read_again, name) for name in fields} == fields


def test_a_response_has_the_number_of_its_request_and_one_bit() -> None:
    for command in Command:
        if command.name.endswith("_RESP"):
            assert Command[command.name.removesuffix("_RESP")] | RESPONSE == command
