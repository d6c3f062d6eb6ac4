"""Statuses and replies are taken from their queues once, and asked for by number as often as one likes."""

from typing import Any

import pytest
from api.calling import NOW, Service

from cleartosend.model.consent import Wish
from cleartosend.model.messages import Ending, MessageMove, MessageState, Party, Reply, message_id_of
from cleartosend.store import messages, replies

DAY = 86_400


async def ended(service: Service, number: str, state: MessageState, code: str, **parameters: Any) -> str:
    """Send a message and give it its end five seconds later; returns its serial number."""
    reply = await service.send([number], **parameters)
    serial = str(reply.response["SendStatusSet"][0]["SerialNo"])
    message_id = message_id_of(serial)
    assert message_id is not None
    ending = Ending(message_id=message_id, state=state, code=code, party=Party.NOBODY, at=service.clock.now + 5)

    def work(tx: Any) -> None:
        messages.hand_over(tx, [message_id], now=NOW, receipt_by=NOW + 60)
        assert messages.end(tx, MessageMove.SETTLE, [ending])

    await service.engine.write(work)
    return serial


async def answered(service: Service, number: str, text: str) -> None:
    """Have a number write back."""
    reply = Reply(carrier="test", number=number, text=text, extension_code="7", at=service.clock.now + 60)
    await service.engine.write(
        lambda tx: replies.keep(tx, reply, answers=replies.answered_by(tx, reply), wish=Wish.NONE)
    )


async def by_number(service: Service, action: str, number: str = "13711112222", **changed: Any) -> Any:
    now = int(service.clock.now)
    asked: dict[str, object] = {
        "BeginTime": now - 3600,
        "Offset": 0,
        "Limit": 100,
        "PhoneNumber": number,
        "SmsSdkAppId": service.app.sdk_app_id,
    }
    return await service.call(action, asked | changed)


async def test_a_number_is_asked_about_again_and_again(service: Service) -> None:
    first = await ended(service, "13711112222", MessageState.DELIVERED, "DELIVRD", SessionContext="order 7")
    service.clock.advance(60)
    second = await ended(service, "13711112222", MessageState.FAILED, "MK:0017", TemplateParamSet=["654321"])
    await ended(service, "13711113333", MessageState.DELIVERED, "DELIVRD")
    await service.send(["13711112222"], template="notice", TemplateParamSet=["贷款"])
    for _ in range(2):
        reply = await by_number(service, "PullSmsSendStatusByPhoneNumber")
        found = reply.response["PullSmsSendStatusSet"]
        assert [(one["SerialNo"], one["ReportStatus"]) for one in found] == [(first, "SUCCESS"), (second, "FAIL")]
    assert found[0] == {
        "UserReceiveTime": int(NOW) + 5,
        "CountryCode": "86",
        "SubscriberNumber": "13711112222",
        "PhoneNumber": "+8613711112222",
        "SerialNo": first,
        "ReportStatus": "SUCCESS",
        "Description": "DELIVRD",
        "SessionContext": "order 7",
    }


@pytest.mark.parametrize(
    ("changed", "serials"),
    [
        ({"Limit": 1}, [0]),
        ({"Limit": 0}, []),
        ({"BeginTime": int(NOW) + 30}, [1]),
        ({"EndTime": int(NOW) + 30}, [0]),
        ({"PhoneNumber": "13711119999"}, []),
        ({"PhoneNumber": "008613711112222", "EndTime": int(NOW) + 10 * DAY}, [0, 1]),
    ],
)
async def test_a_time_and_a_limit_are_kept_to(service: Service, changed: dict[str, Any], serials: list[int]) -> None:
    sent = [await ended(service, "13711112222", MessageState.DELIVERED, "DELIVRD")]
    service.clock.advance(60)
    sent.append(await ended(service, "13711112222", MessageState.DELIVERED, "DELIVRD", TemplateParamSet=["1"]))
    reply = await by_number(service, "PullSmsSendStatusByPhoneNumber", **changed)
    assert [one["SerialNo"] for one in reply.response["PullSmsSendStatusSet"]] == [sent[place] for place in serials]


async def test_what_was_not_ended_is_not_told(service: Service) -> None:
    await service.send(["13711112222"])
    reply = await by_number(service, "PullSmsSendStatusByPhoneNumber")
    assert reply.response["PullSmsSendStatusSet"] == []


BEGIN = "InvalidParameterValue.BeginTimeVerifyFail"
END = "InvalidParameterValue.EndTimeVerifyFail"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"BeginTime": int(NOW) - 7 * DAY}, ""),
        ({"BeginTime": int(NOW) - 7 * DAY - 3600}, BEGIN),
        ({"BeginTime": int(NOW) * 1000}, BEGIN),
        ({"BeginTime": -1}, BEGIN),
        ({"EndTime": int(NOW) * 1000}, END),
        ({"EndTime": int(NOW) - 3601}, "InvalidParameterValue.InvalidStartTime"),
        ({"PhoneNumber": "x"}, "InvalidParameterValue.IncorrectPhoneNumber"),
        ({"SmsSdkAppId": "1499999999"}, "InvalidParameterValue.SdkAppIdNotExist"),
    ],
)
@pytest.mark.parametrize("action", ["PullSmsSendStatusByPhoneNumber", "PullSmsReplyStatusByPhoneNumber"])
async def test_what_is_wrong_is_named(service: Service, action: str, changed: dict[str, Any], code: str) -> None:
    assert (await by_number(service, action, **changed)).code == code


@pytest.mark.parametrize("changed", [{"Limit": 101}, {"Limit": -1}, {"Offset": 1}, {"BeginTime": "now"}])
async def test_each_action_has_its_own_code_for_what_is_out_of_range(service: Service, changed: dict[str, Any]) -> None:
    assert (await by_number(service, "PullSmsSendStatusByPhoneNumber", **changed)).code == (
        "FailedOperation.FailResolvePacket"
    )
    assert (await by_number(service, "PullSmsReplyStatusByPhoneNumber", **changed)).code == "InvalidParameter"


async def test_replies_are_pulled_once_and_told_by_number_again(service: Service) -> None:
    await ended(service, "13711112222", MessageState.DELIVERED, "DELIVRD")
    await answered(service, "+8613711112222", "谢谢")
    await answered(service, "+8613711112222", "再见")
    expected = {
        "ExtendCode": "7",
        "CountryCode": "86",
        "PhoneNumber": "+8613711112222",
        "SignName": "清风书店",
        "ReplyContent": "谢谢",
        "ReplyTime": int(NOW) + 60,
        "SubscriberNumber": "13711112222",
    }
    queue = {"Limit": 1, "SmsSdkAppId": service.app.sdk_app_id}
    pulled = [(await service.call("PullSmsReplyStatus", queue)).response["PullSmsReplyStatusSet"] for _ in range(3)]
    assert pulled == [[expected], [expected | {"ReplyContent": "再见"}], []]
    for _ in range(2):
        reply = await by_number(service, "PullSmsReplyStatusByPhoneNumber", EndTime=int(NOW) + 100)
        assert reply.response["PullSmsReplyStatusSet"] == pulled[0] + pulled[1]


async def test_a_disabled_app_is_not_pulled_from(service: Service) -> None:
    await service.set_app(enabled=False)
    for action in ("PullSmsSendStatus", "PullSmsReplyStatus"):
        reply = await service.call(action, {"Limit": 1, "SmsSdkAppId": service.app.sdk_app_id})
        assert reply.code == "UnauthorizedOperation.SdkAppIdIsDisabled"
