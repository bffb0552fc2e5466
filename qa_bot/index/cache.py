"""Vectors and extracted texts by content, so that nothing is embedded or extracted twice.

One SQLite file beside the stores. All in it can be made again: what is damaged is left out,
and a file that is no sound database is replaced.
"""

from __future__ import annotations

import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

FILE_NAME = "cache.sqlite3"
_BATCH = 500
"""Values in one statement: SQLite limits their number."""
_SCHEMA = """
PRAGMA auto_vacuum = FULL;
CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS uses (passage TEXT, key BLOB, PRIMARY KEY (passage, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uses_by_key ON uses (key);
CREATE TABLE IF NOT EXISTS texts (key TEXT PRIMARY KEY, text BLOB NOT NULL);
"""


def vector_key(embedder: str, text: str) -> bytes:
    """What the vector of a text by this embedder is kept under."""
    return hashlib.sha256(f"{embedder}\0{text}".encode("utf-8", "surrogatepass")).digest()


class Cache:
    """The cache in a folder; threads and processes may share it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, list[float]]:
        """The vectors that are known, by key."""
        found: dict[bytes, list[float]] = {}
        with suppress(sqlite3.Error), self._connected() as database:
            for at in range(0, len(keys), _BATCH):
                part = keys[at : at + _BATCH]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, vector FROM vectors WHERE key IN ({marks})"  # noqa: S608
                for key, sealed in database.execute(query, part):
                    if (raw := _opened(sealed)) is not None:
                        found[key] = np.frombuffer(raw, dtype="<f4").tolist()
        return found

    def keep_vectors(
        self, passages: Sequence[str], keys: Sequence[bytes], vectors: Sequence[Sequence[float]]
    ) -> None:
        """Keep each passage's vector under its key.

        Raises:
            sqlite3.OperationalError: it cannot be written.
        """
        sealed = [_sealed(np.asarray(vector, dtype="<f4").tobytes()) for vector in vectors]

        def keep(database: sqlite3.Connection) -> None:
            pairs = zip(keys, sealed, strict=True)
            database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", pairs)
            used = zip(passages, keys, strict=True)
            database.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?)", used)

        self._write(keep)

    def text(self, key: str) -> str | None:
        """The extracted text that was kept under a key."""
        with suppress(sqlite3.Error), self._connected() as database:
            row = database.execute("SELECT text FROM texts WHERE key = ?", (key,)).fetchone()
            raw = _opened(row[0]) if row else None
            return None if raw is None else zlib.decompress(raw).decode("utf-8")
        return None

    def keep_text(self, key: str, value: str) -> None:
        """Keep an extracted text, if that is possible now."""
        sealed = _sealed(zlib.compress(value.encode("utf-8")))
        with suppress(sqlite3.Error):
            self._write(
                lambda database: database.execute(
                    "INSERT OR REPLACE INTO texts VALUES (?, ?)", (key, sealed)
                )
            )

    def prune(self, passages: Collection[str], texts: Collection[str]) -> None:
        """Delete all vectors but those of these passages, and all texts but these.

        Raises:
            sqlite3.OperationalError: it cannot be written.
        """

        def drop(database: sqlite3.Connection) -> None:
            # Only what goes is looked up: going through all the vectors takes seconds.
            for (passage,) in database.execute("SELECT DISTINCT passage FROM uses").fetchall():
                if passage in passages:
                    continue
                using = "SELECT key FROM uses WHERE passage = ?"
                keys = database.execute(using, (passage,)).fetchall()
                database.execute("DELETE FROM uses WHERE passage = ?", (passage,))
                database.executemany(
                    "DELETE FROM vectors WHERE key = ?1 "
                    "AND NOT EXISTS (SELECT 1 FROM uses WHERE key = ?1)",
                    keys,
                )
            for (key,) in database.execute("SELECT key FROM texts").fetchall():
                if key not in texts:
                    database.execute("DELETE FROM texts WHERE key = ?", (key,))

        self._write(drop)

    def _write(self, action: Callable[[sqlite3.Connection], object]) -> None:
        """Do something in one transaction; in a new file, where the old one is damaged."""
        for last in (False, True):
            try:
                with self._connected() as database:
                    database.executescript(_SCHEMA)
                    with database:
                        action(database)
            except sqlite3.OperationalError:  # the disk is full, or may not be written
                raise
            except sqlite3.DatabaseError:
                if last:
                    raise
                self._path.unlink(missing_ok=True)
            else:
                return

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10)) as database:
            # What was deleted must not be found in the file.
            database.execute("PRAGMA secure_delete = ON")
            yield database


def _sealed(raw: bytes) -> bytes:
    return zlib.crc32(raw).to_bytes(4, "little") + raw


def _opened(sealed: bytes) -> bytes | None:
    """What was sealed; None where it is not the same any more."""
    raw = bytes(sealed[4:])
    return raw if sealed[:4] == zlib.crc32(raw).to_bytes(4, "little") else None
