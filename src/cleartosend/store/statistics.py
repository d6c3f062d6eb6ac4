"""What happened in each hour, by app: counted in the transactions in which it happens."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from cleartosend.model.meanings import Bucket, meaning_of
from cleartosend.model.messages import MessageState
from cleartosend.store.schema import statistics

SECONDS_PER_HOUR = 3600


class HourCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over hours."""

    requests: int = 0
    """Numbers that were asked for, copies of one number in a call once."""
    accepted: int = 0
    segments: int = 0
    """Of the messages accepted, those apart that never went out."""
    reported: int = 0
    """Messages whose end is known; each is delivered or failed."""
    delivered: int = 0
    failed: int = 0
    # Of those that failed, each in one of:
    internal: int = 0
    invalid_number: int = 0
    switched_off: int = 0
    blacklisted: int = 0
    too_often: int = 0


_COUNTED = HourCounts.__struct_fields__
_NOTHING = dict.fromkeys(_COUNTED, 0)


class Tally:
    """
    Adds up what one piece of work counts, so that each app and hour is written once.

    The engine's connections know the node they serve; each node has rows of its own, so that none waits for another.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], dict[str, int]] = {}

    def asked(self, sdk_app_id: str, *, at: float, requests: int, segments: Sequence[int]) -> None:
        """A call was answered, with the segments of each message that was accepted."""
        row = self._row(sdk_app_id, at)
        row["requests"] += requests
        row["accepted"] += len(segments)
        row["segments"] += sum(segments)

    def unpaid(self, sdk_app_id: str, *, at: float, segments: int) -> None:
        """A message that was accepted then has not gone out after all."""
        self._row(sdk_app_id, at)["segments"] -= segments

    def ended(self, sdk_app_id: str, *, at: float, state: str, code: str, times: Literal[1, -1] = 1) -> None:
        """A message came to this end; or, `times` being -1, to another one after all."""
        row = self._row(sdk_app_id, at)
        row["reported"] += times
        if state == MessageState.DELIVERED:
            row["delivered"] += times
        else:
            row["failed"] += times
            row[meaning_of(code).bucket or Bucket.INTERNAL] += times

    def write(self, tx: Connection) -> None:
        """Add it to what is counted."""
        if self._rows:
            node = tx.get_execution_options().get("node", 0)
            tx.execute(
                _ADD,
                [
                    {"sdk_app_id": sdk_app_id, "hour": hour, "node": node, **counts}
                    for (sdk_app_id, hour), counts in sorted(self._rows.items())
                ],
            )

    def _row(self, sdk_app_id: str, at: float) -> dict[str, int]:
        key = (sdk_app_id, int(at // SECONDS_PER_HOUR))
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _NOTHING.copy()
        return row


_NEW = insert(statistics)
_ADD = _NEW.on_conflict_do_update(
    index_elements=[statistics.c.sdk_app_id, statistics.c.hour, statistics.c.node],
    set_={name: statistics.c[name] + _NEW.excluded[name] for name in _COUNTED},
)


def read(tx: Connection, sdk_app_id: str, *, from_hour: int, to_hour: int) -> HourCounts:
    """The sums of an app over hours since 1970, both ends included."""
    row = tx.execute(_READ, {"of_app": sdk_app_id, "from_hour": from_hour, "to_hour": to_hour}).one()
    return HourCounts(**{name: int(value or 0) for name, value in zip(_COUNTED, row, strict=True)})


_READ = select(*[func.sum(statistics.c[name]) for name in _COUNTED]).where(
    statistics.c.sdk_app_id == bindparam("of_app"),
    statistics.c.hour.between(bindparam("from_hour"), bindparam("to_hour")),
)
