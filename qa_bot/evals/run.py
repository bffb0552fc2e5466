"""Answer a test set with the bot as it is, score each answer, write the run's folder.

Finished answers are in the folder's journal before the next question begins, so a run that
was killed goes on where it was; scoring comes after and always covers the whole set.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from qa_bot.errors import ThresholdMissed, UsageError
from qa_bot.evals.gold import missing_gold
from qa_bot.evals.metrics import LOWER_IS_BETTER, METRICS
from qa_bot.evals.report import write_reports
from qa_bot.evals.scorers import judged
from qa_bot.evals.summary import summarise
from qa_bot.evals.testset import Case, read_cases
from qa_bot.journal import Journal, Record
from qa_bot.questions import read_questions
from qa_bot.records import answer_record
from qa_bot.runner import answer_all
from qa_bot.text import language_of
from qa_bot.types import Answer, Hit, Question, Turn, Usage

STATE = "answers.state"
"""The journal of a run, inside its folder."""
DEPTH = 20
"""How far down a ranking is scored."""
SEARCHED = ("id", "question", "language", "retrieved", "seconds", "error")
"""What is kept of a record without an answer."""


class Bot(Protocol):
    """What an evaluation needs of a bot; `qa_bot.app.QABot` is one."""

    def configuration(self, *, model: bool = True) -> dict[str, Any]:
        """What answers depend on besides the question."""

    def ask(self, question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        """The answer to a question."""

    def search(self, query: str, k: int) -> list[Hit]:
        """The `k` best passages."""

    def read_text(self, source: str) -> str | None:
        """A document's text; None where there is no such document."""


@dataclass(frozen=True, slots=True)
class Part:
    """Which questions of a test set are asked."""

    split: str | None = None
    limit: int | None = None

    def of(self, questions: Sequence[Question]) -> list[Question]:
        """The chosen questions, in their order.

        Raises:
            UsageError: none is left.
        """
        chosen = [q for q in questions if self.split in (None, q.fields.get("split"))]
        if not chosen:
            splits = sorted({str(q.fields["split"]) for q in questions if q.fields.get("split")})
            where = f"in the split {self.split!r}; it has {', '.join(splits) or 'no splits'}"
            raise UsageError(f"the test set has no question {where if self.split else 'in it'}")
        return chosen[: self.limit]


