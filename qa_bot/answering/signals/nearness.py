"""Nearness in meaning: of the passage, of its best sentence, and of what stands beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qa_bot.types import Candidate

BESIDE = 1000
"""Characters between two passages up to which they are neighbours: captions lie between some."""


def near_passage(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """The cosine of the whole passage."""
    del question  # its vector has been compared already
    return [candidate.cosine for candidate in candidates]


def near_sentence(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """The cosine of the nearest sentence: a long passage hides the one that answers."""
    del question
    return [max(candidate.sentences, default=candidate.cosine) for candidate in candidates]


def near_neighbour(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """The cosine of the nearer neighbour in the document, at least that of the last candidate.

    A passage that takes up its subject from the one before ('this programme …') is itself
    far from a question that names it.
    """
    del question
    least = min((candidate.cosine for candidate in candidates), default=0.0)
    order = sorted(
        range(len(candidates)),
        key=lambda i: (candidates[i].passage.source, candidates[i].passage.start),
    )
    nearer = [least] * len(candidates)
    for i, j in pairwise(order):
        first, second = candidates[i].passage, candidates[j].passage
        if first.source == second.source and second.start - first.end <= BESIDE:
            nearer[i] = max(nearer[i], candidates[j].cosine)
            nearer[j] = max(nearer[j], candidates[i].cosine)
    return nearer
