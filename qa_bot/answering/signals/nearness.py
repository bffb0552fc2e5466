"""Nearness in meaning: of the passage, of its best sentence, and of its best two in a row."""

from __future__ import annotations

from collections.abc import Sequence

from qa_bot.types import Candidate


def near_passage(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """The cosine of the whole passage."""
    del question  # its vector has been compared already
    return [candidate.cosine for candidate in candidates]


def near_sentence(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """The cosine of the nearest sentence: a long passage hides the one that answers."""
    del question
    return [max(candidate.sentences, default=candidate.cosine) for candidate in candidates]


def near_pair(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """The cosine of the nearest sentence with the one before it, which says what it is about.

    'This program has helped 700 million people': which program, the sentence before tells.
    """
    del question
    return [max(candidate.pairs, default=candidate.cosine) for candidate in candidates]
