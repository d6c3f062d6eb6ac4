"""`cleartosend message`: the life of one message, from the call that asked for it to its end."""

import re
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import msgspec

from cleartosend.admission.numbers import read_number
from cleartosend.admission.rendering import sign
from cleartosend.api.tencent.errors import SAYINGS
from cleartosend.carriers.dispatch import NO_ANSWER
from cleartosend.cli.options import data_option, json_lines_option, json_option, when
from cleartosend.cli.store import OpenStore, on_store
from cleartosend.model.masks import masked_number, masked_text, masked_value
from cleartosend.model.meanings import Words, meaning_of
from cleartosend.model.messages import LANES, MessageState, Party, accepted_at, message_id_of, serial_no
from cleartosend.model.reasons import Reason
from cleartosend.model.verdicts import Finding
from cleartosend.spool import embedded as spool
from cleartosend.store import timeline
from cleartosend.store.messages import KEPT_TO_PULL_SECONDS
from cleartosend.store.timeline import Found, HandedOver, Push, Timeline, Told

_FAULT = {
    Party.YOU: Words("发送方", "you, who sent it"),
    Party.US: Words("本平台", "us, this platform"),
    Party.CARRIER: Words("运营商", "the carrier"),
    Party.PHONE: Words("手机或号码本身", "the telephone or its number"),
    Party.NOBODY: Words("这个代码没有说明", "nobody that the code names"),
}
# What a state waits for, and what becomes of a message for which it does not come.
_AWAITED = {
    MessageState.ACCEPTED: Words(
        "等待通道接收，至 {}；过时则以 EXPIRED_UNSENT 结束。",
        "It waits for a carrier until {}, and ends as EXPIRED_UNSENT if none takes it.",
    ),
    MessageState.SUBMITTED: Words(
        "等待运营商回执，至 {}；过时则以 NORECEIPT 结束。",
        "It waits for the carrier's receipt until {}, and ends as NORECEIPT if none comes.",
    ),
}
_REFUSED_NEXT = Words(
    "没有发出，也没有计费。改正上述原因后重新发送。",
    "Nothing went out and nothing was charged. Put right what is said above and send it again.",
)
_LANGUAGES = ("zh", "en")
_WHEN_WIDTH, _WHAT_WIDTH = 22, 12


class Step(msgspec.Struct, frozen=True):
    """One thing that happened, in the words shown."""

    at: float
    what: str
    said: tuple[str, ...]
    not_before: float = 0.0
    """When that was which it came of; carriers may write times in whole seconds or minutes."""


@click.group()
def message() -> None:
    """What became of a message, and why."""


@message.command()
@click.argument("serial")
@click.option("--reveal", is_flag=True, help="Show the number, the values and replies in full.")
@click.option("--language", type=click.Choice(_LANGUAGES), help="Say what codes mean in one language. [default: both]")
@data_option
@json_option
def show(serial: str, *, reveal: bool, language: str | None, data: Path | None, as_json: bool) -> None:
    """One message by its serial number or its id: everything that happened to it, in order, and what to do next."""
    message_id = int(serial) if re.fullmatch(r"[0-9]{1,19}", serial) else message_id_of(serial)

    async def work(store: OpenStore) -> Timeline | None:
        return None if message_id is None else await store.engine.read(lambda tx: timeline.of(tx, message_id))

    life = on_store(data, work)
    if life is None:
        problem = f"there is no message {serial}"
        raise click.ClickException(problem)
    if not reveal:
        life = masked(life)
    if as_json:
        click.echo(msgspec.json.encode(explained(life)))
    else:
        click.echo(described(life, [language] if language else _LANGUAGES, now=time.time()))


@message.command()
@click.option("--number", required=True, help="Whom they were for: E.164, or national for the mainland.")
@click.option("--app", "sdk_app_id", help="Only those of this SdkAppId.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%SZ"]),
    help="Only those accepted from then on, UTC.",
)
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most to list.")
@data_option
@json_lines_option
def find(
    number: str, *, sdk_app_id: str | None, since: datetime | None, limit: int, data: Path | None, as_json: bool
) -> None:
    """The messages to a number, newest first, refused ones among them."""
    read = read_number(number)
    if read is None:
        problem = f"{number}: no telephone number"
        raise click.UsageError(problem)
    from_then_on = since.replace(tzinfo=UTC).timestamp() if since else 0.0

    async def work(store: OpenStore) -> list[Found]:
        return await store.engine.read(
            lambda tx: timeline.to_number(tx, read.e164, sdk_app_id=sdk_app_id, since=from_then_on, limit=limit)
        )

    found = on_store(data, work)
    for one in found:
        serial = serial_no(one.id, international=one.international)
        if as_json:
            click.echo(msgspec.json.encode({"serial_no": serial, **msgspec.to_builtins(one)}))
        else:
            why = one.reason or one.code
            click.echo(f"{serial}\t{when(one.accepted_at)}\tapp {one.sdk_app_id}\t{one.state}{why and f' ({why})'}")
    if not found and not as_json:
        click.echo("None.")


