"""The dialect of Tencent Cloud SMS: what its clients sign, ask and read, translated; others decide what may be sent."""
