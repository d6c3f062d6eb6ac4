"""Templates in files of one's own (YAML, JSON, CSV), each with the lines it stands on."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from cleartosend.cli.problems import Problem
from cleartosend.model.accounts import AccountKind
from cleartosend.model.verdicts import MessageType, Submission

ENDINGS = {".yaml", ".yml", ".json", ".csv"}
TEXT_NAMES = ("text", "content", "TemplateContent")
"""What the text of a template is called; the last is the reference's own name."""
_NUMBERED = {"1": MessageType.MARKETING, "2": MessageType.NOTIFICATION, "3": MessageType.VERIFICATION}
_TYPES = _NUMBERED | {one.value: one for one in MessageType}
_FIELDS = (
    *("text", "type", "international", "account", "name", "remark", "content"),
    # The reference's own, of applying and of amending.
    *("TemplateContent", "SmsType", "International", "TemplateName", "Remark", "TemplateId"),
)
_YES = {"1", "true", "yes"}


class Field(NamedTuple):
    """What a field of a template says, and where."""

    value: str
    line: int


class Written(msgspec.Struct, frozen=True):
    """A template as it stands in a file."""

    path: Path
    first_line: int
    last_line: int
    name: str
    submission: Submission


def read_templates(path: Path) -> Iterator[Written]:
    """
    The templates of a file, in its order: YAML or JSON by ending, or CSV with headings.

    A template is a text alone, or `text` with `type`, `international`, `account` and `name`; a file is a list of them,
    or names each with its template, under `templates` or at the top, or is one template. A name that is there twice is
    refused, and a field that there is not; columns of a CSV may be anything. Raises Problem, which names the line.
    """
    try:
        content = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: {error}"
        raise Problem(message) from error
    yield from _of_csv(path, content) if path.suffix.lower() == ".csv" else _of_yaml(path, content)


def _of_csv(path: Path, content: str) -> Iterator[Written]:
    rows = csv.DictReader(io.StringIO(content, newline=""))
    before = 1
    for row in rows:
        line = before + 1
        fields = {str(name).strip(): Field(str(value or "").strip(), line) for name, value in row.items() if name}
        yield _written(path, line, rows.line_num, "", fields)
        before = rows.line_num


# Every JSON is YAML, and the reader of YAML tells the lines.
def _of_yaml(path: Path, content: str) -> Iterator[Written]:
    try:
        root = yaml.compose(content, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        message = f"{path}: {' '.join(str(error).split())}"
        raise Problem(message) from error
    if root is None:
        return
    if isinstance(root, yaml.MappingNode):
        entries = _entries(path, root)
        if any(name in TEXT_NAMES and isinstance(value, yaml.ScalarNode) for name, (_line, value) in entries.items()):
            yield _of_template(path, root, "")
            return
        if "templates" in entries:
            _line, root = entries["templates"]
    yield from _of_node(path, root)


def _of_node(path: Path, node: yaml.Node) -> Iterator[Written]:
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield _of_template(path, one, "")
    elif isinstance(node, yaml.MappingNode):
        for name, (_line, value) in _entries(path, node).items():
            yield _of_template(path, value, name)
    else:
        raise _problem(path, _first_line(node), "it takes a list of templates, or templates by name")


def _entries(path: Path, node: yaml.MappingNode) -> dict[str, tuple[int, yaml.Node]]:
    """What stands under each name, and on which line the name stands."""
    entries: dict[str, tuple[int, yaml.Node]] = {}
    for key, value in node.value:
        line = _first_line(key)
        if not isinstance(key, yaml.ScalarNode):
            raise _problem(path, line, "a name is one word or text")
        if key.value in entries:
            raise _problem(path, line, f"{key.value} is there twice")
        entries[key.value] = line, value
    return entries


def _of_template(path: Path, node: yaml.Node, name: str) -> Written:
    first = _first_line(node)
    if isinstance(node, yaml.ScalarNode):
        return _written(path, first, _last_line(node), name, {"text": Field(node.value, first)})
    if not isinstance(node, yaml.MappingNode):
        raise _problem(path, first, "a template is a text, or has one", name)
    entries = _entries(path, node)
    fields: dict[str, Field] = {}
    for key, (line, value) in entries.items():
        if key not in _FIELDS:
            raise _problem(path, line, f"no field {key}; there are {', '.join(_FIELDS)}", name)
        if not isinstance(value, yaml.ScalarNode):
            raise _problem(path, line, f"{key}: it takes one value", name)
        fields[key] = Field(value.value, line)
    last = first
    text = next((entries[key][1] for key in TEXT_NAMES if key in entries), None)
    if text is not None:
        first, last = _first_line(text), _last_line(text)
    return _written(path, first, last, name, fields)


def _first_line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


def _last_line(node: yaml.Node) -> int:
    """The line on which a text ends; a block of text ends where the next line begins."""
    return max(node.end_mark.line + (1 if node.end_mark.column else 0), node.start_mark.line + 1)


def _written(path: Path, first: int, last: int, name: str, fields: Mapping[str, Field]) -> Written:
    def field(*names: str, otherwise: str = "") -> Field:
        return next((fields[one] for one in names if one in fields and fields[one].value), Field(otherwise, first))

    text = field(*TEXT_NAMES).value
    if not text:
        raise _problem(path, first, f"no text: it is called {', '.join(TEXT_NAMES)}", name)
    name = field("name", "TemplateName", otherwise=name).value
    type_ = field("type", "SmsType", otherwise=MessageType.NOTIFICATION)
    if type_.value not in _TYPES:
        words = f"{', '.join(_NUMBERED.values())} or {', '.join(_NUMBERED)}"
        raise _problem(path, type_.line, f"type: it is {words}, not {type_.value}", name)
    account = field("account", otherwise=AccountKind.ORGANIZATION)
    if account.value not in set(AccountKind):
        raise _problem(path, account.line, f"account: it is {' or '.join(AccountKind)}, not {account.value}", name)
    submission = Submission(
        text=text,
        type=_TYPES[type_.value],
        account=AccountKind(account.value),
        international=field("international", "International").value.lower() in _YES,
    )
    return Written(path, first, last, name, submission)


def _problem(path: Path, line: int, what: str, name: str = "") -> Problem:
    """Says where: on which line, and of which template if it has a name."""
    return Problem(f"{path}, line {line}: {name and f'{name}: '}{what}")
