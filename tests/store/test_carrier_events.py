"""Why more or less goes to a carrier than before is kept, and what still holds is never forgotten."""

from cleartosend.ports import Engine
from cleartosend.store import carrier_events
from cleartosend.store.carrier_events import CarrierEvent


def event(at: float, carrier: str, share: int, route: str = "all") -> CarrierEvent:
    return CarrierEvent(at=at, route=route, carrier=carrier, share=share, because="50 errors in a minute")


LEFT, BACK, OTHER = event(1.0, "a", 0), event(2.0, "a", 100), event(3.0, "b", 0)


async def test_the_newest_come_first(engine: Engine) -> None:
    await engine.write(lambda tx: carrier_events.keep(tx, [LEFT, BACK]))
    await engine.write(lambda tx: carrier_events.keep(tx, [OTHER]))
    assert await engine.read(lambda tx: carrier_events.newest(tx, carrier=None, limit=2)) == [OTHER, BACK]
    assert await engine.read(lambda tx: carrier_events.newest(tx, carrier="a", limit=9)) == [BACK, LEFT]


async def test_what_holds_is_the_last_change_of_each_carrier_in_each_route(engine: Engine) -> None:
    elsewhere = event(1.5, "a", 0, route="codes")
    await engine.write(lambda tx: carrier_events.keep(tx, [LEFT, elsewhere, BACK, OTHER]))
    assert await engine.read(carrier_events.latest) == {
        ("all", "a"): BACK,
        ("all", "b"): OTHER,
        ("codes", "a"): elsewhere,
    }


async def test_what_is_old_is_forgotten_unless_it_still_holds(engine: Engine) -> None:
    await engine.write(lambda tx: carrier_events.keep(tx, [LEFT, BACK, OTHER]))
    await engine.write(lambda tx: carrier_events.forget(tx, before=10.0))
    assert await engine.read(lambda tx: carrier_events.newest(tx, carrier=None, limit=9)) == [OTHER, BACK]
