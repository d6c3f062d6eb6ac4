"""Limit and Offset as the listing actions take them."""

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.errors import Fault

MOST_PER_PAGE = 100
USUAL_PER_PAGE = 10
MOST_OFFSET = 2**63 - 1


def limit_is_wrong(limit: int, most: int, *, least: int = 0) -> Fault | None:
    return None if least <= limit <= most else Fault(errors.INVALID_LIMIT, f"{least} - {most}")


def offset_is_wrong(offset: int, most: int = MOST_OFFSET) -> Fault | None:
    return None if 0 <= offset <= most else Fault(errors.INVALID_OFFSET, f"0 - {most}" if most else "0")
