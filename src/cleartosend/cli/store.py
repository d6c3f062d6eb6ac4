"""The store, opened for a command that works beside a running server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from cleartosend.cli.problems import Problem, in_one_line
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import BadSettings, Settings, read_settings
from cleartosend.store.opening import open_store_and_vault, sqlite_path
from cleartosend.store.schema_version import NewerSchema
from cleartosend.store.secrets import BadKey, Vault

T = TypeVar("T")

NODE = 32
"""Of commands: past those of the processes that serve, whose rows they would else hold while these work."""
PROBLEMS = (BadKey, BadSettings, NewerSchema, StoreUnavailable)


class OpenStore(msgspec.Struct, frozen=True):
    """What a command needs of a data folder."""

    settings: Settings
    engine: Engine
    vault: Vault


def on_store(data: Path | None, work: Callable[[OpenStore], Awaitable[T]], *, may_make: bool = False) -> T:
    """Open the data folder, do the work, and close it again; where there is no store yet, make one only if told to."""

    async def run() -> T:
        settings = read_settings(data)
        if not may_make and not settings.database and not sqlite_path(settings).exists():
            message = f"{sqlite_path(settings)}: there is no store here"
            raise Problem(message)
        engine, vault = await open_store_and_vault(msgspec.structs.replace(settings, node=NODE))
        try:
            return await work(OpenStore(settings, engine, vault))
        finally:
            await engine.close()

    with in_one_line(*PROBLEMS):
        return asyncio.run(run())
