"""`qa-bot eval` and `qa-bot compare`, as a person or a script runs them."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Commands
from scripted_bot import QUOTE

from qa_bot.errors import BackendError

GOLD = {"gold_docs": ["fr.txt"], "gold_passages": [QUOTE[:28]], "passage_docs": ["fr.txt"]}
ROWS: list[dict[str, Any]] = [
    {"id": "a", "question": "130 who?", "answers": ["130"], **GOLD, "type": "cross", "split": "x"},
    {"id": "b", "question": "Who else?", "answers": ["a 2nd"], **GOLD, "type": "same", "note": "n"},
    {"id": "c", "question": "refuse this", "answerable": False, "type": "unanswerable"},
    {"id": "d", "question": "refuse that", "answers": ["x"], **GOLD, "type": "same", "split": "x"},
]


class Evaluation(Commands):
    """Runs `qa-bot eval` over `set.jsonl`, and reads what it made."""

    def evaluate(self, *arguments: str, output: str = "run") -> int:
        return self("eval", "set.jsonl", "-o", output, *arguments)

    def run(self, name: str = "run") -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / name / "run.json").read_text("utf-8"))
        return found

    def rows(self, name: str = "run") -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in self.read(f"{name}/results.jsonl")}

    def value(self, metric: str, name: str = "run") -> float | None:
        figure: float | None = self.run(name)["metrics"][metric]["value"]
        return figure


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Evaluation:
    command = Evaluation.installed(tmp_path, monkeypatch, capsys)
    command.write("set.jsonl", ROWS)
    return command


def test_a_run_answers_scores_and_reports(command: Evaluation) -> None:
    assert command.evaluate() == 0
    assert command.value("answer_match") == pytest.approx(1 / 3)
    assert command.value("refusal_rate") == 1
    assert command.value("over_refusal") == pytest.approx(1 / 3)
    assert command.value("passage_hit@5") == 1
    rows = command.rows()
    assert list(rows) == ["a", "b", "c", "d"]
    assert rows["a"]["answer"].startswith("130 who?")
    assert rows["b"]["note"] == "n"
    assert [row["attribution"] for row in rows.values()] == [
        "right", "wrong", "refused_rightly", "refused"
    ]  # fmt: skip
    for name in ("report.html", "report.md", "results.csv"):
        assert (command.folder / "run" / name).stat().st_size
    assert "4 questions" in command.out


def test_answering_never_sees_what_is_expected(command: Evaluation) -> None:
    seen: list[tuple[Any, ...]] = []
    ask = command.bot.ask

    def watched(question: str, history: Any = (), *, id: str = "1") -> Any:
        seen.append((question, history, id))
        return ask(question, history, id=id)

    command.bot.ask = watched  # type: ignore[method-assign]
    command.evaluate()
    assert seen == [(row["question"], (), row["id"]) for row in ROWS]


def test_retrieval_only_asks_no_language_model(command: Evaluation) -> None:
    assert command.evaluate("--retrieval-only") == 0
    assert command.bot.asked == []
    assert command.value("hit@5") == 1
    assert command.run()["metrics"]["answer_match"]["n"] == 0
    assert "answer" not in command.rows()["a"]
    assert "model" not in command.run()["configuration"]


@pytest.mark.parametrize(
    ("options", "ids"),
    [(["--limit", "2"], ["a", "b"]), (["--split", "x"], ["a", "d"]),
     (["--split", "x", "--limit", "1"], ["a"])],
)  # fmt: skip
def test_a_part_of_a_test_set_can_be_asked(
    command: Evaluation, options: list[str], ids: list[str]
) -> None:
    assert command.evaluate(*options) == 0
    assert list(command.rows()) == ids


def test_a_split_that_is_not_there_is_named(command: Evaluation) -> None:
    assert command.evaluate("--split", "y") == 2
    assert "no question in the split 'y'; it has x" in command.err


def test_a_failure_is_counted_apart(command: Evaluation) -> None:
    command.bot.fault = lambda question: BackendError("it fell") if "else" in question else None
    assert command.evaluate() == 3
    assert command.run()["counts"] == {"total": 4, "answered": 1, "refused": 2, "error": 1}
    assert command.value("answer_match") == pytest.approx(1 / 2)
    assert set(command.rows()["b"]["scores"].values()) == {None}


def test_thresholds_give_exit_code_4(command: Evaluation) -> None:
    assert command.evaluate("--fail-under", "answer_match=0.3", "--fail-under",
                            "over_refusal=0.4") == 0  # fmt: skip
    assert command.evaluate("--fail-under", "answer_match=0.4") == 4
    assert "answer_match is 0.333, not 0.4" in command.err
    assert command.evaluate("--fail-under", "over_refusal=0.3") == 4
    for usage in ("beauty=1", "answer_match"):
        assert command.evaluate("--fail-under", usage) == 2
        assert command.bot.asked == []  # wrong usage is told before anything is asked


def test_answers_made_elsewhere_are_scored(command: Evaluation) -> None:
    records = [{"id": "a", "answer": "It was 130."}, {"id": "b", "answer": "Nobody"},
               {"id": "c", "status": "refused", "answer": ""}]  # fmt: skip
    command.write("answers.jsonl", records)
    assert command.evaluate("--answers", "answers.jsonl") == 3
    assert command.bot.asked == []
    assert command.value("answer_match") == pytest.approx(1 / 2)
    assert command.rows()["d"]["error"] == "there is no answer of this id in answers.jsonl"


def test_answers_made_elsewhere_have_no_ranking_of_ours(command: Evaluation) -> None:
    assert command.evaluate("--answers", "answers.jsonl", "--retrieval-only") == 2
    assert "exclude each other" in command.err


def test_resuming_keeps_what_is_finished(command: Evaluation) -> None:
    def interrupt(question: str) -> None:
        if question == "refuse this":
            raise KeyboardInterrupt

    command.bot.fault = interrupt  # type: ignore[assignment]
    assert command.evaluate() == 130
    command.bot.fault = lambda question: None
    assert command.evaluate("--resume") == 0
    assert command.bot.asked == ["c", "d"]
    assert list(command.rows()) == ["a", "b", "c", "d"]
    assert command.evaluate() == 0
    assert len(command.bot.asked) == 4  # without --resume it starts afresh


def test_a_run_is_not_resumed_with_another_configuration(command: Evaluation) -> None:
    command.evaluate()
    command.bot.settings = {"model": "another"}
    assert command.evaluate("--resume") == 2
    assert "model: 'scripted' then, 'another' now" in command.err


@pytest.mark.slow
def test_killed_at_any_moment_a_run_ends_as_an_undisturbed_one(
    command: Evaluation, tmp_path: Path
) -> None:
    command.evaluate(output="whole")
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1])\n"
        "from scripted_bot import ScriptedBot; from qa_bot.evals.run import evaluate\n"
        "print('begun', flush=True)\n"
        "evaluate(ScriptedBot(0.1), Path('set.jsonl'), Path('killed'), resume=True)\n"
    )
    for _ in range(3):
        started = subprocess.Popen(
            [sys.executable, "-c", program, str(Path(__file__).parents[1])],
            cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert started.stdout
        started.stdout.readline()
        time.sleep(random.uniform(0, 0.5))  # noqa: S311
        started.kill()
        started.communicate()
    assert command.evaluate("--resume", output="killed") == 0

    def figures(name: str) -> dict[str, Any]:
        metrics = command.run(name)["metrics"]
        return {m: metrics[m] for m in metrics if "seconds" not in m and "token" not in m}

    assert figures("killed") == figures("whole")


def test_comparing_a_run_with_itself_shows_no_difference(command: Evaluation) -> None:
    command.evaluate()
    assert command("compare", "run", "run", "--json") == 0
    found = json.loads(command.out)
    assert (found["fixed"], found["broken"]) == ([], [])
    assert {m["difference"] for m in found["metrics"].values() if m["difference"] is not None} == {
        0
    }


def test_comparing_finds_the_harm(command: Evaluation) -> None:
    command.evaluate(output="good")
    command.bot.fault = lambda question: None
    ask: Callable[..., Any] = command.bot.ask
    command.bot.ask = lambda question, *rest, **named: ask(f"refuse {question}", *rest, **named)  # type: ignore[method-assign]
    command.evaluate(output="bad")
    assert command("compare", "good", "bad", "--json") == 0
    found = json.loads(command.out)
    assert (found["fixed"], found["broken"]) == ([], ["a"])
    assert found["metrics"]["answer_match"]["difference"] < 0
    assert command("compare", "good", "bad") == 0
    assert "130 who?" in command.out


def test_runs_over_different_test_sets_are_not_compared(command: Evaluation) -> None:
    command.evaluate(output="one")
    command.write("set.jsonl", ROWS[:3])
    command.evaluate(output="two")
    assert command("compare", "one", "two") == 2
    assert "test set" in command.err


def test_gold_that_no_document_holds_is_told(command: Evaluation) -> None:
    row = {**ROWS[0], "gold_passages": ["something that stands nowhere"]}
    command.write("set.jsonl", [row])
    command.evaluate()
    assert "question a: gold passage 1 is not in fr.txt" in command.err
