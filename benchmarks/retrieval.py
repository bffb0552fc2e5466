"""Measure and fit retrieval: what each signal is worth, and the weights of their sum.

    python benchmarks/retrieval.py NAME=TESTSET.jsonl:DOCUMENTS … [--stores DIR] [--write]

Every figure is of held-out questions: the weights are fitted ten times, each time without
the tenth of the questions (all of a document together) that they then rank. `--stores`
keeps the indexes for the next run. The first set's questions are also ranked over its
documents and those of the other sets together. `--write` stores weights fitted on all
questions in `prompts/ranking.json`, and the tables in `benchmarks/results/retrieval.md`.
"""

import argparse
import json
import math
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qa_bot.answering.retrieve import (
    POOL,
    Searchable,
    calibrated,
    candidates,
    chances,
    log_odds,
)
from qa_bot.answering.signals import SIGNALS
from qa_bot.index.build import open_index, update_index
from qa_bot.index.store import PassageStore
from qa_bot.models.embed import make_embedder
from qa_bot.settings import resource
from qa_bot.types import Passage

FOLDS = 10
SHOWN = 5
"""Passages of a question whose scores are held to what they say."""
SHRINKAGE = 0.01
"""L2 penalty on the weights of signals scaled to a deviation of 1."""
RESULTS = Path(__file__).with_name("results") / "retrieval.md"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One question: its candidates' signals, and which of them are gold."""

    set: str
    group: str
    """Questions of one group are never both fitted on and ranked."""
    cross: bool
    language: str
    answerable: bool
    signals: Floats
    """(candidates, signals)"""
    gold: NDArray[np.bool_]
    sources: tuple[str, ...]
    gold_docs: frozenset[str]
    bm25: tuple[float, float]
    """The ranks of the best gold passage and document by BM25 over the whole collection."""


def is_hit(passage: Passage, start: int, end: int) -> bool:
    """Whether a passage covers half of a gold stretch, or lies in it by half (the contract)."""
    shared = min(passage.end, end) - max(passage.start, start)
    return 2 * shared >= end - start or (shared >= 12 and 2 * shared >= passage.end - passage.start)


def stretches(row: dict[str, Any], texts: Callable[[str], str]) -> list[tuple[str, int, int]]:
    """Where the gold passages of a question stand: (source, start, end)."""
    golds, docs = row.get("gold_passages", []), row.get("gold_docs", [])
    paired = row.get("passage_docs") or []
    found = []
    for number, gold in enumerate(golds):
        for source in [paired[number]] if len(paired) == len(golds) else docs:
            found += [
                (source, at.start(), at.end()) for at in re.finditer(re.escape(gold), texts(source))
            ]
    if len(set(golds)) > len(found):
        raise SystemExit(f"{row['id']}: a gold passage is not in its document")
    return found


@dataclass(frozen=True)
class TestSet:
    """Questions with their vectors, and the opened index of their documents."""

    name: str
    rows: Sequence[dict[str, Any]]
    vectors: Sequence[Sequence[float]]
    index: Any

    def cases(self, store: Searchable, words: "Bm25 | None" = None) -> list[Case]:
        """Every question's signals over the passages of a store."""
        asked = zip(self.rows, self.vectors, strict=True)
        return [self._case(row, vector, store, words) for row, vector in asked]

    def _case(
        self, row: dict[str, Any], vector: Sequence[float], store: Searchable, words: "Bm25 | None"
    ) -> Case:
        question = row["question"]
        pool = candidates(store, vector, POOL)
        golds = stretches(row, lambda source: self.index.read_text(source) or "")
        gold = [
            any(c.passage.source == s and is_hit(c.passage, a, b) for s, a, b in golds)
            for c in pool
        ]
        docs = frozenset(row.get("gold_docs", []))
        # The seeds are five documents: there, a question is a group of its own.
        group = row["id"] if self.name == "seeds" or not docs else min(docs)
        language = row.get("doc_lang", row["lang"])
        return Case(
            f"{self.name}, own" if row.get("part") == "own" else self.name,
            f"{self.name}/{group}",
            row.get("type") == "cross" or language != row["lang"],
            row["lang"],
            bool(row.get("answerable", True)),
            np.array([signal(question, pool) for signal in SIGNALS.values()]).T,
            np.array(gold),
            tuple(c.passage.source for c in pool),
            docs,
            words.ranks(question, golds, docs) if words else (math.inf, math.inf),
        )


