"""What a number counts, compared across languages by the embedder.

Asked how many countries took part, a small model may give the number of guests: the quote states
that one too, so that its value alone is no fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from qa_bot.numbers import find_numbers, with_digits

APART = 0.2
"""Cosine by which another number of the quote must count what is nearer. Of 37 right sentences of
two runs that give one of a quote's numbers none is found, and .62 are with the nearest other
number in its place (benchmarks/README.md)."""
WORDS, CHARACTERS = 4, 12
"""Of what follows a number, in scripts with and without spaces."""
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_END = re.compile(r"[.。;；:：!?！？()（）\n]|[,，、](?!\d)")
_LETTER = re.compile(r"[^\W\d_]")
_YEAR = re.compile(r"(?:19|20)\d\d")

Vectors = Callable[[list[str]], NDArray[np.float32]]
"""Texts to unit vectors, a row each."""


@dataclass(frozen=True, slots=True)
class _Counted:
    """A number and the words after it, which mostly say what it counts."""

    written: str
    values: frozenset[Decimal]
    thing: str


def miscounted(text: str, quotes: Sequence[str], vectors: Vectors) -> list[str]:
    """The numbers of `text` that count something else than in all quotes that state them.

    Years, and numbers that are followed by nothing, are not compared.
    """
    known = [[each for each in _counted(quote) if not _YEAR.fullmatch(each.written)]
             for quote in quotes]  # fmt: skip
    return [
        claim.written
        for claim in _counted(text)
        if (stating := [others for others in known if any(_same(claim, each) for each in others)])
        and all(_counts_another(claim, others, vectors) for others in stating)
    ]


def _counts_another(claim: _Counted, stated: Sequence[_Counted], vectors: Vectors) -> bool:
    """Whether another number of the quote counts what `claim` counts, more nearly by `APART`."""
    same = [_same(claim, each) for each in stated]
    if all(same):
        return False
    rows = vectors([claim.thing, *(each.thing for each in stated)])
    near = rows[1:] @ rows[0]
    return bool(near[~np.array(same)].max() - near[same].max() > APART)


def _same(one: _Counted, other: _Counted) -> bool:
    return bool(one.values & other.values)


def _counted(text: str) -> Iterator[_Counted]:
    text = with_digits(text)
    numbers = list(find_numbers(text))
    ends = [number.start for number in numbers[1:]] + [len(text)]
    for number, end in zip(numbers, ends, strict=False):
        after = _END.split(text[number.end : end])[0]
        unspaced = bool(_UNSPACED.search(after))
        thing = after[:CHARACTERS] if unspaced else " ".join(after.split()[:WORDS])
        if len(_LETTER.findall(thing)) >= (2 if unspaced else 4):
            yield _Counted(text[number.start : number.end].strip(), number.values, f"# {thing}")
