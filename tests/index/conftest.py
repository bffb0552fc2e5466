"""A small deterministic embedder at the embedder's seam, and a folder of documents."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from llama_index.core.embeddings import BaseEmbedding


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


@pytest.fixture
def embedder() -> HashEmbedding:
    return HashEmbedding(model_name="hash")


@pytest.fixture
def other_embedder() -> HashEmbedding:
    return HashEmbedding(model_name="hash", seed="other")


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    folder = tmp_path / "docs"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.txt").write_text(
            f"Report {number}\n\nThe river number {number} is long. It flows by town {number}.",
            "utf-8",
        )
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"
