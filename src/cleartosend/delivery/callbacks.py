"""Callbacks: customers' servers are told of statuses and replies, in order, until they have taken them."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

import httpx
import msgspec
from sqlalchemy import Connection
from standardwebhooks import Webhook

from cleartosend import telemetry
from cleartosend.model.meanings import meaning_of
from cleartosend.model.messages import MessageState, serial_no
from cleartosend.model.times import text_of
from cleartosend.outbound import TROUBLE, Guard, in_words, read_at_most
from cleartosend.ports import Engine, StoreUnavailable
from cleartosend.settings import Settings
from cleartosend.store import callbacks as store
from cleartosend.store.callbacks import CallbackKind, Endpoint, WaitingReply, WaitingStatus
from cleartosend.store.secrets import Vault

T = TypeVar("T")

# The reference: a push holds 1 to 100 statuses, or one reply.
MOST_STATUSES = 100
MOST_BYTES_OF_ANSWER = 16384
# A claim outlives any answer, and a while without the store.
CLAIM_SECONDS = 60.0
# How long to wait for more to push together, once there is something.
GATHER_SECONDS = 0.1
# How long endpoints are left alone when nothing wakes us: what another process queued, or what is to be tried again.
LOOK_AGAIN_SECONDS = 0.5
AFTER_TROUBLE_SECONDS = 1.0
# Servers that failed together are not to be tried again together.
JITTER = (0.8, 1.2)
MOST_DOUBLINGS = 20

SplitNumber = Callable[[str], tuple[str, str]]
"""Country code and national number of a number in E.164."""


class StatusBody(msgspec.Struct, frozen=True, kw_only=True):
    """One status, in the reference's fields."""

    user_receive_time: str
    nationcode: str
    mobile: str
    report_status: str
    errmsg: str
    description: str
    sid: str
    ext: str


class ReplyBody(msgspec.Struct, frozen=True, kw_only=True):
    """One reply, in the reference's fields."""

    extend: str
    mobile: str
    nationcode: str
    sign: str
    text: str
    time: int


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back of a push."""

    problem: str
    """Why it does not count as taken; empty: it was taken."""
    http_status: int | None = None
    body: bytes = b""


class _Taken(msgspec.Struct):
    """What a customer's server answers when it has taken a push."""

    result: int


