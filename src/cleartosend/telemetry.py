"""What the service tells its operator: metrics for Prometheus and structured logs, never a text or a whole number."""

import contextlib
import logging
import sys
from collections.abc import Iterable, Sequence

import structlog
from prometheus_client import Counter, Gauge, Histogram

from cleartosend.model.messages import Ending, Receipt, accepted_at

# Fine where an API answers (milliseconds), coarse where telephones do (minutes).
_API_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
_DELIVERY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)

REQUESTS = Counter("cleartosend_requests_total", "Calls answered, by action and code.", ["action", "code"])
REQUEST_SECONDS = Histogram(
    "cleartosend_request_seconds", "From a call's last byte to its answer.", ["action"], buckets=_API_BUCKETS
)
ACCEPTED = Counter("cleartosend_messages_accepted_total", "Messages on disk and promised.")
REFUSED = Counter("cleartosend_messages_refused_total", "Messages and calls refused, by reason.", ["reason"])
REPEATED_CALLS = Counter("cleartosend_calls_repeated_total", "Calls with a key that were answered as before.")
DAILY_WARNINGS = Counter("cleartosend_daily_warnings_total", "Daily warnings of apps that were crossed.")
SUBMITTED = Counter("cleartosend_messages_submitted_total", "Messages that a carrier took.", ["carrier"])
NOT_SUBMITTED = Counter(
    "cleartosend_messages_not_submitted_total",
    "Messages that a carrier did not take, by its code; with NOANSWER none came, and nobody knows whether it took it.",
    ["carrier", "code"],
)
CARRIER_SESSIONS = Gauge("cleartosend_carrier_sessions", "Connections to a carrier that are bound.", ["carrier"])
CARRIER_CONNECTS = Counter(
    "cleartosend_carrier_connects_total",
    "Attempts to connect to a carrier, by what came of them.",
    ["carrier", "outcome"],
)
CARRIER_UNANSWERED = Counter(
    "cleartosend_carrier_unanswered_total", "Messages written to a carrier whose answers never came.", ["carrier"]
)
CARRIER_IGNORED = Counter(
    "cleartosend_carrier_ignored_total",
    "What a carrier sent that nobody waited for or could read.",
    ["carrier", "what"],
)
RECEIPTS = Counter("cleartosend_receipts_total", "Receipts stored, by status.", ["carrier", "status"])
REPEATED_RECEIPTS = Counter("cleartosend_receipts_repeated_total", "Receipts that said what was known.", ["carrier"])
REPLIES = Counter("cleartosend_replies_total", "Replies stored, by what they ask for.", ["carrier", "wish"])
ENDED = Counter("cleartosend_messages_ended_total", "Messages at their end, by state.", ["state"])
QUEUED = Gauge("cleartosend_messages_queued", "Messages that no carrier has yet, by lane.", ["lane"])
AWAITING_RECEIPT = Gauge("cleartosend_messages_awaiting_receipt", "Messages a carrier took and has not settled.")
PARKED_RECEIPTS = Gauge("cleartosend_receipts_parked", "Receipts whose message is not known yet.")
CALLBACKS = Counter(
    "cleartosend_callbacks_total",
    "Statuses and replies that customers' servers took or that were given up.",
    ["kind", "outcome"],
)
CALLBACK_PUSHES = Counter("cleartosend_callback_pushes_total", "Callbacks sent, by outcome.", ["kind", "outcome"])
CALLBACK_SECONDS = Histogram(
    "cleartosend_callback_seconds", "How long customers' servers take to answer.", ["kind"], buckets=_API_BUCKETS
)
CALLBACKS_WAITING = Gauge(
    "cleartosend_callbacks_waiting", "Statuses and replies that customers' servers are to be told.", ["kind"]
)
CARRIER_UP = Gauge("cleartosend_carrier_up", "Whether a carrier can be handed messages.", ["carrier"])
CARRIER_IN_HAND = Gauge(
    "cleartosend_carrier_in_hand", "Messages handed to a carrier whose answers are not yet on disk.", ["carrier"]
)
CARRIER_WINDOW = Gauge("cleartosend_carrier_window", "Most messages that a carrier may have in hand.", ["carrier"])
CARRIER_PER_SECOND = Gauge(
    "cleartosend_carrier_per_second", "How many messages a carrier is handed a second; 0: any number.", ["carrier"]
)
CARRIER_SHARE = Gauge(
    "cleartosend_carrier_share", "A carrier's part of a route's messages, from 0 to 1.", ["route", "carrier"]
)
OBSERVED = Counter(
    "cleartosend_rules_observed_total", "Texts in which a rule that is only observed found something.", ["rule", "part"]
)
LINKS_OPENED = Counter("cleartosend_links_opened_total", "Links of templates opened, by what it came to.", ["sight"])
SUSPENSIONS = Counter("cleartosend_accounts_suspended_total", "Accounts that the program suspended by itself.")
AWAITING_DECISION = Gauge(
    "cleartosend_accounts_awaiting_decision", "Suspended accounts, which a person bans or restores."
)
REVIEWS = Counter("cleartosend_reviews_total", "Moves of applications.", ["subject", "move", "by"])
SUBMIT_SECONDS = Histogram(
    "cleartosend_accept_to_submit_seconds", "From acceptance to the carrier's answer.", buckets=_DELIVERY_BUCKETS
)
DELIVERY_SECONDS = Histogram(
    "cleartosend_accept_to_end_seconds", "From acceptance to the message's end.", buckets=_DELIVERY_BUCKETS
)


