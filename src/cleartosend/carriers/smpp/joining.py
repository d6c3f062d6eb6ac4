"""Parts of long replies wait here for each other; none is acknowledged before all are kept."""

import asyncio
from collections.abc import Callable

import msgspec

from cleartosend.carriers.smpp.session import Delivery, Session
from cleartosend.carriers.smpp.text import Piece, Place

# A carrier that sends one message at a time waits for us meanwhile, and others send anew what is not answered in some
# ten seconds. Parts that are not together by then are kept as they are, each for a reply.
WAIT_SECONDS = 3.0
MOST_WAITING = 1000

Held = tuple[Session, Delivery]
"""A delivery that is not acknowledged yet, and where."""
_Key = tuple[str, str, int, int]


class _Text(msgspec.Struct):
    """What has come of one text."""

    pieces: dict[int, Piece]
    held: list[Held]
    """With those that came twice."""
    timer: asyncio.TimerHandle


class Joining:
    """
    Puts replies together.

    `done` is called with the deliveries and the pieces in order: of a whole text, or of what came in time.
    """

    def __init__(self, done: Callable[[list[Held], list[Piece]], None]) -> None:
        self._done = done
        self._texts: dict[_Key, _Text] = {}

    def take(self, held: Held, place: Place, piece: Piece) -> None:
        """One more part."""
        message = held[1].message
        key = (message.source_addr, message.destination_addr, place.reference, place.of)
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= MOST_WAITING:
                self._give_out(next(iter(self._texts)))
            timer = asyncio.get_running_loop().call_later(WAIT_SECONDS, self._give_out, key)
            text = self._texts[key] = _Text({}, [], timer)
        text.pieces[place.number] = piece
        text.held.append(held)
        if len(text.pieces) == place.of:
            self._give_out(key)

    def give_out_all(self) -> None:
        """Wait no longer for anything."""
        for key in list(self._texts):
            self._give_out(key)

    def _give_out(self, key: _Key) -> None:
        text = self._texts.pop(key)
        text.timer.cancel()
        self._done(text.held, [piece for _number, piece in sorted(text.pieces.items())])
