import ast

import pytest
from promises.tree import imports_of, modules, room_of

VERB_ROOMS = {"admission", "review", "carriers", "delivery"}
# All that judging needs: text, numbers, data that come with the package, and an operator's rules as files.
POLICY_NEEDS = {
    "ahocorasick_rs", "bisect", "collections", "enum", "functools", "hashlib", "importlib", "itertools", "math",
    "msgspec", "numpy", "pathlib", "re", "re2", "sys", "tomllib", "typing", "unicodedata",
}  # fmt: skip
MODEL_NEEDS = {"collections", "datetime", "enum", "itertools", "msgspec", "re", "typing", "uuid"}


def modules_of(*rooms: str) -> list[str]:
    return [name for name in modules() if room_of(name) in rooms]


def rooms_imported_by(name: str) -> set[str]:
    return {room_of(one) for one in imports_of(modules()[name]) if one.startswith("cleartosend.")}


def foreign_packages_of(name: str) -> set[str]:
    return {one.split(".")[0] for one in imports_of(modules()[name])} - {"cleartosend"}


@pytest.mark.parametrize("name", modules())
def test_every_module_says_what_it_is_for(name: str) -> None:
    says = ast.get_docstring(modules()[name]) or ""
    assert says.split("\n\n")[0].rstrip().endswith((".", "?")), f"{name} opens with no sentence"


@pytest.mark.parametrize("name", modules_of(*VERB_ROOMS))
def test_rooms_that_act_do_not_import_each_other(name: str) -> None:
    assert rooms_imported_by(name) & VERB_ROOMS <= {room_of(name)}


@pytest.mark.parametrize("name", modules_of("policy"))
def test_the_policy_knows_no_store_no_network_and_no_clock(name: str) -> None:
    assert rooms_imported_by(name) <= {"policy", "model"}
    assert foreign_packages_of(name) <= POLICY_NEEDS


@pytest.mark.parametrize("name", modules_of("model"))
def test_the_model_knows_nothing_but_itself(name: str) -> None:
    assert rooms_imported_by(name) <= {"model"}
    assert foreign_packages_of(name) <= MODEL_NEEDS


@pytest.mark.parametrize("name", modules_of("api"))
def test_the_door_decides_nothing(name: str) -> None:
    assert rooms_imported_by(name).isdisjoint({"policy", "carriers", "spool", "delivery"})


@pytest.mark.parametrize("name", [name for name in modules() if room_of(name) not in {"store", "spool"}])
def test_statements_stand_in_store_and_spool_only(name: str) -> None:
    from_sqlalchemy = {one for one in imports_of(modules()[name]) if one.split(".")[0] == "sqlalchemy"}
    assert from_sqlalchemy <= {"sqlalchemy.Connection"}, "a statement, an engine or a table, outside of the store"