def set_up_logging(log_format: str, *, least: int = logging.INFO) -> None:
    """Events with fields on standard error: `json` for machines, `text` for people, `auto` by who is there to read."""
    as_text = log_format == "text" or (log_format == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False)
        if as_text
        else structlog.processors.JSONRenderer(sort_keys=False, ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=lambda *_: _Lines(),
        cache_logger_on_first_use=False,
    )


class _Lines:
    """Standard error, looked up anew for each line, so that who redirects it is obeyed."""

    def msg(self, line: str) -> None:
        # A disk that is full for the store is full for the log as well, and an error is no reason to make another.
        with contextlib.suppress(OSError):
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def tell_submitted(carrier: str, seconds: Sequence[float]) -> None:
    """Count messages that a carrier took, each with the time since it was accepted."""
    SUBMITTED.labels(carrier).inc(len(seconds))
    for one in seconds:
        SUBMIT_SECONDS.observe(one)


def tell_receipts(arrived: Sequence[Receipt], new: Sequence[Receipt]) -> None:
    """Count receipts, those that said what was known apart."""
    for receipt in new:
        RECEIPTS.labels(receipt.carrier, receipt.status).inc()
    if len(new) < len(arrived):
        REPEATED_RECEIPTS.labels(arrived[0].carrier).inc(len(arrived) - len(new))


def tell_ended(endings: Iterable[Ending]) -> None:
    """
    Count messages that came to their end, with the time it took.

    For when the transaction that ended them is committed: it may be run twice, and a counter has no way back.
    """
    for ending in endings:
        ENDED.labels(ending.state).inc()
        DELIVERY_SECONDS.observe(max(ending.at - accepted_at(ending.message_id), 0.0))


def tell_suspended(account_id: int, *, rules: Sequence[str], ended: Iterable[Ending]) -> None:
    """Count and log that an account was stopped; for when its transaction is committed, as above."""
    ended = list(ended)
    SUSPENSIONS.inc()
    log.warning("account.suspended", account=account_id, rules=list(rules), stopped=len(ended))
    tell_ended(ended)


# A command that is not a server speaks for itself; only what goes wrong is logged.
set_up_logging("auto", least=logging.WARNING)

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()
