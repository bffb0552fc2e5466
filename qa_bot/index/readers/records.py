"""JSON and JSON Lines: each record as `key: value; key: value`, long values on their own lines."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Any

from qa_bot.index.readers.parts import Unreadable, decoded, iso_date, tidy
from qa_bot.types import Extracted

_SHORT = 100
"""Characters of a field that shares a line with others."""


def read(data: bytes) -> Extracted:
    """The text of a .json file: a paragraph for each record of a list, at any depth."""
    value = _parsed(decoded(data).removeprefix("\ufeff"), "")
    known = value if isinstance(value, dict) else {}
    return Extracted(
        "\n\n".join(_paragraphs(value)),
        title=_text(known, "title"),
        author=_text(known, "author") or None,
        date=iso_date(_text(known, "date")),
    )


def read_lines(data: bytes) -> Extracted:
    """The text of a .jsonl file: a paragraph for each line's record."""
    found = [
        part
        for number, line in enumerate(decoded(data).split("\n"), start=1)
        if line.strip()
        for part in _paragraphs(_parsed(line, f"line {number} "))
    ]
    return Extracted("\n\n".join(found))


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as exc:
        raise Unreadable(f"{where}is no JSON: {exc}") from exc


def _paragraphs(value: Any) -> list[str]:
    lines: list[str] = []
    nested: list[str] = []
    _gather(value, "", lines, nested)
    if not lines:
        return nested
    # A short field says nothing without its record, so they share a line, as in a row of a table.
    runs = groupby(lines, key=lambda line: len(line) <= _SHORT and "\n" not in line)
    return ["\n".join(("; " if short else "\n").join(run) for short, run in runs), *nested]


def _gather(value: Any, key: str, lines: list[str], nested: list[str]) -> None:
    """Scalars become lines, with the keys that lead to them; records in lists, paragraphs."""
    if isinstance(value, dict):
        for name, item in value.items():
            _gather(item, f"{key}.{name}" if key else str(name), lines, nested)
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        nested += [part for item in value for part in _paragraphs(item)]
    else:
        items = value if isinstance(value, list) else [value]
        if shown := ", ".join(filter(None, map(_shown, items))):
            lines.append(f"{key}: {shown}" if key else shown)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return tidy(value) if isinstance(value, str) else json.dumps(value)


def _text(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""
