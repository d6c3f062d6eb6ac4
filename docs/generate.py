# ruff: noqa: INP001, T201, S101 - a script, which says what it wrote and stops where it cannot
"""
Writes what the pages take from the code, and what the README's commands print. `make docs` runs it.

Any page may hold a block between `<!-- made: NAME -->` and `<!-- end -->`; BLOCKS below says what each is made from.
"""

import ast
import inspect
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import msgspec
from prometheus_client import Counter, Gauge, Histogram

from cleartosend import telemetry
from cleartosend.api.tencent import errors
from cleartosend.api.tencent.codes import CANNOT_OCCUR, CODES
from cleartosend.api.tencent.errors import INSTEAD, INSTEAD_IN_THE_OLDER_VERSION, OLDER_VERSION, SAYINGS, Saying
from cleartosend.api.tencent.rates import PER_SECOND
from cleartosend.carriers.simulator import BEHAVIOURS, Behaviour
from cleartosend.carriers.smpp.profile import (
    USUAL,
    Addresses,
    OwnTlv,
    Profile,
    Receipts,
    Statuses,
    Writing,
    read_profile,
    shipped,
)
from cleartosend.cli import cleartosend
from cleartosend.model.accounts import AccountKind, AccountSettings, AppSettings, CountryLimits
from cleartosend.model.applications import REVIEW_MOVES, ReviewMove
from cleartosend.model.carriers import Route, SimulatorLink, SmppLink, UpstreamLink
from cleartosend.model.meanings import CARRIERS, FAMILIES, OWN, STATUSES, UPSTREAM
from cleartosend.model.messages import MESSAGE_MOVES
from cleartosend.model.reasons import Reason
from cleartosend.model.verdicts import MessageType, Part
from cleartosend.policy.rulebook import Rule, load_rulebook
from cleartosend.review import apply, desk, links, triage
from cleartosend.settings import PREFIX, Settings
from cleartosend.testing.smsc import DIALECTS
from cleartosend.testing.smsc.behaviour import Behaviour as BehaviourOfSmsc
from cleartosend.testing.smsc.orders import ORDERS

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "cleartosend"
README = ROOT / "README.md"
_BLOCK = re.compile(r"(<!-- made: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
REVIEW_ROOMS = (apply, triage, desk, links)
"""Where the moves of an application are made: by the applicant, by the machine, by a person."""
_HELP_COLUMNS = 100


def pages() -> list[Path]:
    """Every page of the project."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def made_anew(page: str) -> str:
    """The page with its blocks as the code would have them."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{BLOCKS[block[2]]().strip()}\n\n{block[3]}", page)


# --- the module map ---


def modules() -> str:
    """The rooms and what each module is for, in its own first sentence."""
    lines: list[str] = []
    for path in sorted(SOURCE.rglob("*.py"), key=_rooms_last):
        name = path.relative_to(SOURCE)
        if "versions" in name.parts:
            continue
        says = _first_sentence(path)
        if name.name == "__init__.py":
            lines.append(f"\n**`{'src/cleartosend' if name.parent == Path() else name.parent}/`** {says}\n")
        else:
            lines.append(f"- `{name}`: {says}")
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def _rooms_last(path: Path) -> tuple[bool, tuple[str, ...], str]:
    name = path.relative_to(SOURCE)
    return bool(name.parent.parts), name.parent.parts, name.name.replace("__init__.py", "")


def _first_sentence(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split())


# --- the state machines ---


def message_moves() -> str:
    """The states of a message: a drawing, and each move with its function."""
    arrows = [
        f"    {start} --> {end}: {move}"
        for move, (starts, ends, _by) in MESSAGE_MOVES.items()
        for start in _ordered(starts) or ["[*]"]
        for end in _ordered(ends)
        if start != end
    ]
    rows = [
        (move, _states(starts) or "(new)", _states(ends), f"`{by}`")
        for move, (starts, ends, by) in MESSAGE_MOVES.items()
    ]
    return _drawing(arrows) + _table(("move", "from", "to", "made by"), rows)


def review_moves() -> str:
    """The states of an application: a drawing, and each move with its functions."""
    arrows = [
        f"    {start} --> {end}: {move}"
        for move, (starts, end) in REVIEW_MOVES.items()
        for start in _ordered(starts) or ["[*]"]
    ]
    rows = [
        (move, _states(starts) or "(new)", end, ", ".join(f"`{name}`" for name in makers(move)))
        for move, (starts, end) in REVIEW_MOVES.items()
    ]
    return _drawing(arrows) + _table(("move", "from", "to", "made by"), rows)


