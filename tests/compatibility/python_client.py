"""Calls through a Python client of the vendor's in a process of its own: a line of JSON in, a line of JSON out."""

import json
import sys
from importlib import import_module
from typing import Any

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile


def outcome_of(call: dict[str, Any]) -> dict[str, Any]:
    package, action = f"tencentcloud.sms.{call['version']}", call["action"]
    profile = ClientProfile(
        httpProfile=HttpProfile(endpoint=call["endpoint"], protocol="http"), language=call["language"] or "zh-CN"
    )
    client = import_module(f"{package}.sms_client").SmsClient(Credential(*call["credential"]), "ap-singapore", profile)
    if not hasattr(client, action):
        return {"missing": action}
    request = getattr(import_module(f"{package}.models"), f"{action}Request")()
    request.from_json_string(json.dumps(call["parameters"]))
    try:
        return {"answer": json.loads(getattr(client, action)(request).to_json_string())}
    except TencentCloudSDKException as refused:
        return {
            "refused": {
                "code": refused.get_code(),
                "message": refused.get_message(),
                "requestId": refused.get_request_id(),
            }
        }


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(outcome_of(json.loads(line))) + "\n")
        sys.stdout.flush()
