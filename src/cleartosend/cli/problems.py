"""What a command says when its surroundings are not fit: one line, and exit status 2."""

import contextlib
from collections.abc import Iterator

import click


class Problem(click.ClickException):
    """The surroundings are not fit for the command."""

    exit_code = 2


@contextlib.contextmanager
def in_one_line(*kinds: type[Exception]) -> Iterator[None]:
    """Turn exceptions of these kinds, and what the operating system says no to, into a Problem."""
    try:
        yield
    except OSError as error:
        message = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        raise Problem(message) from error
    except kinds as error:
        raise Problem(" ".join(str(error).split())) from error
