"""What OpenVINO makes of a GGUF, kept beside it as `openvino/<name>/`.

A prepared folder loads in a tenth of the time. It is made in a folder of its own and
renamed when whole, with a marker that names the engine's version, the form of the weights,
the GGUF and every file's size; without a marker that fits, it is made again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from qa_bot.models.engine import Notify, last_line
from qa_bot.models.gguf import check_whole
from qa_bot.models.openvino_weights import LeftAsItIs, in_eight_bits

MARKER = "qa_bot.json"
LOCK_SECONDS = 600
"""Longer than another process takes to prepare the same file."""
FORM = "eight bits, a scale a row, each thing once"
"""Of weights and graph; another one makes folders of before count as absent."""
ROOM = 2.9
"""Bytes of disk a byte of a four-bit GGUF: OpenVINO's own form, and what is made of it."""
FILES = tuple(
    f"openvino_{part}.{kind}"
    for part in ("model", "tokenizer", "detokenizer")
    for kind in ("xml", "bin")
)


def folder_for(gguf: Path) -> Path:
    """Where the prepared form of `gguf` is kept; deleting it only costs time."""
    return gguf.parent / "openvino" / gguf.stem


def prepared_folder(gguf: Path, genai: Any, notify: Notify) -> Path | None:
    """The prepared folder of `gguf`, made where needed; None: use the GGUF itself.

    Two processes at once are safe: one prepares, the other waits. Whatever hinders
    preparing (a full disk, a folder that is read-only) is told to `notify`.

    Raises:
        BackendError: the GGUF is cut short, which would crash the process.
        RuntimeError: OpenVINO cannot read the GGUF.
    """
    folder = folder_for(gguf)
    version = str(genai.get_version())
    if _is_current(folder, gguf, version):
        return folder
    check_whole(gguf)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(folder.name + ".lock"), timeout=LOCK_SECONDS):
            if not _is_current(folder, gguf, version):
                _prepare(gguf, folder, genai, notify)
    except (OSError, Timeout) as exc:
        notify(
            f"{gguf.name} is not kept prepared for OpenVINO ({last_line(exc)}): "
            "it works, but takes longer to load each time"
        )
        return None
    return folder


def discard(folder: Path) -> None:
    """Make a prepared folder count as absent, so that the next load makes it again."""
    (folder / MARKER).unlink(missing_ok=True)


def _prepare(gguf: Path, folder: Path, genai: Any, notify: Notify) -> None:
    """Make the folder: whole and marked, or not at all."""
    working = folder.with_name(folder.name + ".partial")
    # The lock is ours, so what is there was left by a process that was killed.
    shutil.rmtree(working, ignore_errors=True)
    needed = int(gguf.stat().st_size * ROOM)
    if shutil.disk_usage(folder.parent).free < needed:
        raise OSError(f"{needed / 1e9:.1f} GB free are needed in {folder.parent}")
    notify(f"preparing {gguf.name} for OpenVINO, once, in {folder}; this takes a minute")
    working.mkdir()
    try:
        link = working / gguf.name
        _link(gguf, link)
        genai.LLMPipeline(str(link), "CPU", enable_save_ov_model=True)
        link.unlink()
        _check_weights(working)
        try:
            in_eight_bits(working, gguf)
        except (LeftAsItIs, NotImplementedError) as exc:
            notify(f"{gguf.name} stays in OpenVINO's own form, which loads slowly: {exc}")
        for name in FILES:
            _settle(working / name)
        _check_weights(working)
        marker = {**_facts(gguf, genai.get_version()), "files": _sizes(working)}
        (working / MARKER).write_text(json.dumps(marker), encoding="utf-8")
        _settle(working / MARKER)
        shutil.rmtree(folder, ignore_errors=True)
        working.rename(folder)
    finally:
        shutil.rmtree(working, ignore_errors=True)


def _link(gguf: Path, link: Path) -> None:
    """Give the GGUF a second name: OpenVINO writes beside the name it is given."""
    try:
        os.link(gguf, link)
    except OSError:
        link.symlink_to(gguf.resolve())


def _settle(path: Path) -> None:
    """Have the disk hold the file before a rename says that it does."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _check_weights(folder: Path) -> None:
    """Refuse weights cut short: the library does not notice a disk that fills up."""
    for part in ("model", "tokenizer", "detokenizer"):
        xml = (folder / f"openvino_{part}.xml").read_text(encoding="utf-8", errors="replace")
        spans = re.findall(r'offset="(\d+)" size="(\d+)"', xml)
        end = max((int(offset) + int(size) for offset, size in spans), default=0)
        found = (folder / f"openvino_{part}.bin").stat().st_size
        if not xml.rstrip().endswith("</net>") or found < end:
            raise OSError(f"{folder / f'openvino_{part}.bin'} has {found} of {end} bytes")


def _is_current(folder: Path, gguf: Path, version: str) -> bool:
    """Whether the folder is whole, and made of this file by this engine."""
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return bool(marker == {**_facts(gguf, version), "files": _sizes(folder)})
    except (OSError, ValueError):
        return False


def _facts(gguf: Path, version: str) -> dict[str, Any]:
    state = gguf.stat()
    file = [gguf.name, state.st_size, state.st_mtime_ns]
    return {"engine": str(version), "form": FORM, "gguf": file}


def _sizes(folder: Path) -> dict[str, int]:
    return {name: (folder / name).stat().st_size for name in FILES}
