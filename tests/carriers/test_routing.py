"""The first route that fits a message is its route, and the carriers of a route hold their shares."""

from collections import Counter
from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, select
from usual import Clock, reasons, template_for_abroad, usual_account, usual_admission

from cleartosend.carriers.dispatch import send_by_routes_of_today
from cleartosend.carriers.routing import Routing
from cleartosend.model.carriers import EVERYTHING, Route
from cleartosend.model.reasons import Reason
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine, Places
from cleartosend.store.schema import spool as spool_table

BY_COUNTRY = Route(name="abroad", countries=("US", "GB"), carriers={"far": 1})
BY_PREFIX = Route(name="mobile", prefixes=("+86134", "+86139"), carriers={"near": 1})
BY_TYPE = Route(name="offers", types=(MessageType.MARKETING,), carriers={"cheap": 1})
BY_SIGNATURE = Route(name="books", signatures=("清风书店",), carriers={"near": 1})
BY_SENDER = Route(name="branded", senders=("BOOKS",), carriers={"far": 1})
THE_REST = Route(name="rest", carriers={"near": 3, "far": 1})
CARRIERS = ("near", "far", "cheap")


def route(routing: Routing, **differs: object) -> str | None:
    """The route of the usual code, but for what differs."""
    usual = {
        "number": "+8613711112222",
        "iso": "CN",
        "type_": MessageType.VERIFICATION,
        "signature": "别家",
        "sender_id": "",
    }
    return routing.route_of(**(usual | differs))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("differs", "wanted"),
    [
        ({}, "rest"),
        ({"number": "+12025550123", "iso": "US"}, "abroad"),
        ({"number": "+4915112345678", "iso": "DE"}, "rest"),
        ({"number": "+8613911112222"}, "mobile"),
        ({"type_": MessageType.MARKETING}, "offers"),
        ({"signature": "清风书店"}, "books"),
        ({"sender_id": "BOOKS"}, "branded"),
        # Two fit: the first that is written down has it.
        ({"number": "+12025550123", "iso": "US", "sender_id": "BOOKS"}, "abroad"),
        ({"number": "+8613911112222", "signature": "清风书店"}, "mobile"),
    ],
)
def test_the_first_route_that_fits_is_the_route(differs: dict[str, object], wanted: str) -> None:
    routes = (BY_COUNTRY, BY_PREFIX, BY_TYPE, BY_SIGNATURE, BY_SENDER, THE_REST)
    assert route(Routing(routes, CARRIERS), **differs) == wanted


def test_a_route_fits_only_when_all_that_it_says_does() -> None:
    both = Route(name="both", countries=("CN",), types=(MessageType.MARKETING,), carriers={"cheap": 1})
    routing = Routing((both,), CARRIERS)
    assert route(routing, type_=MessageType.MARKETING) == "both"
    assert route(routing) is None
    assert route(routing, iso="US", type_=MessageType.MARKETING) is None


def test_where_no_route_is_written_down_every_carrier_takes_every_message() -> None:
    routing = Routing((), CARRIERS)
    assert route(routing) == EVERYTHING
    assert routing.shares(EVERYTHING) == dict.fromkeys(CARRIERS, 1)


def handed(routing: Routing, route: str, able: Sequence[str], batches: Sequence[int]) -> Counter[str]:
    """How many messages each carrier got of batches of these sizes."""
    got: Counter[str] = Counter()
    for messages in batches:
        chosen = routing.choose(route, able)
        assert chosen is not None
        routing.count(route, able, chosen, messages)
        got[chosen] += messages
    return got


def test_shares_hold_over_many_messages() -> None:
    routing = Routing((THE_REST,), CARRIERS)
    assert handed(routing, "rest", ["near", "far"], [1] * 100) == {"near": 75, "far": 25}


