"""A file of questions in, a file of answers out, as a person or a script runs it."""

from __future__ import annotations

import csv
import io
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import scripted_bot
from commands import Commands
from scripted_bot import ScriptedBot

import qa_bot
from qa_bot import cli
from qa_bot.errors import BackendError, ModelMissing
from qa_bot.questions import read_questions

ROWS = ("Who, when; where?", "refuse?", "Why?")


class Batch(Commands):
    """Runs `qa-bot batch`."""

    def __call__(self, *arguments: str) -> int:
        return super().__call__("batch", *arguments)

    def questions(self, *questions: str) -> None:
        self.write("q.jsonl", ({"question": question} for question in questions))

    def records(self, name: str = "a.jsonl") -> list[dict[str, Any]]:
        return [timeless(record) for record in self.read(name)]


def timeless(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "seconds": 0, "first_token_seconds": 0}


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Batch:
    batch = Batch.installed(tmp_path, monkeypatch, capsys)
    batch.questions(*ROWS)
    return batch


def down(question: str) -> Exception | None:
    return BackendError("the server is down: start it") if "Why" in question else None


INPUTS = {
    "q.jsonl": "".join(json.dumps({"id": str(n), "question": q}) + "\n"
                       for n, q in enumerate(ROWS, 1)),
    "q.csv": "\ufeffid;question\r\n" + "".join(f'{n};"{q}"\r\n' for n, q in enumerate(ROWS, 1)),
    "q.txt": "\n".join(ROWS),
}  # fmt: skip
READERS: dict[str, Callable[[str], list[tuple[str, str]]]] = {
    "a.jsonl": lambda text: [(r["id"], r["answer"]) for r in map(json.loads, text.splitlines())],
    "a.csv": lambda text: [
        (row["id"], row["answer"])
        for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    ],
}


@pytest.mark.parametrize("answers", ["a.jsonl", "a.csv", "a.md", "a.html"])
@pytest.mark.parametrize("questions", INPUTS)
def test_every_kind_of_file_in_and_out(run: Batch, questions: str, answers: str) -> None:
    (run.folder / questions).write_text(INPUTS[questions], encoding="utf-8")
    assert run(questions, "-o", answers) == 0
    with (run.folder / answers).open(encoding="utf-8", newline="") as file:
        text = file.read()
    if answers in READERS:
        assert READERS[answers](text) == [
            ("1", "Who, when; where? [1] and <i>more</i> [2]"),
            ("2", "Not there."),
            ("3", "Why? [1] and <i>more</i> [2]"),
        ]
    else:
        assert text.index("Who, when") < text.index("Not there") < text.rindex("Why")
    assert text.startswith("\ufeff") == (answers == "a.csv")
    assert "3 of 3 questions done: 2 answered, 1 refused, 0 failed" in run.err
    assert run.out == ""


def test_the_answers_can_be_the_next_questions(run: Batch) -> None:
    assert run("q.jsonl", "-o", "a.csv") == 0
    assert [q.question for q in read_questions(run.folder / "a.csv")] == list(ROWS)


def test_from_standard_input_to_standard_output(
    run: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"One?\nTwo?\n")))
    assert run("-", "-o", "-") == 0
    assert [json.loads(line)["question"] for line in run.out.splitlines()] == ["One?", "Two?"]
    assert [path.name for path in run.folder.iterdir()] == ["q.jsonl"]


def test_bad_rows_are_error_rows_and_the_exit_code_says_so(run: Batch) -> None:
    (run.folder / "q.csv").write_text("id,question\na,One?\na,Two?\nb,\n,,\nc,Three?,x\nd,Four?\n")
    assert run("q.csv", "-o", "a.jsonl") == 3
    assert [(r["id"], r["status"]) for r in run.records()] == [
        ("a", "answered"), ("a (2)", "error"), ("b", "error"), ("c", "error"), ("d", "answered"),
    ]  # fmt: skip
    assert "3 failed" in run.err
    assert "--retry-errors" in run.err


@pytest.mark.parametrize("answers", ["a.jsonl", "a.csv", "a.md", "a.html"])
def test_no_questions_give_no_answers(run: Batch, answers: str) -> None:
    run.questions()
    assert run("q.jsonl", "-o", answers) == 0
    assert (run.folder / answers).is_file()
    assert "0 of 0" in run.err


def test_resume_asks_only_what_is_left(run: Batch) -> None:
    assert run("q.jsonl", "-o", "a.jsonl", "--limit", "2") == 0
    assert len(run.records()) == 2
    assert run("q.jsonl", "-o", "a.jsonl", "--resume") == 0
    assert run.bot.asked == ["3"]
    resumed = run.records()
    assert run("q.jsonl", "-o", "a.jsonl") == 0
    assert run.bot.asked == ["1", "2", "3"]
    assert run.records() == resumed


