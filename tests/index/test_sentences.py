"""The vectors of sentences, kept beside the passages."""

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qa_bot.errors import IndexUnusable
from qa_bot.index.build import open_index, update_index
from qa_bot.index.sentences import SentenceVectors, sentence_texts
from qa_bot.index.store import open_store


def unit_rows(count: int, seed: int = 1) -> Any:
    rows = np.random.default_rng(seed).normal(size=(count, 64))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_vectors_come_back_nearly_as_they_went_in(tmp_path: Path) -> None:
    kept = SentenceVectors(tmp_path / "s.sqlite3")
    one, two = unit_rows(3), unit_rows(1, seed=2)
    kept.put({"a": one.tolist(), "b": two.tolist(), "none": []})
    found = kept.get(["a", "b", "missing", "none"])
    assert set(found) == {"a", "b", "none"}
    assert len(found["none"]) == 0
    question = unit_rows(1, seed=3)[0]
    assert np.abs(found["a"] @ question - one @ question).max() < 0.005
    assert np.allclose(np.linalg.norm(found["b"], axis=1), 1, atol=1e-5)
    kept.close()


def test_many_are_found_at_once_replaced_and_deleted(tmp_path: Path) -> None:
    kept = SentenceVectors(tmp_path / "s.sqlite3")
    ids = [str(number) for number in range(1200)]
    kept.put(dict.fromkeys(ids, unit_rows(1).tolist()))
    assert set(kept.get(ids)) == set(ids)
    kept.put({"7": unit_rows(2).tolist()})
    assert len(kept.get(["7"])["7"]) == 2
    kept.delete(["7", "missing"])
    assert kept.get(["7"]) == {}
    kept.close()
    kept.close()


def test_every_indexed_passage_has_a_vector_for_each_of_its_sentences(
    docs: Path, store: Path, embedder: Any
) -> None:
    update_index([docs], store, embedder)
    (docs / "0.txt").write_text("Another report.\n\nThe old bridge is gone. It was of wood.")
    (docs / "1.txt").unlink()
    update_index([docs], store, embedder)
    index = open_index(store)
    assert index is not None
    with index:
        passages = index.store.get(index.store.ids())
        found = index.store.sentence_vectors(passages)
        for passage in passages.values():
            texts = sentence_texts(passage)
            near = found[passage.id] @ np.array(embedder.get_text_embedding_batch(texts)).T
            assert np.allclose(np.diag(near), 1, atol=0.01)
        folder = store / index.manifest.generation
    rows = sqlite3.connect(folder / "sentences.sqlite3")
    assert {row[0] for row in rows.execute("SELECT passage FROM sentences")} == set(passages)
    rows.close()


def test_a_damaged_file_is_a_damaged_index(tmp_path: Path) -> None:
    (tmp_path / "passages-1").mkdir()
    (tmp_path / "passages-1" / "sentences.sqlite3").write_bytes(b"garbage" * 999)
    with pytest.raises(IndexUnusable, match="--rebuild"):
        open_store(tmp_path / "passages-1")
