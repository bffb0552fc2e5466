"""Bring an index up to date with its folders, and open it for searching.

The manifest says what the store holds. Every run compares it with the files, and where
they differ makes the next generation of the store (`write.py`).
"""

from __future__ import annotations

import errno
import gc
import hashlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa_bot.errors import IndexUnusable, QABotError, UsageError
from qa_bot.index import load
from qa_bot.index.cache import Cache
from qa_bot.index.clean import TITLE_CHARACTERS, blocks, paragraphs, title_of
from qa_bot.index.copies import near_copies, sketch_of
from qa_bot.index.extract import SUFFIXES, Texts, reader_of, text_key
from qa_bot.index.generations import examine
from qa_bot.index.manifest import FileEntry, Manifest, load_manifest, manifest_stamp, writing
from qa_bot.index.readers import is_table
from qa_bot.index.readers.parts import Unreadable
from qa_bot.index.server import Server
from qa_bot.index.split import passages
from qa_bot.index.store import PassageStore, open_store
from qa_bot.index.write import Notify, Progress, Writer, recipe_of
from qa_bot.text import language_of
from qa_bot.types import Block, Document, Extracted, FileReport, IndexReport, Passage

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

_DAMAGED = "The index is damaged and is built anew: {}"

__all__ = ["OpenIndex", "open_index", "read_document", "recipe_of", "update_index"]


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
        try:
            return self._extracted(source).text
        except FileNotFoundError:
            return None
        except (OSError, UsageError, Unreadable):
            return ""

    def read_pages(self, source: str) -> tuple[int, ...]:
        """Where each page of a source starts in its text; empty where there are none to know."""
        try:
            return self._extracted(source).pages
        except (OSError, UsageError, Unreadable):
            return ()

    def _extracted(self, source: str) -> Extracted:
        folders = [Path(folder) for folder in self.manifest.folders]
        # Other folders may be missing by now without making this source unverifiable.
        roots = {"": folders[0]} if len(folders) == 1 else {path.name: path for path in folders}
        path = load.path_of(roots, source)
        return self.texts.of(path.read_bytes(), path.suffix.lower())

    def close(self) -> None:
        """Let go of the store's files."""
        self.store.close()
        self.texts.close()

    def __enter__(self) -> OpenIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_index(
    store_dir: Path, notify: Notify | None = None, server: Server | None = None
) -> OpenIndex | None:
    """Open an index without the writer's lock; None where there is none to open.

    A damaged one counts as none, with a message: `update_index` makes it anew.

    Raises:
        ServiceError: the server that keeps the passages is not there.
    """
    while True:
        stamp = manifest_stamp(store_dir)
        manifest = load_manifest(store_dir, notify)
        if manifest is None:
            return None
        try:
            store = _sound_store(store_dir, manifest, server)
        except IndexUnusable as exc:
            if stamp != manifest_stamp(store_dir):
                continue
            if notify:
                notify(_DAMAGED.format(exc))
            return None
        if stamp == manifest_stamp(store_dir):
            return OpenIndex(manifest, store, Texts(Cache(store_dir)))
        store.close()  # it was replaced, and may have been deleted, before we had it open


def _sound_store(store_dir: Path, manifest: Manifest, server: Server | None) -> PassageStore:
    """Open the store of a manifest, to read what it names.

    Raises:
        IndexUnusable: it is damaged.
    """
    folder, named = store_dir / manifest.generation, manifest.passage_ids
    if not folder.is_dir():
        raise IndexUnusable(f"{folder} is missing")
    examine(folder, local=server is None)
    store = open_store(folder, server, revision=manifest.revision, live=named)
    try:
        store.check()
        if store.count() != len(named):
            raise IndexUnusable(f"{folder} holds {store.count()} passages instead of {len(named)}")
    except IndexUnusable:
        store.close()
        raise
    return store


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
    server: Server | None = None,
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
        server: the Chroma server that keeps the passages; None for `store_dir`.
        rebuild: whether to start afresh, whatever is there.
        progress: called with the passages embedded so far, and how many are to be.
        notify: called with what a person should know.

    Raises:
        UsageError: a folder is missing, or there is nothing to index in any.
        IndexUnusable: another process is writing this index.
        QABotError: the disk is full.
        ServiceError: the embedder or the server failed; what was embedded is kept.
    """
    started = time.perf_counter()
    roots = load.named_folders(folders)
    notify = notify or (lambda _: None)
    with writing(store_dir), _full_disk_named(store_dir), _few_collections():
        known = load_manifest(store_dir, notify)
        job = _Job(roots, store_dir, embedder, server, known, progress or _quiet, notify)
        try:
            files = job.run(rebuild=rebuild)
        except IndexUnusable as exc:
            if rebuild or known is None or _is_full(exc):
                raise
            notify(_DAMAGED.format(exc))
            files = job.run(rebuild=True)
    reports = {file.report.source: _told(file) for file in files}
    for source in known.files if known else ():
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
    text_key: str | None = None
    """What its extracted text is kept under, if it is kept; None where there is none."""


@dataclass(frozen=True, slots=True)
class _Job:
    """What an update was asked to do."""

    roots: dict[str, Path]
    store_dir: Path
    embedder: BaseEmbedding
    server: Server | None
    known: Manifest | None
    progress: Progress
    notify: Notify

    def run(self, *, rebuild: bool) -> list[_File]:
        """Read the files and write the index; every file of the walk is in the result."""
        writer = Writer(self.store_dir, self.embedder, self.server, self.known, self.notify)
        try:
            if not rebuild:
                writer.reopen()
                gc.freeze()  # the libraries are imported by now
            files = _walked(self.roots, self.store_dir, writer)
            _mark_copies(files)
            writer.write(
                [str(root) for root in self.roots.values()],
                {file.report.source: file.entry for file in files if file.entry},
                [passage for file in files for passage in file.passages],
                {file.text_key for file in files if file.text_key},
                self.progress,
            )
            return files
        finally:
            writer.close()


@contextmanager
def _few_collections() -> Iterator[None]:
    """Spare Python's garbage collector what is there: with all libraries, that is a lot."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _quiet(*_: object) -> None:
    """No one is watching."""


