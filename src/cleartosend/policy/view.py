"""A submission as the policy's checks see it: each reading of its text is made once, when it is first needed."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import NamedTuple

from cleartosend.model.messages import MOST_CHARACTERS_PER_MESSAGE
from cleartosend.model.verdicts import Part, Submission
from cleartosend.policy.nature import NatureReading, read_nature
from cleartosend.policy.normalise import Folded, Joined, Normalised, normalise
from cleartosend.policy.reach import MAY_BE_LINK, links_of
from cleartosend.policy.spots import Span, Spot, overlap

MOST_CHARACTERS_READ = 2 * MOST_CHARACTERS_PER_MESSAGE
"""Of a text. What is longer is refused for that, so nothing gets past; and no text can take long to judge."""

VARIABLE = re.compile(r"(?<![$#{])\{([1-9][0-9]?)\}(?!\})", re.ASCII)
PLACEHOLDER = re.compile(r"[$#]?\{[^{}\n]{1,20}\}")
_HANS = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+")


class Variable(NamedTuple):
    """A well-formed `{number}` of a template."""

    start: int
    end: int
    number: int


class View:
    """A submission as the checks see it: each reading of its text is made once, when it is first needed."""

    def __init__(self, submission: Submission) -> None:
        self.submission = submission
        self.text = submission.text[:MOST_CHARACTERS_READ]
        self.normalised: Normalised = normalise(self.text)

    @cached_property
    def reading(self) -> NatureReading:
        """What the text is by what it says."""
        return read_nature(self.normalised)

    @property
    def foldings(self) -> list[Folded]:
        """The text folded; closed up where words are spaced out; and, of a message, the wordy values side by side."""
        foldings: list[Folded] = [self.normalised]
        if self.normalised.squeezed is not None:
            foldings.append(self.normalised.squeezed)
        if self.submission.part is Part.MESSAGE and len(self.submission.values) > 1:
            wordy = [(start, end) for start, end in self.submission.values if not self.text[start:end].isdigit()]
            if len(wordy) > 1:
                foldings.append(Joined(self.text, wordy))
        return foldings

    @cached_property
    def variables(self) -> list[Variable]:
        """The template's variables, in the order of the text."""
        return [Variable(*found.span(), int(found[1])) for found in VARIABLE.finditer(self.text)]

    @cached_property
    def fixed_text(self) -> int:
        """How much of the text is fixed: a Chinese character counts one, a word of another script two."""
        # Of a variable, braces and digits, nothing counts.
        folded = self.normalised.text
        return sum(map(len, _HANS.findall(folded))) + 2 * len(_WORD.findall(folded))

    @cached_property
    def links(self) -> list[Span]:
        """Links, with everything meant as a variable read as if digits stood in its place."""
        if not self.placeholders or not MAY_BE_LINK.search(self.normalised.text):
            return links_of(self.normalised)
        return links_of(normalise(PLACEHOLDER.sub(lambda found: "0" * len(found[0]), self.text)))

    @cached_property
    def placeholders(self) -> list[Span]:
        """The variables and what else in braces was meant as one."""
        return [found.span() for found in PLACEHOLDER.finditer(self.text)] if "{" in self.text else []

    def touches_a_value(self, span: Span) -> bool:
        """Whether any of it came from a variable's value."""
        return any(overlap(span, value) for value in self.submission.values)


Check = Callable[[View], Iterable[Spot]]
