"""A file that is being fetched: its bytes so far, and how many of them are surely whole.

Beside `<file>.partial` lies `<file>.partial.json`, renewed only after the bytes it counts
are on the disk. Whatever lies past that count was cut short, and is dropped on resuming;
so a process may die anywhere. Only one process at a time may use a partial file.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO


class SourceFailed(Exception):
    """One source could not give the file; the message says why, in plain words."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What is known to be whole in a partial file."""

    source: str
    parts: int = 0
    size: int = 0


def saved_source(partial: Path) -> str | None:
    """Give the id of the source whose bytes `partial` holds, None where it holds nothing."""
    found = _read(partial)
    return found.source if found else None


def load(partial: Path, source: str) -> Saved:
    """Tell what `source` has already given; nothing where the bytes are another source's."""
    found = _read(partial)
    return found if found and found.source == source else Saved(source)


def open_at(partial: Path, saved: Saved) -> BinaryIO:
    """Open `partial` for writing right behind its whole bytes; the rest is dropped."""
    if not saved.size:
        # First of all, or a crash would leave the old count beside the new bytes.
        _state_path(partial).unlink(missing_ok=True)
    file = partial.open("r+b" if saved.size else "wb")
    file.truncate(saved.size)
    file.seek(saved.size)
    return file


def save(partial: Path, file: BinaryIO, *, source: str, parts: int = 0) -> Saved:
    """Put what was written so far on the disk, and then on record."""
    file.flush()
    os.fsync(file.fileno())
    saved = Saved(source, parts, file.tell())
    write_json(
        _state_path(partial), {"source": saved.source, "parts": saved.parts, "size": saved.size}
    )
    return saved


def discard(partial: Path) -> None:
    """Forget what was fetched."""
    _state_path(partial).unlink(missing_ok=True)
    partial.unlink(missing_ok=True)


def write_json(path: Path, value: Mapping[str, str | int]) -> None:
    """Write a small JSON file so that it is there whole or not at all."""
    # A name of its own: a reader that adopts a file may write a marker without the lock.
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with scratch.open("w", encoding="utf-8") as file:
            json.dump(value, file)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def read_json(path: Path) -> dict[str, object]:
    """Read the object in a JSON file; an empty one where there is none or it is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _state_path(partial: Path) -> Path:
    return partial.with_name(f"{partial.name}.json")


def _read(partial: Path) -> Saved | None:
    found = read_json(_state_path(partial))
    source, parts, size = found.get("source"), found.get("parts"), found.get("size")
    if not (isinstance(source, str) and isinstance(parts, int) and isinstance(size, int)):
        return None
    try:
        whole = 0 < size <= partial.stat().st_size
    except OSError:
        return None
    return Saved(source, parts, size) if whole and parts >= 0 else None


def sizes_below(folder: Path, suffix: str = "") -> list[int]:
    """Bytes of each file below `folder` with that ending, while another process moves them.

    `os.walk` passes over a folder that goes while it is looked at, where `Path.rglob` fails.
    """
    sizes = []
    for place, _, names in os.walk(folder):
        for name in filter(lambda name: name.endswith(suffix), names):
            with suppress(OSError):
                sizes.append(Path(place, name).stat().st_size)
    return sizes
