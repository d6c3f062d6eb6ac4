"""Limit and Offset as the listing actions take them."""

from cleartosend.api.tencent import errors
from cleartosend.api.tencent.errors import Fault

MOST_PER_PAGE = 100
USUAL_PER_PAGE = 10
MOST_OFFSET = 2**63 - 1


def limit_is_wrong(limit: int, most: int) -> Fault | None:
    return None if 0 <= limit <= most else Fault(errors.INVALID_LIMIT, str(most))


def offset_is_wrong(offset: int) -> Fault | None:
    return None if 0 <= offset <= MOST_OFFSET else Fault(errors.INVALID_OFFSET)
