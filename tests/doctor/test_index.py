"""What doctor says of the index and its documents."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from doctor_world import World
from fakes import HashEmbedding

from qa_bot.doctor.index import check_documents, check_index, check_lock
from qa_bot.index.manifest import load_manifest


def test_an_index_in_step_is_all_right(indexed: World) -> None:
    settings = indexed.settings()
    index, documents = check_index(settings, indexed.embedder), check_documents(settings)
    assert (index.status, index.cure, documents.status) == ("ok", None, "ok")
    assert "1 documents, 1 passages" in index.detail
    assert check_lock(indexed.store).status == "ok"


def test_a_missing_index_is_no_failure_since_the_first_question_makes_it(world: World) -> None:
    check = check_index(world.settings(), world.embedder)
    assert (check.status, check.cure, check.code) == ("warn", "qa-bot index", 0)
    assert check_lock(world.store).status == "ok"
    assert not world.store.exists()


@pytest.mark.parametrize("damage", ["manifest", "format", "store", "embedder", "folders"])
def test_an_index_that_must_be_built_anew_is_code_6(indexed: World, damage: str) -> None:
    manifest = load_manifest(indexed.store)
    assert manifest
    file = indexed.store / "manifest.json"
    settings, embedder, said = indexed.settings(), indexed.embedder, ""
    if damage == "manifest":
        file.write_text("{")
        said = "cannot be used"
    elif damage == "format":
        file.write_text(json.dumps({**json.loads(file.read_text()), "format": 1}))
        said = "format 1, not 3"
    elif damage == "store":
        (indexed.store / manifest.generation / "seal.json").unlink()
        said = "never finished"
    elif damage == "embedder":
        embedder = HashEmbedding(seed="other")
        said = "made by another embedder (hash-, now hash-other)"
    else:
        (indexed.store.parent / "elsewhere").mkdir()
        settings = indexed.settings(documents=[indexed.store.parent / "elsewhere"])
        said = f"holds {indexed.documents}, not "
    check = check_index(settings, embedder)
    assert (check.status, check.cure, check.code) == ("fail", "qa-bot index", 6)
    assert said in check.detail


def test_who_is_writing_the_index_is_named(indexed: World) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from qa_bot.index.manifest import writing\n"
        "with writing(Path(sys.argv[1])):\n    print('in', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(indexed.store)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout
        other.stdout.readline()
        check = check_lock(indexed.store)
        assert (check.status, check.code) == ("fail", 6)
        assert f"process {other.pid}" in check.detail
        assert f"process {other.pid}" in (check.cure or "")
        other.communicate()
    assert check_lock(indexed.store).status == "ok"


def test_an_index_that_is_behind_its_documents_is_told_file_by_file(indexed: World) -> None:
    (indexed.documents / "new.txt").write_text("A new one.\n")
    (indexed.documents / "copy.txt").write_bytes((indexed.documents / "museum.txt").read_bytes())
    check = check_documents(indexed.settings())
    assert (check.status, check.cure) == ("warn", "qa-bot index")
    assert "new.txt is not in it" in check.detail
    assert "copy.txt" not in check.detail  # a duplicate is never held
    (indexed.documents / "new.txt").unlink()
    (indexed.documents / "museum.txt").write_text("The museum has 99 visitors a year.\n")
    assert "museum.txt has changed" in check_documents(indexed.settings()).detail
    (indexed.documents / "museum.txt").unlink()
    assert "museum.txt is gone" in check_documents(indexed.settings()).detail


def test_a_touched_file_has_not_changed(indexed: World) -> None:
    os.utime(indexed.documents / "museum.txt", (1, 1))
    assert check_documents(indexed.settings()).status == "ok"


def test_many_differences_make_one_short_line(indexed: World) -> None:
    for number in range(9):
        (indexed.documents / f"{number}.txt").write_text(f"Number {number}.\n")
    assert check_documents(indexed.settings()).detail.endswith("and 6 more")


def test_missing_documents_are_wrong_usage_and_none_a_warning(world: World) -> None:
    missing = check_documents(world.settings(documents=[world.documents / "no"]))
    assert (missing.status, missing.code) == ("fail", 2)
    assert str(Path(world.documents / "no")) in missing.detail
    (world.documents / "museum.txt").unlink()
    assert check_documents(world.settings()).status == "warn"
