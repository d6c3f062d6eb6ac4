"""Marketing keeps the hours of the country it goes to, in every time zone there."""

from datetime import UTC, datetime

import pytest
from usual import SIGNATURE, Clock, reasons, template_for_abroad, usual_account, usual_admission

from cleartosend.admission.hours import MarketingHours
from cleartosend.model.messages import RecipientOutcome
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import MessageType
from cleartosend.ports import Engine
from cleartosend.settings import Settings, hours_by_country, read_settings
from cleartosend.store import members

JANE, HANS = "+14155552671", "+491711234567"


def missed(hours: str, iso: str, when: str) -> bool:
    now = datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()
    return bool(MarketingHours(hours_by_country(hours)).missed(iso, now))


@pytest.mark.parametrize(
    ("hours", "iso", "when", "outside"),
    [
        ("CN=8-22", "CN", "2026-03-01T23:59:59", True),
        ("CN=8-22", "CN", "2026-03-02T00:00:00", False),  # eight in Beijing, six in Urumqi by its own clocks
        ("CN=8-22", "CN", "2026-03-02T13:59:59", False),
        ("CN=8-22", "CN", "2026-03-02T14:00:00", True),
        ("CN=8-22", "US", "2026-03-02T06:00:00", False),  # nobody set hours for it
        # Noon in New York is seven in Hawaii; at 20:00 in New York it is 15:00 there.
        ("US=9-21", "US", "2026-01-15T17:00:00", True),
        ("US=9-21", "US", "2026-01-16T01:00:00", False),
        ("US=9-21", "US", "2026-01-16T02:00:00", True),
        # Clocks are put forward in Berlin on 2026-03-29.
        ("DE=8-20", "DE", "2026-03-28T06:30:00", True),
        ("DE=8-20", "DE", "2026-03-29T06:30:00", False),
        # India is five and a half hours ahead.
        ("IN=9-21", "IN", "2026-03-02T03:29:59", True),
        ("IN=9-21", "IN", "2026-03-02T03:30:00", False),
        ("*=8-20", "DE", "2026-01-15T03:00:00", True),
        ("DE=0-24,*=8-20", "DE", "2026-01-15T03:00:00", False),
        ("*=0-24", "DEF", "2026-01-15T03:00:00", False),
        # A satellite telephone may be anywhere, and somewhere it is always night.
        ("*=8-22", "DEF", "2026-01-15T12:00:00", True),
        ("*=8-20", "XK", "2026-01-15T12:00:00", False),
        ("", "CN", "2026-01-15T20:00:00", False),
    ],
)
def test_hours_hold_in_every_time_zone_of_a_country(hours: str, iso: str, when: str, *, outside: bool) -> None:
    assert missed(hours, iso, when) is outside


@pytest.mark.parametrize(
    "hours", ["8-22", "CN", "CN=8", "CN=22-8", "CN=8-25", "cn=8-22", "UK=8-22", "CN=8-22,CN=9-21", "CN=8-22,,"]
)
def test_hours_that_cannot_be_meant_are_refused(hours: str) -> None:
    with pytest.raises(ValueError, match="marketing_hours: "):
        hours_by_country(hours)


def test_hours_may_be_set_in_the_environment() -> None:
    settings = read_settings(environment={"CLEARTOSEND_MARKETING_HOURS": "CN=9-21, *=8-20"})
    assert hours_by_country(settings.marketing_hours) == {"CN": (9, 21), "*": (8, 20)}


async def test_a_recipient_abroad_is_left_alone_out_of_hours_and_the_others_are_not(engine: Engine) -> None:
    usual = await usual_account(engine)
    template = await template_for_abroad(
        engine, usual, "New books are in. Reply STOP to opt out", MessageType.MARKETING
    )
    notice = await template_for_abroad(engine, usual, "Your order has left", MessageType.NOTIFICATION)
    await engine.write(
        lambda tx: members.add_members(tx, usual.account.account_id, [JANE, HANS], source="purchase", now=1.0)
    )
    # 04:00 UTC: five in Berlin; in America nobody set hours.
    admission = usual_admission(engine, Clock(), settings=Settings(marketing_hours="CN=8-22,DE=8-20"))
    answer = await admission.accept(usual.call(JANE, HANS, template_id=template, values=[], signature=""))
    assert reasons(answer) == [None, Reason.OUTSIDE_MARKETING_HOURS]
    assert not isinstance(answer, Refusal)
    refused: RecipientOutcome = answer[1]
    assert refused.refusal == Refusal(Reason.OUTSIDE_MARKETING_HOURS, "08:00-20:00 (DE)")
    assert reasons(await admission.accept(usual.call(HANS, template_id=notice, values=[], signature=""))) == [None]


async def test_the_hours_of_the_mainland_may_be_others(engine: Engine) -> None:
    usual = await usual_account(engine)
    await engine.write(
        lambda tx: members.add_members(tx, usual.account.account_id, ["+8613711112222"], source="purchase", now=1.0)
    )
    call = usual.call("+8613711112222", template=usual.marketing)
    assert call.signature == SIGNATURE
    # It is noon in Beijing.
    for node, (hours, reason) in enumerate((("CN=13-22", Reason.OUTSIDE_MARKETING_HOURS), ("CN=12-13", None))):
        admission = usual_admission(engine, Clock(), node=node, settings=Settings(marketing_hours=hours))
        assert reasons(await admission.accept(call)) == [reason]
