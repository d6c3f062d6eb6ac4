"""The tree as its reader finds it: the files that are ours, and what each module imports."""

import ast
import os
import runpy
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "src" / "cleartosend"


def files() -> Iterator[Path]:
    """Every file of the project, without what `.gitignore` names."""
    ignored = [line.strip().strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()] + [".git"]

    def is_ours(path: Path) -> bool:
        return not any(fnmatch(path.name, one) or str(path.relative_to(ROOT)) == one for one in ignored)

    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if is_ours(Path(folder, name))]
        yield from (path for name in names if is_ours(path := Path(folder, name)))


@cache
def modules() -> dict[str, ast.Module]:
    """Every module by its name below `cleartosend`, parsed; a migration is Alembic's script and none of them."""
    return {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix("__init__").rstrip("."): ast.parse(
            path.read_text("utf-8")
        )
        for path in sorted(SOURCE.rglob("*.py"))
        if path.parent.name != "versions"
    }


def imports_of(module: ast.Module) -> set[str]:
    """The full names of what it imports, from each module each name."""
    names: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room_of(name: str) -> str:
    """The first part of a module's name, with or without the package's own."""
    return name.removeprefix("cleartosend.").split(".")[0]


def exists(name: str) -> bool:
    """Whether there is something of this name below `cleartosend`, at whatever depth of classes."""
    parts = name.split(".")
    for depth in range(len(parts), 0, -1):
        try:
            found: object = import_module(".".join(["cleartosend", *parts[:depth]]))
        except ModuleNotFoundError:
            continue
        for part in parts[depth:]:
            found = getattr(found, part, None)
        return found is not None
    return False


@cache
def generator() -> dict[str, Any]:
    """What `docs/generate.py` defines; it is a script, and no module that could be imported."""
    return runpy.run_path(str(ROOT / "docs" / "generate.py"))
