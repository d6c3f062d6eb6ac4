"""Templates in files of one's own (YAML, JSON, CSV), each with the lines it stands on."""

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from cleartosend.cli.problems import Problem
from cleartosend.model.accounts import AccountKind
from cleartosend.model.verdicts import MessageType, Submission

ENDINGS = {".yaml", ".yml", ".json", ".csv"}
TEXT_NAMES = ("text", "content", "TemplateContent")
"""What the text of a template is called; the last is the reference's own name."""
_TYPES = {"1": MessageType.MARKETING, "2": MessageType.NOTIFICATION, "3": MessageType.VERIFICATION}
_YES = {"1", "true", "yes"}


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
    or names each with its template, under `templates` or at the top. Raises Problem, which names the line.
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
        fields = {str(name).strip(): str(value or "").strip() for name, value in row.items() if name}
        yield _written(path, before + 1, rows.line_num, fields)
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
        root = next((value for key, value in root.value if key.value == "templates"), root)
    yield from _of_node(path, root)


def _of_node(path: Path, node: yaml.Node) -> Iterator[Written]:
    if isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield _of_template(path, one, "")
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield _of_template(path, value, str(key.value))
    else:
        raise _problem(path, node.start_mark.line + 1, "it takes a list of templates, or templates by name")


def _of_template(path: Path, node: yaml.Node, name: str) -> Written:
    first = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        return _written(path, first, _last_line(node), {"text": node.value, "name": name})
    if not isinstance(node, yaml.MappingNode):
        raise _problem(path, first, "a template is a text, or has one")
    fields = {str(key.value): value for key, value in node.value if isinstance(value, yaml.ScalarNode)}
    text = next((fields[one] for one in TEXT_NAMES if one in fields), None)
    if text is not None:
        first, last = text.start_mark.line + 1, _last_line(text)
    else:
        last = first
    return _written(path, first, last, {"name": name} | {key: value.value for key, value in fields.items()})


def _last_line(node: yaml.Node) -> int:
    """The line on which a text ends; a block of text ends where the next line begins."""
    return max(node.end_mark.line + (1 if node.end_mark.column else 0), node.start_mark.line + 1)


def _written(path: Path, first: int, last: int, fields: Mapping[str, Any]) -> Written:
    text = next((str(fields[name]) for name in TEXT_NAMES if fields.get(name)), "")
    if not text:
        raise _problem(path, first, f"no text: it is called {', '.join(TEXT_NAMES)}")
    type_ = str(fields.get("type") or fields.get("SmsType") or MessageType.NOTIFICATION)
    international = str(fields.get("international") or fields.get("International") or "").lower() in _YES
    try:
        submission = Submission(
            text=text,
            type=_TYPES.get(type_) or MessageType(type_),
            account=AccountKind(str(fields.get("account") or AccountKind.ORGANIZATION)),
            international=international,
        )
    except ValueError as error:
        raise _problem(path, first, str(error)) from error
    name = str(fields.get("name") or fields.get("TemplateName") or "")
    return Written(path, first, last, name, submission)


def _problem(path: Path, line: int, what: str) -> Problem:
    return Problem(f"{path}, line {line}: {what}")
