"""Read a file of questions: JSON lines, CSV of any dialect, or plain text.

A row that cannot be asked becomes a `Question` with a `problem`: it never ends a run.
Rows are numbered from 1, the header of a CSV not counted. Empty rows are counted, so that
a number is the row's place in its file, but are no questions.
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from qa_bot.errors import UsageError
from qa_bot.index.load import decode
from qa_bot.types import Question, Turn

LISTS = {"answers", "gold_docs", "gold_passages", "passage_docs"}
"""Columns of a CSV that hold several values, separated by `|`."""
JSON_COLUMNS = {"history", "answer_groups"}
COLUMNS = LISTS | JSON_COLUMNS | {"id", "question", "conversation", "lang", "answerable", "type",
                                  "split"}  # fmt: skip
"""Columns known by name, in capitals too."""
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SEPARATORS = (",", ";", "\t", "|")
_NO_SEPARATOR = "\x1f"
"""For a CSV of one column, whose questions may hold any of the separators."""
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\n')
_BACKSLASHED_QUOTE = re.compile(r'[^\\"]\\"(?!\s*(?:[,;\t|\n]|$))')


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it was read, and what is wrong with it."""

    number: int
    fields: Mapping[str, Any]
    problem: str | None = None


def read_questions(path: Path | Literal["-"]) -> list[Question]:
    """The questions of a .jsonl, .csv or .txt file, or of standard input (`-`).

    Standard input is JSON lines where it begins with `{`, and else a question a line.
    Every row that is not empty gives exactly one question, in the file's order, with an
    id of its own; a file without rows gives none.

    Raises:
        UsageError: the file is missing, is no text, is of another kind, or is a CSV
            without a column `question`.
    """
    if path == "-":
        text = _decoded(sys.stdin.buffer.read(), "standard input")
        rows = _json_rows(text) if text.lstrip().startswith("{") else _text_rows(text)
        return _questions(rows)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path} is no file of questions: name a {', '.join(_READERS)} file")
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise UsageError(
            f"the questions {path} cannot be read ({exc.strerror}); check the name"
        ) from exc
    try:
        return _questions(reader(_decoded(data, str(path))))
    except _NoQuestionColumn as exc:
        raise UsageError(
            f"{path} has no column `question`, only {exc}; name the column of the questions "
            "so in the first row, or save the questions as a .txt file, one a line"
        ) from exc


def as_questions(rows: Iterable[str | Mapping[str, Any] | Question]) -> list[Question]:
    """Questions from what a program has: texts, rows with the fields of a file, or questions."""
    made = []
    for number, row in enumerate(rows, start=1):
        if isinstance(row, Question):
            made.append(row)
        else:
            made.append(_question(_Row(number, {"question": row} if isinstance(row, str) else row)))
    return _with_own_ids(made)


class _NoQuestionColumn(Exception):
    """Holds the names of the columns that are there."""


def _decoded(data: bytes, name: str) -> str:
    text = decode(data)
    if text is None:
        raise UsageError(f"{name} is no text that can be read: save it as UTF-8")
    return text


def _questions(rows: Iterable[_Row]) -> list[Question]:
    return _with_own_ids([_question(row) for row in rows])


def _question(row: _Row) -> Question:
    fields = dict(row.fields)
    given, text, history = (fields.pop(name, None) for name in ("id", "question", "history"))
    turns, fault = _turns(history)
    problem = row.problem or _text_fault(text) or fault
    return Question(
        id=str(row.number) if given is None or given == "" else str(given),
        question=text.strip() if isinstance(text, str) else "",
        history=turns,
        fields=fields,
        problem=problem and f"row {row.number}: {problem}",
    )


def _text_fault(text: object) -> str | None:
    if text is None:
        return "there is no `question`; write one, or delete the row"
    if not isinstance(text, str):
        return f"`question` is {_short(text)}, not a text; put it in quotes"
    return None if text.strip() else "the question is empty; write one, or delete the row"


def _turns(history: object) -> tuple[tuple[Turn, ...], str | None]:
    """The earlier turns, or what is wrong with them."""
    if history is None:
        return (), None
    if isinstance(history, list) and all(
        isinstance(turn, list) and len(turn) == 2 and all(isinstance(part, str) for part in turn)
        for turn in history
    ):
        return tuple((question, answer) for question, answer in history), None
    return (), f"`history` is {_short(history)}; write it as [[question, answer], …]"


