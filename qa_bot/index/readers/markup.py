"""HTML to plain text, block by block, with where each block stands and what of it is links."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser

from qa_bot.index.readers.parts import one_line
from qa_bot.index.readers.table import records

_HIDDEN = {"script", "style", "head", "template", "noscript", "svg", "select", "textarea"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "dd", "details", "div", "dl",
    "dt", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header",
    "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tr", "ul",
}  # fmt: skip
_EMPTY = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
}  # fmt: skip
_LONGEST_CELL = 100
"""Characters of a cell of a table; a longer one is part of a layout."""
_BOLD = {"b", "strong"}
_APART = {"nav", "footer", "aside", "form", "button", "dialog", "menu"}


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, item of a list or row of a table."""

    text: str
    told: str
    """The same; of a row below a header with the names of its columns."""
    letters: int
    """Characters but white space;"""
    linked: int
    """and how many of them are links."""
    element: int
    """The element that holds it, as a place in `Page.parents`."""
    apart: bool
    """Whether it stands in a menu, a form or what else is beside a page's own text."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page shows, in order."""

    blocks: list[Block]
    parents: list[int]
    """For each element the one that it stands in; the first is the page, its own parent."""


def text_of_html(html: str) -> str:
    """The text that a page shows, its blocks as paragraphs."""
    return "\n\n".join(block.told for block in blocks_of_html(html).blocks)


def blocks_of_html(html: str) -> Page:
    """The blocks that a page shows; an element that is never closed goes on to its parent's end."""
    shown = _Shown()
    shown.feed(html)
    shown.close()
    shown.block()
    return Page(shown.blocks, shown.parents)


class _Shown(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[Block] = []
        self.parents = [0]
        self._lines: list[list[str]] = [[]]
        self._letters = self._linked = 0
        self._place: tuple[int, bool] | None = None
        self._hidden: list[str] = []
        self._open: list[tuple[str, int]] = [("", 0)]
        self._counts: Counter[str] = Counter()
        """How many elements of each name are open."""
        self._cells: list[str] = []
        """What the cells of the row hold;"""
        self._heads = 0
        """how many of them are names of columns;"""
        self._bold = 0
        """how many letters of it are bold;"""
        self._row = 0
        """the first of its blocks, where there are several;"""
        self._first = True
        """whether no row of its table stands above;"""
        self._names: list[str] = []
        """and the names of the columns, from the row that holds no other cells."""

    def block(self) -> None:
        """End the paragraph."""
        lines = [one_line("".join(line)) for line in self._lines]
        if text := "\n".join(line for line in lines if line.strip("-| ")):
            told = self._record(self._letters) or text
            self.blocks.append(
                Block(text, told, self._letters, self._linked, *(self._place or (0, False)))
            )
        self._lines, self._place = [[]], None
        self._letters = self._linked = 0

    def _record(self, letters: int) -> str | None:
        """The row that ends, its columns named; None where it names them, or is not all of one."""
        cells = [one_line(cell) for cell in self._cells]
        if len(cells) < 2 or len("".join("".join(cells).split())) != letters:
            return None
        if self._heads == len(cells) or (self._first and self._bold == letters):
            self._names = cells
        elif len(self._names) == len(cells):
            return next(records([self._names, cells], headed=True))
        return None

    def _end_row(self) -> None:
        """Put a row together again whose cells hold paragraphs, as editors write them."""
        parts = self.blocks[self._row :]
        cells = [one_line(cell) for cell in self._cells]
        letters = sum(part.letters for part in parts)
        whole = letters == len("".join("".join(cells).split()))
        if (
            len(parts) > 1 < len(cells)
            and whole
            and all(len(cell) <= _LONGEST_CELL for cell in cells)
        ):
            text = " | ".join(cells)
            linked = sum(part.linked for part in parts)
            told = self._record(letters) or text
            row = Block(text, told, letters, linked, parts[0].element, parts[0].apart)
            self.blocks[self._row :] = [row]
        self._first = self._first and not parts
        self._cells, self._heads, self._bold, self._row = [], 0, 0, len(self.blocks)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag == "body":
            self._hidden.clear()  # a head that was never closed
        if tag in _BLOCKS:
            self.block()
            self._part_cell()
        if tag not in _EMPTY:
            self._open.append((tag, len(self.parents)))
            self.parents.append(self._open[-2][1])
            self._counts[tag] += 1
        self._tell(tag)

    def _tell(self, tag: str) -> None:
        """What the start of an element means for the text and the table."""
        if tag == "br":
            self._lines.append([])
            self._part_cell()
        elif tag == "li":
            self._lines[-1].append("- ")
        elif tag == "table":
            self._names, self._first, self._row = [], True, len(self.blocks)
        elif tag == "tr":
            self._end_row()
        elif tag in ("td", "th"):
            self._cells.append("")
            self._heads += tag == "th" or self._counts["thead"] > self._counts["tbody"]
            if self._lines[-1]:
                self._lines[-1].append(" | ")

    def _part_cell(self) -> None:
        self._cells[-1:] = [f"{cell} " for cell in self._cells[-1:]]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        if tag in _BLOCKS:
            self.block()
        if tag in ("tr", "table"):
            self._end_row()
        while self._counts[tag]:
            name, _ = self._open.pop()
            self._counts[name] -= 1
            if name == tag:
                break

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        data = data.replace("\xad", "")  # where a word may be parted: no letter of it
        first, *others = data.split("\n") if self._counts["pre"] else [data]
        self._lines[-1].append(first)
        self._lines += [[line] for line in others]
        letters = len("".join(data.split()))
        self._letters += letters
        if self._cells:
            self._cells[-1] += data
            self._bold += letters if any(self._counts[tag] for tag in _BOLD) else 0
        self._linked += letters if self._counts["a"] else 0
        if letters and self._place is None:
            self._place = self._open[-1][1], any(self._counts[name] for name in _APART)
