"""Readers of the formats that are not plain text: which there are, and what they need.

Each is a function `(data: bytes) -> Extracted` in a module here. They parse what strangers
made, so they run in a child process only (`process.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Format:
    """How files of one suffix are read."""

    module: str
    """The module of `qa_bot.index.readers` that reads it."""
    function: str = "read"
    revision: int = 1
    """To be raised when the reader gives another text for the same file."""
    rows: bool = False
    """Whether its paragraphs are records of a table rather than prose."""
    library: str | None = None
    """The package it cannot do without."""
    cure: str = ""
    """What installs the library."""
    helper: str | None = None
    """A package that it makes use of where it is installed."""

    @property
    def missing(self) -> bool:
        """Whether its library is not installed."""
        return self.library is not None and find_spec(self.library) is None

    @property
    def reader(self) -> str:
        """Names what the extracted text depends on besides the file."""
        used = [name for name in (self.library, self.helper) if name and find_spec(name)]
        return " ".join(
            [self.module, str(self.revision), *(f"{name} {_version(name)}" for name in used)]
        )


_HTML = Format("webpage", revision=4, library="trafilatura", cure="pip install 'qa-bot[html]'")
FORMATS = {
    ".csv": Format("delimited", revision=2, rows=True),
    ".docx": Format("docx", revision=2),
    ".eml": Format("eml", revision=4),
    ".epub": Format("epub", revision=4),
    ".htm": _HTML,
    ".html": _HTML,
    ".json": Format("records", revision=2, rows=True),
    ".jsonl": Format("records", "read_lines", revision=2, rows=True),
    ".pdf": Format("pdf", revision=2, library="pypdf", cure="pip install pypdf", helper="rapidocr"),
    ".tsv": Format("delimited", revision=2, rows=True),
    ".xlsx": Format("xlsx", revision=2, rows=True, library="openpyxl", cure="pip install openpyxl"),
}
"""By suffix, in lower case."""


def is_table(source: str) -> bool:
    """Whether a file holds records, which say nothing of each other."""
    known = FORMATS.get(PurePosixPath(source).suffix.lower())
    return known is not None and known.rows


@cache
def _version(library: str) -> str:
    return version(library)
