"""Turn what the documents hold now into the next generation of the store.

The store that the manifest names is never changed: a copy is, or a new one is filled from
the cache and the embedder. Once it is whole the manifest names it, in one step. A run that
is killed or fails leaves the old index as it was, and in the cache all it has embedded.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from qa_bot.errors import IndexUnusable
from qa_bot.index.cache import Cache, vector_key
from qa_bot.index.clean import CLEANER_VERSION
from qa_bot.index.extract import Texts
from qa_bot.index.generations import (
    copy_generation,
    drop_other_generations,
    examine,
    next_generation,
    settle,
)
from qa_bot.index.manifest import FileEntry, Manifest, save_manifest
from qa_bot.index.sentences import sentence_texts
from qa_bot.index.server import Server, drop_stray_collections
from qa_bot.index.split import SPLITTER_VERSION, embedded_text
from qa_bot.index.store import PassageStore, open_store
from qa_bot.types import Passage

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

BATCH = 32
_FULL = 1_000_000
"""Free bytes below which a disk is taken to be full."""

Progress = Callable[[int, int], None]
Notify = Callable[[str], None]


def recipe_of(embedder: BaseEmbedding) -> tuple[str, int, int]:
    """What an index made with this embedder by this version has as its recipe."""
    digest = str(getattr(embedder, "digest", embedder.model_name))
    return digest, SPLITTER_VERSION, CLEANER_VERSION


class Writer:
    """The one process at work on an index; hold `manifest.writing` around it, and close it."""

    def __init__(
        self,
        store_dir: Path,
        embedder: BaseEmbedding,
        server: Server | None,
        known: Manifest | None,
        notify: Notify,
    ) -> None:
        self._store_dir = store_dir
        self._embedder = embedder
        self._server = server
        self._recipe = recipe_of(embedder)
        self._known = known
        self._notify = notify
        self._cache = Cache(store_dir)
        self.texts = Texts(self._cache)
        """Where the text of files comes from."""
        self._base: Manifest | None = None
        """The manifest of the store to go on with."""
        self._present: set[str] = set()

    def held(self, roots: Iterable[Path]) -> bool:
        """Whether the index was of these very folders, which may be empty by now."""
        return self._known is not None and self._known.folders == tuple(map(str, roots))

    def reopen(self) -> None:
        """Go on with the store of the last run, if it is of the same making.

        Raises:
            IndexUnusable: it is damaged.
        """
        known = self._known
        if known is None or not (folder := self._store_dir / known.generation).is_dir():
            return
        if known.recipe != self._recipe:
            self._notify("The embedder or the splitting has changed: the index is built anew.")
            return
        examine(folder, local=self._server is None)
        store = open_store(folder, self._server)
        try:
            store.check()
            self._present = store.ids()
        finally:
            store.close()
        self._base = known

    def intact(self, source: str) -> FileEntry | None:
        """What the index holds of a source, if it holds all of it."""
        entry = self._base.files.get(source) if self._base else None
        return entry if entry and self._present.issuperset(entry.passages) else None

    def write(
        self,
        folders: Sequence[str],
        files: Mapping[str, FileEntry],
        passages: Sequence[Passage],
        texts: Collection[str],
        progress: Progress,
    ) -> None:
        """Make the index hold these files.

        Args:
            folders: where they are.
            files: every file that belongs in the index, by source.
            passages: those of the new and the changed files.
            texts: what the extracted texts of all files that were seen are kept under.
            progress: called with the passages embedded so far, and how many are to be.

        Raises:
            IndexUnusable: the store cannot be written.
            OSError: the disk is full.
        """
        base, embedder = self._base, self._recipe[0]
        manifest = Manifest(*self._recipe, "", tuple(folders), dict(files))
        wanted = manifest.passage_ids
        new = [passage for passage in passages if passage.id not in self._present]
        if base and not new and self._present == wanted:
            manifest.generation = base.generation
        else:
            manifest.generation = next_generation(self._store_dir)
            folder = self._store_dir / manifest.generation
            try:
                self._make(folder, new, wanted, embedder, progress)
            except BaseException as exc:
                free = shutil.disk_usage(self._store_dir).free
                shutil.rmtree(folder, ignore_errors=True)
                if free < _FULL and isinstance(exc, IndexUnusable):  # Chroma does not say why
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from exc
                raise
        if manifest != self._known:
            save_manifest(self._store_dir, manifest)
            self._cache.prune(wanted, texts)
        drop_other_generations(self._store_dir, manifest.generation)
        if self._server:
            drop_stray_collections(self._store_dir, self._server)

    def close(self) -> None:
        """End what was started to read files."""
        self.texts.close()

    def _make(
        self,
        folder: Path,
        new: Sequence[Passage],
        wanted: set[str],
        embedder: str,
        progress: Progress,
    ) -> None:
        if self._server:
            drop_stray_collections(self._store_dir, self._server)
        if self._base:
            copy_generation(self._store_dir / self._base.generation, folder)
        store = open_store(folder, self._server)
        try:
            if self._base and self._server:
                with closing(
                    open_store(self._store_dir / self._base.generation, self._server)
                ) as old:
                    store.copy_from(old)
            self._fill(store, new, embedder, progress)
            store.delete(self._present - wanted)
            store.check()
            if store.ids() != wanted:
                raise IndexUnusable(f"the store in {folder} lost passages as they were written")
        finally:
            store.close()
        settle(folder)

    def _fill(
        self, store: PassageStore, new: Sequence[Passage], embedder: str, progress: Progress
    ) -> None:
        for at in range(0, len(new), BATCH):
            batch = new[at : at + BATCH]
            wholes = [embedded_text(passage) for passage in batch]
            parts = {passage.id: sentence_texts(passage) for passage in batch}
            uses = [(p.id, text) for p, text in zip(batch, wholes, strict=True)]
            uses += [(owner, text) for owner, texts in parts.items() for text in texts]
            vector_of = self._vectors(uses, embedder)
            # The sentences go in first: a passage that is there has all of its vectors.
            store.sentences.put(
                {owner: [vector_of[text] for text in texts] for owner, texts in parts.items()}
            )
            store.add(batch, [vector_of[text] for text in wholes])
            progress(at + len(batch), len(new))

    def _vectors(
        self, uses: Sequence[tuple[str, str]], embedder: str
    ) -> dict[str, Sequence[float]]:
        """The vector of each text, from the cache where it is known.

        Args:
            uses: pairs of a passage's id and a text that is embedded for it; passages share
                sentences, and many are of one sentence only.
            embedder: what the vectors are kept under.
        """
        key_of = {text: vector_key(embedder, text) for _, text in uses}
        known = self._cache.vectors(list(key_of.values()))
        missing = [text for text, key in key_of.items() if key not in known]
        if missing:
            made = self._embedder.get_text_embedding_batch(missing)
            known |= {key_of[text]: vector for text, vector in zip(missing, made, strict=True)}
        keys = [key_of[text] for _, text in uses]
        self._cache.keep_vectors([owner for owner, _ in uses], keys, [known[key] for key in keys])
        return {text: known[key] for text, key in key_of.items()}
