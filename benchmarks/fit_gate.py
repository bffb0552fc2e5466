"""Fit the refusal gate, and show what it keeps and refuses.

    python benchmarks/fit_gate.py TESTSET.jsonl [--documents DIR] [--write]

Asks both looks of every question of a test set (writing no answers), then picks the gate
that keeps most answerable questions while it refuses at least 80 % of the unanswerable
ones, a second look costing as much as 0.02 of a wrong refusal. `--write` stores it in
`prompts/gate.json`, with what it was fitted on.
"""

import argparse
import itertools
import json
import math
import tempfile
from pathlib import Path

import qa_bot
from qa_bot.answering import pipeline, steps
from qa_bot.answering.steps import Gate
from qa_bot.models.seam import AnsweringModel
from qa_bot.settings import resource
from qa_bot.types import Message, Usage

LOOK_COST = 0.02
LEAST_REFUSED = 0.8
Row = tuple[bool, float, float]
"""Whether the question is answerable, and the log-odds of both looks."""


class Recorder:
    """The model, with the log-odds it gave since the last question."""

    def __init__(self, model: AnsweringModel) -> None:
        self._model = model
        self.odds: list[float] = []

    def __getattr__(self, name: str):  # noqa: ANN204 - whatever the model has
        return getattr(self._model, name)

    def probability_of_yes(self, messages: list[Message]) -> tuple[float, Usage]:
        """The model's own, kept."""
        probability, usage = self._model.probability_of_yes(messages)
        self.odds.append(steps.log_odds(probability))
        return probability, usage


def measure(testset: Path, documents: Path) -> list[Row]:
    """Both looks of every question; the second is hopeless where nothing was chosen."""
    pipeline.steps.load_gate = lambda: Gate(math.inf, -math.inf, math.inf)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as store:
        bot = qa_bot.open(documents, store=store, llm="embedded")
        recorder = bot.model = Recorder(bot.model)
        for line in testset.read_text("utf-8").splitlines():
            question = json.loads(line)
            recorder.odds = []
            answer = bot.ask(question["question"])
            first, second = (*recorder.odds, -math.inf)[:2]
            rows.append((question.get("answerable", True), first, second))
            print(question["id"], rows[-1], f"{answer.seconds:.1f} s", flush=True)
        bot.close()
    return rows


def answers(gate: Gate, row: Row) -> bool:
    """What the pipeline decides; see `Pipeline._ground`."""
    _, first, second = row
    return first >= gate.sure or (first >= gate.hopeless and first + second >= gate.threshold)


def cost(gate: Gate, rows: list[Row]) -> float:
    """The share of wrong refusals, and a little for every second look; infinite if too lax."""
    kept = [answers(gate, row) for row in rows if row[0]]
    refused = [not answers(gate, row) for row in rows if not row[0]]
    looks = sum(gate.hopeless <= first < gate.sure for _, first, _ in rows) / len(rows)
    if sum(refused) < LEAST_REFUSED * len(refused):
        return math.inf
    return 1 - sum(kept) / len(kept) + LOOK_COST * looks


def fit(rows: list[Row]) -> Gate:
    """The cheapest gate on a grid."""
    grid = itertools.product(
        [n / 20 for n in range(0, 61, 3)],
        [n / 20 for n in range(-60, 11, 5)],
        [n / 20 for n in range(-20, 81)],
    )
    return min((Gate(*point) for point in grid), key=lambda gate: cost(gate, rows))


def main() -> None:
    """Measure, show, and maybe write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("testset", type=Path)
    parser.add_argument("--documents", type=Path, default=resource("seeds"))
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    rows = measure(options.testset, options.documents)
    gate = fit(rows)
    kept = [answers(gate, row) for row in rows if row[0]]
    refused = [not answers(gate, row) for row in rows if not row[0]]
    result = (
        f"{options.testset.name}: kept {sum(kept)} of {len(kept)} answerable questions, "
        f"refused {sum(refused)} of {len(refused)} unanswerable ones"
    )
    print(gate, result)
    if options.write:
        record = {
            "sure": gate.sure,
            "hopeless": gate.hopeless,
            "threshold": gate.threshold,
            "fitted_on": result,
        }
        (resource("prompts") / "gate.json").write_text(json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    main()
