"""Rows of a table as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest

from qa_bot.index.readers.parts import one_line


def records(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Each row as a line: `Column: value; Column: value`, or its values alone without a header."""
    cells = ([one_line(cell) for cell in row] for row in rows)
    filled = (row for row in cells if any(row))
    first, second = next(filled, []), next(filled, [])
    head = first if _is_header(first, second) else []
    for row in chain([] if head else [first], [second], filled):
        if row:
            yield _line(head, row)


def _is_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a row names the values below it: different words, none missing, no number."""
    names = [cell for cell in first if cell]
    values = sum(map(bool, second))
    return (
        0 < values <= len(names) == len(set(names))
        and not any(_is_number(name) for name in names)
    )  # fmt: skip


def _is_number(cell: str) -> bool:
    return cell.strip("-+%$€£¥ ").replace(".", "").replace(",", "").isdecimal()


def _line(head: Sequence[str], row: Sequence[str]) -> str:
    named = zip_longest(head, row, fillvalue="")
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)
