import re
from pathlib import Path

import pytest
from promises.tree import ROOT, SOURCE, exists, generator

from cleartosend.settings import Settings

PAGES: list[Path] = generator()["pages"]()
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
ROOMS = {path.stem for path in SOURCE.iterdir() if not path.name.startswith("_")}
LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
NAME = re.compile(r"`([a-z_]+(?:\.[A-Za-z_]+)+)`")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_what_is_made_from_the_code_is_fresh(page: Path) -> None:
    text = page.read_text("utf-8")
    assert generator()["made_anew"](text) == text, "run `make docs`"


def test_every_block_that_can_be_made_stands_on_a_page() -> None:
    everything = "".join(page.read_text("utf-8") for page in PAGES)
    assert [name for name in generator()["BLOCKS"] if f"<!-- made: {name} -->" not in everything] == []


def test_every_setting_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text("utf-8")
    assert [name for name in Settings.__struct_fields__ if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links: list[str] = LINK.findall(page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_name_in_the_architecture_is_a_name_in_the_source() -> None:
    names: list[str] = NAME.findall((ROOT / "ARCHITECTURE.md").read_text("utf-8"))
    named = {name for name in names if name.split(".")[0] in ROOMS and not name.endswith(".py")}
    assert named
    assert [name for name in sorted(named) if not exists(name)] == []


@pytest.mark.parametrize("page", DECISIONS, ids=shown)
def test_every_decision_says_what_why_and_what_else(page: Path) -> None:
    headings = re.findall(r"^#+ .*", page.read_text("utf-8"), re.MULTILINE)
    assert headings[0].startswith(f"# {page.name[:3]} ")
    assert headings[1:] == ["## What was decided", "## Why", "## What else was tried"]


def test_decisions_are_numbered_in_one_row() -> None:
    assert [int(page.name[:3]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
