"""The Tencent Cloud SMS API from the caller's side: signed calls, what they answer, and what its codes ask of us."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from enum import Enum, auto
from http import HTTPStatus

import httpx
import msgspec

from cleartosend import __version__
from cleartosend.model.carriers import UpstreamLink
from cleartosend.model.messages import Receipt, ReceiptStatus, Reply
from cleartosend.model.times import BEIJING
from cleartosend.outbound import TROUBLE, in_words, read_at_most
from cleartosend.ports import NotSubmitted, OutcomeUnknown
from cleartosend.settings import BadSettings
from cleartosend.tc3 import authorization

VERSION = "2021-01-11"
SERVICE = "sms"
CONTENT_TYPE = "application/json"
OK = "Ok"
MOST_PULLED = 100
"""The reference hands out no more statuses or replies in one call."""
MOST_BYTES_OF_ANSWER = 1 << 20
# Shorter than servers keep an idle connection open: a call written to one that is just being closed is a call of which
# nobody knows whether it was heard.
KEEP_CONNECTION_SECONDS = 3.0


class NotConnected(Exception):
    """Nothing of the call was written; the message says why."""


class Refused(Exception):
    """The service does not answer the call as a whole; the message is its code."""


class SendSms(msgspec.Struct, rename="pascal", omit_defaults=True, kw_only=True):
    """One text to many numbers."""

    phone_number_set: list[str]
    sms_sdk_app_id: str
    template_id: str
    sign_name: str = ""
    template_param_set: list[str] = []
    session_context: str = ""
    extend_code: str = ""
    sender_id: str = ""


class Pull(msgspec.Struct, rename="pascal", kw_only=True):
    """Statuses or replies, each of which is handed out once."""

    sms_sdk_app_id: str
    limit: int = MOST_PULLED


class PullByNumber(Pull, rename="pascal", kw_only=True):
    """What became of the messages to one number, as often as one likes."""

    phone_number: str
    begin_time: int
    offset: int = 0


class SendStatus(msgspec.Struct, rename="pascal", kw_only=True):
    """What became of one number of a call."""

    phone_number: str | None = ""
    serial_no: str | None = ""
    code: str


class PulledStatus(msgspec.Struct, rename="pascal", kw_only=True):
    """What became of a message, as it is pulled."""

    serial_no: str
    report_status: str
    description: str | None = ""
    user_receive_time: float | None = 0.0


class PulledReply(msgspec.Struct, rename="pascal", kw_only=True):
    """What somebody wrote back, as it is pulled."""

    phone_number: str
    reply_content: str
    extend_code: str | None = ""
    reply_time: float | None = 0.0


class _Error(msgspec.Struct, rename="pascal"):
    code: str


class Response(msgspec.Struct, rename="pascal", kw_only=True):
    """What any of the actions called here answers; a set that is empty may be missing, or null."""

    error: _Error | None = None
    send_status_set: list[SendStatus] | None = None
    pull_sms_send_status_set: list[PulledStatus] | None = None
    pull_sms_reply_status_set: list[PulledReply] | None = None


class _Envelope(msgspec.Struct, rename="pascal"):
    response: Response


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Envelope, strict=False)


class Client:
    """Calls one service with one credential, over as many connections as there are calls at once."""

    def __init__(self, link: UpstreamLink, *, secret_key: str, clock: Callable[[], float]) -> None:
        """Raise BadSettings where the endpoint is no address."""
        self._link = link
        self._secret_key = secret_key
        self._clock = clock
        self._url = address_of(link)
        self._host = self._url.netloc.decode("ascii")
        self._tls = httpx.create_ssl_context()
        # One pool for all looks at each of its connections for each call, which costs more than the call.
        self._idle: list[httpx.AsyncClient] = []
        """Each with a connection of its own, the one used last at the end."""

    async def call(self, action: str, asked: SendSms | Pull) -> Response:
        """
        Call an action. Raises NotConnected, Refused, or OutcomeUnknown.

        The last also where a server in between answers that it does not know what became of the call.
        """
        body = _encoder.encode(asked)
        written = False

        async def notice(event: str, _info: object) -> None:
            nonlocal written
            written = written or event == "http11.send_request_headers.started"

        try:
            async with (
                self._a_connection() as connection,
                connection.stream(
                    "POST",
                    self._url,
                    content=body,
                    headers=self._headers(action, body),
                    extensions={"trace": notice},
                ) as answer,
            ):
                said = await read_at_most(answer, MOST_BYTES_OF_ANSWER)
        except (TimeoutError, *TROUBLE) as error:
            if written:
                raise OutcomeUnknown(in_words(error)) from error
            raise NotConnected(in_words(error)) from error
        return _read(answer.status_code, said)

    async def is_there(self) -> bool:
        """Whether anything answers at the service's address."""
        try:
            async with self._a_connection() as connection, connection.stream("GET", self._url):
                return True
        except (TimeoutError, *TROUBLE):
            return False

    async def close(self) -> None:
        """When no call is made any more."""
        for connection in self._idle:
            await _close(connection)

    @contextlib.asynccontextmanager
    async def _a_connection(self) -> AsyncIterator[httpx.AsyncClient]:
        """For as long as an answer may take, all in all."""
        connection = self._idle.pop() if self._idle else self._new_connection()
        try:
            async with asyncio.timeout(self._link.answer_within_seconds):
                yield connection
        except BaseException:
            # Nobody knows in what state it is.
            await _close(connection)
            raise
        self._idle.append(connection)

    def _new_connection(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._tls,
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 - each call is limited as a whole
            limits=httpx.Limits(max_connections=1, keepalive_expiry=KEEP_CONNECTION_SECONDS),
            # No compression: what is read may be bounded by what comes in.
            headers={"User-Agent": f"cleartosend/{__version__}", "Accept-Encoding": "identity"},
        )

    def _headers(self, action: str, body: bytes) -> dict[str, str]:
        seconds = int(self._clock())
        return {
            "Host": self._host,
            "Content-Type": CONTENT_TYPE,
            "X-TC-Action": action,
            "X-TC-Version": VERSION,
            "X-TC-Region": self._link.region,
            "X-TC-Timestamp": str(seconds),
            "Authorization": authorization(
                body,
                host=self._host,
                content_type=CONTENT_TYPE,
                service=SERVICE,
                secret_id=self._link.secret_id,
                secret_key=self._secret_key,
                seconds=seconds,
            ),
        }