@dataclass(frozen=True)
class Joined:
    """Several stores searched as one collection."""

    stores: Sequence[PassageStore]

    def search(
        self, vector: Sequence[float], k: int, where: Mapping[str, Any] | None = None
    ) -> list[tuple[Passage, float]]:
        """The nearest passages of all stores."""
        found = [hit for store in self.stores for hit in store.search(vector, k, where)]
        return sorted(found, key=lambda hit: -hit[1])[:k]

    def sentence_vectors(self, ids: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Those of whichever store has the passage."""
        wanted = list(ids)
        return {i: v for store in self.stores for i, v in store.sentence_vectors(wanted).items()}


def opened(option: str, stores: Path, embedder: Any) -> TestSet:
    """The set of a `NAME=TESTSET:DOCUMENTS`, its documents indexed where that is due."""
    name, _, paths = option.partition("=")
    testset, _, documents = paths.partition(":")
    report = update_index([Path(documents)], stores / name, embedder, notify=print)
    print(f"{name}: {report.passages} passages, indexed in {report.seconds:.0f} s", flush=True)
    index = open_index(stores / name)
    if index is None:
        raise SystemExit(f"no index in {stores / name}")
    rows = [json.loads(line) for line in Path(testset).read_text("utf-8").splitlines()]
    # What a follow-up leans on is told by a language model, which is left out here.
    rows = [row for row in rows if row.get("type") != "follow_up"]
    vectors = [embedder.get_query_embedding(row["question"]) for row in rows]
    return TestSet(name, rows, vectors, index)


class Bm25:
    """The usual lexical baseline (Okapi): words, and pairs of characters where nothing parts words.

    With k1 = 1.2 and b = 0.75.
    """

    def __init__(self, store: PassageStore) -> None:
        self._passages = list(store.get(store.ids()).values())
        counted = [Counter(_words(passage.text)) for passage in self._passages]
        sizes = np.array([counts.total() for counts in counted])
        self._lengths = 1.2 * (0.25 + 0.75 * sizes / sizes.mean())
        self._holders: dict[str, list[tuple[int, int]]] = {}
        for place, counts in enumerate(counted):
            for word, count in counts.items():
                self._holders.setdefault(word, []).append((place, count))

    def ranks(
        self, question: str, golds: Sequence[tuple[str, int, int]], docs: frozenset[str]
    ) -> tuple[float, float]:
        """The ranks of the best gold passage and document, each document by its best passage."""
        scores = np.zeros(len(self._passages))
        for word in set(_words(question)):
            holders = self._holders.get(word, [])
            idf = math.log(1 + (len(scores) - len(holders) + 0.5) / (len(holders) + 0.5))
            for place, count in holders:
                scores[place] += idf * 2.2 * count / (count + self._lengths[place])
        gold = [any(p.source == s and is_hit(p, a, b) for s, a, b in golds) for p in self._passages]
        best: dict[str, float] = {}
        for passage, score in zip(self._passages, scores, strict=True):
            best[passage.source] = max(best.get(passage.source, 0.0), float(score))
        right = max((best[source] for source in docs), default=0.0)
        above = sum(score >= right for source, score in best.items() if source not in docs)
        return _rank(scores, np.array(gold)), 1 + above if right else math.inf


def _words(text: str) -> list[str]:
    found = []
    for word in re.findall(
        r"[\u3040-\u30ff\u3400-\u9fff]+|[^\W_\u3040-\u30ff\u3400-\u9fff]+", text
    ):
        unspaced = len(word) > 1 and word[0] >= "\u3040"
        found += [word[i : i + 2] for i in range(len(word) - 1)] if unspaced else [word.lower()]
    return found


def fit(cases: Sequence[Case], kept: Sequence[int]) -> Floats:
    """Weights under which the gold passage of a question is the likeliest of its candidates.

    A conditional logit (McFadden 1974), by Newton's method; several gold passages share the
    likelihood. Questions across languages count as much, together, as those within one: the
    sets have few of them. The weights of signals that are not `kept` are 0.
    """
    fitted = [case for case in cases if case.gold.any()]
    kinds = Counter(case.cross for case in fitted)
    shares = [1 / (len(kinds) * kinds[case.cross]) for case in fitted]
    scale = np.std(np.concatenate([case.signals for case in fitted]), axis=0) + 1e-9
    weights = np.zeros(len(SIGNALS))
    for _ in range(200):
        slope, bend = SHRINKAGE * weights, SHRINKAGE * np.eye(len(weights))
        for case, share in zip(fitted, shares, strict=True):
            x = case.signals / scale
            p = _softmax(x @ weights)
            mean = p @ x
            slope -= share * (x[case.gold].mean(axis=0) - mean)
            bend += share * ((x * p[:, None]).T @ x - np.outer(mean, mean))
        step = np.zeros(len(weights))
        step[kept] = np.linalg.solve(bend[np.ix_(kept, kept)], slope[kept])
        # Far from the optimum a whole step would overshoot and never come back.
        weights -= step * min(1.0, 0.5 / max(np.abs(step).max(), 1e-12))
        if np.abs(step).max() < 1e-8:
            return weights / scale
    raise SystemExit("the fit of the weights did not converge")


def calibrate(cases: Sequence[Case], weights: Floats) -> float:
    """The intercept: how likely a passage of weighted sum 0 is, against that none answers.

    The likelihood is greatest where the chances of 'none' add up to the questions of which
    no candidate is gold, the unanswerable ones among them.
    """
    none = sum(not case.gold.any() for case in cases)
    totals = np.array([np.logaddexp.reduce(case.signals @ weights) for case in cases])
    low, high = -60.0, 20.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        given = (1 / (1 + np.exp(totals + middle))).sum()
        low, high = (middle, high) if given > none else (low, middle)
    return low


def line(cases: Sequence[Case], scores: Sequence[Floats]) -> Floats:
    """Slope and offset under which the log-odds of the first passages' scores are right.

    By logistic regression (Platt 1999) on whether each of them is gold.
    """
    firsts = [np.argsort(-each)[:SHOWN] for each in scores]
    odds = np.concatenate([log_odds(s[first]) for s, first in zip(scores, firsts, strict=True)])
    gold = np.concatenate([c.gold[first] for c, first in zip(cases, firsts, strict=True)])
    inputs = np.column_stack([odds, np.ones(len(odds))])
    fitted = np.array([1.0, 0.0])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-inputs @ fitted))
        bend = inputs.T @ (inputs * (chance * (1 - chance))[:, None])
        fitted += np.linalg.solve(bend, inputs.T @ (gold - chance))
    return fitted


def _softmax(x: Floats) -> Floats:
    e = np.exp(x - x.max())
    return e / e.sum()


def held_out(
    cases: Sequence[Case], kept: Sequence[int], ranked: Sequence[Case] | None = None
) -> list[Floats]:
    """The chances of each case's candidates by weights that were fitted without its group.

    With `ranked`, of those cases' candidates; the weights are fitted on `cases` all the same.
    """
    asked = cases if ranked is None else ranked
    groups = sorted({case.group for case in cases})
    order = np.random.default_rng(7).permutation(len(groups))
    fold = {group: int(place) % FOLDS for group, place in zip(groups, order, strict=True)}
    found: list[Floats] = [np.zeros(0)] * len(asked)
    for number in range(FOLDS):
        rest = [case for case in cases if fold[case.group] != number]
        weights = fit(rest, kept)
        intercept = calibrate(rest, weights)
        slope, offset = line(rest, [chances(each.signals @ weights + intercept) for each in rest])
        for place, case in enumerate(asked):
            if fold[case.group] == number:
                given = chances(case.signals @ weights + intercept)
                found[place] = calibrated(given, slope, offset)
    return found


def passage_ranks(cases: Sequence[Case], scores: Sequence[Floats]) -> Floats:
    """The rank of the best gold passage, from 1; infinite where it is no candidate.

    A passage that ties with it counts as above it, so that no constant score looks good.
    """
    return np.array([_rank(s, case.gold) for case, s in zip(cases, scores, strict=True)])


def _rank(scores: Floats, gold: NDArray[np.bool_]) -> float:
    return float(1 + (scores[~gold] >= scores[gold].max()).sum()) if gold.any() else math.inf


def document_ranks(cases: Sequence[Case], scores: Sequence[Floats]) -> Floats:
    """The rank of the first gold document, each document ranked by its best passage."""
    ranks = []
    for case, s in zip(cases, scores, strict=True):
        order = dict.fromkeys(case.sources[i] for i in np.argsort(-s, kind="stable"))
        places = [n for n, source in enumerate(order, start=1) if source in case.gold_docs]
        ranks.append(min(places, default=math.inf))
    return np.array(ranks, dtype=float)


def interval(values: Floats) -> str:
    """The mean and its 95 % interval by a bootstrap of 2,000 samples."""
    if not len(values):
        return "–"
    picks = np.random.default_rng(7).integers(0, len(values), (2000, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])
    return f"{values.mean():.3f} ({low:.2f}–{high:.2f})"


def table(cases: Sequence[Case], scores: Sequence[Floats], by: Callable[[Case], str]) -> list[str]:
    """A line of Markdown a slice: passage and document figures with intervals."""
    lines = [
        "| | n | passage @1 | passage @5 | document @5 | nDCG@10 |",
        "|---|---|---|---|---|---|",
    ]
    ranks, docs = passage_ranks(cases, scores), document_ranks(cases, scores)
    for name in dict.fromkeys(map(by, cases)):
        mask = np.array([by(case) == name for case in cases])
        gain = np.where(docs[mask] <= 10, 1 / np.log2(docs[mask] + 1), 0.0)
        cells = [(ranks[mask] <= 1), (ranks[mask] <= 5), (docs[mask] <= 5), gain]
        shown = " | ".join(interval(cell.astype(float)) for cell in cells)
        lines.append(f"| {name} | {mask.sum()} | {shown} |")
    return lines


def ablation(cases: Sequence[Case]) -> list[str]:
    """A line of Markdown a combination of signals: passage @1 / @5, documents' nDCG@10."""
    names = list(SIGNALS)
    every = list(range(len(names)))

    def ranked(scores: Sequence[Floats]) -> tuple[Floats, Floats]:
        return passage_ranks(cases, scores), document_ranks(cases, scores)

    rows = [
        ("BM25", (np.array([c.bm25[0] for c in cases]), np.array([c.bm25[1] for c in cases]))),
        ("passage alone", ranked([case.signals[:, 0] for case in cases])),
        ("all signals", ranked(held_out(cases, every))),
    ]
    rows += [
        (f"without {name}", ranked(held_out(cases, [i for i in every if i != at])))
        for at, name in enumerate(names)
    ]
    slices: dict[str, NDArray[np.bool_]] = {}
    for name in dict.fromkeys(case.set for case in cases):
        slices[name] = np.array([case.set == name for case in cases])
        across = slices[name] & np.array([case.cross for case in cases])
        if across.any():
            slices[f"{name}, across languages"] = across
    lines = ["| | " + " | ".join(slices) + " |", "|---" * (len(slices) + 1) + "|"]
    for label, (ranks, docs) in rows:
        gain = np.where(docs <= 10, 1 / np.log2(docs + 1), 0.0)
        cells = []
        for mask in slices.values():
            cells.append(
                f"{(ranks[mask] <= 1).mean():.3f} / {(ranks[mask] <= 5).mean():.3f}"
                f" / {gain[mask].mean():.3f}"
            )
        lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return lines


def reliability(cases: Sequence[Case], scores: Sequence[Floats], depth: int) -> list[str]:
    """How many of the first `depth` passages are gold, by the chance they were given."""
    firsts = [np.argsort(-each)[:depth] for each in scores]
    chance = np.concatenate([s[first] for s, first in zip(scores, firsts, strict=True)])
    right = np.concatenate([c.gold[first] for c, first in zip(cases, firsts, strict=True)])
    lines = ["| chance given | passages | mean chance | gold |", "|---|---|---|---|"]
    error = 0.0
    for low in np.arange(0, 1, 0.1):
        mask = (chance >= low) & (chance < low + 0.1)
        if mask.any():
            error += abs(chance[mask].mean() - right[mask].mean()) * mask.mean()
            lines.append(
                f"| {low:.1f} to {low + 0.1:.1f} | {mask.sum()} | {chance[mask].mean():.2f} "
                f"| {right[mask].mean():.2f} |"
            )
    brier = ((chance - right) ** 2).mean()
    lines.append(f"\nBrier score {brier:.3f}, expected calibration error {error:.3f}.")
    return lines


def report(cases: list[Case], beside: Mapping[str, list[Case]]) -> str:
    """All tables as Markdown.

    Args:
        cases: every set's questions over the set's own documents.
        beside: the first set's questions over more documents, by what they are.
    """
    every = list(range(len(SIGNALS)))
    asked = [case for case in cases if case.answerable]
    scores = held_out(cases, every)
    of_asked = [s for s, case in zip(scores, cases, strict=True) if case.answerable]
    crowded: list[str] = []
    for name, mixed in beside.items():
        answerable = [case for case in mixed if case.answerable]
        ranked = held_out(cases, every, answerable)
        moved = [replace(case, set=f"{case.set}, {name}") for case in answerable]
        crowded += table(moved, ranked, lambda case: case.set)[2:]

    def kind(case: Case) -> str:
        return f"{case.set}, {'across languages' if case.cross else 'one language'}"

    return "\n".join(
        [
            "# Retrieval",
            "",
            "By `python benchmarks/retrieval.py`; each question is ranked by weights fitted on",
            "other questions. 95 % intervals by bootstrap.",
            "",
            *table(asked, of_asked, lambda case: case.set),
            *table(asked, of_asked, kind)[2:],
            *table(asked, of_asked, lambda case: f"{case.set}, asked in {case.language}")[2:],
            "",
            "## Beside other documents",
            "",
            "| | n | passage @1 | passage @5 | document @5 | nDCG@10 |",
            "|---|---|---|---|---|---|",
            *crowded,
            "",
            "## What each signal is worth",
            "",
            "Passage @1 / passage @5 / nDCG@10 of documents.",
            "",
            *ablation(asked),
            "",
            "## Does the score mean what it says?",
            "",
            f"The first {SHOWN} passages of every question, the unanswerable ones included.",
            "",
            *reliability(cases, scores, SHOWN),
            "",
            "The first one alone:",
            "",
            *reliability(cases, scores, 1),
            "",
        ]
    )


def main() -> None:
    """Measure, show, and maybe write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="NAME=TESTSET:DOCUMENTS")
    parser.add_argument("--stores", type=Path, help="where to keep the indexes")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    embedder = make_embedder("auto", threads=2, ollama_host=None, ollama_timeout=60)
    beside: dict[str, list[Case]] = {}
    with tempfile.TemporaryDirectory() as passing, ExitStack() as stack:
        stores = options.stores or Path(passing)
        sets = [opened(each, stores, embedder) for each in options.sets]
        for each in sets:
            stack.enter_context(each.index)
        cases = [
            case for each in sets for case in each.cases(each.index.store, Bm25(each.index.store))
        ]
        for count in range(2, len(sets) + 1):
            names = " and ".join(each.name for each in sets[1:count])
            joined = Joined([each.index.store for each in sets[:count]])
            beside[f"beside {names}"] = sets[0].cases(joined)
    text = report(cases, beside)
    print(text)
    weights = fit(cases, list(range(len(SIGNALS))))
    intercept = calibrate(cases, weights)
    calibration = line(cases, [chances(case.signals @ weights + intercept) for case in cases])
    counts = Counter(case.set for case in cases)
    record = {
        "weights": dict(zip(SIGNALS, weights.round(3).tolist(), strict=True)),
        "intercept": round(intercept, 3),
        "calibration": calibration.round(3).tolist(),
        "fitted_on": ", ".join(f"{n} questions of {name}" for name, n in counts.items()),
    }
    print(json.dumps(record, indent=2))
    if options.write:
        (resource("prompts") / "ranking.json").write_text(json.dumps(record, indent=2) + "\n")
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
