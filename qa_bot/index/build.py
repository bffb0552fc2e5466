"""Bring an index up to date with its folders, and open it for searching.

The manifest says what the store should hold. Whatever a killed run left differs from it,
and the next run puts that right: passages nobody names are deleted, missing ones made again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qa_bot.errors import IndexUnusable, UsageError
from qa_bot.index import load
from qa_bot.index.clean import CLEANER_VERSION, TITLE_CHARACTERS, blocks, paragraphs, title_of
from qa_bot.index.extract import SUFFIXES, Texts, reader_of
from qa_bot.index.manifest import FileEntry, Manifest, load_manifest, save_manifest, writing
from qa_bot.index.readers.parts import Unreadable
from qa_bot.index.split import SPLITTER_VERSION, embedded_text, passages
from qa_bot.index.store import PassageStore, drop_other_generations, next_generation, open_store
from qa_bot.text import language_of
from qa_bot.types import Block, Document, Extracted, FileReport, IndexReport, Passage

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

BATCH = 32
_SAVE_SECONDS = 1.0

Progress = Callable[[int, int], None]
Notify = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class OpenIndex:
    """An index opened for searching; close it, or use it in a `with` statement."""

    manifest: Manifest
    store: PassageStore
    texts: Texts

    def read_text(self, source: str) -> str | None:
        """The text of a source as its file has it now; None where the file is gone.

        A file that can no longer be read gives "", in which no quote stands.
        """
        folders = [Path(folder) for folder in self.manifest.folders]
        # Other folders may be missing by now without making this source unverifiable.
        roots = {"": folders[0]} if len(folders) == 1 else {path.name: path for path in folders}
        try:
            path = load.path_of(roots, source)
            return self.texts.of(path.read_bytes(), path.suffix.lower()).text
        except FileNotFoundError:
            return None
        except (OSError, UsageError, Unreadable):
            return ""

    def close(self) -> None:
        """Let go of the store's files."""
        self.store.close()
        self.texts.close()

    def __enter__(self) -> OpenIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_index(store_dir: Path, notify: Notify | None = None) -> OpenIndex | None:
    """Open an index without the writer's lock; None where there is none to open.

    Where `manifest.complete` is false, call `update_index` first: a run was cut short.

    Raises:
        IndexUnusable: the store is damaged.
    """
    manifest = load_manifest(store_dir, notify)
    if manifest is None or not (store_dir / manifest.generation).is_dir():
        return None
    return OpenIndex(manifest, open_store(store_dir / manifest.generation), Texts())


def recipe_of(embedder: BaseEmbedding) -> tuple[str, int, int]:
    """What an index made with this embedder by this version has as its recipe."""
    digest = str(getattr(embedder, "digest", embedder.model_name))
    return digest, SPLITTER_VERSION, CLEANER_VERSION


def read_document(folders: Sequence[Path], source: str) -> Document:
    """Load one document as the index does, to show a passage in its place.

    Raises:
        UsageError: there is no such document in the folders, or its text cannot be decoded.
    """
    path = load.path_of(load.named_folders(folders), source)
    texts = Texts()
    try:
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            raise Unreadable("there is no such document")
        data = path.read_bytes()
        return _document(source, data, texts.of(data, path.suffix.lower()))[0]
    except (OSError, Unreadable) as exc:
        raise UsageError(f"{source} cannot be read from {path}: {exc}") from exc
    finally:
        texts.close()


