"""Passages that several documents repeat, made one candidate with the others beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from qa_bot.index.copies import same_passages
from qa_bot.types import Candidate, Passage

_RIVALS = 5
"""Copies that may stand for their group: any of them says nearly the same."""


def count_distinct(passages: Sequence[Passage]) -> int:
    """How many there are where copies count once."""
    return len(same_passages(passages))


def collapsed(
    pool: Sequence[Candidate], scores: Callable[[Sequence[Candidate]], Sequence[float]]
) -> list[Candidate]:
    """One candidate of each group of copies, the one that scores best, with its copies.

    The best one stands for them since copies may differ in the very word that is asked for.
    """
    groups = same_passages([candidate.passage for candidate in pool])
    if len(groups) == len(pool):
        return list(pool)
    rivals = [place for group in groups for place in group[:_RIVALS]]
    score = dict(zip(rivals, scores([pool[place] for place in rivals]), strict=True))
    found = []
    for group in groups:
        best = max(group[:_RIVALS], key=lambda place: (round(score[place], 6), -place))
        copies = tuple(pool[place].passage for place in group if place != best)
        found.append(replace(pool[best], copies=copies))
    return found
