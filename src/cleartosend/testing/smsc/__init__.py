"""An SMSC for testing: an SMPP 3.4 server that takes messages, reports on them, and misbehaves as it is told."""

from cleartosend.testing.smsc.behaviour import DIALECTS, Behaviour, Choice, Span, Unfit
from cleartosend.testing.smsc.exchange import Taken
from cleartosend.testing.smsc.server import SMSC
from cleartosend.testing.smsc.thread import SMSCInThread, smsc_in_thread

__all__ = ["DIALECTS", "SMSC", "Behaviour", "Choice", "SMSCInThread", "Span", "Taken", "Unfit", "smsc_in_thread"]
