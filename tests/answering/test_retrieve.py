"""The nearest passages put in order by all signals, with a chance each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import CHINESE, FRENCH, FixedStore, NearEmbedding, passage
from hypothesis import given
from hypothesis import strategies as st

from qa_bot import prompts
from qa_bot.answering import retrieve as module
from qa_bot.answering.retrieve import calibrated, chances, retrieve
from qa_bot.errors import UsageError


@pytest.fixture
def store(embedder: NearEmbedding) -> FixedStore:
    return FixedStore(embedder, passage("fr.txt", FRENCH, "fr"), passage("zh.txt", CHINESE, "zh"))


def test_ranks_count_from_one_and_scores_fall_with_them(store: FixedStore) -> None:
    hits = retrieve(store, "How many companies took part?", [1.0, 0.0])
    assert [hit.rank for hit in hits] == [1, 2]
    assert 1 >= hits[0].score >= hits[1].score >= 0
    assert len(retrieve(store, "How many?", [1.0, 0.0], 1)) == 1


def test_the_passage_with_the_nearest_sentence_overtakes(
    store: FixedStore, embedder: NearEmbedding
) -> None:
    embedder.near = ("126",)
    hits = retrieve(store, "?", [1.0, 0.0])
    assert [hit.passage.source for hit in hits] == ["zh.txt", "fr.txt"]
    assert hits[0].sentences == pytest.approx((0.0, 1.0), abs=0.01)


@pytest.mark.parametrize(
    ("start", "before", "pair"),
    [
        (31, ["Kaspersky runs a programme."], 0.5**0.5),  # goes on where that one ends
        (31, ["Odd.", "Kaspersky runs a programme."], 0.5**0.5),
        (26, ["Kaspersky runs a programme.", "It helps."], 0.5**0.5),  # shares 'It helps.'
        (90, ["Kaspersky runs a programme."], 0.0),  # something stands between
    ],
)
def test_a_sentence_is_also_compared_with_the_one_before_it(
    embedder: NearEmbedding, start: int, before: list[str], pair: float
) -> None:
    embedder.near = ("Kaspersky",)
    earlier = passage("a.txt", " ".join(before), "en", 0)
    later = passage("a.txt", "It helps.", "en", start)
    store = FixedStore(embedder, later, replace(earlier, end=30))
    found = module.candidates(store, [1.0, 0.0], 9)
    assert found[0].sentences == pytest.approx((0.0,))
    assert found[0].pairs == pytest.approx((pair,))


def test_other_documents_sentences_are_not_before_a_passage(embedder: NearEmbedding) -> None:
    embedder.near = ("Kaspersky",)
    one, other = passage("a.txt", "Kaspersky.", "en"), passage("b.txt", "It helps.", "en", 11)
    found = module.candidates(FixedStore(embedder, one, other), [1.0, 0.0], 9)
    assert found[1].pairs == pytest.approx((0.0,))


def test_a_passage_without_sentence_vectors_is_still_found(
    store: FixedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "sentence_vectors", lambda ids: {})
    assert [hit.sentences for hit in retrieve(store, "?", [1.0, 0.0])] == [(), ()]


def test_nothing_is_found_in_an_empty_index(embedder: NearEmbedding) -> None:
    assert retrieve(FixedStore(embedder), "?", [1.0, 0.0]) == ()


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=9))
def test_chances_keep_the_order_and_leave_room_for_none(sums: list[float]) -> None:
    given_ = chances(np.array(sums))
    assert given_.min() >= 0
    assert given_.sum() <= 1 + 1e-9
    assert (np.diff(given_[np.argsort(sums)]) >= 0).all()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9), st.floats(0.1, 3), st.floats(-3, 3))
def test_a_calibrated_chance_is_one_and_keeps_the_order(
    given_: list[float], slope: float, offset: float
) -> None:
    found = calibrated(np.array(given_), slope, offset)
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found[np.argsort(given_)]) >= 0).all()
    np.testing.assert_allclose(calibrated(np.array(given_), 1, 0), given_, atol=1e-8)


def test_a_damaged_ranking_file_is_named(
    store: FixedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ranking.json").write_text(json.dumps({"weights": {"moon": 1}, "intercept": 0}))
    monkeypatch.setattr(prompts, "resource", lambda name: tmp_path)
    module._ranking.cache_clear()
    with pytest.raises(UsageError, match=r"ranking\.json.*moon"):
        retrieve(store, "?", [1.0, 0.0])
    module._ranking.cache_clear()


def test_copies_count_once_and_crowd_nothing_out(embedder: NearEmbedding) -> None:
    copies = [passage(f"copy{n:03}.txt", FRENCH + "!" * (n % 3), "fr") for n in range(200)]
    found = retrieve(FixedStore(embedder, *copies, passage("zh.txt", CHINESE, "zh")), "?", [1.0, 0])
    assert [hit.passage.source for hit in found] == ["copy000.txt", "zh.txt"]
    assert {copy.source for copy in found[0].copies} == {f"copy{n:03}.txt" for n in range(1, 200)}
    assert found[1].copies == ()


def test_the_copy_with_the_word_that_is_asked_for_stands_for_the_others(
    embedder: NearEmbedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "The director of the harbour office in the old town is {}, who also keeps the records of "
        "all ships that ever called there, and shows them on Sundays to whoever comes to the tower."
    )
    store = FixedStore(
        embedder,
        passage("a.txt", text.format("Wang"), "en"),
        passage("b.txt", text.format("Wong"), "en"),
        passage("c.txt", FRENCH, "fr"),
    )
    monkeypatch.setattr(store, "search", lambda *_: [(each, 0.9) for each in store.passages])
    hits = retrieve(store, "Is Wong the director of the harbour office?", [1.0, 0.0])
    assert {hit.passage.source: [copy.source for copy in hit.copies] for hit in hits} == {
        "b.txt": ["a.txt"],
        "c.txt": [],
    }
