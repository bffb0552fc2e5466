"""Preparing for OpenVINO, over a stand-in for the part of it that reads a GGUF."""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import pytest

from qa_bot.errors import BackendError
from qa_bot.models.gguf import check_whole
from qa_bot.models.openvino_import import import_quietly
from qa_bot.models.openvino_prepare import FILES, discard, folder_for, prepared_folder


def gguf_bytes(weights: int = 64) -> bytes:
    """A GGUF file of one array of texts, one number and one tensor of 32-bit floats."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    head = struct.pack("<4sIQQ", b"GGUF", 3, 1, 2)
    head += text("words") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc")
    head += text("number") + struct.pack("<II", 4, 7)
    head += text("tensor") + struct.pack("<IQIQ", 1, weights, 0, 0)
    return head.ljust(-(-len(head) // 32) * 32, b"\0") + bytes(4 * weights)


GGUF = gguf_bytes()
openvino = pytest.importorskip("openvino")


def save_model(path: Path, kept: int | None) -> None:
    """A model of eight bytes of weights, of which `kept` reach the disk."""
    op = import_quietly("openvino.opset13")
    numbers = op.parameter([2], np.float32)
    result = op.add(numbers, np.array([1.5, 2.5], np.float32))
    openvino.save_model(openvino.Model([result], [numbers], "tiny"), path, compress_to_fp16=False)
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:kept])


@dataclass
class Library:
    """OpenVINO GenAI as far as preparing uses it."""

    version: str = "2026.4.1"
    made: list[Path] = field(default_factory=list)
    failure: Exception | None = None
    kept: int | None = None
    """Bytes of weights that reach the disk; None: all."""

    def get_version(self) -> str:
        return self.version

    def LLMPipeline(self, path: str, device: str, **options: bool) -> None:  # noqa: N802
        assert (device, options) == ("CPU", {"enable_save_ov_model": True})
        assert Path(path).read_bytes() == GGUF
        self.made.append(Path(path))
        save_model(Path(path).parent / "openvino_model.xml", self.kept)
        for name in FILES:
            if not name.startswith("openvino_model"):
                (Path(path).parent / name).write_text("</net>")
            if self.failure is not None:
                raise self.failure


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(GGUF)
    return path


@pytest.fixture
def library() -> Library:
    return Library()


def test_a_model_is_prepared_once(gguf: Path, library: Library) -> None:
    """The first use tells of it and makes it; the next one finds it."""
    told: list[str] = []
    folder = prepared_folder(gguf, library, told.append)
    assert folder == folder_for(gguf) == gguf.parent / "openvino" / "tiny"
    assert "preparing tiny.gguf for OpenVINO, once" in told[0]
    assert prepared_folder(gguf, library, told.append) == folder
    assert len(library.made) == len(told) == 1
    assert set(FILES) < {path.name for path in folder.iterdir()}
    assert not (folder / gguf.name).exists()
    assert gguf.read_bytes() == GGUF


@pytest.mark.parametrize("change", ["version", "gguf", "file", "marker", "discard"])
def test_a_stale_or_damaged_folder_is_made_again(gguf: Path, library: Library, change: str) -> None:
    folder = prepared_folder(gguf, library, print)
    assert folder is not None
    if change == "version":
        library.version = "2027.0.0"
    elif change == "gguf":
        gguf.unlink()
        gguf.write_bytes(GGUF)
    elif change == "file":
        (folder / "openvino_model.bin").write_text("cut")
    elif change == "marker":
        (folder / "qa_bot.json").write_text("{")
    else:
        discard(folder)
    assert prepared_folder(gguf, library, print) == folder
    assert prepared_folder(gguf, library, print) == folder
    assert len(library.made) == 2


def test_what_a_killed_process_left_is_never_loaded(gguf: Path, library: Library) -> None:
    """It lies in a folder of another name, and is cleared away by the next."""
    partial = folder_for(gguf).with_name("tiny.partial")
    partial.mkdir(parents=True)
    (partial / "openvino_model.bin").write_text("half")
    folder = prepared_folder(gguf, library, print)
    assert folder is not None
    assert len((folder / "openvino_model.bin").read_bytes()) == 8
    assert not partial.exists()


def test_a_kill_while_writing_leaves_no_folder(gguf: Path, library: Library) -> None:
    library.failure = KeyboardInterrupt()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        prepared_folder(gguf, library, print)
    assert [path.name for path in folder_for(gguf).parent.iterdir()] == ["tiny.lock"]


def test_a_file_the_library_cannot_read_is_its_error(gguf: Path, library: Library) -> None:
    library.failure = RuntimeError("gguf_tensor_to_f16 failed")
    with pytest.raises(RuntimeError, match="gguf_tensor_to_f16"):
        prepared_folder(gguf, library, print)
    assert not folder_for(gguf).exists()


def test_weights_cut_short_by_a_full_disk_are_not_kept(gguf: Path, library: Library) -> None:
    """The library ends without an error; the description tells how long they must be."""
    library.kept = 5
    told: list[str] = []
    assert prepared_folder(gguf, library, told.append) is None
    assert "has 5 of 8 bytes" in told[-1]
    assert "takes longer to load" in told[-1]
    assert not folder_for(gguf).exists()


def test_a_disk_without_room_is_told_before_writing(
    gguf: Path, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    told: list[str] = []
    assert prepared_folder(gguf, library, told.append) is None
    assert "GB free are needed" in told[0]
    assert not library.made


def test_a_folder_that_cannot_be_made_is_told(gguf: Path, library: Library) -> None:
    (gguf.parent / "openvino").write_text("in the way")
    told: list[str] = []
    assert prepared_folder(gguf, library, told.append) is None
    assert "tiny.gguf is not kept prepared" in told[0]


def test_two_at_once_prepare_once(gguf: Path, library: Library) -> None:
    found: list[Path | None] = []
    work = [
        Thread(target=lambda: found.append(prepared_folder(gguf, library, lambda line: None)))
        for _ in range(3)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert found == [folder_for(gguf)] * 3
    assert len(library.made) == 1


@pytest.mark.parametrize("cut", [1, 100, 250, 330, len(GGUF)])
def test_a_file_that_was_cut_short_is_never_given_to_the_library(
    gguf: Path, library: Library, cut: int
) -> None:
    """It would crash the process; the error says to fetch it again."""
    check_whole(gguf)
    gguf.write_bytes(GGUF[:-cut])
    with pytest.raises(BackendError, match=r"tiny\.gguf is .*fetch it again"):
        prepared_folder(gguf, library, print)
    assert not library.made


def test_a_file_of_another_kind_is_told(gguf: Path) -> None:
    gguf.write_bytes(b"PK" + GGUF[2:])
    with pytest.raises(BackendError, match="no GGUF file"):
        check_whole(gguf)
