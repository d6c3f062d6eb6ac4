"""A store that an older version filled is brought up to date, and what is in it is still understood."""

from collections.abc import Callable

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from cleartosend.model.accounts import AppSettings
from cleartosend.model.messages import MessageState
from cleartosend.settings import Settings
from cleartosend.store import accounts, messages, statistics
from cleartosend.store.opening import open_store, sqlite_path
from cleartosend.store.records import to_number
from cleartosend.store.schema_version import FOLDER

ACCEPTED_AT = 1_772_424_000.0
HOUR = int(ACCEPTED_AT // 3600)
ROWS = (
    """INSERT INTO accounts (id, name, kind, verified, status, settings, revision, created_at)
       VALUES (1, 'a', 'organization', :yes, 'active', '{}', 1, 1)""",
    """INSERT INTO apps (sdk_app_id, account_id, name, enabled, created_at) VALUES ('1400000001', 1, 'a', :yes, 1)""",
    f"""INSERT INTO submissions (id, account_id, sdk_app_id, template_id, signature, type, international, text,
            session_context, extension_code, sender_id, rulebook, findings, at)
       VALUES (1, 1, '1400000001', '1', 'S', 'verification', :no, '【S】code 123456', '', '', '', '', '[]',
            {ACCEPTED_AT})""",
    f"""INSERT INTO messages (id, submission_id, account_id, sdk_app_id, number, iso, segments, state, reason, code,
            party, accepted_at, submitted_at, ended_at)
       VALUES (2, 1, 1, '1400000001', '+8613711112222', 'CN', 1, 'delivered', '', 'DELIVRD', '', {ACCEPTED_AT},
            {ACCEPTED_AT}, {ACCEPTED_AT})""",
    "INSERT INTO status_queue (sdk_app_id, message_id) VALUES ('1400000001', 2)",
)


def fill_the_first_schema(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    for row in ROWS:
        said = {name: value for name, value in {"yes": True, "no": False}.items() if f":{name}" in row}
        connection.execute(text(row), said)


async def on_nothing(settings: Settings, work: Callable[[Connection], None]) -> None:
    """Do the work on a database that has not even a schema."""
    if not settings.database:
        settings.data.mkdir(parents=True)
        engine = create_engine(f"sqlite:///{sqlite_path(settings)}")
        with engine.begin() as connection:
            work(connection)
        engine.dispose()
        return
    beside = create_async_engine(make_url(settings.database).set(drivername="postgresql+asyncpg"))
    async with beside.begin() as asynchronous:
        await asynchronous.execute(text("DROP SCHEMA public CASCADE"))
        await asynchronous.execute(text("CREATE SCHEMA public"))
        await asynchronous.run_sync(work)
    await beside.dispose()


async def test_what_an_older_version_wrote_is_still_understood(settings: Settings) -> None:
    await on_nothing(settings, fill_the_first_schema)
    engine = await open_store(settings)
    try:
        [app] = await engine.read(lambda tx: accounts.apps_of(tx, 1))
        assert app.settings == AppSettings()
        counted = await engine.read(lambda tx: statistics.read(tx, "1400000001", from_hour=HOUR, to_hour=HOUR))
        assert (counted.requests, counted.segments, counted.delivered) == (1, 1, 1)
        [pulled] = await engine.write(lambda tx: messages.take_statuses(tx, "1400000001", 10))
        assert (pulled.state, pulled.code) == (MessageState.DELIVERED, "DELIVRD")
    finally:
        await engine.close()


async def test_of_a_message_whose_values_nobody_knows_all_of_the_text_counts_as_one(settings: Settings) -> None:
    await on_nothing(settings, fill_the_first_schema)
    engine = await open_store(settings)
    try:
        [record] = await engine.read(
            lambda tx: to_number(tx, "1400000001", "+8613711112222", since=0, until=2e9, limit=10, offset=0)
        )
        [(start, end)] = record.spans
        assert start == 0
        assert end >= len(record.text)
    finally:
        await engine.close()
