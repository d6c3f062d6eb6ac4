"""How often an account may call each action: the published rates, or its own, each with a second's worth at once."""

import time
from collections.abc import Callable

from cleartosend.model.accounts import Account
from cleartosend.model.reasons import Reason, Refusal

PER_SECOND = {
    "SendSms": 3000,
    # Nothing is published for the next, which sends as SendSms does.
    "SendMultiGlobalSms": 3000,
    "DescribePhoneNumberInfo": 1000,
    "ReportConversion": 1000,
    "PullSmsSendStatus": 100,
    "PullSmsReplyStatus": 100,
    "PullSmsSendStatusByPhoneNumber": 20,
    "PullSmsReplyStatusByPhoneNumber": 20,
    # Nor for this one, which asks by a number as those above do.
    "DescribeSendRecordList": 20,
    "DescribeSmsSignList": 20,
    "DescribeSmsTemplateList": 20,
    "ModifySmsTemplate": 20,
    "SendStatusStatistics": 10,
    "CallbackStatusStatistics": 10,
    "SmsPackagesStatistics": 10,
    "AddSmsTemplate": 2,
    "AddSmsSign": 1,
    "ModifySmsSign": 1,
    "DeleteSmsSign": 1,
    "DeleteSmsTemplate": 1,
}
"""Calls a second of one account, whichever version of the action it calls."""


class Rates:
    """
    Counts the calls of one process.

    A bucket of tokens for each account and action fills evenly up to one second's worth; a call takes one.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._buckets: dict[tuple[int, str], tuple[float, float]] = {}

    def take(self, account: Account, action: str) -> Refusal | None:
        """Let one call through, or say what the rate is."""
        per_second = account.settings.requests_per_second.get(action, PER_SECOND[action])
        now = self._monotonic()
        tokens, since = self._buckets.get((account.id, action), (float(per_second), now))
        tokens = min(float(per_second), tokens + (now - since) * per_second)
        if tokens < 1.0:
            return Refusal(Reason.CALLED_TOO_OFTEN, f"{action}, {per_second} a second")
        self._buckets[account.id, action] = (tokens - 1.0, now)
        return None
