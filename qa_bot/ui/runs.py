"""Evaluation runs for the page: over the same code as `qa-bot eval` and `qa-bot compare`.

Runs are the folders directly below one folder that hold a `run.json`. A run is named by its
folder's name, which is looked up among those that are there: a name is never made a path.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from qa_bot.errors import UsageError
from qa_bot.evals.compare import Change, compare, said, verdict
from qa_bot.evals.evidence import gold, pieces
from qa_bot.evals.report import expected_answers, read_run
from qa_bot.evals.wording import OUTCOMES, measured, metrics_of

MOST_SHOWN = 200
"""Failures, or changed questions, that are shown; the report has all."""
_HEAD = ("answer_match", "citation_precision", "refusal_rate", "over_refusal", "passage_hit@5",
         "p50_seconds")  # fmt: skip
"""What the list of runs shows."""


class Runs:
    """The runs below a folder, which may not exist."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def listed(self) -> list[dict[str, Any]]:
        """Every run with its main figures, the latest first."""
        found = [_summary(folder) for folder in self._folders().values()]
        known = [run for run in found if run]
        return sorted(known, key=lambda run: (str(run["started"]), run["name"]), reverse=True)

    def report(self, name: str) -> str:
        """The run's report: one HTML file, whose texts the report's maker escaped.

        Raises:
            UsageError: there is no such run, or it has no report.
        """
        try:
            return (self._named(name) / "report.html").read_text("utf-8")
        except OSError as exc:
            raise UsageError(f"{name} has no report; finish it with `qa-bot eval`") from exc

    def shown(self, name: str) -> dict[str, Any]:
        """A run's figures, and its failures with their evidence.

        Raises:
            UsageError: there is no such run.
        """
        run, rows = read_run(self._named(name))
        outcomes = {outcome.name: outcome for outcome in OUTCOMES}
        failed = {outcome.name for outcome in OUTCOMES if outcome.wrong} | {"error"}
        wrong = [row for row in rows if row["attribution"] in failed]
        metrics = metrics_of([name for name in run["metrics"] if measured(run, name)])
        return {
            "name": name,
            "configuration": run["configuration"],
            "metrics": [
                {"label": metric.label, "meaning": metric.meaning, **run["metrics"][metric.name]}
                for metric in metrics
            ],
            "questions": len(rows),
            "failures": [_failure(row, outcomes[row["attribution"]].label)
                         for row in wrong[:MOST_SHOWN]],
            "more": max(0, len(wrong) - MOST_SHOWN),
        }  # fmt: skip

    def compared(self, a: str, b: str) -> dict[str, Any]:
        """What run b changed against run a.

        Raises:
            UsageError: there is no such run, or they are over different questions.
        """
        found = compare(self._named(a), self._named(b))
        metrics = metrics_of(list(found.metrics))
        return {
            "a": a,
            "b": b,
            "questions": found.questions,
            "configuration": [
                {"name": name, "a": str(before), "b": str(after)}
                for name, (before, after) in found.configuration.items()
            ],
            "metrics": [
                {
                    "label": metric.label,
                    "verdict": verdict(found, metric.name),
                    **asdict(found.metrics[metric.name]),
                }
                for metric in metrics
            ],
            "fixed": [_change(change) for change in found.fixed[:MOST_SHOWN]],
            "broken": [_change(change) for change in found.broken[:MOST_SHOWN]],
            "counts": {"fixed": len(found.fixed), "broken": len(found.broken)},
        }

    def _folders(self) -> dict[str, Path]:
        if not self.folder.is_dir():
            return {}
        return {path.parent.name: path.parent for path in self.folder.glob("*/run.json")}

    def _named(self, name: str) -> Path:
        folders = self._folders()
        if name not in folders:
            raise UsageError(f"there is no run {name!r} in {self.folder}")
        return folders[name]


def _summary(folder: Path) -> dict[str, Any] | None:
    """The head of a run; None where the file is no run's."""
    try:
        run = json.loads((folder / "run.json").read_text("utf-8"))
        metrics = metrics_of([name for name in _HEAD if measured(run, name)])
        return {
            "name": folder.name,
            "started": run["started"],
            "test_set": run["test_set"]["name"],
            "questions": run["test_set"]["questions"],
            "model": run["configuration"].get("model"),
            "metrics": [
                {"label": metric.label, "value": run["metrics"][metric.name]["value"],
                 "share": metric.is_share}
                for metric in metrics
            ],
        }  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _failure(row: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    golds = gold(row)
    texts = [item.text for item in golds if item.text]
    passages = [
        {
            "source": passage["source"],
            "pieces": [asdict(p) for p in pieces(passage, row["citations"] or (), texts)],
        }
        for passage in islice(row["passages"] or (), 3)
    ]
    return {
        "id": row["id"],
        "question": row["question"],
        "language": row["language"] or "",
        "outcome": outcome,
        "expected": expected_answers(row["expected"]),
        "answer": row["error"] or row["answer"] or "",
        "golds": [asdict(item) for item in golds],
        "passages": passages,
    }


def _change(change: Change) -> dict[str, str]:
    question = str(change.a.get("question", ""))
    return {"id": change.id, "question": question, "a": said(change.a), "b": said(change.b)}
