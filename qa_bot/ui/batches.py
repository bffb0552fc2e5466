"""Files of questions answered in the background, over the same code as `qa-bot batch`.

Each batch has a folder of its own. Its questions wait for their turn among those of the page,
one by one, so that a person who asks waits for one question of a batch at most.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qa_bot.batch import WRITERS, Progress, batch
from qa_bot.errors import QABotError, UsageError
from qa_bot.exports import About
from qa_bot.questions import read_questions
from qa_bot.ui.asker import Asker
from qa_bot.ui.desk import Desk
from qa_bot.ui.uploads import safe_name

MOST = 50
"""Batches of one owner, so that nobody fills the disk by accident."""
KINDS = (".jsonl", ".csv", ".txt")
_ANSWERS = "answers.jsonl"
_ABOUT = "about.json"
_ID = re.compile(r"[0-9a-f]{16}")


class Batches:
    """All owners' batches below a folder."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self._desk = desk
        self._folder = folder
        self._running: dict[Path, _Run] = {}
        self._lock = threading.Lock()

    def listed(self, owner: str) -> list[dict[str, Any]]:
        """Every batch of an owner and how far it is, the latest first."""
        found = [self._told(path.parent) for path in self._of(owner).glob(f"*/{_ABOUT}")]
        return sorted(found, key=lambda item: -item["at"])

    def start(self, owner: str, name: str, data: bytes) -> str:
        """Begin to answer a file of questions; returns the batch's id.

        Raises:
            UsageError: no file of questions, or too many batches.
        """
        safe = safe_name(name)
        suffix = Path(safe).suffix.lower()
        if suffix not in KINDS:
            raise UsageError(f"{safe} is no file of questions; take a {', '.join(KINDS)} file")
        if len(self.listed(owner)) >= MOST:
            raise UsageError(f"{MOST} batches are kept already; delete some of them")
        made = secrets.token_hex(8)
        folder = self._of(owner) / made
        folder.mkdir(parents=True, mode=0o700)
        questions = folder / f"questions{suffix}"
        questions.write_bytes(data)
        try:
            rows = len(read_questions(questions))
        except UsageError as exc:
            shutil.rmtree(folder)
            raise UsageError(str(exc).replace(str(questions), safe)) from exc
        about = {"id": made, "name": safe, "at": time.time_ns() // 1_000_000, "total": rows}
        _keep(folder, about)
        self._run(folder, questions)
        return made

    def resume(self, owner: str, id: str) -> None:
        """Go on with what is left, and ask again what failed."""
        folder = self._at(owner, id)
        self._run(folder, next(folder.glob("questions.*")))

    def stop(self, owner: str, id: str) -> None:
        """Stop after what is finished; it is kept."""
        if run := self._running.get(self._at(owner, id)):
            run.asker.stopped.set()

    def remove(self, owner: str, id: str) -> None:
        """Stop a batch, and delete its questions and answers."""
        folder = self._at(owner, id)
        if run := self._running.get(folder):
            run.asker.stopped.set()
            run.thread.join()
        shutil.rmtree(folder, ignore_errors=True)

    def answers(self, owner: str, id: str, kind: str) -> str:
        """The finished answers as a file: `jsonl`, `csv`, `md` or `html`.

        Raises:
            UsageError: another kind, or nothing is finished yet.
        """
        folder = self._at(owner, id)
        write = WRITERS.get(f".{kind}")
        if write is None:
            raise UsageError(f"{kind!r} is no kind of file; take {', '.join(WRITERS)}")
        try:
            *lines, _ = (folder / _ANSWERS).read_text("utf-8").split("\n")  # whole lines only
        except FileNotFoundError as exc:
            raise UsageError("no question of this batch is answered yet; wait a moment") from exc
        records = [json.loads(line) for line in lines]
        about = About(
            f"Answers to {self._about(folder)['name']}", self._desk.configuration(),
            self._desk.dates(),
        )  # fmt: skip
        file = io.StringIO(newline="")
        write(records, file, about)
        return file.getvalue()

    def close(self) -> None:
        """Stop all of them, for the server ends."""
        for run in list(self._running.values()):
            run.asker.stopped.set()
        for run in list(self._running.values()):
            run.thread.join(10)

    def _run(self, folder: Path, questions: Path) -> None:
        with self._lock:
            if folder in self._running:
                raise UsageError("this batch is running already")
            run = self._running[folder] = _Run(folder, questions, self._desk)
        run.thread = threading.Thread(target=self._finish, args=(run,), name="batch", daemon=True)
        run.thread.start()

    def _finish(self, run: _Run) -> None:
        try:
            ended = run.answer()
            # Before it counts as ended, so that nobody finds it neither running nor told of.
            _keep(run.folder, {**self._about(run.folder), **ended})
        finally:
            self._running.pop(run.folder, None)

    def _told(self, folder: Path) -> dict[str, Any]:
        run = self._running.get(folder)
        about = self._about(folder)
        if run:
            return {**about, "state": "running", **run.progress}
        return {"state": "stopped", **about}  # also where the server ended in its middle

    def _about(self, folder: Path) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((folder / _ABOUT).read_text("utf-8"))
        return found

    def _of(self, owner: str) -> Path:
        return self._folder / hashlib.sha256(owner.encode()).hexdigest()[:32]

    def _at(self, owner: str, id: str) -> Path:
        folder = self._of(owner) / id
        if not _ID.fullmatch(id) or not (folder / _ABOUT).is_file():
            raise UsageError("this batch is not there any more; begin a new one")
        return folder


class _Run:
    """A batch under way."""

    thread: threading.Thread

    def __init__(self, folder: Path, questions: Path, desk: Desk) -> None:
        self.folder = folder
        self.asker = Asker(desk)
        self.progress: Mapping[str, Any] = {}
        self._questions = questions
        self._desk = desk

    def answer(self) -> dict[str, Any]:
        """Answer what is left; returns how it ended."""
        try:
            with self._desk.same_model():
                batch(self.asker, self._questions, self.folder / _ANSWERS, out=sys.stdout,
                      force=True, retry_errors=True, watch=self._watch)  # fmt: skip
        except KeyboardInterrupt:
            return {"state": "stopped", **self.progress}
        except QABotError as exc:
            return {"state": "failed", "error": str(exc), **self.progress}
        return {"state": "done", "error": None, **self.progress}

    def _watch(self, progress: Progress) -> None:
        self.progress = {
            "total": progress.total,
            "answered": progress.answered,
            "refused": progress.refused,
            "failed": progress.failed,
            "left": progress.seconds_left,
        }


def _keep(folder: Path, about: Mapping[str, Any]) -> None:
    """Replace what is told of a batch, whole: it may be read meanwhile."""
    temporary = folder / f"{_ABOUT}.new"
    temporary.write_text(json.dumps(about), encoding="utf-8")
    temporary.replace(folder / _ABOUT)
