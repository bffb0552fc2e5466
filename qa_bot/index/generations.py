"""The folders that stores lie in: one at a time is the index, named by the manifest.

Many changes are made to a copy, which takes the store's place once it is whole; a few in
place, each time a further revision. Whoever has a store open says so by a locked file
beside it: what is in use is not deleted, and a file that nobody locks tells of a process
that died, after which the store is tried in a child. The files that Chroma's native code
trusts are compared with what was written, and never change in place.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from qa_bot.errors import IndexUnusable
from qa_bot.index.child import command

_PREFIX = "passages-"
_PROBE_SECONDS = 120
_SEAL = "seal.json"
TURN = "turn.lock"
"""In a store's folder: held by the one process that is using Chroma's files at the moment."""
_numbers = itertools.count()


def next_generation(store_dir: Path) -> str:
    """A name for a new store's folder: "passages-3" where "passages-2" is the last."""
    names = [path.name.removeprefix(_PREFIX) for path in store_dir.glob(f"{_PREFIX}*")]
    return f"{_PREFIX}{max((int(n) for n in names if n.isdecimal()), default=0) + 1}"


def drop_other_generations(store_dir: Path, kept: str) -> None:
    """Delete the stores that were replaced or never finished, save those that are in use."""
    for folder in store_dir.glob(f"{_PREFIX}*"):
        if folder.name != kept and not any(_is_held(path) for path in _leases(folder)):
            shutil.rmtree(folder, ignore_errors=True)
    # Also of one that was killed before it had made its folder.
    for path in store_dir.glob(".open-*"):
        if not path.name.startswith(f".open-{kept}-") and not _is_held(path):
            path.unlink(missing_ok=True)


def copy_generation(old: Path, new: Path) -> None:
    """Copy a store that others may be reading, whose opening writes to it.

    Raises:
        OSError, sqlite3.Error: it cannot be read or written.
    """
    new.mkdir()
    for path in sorted(old.rglob("*")):
        target = new / path.relative_to(old)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif path.suffix == ".sqlite3":
            with closing(_connected(path)) as there, closing(sqlite3.connect(target)) as here:
                there.backup(here)
        elif not path.name.endswith("-journal") and path.name != TURN:
            shutil.copyfile(path, target)


def _connected(path: Path) -> sqlite3.Connection:
    # `connect` would not even read a file that may not be written.
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def settle(folder: Path) -> None:
    """Seal a store that is whole and closed, and have the system write it to the disk.

    What was deleted in it is in none of its databases any more.
    """
    for path in folder.glob("*.sqlite3"):
        with closing(sqlite3.connect(path)) as database:
            database.execute("VACUUM")
    (folder / _SEAL).write_text(json.dumps(_checksums(folder)), "utf-8")
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def examine(folder: Path, *, local: bool = True) -> None:
    """Look at a store before it is opened, since a damaged one may crash this process.

    Args:
        folder: the store's.
        local: whether Chroma's own files are in it too, and not with a server.

    Raises:
        IndexUnusable: it is damaged.
    """
    try:
        sealed = json.loads((folder / _SEAL).read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise IndexUnusable(f"{folder} was never finished: {exc}") from exc
    if changed := sealed.items() ^ _checksums(folder).items():
        raise IndexUnusable(f"{folder}: {sorted(changed)[0][0]} is not as it was written")
    if was_left_open(folder):
        if local and (wrong := probe(folder)):
            raise IndexUnusable(wrong)
        forget_the_dead(folder)


def _checksums(folder: Path) -> dict[str, int]:
    """CRC-32 of the files of Chroma's graph, by name.

    A graph that was not written yet has no `index_metadata.pickle`: it is made from the
    database at each opening, and nothing is read of its other files.
    """
    found = {}
    for written in folder.glob("*/index_metadata.pickle"):
        for path in written.parent.iterdir():
            with path.open("rb") as file:
                crc = 0
                while chunk := file.read(1 << 20):
                    crc = zlib.crc32(chunk, crc)
            found[path.relative_to(folder).as_posix()] = crc
    return found


class Lease:
    """Says that this process has a store open, until it is let go of or the process dies.

    A reader names the revision that it reads; what writes, or only looks, names none.
    """

    def __init__(self, folder: Path, revision: int | None = None) -> None:
        from filelock import FileLock

        reader = "" if revision is None else f"r{revision}-"
        name = f".open-{folder.name}-{reader}{os.getpid()}-{next(_numbers)}"
        self._path = folder.parent / name
        self._lock = FileLock(self._path, timeout=0)
        # Where nothing can be written, no one can delete the store either.
        with suppress(OSError):
            self._lock.acquire()

    @contextmanager
    def released_on_error(self) -> Iterator[None]:
        """Release it where the block fails."""
        try:
            yield
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """The store is closed."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)
            self._lock.release()
            self._path.unlink(missing_ok=True)  # some systems delete no file that is open


def older_is_read(folder: Path, revision: int) -> bool:
    """Whether anyone still reads another revision of a store than this one."""
    mine = f".open-{folder.name}-r{revision}-"
    readers = folder.parent.glob(f".open-{folder.name}-r*")
    return any(not path.name.startswith(mine) and _is_held(path) for path in readers)


def was_left_open(folder: Path) -> bool:
    """Whether a process died while it had this store open."""
    return any(not _is_held(path) for path in _leases(folder))


def forget_the_dead(folder: Path) -> None:
    """Delete what processes left that died with this store open."""
    for path in _leases(folder):
        if not _is_held(path):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def probe(folder: Path) -> str | None:
    """Try a store in a child process, since a damaged one may crash it; what is wrong, or None."""
    try:
        tried = subprocess.run(
            command("qa_bot.index.probe", str(folder)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it did not open within {_PROBE_SECONDS} s"
    if tried.returncode == 0:
        return None
    said = tried.stderr.decode("utf-8", "replace").strip().splitlines()
    return said[-1] if said else f"opening it ends the process with {tried.returncode}"


def _leases(folder: Path) -> Iterator[Path]:
    return folder.parent.glob(f".open-{folder.name}-*")


def _is_held(path: Path) -> bool:
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
