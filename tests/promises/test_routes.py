import pytest

from cleartosend.web import PUSHES, ROUTES


@pytest.mark.parametrize("path", [*ROUTES, *PUSHES])
def test_every_route_says_who_may_call_it_and_what_it_answers(path: str) -> None:
    page, who_may_call = (ROUTES | PUSHES)[path]
    assert who_may_call
    assert page.__doc__