def test_shares_hold_over_batches_of_any_size() -> None:
    routing = Routing((THE_REST,), CARRIERS)
    got = handed(routing, "rest", ["near", "far"], [1, 200, 3, 50, 7] * 40)
    assert got["near"] / got.total() == pytest.approx(0.75, abs=0.03)


def test_a_carrier_that_was_not_able_is_owed_nothing_when_it_is_again() -> None:
    routing = Routing((THE_REST,), CARRIERS)
    assert handed(routing, "rest", ["far"], [1] * 1000) == {"far": 1000}
    assert handed(routing, "rest", ["near", "far"], [1] * 100) == {"near": 75, "far": 25}


def test_a_carrier_without_a_share_stands_by_until_no_other_is_up() -> None:
    routing = Routing((Route(name="r", carriers={"first": 1, "spare": 0}),), ("first", "spare"))
    assert routing.takers("r", ["first", "spare"]) == ["first"]
    assert routing.takers("r", ["spare"]) == ["spare"]
    assert routing.takers("r", []) == []


def test_a_spare_is_asked_before_a_carrier_that_was_left_and_that_one_before_nobody() -> None:
    routing = Routing((Route(name="r", carriers={"first": 1, "spare": 0}),), ("first", "spare"))
    routing.set_share("r", "first", 0)
    assert routing.takers("r", ["first", "spare"]) == ["spare"]
    assert routing.takers("r", ["first"]) == ["first"]


class Way:
    """Routes, and no carrier that has room."""

    def __init__(self, routing: Routing) -> None:
        self.route_of = routing.route_of

    def reserve(self, route: str, lane: int, messages: int) -> Places | None:  # noqa: ARG002 - as the port has it
        return None


async def routes_in_spool(engine: Engine) -> list[str]:
    def question(tx: Connection) -> list[str]:
        return list(tx.execute(select(spool_table.c.route).order_by(spool_table.c.message_id)).scalars())

    return await engine.read(question)


async def test_a_number_that_no_route_leads_to_is_refused_and_the_others_go(engine: Engine) -> None:
    clock = Clock()
    usual = await usual_account(engine)
    template = await template_for_abroad(engine, usual)
    admission = usual_admission(engine, clock, way=Way(Routing((BY_COUNTRY,), CARRIERS)))
    call = usual.call("+12025550123", "+4915112345678", template=template, values=("1234",), signature="")
    assert reasons(await admission.accept(call)) == [None, Reason.NO_ROUTE]
    assert await routes_in_spool(engine) == ["abroad"]


async def test_what_waits_by_a_route_that_is_gone_waits_by_one_of_today(engine: Engine) -> None:
    clock = Clock()
    usual = await usual_account(engine)
    before = Routing((Route(name="old", carriers={"near": 1}),), CARRIERS)
    admission = usual_admission(engine, clock, way=Way(before))
    await admission.accept(usual.call("+8613911112222", "+8613711112222"))
    await admission.accept(usual.call("+8613711113333", template=usual.notice))
    assert await routes_in_spool(engine) == ["old"] * 3

    notices = Route(name="notices", types=(MessageType.NOTIFICATION,), carriers={"cheap": 1})
    today = Routing((BY_PREFIX, notices), CARRIERS)
    await engine.write(lambda tx: send_by_routes_of_today(tx, today))
    # One that none of today's leads to was accepted all the same: the first route has it.
    assert await routes_in_spool(engine) == ["mobile", "mobile", "notices"]


async def test_what_waits_by_a_route_that_is_still_there_is_left_alone(engine: Engine) -> None:
    usual = await usual_account(engine)
    admission = usual_admission(engine, Clock(), way=Way(Routing((THE_REST,), CARRIERS)))
    await admission.accept(usual.call("+8613911112222"))
    # It would go another way now, and that was not asked for.
    await engine.write(lambda tx: send_by_routes_of_today(tx, Routing((BY_PREFIX, THE_REST), CARRIERS)))
    assert await routes_in_spool(engine) == ["rest"]
