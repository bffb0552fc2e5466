import sqlite3
from pathlib import Path

from qa_bot.index.cache import FILE_NAME, Cache, vector_key

KEYS = [vector_key("e", "one"), vector_key("e", "two")]


def filled(folder: Path) -> Cache:
    cache = Cache(folder)
    cache.keep_vectors(["p1", "p2"], KEYS, [[1.0, 0.5], [0.25, -2.0]])
    cache.keep_text("t1", "text 字")
    return cache


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    assert vector_key("e", "one") != vector_key("f", "one") != vector_key("e", "two")
    assert Cache(tmp_path).vectors(KEYS) == {}
    assert Cache(tmp_path).text("t1") is None
    cache = filled(tmp_path)
    assert cache.vectors([*KEYS, b"?"]) == {KEYS[0]: [1.0, 0.5], KEYS[1]: [0.25, -2.0]}
    assert cache.text("t1") == "text 字"
    many = [vector_key("e", str(n)) for n in range(1200)]
    cache.keep_vectors([f"p{n}" for n in range(1200)], many, [[float(n)] for n in range(1200)])
    assert cache.vectors(many) == {key: [float(n)] for n, key in enumerate(many)}


def test_what_no_one_names_goes_from_the_file_too(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.keep_vectors(["p3"], KEYS[:1], [[1.0, 0.5]])  # the same text elsewhere
    cache.prune({"p2", "p3"}, {"t1"})
    assert set(cache.vectors(KEYS)) == set(KEYS)
    cache.prune({"p2"}, set())
    assert set(cache.vectors(KEYS)) == {KEYS[1]}
    assert cache.text("t1") is None
    assert KEYS[0] not in (tmp_path / FILE_NAME).read_bytes()


def test_a_value_that_changed_on_the_disk_is_not_used(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    with sqlite3.connect(tmp_path / FILE_NAME) as database:
        database.execute("UPDATE vectors SET vector = zeroblob(12) WHERE key = ?", KEYS[:1])
        database.execute("UPDATE texts SET text = zeroblob(9)")
    database.close()
    assert set(cache.vectors(KEYS)) == {KEYS[1]}
    assert cache.text("t1") is None


def test_a_file_that_is_no_database_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"garbage" * 999)
    cache = Cache(tmp_path)
    assert cache.vectors(KEYS) == {}
    assert cache.text("t1") is None
    cache.keep_text("t1", "x")
    filled(tmp_path)
    assert set(cache.vectors(KEYS)) == set(KEYS)


def test_where_nothing_can_be_written_texts_are_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "missing")
    cache.keep_text("t1", "x")
    assert cache.text("t1") is None
