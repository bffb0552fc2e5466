"""Fit the refusal gate, and show what it keeps and refuses at each strictness.

    python benchmarks/fit_gate.py TESTSET.jsonl DOCUMENTS [TESTSET.jsonl DOCUMENTS …] [--write]

Has the model judge the nearest sentences of every question (writing no answers), then fits
the chance that the documents answer to the best sentence's log-odds and its nearness, by
logistic regression with a small ridge. The figures shown are by five-fold cross-validation:
each question is judged by weights that were fitted without it, or the others of its fold.
`--write` stores weights and thresholds in `prompts/gate.json`, with what they were fitted on.
"""

import argparse
import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import qa_bot
from qa_bot.answering import pipeline, steps
from qa_bot.settings import resource

Array = NDArray[np.float64]
FOLDS = 5
RIDGE = 0.1
OVER_REFUSAL = {"low": 0.04, "normal": 0.08, "high": 0.16}
"""Share of answerable questions that a strictness may refuse."""


def measure(testset: Path, documents: Path) -> list[tuple[bool, float, float]]:
    """Whether each question is answerable; its best sentence's log-odds and nearness."""
    found: list[tuple[bool, float, float]] = []
    best: list[pipeline.Evidence] = []

    def keep(judged: list[pipeline.Evidence]) -> tuple[pipeline.Evidence, ...]:
        best.append(max(judged, key=lambda item: item.support))
        return (best[0],)

    pipeline.stating = keep
    stored = steps.load_gate
    nothing = replace(stored("normal"), least=math.inf)
    steps.load_gate = lambda strictness: nothing
    with tempfile.TemporaryDirectory() as store:
        bot = qa_bot.open(documents, store=store, llm="embedded")
        for line in testset.read_text("utf-8").splitlines():
            row = json.loads(line)
            best.clear()
            answer = bot.ask(row["question"], row.get("history", ()))
            if best:  # else nothing was found that could be judged
                found.append((row.get("answerable", True), best[0].support, best[0].nearness))
                print(row["id"], found[-1], f"{answer.seconds:.1f} s", flush=True)
        bot.close()
    steps.load_gate = stored
    return found


def fit(features: Array, answerable: Array) -> Array:
    """Weights of log-odds and nearness and the bias, by Newton's method."""
    mean, spread = features.mean(0), features.std(0)
    inputs = np.column_stack([(features - mean) / spread, np.ones(len(features))])
    weights = np.zeros(3)
    for _ in range(50):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        curve = inputs.T @ (inputs * (chance * (1 - chance))[:, None]) + RIDGE * np.eye(3)
        weights += np.linalg.solve(curve, inputs.T @ (answerable - chance) - RIDGE * weights)
    scaled = weights[:2] / spread
    return np.array([*scaled, weights[2] - scaled @ mean])


def chances(features: Array, weights: Array) -> Array:
    """The chance that the documents answer, one a question."""
    return 1 / (1 + np.exp(-(features @ weights[:2] + weights[2])))


def cross_validated(features: Array, answerable: Array) -> Array:
    """The chance of each question, by weights that were fitted without it."""
    fold = np.random.default_rng(0).permutation(len(features)) % FOLDS
    result = np.empty(len(features))
    for number in range(FOLDS):
        out = fold == number
        result[out] = chances(features[out], fit(features[~out], answerable[~out]))
    return result


def main() -> None:
    """Measure, show, and maybe write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="TESTSET DOCUMENTS", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    pairs = list(zip(options.sets[::2], options.sets[1::2], strict=True))
    rows = np.array([row for pair in pairs for row in measure(*pair)], dtype=float)
    answerable, features = rows[:, 0], rows[:, 1:]
    unseen = cross_validated(features, answerable)
    strictness = {}
    for name, share in OVER_REFUSAL.items():
        least = float(np.quantile(unseen[answerable == 1], share))
        strictness[name] = {
            "least": round(least, 3),
            "over_refusal": round(float((unseen[answerable == 1] < least).mean()), 3),
            "refusal_rate": round(float((unseen[answerable == 0] < least).mean()), 3),
        }
    support, nearness, bias = fit(features, answerable)
    record = {
        "sure": steps.load_gate("normal").sure,
        "support": round(float(support), 3),
        "nearness": round(float(nearness), 3),
        "bias": round(float(bias), 3),
        "strictness": strictness,
        "fitted_on": f"{', '.join(pair[0].name for pair in pairs)}: {int(answerable.sum())} "
        f"answerable and {int((1 - answerable).sum())} unanswerable questions; rates by "
        f"{FOLDS}-fold cross-validation",
    }
    print(json.dumps(record, indent=2))
    if options.write:
        (resource("prompts") / "gate.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
