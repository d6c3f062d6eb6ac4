"""Notes in gates.json the literals of all shipped patterns, so that a start need not look for them."""

import sys
from pathlib import Path

from cleartosend.policy import matchers
from cleartosend.policy.nature import read_nature, shows_members
from cleartosend.policy.normalise import normalise
from cleartosend.policy.rulebook import load_rulebook

FILE = Path(__file__).with_name(matchers.GATES)


def anew() -> str:
    """What the file is to say. Whatever else has been matched in this process is noted with it."""
    load_rulebook()
    nothing = normalise("")
    read_nature(nothing)
    shows_members(nothing)
    return matchers.gates_anew()


def main() -> int:
    """Write the file; a pattern that is not in it works as well, and makes a start a little longer."""
    FILE.write_text(anew(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
