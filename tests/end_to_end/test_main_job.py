"""The main job through the vendor's SDK, against the server as a process of its own."""

from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from end_to_end.served import PNG, Caller, Server, cleartosend, serving, until
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

APPROVED, WAITING, REJECTED = 0, 1, -1
MARKETING, NOTIFICATION, VERIFICATION = 1, 2, 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # Marketing at any hour: the tests run at any hour.
    hours = {"CLEARTOSEND_MARKETING_HOURS": "CN=0-24"}
    with serving(tmp_path_factory.mktemp("serve") / "data", **hours) as running:
        yield running


@pytest.fixture
def caller(server: Server) -> Caller:
    return server.create_account()


def page(server: Server, path: str) -> str:
    with urlopen(f"http://{server.endpoint}{path}", timeout=10) as answer:
        text: str = answer.read().decode()
        return text


def test_apply_be_rejected_amend_be_approved_send_to_200_and_read_every_status(caller: Caller) -> None:
    assert caller.sign(caller.add_sign()).StatusCode == APPROVED
    template_id = caller.add_template("您的订单{1}已发货，全场新品8折，快来抢购！")
    rejected = caller.template(template_id)
    assert rejected.StatusCode == REJECTED
    assert "快来抢购" in rejected.ReviewReply
    assert "promotion-declared-as-notification" in rejected.ReviewReply
    caller.modify_template(template_id, "您的订单{1}已发货，请留意查收。")
    assert caller.template(template_id).StatusCode == APPROVED
    numbers = [f"+86137{number:08}" for number in range(200)]
    sent = caller.send(template_id, ["8841"], numbers, SessionContext="batch 1")
    assert [(one.PhoneNumber, one.Code, one.Message, one.Fee) for one in sent] == [
        (number, "Ok", "send success", 1) for number in numbers
    ]
    statuses = caller.pull_until(200)
    assert {status.SerialNo for status in statuses} == {one.SerialNo for one in sent}
    assert {(status.ReportStatus, status.Description, status.SessionContext) for status in statuses} == {
        ("SUCCESS", "DELIVRD", "batch 1")
    }
    assert caller.pull() == []


def test_an_approved_template_cannot_be_edited(caller: Caller) -> None:
    caller.add_sign()
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    with pytest.raises(TencentCloudSDKException) as refused:
        caller.modify_template(template_id, "您的订单{1}已到达。")
    assert refused.value.get_code() == "FailedOperation.TemplateAlreadyPassedCheck"


def test_what_is_referred_waits_until_a_person_decides(server: Server, caller: Caller, tmp_path: Path) -> None:
    sign_id = caller.add_sign("晨光文化", SignType=5, DocumentType=2)
    assert caller.sign(sign_id).StatusCode == WAITING
    listed = cleartosend("review", "list", "signature", data=server.data).stdout
    assert f"signature {sign_id}\t" in listed
    cleartosend("review", "show", "signature", str(sign_id), "--papers", str(tmp_path), data=server.data)
    assert (tmp_path / f"signature-{sign_id}-proof.png").read_bytes() == PNG
    cleartosend("review", "approve", "signature", str(sign_id), "--because", "原件已核对", data=server.data)
    assert caller.sign(sign_id).StatusCode == APPROVED
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    [sent] = caller.send(template_id, ["8841"], ["13711112222"], sign="晨光文化")
    assert sent.Code == "Ok"
    history = cleartosend("review", "show", "signature", str(sign_id), data=server.data).stdout
    assert "refer by machine" in history
    assert "原件已核对" in history


def test_a_reviewers_rejection_is_read_by_the_applicant(server: Server, caller: Caller) -> None:
    sign_id = caller.add_sign("晨光文化", SignType=5, DocumentType=2)
    cleartosend(
        "review", "reject", "signature", str(sign_id), "--because", "公章看不清，请重新拍照。", data=server.data
    )
    sign = caller.sign(sign_id)
    assert (sign.StatusCode, sign.ReviewReply) == (REJECTED, "公章看不清，请重新拍照。")


def test_a_link_to_a_loan_app_suspends_the_account_at_once(server: Server, caller: Caller) -> None:
    caller.add_sign()
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    caller.add_template("下载极速贷APP，最高可借20万，点击 https://dk.example.cn/app 立即申请借款。")
    with pytest.raises(TencentCloudSDKException) as refused:
        caller.send(template_id, ["8841"], ["13711112222"])
    assert refused.value.get_code() == "UnauthorizedOperation.SdkAppIdIsDisabled"
    cleartosend("account", "restore", str(caller.account_id), "--because", "误报，已与客户核实", data=server.data)
    [sent] = caller.send(template_id, ["8841"], ["13711112222"])
    assert sent.Code == "Ok"


