"""Fit the refusal gate to runs of `qa-bot eval`, and show what each strictness refuses.

    python benchmarks/fit_gate.py RUN … [--write]

Takes from each run's results what the model judged: of every question's best sentence the
log-odds and the nearness. The chance that the documents answer is fitted to both by logistic
regression with a small ridge. The figures shown are by five-fold cross-validation: each
question is judged by weights that were fitted without its fold. `--write` stores weights and
thresholds in `prompts/gate.json`, with what they were fitted on.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa_bot.prompts import load_data
from qa_bot.settings import resource

Array = NDArray[np.float64]
FOLDS = 5
RIDGE = 0.1
OVER_REFUSAL = {"low": 0.04, "normal": 0.08, "high": 0.28}
"""Share of answerable questions that a strictness may refuse."""


def judged(run: Path) -> list[tuple[bool, float, float]]:
    """Whether each question is answerable; its best sentence's log-odds and nearness.

    A question that had nothing to judge, for its year or an empty search, is left out: it is
    refused whatever the gate.
    """
    found = []
    for line in (run / "results.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        gates = [step for step in row["steps"] if step["name"] == "gate"]
        if gates:
            best = max(gates, key=lambda step: step["chance"])
            found.append((row["expected"]["answerable"], best["support"], best["nearness"]))
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
    parser.add_argument("runs", nargs="+", metavar="RUN", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = np.array([row for run in options.runs for row in judged(run)], dtype=float)
    names = [json.loads((run / "run.json").read_text())["test_set"]["name"] for run in options.runs]
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
    before = load_data("gate")
    for name, known in before["strictness"].items():
        strictness[name] = known | strictness[name]
    record = before | {
        "support": round(float(support), 3),
        "nearness": round(float(nearness), 3),
        "bias": round(float(bias), 3),
        "strictness": strictness,
        "fitted_on": f"{', '.join(names)}: {int(answerable.sum())} "
        f"answerable and {int((1 - answerable).sum())} unanswerable questions; rates by "
        f"{FOLDS}-fold cross-validation",
    }
    print(json.dumps(record, indent=2))
    if options.write:
        (resource("prompts") / "gate.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
