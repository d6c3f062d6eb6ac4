"""Every code that is known to come at a message's end is explained, in both languages, without claiming too much."""

import re

import pytest
from sqlalchemy import Connection
from usual import Clock, claimed, hand_over, usual_account, usual_admission

from cleartosend.carriers import dispatch as moves
from cleartosend.carriers.simulator import BEHAVIOURS
from cleartosend.carriers.smpp.carrier import BAD_ADDRESS, UNWRITABLE
from cleartosend.carriers.smpp.pdu import Status
from cleartosend.carriers.smpp.profile import Statuses
from cleartosend.carriers.smpp.session import NOT_BOUND
from cleartosend.carriers.tencent_client import WHAT_THEN
from cleartosend.carriers.upstream import NOT_CONNECTED
from cleartosend.delivery import deadlines
from cleartosend.delivery.receipts import take
from cleartosend.model.meanings import (
    CARRIERS,
    FAMILIES,
    OWN,
    STATUSES,
    UNEXPLAINED,
    UPSTREAM,
    Bucket,
    Meaning,
    meaning_of,
)
from cleartosend.model.messages import Party, Receipt, ReceiptStatus
from cleartosend.ports import Engine
from cleartosend.store import messages

CHINESE = re.compile(r"[\u3400-\u9fff]")
EVERY = {**OWN, **CARRIERS, **FAMILIES, **STATUSES, **UPSTREAM}
SUCCESS = "DELIVRD"
# The codes that the reference publishes, by family of cause.
PUBLISHED = {
    Bucket.INVALID_NUMBER: ["ERR_NUM", "MK:0000", "MK:0012", "MK:0001", "1", "67", "61"],
    Bucket.SWITCHED_OFF: [
        *("UNDELIV", "UNDELIVRD", "EXPIRED", "MI:0013", "MI:0024", "4", "54", "5"),
        *("MK:0017", "79", "43", "MK:0008", "15", "55"),
    ],
    Bucket.BLACKLISTED: [
        *("TD:0001", "TD:19", "BWLIST", "DB:0144", "W-BLACK", "TUIDING", "HIGRISK", "MX:0012", "TD:0004")
    ],
    Bucket.TOO_OFTEN: ["MX:0003", "TE:0003"],
    Bucket.INTERNAL: ["REJECTD", "UNKNOWN", "NOROUTE", "TE:0014", "TC:0007"],
}


@pytest.mark.parametrize(("code", "bucket"), [(code, bucket) for bucket, codes in PUBLISHED.items() for code in codes])
def test_a_published_code_counts_as_what_it_is(code: str, bucket: Bucket) -> None:
    assert meaning_of(code).known
    assert meaning_of(code).bucket is bucket


@pytest.mark.parametrize("code", EVERY)
def test_every_code_is_explained_in_both_languages(code: str) -> None:
    meaning = EVERY[code]
    for words in (meaning.says, meaning.next):
        if code == SUCCESS and words is meaning.next:
            continue
        assert CHINESE.search(words.zh)
        assert not CHINESE.search(words.en)
        assert words.en.endswith(".")


@pytest.mark.parametrize("code", EVERY)
def test_every_code_but_success_names_a_party_and_counts_as_a_failure(code: str) -> None:
    meaning = meaning_of(code)
    assert (meaning.party is Party.NOBODY) == (code == SUCCESS)
    assert (meaning.bucket is Bucket.NONE) == (code == SUCCESS)


@pytest.mark.parametrize("status", sorted(set(ReceiptStatus) - {ReceiptStatus.ENROUTE, ReceiptStatus.ACCEPTED}))
def test_every_status_that_ends_a_message_is_explained(status: ReceiptStatus) -> None:
    assert meaning_of(status.value).known


@pytest.mark.parametrize(
    "code",
    [
        *(moves.EXPIRED_UNSENT, moves.STOPPED, moves.OPTED_OUT, deadlines.NO_RECEIPT, deadlines.IN_DOUBT),
        *(moves.NO_ANSWER, moves.NOT_HANDED_OVER),
        *(said.code for said in (NOT_BOUND, NOT_CONNECTED, UNWRITABLE, BAD_ADDRESS)),
    ],
)
def test_every_code_of_our_own_is_explained_as_one(code: str) -> None:
    assert code in OWN


