from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from qa_bot.errors import UsageError
from qa_bot.index import build, load, write
from qa_bot.index.build import open_index, read_document, update_index
from qa_bot.index.store import open_store

TEXTS = ["River one is long. It is cold.", "Hill two is high.\n\nIt has snow.", "字" * 900, "Town."]
Content = tuple[Any, ...]


def content(store: Path, embedder: Any) -> Content:
    """All that an index holds and how it ranks, for comparing two indexes."""
    opened = open_index(store)
    assert opened is not None
    with opened:
        assert opened.store.ids() == opened.manifest.passage_ids
        passages = opened.store.get(opened.store.ids())
        for passage in passages.values():
            text = opened.read_text(passage.source)
            assert text is not None
            assert text[passage.start : passage.end] == passage.text
        hits = opened.store.search(embedder.get_query_embedding("long river in town two"), 20)
        ranking = [(p.id, round(score, 5)) for p, score in hits]
        files = {s: (e.digest, e.title, e.passages) for s, e in opened.manifest.files.items()}
    return sorted(passages), ranking, files


def fresh(docs: Path, tmp_path: Path, embedder: Any) -> Content:
    folder = tmp_path / f"fresh-{time.monotonic_ns()}"
    update_index([docs], folder, embedder)
    return content(folder, embedder)


def statuses(docs: Path, store: Path, embedder: Any, **options: Any) -> dict[str, str]:
    report = update_index([docs], store, embedder, **options)
    return {file.source: file.status for file in report.files}


def test_only_what_changed_is_embedded(
    docs: Path, store: Path, tmp_path: Path, embedder: Any
) -> None:
    steps: list[tuple[int, int]] = []
    report = update_index([docs], store, embedder, progress=lambda *step: steps.append(step))
    assert report.counts == {"added": 3}
    assert report.passages == steps[-1][0] == steps[-1][1] == 3
    assert statuses(docs, store, embedder) == dict.fromkeys(
        ["0.txt", "1.txt", "2.txt"], "unchanged"
    )
    (docs / "1.txt").write_text("Something else now.")
    (docs / "2.txt").unlink()
    (docs / "new.md").write_text("# New\n\nSomething new.")
    steps.clear()
    assert statuses(docs, store, embedder, progress=lambda *step: steps.append(step)) == {
        "0.txt": "unchanged", "1.txt": "changed", "2.txt": "removed", "new.md": "added",
    }  # fmt: skip
    assert steps == [(2, 2)]
    assert content(store, embedder) == fresh(docs, tmp_path, embedder)


def test_any_order_of_changes_ends_as_a_fresh_index(
    docs: Path, store: Path, tmp_path: Path, embedder: Any
) -> None:
    """Every sequence of two edits, one after the other on one store."""
    edits = list(itertools.product(["0.txt", "1.txt"], [*TEXTS[:2], None]))
    for first, second in itertools.islice(itertools.permutations(edits, 2), 0, None, 5):
        for name, text in (first, second):
            if text is None:
                (docs / name).unlink(missing_ok=True)
            else:
                (docs / name).write_text(text)
            update_index([docs], store, embedder)
        assert content(store, embedder) == fresh(docs, tmp_path, embedder)


def test_every_kind_of_file_has_its_status(
    docs: Path, store: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "MAX_BYTES", 5000)
    (docs / "copy.txt").write_bytes((docs / "0.txt").read_bytes())
    (docs / "empty.txt").write_text(" \n")
    (docs / "empty2.txt").write_text(" \n")
    (docs / "rules.txt").write_text("---\n* * *")
    (docs / "table.ods").write_bytes(b"x")
    (docs / ".secret.txt").write_text("x")
    (docs / "big.txt").write_text("x" * 6000)
    (docs / "photo.txt").write_bytes(b"\x89PNG\r\n" + bytes(range(256)) * 9)
    (docs / "loop.txt").symlink_to(docs / "loop.txt")
    report = update_index([docs], store, embedder)
    found = {file.source: (file.status, file.reason) for file in report.files}
    assert found.pop("loop.txt")[0] == "failed"
    assert found == {
        ".secret.txt": ("skipped", "hidden"),
        "0.txt": ("added", None),
        "1.txt": ("added", None),
        "2.txt": ("added", None),
        "big.txt": ("too_large", "0.0 MB, over 0 MB; split the file"),
        "copy.txt": ("duplicate", "same bytes as 0.txt"),
        "empty.txt": ("empty", "no text in it"),
        "empty2.txt": ("empty", "no text in it"),
        "photo.txt": ("undecodable", "unknown encoding; save it as UTF-8"),
        "rules.txt": ("empty", "no text in it"),
        "table.ods": ("unsupported", ".ods files are not read; convert to .txt"),
    }
    assert report.incomplete
    (docs / "0.txt").unlink()
    again = {f.source: f.status for f in update_index([docs], store, embedder).files}
    assert (again["0.txt"], again["copy.txt"], again["1.txt"]) == ("removed", "added", "unchanged")


