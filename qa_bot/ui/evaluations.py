"""Evaluations begun on the page, over the same code as `qa-bot eval`.

One at a time for the whole server. Its questions wait for their turn among those of the page.
A run's test set is kept in its folder, so that a run cut short can go on, also after a restart.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qa_bot.errors import QABotError, UsageError
from qa_bot.evals.run import evaluate
from qa_bot.evals.testset import read_cases
from qa_bot.questions import read_questions
from qa_bot.ui.asker import Asker
from qa_bot.ui.desk import Desk
from qa_bot.ui.uploads import safe_name

KINDS = (".jsonl", ".csv")
_TEST_SET = "testset"
"""The folder, inside a run's, of the file that was dropped."""
_MOST_NOTES = 5


class Evaluations:
    """The runs below a folder that were begun here and are not finished."""

    def __init__(self, desk: Desk, folder: Path) -> None:
        self._desk = desk
        self._folder = folder
        self._run: _Run | None = None
        self._faults: dict[str, str] = {}
        """Why runs failed, by their names."""
        self._lock = threading.Lock()

    def listed(self) -> list[dict[str, Any]]:
        """Each with its name and state, the latest first; of the running one how far it is."""
        run, begun = self._run, self._unfinished()
        if run:  # its report may still be written
            begun[run.name] = time.time()
        return [self._told(name, run) for name in sorted(begun, key=lambda name: -begun[name])]

    def start(self, name: str, data: bytes) -> str:
        """Begin to evaluate with a test set; returns the run's name.

        Raises:
            UsageError: no test set, or an evaluation is running.
        """
        safe = safe_name(name)
        if Path(safe).suffix.lower() not in KINDS:
            raise UsageError(f"{safe} is no test set; take a {' or '.join(KINDS)} file")
        made = f"{Path(safe).stem}-{time.strftime('%Y-%m-%d-%H%M%S')}"
        kept = self._folder / made / _TEST_SET / safe
        try:
            kept.parent.mkdir(parents=True)
            kept.write_bytes(data)
        except OSError as exc:
            raise UsageError(
                f"no run can be kept in {self._folder} ({exc.strerror}); start qa-bot serve in "
                "a folder of your own"
            ) from exc
        try:
            read_cases(read_questions(kept))
            self._begin(made)
        except UsageError as exc:
            shutil.rmtree(self._folder / made)
            raise UsageError(str(exc).replace(str(kept), safe)) from exc
        return made

    def resume(self, name: str) -> None:
        """Go on with what is left."""
        self._begin(self._known(name))

    def stop(self, name: str) -> None:
        """Stop after what is finished; it is kept."""
        if self._run and self._run.name == name:
            self._run.asker.stopped.set()

    def remove(self, name: str) -> None:
        """Stop a run, and delete what there is of it; finished ones stay."""
        folder = self._folder / self._known(name)
        self.stop(name)
        if self._run and self._run.name == name:
            self._run.thread.join()
        shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Stop what runs, for the server ends."""
        if run := self._run:
            run.asker.stopped.set()
            run.thread.join(10)

    def _begin(self, name: str) -> None:
        with self._lock:
            if self._run:
                raise UsageError(f"{self._run.name} is running; stop it first, or wait for it")
            self._faults.pop(name, None)
            run = self._run = _Run(name, self._folder / name, self._desk, self._end)
        run.thread.start()

    def _end(self, name: str, fault: str | None) -> None:
        if fault:
            self._faults[name] = fault
        self._run = None

    def _told(self, name: str, run: _Run | None) -> dict[str, Any]:
        if run and run.name == name:
            return {"name": name, "state": "running", "notes": run.notes, **run.progress}
        fault = self._faults.get(name)
        return {"name": name, "state": "failed" if fault else "stopped", "error": fault}

    def _unfinished(self) -> dict[str, float]:
        """Their names, and when each was begun."""
        begun = {path.parent: path.stat().st_mtime for path in self._folder.glob(f"*/{_TEST_SET}")}
        return {run.name: at for run, at in begun.items() if not (run / "run.json").is_file()}

    def _known(self, name: str) -> str:
        """A name among those that are there: it is never made a path."""
        if name not in self._unfinished():
            raise UsageError(f"there is no unfinished run {name!r}; reload the page")
        return name


class _Run:
    """An evaluation under way."""

    def __init__(
        self, name: str, folder: Path, desk: Desk, ended: Callable[[str, str | None], None]
    ) -> None:
        self.name = name
        self.asker = Asker(desk)
        self.notes: list[str] = []
        """What a person should know of it."""
        self.progress: dict[str, int] = {}
        self.thread = threading.Thread(target=self._work, name="evaluation", daemon=True)
        self._folder = folder
        self._desk = desk
        self._ended = ended

    def _work(self) -> None:
        fault = None
        try:
            self._evaluate()
        except KeyboardInterrupt:
            pass  # stopped
        except QABotError as exc:
            fault = str(exc)
        except Exception as exc:
            fault = f"{type(exc).__name__}: {exc}"
            raise
        finally:
            self._ended(self.name, fault)

    def _evaluate(self) -> None:
        [testset] = (self._folder / _TEST_SET).iterdir()
        with self._desk.same_model():
            self.asker.load()
            evaluate(self.asker, testset, self._folder, resume=True, progress=self._watch,
                     notify=self._note)  # fmt: skip

    def _watch(self, done: int, total: int) -> None:
        self.progress = {"done": done, "total": total}

    def _note(self, text: str) -> None:
        if len(self.notes) < _MOST_NOTES:
            self.notes.append(text)
