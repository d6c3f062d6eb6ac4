"""The cases of both versions, by version and action."""

from compatibility import cases_2019, cases_2021
from compatibility.matrix import V2019, V2021

CASES = {V2021: cases_2021.CASES, V2019: cases_2019.CASES}
