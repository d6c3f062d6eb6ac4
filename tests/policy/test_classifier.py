"""What the model may do, what it may not, and how it reads."""

import random
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cleartosend.model.verdicts import Action, Decision, MessageType, Part, Submission, Verdict
from cleartosend.policy import classifier, resemblance
from cleartosend.policy.judge import judge
from cleartosend.policy.normalise import normalise
from cleartosend.policy.rulebook import Rulebook, load_rulebook
from cleartosend.testing import attacks
from evaluation.labelled import submitted, written

LIKE_A_LOAN = "手头缺钱时想想我们，身份证办理，利息低，额度高，当天就能拿到资金周转。"


@cache
def rulebook() -> Rulebook:
    return load_rulebook()


def submission(text: str, declared: MessageType = MessageType.NOTIFICATION, part: Part = Part.TEMPLATE) -> Submission:
    return Submission(text=text, type=declared, part=part)


def by_the_model(verdict: Verdict) -> list[str]:
    return [finding.rule for finding in verdict.findings if finding.rule in resemblance.CHECKS]


@pytest.fixture(scope="module")
def submissions() -> list[Submission]:
    """Texts of all kinds, the rules' own examples among them."""
    examples = (
        rule.submission_of(example)
        for rule in rulebook().rules
        for example in (*rule.catches, *rule.lets_pass)
        if Part.TEMPLATE in rule.parts
    )
    return [*(submitted(text) for text in written()), *examples]


