"""The days that a question names: what tells the documents on two meetings apart."""

from __future__ import annotations

from collections.abc import Sequence

from qa_bot.months import days
from qa_bot.types import Candidate


def same_day(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """1 for a passage of a document that names the question's days, -1 where it names others only.

    All that are asked about must be named: 8 November is a day of more than one summit that
    lasts from the 6th to the 9th. What a document names is told from its candidates, or is its
    date. All are 0 where the question names no day.
    """
    asked = days(question)
    if not asked:
        return [0.0] * len(candidates)
    named: dict[str, set[tuple[int, int]]] = {}
    for candidate in candidates:
        passage = candidate.passage
        named.setdefault(passage.source, set()).update(days(passage.text))
    return [_agreement(asked, named[each.passage.source], each.passage.date) for each in candidates]


def _agreement(asked: set[tuple[int, int]], named: set[tuple[int, int]], date: str | None) -> float:
    known = named | days(date or "")
    either = asked == {(day, month) for month, day in asked}  # 05/11 is May or November
    if asked & known if either else asked <= known:
        return 1.0
    return -1.0 if named else 0.0
