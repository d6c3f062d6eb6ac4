"""A server, on either engine where that matters, the vendor's clients, and a stage for each of them."""

import json
from collections.abc import Iterator
from contextlib import closing
from functools import cache

import pytest
from compatibility.clients import Clients
from compatibility.stage import Stage, StageOf, set_stage
from end_to_end.served import Server, serving

QUICK = {"CLEARTOSEND_SIMULATOR_DELAY_SECONDS": "0.01"}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("serve") / "data", **QUICK) as running:
        yield running


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server_on_either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for each engine: what a database hands over may have another type."""
    if request.param == "sqlite":
        yield request.getfixturevalue("server")
        return
    address = request.getfixturevalue("postgres_server")
    data = tmp_path_factory.mktemp("serve-postgres") / "data"
    data.mkdir()
    (data / "cleartosend.toml").write_text(f"database = {json.dumps(address)}\n")
    with serving(data, **QUICK) as running:
        yield running


@pytest.fixture(scope="session")
def clients(server: Server) -> Iterator[Clients]:
    with closing(Clients(server.endpoint)) as all_of_them:
        yield all_of_them


@pytest.fixture(scope="session")
def stage_of(server: Server) -> StageOf:
    """The stage of a client in a version, set when it is first asked for."""

    @cache
    def set_once(_client: str, _version: str) -> Stage:
        return set_stage(server)

    return set_once