def update_index(
    folders: Sequence[Path],
    store_dir: Path,
    embedder: BaseEmbedding,
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
    notify: Notify | None = None,
) -> IndexReport:
    """Make the index in `store_dir` hold exactly what the folders hold now.

    Args:
        folders: the documents' folders; with several, sources start with the folder's name.
        store_dir: where the index is, or is to be made.
        embedder: a LlamaIndex embedder; its `digest` (else its model's name) tells whether
            the vectors of an earlier run may stay.
        rebuild: whether to start afresh, whatever is there.
        progress: called with the passages embedded so far, and how many are to be.
        notify: called with what a person should know.

    Raises:
        UsageError: a folder is missing, or there is nothing to index in any.
        IndexUnusable: another process is writing this index.
        ServiceError: the embedder failed; what was done is kept.
    """
    started = time.perf_counter()
    roots = load.named_folders(folders)
    with writing(store_dir):
        known = load_manifest(store_dir, notify)
        before = set(known.files) if known else set()
        run = _Run(store_dir, embedder, known, notify or (lambda _: None))
        try:
            if not rebuild:
                run.reopen()
            files = _walked(roots, store_dir, run)
            run.write([str(root) for root in roots.values()], files, progress or (lambda *_: None))
        finally:
            run.close()
    reports = {file.report.source: file.report for file in files}
    for source in before:
        reports.setdefault(source, FileReport(source, "removed"))
    total = sum(len(file.entry.passages) for file in files if file.entry)
    ordered = tuple(reports[source] for source in sorted(reports))
    return IndexReport(ordered, total, time.perf_counter() - started)


@dataclass(slots=True)
class _File:
    """A file of the walk; `entry` is set where it belongs in the index."""

    report: FileReport
    entry: FileEntry | None = None
    passages: list[Passage] = field(default_factory=list)
    """The passages of a new or changed file."""


_BAD = {"failed", "undecodable", "too_large"}


def _walked(roots: dict[str, Path], store_dir: Path, run: _Run) -> list[_File]:
    """Judge and read every file; what is in the index already is not even decoded.

    Raises:
        UsageError: nothing among the files can be indexed.
    """
    first_of: dict[str, str] = {}
    found = load.walk(roots, exclude=store_dir, suffixes=SUFFIXES)
    files = [_read(each, first_of, run) for each in found]
    readable = any(file.entry or file.report.status in _BAD for file in files)
    if not readable and not run.held(roots.values()):
        where = " and ".join(map(str, roots.values()))
        why = "".join(
            f"; {f.report.source}: {f.report.status}, {f.report.reason}" for f in files[:3]
        )
        raise UsageError(f"nothing to index among {len(files)} files in {where}{why}")
    return files


def _read(found: load.Found, first_of: dict[str, str], run: _Run) -> _File:
    source = found.source
    if found.status:
        return _File(FileReport(source, found.status, found.reason))
    suffix = found.path.suffix.lower()
    try:
        data, times = found.path.read_bytes(), found.path.stat().st_mtime_ns
        digest = hashlib.sha256(data).hexdigest()
        known = run.intact(source)
        if data.strip() and first_of.setdefault(digest, source) != source:
            return _File(FileReport(source, "duplicate", f"same bytes as {first_of[digest]}"))
        if known and (known.digest, known.reader) == (digest, reader_of(suffix)):
            return _File(FileReport(source, "unchanged"), known)
        extracted = run.texts.of(data, suffix)
        document, kept = _document(source, data, extracted)
        made = passages(document, kept)
    except Unreadable as exc:
        return _File(FileReport(source, exc.status, str(exc)))
    # One bad file must not stop the others, whatever is bad about it.
    except Exception as exc:
        return _File(FileReport(source, "failed", f"{type(exc).__name__}: {exc}"))
    if not made:
        return _File(FileReport(source, "empty", extracted.note or "no text in it"))
    entry = FileEntry(
        digest=digest,
        size=len(data),
        mtime_ns=times,
        title=document.title,
        date=document.date,
        language=document.language,
        passages=tuple(passage.id for passage in made),
        author=document.author,
        reader=reader_of(suffix),
    )
    report = FileReport(source, "changed" if known else "added", extracted.note)
    return _File(report, entry, made)


def _document(source: str, data: bytes, extracted: Extracted) -> tuple[Document, list[Block]]:
    text, name = extracted.text, Path(source).name
    kept = paragraphs(text) if extracted.rows else blocks(text)
    own_title = "" if extracted.rows else title_of(text, kept)
    return Document(
        source=source,
        text=text,
        title=extracted.title[: 2 * TITLE_CHARACTERS] or own_title or Path(source).stem,
        language=language_of("\n".join(text[block.start : block.end] for block in kept)),
        date=extracted.date or load.date_of(text, name),
        digest=hashlib.sha256(data).hexdigest(),
        author=extracted.author,
        pages=extracted.pages,
    ), kept


