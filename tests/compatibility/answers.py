"""What every action answers with, as `answers.toml` has it, and how an answer that came differs from it."""

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
"""An answer, or an object within one."""

_WRITTEN = tomllib.loads(Path(__file__).with_name("answers.toml").read_text("utf-8"))
ERROR: Answer = _WRITTEN.pop("error")
ANSWERS: dict[str, dict[str, Answer]] = _WRITTEN
"""By version and action."""
_NUMBERS = {"uint64": range(2**64), "int64": range(-(2**63), 2**63)}


def differences(came: object, due: Answer | list[Answer] | str, place: str = "answer") -> list[str]:
    """
    List what a client with types would stop at: what is missing, of another type, or unknown.

    >>> differences({"Fee": "1", "Code": "Ok"}, {"Fee": "uint64", "SerialNo": "string"})
    ['answer.Fee is no uint64', 'answer.SerialNo is missing', 'answer.Code is unknown']
    """
    if isinstance(due, str):
        type_, *or_null = due.split(" or ")
        fits = type_fits(came, type_) or (came is None and or_null == ["null"])
        return [] if fits else [f"{place} is no {due}"]
    if isinstance(due, list):
        if not isinstance(came, list):
            return [f"{place} is no list"]
        return [one for at, item in enumerate(came) for one in differences(item, due[0], f"{place}[{at}]")]
    if not isinstance(came, dict):
        return [f"{place} is no object"]
    found: list[str] = []
    for name, type_of_field in due.items():
        below = f"{place}.{name}"
        found += differences(came[name], type_of_field, below) if name in came else [f"{below} is missing"]
    return found + [f"{place}.{name} is unknown" for name in came if name not in due]


def without(due: Any, names: Collection[str]) -> Any:
    """
    Leave out what a client drops from answers.

    >>> without({"Set": [{"SignId": "uint64", "QualificationId": "uint64 or null"}]}, {"QualificationId"})
    {'Set': [{'SignId': 'uint64'}]}
    """
    if isinstance(due, list):
        return [without(due[0], names)]
    if isinstance(due, dict):
        return {name: without(below, names) for name, below in due.items() if name not in names}
    return due


def type_fits(value: object, type_: str) -> bool:
    if type_ == "string":
        return isinstance(value, str)
    return isinstance(value, int) and not isinstance(value, bool) and value in _NUMBERS[type_]
