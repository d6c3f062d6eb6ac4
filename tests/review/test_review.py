"""Applications move as the table of moves says, and every move is kept."""

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Connection
from usual import PNG, SIGNATURE, Clock, Usual, change_settings, simple_judge, usual_account

from cleartosend.carriers.dispatch import stop_account, stop_application
from cleartosend.model.accounts import AccountKind, AccountStatus
from cleartosend.model.applications import (
    REVIEW_MOVES,
    ReviewMove,
    ReviewReason,
    ReviewState,
    Signature,
    SignatureForm,
    Subject,
    Template,
    TemplateForm,
)
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.model.verdicts import Action, Decision, Finding, MessageType, Nature, Submission, Verdict
from cleartosend.ports import Engine
from cleartosend.review import desk
from cleartosend.review.apply import Applications
from cleartosend.review.desk import Folder
from cleartosend.store import accounts, applications

GOOD = "您的订单{1}已发货。"
BAD = "低息贷款，{1}办理。"
DOUBTFUL = "请核对：{1}。"


def careful_judge(submission: Submission) -> Verdict:
    """As the simple one, and with a doubt about 核对."""
    start = submission.text.find("核对")
    if start < 0:
        return simple_judge(submission)
    doubt = Finding(
        rule="doubtful",
        category="test",
        action=Action.REFER,
        because="请说明用途。",
        clause="",
        quote="核对",
        start=start,
        end=start + 2,
    )
    return Verdict(decision=Decision.REFER, nature=Nature.NOTIFICATION, rulebook="test", findings=(doubt,))


def applications_on(engine: Engine, clock: Clock) -> Applications:
    return Applications(engine=engine, judge=careful_judge, clock=clock, stop_account=stop_account)


def template(text: str = GOOD, type_: MessageType = MessageType.NOTIFICATION, **differs: bool) -> TemplateForm:
    return TemplateForm(name="t", text=text, type=type_, international=differs.get("international", False))


reject = partial(desk.reject, stop_application=stop_application)


def signature(text: str = "晨光文化", **differs: object) -> SignatureForm:
    fields: dict[str, object] = {
        "text": text,
        "sign_type": 0,
        "document_type": 0,
        "international": False,
        "for_another": False,
        "proof_image": PNG,
    }
    return SignatureForm(**(fields | differs))  # type: ignore[arg-type] # each test knows what it changes


class Bench:
    """An account, and applications on its behalf."""

    def __init__(self, engine: Engine, usual: Usual, clock: Clock) -> None:
        self.engine = engine
        self.usual = usual
        self.applications = applications_on(engine, clock)

    async def apply(self, form: SignatureForm | TemplateForm, *, by_api: bool = True) -> Folder | Refusal:
        account = await self.engine.read(lambda tx: accounts.find(tx, self.usual.account.account_id))
        assert account is not None
        made = await self.applications.apply(account, form, by_api=by_api)
        return made if isinstance(made, Refusal) else await self.folder(form, made)

    async def amend(self, folder: Folder, form: SignatureForm | TemplateForm) -> Folder | Refusal:
        made = await self.applications.amend(folder.account, folder.application.id, form)
        return made if isinstance(made, Refusal) else await self.folder(form, made)

    async def folder(self, form: SignatureForm | TemplateForm, application_id: int) -> Folder:
        subject = Subject.SIGNATURE if isinstance(form, SignatureForm) else Subject.TEMPLATE
        folder = await self.engine.read(lambda tx: desk.open_folder(tx, subject, application_id))
        assert folder is not None
        return folder

    async def decide(self, folder: Folder, decision: Callable[[Connection, Signature | Template], object]) -> bool:
        return bool(await self.engine.write(lambda tx: decision(tx, folder.application)))


@pytest.fixture
async def bench(engine: Engine) -> Bench:
    return Bench(engine, await usual_account(engine), Clock())


def of(folder: Folder | Refusal) -> Folder:
    assert isinstance(folder, Folder), folder
    return folder


def reason_of(answer: Folder | Refusal) -> Reason:
    assert isinstance(answer, Refusal), answer
    return answer.reason


def moves_of(folder: Folder) -> list[tuple[str, str]]:
    return [(event.move.value, event.by) for event in folder.history]


async def test_a_good_template_is_approved_at_once(bench: Bench) -> None:
    folder = of(await bench.apply(template()))
    assert folder.application.state is ReviewState.APPROVED
    assert moves_of(folder) == [("apply", "applicant"), ("approve", "machine")]
    assert folder.history[-1].rulebook == "test"


