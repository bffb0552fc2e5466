"""Two runs over the same questions: what changed, how surely, and for which questions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from wcwidth import ljust, wrap

from qa_bot.errors import UsageError
from qa_bot.evals.metrics import LOWER_IS_BETTER, MEANS, METRICS, PERCENTILES, RATES, within_one
from qa_bot.evals.statistics import (
    Difference,
    holm,
    mean_difference,
    percentile_difference,
    rate_difference,
)
from qa_bot.evals.summary import Row, cluster_of

_SIGNIFICANT = 0.05
_SHOWN_IDS = 3


@dataclass(frozen=True, slots=True)
class Change:
    """One question in both runs."""

    id: str
    a: Row
    b: Row


@dataclass(frozen=True, slots=True)
class Comparison:
    """What run b changed against run a."""

    run_a: str
    run_b: str
    questions: int
    configuration: Mapping[str, tuple[Any, Any]]
    """The settings that differ: each with its value in a and in b, None where it has none."""
    metrics: Mapping[str, Difference]
    """Over the questions to which the metric applies in both runs."""
    corrected: Mapping[str, float]
    """Each metric's p after Holm's correction for the number of metrics."""
    fixed: tuple[Change, ...]
    """Wrong in a, right in b."""
    broken: tuple[Change, ...]
    """Right in a, wrong in b."""
    errors: tuple[str, ...]
    """Questions that failed in either run, so that they are neither fixed nor broken."""


def compare(run_a: Path, run_b: Path) -> Comparison:
    """Compare two run folders, pairing their questions.

    Raises:
        UsageError: a folder is no finished run, or the runs are over different questions.
    """
    about_a, rows_a = _read_run(run_a)
    about_b, rows_b = _read_run(run_b)
    _refuse_other_questions(run_a, about_a, rows_a, run_b, about_b, rows_b)
    pairs = [Change(name, row, rows_b[name]) for name, row in rows_a.items()]
    metrics = _differences(pairs)
    corrected = holm([change.p for change in metrics.values()])
    judged = [(pair, _went_well(pair)) for pair in pairs]
    return Comparison(
        run_a=str(run_a),
        run_b=str(run_b),
        questions=len(pairs),
        configuration=_configuration(about_a, about_b),
        metrics=metrics,
        corrected=dict(zip(metrics, corrected, strict=True)),
        fixed=tuple(pair for pair, well in judged if well == (False, True)),
        broken=tuple(pair for pair, well in judged if well == (True, False)),
        errors=tuple(pair.id for pair in pairs if _failed(pair.a) or _failed(pair.b)),
    )


def comparison_record(comparison: Comparison) -> dict[str, Any]:
    """The result of `qa-bot compare --json`."""
    return {
        "fixed": [change.id for change in comparison.fixed],
        "broken": [change.id for change in comparison.broken],
        "errors": list(comparison.errors),
        "configuration": {
            name: {"a": a, "b": b} for name, (a, b) in comparison.configuration.items()
        },
        "metrics": {
            name: {
                "a": change.a,
                "b": change.b,
                "difference": change.difference,
                "low": change.low,
                "high": change.high,
                "p": change.p,
                "p_holm": comparison.corrected[name],
                "n": change.n,
            }
            for name, change in comparison.metrics.items()
        },
    }


def _read_run(folder: Path) -> tuple[dict[str, Any], dict[str, Row]]:
    try:
        about = json.loads((folder / "run.json").read_text("utf-8"))
        lines = (folder / "results.jsonl").read_text("utf-8").split("\n")
        rows = [json.loads(line) for line in lines if line.strip()]
        if not isinstance(about, dict):
            raise TypeError("run.json is no JSON object")
        return about, {str(row["id"]): row for row in rows}
    except OSError as error:
        raise UsageError(
            f"{folder} is not a finished run: no {Path(str(error.filename)).name} can be read "
            f"there; make one with `qa-bot eval TESTSET -o {folder}`"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{folder} holds no run that can be read ({error}); make it again with `qa-bot eval`"
        ) from error


def _refuse_other_questions(
    run_a: Path, about_a: Row, rows_a: Mapping[str, Row],
    run_b: Path, about_b: Row, rows_b: Mapping[str, Row],
) -> None:  # fmt: skip
    set_a, set_b = about_a.get("test_set") or {}, about_b.get("test_set") or {}
    if set_a.get("sha256") != set_b.get("sha256"):
        raise UsageError(
            f"the runs are over different test sets: {run_a} over {_named(set_a)}, "
            f"{run_b} over {_named(set_b)}; run both over the same file"
        )
    if only := sorted(rows_a.keys() ^ rows_b.keys()):
        shown = ", ".join(only[:_SHOWN_IDS]) + (", …" if len(only) > _SHOWN_IDS else "")
        raise UsageError(
            f"the runs are over different questions of {_named(set_a)}: {run_a} has {len(rows_a)} "
            f"and {run_b} {len(rows_b)}, of which {len(only)} are in one only ({shown}); "
            "run both with the same --split and --limit"
        )


def _named(test_set: Row) -> str:
    return f"{test_set.get('name', 'a test set')} (sha256 {test_set.get('sha256')})"


def _configuration(about_a: Row, about_b: Row) -> dict[str, tuple[Any, Any]]:
    a, b = about_a.get("configuration") or {}, about_b.get("configuration") or {}
    names = dict.fromkeys((*a, *b))
    return {name: (a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)}


def _differences(pairs: Sequence[Change]) -> dict[str, Difference]:
    found = {name: _difference(pairs, name) for name in METRICS}
    return {name: change for name, change in found.items() if change}


def _difference(pairs: Sequence[Change], metric: str) -> Difference | None:
    score, share = PERCENTILES.get(metric, (metric, 0.0))
    both = [
        (float(a), float(b), cluster_of(pair.a))
        for pair in pairs
        if (a := _score(pair.a, score)) is not None and (b := _score(pair.b, score)) is not None
    ]
    if not both:
        return None
    first, second, clusters = (list(column) for column in zip(*both, strict=True))
    if metric in PERCENTILES:
        return percentile_difference(first, second, share)
    test = rate_difference if metric in RATES else mean_difference
    return test(first, second, clusters)


def _score(row: Row, name: str) -> float | None:
    value: float | None = (row.get("scores") or {}).get(name)
    return value


def _went_well(pair: Change) -> tuple[bool | None, bool | None]:
    """Whether the question went well in a and in b; None where nothing tells."""
    names = ("answer_match", "refusal_rate")
    if not ("status" in pair.a and "status" in pair.b):
        names = ("passage_hit@5", "hit@5")
    return _is_right(pair.a, names), _is_right(pair.b, names)


def _is_right(row: Row, names: Sequence[str]) -> bool | None:
    told = (score for name in names if (score := _score(row, name)) is not None)
    value = next(told, None)
    return None if value is None else value == 1


def _failed(row: Row) -> bool:
    return bool(row.get("error")) or row.get("status") == "error"


def render(comparison: Comparison, width: int = 100) -> str:
    """The comparison as plain text, at most `width` columns wide, answers side by side."""
    return "\n".join(_lines(comparison, max(60, width)))


def _lines(comparison: Comparison, width: int) -> Iterator[str]:
    yield f"a: {comparison.run_a}"
    yield f"b: {comparison.run_b}"
    yield f"{comparison.questions} questions in both"
    if comparison.errors:
        yield f"{len(comparison.errors)} failed in either: {', '.join(comparison.errors)}"
    yield ""
    yield from _configuration_lines(comparison, width)
    yield ""
    yield from _metric_lines(comparison)
    for title, changes in (("Fixed", comparison.fixed), ("Broken", comparison.broken)):
        yield ""
        yield f"{title}: {len(changes)}"
        for change in changes:
            yield from _side_by_side(change, width)


def _configuration_lines(comparison: Comparison, width: int) -> Iterator[str]:
    if not comparison.configuration:
        yield "The configurations are the same."
        return
    yield "What differs in configuration:"
    for name, (a, b) in comparison.configuration.items():
        yield from wrap(f"  {name}: {a} → {b}", width)


def _metric_lines(comparison: Comparison) -> Iterator[str]:
    yield (
        f"{'metric':<19}{'a':>9}{'b':>9}{'b - a':>9}{'95 % interval':>20}"
        f"{'p':>8}{'n':>6}"
    )  # fmt: skip
    for name in (*MEANS, *PERCENTILES):
        if (change := comparison.metrics.get(name)) is None:
            continue
        digits = 3 if within_one(name) else 2
        interval = f"{change.low:+.{digits}f} to {change.high:+.{digits}f}"
        yield (
            f"{name:<19}{change.a:>9.{digits}f}{change.b:>9.{digits}f}"
            f"{change.difference:>+9.{digits}f}{interval:>20}{_written_p(change.p):>8}{change.n:>6}"
            f"{'  ' + told if (told := verdict(comparison, name)) else ''}"
        )
    yield "better, worse: p below 0.05 after Holm's correction for the number of metrics"


def _written_p(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def verdict(comparison: Comparison, name: str) -> str:
    """Whether run b is `better` or `worse` by a metric; empty where chance may explain it."""
    change = comparison.metrics[name]
    if comparison.corrected[name] >= _SIGNIFICANT or not change.difference:
        return ""
    return "better" if (change.difference < 0) == (name in LOWER_IS_BETTER) else "worse"


def _side_by_side(change: Change, width: int) -> Iterator[str]:
    column = (width - 3) // 2
    yield ""
    yield from wrap(f"[{change.id}] {change.a.get('question', '')}", width)
    left, right = (wrap(said(row), column) for row in (change.a, change.b))
    for a, b in zip_longest(left, right, fillvalue=""):
        yield f"{ljust(a, column)} | {b}".rstrip()


def said(row: Row) -> str:
    """What a run answered to a question, or without a model what it found, on one line."""
    if "status" not in row:
        ranks = row.get("ranks") or {}
        document, passage = (ranks.get(name) or "none" for name in ("document", "passage"))
        return f"first gold document at {document}, passage at {passage}"
    answer = str(row.get("answer") or "")
    return answer if row["status"] == "answered" else f"({row['status']}) {answer}"
