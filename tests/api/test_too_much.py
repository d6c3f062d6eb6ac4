"""A caller who asks for more than can be sent hears a code upon which its client tries again."""

from typing import Any

import msgspec
import pytest
from api.calling import open_service
from usual import SIGNATURE

from cleartosend.ports import Engine
from cleartosend.settings import Settings

OLDER = "2019-07-11"


@pytest.mark.parametrize("version", ["2021-01-11", OLDER])
async def test_a_call_beyond_what_may_wait_is_told_to_come_again(
    engine: Engine, settings: Settings, version: str
) -> None:
    service = await open_service(engine, msgspec.structs.replace(settings, most_waiting=2))
    app, template, sign, values = (
        ("SmsSdkAppid", "TemplateID", "Sign", "TemplateParamSet")
        if version == OLDER
        else ("SmsSdkAppId", "TemplateId", "SignName", "TemplateParamSet")
    )
    call: dict[str, Any] = {
        "PhoneNumberSet": ["+8613711112222", "+8613711113333"],
        app: service.app.sdk_app_id,
        template: str(service.template_ids["code"]),
        sign: SIGNATURE,
        values: ["123456"],
    }
    assert (await service.call("SendSms", call, x_tc_version=version)).code == ""
    full = await service.call("SendSms", call | {"PhoneNumberSet": ["+8613711114444"]}, x_tc_version=version)
    assert full.code == "RequestLimitExceeded"
    assert full.message == "2 messages already wait for carriers; nothing was accepted, try again later"
