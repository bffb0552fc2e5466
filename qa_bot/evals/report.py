"""A run folder's reports: report.html, report.md and results.csv, from run.json and results.jsonl.

Text from documents, questions and models becomes HTML or Markdown only through the
environments below, which escape every value that a template writes.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from qa_bot.errors import UsageError
from qa_bot.evals import charts, evidence
from qa_bot.evals.wording import (
    METRICS,
    OUTCOMES,
    Metric,
    Outcome,
    interval,
    measured,
    metrics_of,
    number,
)
from qa_bot.exports import cell
from qa_bot.text import printable

Row = Mapping[str, Any]
Figures = Mapping[str, Mapping[str, Any]]

_FACTS = ("model", "embedder", "documents", "version")
"""What the head of a report names of the configuration; the rest stands at its end."""
_FIRST_SLICES = ("lang", "relation", "type", "split")
_MARKDOWN = re.compile(r"([\\`*_\[\]<>&|#~$])")
_ROW = dict.fromkeys(
    ("lang", "type", "split", "status", "language", "answer", "citations", "passages",
     "retrieved", "ranks", "confidence", "seconds", "error")
)  # fmt: skip
"""What a row may lack: rows of a retrieval-only run hold no answers."""
_NOTHING: Mapping[str, Any] = {"value": None, "low": None, "high": None, "n": 0}


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The figures by one field of the test set."""

    field: str
    columns: Sequence[Metric]
    rows: Mapping[str, Figures]
    macro: Mapping[str, float]
    """Means over the rows; given for languages only."""


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How many questions ended in one outcome, and, where it is a failure, which."""

    outcome: Outcome
    count: int
    bar: Markup
    rows: Sequence[Row]


def write_reports(folder: Path) -> None:
    """Writes report.html, report.md and results.csv into the folder of a finished run.

    Raises:
        UsageError: the folder holds no finished run.
    """
    run, rows = read_run(folder)
    about = _context(run, rows)
    for name, environment in (("report.html", _html()), ("report.md", _markdown())):
        # A lone surrogate, which JSON can carry, has no UTF-8 form.
        page = environment.get_template(name).render(about).encode("utf-8", "replace")
        (folder / name).write_bytes(page)
    with (folder / "results.csv").open(
        "w", encoding="utf-8-sig", errors="replace", newline=""
    ) as file:
        csv.writer(file).writerows(_table(rows))


def read_run(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What `run.json` holds, and the rows of `results.jsonl`.

    Raises:
        UsageError: the folder holds no finished run.
    """
    try:
        run = json.loads((folder / "run.json").read_text("utf-8"))
        with (folder / "results.jsonl").open(encoding="utf-8") as lines:
            return run, [_ROW | json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{folder} is not the folder of a finished run ({error}); "
            "finish it with `qa-bot eval TESTSET -o RUN --resume`"
        ) from error


@cache
def _html() -> Environment:
    """Escapes every value but `Markup`, which only this package's charts and style are."""
    made = _environment(autoescape=True)
    style = PackageLoader("qa_bot", "evals").get_source(made, "report.css")[0]
    made.globals["style"] = Markup(style)  # noqa: S704 — a file of this package
    return made


@cache
def _markdown() -> Environment:
    return _environment(autoescape=False, finalize=_plain_in_markdown)


def _environment(**options: Any) -> Environment:
    made = Environment(  # noqa: S701 — each caller says how values are escaped
        loader=PackageLoader("qa_bot", "evals"), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, **options,
    )  # fmt: skip
    made.filters |= {"number": number, "expected": expected_answers,
                     "gold": evidence.gold, "pieces": evidence.pieces}  # fmt: skip
    made.globals |= {"interval": interval, "whisker": charts.whisker, "nothing": _NOTHING}
    return made


def _plain_in_markdown(value: object) -> str:
    """`value` on one line, with what Markdown or HTML would read as markup made plain."""
    return _MARKDOWN.sub(r"\\\1", printable(" ".join(str(value).split())))


