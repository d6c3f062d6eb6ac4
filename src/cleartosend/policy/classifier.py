"""Says what a text resembles by its hashed character n-grams, and which of its words speak for that."""

import re
from functools import cache
from importlib import resources
from math import exp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleartosend.model.verdicts import Nature
from cleartosend.policy.normalise import Folded
from cleartosend.policy.spots import Span

MODEL = "model.npz"
ALLOWED = "allowed"
"""The kind of what resembles nothing prohibited."""
LONGEST_GRAM = 4
BUCKET_BITS = 18
MOST_CHARACTERS_CLASSIFIED = 500

# Odd and large, so that code points that are neighbours end far apart.
_STEP = np.uint32(0x9E3779B1)
_SPREAD = np.uint32(0x85EBCA6B)
_HALF = np.uint32(15)
_UNUSED = np.uint32(32 - BUCKET_BITS)
# Of the passages that speak for an answer those are quoted whose characters count at least so much of the most.
_LEAST_OF_THE_LOUDEST = 0.25
_PASSAGES_QUOTED = 3
_LATIN_WORD = re.compile(r"[a-z']+")


class Impression(NamedTuple):
    """What a text resembles, as calibrated shares, and the words that speak for what is worth telling."""

    kind: str
    """The likeliest of the prohibited kinds."""
    doubt: float
    """How likely it is that the text is of any prohibited kind."""
    promotion: float
    """How likely it is that the text promotes."""
    spans: tuple[Span, ...]
    """Where in the text as written the n-grams stand that speak most for the kind; empty where it is not doubted."""
    promoting: tuple[Span, ...]
    """The same for what promotes."""


class Model(NamedTuple):
    """The weights, one column for each kind and then for each nature, and the shares from which a likeness is told."""

    rows: NDArray[np.int16]
    """For each bucket of n-grams the row of its weights; row 0 is all zeros, for those that the model does not know."""
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]
    kinds: tuple[str, ...]
    natures: tuple[str, ...]
    least_doubt: float
    least_doubt_of_marketing: float
    """Higher, since what sells has much in common with what sells something prohibited."""
    least_promotion: float


def impression_of(folded: Folded, *, marketing: bool) -> Impression:
    """What the text resembles; `marketing`: whether it was declared that."""
    model = load()
    text = folded.text[:MOST_CHARACTERS_CLASSIFIED]
    rows = model.rows[buckets_of(text)]
    known = rows[rows > 0]
    # A product with ones is a sum, several times as fast.
    summed = np.ones(len(known), dtype=np.float32) @ model.weights.take(known, axis=0)
    scores = summed / max(1, len(rows)) ** 0.5 + model.bias
    # Few enough that Python's own arithmetic is faster from here on.
    likely = [exp(score) for score in scores.tolist()]
    kinds, natures = likely[: len(model.kinds)], likely[len(model.kinds) :]
    allowed, promotes = model.kinds.index(ALLOWED), model.natures.index(Nature.MARKETING)
    doubt, promotion = 1 - kinds[allowed] / sum(kinds), natures[promotes] / sum(natures)
    kinds[allowed] = 0.0
    kind = kinds.index(max(kinds))
    least_doubt = model.least_doubt_of_marketing if marketing else model.least_doubt
    return Impression(
        kind=model.kinds[kind],
        doubt=doubt,
        promotion=promotion,
        spans=_speaking(folded, text, model.weights[rows, kind] - model.weights[rows, allowed])
        if doubt >= least_doubt
        else (),
        promoting=_speaking(folded, text, model.weights[rows, len(model.kinds) + promotes])
        if promotion >= model.least_promotion
        else (),
    )


def buckets_of(text: str) -> NDArray[np.uint32]:
    """
    The bucket of every n-gram of a folded text: those of one character in its order, then those of two, and so on.

    Digits, and the x that masks them, are read as one digit and punctuation as a space: what is learned is wording.
    """
    codes = np.frombuffer(text.translate(_READ_AS).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    gram: NDArray[np.uint32] = codes
    grams = [gram]
    for length in range(2, min(LONGEST_GRAM, len(codes)) + 1):
        gram = gram[:-1] * _STEP + codes[length - 1 :]
        grams.append(gram)
    every = np.concatenate(grams)
    buckets: NDArray[np.uint32] = ((every ^ (every >> _HALF)) * _SPREAD) >> _UNUSED
    return buckets


@cache
def load() -> Model:
    """The model that ships with the package."""
    with resources.files(__package__).joinpath(MODEL).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return Model(
            rows=arrays["rows"],
            weights=arrays["weights"].astype(np.float32),
            bias=arrays["bias"],
            kinds=tuple(arrays["kinds"].tolist()),
            natures=tuple(arrays["natures"].tolist()),
            least_doubt=float(arrays["least_doubt"][0]),
            least_doubt_of_marketing=float(arrays["least_doubt"][1]),
            least_promotion=float(arrays["least_promotion"]),
        )


def _speaking(folded: Folded, text: str, speaks: NDArray[np.float32]) -> tuple[Span, ...]:
    """Where what speaks most stands: each n-gram counts for its characters, and Latin words are quoted whole."""
    of_characters = np.zeros(len(text), dtype=np.float32)
    first = 0
    for length in range(1, min(LONGEST_GRAM, len(text)) + 1):
        of_grams = speaks[first : first + len(text) - length + 1]
        first += len(of_grams)
        for place in range(length):
            of_characters[place : place + len(of_grams)] += of_grams / length
    loud = of_characters >= float(of_characters.max(initial=0.0)) * _LEAST_OF_THE_LOUDEST
    for word in _LATIN_WORD.finditer(text):
        loud[slice(*word.span())] = loud[slice(*word.span())].any()
    edges = np.flatnonzero(np.diff(loud.astype(np.int8), prepend=0, append=0)).reshape(-1, 2).tolist()
    edges.sort(key=lambda edge: -float(of_characters[edge[0] : edge[1]].sum()))
    return tuple(folded.span(start, end) for start, end in sorted(edges[:_PASSAGES_QUOTED]))


class _ReadAs(dict[int, str]):
    """Code point to what the model reads in its place, filled as characters are met."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        read = "0" if character.isdigit() or character == "x" else character if character.isalpha() else " "
        self[code_point] = read
        return read


_READ_AS = _ReadAs()
