"""The index: readable, of this making, of these folders, and in step with them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from qa_bot.doctor.check import Check, fail, ok, warn
from qa_bot.errors import IndexUnusable, UsageError
from qa_bot.index.build import open_index, recipe_of
from qa_bot.index.extract import SUFFIXES, reader_of
from qa_bot.index.load import Found, named_folders, stamp_of, walk
from qa_bot.index.manifest import FORMAT_VERSION, FileEntry, Manifest, load_manifest, writer_of
from qa_bot.settings import Settings, resource

if TYPE_CHECKING:
    from llama_index.core.embeddings import BaseEmbedding

_UPDATE = "qa-bot index"
_PARTS = ("embedder", "splitter", "cleaner")
_NAMED = 3
"""Files that a line names."""


def check_lock(store: Path) -> Check:
    """Whether another process is writing the index."""
    pid = writer_of(store)
    if pid is None:
        return ok("index lock", "nobody is writing the index")
    cure = f"wait for process {pid} to end, or end it"
    said = f"{store} is being written by process {pid}"
    return fail("index lock", said, cure, IndexUnusable.exit_code)


def check_index(settings: Settings, embedder: BaseEmbedding | None) -> Check:
    """The store itself; `embedder` is None where there is none to compare it with."""
    said: list[str] = []
    manifest = load_manifest(settings.store, said.append)
    if manifest is None and not said:
        return warn("index", f"none in {settings.store} yet; the first question makes it", _UPDATE)
    if manifest and embedder and (changed := _changed(manifest, embedder)):
        return _rebuild(f"{settings.store} was made by another {changed}")
    if manifest and _elsewhere(manifest, settings):
        return _rebuild(f"{settings.store} holds {' and '.join(manifest.folders)}, "
                        f"not {' and '.join(map(str, settings.documents))}")  # fmt: skip
    index = open_index(settings.store, said.append) if manifest else None
    if manifest is None or index is None:
        return _rebuild(said[0])
    with index:
        return ok("index", f"{len(manifest.files)} documents, {index.store.count()} passages in "
                  f"{settings.store} (format {FORMAT_VERSION}, {manifest.embedder})")  # fmt: skip


def check_documents(settings: Settings) -> Check:
    """The folders, and whether the index is in step with them."""
    manifest = load_manifest(settings.store)
    held = [Path(folder) for folder in manifest.folders] if manifest else [resource("seeds")]
    try:
        roots = named_folders(settings.documents or held)
    except UsageError as exc:
        cure = "--documents FOLDER, or `documents` in qa_bot.toml"
        return fail("documents", str(exc), cure, exc.exit_code)
    where = " and ".join(map(str, roots.values()))
    found = [file for file in walk(roots, exclude=settings.store, suffixes=SUFFIXES)
             if not file.status]  # fmt: skip
    if not found:
        cure = f"put files of these kinds there: {', '.join(sorted(SUFFIXES))}"
        return warn("documents", f"nothing to index in {where}", cure)
    if manifest is None or _elsewhere(manifest, settings):
        return ok("documents", f"{len(found)} files in {where}")
    differing = list(_differing(found, manifest))
    if not differing:
        return ok("documents", f"{len(found)} files in {where}, all as the index has them")
    more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
    said = f"the index is behind: {', '.join(differing[:_NAMED])}{more}"
    return warn("documents", said, _UPDATE)


def _differing(found: list[Found], manifest: Manifest) -> Iterator[str]:
    """What the index holds otherwise, or does not hold, in words."""
    sources = {file.source for file in found}
    digests = {entry.digest for entry in manifest.files.values()}
    for file in found:
        entry = manifest.files.get(file.source)
        if entry is None and _digest(Path(file.path)) not in digests:  # a duplicate is not held
            yield f"{file.source} is not in it (new, or not readable)"
        elif entry is not None and not _same(Path(file.path), entry):
            yield f"{file.source} has changed"
    for source in manifest.files:
        if source not in sources:
            yield f"{source} is gone"


def _same(path: Path, entry: FileEntry) -> bool:
    if reader_of(path.suffix.lower()) != entry.reader:
        return False
    return stamp_of(path.stat()) == entry.stamp or _digest(path) == entry.digest


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _changed(manifest: Manifest, embedder: BaseEmbedding) -> str:
    """What the index was made with and is not there any more, in words; "" if nothing."""
    pairs = zip(_PARTS, manifest.recipe, recipe_of(embedder), strict=True)
    return " and ".join(f"{part} ({was}, now {now})" for part, was, now in pairs if was != now)


def _elsewhere(manifest: Manifest, settings: Settings) -> bool:
    """Whether other folders than the index's were asked for."""
    return {*map(str, settings.documents)} not in (set(), set(manifest.folders))


def _rebuild(said: str) -> Check:
    return fail("index", said.rstrip("."), _UPDATE, IndexUnusable.exit_code)