def _context(run: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """What both templates show."""
    metrics: Figures = run["metrics"]
    shown = metrics_of([name for name in metrics if measured(run, name)])
    answerable = sum(bool(row["expected"]["answerable"]) for row in rows)
    drawn = [
        charts.retrieval_curve(run.get("curves", {}), metrics.get("hit@5", _NOTHING)["n"]),
        None if run["retrieval_only"] else charts.refusal_curve(rows),
        charts.confidence_reliability(rows),
        charts.score_reliability(rows),
        charts.latency(rows, metrics),
    ]
    outcomes = _outcomes(run["attribution"], rows)
    return {
        "run": run,
        "date": str(run["started"])[:16].replace("T", " "),
        "answerable": answerable,
        "unanswerable": len(rows) - answerable,
        "facts": {name: run["configuration"][name] for name in _FACTS
                  if name in run["configuration"]},
        "metrics": shown,
        "slices": list(_slices(run, shown)),
        "charts": [chart for chart in drawn if chart],
        "outcomes": outcomes,
        "bar": charts.segments([(row.outcome.name, row.count) for row in outcomes]),
        "errors": [row for row in rows if row["attribution"] == "error"],
    }  # fmt: skip


def _slices(run: Mapping[str, Any], shown: Sequence[Metric]) -> Iterator[SliceTable]:
    """A table for each field with several values, the best-known fields first."""
    columns = [
        metric for metric in shown
        if metric.by_slice or (run["retrieval_only"] and metric.group == "Retrieval")
    ]  # fmt: skip
    fields: Mapping[str, Any] = run["slices"]
    for field in dict.fromkeys((*_FIRST_SLICES, *fields)):
        if len(fields.get(field, ())) > 1:
            yield SliceTable(field, columns, fields[field], run["macro"] if field == "lang" else {})


def _outcomes(counts: Mapping[str, int], rows: Sequence[Row]) -> list[OutcomeRow]:
    """The outcomes that occurred, with the wrong answers of each, the worst first."""
    known = {outcome.name: outcome for outcome in OUTCOMES}
    order = [*known, *(name for name in counts if name not in known)]
    present = [(name, counts[name]) for name in order if counts.get(name)]
    return [
        OutcomeRow(
            known.get(name, Outcome(name, name, "")),
            count,
            charts.segments(present, only=name),
            sorted((row for row in rows if row["attribution"] == name), key=_how_close),
        )
        for name, count in present
    ]


def _how_close(row: Row) -> float:
    return row["scores"].get("answer_f1") or 0.0


def _table(rows: Sequence[Row]) -> Iterator[list[str | float | None]]:
    """results.csv: a heading, then one row a question."""
    names = dict.fromkeys((
        *(metric.name for metric in METRICS if any(metric.name in row["scores"] for row in rows)),
        *(name for row in rows for name in row["scores"] if name != "seconds"),
    ))  # fmt: skip
    yield ["id", "question", "lang", "type", "split", "status", "attribution", "answer",
           "expected", *names, "confidence", "sources", "quotes", "seconds", "error"]  # fmt: skip
    for row in rows:
        citations = row.get("citations") or ()
        yield [
            *(cell(row.get(name)) for name in (
                "id", "question", "lang", "type", "split", "status", "attribution", "answer")),
            cell(expected_answers(row["expected"])),
            *(row["scores"].get(name) for name in names),
            row.get("confidence"),
            cell("\n".join(f"[{c['marker']}] {c['source']}:{c['start']}-{c['end']}"
                            for c in citations)),
            cell("\n".join(f"[{c['marker']}] {c['quote']}" for c in citations)),
            row.get("seconds"),
            cell(row.get("error")),
        ]  # fmt: skip


def expected_answers(expected: Mapping[str, Any]) -> str:
    """The expected answers on one line: `/` parts alternatives, `+` what must all be there."""
    if not expected["answerable"]:
        return "no answer: the documents do not hold one"
    groups = expected.get("answer_groups") or [expected.get("answers") or ()]
    return " + ".join(" / ".join(group) for group in groups)
