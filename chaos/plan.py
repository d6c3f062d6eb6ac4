"""What a seed does: how the server is set up, what is asked of it, and what goes wrong when."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from cleartosend.model.carriers import Route
from cleartosend.model.verdicts import MessageType

DEFAULT_SECONDS = 3.5
"""For how long calls come in, and things go wrong."""
POSTGRES_EACH = 4
"""Every so manieth seed is on PostgreSQL."""
CLOCK_EACH = 5
"""In every so manieth seed the server's clock is set, now forwards, now backwards."""
EARLIEST = 0.4
"""Seconds until something may go wrong, so that there is something to spoil."""

# The dialects of the SMSC, and the profiles that read them; `usual` is the one that operators begin with.
PROFILES: Mapping[str, Sequence[str]] = {
    "usual": ("usual",),
    "hex-answer": ("usual", "hex-in-answer"),
    "hex-receipt": ("usual", "decimal-in-answer"),
    "upper-and-lower": ("usual",),
    "zeros": ("usual",),
    "no-text": ("usual",),
    "other-order": ("usual",),
    "capitals": ("usual",),
    "seconds": ("usual",),
    "century": ("usual",),
    "tlv": ("usual", "tlvs-only"),
    "text-and-tlv": ("usual", "tlvs-only"),
    "payload": ("usual",),
    "data-sm": ("usual",),
    "no-bit": ("usual",),
}


class CarrierPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One carrier: how it is configured, and what its SMSC is like when nothing is wrong with it."""

    name: str
    profile: str
    bind: str
    sessions: int
    window: int
    session_window: int
    per_second: int
    behaviour: Mapping[str, Any]
    ids_reused_after: int


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """Something that goes wrong, and for how long."""

    at: float
    kind: str
    carrier: str = ""
    seconds: float = 0.0
    changes: Mapping[str, object] = {}
    """Of the SMSC's behaviour."""
    amount: float = 0.0
    """By how many seconds the clock is set."""
    forget: bool = False

    def __str__(self) -> str:
        said = [f"{self.kind} at {self.at:.1f}"]
        said += [self.carrier] if self.carrier else []
        said += [f"for {self.seconds:.1f}"] if self.seconds else []
        said += [f"by {self.amount:+.0f}"] if self.amount else []
        said += ["forgetting"] if self.forget else []
        said += [" ".join(f"{name} {value}" for name, value in self.changes.items())] if self.changes else []
        return " ".join(said)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a seed decides."""

    seed: int
    seconds: float
    postgres: bool
    moves_clock: bool
    carriers: Sequence[CarrierPlan]
    routes: Sequence[Route]
    callers: int
    opt_outs: int
    """How many recipients ask, meanwhile, to be left alone."""
    submit_within_seconds: float
    faults: Sequence[Fault]


def plan_of(seed: int, *, seconds: float = DEFAULT_SECONDS) -> Plan:
    """
    Draw it all: the same of the same seed.

    >>> plan_of(7) == plan_of(7), plan_of(8).postgres
    (True, True)
    """
    dice = random.Random(seed)
    carriers = [_carrier(name, dice) for name in ("first", "second")[: dice.choice((1, 2, 2))]]
    postgres = seed % POSTGRES_EACH == 0
    moves_clock = seed % CLOCK_EACH == 0
    return Plan(
        seed=seed,
        seconds=seconds,
        postgres=postgres,
        moves_clock=moves_clock,
        carriers=carriers,
        routes=_routes([carrier.name for carrier in carriers], dice),
        callers=dice.randint(3, 6),
        opt_outs=dice.randint(3, 12),
        submit_within_seconds=dice.choice((3600.0, 3600.0, 4.0)),
        faults=_faults(carriers, dice, seconds=seconds, postgres=postgres, moves_clock=moves_clock),
    )


def _carrier(name: str, dice: random.Random) -> CarrierPlan:
    dialect = dice.choice(list(PROFILES))
    window = dice.choice((10, 20, 100, 300))
    behaviour = {
        "dialect": dialect,
        "receipts_after": dice.choice(("50ms", "0-600ms", "300-900ms")),
        "outcome": "DELIVRD 90%, UNDELIV/011 5%, EXPIRED/027 3%, REJECTD/099 2%",
        "receipts_early": dice.choice(("0", "0", "20%")),
        "receipts_twice": dice.choice(("0", "10%")),
        "receipts_unknown": dice.choice(("0", "3%")),
        "intermediate": dice.choice(("", "", "ENROUTE", "ACCEPTD")),
        "answer_after": dice.choice(("0", "0", "5-60ms")),
    }
    return CarrierPlan(
        name=name,
        profile=dice.choice(PROFILES[dialect]),
        bind=dice.choice(("transceiver", "transceiver", "separate")),
        sessions=dice.choice((1, 1, 2, 3)),
        window=window,
        session_window=dice.choice((2, 10, 50)),
        per_second=dice.choice((0, 0, 0, 400)),
        behaviour=behaviour,
        ids_reused_after=dice.choice((0, 0, 0, 1500)),
    )


def _routes(names: Sequence[str], dice: random.Random) -> list[Route]:
    """None, one of shares, one with a carrier that stands by, or one for codes and one for the rest."""
    if len(names) == 1:
        return []
    first, second = names
    return dice.choice(
        [
            [],
            [Route(name="all", carriers={first: 3, second: 1})],
            [Route(name="all", carriers={first: 1, second: 0})],
            [
                Route(name="codes", types=(MessageType.VERIFICATION,), carriers={first: 1, second: 1}),
                Route(name="rest", carriers={second: 1}),
            ],
        ]
    )


def _faults(
    carriers: Sequence[CarrierPlan], dice: random.Random, *, seconds: float, postgres: bool, moves_clock: bool
) -> list[Fault]:
    """One thing for about each second, in which the server dies at least once."""
    kinds: list[Callable[[float], Fault]] = []

    def carrier() -> str:
        return dice.choice(carriers).name

    def misbehave(at: float) -> Fault:
        changes = dice.choice(_MISBEHAVIOURS)
        return Fault(at=at, kind="misbehave", carrier=carrier(), seconds=dice.uniform(0.5, 2), changes=changes)

    kinds += 4 * [misbehave]
    kinds += 2 * [lambda at: Fault(at=at, kind="kill", seconds=dice.choice((0.0, 0.0, 0.7)))]
    kinds += [
        lambda at: Fault(at=at, kind="stop"),
        lambda at: Fault(at=at, kind="freeze", seconds=dice.uniform(0.2, 1.5)),
        lambda at: Fault(at=at, kind="cut", carrier=carrier()),
        lambda at: Fault(at=at, kind="hang", carrier=carrier(), seconds=dice.uniform(0.2, 3.0)),
        lambda at: Fault(at=at, kind="unbind", carrier=carrier()),
        lambda at: Fault(
            at=at, kind="restart", carrier=carrier(), seconds=dice.uniform(0, 1.5), forget=dice.random() < 0.5
        ),
    ]
    if postgres:
        kinds += 2 * [lambda at: Fault(at=at, kind="cut database")]
    else:
        kinds += 2 * [lambda at: Fault(at=at, kind="fill disk", seconds=dice.uniform(0.3, 1.5))]

    def moment() -> float:
        return round(dice.uniform(min(EARLIEST, seconds / 4), seconds), 2)

    faults = [dice.choice(kinds)(moment()) for _ in range(max(1, round(seconds * dice.uniform(0.7, 1.5))))]
    faults.append(Fault(at=moment(), kind="kill"))
    if moves_clock:
        for _ in range(dice.randint(1, 3)):
            amount = dice.choice((-7200.0, -1800.0, -2.0, 2.0, 90.0, 1800.0, 7200.0))
            faults.append(Fault(at=moment(), kind="set clock", amount=amount))
    return sorted(faults, key=lambda fault: fault.at)


_MISBEHAVIOURS: Sequence[Mapping[str, object]] = (
    {"refuse": "ESME_RTHROTTLED 50%"},
    {"throttle_above": 50},
    {"refuse": "ESME_RMSGQFUL 100%"},
    {"refuse": "ESME_RSYSERR 30%"},
    {"refuse": "ESME_RINVDSTADR 10%, 0x401 10%"},
    {"answer_after": "0.1-0.6s"},
    {"answer_after": "0.8-2.5s"},
    {"never": "5%"},
    {"never": "100%"},
    {"twice": "30%"},
    {"garbage": "5%"},
    {"broken": "1%"},
    {"cut_before_answer": "2%"},
    {"cut_before_taking": "2%"},
    {"cut_amid_answer": "2%"},
    {"cut_after_messages": 30},
    {"hang_before_answer": "1%"},
    {"ignore_links": "100%"},
    {"bind": "ESME_RBINDFAIL 50%"},
    {"bind_after": "0.2-1.5s"},
    {"receipts_early": "100%"},
    {"receipts_twice": "100%"},
    {"receipts_unknown": "50%"},
    {"receipts_lost": "20%"},
    {"receipts_after": "0-3s"},
    {"receipts": "none"},
)
