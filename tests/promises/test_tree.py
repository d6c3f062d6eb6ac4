import re
from pathlib import Path

from promises.tree import ROOT, files

# Written so that this file does not hold what it looks for.
REGISTRY = re.compile(r"(?:pythonhosted|pypi)\.org|registry\.npm|proxy\.golang")
MACHINE = re.compile(r"/(?:work|root|home|Users|mnt)/[a-z]")
SCRIPTS = {".js", ".mjs", ".cjs", ".ts", ".wasm", ".map"}
OUR_SCRIPTS = {
    ROOT / "tests" / "compatibility" / "node_client.js",
    ROOT / "tests" / "carriers" / "smpp" / "node_smsc.js",
}


def texts() -> dict[Path, str]:
    found: dict[Path, str] = {}
    for path in files():
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(ROOT)] = content.decode("utf-8")
    return found


def test_no_script_of_others_is_in_the_tree() -> None:
    assert {path for path in files() if path.suffix in SCRIPTS} == OUR_SCRIPTS
    assert [path for path, text in texts().items() if re.search(r"<script[^>]+src=[\"']?(?:https?:)?//", text)] == []


def test_no_registry_and_nobodys_machine_is_named() -> None:
    assert {
        path: found[0] for path, text in texts().items() if (found := REGISTRY.search(text) or MACHINE.search(text))
    } == {}
