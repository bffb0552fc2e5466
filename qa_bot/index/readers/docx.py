"""Word documents: the paragraphs and tables of the body, in order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from qa_bot.index.readers.parts import (
    Unreadable,
    core_properties,
    one_line,
    open_zip,
    parse_xml,
)
from qa_bot.index.readers.table import records
from qa_bot.types import Extracted

_BODY = "word/document.xml"
_FORM = 2
"""Columns of a table in which the first more likely names the second."""


@dataclass
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    headed: bool = False
    """Whether its first row is marked as one that names the columns."""

    def lines(self) -> Iterator[str]:
        form = all(len(row) <= _FORM for row in self.rows)
        return records(self.rows, headed=self.headed if form or self.headed else None)


def read(data: bytes) -> Extracted:
    """The text of a .docx file; a table's row is a line that names each cell's column."""
    archive = open_zip(data)
    if _BODY not in archive.namelist():
        raise Unreadable("is no Word document: it has no word/document.xml")
    body = _Body()
    with archive.open(_BODY) as file:
        parse_xml(file, body.start, body.end, body.characters)
    title, author, date = core_properties(archive)
    return Extracted("\n\n".join(body.paragraphs), title=title, author=author, date=date)


class _Body:
    """Gathers paragraphs and rows as the elements go by."""

    def __init__(self) -> None:
        self.paragraphs: list[str] = []
        self._text: list[str] = []
        self._listed = self._shown = False
        self._tables: list[_Table] = []
        """Those that are open: tables may stand in tables."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "t":
            self._shown = True
        elif name == "tab":
            self._text.append("\t")
        elif name in ("br", "cr"):
            self._text.append("\n")
        elif name == "numPr":
            self._listed = True
        elif name == "tbl":
            self._tables.append(_Table())
        elif self._tables:
            self._in_table(name, self._tables[-1], attributes)

    def _in_table(self, name: str, table: _Table, attributes: dict[str, str]) -> None:
        if name == "tr":
            table.rows.append([])
        elif name == "tc" and table.rows:
            table.rows[-1].append("")
        elif name == "tblHeader" and len(table.rows) == 1:
            table.headed = attributes.get("val") not in ("off", "false", "0")

    def characters(self, text: str) -> None:
        if self._shown:  # what was deleted, or makes up a field, is not shown
            self._text.append(text)

    def end(self, name: str) -> None:
        if name == "t":
            self._shown = False
        elif name == "p":
            self._paragraph("".join(self._text).strip())
            self._text, self._listed = [], False
        elif name == "tbl" and self._tables:
            for line in self._tables.pop().lines():
                self._paragraph(line)

    def _paragraph(self, text: str) -> None:
        if not text:
            return
        row = self._tables[-1].rows[-1:] if self._tables else []
        if row and row[0]:
            row[0][-1] = one_line(f"{row[0][-1]} {text}")
        else:
            self.paragraphs.append(f"- {text}" if self._listed else text)
