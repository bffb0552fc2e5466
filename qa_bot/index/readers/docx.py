"""Word documents: the paragraphs and tables of the body, in order."""

from __future__ import annotations

from qa_bot.index.readers.parts import (
    Unreadable,
    core_properties,
    one_line,
    open_zip,
    parse_xml,
)
from qa_bot.types import Extracted

_BODY = "word/document.xml"


def read(data: bytes) -> Extracted:
    """The text of a .docx file; a table's row is a line with its cells between bars."""
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
        self._cells: list[list[str]] = []
        """The cells of each row that is open: tables may stand in tables."""

    def start(self, name: str, _: dict[str, str]) -> None:
        if name == "t":
            self._shown = True
        elif name == "tab":
            self._text.append("\t")
        elif name in ("br", "cr"):
            self._text.append("\n")
        elif name == "numPr":
            self._listed = True
        elif name == "tr":
            self._cells.append([])
        elif name == "tc" and self._cells:
            self._cells[-1].append("")

    def characters(self, text: str) -> None:
        if self._shown:  # what was deleted, or makes up a field, is not shown
            self._text.append(text)

    def end(self, name: str) -> None:
        if name == "t":
            self._shown = False
        elif name == "p":
            self._paragraph("".join(self._text).strip())
            self._text, self._listed = [], False
        elif name == "tr" and self._cells:
            row = [cell for cell in self._cells.pop() if cell]
            self._paragraph(" | ".join(row))

    def _paragraph(self, text: str) -> None:
        if not text:
            return
        if self._cells and self._cells[-1]:
            self._cells[-1][-1] = one_line(f"{self._cells[-1][-1]} {text}")
        else:
            self.paragraphs.append(f"- {text}" if self._listed else text)
