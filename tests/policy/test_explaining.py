"""Any rule is explained by its id: what it finds, what follows, and texts on either side of it."""

import pytest

from cleartosend.model.verdicts import Action, Decision, Submission
from cleartosend.policy.advisor import ask
from cleartosend.policy.explaining import explain, in_words
from cleartosend.policy.judge import judge
from cleartosend.policy.rulebook import Example, Rule, load_rulebook

RULEBOOK = load_rulebook()


def texts(examples: tuple[str | Example, ...], rule: Rule) -> dict[str, Submission]:
    return {submission.text: submission for submission in map(rule.submission_of, examples)}


@pytest.mark.parametrize("action", Action)
def test_every_rule_is_explained_by_its_own_examples(action: Action) -> None:
    for number, rule in enumerate(rule for rule in RULEBOOK.rules if rule.action is action):
        its = explain(rule.id, RULEBOOK, "zh" if number % 2 else "en")
        assert its.passed in texts(rule.lets_pass, rule)
        caught = texts(rule.catches, rule)
        assert its.caught in caught
        assert all(any(quote in text for text in caught) for quote in its.finds)
        if its.edit is not None:
            submission = Submission(
                text=its.edit,
                type=caught[its.caught].type,
                part=caught[its.caught].part,
                account=caught[its.caught].account,
                international=caught[its.caught].international,
            )
            assert judge(submission, RULEBOOK).decision is Decision.APPROVE


@pytest.mark.parametrize(
    ("question", "rule", "answer"),
    [
        ("loan-offer", "loan-offer", "no"),
        ("规则 loan-offer 是什么意思？", "loan-offer", "no"),
        ("what does “Opt-Out-Is-Missing” want of me", "opt-out-is-missing", "no"),
        ("link-needs-opening", "link-needs-opening", "conditional"),
        ("drugs", "drugs", "no"),
        ("explain rule drugs", "drugs", "no"),
    ],
)
def test_a_rule_that_is_named_is_explained(question: str, rule: str, answer: str) -> None:
    told = ask(question, RULEBOOK)
    assert (told.rule, told.answer) == (rule, answer)
    assert told.explanation is not None
    assert told.explanation.rule == rule


@pytest.mark.parametrize("question", ["Can I send texts about drugs?", "May I write of cash-back?", "贷款能发吗"])
def test_a_word_that_is_also_a_rule_is_answered_as_a_word(question: str) -> None:
    assert ask(question, RULEBOOK).explanation is None


def test_an_explanation_speaks_the_language_of_the_question() -> None:
    chinese = explain("opt-out-is-missing", RULEBOOK, "zh")
    assert "拒收请回复R" in chinese.because
    told = in_words(chinese, "zh").splitlines()
    assert told[0] == f"opt-out-is-missing ({chinese.title}): 拒绝"
    assert told[-1].endswith(chinese.edit or "")
    assert "rejected" in in_words(explain("opt-out-is-missing", RULEBOOK, "en"), "en")
