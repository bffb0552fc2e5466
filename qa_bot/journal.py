"""The diary of a run: what it depends on, then one finished record a line, each on disk.

JSON lines, only ever appended to. A run that was killed at any byte leaves whole lines and
at most one torn one, which is dropped when the journal is opened again. Where an id comes
twice, its last record counts. Records are read back from disk when asked for: a run of
100,000 questions has gigabytes of them.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from qa_bot.errors import QABotError, UsageError

FORMAT_VERSION = 1
Record = dict[str, Any]


class Journal:
    """The finished records of one run, by id. Threads may share it."""

    def __init__(self, path: Path, lock: FileLock, *, keep: bool) -> None:
        self.path = path
        self.identity: dict[str, Any] = {}
        self._lock = lock
        # Unbuffered: after a failed write, nothing may be left to be written later.
        self._file = path.open("ab" if keep else "wb", buffering=0)
        self._reader = path.open("rb")
        self._places: dict[str, int] = {}
        self._turn = threading.Lock()

    @classmethod
    def open(
        cls, path: Path, identity: Mapping[str, Any], *, resume: bool, force: bool = False
    ) -> Journal:
        """Start a journal or, with `resume`, go on with the one that is there.

        Args:
            path: its file; made where it is missing.
            identity: flat names and values that the records depend on.
            resume: keep what is there; without it the file starts empty.
            force: resume although the identity differs.

        Raises:
            UsageError: another process writes the journal, its identity differs, it is
                damaged, or its file cannot be written.
        """
        lock = FileLock(f"{path}.lock", timeout=0, thread_local=False)
        try:
            lock.acquire()
            journal = cls(path, lock, keep=resume)
        except Timeout as exc:
            raise UsageError(
                f"another process is writing {path}; wait for it, or name another output"
            ) from exc
        except OSError as exc:
            _free(lock)
            raise UsageError(
                f"{path} cannot be written ({exc.strerror}); name another output"
            ) from exc
        try:
            journal._read()
            journal._settle(identity, force=force)
        except BaseException:
            journal.close()
            raise
        return journal

    @property
    def done(self) -> Mapping[str, Record]:
        """The finished records by id, in the order they were first finished."""
        return _Done(self)

    def add(self, record: Record) -> None:
        """Keep a finished record; it is on disk when this returns.

        Raises:
            QABotError: it cannot be written, as on a full disk.
        """
        with self._turn:
            self._places[record["id"]] = self._append(record)

    def close(self) -> None:
        """Let the next process have the journal."""
        self._file.close()
        self._reader.close()
        _free(self._lock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _append(self, line: Record) -> int:
        """Write a line through to the disk; returns its place."""
        place = self._file.seek(0, os.SEEK_END)
        rest = memoryview(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as exc:
            self._file.truncate(place)
            raise QABotError(
                f"{self.path} cannot be written ({exc.strerror}); what is finished is kept: "
                "make room, then go on with --resume"
            ) from exc
        return place

    def _read(self) -> None:
        """Find the records; cut off what a kill left of the last line."""
        place = 0
        for number, line in enumerate(self._reader, start=1):
            if not line.endswith(b"\n"):
                self._file.truncate(place)
                return
            try:
                entry = json.loads(line)
                if "id" in entry:
                    self._places[entry["id"]] = place
                else:
                    self.identity = dict(entry["identity"])
            except (ValueError, KeyError, TypeError) as exc:
                raise UsageError(
                    f"line {number} of {self.path} is damaged ({exc}); "
                    "start afresh without --resume"
                ) from exc
            place += len(line)

    def _settle(self, identity: Mapping[str, Any], *, force: bool) -> None:
        """Write the identity, once it is sure that it fits what is there."""
        wanted = json.loads(json.dumps(identity))
        if self.identity == wanted:
            return
        if self.identity and not force:
            names = dict.fromkeys((*self.identity, *wanted))
            differing = [
                f"  {name}: {self.identity.get(name)!r} then, {wanted.get(name)!r} now"
                for name in names
                if self.identity.get(name) != wanted.get(name)
            ]
            raise UsageError(
                f"{self.path} is of a run that differs in\n" + "\n".join(differing) + "\n"
                "Go back to what it was, start afresh without --resume, or name another output"
            )
        self._append({"journal": FORMAT_VERSION, "identity": wanted})
        self.identity = wanted

    def _at(self, place: int) -> Record:
        with self._turn:
            self._reader.seek(place)
            line = self._reader.readline()
        record: Record = json.loads(line)
        return record


class _Done(Mapping[str, Record]):
    """A view of a journal's records."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __getitem__(self, id: str) -> Record:
        return self._journal._at(self._journal._places[id])

    def __contains__(self, id: object) -> bool:
        return id in self._journal._places

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._journal._places))

    def __len__(self) -> int:
        return len(self._journal._places)


def _free(lock: FileLock) -> None:
    """Release a lock that is held, and leave no file behind."""
    with suppress(OSError):  # Windows keeps a file that is open
        Path(lock.lock_file).unlink()
    lock.release()
