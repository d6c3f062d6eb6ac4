"""What the SMSC for testing does with binds, messages and receipts: one vocabulary for programs, files and commands."""

import random
import re
from collections.abc import Callable, Mapping
from typing import NewType, get_type_hints

import msgspec

from cleartosend.carriers.smpp.pdu import Status

Share = NewType("Share", float)
"""How often, from 0 to 1; `50%` in words."""


class Unfit(ValueError):
    """A word or a value that the SMSC does not know."""


class Span(msgspec.Struct, frozen=True):
    """So many seconds, or any time between two bounds."""

    least: float = 0.0
    most: float = 0.0

    def draw(self, dice: random.Random) -> float:
        return self.least + (self.most - self.least) * dice.random()


class Choice(msgspec.Struct, frozen=True):
    """Words, each with its share; what is left of 1 is none of them."""

    words: tuple[tuple[str, float], ...] = ()

    def draw(self, dice: random.Random) -> str:
        at = dice.random()
        for word, share in self.words:
            at -= share
            if at < 0:
                return word
        return ""


class Statuses(Choice, frozen=True):
    """A choice of command_status, by the standard's names or as numbers."""


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """All that can be set of what it does. As it stands, it is a fair SMSC: it takes everything and reports on it."""

    bind: Statuses = Statuses()
    """Statuses that binds are refused with."""
    bind_after: Span = Span()
    """Seconds until a bind is answered."""
    ignore_links: Share = Share(0.0)
    """Share of enquire_links left unanswered."""

    refuse: Statuses = Statuses()
    """Statuses that messages are refused with; what is left is taken."""
    throttle_above: int = 0
    """Messages a second, all sessions of a system_id together, beyond which the answer is ESME_RTHROTTLED; 0: none."""
    answer_after: Span = Span()
    """Seconds until a message is answered. With two bounds, answers overtake one another."""
    never: Share = Share(0.0)
    """Share of messages taken and never answered."""
    twice: Share = Share(0.0)
    """Share of messages answered twice."""
    garbage: Share = Share(0.0)
    """Share of messages answered with a whole PDU that is no answer to them."""
    broken: Share = Share(0.0)
    """Share of messages answered with bytes that are no PDU."""

    cut_before_answer: Share = Share(0.0)
    """Share of messages that are taken, and then the line is closed before the answer."""
    cut_before_taking: Share = Share(0.0)
    """Share of messages at which the line is closed, and the message is not taken."""
    cut_amid_answer: Share = Share(0.0)
    """Share of messages that are taken, and then the line is closed amid the answer."""
    cut_after_messages: int = 0
    """The line is closed once a session has sent so many messages; 0: never."""
    hang_before_answer: Share = Share(0.0)
    """Share of messages that are taken, and from then on the session neither reads nor writes, and stays open."""
    hang_after_messages: int = 0
    """The session hangs so once it has sent so many messages; 0: never."""

    outcome: Choice = Choice()
    """What receipts say, with an error code behind a slash: `DELIVRD 90%, UNDELIV/011 10%`. The rest is DELIVRD."""
    receipts: str = "asked"
    """Who gets receipts: who `asked` for them in registered_delivery, `all`, or `none`."""
    receipts_after: Span = Span()
    """Seconds from a message to its receipt. With two bounds, receipts overtake one another."""
    receipts_early: Share = Share(0.0)
    """Share of receipts that come before the answer to the message."""
    receipts_lost: Share = Share(0.0)
    """Share of receipts that never come."""
    receipts_twice: Share = Share(0.0)
    """Share of receipts that come twice."""
    receipts_unknown: Share = Share(0.0)
    """Share of receipts that are followed by one for an id that nobody was given."""
    receipts_of: str = "each"
    """Which part of a long message gets a receipt: `each`, the `first` or the `last`."""
    intermediate: str = ""
    """What a receipt before the last one says: `ENROUTE` or `ACCEPTD`. Empty: there is none."""
    reply_text: str = ""
    """What the recipient answers once it is delivered."""

    id_in_answer: str = "{id}"
    """How the message's number is written in the answer, in Python's format: `{id:x}`, `{id:010d}`."""
    id_in_receipt: str = "{id}"
    """How it is written in the receipt."""
    receipt_text: str = (
        "id:{id} sub:001 dlvrd:{dlvrd} submit date:{submitted} done date:{done} stat:{stat} err:{err} text:{text}"
    )
    """The receipt itself, as in SMPP 3.4, appendix B. Empty: it has TLVs only."""
    dates: str = "%y%m%d%H%M"
    """How its dates are written, in UTC."""
    receipt_tlvs: bool = False
    """Whether it has receipted_message_id, message_state and network_error_code."""
    receipt_esm_class: int = 0x04
    """Its esm_class; 0 for a carrier that forgets to say that it is a receipt."""
    receipt_in: str = "short_message"
    """Where its text stands: in `short_message`, in `message_payload`, or in a `data_sm`."""


