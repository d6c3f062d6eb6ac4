"""
Trains policy/model.npz on public sets, the rules' own examples and made texts, and writes the model card's figures.

`python -m evaluation.train FOLDER`, of the folder in which policy-train.jsonl.gz is. The same data, rules and releases
of numpy and scikit-learn make the same file.
"""

import argparse
import hashlib
import random
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from sklearn.feature_selection import chi2
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from cleartosend.model.verdicts import Decision, MessageType, Nature, Part
from cleartosend.policy import classifier
from cleartosend.policy.classifier import ALLOWED, BUCKET_BITS, LONGEST_GRAM, buckets_of
from cleartosend.policy.judge import judge
from cleartosend.policy.nature import shows_members
from cleartosend.policy.normalise import fold, normalise
from cleartosend.policy.resemblance import CHECKS, KINDS
from cleartosend.policy.rulebook import Rulebook, load_rulebook
from cleartosend.policy.telling import deciding
from evaluation.labelled import HERE, Expected, Labelled, submitted, training, with_opt_out
from evaluation.pages import replaced, share, table

CARD = HERE.parent / "docs" / "reference" / "model-card.md"
MODEL = HERE.parent / "src" / "cleartosend" / "policy" / classifier.MODEL
SEED = 20261122
MOST_OF_A_LABEL = 3000
MADE_OF_A_FRAME = 25
MADE_OF_A_KIND = 30
ROWS = 8192
STRENGTH = 3.0
# The rules' own examples are templates and their near misses, which the sets have next to none of.
WORTH = {"rules": 4.0}
MOST_DOUBTED = {False: 0.007, True: 0.015}
"""Of what is allowed in each of the sources below, held out, the share that may be doubted; of marketing the second."""
MOST_TAKEN_FOR_PROMOTIONS = 0.003
ORDINARY = {False: ("rules",), True: ("frames", "fbs", "zh-spam")}
_HELD_OUT_WITH = {"phrases": "frames", "nus-zh": "chat", "nus-en": "chat", "zh-nonspam": "chat"}
CHAT = "chat"
NATURES = (Nature.VERIFICATION, Nature.NOTIFICATION, Nature.MARKETING, CHAT)
_OF_SHOPS = {"AD:Retail", "AD:Network_service"}
# What the rulebook calls by its own name and the model takes together.
_TAKEN_FOR = {"loan-app-link": "loan", "credit-record": "loan"}
_A_NUMBER = re.compile(r"(?<![a-z])digit(?![a-z])")
_STANDS_FOR_A_NAME = re.compile(r"(?<![a-z])(?:place|name|bank|phone|url|cellphone|qqwechat)(?![a-z])")
_OPT_OUT = re.compile(
    r"[,。!]? ?(?:拒收请回复r|(?:回复? ?td?n?r?)? ?退订(?:请?回复? ?(?:td|t|n|r))?|reply stop to unsubscribe)\W*$"
)
_GAP = re.compile(r"<([a-z]+)>")


class Sample(NamedTuple):
    """A text to learn from; what is not known of it is None."""

    text: str
    source: str
    kind: str | None
    nature: str | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where policy-train.jsonl.gz is")
    folder: Path = parser.parse_args().folder
    rulebook = load_rulebook()
    samples = [*from_sets(folder, rulebook), *from_rules(rulebook), *from_frames(), *from_phrases()]
    _tell(f"{len(samples):,} samples; " + str(Counter(sample.source for sample in samples)))
    _tell(str(Counter(sample.kind for sample in samples)))
    corpus = corpus_of(samples)
    with threadpool_limits(1):
        held_out = calibrated(corpus)
        _write(learn(corpus), held_out)
    written_as = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    _tell(f"{MODEL.name}: {MODEL.stat().st_size:,} bytes, SHA-256 {written_as}")
    blocks = {
        "model": f"Digest {written_as[:12]}, {MODEL.stat().st_size / 1e6:.2f} MB, {len(corpus.sources):,} texts.",
        "learned-from": learned_from(samples),
        "held-out": by_source(corpus, held_out),
        "kinds": by_kind(corpus, held_out),
        "calibration": calibration(corpus, held_out),
        "natures": by_nature(corpus, held_out),
    }
    page = CARD.read_text("utf-8")
    for name, block in blocks.items():
        page = replaced(page, name, block)
    CARD.write_text(page, "utf-8")


