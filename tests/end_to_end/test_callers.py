"""Headers of the vendor's own client reach the door: where a call comes from, and which call it is."""

from pathlib import Path
from typing import Any

import pytest
from end_to_end.served import Caller, cleartosend, serving
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.sms.v20210111 import models

ELSEWHERE = {"X-Forwarded-For": "192.0.2.7"}


def describe(caller: Caller, headers: dict[str, str]) -> Any:
    request = models.DescribePhoneNumberInfoRequest()
    request.PhoneNumberSet = ["+8613711112222"]
    request.headers = headers
    return caller.sms.DescribePhoneNumberInfo(request).PhoneNumberInfoSet[0].Code


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_only_a_trusted_proxy_says_where_a_call_comes_from(tmp_path: Path, trusted: str) -> None:
    with serving(tmp_path / "data", CLEARTOSEND_TRUSTED_PROXIES=trusted) as server:
        caller = server.create_account()
        cleartosend("account", "set", str(caller.account_id), 'caller_networks=["192.0.2.7"]', data=server.data)
        with pytest.raises(TencentCloudSDKException, match="RequestPermissionDeny"):
            describe(caller, {})
        if trusted:
            assert describe(caller, ELSEWHERE) == "Ok"
        else:
            with pytest.raises(TencentCloudSDKException, match="RequestPermissionDeny"):
                describe(caller, ELSEWHERE)


def test_a_call_made_again_with_its_key_sends_once(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        caller = server.create_account()
        caller.add_sign()
        template_id = caller.add_template("您的验证码是{1}，请勿告诉他人。", 3)

        def send() -> str:
            request = models.SendSmsRequest()
            request.PhoneNumberSet = ["+8613711112222"]
            request.SmsSdkAppId = caller.sdk_app_id
            request.TemplateId = template_id
            request.SignName = "清风书店"
            request.TemplateParamSet = ["123456"]
            request.headers = {"Idempotency-Key": "order-7"}
            [status] = caller.sms.SendSms(request).SendStatusSet
            assert status.Code == "Ok"
            return str(status.SerialNo)

        assert send() == send()
