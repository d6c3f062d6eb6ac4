"""Opens the links of templates when they are applied for, and again and again while they may be sent."""

import asyncio
import contextlib
import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import httpx
import msgspec
from sqlalchemy import Connection

from cleartosend import telemetry
from cleartosend.model.accounts import MACHINE, Account
from cleartosend.model.applications import ReviewEvent, ReviewMove, ReviewState, Subject, Template
from cleartosend.model.links import Agent, Sight, Visit
from cleartosend.model.messages import Ending
from cleartosend.model.verdicts import Action, Decision, Finding, Nature, Verdict
from cleartosend.outbound import Guard
from cleartosend.policy.telling import in_words
from cleartosend.ports import Engine, StopAccount, StopApplication, StoreUnavailable, Suspended
from cleartosend.review.moves import make, tell
from cleartosend.review.pages import look, urls_of
from cleartosend.review.sights import Judge, domain_of, findings_of, moved
from cleartosend.review.triage import suspend, triage
from cleartosend.store import accounts, applications, links
from cleartosend.store.links import Check, Seen

NEEDS_OPENING = "link-needs-opening"
"""The rule that refers a template for its links alone."""
NOT_REACHED = "link-not-reached"
MOST_LINKS = 10
"""A text has room for hardly more."""
MOST_AT_ONCE = 4
CLAIM_SECONDS = 600.0
LOOK_AGAIN_SECONDS = 5.0
AFTER_TROUBLE_SECONDS = 1.0

TRIES = 3
"""Looks in a row without an answer after which a link counts as broken, if others did open meanwhile."""
AFTER_NO_ANSWER_SECONDS = (60.0, 600.0, 3600.0)
WHILE_A_PERSON_DECIDES_SECONDS = 86_400.0
FIRST_LOOK_AGAIN_SECONDS = 3600.0
RAREST_LOOK_SECONDS = 30 * 86_400.0
WAY_OUT_SECONDS = 86_400.0
"""How long one link that opened proves that links can be opened from here."""
LARGE_SEND = 1000
"""Messages of one template after which its links are opened again, once."""


class Done(NamedTuple):
    """What followed from opening a template's links."""

    event: ReviewEvent | None = None
    """The move made."""
    suspended: Suspended | None = None
    """The account stopped."""
    ended: Sequence[Ending] = ()
    """What waited with a template whose approval was taken back."""


