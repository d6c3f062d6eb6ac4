"""Scores the engine on labelled texts and writes the figures into docs/reference/evaluation.md; `make evaluate`."""

import argparse
import gc
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from pathlib import Path

from cleartosend.model.verdicts import Decision, MessageType, Submission, Verdict
from cleartosend.policy.judge import judge
from cleartosend.policy.resemblance import CHECKS
from cleartosend.policy.rulebook import Rulebook, load_rulebook
from cleartosend.policy.telling import deciding
from cleartosend.testing import attacks
from evaluation.labelled import Expected, Labelled, Round, development, rounds, submitted, training, written
from evaluation.pages import replaced, share, table

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "evaluation.md"
SEED = 20261122
# Of one label of a public set: enough to tell percents apart, few enough to be done in a minute.
MOST_OF_A_LABEL = 400
MOST_UNDER_ATTACK = 400
_LENGTHS = (20, 40, 70, 140, 275)
_REPEATS = 3

Judged = tuple[Labelled, Verdict]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="where policy-dev.jsonl and policy-train.jsonl.gz are")
    folder: Path | None = parser.parse_args().folder
    rulebook = load_rulebook()
    ours = written()
    tried = rounds()
    blocks = {
        "rounds": by_round(tried, rulebook),
        "rounds-attacks": under_attack([text for one in tried for text in one.texts()], rulebook),
        "written": whole(ours, rulebook),
        "written-wrong": wrong(ours, rulebook),
        "written-attacks": under_attack(ours, rulebook),
    }
    if folder is not None:
        read = development(folder)
        sample = sampled(training(folder))
        blocks |= {
            "development": whole(read, rulebook),
            "development-attacks": under_attack(read, rulebook),
            "training": by_label(sample, rulebook),
        }
    page = PAGE.read_text("utf-8")
    for name, block in blocks.items():
        sys.stdout.write(f"## {name}\n\n{block}\n\n")
        page = replaced(page, name, block)
    PAGE.write_text(page, "utf-8")


# ---- what is measured ----


def whole(texts: Sequence[Labelled], rulebook: Rulebook) -> str:
    """All tables of one labelled set."""
    judged = [(text, judge(submitted(text), rulebook)) for text in texts]
    tables = [
        f"{len(texts):,} texts; rulebook {rulebook.digest[:12]}.",
        headline(judged),
        "What must be stopped, by category:",
        by_category(judged),
        "What is allowed, by nature:",
        decisions_of(judged, Expected.ALLOWED, _nature_of),
        "By source and language:",
        by_source(judged),
        "Read as (down: as labelled; across: what the engine reads):",
        nature_confusion(judged),
        "Speed of a judgement, by length of the text:",
        speed(texts, rulebook),
    ]
    return "\n\n".join(tables)


def wrong(texts: Iterable[Labelled], rulebook: Rulebook) -> str:
    """The texts that are decided otherwise than they should be, for those that may be shown."""
    rows = []
    for text in texts:
        verdict = judge(submitted(text), rulebook)
        approved = verdict.decision is Decision.APPROVE
        if approved == (text.expected is Expected.STOPPED):
            rules = ", ".join(dict.fromkeys(finding.rule for finding in verdict.findings))
            rows.append((text.text, f"{text.expected} {text.category}".removesuffix(" none"), verdict.decision, rules))
    return table(("text", "to be", "is", "by"), rows)


def by_round(tried: Iterable[Round], rulebook: Rulebook) -> str:
    """Each round as it was judged the first time and as it is judged now."""
    rows = []
    for number, one in enumerate(tried, start=1):
        judged = [(text, judge(submitted(text), rulebook)) for text in one.texts()]
        stopped = [verdict for text, verdict in judged if text.expected is Expected.STOPPED]
        allowed = [verdict for text, verdict in judged if text.expected is Expected.ALLOWED]
        rows.append(
            (
                number,
                one.about,
                len(stopped),
                share(len(stopped) - one.first.approved, len(stopped)),
                share(_not_approved(stopped), len(stopped)),
                len(allowed),
                share(one.first.rejected, len(allowed)),
                share(_how_many(allowed, Decision.REJECT), len(allowed)),
                share(one.first.referred, len(allowed)),
                share(_how_many(allowed, Decision.REFER), len(allowed)),
            )
        )
    columns = ("", "texts", "to stop", "not approved at first", "now", "allowed", "rejected at first", "now")
    return table((*columns, "referred at first", "now"), rows)


