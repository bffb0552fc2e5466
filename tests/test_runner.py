"""Many questions, one record each: whatever fails, the rest is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scripted_bot import ScriptedBot

from qa_bot import runner
from qa_bot.errors import BackendBusy, BackendError
from qa_bot.journal import Journal
from qa_bot.questions import as_questions
from qa_bot.runner import Finished, answer_all
from qa_bot.types import Answer, Turn


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with Journal.open(tmp_path / "state", {}, resume=False) as journal:
        yield journal


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits before retries, in place of waiting."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def down(question: str) -> Exception | None:
    return BackendError("the server is down: start it") if "down" in question else None


def brief(records: Iterator[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(record["id"], record["status"]) for record in records]


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_row_gives_one_record_in_order(jobs: int) -> None:
    questions = as_questions(["One?", "", "down?", "refuse?", {"question": "Five?", "id": "x"}])
    records = list(answer_all(ScriptedBot(fault=down).ask, questions, jobs=jobs))
    assert brief(iter(records)) == [
        ("1", "answered"), ("2", "error"), ("3", "error"), ("4", "refused"), ("x", "answered"),
    ]  # fmt: skip
    assert records[1]["error"].startswith("row 2: the question is empty")
    assert records[2]["error"] == "the server is down: start it"
    assert records[2]["error"] in records[2]["answer"]
    assert set(records[2]) == set(records[0])


def test_a_fault_of_our_own_is_an_error_of_its_row_too() -> None:
    bot = ScriptedBot(fault=lambda question: ZeroDivisionError("oops") if "1" in question else None)
    first, second = answer_all(bot.ask, as_questions(["1?", "2?"]))
    assert "ZeroDivisionError: oops" in first["error"]
    assert second["status"] == "answered"


def test_a_record_is_kept_before_the_next_question_begins(journal: Journal) -> None:
    def ask(question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        assert len(journal.done) == int(id) - 1
        return ScriptedBot().ask(question, history, id=id)

    assert len(list(answer_all(ask, as_questions(["a", "b", "c"]), journal))) == 3
    assert len(journal.done) == 3


def test_what_is_finished_is_not_asked_again(journal: Journal) -> None:
    questions = as_questions(["One?", "", "down?", "Four?"])
    first = list(answer_all(ScriptedBot(fault=down).ask, questions, journal))
    bot, seen = ScriptedBot(), []
    assert list(answer_all(bot.ask, questions, journal, on_row=seen.append)) == first
    assert (bot.asked, seen) == ([], [])


def test_only_errors_are_asked_again_if_so_wished(journal: Journal) -> None:
    questions = as_questions(["One?", "", "down?", "Four?"])
    list(answer_all(ScriptedBot(fault=down).ask, questions, journal))
    assert brief(iter(Finished(questions, journal, retry_errors=True))) == [
        ("1", "answered"), ("2", "error"), ("4", "answered"),
    ]  # fmt: skip
    bot = ScriptedBot()
    again = answer_all(bot.ask, questions, journal, retry_errors=True)
    assert [status for _, status in brief(again)] == ["answered", "error", "answered", "answered"]
    assert bot.asked == ["3"]


def test_another_question_under_a_known_id_is_asked(journal: Journal) -> None:
    list(answer_all(ScriptedBot().ask, as_questions(["One?", "Two?"]), journal))
    bot = ScriptedBot()
    list(answer_all(bot.ask, as_questions(["One?", "Changed?"]), journal))
    assert bot.asked == ["2"]


CONVERSATION = [
    {"question": "Who?", "conversation": "c"},
    {"question": "Other?", "conversation": "d"},
    {"question": "And when?", "conversation": "c"},
    {"question": "Own?", "conversation": "c", "history": [["Given?", "Yes."]]},
    {"question": "", "conversation": "c"},
    {"question": "At last?", "conversation": "c"},
]


@pytest.mark.parametrize("jobs", [1, 3])
def test_rows_of_a_conversation_are_follow_ups(jobs: int, journal: Journal) -> None:
    """Each knows the turn before it, in a resumed run too; a history of its own wins."""
    questions = as_questions(CONVERSATION)
    list(answer_all(ScriptedBot().ask, questions[:1], journal))
    answers = [r["answer"] for r in answer_all(ScriptedBot().ask, questions, journal, jobs=jobs)]
    assert answers[1].startswith("Other? [1]")
    assert answers[2].startswith("And when? after Who? [1]")
    assert answers[3].startswith("Own? after Given? [1]")
    assert answers[5].startswith("At last? after Own? [1]")


def test_what_a_follow_up_leans_on_is_told_as_it_was_understood() -> None:
    """ "And when?" after "And the other?" needs what the other is."""

    def ask(question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        answer = ScriptedBot().ask(question, history, id=id)
        return replace(answer, standalone_question=f"{question} In full.")

    records = list(answer_all(ask, as_questions(CONVERSATION[:3])))
    assert records[2]["answer"].startswith("And when? after Who? In full. [1]")


@pytest.mark.parametrize("jobs", [1, 3])
def test_what_follows_a_failed_question_is_answered_with_it_later(
    jobs: int, journal: Journal
) -> None:
    """The retried run equals one in which nothing failed."""
    questions = as_questions(
        [{"question": text, "conversation": "c"} for text in ("One?", "down?", "Three?", "Four?")]
    )
    broken = list(answer_all(ScriptedBot(fault=down).ask, questions, journal, jobs=jobs))
    assert [r["status"] for r in broken] == ["answered", "error", "error", "error"]
    retried = answer_all(ScriptedBot().ask, questions, journal, retry_errors=True, jobs=jobs)
    fresh = answer_all(ScriptedBot().ask, questions)
    assert [r["answer"] for r in retried] == [r["answer"] for r in fresh]


def test_a_busy_server_is_asked_again(waits: list[float]) -> None:
    replies = [BackendBusy("busy"), BackendBusy("busy"), None]
    bot = ScriptedBot(fault=lambda question: replies.pop(0))
    (record,) = answer_all(bot.ask, as_questions(["Why?"]))
    assert record["status"] == "answered"
    assert [wait for wait in waits if wait] == [1, 2]


def test_a_server_that_stays_busy_is_an_error_within_half_a_minute(waits: list[float]) -> None:
    bot = ScriptedBot(fault=lambda question: BackendBusy("busy: ask again in a while"))
    (record,) = answer_all(bot.ask, as_questions(["Why?"]))
    assert record["error"] == "busy: ask again in a while"
    assert sum(waits) <= runner.RETRY_WITHIN


def test_a_call_that_times_out_is_tried_just_twice(
    waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 300))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    bot = ScriptedBot(fault=lambda question: BackendBusy("did not answer in time"))
    (record,) = answer_all(bot.ask, as_questions(["Why?"]))
    assert record["status"] == "error"
    assert len(bot.asked) == 2


def test_other_errors_are_not_tried_again(waits: list[float]) -> None:
    bot = ScriptedBot(fault=down)
    list(answer_all(bot.ask, as_questions(["down?"])))
    assert len(bot.asked) == 1


def test_jobs_overlap_and_their_records_come_in_order(journal: Journal) -> None:
    together = threading.Barrier(3, timeout=20)

    def ask(question: str, history: Sequence[Turn] = (), *, id: str = "1") -> Answer:
        together.wait()  # breaks, and so fails the row, unless three are in hand at once
        return ScriptedBot().ask(question, history, id=id)

    questions = as_questions([f"{n}?" for n in range(9)])
    records = list(answer_all(ask, questions, journal, jobs=3))
    assert brief(iter(records)) == [(str(n), "answered") for n in range(1, 10)]
    assert len(journal.done) == 9


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_keeps_what_is_finished(jobs: int, journal: Journal) -> None:
    def interrupt(question: str) -> Exception | None:
        if question == "9":
            raise KeyboardInterrupt
        return None

    questions = as_questions(str(n) for n in range(40))
    answers = answer_all(ScriptedBot(fault=interrupt).ask, questions, journal, jobs=jobs)
    with pytest.raises(KeyboardInterrupt):
        list(answers)
    assert {str(n) for n in range(1, 10)} <= set(journal.done)
    assert "10" not in journal.done
