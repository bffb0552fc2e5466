"""What is left of the embedder's language bias."""

from __future__ import annotations

from collections.abc import Sequence

from qa_bot.types import Candidate

NEAREST = 3
"""Passages of a language that show how near all of it is; one alone may be the answer."""


def language_nearness(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """How near the nearest passages of a candidate's language are: the mean of their cosines.

    Its fitted weight is below 0. Where all of a language comes near, as the question's own
    does, nearness says less. Alike for all where the candidates are of one language.
    """
    del question  # its vector has been compared already
    by_language: dict[str, list[float]] = {}
    for candidate in candidates:
        by_language.setdefault(candidate.passage.language, []).append(candidate.cosine)
    level = {
        language: sum(sorted(cosines)[-NEAREST:]) / len(cosines[-NEAREST:])
        for language, cosines in by_language.items()
    }
    return [level[candidate.passage.language] for candidate in candidates]
