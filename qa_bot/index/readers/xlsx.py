"""Workbooks: the rows of every sheet, as they were last calculated."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from openpyxl import load_workbook

from qa_bot.index.readers.parts import core_properties, open_zip
from qa_bot.index.readers.table import records
from qa_bot.types import Extracted

_UNSEEN = re.compile(r"\\.|_.|\*.|\[(?!\$)[^]]*]|;.*")
"""What of a number's format is not shown with it, or only with negative ones."""
_CURRENCY = re.compile(r"\[\$([^]\d-]+)[^]]*]|([$€£¥₹₩]|\b[A-Z]{3}\b)")


def read(data: bytes) -> Extracted:
    """A paragraph for each row of an .xlsx file, under its sheet's name if there are several."""
    # Not openpyxl's own properties: it dates a file that has no date on today.
    title, author, date = core_properties(open_zip(data))
    book = load_workbook(BytesIO(data), read_only=True, data_only=True)
    paragraphs: list[str] = []
    for sheet in book.worksheets:
        sheet.reset_dimensions()  # what a file says of its size need not be true
        rows = list(records(_cells(sheet)))
        if rows and len(book.worksheets) > 1:
            paragraphs.append(sheet.title)
        paragraphs += rows
    text = "\n\n".join(paragraphs)
    return Extracted(text, title=title, author=author, date=date)


def _cells(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        yield [_shown(cell) for cell in row]


def _shown(cell: Any) -> str:
    """A cell about as a person sees it: shares as percentages, sums with their currency."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    shown = _UNSEEN.sub("", cell.number_format)
    if "%" in shown:
        return f"{100 * value:.12g}%"
    currency = _CURRENCY.search(shown)
    number = str(value) if isinstance(value, int) else f"{value:.15g}"
    return f"{number} {currency[1] or currency[2]}" if currency else number
