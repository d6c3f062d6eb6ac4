"""Settings changed by name on the command line: NAME=VALUE, where a value is JSON or a plain word."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec


def with_changes(values: Mapping[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """The values after the changes; raises UsageError for a name that is not among them."""
    changed = dict(values)
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or name not in changed:
            message = f"{change}: it takes NAME=VALUE with a name of {', '.join(changed)}"
            raise click.UsageError(message)
        try:
            decoded = msgspec.json.decode(value)
        except msgspec.DecodeError:
            decoded = value
        # What is a word stays one, though it be written in digits.
        changed[name] = value if isinstance(changed[name], str) and not isinstance(decoded, str) else decoded
    return changed