def test_resume_without_earlier_output_starts_afresh(run: Batch) -> None:
    assert run("q.jsonl", "-o", "a.csv", "--resume") == 0
    assert len(run.bot.asked) == 3


def test_resume_needs_the_state_of_answers_that_exist(run: Batch) -> None:
    (run.folder / "a.csv").write_text("precious")
    assert run("q.jsonl", "-o", "a.csv", "--resume") == 2
    assert "a.csv.state" in run.err
    assert (run.folder / "a.csv").read_text() == "precious"


@pytest.mark.parametrize("change", ["questions", "configuration"])
def test_resume_refuses_another_run_unless_told_to(run: Batch, change: str) -> None:
    assert run("q.jsonl", "-o", "a.jsonl") == 0
    before = (run.folder / "a.jsonl").read_bytes()
    if change == "questions":
        run.questions(*ROWS[:2], "Another?")
    else:
        run.bot.settings = {"model": "another"}
    assert run("q.jsonl", "-o", "a.jsonl", "--resume") == 2
    assert ("questions_sha256" if change == "questions" else "'another' now") in run.err
    assert (run.folder / "a.jsonl").read_bytes() == before
    assert run("q.jsonl", "-o", "a.jsonl", "--resume", "--force") == 0
    assert run.bot.asked == (["3"] if change == "questions" else [])
    assert [r["id"] for r in run.records()] == ["1", "2", "3"]


def test_a_note_in_the_file_does_not_make_it_another(run: Batch) -> None:
    assert run("q.jsonl", "-o", "a.jsonl") == 0
    (run.folder / "q.csv").write_text(
        "question,note\n" + "".join(f'"{question}",new\n' for question in ROWS)
    )
    assert run("q.csv", "-o", "a.jsonl", "--resume") == 0
    assert run.bot.asked == []


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_failed_rows_are_completed_later(run: Batch, jobs: str) -> None:
    run.questions("Why not?", *ROWS, "Last?")
    run.bot.fault = down
    assert run("q.jsonl", "-o", "a.jsonl", "--jobs", jobs) == 3
    assert [r["status"] for r in run.records()] == [
        "error", "answered", "refused", "error", "answered",
    ]  # fmt: skip
    assert run.records()[0]["error"] == "the server is down: start it"
    run.bot.fault = lambda question: None
    assert run("q.jsonl", "-o", "a.jsonl", "--resume") == 3  # resuming alone asks no error again
    assert run("q.jsonl", "-o", "a.jsonl", "--retry-errors", "--jobs", jobs) == 0
    assert sorted(run.bot.asked) == ["1", "4"]
    retried = run.records()
    assert run("q.jsonl", "-o", "a.jsonl") == 0
    assert run.records() == retried


@pytest.mark.parametrize("answers", ["a.jsonl", "a.csv"])
def test_ctrl_c_writes_out_what_is_finished_and_says_how_to_go_on(run: Batch, answers: str) -> None:
    def interrupt(question: str) -> Exception | None:
        if "refuse" in question:
            raise KeyboardInterrupt
        return None

    run.bot.fault = interrupt
    assert run("q.jsonl", "-o", answers) == 130
    assert "--resume" in run.err
    text = (run.folder / answers).read_text(encoding="utf-8")
    assert "Who, when" in text
    assert "refuse" not in text
    run.bot.fault = lambda question: None
    assert run("q.jsonl", "-o", answers, "--resume") == 0
    assert run.bot.asked == ["2", "3"]


def test_json_lines_grow_with_every_answer(run: Batch) -> None:
    seen = []

    def look(question: str) -> Exception | None:
        seen.append([record["id"] for record in run.records()])
        return None

    run.bot.fault = look
    assert run("q.jsonl", "-o", "a.jsonl") == 0
    assert seen == [[], ["1"], ["1", "2"]]


def test_a_retry_takes_nothing_from_the_answers_meanwhile(run: Batch) -> None:
    run.questions("Why?", "One?", "Two?")
    run.bot.fault = down
    assert run("q.jsonl", "-o", "a.jsonl") == 3
    seen = []

    def look(question: str) -> Exception | None:
        seen.append([record["id"] for record in run.records()])
        return None

    run.bot.fault = look
    assert run("q.jsonl", "-o", "a.jsonl", "--retry-errors") == 0
    assert seen == [["2", "3"]]
    assert [record["id"] for record in run.records()] == ["1", "2", "3"]


