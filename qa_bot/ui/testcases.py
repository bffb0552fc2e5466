"""Answers that people judged, as rows of a test set: `qa-bot eval` reads the file."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qa_bot.errors import UsageError
from qa_bot.records import turn_of

NO_ANSWER = "not_in_documents"
"""The reason of a thumb down that says: this should have been refused."""
_MARKER = re.compile(r"\s*\[\d+\]")


class TestCases:
    """A file of test cases for each owner, below a folder."""

    __test__ = False  # for pytest: this is no test

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def add(self, owner: str, conversation: Mapping[str, Any], turn: int) -> None:
        """Add a turn of a conversation; a row of the same turn before is replaced.

        Raises:
            UsageError: there is no such turn.
        """
        if not 0 <= turn < len(conversation["turns"]):
            raise UsageError("this answer is not there any more; reload the page")
        row = case_of(conversation, turn)
        path = self._path(owner)
        with self._lock:
            lines = self.text(owner).splitlines()
            kept = [line for line in lines if json.loads(line)["id"] != row["id"]]
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = path.with_suffix(".new")
            kept.append(json.dumps(row, ensure_ascii=False))
            temporary.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
            temporary.replace(path)

    def count(self, owner: str) -> int:
        """How many there are."""
        return self.text(owner).count("\n")

    def text(self, owner: str) -> str:
        """The file: JSON lines, empty where there are none."""
        try:
            return self._path(owner).read_text("utf-8")
        except FileNotFoundError:
            return ""

    def _path(self, owner: str) -> Path:
        return self._folder / f"{hashlib.sha256(owner.encode()).hexdigest()[:32]}.jsonl"


def case_of(conversation: Mapping[str, Any], turn: int) -> dict[str, Any]:
    """A row of a test set: what is right about this answer, or what would have been.

    A right answer gives its own quotes as gold; a wrong one gives what the person wrote in
    its place. Without a vote nothing is said of the answer but whether there should be one.
    """
    record = conversation["turns"][turn]
    vote = record.get("vote") or {}
    answered = record["status"] == "answered"
    wrong = vote.get("vote") == "down"
    answerable = (not answered or vote.get("reason") != NO_ANSWER) if wrong else answered
    row: dict[str, Any] = {
        "id": f"{conversation['id']}-{turn + 1}",
        "question": record["question"],
        "lang": record["language"],
        "answerable": answerable,
        "type": f"thumb {vote['vote']}" if vote else "chat",
    }
    if history := [list(turn_of(item)) for item in conversation["turns"][:turn]]:
        row["history"] = history
    if vote.get("reason"):
        row["reason"] = vote["reason"]
    if answerable and wrong and vote.get("right"):
        row["answers"] = [line.strip() for line in vote["right"].split("\n") if line.strip()]
    if answerable and not wrong:
        row["answers"] = [_MARKER.sub("", record["answer"]).strip()]
        row["gold_passages"] = [item["quote"] for item in record["citations"]]
        row["passage_docs"] = [item["source"] for item in record["citations"]]
        row["gold_docs"] = list(dict.fromkeys(row["passage_docs"]))
    return row