DIALECTS: dict[str, dict[str, object]] = {
    "usual": {},
    "hex-answer": {"id_in_answer": "{id:x}", "id_in_receipt": "{id}"},
    "hex-receipt": {"id_in_answer": "{id}", "id_in_receipt": "{id:X}"},
    "upper-and-lower": {"id_in_answer": "{id:X}", "id_in_receipt": "{id:x}"},
    "zeros": {"id_in_answer": "{id}", "id_in_receipt": "{id:020d}"},
    "no-text": {
        "receipt_text": "id:{id} sub:001 dlvrd:{dlvrd} submit date:{submitted} done date:{done} stat:{stat} err:{err}"
    },
    "other-order": {"receipt_text": "stat:{stat} err:{err} id:{id} done date:{done} submit date:{submitted}"},
    "capitals": {
        "receipt_text": "ID:{id} SUB:001 DLVRD:{dlvrd} SUBMIT DATE:{submitted} DONE DATE:{done} STAT:{stat} ERR:{err}"
        " TEXT:{text}"
    },
    "seconds": {"dates": "%y%m%d%H%M%S"},
    "century": {"dates": "%Y%m%d%H%M%S"},
    "tlv": {"receipt_text": "", "receipt_tlvs": True},
    "text-and-tlv": {"receipt_tlvs": True},
    "payload": {"receipt_in": "message_payload"},
    "data-sm": {"receipt_in": "data_sm", "receipt_tlvs": True},
    "no-bit": {"receipt_esm_class": 0},
}
"""Ways in which SMSCs write ids and receipts, by a name of ours."""

DIALECT = "dialect"
"""What stands for all that a dialect sets."""

_ALLOWED = {
    "receipts": ("asked", "all", "none"),
    "receipts_of": ("each", "first", "last"),
    "receipt_in": ("short_message", "message_payload", "data_sm"),
}
# What stands in braces, and what it is like.
_ID: dict[str, object] = {"id": 1}
_FILLED_IN: dict[str, dict[str, object]] = {
    "id_in_answer": _ID,
    "id_in_receipt": _ID,
    "receipt_text": dict.fromkeys(("id", "dlvrd", "submitted", "done", "stat", "err", "text"), ""),
}


def changed(behaviour: Behaviour, changes: Mapping[str, object]) -> Behaviour:
    """
    The behaviour with some of it set anew, by values or by words.

    >>> changed(Behaviour(), {"refuse": "ESME_RTHROTTLED 50%", "answer_after": "20-100ms"}).answer_after
    Span(least=0.02, most=0.1)
    """
    fields: dict[str, object] = {}
    for name, value in changes.items():
        if name == DIALECT:
            fields |= _dialect(value)
        elif name not in _KINDS:
            raise Unfit(f"there is no {name}")
        else:
            fields[name] = _READERS[_KINDS[name]](name, value)
    return msgspec.structs.replace(behaviour, **fields)


