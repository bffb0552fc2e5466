"""What the store holds and what it was made of, and the lock of who writes it.

The manifest is one JSON file, replaced as a whole.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from qa_bot.errors import IndexUnusable, UsageError

FILE_NAME = "manifest.json"
FORMAT_VERSION = 3
_LOCK = ".lock"
_HOLDER = ".lock.pid"
_LOCK_SECONDS = 1.0


class FileEntry(NamedTuple):
    """An indexed file as it was read, and the ids of its passages in their order.

    A tuple, and so a list in the file: thousands are read and written in no time.
    """

    digest: str
    size: int
    stamp: tuple[int, ...]
    """See `load.stamp_of`; empty where the file must be read to see whether it has changed."""
    title: str
    date: str | None
    language: str
    passages: tuple[str, ...]
    author: str | None = None
    reader: str = ""
    """What read it, with versions; "" for plain text."""
    sketch: str = ""
    """Finds its near copies: see `copies.py`."""
    copy_of: str = ""
    """The source that it nearly repeats, if any."""


@dataclass(slots=True)
class Manifest:
    """The state of an index. Vectors of another `recipe` must never be mixed in."""

    embedder: str
    splitter: int
    cleaner: int
    generation: str
    """The sub-folder with the passages."""
    revision: int = 0
    """How often the passages in that folder were changed in place."""
    folders: tuple[str, ...] = ()
    files: dict[str, FileEntry] = field(default_factory=dict)

    @property
    def recipe(self) -> tuple[str, int, int]:
        """What passages and vectors depend on, besides the files."""
        return self.embedder, self.splitter, self.cleaner

    @property
    def corpus_digest(self) -> str:
        """One hash of every document's name and bytes: SHA-256, in hex."""
        seal = hashlib.sha256()
        for source, entry in sorted(self.files.items()):
            seal.update(f"{source}\0{entry.digest}\n".encode())
        return seal.hexdigest()

    @property
    def passage_ids(self) -> set[str]:
        """The ids of all passages that should be in the store."""
        return {passage for entry in self.files.values() for passage in entry.passages}


def save_manifest(store_dir: Path, manifest: Manifest) -> None:
    """Write the manifest so that a reader, or a crash, meets the old or the new one whole."""
    temporary = store_dir / f"{FILE_NAME}.new"
    # Not `asdict`, nor `dump`: both take many times as long.
    data = {each.name: getattr(manifest, each.name) for each in fields(manifest)}
    with temporary.open("wb") as file:
        # Entries are tuples with names, which it leaves to `default`.
        file.write(orjson.dumps({"format": FORMAT_VERSION} | data, default=tuple))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(store_dir / FILE_NAME)
    if os.name != "nt":  # there a folder cannot be opened
        folder = os.open(store_dir, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)


def manifest_stamp(store_dir: Path) -> object:
    """Changes whenever the manifest does; None where there is none."""
    try:
        found = (store_dir / FILE_NAME).stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def load_manifest(store_dir: Path, notify: Callable[[str], None] | None = None) -> Manifest | None:
    """Read the manifest; None where there is none or, with a message, where it is damaged."""
    path = store_dir / FILE_NAME
    try:
        return _parsed(orjson.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        if notify:
            notify(f"{path} cannot be used ({type(exc).__name__}: {exc}): the index is built anew.")
        return None


def _parsed(data: dict[str, Any]) -> Manifest:
    if data["format"] != FORMAT_VERSION:
        raise ValueError(f"format {data['format']}, not {FORMAT_VERSION}")
    rows = data["files"].items()
    files = {
        source: FileEntry(digest, size, tuple(stamp), title, date, language, tuple(passages), *rest)
        for source, (digest, size, stamp, title, date, language, passages, *rest) in rows
    }
    generation = str(data["generation"])
    if Path(generation).name != generation:
        raise ValueError(f"generation {generation!r} is not a folder's name")
    return Manifest(
        embedder=str(data["embedder"]),
        splitter=int(data["splitter"]),
        cleaner=int(data["cleaner"]),
        generation=generation,
        revision=int(data["revision"]),
        folders=tuple(map(str, data["folders"])),
        files=files,
    )


def writer_of(store_dir: Path) -> str | None:
    """The id of the process that is writing a store ("unknown" if it left none), or None."""
    from filelock import FileLock, Timeout

    if not (store_dir / _LOCK).exists():
        return None
    try:
        with FileLock(store_dir / _LOCK, timeout=0):
            return None
    except Timeout:
        return _holder(store_dir)
    except OSError:  # whoever may not write here does not wait for a writer either
        return None


@contextmanager
def writing(store_dir: Path) -> Iterator[None]:
    """Be the only writer of a store's folder, which is made if missing.

    Raises:
        IndexUnusable: another process is writing.
        UsageError: the folder cannot be made or written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(store_dir / _LOCK, timeout=_LOCK_SECONDS)
    try:
        store_dir.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        (store_dir / _HOLDER).write_text(str(os.getpid()), encoding="ascii")
    except Timeout as exc:
        raise IndexUnusable(
            f"{store_dir} is being indexed by process {_holder(store_dir)}; "
            "wait for it to end, or end it"
        ) from exc
    except OSError as exc:
        lock.release()
        raise UsageError(
            f"the index's folder {store_dir} cannot be written ({exc.strerror}); "
            "name another with --store FOLDER"
        ) from exc
    try:
        yield
    finally:
        lock.release()


def _holder(store_dir: Path) -> str:
    """The id of the process that last took the writer's lock."""
    holder = store_dir / _HOLDER
    return holder.read_text(encoding="ascii") if holder.is_file() else "unknown"
