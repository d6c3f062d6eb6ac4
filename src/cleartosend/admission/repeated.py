"""A call that has a key is answered once: the same call made again is answered as the first was."""

import hashlib
from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from cleartosend.model.accounts import App
from cleartosend.model.messages import RecipientOutcome, SendCall
from cleartosend.model.reasons import Reason, Refusal
from cleartosend.store import answered_calls
from cleartosend.store.answered_calls import Answered, Key

_outcomes = msgspec.json.Decoder(list[RecipientOutcome])


class Name(msgspec.Struct, frozen=True):
    """What tells a call from all others, and whether another of the same key is the same call."""

    key: Key
    fingerprint: str


def name_of(call: SendCall, app: App | None) -> Name | None:
    """
    The name of a call; None: it has none.

    A key that the caller gave, one of the platform's own and a SessionContext that serves as one are different, and so
    are those of two apps.
    """
    if call.key:
        key = f"{call.sdk_app_id}:{'own' if call.confirms else 'key'}:{_digest(call.key)}"
    elif call.session_context and app is not None and app.settings.session_context_is_key:
        key = f"{call.sdk_app_id}:session:{_digest(call.session_context)}"
    else:
        return None
    # Who signed it, and when, is no part of what a call asks for.
    asked = (
        call.template_id,
        call.signature,
        call.numbers,
        call.values,
        call.session_context,
        call.extension_code,
        call.sender_id,
    )
    return Name((call.account_id, key), _digest(repr(asked)))


def claim(tx: Connection, names: Sequence[Name], *, now: float) -> dict[Key, Answered]:
    """
    Take the keys of these calls; returns what those already taken were answered.

    The others must be answered, by `keep`, in this transaction.
    """
    firsts: dict[Key, str] = {}
    for name in names:
        firsts.setdefault(name.key, name.fingerprint)
    claimed = answered_calls.claim(tx, firsts, now=now)
    return answered_calls.find(tx, [key for key in firsts if key not in claimed])


def keep(tx: Connection, answers: Mapping[Name, Sequence[RecipientOutcome]]) -> dict[Key, Answered]:
    """Keep what calls were answered, for when they are made again."""
    kept = {
        name.key: Answered(name.fingerprint, msgspec.json.encode(outcomes).decode())
        for name, outcomes in answers.items()
    }
    answered_calls.answer(tx, {key: answered.answer for key, answered in kept.items()})
    return kept


def find(tx: Connection, name: Name) -> list[RecipientOutcome] | Refusal | None:
    """The answer to a call that was made before; None: it was not."""
    answered = answered_calls.find(tx, [name.key]).get(name.key)
    return None if answered is None else answer_again(name, answered)


def answer_again(name: Name, answered: Answered) -> list[RecipientOutcome] | Refusal:
    """What the first call with this key was answered, unless that was another call."""
    if name.fingerprint != answered.fingerprint:
        return Refusal(Reason.KEY_USED_FOR_ANOTHER_CALL)
    return _outcomes.decode(answered.answer)


def _digest(written: str) -> str:
    # A caller's words may be of any length and hold what a database would not take.
    return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
