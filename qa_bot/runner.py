"""Answer many questions, one record each, so that no row and no crash takes others with it.

Every row gives one record, in the input's order: a row that cannot be asked and a question
whose answering failed give error records. With a journal, a finished record is on disk
before the next question begins, and is not asked for again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Protocol

from qa_bot.errors import BackendBusy, QABotError
from qa_bot.journal import Journal, Record
from qa_bot.records import answer_record, turn_of
from qa_bot.text import language_of
from qa_bot.types import Answer, Question, Turn, Usage

RETRY_WAITS = (1.0, 2.0, 4.0, 8.0)
"""Seconds to wait before a busy server is asked again."""
RETRY_WITHIN = 30.0
"""Seconds after which no second retry is begun: a call that timed out gets just one."""
AHEAD = 4
"""Rows begun before the oldest unfinished one is done, for each parallel job."""


class Ask(Protocol):
    """What answers a question, as `QABot.ask` does."""

    def __call__(self, question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        """The answer; raises a `QABotError` where there is none."""


def answer_all(
    ask: Ask,
    questions: Iterable[Question],
    journal: Journal | None = None,
    *,
    jobs: int = 1,
    retry_errors: bool = False,
    on_row: Callable[[Record], None] = lambda record: None,
    record_of: Callable[[Answer], Record] = answer_record,
) -> Generator[Record, None, None]:
    """The answer records of all questions, in their order.

    Rows that share a `conversation` are follow-ups: each is asked with the turns before it,
    unless it has a `history` of its own. A row that follows one whose answering failed is
    an error too, for its answer would be another once that one is retried.

    Args:
        ask: answers one question; with several jobs, from several threads.
        questions: their ids must differ.
        journal: gives the records it has, and keeps new ones, except of rows with a
            `problem`, which cost nothing.
        jobs: rows in hand at once; with one, they are answered in the caller's thread.
        retry_errors: ask again where the journal has an error.
        on_row: called with each record that was asked for now, once it is kept; with
            several jobs, from their threads, but never from two at once.
        record_of: makes the record of an answer.

    Raises:
        QABotError: the journal cannot be written.
    """
    rows = _Rows(ask, journal, retry_errors, on_row, record_of)
    pool = _Inline() if jobs == 1 else ThreadPoolExecutor(jobs)
    ahead = 0 if jobs == 1 else AHEAD * jobs
    pending: deque[Future[_Row]] = deque()
    conversations: dict[str, Future[_Row]] = {}
    try:
        for question in questions:
            name = str(question.fields.get("conversation") or "")
            # The pool is first in, first out: the row that this one waits for has begun.
            row = pool.submit(rows.finish, question, conversations.get(name))
            if name:
                conversations[name] = row
            pending.append(row)
            if len(pending) > ahead:
                yield pending.popleft().result().record
        while pending:
            yield pending.popleft().result().record
    finally:
        pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Finished:
    """The records of the rows that are finished, in their order; can be run through again."""

    questions: Sequence[Question]
    journal: Journal
    retry_errors: bool = False
    """Errors that can be asked again do not count as finished."""

    def __iter__(self) -> Iterator[Record]:
        for question in self.questions:
            if question.problem:
                yield _error_record(question, question.problem)
            elif record := _known(question, self.journal, self.retry_errors):
                yield record


def _known(question: Question, journal: Journal | None, retry_errors: bool) -> Record | None:
    """The journal's record, unless the question must be asked again."""
    if journal is None or question.id not in journal.done:
        return None
    record = journal.done[question.id]
    if record["question"] != question.question.strip():  # another file, with the same ids
        return None
    return None if record["status"] == "error" and retry_errors else record


@dataclass(frozen=True, slots=True)
class _Row:
    """A finished row."""

    record: Record
    turns: tuple[Turn, ...] | None
    """Its conversation up to here; None where the last question of it failed."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Finishes rows, one at a time or several in threads."""

    ask: Ask
    journal: Journal | None
    retry_errors: bool
    on_row: Callable[[Record], None]
    record_of: Callable[[Answer], Record]
    turn: Lock = field(default_factory=Lock)

    def finish(self, question: Question, before: Future[_Row] | None) -> _Row:
        """The record of a row, and its conversation with it."""
        turns = before.result().turns if before else ()
        if question.problem:  # the conversation goes on as if this row were not there
            return _Row(_error_record(question, question.problem), turns)
        turns = question.history or turns
        record = _known(question, self.journal, self.retry_errors)
        if record is None:
            record = self._answered(question, turns)
            if self.journal is not None:
                self.journal.add(record)
            with self.turn:
                self.on_row(record)
        if record["status"] == "error":
            return _Row(record, None)
        return _Row(record, (*(turns or ()), turn_of(record)))

    def _answered(self, question: Question, turns: tuple[Turn, ...] | None) -> Record:
        if turns is None:
            return _error_record(
                question,
                "the question before it in its conversation failed; ask both again "
                "(--retry-errors)",
            )
        started = time.monotonic()
        try:
            return self.record_of(self._patiently(question, turns))
        except QABotError as exc:
            problem = str(exc)
        except Exception as exc:  # a fault of ours in one row must not end a night's run
            problem = f"answering failed ({type(exc).__name__}: {exc}); please report this question"
        return _error_record(question, problem, time.monotonic() - started)

    def _patiently(self, question: Question, turns: tuple[Turn, ...]) -> Answer:
        """Ask; where the server is busy or slow, ask again, within bounds."""
        started = time.monotonic()
        for wait in RETRY_WAITS:
            try:
                return self.ask(question.question, turns, id=question.id)
            except BackendBusy:
                if wait != RETRY_WAITS[0] and time.monotonic() - started > RETRY_WITHIN:
                    raise
                time.sleep(wait)
        return self.ask(question.question, turns, id=question.id)


class _Inline:
    """A pool without threads: work is done as it is submitted, and Ctrl-C ends it."""

    def submit(self, work: Callable[..., _Row], *arguments: Any) -> Future[_Row]:
        future: Future[_Row] = Future()
        future.set_result(work(*arguments))
        return future

    def shutdown(self, *, cancel_futures: bool) -> None:
        """There is nothing to end."""


def _error_record(question: Question, problem: str, seconds: float = 0.0) -> Record:
    return answer_record(
        Answer(
            id=question.id,
            question=question.question,
            status="error",
            language=language_of(question.question, "en"),
            answer=f"This question could not be answered: {problem}",
            sentences=(),
            citations=(),
            passages=(),
            retrieved=(),
            standalone_question=question.question,
            model="",
            seconds=seconds,
            first_token_seconds=None,
            usage=Usage(),
            error=problem,
        )
    )
