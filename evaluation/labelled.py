"""Labelled texts, from the repository and from a folder of data, and the submission that each of them makes."""

import gzip
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import msgspec

from cleartosend.model.verdicts import MessageType, Submission
from cleartosend.policy.normalise import HAN
from cleartosend.policy.structure import ENGLISH_OPT_OUT_ENDING, OPT_OUT_ENDING

HERE = Path(__file__).parent
DEVELOPMENT = "policy-dev.jsonl"
TRAINING = "policy-train.jsonl.gz"
_PERSONAL = "personal"
_ALLOWED = "none"
_ENDS_A_SENTENCE = (".", "!", "?", "。", "！", "？")
# A delivered message begins or ends with its signature, which is applied for by itself and is no part of a template.
_SIGNATURE = re.compile(r"^【[^】]{1,20}】|【[^】]{1,20}】$")


class Expected(StrEnum):
    """What a careful reviewer would make of a text."""

    STOPPED = "stopped"
    ALLOWED = "allowed"
    UNKNOWN = "unknown"


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A text, where it is from, and what should become of it when it is submitted as what it is."""

    text: str
    language: str
    source: str
    nature: MessageType | None
    """None for a label that does not tell."""
    expected: Expected = Expected.UNKNOWN
    category: str = _ALLOWED
    """Of the rulebook, where it is to be stopped."""
    personal: bool = False
    """Chat, for which nobody applies: it is counted apart."""
    label: str = ""
    """In the words of its own set."""


def submitted(labelled: Labelled, declared: MessageType | None = None) -> Submission:
    """The application that an organisation would make of it, the opt-out added to marketing that lacks it."""
    declared = declared or labelled.nature or MessageType.NOTIFICATION
    text = labelled.text
    if declared is MessageType.MARKETING:
        text = with_opt_out(text)
    return Submission(text=text, type=declared)


def with_opt_out(text: str) -> str:
    """
    The text with the ending that marketing needs, in the text's language.

    >>> with_opt_out("会员日八折"), with_opt_out("Members save 10%.")
    ('会员日八折，拒收请回复R', 'Members save 10%. Reply STOP to unsubscribe')
    """
    chinese = HAN.search(text) is not None
    if text.endswith((OPT_OUT_ENDING, ENGLISH_OPT_OUT_ENDING)):
        return text
    text = text.rstrip()
    ended = text.endswith(_ENDS_A_SENTENCE)
    if chinese:
        return text + ("" if ended else "，") + OPT_OUT_ENDING
    return text + (" " if ended else ". ") + ENGLISH_OPT_OUT_ENDING


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts that share all but their words."""

    nature: MessageType
    texts: tuple[str, ...]
    category: str = _ALLOWED
    source: str = "written"


class _Written(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    group: tuple[_Group, ...]


class First(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the texts of a round were judged when no rule had been held against them."""

    approved: int
    """Of what must be stopped."""
    rejected: int
    """Of what is allowed; `referred` as well."""
    referred: int


class Round(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts with which the rules were tried once, and mended afterwards."""

    about: str
    first: First
    group: tuple[_Group, ...]

    def texts(self) -> list[Labelled]:
        return _labelled(self.group)


class _Rounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    round: tuple[Round, ...]


def rounds() -> tuple[Round, ...]:
    """The rounds of rounds.toml, in their order."""
    return msgspec.convert(tomllib.loads((HERE / "rounds.toml").read_text("utf-8")), _Rounds).round


def written() -> list[Labelled]:
    """The texts of texts.toml: written for this evaluation, and for nothing else."""
    return _labelled(msgspec.convert(tomllib.loads((HERE / "texts.toml").read_text("utf-8")), _Written).group)


def _labelled(groups: Iterable[_Group]) -> list[Labelled]:
    return [
        Labelled(
            text=text,
            language="zh" if HAN.search(text) else "en",
            source=group.source,
            nature=group.nature,
            expected=Expected.ALLOWED if group.category == _ALLOWED else Expected.STOPPED,
            category=group.category,
        )
        for group in groups
        for text in group.texts
    ]


class _Says(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a label of a public set says of our question."""

    nature: MessageType
    expected: Expected = Expected.UNKNOWN
    category: str = _ALLOWED
    personal: bool = False


def training(folder: Path) -> list[Labelled]:
    """The training file's texts under what sets.toml makes of their labels; those of the development file left out."""
    sets = msgspec.convert(tomllib.loads((HERE / "sets.toml").read_text("utf-8")), dict[str, dict[str, _Says]])
    left_out = {row["text"] for row in _rows(folder / DEVELOPMENT)}
    labelled = []
    for row in _rows(folder / TRAINING):
        if row["text"] in left_out:
            continue
        says = sets[row["set"]][row["label"]]
        labelled.append(
            Labelled(
                text=_SIGNATURE.sub("", row["text"]),
                language=row["lang"],
                source=row["set"],
                nature=says.nature,
                expected=says.expected,
                category=says.category,
                personal=says.personal,
                label=row["label"],
            )
        )
    return labelled


def development(folder: Path) -> list[Labelled]:
    """The development file, labelled by reading; its rows have the source that the training file gives them."""
    source_of = {row["text"]: row["set"] for row in _rows(folder / TRAINING)}
    return [
        Labelled(
            text=_SIGNATURE.sub("", row["text"]),
            language=row["lang"],
            source=source_of.get(row["text"], "not told"),
            nature=None if row["nature"] == _PERSONAL else MessageType(row["nature"]),
            expected=_EXPECTED[row["decision"]],
            category=row["category"],
            personal=row["nature"] == _PERSONAL,
            label=row["nature"],
        )
        for row in _rows(folder / DEVELOPMENT)
    ]


_EXPECTED = {"allow": Expected.ALLOWED, "deny": Expected.STOPPED, "unclear": Expected.UNKNOWN}


def _rows(path: Path) -> Iterator[dict[str, str]]:
    opened: Iterable[str]
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as opened:
        yield from map(json.loads, opened)
