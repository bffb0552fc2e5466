"""Conversations on the server's disk: a folder for each owner, a JSON file for each one.

A file is replaced as a whole, so that a crash leaves the old or the new one. Owners and ids
become names of folders and files here, and only after they were checked or hashed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qa_bot.errors import UsageError

FORMAT = 1
MOST = 2_000
"""Conversations of one owner, so that nobody fills the disk by accident."""
_NAME = 80
_ID = re.compile(r"[0-9a-f]{16}")

Conversation = dict[str, Any]
"""`id`, `name`, `at` (milliseconds since 1970), `turns` (answer records as the page shows them,
with what was asked and said of them) and `pending` (a question without an answer, or None)."""


class Conversations:
    """All owners' conversations below a folder. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._read: dict[Path, tuple[int, dict[str, Any], str]] = {}
        """What the list needs of each file, by its time of change."""

    def folder(self, owner: str) -> Path:
        """Where an owner's files are; it may not exist yet."""
        return self._folder / hashlib.sha256(owner.encode()).hexdigest()[:32]

    def listed(self, owner: str, find: str = "") -> list[dict[str, Any]]:
        """Id, name, time and number of turns of each that says `find`, the latest first."""
        wanted = find.strip().casefold()
        with self._lock:
            paths = list(self.folder(owner).glob("*.json"))
            known = [self._summary(path) for path in paths]
        found = [summary for summary, said in known if wanted in said]
        return sorted(found, key=lambda item: -item["at"])

    def get(self, owner: str, id: str) -> Conversation:
        """One conversation.

        Raises:
            UsageError: the owner has none of this id.
        """
        try:
            found: Conversation = json.loads(self._path(owner, id).read_text("utf-8"))
        except (OSError, ValueError) as exc:
            raise UsageError("this conversation is not there any more; begin a new one") from exc
        return found

    def begin(self, owner: str, name: str) -> str:
        """Make an empty one; returns its id.

        Raises:
            UsageError: there are too many already.
        """
        if len(list(self.folder(owner).glob("*.json"))) >= MOST:
            raise UsageError(f"{MOST} conversations are kept already; delete some of them")
        made = secrets.token_hex(8)
        empty = {"format": FORMAT, "id": made, "name": _named(name), "at": 0, "turns": [],
                 "pending": None}  # fmt: skip
        self._write(self._path(owner, made), empty)
        return made

    def change(
        self, owner: str, id: str, change: Callable[[Conversation], None], *, touch: bool = True
    ) -> Conversation:
        """Let `change` edit a conversation, and keep what it made of it.

        Raises:
            UsageError: the owner has none of this id, or `change` says what is wrong.
        """
        with self._lock:
            conversation = self.get(owner, id)
            change(conversation)
            if touch:
                conversation["at"] = time.time_ns() // 1_000_000
            self._write(self._path(owner, id), conversation)
            return conversation

    def rename(self, owner: str, id: str, name: str) -> None:
        """Give it another name."""
        if not name.strip():
            raise UsageError("the name is empty; write one")
        self.change(owner, id, lambda found: found.update(name=_named(name)), touch=False)

    def remove(self, owner: str, id: str) -> None:
        """Delete one; it does not matter whether it is there."""
        with self._lock:
            self._path(owner, id).unlink(missing_ok=True)

    def remove_all(self, owner: str) -> None:
        """Delete all that is kept of an owner."""
        with self._lock:
            shutil.rmtree(self.folder(owner), ignore_errors=True)

    def _path(self, owner: str, id: str) -> Path:
        if not _ID.fullmatch(id):
            raise UsageError("this conversation is not there; begin a new one")
        return self.folder(owner) / f"{id}.json"

    def _summary(self, path: Path) -> tuple[dict[str, Any], str]:
        changed = path.stat().st_mtime_ns
        if path not in self._read or self._read[path][0] != changed:
            try:
                found = json.loads(path.read_text("utf-8"))
            except ValueError:  # damaged by other hands: still listed, so that it can be deleted
                found = {"id": path.stem, "name": path.name, "at": 0, "turns": []}
            said = [found["name"], (found.get("pending") or {}).get("question", "")]
            said += [text for turn in found["turns"] for text in (turn["question"], turn["answer"])]
            summary = {name: found[name] for name in ("id", "name", "at")}
            self._read[path] = (changed, summary, "\n".join(said).casefold())
        return self._read[path][1:]

    def _write(self, path: Path, conversation: Mapping[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(conversation, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def _named(name: str) -> str:
    return " ".join(name.split())[:_NAME]