# ---- what is learned from ----


def from_sets(folder: Path, rulebook: Rulebook) -> Iterator[Sample]:
    """Some of each label: its kind by the label where that tells, else by what the rules find in the text."""
    groups: dict[tuple[str, str], list[Labelled]] = {}
    for text in training(folder):
        groups.setdefault((text.source, text.label), []).append(text)
    generator = random.Random(SEED)  # noqa: S311 - a choice that can be repeated
    for _, group in sorted(groups.items()):
        for text in generator.sample(group, min(len(group), MOST_OF_A_LABEL)):
            nature = CHAT if text.personal else text.nature
            yield Sample(text.text, text.source, _kind_of(text, rulebook), nature)


def _kind_of(text: Labelled, rulebook: Rulebook) -> str | None:
    if text.expected is Expected.STOPPED:
        return _of_the_model(text.category)
    if text.expected is Expected.ALLOWED:
        return ALLOWED
    verdict = judge(submitted(text), rulebook, closely=False)
    if verdict.decision is Decision.REJECT:
        return _of_the_model(deciding(verdict.findings)[0].category)
    # What a shop sells is no prohibited kind, whoever it is sent to; of other adverts nobody knows.
    if text.label in _OF_SHOPS or (verdict.decision is Decision.APPROVE and shows_members(normalise(text.text))):
        return ALLOWED
    return None


def _of_the_model(category: str) -> str | None:
    kind = _TAKEN_FOR.get(category, category)
    return kind if kind in KINDS else None


def from_rules(rulebook: Rulebook) -> Iterator[Sample]:
    """The rules' own examples: what they catch is of their kind, what they let pass is allowed if all of them do."""
    for rule in rulebook.rules:
        if rule.check in CHECKS:
            continue  # The model's own, whose examples were chosen by what it finds.
        kind = _of_the_model(rulebook.category_of(rule.id).id)
        for example in rule.catches:
            submission = rule.submission_of(example)
            if kind and submission.part is not Part.SIGNATURE:
                yield Sample(submission.text, "rules", kind, None)
        for example in rule.lets_pass:
            submission = rule.submission_of(example)
            if (
                submission.part is not Part.SIGNATURE
                and judge(submission, rulebook, closely=False).decision is Decision.APPROVE
            ):
                yield Sample(submission.text, "rules", ALLOWED, submission.type)


def from_frames() -> Iterator[Sample]:
    """Ordinary templates, made from the sentences of frames.toml."""
    frames = tomllib.loads((HERE / "frames.toml").read_text("utf-8"))
    generator = random.Random(SEED)  # noqa: S311 - a choice that can be repeated
    for frame in frames["frame"]:
        nature = MessageType(frame["nature"])
        for language in ("zh", "en"):
            for sentence in frame[language]:
                for _ in range(MADE_OF_A_FRAME * (3 if nature is MessageType.MARKETING else 1)):
                    text = _filled(sentence, frames["words"][language], generator)
                    yield Sample(text, "frames", ALLOWED, nature)


def from_phrases() -> Iterator[Sample]:
    """Texts of the prohibited kinds, pieced together from the phrases of frames.toml."""
    frames = tomllib.loads((HERE / "frames.toml").read_text("utf-8"))
    generator = random.Random(SEED)  # noqa: S311 - a choice that can be repeated
    for kind, phrases in frames["phrases"].items():
        for language, comma, stop in (("zh", "，", "。"), ("en", ", ", ". ")):
            for _ in range(MADE_OF_A_KIND):
                pieces = generator.sample(phrases[language], generator.choice((2, 2, 3)))
                ending = generator.choice(frames["words"][language]["come"])
                yield Sample(comma.join(pieces) + stop + ending, "phrases", kind, None)


def _filled(sentence: str, words: dict[str, list[str]], generator: random.Random) -> str:
    while gap := _GAP.search(sentence):
        sentence = sentence[: gap.start()] + generator.choice(words[gap[1]]) + sentence[gap.end() :]
    return sentence


