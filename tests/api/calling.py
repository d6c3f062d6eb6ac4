"""Calls the door in-process as a client would, signing by a reading of the documents that is not the server's own."""

import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from usual import (
    SIGNATURE,
    VAULT,
    Clock,
    approved_signature,
    approved_template,
    simple_judge,
)

from cleartosend.admission.accept import Admission, MessageIds
from cleartosend.admission.directory import Directory
from cleartosend.api.tencent.door import Door
from cleartosend.api.tencent.receiving import Message
from cleartosend.api.tencent.signing import Request
from cleartosend.carriers.dispatch import stop_account
from cleartosend.model.accounts import (
    Account,
    AccountKind,
    AccountSettings,
    AccountStatus,
    App,
    AppSettings,
    Credential,
)
from cleartosend.model.verdicts import Action, Decision, Finding, MessageType, Part, Submission, Verdict
from cleartosend.ports import Engine
from cleartosend.review.apply import Applications
from cleartosend.settings import Settings
from cleartosend.store import accounts

NOW = 1_749_956_400.0  # 2025-06-15 11:00 in Beijing
HOST = "127.0.0.1:8080"
SECRET_ID = "AKIDexample0000000000000000000000000"
SECRET_KEY = "an example, and no secret at all"


def judge(submission: Submission) -> Verdict:
    """Say no as the usual judge does, and to marketing that does not end as it must."""
    verdict = simple_judge(submission)
    template = submission.part is Part.TEMPLATE and submission.type is MessageType.MARKETING
    if not template or submission.text.endswith("拒收请回复R"):
        return verdict
    finding = Finding(
        rule="opt-out-is-missing",
        category="",
        action=Action.REJECT,
        because="营销短信须以“拒收请回复R”结尾",
        clause="",
        quote="",
        start=len(submission.text),
        end=len(submission.text),
    )
    return msgspec.structs.replace(verdict, decision=Decision.REJECT, findings=(*verdict.findings, finding))


def sign(
    *,
    timestamp: int,
    body: bytes = b"",
    method: str = "POST",
    query: str = "",
    signed: dict[str, str],
    payload: bytes | None = None,
    secret_id: str = SECRET_ID,
    secret_key: str = SECRET_KEY,
    date: str | None = None,
    service: str = "sms",
) -> str:
    """
    Make the Authorization header as the documents describe it.

    `signed` are the headers to sign with the values to sign; `payload` stands in for the body.
    """
    date = date or datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")
    names = ";".join(signed)
    block = "".join(f"{name}:{value}\n" for name, value in signed.items())
    hashed = hashlib.sha256(body if payload is None else payload).hexdigest()
    canonical = f"{method}\n/\n{query}\n{block}\n{names}\n{hashed}"
    scope = f"{date}/{service}/tc3_request"
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"TC3" + secret_key.encode()
    for word in (date, service, "tc3_request", text):
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return f"TC3-HMAC-SHA256 Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={key.hex()}"


def signed_request(
    body: bytes = b"{}",
    headers: dict[str, str] | None = None,
    *,
    timestamp: int = int(NOW),
    signed: dict[str, str] | None = None,
) -> Request:
    """Make a POST as the Python client sends it; `headers` and `signed` take what differs."""
    signed = signed or {"content-type": "application/json", "host": HOST}
    sent = {
        "content-type": "application/json",
        "host": HOST,
        "x-tc-action": "SendSms",
        "x-tc-version": "2021-01-11",
        "x-tc-timestamp": str(timestamp),
        "authorization": sign(timestamp=timestamp, body=body, signed=signed),
        **(headers or {}),
    }
    return Request(b"POST", b"", {name.encode(): value.encode() for name, value in sent.items()}, body)


class Reply(msgspec.Struct, frozen=True):
    """What came back over the wire."""

    status: int
    headers: dict[bytes, bytes]
    response: dict[str, Any]

    @property
    def code(self) -> str:
        """The code of an error; empty where there is none."""
        return str(self.response["Error"]["Code"]) if "Error" in self.response else ""

    @property
    def message(self) -> str:
        return str(self.response["Error"]["Message"])


async def send_to(
    door: Door, request: Request, *, pieces: list[bytes] | None = None, address: str = "127.0.0.1"
) -> Reply:
    """Drive the door as a web server would, from an address; the body goes in one piece unless pieces are given."""
    coming = pieces or [request.body]
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": coming.pop(0), "more_body": bool(coming)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": request.method.decode(),
        "path": "/",
        "query_string": request.query,
        "headers": list(request.headers.items()),
        "client": (address, 50_000) if address else None,
    }
    await door(scope, receive, send)
    start, body = sent
    return Reply(start["status"], dict(start["headers"]), json.loads(body["body"])["Response"])


