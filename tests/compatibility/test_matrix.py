from uuid import UUID

import msgspec
import pytest
from compatibility.answers import ANSWERS, Answer, differences, without
from compatibility.cases import CASES
from compatibility.clients import Call, Clients, HasNot, Refused
from compatibility.matrix import (
    ACTIONS_LACKING,
    FIELDS_LACKING,
    SIGNED_AS_OF_OLD,
    USUAL,
    V2019,
    V2021,
    Cell,
    Sdk,
    Transport,
    cells_of_actions,
    cells_of_transports,
)
from compatibility.stage import StageOf
from end_to_end.served import PROOF

from cleartosend.api.tencent.actions.table import ACTIONS


def test_every_action_of_the_list_is_served_has_a_case_and_nothing_else_is_served() -> None:
    listed = {version: set(actions) for version, actions in ANSWERS.items()}
    assert {version: set(actions) for version, actions in ACTIONS.items()} == listed
    assert {version: set(cases) for version, cases in CASES.items()} == listed


def checked(call: Call, sdk: Sdk, version: str) -> Call:
    """Hold every answer against the list of its fields and types before a case sees it."""

    def call_and_check(action: str, parameters: Answer) -> Answer:
        answer = call(action, parameters)
        assert UUID(answer.pop("RequestId")).version == 4
        assert differences(answer, without(ANSWERS[version][action], FIELDS_LACKING.get(sdk, ()))) == []
        return answer

    return call_and_check


@pytest.mark.parametrize("cell", [*cells_of_actions(), *cells_of_transports()], ids=str)
def test_the_vendors_client_calls_the_action_and_reads_the_answer(
    cell: Cell, clients: Clients, stage_of: StageOf
) -> None:
    stage = stage_of(cell.sdk, cell.version)
    call = clients.caller(stage.account, cell.sdk, cell.version, cell.transport)
    CASES[cell.version][cell.action](stage, checked(call, cell.sdk, cell.version))


@pytest.mark.parametrize(
    ("sdk", "version", "action"),
    [(sdk, version, action) for (sdk, version), actions in ACTIONS_LACKING.items() for action in actions],
)
def test_what_is_said_not_to_be_in_a_client_is_not_in_it(
    sdk: Sdk, version: str, action: str, clients: Clients, stage_of: StageOf
) -> None:
    call = clients.caller(stage_of(sdk, version).account, sdk, version)
    with pytest.raises(HasNot):
        call(action, {})


@pytest.mark.parametrize("sdk", [Sdk.PYTHON, Sdk.COMMON, Sdk.NODE])
@pytest.mark.parametrize("version", [V2021, V2019])
def test_the_qualification_of_a_signature_is_listed_as_it_was_given(
    sdk: Sdk, version: str, clients: Clients, stage_of: StageOf
) -> None:
    stage = stage_of(sdk, version)
    call = checked(clients.caller(stage.account, sdk, version), sdk, version)
    form = {
        "SignName": "春风书屋",
        "SignType": 0,
        "DocumentType": 1,
        "International": 0,
        "SignPurpose" if version == V2021 else "UsedMethod": 0,
        "ProofImage": PROOF,
        "QualificationId": 7,
    }
    sign_id = call("AddSmsSign", form)["AddSignStatus"]["SignId"]
    listing = {"International": 0, "SignIdSet": [stage.signature_id, sign_id]}
    without_one, with_one = call("DescribeSmsSignList", listing)["DescribeSignListStatusSet"]
    assert (without_one["QualificationId"], with_one["QualificationId"]) == (None, 7)


@pytest.mark.parametrize(
    ("sdk", "transport"), [*((sdk, USUAL) for sdk in Sdk), (Sdk.PYTHON, SIGNED_AS_OF_OLD), (Sdk.NODE, SIGNED_AS_OF_OLD)]
)
@pytest.mark.parametrize(("language", "words"), [("en-US", "There is no template"), ("zh-CN", "不存在")])
def test_a_client_raises_the_code_with_a_message_in_the_language_it_asked_for(
    sdk: Sdk, transport: Transport, language: str, words: str, clients: Clients, stage_of: StageOf
) -> None:
    call = clients.caller(stage_of(sdk, V2021).account, sdk, V2021, transport, language)
    with pytest.raises(Refused) as refused:
        call("DeleteSmsTemplate", {"TemplateId": 999_999_999})
    assert refused.value.code == "FailedOperation.TemplateIdNotExist"
    assert words in refused.value.message
    assert UUID(refused.value.request_id).version == 4


@pytest.mark.parametrize("cell", [cell for cell in cells_of_transports() if cell.action == "SendSms"], ids=str)
def test_a_call_signed_with_another_key_is_refused_in_every_way_of_signing(
    cell: Cell, clients: Clients, stage_of: StageOf
) -> None:
    account = msgspec.structs.replace(stage_of(cell.sdk, cell.version).account, secret_key="another")
    with pytest.raises(Refused) as refused:
        clients.caller(account, cell.sdk, cell.version, cell.transport)("DescribeSmsSignList", {"International": 0})
    assert refused.value.code == "AuthFailure.SignatureFailure"
