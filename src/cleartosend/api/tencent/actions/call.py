"""What every action is given beside its parameters: who calls, and the rooms that do the work."""

from collections.abc import Callable

import msgspec

from cleartosend.admission.accept import Admission
from cleartosend.admission.directory import Dossier
from cleartosend.ports import Engine
from cleartosend.review.apply import Applications


class Rooms(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls are turned to."""

    admission: Admission
    applications: Applications
    engine: Engine
    clock: Callable[[], float]


class Call(msgspec.Struct, frozen=True, gc=False):
    """One authenticated call."""

    rooms: Rooms
    dossier: Dossier
    secret_id: str
    key: bytes | None = None
    """The header that names the call, so that it is answered once however often it is made; None: it has no name."""
