"""Tables of figures, and the pages that they are written into."""

import re
from collections.abc import Iterable, Sequence


def replaced(page: str, name: str, block: str) -> str:
    """The page with what stands between the marks of that name replaced; ValueError where it has none."""
    marks = re.compile(rf"(<!-- measured: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    made, times = marks.subn(lambda found: f"{found[1]}\n{block.strip()}\n\n{found[2]}", page)
    if times != 1:
        raise ValueError(f"the page has {times} places for {name}")
    return made


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def share(part: int, of: int) -> str:
    """
    A share in percent; a dash where there is nothing to share.

    >>> share(1, 8), share(0, 0)
    ('12.5 %', '-')
    """
    return f"{100 * part / of:.1f} %" if of else "-"
