"""The one folder in which uploaded documents live, inside the store's own.

A file's name is made here from the one the browser sends: readable, short, and never a path.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from pathlib import Path

from qa_bot.errors import UsageError
from qa_bot.index import load
from qa_bot.index.extract import SUFFIXES

FOLDER = "uploads"
MAX_FILES = 1_000
"""Files the folder may hold, so that nobody fills the disk by accident."""
_NAME_BYTES = 120
_UNSAFE = re.compile(r"[^\w.()+ -]+")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)$")


class Uploads:
    """Uploaded documents below `store`."""

    def __init__(self, store: Path) -> None:
        self.folder = store / FOLDER

    def suffixes(self) -> tuple[str, ...]:
        """The kinds of files that the index can read."""
        return tuple(sorted(SUFFIXES))

    def limit(self) -> int:
        """Bytes that a file may have."""
        return load.MAX_BYTES

    def names(self) -> set[str]:
        """What is there."""
        if not self.folder.is_dir():
            return set()
        return {path.name for path in self.folder.iterdir() if not path.name.startswith(".")}

    def save(self, name: str, data: bytes) -> str:
        """Keep a file, in place of an earlier one of the same name; returns its name here.

        Raises:
            UsageError: a kind of file that is not read, too large a one, or too many.
        """
        safe = safe_name(name)
        if Path(safe).suffix.lower() not in self.suffixes():
            kinds = ", ".join(self.suffixes())
            raise UsageError(f"{safe} is of a kind that is not read; upload one of {kinds}")
        if len(data) > self.limit():
            raise UsageError(f"{safe} is over {self.limit() // 10**6} MB; split it")
        if safe not in (known := self.names()) and len(known) >= MAX_FILES:
            raise UsageError(
                f"{MAX_FILES} files are uploaded already; remove some, or put them into a folder "
                "and start with --documents FOLDER"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        # Hidden until it is whole: the index leaves hidden files alone.
        part = self.folder / f".{secrets.token_hex(8)}.part"
        try:
            part.write_bytes(data)
            part.replace(self.folder / safe)
        finally:
            part.unlink(missing_ok=True)
        return safe

    def remove(self, name: str) -> None:
        """Delete an uploaded file.

        Raises:
            UsageError: no such file was uploaded.
        """
        if name not in self.names():
            raise UsageError(
                f"{name} was not uploaded here; remove it from its own folder, then re-index"
            )
        (self.folder / name).unlink()


def safe_name(name: str) -> str:
    """A name for a file of ours that keeps what is readable in `name`.

    The last part of a path, in NFC, without control characters or signs that a file system or
    a shell takes for something else; at most 120 UTF-8 bytes, and never hidden.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    stem, dot, suffix = _UNSAFE.sub("_", last).strip(" ._").rpartition(".")
    if not dot:
        stem, suffix = suffix, ""
    suffix = suffix.strip()[:10]
    stem = stem.rstrip(" .").encode()[:_NAME_BYTES].decode(errors="ignore").rstrip()
    if not stem or _DEVICES.match(stem.partition(".")[0]):
        stem = f"document{'-' + stem if stem else ''}"
    return f"{stem}.{suffix}" if suffix else stem
