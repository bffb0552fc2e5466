"""Uploaded files: one folder, names that are readable and never a path."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.errors import UsageError
from qa_bot.ui import uploads
from qa_bot.ui.uploads import Uploads, safe_name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Rapport annuel 2023 (final).txt", "Rapport annuel 2023 (final).txt"),
        ("乌镇峰会.md", "乌镇峰会.md"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\notes.txt", "notes.txt"),
        (".env.txt", "env.txt"),
        ("..", "document"),
        ("", "document"),
        ("con.txt", "document-con.txt"),
        ("a\x00b\n<script>.txt", "a_b_script_.txt"),
        ("$(rm -rf).txt", "(rm -rf).txt"),
    ],
)
def test_a_name_keeps_what_is_readable(sent: str, kept: str) -> None:
    assert safe_name(sent) == kept


@given(st.text(max_size=300))
def test_no_name_leaves_the_folder_or_hides(sent: str) -> None:
    name = safe_name(sent)
    assert Path(name).name == name
    assert name not in ("", ".", "..")
    assert not name.startswith(".")
    assert len(name.encode()) <= 180
    assert name.isprintable()


def test_a_file_is_kept_listed_replaced_and_removed(tmp_path: Path) -> None:
    kept = Uploads(tmp_path)
    assert kept.names() == set()
    assert kept.save("../notes.txt", b"one") == "notes.txt"
    assert kept.save("notes.txt", b"two") == "notes.txt"
    assert kept.names() == {"notes.txt"}
    assert (tmp_path / "uploads" / "notes.txt").read_bytes() == b"two"
    kept.remove("notes.txt")
    assert kept.names() == set()


def test_what_cannot_be_indexed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Uploads(tmp_path)
    with pytest.raises(UsageError, match=r"page.exe is of a kind that is not read"):
        kept.save("page.exe", b"")
    monkeypatch.setattr(uploads.load, "MAX_BYTES", 3)
    with pytest.raises(UsageError, match=r"big.txt is over"):
        kept.save("big.txt", b"1234")
    monkeypatch.setattr(uploads, "MAX_FILES", 1)
    kept.save("a.txt", b"1")
    with pytest.raises(UsageError, match="1 files are uploaded already"):
        kept.save("b.txt", b"1")
    assert kept.names() == {"a.txt"}


def test_only_uploaded_files_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    kept = Uploads(tmp_path)
    with pytest.raises(UsageError, match="was not uploaded here"):
        kept.remove("../precious.txt")
    assert (tmp_path / "precious.txt").exists()