def headline(judged: Sequence[Judged]) -> str:
    """The figures by which the policy is held."""
    stopped = [verdict for text, verdict in judged if text.expected is Expected.STOPPED]
    allowed = [verdict for text, verdict in judged if text.expected is Expected.ALLOWED and not text.personal]
    rejected = [verdict for _, verdict in judged if verdict.decision is Decision.REJECT]
    alone = [verdict for _, verdict in judged if verdict.decision is not Decision.REFER]
    quoting = [verdict for verdict in rejected if any(finding.quote for finding in deciding(verdict.findings))]
    return table(
        ("", "of", "share"),
        [
            ("to be stopped, not approved", len(stopped), share(_not_approved(stopped), len(stopped))),
            ("to be stopped, rejected", len(stopped), share(_how_many(stopped, Decision.REJECT), len(stopped))),
            ("of that, referred only by the model", len(stopped), share(_only_by(stopped, CHECKS), len(stopped))),
            ("allowed, rejected", len(allowed), share(_how_many(allowed, Decision.REJECT), len(allowed))),
            ("allowed, referred", len(allowed), share(_how_many(allowed, Decision.REFER), len(allowed))),
            ("of that, only to open a link", len(allowed), share(_only_by(allowed, {_LINK_RULE}), len(allowed))),
            ("of that, only by the model", len(allowed), share(_only_by(allowed, CHECKS), len(allowed))),
            ("decided without a person", len(judged), share(len(alone), len(judged))),
            ("rejections that quote words", len(rejected), share(len(quoting), len(rejected))),
        ],
    )


_LINK_RULE = "link-needs-opening"


def by_category(judged: Iterable[Judged]) -> str:
    """Each kind that must be stopped."""
    return decisions_of(judged, Expected.STOPPED, lambda text: text.category)


def decisions_of(judged: Iterable[Judged], expected: Expected, key: Callable[[Labelled], str]) -> str:
    """How texts of one expectation were decided, a row for each key."""
    counts: dict[str, Counter[Decision]] = {}
    for text, verdict in judged:
        if text.expected is expected:
            counts.setdefault(key(text), Counter())[verdict.decision] += 1
    rows = [
        (name, sum(of.values()), *(share(of[decision], sum(of.values())) for decision in Decision))
        for name, of in sorted(counts.items())
    ]
    return table(("", "texts", "approved", "referred", "rejected"), rows)


def by_source(judged: Sequence[Judged]) -> str:
    """A row for each source and language: what was stopped, and what of the allowed was not let through."""
    rows = []
    for key in sorted({(text.source, text.language) for text, _ in judged}):
        here = [(text, verdict) for text, verdict in judged if (text.source, text.language) == key]
        stopped = [verdict for text, verdict in here if text.expected is Expected.STOPPED]
        allowed = [verdict for text, verdict in here if text.expected is Expected.ALLOWED and not text.personal]
        rows.append(
            (
                *key,
                len(stopped),
                share(_not_approved(stopped), len(stopped)),
                len(allowed),
                share(_how_many(allowed, Decision.REJECT), len(allowed)),
                share(_how_many(allowed, Decision.REFER), len(allowed)),
            )
        )
    return table(("source", "", "to stop", "not approved", "allowed", "rejected", "referred"), rows)


def nature_confusion(judged: Iterable[Judged]) -> str:
    """What the engine reads texts as, against what they are; chat left out."""
    read: dict[str, Counter[str]] = {}
    for text, verdict in judged:
        if text.nature is not None and not text.personal:
            read.setdefault(text.nature, Counter())[verdict.nature] += 1
    columns = ("verification", "notification", "marketing", "unclear")
    rows = [(nature, sum(of.values()), *(of[column] for column in columns)) for nature, of in sorted(read.items())]
    return table(("", "texts", *columns), rows)


def speed(texts: Sequence[Labelled], rulebook: Rulebook) -> str:
    """CPU time of a judgement, the least of a few runs over the texts of each length; each finding takes longer."""
    rows = []
    for longest, band in _bands([submitted(text) for text in texts]):
        approved = [judge(submission, rulebook).decision is Decision.APPROVE for submission in band]
        columns: list[object] = []
        for wanted in (True, False):
            part = [submission for submission, is_approved in zip(band, approved, strict=True) if is_approved == wanted]
            times = [_cpu_microseconds(part, rulebook) for _ in range(_REPEATS if part else 0)]
            columns += [len(part), f"{min(times):.0f} µs" if times else "-"]
        rows.append((f"up to {longest}" if longest else f"over {_LENGTHS[-1]}", *columns))
    return table(("characters", "approved", "CPU, mean", "others", "CPU, mean"), rows)