class _Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out in one push."""

    callback_ids: list[int]
    waiting_since: float
    body: bytes
    more_waits: bool


class Callbacks:
    """Tells customers' servers what waits for them, each in its own task, until it is stopped."""

    def __init__(
        self,
        *,
        engine: Engine,
        vault: Vault,
        guard: Guard,
        settings: Settings,
        clock: Callable[[], float],
        split_number: SplitNumber,
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._guard = guard
        self._settings = settings
        self._clock = clock
        self._split_number = split_number
        self._at_work: set[asyncio.Task[None]] = set()
        self._look = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Something new waits."""
        self._look.set()

    async def run(self) -> None:
        """Push until told to stop, then wait for the answers to what is in flight."""
        async with self._guard.client(most_connections=self._settings.callback_connections) as client:
            while not self._stopping:
                try:
                    await self._begin_what_fits(client)
                    await self._wait_for_more()
                except StoreUnavailable as error:
                    telemetry.log.error("callbacks.unavailable", error=str(error))
                    await asyncio.sleep(AFTER_TROUBLE_SECONDS)
            await self._finish()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopping = True
        self._look.set()

    async def _begin_what_fits(self, client: httpx.AsyncClient) -> None:
        """Claim endpoints that something waits for, as many as there are connections for."""
        room = self._settings.callback_connections - len(self._at_work)
        self._look.clear()
        if room <= 0:
            return
        now = self._clock()
        longest = self._settings.callback_retry_most_seconds * max(JITTER)
        claimed = await self._engine.write(
            lambda tx: store.claim(
                tx, now=now, until=self._claimed_until(now), longest_wait_seconds=longest, limit=room
            )
        )
        for endpoint in claimed:
            task = asyncio.get_running_loop().create_task(self._serve(client, endpoint))
            self._at_work.add(task)
            task.add_done_callback(self._let_go)

    async def _wait_for_more(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                await self._look.wait()
        if not self._stopping:
            await asyncio.sleep(GATHER_SECONDS)

    async def _finish(self) -> None:
        if self._at_work:
            _done, silent = await asyncio.wait(self._at_work, timeout=self._settings.drain_seconds)
            # What they were being told is told again when the claim on them has run out.
            for task in silent:
                task.cancel()
            await asyncio.gather(*silent, return_exceptions=True)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        # Something may have been queued while the endpoint was claimed, or waited for a connection.
        self._look.set()

    # --- one endpoint ---

    async def _serve(self, client: httpx.AsyncClient, endpoint: Endpoint) -> None:
        try:
            claimed: Endpoint | None = endpoint
            while claimed is not None:
                claimed = await self._push_once(client, claimed)
        except Exception:  # noqa: BLE001 - one endpoint's trouble must not end the serving of the others
            # The claim stays until it runs out, and the endpoint is tried again then.
            telemetry.log.exception("callback.broken", kind=endpoint.kind, owner=endpoint.owner)

    async def _push_once(self, client: httpx.AsyncClient, endpoint: Endpoint) -> Endpoint | None:
        """Push one batch; returns the endpoint where it is still claimed, and more waits for it."""
        try:
            batch = await self._engine.read(lambda tx: self._oldest(tx, endpoint))
        except StoreUnavailable as error:
            telemetry.log.error("callbacks.unavailable", error=str(error))
            batch = None
        if batch is None:
            await self._keep(lambda tx: store.let_go(tx, endpoint))
            return None
        ids = batch.callback_ids
        began_at = asyncio.get_running_loop().time()
        answer = await push(
            client,
            url=endpoint.url,
            secret=endpoint.secret(self._vault),
            # The same as often as the same batch is pushed, so that the receiver can tell.
            webhook_id=f"{endpoint.kind}-{endpoint.owner}-{ids[0]}-{ids[-1]}",
            body=batch.body,
            now=self._clock(),
            within_seconds=self._settings.callback_timeout_seconds,
        )
        telemetry.CALLBACK_SECONDS.labels(endpoint.kind).observe(asyncio.get_running_loop().time() - began_at)
        if answer.problem:
            await self._put_off(endpoint, batch, answer.problem)
            return None
        now = self._clock()
        # An endpoint with a long backlog keeps its connection only while nobody waits for one.
        goes_on = batch.more_waits and not self._stopping and len(self._at_work) < self._settings.callback_connections
        claimed_until = self._claimed_until(now) if goes_on else store.UNCLAIMED
        await self._keep(lambda tx: store.told(tx, endpoint, ids, now=now, claimed_until=claimed_until))
        telemetry.CALLBACK_PUSHES.labels(endpoint.kind, "taken").inc()
        telemetry.CALLBACKS.labels(endpoint.kind, store.Standing.DELIVERED).inc(len(ids))
        return msgspec.structs.replace(endpoint, failures=0, claimed_until=claimed_until) if goes_on else None

    async def _put_off(self, endpoint: Endpoint, batch: _Batch, problem: str) -> None:
        """Leave the endpoint alone for a while, longer with each failure, and give up what has waited too long."""
        settings, now = self._settings, self._clock()
        pause_seconds = min(
            settings.callback_retry_seconds * 2 ** min(endpoint.failures, MOST_DOUBLINGS),
            settings.callback_retry_most_seconds,
        ) * random.uniform(*JITTER)  # noqa: S311 - nothing secret
        too_old = now - settings.callback_give_up_seconds

        def record(tx: Connection) -> int:
            store.not_told(tx, endpoint, batch.callback_ids, now=now, error=problem, again_at=now + pause_seconds)
            if batch.waiting_since >= too_old:
                return 0
            return store.give_up(tx, endpoint, waiting_since_before=too_old, now=now, error=problem)

        given_up = await self._keep(record)
        telemetry.CALLBACK_PUSHES.labels(endpoint.kind, "failed").inc()
        telemetry.CALLBACKS.labels(endpoint.kind, store.Standing.GIVEN_UP).inc(given_up)
        telemetry.log.warning(
            "callback.failed",
            kind=endpoint.kind,
            owner=endpoint.owner,
            problem=problem,
            failures=endpoint.failures + 1,
            pause_seconds=round(pause_seconds, 1),
            given_up=given_up,
        )

    def _oldest(self, tx: Connection, endpoint: Endpoint) -> _Batch | None:
        """What the endpoint is to be told next, if anything."""
        if endpoint.kind is CallbackKind.REPLY:
            return self._oldest_reply(tx, endpoint)
        statuses = store.waiting_statuses(tx, endpoint.owner, MOST_STATUSES)
        if not statuses:
            return None
        # A batch that failed is pushed again as it was, without what has come since.
        batch = [status for status in statuses if status.attempts == statuses[0].attempts]
        return _Batch(
            callback_ids=[status.id for status in batch],
            waiting_since=batch[0].waiting_since,
            body=msgspec.json.encode([status_body(status, self._split_number) for status in batch]),
            more_waits=len(statuses) == MOST_STATUSES or len(batch) < len(statuses),
        )

    def _oldest_reply(self, tx: Connection, endpoint: Endpoint) -> _Batch | None:
        reply = store.oldest_reply(tx, endpoint.owner)
        if reply is None:
            return None
        return _Batch(
            callback_ids=[reply.id],
            waiting_since=reply.waiting_since,
            body=msgspec.json.encode(reply_body(reply, self._split_number)),
            more_waits=True,
        )

    async def _keep(self, work: Callable[[Connection], T]) -> T:
        """Write down what came of a push, however long the store needs: or it would be pushed again."""
        while True:
            try:
                return await self._engine.write(work)
            except StoreUnavailable as error:
                telemetry.log.error("callback.not_recorded", error=str(error))
                await asyncio.sleep(AFTER_TROUBLE_SECONDS)

    def _claimed_until(self, now: float) -> float:
        return now + self._settings.callback_timeout_seconds + CLAIM_SECONDS


def status_body(status: WaitingStatus, split_number: SplitNumber) -> StatusBody:
    nationcode, mobile = split_number(status.number)
    return StatusBody(
        user_receive_time=text_of(status.at),
        nationcode=nationcode,
        mobile=mobile,
        report_status="SUCCESS" if status.state is MessageState.DELIVERED else "FAIL",
        errmsg=status.code,
        description=meaning_of(status.code).says.zh,
        sid=serial_no(status.message_id, international=status.international),
        ext=status.session_context,
    )


def reply_body(reply: WaitingReply, split_number: SplitNumber) -> ReplyBody:
    nationcode, mobile = split_number(reply.number)
    return ReplyBody(
        extend=reply.extension_code,
        mobile=mobile,
        nationcode=nationcode,
        sign=reply.signature,
        text=reply.text,
        time=int(reply.at),
    )


async def push(
    client: httpx.AsyncClient,
    *,
    url: str,
    secret: str,
    webhook_id: str,
    body: bytes,
    now: float,
    within_seconds: float,
) -> Answer:
    """
    POST a body to a customer's server, signed as in Standard Webhooks.

    It counts as taken when the answer is a success, and its body a JSON object whose `result` is 0.
    """
    headers = {
        "Content-Type": "application/json;charset=utf-8",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": Webhook(secret).sign(webhook_id, datetime.fromtimestamp(int(now), UTC), body.decode()),
    }
    try:
        async with (
            asyncio.timeout(within_seconds),
            client.stream("POST", url, content=body, headers=headers) as answer,
        ):
            said = await read_at_most(answer, MOST_BYTES_OF_ANSWER)
    except TimeoutError:
        return Answer(problem=f"no answer within {within_seconds:g} s")
    except TROUBLE as error:
        return Answer(problem=in_words(error))
    if said is None:
        problem = f"an answer of more than {MOST_BYTES_OF_ANSWER} bytes"
    elif answer.is_redirect:
        problem = f"HTTP {answer.status_code}: redirects are not followed"
    elif not answer.is_success:
        problem = f"HTTP {answer.status_code}"
    else:
        problem = _objection_in(said)
    return Answer(problem=problem, http_status=answer.status_code, body=said or b"")


def _objection_in(said: bytes) -> str:
    """Why the body of an answer does not say that all is well; empty: it does."""
    try:
        result = msgspec.json.decode(said, type=_Taken).result
    except (msgspec.DecodeError, RecursionError):
        return "the answer is no JSON object with a number as its result"
    return f"result {result}" if result else ""