class Links:
    """Opens links for one process. With no way out to the internet, templates with links wait for a person."""

    def __init__(
        self,
        *,
        engine: Engine,
        guard: Guard,
        judge: Judge,
        clock: Callable[[], float],
        stop_account: StopAccount,
        stop_application: StopApplication,
    ) -> None:
        self._engine = engine
        self._guard = guard
        self._judge = judge
        self._clock = clock
        self._stop_account = stop_account
        self._stop_application = stop_application
        self._opened_at: float | None = None
        self._sent: dict[str, int] = {}
        self._large: set[int] = set()
        self._look = asyncio.Event()

    def wake(self) -> None:
        """A template with links has been applied for."""
        self._look.set()

    def sent(self, template_id: str, messages: int) -> None:
        """So many messages of a template have been accepted; a large send is worth another look at its links."""
        before = self._sent.get(template_id, 0)
        self._sent[template_id] = before + messages
        if before < LARGE_SEND <= before + messages:
            self._large.add(int(template_id))
            self._look.set()

    async def run(self) -> None:
        """Open what is due until cancelled; a look that was not finished is taken anew when its claim runs out."""
        async with self._guard.client(most_connections=2 * MOST_AT_ONCE) as client:
            while True:
                self._look.clear()
                try:
                    more = await self.open_due(client)
                except StoreUnavailable as error:
                    telemetry.log.error("links.unavailable", error=str(error))
                    await asyncio.sleep(AFTER_TROUBLE_SECONDS)
                    continue
                if not more:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_AGAIN_SECONDS):
                            await self._look.wait()

    async def open_due(self, client: httpx.AsyncClient) -> int:
        """Open the links of some templates that are due, and decide on them; returns of how many."""
        checks = await self._due()
        await asyncio.gather(*(self._open_safely(client, check) for check in checks))
        return len(checks)

    async def _open_safely(self, client: httpx.AsyncClient, check: Check) -> None:
        try:
            await self._open(client, check)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - one page's trouble must not end the opening of the others
            # The claim stays until it runs out, and the template is tried again then.
            telemetry.log.exception("link.broken", template=check.template_id)

    async def _due(self) -> list[Check]:
        now, large = self._clock(), list(self._large)
        self._large.clear()

        def claim(tx: Connection) -> list[Check]:
            for template_id in large:
                links.hurry(tx, template_id, now=now)
            return links.claim(tx, now=now, until=now + CLAIM_SECONDS, limit=MOST_AT_ONCE)

        return await self._engine.write(claim)

    async def _open(self, client: httpx.AsyncClient, check: Check) -> None:
        template = await self._engine.read(lambda tx: applications.find_template(tx, check.template_id))
        visits: list[Visit] = []
        findings: tuple[Finding, ...] = ()
        if template is not None:
            visits = await self._visit(client, urls_of(template.text)[:MOST_LINKS])
            gone = _silent(visits) and check.tries + 1 >= TRIES and self._has_a_way_out()
            findings = findings_of(template.text, visits, self._judge, still_unreachable_is_broken=gone)
        done = await self._engine.write(
            lambda tx: decide(
                tx,
                check,
                visits,
                findings,
                now=self._clock(),
                stop_account=self._stop_account,
                stop_application=self._stop_application,
            )
        )
        tell(done.event, suspended=done.suspended)
        telemetry.tell_ended(done.ended)

    async def _visit(self, client: httpx.AsyncClient, urls: Sequence[str]) -> list[Visit]:
        now = self._clock()
        visits = [await look(client, self._guard, url, agent, now=now) for url, agent in itertools.product(urls, Agent)]
        for visit in visits:
            telemetry.LINKS_OPENED.labels(visit.sight).inc()
            if visit.status:
                self._opened_at = now
        if not self._has_a_way_out():
            # A name server of our own that knows no names is no proof against the link.
            visits = [
                msgspec.structs.replace(visit, sight=Sight.UNREACHABLE) if visit.sight is Sight.BROKEN else visit
                for visit in visits
            ]
        return visits

    def _has_a_way_out(self) -> bool:
        return self._opened_at is not None and self._clock() - self._opened_at < WAY_OUT_SECONDS


def decide(
    tx: Connection,
    check: Check,
    visits: Sequence[Visit],
    findings: tuple[Finding, ...],
    *,
    now: float,
    stop_account: StopAccount,
    stop_application: StopApplication,
) -> Done:
    """Keep what was seen behind a template's links, and do what follows from it."""
    template = applications.find_template(tx, check.template_id)
    account = accounts.find(tx, template.account_id) if template else None
    links.keep(tx, check.template_id, visits)
    if template is None or account is None or template.state in {ReviewState.REJECTED, ReviewState.BANNED}:
        links.unwatch(tx, check.template_id)
        return Done()
    if template.state is ReviewState.APPROVED:
        verdict = _changed(template, check, visits, findings)
        done = Done()
        if verdict.findings:
            done = recall(
                tx,
                template,
                verdict,
                account=account,
                now=now,
                stop_account=stop_account,
                stop_application=stop_application,
            )
    else:
        done = Done(*_first_look(tx, template, account, findings, now=now, stop=stop_account))
    _plan(tx, template, check, visits, findings, done.event, now=now)
    return done