def _with_own_ids(questions: list[Question]) -> list[Question]:
    """The same with ids that differ: a row whose id was taken cannot be asked."""
    first: dict[str, int] = {}
    given = {question.id for question in questions}
    for place, question in enumerate(questions):
        if question.id not in first:
            first[question.id] = place
            continue
        copy = 2
        while f"{question.id} ({copy})" in given:
            copy += 1
        own = f"{question.id} ({copy})"
        given.add(own)
        questions[place] = replace(
            question,
            id=own,
            problem=question.problem
            or f"the id {question.id!r} was given to an earlier row; give this row another",
        )
    return questions


def _text_rows(text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _Row(number, {"question": line})


def _json_rows(text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _json_row(number, line)


def _json_row(number: int, line: str) -> _Row:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as exc:
        return _Row(number, {}, f"this is no JSON ({exc}); write one JSON object a line")
    if not isinstance(row, dict):
        return _Row(number, {}, f'{_short(row)} is no JSON object; write {{"question": …}}')
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # "\ud800" is legal JSON and no text: no file could hold it
        whole = json.dumps(row, ensure_ascii=False).encode(errors="replace").decode()
        return _Row(number, json.loads(whole), "it holds half a character (a lone surrogate); "
                    "write it again")  # fmt: skip
    return _Row(number, row)


def _csv_rows(text: str) -> Iterator[_Row]:
    text = text.removeprefix("\ufeff")
    named = _SEPARATOR_LINE.match(text)
    if named:
        text = text[named.end() :]
    if not text.strip():
        return
    options = _dialect(text, (named[1],) if named else _SEPARATORS)
    rows = _cells(text, options)
    names = [_column(name) for name in next(row for row in rows if any(map(str.strip, row)))]
    for number, cells in enumerate(rows, start=1):
        if cells == [_END]:
            return
        if any(cell.strip() for cell in cells):
            yield _csv_row(number, names, cells)


_END = "\x1eend"
"""A last row of our own: a quote that is never closed swallows it, and so is noticed."""


def _csv_row(number: int, names: list[str], cells: list[str]) -> _Row:
    problem = None
    if cells[-1].endswith(f"\n{_END}\n"):
        cells[-1] = cells[-1].removesuffix(f"\n{_END}\n")
        problem = (
            'a quote (") is opened and never closed, so the rows after it cannot be told apart'
        )
    elif any(cell.strip() for cell in cells[len(names) :]):
        problem = (f"it has {len(cells)} cells, but the header {len(names)}; put cells that hold "
                   "the separator in quotes")  # fmt: skip
    fields: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        if not name or not cell.strip():
            continue
        try:
            fields[name] = _value(name, cell)
        except ValueError as exc:
            problem = problem or f"`{name}` is {_short(cell)}; {exc}"
    return _Row(number, fields, problem)


def _value(name: str, cell: str) -> Any:
    if name in LISTS:
        return [part.strip() for part in cell.split("|") if part.strip()]
    if name == "answerable":
        if cell.strip().lower() not in _TRUTH:
            raise ValueError("write true or false")
        return _TRUTH[cell.strip().lower()]
    if name in JSON_COLUMNS:
        try:
            return json.loads(cell)
        except (ValueError, RecursionError) as exc:
            raise ValueError("write it as JSON: [[…, …], …]") from exc
    return cell


def _dialect(text: str, separators: Iterable[str]) -> dict[str, Any]:
    """How a CSV is written: what finds a column `question` in the header, and most columns."""
    found: list[tuple[int, dict[str, Any]]] = []
    seen: list[str] = []
    for quote in ('"', "'"):
        for separator in separators:
            options = {"delimiter": separator, "quotechar": quote, "skipinitialspace": True}
            header = next(row for row in _cells(text, options) if any(map(str.strip, row)))
            seen = max(seen, header, key=len)
            if "question" in map(_column, header):
                found.append((len(header), options))
    if not found:
        raise _NoQuestionColumn(", ".join(_short(name) for name in seen[:12]))
    columns, options = max(found, key=lambda item: item[0])
    if columns == 1:
        options["delimiter"] = _NO_SEPARATOR
    if _BACKSLASHED_QUOTE.search(text):
        options |= {"escapechar": "\\", "doublequote": False}
    return options


def _cells(text: str, options: Mapping[str, Any]) -> Iterator[list[str]]:
    # The limit is the process's own; a question longer than it would end the whole file.
    csv.field_size_limit(sys.maxsize)
    return csv.reader(io.StringIO(f"{text}\n{_END}\n", newline=""), **options)


def _column(name: str) -> str:
    name = name.strip()
    return name.lower() if name.lower() in COLUMNS else name


def _short(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return repr(shown if len(shown) <= 60 else shown[:59] + "…")


_READERS: dict[str, Callable[[str], Iterator[_Row]]] = {
    ".jsonl": _json_rows,
    ".csv": _csv_rows,
    ".txt": _text_rows,
}
