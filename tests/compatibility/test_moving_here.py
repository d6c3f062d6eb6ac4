"""What the pages tell those who move here, run as it stands but for the address."""

import json
import os
import re
import subprocess

import pytest
from compatibility.clients import NODE_MODULES, why_not
from compatibility.matrix import ROOT, V2021, Sdk
from compatibility.stage import Stage, StageOf, sending
from end_to_end.served import Server
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient
from usual import SIGNATURE

NODE_PROGRAM = """
const { sms } = require("tencentcloud-sdk-nodejs-sms")
const credential = { secretId: process.env.SECRET_ID, secretKey: process.env.SECRET_KEY }
%s
client.DescribeSmsSignList({ International: 0, Limit: 1 }).then((answer) => console.log(JSON.stringify(answer)))
"""


@pytest.fixture
def stage(stage_of: StageOf) -> Stage:
    return stage_of(Sdk.PYTHON, V2021)


def shown(language: str, server: Server) -> str:
    """What the README shows in the language, with the address of this server."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    [block] = blocks
    assert "127.0.0.1:8080" in block
    return block.replace("127.0.0.1:8080", server.endpoint)


def test_the_lines_for_python_are_all_it_takes(server: Server, stage: Stage) -> None:
    names = {
        "ClientProfile": ClientProfile,
        "Credential": Credential,
        "HttpProfile": HttpProfile,
        "SmsClient": SmsClient,
        "secret_id": stage.account.secret_id,
        "secret_key": stage.account.secret_key,
    }
    exec(shown("python", server), names)  # noqa: S102 - the README's own lines
    request = models.DescribeSmsSignListRequest()
    request.International, request.Limit = 0, 1
    client: SmsClient = names["client"]
    [sign] = client.DescribeSmsSignList(request).DescribeSignListStatusSet
    assert sign.SignName == SIGNATURE


def test_the_header_for_calling_again_can_be_given_to_the_client(server: Server, stage: Stage) -> None:
    profile = ClientProfile(httpProfile=HttpProfile(endpoint=server.endpoint, protocol="http"))
    client = SmsClient(Credential(stage.account.secret_id, stage.account.secret_key), "ap-guangzhou", profile)
    request = models.SendSmsRequest()
    request.from_json_string(json.dumps(sending(stage, stage.number())))
    request.headers = {"Idempotency-Key": "order-8841-shipped"}
    [first] = client.SendSms(request).SendStatusSet
    [second] = client.SendSms(request).SendStatusSet
    assert (first.Code, second.Code) == ("Ok", "Ok")
    assert first.SerialNo == second.SerialNo


@pytest.mark.skipif(bool(why_not(Sdk.NODE)), reason=why_not(Sdk.NODE))
def test_the_lines_for_node_are_all_it_takes(server: Server, stage: Stage) -> None:
    ended = subprocess.run(
        ["node", "--eval", NODE_PROGRAM % shown("js", server)],
        env=os.environ
        | {
            "NODE_PATH": str(NODE_MODULES),
            "SECRET_ID": stage.account.secret_id,
            "SECRET_KEY": stage.account.secret_key,
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    [sign] = json.loads(ended.stdout)["DescribeSignListStatusSet"]
    assert sign["SignName"] == SIGNATURE
