"""The dialect of Tencent Cloud SMS: what its clients sign, ask and read, translated; nothing is decided here."""
