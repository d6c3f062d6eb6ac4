"""SendMultiGlobalSms gives each number abroad a text of its own, and answers for each."""

import pytest
from api.calling import Reply, Service
from sqlalchemy import select

from cleartosend.model.accounts import AccountStatus
from cleartosend.model.messages import message_id_of
from cleartosend.model.verdicts import MessageType
from cleartosend.store import accounts, messages
from cleartosend.store.schema import submissions

HONG_KONG, SINGAPORE = "+85261234567", "+6581234567"


async def templates(service: Service) -> tuple[str, str]:
    """Have two international templates: one without a variable, and one with."""
    plain = await service.template("Your parcel has arrived.", MessageType.NOTIFICATION, international=True)
    code = await service.template("Your code is {1}.", MessageType.VERIFICATION, international=True)
    return plain, code


async def send(service: Service, *infos: dict[str, object], app: str | None = None, **headers: str) -> Reply:
    asked = {"SmsSdkAppId": app or service.app.sdk_app_id, "MultiSmsInfoSet": list(infos)}
    return await service.call("SendMultiGlobalSms", asked, **headers)


def codes(reply: Reply) -> list[str]:
    assert "SendMultiStatusSet" in reply.response, reply
    return [status["Code"] for status in reply.response["SendMultiStatusSet"]]


async def test_each_item_has_its_own_template_values_and_session(service: Service) -> None:
    plain, code = await templates(service)
    reply = await send(
        service,
        {"PhoneNumber": HONG_KONG, "TemplateId": plain, "SessionContext": "first", "SenderId": "Books"},
        {"PhoneNumber": "0065 8123 4567", "TemplateId": code, "TemplateParamSet": ["123456"]},
    )
    first, second = reply.response["SendMultiStatusSet"]
    assert first == {
        "SerialNo": first["SerialNo"],
        "PhoneNumber": HONG_KONG,
        "Fee": 1,
        "SessionContext": "first",
        "Code": "Ok",
        "Message": "send success",
        "IsoCode": "HK",
    }
    assert (second["PhoneNumber"], second["Code"], second["IsoCode"]) == (SINGAPORE, "Ok", "SG")
    ids = [message_id_of(status["SerialNo"]) for status in (first, second)]
    kept = await service.engine.read(lambda tx: messages.find(tx, [one for one in ids if one is not None]))
    assert sorted(one.number for one in kept) == [SINGAPORE, HONG_KONG]
    assert {one.signature for one in kept} == {""}


async def test_a_senders_name_goes_abroad_only(service: Service) -> None:
    plain, _ = await templates(service)
    await service.send(["13711112222"], SenderId="Books")
    await send(service, {"PhoneNumber": HONG_KONG, "TemplateId": plain, "SenderId": "Books"})
    sent = await service.engine.read(
        lambda tx: tx.execute(select(submissions.c.international, submissions.c.sender_id)).all()
    )
    assert {tuple(row) for row in sent} == {(False, ""), (True, "Books")}


async def test_a_sender_that_no_carrier_can_send_as_stops_its_own_item_alone(service: Service) -> None:
    plain, _ = await templates(service)
    reply = await send(
        service,
        {"PhoneNumber": HONG_KONG, "TemplateId": plain, "SenderId": "清风"},
        {"PhoneNumber": SINGAPORE, "TemplateId": plain, "SenderId": "Books"},
    )
    assert codes(reply) == ["InvalidParameterValue", "Ok"]
    assert reply.response["SendMultiStatusSet"][0]["Message"] == (
        "`SenderId` is not one that a message can be sent from: at most 11 ASCII characters of GSM 03.38, or 20 digits"
    )


async def test_an_item_that_is_wrong_does_not_stop_the_others(service: Service) -> None:
    plain, code = await templates(service)
    reply = await send(
        service,
        {"PhoneNumber": HONG_KONG, "TemplateId": code, "TemplateParamSet": []},
        {"PhoneNumber": "x", "TemplateId": plain},
        {"PhoneNumber": SINGAPORE, "TemplateId": service.template_ids["notice"], "TemplateParamSet": ["x"]},
        {"PhoneNumber": SINGAPORE, "TemplateId": "no such"},
        {"PhoneNumber": SINGAPORE, "TemplateId": plain, "SessionContext": "x" * 512},
        {"PhoneNumber": SINGAPORE, "TemplateId": plain},
    )
    assert codes(reply) == [
        "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
        "InvalidParameterValue.IncorrectPhoneNumber",
        "UnsupportedOperation.ChineseMainlandTemplateToGlobalPhone",
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "InvalidParameterValue",
        "Ok",
    ]
    wrong, unreadable, *_ = reply.response["SendMultiStatusSet"]
    assert (wrong["IsoCode"], wrong["SerialNo"], wrong["Fee"]) == ("HK", "", 0)
    assert (unreadable["PhoneNumber"], unreadable["IsoCode"]) == ("x", "")


