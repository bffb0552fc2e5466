"""Rows of `results.jsonl` to the figures of `run.json`."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from qa_bot.evals.metrics import MEANS, METRICS, PERCENTILES, RATES, within_one
from qa_bot.evals.statistics import (
    FEW_RESAMPLES,
    RESAMPLES,
    Estimate,
    mean_estimate,
    percentile_estimate,
    rate_estimate,
)
from qa_bot.evals.testset import MAX_SLICES, slices_of

Row = Mapping[str, Any]
DEPTH = 20
"""The curves' greatest k."""


def summarise(rows: Sequence[Row]) -> dict[str, Any]:
    """`counts`, `metrics`, `macro`, `slices`, `curves` and `attribution` of a run.

    The order of the rows changes nothing. A metric that applies to no row has n = 0 and
    no value; an errored row counts in `counts` alone.
    """
    slices = _slices(rows)
    by_language = slices.get("lang", {})
    return {
        "counts": _counts(rows),
        "metrics": _metrics(rows, RESAMPLES),
        "macro": {name: _macro(name, by_language) for name in MEANS},
        "slices": slices,
        "curves": {
            "hit": _curve(rows, "hit@5", "document"),
            "passage_hit": _curve(rows, "passage_hit@5", "passage"),
        },
        "attribution": _tally(row.get("attribution") for row in rows),
        "steps": _step_costs([row["steps"] for row in rows if row.get("steps")]),
    }


def cluster_of(row: Row) -> Hashable:
    """What a question shares with others: its `parallel` id, or else its gold documents."""
    if parallel := row.get("parallel"):
        return ("parallel", str(parallel))
    documents = (row.get("expected") or {}).get("gold_docs")
    return ("documents", *sorted(documents)) if documents else ("question", str(row["id"]))


def values_of(rows: Iterable[Row], score: str) -> tuple[list[float], list[Hashable]]:
    """A score's values where it applies, and the cluster of each."""
    held = [(row, (row.get("scores") or {}).get(score)) for row in rows]
    known = [(float(value), cluster_of(row)) for row, value in held if value is not None]
    return [value for value, _ in known], [cluster for _, cluster in known]


def _metrics(rows: Sequence[Row], resamples: int) -> dict[str, Any]:
    return {name: asdict(_estimate(rows, name, resamples)) for name in METRICS}


def _estimate(rows: Sequence[Row], metric: str, resamples: int) -> Estimate:
    if metric in PERCENTILES:
        score, share = PERCENTILES[metric]
        return percentile_estimate(values_of(rows, score)[0], share)
    values, clusters = values_of(rows, metric)
    if metric in RATES:
        return rate_estimate(values, clusters)
    return mean_estimate(values, clusters, bounded=within_one(metric), resamples=resamples)


def _slices(rows: Sequence[Row]) -> dict[str, dict[str, Any]]:
    members: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        for name, value in slices_of(row).items():
            members.setdefault(name, {}).setdefault(value, []).append(row)
    return {
        name: {value: _metrics(held, FEW_RESAMPLES) for value, held in sorted(values.items())}
        for name, values in sorted(members.items())
        if len(values) <= MAX_SLICES
    }


def _macro(name: str, by_language: Mapping[str, Any]) -> float | None:
    values = [metrics[name]["value"] for metrics in by_language.values()]
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _curve(rows: Sequence[Row], score: str, rank: str) -> list[dict[str, Any]]:
    """The share of questions with a hit among the first k, for the rows that have `score`."""
    held = [row for row in rows if (row.get("scores") or {}).get(score) is not None]
    ranks = [(row.get("ranks") or {}).get(rank) for row in held]
    clusters = [cluster_of(row) for row in held]
    points = []
    for k in range(1, DEPTH + 1 if held else 1):
        found = rate_estimate([float(at is not None and at <= k) for at in ranks], clusters)
        points.append({"k": k, "value": found.value, "low": found.low, "high": found.high})
    return points


def _step_costs(answers: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, float]]:
    """What each step of answering took: seconds a question, and the questions that had it."""
    costs: dict[str, dict[str, float]] = {}
    for steps in answers:
        seen: set[str] = set()
        for step in steps:
            cost = costs.setdefault(step["name"], {"seconds": 0.0, "questions": 0})
            cost["seconds"] += step["seconds"] / len(answers)
            cost["questions"] += step["name"] not in seen
            seen.add(step["name"])
    return {name: {**cost, "seconds": round(cost["seconds"], 3)} for name, cost in costs.items()}


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    states = [_state(row) for row in rows]
    return {"total": len(rows)} | {
        state: states.count(state) for state in ("answered", "refused", "error")
    }


def _state(row: Row) -> str | None:
    return "error" if row.get("error") else row.get("status")


def _tally(names: Iterable[str | None]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in names:
        if name is not None:
            found[name] = found.get(name, 0) + 1
    return dict(sorted(found.items()))