def by_label(texts: Sequence[Labelled], rulebook: Rulebook) -> str:
    """The public sets by label: how texts were decided as what they are, and adverts also when declared a notice."""
    groups: dict[tuple[str, str], list[Labelled]] = {}
    for text in texts:
        groups.setdefault((text.source, text.label), []).append(text)
    rows = []
    for (source, label), group in sorted(groups.items()):
        verdicts = [judge(submitted(text), rulebook) for text in group]
        as_notice = [judge(submitted(text, MessageType.NOTIFICATION), rulebook) for text in group]
        rows.append(
            (
                source,
                label,
                group[0].expected.value,
                len(group),
                *(share(_how_many(verdicts, decision), len(group)) for decision in Decision),
                share(_not_approved(as_notice), len(group)),
            )
        )
    columns = ("set", "label", "expected", "texts", "approved", "referred", "rejected", "as a notice, not approved")
    return f"Rulebook {rulebook.digest[:12]}.\n\n" + table(columns, rows)


def under_attack(texts: Sequence[Labelled], rulebook: Rulebook) -> str:
    """Of what is stopped in the clear, the share that stays stopped under each attack; the rules are the same."""
    generator = random.Random(SEED)  # noqa: S311 - a choice that can be repeated
    stopped = [
        text
        for text in texts
        if text.expected is Expected.STOPPED and judge(submitted(text), rulebook).decision is not Decision.APPROVE
    ]
    stopped = generator.sample(stopped, min(len(stopped), MOST_UNDER_ATTACK))
    rows = []
    for name, attack in sorted(attacks.ALL.items()):
        attacked = [submitted(_with_text(text, attack(text.text, generator))) for text in stopped]
        changed = sum(one.text != submitted(text).text for one, text in zip(attacked, stopped, strict=True))
        verdicts = [judge(submission, rulebook) for submission in attacked]
        rejected = share(_how_many(verdicts, Decision.REJECT), len(verdicts))
        rows.append((name, changed, share(_not_approved(verdicts), len(verdicts)), rejected))
    return table((f"attack on {len(stopped)} texts", "changed", "still stopped", "rejected"), rows)


# ---- small parts ----


def sampled(texts: Iterable[Labelled]) -> list[Labelled]:
    """Some of each label of each set, the same at every run."""
    groups: dict[tuple[str, str], list[Labelled]] = {}
    for text in texts:
        groups.setdefault((text.source, text.label), []).append(text)
    generator = random.Random(SEED)  # noqa: S311 - a choice that can be repeated
    return [
        text
        for _, group in sorted(groups.items())
        for text in generator.sample(group, min(len(group), MOST_OF_A_LABEL))
    ]


def _how_many(verdicts: Iterable[Verdict], decision: Decision) -> int:
    return sum(verdict.decision is decision for verdict in verdicts)


def _not_approved(verdicts: Iterable[Verdict]) -> int:
    return sum(verdict.decision is not Decision.APPROVE for verdict in verdicts)


def _only_by(verdicts: Iterable[Verdict], rules: Container[str]) -> int:
    return sum(
        verdict.decision is Decision.REFER and all(finding.rule in rules for finding in verdict.findings)
        for verdict in verdicts
    )


def _nature_of(text: Labelled) -> str:
    return "chat" if text.personal else str(text.nature)


def _with_text(labelled: Labelled, text: str) -> Labelled:
    return Labelled(text=text, language=labelled.language, source=labelled.source, nature=labelled.nature)


def _bands(submissions: Iterable[Submission]) -> Iterator[tuple[int | None, list[Submission]]]:
    bands: dict[int | None, list[Submission]] = {}
    for submission in submissions:
        longest = next((most for most in _LENGTHS if len(submission.text) <= most), None)
        bands.setdefault(longest, []).append(submission)
    for longest in (*_LENGTHS, None):
        if longest in bands:
            yield longest, bands[longest]


def _cpu_microseconds(submissions: Sequence[Submission], rulebook: Rulebook) -> float:
    gc.collect()
    started = time.process_time()
    for submission in submissions:
        judge(submission, rulebook)
    return (time.process_time() - started) / len(submissions) * 1e6


if __name__ == "__main__":
    main()
