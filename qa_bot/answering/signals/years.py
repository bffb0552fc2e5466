"""The year that a question names: what tells near-identical yearly events apart."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa_bot.types import Candidate

_YEAR = re.compile(r"(?<![\d.,])\d{4}(?!\d|[.,]\d)")
_FIRST, _LAST = 1000, 2999


def same_year(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """1 for a passage that names a year of the question, and 1 more for a document of it.

    A document dated to another year loses 1: it may still look back. All are 0 where the
    question names no year.
    """
    asked = years_in(question)
    if not asked:
        return [0.0] * len(candidates)
    scores = []
    for candidate in candidates:
        passage = candidate.passage
        dated = int(passage.date[:4]) if passage.date else None
        agrees = 0 if dated is None else 1 if dated in asked else -1
        scores.append(float(agrees + bool(asked & years_in(passage.text))))
    return scores


def years_in(text: str) -> set[int]:
    """The years that a text names in digits."""
    return {year for year in map(int, _YEAR.findall(text)) if _FIRST <= year <= _LAST}
