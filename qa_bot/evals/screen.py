"""What a run came to, in the few lines of a terminal's screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wcwidth import clip, ljust

from qa_bot.evals.wording import OUTCOMES, interval, measured, number
from qa_bot.text import display_width

LINES = 23
"""A screen has 24; the last is the prompt's."""
_SPACE = re.compile(r"\s")
"""A tab or a line break in a name would take more than its column."""
_PAIRS = (
    ("hit@5", "passage_hit@5"),
    ("nDCG@10", "MRR@10"),
    ("answer_match", "answer_f1"),
    ("citation_precision", "citation_recall"),
    ("language_match", "quote_verbatim"),
    ("refusal_rate", "over_refusal"),
    ("p50_seconds", "p95_seconds"),
)
_NAMES = (18, 15)
"""Columns of the longest name on either side."""
_COLUMNS = ("passage_hit@5", "answer_match", "refusal_rate", "over_refusal")
_RETRIEVAL_COLUMNS = ("hit@5", "passage_hit@5", "nDCG@10", "MRR@10")


def terminal_summary(run: Mapping[str, Any], width: int, report: Path | None = None) -> str:
    """A run in at most 23 lines of at most `width` columns.

    Headline figures with 95 % intervals and counts, refusal beside over-refusal, the
    figures by language and by same or other language as the documents, and what failed.
    `report` is the file the last line points to.
    """
    head = [*_title(run), "", *_headline(run, width)]
    tail = ["", *_failures(run, width)]
    if report:
        tail.append(f"Report: {report}")
    table = list(_by_language(run))
    room = LINES - len(head) - len(tail)
    if len(table) > room:
        table = [*table[: room - 1], f"… {len(table) - room + 1} more in the report"]
    return "\n".join(_clip(line, width) for line in [*head, *table, *tail])


def _title(run: Mapping[str, Any]) -> Iterator[str]:
    counts = run["counts"]
    questions = "1 question" if counts["total"] == 1 else f"{counts['total']} questions"
    model = run["configuration"].get("model")
    yield f"{run['test_set']['name']}: {questions} in {run['seconds']:.0f} s" + (
        f", {model}" if model and not run["retrieval_only"] else ""
    )
    if run["retrieval_only"]:
        yield f"retrieval only, {counts['error']} failed"
    else:
        yield (f"{counts['answered']} answered, {counts['refused']} refused, "
               f"{counts['error']} failed (counted apart)")  # fmt: skip


def _headline(run: Mapping[str, Any], width: int) -> Iterator[str]:
    """Two figures a line, where they fit: those of a pair are read together."""
    metrics = run["metrics"]
    pairs = [[name for name in pair if measured(run, name)] for pair in _PAIRS]
    lines = ["  ".join(_figure(name, metrics[name], wide)
                       for name, wide in zip(pair, _NAMES, strict=False))
             for pair in pairs if pair]  # fmt: skip
    heading = f"{'':18} {'':>4} {'95 %':^9} {'n':>4}"
    if all(len(line) <= width for line in lines):
        yield f"{heading}  {heading[3:]}"
        yield from lines
        return
    yield heading
    for pair in pairs:
        shown = pair if "over_refusal" in pair else pair[:1]
        yield from (_figure(name, metrics[name], 18) for name in shown)


def _figure(name: str, figure: Mapping[str, Any], wide: int) -> str:
    ends = interval(figure["low"], figure["high"], 2)
    return f"{name:<{wide}} {number(figure['value'], 2):>4} {ends:^9} {figure['n']:>4}"


def _by_language(run: Mapping[str, Any]) -> Iterator[str]:
    """A line a language and a line a relation of question to documents: value and (n)."""
    wanted = _RETRIEVAL_COLUMNS if run["retrieval_only"] else _COLUMNS
    columns = [name for name in wanted if measured(run, name)]
    groups = [run["slices"].get(field, {}) for field in ("relation", "lang")]
    if not any(groups) or not columns:
        return
    yield ""
    yield f"{'value (n)':<17}" + "".join(f"{name:>15}" for name in columns)
    for group in groups:
        for value, figures in group.items():
            cells = (figures.get(name, {"value": None, "n": 0}) for name in columns)
            yield _padded(value, 17) + "".join(
                f"{number(cell['value'], 2) + ' (' + str(cell['n']) + ')':>15}" for cell in cells
            )


def _failures(run: Mapping[str, Any], width: int) -> list[str]:
    counts = run["attribution"]
    wrong = [f"{counts[outcome.name]} {outcome.label.lower()}"
             for outcome in OUTCOMES if outcome.wrong and counts.get(outcome.name)]  # fmt: skip
    if not wrong:
        return ["Nothing failed."]
    return textwrap.wrap("Failures: " + ", ".join(wrong) + ".", width, max_lines=2)


def _padded(text: object, columns: int) -> str:
    return ljust(_clip(str(text), columns - 1), columns)


def _clip(line: str, width: int) -> str:
    """`line` on one row of at most `width` columns; wide characters count as two."""
    line = _SPACE.sub(" ", line)
    return line if display_width(line) <= width else clip(line, 0, width - 1) + "…"