def recall(
    tx: Connection,
    template: Template,
    verdict: Verdict,
    *,
    account: Account,
    now: float,
    stop_account: StopAccount,
    stop_application: StopApplication,
) -> Done:
    """Take back the approval until a person has looked at what changed; what waits with the template stops."""
    reason, because = verdict.findings[0].rule, in_words(verdict.findings)
    event = make(tx, template, ReviewMove.RECALL, by=MACHINE, now=now, reason=reason, because=because, verdict=verdict)
    if event is None:
        return Done()
    ended = stop_application(tx, template, now=now)
    suspended = suspend(tx, account, verdict, now=now, stop_account=stop_account) if verdict.bans else None
    return Done(event, suspended, ended)


def _first_look(
    tx: Connection,
    template: Template,
    account: Account,
    findings: tuple[Finding, ...],
    *,
    now: float,
    stop: StopAccount,
) -> tuple[ReviewEvent | None, Suspended | None]:
    """Decide a template that waits for nothing but its links; reject any whose links speak against it."""
    referred = applications.events_of(tx, Subject.TEMPLATE, template.id)[-1]
    verdict = _verdict(findings, referred.rulebook)
    for_links_alone = (
        referred.move is ReviewMove.REFER
        and referred.by == MACHINE
        and {finding.rule for finding in referred.findings} == {NEEDS_OPENING}
    )
    if verdict.decision is Decision.APPROVE and not for_links_alone:
        return None, None
    return triage(tx, template, verdict, account=account, now=now, stop_account=stop)


def _changed(template: Template, check: Check, visits: Sequence[Visit], findings: tuple[Finding, ...]) -> Verdict:
    """What has come up that was not there when the template was approved."""
    before = check.seen or Seen(domains=_ends_of(visits), rules=_rules(findings))
    elsewhere = moved(template.text, dict(before.domains), visits)
    new = tuple(finding for finding in findings if finding.rule not in {*before.rules, NOT_REACHED})
    return _verdict((*new, *elsewhere), rulebook="")


def _plan(
    tx: Connection,
    template: Template,
    check: Check,
    visits: Sequence[Visit],
    findings: tuple[Finding, ...],
    event: ReviewEvent | None,
    *,
    now: float,
) -> None:
    """When to look again: soon where nobody answered, ever more rarely where nothing changes."""
    if event is not None and event.move is ReviewMove.REJECT:
        links.unwatch(tx, template.id)
        return
    tries, trust, seen = 0, check.trust, Seen(domains=_ends_of(visits), rules=_rules(findings))
    if _silent(visits):
        tries, seen = check.tries + 1, check.seen or seen
        wait = AFTER_NO_ANSWER_SECONDS[min(tries, len(AFTER_NO_ANSWER_SECONDS)) - 1]
    elif event is not None and event.move is ReviewMove.APPROVE:
        trust, wait = 0, FIRST_LOOK_AGAIN_SECONDS
    elif template.state is ReviewState.APPROVED and event is None:
        trust, wait = check.trust + 1, min(FIRST_LOOK_AGAIN_SECONDS * 2 ** (check.trust + 1), RAREST_LOOK_SECONDS)
    else:
        wait = WHILE_A_PERSON_DECIDES_SECONDS
    links.plan(
        tx, msgspec.structs.replace(check, due_at=now + wait, tries=min(tries, 99), trust=min(trust, 99), seen=seen)
    )


def _verdict(findings: tuple[Finding, ...], rulebook: str) -> Verdict:
    actions = {finding.action for finding in findings}
    decision = Decision.APPROVE
    if actions:
        decision = Decision.REFER if actions == {Action.REFER} else Decision.REJECT
    return Verdict(decision=decision, nature=Nature.UNCLEAR, rulebook=rulebook, findings=findings)


def _silent(visits: Sequence[Visit]) -> bool:
    """Whether some link did not answer at all."""
    return any(
        all(visit.sight is Sight.UNREACHABLE for visit in visits if visit.url == url)
        for url in {visit.url for visit in visits}
    )


def _ends_of(visits: Sequence[Visit]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(visit.url, domain_of(visit.final_url)) for visit in visits if visit.sight is Sight.OPENED}))


def _rules(findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(sorted({finding.rule for finding in findings}))
