import re

import pytest

from cleartosend.policy.rulebook import Bilingual, Rulebook, load_rulebook

CHINESE = re.compile(r"[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def rulebook() -> Rulebook:
    return load_rulebook()


def speaks_both(sentence: Bilingual) -> bool:
    """Whether there is a sentence in each language, and each in its own."""
    return bool(CHINESE.search(sentence.zh) and re.search("[a-z]{3}", sentence.en))


def test_every_rule_tells_the_applicant_why_in_both_languages(rulebook: Rulebook) -> None:
    assert [rule.id for rule in rulebook.rules if not speaks_both(rule.because)] == []


def test_every_category_stands_on_a_clause_in_both_languages(rulebook: Rulebook) -> None:
    wordings = [(one.id, one.title, one.clause) for one in rulebook.categories.values()]
    assert [id_ for id_, title, clause in wordings if not (speaks_both(title) and speaks_both(clause))] == []


def test_every_rule_of_its_own_clause_has_it_in_both_languages(rulebook: Rulebook) -> None:
    assert [rule.id for rule in rulebook.rules if rule.clause and not speaks_both(rule.clause)] == []


def test_every_category_has_a_rule(rulebook: Rulebook) -> None:
    assert {rulebook.category_of(rule.id).id for rule in rulebook.rules} == rulebook.categories.keys()


def test_every_row_of_the_policy_that_texts_can_break_has_a_category(rulebook: Rulebook) -> None:
    answered = {row for category in rulebook.categories.values() for row in category.rows}
    # Row 3 is kept at send, by the member list.
    assert set(range(1, 16)) - answered <= {3}
