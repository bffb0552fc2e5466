"""Rows of a table as text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice, pairwise, zip_longest

from qa_bot.index.readers.parts import one_line

_LOOKED_AT = 10
"""Rows at the head of a table, among which its header is."""
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


def records(rows: Iterable[Sequence[str]], *, headed: bool | None = None) -> Iterator[str]:
    """Each row as a line: `Column: value; Column: value`, or its values alone without a header.

    A title or a note above the header, alone in its row, is a line of its own. `headed` says
    whether there is a header; None looks at the rows.
    """
    cells = ([one_line(cell) for cell in row] for row in rows)
    filled = (row for row in cells if any(row))
    first = list(islice(filled, _LOOKED_AT))
    wide = any(_cells(row) > 1 for row in first)
    while wide and _cells(first[0]) == 1:
        yield _line([], first.pop(0))
    if headed is None:
        headed = len(first) > 1 and _is_header(first[0], first[1])
    head = first.pop(0) if headed and first else []
    for row in chain(first, filled):
        yield _line(head, row)


def _cells(row: Sequence[str]) -> int:
    return sum(map(bool, row))


def _is_header(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether a row names the values below it: different words, none missing, no number.

    Years are names, too, where several follow one another.
    """
    names = [cell for cell in first if cell]
    numbers = [cell for cell in names if _is_number(cell)]
    return (
        0 < _cells(second) <= len(names) == len(set(names))
        and len(numbers) < len(names)
        and (not numbers or _are_years(numbers))
    )


def _are_years(numbers: Sequence[str]) -> bool:
    steps = {after > before for before, after in pairwise(numbers)}
    return len(steps) == 1 and all(map(_YEAR.fullmatch, numbers))


def _is_number(cell: str) -> bool:
    return cell.strip("-+%$€£¥ ").replace(".", "").replace(",", "").isdecimal()


def _line(head: Sequence[str], row: Sequence[str]) -> str:
    named = zip_longest(head, row, fillvalue="")
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in named if cell)
