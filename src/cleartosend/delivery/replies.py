"""Replies: kept with whom they answer; the words of an opt-out are acted on."""

import re

from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.model.messages import Reply
from cleartosend.ports import Engine
from cleartosend.store import members, messages, receipts

# The reference's own words, older ones among them, and what people answer abroad.
OPT_OUT_WORDS = frozenset(
    {"r", "t", "n", "td", "qx", "0000", "退订", "t退订", "td退订", "回t退订", "拒收", "取消", "stop", "unsubscribe"}
)
_NOT_A_WORD = re.compile(r"[\s\W_]+")


class Replies:
    """Takes replies from carriers for one process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def take(self, reply: Reply) -> None:
        """Keep a reply and do what it asks; once this returns the carrier may forget it."""
        await self._engine.write(lambda tx: take(tx, reply))
        telemetry.REPLIES.labels(reply.carrier).inc()


def take(tx: Connection, reply: Reply) -> None:
    """Store a reply under the newest message to its sender, and take the sender off where it asks for that."""
    message = messages.last_to(tx, reply.number)
    if message is None:
        receipts.keep_reply(tx, reply, account_id=None, sdk_app_id=None, signature=None)
        return
    receipts.keep_reply(
        tx, reply, account_id=message.account_id, sdk_app_id=message.sdk_app_id, signature=message.signature
    )
    if asks_to_stop(reply.text):
        members.opt_out(
            tx,
            account_id=message.account_id,
            number=reply.number,
            signature=message.signature,
            type=message.type,
            now=reply.at,
        )


def asks_to_stop(text: str) -> bool:
    """
    Whether a reply is nothing but a word of opting out.

    >>> asks_to_stop(" td。"), asks_to_stop("Stop!"), asks_to_stop("R u there")
    (True, True, False)
    """
    return _NOT_A_WORD.sub("", text).casefold() in OPT_OUT_WORDS
