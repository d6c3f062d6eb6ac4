"""A submission as the policy's checks see it: each reading of its text is made once, when it is first needed."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from cleartosend.model.messages import MOST_CHARACTERS_PER_MESSAGE
from cleartosend.model.verdicts import MessageType, Nature, Part, Submission
from cleartosend.policy.disguise import Undone, undo
from cleartosend.policy.nature import NatureReading, may_promote, read_nature
from cleartosend.policy.normalise import Folded, Joined, Normalised, normalise
from cleartosend.policy.reach import MAY_BE_LINK, links_of
from cleartosend.policy.spots import Span, Spot, overlap

if TYPE_CHECKING:
    from cleartosend.policy.classifier import Impression

MOST_CHARACTERS_READ = MOST_CHARACTERS_PER_MESSAGE
"""Of a text. What is longer is refused for that, so nothing gets past; and no text can take long to judge."""

VARIABLE = re.compile(r"(?<![$#{])\{([1-9][0-9]?)\}(?!\})", re.ASCII)
PLACEHOLDER = re.compile(r"[$#]?\{[^{}\n]{1,20}\}")
_HANS = re.compile(r"[\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W\d_\u3400-\u9fff]+")


# How far around a value a word may reach of which the value is a part.
_ABOUT_A_VALUE = 4
_SHORTEST_IN_DISGUISE = 2
_OF_NUMBERS = "0123456789.,:-/ "


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
        """
        What the text is by what it says.

        The fixed text of a message was read with its template; it is read again only for what values may have brought.
        """
        values = (self.text[start:end] for start, end in self.wordy_values)
        if self.submission.part is Part.MESSAGE and not any(map(may_promote, values)):
            return NatureReading(Nature.UNCLEAR, self.normalised, [])
        return read_nature(self.normalised)

    @cached_property
    def is_a_plain_notice(self) -> bool:
        """Whether it was not declared marketing, has words of a notice, and promotes nothing."""
        if self.submission.type is MessageType.MARKETING:
            return False
        reading = read_nature(self.normalised) if self.submission.part is Part.MESSAGE else self.reading
        return reading.nature in {Nature.NOTIFICATION, Nature.VERIFICATION}

    @cached_property
    def impression(self) -> "Impression":
        """What the text resembles, by the model."""
        # The model needs numpy, which takes longer to load than all the rules; a start should not wait for it.
        from cleartosend.policy.classifier import impression_of  # noqa: PLC0415

        folded = self.normalised.squeezed or self.normalised
        return impression_of(folded, marketing=self.submission.type is MessageType.MARKETING)

    @property
    def foldings(self) -> list[Folded]:
        """The text folded, closed up, undone; and, of a message, the wordy values side by side."""
        foldings: list[Folded] = [self.normalised]
        if self.normalised.squeezed is not None:
            foldings.append(self.normalised.squeezed)
        if self.submission.part is Part.MESSAGE and len(self.wordy_values) > 1:
            foldings.append(Joined(self.text, self.wordy_values))
        if self.undone is not None:
            foldings.append(self.undone)
        return foldings

    @cached_property
    def wordy_values(self) -> list[Span]:
        """Where the values of a message stand that are not just digits."""
        return [(start, end) for start, end in self.submission.values if not self.text[start:end].isdigit()]

    @cached_property
    def undone(self) -> Undone | None:
        """The text with its disguises undone; None where there are none, of a message none in or about its values."""
        folded = self.normalised.squeezed or self.normalised
        if self.submission.part is Part.MESSAGE and not any(
            undo(normalise(self.text[max(0, start - _ABOUT_A_VALUE) : end + _ABOUT_A_VALUE]))
            for start, end in self.wordy_values
            if len(self.text[start:end].strip(_OF_NUMBERS)) >= _SHORTEST_IN_DISGUISE
        ):
            return None
        return undo(folded)

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
