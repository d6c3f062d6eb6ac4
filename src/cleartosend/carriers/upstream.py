"""A carrier that hands messages on to another service with the Tencent Cloud SMS API, and follows them there."""

import asyncio
import contextlib
import hmac
import random
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec

from cleartosend import telemetry
from cleartosend.carriers.tencent_client import (
    MOST_PULLED,
    OK,
    Client,
    NotConnected,
    Pull,
    PullByNumber,
    Refused,
    SendSms,
    Then,
    called_back_receipts,
    called_back_replies,
    not_submitted,
    pulled_receipt,
    pulled_reply,
    what_then,
)
from cleartosend.model.carriers import UpstreamLink
from cleartosend.model.messages import MOST_RECIPIENTS_PER_CALL, Parcel, Receipt, Reply
from cleartosend.model.times import SECONDS_PER_DAY
from cleartosend.ports import NotSubmitted, OutcomeUnknown, StoreUnavailable, Submitted

MOST_CALLS_AT_ONCE = 32
FAILURES_BEFORE_DOWN = 3
LEAST_SECONDS_BETWEEN_ATTEMPTS = 1.0
MOST_SECONDS_BETWEEN_ATTEMPTS = 60.0
# Servers that lost their upstream together are not to come back together.
JITTER = (0.8, 1.2)
AFTER_TROUBLE_SECONDS = 0.5
# How long after a loss it is asked about: most of what was on its way has come by then. The vendor allows twice as many
# such questions.
CATCH_UP_AFTER_SECONDS = 10.0
QUESTIONS_PER_SECOND = 10
MOST_CAUGHT_UP = 10_000
# Of the seven that the vendor looks back.
DAYS_LOOKED_BACK = 6
REPLIES_REMEMBERED = 1000

NOT_CONNECTED = NotSubmitted("NOT_CONNECTED", again=True)
TEMPLATE_NOT_MAPPED = NotSubmitted("TEMPLATE_NOT_MAPPED", again=False, tell_operator=True)
"""Both sides number their templates: what has the same number there may say something that nobody here has judged."""

Outcome = Submitted | NotSubmitted
Call = dict[str, tuple[Parcel, "asyncio.Future[Outcome]"]]
"""Messages that differ in their numbers alone, by number: one that stands there twice would be sent once."""

Outstanding = Callable[[int], Awaitable[Sequence[tuple[str, str]]]]
"""Ids of messages that were taken and not reported on, with their numbers: the newest, at most so many."""

_spans = msgspec.json.Decoder(list[tuple[int, int]])