def test_what_no_row_could_survive_ends_the_run_before_the_first(
    run: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> dict[str, Any]:
        raise ModelMissing("the model is absent: qa-bot models pull")

    monkeypatch.setattr(run.bot, "configuration", missing)
    assert run("q.jsonl", "-o", "a.jsonl") == 5
    assert [path.name for path in run.folder.iterdir()] == ["q.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["q.jsonl", "-o", "a.xlsx"], "a.xlsx"),
        (["q.jsonl", "-o", "absent/a.csv"], "absent"),
        (["q.jsonl", "-o", "q.jsonl"], "overwrite"),
        (["q.jsonl", "-o", "./q.jsonl", "--resume"], "overwrite"),
        (["q.jsonl", "-o", "-", "--resume"], "standard output"),
        (["q.jsonl", "-o", "a.csv", "--limit", "0"], "--limit is 0"),
        (["q.jsonl", "-o", "a.csv", "--jobs", "-1"], "--jobs is -1"),
        (["absent.csv", "-o", "a.csv"], "absent.csv"),
    ],
)
def test_wrong_usage_is_named_before_anything_is_asked(
    run: Batch, arguments: list[str], named: str
) -> None:
    assert run(*arguments) == 2
    assert named in run.err
    assert run.bot.asked == []
    assert [path.name for path in run.folder.iterdir()] == ["q.jsonl"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_only(
    run: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("q.jsonl", "-o", "a.csv") == 0
    assert len(run.err.splitlines()) == 1
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "120")
    cli.main(["batch", "q.jsonl", "-o", "a.csv"])
    shown = sys.stderr.getvalue().split("\r\x1b[K")  # type: ignore[attr-defined]
    assert shown[1] == "0/3 done, 0 failed, 0 refused"
    assert shown[3].startswith("2/3 done, 0 failed, 1 refused, 0.")
    assert shown[3].endswith(" s left")
    assert shown[-1].startswith("3 of 3 questions done")


def test_a_document_tells_how_it_was_made(run: Batch) -> None:
    run.bot.settings = {"model": "tiny-7b", "context_window": 4096}
    for name in ("a.html", "a.md"):
        assert run("q.jsonl", "-o", name) == 0
        text = (run.folder / name).read_text(encoding="utf-8").replace("\\", "")
        for shown in ("Answers to q.jsonl", "tiny-7b", "context window", "4096", "2020-11-23"):
            assert shown in text


@pytest.mark.slow
def test_a_kill_at_any_moment_loses_nothing_and_repeats_nothing(run: Batch) -> None:
    """Twenty times `kill -9`; then the file is that of a run that nothing disturbed."""
    chance = random.Random(7)  # noqa: S311 - moments, not secrets
    run.questions(*(f"Question {n}?" for n in range(1000)))
    assert run("q.jsonl", "-o", "whole.jsonl") == 0
    command = [sys.executable, scripted_bot.__file__, "q.jsonl", "a.jsonl", "0.002"]
    sizes = []
    for _ in range(20):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()  # it has begun
            time.sleep(chance.uniform(0, 0.04))
            process.kill()
        found = [record["id"] for record in run.records()] if whole_lines(run.folder) else []
        assert len(found) == len(set(found))
        sizes.append(len(found))
    assert len(set(sizes)) > 5
    assert sizes[-1] < 1000
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert run.records() == run.records("whole.jsonl")


def whole_lines(folder: Path) -> bool:
    """Whether the answers end in a whole line; a kill may tear the one being written."""
    return (folder / "a.jsonl").read_bytes().endswith(b"\n")


def test_an_embedded_model_is_asked_one_question_at_a_time(run: Batch) -> None:
    """Two at once would each change what the other finds in the prefix cache."""
    run.bot.takes_jobs = False
    threads = set()

    def look(question: str) -> Exception | None:
        threads.add(threading.get_ident())
        return None

    run.bot.fault = look
    assert run("q.jsonl", "-o", "a.jsonl", "--jobs", "3") == 0
    assert threads == {threading.get_ident()}


def test_a_notebook_gets_the_same_records() -> None:
    bot: Any = ScriptedBot()
    rows = [{"id": "x", "question": "Who?", "conversation": "c"},
            {"question": "And when?", "conversation": "c"}, ""]  # fmt: skip
    records = list(qa_bot.answer_all(bot, rows))
    assert [record["id"] for record in records] == ["x", "2", "3"]
    assert [record["status"] for record in records] == ["answered", "answered", "error"]
    assert "after Who?" in records[1]["answer"]


def test_a_notebook_may_name_a_file(tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("One?\nTwo?\n")
    bot: Any = ScriptedBot()
    assert len(list(qa_bot.answer_all(bot, tmp_path / "q.txt", jobs=2))) == 2
