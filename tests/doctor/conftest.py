"""The world that these tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from doctor_world import World
from fakes import HashEmbedding


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)  # where no qa_bot.toml is
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "museum.txt").write_text("The museum has 310,000 visitors a year.\n")
    return World(documents, tmp_path / "store", HashEmbedding())


@pytest.fixture
def indexed(world: World) -> World:
    world.index()
    return world
