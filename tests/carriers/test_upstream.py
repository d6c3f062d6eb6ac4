"""What is handed to the service upstream, what its answers are taken for, and what it reports."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog
from api.calling import HOST, NOW, SECRET_ID, SECRET_KEY
from carriers.handing import ENOUGH_SECONDS, NUMBER, TEXT, Kept, numbers, parcel, until
from carriers.vendor import Answer, Heard, error, http, response, says, serial_of, statuses, vendor
from delivery.certificates import certificate_for
from usual import NOON_IN_BEIJING, Clock

from cleartosend.api.tencent.errors import Fault
from cleartosend.api.tencent.signing import Request, read_claim, verify
from cleartosend.carriers import upstream
from cleartosend.carriers.upstream import MOST_CALLS_AT_ONCE, NOT_CONNECTED, TEMPLATE_NOT_MAPPED, UpstreamCarrier
from cleartosend.model.carriers import UpstreamLink
from cleartosend.model.messages import Parcel, Receipt, ReceiptStatus, Reply
from cleartosend.ports import NotSubmitted, OutcomeUnknown, StoreUnavailable, Submitted
from cleartosend.settings import BadSettings
from cleartosend.tc3 import authorization

KEY = "a key that opens nothing"


def link_to(endpoint: str, **differs: Any) -> UpstreamLink:
    fields: dict[str, object] = {
        "name": "tencent",
        "kind": "upstream",
        "endpoint": endpoint,
        "secret_id": "AKIDexample",
        "secret_key": KEY,
        "sdk_app_id": "1400006666",
        "templates": {"7": "1110"},
        "pull_seconds": 0.01,
        "answer_within_seconds": 5.0,
    }
    return msgspec.convert(fields | differs, UpstreamLink)


@contextlib.asynccontextmanager
async def carrying(endpoint: str, kept: Kept | None = None, **differs: Any) -> AsyncIterator[UpstreamCarrier]:
    """A carrier at work; it pulls only where a test is about that."""
    link = link_to(endpoint, **{"pull": False} | differs)
    kept = kept or Kept()
    carrier = UpstreamCarrier(link, secret_key=link.secret_key, outstanding=kept.not_reported, clock=Clock())
    await carrier.start(on_receipts=kept.on_receipts, on_reply=kept.on_reply)
    try:
        yield carrier
    finally:
        await carrier.stop()


async def answers_of(carrier: UpstreamCarrier, parcels: Sequence[Parcel]) -> list[Any]:
    """Hand all over at once."""
    async with asyncio.timeout(ENOUGH_SECONDS):
        return await asyncio.gather(*[carrier.submit(one) for one in parcels], return_exceptions=True)


# --- what is sent ---


async def test_a_call_is_made_as_the_reference_describes_it_and_signed() -> None:
    async with vendor() as service, carrying(service.endpoint) as carrier:
        said = await carrier.submit(parcel(extension_code="07", sender_id="Qsms"))
        [heard] = service.sends
    assert said == Submitted((serial_of(NUMBER),))
    assert heard.asked == {
        "PhoneNumberSet": [NUMBER],
        "SmsSdkAppId": "1400006666",
        "TemplateId": "1110",
        "SignName": "清风书店",
        "TemplateParamSet": ["123456", "5"],
        "SessionContext": "77037622525952000.1",
        "ExtendCode": "07",
        "SenderId": "Qsms",
    }
    headers = heard.headers
    assert (headers["x-tc-version"], headers["x-tc-region"]) == ("2021-01-11", "ap-guangzhou")
    request = Request(b"POST", b"", {name.encode(): value.encode() for name, value in headers.items()}, heard.body)
    claim = read_claim(request)
    assert not isinstance(claim, Fault)
    assert claim.secret_id == "AKIDexample"
    assert verify(request, claim, secret_key=KEY, now=NOON_IN_BEIJING) is None


async def test_what_has_no_values_or_no_other_name_is_sent_as_it_is_where_numbers_are_the_same() -> None:
    async with vendor() as service, carrying(service.endpoint, same_templates=True) as carrier:
        await carrier.submit(parcel("+85261234567", text="Hi", spans="[]", signature="", template_id="9"))
        [heard] = service.sends
    assert heard.asked["TemplateId"] == "9"
    assert {"SignName", "TemplateParamSet", "ExtendCode", "SenderId"}.isdisjoint(heard.asked)


async def test_a_template_that_is_not_named_is_not_sent_since_another_text_may_stand_there() -> None:
    async with vendor() as service, carrying(service.endpoint) as carrier:
        with structlog.testing.capture_logs() as logged:
            not_named = [parcel(number, template_id="9") for number in numbers(2)]
            said = await answers_of(carrier, [*not_named, parcel()])
        assert [heard.asked["TemplateId"] for heard in service.sends] == ["1110"]
    assert said == [TEMPLATE_NOT_MAPPED, TEMPLATE_NOT_MAPPED, Submitted((serial_of(NUMBER),))]
    assert [(line["event"], line["template"]) for line in logged] == [("upstream.template_not_mapped", "9")]


async def test_two_hundred_numbers_go_in_one_call() -> None:
    async with vendor() as service, carrying(service.endpoint) as carrier:
        said = await answers_of(carrier, [parcel(number) for number in numbers(450)])
        assert sorted(len(heard.numbers) for heard in service.sends) == [50, 200, 200]
    assert said == [Submitted((serial_of(number),)) for number in numbers(450)]


async def test_what_differs_in_anything_but_the_number_goes_in_calls_of_its_own() -> None:
    differing: list[dict[str, Any]] = [
        {},
        {"template_id": "8"},
        {"text": TEXT.replace("123456", "654321")},
        {"signature": "清风"},
        {"extension_code": "1"},
        {"sender_id": "other"},
        {"international": True},
    ]
    async with vendor() as service, carrying(service.endpoint, same_templates=True) as carrier:
        await answers_of(carrier, [parcel(number, **one) for one in differing for number in numbers(2)])
        assert [heard.numbers for heard in service.sends] == [numbers(2)] * len(differing)


async def test_the_same_to_one_number_twice_goes_in_two_calls_since_one_would_send_it_once() -> None:
    async with vendor() as service, carrying(service.endpoint) as carrier:
        await answers_of(carrier, [parcel(), parcel(message_id=8), parcel(numbers(1)[0])])
        assert sorted(len(heard.numbers) for heard in service.sends) == [1, 2]


async def test_connections_are_bounded_and_what_is_alike_gathers_while_all_are_busy() -> None:
    go_on = asyncio.Event()

    async def when_told(heard: Heard) -> bytes:
        await go_on.wait()
        return statuses(heard.numbers)

    async with vendor(when_told) as service, carrying(service.endpoint, same_templates=True) as carrier:
        apart = [carrier.submit(parcel(template_id=str(at))) for at in range(MOST_CALLS_AT_ONCE)]
        await until(lambda: service.busy == MOST_CALLS_AT_ONCE)
        later = []
        for number in numbers(50):
            later.append(carrier.submit(parcel(number)))
            await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*apart, *later)
    assert service.busiest == MOST_CALLS_AT_ONCE
    assert len(service.sends) == MOST_CALLS_AT_ONCE + 1


# --- what the answers are taken for ---

GIVEN_UP = {"again": False, "slow_down": False, "tell_operator": False, "of_message": True}
NOT_NOW = GIVEN_UP | {"again": True}
TRIED_AGAIN = NOT_NOW | {"of_message": False}
TOLD = TRIED_AGAIN | {"tell_operator": True}
TOO_FAST = TRIED_AGAIN | {"slow_down": True}
MEANINGS = [
    ("FailedOperation.ContainSensitiveWord", GIVEN_UP),
    ("FailedOperation.TemplateIncorrectOrUnapproved", GIVEN_UP),
    ("FailedOperation.PhoneNumberInBlacklist", GIVEN_UP),
    ("InvalidParameterValue.IncorrectPhoneNumber", GIVEN_UP),
    ("InvalidParameter", GIVEN_UP),
    ("UnsupportedOperation.GlobalTemplateToChineseMainlandPhone", GIVEN_UP),
    ("LimitExceeded.PhoneNumberDailyLimit", GIVEN_UP),
    ("LimitExceeded.PhoneNumberSameContentDailyLimit", GIVEN_UP),
    ("LimitExceeded.AppCountryOrRegionInBlacklist", GIVEN_UP),
    ("UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny", GIVEN_UP),
    ("SomethingNobodyHasHeardOf", GIVEN_UP),
    ("LimitExceeded.PhoneNumberThirtySecondLimit", NOT_NOW),
    ("LimitExceeded.PhoneNumberOneHourLimit", NOT_NOW),
    ("LimitExceeded.DeliveryFrequencyLimit", NOT_NOW),
    ("FailedOperation.MarketingSendTimeConstraint", NOT_NOW),
    ("ServiceUnavailable", TRIED_AGAIN),
    ("RequestLimitExceeded", TOO_FAST),
    ("RequestLimitExceeded.UinLimitExceeded", TOO_FAST),
    ("LimitExceeded.GlobalSmsSendingRateLimit", TOO_FAST),
    ("LimitExceeded.AppDailyLimit", TOLD),
    ("LimitExceeded.DailyLimit", TOLD),
    ("AuthFailure.SignatureFailure", TOLD),
    ("AuthFailure.SecretIdNotFound", TOLD),
    ("UnauthorizedOperation.RequestIpNotInWhitelist", TOLD),
    ("UnauthorizedOperation.ServiceSuspendDueToArrears", TOLD),
    # As older clients of the vendor spell it.
    ("UnauthorizedOperation.SerivceSuspendDueToArrears", TOLD),
    ("FailedOperation.InsufficientBalanceInSmsPackage", TOLD),
    ("InvalidParameterValue.SdkAppIdNotExist", TOLD),
    ("InternalError.SigVerificationFail", TOLD),
]


async def test_each_code_says_whether_to_try_again_whether_of_the_call_or_of_a_number() -> None:
    async with vendor() as service, carrying(service.endpoint) as carrier:
        for code, meaning in MEANINGS:
            expected = NotSubmitted(code, **meaning)
            service.answer = says(error(code))
            assert await carrier.submit(parcel()) == expected
            service.answer = says(statuses([NUMBER], code))
            assert await carrier.submit(parcel()) == expected


async def test_one_refused_number_does_not_stop_the_others() -> None:
    one, other = numbers(2)

    async def some(_heard: Heard) -> bytes:
        taken = json.loads(statuses([one]).partition(b"\r\n\r\n")[2])["Response"]["SendStatusSet"]
        refused = json.loads(statuses([other], "LimitExceeded.PhoneNumberDailyLimit").partition(b"\r\n\r\n")[2])
        # In another order than asked.
        return response(SendStatusSet=refused["Response"]["SendStatusSet"] + taken)

    async with vendor(some) as service, carrying(service.endpoint) as carrier:
        assert await answers_of(carrier, [parcel(one), parcel(other)]) == [
            Submitted((serial_of(one),)),
            NotSubmitted("LimitExceeded.PhoneNumberDailyLimit", again=False, of_message=True),
        ]


async def cut(_heard: Heard) -> bytes:
    """The line breaks before the answer."""
    return b""


async def silence(_heard: Heard) -> bytes:
    await asyncio.Event().wait()
    raise AssertionError


NOBODY_KNOWS: dict[str, Answer] = {
    "the connection was cut": cut,
    "no answer came in time": silence,
    "a number is missing": says(statuses(numbers(1))),
    "there is no set": says(response()),
    "the set is null": says(response(SendStatusSet=None)),
    "half an answer": says(http(b'{"Response": {"SendSta')),
    "no JSON": says(http(b"<html>")),
    "JSON of something else": says(http(b"[1]")),
    "an endless answer": says(http(b" " * (1 << 21))),
    "a gateway's time-out": says(http(b"", "504 Gateway Timeout")),
    "a gateway's complaint": says(http(b"", "502 Bad Gateway")),
    "a time-out behind the door": says(error("InternalError.Timeout")),
    "the same, of the number": says(statuses([NUMBER], "InternalError.SendAndRecvFail")),
    "something went wrong there": says(error("InternalError")),
}


@pytest.mark.parametrize("what", NOBODY_KNOWS)
async def test_where_nobody_knows_whether_it_went_out_nobody_says_so(what: str) -> None:
    within = 0.05 if what == "no answer came in time" else 5.0
    async with (
        vendor(NOBODY_KNOWS[what]) as service,
        carrying(service.endpoint, answer_within_seconds=within) as carrier,
    ):
        with pytest.raises(OutcomeUnknown):
            await carrier.submit(parcel())
        assert carrier.is_up()


@pytest.mark.parametrize(
    ("status", "meaning"),
    [("429 Too Many Requests", TOO_FAST), ("503 Service Unavailable", TRIED_AGAIN), ("404 Not Found", TOLD)],
)
async def test_what_stands_in_between_and_did_not_pass_a_call_on_is_understood(
    status: str, meaning: dict[str, bool]
) -> None:
    async with vendor(says(http(b"", status))) as service, carrying(service.endpoint) as carrier:
        assert await carrier.submit(parcel()) == NotSubmitted(f"HTTP_{status[:3]}", **meaning)


async def test_a_message_that_is_taken_without_a_serial_number_is_taken() -> None:
    taken = response(SendStatusSet=[{"PhoneNumber": NUMBER, "Code": "Ok"}])
    async with vendor(says(taken)) as service, carrying(service.endpoint) as carrier:
        assert await carrier.submit(parcel()) == Submitted(())


async def test_the_operator_is_told_once_when_something_has_to_be_done_and_once_when_all_is_well() -> None:
    trouble, arrears = error("AuthFailure.SignatureFailure"), error("UnauthorizedOperation.ServiceSuspendDueToArrears")
    well = statuses([NUMBER])
    async with vendor() as service, carrying(service.endpoint) as carrier:
        with structlog.testing.capture_logs() as told:
            for answer in (well, trouble, trouble, arrears, arrears, well, well):
                service.answer = says(answer)
                await carrier.submit(parcel())
    assert [(line["event"], line.get("problem")) for line in told] == [
        ("upstream.trouble", "AuthFailure.SignatureFailure"),
        ("upstream.trouble", "UnauthorizedOperation.ServiceSuspendDueToArrears"),
        ("upstream.well_again", None),
    ]
    assert KEY not in str(told)


# --- whether anybody is there ---


async def test_who_is_not_there_took_nothing_and_is_looked_for_until_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "LEAST_SECONDS_BETWEEN_ATTEMPTS", 0.01)
    async with vendor() as service, carrying(service.endpoint) as carrier:
        await service.stop()
        assert carrier.is_up()
        for _ in range(upstream.FAILURES_BEFORE_DOWN):
            assert await carrier.submit(parcel()) == NOT_CONNECTED
        assert not carrier.is_up()
        await service.start()
        await until(carrier.is_up)
        assert await carrier.submit(parcel()) == Submitted((serial_of(NUMBER),))


async def test_now_and_then_a_failure_to_connect_does_not_take_it_down() -> None:
    async with vendor() as service, carrying(service.endpoint) as carrier:
        for _ in range(3):
            await service.stop()
            for _ in range(upstream.FAILURES_BEFORE_DOWN - 1):
                assert await carrier.submit(parcel()) == NOT_CONNECTED
            await service.start()
            assert isinstance(await carrier.submit(parcel()), Submitted)
        assert carrier.is_up()


async def test_who_shows_no_certificate_that_is_trusted_is_told_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, _client = certificate_for("127.0.0.1", tmp_path)
    async with vendor(tls=tls) as service:
        async with carrying(service.endpoint) as carrier:
            assert await carrier.submit(parcel()) == NOT_CONNECTED
        assert not service.heard
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        async with carrying(service.endpoint) as carrier:
            assert isinstance(await carrier.submit(parcel()), Submitted)


async def test_what_is_in_hand_when_it_stops_is_answered_for() -> None:
    async with vendor(silence) as service:
        async with carrying(service.endpoint, same_templates=True) as carrier:
            calls = [carrier.submit(parcel(template_id=str(at))) for at in range(MOST_CALLS_AT_ONCE + 1)]
            await until(lambda: service.busy == MOST_CALLS_AT_ONCE)
        async with asyncio.timeout(ENOUGH_SECONDS):
            said = await asyncio.gather(*calls, return_exceptions=True)
    *written, waiting = said
    assert all(isinstance(one, OutcomeUnknown) for one in written)
    assert waiting == NOT_CONNECTED


# --- what is pulled ---


async def test_statuses_are_pulled_until_there_are_no_more_and_say_what_the_service_says() -> None:
    kept = Kept()
    async with vendor() as service:
        for number in numbers(250):
            service.report(number)
        service.report(NUMBER, "MK:0017")
        async with carrying(service.endpoint, kept, pull=True):
            await until(lambda: len(kept.receipts) == 251)
    first, last = kept.receipts[0], kept.receipts[-1]
    assert first == Receipt(
        carrier="tencent",
        carrier_id=serial_of(numbers(1)[0]),
        status=ReceiptStatus.DELIVERED,
        code="DELIVRD",
        at=NOON_IN_BEIJING + 7,
    )
    assert (last.carrier_id, last.status, last.code) == (serial_of(NUMBER), ReceiptStatus.UNDELIVERABLE, "MK:0017")


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("UNDELIV", ReceiptStatus.UNDELIVERABLE),
        ("EXPIRED_012", ReceiptStatus.EXPIRED),
        ("REJECTD", ReceiptStatus.REJECTED),
        ("DELETED", ReceiptStatus.DELETED),
        ("UNKNOWN", ReceiptStatus.UNKNOWN),
        # A service like this one says so, and says more once it knows.
        ("NORECEIPT", ReceiptStatus.UNKNOWN),
        ("INDOUBT", ReceiptStatus.UNKNOWN),
        ("EXPIRED_UNSENT", ReceiptStatus.EXPIRED),
        ("", ReceiptStatus.UNDELIVERABLE),
    ],
)
async def test_a_failure_is_of_the_kind_that_its_code_says(code: str, status: ReceiptStatus) -> None:
    kept = Kept()
    body = json.dumps([{"sid": "1", "report_status": "FAIL", "errmsg": code, "user_receive_time": ""}]).encode()
    async with vendor() as service, carrying(service.endpoint, kept) as carrier:
        await carrier.take_statuses(body)
    assert kept.receipts == [
        Receipt(carrier="tencent", carrier_id="1", status=status, code=code or "FAIL", at=NOON_IN_BEIJING)
    ]


async def test_what_was_pulled_and_could_not_be_kept_is_kept_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "AFTER_TROUBLE_SECONDS", 0.001)
    kept = Kept(troubles=6)
    async with vendor() as service:
        service.report(NUMBER)
        service.write_back(NUMBER, "R")
        async with carrying(service.endpoint, kept, pull=True):
            await until(lambda: bool(kept.receipts and kept.replies))
    assert (len(kept.receipts), len(kept.replies)) == (1, 1)


async def test_what_is_being_handed_out_when_it_stops_is_kept_first() -> None:
    kept = Kept()
    async with vendor() as service:
        handed_out = service.to_pull["PullSmsSendStatus"]
        async with carrying(service.endpoint, kept, pull=True):
            service.report(NUMBER)
            # As soon as they have left the service, they are nowhere but with us.
            await until(lambda: not handed_out)
    assert len(kept.receipts) == 1


async def test_statuses_that_were_handed_out_and_did_not_arrive_are_asked_for_by_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upstream, "CATCH_UP_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(upstream, "QUESTIONS_PER_SECOND", 1000)
    kept = Kept()
    one, other, silent, late = numbers(4)
    async with vendor() as service, carrying(service.endpoint, kept, pull=True):
        await until(lambda: len(service.heard) > 2)
        kept.outstanding = [(serial_of(number), number) for number in (one, other, silent)]
        service.losses = 1
        for number in (one, other):
            service.report(number)
        # Others send to this number as well.
        service.records.append(service.records[0] | {"SerialNo": "somebody else's"})
        await until(lambda: len(kept.receipts) == 2)
        service.report(late)
        await until(lambda: len(kept.receipts) == 3)
    assert [receipt.carrier_id for receipt in kept.receipts] == [serial_of(number) for number in (one, other, late)]


async def test_what_a_process_before_had_in_its_hands_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "CATCH_UP_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(upstream, "AFTER_TROUBLE_SECONDS", 0.001)
    kept = Kept(troubles=2)
    async with vendor() as service:
        service.report(NUMBER)
        service.to_pull["PullSmsSendStatus"].clear()
        kept.outstanding = [(serial_of(NUMBER), NUMBER)]
        async with carrying(service.endpoint, kept, pull=True):
            await until(lambda: bool(kept.receipts))
    [receipt] = kept.receipts
    assert (receipt.carrier_id, receipt.status) == (serial_of(NUMBER), ReceiptStatus.DELIVERED)


async def test_what_the_service_leaves_out_or_calls_null_costs_no_status() -> None:
    kept = Kept()
    left_out: dict[str, Any] = {"SerialNo": "1", "ReportStatus": "SUCCESS"}
    nothing = left_out | {"SerialNo": "2", "Description": None, "UserReceiveTime": None, "PhoneNumber": None}
    async with vendor() as service:
        service.to_pull["PullSmsSendStatus"] += [left_out, nothing]
        async with carrying(service.endpoint, kept, pull=True):
            await until(lambda: bool(kept.receipts))
    assert [(one.carrier_id, one.status, one.code, one.at) for one in kept.receipts] == [
        ("1", ReceiptStatus.DELIVERED, "SUCCESS", NOON_IN_BEIJING),
        ("2", ReceiptStatus.DELIVERED, "SUCCESS", NOON_IN_BEIJING),
    ]


async def test_replies_are_pulled_with_their_extension_code() -> None:
    kept = Kept()
    async with vendor() as service:
        service.write_back(NUMBER, "R", "07")
        async with carrying(service.endpoint, kept, pull=True):
            await until(lambda: bool(kept.replies))
    [reply] = kept.replies
    assert reply == Reply(carrier="tencent", number=NUMBER, text="R", extension_code="07", at=NOON_IN_BEIJING + 9)


async def test_a_queue_that_may_not_be_pulled_is_told_once_and_does_not_stop_the_other() -> None:
    kept = Kept()
    async with vendor() as service:
        del service.to_pull["PullSmsReplyStatus"]
        with structlog.testing.capture_logs() as told:
            async with carrying(service.endpoint, kept, pull=True):
                for number in numbers(3):
                    service.report(number)
                    await until(lambda: not service.to_pull["PullSmsSendStatus"])
                await until(lambda: [one.action for one in service.heard].count("PullSmsReplyStatus") > 2)
    assert len(kept.receipts) == 3
    assert [(line["event"], line["about"]) for line in told] == [("upstream.trouble", "replies")]


async def test_a_batch_that_cannot_be_taken_at_all_does_not_stop_the_next_and_is_not_quoted() -> None:
    class Clumsy(Kept):
        async def on_receipts(self, receipts: Sequence[Receipt]) -> None:
            if self.troubles:
                self.troubles -= 1
                raise ValueError(NUMBER)
            self.receipts += receipts

    kept = Clumsy(troubles=1)
    async with vendor() as service:
        service.report(NUMBER)
        with structlog.testing.capture_logs() as told:
            async with carrying(service.endpoint, kept, pull=True):
                await until(lambda: bool(told))
                service.report(numbers(1)[0])
                await until(lambda: bool(kept.receipts))
    [line] = told
    assert (line["event"], line["error"]) == ("upstream.pull_broken", "ValueError")
    assert NUMBER not in str(line)


# --- what is called back ---

PUSHED = {
    "user_receive_time": "2026-03-02 12:00:07",
    "nationcode": "86",
    "mobile": "13711112222",
    "report_status": "SUCCESS",
    "errmsg": "DELIVRD",
    "description": "用户短信送达成功",
    "sid": "5000:1045710669157053657849499619",
    "ext": "",
}
WRITTEN_BACK = {
    "extend": "07",
    "mobile": "13711112222",
    "nationcode": "86",
    "sign": "清风书店",
    "text": "R",
    "time": int(NOON_IN_BEIJING) + 9,
}


async def test_pushes_say_the_same_as_what_is_pulled() -> None:
    kept = Kept()
    async with vendor() as service, carrying(service.endpoint, kept) as carrier:
        failed = PUSHED | {"report_status": "FAIL", "errmsg": 67, "sid": "2"}
        await carrier.take_statuses(json.dumps([PUSHED, failed]).encode())
        await carrier.take_replies(json.dumps(WRITTEN_BACK).encode())
        # A push whose answer got lost comes again.
        await carrier.take_replies(json.dumps(WRITTEN_BACK).encode())
        await carrier.take_replies(json.dumps(WRITTEN_BACK | {"text": "谢谢\0", "extend": None}).encode())
    delivered, undelivered = kept.receipts
    assert delivered == Receipt(
        carrier="tencent",
        carrier_id=str(PUSHED["sid"]),
        status=ReceiptStatus.DELIVERED,
        code="DELIVRD",
        at=NOON_IN_BEIJING + 7,
    )
    assert (undelivered.code, undelivered.status) == ("67", ReceiptStatus.UNDELIVERABLE)
    assert kept.replies == [
        Reply(carrier="tencent", number=NUMBER, text="R", extension_code="07", at=NOON_IN_BEIJING + 9),
        Reply(carrier="tencent", number=NUMBER, text="谢谢", extension_code="", at=NOON_IN_BEIJING + 9),
    ]


async def test_a_reply_that_could_not_be_kept_is_taken_when_it_comes_again() -> None:
    kept = Kept(troubles=1)
    async with vendor() as service, carrying(service.endpoint, kept) as carrier:
        with pytest.raises(StoreUnavailable):
            await carrier.take_replies(json.dumps(WRITTEN_BACK).encode())
        await carrier.take_replies(json.dumps(WRITTEN_BACK).encode())
    assert len(kept.replies) == 1


# --- how it is set up ---


@pytest.mark.parametrize(
    "endpoint",
    ["", "sms.tencentcloudapi.com", "ftp://example.com", "https://example.com/v2", "https://a:b@example.com"],
)
def test_an_endpoint_that_is_none_is_refused_at_the_start(endpoint: str) -> None:
    with pytest.raises(BadSettings, match=r"tencent.*`https://` or `http://`"):
        UpstreamCarrier(link_to(endpoint), secret_key=KEY, outstanding=Kept().not_reported)


def test_what_a_client_signs_is_let_in() -> None:
    body = '{"SignName":"清风"}'.encode()
    written = authorization(
        body, host=HOST, content_type="application/json", service="sms", secret_id=SECRET_ID, secret_key=SECRET_KEY,
        seconds=int(NOW),
    )  # fmt: skip
    headers = {
        b"authorization": written.encode(),
        b"host": HOST.encode(),
        b"content-type": b"application/json",
        b"x-tc-timestamp": str(int(NOW)).encode(),
    }
    request = Request(b"POST", b"", headers, body)
    claim = read_claim(request)
    assert not isinstance(claim, Fault)
    assert verify(request, claim, secret_key=SECRET_KEY, now=NOW) is None
    assert verify(request, claim, secret_key=SECRET_KEY + "x", now=NOW) is not None