@pytest.fixture(scope="module")
def model_alone(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    """A rulebook in which only the model's rules are left, and the one that cannot be turned off."""
    others = [rule.id for rule in rulebook().rules if rule.check not in resemblance.CHECKS]
    others.remove("text-is-too-long")
    overlay = tmp_path_factory.mktemp("rules") / "off.toml"
    overlay.write_text(f"off = {others!r}", "utf-8")
    return load_rulebook(overlay)


def test_every_rule_of_the_model_only_refers() -> None:
    of_the_model = [rule for rule in rulebook().rules if rule.check in resemblance.CHECKS]
    assert {rule.id for rule in of_the_model} == resemblance.CHECKS.keys()
    assert {rule.action for rule in of_the_model} == {Action.REFER}


def test_the_same_texts_are_rejected_with_the_model_and_without_it(submissions: list[Submission]) -> None:
    differ = set()
    for one in submissions:
        with_it, without_it = judge(one, rulebook()), judge(one, rulebook(), closely=False)
        assert (with_it.decision is Decision.REJECT) == (without_it.decision is Decision.REJECT), one.text
        if without_it.decision is Decision.REJECT:
            assert with_it == without_it
        if with_it.decision is not without_it.decision:
            assert (without_it.decision, with_it.decision) == (Decision.APPROVE, Decision.REFER)
            assert by_the_model(with_it)
            differ.add(one.text)
    assert differ, "the model refers nothing that the rules approve"


def test_what_it_doubts_is_referred_with_the_words_that_raise_the_doubt(model_alone: Rulebook) -> None:
    verdict = judge(submission(LIKE_A_LOAN), model_alone)
    assert verdict.decision is Decision.REFER
    assert set(by_the_model(verdict)) == {"looks-like-loan"}
    for finding in verdict.findings:
        assert finding.quote
        assert finding.quote == LIKE_A_LOAN[finding.start : finding.end]
        assert "贷款" in finding.because


def test_only_templates_are_read_by_it(model_alone: Rulebook) -> None:
    assert by_the_model(judge(submission(LIKE_A_LOAN), model_alone))
    assert not by_the_model(judge(submission(LIKE_A_LOAN, part=Part.MESSAGE), model_alone))
    assert not by_the_model(judge(submission(LIKE_A_LOAN, part=Part.SIGNATURE), model_alone))


def test_what_is_declared_marketing_is_not_told_that_it_promotes(model_alone: Rulebook) -> None:
    promotes = "年终大促，全场商品优惠多多，欢迎新老顾客前来选购，先到先得。"
    assert "looks-like-a-promotion" in by_the_model(judge(submission(promotes), model_alone))
    declared = judge(submission(promotes, MessageType.MARKETING), model_alone)
    assert "looks-like-a-promotion" not in by_the_model(declared)


def test_an_operator_turns_it_off_by_the_ids_of_its_rules(tmp_path: Path) -> None:
    overlay = tmp_path / "off.toml"
    overlay.write_text(f"off = {sorted(resemblance.CHECKS)!r}", "utf-8")
    without = load_rulebook(overlay)
    assert not any(by_the_model(judge(submitted(text), without)) for text in written())


def test_the_rules_are_asked_without_loading_numpy() -> None:
    program = (
        "import sys, cleartosend.compose\n"
        "from cleartosend.model.verdicts import MessageType, Submission\n"
        "from cleartosend.policy.judge import judge\n"
        "from cleartosend.policy.rulebook import load_rulebook\n"
        "judge(Submission(text='无抵押贷款，当天放款。', type=MessageType.NOTIFICATION), load_rulebook())\n"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_disguise_changes_little_of_what_it_reads() -> None:
    plain = classifier.impression_of(normalise(LIKE_A_LOAN), marketing=False)
    for disguised in (
        "\u200b".join(LIKE_A_LOAN),
        LIKE_A_LOAN.replace("身份证", "身份證").replace("利息", "ｌi息"),
        LIKE_A_LOAN.replace("，", "！！"),
    ):
        impression = classifier.impression_of(normalise(disguised), marketing=False)
        assert impression.kind == plain.kind
        assert impression.doubt == pytest.approx(plain.doubt, abs=0.2)


def test_what_it_quotes_is_found_in_the_text_as_written() -> None:
    text = "\u200b".join(LIKE_A_LOAN)
    spans = classifier.impression_of(normalise(text), marketing=False).spans
    assert spans
    for start, end in spans:
        assert text[start:end].replace("\u200b", "") in LIKE_A_LOAN


def test_digits_and_what_masks_them_read_the_same() -> None:
    buckets = [classifier.buckets_of(text).tolist() for text in ("尾号1234，", "尾号8899,", "尾号xxxx。")]
    assert buckets[0] == buckets[1] == buckets[2]


def test_n_grams_are_told_apart_by_their_order_and_length() -> None:
    texts = ["贷款", "款贷", "贷", "款", "贷款贷", "loan", "loam"]
    assert len({tuple(classifier.buckets_of(text).tolist()) for text in texts}) == len(texts)
    assert len(classifier.buckets_of("贷款合同")) == 4 + 3 + 2 + 1


@given(st.text(max_size=600))
@settings(max_examples=60, deadline=None)
def test_any_text_can_be_read(text: str) -> None:
    impression = classifier.impression_of(normalise(text), marketing=False)
    assert impression.kind in resemblance.KINDS
    assert 0 <= impression.doubt <= 1
    assert 0 <= impression.promotion <= 1
    assert all(0 <= start <= end <= len(text) for start, end in (*impression.spans, *impression.promoting))


def test_the_model_is_plain_numbers() -> None:
    model = classifier.load()
    assert set(model.kinds) == {*resemblance.KINDS, classifier.ALLOWED}
    assert model.weights.shape[1] == len(model.bias) == len(model.kinds) + len(model.natures)
    assert np.isfinite(model.weights).all()
    assert not model.weights[0].any()
    assert 0.5 < model.least_doubt < 1
    assert int(model.rows.max()) < len(model.weights)


def test_the_model_card_is_of_this_model() -> None:
    card = Path(__file__).parents[2] / "docs" / "reference" / "model-card.md"
    assert f"Digest {resemblance.digest()[:12]}" in card.read_text("utf-8")


def test_attacks_make_the_model_reject_nothing() -> None:
    every = sorted(attacks.ALL.items())
    generator = random.Random(1)
    for number, text in enumerate(written()[::5]):
        _name, attack = every[number % len(every)]
        one = submitted(text)
        one = Submission(text=attack(one.text, generator), type=one.type)
        rejected = judge(one, rulebook()).decision is Decision.REJECT
        assert rejected == (judge(one, rulebook(), closely=False).decision is Decision.REJECT)