def makers(move: ReviewMove) -> list[str]:
    """The functions of the move's name, as `room.module.function`."""
    return [
        f"{room.__name__.removeprefix('cleartosend.')}.{move}"
        for room in REVIEW_ROOMS
        if inspect.isfunction(function := getattr(room, move, None)) and function.__module__ == room.__name__
    ]


def _ordered(states: Iterable[Enum]) -> list[str]:
    """As the states were declared: sets have no order of their own."""
    chosen = set(states)
    return [state.value for kind in {type(state) for state in chosen} for state in kind if state in chosen]


def _states(states: Iterable[Enum]) -> str:
    return ", ".join(_ordered(states))


def _drawing(arrows: Iterable[str]) -> str:
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```", "", ""])


# --- the reference ---


def settings() -> str:
    """The operator's settings."""
    said = _said_of_fields(Settings)
    return _table(
        ("setting", "in the environment", "default", "what it is"),
        [
            (f"`{name}`", f"`{PREFIX}{name.upper()}`", _code(default), said[name])
            for name, default in _defaults(Settings)
        ],
    )


def account_settings() -> str:
    """What may be set for one account."""
    return _settings_of(AccountSettings)


def app_settings() -> str:
    """What may be set for one app."""
    return _settings_of(AppSettings)


def country_limits() -> str:
    """What may be set for one country of an app."""
    return _settings_of(CountryLimits)


def _settings_of(struct: type[msgspec.Struct]) -> str:
    said = _said_of_fields(struct)
    return _table(
        ("setting", "default", "what it is"),
        [(f"`{name}`", _code(default), said[name]) for name, default in _defaults(struct)],
    )


def smpp_carrier() -> str:
    """What may be said of a carrier that speaks SMPP."""
    return _table_of(SmppLink)


def upstream_carrier() -> str:
    """What may be said of a service that speaks the vendor's API."""
    return _table_of(UpstreamLink)


def simulator_carrier() -> str:
    """What may be said of a simulator among carriers."""
    return _table_of(SimulatorLink)


def route() -> str:
    """What may be said of a route."""
    return _table_of(Route)


def _table_of(struct: type[msgspec.Struct], *, heading: str = "setting") -> str:
    """The fields of a table of a file that an operator writes."""
    said = _said_of_fields(struct)
    return _table(
        (heading, "where it is not said", "what it is"),
        [(f"`{field.name}`", _said_or_not(field), said[field.name]) for field in msgspec.structs.fields(struct)],
    )


def profiles() -> str:
    """The carrier profiles that ship, and where what they say is written."""
    return _table(
        ("profile", "for carriers of which this is true", "as is written in"),
        [
            (f"`{name}`", profile.about, "; ".join(profile.sources))
            for name in sorted(shipped(), key=lambda name: (name != USUAL, name))
            for profile in [read_profile(name)]
        ],
    )


def profile_fields() -> str:
    """What a profile may say, table by table."""
    tables: dict[str, type[msgspec.Struct]] = {
        "": Profile,
        "[receipts]": Receipts,
        "[statuses]": Statuses,
        "[addresses]": Addresses,
    }
    lists: dict[str, type[msgspec.Struct]] = {"[[alphabets]]": Writing, "[[tlvs]]": OwnTlv}
    return "\n\n".join(
        (f"In each `{name}`:\n\n" if name in lists else f"In `{name}`:\n\n" if name else "")
        + _table_of(struct, heading="field")
        for name, struct in (tables | lists).items()
    )


def _said_or_not(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "must be said"
    default = _default_of(field)
    match default:
        case Receipts() | Statuses() | Addresses():
            return "as below"
        case (Writing(), *_):
            return ", ".join(f"`{one.alphabet}` as {one.data_coding}" for one in default)
        case (_, *_):
            return ", ".join(f"`{one}`" if one != "" else "nothing" for one in default)
        case {}:
            return "empty"
        case _:
            return _code(default)


def _defaults(struct: type[msgspec.Struct]) -> list[tuple[str, object]]:
    return [(field.name, _default_of(field)) for field in msgspec.structs.fields(struct)]


def _default_of(field: msgspec.structs.FieldInfo) -> Any:  # noqa: ANN401 - of any type that a setting has
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _said_of_fields(struct: type[msgspec.Struct]) -> dict[str, str]:
    """The sentence that stands under each field in the source, those of what it is built on first."""
    said: dict[str, str] = {}
    for of in reversed(struct.__mro__[: struct.__mro__.index(msgspec.Struct)]):
        said |= _said_within(of)
    return said


def _said_within(struct: type[msgspec.Struct]) -> dict[str, str]:
    [definition] = ast.parse(inspect.getsource(struct)).body
    assert isinstance(definition, ast.ClassDef)
    said: dict[str, str] = {}
    for field, below in zip(definition.body, definition.body[1:], strict=False):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(sentence))),
            ):
                said[name] = " ".join(sentence.split())
    return said


def command_line() -> str:
    """What every command says of itself."""
    context = click.Context(
        cleartosend, info_name="cleartosend", terminal_width=_HELP_COLUMNS, **cleartosend.context_settings
    )
    return "\n".join(_helps(cleartosend, context))


def _helps(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _helps(below, click.Context(below, info_name=name, parent=context))


def compatibility_clients() -> str:
    """The vendor's clients that the tests call through, by package."""
    matrix = _matrix()
    return "\n".join(f"- **{sdk}**: {packages}" for sdk, packages in matrix.package_versions().items())


def compatibility_actions() -> str:
    """Each action by each client."""
    matrix = _matrix()
    tested = set(matrix.cells_of_actions())
    tables = []
    for version, actions in matrix.ANSWERS.items():
        rows = [
            (
                f"`{action}`",
                *("passes" if matrix.Cell(sdk, version, action) in tested else "not in this SDK" for sdk in matrix.Sdk),
            )
            for action in actions
        ]
        tables.append(f"### Version {version}\n\n{_table(('action', *matrix.Sdk), rows)}")
    return "\n\n".join(tables)


def compatibility_transports() -> str:
    """Each way of putting a call on the wire by each client."""
    matrix = _matrix()
    tested = {(cell.sdk, cell.transport) for cell in matrix.cells_of_transports()}
    sdks = sorted({sdk for sdk, _transport in tested}, key=list(matrix.Sdk).index)
    return _table(
        ("call", *sdks),
        [
            (
                transport.name,
                *("passes" if (sdk, transport) in tested else "not in this SDK" for sdk in sdks),
            )
            for transport in matrix.OTHER_TRANSPORTS
        ],
    )


@cache
def _matrix() -> ModuleType:
    """What the tests of compatibility run on."""
    sys.path.insert(0, str(ROOT / "tests"))
    from compatibility import matrix  # noqa: PLC0415 - it stands with the tests

    return matrix


def reasons() -> str:
    """Every reason with its code."""
    rows = []
    for reason in Reason:
        rows.append((f"`{reason}`", *_saying(SAYINGS[reason])))
        rows += [
            (f"`{reason}` in `{key[1]}`", *_saying(saying))
            for key, saying in SAYINGS.items()
            if isinstance(key, tuple) and key[0] is reason
        ]
    return _table(("reason", "code", "in English", "in Chinese"), rows)


def faults() -> str:
    """What is said before any reason can be asked for."""
    return _table(
        ("code", "in English", "in Chinese"),
        [_saying(saying) for saying in vars(errors).values() if isinstance(saying, Saying)],
    )


def known_codes() -> str:
    """Every code of the reference: what gives rise to it here, or why nothing does."""
    rows = []
    for code in CODES:
        found = [
            f"`{key[0]}` in `{key[1]}`" if isinstance(key, tuple) else f"`{key}`"
            for key, saying in SAYINGS.items()
            if saying.code == code
        ]
        rows.append((f"`{code}`", CANNOT_OCCUR.get(code) or ", ".join(found) or "what the call itself says"))
    return _table(("code", "here"), rows)


def instead() -> str:
    """What is said where an action does not have a code."""
    rows = [
        (f"`{code}`", f"`{action}`", f"`{other}`")
        for code, actions in INSTEAD.items()
        for action, other in actions.items()
    ]
    rows += [
        (f"`{code}`", f"every one in version {OLDER_VERSION}", f"`{other}`")
        for code, other in INSTEAD_IN_THE_OLDER_VERSION.items()
    ]
    return _table(("code", "action", "what is said instead"), rows)


def rates() -> str:
    """How often each action may be called."""
    return _table(("action", "calls a second"), [(f"`{action}`", str(rate)) for action, rate in PER_SECOND.items()])


def _saying(saying: Saying) -> tuple[str, str, str]:
    return f"`{saying.code}`", saying.english, saying.chinese


def rules() -> str:
    """The rulebook, category by category."""
    rulebook = load_rulebook()
    lines: list[str] = []
    for category in sorted(rulebook.categories.values(), key=lambda category: category.id):
        rows = f" (rows {', '.join(map(str, category.rows))} of the policy)" if category.rows else ""
        lines += [f"## {category.title.en} {category.title.zh}: `{category.id}`{rows}", ""]
        lines += [f"> {category.clause.en}", ">", f"> {category.clause.zh}", ""]
        for rule in rulebook.rules:
            if rulebook.category_of(rule.id) is category:
                lines += [f"- **`{rule.id}`** {rule.action}{_only_for(rule)}", f"  - {rule.because.en}"]
                lines += [f"  - {rule.because.zh}"]
        lines.append("")
    return "\n".join(lines)


def _only_for(rule: Rule) -> str:
    """Which submissions the rule is asked about, where not all."""
    narrowed = [
        " and ".join(chosen)
        for chosen, kind in ((rule.types, MessageType), (rule.parts, Part), (rule.accounts, AccountKind))
        if set(chosen) != set(kind)
    ]
    if rule.scope:
        narrowed.append(rule.scope)
    return f" (only {'; '.join(narrowed)})" if narrowed else ""


def codes() -> str:
    """What stands at a message's end, and what it means."""
    tables = []
    for title, meanings in (
        ("Our own", OWN),
        ("Any carrier's receipts, as SMPP 3.4 has them", FAMILIES),
        ("Any carrier's answers, as SMPP 3.4 has them", STATUSES),
        ("Of a service upstream", UPSTREAM),
        ("Of carriers in mainland China", CARRIERS),
    ):
        rows = [
            (
                f"`{code}`",
                f"{meaning.says.en} {meaning.says.zh}",
                meaning.party or "nobody",
                f"`{meaning.bucket}`" if meaning.bucket else "delivered",
                f"{meaning.next.en} {meaning.next.zh}",
            )
            for code, meaning in meanings.items()
        ]
        headings = ("code", "what it says", "at fault", "counts as", "what to do")
        tables.append(f"## {title}\n\n{_table(headings, rows)}")
    return "\n\n".join(tables)


def endings() -> str:
    """What the simulator does with numbers of certain endings."""
    return _table(
        ("number ends in", "what happens", "submit answers", "receipt"),
        [
            (f"`{ending}`", behaviour.what, _answer(behaviour), _receipt(behaviour))
            for ending, behaviour in BEHAVIOURS.items()
        ],
    )


def _answer(behaviour: Behaviour) -> str:
    if behaviour.refusal is None:
        return "taken"
    return f"`{behaviour.refusal.code}`, {'try again' if behaviour.refusal.again else 'for good'}"


def _receipt(behaviour: Behaviour) -> str:
    if not behaviour.receipts or (behaviour.refusal and not behaviour.refusal.again):
        return "none"
    return f"`{behaviour.code}`" + (" twice" if behaviour.receipts > 1 else "")


def smsc_behaviour() -> str:
    """What the SMSC for testing can be told to do."""
    return _table(
        ("item", "what it is"), [(f"`{name}`", said) for name, said in _said_of_fields(BehaviourOfSmsc).items()]
    )


def smsc_dialects() -> str:
    """In which ways it writes ids and receipts."""
    rows = [
        (f"`{name}`", "<br>".join(f"`{item}` {_code(value)}" for item, value in items.items()) or "nothing")
        for name, items in DIALECTS.items()
    ]
    return _table(("dialect", "sets"), rows)


def smsc_orders() -> str:
    """Its orders, as its help has them."""
    return "\n".join(f"- {order.__doc__}" for order in ORDERS.values())


def metrics() -> str:
    """What is measured."""
    return _table(
        ("metric", "kind", "labels", "what it is"),
        [
            (
                f"`{family.name}{'_total' if isinstance(metric, Counter) else ''}`",
                family.type,
                ", ".join(f"`{label}`" for label in metric._labelnames) or "none",  # noqa: SLF001 - it has no other
                family.documentation,
            )
            for metric in vars(telemetry).values()
            if isinstance(metric, Counter | Gauge | Histogram)
            for family in metric.describe()
        ],
    )


def _table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [headings, tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _code(value: object) -> str:
    match value:
        case "" | ():
            return "empty"
        case None:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case _:
            return f"`{value}`"


BLOCKS: dict[str, Callable[[], str]] = {
    "modules": modules,
    "message-moves": message_moves,
    "review-moves": review_moves,
    "settings": settings,
    "account-settings": account_settings,
    "app-settings": app_settings,
    "country-limits": country_limits,
    "smpp-carrier": smpp_carrier,
    "upstream-carrier": upstream_carrier,
    "simulator-carrier": simulator_carrier,
    "route": route,
    "profiles": profiles,
    "profile-fields": profile_fields,
    "command-line": command_line,
    "compatibility-clients": compatibility_clients,
    "compatibility-actions": compatibility_actions,
    "compatibility-transports": compatibility_transports,
    "reasons": reasons,
    "faults": faults,
    "known-codes": known_codes,
    "instead": instead,
    "rates": rates,
    "rules": rules,
    "codes": codes,
    "endings": endings,
    "metrics": metrics,
    "smsc-behaviour": smsc_behaviour,
    "smsc-dialects": smsc_dialects,
    "smsc-orders": smsc_orders,
}


# --- what the README's commands print ---

_CONSOLE = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
# What differs by run, and what stands for it.
_DIFFERS = (
    (re.compile(r"127\.0\.0\.1:[0-9]+"), "127.0.0.1:8080"),
    (re.compile(r"\bAKID[A-Za-z0-9]{32}\b"), "AKID…"),
    (re.compile(r"(?<=SECRET_KEY=)\w{32}|(?<=secret_key: )\w{32}"), "…"),
    (re.compile(r"(?<=rulebook )[0-9a-f]{12}"), "…"),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}Z"), "2026-11-22 09:30:00Z"),
    (re.compile(r"[0-9]+ bytes"), "… bytes"),
)


def run_anew(readme: str) -> str:
    """The README with what its commands print now: `make run` in one terminal, everything else in another."""
    sys.path.insert(0, str(ROOT / "tests"))
    from end_to_end.served import serving  # noqa: PLC0415 - the server as a process, as the tests start it

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with serving(data, "--demo") as server:
            surroundings = (
                os.environ
                | _exported(server.said)
                | {
                    "CLEARTOSEND_DATA": str(data),
                    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                }
            )

            def run(command: str) -> str:
                if command == "make run":
                    return f"{recipe('run')}\n{server.said}"
                # As the Makefile has it: `make tour` would first see to the packages, which are there.
                line = recipe("tour") if command == "make tour" else command
                line = line.replace(".venv/bin/", "").replace("examples/", f"{shlex.quote(str(ROOT))}/examples/")
                ended = subprocess.run(  # noqa: S603 - the README's own commands
                    ["bash", "-c", line],  # noqa: S607
                    cwd=folder,
                    env=surroundings,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=60,
                    check=False,
                )
                return ended.stdout

            return _CONSOLE.sub(lambda block: _session_anew(block[0], run), readme)


def recipe(target: str) -> str:
    """What `make` runs for a target, once its packages are there."""
    found = re.search(rf"^{target}:.*\n\t@?(.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert found, f"the Makefile has no target {target}"
    return found[1].replace("$(BIN)", ".venv/bin")


def _session_anew(session: str, run: Callable[[str], str]) -> str:
    """Each `$ command` of the session, with what it prints beneath."""
    commands = [line.removeprefix("$ ") for line in session.splitlines() if line.startswith("$ ")]
    return "\n".join(line for command in commands for line in (f"$ {command}", *_as_shown(run(command)))) + "\n"


def _as_shown(printed: str) -> list[str]:
    for differs, stands_for_it in _DIFFERS:
        printed = differs.sub(stands_for_it, printed)
    lines = printed.rstrip().splitlines()
    # Receipts of one send come in any order, and last.
    receipts = sorted(line for line in lines if line.startswith("to +"))
    return [line for line in lines if line not in receipts] + receipts


def _exported(said: str) -> dict[str, str]:
    """What the server prints for one to paste."""
    return dict(re.findall(r"^export (\w+)=(.*)$", said, re.MULTILINE))


def main(arguments: list[str]) -> None:
    """With `--readme`, run the README's commands too."""
    for page in pages():
        before = page.read_text("utf-8")
        after = made_anew(before)
        if page == README and "--readme" in arguments:
            after = run_anew(after)
        if after != before:
            page.write_text(after, "utf-8")
            print(page.relative_to(ROOT))


if __name__ == "__main__":
    main(sys.argv[1:])