class _Run:
    """One writer at work: the manifest as it grows, and the store it describes."""

    def __init__(
        self, store_dir: Path, embedder: BaseEmbedding, known: Manifest | None, notify: Notify
    ) -> None:
        self._store_dir = store_dir
        self._embedder = embedder
        self._known = known
        self._notify = notify
        self.texts = Texts()
        self._store: PassageStore | None = None
        self._present: set[str] = set()
        self._manifest = Manifest(
            embedder=str(getattr(embedder, "digest", embedder.model_name)),
            splitter=SPLITTER_VERSION,
            cleaner=CLEANER_VERSION,
            generation=next_generation(store_dir),
        )
        self._saved = 0.0

    def held(self, roots: Iterable[Path]) -> bool:
        """Whether the index was of these very folders, which may be empty by now."""
        return self._known is not None and self._known.folders == tuple(map(str, roots))

    def reopen(self) -> None:
        """Go on with the store of the last run, if it is sound and of the same making."""
        known = self._known
        if known is None or not (self._store_dir / known.generation).is_dir():
            return
        if known.recipe != self._manifest.recipe:
            self._notify("The embedder or the splitting has changed: the index is built anew.")
            return
        store = None
        try:
            store = open_store(self._store_dir / known.generation)
            store.check()
            self._present = store.ids()
            self._store, self._manifest = store, known
        except IndexUnusable as exc:
            self._notify(f"The index is damaged and is built anew: {exc}")
            if store:
                store.close()

    def intact(self, source: str) -> FileEntry | None:
        """What the index holds of a source, if it holds all of it."""
        entry = self._manifest.files.get(source)
        return entry if entry and self._present.issuperset(entry.passages) else None

    def write(self, folders: list[str], files: list[_File], progress: Progress) -> None:
        """Make the store hold these files: new passages go in before old ones go."""
        wanted = {file.report.source: file for file in files if file.entry}
        manifest = self._manifest
        manifest.folders, manifest.complete = tuple(folders), False
        manifest.files = {s: entry for s, entry in manifest.files.items() if s in wanted}
        self._save()
        if self._store is None:
            self._store = open_store(self._store_dir / manifest.generation)
        drop_other_generations(self._store_dir, manifest.generation)
        todo = [file for file in files if file.passages]
        fresh = sum(p.id not in self._present for file in todo for p in file.passages)
        done = 0
        for group in _grouped(todo):
            for added in self._embed(group):
                done += added
                progress(done, fresh)
            for file in group:
                if file.entry:
                    manifest.files[file.report.source] = file.entry
            # A large manifest is not written for each file: what the store holds and the
            # manifest does not name yet costs the next run nothing.
            if time.monotonic() - self._saved > _SAVE_SECONDS:
                self._save()
        self._store.delete(self._store.ids() - manifest.passage_ids)
        manifest.complete = True
        self._save()

    def close(self) -> None:
        """Let go of the store."""
        self.texts.close()
        if self._store:
            self._store.close()

    def _embed(self, group: list[_File]) -> Iterator[int]:
        # A run that was killed may have left some: their ids tell that they are the same.
        new = [p for file in group for p in file.passages if p.id not in self._present]
        for at in range(0, len(new), BATCH):
            batch = new[at : at + BATCH]
            vectors = self._embedder.get_text_embedding_batch([embedded_text(p) for p in batch])
            if self._store:
                self._store.add(batch, vectors)
            yield len(batch)

    def _save(self) -> None:
        save_manifest(self._store_dir, self._manifest)
        self._saved = time.monotonic()


def _grouped(files: list[_File]) -> Iterator[list[_File]]:
    """Files together until they fill a batch: small files are embedded many at once."""
    group: list[_File] = []
    for file in files:
        group.append(file)
        if file is files[-1] or sum(len(each.passages) for each in group) >= BATCH:
            yield group
            group = []
