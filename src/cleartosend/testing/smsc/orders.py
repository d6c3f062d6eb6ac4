"""What the SMSC for testing is told in words while it runs, by a person or by a scenario."""

import asyncio
import shlex
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cleartosend.testing.smsc.behaviour import DIALECT, Behaviour, Unfit
from cleartosend.testing.smsc.server import EVERYBODY, SMSC

_MESSAGES_SHOWN = 10
Words = list[str]


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order that is given some time after the start."""

    at: float
    """Seconds after the start."""
    order: str


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an SMSC behaves from the start, for whom otherwise, and what it is told in time."""

    behaviour: dict[str, Any] = {}
    rules: tuple[dict[str, Any], ...] = ()
    steps: tuple[Step, ...] = ()


def read_scenario(path: Path) -> Scenario:
    """Raises Unfit."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scenario)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise Unfit(f"{path}: {error}") from error


async def play(smsc: SMSC, steps: tuple[Step, ...], *, tell: Callable[[str], None]) -> None:
    """Give the orders when their time has come."""
    started_at = asyncio.get_running_loop().time()
    for step in sorted(steps, key=lambda step: step.at):
        await asyncio.sleep(step.at - (asyncio.get_running_loop().time() - started_at))
        try:
            said = await obey(smsc, step.order)
        except Unfit as error:
            said = f"no: {error}"
        tell(f"{step.order}: {said}")


async def obey(smsc: SMSC, order: str) -> str:
    """
    Do what a line of words says; what there is to be said of it. Raises Unfit.

    An order is one of ORDERS, or an item of Behaviour and its value: `answer_after 0.1-0.5s`.
    """
    try:
        words = shlex.split(order)
    except ValueError as error:
        raise Unfit(str(error)) from error
    if not words:
        return ""
    name, *rest = words
    if name in ORDERS:
        try:
            return await ORDERS[name](smsc, rest)
        except Unfit:
            raise
        except ValueError as error:
            raise Unfit(f"it is {_help_on(name)}") from error
    if name == DIALECT or name in Behaviour.__struct_fields__:
        smsc.behave(**{name: " ".join(rest)})
        return "done"
    raise Unfit(f"there is no order {name}; help lists them")


def add_rule(smsc: SMSC, fields: Mapping[str, object]) -> None:
    """A rule of a scenario, or of an order: for whom, and what is changed."""
    changes = dict(fields)
    try:
        session, times = int(str(changes.pop("session", 0))), int(str(changes.pop("times", 0)))
    except ValueError as error:
        raise Unfit(f"session and times are numbers: {error}") from error
    to, system_id = (str(changes.pop(name, EVERYBODY)) for name in ("to", "system_id"))
    smsc.rule(to=to, system_id=system_id, session=session, times=times, **changes)


def pair(text: str) -> tuple[str, str]:
    """Split `name=value`."""
    name, is_one, value = text.partition("=")
    if not is_one:
        raise Unfit(f"{text} is not of the form name=value")
    return name, value


async def _throttle(smsc: SMSC, words: Words) -> str:
    """`throttle 50%` of the messages, or what is above `throttle 100/s`; `throttle 0` ends it."""
    [amount] = words
    if amount.endswith("/s"):
        smsc.behave(throttle_above=amount.removesuffix("/s"))
    elif amount in {"0", "0%"}:
        smsc.behave(throttle_above=0, refuse="")
    else:
        smsc.behave(refuse={"ESME_RTHROTTLED": amount})
    return "done"


async def _rule(smsc: SMSC, words: Words) -> str:
    """`rule to=*99001 refuse=ESME_RINVDSTADR`: behave in another way for some; also system_id=, session=, times=."""
    add_rule(smsc, dict(map(pair, words)))
    return "done"


async def _calm(smsc: SMSC, _words: Words) -> str:
    """`calm`: behave as at the start, and without rules."""
    smsc.calm()
    return "done"


async def _cut(smsc: SMSC, words: Words) -> str:
    """`cut [SYSTEM_ID]`: close lines without a word."""
    return _on_lines(smsc.cut, words)


async def _hang(smsc: SMSC, words: Words) -> str:
    """`hang [SYSTEM_ID]`: keep lines, and neither read nor write."""
    return _on_lines(smsc.hang, words)


async def _resume(smsc: SMSC, words: Words) -> str:
    """`resume [SYSTEM_ID]`: let lines that hang go on."""
    return _on_lines(smsc.resume, words)


async def _unbind(smsc: SMSC, words: Words) -> str:
    """`unbind [SYSTEM_ID]`: ask clients to go."""
    return _on_lines(smsc.unbind, words)


async def _enquire(smsc: SMSC, words: Words) -> str:
    """`enquire [SYSTEM_ID]`: ask clients whether they are there."""
    return _on_lines(smsc.enquire, words)


async def _restart(smsc: SMSC, words: Words) -> str:
    """`restart [forget] [SECONDS]`: close everything, be away so long, come back, with or without what waited."""
    forget = words[:1] == ["forget"]
    [seconds] = words[forget:] or ["0"]
    try:
        await smsc.restart(forget=forget, away_seconds=float(seconds))
    except OSError as error:
        raise Unfit(f"it cannot listen again: {error}") from error
    return "done"


async def _reply(smsc: SMSC, words: Words) -> str:
    """`reply NUMBER TO TEXT`: a recipient writes."""
    number, to, *text = words
    smsc.reply(" ".join(text), number=number, to=to)
    return "done"


async def _sessions(smsc: SMSC, _words: Words) -> str:
    """`sessions`: who is bound."""
    return "\n".join(smsc.bound) or "nobody is bound"


async def _counts(smsc: SMSC, _words: Words) -> str:
    """`counts`: what has happened how often, as JSON."""
    return msgspec.json.encode(dict(smsc.counts) | {"outstanding": smsc.outstanding}, order="sorted").decode()


async def _messages(smsc: SMSC, words: Words) -> str:
    """`messages [N]`: the last messages with numbers and texts, as a JSON value a line."""
    [count] = words or [str(_MESSAGES_SHOWN)]
    lines = [
        {
            "number": taken.number,
            "from": taken.message.source_addr,
            "text": taken.text,
            "part": taken.part,
            "id": taken.carrier_id,
            "system_id": taken.system_id,
        }
        for taken in list(smsc.messages)[-int(count) :]
    ]
    return "\n".join(msgspec.json.encode(line).decode() for line in lines) or "none is remembered"


async def _clear(smsc: SMSC, _words: Words) -> str:
    """`clear`: forget the messages and the counts."""
    smsc.clear()
    return "done"


async def _help(_smsc: SMSC, _words: Words) -> str:
    """`help`: this list. Every item of behaviour is an order as well: `answer_after 0.1-0.5s`, `dialect hex-answer`."""
    return "\n".join(map(_help_on, ORDERS))


def _help_on(name: str) -> str:
    return (ORDERS[name].__doc__ or "").replace("`", "")


def _on_lines(deed: Callable[[str], None], words: Words) -> str:
    [system_id] = words or [EVERYBODY]
    deed(system_id)
    return "done"


ORDERS: dict[str, Callable[[SMSC, Words], Awaitable[str]]] = {
    "throttle": _throttle,
    "rule": _rule,
    "calm": _calm,
    "cut": _cut,
    "hang": _hang,
    "resume": _resume,
    "unbind": _unbind,
    "enquire": _enquire,
    "restart": _restart,
    "reply": _reply,
    "sessions": _sessions,
    "counts": _counts,
    "messages": _messages,
    "clear": _clear,
    "help": _help,
}
"""Each by its name; its docstring is what help says of it."""
