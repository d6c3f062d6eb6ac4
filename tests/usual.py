"""The usual account, its usual signature and templates, and a clock that moves only when told."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

import msgspec
from sqlalchemy import Connection

from cleartosend.admission.accept import Admission, MessageIds
from cleartosend.admission.directory import Directory
from cleartosend.carriers.dispatch import Dispatch, stop_account, submit
from cleartosend.carriers.outlet import Outlet, Pace
from cleartosend.carriers.routing import Routing
from cleartosend.cli.account import NewAccount, create_account
from cleartosend.delivery.deadlines import lose_in_doubt
from cleartosend.delivery.receipts import take_parked
from cleartosend.model.accounts import AccountKind, AccountSettings, AppSettings
from cleartosend.model.applications import ReviewMove, SignatureForm, TemplateForm
from cleartosend.model.carriers import EVERYTHING
from cleartosend.model.messages import Lane, Parcel, RecipientOutcome, SendCall
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import (
    Action,
    Decision,
    Finding,
    MessageType,
    Nature,
    Submission,
    Verdict,
)
from cleartosend.ports import Carrier, Engine, Submitted, WayOut
from cleartosend.review.moves import make
from cleartosend.settings import Settings
from cleartosend.spool import embedded as spool
from cleartosend.store import accounts, applications
from cleartosend.store.secrets import Vault

VAULT = Vault(bytes(32))
# 2026-03-02 04:00:00 UTC is noon in Beijing.
NOON_IN_BEIJING = 1772424000.0
SIGNATURE = "清风书店"
CODE_TEMPLATE = "您的验证码是{1}，{2}分钟内有效。"
NOTICE_TEMPLATE = "您的订单{1}已发货，请留意查收。"
MARKETING_TEMPLATE = "尊敬的会员，本店新书上架，欢迎选购。拒收请回复R"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


class Clock:
    """Stands still until it is told to move."""

    def __init__(self, now: float = NOON_IN_BEIJING) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Usual(msgspec.Struct, frozen=True):
    """An account that may send, and what it sends with."""

    account: NewAccount
    code: str
    notice: str
    marketing: str

    def call(self, *numbers: str, template: str | None = None, **differs: Any) -> SendCall:
        """The usual call: a code to the numbers, but for what differs."""
        template = template or self.code
        values: tuple[str, ...] = {self.code: ("123456", "5"), self.notice: ("8841",)}.get(template, ())
        fields: dict[str, object] = {
            "account_id": self.account.account_id,
            "secret_id": self.account.secret_id,
            "sdk_app_id": self.account.sdk_app_id,
            "template_id": template,
            "signature": SIGNATURE,
            "numbers": numbers,
            "values": values,
        }
        return msgspec.convert(fields | differs, SendCall)


async def usual_account(engine: Engine, *, kind: AccountKind = AccountKind.ORGANIZATION) -> Usual:
    """An account with one approved signature and an approved template of each type."""

    def work(tx: Connection) -> Usual:
        account = create_account(tx, name="清风书店", kind=kind, verified=True, vault=VAULT, now=1.0)
        approved_signature(tx, account.account_id)
        return Usual(
            account,
            code=approved_template(tx, account.account_id, CODE_TEMPLATE, MessageType.VERIFICATION),
            notice=approved_template(tx, account.account_id, NOTICE_TEMPLATE, MessageType.NOTIFICATION),
            marketing=approved_template(tx, account.account_id, MARKETING_TEMPLATE, MessageType.MARKETING),
        )

    return await engine.write(work)


def usual_dispatch(
    engine: Engine, carrier: Carrier, clock: Callable[[], float], *, settings: Settings, window: int | None = None
) -> Dispatch:
    """What empties the spool into one carrier, by the one route that there is."""
    return Dispatch(
        engine=engine,
        outlets=[Outlet(carrier, window or settings.window, Pace(0.0, now=monotonic()))],
        routing=Routing([], [carrier.name]),
        settings=settings,
        clock=clock,
        settle_parked=take_parked,
        lose=lose_in_doubt,
    )


def claimed(tx: Connection, now: float) -> list[Parcel]:
    """Everything that waits by the one route that there is, claimed."""
    return spool.claim(tx, now=now, route=EVERYTHING, lane=max(Lane), limit=1000)


def hand_over(
    tx: Connection, message_ids: Sequence[int], *, now: float, carrier: str = "c", within: float = 3600.0
) -> list[str]:
    """A carrier takes these messages; returns what it calls them."""
    ids = [f"{carrier}{message_id}" for message_id in message_ids]
    taken = [(message_id, carrier, Submitted((its,))) for message_id, its in zip(message_ids, ids, strict=True)]
    submit(tx, taken, now=now, receipt_by=now + within, settle_parked=take_parked)
    return ids


def approved_signature(tx: Connection, account_id: int, text: str = SIGNATURE, *, international: bool = False) -> int:
    form = SignatureForm(
        text=text, sign_type=0, document_type=0, international=international, for_another=False, proof_image=PNG
    )
    signature_id = applications.add_signature(tx, account_id, form, now=1.0)
    signature = applications.find_signature(tx, signature_id)
    assert signature is not None
    assert make(tx, signature, ReviewMove.APPROVE, by="tester", now=1.0)
    return signature_id


def approved_template(
    tx: Connection, account_id: int, text: str, type_: MessageType, *, international: bool = False
) -> str:
    form = TemplateForm(name="t", text=text, type=type_, international=international)
    template_id = applications.add_template(tx, account_id, form, now=1.0)
    template = applications.find_template(tx, template_id)
    assert template is not None
    assert make(tx, template, ReviewMove.APPROVE, by="tester", now=1.0)
    return str(template_id)


def simple_judge(submission: Submission) -> Verdict:
    """Knows one rule: 贷款 is refused. For tests that are not about the policy."""
    start = submission.text.find("贷款")
    findings = (
        ()
        if start < 0
        else (
            Finding(
                rule="loan-offer",
                category="loan",
                action=Action.REJECT,
                because="不得发送贷款内容。",
                clause="",
                quote="贷款",
                start=start,
                end=start + 2,
            ),
        )
    )
    return Verdict(
        decision=Decision.REJECT if findings else Decision.APPROVE,
        nature=Nature(submission.type),
        rulebook="test",
        findings=findings,
    )


def usual_admission(
    engine: Engine,
    clock: Clock,
    *,
    node: int = 0,
    settings: Settings | None = None,
    judge: Callable[[Submission], Verdict] = simple_judge,
    way: WayOut | None = None,
) -> Admission:
    return Admission(
        engine=engine,
        directory=Directory(engine, VAULT, monotonic=clock),
        judge=judge,
        settings=settings or Settings(),
        clock=clock,
        ids=MessageIds(node, clock),
        stop_account=stop_account,
        way=way,
    )


async def change_settings(engine: Engine, usual: Usual, **changes: object) -> None:
    """Set some of the usual account's settings."""

    def work(tx: Connection) -> None:
        accounts.set_settings(tx, usual.account.account_id, msgspec.convert(changes, AccountSettings))

    await engine.write(work)


async def change_app(engine: Engine, usual: Usual, **changes: object) -> None:
    """Set some of the settings of the usual account's app."""

    def work(tx: Connection) -> None:
        app = accounts.find_app(tx, usual.account.sdk_app_id)
        assert app is not None
        settings = msgspec.convert(changes, AppSettings)
        accounts.set_app(tx, app, name=app.name, enabled=app.enabled, settings=settings)

    await engine.write(work)


async def template_for_abroad(
    engine: Engine, usual: Usual, text: str = "Your code is {1}", type_: MessageType = MessageType.VERIFICATION
) -> str:
    """Another approved template of the usual account, for numbers outside mainland China."""
    return await engine.write(
        lambda tx: approved_template(tx, usual.account.account_id, text, type_, international=True)
    )


def reasons(answer: list[RecipientOutcome] | Refusal) -> list[Reason | None]:
    """Why each number of a call was refused; None where it was accepted."""
    assert not isinstance(answer, Refusal), answer
    return [outcome.refusal.reason if outcome.refusal else None for outcome in answer]
