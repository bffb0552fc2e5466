"""A file of questions in, a file of cited answers out.

What is finished lies in the journal `ANSWERS.state`. The answers' file is made from it,
whole and in the questions' order, at the end and when a run is interrupted; JSON lines
also grow while it goes on.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TextIO

from qa_bot.errors import QABotError, UsageError
from qa_bot.exports import About, write_csv, write_html, write_markdown
from qa_bot.journal import Journal, Record
from qa_bot.questions import read_questions
from qa_bot.runner import Finished, answer_all
from qa_bot.types import Answer, Question, Turn


class Bot(Protocol):
    """What a batch needs of a bot; `qa_bot.app.QABot` is one."""

    @property
    def takes_jobs(self) -> bool:
        """Whether several questions may be asked at once."""

    def load(self) -> None:
        """Load what answering needs."""

    def configuration(self) -> dict[str, Any]:
        """What answers depend on besides the question."""

    def dates(self) -> Mapping[str, str | None]:
        """The date of every document."""

    def ask(self, question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        """The answer to a question."""


@dataclass(slots=True)
class Progress:
    """How far a batch is."""

    total: int
    to_ask: int
    """Rows to ask in this run; the others are finished, or cannot be asked."""
    asked: int = 0
    answered: int = 0
    refused: int = 0
    failed: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def done(self) -> int:
        """Finished rows."""
        return self.answered + self.refused + self.failed

    def count(self, record: Record) -> None:
        """Count a finished row."""
        self.answered += record["status"] == "answered"
        self.refused += record["status"] == "refused"
        self.failed += record["status"] == "error"

    def count_asked(self, _: Record) -> None:
        """Count a question that was asked in this run."""
        self.asked += 1

    @property
    def pace(self) -> float | None:
        """Seconds a question, so far; None before the first one."""
        return (time.monotonic() - self.started) / self.asked if self.asked else None

    @property
    def seconds_left(self) -> float | None:
        """What the rest will take at this pace; None before the first question."""
        return None if self.pace is None else self.pace * (self.to_ask - self.asked)

    def line(self) -> str:
        """Where it stands, for a person who waits."""
        text = f"{self.done}/{self.total} done, {self.failed} failed, {self.refused} refused"
        if self.pace is None or self.seconds_left is None:
            return text
        return f"{text}, {self.pace:.1f} s a question, {_duration(self.seconds_left)} left"

    def summary(self) -> str:
        """What came of it."""
        text = (f"{self.done} of {self.total} questions done: {self.answered} answered, "
                f"{self.refused} refused, {self.failed} failed")  # fmt: skip
        if not self.asked:
            return f"{text}."
        seconds = time.monotonic() - self.started
        pace = f"{seconds / self.asked:.1f} s each"
        return f"{text}. {self.asked} asked in {_duration(seconds)}, {pace}."


def batch(
    bot: Bot,
    questions: Path | Literal["-"],
    answers: Path | Literal["-"],
    *,
    out: TextIO,
    resume: bool = False,
    force: bool = False,
    retry_errors: bool = False,
    limit: int | None = None,
    jobs: int = 1,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Answer every question of a file; each is on disk before the next begins.

    Args:
        bot: what answers.
        questions: a .jsonl, .csv or .txt file, or `-` for standard input.
        answers: a .jsonl, .csv, .md or .html file, or `-` for JSON lines to `out`.
        out: standard output.
        resume: go on with `ANSWERS.state`; without it an earlier run is overwritten.
        force: resume although the questions or the configuration differ: rows that are
            done are asked again only where their question differs.
        retry_errors: resume, and ask again what failed.
        limit: take only so many rows of the file.
        jobs: questions in hand at once, where the bot takes several.
        watch: called before the first row and after every one.

    Returns:
        What came of it.

    Raises:
        UsageError: a file or number that cannot be used, or another run's state.
        ServiceError: a needed model or server is not there.
        IndexUnusable: the index must be rebuilt.
        KeyboardInterrupt: interrupted; what is finished is kept, and written out.
    """
    resume = resume or retry_errors or force
    _check(questions, answers, resume, limit, jobs)
    rows = read_questions(questions)
    if answers == "-":
        bot.load()  # what no row could survive ends the run before the first
        return _to_stream(bot, rows[:limit], out, jobs if bot.takes_jobs else 1, watch)
    identity = {"questions_sha256": _digest(rows), **bot.configuration()}
    jobs = jobs if bot.takes_jobs else 1
    rows = rows[:limit]
    with Journal.open(_state(answers), identity, resume=resume, force=force) as journal:
        known = Finished(rows, journal, retry_errors)
        progress = Progress(len(rows), len(rows) - sum(1 for _ in known))
        records = answer_all(bot.ask, rows, journal, jobs=jobs, retry_errors=retry_errors,
                             on_row=progress.count_asked)  # fmt: skip
        try:
            with closing(records):
                watched = _watched(records, progress, watch)
                if answers.suffix.lower() == ".jsonl":
                    _grow(answers, known if journal.done else (), watched)
                else:
                    deque(watched, maxlen=0)
        finally:
            made = {"questions": str(questions), "written": _now(), **identity}
            about = About(_title(questions), made, bot.dates())
            _replace(answers, Finished(rows, journal), about)
    return progress