class Service(msgspec.Struct, kw_only=True):
    """A door with all that is behind it, and one account that may send."""

    engine: Engine
    directory: Directory
    applications: Applications
    door: Door
    clock: Clock
    account: Account
    app: App
    template_ids: dict[str, str] = {}

    async def call(self, action: str, parameters: object = None, **headers: str) -> Reply:
        """Call as one should; `headers` (with _ for -) take what differs."""
        body = json.dumps({} if parameters is None else parameters).encode()
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        request = signed_request(body, {"x-tc-action": action, **changed}, timestamp=int(self.clock.now))
        return await send_to(self.door, request)

    async def send(self, numbers: list[str], template: str = "code", **parameters: object) -> Reply:
        """Send what should be accepted; `parameters` take what differs."""
        usual: dict[str, object] = {
            "PhoneNumberSet": numbers,
            "SmsSdkAppId": self.app.sdk_app_id,
            "TemplateId": self.template_ids[template],
            "SignName": SIGNATURE,
            "TemplateParamSet": ["123456"],
        }
        return await self.call("SendSms", usual | parameters)

    async def set(self, **changes: object) -> None:
        """Set some of the account's settings, which count at once."""
        settings = msgspec.convert(changes, AccountSettings)
        await self.engine.write(lambda tx: accounts.set_settings(tx, self.account.id, settings))
        await self.account_changed()

    async def stop(self, status: AccountStatus) -> None:
        """Suspend, ban or restore the account, which counts at once."""
        await self.engine.write(
            lambda tx: accounts.set_status(tx, self.account.id, status, by="tester", because="", now=NOW)
        )
        await self.account_changed()

    async def template(self, text: str, type_: MessageType, *, international: bool = False) -> str:
        """Have one more approved template."""
        template_id = await self.engine.write(
            lambda tx: approved_template(tx, self.account.id, text, type_, international=international)
        )
        await self.account_changed()
        return template_id

    async def set_app(self, *, enabled: bool = True, **changes: object) -> None:
        """Enable or disable the app and set some of its settings, which count at once."""
        settings = msgspec.convert(changes, AppSettings)
        await self.engine.write(
            lambda tx: accounts.set_app(tx, self.app, name=self.app.name, enabled=enabled, settings=settings)
        )
        await self.account_changed()

    async def account_changed(self) -> None:
        """Look again now instead of when the directory would."""
        await self.directory.verified(self.account.id)


async def open_service(engine: Engine, settings: Settings, *, kind: AccountKind = AccountKind.ORGANIZATION) -> Service:
    """Make an account with an app, a credential, an approved signature and the templates `code` and `notice`."""
    clock = Clock(NOW)
    account = await engine.write(lambda tx: accounts.create(tx, name="清风书店", kind=kind, verified=True, now=NOW))
    app = await engine.write(lambda tx: accounts.add_app(tx, account_id=account.id, name="shop", now=NOW))
    credential = Credential(
        secret_id=SECRET_ID, secret_key=SECRET_KEY, account_id=account.id, enabled=True, created_at=NOW
    )
    await engine.write(lambda tx: accounts.add_credential(tx, credential, vault=VAULT))
    directory = Directory(engine, VAULT)
    applications = Applications(engine=engine, judge=judge, clock=clock, stop_account=stop_account)
    admission = Admission(
        engine=engine,
        directory=directory,
        judge=judge,
        settings=settings,
        clock=clock,
        ids=MessageIds(0, clock),
        stop_account=stop_account,
    )
    service = Service(
        engine=engine,
        directory=directory,
        applications=applications,
        door=Door(
            admission=admission,
            applications=applications,
            directory=directory,
            engine=engine,
            clock=clock,
            # A second passes between any two calls, so that none comes too often.
            monotonic=partial(next, itertools.count(1.0)),
        ),
        clock=clock,
        account=account,
        app=app,
    )
    await engine.write(lambda tx: approved_signature(tx, account.id))
    for name, type_, text in (
        ("code", MessageType.VERIFICATION, "您的验证码是{1}，请勿告诉他人。"),
        ("notice", MessageType.NOTIFICATION, "您预订的{1}已经到店。"),
    ):
        service.template_ids[name] = await engine.write(
            partial(approved_template, account_id=account.id, text=text, type_=type_)
        )
    return service
