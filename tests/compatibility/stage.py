"""An account that has something for every action to answer with: applications in each state, messages and a reply."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import count

import msgspec
from compatibility.answers import ANSWERS, Answer
from compatibility.clients import Call, Clients
from compatibility.matrix import V2021, Sdk
from end_to_end.served import Server, until
from sqlalchemy import Connection
from usual import PNG, SIGNATURE, approved_signature, approved_template

from cleartosend.cli.account import NewAccount, create_account
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.accounts import AccountKind, AccountSettings
from cleartosend.model.applications import ReviewMove, SignatureForm, TemplateForm
from cleartosend.model.packages import PackageType
from cleartosend.model.verdicts import MessageType
from cleartosend.review.moves import make
from cleartosend.store import accounts, applications, packages

BEIJING = timezone(timedelta(hours=8))
CODE_TEXT = "您的验证码是{1}，请勿告诉他人。"
ABROAD_TEXT = "Your code is {1}. Do not share it with anyone."
REJECTED_TEXT = "您的订单{1}已发货，全场新品8折，快来抢购！"
REJECTED_BECAUSE = "请另申请营销模板。"
SESSION = "订单 8841&a=b+c%41"
"""Comes back as it was sent, in whatever way that was."""
PACKAGE_SEGMENTS = 1000
SECONDS_A_DAY = 86_400


class Stage(msgspec.Struct, kw_only=True):
    """What a test may call for; every client has a stage of its own."""

    account: NewAccount
    signature_id: int
    signature_waiting: int
    signature_to_delete: int
    template: str
    """Approved, for mainland numbers."""
    template_abroad: str
    template_rejected: int
    template_to_delete: int
    began: int
    """Unix seconds."""
    fresh: Iterator[int] = msgspec.field(default_factory=count)
    delivered: str = ""
    """The serial number of a message that was delivered."""
    failed: str = ""
    """The serial number of a message to a number that does not exist."""

    @property
    def national(self) -> str:
        """The number of who got the message `delivered`; no other account knows it."""
        return f"138{self.account.account_id:08}"

    @property
    def national_of_replier(self) -> str:
        """A number that the simulator replies from."""
        return f"137{self.account.account_id:03}99014"

    @property
    def national_of_nobody(self) -> str:
        """A number that the simulator says does not exist."""
        return f"137{self.account.account_id:03}99003"

    def number(self) -> str:
        """A mainland number that nothing was sent to."""
        return f"+86139{self.account.account_id:04}{next(self.fresh):04}"

    def number_abroad(self) -> str:
        return f"+120255501{next(self.fresh):02}"


StageOf = Callable[[str, str], Stage]
"""Finds the stage of a client in a version."""


def set_stage(server: Server) -> Stage:
    """Prepare an account beside the running server, and send what there is to ask about."""

    async def work(store: OpenStore) -> Stage:
        return await store.engine.write(lambda tx: _prepare(tx, store))

    stage = on_store(server.data, work)
    call = Clients(server.endpoint).caller(stage.account, Sdk.COMMON, V2021)
    nationals = (stage.national, stage.national_of_nobody, stage.national_of_replier)
    sent = call("SendSms", sending(stage, *(f"+86{national}" for national in nationals)))["SendStatusSet"]
    assert [one["Code"] for one in sent] == ["Ok", "Ok", "Ok"]
    stage.delivered, stage.failed, _ = (one["SerialNo"] for one in sent)
    return stage


def _prepare(tx: Connection, store: OpenStore) -> Stage:
    now = time.time()
    account = create_account(
        tx, name="清风书店", kind=AccountKind.ORGANIZATION, verified=True, vault=store.vault, now=now
    )
    account_id = account.account_id
    # What limits the calls a second is tested elsewhere; here every test calls as fast as it can.
    rates = dict.fromkeys({action for actions in ANSWERS.values() for action in actions}, 1000)
    accounts.set_settings(tx, account_id, AccountSettings(requests_per_second=rates, prepaid=True))
    packages.add(
        tx,
        account_id=account_id,
        sdk_app_id="",
        type=PackageType.BOUGHT,
        amount=PACKAGE_SEGMENTS,
        now=now - SECONDS_A_DAY,
        expires_at=now + SECONDS_A_DAY,
    )
    return Stage(
        account=account,
        signature_id=approved_signature(tx, account_id),
        signature_waiting=_signature(tx, account_id, "晨光文化"),
        signature_to_delete=_signature(tx, account_id, "星河影院"),
        template=approved_template(tx, account_id, CODE_TEXT, MessageType.VERIFICATION),
        template_abroad=approved_template(tx, account_id, ABROAD_TEXT, MessageType.VERIFICATION, international=True),
        template_rejected=_rejected_template(tx, account_id),
        template_to_delete=_rejected_template(tx, account_id),
        began=int(now),
    )


def _signature(tx: Connection, account_id: int, text: str) -> int:
    """Put a public body's signature up for review, where it waits for a person."""
    form = SignatureForm(
        text=text, sign_type=5, document_type=2, international=False, for_another=False, proof_image=PNG
    )
    signature_id = applications.add_signature(tx, account_id, form, now=time.time())
    signature = applications.find_signature(tx, signature_id)
    assert signature is not None
    assert make(tx, signature, ReviewMove.REFER, by="tester", now=time.time())
    return signature_id


def _rejected_template(tx: Connection, account_id: int) -> int:
    form = TemplateForm(name="发货", text=REJECTED_TEXT, type=MessageType.NOTIFICATION, international=False)
    template_id = applications.add_template(tx, account_id, form, now=time.time())
    template = applications.find_template(tx, template_id)
    assert template is not None
    assert make(tx, template, ReviewMove.REJECT, by="tester", now=time.time(), because=REJECTED_BECAUSE)
    return template_id


# --- what the cases of both versions share ---


def sending(stage: Stage, *numbers: str) -> Answer:
    """The parameters of `SendSms` that have the same name in both versions but for three."""
    return {
        "SmsSdkAppId": stage.account.sdk_app_id,
        "SignName": SIGNATURE,
        "TemplateId": stage.template,
        "TemplateParamSet": ["123456"],
        "PhoneNumberSet": list(numbers),
        "SessionContext": SESSION,
    }


def asked_until(call: Call, action: str, parameters: Answer, items: str, wanted: Callable[[Answer], bool]) -> Answer:
    """Ask until an item that is wanted has come."""
    found: list[Answer] = []

    def has_come() -> bool:
        found.extend(item for item in call(action, parameters)[items] if wanted(item))
        return bool(found)

    until(has_come)
    return found[0]


def is_recent(stage: Stage, seconds: int) -> bool:
    """Whether it is a moment since the stage was set; a clock read elsewhere may be a second behind."""
    return stage.began - 1 <= seconds <= time.time() + 1


def in_beijing(seconds: float, form: str) -> str:
    return datetime.fromtimestamp(seconds, BEIJING).strftime(form)


def hour(seconds: float) -> str:
    """Write the hour as statistics are asked for: `2024090800`."""
    return in_beijing(seconds, "%Y%m%d%H")


def in_words(seconds: float) -> str:
    """Write the time as version 2019-07-11 has it in answers."""
    return in_beijing(seconds, "%Y-%m-%d %H:%M:%S")
