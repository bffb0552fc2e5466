"""Bring the store to what the documents hold now.

A few changes are made in place: new passages go in, the manifest names them in one step,
and those that it no longer names go. Readers see only what their manifest names, and what
they still read stays. For more, a copy is changed, or a new store is filled from the cache
and the embedder, and once it is whole the manifest names it. Either way a run that is
killed or fails leaves the old index as it was, and in the cache all it has embedded.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
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
    older_is_read,
    settle,
)
from qa_bot.index.manifest import FileEntry, Manifest, save_manifest
from qa_bot.index.sentences import sentence_texts
from qa_bot.index.server import Server, drop_stray_collections
from qa_bot.index.split import SPLITTER_VERSION, embedded_text
from qa_bot.index.store import PassageStore, open_store, write_graph
from qa_bot.types import Passage

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

BATCH = 32
"""Passages embedded at a time."""
_ADDED = 256
"""Passages added to the store at a time: each time Chroma goes through its log."""
FEW = 256
"""Changes that Chroma may have in its log, which every reader goes through (4 ms each)."""
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
        self._store: PassageStore | None = None
        """That store, opened."""
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
        self._store = open_store(folder, self._server)
        self._store.check()
        # A store holds all that its manifest names, and at times what is to go.
        named = known.passage_ids
        self._present = named if self._store.count() == len(named) else self._store.ids()
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
        manifest = Manifest(*self._recipe, "", folders=tuple(folders), files=dict(files))
        wanted = manifest.passage_ids
        new = [passage for passage in passages if passage.id not in self._present]
        if self._base and self._store and self._are_few(new, wanted):
            self._change(self._base, self._store, manifest, new, progress)
        else:
            self._replace(manifest, new, progress)
        if manifest != self._known:
            self._cache.prune(wanted, texts)
        drop_other_generations(self._store_dir, manifest.generation)
        if self._server and manifest.generation != (self._base and self._base.generation):
            drop_stray_collections(self._store_dir, self._server)

    def close(self) -> None:
        """Let go of the store, and end what was started to read files."""
        self.texts.close()
        if self._store:
            self._store.close()

    def _are_few(self, new: Sequence[Passage], wanted: set[str]) -> bool:
        """Whether a change is to be made in place; with a server, every one is."""
        changes = len(new) + len(self._present - wanted)
        if not changes or self._server or not self._store:
            return True
        return changes < FEW and self._store.logged() + changes < FEW

    def _change(
        self,
        base: Manifest,
        store: PassageStore,
        manifest: Manifest,
        new: Sequence[Passage],
        progress: Progress,
    ) -> None:
        """Change the store in place."""
        folder, wanted = self._store_dir / base.generation, manifest.passage_ids
        changed = wanted != base.passage_ids
        manifest.generation, manifest.revision = base.generation, base.revision + changed
        with self._full_disk_told():
            self._fill(store, new, progress)
        held = self._present | {passage.id for passage in new}
        if store.count() != len(held) or not held >= wanted:
            raise IndexUnusable(f"the store in {folder} lost passages as they were written")
        if manifest != self._known:
            save_manifest(self._store_dir, manifest)
        if (held != wanted or changed) and not older_is_read(folder, manifest.revision):
            store.delete(held - wanted)
            store.sentences.keep_only(wanted)

    def _replace(self, manifest: Manifest, new: Sequence[Passage], progress: Progress) -> None:
        """Make the next generation of the store."""
        if self._store:
            self._store.close()
        manifest.generation = next_generation(self._store_dir)
        folder = self._store_dir / manifest.generation
        try:
            with self._full_disk_told():
                self._make(folder, new, manifest.passage_ids, progress)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        save_manifest(self._store_dir, manifest)

    @contextmanager
    def _full_disk_told(self) -> Iterator[None]:
        try:
            yield
        except IndexUnusable as exc:  # Chroma does not say why
            if shutil.disk_usage(self._store_dir).free < _FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from exc
            raise

    def _make(
        self, folder: Path, new: Sequence[Passage], wanted: set[str], progress: Progress
    ) -> None:
        if self._server:
            drop_stray_collections(self._store_dir, self._server)
        if self._base:
            copy_generation(self._store_dir / self._base.generation, folder)
        with closing(open_store(folder, self._server)) as store:
            self._fill(store, new, progress)
            store.delete(self._present - wanted)
            store.sentences.keep_only(wanted)
        if not self._server:
            write_graph(folder)
        with closing(open_store(folder, self._server)) as store:
            store.check()
            if store.ids() != wanted:
                raise IndexUnusable(f"the store in {folder} lost passages as they were written")
        settle(folder)

    def _fill(self, store: PassageStore, new: Sequence[Passage], progress: Progress) -> None:
        for at in range(0, len(new), _ADDED):
            group = new[at : at + _ADDED]
            wholes = [embedded_text(passage) for passage in group]
            parts = {passage.id: sentence_texts(passage) for passage in group}
            vector_of: dict[str, Sequence[float]] = {}
            for start in range(0, len(group), BATCH):
                batch = slice(start, start + BATCH)
                uses = [(p.id, text) for p, text in zip(group[batch], wholes[batch], strict=True)]
                uses += [(p.id, text) for p in group[batch] for text in parts[p.id]]
                vector_of |= self._vectors(uses)
                progress(at + start + len(group[batch]), len(new))
            # The sentences go in first: a passage that is there has all of its vectors.
            store.sentences.put(
                {owner: [vector_of[text] for text in texts] for owner, texts in parts.items()}
            )
            store.add(group, [vector_of[text] for text in wholes])

    def _vectors(self, uses: Sequence[tuple[str, str]]) -> dict[str, Sequence[float]]:
        """The vector of each text, from the cache where it is known.

        Args:
            uses: pairs of a passage's id and a text that is embedded for it; passages share
                sentences, and many are of one sentence only.
        """
        key_of = {text: vector_key(self._recipe[0], text) for _, text in uses}
        known = self._cache.vectors(list(key_of.values()))
        missing = [text for text, key in key_of.items() if key not in known]
        if missing:
            made = self._embedder.get_text_embedding_batch(missing)
            known |= {key_of[text]: vector for text, vector in zip(missing, made, strict=True)}
        keys = [key_of[text] for _, text in uses]
        self._cache.keep_vectors([owner for owner, _ in uses], keys, [known[key] for key in keys])
        return {text: known[key] for text, key in key_of.items()}
