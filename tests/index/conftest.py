"""An embedder and a folder of documents for the tests of the index."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import HashEmbedding


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