async def _close(connection: httpx.AsyncClient) -> None:
    # What a connection says at its end, nobody needs to hear.
    with contextlib.suppress(*TROUBLE):
        await connection.aclose()


def address_of(link: UpstreamLink) -> httpx.URL:
    """Where the service is: its path is always `/`. Raises BadSettings."""
    try:
        url = httpx.URL(link.endpoint)
    except httpx.InvalidURL as error:
        raise BadSettings(f"carriers: `{link.name}`: endpoint: {error}") from error
    if url.scheme not in {"http", "https"} or not url.host or url.path != "/" or url.query or url.userinfo:
        raise BadSettings(
            f"carriers: `{link.name}`: endpoint: must be `https://` or `http://` and a host, with a port where needed"
        )
    return url


def _read(http_status: int, said: bytes | None) -> Response:
    if http_status != HTTPStatus.OK:
        # Whatever goes wrong, the service itself answers with 200: this was something in between.
        code = f"HTTP_{http_status}"
        if what_then(code) is Then.NOBODY_KNOWS:
            raise OutcomeUnknown(code)
        raise Refused(code)
    try:
        response = _decoder.decode(said or b"").response
    except (msgspec.DecodeError, RecursionError) as error:
        raise OutcomeUnknown("an answer that cannot be read") from error
    if response.error is None:
        return response
    if what_then(response.error.code) is Then.NOBODY_KNOWS:
        raise OutcomeUnknown(response.error.code)
    raise Refused(response.error.code)


# --- what the codes ask of us ---


