"""What comes over the wire, without a client in between: the types that a client with types relies on."""

import json
import time
from collections.abc import Callable
from functools import cache
from http.client import HTTPConnection
from importlib import import_module
from typing import Any

import pytest
from api.calling import sign
from compatibility.answers import ANSWERS, ERROR, Answer, differences
from compatibility.cases import CASES
from compatibility.matrix import ACTIONS_LACKING, Sdk
from compatibility.stage import Stage, set_stage
from end_to_end.served import Server

from cleartosend.cli.account import NewAccount

EVERY_ACTION = [(version, action) for version, actions in ANSWERS.items() for action in actions]
SAMPLES = {"string": "text", "uint64": 1, "int64": -1}


@pytest.fixture(scope="session")
def stage_by_hand(server_on_either: Server) -> Callable[[str], Stage]:
    """Find the stage of a version, set when it is first asked for."""

    @cache
    def set_once(_version: str) -> Stage:
        return set_stage(server_on_either)

    return set_once


def post(server: Server, account: NewAccount, version: str, action: str, parameters: Answer) -> Answer:
    """Sign and send by hand; what every answer must have is seen to, and taken off."""
    body = json.dumps(parameters).encode()
    timestamp = int(time.time())
    signed = {"content-type": "application/json", "host": server.endpoint}
    headers = signed | {
        "x-tc-action": action,
        "x-tc-version": version,
        "x-tc-timestamp": str(timestamp),
        "authorization": sign(
            timestamp=timestamp,
            body=body,
            signed=signed,
            secret_id=account.secret_id,
            secret_key=account.secret_key,
        ),
    }
    connection = HTTPConnection(server.endpoint, timeout=30)
    connection.request("POST", "/", body, headers)
    answered = connection.getresponse()
    written: dict[str, Any] = json.loads(answered.read())
    connection.close()
    assert (answered.status, answered.headers["Content-Type"]) == (200, "application/json")
    assert list(written) == ["Response"]
    response: Answer = written["Response"]
    assert isinstance(response.pop("RequestId"), str)
    return response


@pytest.mark.parametrize(("version", "action"), EVERY_ACTION)
def test_an_answer_has_every_field_with_its_type_and_no_other(
    version: str, action: str, server_on_either: Server, stage_by_hand: Callable[[str], Stage]
) -> None:
    stage = stage_by_hand(version)

    def call(called: str, parameters: Answer) -> Answer:
        answer = post(server_on_either, stage.account, version, called, parameters)
        assert "Error" not in answer, answer
        assert differences(answer, ANSWERS[version][called]) == []
        return answer

    CASES[version][action](stage, call)


@pytest.mark.parametrize(("version", "action"), EVERY_ACTION)
def test_an_error_is_a_code_a_message_and_nothing_else(
    version: str, action: str, server_on_either: Server, stage_by_hand: Callable[[str], Stage]
) -> None:
    answer = post(server_on_either, stage_by_hand(version).account, version, action, {})
    assert differences(answer, {"Error": ERROR}) == []
    assert answer["Error"]["Code"] == "MissingParameter"


@pytest.mark.parametrize(
    ("version", "action"),
    [one for one in EVERY_ACTION if one[1] not in ACTIONS_LACKING.get((Sdk.PYTHON, one[0]), ())],
)
def test_the_list_of_fields_is_that_of_the_vendors_own_models(version: str, action: str) -> None:
    models = import_module(f"tencentcloud.sms.v{version.replace('-', '')}.models")
    answer = _sample(ANSWERS[version][action]) | {"RequestId": "1"}
    model = getattr(models, f"{action}Response")()
    # A field that the model does not know is dropped with a warning; one that it did not get comes out as null.
    model._deserialize(answer)  # noqa: SLF001 - as the client itself calls it
    assert json.loads(model.to_json_string()) == answer


def _sample(due: Any) -> Any:
    if isinstance(due, str):
        return SAMPLES[due.split(" ")[0]]
    if isinstance(due, list):
        return [_sample(due[0])]
    return {name: _sample(type_) for name, type_ in due.items()}
