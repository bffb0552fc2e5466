"""A pipeline over made-up passages, a scripted model and a fixed ranking."""

import pytest
from fakes import CHINESE, FRENCH, FixedStore, ScriptedModel, passage
from llama_index.core.embeddings import MockEmbedding

from qa_bot.answering.pipeline import Pipeline


@pytest.fixture
def texts() -> dict[str, str]:
    """The documents' files, which a test may change."""
    return {"fr.txt": FRENCH, "zh.txt": CHINESE}


@pytest.fixture
def pipeline(model: ScriptedModel, texts: dict[str, str]) -> Pipeline:
    store = FixedStore(passage("fr.txt", FRENCH, "fr"), passage("zh.txt", CHINESE, "zh"))
    return Pipeline(store, MockEmbedding(embed_dim=4), model, texts.get)
