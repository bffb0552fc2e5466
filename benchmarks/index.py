"""What indexing costs as the documents grow: time, memory and disk.

    python benchmarks/index.py DOCUMENTS [SIZE …] [--write]

DOCUMENTS is a folder of text files to take documents from; where they are too few, and for
every third document anyway, a changed copy of one stands in (another head line, and a letter
less). The embedder is a stand-in that makes up a vector of 896 numbers in no time, so the
figures are those of everything else. Each run is a process of its own. `--write` stores
results/index.md.
"""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

SIZES = (1_000, 5_000, 10_000)
RUNS = ("index", "again", "changed", "rebuild", "search")
HEAD = """# Indexing as the documents grow

Made by `python benchmarks/index.py DOCUMENTS --write`: {count} paragraphs of Wikipedia in four
languages, every third document a changed copy of another. A stand-in embedder makes up vectors of
896 numbers, so these are the costs of everything but embedding. Times are of the CPU (user and
system), without the start of Python, of its libraries and of the model that tells languages;
what a run waits for other programs and for the disk is in brackets. {machine}

| documents | passages | indexing | nothing changed | one file changed | rebuild | open and \
search | peak memory: indexing / one file changed / search | store on disk |
|---|---|---|---|---|---|---|---|---|
"""


def main(documents: Path, sizes: list[int], *, write: bool) -> None:
    """Measure each size, and print (and store) the table."""
    originals = [path.read_text("utf-8") for path in sorted(documents.rglob("*.txt"))]
    machine = f"Python {platform.python_version()}, {platform.system()}."
    table = HEAD.format(count=len(originals), machine=machine)
    print(table, end="", flush=True)
    for size in sizes:
        with tempfile.TemporaryDirectory() as place:
            row = measured(Path(place), originals, size)
        print(row, flush=True)
        table += row + "\n"
    if write:
        (Path(__file__).parent / "results" / "index.md").write_text(table, "utf-8")


def measured(place: Path, originals: list[str], size: int) -> str:
    """One row of the table."""
    docs, store = place / "docs", place / "store"
    docs.mkdir()
    for number in range(size):
        (docs / f"{number:05}.txt").write_text(made(originals, number), "utf-8")
    found: dict[str, dict[str, Any]] = {}
    for run in RUNS:
        if run == "changed":
            path = docs / f"{size // 2:05}.txt"
            path.write_text(path.read_text("utf-8") + "\n\nA sentence was added to it.", "utf-8")
        command = [sys.executable, __file__, "--run", run, str(docs), str(store)]
        told = subprocess.run(command, check=True, capture_output=True, text=True)
        found[run] = json.loads(told.stdout)
    disk = sum(path.stat().st_size for path in store.rglob("*") if path.is_file()) / 1e6
    times = [f"{found[run]['cpu']:.2f} s ({found[run]['waited']:.1f})" for run in RUNS]
    peaks = " / ".join(f"{found[run]['peak']:.0f}" for run in ("index", "changed", "search"))
    cells = [f"{size:,}", f"{found['index']['passages']:,}", *times, f"{peaks} MB"]
    return "| " + " | ".join([*cells, f"{disk:.0f} MB"]) + " |"


def made(originals: list[str], number: int) -> str:
    """The text of a document; every third one is a copy that was changed a little."""
    if number % 3 != 2 and number - number // 3 < len(originals):
        return originals[number - number // 3]
    text = originals[number * 7919 % len(originals)]
    middle = len(text) // 2
    return f"Outlet {number}\n\n{text[:middle]}{text[middle + 1 :]}"


def run(what: str, docs: Path, store: Path) -> None:
    """Do one of `RUNS` in this process, and print what it took as JSON."""
    import numpy as np
    from llama_index.core.embeddings import BaseEmbedding

    from qa_bot.answering.retrieve import retrieve
    from qa_bot.index.build import open_index, update_index
    from qa_bot.index.store import open_store
    from qa_bot.text import language_of

    class MadeUp(BaseEmbedding):  # type: ignore[misc]
        digest: str = "made-up"

        def _get_text_embedding(self, text: str) -> list[float]:
            numbers = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(896)
            vector: list[float] = (numbers / np.linalg.norm(numbers)).tolist()
            return vector

        _get_query_embedding = _get_text_embedding

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_text_embedding(query)

    embedder = MadeUp(model_name="made-up")
    with tempfile.TemporaryDirectory() as warm:
        open_store(Path(warm) / "passages-1").close()  # loads the libraries
    language_of("This loads the model that tells languages.")
    started, before = time.perf_counter(), cpu()
    passages = 0
    if what == "search":
        index = open_index(store)
        if index is None:
            raise SystemExit("no index was left")
        with index:
            retrieve(index.store, "river", embedder.get_query_embedding("river"))
    else:
        report = update_index([docs], store, embedder, rebuild=what == "rebuild")
        passages = report.passages
    used, passed = cpu() - before, time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    waited = max(0.0, passed - used)
    print(json.dumps({"cpu": used, "waited": waited, "peak": peak, "passages": passages}))


def cpu() -> float:
    """Seconds of all cores that this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    if "--run" in sys.argv:
        run(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
    else:
        named = [word for word in sys.argv[1:] if word != "--write"]
        if not named:
            raise SystemExit(__doc__)
        main(
            Path(named[0]), [int(n) for n in named[1:]] or list(SIZES), write="--write" in sys.argv
        )