async def test_a_bad_one_is_rejected_with_the_words_and_may_be_amended(bench: Bench) -> None:
    folder = of(await bench.apply(template(BAD)))
    assert folder.application.state is ReviewState.REJECTED
    assert "“贷款”" in folder.application.reply
    assert folder.history[-1].findings[0].quote == "贷款"
    amended = of(await bench.amend(folder, template(GOOD)))
    assert (amended.application.state, amended.application.reply) == (ReviewState.APPROVED, "")
    assert [move for move, _ in moves_of(amended)] == ["apply", "reject", "amend", "approve"]
    # The history keeps the text as it was judged.
    assert [event.text for event in amended.history] == [BAD, BAD, GOOD, GOOD]


async def test_a_doubtful_one_waits_and_may_be_amended_while_it_does(bench: Bench) -> None:
    folder = of(await bench.apply(template(DOUBTFUL)))
    assert folder.application.state is ReviewState.REFERRED
    waiting = await bench.engine.read(lambda tx: desk.waiting(tx, Subject.TEMPLATE))
    assert [one.id for one in waiting] == [folder.application.id]
    amended = of(await bench.amend(folder, template(GOOD)))
    assert amended.application.state is ReviewState.APPROVED


async def test_an_approved_one_cannot_be_amended(bench: Bench) -> None:
    folder = of(await bench.apply(template()))
    assert reason_of(await bench.amend(folder, template("您的包裹{1}已到。"))) is Reason.TEMPLATE_ALREADY_APPROVED


async def test_the_side_of_the_border_cannot_be_amended(bench: Bench) -> None:
    folder = of(await bench.apply(template(BAD)))
    assert reason_of(await bench.amend(folder, template(international=True))) is Reason.SCOPE_CANNOT_CHANGE


async def test_a_reviewer_approves_and_rejects_what_waits(bench: Bench) -> None:
    first, second = of(await bench.apply(template(DOUBTFUL))), of(await bench.apply(template(DOUBTFUL)))
    assert await bench.decide(first, lambda tx, its: desk.approve(tx, its, by="ann", because="", now=5.0))
    assert await bench.decide(
        second,
        lambda tx, its: reject(tx, its, by="ann", reason=ReviewReason.UNCLEAR, because="请写明用途。", now=5.0),
    )
    first, second = (
        await bench.folder(template(), first.application.id),
        await bench.folder(template(), second.application.id),
    )
    assert first.application.state is ReviewState.APPROVED
    assert (second.application.state, second.application.reply) == (ReviewState.REJECTED, "请写明用途。")
    assert (second.history[-1].by, second.history[-1].reason) == ("ann", "unclear")


async def test_what_the_machine_rejected_no_reviewer_approves(bench: Bench) -> None:
    folder = of(await bench.apply(template(BAD)))
    assert not await bench.decide(folder, lambda tx, its: desk.approve(tx, its, by="ann", because="", now=5.0))


async def test_an_approval_may_be_taken_back(bench: Bench) -> None:
    folder = of(await bench.apply(template()))
    assert await bench.decide(
        folder,
        lambda tx, its: reject(tx, its, by="ann", reason=ReviewReason.OTHER, because="停用", now=5.0),
    )


async def test_what_a_person_rejected_the_machine_does_not_approve(bench: Bench) -> None:
    folder = of(await bench.apply(template()))
    await bench.decide(
        folder,
        lambda tx, its: reject(tx, its, by="ann", reason=ReviewReason.OTHER, because="被投诉", now=5.0),
    )
    amended = of(await bench.amend(folder, template()))
    assert (amended.application.state, amended.history[-1].reason) == (
        ReviewState.REFERRED,
        "rejected-by-a-person-before",
    )
    assert of(await bench.apply(template())).application.state is ReviewState.REFERRED
    # Another text is another matter, and a person may change their mind.
    assert of(await bench.apply(template("您的包裹{1}已到。"))).application.state is ReviewState.APPROVED
    assert await bench.decide(amended, lambda tx, its: desk.approve(tx, its, by="ann", because="", now=6.0))
    assert of(await bench.apply(template())).application.state is ReviewState.APPROVED


async def test_a_rejection_without_words_tells_at_least_what_it_is_about(bench: Bench) -> None:
    folder = of(await bench.apply(template()))
    await bench.decide(
        folder, lambda tx, its: reject(tx, its, by="ann", reason=ReviewReason.DOCUMENTS, because="", now=5.0)
    )
    assert "documents" in (await bench.folder(template(), folder.application.id)).application.reply


async def test_a_ban_stops_the_account(bench: Bench) -> None:
    folder = of(await bench.apply(template(DOUBTFUL)))
    assert await bench.decide(
        folder, lambda tx, its: desk.ban(tx, its, by="ann", because="诈骗", now=5.0, stop_account=stop_account)
    )
    folder = await bench.folder(template(), folder.application.id)
    assert (folder.application.state, folder.account.status) == (ReviewState.BANNED, AccountStatus.BANNED)
    assert reason_of(await bench.apply(template())) is Reason.ACCOUNT_NOT_ACTIVE
    history = await bench.engine.read(lambda tx: accounts.events_of(tx, folder.account.id))
    assert [(event.status, event.by, event.because) for event in history] == [(AccountStatus.BANNED, "ann", "诈骗")]