class UpstreamCarrier:
    """
    Forwards by SendSms, up to 200 numbers a call, and learns what became of them by pull and by callback.

    While all calls that may be made at once are being answered, what is alike goes on gathering for the next.
    """

    def __init__(
        self,
        link: UpstreamLink,
        *,
        secret_key: str,
        outstanding: Outstanding,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raise BadSettings where the endpoint is no address."""
        self.name = link.name
        self._link = link
        self._outstanding = outstanding
        self._clock = clock
        self._client = Client(link, secret_key=secret_key, clock=clock)
        self._waiting: dict[tuple[object, ...], list[tuple[Parcel, asyncio.Future[Outcome]]]] = {}
        """What no call has taken yet, by what makes messages alike."""
        self._calling_due = False
        self._calls: set[asyncio.Task[None]] = set()
        self._pulls: list[asyncio.Task[None]] = []
        self._looking: asyncio.Task[None] | None = None
        """At work while nobody is there."""
        self._failures = 0
        self._troubles: dict[str, str] = {}
        """What the operator was last told, by what we were about to do."""
        self._not_mapped: set[str] = set()
        """Templates of which the operator was told."""
        self._heard: dict[Reply, None] = {}
        """The latest replies: one that is called back and pulled, or called back twice, was written once."""
        self._stopping = asyncio.Event()
        self._lost = asyncio.Event()
        """Set when statuses may have been handed out and not have arrived."""
        self._catching_up: asyncio.Task[None] | None = None
        self._on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]]
        self._on_reply: Callable[[Reply], Awaitable[None]]

    async def start(
        self,
        *,
        on_receipts: Callable[[Sequence[Receipt]], Awaitable[None]],
        on_reply: Callable[[Reply], Awaitable[None]],
    ) -> None:
        self._on_receipts = on_receipts
        self._on_reply = on_reply
        if self._link.pull:
            loop = asyncio.get_running_loop()
            self._pulls = [
                loop.create_task(self._pull_for_ever("statuses", self._pull_statuses)),
                loop.create_task(self._pull_for_ever("replies", self._pull_replies)),
            ]
            # The process before this one may have died with some in its hands.
            self._lost.set()
            self._catching_up = loop.create_task(self._catch_up_for_ever())

    def is_up(self) -> bool:
        return self._looking is None

    def submit(self, parcel: Parcel) -> "asyncio.Future[Outcome]":
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Outcome] = loop.create_future()
        if not self._is_mapped(parcel.template_id):
            answer.set_result(TEMPLATE_NOT_MAPPED)
            return answer
        alike = (
            parcel.template_id,
            parcel.text,
            parcel.spans,
            parcel.signature,
            parcel.international,
            parcel.extension_code,
            parcel.sender_id,
        )
        self._waiting.setdefault(alike, []).append((parcel, answer))
        if not self._calling_due:
            self._calling_due = True
            loop.call_soon(self._call)
        return answer

    async def stop(self) -> None:
        """What was pulled is kept first: it is handed out once."""
        self._stopping.set()
        if self._pulls:
            await asyncio.wait(self._pulls, timeout=self._link.answer_within_seconds)
        tasks = [task for task in (*self._pulls, *self._calls, self._looking, self._catching_up) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _parcel, answer in [one for alike in self._waiting.values() for one in alike]:
            if not answer.done():
                answer.set_result(NOT_CONNECTED)
        self._waiting.clear()
        await self._client.close()

    # --- sending ---

    def _is_mapped(self, template_id: str) -> bool:
        if self._link.same_templates or template_id in self._link.templates:
            return True
        if template_id not in self._not_mapped:
            self._not_mapped.add(template_id)
            telemetry.log.error("upstream.template_not_mapped", carrier=self.name, template=template_id)
        return False

    def _call(self) -> None:
        """Make as many calls as may be made at once."""
        self._calling_due = False
        while self._waiting and len(self._calls) < MOST_CALLS_AT_ONCE and not self._stopping.is_set():
            task = asyncio.get_running_loop().create_task(self._send(self._next_call()))
            self._calls.add(task)
            task.add_done_callback(self._called)

    def _called(self, task: "asyncio.Task[None]") -> None:
        self._calls.discard(task)
        self._call()

    def _next_call(self) -> Call:
        alike = next(iter(self._waiting))
        call: Call = {}
        left = []
        for parcel, answer in self._waiting.pop(alike):
            if parcel.number in call or len(call) == MOST_RECIPIENTS_PER_CALL:
                left.append((parcel, answer))
            else:
                call[parcel.number] = (parcel, answer)
        if left:
            # Behind the others: a large batch lets them pass.
            self._waiting[alike] = left
        return call

    async def _send(self, call: Call) -> None:
        outcomes: Mapping[str, Outcome | None] = {}
        try:
            outcomes = await self._outcomes(call)
        finally:
            for number, (_parcel, answer) in call.items():
                outcome = outcomes.get(number)
                if answer.done():
                    continue
                if outcome is None:
                    answer.set_exception(OutcomeUnknown(self.name))
                else:
                    answer.set_result(outcome)

    async def _outcomes(self, call: Call) -> Mapping[str, Outcome | None]:
        """What became of each number; None, or no entry: nobody knows."""
        try:
            response = await self._client.call("SendSms", self._asked(call))
        except NotConnected as error:
            self._nobody_there(error)
            return dict.fromkeys(call, NOT_CONNECTED)
        except OutcomeUnknown as error:
            self._somebody_there()
            telemetry.log.warning("upstream.no_answer", carrier=self.name, messages=len(call), problem=str(error))
            return {}
        except Refused as error:
            self._somebody_there()
            code = str(error)
            self._tell("sending", code if what_then(code) is Then.TELL_OPERATOR else "")
            return dict.fromkeys(call, not_submitted(code))
        self._somebody_there()
        statuses = response.send_status_set or []
        self._tell("sending", next((one.code for one in statuses if what_then(one.code) is Then.TELL_OPERATOR), ""))
        return {
            one.phone_number or "": Submitted((one.serial_no,) if one.serial_no else ())
            if one.code == OK
            else not_submitted(one.code)
            for one in statuses
        }

    def _asked(self, call: Call) -> SendSms:
        first = next(iter(call.values()))[0]
        others = f"+{len(call) - 1}" if len(call) > 1 else ""
        return SendSms(
            phone_number_set=list(call),
            sms_sdk_app_id=self._link.sdk_app_id,
            template_id=self._link.templates.get(first.template_id, first.template_id),
            sign_name=first.signature,
            template_param_set=[first.text[start:end] for start, end in _spans.decode(first.spans)],
            # Found again in the records there; of another attempt it is another, since it may serve as a key.
            session_context=f"{first.message_id}.{first.attempts}{others}",
            extend_code=first.extension_code,
            sender_id=first.sender_id,
        )

    # --- whether anybody is there ---

    def _somebody_there(self) -> None:
        self._failures = 0

    def _nobody_there(self, error: NotConnected) -> None:
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_DOWN and self._looking is None and not self._stopping.is_set():
            telemetry.log.error("upstream.down", carrier=self.name, problem=str(error))
            self._looking = asyncio.get_running_loop().create_task(self._look())

    async def _look(self) -> None:
        """Until somebody is there again."""
        try:
            wait_seconds = LEAST_SECONDS_BETWEEN_ATTEMPTS
            while True:
                await asyncio.sleep(wait_seconds * random.uniform(*JITTER))  # noqa: S311 - nothing secret
                if await self._client.is_there():
                    break
                wait_seconds = min(wait_seconds * 2, MOST_SECONDS_BETWEEN_ATTEMPTS)
            telemetry.log.warning("upstream.up", carrier=self.name)
        finally:
            self._failures = 0
            self._looking = None

    def _tell(self, about: str, problem: str) -> None:
        """Tell the operator what somebody has to do, once until it changes; an empty problem: all is well."""
        if self._troubles.get(about, "") == problem:
            return
        self._troubles[about] = problem
        if problem:
            telemetry.log.error("upstream.trouble", carrier=self.name, about=about, problem=problem)
        else:
            telemetry.log.warning("upstream.well_again", carrier=self.name, about=about)

    def _tell_broken(self, about: str, error: Exception) -> None:
        # Not the exception's own words: they may quote a text or a number.
        where = traceback.format_tb(error.__traceback__)
        telemetry.log.error(
            "upstream.pull_broken", carrier=self.name, about=about, error=type(error).__name__, where=where
        )

    # --- what is pulled ---

    async def _pull_for_ever(self, about: str, pull: Callable[[], Awaitable[int]]) -> None:
        while not self._stopping.is_set():
            try:
                while await pull() >= MOST_PULLED and not self._stopping.is_set():
                    pass
                self._somebody_there()
                self._tell(about, "")
            except NotConnected as error:
                self._nobody_there(error)
            except (OutcomeUnknown, Refused) as error:
                self._somebody_there()
                self._tell(about, str(error))
            except Exception as error:  # noqa: BLE001 - one batch's trouble must not end the pulling of the others
                self._tell_broken(about, error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._link.pull_seconds):
                    await self._stopping.wait()

    async def _pull_statuses(self) -> int:
        try:
            response = await self._client.call("PullSmsSendStatus", Pull(sms_sdk_app_id=self._link.sdk_app_id))
        except OutcomeUnknown:
            self._lost.set()
            raise
        pulled = response.pull_sms_send_status_set or []
        now = self._clock()
        receipts = [pulled_receipt(one, carrier=self.name, now=now) for one in pulled]
        if receipts:
            await self._until_kept(partial(self._on_receipts, receipts))
        return len(pulled)

    async def _pull_replies(self) -> int:
        response = await self._client.call("PullSmsReplyStatus", Pull(sms_sdk_app_id=self._link.sdk_app_id))
        pulled = response.pull_sms_reply_status_set or []
        for one in pulled:
            reply = pulled_reply(one, carrier=self.name, now=self._clock())
            await self._until_kept(partial(self._keep, reply))
        return len(pulled)

    async def _until_kept(self, keep: Callable[[], Awaitable[None]]) -> None:
        """What was pulled is not handed out again."""
        while True:
            try:
                return await keep()
            except StoreUnavailable as error:
                telemetry.log.error("upstream.not_kept", carrier=self.name, error=str(error))
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)

    # --- what a pull has lost ---

    async def _catch_up_for_ever(self) -> None:
        while True:
            await self._lost.wait()
            self._lost.clear()
            try:
                await self._catch_up()
                self._tell("catching up", "")
            except Refused as error:
                self._tell("catching up", str(error))
            except (NotConnected, OutcomeUnknown, StoreUnavailable) as error:
                self._tell("catching up", str(error))
                self._lost.set()
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)
            except Exception as error:  # noqa: BLE001 - the next loss may be made good all the same
                self._tell_broken("catching up", error)

    async def _catch_up(self) -> None:
        """Ask by number about what was outstanding and still is: what the queue handed out is told again like that."""
        suspects = set(await self._outstanding(MOST_CAUGHT_UP))
        if not suspects:
            return
        await asyncio.sleep(CATCH_UP_AFTER_SECONDS)
        ids_of: dict[str, set[str]] = {}
        for carrier_id, number in await self._outstanding(MOST_CAUGHT_UP):
            if (carrier_id, number) in suspects:
                ids_of.setdefault(number, set()).add(carrier_id)
        for number, carrier_ids in ids_of.items():
            asked = PullByNumber(
                sms_sdk_app_id=self._link.sdk_app_id,
                phone_number=number,
                begin_time=int(self._clock()) - DAYS_LOOKED_BACK * SECONDS_PER_DAY,
            )
            response = await self._client.call("PullSmsSendStatusByPhoneNumber", asked)
            now = self._clock()
            told = [
                pulled_receipt(one, carrier=self.name, now=now)
                for one in response.pull_sms_send_status_set or []
                if one.serial_no in carrier_ids
            ]
            if told:
                await self._on_receipts(told)
            await asyncio.sleep(1 / QUESTIONS_PER_SECOND)

    # --- what is called back ---

    def is_its_secret(self, said: str) -> bool:
        """Whether what stands in the address of a callback is what the service was given to put there."""
        secret = self._link.callback_secret
        return bool(secret) and hmac.compare_digest(said.encode(), secret.encode())

    async def take_statuses(self, body: bytes) -> None:
        """Keep what a push of statuses says. Raises msgspec.DecodeError or StoreUnavailable."""
        await self._on_receipts(called_back_receipts(body, carrier=self.name, now=self._clock()))

    async def take_replies(self, body: bytes) -> None:
        """Keep what a push of a reply says. Raises msgspec.DecodeError or StoreUnavailable."""
        for reply in called_back_replies(body, carrier=self.name, now=self._clock()):
            await self._keep(reply)

    async def _keep(self, reply: Reply) -> None:
        if reply in self._heard:
            return
        await self._on_reply(reply)
        self._heard[reply] = None
        if len(self._heard) > REPLIES_REMEMBERED:
            del self._heard[next(iter(self._heard))]
