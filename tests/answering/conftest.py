"""A pipeline over made-up passages, a scripted model and a fixed ranking."""

import pytest
from fakes import CHINESE, FRENCH, GATE, FixedStore, NearEmbedding, ScriptedModel, passage

from qa_bot.answering import steps
from qa_bot.answering.pipeline import Pipeline


@pytest.fixture(autouse=True)
def _gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "load_gate", lambda strictness: GATE)


@pytest.fixture
def texts() -> dict[str, str]:
    """The documents' files, which a test may change."""
    return {"fr.txt": FRENCH, "zh.txt": CHINESE}


@pytest.fixture
def embedder() -> NearEmbedding:
    """By default, every question is nearest to the sentence on the companies."""
    return NearEmbedding(near=("130",))


@pytest.fixture
def pipeline(model: ScriptedModel, embedder: NearEmbedding, texts: dict[str, str]) -> Pipeline:
    found = passage("fr.txt", FRENCH, "fr"), passage("zh.txt", CHINESE, "zh")
    return Pipeline(FixedStore(embedder, *found), embedder, model, texts.get)