async def test_what_was_deleted_is_gone_and_kept(bench: Bench) -> None:
    folder = of(await bench.apply(template()))
    deleted = await bench.applications.delete(folder.account, Subject.TEMPLATE, folder.application.id)
    assert isinstance(deleted, float)
    again = await bench.applications.delete(folder.account, Subject.TEMPLATE, folder.application.id)
    assert isinstance(again, Refusal)
    assert again.reason is Reason.TEMPLATE_NOT_FOUND


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (signature(sign_type=2, document_type=0), Reason.SIGN_TYPE_NOT_OFFERED),
        (signature(sign_type=1, document_type=0), Reason.SIGN_TYPE_NOT_OFFERED),
        (signature(sign_type=4, document_type=0), Reason.DOCUMENT_DOES_NOT_FIT),
        (signature(document_type=8), Reason.DOCUMENT_DOES_NOT_FIT),
        (signature(proof_image=b"no picture"), Reason.IMAGE_INVALID),
        (signature(proof_image=PNG + bytes(5 * 1024 * 1024)), Reason.IMAGE_INVALID),
        (signature(for_another=True), Reason.IMAGE_INVALID),
        (signature("一二三四五六七八九十一二三"), Reason.SIGNATURE_TOO_LONG),
        (signature(SIGNATURE), Reason.SIGNATURE_ALREADY_APPROVED),
    ],
)
async def test_a_signatures_form_is_checked(bench: Bench, form: SignatureForm, reason: Reason) -> None:
    assert reason_of(await bench.apply(form)) is reason


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (signature(for_another=True, commission_image=PNG), "power-of-attorney"),
        (signature(sign_type=4, document_type=7), "trademark-certificate"),
        (signature(sign_type=5, document_type=2), "government-certificate"),
    ],
)
async def test_papers_that_only_a_person_can_read_are_referred(bench: Bench, form: SignatureForm, code: str) -> None:
    folder = of(await bench.apply(form))
    assert (folder.application.state, folder.history[-1].reason) == (ReviewState.REFERRED, code)
    assert reason_of(await bench.apply(form)) is Reason.SIGNATURE_ALREADY_PENDING


async def test_an_individual_applies_by_the_operator_and_never_for_marketing(engine: Engine) -> None:
    bench = Bench(engine, await usual_account(engine, kind=AccountKind.INDIVIDUAL), Clock())
    assert reason_of(await bench.apply(template())) is Reason.APPLICATIONS_NOT_BY_API
    assert of(await bench.apply(template(), by_api=False)).application.state is ReviewState.APPROVED
    marketing = template("尊敬的会员，新书到店。拒收请回复R", MessageType.MARKETING)
    for by_api in (True, False):
        answer = await bench.apply(marketing, by_api=by_api)
        assert reason_of(answer) is Reason.MARKETING_TEMPLATE_BY_INDIVIDUAL


async def test_an_account_may_be_denied_variables_and_numbers_of_applications(bench: Bench) -> None:
    await change_settings(bench.engine, bench.usual, variables_allowed=False)
    assert reason_of(await bench.apply(template())) is Reason.VARIABLES_NOT_ALLOWED
    assert of(await bench.apply(template("您的订单已发货。"))).application.state is ReviewState.APPROVED
    code = template("您的验证码是{1}。", MessageType.VERIFICATION)
    assert of(await bench.apply(code)).application.state is ReviewState.APPROVED
    await change_settings(bench.engine, bench.usual, template_limit=5, signature_limit=1)
    assert reason_of(await bench.apply(template())) is Reason.TOO_MANY_TEMPLATES
    assert reason_of(await bench.apply(signature())) is Reason.TOO_MANY_SIGNATURES


async def test_a_template_needs_a_signature_first(bench: Bench) -> None:
    other = await usual_account(bench.engine)
    [owned] = await bench.engine.read(lambda tx: applications.signatures_of(tx, other.account.account_id))
    account = await bench.engine.read(lambda tx: accounts.find(tx, other.account.account_id))
    assert account is not None
    await bench.applications.delete(account, Subject.SIGNATURE, owned.id)
    assert reason_of(await Bench(bench.engine, other, Clock()).apply(template())) is Reason.SIGNATURE_NEEDED_FIRST


def test_no_move_starts_from_a_deleted_or_banned_application() -> None:
    for move, (froms, _to) in REVIEW_MOVES.items():
        assert not froms & {ReviewState.DELETED, ReviewState.BANNED}, move
    assert not REVIEW_MOVES[ReviewMove.APPLY][0]
