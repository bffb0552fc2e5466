"""The text of a file's bytes: decoded here where it is plain text, else by a child process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from typing import Protocol

from qa_bot.index.load import PLAIN, decode
from qa_bot.index.readers import FORMATS
from qa_bot.index.readers.parts import Unreadable
from qa_bot.index.readers.process import ReaderProcess
from qa_bot.types import Extracted

SUFFIXES = frozenset({*PLAIN, *FORMATS})
"""Of all files that are read, in lower case."""
_FIELDS = {field.name for field in fields(Extracted)}


class Kept(Protocol):
    """Where extracted texts are kept, by key."""

    def text(self, key: str) -> str | None:
        """What was kept under a key."""

    def keep_text(self, key: str, value: str) -> None:
        """Keep a value, if that is possible."""


def reader_of(suffix: str) -> str:
    """What the text of such a file depends on besides its bytes; "" for plain text."""
    return "" if suffix in PLAIN else FORMATS[suffix].reader


def text_key(digest: str, suffix: str) -> str:
    """One name for bytes with this SHA-256 as such a file is read."""
    return hashlib.sha256(f"{reader_of(suffix)}\0{digest}".encode()).hexdigest()


class Texts:
    """Gives the text of files; extracted ones are kept, since a quote is checked against them."""

    def __init__(self, kept: Kept | None = None) -> None:
        self._kept = kept
        self._process = ReaderProcess()

    def of(self, data: bytes, suffix: str) -> Extracted:
        """The text of a file's bytes.

        Raises:
            Unreadable: there is no text to be had from it.
        """
        if suffix in PLAIN:
            text = decode(data)
            if text is None:
                raise Unreadable("unknown encoding; save it as UTF-8", "undecodable")
            return Extracted(text)
        if self._kept is None or FORMATS[suffix].missing:
            return self._process.read(data, suffix)
        key = text_key(hashlib.sha256(data).hexdigest(), suffix)
        stored = json.loads(self._kept.text(key) or "{}")
        if stored.keys() == _FIELDS:  # else another version kept it
            return Extracted(**{**stored, "pages": tuple(stored["pages"])})
        found = self._process.read(data, suffix)
        self._kept.keep_text(key, json.dumps(asdict(found), ensure_ascii=False))
        return found

    def close(self) -> None:
        """End the child process, if there is one."""
        self._process.close()
