import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Unpack

import pytest

from qa_bot.errors import IndexUnusable, UsageError
from qa_bot.index import store as store_module
from qa_bot.index.filters import where
from qa_bot.index.store import PassageStore, open_store
from qa_bot.types import Filter, Passage


def passage(number: int, *, source: str = "a.txt", date: str | None = None) -> Passage:
    return Passage(
        f"{number:032}", source, number * 10, number * 10 + 4, f"te\x00{number}", "T", "en", date
    )


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[PassageStore]:
    store = open_store(tmp_path / "passages-1")
    yield store
    store.close()


def test_passages_come_back_as_they_went_in(opened: PassageStore) -> None:
    put = [passage(1), passage(2, date="2020-01"), passage(3, source="b/ü.txt")]
    opened.add(put, [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert opened.ids() == {p.id for p in put}
    assert opened.count() == 3
    assert opened.get([put[1].id, "missing"]) == {put[1].id: put[1]}
    opened.delete([put[0].id, "missing"])
    assert opened.get(opened.ids()) == {p.id: p for p in put[1:]}


@pytest.mark.parametrize("exact_up_to", [1000, 0], ids=["exact", "by the graph"])
def test_scores_are_cosines_and_ties_have_one_order(
    opened: PassageStore, monkeypatch: pytest.MonkeyPatch, exact_up_to: int
) -> None:
    monkeypatch.setattr(store_module, "EXACT_UP_TO", exact_up_to)
    put = [passage(n, source=f"{n % 2}.txt") for n in range(8)]
    opened.add(put, [[1.0, 0.0]] * 6 + [[0.6, 0.8], [-1.0, 0.0]])
    hits = opened.search([2.0, 0.0], 8)
    assert [round(score, 5) for _, score in hits] == [1.0] * 6 + [0.6, -1.0]
    assert [(p.source, p.start) for p, _ in hits[:6]] == [
        ("0.txt", 0), ("0.txt", 20), ("0.txt", 40), ("1.txt", 10), ("1.txt", 30), ("1.txt", 50),
    ]  # fmt: skip
    assert [p for p, _ in opened.search([2.0, 0.0], 2)] == [p for p, _ in hits[:2]]
    assert {p.source for p, _ in opened.search([2.0, 0.0], 9, {"source": "1.txt"})} == {"1.txt"}
    assert opened.search([1.0, 0.0], 0) == []


def test_nothing_is_lost_among_many_that_are_alike(opened: PassageStore) -> None:
    """Chroma's graph alone finds a part of such passages only."""
    opened.add([passage(n) for n in range(900)], [[1.0, 0.0]] * 900)
    assert [p.start for p, _ in opened.search([1.0, 0.1], 20)] == list(range(0, 200, 10))
    opened.delete([passage(0).id])
    opened.add([passage(1000)], [[1.0, 0.1]])
    assert [p.start for p, _ in opened.search([1.0, 0.1], 3)] == [10000, 10, 20]


def test_an_empty_store_finds_nothing(opened: PassageStore) -> None:
    assert opened.search([1.0, 0.0], 5) == []
    opened.check()
    opened.delete([])
    assert opened.get([]) == {}


def test_a_vector_of_another_length_names_the_cure(opened: PassageStore) -> None:
    opened.add([passage(1)], [[1.0, 0.0]])
    with pytest.raises(IndexUnusable, match=r"qa-bot index --rebuild"):
        opened.search([1.0, 0.0, 0.0], 5)
    with pytest.raises(IndexUnusable, match=r"passages-1 cannot be used"):
        opened.add([passage(2)], [[1.0]])


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"garbage" * 999)
    with pytest.raises(IndexUnusable, match=r"--rebuild"):
        open_store(tmp_path)


def test_lost_rows_are_found_out(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.add([passage(1)], [[1.0, 0.0]])
    store.close()
    with sqlite3.connect(tmp_path / "chroma.sqlite3") as database:
        database.execute("DROP TABLE embeddings_queue")
    database.close()
    with pytest.raises(IndexUnusable):
        open_store(tmp_path).check()


def test_an_interrupt_stays_an_interrupt(
    opened: PassageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(opened._store.client, "count", interrupted)
    with pytest.raises(KeyboardInterrupt):
        opened.count()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files by /proc")
def test_closing_lets_go_of_every_file(tmp_path: Path) -> None:
    def held() -> list[str]:
        names = []
        for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
            with contextlib.suppress(FileNotFoundError):  # closed since the folder was listed
                names.append(os.readlink(f"/proc/self/fd/{number}"))  # noqa: PTH115
        return [name for name in names if name.startswith(str(tmp_path))]

    store = open_store(tmp_path / "one")
    store.add([passage(1)], [[1.0, 0.0]])
    assert held()
    store.close()
    store.close()
    deadline = time.monotonic() + 5  # Chroma's threads close the last file a moment later
    while held() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert held() == []


def test_it_prints_and_logs_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        store = open_store(tmp_path)
        store.add([passage(1), passage(1)][:1], [[1.0, 0.0]])
        store.add([passage(1)], [[1.0, 0.0]])
        store.search([1.0, 0.0], 50)
        store.delete(["missing"])
        store.close()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize("exact_up_to", [1000, 0], ids=["exact", "by the graph"])
def test_documents_are_limited_by_source_language_and_date(
    opened: PassageStore, monkeypatch: pytest.MonkeyPatch, exact_up_to: int
) -> None:
    monkeypatch.setattr(store_module, "EXACT_UP_TO", exact_up_to)
    dates = [None, "2022", "2022-11", "2022-11-08", "2023-01-31", "2024"]
    put = [passage(n, source=f"{n % 2}.txt", date=date) for n, date in enumerate(dates)]
    put[3] = replace(put[3], language="zh")
    opened.add(put, [[1.0, 0.0]] * len(put))

    def found(**only: Unpack[Filter]) -> set[str | None]:
        return {p.date for p, _ in opened.search([1.0, 0.0], 9, where(only))}

    assert found() == set(dates)
    assert found(source="1.txt") == {"2022", "2022-11-08", "2024"}
    assert found(source=["0.txt", "1.txt"]) == set(dates)
    assert found(source=["1.txt", "no.txt"], until="2022") == {"2022", "2022-11-08"}
    assert found(language="zh") == {"2022-11-08"}
    assert found(since="2022-11-08") == {"2022-11-08", "2023-01-31", "2024"}
    assert found(until="2022") == {"2022", "2022-11", "2022-11-08"}
    assert found(since="2022-11", until="2023-01", source="0.txt") == {"2022-11", "2023-01-31"}


def test_a_malformed_date_is_named() -> None:
    with pytest.raises(UsageError, match="'last year' is no date"):
        where({"since": "last year"})
