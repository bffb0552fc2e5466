"""Conversations on disk, and their answers, over HTTP: kept, private, and going on alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_bot import QUOTES
from page_server import Served, served, wait_until_ready

from qa_bot.errors import UsageError
from qa_bot.evals.testset import read_cases
from qa_bot.questions import read_questions
from qa_bot.ui.conversations import Conversations
from qa_bot.ui.testcases import case_of


@contextmanager
def browser(page: Served) -> Iterator[httpx.Client]:
    """Someone who has opened the page."""
    with httpx.Client(base_url=page.url, timeout=60) as made:
        made.get("/")
        yield made


@pytest.fixture
def ada(page: Served) -> Iterator[httpx.Client]:
    with browser(page) as made:
        yield made


def asked(client: httpx.Client, question: str, path: str = "/conversations", **more: Any) -> str:
    """The id of the conversation that a question was asked in."""
    sent = client.post(path, json={"question": question, **more})
    assert sent.status_code == 200, sent.text
    return str(sent.json()["id"])


def settled(client: httpx.Client, named: str) -> dict[str, Any]:
    """The conversation once nothing is being written in it."""
    for _ in range(600):
        found: dict[str, Any] = client.get(f"/conversations/{named}").json()
        if not found["asking"]:
            return found
        time.sleep(0.1)
    raise AssertionError("it is still being answered after a minute")


def test_an_answer_is_kept_though_nobody_watches_it(ada: httpx.Client) -> None:
    named = asked(ada, "How many?")
    found = settled(ada, named)
    [turn] = found["turns"]
    assert found["pending"] is None
    assert turn["citations"][0]["quote"] == QUOTES["fr"]
    [listed] = ada.get("/conversations").json()["conversations"]
    assert (listed["id"], listed["name"]) == (named, "How many?")


def test_a_watcher_sees_the_answer_grow_and_its_end(ada: httpx.Client) -> None:
    named = asked(ada, "How many?")
    with ada.stream("GET", f"/conversations/{named}/answer") as lines:
        steps = [json.loads(line[6:]) for line in lines.iter_lines() if line.startswith("data: ")]
    texts = [step["answer"] for step in steps if step["status"] == "writing"]
    assert len(texts) > 3
    assert all(later.startswith(sooner) for sooner, later in pairwise(texts))
    assert steps[-1] == {"status": "over"}
    assert len(ada.get(f"/conversations/{named}").json()["turns"]) == 1


def test_an_edited_question_takes_the_place_of_its_turn_and_what_came_after(
    ada: httpx.Client, page: Served
) -> None:
    named = asked(ada, "One?")
    settled(ada, named)
    path = f"/conversations/{named}"
    for number, question in enumerate(("Two?", "Three?"), start=1):
        asked(ada, question, path, keep=number)
        settled(ada, named)
    asked(ada, "Another two?", path, keep=1)
    found = settled(ada, named)
    assert [turn["question"] for turn in found["turns"]] == ["One?", "Another two?"]
    question, history = page.bot.asked[-1]
    assert (question, [turn[0] for turn in history]) == ("Another two?", ["One?"])
    ada.post(f"{path}/cut", json={"keep": 1})
    assert [turn["question"] for turn in settled(ada, named)["turns"]] == ["One?"]
    ada.post(f"{path}/cut", json={"keep": 0})
    assert ada.get(path).status_code == 400  # nothing is left of it


def test_a_question_may_be_limited_to_documents_a_language_and_dates(
    ada: httpx.Client, page: Served
) -> None:
    only = {"source": ["salon.txt"], "language": "fr", "since": "2020", "until": ""}
    found = settled(ada, asked(ada, "How many?", only=only))
    kept = {"source": ["salon.txt"], "language": "fr", "since": "2020"}
    assert page.bot.limits[-1] == kept
    assert found["turns"][0]["only"] == kept
    sent = ada.post("/conversations", json={"question": "x", "only": {"source": "salon.txt"}})
    assert sent.status_code == 400


def test_settings_come_with_a_question_and_hold_for_it_alone(
    ada: httpx.Client, page: Served
) -> None:
    wanted = {"strictness": "high", "answer_language": "fr", "passages": 1}
    found = settled(ada, asked(ada, "What does a ticket cost?", settings=wanted))
    assert page.bot.manners[-1] == ("high", "fr")
    assert len(found["turns"][0]["sources"]) == 1
    assert found["turns"][0]["window"] == 4096
    assert [step["name"] for step in found["turns"][0]["steps"]] == ["search", "judge", "gate"]
    found = settled(ada, asked(ada, "What does a ticket cost?"))
    assert page.bot.manners[-1] == (None, None)
    assert len(found["turns"][0]["sources"]) == 2


@pytest.mark.parametrize("settings", [{"passages": 21}, {"passages": "all"}, ["high"]])
def test_settings_that_are_none_are_refused(ada: httpx.Client, settings: Any) -> None:
    sent = ada.post("/conversations", json={"question": "x", "settings": settings})
    assert sent.status_code == 400


def test_a_stopped_answer_is_not_kept_and_the_model_ends(ada: httpx.Client, page: Served) -> None:
    page.bot.stopped.clear()
    named = asked(ada, "a long answer")
    ada.post(f"/conversations/{named}/stop")
    found = settled(ada, named)
    assert found["turns"] == []
    assert found["pending"]["state"] == "stopped"
    settled(ada, asked(ada, "And now?", f"/conversations/{named}"))
    assert page.bot.asked[-1] == ("And now?", [])


def test_a_failure_is_kept_with_its_cure(ada: httpx.Client) -> None:
    found = settled(ada, asked(ada, "explode"))
    assert found["pending"]["state"] == "failed"
    assert "start it with `ollama serve`" in found["pending"]["error"]


def test_one_answer_at_a_time_in_a_conversation_and_two_for_an_owner(ada: httpx.Client) -> None:
    first, second = asked(ada, "a long answer"), asked(ada, "another long answer")
    again = ada.post(f"/conversations/{first}", json={"question": "x"})
    assert (again.status_code, "stop it" in again.json()["error"]) == (400, True)
    third = ada.post("/conversations", json={"question": "x"})
    assert (third.status_code, "still being answered" in third.json()["error"]) == (503, True)
    for named in (first, second):
        ada.delete(f"/conversations/{named}")
    assert ada.get("/conversations").json()["conversations"] == []


def test_nobody_sees_what_is_anothers(ada: httpx.Client, page: Served) -> None:
    named = asked(ada, "My secret question")
    settled(ada, named)
    path = f"/conversations/{named}"
    with browser(page) as bob:
        assert bob.get("/conversations").json()["conversations"] == []
        assert bob.get(path).status_code == 400
        assert bob.post(path, json={"question": "x"}).status_code == 400
        assert bob.post(f"{path}/vote", json={"turn": 0, "vote": "up"}).status_code == 400
        assert bob.get(f"{path}/export?as=md").status_code == 400
        assert "secret" not in bob.get(f"{path}/answer").text
        bob.delete(path)
        bob.delete("/conversations")
    assert len(settled(ada, named)["turns"]) == 1
    assert httpx.get(f"{page.url}/conversations").status_code == 400  # no browser of the page's


def test_users_have_their_own_wherever_they_log_in(tmp_path: Path) -> None:
    from qa_bot.ui.login import Logins

    for running in served(tmp_path, Logins({"ada": "x", "bob": "x"})):
        with browser(running) as here, browser(running) as there, browser(running) as bob:
            for client, user in ((here, "ada"), (there, "ada"), (bob, "bob")):
                client.post("/login", data={"username": user, "password": "x"})
            named = asked(here, "How many?")
            assert len(settled(there, named)["turns"]) == 1
            assert bob.get("/conversations").json()["conversations"] == []


def test_all_is_there_after_a_restart_and_an_unfinished_answer_can_be_asked_again(
    tmp_path: Path,
) -> None:
    cookies = httpx.Cookies()
    for running in served(tmp_path):
        wait_until_ready(running.url)
        with browser(running) as ada:
            done = asked(ada, "How many?")
            settled(ada, done)
            cut = asked(ada, "a long answer")
            cookies = ada.cookies
    for running in served(tmp_path):
        with httpx.Client(base_url=running.url, cookies=cookies, timeout=60) as ada:
            assert len(ada.get(f"/conversations/{done}").json()["turns"]) == 1
            unfinished = ada.get(f"/conversations/{cut}").json()
            assert unfinished["pending"]["question"] == "a long answer"
            assert unfinished["pending"]["state"] == "stopped"


def test_conversations_are_found_renamed_and_deleted(ada: httpx.Client) -> None:
    first, second = asked(ada, "About the Exhibition?"), asked(ada, "What does a ticket cost?")
    settled(ada, first)
    settled(ada, second)

    def names(find: str = "") -> list[str]:
        listed = ada.get("/conversations", params={"find": find}).json()["conversations"]
        return [item["name"] for item in listed]

    assert names("EXHIBITION") == ["About the Exhibition?"]
    assert names("200,000 km") == ["About the Exhibition?"]  # also what was answered
    ada.patch(f"/conversations/{first}", json={"name": "  光纤  "})
    assert sorted(names()) == ["What does a ticket cost?", "光纤"]
    assert ada.patch(f"/conversations/{first}", json={"name": " "}).status_code == 400
    ada.delete(f"/conversations/{second}")
    assert names() == ["光纤"]
    ada.delete("/conversations")
    assert names() == []


def test_an_export_holds_the_quotes_escaped_and_is_a_file(ada: httpx.Client) -> None:
    named = asked(ada, "hostile")
    settled(ada, named)
    for kind, hostile in (
        ("html", "&lt;img src=x"),
        ("md", "\\<img src\\=x"),
        ("json", "<img src=x"),
    ):
        sent = ada.get(f"/conversations/{named}/export", params={"as": kind})
        assert sent.headers["content-disposition"].startswith("attachment")
        assert sent.headers["content-type"] == "application/octet-stream"
        assert hostile in sent.text
        assert QUOTES["fr"][:20] in sent.text
    assert "parts" not in json.loads(sent.text)[0]
    assert ada.get(f"/conversations/{named}/export?as=exe").status_code == 400


def test_a_judged_answer_becomes_a_row_of_a_test_set_once(
    ada: httpx.Client, tmp_path: Path
) -> None:
    named = asked(ada, "How many?")
    settled(ada, named)
    path = f"/conversations/{named}"
    for right in ("130 companies", "about 130\n130"):
        vote = {"turn": 0, "vote": "down", "reason": "wrong", "right": right}
        assert ada.post(f"{path}/vote", json=vote).status_code == 200
        assert ada.post(f"{path}/case", json={"turn": 0}).json() == {"cases": 1}
    assert ada.get(path).json()["turns"][0]["vote"]["reason"] == "wrong"
    file = tmp_path / "testset.jsonl"
    file.write_text(ada.get("/testset").text, encoding="utf-8")
    [case] = read_cases(read_questions(file))
    assert (case.answerable, case.answers) == (True, ("about 130", "130"))
    assert ada.post(f"{path}/case", json={"turn": 7}).status_code == 400


@pytest.mark.parametrize(
    ("status", "vote", "answerable", "gold"),
    [
        ("answered", {"vote": "up"}, True, ["q"]),
        ("answered", {"vote": "down", "reason": "not_in_documents"}, False, None),
        ("answered", {"vote": "down", "reason": "wrong"}, True, None),
        ("refused", {"vote": "up"}, False, None),
        ("refused", {"vote": "down", "reason": "should_answer"}, True, None),
        ("refused", None, False, None),
    ],
)
def test_a_vote_says_what_is_expected(
    status: str, vote: dict[str, str] | None, answerable: bool, gold: list[str] | None
) -> None:
    turn = {"question": "Q?", "language": "en", "status": status, "answer": "A [1].", "vote": vote,
            "citations": [{"quote": "q", "source": "s"}]}  # fmt: skip
    before = {
        **turn,
        "question": "Before?",
        "standalone_question": "Before that?",
        "answer": "Yes.",
    }
    row = case_of({"id": "c", "turns": [before, turn]}, 1)
    assert (row["answerable"], row.get("gold_passages")) == (answerable, gold)
    assert row["history"] == [["Before that?", "Yes."]]
    assert row.get("answers") == (["A."] if gold else None)


@pytest.mark.parametrize("named", ["../../etc", "x" * 16, "", "0123456789abcdef.json"])
def test_no_id_leads_out_of_an_owners_folder(tmp_path: Path, named: str) -> None:
    with pytest.raises(UsageError):
        Conversations(tmp_path).get("ada", named)
