"""For those who test against Clear to Send: what disguises a text, to see that a policy still sees through it."""
