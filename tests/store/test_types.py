"""Threads may be the first to use a type, together: what msgspec remembers of it is there before them."""

import subprocess
import sys

# In a process of its own: what goes wrong here ends it.
FIRST_USES = """
import asyncio, enum, sys, tempfile, threading
from pathlib import Path

import msgspec

from cleartosend.store.sqlite import SqliteEngine

State = enum.StrEnum("State", {f"S{n}": f"s{n}" for n in range(20)})
fields = [("state", State), *((f"field{n}", int) for n in range(10))]
types = [msgspec.defstruct(f"Type{n}", fields, module="cleartosend.of_this_test") for n in range(500)]
row = types[0](State.S1, *range(10))


async def main():
    engine = SqliteEngine(Path(tempfile.mkdtemp()) / "store.db")
    together = threading.Barrier(2)

    def use(tx, one):
        together.wait()
        msgspec.convert(row, one, from_attributes=True)

    for one in types:
        await asyncio.gather(*(engine.read(lambda tx: use(tx, one)) for _ in range(2)))
    await engine.close()


sys.setswitchinterval(1e-6)
asyncio.run(main())
"""


def test_two_threads_may_be_the_first_to_use_a_type() -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_USES], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