def test_marketing_goes_to_imported_members_only(server: Server, caller: Caller, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("手机号,姓名\n13711112222,甲\n+86 137 1111 3333,乙\n")
    imported = cleartosend(
        "members", "import", str(file), "--account", str(caller.account_id), "--source", "purchase",
        data=server.data,
    )  # fmt: skip
    assert imported.stdout == "2 numbers read, 2 new members\n"
    caller.add_sign()
    template_id = caller.add_template("尊敬的会员，您的生日月已到，祝您生日快乐，感谢一路相伴。拒收请回复R", MARKETING)
    assert caller.template(template_id).StatusCode == APPROVED
    member, stranger = caller.send(template_id, [], ["13711112222", "13711114444"])
    assert (member.Code, stranger.Code) == ("Ok", "UnauthorizedOperation.RequestPermissionDeny")


def test_a_file_with_one_bad_row_is_not_imported_at_all(server: Server, caller: Caller, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("number\n13711112222\nnobody\n")
    imported = cleartosend(
        "members", "import", str(file), "--account", str(caller.account_id), "--source", "registration",
        data=server.data, check=False,
    )  # fmt: skip
    assert imported.returncode == 1
    assert "line 3: no telephone number" in imported.stderr
    assert "nothing was imported" in imported.stderr


def test_an_individual_may_not_apply_by_api_and_may_not_apply_for_marketing_at_all(
    server: Server, tmp_path: Path
) -> None:
    individual = server.create_account("王小明", "individual")
    with pytest.raises(TencentCloudSDKException) as refused:
        individual.add_sign()
    assert refused.value.get_code() == "FailedOperation.NotEnterpriseCertification"
    with pytest.raises(TencentCloudSDKException) as refused:
        individual.add_template("尊敬的会员，新书上架，欢迎选购。拒收请回复R", MARKETING)
    assert refused.value.get_code() == "FailedOperation.ForbidAddMarketingTemplates"
    # The operator applies for them, as the console would.
    proof = tmp_path / "proof.png"
    proof.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(16))
    account = ["--account", str(individual.account_id)]
    applied = cleartosend("apply", "signature", "小明读书笔记", "--proof", str(proof), *account, data=server.data)
    assert "approve by machine" in applied.stdout
    applied = cleartosend(
        "apply", "template", "您的验证码是{1}，5分钟内有效。", "--type", "verification", *account, data=server.data
    )
    template_id = applied.stdout.split()[1].rstrip(":")
    [sent] = individual.send(template_id, ["123456"], ["13711112222"], sign="小明读书笔记")
    assert sent.Code == "Ok"


def test_the_operator_sees_health_and_figures(server: Server, caller: Caller) -> None:
    caller.add_sign()
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    caller.send(template_id, ["8841"], ["13711112222", "bad"])
    assert page(server, "/healthz") == '{"status":"ok"}'
    assert '"status":"ok"' in page(server, "/readyz")
    figures = page(server, "/metrics")
    for figure in (
        "cleartosend_messages_accepted_total",
        'cleartosend_messages_refused_total{reason="number-malformed"}',
        'cleartosend_messages_submitted_total{carrier="simulator"}',
        'cleartosend_receipts_total{carrier="simulator",status="DELIVRD"}',
        'cleartosend_messages_queued{lane="verification"}',
        'cleartosend_requests_total{action="SendSms",code="Ok"}',
        "cleartosend_accept_to_submit_seconds_count",
        "cleartosend_accept_to_end_seconds_count",
    ):
        assert figure in figures
    assert "speaks the Tencent Cloud SMS API" in page(server, "/")


def test_no_text_and_no_whole_number_is_in_the_log(server: Server, caller: Caller) -> None:
    caller.add_sign()
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    caller.send(template_id, ["贷款"], ["13755556666", "bad"])
    log = (server.data.parent / "serve.log").read_text()
    assert "content-prohibited" in log
    assert "13755556666" not in log
    assert "已发货" not in log
    assert "Traceback" not in log


def test_a_backup_taken_while_it_runs_serves_again(server: Server, caller: Caller, tmp_path: Path) -> None:
    caller.add_sign()
    template_id = caller.add_template("您的订单{1}已发货，请留意查收。")
    copy = tmp_path / "copy"
    copy.mkdir()
    cleartosend("backup", str(copy / "cleartosend.db"), data=server.data)
    (copy / "secret.key").write_bytes((server.data / "secret.key").read_bytes())
    with serving(copy) as second:
        assert caller.moved_to(second.endpoint).template(template_id).StatusCode == APPROVED


def test_a_disabled_credential_stops_working(server: Server, caller: Caller) -> None:
    shown = cleartosend("account", "show", str(caller.account_id), "--json", data=server.data).stdout
    secret_id = shown.split('"secret_id":"')[1].split('"')[0]
    assert "secret_key" not in shown
    caller.pull()
    cleartosend("account", "credential", "disable", secret_id, data=server.data)

    def is_refused() -> bool:
        try:
            caller.pull()
        except TencentCloudSDKException as error:
            return bool(error.get_code() == "AuthFailure.SecretIdNotFound")
        return False

    until(is_refused)