def _to_stream(
    bot: Bot,
    rows: Sequence[Question],
    out: TextIO,
    jobs: int,
    watch: Callable[[Progress], None],
) -> Progress:
    progress = Progress(len(rows), sum(not row.problem for row in rows))
    with closing(answer_all(bot.ask, rows, jobs=jobs, on_row=progress.count_asked)) as records:
        write_jsonl(_watched(records, progress, watch), out)
    return progress


def write_jsonl(records: Iterable[Record], file: TextIO, about: About | None = None) -> None:
    """Answer records as they are, a line each, each written through at once."""
    for record in records:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")
        file.flush()


WRITERS: dict[str, Callable[[Iterable[Record], TextIO, About], None]] = {
    ".jsonl": write_jsonl,
    ".csv": write_csv,
    ".md": write_markdown,
    ".html": write_html,
}


def _check(
    questions: Path | str, answers: Path | str, resume: bool, limit: int | None, jobs: int
) -> None:
    """Refuse what would fail or do harm, before models are loaded for it."""
    for name, number in (("--limit", limit), ("--jobs", jobs)):
        if number is not None and number < 1:
            raise UsageError(f"{name} is {number}; give 1 or more")
    if isinstance(answers, str):
        if resume:
            raise UsageError("standard output cannot be resumed; name a file with -o")
        return
    if answers.suffix.lower() not in WRITERS or answers.is_dir():
        raise UsageError(
            f"{answers} is no file for answers: name a {', '.join(WRITERS)} file, or -"
        )
    if not answers.parent.is_dir():
        raise UsageError(f"the folder {answers.parent} is missing; make it, or name another")
    if isinstance(questions, Path) and questions.resolve() == answers.resolve():
        raise UsageError(
            f"the answers would overwrite the questions {questions}; name another file"
        )
    if resume and answers.exists() and not _state(answers).exists():
        raise UsageError(
            f"{answers} cannot be resumed without {_state(answers)}, which is missing; "
            "restore that file, or overwrite the answers by leaving --resume out"
        )


def _state(answers: Path) -> Path:
    return answers.with_name(f"{answers.name}.state")


def _watched(
    records: Iterable[Record], progress: Progress, watch: Callable[[Progress], None]
) -> Iterator[Record]:
    """The records, counted as they pass."""
    watch(progress)
    for record in records:
        progress.count(record)
        yield record
        watch(progress)


def _grow(answers: Path, known: Iterable[Record], records: Iterable[Record]) -> None:
    """Let a file of JSON lines hold what is known, and each new record once it is there."""
    _replace(answers, known, About(""))
    written = {record["id"] for record in known}
    with answers.open("a", encoding="utf-8", newline="\n") as file:
        write_jsonl((record for record in records if record["id"] not in written), file)


def _replace(answers: Path, records: Iterable[Record], about: About) -> None:
    """Write the answers' file so that a reader, or a crash, meets the old or the new one whole."""
    suffix = answers.suffix.lower()
    temporary = answers.with_name(f"{answers.name}.new")
    encoding, newline = ("utf-8-sig", "") if suffix == ".csv" else ("utf-8", "\n")
    try:
        with temporary.open("w", encoding=encoding, newline=newline) as file:
            WRITERS[suffix](records, file, about)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(answers)
    except OSError as exc:
        raise QABotError(
            f"{answers} cannot be written ({exc.strerror}); what is finished is kept: close what "
            "has it open, or make room, then go on with --resume"
        ) from exc


def _digest(questions: Iterable[Question]) -> str:
    """One hash of all that answers depend on in a file of questions: SHA-256, in hex."""
    seal = hashlib.sha256()
    for row in questions:
        parts = [row.id, row.question, row.history, row.fields.get("conversation"), row.problem]
        seal.update(json.dumps(parts).encode() + b"\n")
    return seal.hexdigest()


def _title(questions: Path | str) -> str:
    return f"Answers to {questions.name}" if isinstance(questions, Path) else "Answers"


def _now() -> str:
    return f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"


def _duration(seconds: float) -> str:
    """Seconds, minutes or hours, as one says them."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
