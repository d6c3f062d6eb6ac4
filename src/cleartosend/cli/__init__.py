"""The command line: serve, and everything an operator, a reviewer or an applicant does from a terminal."""

import importlib

import click

from cleartosend import __version__

# Command: the module that holds it. Imported when it is called, so that `check` does not wait for a web server.
COMMANDS = {
    "serve": "cleartosend.cli.serve",
    "check": "cleartosend.cli.check",
    "ask": "cleartosend.cli.ask",
    "account": "cleartosend.cli.account",
    "app": "cleartosend.cli.app",
    "package": "cleartosend.cli.package",
    "apply": "cleartosend.cli.apply",
    "review": "cleartosend.cli.review",
    "policy": "cleartosend.cli.policy",
    "link": "cleartosend.cli.link",
    "members": "cleartosend.cli.members",
    "opt-out": "cleartosend.cli.optout",
    "replies": "cleartosend.cli.replies",
    "message": "cleartosend.cli.message",
    "callback": "cleartosend.cli.callback",
    "carrier": "cleartosend.cli.carrier",
    "backup": "cleartosend.cli.backup",
    "smsc": "cleartosend.cli.smsc",
}


class Commands(click.Group):
    """Finds the commands in their modules."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cleartosend")
def cleartosend() -> None:
    """An SMS platform on which nothing goes out unless it may."""


def main() -> None:
    """Run the command."""
    cleartosend()
