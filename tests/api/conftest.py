"""What the tests of the doors share: a service on a store in a temporary file."""

from pathlib import Path

import pytest
from api.calling import Service, open_service

from cleartosend.ports import Engine
from cleartosend.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """SQLite alone: a dialect does not know one engine from another."""
    return Settings(data=tmp_path / "data")


@pytest.fixture
async def service(engine: Engine, settings: Settings) -> Service:
    """Open the door for an organisation that may send."""
    return await open_service(engine, settings)
