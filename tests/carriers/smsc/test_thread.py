"""The SMSC for testing serves tests without an event loop, from a thread of its own."""

import socket

import pytest
from carriers.smsc.line import NUMBER, short

from cleartosend.carriers.smpp.pdu import Bind, Command, Frame, Framer, encode
from cleartosend.testing import smsc_in_thread
from cleartosend.testing.smsc import Unfit


def hear(line: socket.socket) -> Frame:
    [frame] = Framer().feed(line.recv(4096))
    return frame


def test_it_takes_messages_and_orders_from_another_thread() -> None:
    with (
        smsc_in_thread(ids_from=7, receipts="none") as smsc,
        socket.create_connection(("127.0.0.1", smsc.port)) as line,
    ):
        line.sendall(encode(Command.BIND_TRANSCEIVER, Bind(system_id="cts"), sequence=1))
        assert hear(line)[1] == 0
        line.sendall(encode(Command.SUBMIT_SM, short(), sequence=2))
        [taken] = smsc.taken(1)
        assert (taken.number, taken.carrier_id) == (NUMBER, "7")
        assert hear(line)[3] == b"7\0"
        smsc.told()
        smsc.obey("throttle 100%")
        line.sendall(encode(Command.SUBMIT_SM, short(), sequence=3))
        assert hear(line)[1] == 0x58
        smsc.until(lambda its: its.counts["refused"] == 1)
        with pytest.raises(Unfit):
            smsc.obey("explode")
        with pytest.raises(TimeoutError):
            smsc.until(lambda _its: False, seconds=0.01)
        smsc.obey("cut")
        assert line.recv(1) == b""


def test_where_it_cannot_listen_it_says_so() -> None:
    with (
        smsc_in_thread() as first,
        pytest.raises(OSError, match="address already in use"),
        smsc_in_thread(port=first.port),
    ):
        pass
