"""Replies: kept with the message they answer; what they ask for is done, confirmed, and remembered."""

from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.delivery.wishes import OwnWords, own_words, wish_of
from cleartosend.model.consent import OptOutSource, Wish
from cleartosend.model.messages import RecipientOutcome, Reply, SendCall
from cleartosend.model.reasons import Refusal
from cleartosend.model.times import SECONDS_PER_DAY, SECONDS_PER_HOUR
from cleartosend.ports import Engine
from cleartosend.settings import Settings
from cleartosend.store import accounts, callbacks, consent, replies
from cleartosend.store.replies import Answered

# Two machines that answer each other would go on for ever.
MOST_CONFIRMATIONS_A_DAY = 4

BY_REPLY = "reply"

Accept = Callable[[SendCall], Awaitable[list[RecipientOutcome] | Refusal]]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one reply."""

    wish: Wish
    answers: Answered | None
    confirmation: SendCall | None
    """What is to be sent to its number, where something changed and the account confirms that."""


class Replies:
    """Takes replies from carriers for one process."""

    def __init__(self, engine: Engine, *, settings: Settings, accept: Accept) -> None:
        self._engine = engine
        self._within_seconds = float(settings.reply_within_hours * SECONDS_PER_HOUR)
        self._own = own_words(settings.opt_out_words, settings.opt_in_words)
        self._accept = accept
        self.wake: Callable[[], None] = lambda: None
        """Called when a customer's server may have something to be told."""

    async def take(self, reply: Reply) -> None:
        """Keep a reply and do what it asks; once this returns the carrier may forget it."""
        taken = await self._engine.write(lambda tx: take(tx, reply, own=self._own, within_seconds=self._within_seconds))
        telemetry.REPLIES.labels(reply.carrier, taken.wish or "none").inc()
        if taken.answers is not None:
            self.wake()
        if taken.confirmation is not None:
            await self._confirm(taken.confirmation)

    async def _confirm(self, confirmation: SendCall) -> None:
        log = telemetry.log.bind(account=confirmation.account_id, template=confirmation.template_id)
        try:
            answer = await self._accept(confirmation)
        except Exception:  # the reply is kept: its carrier must not bring it again
            log.exception("confirmation.failed")
            return
        refusal = answer if isinstance(answer, Refusal) else answer[0].refusal
        if refusal is not None:
            log.warning("confirmation.refused", reason=refusal.reason)


def take(tx: Connection, reply: Reply, *, own: OwnWords, within_seconds: float) -> Taken:
    """
    Store a reply under the message it answers, and do what it asks.

    What comes later than `within_seconds` after that message answers nothing and belongs to nobody, unless it asks to
    be left alone: that counts however late it comes.
    """
    wish = wish_of(reply.text, own)
    answers = replies.answered_by(tx, reply)
    if answers is not None and wish is Wish.NONE and reply.at > answers.sent_at + within_seconds:
        answers = None
    reply_id = replies.keep(tx, reply, answers=answers, wish=wish)
    if answers is None:
        return Taken(wish=wish, answers=None, confirmation=None)
    callbacks.tell_of_reply(
        tx, account_id=answers.account_id, message_id=answers.message_id, reply_id=reply_id, at=reply.at
    )
    changed = do(tx, wish, answers, number=reply.number, by=BY_REPLY, because=f"reply {reply_id}", now=reply.at)
    confirmation = _confirmation(tx, wish, reply, reply_id, answers) if changed else None
    return Taken(wish=wish, answers=answers, confirmation=confirmation)


def do(tx: Connection, wish: Wish, answers: Answered, *, number: str, by: str, because: str, now: float) -> bool:
    """Opt the number out or in of what the message that it answers was; False: that changes nothing."""
    if wish is Wish.OPT_OUT:
        return consent.opt_out(
            tx,
            account_id=answers.account_id,
            number=number,
            signature=answers.signature,
            type_=answers.type,
            by=by,
            because=because,
            now=now,
        )
    if wish is Wish.OPT_IN:
        return bool(
            consent.opt_in(
                tx,
                account_id=answers.account_id,
                number=number,
                signature=answers.signature,
                by=by,
                because=because,
                now=now,
            )
        )
    return False


def _confirmation(tx: Connection, wish: Wish, reply: Reply, reply_id: int, answers: Answered) -> SendCall | None:
    account = accounts.find(tx, answers.account_id)
    if account is None:
        return None
    settings = account.settings
    template_id = settings.opt_out_confirmation if wish is Wish.OPT_OUT else settings.opt_in_confirmation
    if not template_id:
        return None
    # Somebody on the do-not-disturb list hears nothing, not even this.
    by = consent.held(tx, [(account.id, reply.number)]).back(account.id, reply.number, answers.signature, answers.type)
    changes = consent.count_changes(tx, account_id=account.id, number=reply.number, since=reply.at - SECONDS_PER_DAY)
    if by is OptOutSource.LIST or changes > MOST_CONFIRMATIONS_A_DAY:
        return None
    return SendCall(
        account_id=account.id,
        secret_id="",
        sdk_app_id=answers.sdk_app_id,
        template_id=template_id,
        signature=answers.signature,
        numbers=(reply.number,),
        key=f"confirm:{reply_id}",
        confirms=True,
    )