def readings(sample: Sample) -> Iterator[str]:
    """
    The text as the model may meet it: with what masks names and numbers and without, with an opt-out and without.

    An opt-out says what a text was declared to be, not what it is, so it must stand in texts of every kind.
    """
    masked = _OPT_OUT.sub("", fold(sample.text)).strip()
    text = _STANDS_FOR_A_NAME.sub(" ", _A_NUMBER.sub("00", masked))
    yield text
    if text != masked:
        yield masked
    if sample.nature == MessageType.MARKETING:
        yield fold(with_opt_out(text))


# ---- learning ----


class Corpus(NamedTuple):
    """What is learned from, a row for each reading of each sample; -1 for what is not known."""

    features: csr_matrix
    kinds: NDArray[np.int64]
    natures: NDArray[np.int64]
    marketing: NDArray[np.bool_]
    """Whether it would be declared marketing."""
    sources: NDArray[np.str_]
    worth: NDArray[np.float64]

    def only(self, chosen: NDArray[np.bool_]) -> "Corpus":
        return Corpus(
            features=self.features[chosen],
            kinds=self.kinds[chosen],
            natures=self.natures[chosen],
            marketing=self.marketing[chosen],
            sources=self.sources[chosen],
            worth=self.worth[chosen],
        )


class Learned(NamedTuple):
    """The weights of both heads over the chosen buckets."""

    buckets: NDArray[np.int64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]


