"""The evaluation counts what it says it counts, and our own texts are judged as well as its page says."""

import gzip
import json
from functools import cache
from pathlib import Path

import pytest

from cleartosend.model.verdicts import Decision, MessageType
from cleartosend.policy.judge import judge
from cleartosend.policy.resemblance import KINDS
from cleartosend.policy.rulebook import Rulebook, load_rulebook
from evaluation import evaluate, pages, train
from evaluation.labelled import Expected, Labelled, development, rounds, submitted, training, with_opt_out, written


@cache
def rulebook() -> Rulebook:
    return load_rulebook()


def labelled(text: str, expected: Expected, *, category: str = "none") -> Labelled:
    return Labelled(
        text=text,
        language="zh",
        source="test",
        nature=MessageType.NOTIFICATION,
        expected=expected,
        category=category,
    )


LOAN = labelled("无抵押贷款，当天放款，欢迎来电。", Expected.STOPPED, category="loan")
PARCEL = labelled("您的订单{1}已发货，请注意查收。", Expected.ALLOWED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Data of the two files' form."""
    rows = [
        {"text": "【某行】贷款两万起", "lang": "zh", "label": "loan", "set": "six-class"},
        {"text": "see you at six", "lang": "en", "label": "personal", "set": "nus-en"},
        {"text": "二手车出售", "lang": "zh", "label": "used-car-ad", "set": "six-class"},
    ]
    read = [{"text": "see you at six", "lang": "en", "nature": "personal", "decision": "allow", "category": "none"}]
    with gzip.open(tmp_path / "policy-train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "policy-dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in read), "utf-8")
    return tmp_path


def test_there_are_three_hundred_texts_of_ours_in_both_languages_and_of_every_nature() -> None:
    texts = written()
    assert len({text.text for text in texts}) == len(texts) >= 300
    assert {text.language for text in texts} == {"zh", "en"}
    assert {text.nature for text in texts if text.expected is Expected.ALLOWED} == set(MessageType)


def test_every_category_of_our_texts_is_one_of_the_rulebook() -> None:
    assert {text.category for text in written()} - {"none"} <= rulebook().categories.keys()


def test_none_of_our_texts_is_a_rules_own_example() -> None:
    examples = {
        rule.submission_of(example).text for rule in rulebook().rules for example in (*rule.catches, *rule.lets_pass)
    }
    assert [text.text for text in written() if text.text in examples] == []


def test_our_texts_are_judged_nearly_as_they_should_be() -> None:
    decided = [(text, judge(submitted(text), rulebook()).decision) for text in written()]
    stopped = [decision for text, decision in decided if text.expected is Expected.STOPPED]
    allowed = [decision for text, decision in decided if text.expected is Expected.ALLOWED]
    assert sum(decision is not Decision.APPROVE for decision in stopped) >= 0.96 * len(stopped)
    assert sum(decision is Decision.REJECT for decision in allowed) <= 0.04 * len(allowed)
    assert sum(decision is Decision.REFER for decision in allowed) <= 0.08 * len(allowed)


def test_what_the_rounds_taught_is_not_forgotten() -> None:
    texts = [text for one in rounds() for text in one.texts()]
    decided = [(text, judge(submitted(text), rulebook()).decision) for text in texts[::5]]
    stopped = [decision for text, decision in decided if text.expected is Expected.STOPPED]
    allowed = [decision for text, decision in decided if text.expected is Expected.ALLOWED]
    assert len(decided) > 400
    assert sum(decision is not Decision.APPROVE for decision in stopped) >= 0.98 * len(stopped)
    assert sum(decision is Decision.REJECT for decision in allowed) <= 0.03 * len(allowed)
    assert sum(decision is Decision.REFER for decision in allowed) <= 0.06 * len(allowed)


def test_a_round_is_told_as_it_was_at_first_and_as_it_is_now() -> None:
    table = evaluate.by_round(rounds()[3:4], rulebook())
    assert "| 1 | very terse, by small businesses | 125 | 87.2 % | " in table
    assert "| 120 | 6.7 % | " in table


