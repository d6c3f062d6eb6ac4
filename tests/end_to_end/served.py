"""A server of our own as a process, and the vendor's SDK to call it with."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from click.testing import CliRunner
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models
from tencentcloud.sms.v20210111.sms_client import SmsClient

from cleartosend.cli import cleartosend as commands

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)
PROOF = base64.b64encode(PNG).decode()
QUICK_ACTIONS = (
    "AddSmsSign",
    "ModifySmsSign",
    "DeleteSmsSign",
    "AddSmsTemplate",
    "ModifySmsTemplate",
    "DeleteSmsTemplate",
)
ENOUGH_SECONDS = 30
STOP_SECONDS = 20


def cleartosend(*arguments: str, data: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """
    Run the command as a user would.

    Beside the server, but within this process: one of its own takes longer to start than most commands to run.
    """
    where = [] if data is None else ["--data", str(data)]
    if arguments[0] == "serve":
        return as_process(*arguments, *where, check=check)
    done = CliRunner().invoke(commands, [*arguments, *where], prog_name="cleartosend")
    if not isinstance(done.exception, SystemExit | None):
        raise done.exception
    ended = subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)
    if check:
        ended.check_returncode()
    return ended


def as_process(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run the command as a process."""
    command = [sys.executable, "-m", "cleartosend", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=check, timeout=60)


class Server(msgspec.Struct):
    """A running `cleartosend serve`."""

    process: subprocess.Popen[str]
    data: Path
    endpoint: str
    said: str
    """What it printed before it listened."""

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def create_account(self, name: str = "清风书店", kind: str = "organization") -> "Caller":
        """Make an account beside the running server."""
        made = json.loads(cleartosend("account", "create", name, "--kind", kind, "--json", data=self.data).stdout)
        # Tests apply for much at once.
        rates = f"requests_per_second={json.dumps(dict.fromkeys(QUICK_ACTIONS, 1000))}"
        cleartosend("account", "set", str(made["account_id"]), rates, data=self.data)
        return Caller(self.endpoint, **made)


@contextlib.contextmanager
def serving(data: Path, *options: str, **environment: str) -> Iterator[Server]:
    """Start a server on a free port; ends it on the way out if nobody has."""
    with (data.parent / "serve.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cleartosend", "serve", "--data", str(data), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Tests write links to nowhere, and nothing of them leaves this machine.
            env=os.environ
            | {"CLEARTOSEND_SIMULATOR_DELAY_SECONDS": "0.05", "CLEARTOSEND_OPEN_LINKS": "false"}
            | environment,
        )
    try:
        assert process.stdout is not None
        said = ""
        while "listening on http://" not in said:
            line = process.stdout.readline()
            assert line, f"it ended: {(data.parent / 'serve.log').read_text()}"
            said += line
        yield Server(process, data, said.rsplit("http://", 1)[1].strip(), said)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        if process.stdout is not None:
            process.stdout.close()


class Caller:
    """The vendor's own client, signed in as one account."""

    def __init__(self, endpoint: str, *, account_id: int, sdk_app_id: str, secret_id: str, secret_key: str) -> None:
        self.account_id = account_id
        self.sdk_app_id = sdk_app_id
        profile = ClientProfile(httpProfile=HttpProfile(endpoint=endpoint, protocol="http", reqTimeout=30))
        self.sms = SmsClient(Credential(secret_id, secret_key), "ap-guangzhou", profile)

    def moved_to(self, endpoint: str) -> "Caller":
        """The same account, called at another address."""
        self.sms.profile.httpProfile.endpoint = endpoint
        return self

    def add_sign(self, text: str = "清风书店", **differs: Any) -> int:
        form = {
            "SignName": text,
            "SignType": 0,
            "DocumentType": 1,
            "International": 0,
            "SignPurpose": 0,
            "ProofImage": PROOF,
        }
        request = _filled(models.AddSmsSignRequest(), form | differs)
        return int(self.sms.AddSmsSign(request).AddSignStatus.SignId)

    def sign(self, sign_id: int, international: int = 0) -> Any:
        request = _filled(models.DescribeSmsSignListRequest(), {"International": international, "SignIdSet": [sign_id]})
        [sign] = self.sms.DescribeSmsSignList(request).DescribeSignListStatusSet
        return sign

    def add_template(self, text: str, sms_type: int = 2, international: int = 0) -> str:
        request = _filled(models.AddSmsTemplateRequest(), _template_form(text, sms_type, international))
        template_id = self.sms.AddSmsTemplate(request).AddTemplateStatus.TemplateId
        assert isinstance(template_id, str)
        return template_id

    def modify_template(self, template_id: str, text: str, sms_type: int = 2) -> None:
        form = _template_form(text, sms_type, 0) | {"TemplateId": int(template_id)}
        self.sms.ModifySmsTemplate(_filled(models.ModifySmsTemplateRequest(), form))

    def template(self, template_id: str, international: int = 0) -> Any:
        request = _filled(
            models.DescribeSmsTemplateListRequest(),
            {"International": international, "TemplateIdSet": [int(template_id)]},
        )
        [template] = self.sms.DescribeSmsTemplateList(request).DescribeTemplateStatusSet
        return template

    def send(
        self,
        template_id: str,
        values: list[str],
        numbers: list[str],
        sign: str = "清风书店",
        **differs: Any,
    ) -> list[Any]:
        form = {
            "SmsSdkAppId": self.sdk_app_id,
            "SignName": sign,
            "TemplateId": template_id,
            "TemplateParamSet": values,
            "PhoneNumberSet": numbers,
        }
        statuses: list[Any] = self.sms.SendSms(_filled(models.SendSmsRequest(), form | differs)).SendStatusSet
        return statuses

    def pull(self, limit: int = 100) -> list[Any]:
        request = _filled(models.PullSmsSendStatusRequest(), {"SmsSdkAppId": self.sdk_app_id, "Limit": limit})
        statuses: list[Any] = self.sms.PullSmsSendStatus(request).PullSmsSendStatusSet
        return statuses

    def pull_until(self, count: int) -> list[Any]:
        """Pull until so many statuses have come."""
        statuses: list[Any] = []

        def come() -> bool:
            statuses.extend(self.pull())
            return len(statuses) >= count

        until(come)
        return statuses


def until(what: Callable[[], bool]) -> None:
    """Ask again and again, for a bounded time."""
    give_up_at = time.monotonic() + ENOUGH_SECONDS
    while not what():
        assert time.monotonic() < give_up_at, "it did not come"
        time.sleep(0.05)


def _template_form(text: str, sms_type: int, international: int) -> dict[str, Any]:
    return {
        "TemplateName": "t",
        "TemplateContent": text,
        "SmsType": sms_type,
        "International": international,
        "Remark": "",
    }


def _filled(request: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        setattr(request, name, value)
    return request