def status_of(word: str) -> int:
    """
    The number of a command_status.

    >>> status_of("ESME_RTHROTTLED"), status_of("0x401")
    (88, 1025)
    """
    if word in Status.__members__:
        return int(Status[word])
    try:
        return int(word, 0)
    except ValueError:
        raise Unfit(f"{word} is no command_status: neither a name of SMPP 3.4 nor a number") from None


def _dialect(value: object) -> dict[str, object]:
    """All that a dialect sets, so that nothing of another one is left."""
    if value not in DIALECTS:
        raise Unfit(f"there is no dialect {value}, but {', '.join(DIALECTS)}")
    names = {name for dialect in DIALECTS.values() for name in dialect}
    usual = {name: getattr(Behaviour(), name) for name in names}
    return usual | DIALECTS[str(value)]


def _read_share(name: str, value: object) -> Share:
    share = _number_or_percent(name, value)
    if not 0 <= share <= 1:
        raise Unfit(f"{name}: {value} is not from 0 to 1, nor from 0% to 100%")
    return Share(share)


def _number_or_percent(name: str, value: object) -> float:
    text = str(value).strip()
    try:
        return float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise Unfit(f"{name}: {value} is no share: write 0.5 or 50%") from None


_SPAN = re.compile(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?(ms|s|)")


def _read_span(name: str, value: object) -> Span:
    if isinstance(value, Span):
        return value
    found = _SPAN.fullmatch(str(value).strip())
    if found is None:
        raise Unfit(f"{name}: {value} is no time: write 0.5, 500ms, or 0.1-0.5s")
    unit = 0.001 if found[3] == "ms" else 1.0
    least = float(found[1]) * unit
    most = float(found[2] or found[1]) * unit
    if most < least:
        raise Unfit(f"{name}: {value} ends before it begins")
    return Span(least, most)


def _read_choice(name: str, value: object) -> Choice:
    if isinstance(value, Choice):
        return value
    if isinstance(value, Mapping):
        pairs = [(str(word), _read_share(name, share)) for word, share in value.items()]
    else:
        pairs = []
        for one in filter(None, (one.split() for one in str(value).split(","))):
            if len(one) > 2:
                raise Unfit(f"{name}: {' '.join(one)} is not a word and its share")
            pairs.append((one[0], _read_share(name, one[1] if len(one) == 2 else 1)))
    if sum(share for _word, share in pairs) > 1 + 1e-9:
        raise Unfit(f"{name}: the shares come to more than 100%")
    return Choice(tuple((word, float(share)) for word, share in pairs))


def _read_statuses(name: str, value: object) -> Statuses:
    # A Status writes itself by its number.
    choice = _read_choice(name, value)
    return Statuses(tuple((str(status_of(word)), share) for word, share in choice.words))


def _read_count(name: str, value: object) -> int:
    try:
        return int(str(value), 0)
    except ValueError:
        raise Unfit(f"{name}: {value} is no number") from None


def _read_flag(name: str, value: object) -> bool:
    flag = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}.get(str(value).lower())
    if flag is None:
        raise Unfit(f"{name}: {value} is neither yes nor no")
    return flag


def _read_word(name: str, value: object) -> str:
    word = str(value)
    if name in _ALLOWED and word not in _ALLOWED[name]:
        raise Unfit(f"{name}: {word} is none of {', '.join(_ALLOWED[name])}")
    if name in _FILLED_IN:
        try:
            word.format(**_FILLED_IN[name])
        except (LookupError, ValueError, AttributeError) as error:
            raise Unfit(f"{name}: {word} cannot be filled in: {error!r}") from error
    return word


_KINDS = get_type_hints(Behaviour)
_READERS: dict[object, Callable[[str, object], object]] = {
    Share: _read_share,
    Span: _read_span,
    Choice: _read_choice,
    Statuses: _read_statuses,
    int: _read_count,
    bool: _read_flag,
    str: _read_word,
}