class Then(Enum):
    """What is to be done about a message that was not taken."""

    GIVE_UP = auto()
    TRY_AGAIN = auto()
    NOT_NOW = auto()
    """Nothing is wrong with the service: it is too soon for this message, which is tried again."""
    SLOW_DOWN = auto()
    TELL_OPERATOR = auto()
    """Nothing is wrong with the message: it is tried again, and somebody has to do something meanwhile."""
    NOBODY_KNOWS = auto()
    """It may have gone out."""


# A code stands for itself, or its first word for all of its family. What is not here is about the message: give up.
WHAT_THEN = {
    "RequestLimitExceeded": Then.SLOW_DOWN,
    "LimitExceeded.GlobalSmsSendingRateLimit": Then.SLOW_DOWN,
    "HTTP_429": Then.SLOW_DOWN,
    # What may be over within the message's time.
    "LimitExceeded.DeliveryFrequencyLimit": Then.NOT_NOW,
    "LimitExceeded.PhoneNumberThirtySecondLimit": Then.NOT_NOW,
    "LimitExceeded.PhoneNumberOneHourLimit": Then.NOT_NOW,
    "FailedOperation.MarketingSendTimeConstraint": Then.NOT_NOW,
    "ServiceUnavailable": Then.TRY_AGAIN,
    "ResourceInsufficient": Then.TRY_AGAIN,
    "ResourceUnavailable": Then.TRY_AGAIN,
    "HTTP_503": Then.TRY_AGAIN,
    # Caps of the account and the app can be raised; those of a number are not waited for, nor where the app may send.
    "LimitExceeded": Then.TELL_OPERATOR,
    "LimitExceeded.PhoneNumberCountLimit": Then.GIVE_UP,
    "LimitExceeded.PhoneNumberDailyLimit": Then.GIVE_UP,
    "LimitExceeded.PhoneNumberSameContentDailyLimit": Then.GIVE_UP,
    "LimitExceeded.AppCountryOrRegionInBlacklist": Then.GIVE_UP,
    # Who we are there, and what we have paid.
    "AuthFailure": Then.TELL_OPERATOR,
    "UnauthorizedOperation": Then.TELL_OPERATOR,
    "UnauthorizedOperation.IndividualUserMarketingSmsPermissionDeny": Then.GIVE_UP,
    "FailedOperation.InsufficientBalanceInSmsPackage": Then.TELL_OPERATOR,
    "InvalidParameterValue.SdkAppIdNotExist": Then.TELL_OPERATOR,
    "IpInBlacklist": Then.TELL_OPERATOR,
    "IpNotInWhitelist": Then.TELL_OPERATOR,
    "UnsupportedRegion": Then.TELL_OPERATOR,
    # What answers is not the service that we take it for.
    "ActionOffline": Then.TELL_OPERATOR,
    "InvalidAction": Then.TELL_OPERATOR,
    "NoSuchProduct": Then.TELL_OPERATOR,
    "NoSuchVersion": Then.TELL_OPERATOR,
    "UnsupportedProtocol": Then.TELL_OPERATOR,
    "HTTP_": Then.TELL_OPERATOR,
    # A time-out behind the service's door, for one: the message was on its way.
    "InternalError": Then.NOBODY_KNOWS,
    "HTTP_5": Then.NOBODY_KNOWS,
    "InternalError.SigFieldMissing": Then.TELL_OPERATOR,
    "InternalError.SigVerificationFail": Then.TELL_OPERATOR,
    "InternalError.RequestTimeException": Then.TELL_OPERATOR,
}


def what_then(code: str) -> Then:
    """
    What a code asks for.

    >>> what_then("AuthFailure.SignatureExpire").name, what_then("FailedOperation.ContainSensitiveWord").name
    ('TELL_OPERATOR', 'GIVE_UP')
    >>> what_then("HTTP_502").name, what_then("HTTP_404").name
    ('NOBODY_KNOWS', 'TELL_OPERATOR')
    """
    families = (code, code.partition(".")[0], code[: len("HTTP_5")], code[: len("HTTP_")])
    return next((WHAT_THEN[family] for family in families if family in WHAT_THEN), Then.GIVE_UP)


