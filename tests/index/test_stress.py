"""Random changes against a model, kills at random moments, and every size around the limits."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import HashEmbedding
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from index_stress import check_agrees, round_of_kills

from qa_bot.index.build import open_index, update_index
from qa_bot.index.store import open_store
from qa_bot.types import Passage

NAMES = st.sampled_from(["a.txt", "b.md", "c.csv", "sub/d.txt"])
TEXTS = st.sampled_from(
    ["The river is long.", "One.\n\nTwo is here.", "x,y\n1,2", "", "字很多。" * 99]
)


class IndexMachine(RuleBasedStateMachine):
    """Files that come, change, move and go, against a dictionary of what each should hold."""

    @initialize()
    def begin(self) -> None:
        self.root = Path(tempfile.mkdtemp())
        self.docs = self.root / "docs"
        (self.docs / "sub").mkdir(parents=True)
        (self.docs / "stays.txt").write_text("This file always stays.")
        self.model = {"stays.txt": "This file always stays."}
        self.indexed: dict[str, str] = {}
        self.update(rebuild=False)

    @rule(name=NAMES, text=TEXTS)
    def write(self, name: str, text: str) -> None:
        (self.docs / name).write_text(text)
        self.model[name] = text

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.docs / name).unlink(missing_ok=True)
        self.model.pop(name, None)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if old in self.model:
            (self.docs / old).rename(self.docs / new)
            self.model[new] = self.model.pop(old)

    @rule(rebuild=st.booleans())
    def update(self, rebuild: bool) -> None:
        report = update_index(
            [self.docs], self.root / "store", HashEmbedding(model_name="hash"), rebuild=rebuild
        )
        assert {f.source for f in report.files if f.status != "removed"} == set(self.model)
        alike: dict[str, list[str]] = {}
        for name in sorted(self.model):
            if self.model[name]:
                alike.setdefault(self.model[name], []).append(name)
        self.indexed = {names[0]: text for text, names in alike.items()}

    @invariant()
    def the_index_holds_what_was_indexed_last(self) -> None:
        if not hasattr(self, "root"):
            return
        opened = open_index(self.root / "store")
        assert opened is not None
        with opened:
            assert set(opened.manifest.files) == set(self.indexed)
            found = opened.store.get(opened.store.ids())
            assert set(found) == opened.manifest.passage_ids
            for passage in found.values():
                if not passage.source.endswith(".csv"):
                    whole = self.indexed[passage.source]
                    assert whole[passage.start : passage.end] == passage.text

    def teardown(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


TestIndexMachine = IndexMachine.TestCase
TestIndexMachine.settings = settings(
    max_examples=8,
    stateful_step_count=8,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_harms_nothing(tmp_path: Path) -> None:
    for seed in range(3):
        round_of_kills(tmp_path, seed)


LARGE = (pytest.param(size, marks=pytest.mark.slow) for size in (999, 1000, 1001, 5000))


@pytest.mark.parametrize("size", [99, 100, 101, *LARGE])
def test_every_passage_finds_itself_after_a_restart(tmp_path: Path, size: int) -> None:
    passages = [Passage(f"{n:032}", "a.txt", n, n + 1, "x", "T", "en", None) for n in range(size)]
    ids = [passage.id for passage in passages]
    vectors = np.random.default_rng(size).standard_normal((size, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store = open_store(tmp_path / "passages-1")
    for at in range(0, size, 32):
        store.add(passages[at : at + 32], vectors[at : at + 32].tolist())
    store.close()
    again = open_store(tmp_path / "passages-1")
    assert sorted(again.ids()) == ids
    for number in range(0, size, max(1, size // 50)):
        ((nearest, score),) = again.search(vectors[number].tolist(), 1)
        assert (nearest, round(score, 4)) == (passages[number], 1)
    # Every one of them: by the vectors that a search compares, and by Chroma's own graph.
    kept, matrix = again._load_matrix()
    assert kept.tolist() == ids
    assert np.abs(matrix - vectors).max() < 1e-5
    for at in range(0, size, 500):
        found = again._store.client.query(query_embeddings=vectors[at : at + 500], n_results=1)
        assert [nearest for (nearest,) in found["ids"]] == ids[at : at + 500]
    again.close()


def test_the_check_finds_a_vector_that_is_not_its_passage(docs: Path, store: Path) -> None:
    embedder: Any = HashEmbedding(model_name="hash")
    update_index([docs], store, embedder)
    opened = open_index(store)
    assert opened is not None
    with opened:
        (passage,) = opened.store.get(sorted(opened.store.ids())[:1]).values()
        opened.store.delete([passage.id])
        opened.store.add([passage], [[1.0] * 32])
    with pytest.raises(AssertionError):
        check_agrees(store)