def test_labels_of_public_sets_become_expectations(folder: Path) -> None:
    texts = {text.label: text for text in training(folder)}
    assert texts["loan"].expected is Expected.STOPPED
    assert texts["loan"].category == "loan"
    assert texts["used-car-ad"].expected is Expected.UNKNOWN


def test_what_was_labelled_by_reading_is_left_out_of_what_is_learned_from(folder: Path) -> None:
    assert "personal" not in {text.label for text in training(folder)}
    [text] = development(folder)
    assert text.personal
    assert text.source == "nus-en"


def test_a_delivered_message_is_submitted_without_its_signature(folder: Path) -> None:
    assert training(folder)[0].text == "贷款两万起"


def test_marketing_gets_the_opt_out_that_it_lacks_in_its_language() -> None:
    assert with_opt_out("会员日八折") == "会员日八折，拒收请回复R"
    assert with_opt_out("Members save 10%.") == "Members save 10%. Reply STOP to unsubscribe"
    assert with_opt_out("会员日八折，拒收请回复R") == "会员日八折，拒收请回复R"
    assert submitted(PARCEL, MessageType.MARKETING).text.endswith("拒收请回复R")
    assert submitted(PARCEL).text == PARCEL.text


def test_the_tables_count_what_was_decided() -> None:
    judged = [(text, judge(submitted(text), rulebook())) for text in (LOAN, PARCEL)]
    headline = evaluate.headline(judged)
    assert "| to be stopped, not approved | 1 | 100.0 % |" in headline
    assert "| allowed, rejected | 1 | 0.0 % |" in headline
    assert "| loan | 1 | 0.0 % | 0.0 % | 100.0 % |" in evaluate.by_category(judged)
    assert "| test | zh | 1 | 100.0 % | 1 | 0.0 % | 0.0 % |" in evaluate.by_source(judged)


def test_under_attack_only_what_is_stopped_in_the_clear_counts() -> None:
    assert "attack on 1 texts" in evaluate.under_attack([LOAN, PARCEL], rulebook())


def test_the_public_sets_are_told_by_label(folder: Path) -> None:
    table = evaluate.by_label(evaluate.sampled(training(folder)), rulebook())
    assert "| six-class | loan | stopped | 1 |" in table


def test_a_figure_is_written_between_the_marks_of_its_name_and_nowhere_else() -> None:
    page = "# Page\n<!-- measured: one -->\nold\n<!-- end -->\nwords\n"
    assert pages.replaced(page, "one", "new") == "# Page\n<!-- measured: one -->\n\nnew\n\n<!-- end -->\nwords\n"
    with pytest.raises(ValueError, match="0 places"):
        pages.replaced(page, "two", "new")


def test_what_is_learned_from_the_same_texts_is_the_same_and_tells_kinds_apart() -> None:
    corpus = train.corpus_of([*list(train.from_frames())[::20], *list(train.from_phrases())[::5]])
    one, other = train.learn(corpus), train.learn(corpus)
    assert one.weights.tobytes() == other.weights.tobytes()
    scores = corpus.features[:, one.buckets] @ one.weights + one.bias
    of_kinds = scores[:, : len(KINDS) + 1]
    assert (of_kinds.argmax(axis=1) == corpus.kinds).mean() > 0.9


def test_an_opt_out_stands_in_texts_of_every_kind_that_is_learned_from() -> None:
    advert = train.Sample("全场八折，退订回T", "test", "allowed", MessageType.MARKETING)
    assert list(train.readings(advert)) == ["全场八折", "全场八折,拒收请回复r"]
    notice = train.Sample("尊敬的 NAME 您消费 DIGIT 元", "test", "allowed", MessageType.NOTIFICATION)
    assert list(train.readings(notice)) == ["尊敬的   您消费 00 元", "尊敬的 name 您消费 digit 元"]