def masked(life: Timeline) -> Timeline:
    """The life of a message without what only its sender and its recipient need to know."""
    told = life.message
    return msgspec.structs.replace(
        life,
        message=msgspec.structs.replace(
            told,
            number=masked_number(told.number),
            text=masked_text(told.text, told.spans),
            findings=tuple(_masked_finding(told, finding) for finding in told.findings),
            session_context=masked_value(told.session_context),
        ),
        replies=[msgspec.structs.replace(reply, text=masked_value(reply.text)) for reply in life.replies],
    )


def _masked_finding(told: Told, finding: Finding) -> Finding:
    """What a finding quotes is masked where it is of a value; the edit that it proposes holds the values too."""
    # A finding counts from the body, a span from the signature before it.
    ahead = len(sign("", told.signature, international=told.international))
    inside = [
        (max(start - ahead - finding.start, 0), min(end - ahead, finding.end) - finding.start)
        for start, end in told.spans
        if start - ahead < finding.end and end - ahead > finding.start
    ]
    return msgspec.structs.replace(finding, quote=masked_text(finding.quote, inside), fix=None)


# --- for programs ---


def explained(life: Timeline) -> dict[str, Any]:
    """The life of a message with what its codes mean."""
    told = life.message
    built: dict[str, Any] = msgspec.to_builtins(life)
    for one in (*built["attempts"], *built["receipts"]):
        one["says"] = msgspec.to_builtins(meaning_of(one["code"]).says)
    return {
        "serial_no": serial_no(told.id, international=told.international),
        "state": told.state,
        **built,
        "at_fault": told.party,
        "says": msgspec.to_builtins(_says(told)),
        "next": msgspec.to_builtins(_next(told)),
    }


def _says(told: Told) -> Words:
    if told.reason:
        saying = SAYINGS[Reason(told.reason)]
        # The detail that stood in it is not kept.
        return Words(*[said.partition("{}")[0].rstrip(" :：(（`") for said in (saying.chinese, saying.english)])
    return meaning_of(told.code).says if told.code else Words("", "")


def _next(told: Told) -> Words:
    """What to do, or what is waited for."""
    if told.state is MessageState.REFUSED:
        return _REFUSED_NEXT
    if told.state in _AWAITED and told.deadline_at is not None:
        until = when(told.deadline_at)
        awaited = _AWAITED[told.state]
        return Words(awaited.zh.format(until), awaited.en.format(until))
    return meaning_of(told.code).next


# --- for people ---


def described(life: Timeline, languages: Sequence[str], *, now: float) -> str:
    """The life of a message, one thing after another."""
    told = life.message
    abroad = f" ({told.iso})" if told.iso else ""
    lines = [
        f"message {told.id}: {told.state}",
        f"  serial    {serial_no(told.id, international=told.international)}",
        f"  to        {told.number}{abroad}",
        f"  text      {told.text or '(never put together)'}",
        "",
    ]
    steps = sorted(_steps(life, languages, now=now), key=lambda step: max(step.at, step.not_before))
    for step in steps:
        first, *others = step.said
        lines.append(f"{when(step.at):{_WHEN_WIDTH}}{step.what:{_WHAT_WIDTH}}{first}")
        lines += [" " * (_WHEN_WIDTH + _WHAT_WIDTH) + other for other in others]
    ending = list(_ending(told, languages))
    return "\n".join([*lines, "", *ending] if ending else lines)


def _steps(life: Timeline, languages: Sequence[str], *, now: float) -> Iterator[Step]:
    """What happened; what happened at the same moment in the order of these lines."""
    told = life.message
    yield _began(told, languages)
    if judged := tuple(_judged(told)):
        yield Step(told.accepted_at, "judged", judged)
    if told.state is MessageState.REFUSED:
        return
    yield Step(told.accepted_at, "queued", (f"in the lane of {LANES[told.type].name.lower()}", *_in_spool(life)))
    yield from _not_taken(life, languages)
    yield from _submitted(life)
    taken_at = {(one.carrier, one.carrier_id): one.at for one in life.handed_over}
    last_taken = max(taken_at.values(), default=0.0)
    for receipt in life.receipts:
        meant = _in(meaning_of(receipt.code).says, languages)
        said = (f"{receipt.carrier} {receipt.code} ({receipt.carrier_id})", *meant)
        yield Step(receipt.at, "receipt", said, not_before=taken_at[receipt.carrier, receipt.carrier_id])
    if told.ended_at is not None:
        explained_above = {attempt.code for attempt in life.attempts} | {receipt.code for receipt in life.receipts}
        meant = () if told.code in explained_above else _in(meaning_of(told.code).says, languages)
        yield Step(told.ended_at, told.state, (told.code, *meant))
        yield Step(told.ended_at, "pull queue", (_pulled(life, now=now),))
    for reply in life.replies:
        wish = f", taken as {reply.wish}" if reply.wish else ""
        pulled = "pulled" if reply.pulled else "waits to be pulled"
        yield Step(reply.at, "reply", (f"“{reply.text}”{wish}; {pulled}",), not_before=last_taken)
    for push in life.callbacks:
        yield Step(push.at, "callback", tuple(_pushed(push)), not_before=last_taken)
    if life.converted_at is not None:
        yield Step(life.converted_at, "conversion", ("its code was used, says the customer",))


