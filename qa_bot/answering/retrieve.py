"""A question to ranked passages: the nearest ones, put in order by all signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from qa_bot.answering.copies import collapsed, count_distinct
from qa_bot.answering.signals import SIGNALS
from qa_bot.errors import UsageError
from qa_bot.prompts import load_data
from qa_bot.types import Candidate, Hit, Passage

DEPTH = 20
"""How far down the ranking is kept in an answer record."""
POOL = 60
"""Nearest passages that the signals put in order; 100 rank no better (benchmarks/README.md)."""

BREAK = 8
"""Characters between passages up to which one goes on where the other ends: a paragraph's end."""


class Searchable(Protocol):
    """What retrieval asks of an index."""

    def search(
        self, vector: Sequence[float], k: int, where: Mapping[str, Any] | None = None
    ) -> list[tuple[Passage, float]]:
        """The `k` nearest passages with their cosine similarity, best first."""

    def sentence_vectors(self, ids: Iterable[str]) -> Mapping[str, NDArray[np.float32]]:
        """The unit vectors of these passages' sentences, a row each, in their order."""


def retrieve(
    store: Searchable,
    question: str,
    vector: Sequence[float],
    k: int = DEPTH,
    where: Mapping[str, Any] | None = None,
) -> tuple[Hit, ...]:
    """The `k` best passages for a question, best first.

    Args:
        store: the index.
        question: it, made to stand alone.
        vector: its embedding.
        k: at most this many are returned.
        where: a filter, in the index's own language.
    """
    wanted = max(k, POOL)
    near = candidates(store, vector, wanted, where)
    pool = collapsed(near, lambda rivals: scores(question, rivals))[:wanted]
    scored = zip(scores(question, pool), pool, strict=True)
    best = sorted(
        scored, key=lambda pair: (-round(pair[0], 6), pair[1].passage.source, pair[1].passage.start)
    )
    return tuple(
        Hit(rank, score, found.passage, found.sentences, found.copies)
        for rank, (score, found) in enumerate(best[:k], start=1)
    )


def candidates(
    store: Searchable, vector: Sequence[float], count: int, where: Mapping[str, Any] | None = None
) -> list[Candidate]:
    """The passages nearest to a question's vector, and how near their sentences are.

    A sentence often leans on the one before it, in the same passage or at the end of the
    one before, so each is also compared together with it: by the sum of both vectors.

    There are more than `count` where some are copies of others, which must not crowd them out.
    """
    near = store.search(vector, count, where)
    asked = count
    while len(near) == asked and count_distinct([passage for passage, _ in near]) < count:
        asked *= 2
        near = store.search(vector, asked, where)
    sentences = store.sentence_vectors([passage.id for passage, _ in near])
    question = np.asarray(vector, dtype=np.float32)
    question = question / max(float(np.linalg.norm(question)), 1e-12)
    before = _sentences_before([passage for passage, _ in near], sentences)
    found = []
    for passage, cosine in near:
        rows = sentences.get(passage.id)
        if rows is None or not rows.size:
            found.append(Candidate(passage, cosine))
            continue
        first = before.get(passage.id, rows[0])
        pairs = rows + np.vstack([first, rows[:-1]])
        lengths = np.maximum(np.linalg.norm(pairs, axis=1), 1e-12)
        near_pairs = (pairs @ question / lengths).tolist()
        found.append(
            Candidate(passage, cosine, tuple((rows @ question).tolist()), tuple(near_pairs))
        )
    return found


def _sentences_before(
    passages: Sequence[Passage], sentences: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """The vector of the sentence before each passage, where one of these passages ends with it."""
    found: dict[str, NDArray[np.float32]] = {}
    ordered = sorted(passages, key=lambda passage: (passage.source, passage.start))
    for earlier, passage in pairwise(ordered):
        gap = passage.start - earlier.end
        last = 2 if gap < 0 else 1  # passages that overlap share one sentence
        rows = sentences.get(earlier.id, ())
        if earlier.source == passage.source and gap <= BREAK and len(rows) >= last:
            found[passage.id] = rows[-last]
    return found


def scores(question: str, pool: Sequence[Candidate]) -> list[float]:
    """The chance of each candidate to answer the question.

    Raises:
        UsageError: `prompts/ranking.json` is missing or damaged.
    """
    ranking = _ranking()
    sums = np.full(len(pool), ranking["intercept"])
    for name, weight in ranking["weights"].items():
        sums += weight * np.asarray(SIGNALS[name](question, pool))
    found: list[float] = calibrated(chances(sums), *ranking["calibration"]).tolist()
    return found


def chances(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds of candidates against 'none answers' to chances: a conditional logit.

    With 'none', they add up to 1 (McFadden 1974).
    """
    most = max(0.0, sums.max(initial=0.0))
    powers = np.exp(sums - most)
    return np.asarray(powers / (powers.sum() + np.exp(-most)))


def calibrated(given: NDArray[np.float64], slope: float, offset: float) -> NDArray[np.float64]:
    """Chances that are right as often as they say: log-odds on a fitted line (Platt 1999).

    A conditional logit has one right candidate; here several may answer, or none as a whole.
    """
    return np.asarray(1 / (1 + np.exp(-slope * log_odds(given) - offset)))


def log_odds(chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of chances in [0, 1], none of them taken for certain."""
    sure = np.clip(chance, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(sure / (1 - sure)))


@cache
def _ranking() -> Mapping[str, Any]:
    """The weights of the signals, the log-odds where all are 0, and the line of `calibrated`."""
    stored = load_data("ranking")
    weights = stored.get("weights", {})
    if set(weights) != set(SIGNALS):
        raise UsageError(f"prompts/ranking.json has weights of {sorted(weights)}; restore the file")
    return stored
