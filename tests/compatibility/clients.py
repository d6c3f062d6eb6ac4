"""The vendor's clients, each called in the same way: an action and its parameters in, the answer or a refusal out."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from compatibility.answers import Answer
from compatibility.matrix import USUAL, Sdk, Transport
from tencentcloud.common.common_client import CommonClient
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile

from cleartosend.cli.account import NewAccount

Call = Callable[[str, Answer], Answer]
"""Makes one call; what comes back is the object under `Response`, as the client hands it over."""
NODE_MODULES = Path(sys.prefix, "node", "node_modules")
INTERNATIONAL = Path(sys.prefix, "international")
"""A folder of its own: the package has the module names of the one for mainland China."""
_HERE = Path(__file__).parent
_REGION = "ap-guangzhou"
_REQUEST_SECONDS = 30


class Refused(Exception):
    """What a client raised, or threw, for an error that the service answered with."""

    def __init__(self, code: str, message: str, request_id: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.request_id = request_id


class HasNot(Exception):
    """The client has no method for the action."""


def why_not(sdk: Sdk) -> str:
    """Say why a client cannot be called here; empty where it can."""
    if sdk is Sdk.NODE and shutil.which("node") is None:
        return "node is not installed, so the vendor's client for it was not tested"
    if sdk is Sdk.NODE and not NODE_MODULES.is_dir():
        return "the vendor's client for Node is not installed: `make setup` does it where node and npm are found"
    if sdk is Sdk.INTERNATIONAL and not INTERNATIONAL.is_dir():
        return "the vendor's client for its international site is not installed: `make setup` does it"
    return ""


class Worker:
    """A client in a process of its own, for as many calls as there are."""

    def __init__(self, command: list[str | Path], **environment: str) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=os.environ | environment,
        )

    def ask(self, **call: Any) -> Answer:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the process has ended: {self._process.args!r}"
        outcome: Answer = json.loads(line)
        return outcome

    def close(self) -> None:
        """It ends when nothing more can come."""
        self._process.communicate(timeout=_REQUEST_SECONDS)


class Clients:
    """All clients, for one server; workers are started when they are first needed."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._workers: dict[Sdk, Worker] = {}
        self._open = ExitStack()

    def close(self) -> None:
        self._open.close()

    def caller(
        self,
        account: NewAccount,
        sdk: Sdk,
        version: str,
        transport: Transport = USUAL,
        language: str = "",
    ) -> Call:
        """Sign in as an account; what is returned calls. Skips the test where the client is not there."""
        if reason := why_not(sdk):
            pytest.skip(reason)
        if sdk in {Sdk.NODE, Sdk.INTERNATIONAL}:
            return self._worker_caller(account, sdk, version, transport, language)
        credential = Credential(account.secret_id, account.secret_key)
        profile = ClientProfile(
            signMethod=transport.signed_by,
            httpProfile=HttpProfile(
                endpoint=self._endpoint, protocol="http", reqMethod=transport.method, reqTimeout=_REQUEST_SECONDS
            ),
            language=language or "zh-CN",
        )
        profile.unsignedPayload = transport.leaves_body_unsigned
        if sdk is Sdk.COMMON:
            return _common_caller(CommonClient("sms", version, credential, _REGION, profile))
        package = f"tencentcloud.sms.{_module(version)}"
        client = import_module(f"{package}.sms_client").SmsClient(credential, _REGION, profile)
        return _python_caller(client, import_module(f"{package}.models"))

    def _worker_caller(self, account: NewAccount, sdk: Sdk, version: str, transport: Transport, language: str) -> Call:
        worker = self._worker(sdk)

        def call(action: str, parameters: Answer) -> Answer:
            outcome = worker.ask(
                endpoint=self._endpoint,
                version=_module(version),
                credential=[account.secret_id, account.secret_key],
                method=transport.method,
                signedBy=transport.signed_by,
                language=language,
                action=action,
                parameters=parameters,
            )
            if "missing" in outcome:
                raise HasNot(action)
            if "refused" in outcome:
                told = outcome["refused"]
                raise Refused(told.get("code", ""), told["message"], told.get("requestId", ""))
            answer: Answer = outcome["answer"]
            return answer

        return call

    def _worker(self, sdk: Sdk) -> Worker:
        if sdk not in self._workers:
            if sdk is Sdk.NODE:
                worker = Worker(["node", _HERE / "node_client.js"], NODE_PATH=str(NODE_MODULES))
            else:
                # It warns of fields that its site does not have.
                command: list[str | Path] = [sys.executable, "-W", "ignore::UserWarning", _HERE / "python_client.py"]
                worker = Worker(command, PYTHONPATH=str(INTERNATIONAL))
            self._workers[sdk] = worker
            self._open.callback(worker.close)
        return self._workers[sdk]


def _module(version: str) -> str:
    """
    Name a version as the clients' modules do.

    >>> _module("2021-01-11")
    'v20210111'
    """
    return f"v{version.replace('-', '')}"


def _common_caller(client: CommonClient) -> Call:
    def call(action: str, parameters: Answer) -> Answer:
        try:
            answer: Answer = client.call_json(action, parameters)["Response"]
        except TencentCloudSDKException as refused:
            raise Refused(refused.get_code(), refused.get_message(), refused.get_request_id()) from refused
        return answer

    return call


def _python_caller(client: Any, models: Any) -> Call:
    def call(action: str, parameters: Answer) -> Answer:
        if not hasattr(client, action):
            raise HasNot(action)
        request = getattr(models, f"{action}Request")()
        # It warns of a name it does not know, and a warning is an error here.
        request.from_json_string(json.dumps(parameters))
        try:
            answered = getattr(client, action)(request)
        except TencentCloudSDKException as refused:
            raise Refused(refused.get_code(), refused.get_message(), refused.get_request_id()) from refused
        answer: Answer = json.loads(answered.to_json_string())
        return answer

    return call
