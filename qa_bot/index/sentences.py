"""The vectors of each passage's sentences, in one SQLite file beside the passages.

They are looked up for the few passages that a search considers, never searched themselves,
so they need no index; eight bits a number keep them small (the cosines stay within .002).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa_bot.index.split import embedded_text
from qa_bot.text import sentence_spans
from qa_bot.types import Passage

Vectors = NDArray[np.float32]

_BATCH = 500
"""Ids in one statement: SQLite limits its variables."""
_LEVELS = 127
_BUSY_SECONDS = 30.0


def sentence_texts(passage: Passage) -> list[str]:
    """What is embedded for each sentence of a passage, in the order of `sentence_spans`."""
    spans = sentence_spans(passage.text)
    return [embedded_text(replace(passage, text=passage.text[s.start : s.end])) for s in spans]


class SentenceVectors:
    """Unit vectors of sentences by the id of their passage. Threads may share it.

    Every method raises `sqlite3.Error` where the file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
        try:
            with self._file:
                self._file.execute(
                    "CREATE TABLE IF NOT EXISTS sentences "
                    "(passage TEXT PRIMARY KEY, count INTEGER NOT NULL, vectors BLOB NOT NULL)"
                )
        except sqlite3.Error:
            self._file.close()
            raise

    def put(self, vectors: Mapping[str, Sequence[Sequence[float]]]) -> None:
        """Keep the vectors of passages' sentences; those kept under the same ids are replaced."""
        kept = [(passage, len(rows), _packed(rows)) for passage, rows in vectors.items()]
        with self._lock, self._file:
            self._file.executemany("INSERT OR REPLACE INTO sentences VALUES (?, ?, ?)", kept)

    def get(self, ids: Iterable[str]) -> dict[str, Vectors]:
        """The vectors of passages' sentences, a row each; ids that are not there are left out."""
        wanted = list(ids)
        found: dict[str, Vectors] = {}
        with self._lock:
            for at in range(0, len(wanted), _BATCH):
                part = wanted[at : at + _BATCH]
                marks = ",".join("?" * len(part))
                rows = self._file.execute(
                    f"SELECT passage, count, vectors FROM sentences WHERE passage IN ({marks})",  # noqa: S608 - question marks only
                    part,
                )
                found.update((passage, _unpacked(count, data)) for passage, count, data in rows)
        return found

    def delete(self, ids: Iterable[str]) -> None:
        """Forget passages; ids that are not there are no error."""
        with self._lock, self._file:
            self._file.executemany("DELETE FROM sentences WHERE passage = ?", ((i,) for i in ids))

    def keep_only(self, ids: Collection[str]) -> None:
        """Forget all passages but these."""
        with self._lock:
            known = [name for (name,) in self._file.execute("SELECT passage FROM sentences")]
        if strays := [name for name in known if name not in ids]:
            self.delete(strays)

    def check(self) -> None:
        """Read what a search would have to read first."""
        with self._lock:
            self._file.execute("SELECT passage FROM sentences LIMIT 1").fetchall()

    def close(self) -> None:
        """Let go of the file; closing twice is no error."""
        self._file.close()


def _packed(rows: Sequence[Sequence[float]]) -> bytes:
    vectors = np.asarray(rows, dtype=np.float32)
    if not vectors.size:
        return b""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-12)
    packed: bytes = np.rint(vectors / largest * _LEVELS).astype(np.int8).tobytes()
    return packed


def _unpacked(count: int, data: bytes) -> Vectors:
    if not count or not data:
        return np.zeros((0, 0), dtype=np.float32)
    levels = np.frombuffer(data, dtype=np.int8).reshape(count, -1).astype(np.float32)
    # The vectors are of length 1, so that their scale need not be kept.
    lengths = np.maximum(np.linalg.norm(levels, axis=1, keepdims=True), 1e-12)
    return np.asarray(levels / lengths, dtype=np.float32)
