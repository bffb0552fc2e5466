import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qa_bot.errors import IndexUnusable, UsageError
from qa_bot.index.manifest import FileEntry, Manifest, load_manifest, save_manifest, writing

ENTRY = FileEntry("d", 3, (3, 5, 6, 7), "Tïtle", None, "fr", ("p1", "p2"))
MANIFEST = Manifest("e", 1, 2, "passages-1", 4, ("/docs",), {"a.txt": ENTRY})


def test_a_manifest_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    assert load_manifest(tmp_path) is None
    save_manifest(tmp_path, MANIFEST)
    assert load_manifest(tmp_path) == MANIFEST
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
    assert MANIFEST.passage_ids == {"p1", "p2"}
    assert MANIFEST.recipe == ("e", 1, 2)


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"{}",
        json.dumps({"format": 99}).encode(),
        json.dumps({"format": 3, "files": {"a": {}}}).encode(),
        json.dumps(
            {"format": 3, "embedder": "e", "splitter": 1, "cleaner": 1, "generation": "../x",
             "revision": 0, "folders": [], "files": {}}
        ).encode(),
    ],
)  # fmt: skip
def test_a_damaged_manifest_counts_as_none_and_says_so(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(damage)
    said: list[str] = []
    assert load_manifest(tmp_path, said.append) is None
    assert len(said) == 1
    assert "the index is built anew" in said[0]
    assert load_manifest(tmp_path) is None


def test_a_second_writer_is_told_who_the_first_is(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from qa_bot.index.manifest import writing\n"
        "with writing(Path(sys.argv[1])):\n    print('in', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "in\n"
        start = time.monotonic()
        with (
            pytest.raises(IndexUnusable, match=f"being indexed by process {other.pid}"),
            writing(tmp_path),
        ):
            pass
        assert time.monotonic() - start < 2
        other.kill()
    with writing(tmp_path):
        pass


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(UsageError, match=r"file cannot be written .*--store"),
        writing(tmp_path / "file"),
    ):
        pass