def test_one_bad_file_does_not_stop_the_others(
    docs: Path, store: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = build.blocks

    def fragile(text: str) -> Any:
        if "number 1" in text:
            raise RuntimeError("what a text")
        return real(text)

    monkeypatch.setattr(build, "blocks", fragile)
    report = update_index([docs], store, embedder)
    assert report.counts == {"added": 2, "failed": 1}
    assert [f.reason for f in report.files if f.status == "failed"] == ["RuntimeError: what a text"]


def test_another_embedder_or_rebuild_starts_afresh(
    docs: Path, store: Path, tmp_path: Path, embedder: Any, other_embedder: Any
) -> None:
    update_index([docs], store, embedder)
    said: list[str] = []
    assert set(statuses(docs, store, other_embedder, notify=said.append).values()) == {"added"}
    assert "built anew" in said[0]
    assert content(store, other_embedder) == fresh(docs, tmp_path, other_embedder)
    assert set(statuses(docs, store, other_embedder, rebuild=True).values()) == {"added"}
    assert [p.name for p in store.glob("passages-*")] == ["passages-3"]


@pytest.mark.parametrize("damage", ["manifest", "store", "lost", "missing", "extra"])
def test_damage_is_repaired_by_the_next_run(
    docs: Path, store: Path, tmp_path: Path, embedder: Any, damage: str
) -> None:
    update_index([docs], store, embedder)
    opened = open_index(store)
    assert opened is not None
    with opened:
        ids = sorted(opened.store.ids())
        if damage == "lost":
            opened.store.delete(ids[:1])
        if damage == "extra":
            made = read_document([docs], "0.txt")
            extra = build.passages(made, [build.Block(0, 5, "text")])
            opened.store.add(extra, [embedder.get_query_embedding("x")])
            assert opened.store.count() == 3  # no reader sees it
    if damage == "manifest":
        (store / "manifest.json").write_text("{")
        assert open_index(store) is None
    if damage == "store":
        (store / "passages-1" / "chroma.sqlite3").write_bytes(b"garbage" * 999)
    if damage == "missing":
        shutil.rmtree(store / "passages-1")
        assert open_index(store) is None
    said: list[str] = []
    update_index([docs], store, embedder, notify=said.append)
    assert bool(said) == (damage in ("manifest", "store"))
    assert content(store, embedder) == fresh(docs, tmp_path, embedder)


def test_a_failing_embedder_leaves_an_index_that_goes_on(
    docs: Path, store: Path, tmp_path: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (docs / "long.txt").write_text("\n\n".join(f"Sentence {n}. " * 30 for n in range(60)))
    real = type(embedder)._get_text_embedding
    calls = itertools.count()

    def tired(self: Any, text: str) -> list[float]:
        if next(calls) == 90:
            raise RuntimeError("the model is gone")
        return real(self, text)

    monkeypatch.setattr(type(embedder), "_get_text_embedding", tired)
    with pytest.raises(RuntimeError, match="gone"):
        update_index([docs], store, embedder)
    assert open_index(store) is None
    assert not list(store.glob("passages-*"))
    embedded = next(calls)
    update_index([docs], store, embedder)
    again = next(calls) - embedded
    update_index([docs], tmp_path / "another", embedder)
    assert again < next(calls) - embedded - again  # one batch was kept
    assert content(store, embedder) == fresh(docs, tmp_path, embedder)


def test_a_failing_update_leaves_the_old_version_answering(
    docs: Path, store: Path, tmp_path: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_index([docs], store, embedder)
    before = content(store, embedder)
    (docs / "1.txt").write_text("The lake is deep.")

    def failing(self: Any, text: str) -> list[float]:
        raise RuntimeError("the model is gone")

    with monkeypatch.context() as patched:
        patched.setattr(type(embedder), "_get_text_embedding", failing)
        with pytest.raises(RuntimeError, match="gone"):
            update_index([docs], store, embedder)
    opened = open_index(store)
    assert opened is not None
    with opened:
        assert opened.store.ids() == opened.manifest.passage_ids == set(before[0])
    assert statuses(docs, store, embedder)["1.txt"] == "changed"
    assert content(store, embedder) == fresh(docs, tmp_path, embedder)


KILLED = """
import sys, time
from contextlib import closing
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from fakes import HashEmbedding
from qa_bot.index.build import update_index

class Slow(HashEmbedding):
    def _get_text_embedding(self, text):
        time.sleep(0.004)
        return super()._get_text_embedding(text)

def show(done, total):
    print(done, flush=True)

update_index([Path(sys.argv[1])], Path(sys.argv[2]), Slow(model_name="hash"), progress=show)
"""


@pytest.mark.slow
def test_a_run_that_was_killed_is_finished_by_the_next(
    docs: Path, store: Path, tmp_path: Path, embedder: Any
) -> None:
    update_index([docs], store, embedder)
    for number in range(40):
        (docs / f"{number}.txt").write_text(f"Document {number}. " + "Some words go on. " * 90)
    folder = str(Path(__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", KILLED, str(docs), str(store), folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as run:
        assert run.stdout
        for _ in range(2):
            assert run.stdout.readline()
        run.send_signal(signal.SIGKILL)
    opened = open_index(store)  # as it was before
    assert opened is not None
    with opened:
        assert len(opened.manifest.files) == opened.store.count() == 3
    report = update_index([docs], store, embedder)
    assert report.counts == {"added": 37, "changed": 3}
    assert content(store, embedder) == fresh(docs, tmp_path, embedder)


def test_nothing_to_index_is_a_usage_error_and_keeps_the_index(
    docs: Path, store: Path, tmp_path: Path, embedder: Any
) -> None:
    update_index([docs], store, embedder)
    before = content(store, embedder)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "a.doc").write_bytes(b"x")
    with pytest.raises(UsageError, match=r"among 1 files in .*bare; a.doc: unsupported"):
        update_index([bare], store, embedder)
    with pytest.raises(UsageError, match="missing"):
        update_index([tmp_path / "nowhere"], store, embedder)
    assert content(store, embedder) == before


def test_several_folders_and_a_store_inside_one(tmp_path: Path, embedder: Any) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(f"This is the text of {name}.")
    store = tmp_path / "one" / "store"
    folders = [tmp_path / "one", tmp_path / "two"]
    for status in ("added", "unchanged"):
        report = update_index(folders, store, embedder)
        assert [(f.source, f.status) for f in report.files] == [
            ("one/a.txt", status), ("two/a.txt", status),
        ]  # fmt: skip
    opened = open_index(store)
    assert opened is not None
    with opened:
        assert opened.manifest.folders == tuple(map(str, folders))
        assert opened.read_text("two/a.txt") == "This is the text of two."
        assert opened.read_text("two/b.txt") is None
    report = update_index(folders[:1], store, embedder)
    assert report.counts == {"added": 1, "removed": 2}


def test_a_document_is_read_as_it_was_indexed(docs: Path) -> None:
    (docs / "note 2020-05-06.txt").write_bytes(
        b"\xef\xbb\xbfUn titre\r\n\r\nL'\xc3\xa9t\xc3\xa9 est l\xc3\xa0."
    )
    document = read_document([docs], "note 2020-05-06.txt")
    assert document.text == "Un titre\n\nL'été est là."
    assert (document.title, document.language, document.date) == ("Un titre", "fr", "2020-05-06")
    with pytest.raises(UsageError, match=r"gone.txt cannot be read"):
        read_document([docs], "gone.txt")


def test_a_wedged_database_is_built_anew(
    docs: Path, store: Path, tmp_path: Path, embedder: Any
) -> None:
    update_index([docs], store, embedder)
    with sqlite3.connect(store / "passages-1" / "chroma.sqlite3") as database:
        database.execute("DROP TABLE embeddings_queue")
    database.close()
    said: list[str] = []
    update_index([docs], store, embedder, notify=said.append)
    assert "damaged" in said[0]
    assert content(store, embedder) == fresh(docs, tmp_path, embedder)


class Counting:
    """Counts the texts that an embedder is asked for."""

    def __init__(self, embedder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.texts = 0
        real = type(embedder)._get_text_embedding

        def counted(it: Any, text: str) -> list[float]:
            self.texts += 1
            return real(it, text)

        monkeypatch.setattr(type(embedder), "_get_text_embedding", counted)


def test_nothing_is_embedded_twice(
    docs: Path, store: Path, tmp_path: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    update_index([docs], store, embedder)
    counting = Counting(embedder, monkeypatch)
    (docs / "0.txt").rename(docs / "renamed.txt")
    (docs / "deep").mkdir()
    (docs / "1.txt").rename(docs / "deep" / "moved.txt")
    (docs / "2.txt").write_text((docs / "2.txt").read_text() + "\n\nOne more line is here.")
    assert statuses(docs, store, embedder) == {
        "0.txt": "removed", "1.txt": "removed", "2.txt": "changed",
        "deep/moved.txt": "added", "renamed.txt": "added",
    }  # fmt: skip
    assert counting.texts == 2  # the passage that was added, and its sentence
    statuses(docs, store, embedder, rebuild=True)
    (store / "passages-2" / "chroma.sqlite3").write_bytes(b"garbage" * 999)
    said: list[str] = []
    statuses(docs, store, embedder, notify=said.append)
    assert "damaged" in said[0]
    assert counting.texts == 2
    monkeypatch.undo()
    assert content(store, embedder) == fresh(docs, tmp_path, embedder)


def test_an_index_that_is_open_stays_as_it_was_during_an_update(
    docs: Path, store: Path, embedder: Any
) -> None:
    update_index([docs], store, embedder)
    opened = open_index(store)
    assert opened is not None
    with opened:
        before = opened.store.ids()
        for text in ("Something new.", "Something else."):
            (docs / "0.txt").write_text(text)
            (docs / "1.txt").unlink(missing_ok=True)
            update_index([docs], store, embedder, rebuild=text == "Something else.")
            assert opened.store.ids() == before
            hits = opened.store.search(embedder.get_query_embedding("river"), 9)
            assert {passage.id for passage, _ in hits} == before
    update_index([docs], store, embedder)
    assert [path.name for path in store.glob("passages-*")] == ["passages-2"]
    assert not list(store.glob(".open-*"))


@pytest.mark.parametrize("few", [write.FEW, 0], ids=["in place", "in a copy"])
def test_what_was_deleted_is_in_no_file(
    docs: Path, store: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(write, "FEW", few)
    word = "Zanzibarquartz"
    (docs / "secret.txt").write_text(f"The code word is {word}. Nobody may know.")
    (docs / "secret.csv").write_text(f"Word,Use\n{word},never")
    update_index([docs], store, embedder)

    def told() -> list[str]:
        # Not the files of Chroma's graph, in which lies what was in its memory by chance.
        files = [*store.rglob("*.sqlite3"), *store.rglob("*.json")]
        return [path.name for path in files if word.encode() in path.read_bytes()]

    assert told()
    (docs / "secret.txt").unlink()
    (docs / "secret.csv").unlink()
    update_index([docs], store, embedder)
    opened = open_index(store)
    assert opened is not None
    with opened:
        texts = [passage.text for passage in opened.store.get(opened.store.ids()).values()]
        assert len(texts) == 3
        assert not any(word in text for text in texts)
    assert told() == []


def test_what_is_still_read_is_deleted_by_the_next_run(
    docs: Path, store: Path, embedder: Any
) -> None:
    update_index([docs], store, embedder)
    first = open_index(store)
    assert first is not None
    (docs / "1.txt").unlink()
    update_index([docs], store, embedder)
    second = open_index(store)
    assert second is not None
    assert (first.store.count(), second.store.count()) == (3, 2)
    assert len(second.store.search(embedder.get_query_embedding("river"), 9)) == 2
    first.close()
    update_index([docs], store, embedder)  # with the second one open, as a page has it
    with closing(open_store(store / "passages-1")) as whole:
        assert whole.ids() == second.store.ids() == second.manifest.passage_ids
    second.close()


def test_a_file_that_was_not_touched_is_not_read(
    docs: Path, store: Path, embedder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is one overlooked that was changed and given its old size and time."""
    monkeypatch.setattr(load, "is_fresh", lambda stamp: False)
    update_index([docs], store, embedder)
    before = (docs / "1.txt").stat()
    text = (docs / "1.txt").read_text()
    (docs / "1.txt").write_text(text.replace("long", "cold"))
    os.utime(docs / "1.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    read: list[str] = []
    real = Path.read_bytes

    def watched(path: Path) -> bytes:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", watched)
    assert statuses(docs, store, embedder) == {
        "0.txt": "unchanged", "1.txt": "changed", "2.txt": "unchanged",
    }  # fmt: skip
    assert [name for name in read if name.endswith(".txt")] == ["1.txt"]


def test_a_file_that_was_just_written_is_read_again(docs: Path) -> None:
    stamp = load.stamp_of((docs / "1.txt").stat())
    assert load.is_fresh(stamp)
    os.utime(docs / "1.txt", (0, 0))
    assert load.is_fresh(load.stamp_of((docs / "1.txt").stat()))  # by when it was touched
    long_ago = (stamp[0], stamp[1] - 10**10, stamp[2] - 10**10, stamp[3])
    assert not load.is_fresh(long_ago)


def test_copies_are_told_when_their_original_changes(
    docs: Path, store: Path, embedder: Any
) -> None:
    article = "The quick brown fox jumps over the lazy dog while many people look on. " * 4
    for name in ("a.txt", "b.txt"):
        (docs / name).write_text(f"From {name}\n\n{article}")

    def reasons() -> dict[str, str | None]:
        report = update_index([docs], store, embedder)
        return {file.source: file.reason for file in report.files}

    assert reasons()["b.txt"] == reasons()["b.txt"] == "nearly the same text as a.txt"
    (docs / "c.txt").write_text(f"From c\n\n{article}")
    assert reasons()["c.txt"] == "nearly the same text as a.txt"
    (docs / "a.txt").write_text("Quite another thing is told here, of boats and of the sea.")
    found = reasons()
    assert (found["a.txt"], found["b.txt"]) == (None, None)
    assert found["c.txt"] == "nearly the same text as b.txt"


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030",
             "big5", "shift_jis", "euc_kr", "cp1252", "latin-1", "cp1251"]  # fmt: skip
ARTICLES = {
    "zh": "世界互聯網大會在浙江烏鎮舉行。共有來自一百二十六個國家和地區的嘉賓參加。" * 3,
    "fr": "Le café a été fermé à Noël. L'été, la fête de la forêt réunit les élèves. " * 3,
    "ru": "Всемирная конференция открылась в городе. В ней приняли участие многие. " * 3,
}


@pytest.mark.parametrize("language", ARTICLES)
def test_an_article_gives_the_same_passages_in_any_encoding(
    tmp_path: Path, store: Path, embedder: Any, language: str
) -> None:
    docs = tmp_path / "encoded"
    docs.mkdir()
    for name in ENCODINGS:
        with contextlib.suppress(UnicodeEncodeError):
            (docs / f"{name}.txt").write_bytes(ARTICLES[language].encode(name))
    report = update_index([docs], store, embedder)
    # Where an encoding writes this text with the same bytes as another, it is one file twice.
    assert set(report.counts) <= {"added", "duplicate"}
    opened = open_index(store)
    assert opened is not None
    with opened:
        found: dict[str, set[Any]] = {}
        for p in opened.store.get(opened.store.ids()).values():
            found.setdefault(p.source, set()).add((p.start, p.end, p.text, p.language, p.title))
    assert len(found) >= 8
    assert len(set(map(frozenset, found.values()))) == 1