@pytest.mark.parametrize("status", [status.name for status in Status if status is not Status.ESME_ROK])
def test_every_status_of_the_standard_is_explained(status: str) -> None:
    assert meaning_of(status).known


@pytest.mark.parametrize("status", [str(status) for status in Statuses().operator])
def test_a_status_that_the_operator_is_told_of_is_of_our_own_making(status: str) -> None:
    assert meaning_of(status).party is Party.US


@pytest.mark.parametrize("code", [*WHAT_THEN, "FailedOperation.SomethingNew", "HTTP_404", "InvalidParameterValue.New"])
def test_every_code_of_the_service_upstream_is_explained(code: str) -> None:
    assert meaning_of(code).known


@pytest.mark.parametrize("ending", BEHAVIOURS)
def test_every_code_of_the_simulator_is_explained(ending: str) -> None:
    behaviour = BEHAVIOURS[ending]
    assert meaning_of(behaviour.refusal.code if behaviour.refusal else behaviour.code).known


@pytest.mark.parametrize(
    ("code", "family"), [("EXPIRED_012", "EXPIRED"), ("REJECTD_7", "REJECTD"), ("UNDELIV_MK", "UNDELIV")]
)
def test_a_code_with_a_number_behind_it_is_of_its_family(code: str, family: str) -> None:
    assert meaning_of(code) == FAMILIES[family]


@pytest.mark.parametrize(
    "code", ["", "0x00000451", "Some.Thing", "XY:1234", "MK:9999", "EXPIREDNOT", "ID:0076", "REJECT", "1000"]
)
def test_a_code_that_nothing_explains_proves_nothing(code: str) -> None:
    assert meaning_of(code) is UNEXPLAINED
    assert meaning_of(code).party is Party.NOBODY
    assert not meaning_of(code).known


@pytest.mark.parametrize(
    ("status", "code", "party"),
    [
        (ReceiptStatus.UNDELIVERABLE, "BWLIST", Party.CARRIER),
        (ReceiptStatus.UNDELIVERABLE, "TC:0007", Party.YOU),
        (ReceiptStatus.REJECTED, "MK:0000", Party.PHONE),
        (ReceiptStatus.REJECTED, "XY:9999", Party.CARRIER),  # a code of its own proves no more than the status
        (ReceiptStatus.UNDELIVERABLE, "XY:9999", Party.PHONE),
        (ReceiptStatus.DELIVERED, "BWLIST", Party.NOBODY),
    ],
)
async def test_a_code_that_proves_more_than_its_status_names_who_is_at_fault(
    engine: Engine, status: ReceiptStatus, code: str, party: Party
) -> None:
    clock = Clock()
    usual = await usual_account(engine)
    await usual_admission(engine, clock).accept(usual.call("+8613711112222"))

    def work(tx: Connection) -> Party:
        [parcel] = claimed(tx, clock())
        [carrier_id] = hand_over(tx, [parcel.message_id], now=clock())
        take(tx, [[Receipt(carrier="c", carrier_id=carrier_id, status=status, code=code, at=clock())]])
        [message] = messages.find(tx, [parcel.message_id])
        return message.party

    assert await engine.write(work) is party


@pytest.mark.parametrize(
    ("code", "party"),
    [
        ("BAD_ADDRESS", Party.US),
        ("ESME_RINVSRCADR", Party.US),
        ("ESME_RINVDSTADR", Party.PHONE),
        ("0x1", Party.CARRIER),
    ],
)
async def test_a_refusal_for_good_names_who_is_at_fault(engine: Engine, code: str, party: Party) -> None:
    clock = Clock()
    usual = await usual_account(engine)
    await usual_admission(engine, clock).accept(usual.call("+8613711112222"))

    def work(tx: Connection) -> Party:
        [parcel] = claimed(tx, clock())
        [ending] = moves.fail(tx, [(parcel.message_id, code)], now=clock())
        return ending.party

    assert await engine.write(work) is party


def test_the_meanings_hold_no_code_twice() -> None:
    groups: list[dict[str, Meaning]] = [OWN, CARRIERS, FAMILIES, STATUSES, UPSTREAM]
    assert len(EVERY) == sum(len(group) for group in groups)