def _began(told: Told, languages: Sequence[str]) -> Step:
    call: tuple[str, ...] = (
        f"call {told.submission_id} of account {told.account_id}, app {told.sdk_app_id}",
        f"template {told.template_id} ({told.type}), signature {told.signature or '(none)'}",
    )
    if told.confirms:
        call = (*call, "confirms an opt-out or opting in again")
    if told.state is MessageState.REFUSED:
        why = f"{told.reason}, on the wire {SAYINGS[Reason(told.reason)].code}"
        return Step(told.accepted_at, "refused", (*call, why, *_in(_says(told), languages)))
    extras = [
        f"{name} {value}"
        for name, value in (("extension code", told.extension_code), ("sender", told.sender_id))
        if value
    ]
    count = _times(told.segments, "segment")
    return Step(told.accepted_at, "accepted", (*call, ", ".join([count, *extras])))


def _judged(told: Told) -> Iterator[str]:
    """What the policy said; nothing where the message was never put together."""
    if not told.rulebook:
        return
    yield f"by rulebook {told.rulebook[:12]}" + ("" if told.findings else ": nothing found")
    for finding in told.findings:
        quoted = f": “{finding.quote}”" if finding.quote else ""
        yield f"{finding.action} {finding.rule}{quoted}"
        yield f"  {finding.because}"


def _in_spool(life: Timeline) -> Iterator[str]:
    if life.in_spool is None:
        return
    yield f"by the route {life.in_spool.route}"
    if life.in_spool.claimed_until > spool.IN_DOUBT:
        yield f"a carrier is being asked; if it does not answer, that ends {when(life.in_spool.claimed_until)}"
    else:
        tried = _times(life.in_spool.attempts, "attempt")
        tried += ", of which one may have reached a carrier" if life.in_spool.claimed_until else ""
        due = f"next due {when(life.in_spool.due_at)}" if life.in_spool.due_at else "due at once"
        yield f"{due}, after {tried}"


def _not_taken(life: Timeline, languages: Sequence[str]) -> Iterator[Step]:
    """What carriers did not take, or did not answer; one step for the same answer again and again."""
    for (carrier, code, again), same in groupby(life.attempts, lambda one: (one.carrier, one.code, one.again)):
        first, *others = same
        what = "no answer" if code == NO_ANSWER else "not taken"
        then = "" if code == NO_ANSWER else ", to be tried again" if again else ", for good"
        often = f", {len(others) + 1} times until {when(others[-1].at)}" if others else ""
        yield Step(first.at, what, (f"{carrier} {code}{then}{often}", *_in(meaning_of(code).says, languages)))


def _submitted(life: Timeline) -> Iterator[Step]:
    """One step for each time that a carrier took it, however many parts it made of it."""
    for at, carrier in dict.fromkeys((one.at, one.carrier) for one in life.handed_over):
        parts = [one for one in life.handed_over if (one.at, one.carrier) == (at, carrier)]
        took = f"{carrier} took it as {', '.join(one.carrier_id for one in parts)}"
        yield Step(at, "submitted", (took, *_reported(life, parts)))


def _reported(life: Timeline, parts: Sequence[HandedOver]) -> Iterator[str]:
    """Which parts of several the carrier has reported on."""
    if len(parts) == 1:
        return
    if parts[0].parts == 1:
        yield f"{len(parts)} parts, which it reports on as one"
        return
    reported = {(receipt.carrier, receipt.carrier_id) for receipt in life.receipts}
    silent = [one.carrier_id for one in parts if (one.carrier, one.carrier_id) not in reported]
    said = f"no receipt yet for {', '.join(silent)}" if silent else "a receipt for each"
    yield f"{len(parts)} parts, {said}"


def _pulled(life: Timeline, *, now: float) -> str:
    if life.waits_to_be_pulled:
        return "waits to be pulled"
    if now - accepted_at(life.message.id) > KEPT_TO_PULL_SECONDS:
        return "pulled, or taken out after a week"
    return "pulled"


def _pushed(push: Push) -> Iterator[str]:
    done = f" {when(push.done_at)}" if push.done_at is not None else ""
    yield f"{push.kind} {push.code}".rstrip() + f": {push.standing}{done}, {_times(push.attempts, 'attempt')}"
    if push.error:
        yield push.error


def _ending(told: Told, languages: Sequence[str]) -> Iterator[str]:
    """Who is at fault, and what to do or wait for."""
    if told.state in {MessageState.REFUSED, MessageState.FAILED, MessageState.EXPIRED, MessageState.UNKNOWN}:
        yield from _labelled("at fault", _in(_FAULT[told.party], languages))
    label = "waiting" if told.state in _AWAITED else "next"
    yield from _labelled(label, _in(_next(told), languages))


def _times(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _labelled(label: str, words: Sequence[str]) -> Iterator[str]:
    for place, line in enumerate(words):
        yield f"{label if place == 0 else '':10}{line}"


def _in(words: Words, languages: Sequence[str]) -> tuple[str, ...]:
    return tuple(said for said in (getattr(words, language) for language in languages) if said)