def evaluate(
    bot: Bot,
    testset: Path,
    folder: Path,
    *,
    part: Part = Part(),
    resume: bool = False,
    retrieval_only: bool = False,
    answers: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    notify: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Answer and score a test set into `folder`; returns what its `run.json` holds.

    Args:
        bot: what is measured.
        testset: .jsonl or .csv with gold fields (README, "Evaluate").
        folder: made if missing; an earlier run in it is replaced.
        part: which of the questions.
        resume: keep the answers that an earlier run of the same kind finished.
        retrieval_only: search, and leave the language model out.
        answers: a .jsonl of answer records to score in place of asking.
        progress: called with the questions done, and how many there are.
        notify: called with what a person should know, as gold that no document holds.

    Raises:
        UsageError: a bad test set or answers file, or a run that cannot be resumed.
        ServiceError: a needed model or server is not there.
    """
    if answers and retrieval_only:
        raise UsageError("--answers and --retrieval-only exclude each other; leave one out")
    started = datetime.now(UTC)
    questions = part.of(read_questions(testset))
    read_text = cache(bot.read_text)
    cases = read_cases(questions, read_text)
    for fault in missing_gold(cases, read_text):
        notify(fault)
    described = _described(testset, part, len(cases))
    _make(folder)
    if answers:
        configuration: dict[str, Any] = {"answers": answers.name}
        records: list[Record] = _given(answers, questions)
    else:
        configuration = bot.configuration(model=not retrieval_only)
        asked = {"test_set": described["sha256"], "retrieval_only": retrieval_only}
        with Journal.open(folder / STATE, {**asked, **configuration}, resume=resume) as journal:
            records = []
            for record in _records(bot, questions, journal, retrieval_only):
                records.append(record)
                progress(len(records), len(questions))
    if retrieval_only:
        records = [{name: record[name] for name in SEARCHED} for record in records]
    rows = [
        {**record, **_fields(case, record), **judged(case, record, read_text)}
        for case, record in zip(cases, records, strict=True)
    ]
    run = {
        "format": 1,
        "test_set": described,
        "configuration": configuration,
        "retrieval_only": retrieval_only,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(sum(row.get("seconds") or 0 for row in rows), 1),
        **summarise(rows),
    }
    _write(folder / "results.jsonl", (json.dumps(row, ensure_ascii=False) for row in rows))
    _write(folder / "run.json", [json.dumps(run, ensure_ascii=False, indent=1)])
    write_reports(folder)
    return run


def _described(testset: Path, part: Part, questions: int) -> dict[str, Any]:
    """What `run.json` says of the test set."""
    return {
        "name": testset.name,
        "sha256": hashlib.sha256(testset.read_bytes()).hexdigest(),
        "questions": questions,
        "split": part.split,
        "limit": part.limit,
    }


def thresholds(wanted: Iterable[str]) -> dict[str, float]:
    """`METRIC=VALUE` arguments by metric.

    Raises:
        UsageError: one that is not written so, or of a metric that is none.
    """
    found = {}
    for text in wanted:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError as exc:
            raise UsageError(
                f"--fail-under {text!r}: write METRIC=VALUE, such as answer_match=0.8"
            ) from exc
    if unknown := [name for name in found if name not in METRICS]:
        raise UsageError(
            f"--fail-under {unknown[0]}: there is no such metric, only {', '.join(METRICS)}"
        )
    return found


def check_thresholds(run: Mapping[str, Any], wanted: Mapping[str, float]) -> None:
    """Hold a run's metrics against thresholds; where less is better, the value is the most.

    Raises:
        UsageError: the run has no value of such a metric.
        ThresholdMissed: one or more are missed; the message names each.
    """
    missed = []
    for name, bound in wanted.items():
        estimate = run["metrics"].get(name)
        if estimate is None or estimate["value"] is None:
            raise UsageError(
                f"--fail-under {name}: this run has no value of it, only of "
                + ", ".join(n for n, e in run["metrics"].items() if e["value"] is not None)
            )
        value = estimate["value"]
        if value > bound if name in LOWER_IS_BETTER else value < bound:
            missed.append(f"{name} is {value:.3f}, not {bound:g}")
    if missed:
        raise ThresholdMissed("; ".join(missed))


def _records(
    bot: Bot, questions: Sequence[Question], journal: Journal, retrieval_only: bool
) -> Iterable[Record]:
    if retrieval_only:
        return answer_all(_Searching(bot), questions, journal)
    return answer_all(bot.ask, questions, journal, record_of=_with_confidence)


def _with_confidence(answer: Answer) -> Record:
    steps = [
        {"name": step.name, "seconds": round(step.seconds, 3), **step.values}
        for step in answer.steps
    ]
    return {**answer_record(answer), "confidence": answer.confidence, "steps": steps}


@dataclass(frozen=True, slots=True)
class _Searching:
    """Asks for the ranking alone."""

    bot: Bot

    def __call__(self, question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        del history  # making a follow-up stand alone would take the language model
        begun = time.perf_counter()
        hits = tuple(self.bot.search(question, DEPTH))
        return Answer(
            id=id,
            question=question,
            status="refused",
            language=language_of(question, "en"),
            answer="",
            sentences=(),
            citations=(),
            passages=(),
            retrieved=hits,
            standalone_question=question,
            model="",
            seconds=time.perf_counter() - begun,
            first_token_seconds=None,
            usage=Usage(),
        )


def _fields(case: Case, record: Record) -> dict[str, Any]:
    """The scalar fields of the test set's row that the record has not, and the case's slices."""
    kept = {
        name: value
        for name, value in case.question.fields.items()
        if isinstance(value, str | int | float) and name not in record
    }
    return kept | dict(case.slices)


def _given(path: Path, questions: Sequence[Question]) -> list[Record]:
    """Records that were made elsewhere, in the test set's order; missing ones are errors."""
    by_id: dict[str, Record] = {}
    try:
        for line in path.read_text(encoding="utf-8-sig").split("\n"):
            if line.strip():
                record = json.loads(line)
                by_id[str(record["id"])] = record
    except (OSError, UnicodeDecodeError) as exc:
        raise UsageError(f"the answers {path} cannot be read ({exc}); check the name") from exc
    except (ValueError, KeyError, TypeError) as exc:
        raise UsageError(
            f'{path}: each line must be a JSON object with an "id" ({exc!r}); mend the file'
        ) from exc
    missing = {"status": "error", "error": f"there is no answer of this id in {path.name}"}
    return [
        {"status": "answered", **by_id.get(q.id, missing), "id": q.id, "question": q.question}
        for q in questions
    ]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise UsageError(
            f"the run's folder {folder} cannot be made ({exc.strerror}); name another with -o"
        ) from exc


def _write(path: Path, lines: Iterable[str]) -> None:
    """Replace a file as a whole."""
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    temporary.replace(path)
