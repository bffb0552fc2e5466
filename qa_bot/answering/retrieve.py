"""A question's vector to ranked passages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qa_bot.types import Hit, Passage

DEPTH = 20
"""How far down the ranking is kept in an answer record."""


class Searchable(Protocol):
    """What retrieval asks of an index."""

    def search(self, vector: Sequence[float], k: int) -> list[tuple[Passage, float]]:
        """The `k` nearest passages with their cosine similarity, best first."""


def retrieve(store: Searchable, vector: Sequence[float], k: int = DEPTH) -> tuple[Hit, ...]:
    """The `k` best passages for a question's vector, best first."""
    found = store.search(vector, k)
    return tuple(Hit(rank, score, passage) for rank, (passage, score) in enumerate(found, start=1))
