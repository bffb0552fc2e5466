"""Indexes that are changed at random, killed at random moments, and compared with their files.

The suite runs a few rounds of it, `benchmarks/kill_index.py` many.
"""

from __future__ import annotations

import multiprocessing
import random
import signal
from contextlib import closing
from pathlib import Path

import numpy as np
from fakes import HashEmbedding

from qa_bot.index import write
from qa_bot.index.build import open_index, read_document, update_index
from qa_bot.index.manifest import load_manifest
from qa_bot.index.split import embedded_text
from qa_bot.index.store import open_store
from qa_bot.text import language_of

# A process that has imported all and opened nothing, to fork from: imports take seconds.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["fakes", "llama_index.vector_stores.chroma", "index_stress"])


def _update(docs: Path, store: Path, rebuild: bool, few: int, seconds: float) -> None:
    write.FEW = few
    language_of("This loads its model, which takes longer than all the rest.")
    # No one handles this signal: it ends the process where it stands, as `kill -9` does.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    update_index([docs], store, HashEmbedding(model_name="hash"), rebuild=rebuild)


def edit(docs: Path, chance: random.Random, files: int = 12) -> None:
    """Add, change, rename or delete a few of the files."""
    for _ in range(chance.randint(1, 5)):
        path = docs / f"{chance.randrange(files)}.txt"
        act = chance.random()
        if act < 0.2:
            path.unlink(missing_ok=True)
        elif act < 0.35 and path.exists():
            path.rename(docs / f"{chance.randrange(files)}.txt")
        else:
            number = chance.randrange(10**6)
            lines = [f"Line {n} tells of thing {number + n}. " * 6 for n in range(number % 40 + 1)]
            path.write_text("\n\n".join(lines))
    (docs / "stays.txt").write_text("This file always stays.")


def killed_update(
    docs: Path, store: Path, seconds: float, *, rebuild: bool = False, few: int = write.FEW
) -> bool:
    """Update in a child that is killed after so many seconds of work; whether it had finished.

    Args:
        docs: the documents' folder.
        store: the index's.
        seconds: of its work until it is killed: by the clock, it would depend on the machine.
        rebuild: whether it is to start afresh.
        few: the changes from which on it makes a copy of the store.
    """
    run = _FORKS.Process(target=_update, args=(docs, store, rebuild, few, max(seconds, 1e-6)))
    run.start()
    run.join()
    finished = run.exitcode == 0
    assert run.exitcode in (0, -signal.SIGPROF)
    run.close()
    return finished


def check_agrees(store: Path, docs: Path | None = None) -> tuple[str, int]:
    """Compare an index with its manifest, and with its files; its generation and revision."""
    embedder = HashEmbedding(model_name="hash")
    said: list[str] = []
    opened = open_index(store, said.append)
    assert opened is not None, said
    with opened:
        entries = opened.manifest.files
        assert opened.store.count() == len(opened.manifest.passage_ids)
        found = opened.store.get(opened.store.ids())
        assert set(found) == opened.manifest.passage_ids
        ids, matrix = opened.store._load_matrix()
        vectors = dict(zip(ids.tolist(), matrix, strict=True))
        for source, entry in entries.items():
            for name in entry.passages:
                passage = found[name]
                assert (passage.source, passage.title) == (source, entry.title)
                made = embedder.get_text_embedding(embedded_text(passage))
                assert np.allclose(vectors[name], made, atol=1e-5)
        if docs is not None:
            assert set(entries) == {path.name for path in docs.iterdir()}
            for source in entries:
                text = read_document([docs], source).text
                for passage in found.values():
                    if passage.source == source:
                        assert text[passage.start : passage.end] == passage.text
        return opened.manifest.generation, opened.manifest.revision


def round_of_kills(root: Path, seed: int) -> dict[str, int]:
    """Edit, kill an update, see that the index is whole, and that the next run converges."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    docs, store = root / "docs", root / "store"
    docs.mkdir(exist_ok=True)
    edit(docs, chance)
    if not (store / "manifest.json").is_file():
        update_index([docs], store, HashEmbedding(model_name="hash"))
    before = check_agrees(store)
    edit(docs, chance)
    seconds = chance.uniform(0, 0.8)
    few = chance.choice([write.FEW, 0])
    finished = killed_update(docs, store, seconds, rebuild=chance.random() < 0.25, few=few)
    after = check_agrees(store)
    if finished:
        check_agrees(store, docs)
    repeated = chance.random() < 0.3
    if repeated:
        killed_update(docs, store, chance.uniform(0, 0.4))
        check_agrees(store)
    update_index([docs], store, HashEmbedding(model_name="hash"))
    generation, _ = check_agrees(store, docs)
    with closing(open_store(store / generation)) as whole:  # what no reader sees has gone too
        manifest = load_manifest(store)
        assert manifest
        assert whole.ids() == manifest.passage_ids
    assert len(list(store.glob("passages-*"))) == 1
    assert not list(store.glob(".open-*"))
    return {
        "finished": finished,
        "switched": after != before and not finished,
        "repeated": repeated,
        "milliseconds": round(seconds * 1000),
    }
