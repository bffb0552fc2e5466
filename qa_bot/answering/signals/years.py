"""The year that a question names: what tells near-identical yearly events apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from qa_bot.types import Candidate, Passage

_YEAR = re.compile(r"(?<![\d.,])\d{4}(?!\d|[.,]\d)")
_FIRST, _LAST = 1000, 2999


def same_year(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """1 for a passage of a document of the question's year, -1 for one of another year.

    A document without a date is of the year that most of its candidates name, of two the later
    one. A passage that names the question's year itself loses nothing, since it may look back.
    All are 0 where the question names no year.
    """
    asked = years_in(question)
    if not asked:
        return [0.0] * len(candidates)
    named: dict[str, Counter[int]] = {}
    for candidate in candidates:
        passage = candidate.passage
        named.setdefault(passage.source, Counter()).update(years_in(passage.text))
    return [_agreement(asked, each.passage, named[each.passage.source]) for each in candidates]


def _agreement(asked: set[int], passage: Passage, named: Counter[int]) -> float:
    likeliest = max(named, key=lambda year: (named[year], year), default=None)
    year = int(passage.date[:4]) if passage.date else likeliest
    if year is None:
        return 0.0
    return 1.0 if year in asked else 0.0 if asked & years_in(passage.text) else -1.0


def years_in(text: str) -> set[int]:
    """The years that a text names in digits."""
    return {year for year in map(int, _YEAR.findall(text)) if _FIRST <= year <= _LAST}
