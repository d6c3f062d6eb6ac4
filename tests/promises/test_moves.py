import pytest
from promises.tree import exists, generator

from cleartosend.model.applications import REVIEW_MOVES, ReviewMove, ReviewState
from cleartosend.model.messages import MESSAGE_MOVES, MessageMove, MessageState


@pytest.mark.parametrize("move", MessageMove)
def test_every_move_of_a_message_has_its_function(move: MessageMove) -> None:
    _starts, _ends, maker = MESSAGE_MOVES[move]
    assert exists(maker), f"{maker} makes the move {move}, and there is no such function"


@pytest.mark.parametrize("move", ReviewMove)
def test_every_move_of_an_application_has_a_function_of_its_name(move: ReviewMove) -> None:
    assert generator()["makers"](move)


@pytest.mark.parametrize("state", MessageState)
def test_every_state_of_a_message_can_be_reached(state: MessageState) -> None:
    assert any(state in ends for _starts, ends, _maker in MESSAGE_MOVES.values())


@pytest.mark.parametrize("state", ReviewState)
def test_every_state_of_an_application_can_be_reached(state: ReviewState) -> None:
    assert any(state is end for _starts, end in REVIEW_MOVES.values())
