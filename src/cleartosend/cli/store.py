"""The store, opened for a command that works beside a running server."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from cleartosend.cli.problems import in_one_line
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import BadSettings, Settings, read_settings
from cleartosend.store.opening import open_store
from cleartosend.store.schema_version import NewerSchema
from cleartosend.store.secrets import BadKey, Vault, open_vault

T = TypeVar("T")

PROBLEMS = (BadKey, BadSettings, NewerSchema, StoreUnavailable)


class OpenStore(msgspec.Struct, frozen=True):
    """What a command needs of a data folder."""

    settings: Settings
    engine: Engine
    vault: Vault


def on_store(data: Path | None, work: Callable[[OpenStore], Awaitable[T]]) -> T:
    """Open the data folder, do the work, and close it again."""

    async def run() -> T:
        settings = read_settings(data)
        settings.data.mkdir(parents=True, exist_ok=True)
        vault = open_vault(settings.data, settings.key)
        engine = await open_store(settings)
        try:
            return await work(OpenStore(settings, engine, vault))
        finally:
            await engine.close()

    with in_one_line(*PROBLEMS):
        return asyncio.run(run())
