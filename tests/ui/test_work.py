"""Batches and evaluation runs over HTTP: the commands' own results, kept apart by owner."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_bot import QUOTES
from page_server import Served, served, wait_until_ready

ROWS = "How many?\nWhat does a ticket cost?\nexplode\n"


@pytest.fixture
def ada(page: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=page.url, timeout=60) as made:
        made.get("/")
        yield made


def started(client: httpx.Client, name: str, text: str) -> str:
    sent = client.put("/batches", params={"name": name}, content=text.encode())
    assert sent.status_code == 200, sent.text
    return str(sent.json()["id"])


def ended(client: httpx.Client, named: str) -> dict[str, Any]:
    """The batch once it does not run any more."""
    for _ in range(600):
        [found] = [x for x in client.get("/batches").json()["batches"] if x["id"] == named]
        if found["state"] != "running":
            return dict(found)
        time.sleep(0.1)
    raise AssertionError("it still runs after a minute")


def test_a_file_of_questions_is_answered_and_kept_in_every_kind(ada: httpx.Client) -> None:
    found = ended(ada, named := started(ada, "My questions.txt", ROWS))
    assert (found["name"], found["state"]) == ("My questions.txt", "done")
    counts = {name: found[name] for name in ("total", "answered", "refused", "failed")}
    assert counts == {"total": 3, "answered": 1, "refused": 1, "failed": 1}
    for kind, begins in (("jsonl", '{"id"'), ("csv", "\ufeffid,"), ("md", "# Answers to My"),
                         ("html", "<!doctype html>")):  # fmt: skip
        sent = ada.get(f"/batches/{named}/answers", params={"as": kind})
        assert sent.content.decode().startswith(begins)
        assert sent.headers["content-disposition"].startswith("attachment")
        assert QUOTES["zh"] in sent.text
    assert ada.get(f"/batches/{named}/answers?as=exe").status_code == 400
    ada.delete(f"/batches/{named}")
    assert named not in {item["id"] for item in ada.get("/batches").json()["batches"]}


def test_a_stopped_batch_goes_on_with_what_is_left(ada: httpx.Client, page: Served) -> None:
    named = started(ada, "q.txt", "How many?\na long answer\nAnd more?\n")
    for _ in range(600):
        [found] = [x for x in ada.get("/batches").json()["batches"] if x["id"] == named]
        if found.get("answered"):
            break
        time.sleep(0.05)
    ada.post(f"/batches/{named}/stop")
    assert ended(ada, named)["state"] == "stopped"
    before = len(page.bot.asked)
    page.bot.pause, pause = 0.0, page.bot.pause
    ada.post(f"/batches/{named}/resume")
    found = ended(ada, named)
    page.bot.pause = pause
    assert (found["state"], found["answered"]) == ("done", 3)
    asked = [question for question, _ in page.bot.asked[before:]]
    assert asked == ["a long answer", "And more?"]


def test_a_question_of_the_chat_comes_in_between(ada: httpx.Client, page: Served) -> None:
    named = started(ada, "q.txt", "".join(f"Row {n}?\n" for n in range(30)))
    chat = ada.post("/conversations", json={"question": "Me first?"}).json()["id"]
    while ada.get(f"/conversations/{chat}").json()["asking"]:
        time.sleep(0.05)
    [found] = [x for x in ada.get("/batches").json()["batches"] if x["id"] == named]
    assert found["state"] == "running"
    ada.delete(f"/batches/{named}")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("tool.exe", b"MZ", "is no file of questions"),
        ("q.csv", b"a,b\n1,2\n", "q.csv has no column `question`"),
    ],
)
def test_what_is_no_file_of_questions_is_refused(
    ada: httpx.Client, name: str, data: bytes, said: str
) -> None:
    sent = ada.put("/batches", params={"name": name}, content=data)
    assert sent.status_code == 400
    assert said in sent.json()["error"]


def test_a_batch_is_its_owners_alone(ada: httpx.Client, page: Served) -> None:
    ended(ada, named := started(ada, "q.txt", "How many?\n"))
    with httpx.Client(base_url=page.url, timeout=60) as bob:
        bob.get("/")
        assert bob.get("/batches").json() == {"batches": []}
        assert bob.get(f"/batches/{named}/answers?as=md").status_code == 400
        assert bob.delete(f"/batches/{named}").status_code == 400
    assert ada.get(f"/batches/{named}/answers?as=md").status_code == 200


def test_a_batch_cut_short_by_the_servers_end_can_go_on(tmp_path: Path) -> None:
    cookies = httpx.Cookies()
    for running in served(tmp_path):
        wait_until_ready(running.url)
        with httpx.Client(base_url=running.url, timeout=60) as ada:
            ada.get("/")
            named = started(ada, "q.txt", "How many?\na long answer\n")
            cookies = ada.cookies
    for running in served(tmp_path):
        wait_until_ready(running.url)
        running.bot.pause = 0.0
        with httpx.Client(base_url=running.url, cookies=cookies, timeout=60) as ada:
            assert ended(ada, named)["state"] == "stopped"
            ada.post(f"/batches/{named}/resume")
            assert ended(ada, named)["answered"] == 2


def test_runs_are_listed_shown_and_compared(ada: httpx.Client) -> None:
    runs = ada.get("/runs").json()["runs"]
    assert {run["name"] for run in runs} == {"first", "second"}
    assert "Right answer" in {figure["label"] for figure in runs[0]["metrics"]}
    shown = ada.get("/runs/first").json()
    assert shown["failures"]
    assert all(row["outcome"] for row in shown["failures"])
    assert any(piece["gold"] for row in shown["failures"] for passage in row["passages"]
               for piece in passage["pieces"])  # fmt: skip
    compared = ada.get("/compare?a=first&b=second").json()
    assert compared["questions"] == shown["questions"]
    assert {change["id"] for change in compared["broken"]}.isdisjoint(
        change["id"] for change in compared["fixed"]
    )
    assert json.dumps(compared)


@pytest.mark.parametrize("name", ["%2e%2e", "..%2f..%2fetc", "nothing", ".hidden"])
def test_a_run_is_never_a_path(ada: httpx.Client, name: str) -> None:
    for path in (f"/runs/{name}", f"/runs/{name}/report"):
        assert ada.get(path).status_code in (400, 404)


def test_a_report_is_shown_with_nothing_that_may_run_or_fetch(ada: httpx.Client) -> None:
    sent = ada.get("/runs/first/report")
    assert sent.headers["content-type"].startswith("text/html")
    rules = sent.headers["content-security-policy"]
    assert "default-src 'none'" in rules
    assert "sandbox" in rules
    assert "script" not in rules
