import os
import subprocess
import sys
from pathlib import Path

import pytest

from qa_bot.index.generations import (
    Lease,
    copy_generation,
    drop_other_generations,
    forget_the_dead,
    next_generation,
    probe,
    was_left_open,
)
from qa_bot.index.store import open_store
from qa_bot.types import Passage

PASSAGE = Passage("p1", "a.txt", 0, 4, "text", "T", "en", None)

HOLDING = """
import sys, time
from pathlib import Path
from qa_bot.index.store import open_store
store = open_store(Path(sys.argv[1]))
print("open", flush=True)
time.sleep(60)
"""


def test_generations_count_up_and_old_ones_go(tmp_path: Path) -> None:
    assert next_generation(tmp_path / "missing") == "passages-1"
    for name in ("passages-2", "passages-10", "passages-x", "other"):
        (tmp_path / name).mkdir()
    assert next_generation(tmp_path) == "passages-11"
    (tmp_path / ".open-passages-11-1-0").touch()  # by one killed before it made the folder
    (tmp_path / ".open-passages-10-1-0").touch()  # tells whoever opens it that a reader died
    drop_other_generations(tmp_path, "passages-10")
    left = [".open-passages-10-1-0", "other", "passages-10"]
    assert sorted(p.name for p in tmp_path.iterdir()) == left


def test_what_is_in_use_stays_until_it_is_let_go_of(tmp_path: Path) -> None:
    old, new = tmp_path / "passages-1", tmp_path / "passages-2"
    old.mkdir()
    new.mkdir()
    leases = [Lease(old), Lease(old)]
    for lease in leases:
        drop_other_generations(tmp_path, "passages-2")
        assert old.is_dir()
        assert not was_left_open(old)
        lease.release()
    drop_other_generations(tmp_path, "passages-2")
    assert [path.name for path in tmp_path.iterdir()] == ["passages-2"]


@pytest.mark.slow
def test_a_process_that_died_leaves_a_trace(tmp_path: Path) -> None:
    folder = tmp_path / "passages-1"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", HOLDING, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as other:
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        assert not was_left_open(folder)
        drop_other_generations(tmp_path, "passages-2")
        assert folder.is_dir()
        other.kill()
    assert was_left_open(folder)
    assert probe(folder) is None
    forget_the_dead(folder)
    assert not was_left_open(folder)


def test_a_store_that_no_one_closes_is_closed_when_it_is_not_used(tmp_path: Path) -> None:
    store = open_store(tmp_path / "passages-1")
    assert list(tmp_path.glob(".open-*"))
    del store
    assert not list(tmp_path.glob(".open-*"))
    code = HOLDING.replace("time.sleep(60)", "")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path / "passages-1")]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert not list(tmp_path.glob(".open-*"))


def test_a_damaged_store_does_not_pass_the_probe(tmp_path: Path) -> None:
    (tmp_path / "chroma.sqlite3").write_bytes(b"garbage" * 999)
    assert "cannot be used" in (probe(tmp_path) or "")


def test_a_copy_holds_the_same_while_the_original_is_open(tmp_path: Path) -> None:
    old, new = tmp_path / "passages-1", tmp_path / "passages-2"
    with_reader = open_store(old)
    with_reader.add([PASSAGE], [[1.0, 0.0]])
    copy_generation(old, new)
    copied = open_store(new)
    copied.add([Passage("p2", "a.txt", 5, 9, "more", "T", "en", None)], [[0.0, 1.0]])
    assert with_reader.get(["p1", "p2"]) == {"p1": PASSAGE}
    assert copied.ids() == {"p1", "p2"}
    assert [p.id for p, _ in copied.search([0.0, 1.0], 2)] == ["p2", "p1"]
    with_reader.close()
    copied.close()