class HeldOut(NamedTuple):
    """What is said of each row by a model that has not seen its source, and what follows from that."""

    kinds: NDArray[np.float64]
    natures: NDArray[np.float64]
    warmth: NDArray[np.float64]
    """What the scores of each column are divided by for the shares to be right as often as they say."""
    least_doubt: dict[bool, float]
    least_promotion: float

    @property
    def doubt(self) -> NDArray[np.float64]:
        doubt: NDArray[np.float64] = 1 - self.kinds[:, len(KINDS)]
        return doubt

    @property
    def promotion(self) -> NDArray[np.float64]:
        promotion: NDArray[np.float64] = self.natures[:, _MARKETING]
        return promotion

    def doubted(self, marketing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return self.doubt >= np.where(marketing, self.least_doubt[True], self.least_doubt[False])


_ANSWERS = (*KINDS, ALLOWED)
_MARKETING = NATURES.index(Nature.MARKETING)
_NOTICES = [NATURES.index(Nature.VERIFICATION), NATURES.index(Nature.NOTIFICATION)]


def corpus_of(samples: Sequence[Sample]) -> Corpus:
    rows = [(sample, text, number) for sample in samples for number, text in enumerate(readings(sample)) if text]
    return Corpus(
        features=vstack([features_of(text) for _, text, _ in rows], format="csr"),
        kinds=np.array([_place(sample.kind, _ANSWERS) for sample, _, _ in rows]),
        # The nature is learned without the ending, or it would be learned from the ending.
        natures=np.array([_place(sample.nature, NATURES) if number == 0 else -1 for sample, _, number in rows]),
        marketing=np.array([sample.nature == MessageType.MARKETING for sample, _, _ in rows]),
        sources=np.array([_HELD_OUT_WITH.get(sample.source, sample.source) for sample, _, _ in rows]),
        worth=np.array([WORTH.get(sample.source, 1.0) for sample, _, _ in rows]),
    )


def features_of(text: str) -> csr_matrix:
    """The n-grams' counts by bucket, over the root of how many there are, as the classifier weighs them."""
    buckets, counts = np.unique(buckets_of(text), return_counts=True)
    values = counts / max(1, counts.sum()) ** 0.5
    return csr_matrix((values, buckets.astype(np.int64), [0, len(buckets)]), shape=(1, 1 << BUCKET_BITS))


def calibrated(corpus: Corpus) -> HeldOut:
    """Hold out one source after another; calibrate, and set the thresholds, on what is said of what was not seen."""
    scores = np.zeros((len(corpus.sources), len(_ANSWERS) + len(NATURES)))
    for source in sorted(set(corpus.sources.tolist())):
        seen = corpus.sources != source
        learned = learn(corpus.only(seen))
        scores[~seen] = corpus.features[~seen][:, learned.buckets] @ learned.weights + learned.bias
        _tell(f"held out {source}: {int((~seen).sum()):,} texts")
    kinds, natures = scores[:, : len(_ANSWERS)], scores[:, len(_ANSWERS) :]
    warmths = [_warmth(kinds, corpus.kinds, corpus.sources), _warmth(natures, corpus.natures, corpus.sources)]
    kinds, natures = _shares(kinds / warmths[0]), _shares(natures / warmths[1])
    allowed = corpus.kinds == _place(ALLOWED, _ANSWERS)
    notices = np.isin(corpus.natures, _NOTICES)
    held_out = HeldOut(
        kinds=kinds,
        natures=natures,
        warmth=np.repeat(warmths, [len(_ANSWERS), len(NATURES)]),
        least_doubt={
            marketing: max(
                _threshold(
                    1 - kinds[:, -1], allowed & (corpus.marketing == marketing) & (corpus.sources == source), most
                )
                for source in ORDINARY[marketing]
            )
            for marketing, most in MOST_DOUBTED.items()
        },
        least_promotion=max(
            _threshold(natures[:, _MARKETING], notices & (corpus.sources == source), MOST_TAKEN_FOR_PROMOTIONS)
            for source in ORDINARY[False]
        ),
    )
    _tell(f"warmth {warmths}, doubt from {held_out.least_doubt}, promotion from {held_out.least_promotion}")
    return held_out


def learn(corpus: Corpus) -> Learned:
    """One regression for each head, over the buckets that tell most; texts of rare answers count more."""
    telling = np.zeros(corpus.features.shape[1])
    often = np.asarray((corpus.features > 0).sum(axis=0)).ravel() > 3
    for answers in (corpus.kinds, corpus.natures):
        known = answers >= 0
        worth = np.nan_to_num(chi2(corpus.features[known], answers[known])[0])
        telling = np.maximum(telling, worth / worth.max())
    # Long numbers repeat these, and are no wording.
    telling[buckets_of("0" * LONGEST_GRAM)] = 0
    buckets = np.sort(np.argsort(-telling * often, kind="stable")[: ROWS - 1])
    weights, bias = [], []
    for answers, most in ((corpus.kinds, len(_ANSWERS)), (corpus.natures, len(NATURES))):
        known = answers >= 0
        regression = LogisticRegression(C=STRENGTH, max_iter=200, tol=1e-3, random_state=SEED)
        counting = _rarity(answers[known]) * corpus.worth[known]
        regression.fit(corpus.features[known][:, buckets], answers[known], sample_weight=counting)
        of_head, bias_of_head = np.zeros((len(buckets), most)), np.full(most, _NEVER)
        of_head[:, regression.classes_] = regression.coef_.T
        bias_of_head[regression.classes_] = regression.intercept_
        weights.append(of_head)
        bias.append(bias_of_head)
    return Learned(buckets, np.hstack(weights), np.concatenate(bias))


# The score of an answer that a model has seen no text of.
_NEVER = -20.0


def _write(learned: Learned, held_out: HeldOut) -> None:
    rows = np.zeros(1 << BUCKET_BITS, dtype=np.int16)
    rows[learned.buckets] = np.arange(1, len(learned.buckets) + 1)
    weights = np.vstack([np.zeros((1, len(held_out.warmth))), learned.weights / held_out.warmth])
    np.savez_compressed(
        MODEL,
        rows=rows,
        weights=weights.astype(np.float16),
        bias=(learned.bias / held_out.warmth).astype(np.float32),
        kinds=np.array(_ANSWERS),
        natures=np.array([str(nature) for nature in NATURES]),
        least_doubt=np.array([held_out.least_doubt[False], held_out.least_doubt[True]]),
        least_promotion=np.array(held_out.least_promotion),
    )


def _rarity(answers: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each text counts for by its answer: the fourth root of how much more often the commonest is given."""
    counts = np.bincount(answers)
    rarity: NDArray[np.float64] = (counts.max() / counts[answers]) ** 0.25
    return rarity


def _warmth(scores: NDArray[np.float64], answers: NDArray[np.int64], sources: NDArray[np.str_]) -> float:
    """What scores are to be divided by for shares to be right as often as they say, each source counting the same."""
    known = answers >= 0

    def loss(warmth: float) -> float:
        right = np.log(_shares(scores / warmth)[np.arange(len(answers)), answers])
        return -sum(float(right[known & (sources == source)].mean()) for source in sorted(set(sources[known].tolist())))

    return min((tenth / 10 for tenth in range(5, 80)), key=loss)


def _threshold(shares: NDArray[np.float64], of: NDArray[np.bool_], most: float) -> float:
    return float(np.quantile(shares[of], 1 - most))


def _shares(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    likely = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: NDArray[np.float64] = likely / likely.sum(axis=1, keepdims=True)
    return found


def _place(answer: str | None, answers: Sequence[str]) -> int:
    return -1 if answer is None else answers.index(answer)


# ---- the model card's figures ----


def learned_from(samples: Sequence[Sample]) -> str:
    """How many texts of what are from where."""
    rows = []
    for source in sorted({sample.source for sample in samples}):
        here = [sample for sample in samples if sample.source == source]
        allowed = sum(sample.kind == ALLOWED for sample in here)
        unknown = sum(sample.kind is None for sample in here)
        rows.append((source, len(here), len(here) - allowed - unknown, allowed, unknown))
    return table(("source", "texts", "of a prohibited kind", "allowed", "kind not known"), rows)


def by_source(corpus: Corpus, held_out: HeldOut) -> str:
    """What is doubted of each source by a model that has not seen it."""
    doubted, allowed = held_out.doubted(corpus.marketing), corpus.kinds == _place(ALLOWED, _ANSWERS)
    prohibited = (corpus.kinds >= 0) & ~allowed
    rows = []
    for source in sorted(set(corpus.sources.tolist())):
        here = corpus.sources == source
        right = prohibited & here & doubted & (held_out.kinds[:, :-1].argmax(axis=1) == corpus.kinds)
        parts = (prohibited & here, allowed & here & ~corpus.marketing, allowed & here & corpus.marketing)
        shown = [(int(part.sum()), share(int((doubted & part).sum()), int(part.sum()))) for part in parts]
        kinds_right = share(int(right.sum()), int((prohibited & here & doubted).sum()))
        rows.append((source, *shown[0], kinds_right, *shown[1], *shown[2]))
    columns = (
        "held out",
        "prohibited",
        "doubted",
        "of the right kind",
        "allowed",
        "doubted",
        "allowed marketing",
        "doubted",
    )
    return table(columns, rows)


def by_kind(corpus: Corpus, held_out: HeldOut) -> str:
    """What is doubted of each kind, all sources held out in turn."""
    doubted, likeliest = held_out.doubted(corpus.marketing), held_out.kinds[:, :-1].argmax(axis=1)
    rows = []
    for number, kind in enumerate(KINDS):
        of_kind = corpus.kinds == number
        found = of_kind & doubted
        named = doubted & (likeliest == number) & (corpus.kinds >= 0)
        rows.append(
            (
                kind,
                int(of_kind.sum()),
                share(int(found.sum()), int(of_kind.sum())),
                share(int((named & of_kind).sum()), int(named.sum())),
            )
        )
    return table(("kind", "texts", "doubted", "right where this kind is named"), rows)


def calibration(corpus: Corpus, held_out: HeldOut) -> str:
    """How often a doubt of each size is right, all sources held out in turn."""
    known, prohibited = corpus.kinds >= 0, corpus.kinds < _place(ALLOWED, _ANSWERS)
    edges = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 1.0)
    rows = []
    for low, high in pairwise(edges):
        within = known & (held_out.doubt >= low) & (held_out.doubt < high if high < 1 else held_out.doubt <= 1)
        said = f"{100 * float(held_out.doubt[within].mean()):.0f} %" if within.any() else "-"
        rows.append(
            (
                f"{low:.2f} to {high:.2f}",
                int(within.sum()),
                said,
                share(int((within & prohibited).sum()), int(within.sum())),
            )
        )
    return table(("doubt", "texts", "said on average", "prohibited indeed"), rows)


def by_nature(corpus: Corpus, held_out: HeldOut) -> str:
    """What texts are read as, by models that have not seen their source."""
    likeliest = held_out.natures.argmax(axis=1)
    told = held_out.promotion >= held_out.least_promotion
    rows = []
    for number, nature in enumerate(NATURES):
        here = corpus.natures == number
        counts = [int((here & (likeliest == other)).sum()) for other in range(len(NATURES))]
        rows.append((str(nature), int(here.sum()), *counts, share(int((here & told).sum()), int(here.sum()))))
    return table(("", "texts", *map(str, NATURES), "told as a promotion"), rows)


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
