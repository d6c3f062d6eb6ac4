import subprocess
import sys
from pathlib import Path

# What the program is installed with by itself must suffice; these come with its extras or with the tools of developers.
EXTRAS = ("asyncpg", "greenlet", "tencentcloud", "pytest", "numpy")
# For a command that only judges a text, a store and a server are a second to wait for nothing.
HEAVY = ("sqlalchemy", "alembic", "uvicorn", "uvloop", "cryptography", "phonenumbers")


def python(code: str) -> str:
    """What a new process prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_service_on_the_embedded_store_needs_no_extra(tmp_path: Path) -> None:
    said = python(
        f"""
import asyncio, sys
from pathlib import Path
for name in {EXTRAS!r}:
    sys.modules[name] = None  # to import it now fails, as if it were not there
import cleartosend.cli.serve
from cleartosend.compose import running_platform
from cleartosend.settings import Settings

async def start_and_stop():
    async with running_platform(Settings(data=Path({str(tmp_path)!r}))) as platform:
        print("sending" if platform.is_sending() else "idle")

asyncio.run(start_and_stop())
"""
    )
    assert said == "sending\n"


def test_checking_a_text_waits_for_no_store_and_no_server() -> None:
    for command in ("check", "ask"):
        imported = python(f"import cleartosend.cli.{command}, sys; print(*sys.modules)").split()
        assert not set(imported).intersection(HEAVY), command