def _mark_copies(files: Sequence[_File]) -> None:
    """Enter into each file what it nearly repeats; looked for where it, or that, is new."""
    entries = {file.report.source: file.entry for file in files if file.entry}
    kept = {file.report.source for file in files if file.report.status == "unchanged"}
    settled = {
        source: entries[source].copy_of
        for source in kept
        if not entries[source].copy_of or entries[source].copy_of in kept
    }
    if len(settled) == len(entries):
        return
    found = near_copies({source: entry.sketch for source, entry in entries.items()}, settled)
    for file in files:
        first = found.get(file.report.source, "")
        if file.entry and file.entry.copy_of != first:
            file.entry = file.entry._replace(copy_of=first)


def _told(file: _File) -> FileReport:
    """A file's report, with what it nearly repeats."""
    report, copied = file.report, file.entry.copy_of if file.entry else ""
    if not copied:
        return report
    told = f"nearly the same text as {copied}"
    return replace(report, reason=f"{report.reason}; {told}" if report.reason else told)


@contextmanager
def _full_disk_named(store_dir: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, IndexUnusable) as exc:
        if _is_full(exc):
            raise QABotError(
                f"the disk of {store_dir} is full; free some space, or name another place with "
                "--store FOLDER. The index is as it was"
            ) from exc
        raise


def _is_full(exc: BaseException) -> bool:
    full = getattr(exc, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or "disk is full" in str(exc) or "No space left" in str(exc)


_BAD = {"failed", "undecodable", "too_large"}


def _walked(roots: dict[str, Path], store_dir: Path, writer: Writer) -> list[_File]:
    """Judge and read every file; what is in the index already is not even decoded.

    Raises:
        UsageError: nothing among the files can be indexed.
    """
    first_of: dict[tuple[str, str], str] = {}
    found = load.walk(roots, exclude=store_dir, suffixes=SUFFIXES)
    files = [_read(each, first_of, writer) for each in found]
    readable = any(file.entry or file.report.status in _BAD for file in files)
    if not readable and not writer.held(roots.values()):
        where = " and ".join(map(str, roots.values()))
        why = "".join(
            f"; {f.report.source}: {f.report.status}, {f.report.reason}" for f in files[:3]
        )
        raise UsageError(f"nothing to index among {len(files)} files in {where}{why}")
    return files


def _read(found: load.Found, first_of: dict[tuple[str, str], str], writer: Writer) -> _File:
    source = found.source
    if found.status:
        return _File(FileReport(source, found.status, found.reason))
    suffix = load.suffix_of(found.path)
    reader = reader_of(suffix)
    try:
        known = writer.intact(source)
        untouched = known and (known.stamp, known.reader) == (found.stamp, reader)
        data = b"" if untouched else Path(found.path).read_bytes()
        stamp = () if load.is_fresh(found.stamp) else found.stamp
        digest = known.digest if known and untouched else hashlib.sha256(data).hexdigest()
        key = text_key(digest, suffix) if reader else None
        filled = untouched or data.strip()
        if filled and (first := first_of.setdefault((digest, reader), source)) != source:
            return _File(FileReport(source, "duplicate", f"same bytes as {first}"))
        if known and (known.digest, known.reader) == (digest, reader):
            entry = known if known.stamp == stamp else known._replace(stamp=stamp)
            return _File(FileReport(source, "unchanged"), entry, text_key=key)
        extracted = writer.texts.of(data, suffix)
        document, kept = _document(source, data, extracted)
        made = passages(document, kept)
    except Unreadable as exc:
        return _File(FileReport(source, exc.status, str(exc)))
    # One bad file must not stop the others, whatever is bad about it.
    except Exception as exc:
        return _File(FileReport(source, "failed", f"{type(exc).__name__}: {exc}"))
    if not made:
        return _File(FileReport(source, "empty", extracted.note or "no text in it"), text_key=key)
    entry = FileEntry(
        digest=digest,
        size=len(data),
        stamp=stamp,
        title=document.title,
        date=document.date,
        language=document.language,
        passages=tuple(passage.id for passage in made),
        author=document.author,
        reader=reader,
        sketch=sketch_of("\n".join(document.text[b.start : b.end] for b in kept)),
    )
    report = FileReport(source, "changed" if known else "added", extracted.note)
    return _File(report, entry, made, key)


def _document(source: str, data: bytes, extracted: Extracted) -> tuple[Document, list[Block]]:
    text, name = extracted.text, Path(source).name
    kept = paragraphs(text) if is_table(source) else blocks(text)
    own_title = "" if is_table(source) else title_of(text, kept)
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
