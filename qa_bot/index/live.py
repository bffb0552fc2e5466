"""The index that a bot answers from: built where there is none, reopened when it changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from qa_bot.errors import IndexUnusable, QABotError
from qa_bot.index.build import OpenIndex, open_index, recipe_of, update_index
from qa_bot.index.manifest import load_manifest, manifest_stamp
from qa_bot.index.server import Server
from qa_bot.index.watch import changes
from qa_bot.index.write import Notify, Progress
from qa_bot.settings import Settings, folder_of, resource
from qa_bot.types import IndexReport

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

RETRY_SECONDS = 10.0
"""Between two tries of an update that fails while folders are watched."""


class LiveIndex:
    """One store's index. Threads may share it, but for `close`."""

    def __init__(
        self,
        settings: Settings,
        embedder: Callable[[], BaseEmbedding],
        progress: Progress,
        notify: Notify,
    ) -> None:
        self._store = settings.store
        self._wanted = settings.documents
        self._server = _server(settings)
        self._embedder = embedder
        self._progress = progress
        self._notify = notify
        self._open: OpenIndex | None = None
        self._stamp: object = None
        """What the open index's manifest looked like when it was read."""
        self._lock = threading.RLock()  # opening may have to index first

    def folders(self) -> tuple[Path, ...]:
        """The folders that the index holds, or would hold once it is built."""
        if self._wanted:
            return self._wanted
        known = load_manifest(self._store)
        return tuple(map(Path, known.folders)) if known else (resource("seeds"),)

    def update(
        self, paths: str | Path | Sequence[str | Path] = (), *, rebuild: bool = False
    ) -> IndexReport:
        """Bring it up to date with these folders, or with its own; see `QABot.index`."""
        named = _named(paths)
        report = update_index(
            named or self.folders(),
            self._store,
            self._embedder(),
            server=self._server,
            rebuild=rebuild,
            progress=self._progress,
            notify=self._notify,
        )
        if named:  # what was indexed last is what questions are asked of
            self._wanted = named
        return report

    def watch(
        self,
        paths: str | Path | Sequence[str | Path],
        *,
        rebuild: bool,
        wait: Callable[[float], None],
    ) -> Iterator[IndexReport]:
        """Update at once and at every change, without end; see `QABot.watch`."""
        folders = _named(paths) or self.folders()
        for number, _ in enumerate(changes(folders, self._store, wait)):
            yield self._retried(wait) if number else self.update(folders, rebuild=rebuild)

    def _retried(self, wait: Callable[[float], None]) -> IndexReport:
        told = ""
        while True:
            try:
                return self.update()
            except QABotError as exc:
                if str(exc) != told:
                    self._notify(f"{exc}. It is tried again until it works.")
                told = str(exc)
                wait(RETRY_SECONDS)

    def opened(self) -> OpenIndex:
        """The index as it is now; questions that are being answered keep the one they have.

        Raises:
            IndexUnusable: it must be rebuilt.
        """
        with self._lock:
            stamp = manifest_stamp(self._store)
            if stamp != self._stamp:
                self._open, self._stamp = None, stamp
            if self._open is None:
                self._open = self._current()
            if self._open is None:
                self._notify(f"Building the index in {self._store} first.")
                self.update()
                self._stamp = manifest_stamp(self._store)
                self._open = open_index(self._store, self._notify, self._server)
            if self._open is None:  # another process took it away meanwhile
                raise IndexUnusable(f"no index in {self._store}; run `qa-bot index`")
            return self._open

    def _current(self) -> OpenIndex | None:
        """The store's index, where it is of this embedder and the folders that were asked for."""
        index = open_index(self._store, self._notify, self._server)
        if index is None:
            return None
        wanted = set(map(str, self._wanted)) or set(index.manifest.folders)
        fits = index.manifest.recipe == recipe_of(self._embedder())
        if fits and wanted == set(index.manifest.folders):
            return index
        index.close()
        return None

    def close(self) -> None:
        """Let go of it; the next call opens it again."""
        with self._lock:
            if self._open is not None:
                self._open.close()
            self._open = None


def _server(settings: Settings) -> Server | None:
    if not settings.server:
        return None
    return Server(settings.server, settings.chroma_token, settings.chroma_certificate)


def _named(paths: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    named = [paths] if isinstance(paths, str | Path) else paths
    return tuple(folder_of(path) for path in named)
