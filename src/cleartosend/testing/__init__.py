"""For those who test against Clear to Send, or a client of SMPP: texts in disguise, and an SMSC that misbehaves."""

from cleartosend.testing.smsc import SMSC, smsc_in_thread

__all__ = ["SMSC", "smsc_in_thread"]
