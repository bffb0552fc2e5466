"""What readers see while an index is changed, damaged, or lies on a bad disk."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedding
from waiting import wait_until

from qa_bot.app import QABot
from qa_bot.errors import IndexUnusable, QABotError, UsageError
from qa_bot.index.build import open_index, update_index
from qa_bot.index.manifest import writing
from qa_bot.settings import Settings


def rewrite(docs: Path, version: str, count: int = 6) -> None:
    for number in range(count):
        (docs / f"{number}.txt").write_text(f"Report {number}\n\nThe river is {version} now.")


@pytest.fixture
def bot(docs: Path, store: Path, embedder: Any) -> Iterator[QABot]:
    opened = QABot(Settings(documents=(docs,), store=store), embedder=embedder)
    yield opened
    opened.close()


def test_what_another_process_indexed_is_found_without_a_restart(
    bot: QABot, docs: Path, store: Path, embedder: Any
) -> None:
    rewrite(docs, "cold")
    assert all("cold" in hit.passage.text for hit in bot.search("river", 9))
    for version in ("warm", "deep"):
        rewrite(docs, version)
        update_index([docs], store, embedder)
        assert all(version in hit.passage.text for hit in bot.search("river", 9))
    update_index([docs], store, embedder, rebuild=True)
    assert {path.name for path in store.glob("passages-*")} == {"passages-1", "passages-2"}
    assert all("deep" in hit.passage.text for hit in bot.search("river", 9))
    update_index([docs], store, embedder)
    assert [path.name for path in store.glob("passages-*")] == ["passages-2"]


def test_questions_go_on_during_updates_and_see_one_generation_each(
    bot: QABot, docs: Path, store: Path, embedder: Any
) -> None:
    versions = ["one", "two", "three", "four"]
    rewrite(docs, versions[0])
    assert bot.search("river")
    seen: list[str] = []
    faults: list[BaseException] = []
    done = threading.Event()

    def ask() -> None:
        while not done.wait(0.02):
            try:
                texts = [hit.passage.text for hit in bot.search("river", 9)]
            except BaseException as exc:
                faults.append(exc)
                return
            found = {version for version in versions if f"is {version} now" in " ".join(texts)}
            seen.append("+".join(found) if len(texts) == 6 else f"{len(texts)} passages")

    def more_than(asked: int) -> bool:
        return bool(faults) or len(seen) > asked

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for thread in asking:
        thread.start()
    try:
        for version in versions[1:]:
            asked = len(seen)
            wait_until(partial(more_than, asked))
            rewrite(docs, version)
            bot.index(rebuild=version == "three")
        wait_until(lambda: faults or seen[-1] == "four")
    finally:
        done.set()
        for thread in asking:
            thread.join()
    assert faults == []
    assert set(seen) <= set(versions)
    assert "four" in bot.search("river", 1)[0].passage.text


def test_a_second_writer_is_refused_while_questions_are_answered(
    bot: QABot, docs: Path, store: Path
) -> None:
    bot.search("river")
    with writing(store):
        assert bot.search("river")
        with pytest.raises(IndexUnusable, match="being indexed by process"):
            bot.index()
    assert bot.index().counts == {"unchanged": 3}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of so many passages that Chroma has written its graph to the disk."""
    root = tmp_path_factory.mktemp("large")
    docs = root / "docs"
    docs.mkdir()
    for number in range(4):
        lines = [f"Line {n} of file {number} is about item {n * number}." for n in range(300)]
        (docs / f"{number}.txt").write_text("\n\n".join(f"{line} " * 8 for line in lines))
    update_index([docs], root / "store", HashEmbedding(model_name="hash"))
    return root


def test_reading_leaves_what_is_sealed_as_it_is(large: Path, embedder: Any) -> None:
    for _ in range(3):
        said: list[str] = []
        opened = open_index(large / "store", said.append)
        assert opened is not None
        assert said == []
        with opened:
            assert len(opened.store.search(embedder.get_query_embedding("item 600"), 20)) == 20
    assert update_index([large / "docs"], large / "store", embedder).counts == {"unchanged": 4}
    assert [path.name for path in (large / "store").glob("passages-*")] == ["passages-1"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("chroma.sqlite3", "cut"),
        ("data_level0.bin", "cut"),
        ("data_level0.bin", "flipped"),
        ("index_metadata.pickle", "flipped"),
        ("length.bin", "flipped"),
        ("cache.sqlite3", "cut"),
    ],
)
def test_a_damaged_file_is_repaired_after_a_crash(
    large: Path, tmp_path: Path, embedder: Any, name: str, damage: str
) -> None:
    docs, store = large / "docs", tmp_path / "store"
    shutil.copytree(large / "store", store)
    (path,) = store.rglob(name)
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(
        data[:half]
        if damage == "cut"
        else data[: half - 50] + bytes(255 - x for x in data[half - 50 : half + 50])
        + data[half + 50 :]
    )  # fmt: skip
    (store / ".open-passages-1-1-0").touch()  # as a process leaves it that dies
    opened = open_index(store)
    if opened:
        opened.close()
    update_index([docs], store, embedder)
    found = open_index(store)
    assert found is not None
    with found:
        assert found.store.count() == len(found.manifest.passage_ids) == 1200
        vector = embedder.get_query_embedding("item 600")
        assert len(found.store.search(vector, 20)) == 20
    assert not list(store.glob(".open-*"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_is_named_and_the_old_index_answers(
    docs: Path, small_disk: Path, embedder: Any
) -> None:
    store = small_disk / "store"
    update_index([docs], store, embedder)
    for number in range(60):
        lines = [f"Line {n} of file {number} says {n * number}. " * 8 for n in range(20)]
        (docs / f"more{number}.txt").write_text("\n\n".join(lines))
    with pytest.raises(QABotError, match=r"disk of .*store is full; free some space"):
        update_index([docs], store, embedder)
    opened = open_index(store)
    assert opened is not None
    with opened:
        assert opened.store.count() == 3
    for number in range(60):
        (docs / f"more{number}.txt").unlink()
    assert update_index([docs], store, embedder).counts == {"unchanged": 3}
    assert len(list(store.glob("passages-*"))) == 1


def test_a_disk_that_may_not_be_written_still_answers(
    docs: Path, small_disk: Path, embedder: Any
) -> None:
    store = small_disk / "store"
    update_index([docs], store, embedder)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UsageError, match=r"store cannot be written .*--store FOLDER"):
        update_index([docs], store, embedder)
    opened = open_index(store)
    assert opened is not None
    with opened:
        assert len(opened.store.search(embedder.get_query_embedding("river"), 5)) == 3
        assert opened.read_text("0.txt")