async def test_what_stands_against_every_item_is_said_of_the_call(service: Service) -> None:
    plain, _ = await templates(service)
    items: list[dict[str, object]] = [{"PhoneNumber": number, "TemplateId": plain} for number in (HONG_KONG, SINGAPORE)]
    assert (await send(service)).code == "InvalidParameterValue.MultiSmsInfoSetEmpty"
    assert (await send(service, *[items[0]] * 201)).code == "LimitExceeded.PhoneNumberCountLimit"
    assert (await send(service, *items, app="1499999999")).code == "InvalidParameterValue.SdkAppIdNotExist"
    mainland: dict[str, object] = {"PhoneNumber": "13711112222", "TemplateId": plain}
    assert (await send(service, *items, mainland)).code == "UnsupportedOperation.ContainDomesticPhoneNumber"
    await service.engine.write(
        lambda tx: accounts.set_status(
            tx, service.account.id, AccountStatus.SUSPENDED, by="tester", because="", now=service.clock.now
        )
    )
    # The door still trusts what it remembers; the accepting transaction does not.
    assert (await send(service, *items)).code == "UnauthorizedOperation.SdkAppIdIsDisabled"


@pytest.mark.parametrize("missing", ["PhoneNumber", "TemplateId"])
async def test_an_item_without_what_it_needs_is_refused(service: Service, missing: str) -> None:
    item: dict[str, object] = {"PhoneNumber": HONG_KONG, "TemplateId": "1"}
    del item[missing]
    reply = await send(service, item)
    assert (reply.code, missing in reply.message) == ("MissingParameter", True)


async def test_the_same_call_with_its_key_is_answered_as_before(service: Service) -> None:
    plain, _ = await templates(service)
    items: list[dict[str, object]] = [{"PhoneNumber": number, "TemplateId": plain} for number in (HONG_KONG, SINGAPORE)]
    first = await send(service, *items, idempotency_key="order-7")
    again = await send(service, *items, idempotency_key="order-7")
    assert codes(first) == ["Ok", "Ok"]
    assert again.response["SendMultiStatusSet"] == first.response["SendMultiStatusSet"]


@pytest.mark.parametrize(
    ("surprise", "code"), [("Surprise", "UnknownParameter"), ("PictureUrl", "UnsupportedOperation")]
)
async def test_an_item_with_more_than_it_takes_is_refused(service: Service, surprise: str, code: str) -> None:
    reply = await send(service, {"PhoneNumber": HONG_KONG, "TemplateId": "1", surprise: "x"})
    assert (reply.code, f"MultiSmsInfoSet[0].{surprise}" in reply.message) == (code, True)


# --- the key of SendSms ---


async def test_a_call_made_again_with_its_key_sends_once(service: Service) -> None:
    async def send_with(key: str, number: str = "13711112222") -> Reply:
        body = {
            "PhoneNumberSet": [number],
            "SmsSdkAppId": service.app.sdk_app_id,
            "TemplateId": service.template_ids["code"],
            "SignName": "清风书店",
            "TemplateParamSet": ["123456"],
        }
        return await service.call("SendSms", body, idempotency_key=key)

    first = await send_with("order-7")
    assert (await send_with("order-7")).response["SendStatusSet"] == first.response["SendStatusSet"]
    other = await send_with("order-7", "13711113333")
    assert other.code == "InvalidParameterValue"
    assert "idempotency key" in other.message
    for key in ("", "x" * 256, "two words", "schlüssel"):
        refused = await send_with(key)
        assert (refused.code, "Idempotency-Key" in refused.message) == ("InvalidParameterValue", True)
    assert (await send_with("x" * 255, "13711114444")).response["SendStatusSet"][0]["Code"] == "Ok"