def not_submitted(code: str) -> NotSubmitted | None:
    """What it means for a message that its number, or its whole call, got this code; None: nobody knows."""
    then = what_then(code)
    if then is Then.NOBODY_KNOWS:
        return None
    return NotSubmitted(
        code,
        again=then is not Then.GIVE_UP,
        slow_down=then is Then.SLOW_DOWN,
        tell_operator=then is Then.TELL_OPERATOR,
        of_message=then in {Then.GIVE_UP, Then.NOT_NOW},
    )


# --- statuses and replies, pulled and called back ---


class CalledBackStatus(msgspec.Struct, kw_only=True):
    """What became of a message, as it is pushed."""

    sid: str
    report_status: str
    errmsg: str | int | None = ""
    user_receive_time: str | None = ""


class CalledBackReply(msgspec.Struct, kw_only=True):
    """What somebody wrote back, as it is pushed."""

    mobile: str | int
    nationcode: str | int | None = ""
    text: str
    extend: str | int | None = ""
    time: float | None = 0.0


_statuses = msgspec.json.Decoder(list[CalledBackStatus] | CalledBackStatus, strict=False)
_replies = msgspec.json.Decoder(list[CalledBackReply] | CalledBackReply, strict=False)


def pulled_receipt(status: PulledStatus, *, carrier: str, now: float) -> Receipt:
    at = status.user_receive_time or now
    return _receipt(carrier, status.serial_no, status.report_status, code=status.description or "", at=at)


def pulled_reply(reply: PulledReply, *, carrier: str, now: float) -> Reply:
    at = reply.reply_time or now
    return _reply(carrier, reply.phone_number, reply.reply_content, extension_code=reply.extend_code or "", at=at)


def called_back_receipts(body: bytes, *, carrier: str, now: float) -> list[Receipt]:
    """The statuses of one push. Raises msgspec.DecodeError."""
    statuses = _statuses.decode(body)
    return [
        _receipt(
            carrier, one.sid, one.report_status, code=str(one.errmsg or ""), at=_seconds(one.user_receive_time) or now
        )
        for one in (statuses if isinstance(statuses, list) else [statuses])
    ]


def called_back_replies(body: bytes, *, carrier: str, now: float) -> list[Reply]:
    """The replies of one push: the reference pushes them one by one. Raises msgspec.DecodeError."""
    replies = _replies.decode(body)
    return [
        _reply(
            carrier,
            f"+{one.nationcode}{one.mobile}" if one.nationcode else str(one.mobile),
            one.text,
            extension_code=str(one.extend or ""),
            at=one.time or now,
        )
        for one in (replies if isinstance(replies, list) else [replies])
    ]


SUCCESS = "SUCCESS"
# By the first word of a code. The last two are those of a platform like this one: a receipt may still come there.
_FAILURES = {
    "EXPIRED": ReceiptStatus.EXPIRED,
    "REJECTD": ReceiptStatus.REJECTED,
    "DELETED": ReceiptStatus.DELETED,
    "UNKNOWN": ReceiptStatus.UNKNOWN,
    "NORECEIPT": ReceiptStatus.UNKNOWN,
    "INDOUBT": ReceiptStatus.UNKNOWN,
}


def _receipt(carrier: str, serial_no: str, report_status: str, *, code: str, at: float) -> Receipt:
    status = (
        ReceiptStatus.DELIVERED
        if report_status == SUCCESS
        else _FAILURES.get(code.partition("_")[0], ReceiptStatus.UNDELIVERABLE)
    )
    return Receipt(
        carrier=carrier, carrier_id=_kept(serial_no), status=status, code=_kept(code or report_status), at=at
    )


def _reply(carrier: str, number: str, text: str, *, extension_code: str, at: float) -> Reply:
    return Reply(carrier=carrier, number=_kept(number), text=_kept(text), extension_code=_kept(extension_code), at=at)


def _kept(written: str) -> str:
    """No database keeps the character 0."""
    return written.replace("\0", "")


def _seconds(written: str | None) -> float | None:
    """Read a time of Beijing's clock; None: there is none."""
    try:
        return datetime.strptime(written or "", "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()
    except ValueError:
        return None
