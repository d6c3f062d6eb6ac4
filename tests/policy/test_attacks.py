"""The generator of attacks: seeded, and true to what each attack says it does."""

import random

import pytest

from cleartosend.policy.normalise import fold
from cleartosend.testing import attacks

TEXT = "加微信办理贷款，额度50000元，电话13800138000。Quick cash loans, call now about {1}."


@pytest.mark.parametrize("name", attacks.ALL)
def test_the_same_seed_makes_the_same_disguise(name: str) -> None:
    attack = attacks.ALL[name]
    assert attack(TEXT, random.Random(1)) == attack(TEXT, random.Random(1))


@pytest.mark.parametrize("name", attacks.ALL)
def test_every_attack_changes_the_text_and_leaves_its_variables(name: str) -> None:
    disguised = attacks.ALL[name](TEXT, random.Random(1))
    assert disguised != TEXT
    assert "{1}" in disguised


@pytest.mark.parametrize("name", attacks.ALL)
def test_the_empty_text_has_nothing_to_disguise(name: str) -> None:
    assert attacks.ALL[name]("", random.Random(1)) == ""


@pytest.mark.parametrize("attack", [attacks.full_width, attacks.look_alikes, attacks.zero_width, attacks.traditional])
def test_what_only_looks_the_same_is_folded_back_to_the_same(attack: attacks.Attack) -> None:
    # Two forms of one simplified character that are also characters of their own are not undone.
    assert fold(attack("代开发票,办理学历,cash loans 50000", random.Random(2))) == "代开发票,办理学历,cash loans 50000"


def test_a_rate_of_nothing_changes_nothing() -> None:
    assert attacks.homophones(TEXT, random.Random(1), rate=0) == TEXT
    assert attacks.spaces(TEXT, random.Random(1), rate=0) == TEXT
