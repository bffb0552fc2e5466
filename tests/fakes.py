"""Fakes at the seams, and the made-up passages that tests answer from."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from llama_index.core.embeddings import BaseEmbedding
from numpy.typing import NDArray

from qa_bot.answering.steps import Gate
from qa_bot.index.sentences import sentence_texts
from qa_bot.types import Message, Passage, Usage

FRENCH = (
    "130 entreprises ont participé à l'exposition. "
    "L'économie numérique a atteint 35 800 milliards de yuans en 2019."
)
CHINESE = "中国企业铺设超过20万公里光纤。共有来自126个国家的1800多位嘉宾参加。"


GATE = Gate(
    strictness="normal",
    sure=1.0, likely=1.0, hopeless=-math.inf, support=1.0, nearness=0.0, bias=0.0, least=0.6,
    stands=-math.inf, marks=False, topic=0.0,
)  # fmt: skip
"""A gate of the tests' own, so that a new fit changes none: what is written stands."""


def passage(source: str, text: str, language: str, start: int = 0) -> Passage:
    return Passage(
        id=f"{source}-{start}",
        source=source,
        start=start,
        end=start + len(text),
        text=text,
        title=f"Title of {source}",
        language=language,
        date="2020-11-23",
    )


class FixedStore:
    """Gives its passages in the order they were given, whatever is asked."""

    def __init__(self, embedder: BaseEmbedding, *passages: Passage) -> None:
        self.embedder = embedder
        self.passages = passages

    def search(
        self, vector: Sequence[float], k: int, where: Mapping[str, Any] | None = None
    ) -> list[tuple[Passage, float]]:
        ranked = [(item, 0.9 - 0.1 * place) for place, item in enumerate(self.passages)]
        return ranked[:k]

    def sentence_vectors(self, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        wanted = set(ids)
        return {
            item.id: np.array(
                self.embedder.get_text_embedding_batch(sentence_texts(item)), dtype=np.float32
            )
            for item in self.passages
            if item.id in wanted
        }


@dataclass
class ScriptedModel:
    """An answering model that says what a test tells it to, and keeps what it was asked."""

    reply: str = "130 companies took part."
    replies: list[str] = field(default_factory=list)
    """What it writes first, one a call; after these comes `reply`."""
    yes: list[float] = field(default_factory=lambda: [0.9])
    name: str = "scripted"
    digest: str = ""
    context_window: int = 4096
    prompts: list[Sequence[Message]] = field(default_factory=list)
    stopped: bool = False

    def load(self) -> None:
        """There is nothing to load."""

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int
    ) -> Generator[str, None, Usage]:
        self.prompts.append(messages)
        try:
            text = self.replies.pop(0) if self.replies else self.reply
            yield from re.findall(r"\S+\s*|\s+", text)
        except GeneratorExit:
            self.stopped = True
            raise
        return Usage(100, 10)

    def probability_of_yes(self, messages: Sequence[Message]) -> tuple[float, Usage]:
        self.prompts.append(messages)
        return (self.yes.pop(0) if len(self.yes) > 1 else self.yes[0]), Usage(100, 1)

    def count_tokens(self, text: str) -> int:
        return len(text) // 4


class NearEmbedding(BaseEmbedding):
    """Puts texts that hold one of `near` right beside every question, and others far away."""

    near: tuple[str, ...] = ()

    def _get_query_embedding(self, query: str) -> list[float]:
        return [1.0, 0.0]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return [1.0, 0.0] if any(word in text for word in self.near) else [0.0, 1.0]


class HashEmbedding(BaseEmbedding):
    """Counts hashed words in 32 places; the same text always has the same vector."""

    seed: str = ""

    @property
    def digest(self) -> str:
        return f"hash-{self.seed}"

    def _get_text_embedding(self, text: str) -> list[float]:
        vector = [0.01] * 32
        for word in text.lower().split():
            vector[hashlib.sha256((self.seed + word).encode()).digest()[0] % 32] += 1.0
        length = sum(x * x for x in vector) ** 0.5
        return [x / length for x in vector]

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_text_embedding(query)
