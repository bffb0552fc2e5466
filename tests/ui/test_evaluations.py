"""Evaluations begun over HTTP: the command's own runs, one at a time, stopped and resumed."""

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

from qa_bot.evals.report import read_run

ROWS: list[dict[str, Any]] = [
    {"question": "How many?", "answers": ["130"], "gold_docs": ["salon.txt"],
     "gold_passages": [QUOTES["fr"]]},
    {"question": "What does a ticket cost?", "answerable": False},
]  # fmt: skip
LONG = {"question": "a long answer", "answers": ["130"]}


def lines(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Served]:
    for each in served(tmp_path):
        wait_until_ready(each.url)
        yield each


@pytest.fixture
def ada(running: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, timeout=120) as made:
        made.get("/")
        yield made


def begun(client: httpx.Client, data: bytes, name: str = "My tests.jsonl") -> str:
    sent = client.put("/runs", params={"name": name}, content=data)
    assert sent.status_code == 200, sent.text
    return str(sent.json()["name"])


def unfinished(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in client.get("/runs").json()["unfinished"]}


def until(client: httpx.Client, name: str, *, done: int) -> None:
    """Wait until so many questions of a run are answered."""
    for _ in range(1200):
        if unfinished(client)[name].get("done", 0) >= done:
            return
        time.sleep(0.05)
    raise AssertionError(unfinished(client))


def until_over(client: httpx.Client, name: str) -> dict[str, Any] | None:
    """The run once it does not run any more; None where it is finished."""
    for _ in range(1200):
        found = unfinished(client).get(name)
        if found is None or found["state"] != "running":
            return found
        time.sleep(0.05)
    raise AssertionError("it still runs after a minute")


def test_a_test_set_makes_a_run_as_the_command_does(
    ada: httpx.Client, running: Served, tmp_path: Path
) -> None:
    named = begun(ada, lines(*ROWS))
    assert until_over(ada, named) is None
    [listed] = ada.get("/runs").json()["runs"]
    assert (listed["name"], listed["test_set"], listed["questions"]) == (
        named, "My tests.jsonl", 2,
    )  # fmt: skip
    run, rows = read_run(tmp_path / "runs" / named)
    assert run["metrics"]["answer_match"]["value"] == 1.0
    assert run["metrics"]["refusal_rate"]["value"] == 1.0
    assert run["configuration"]["model"] == "scripted"
    assert [row["attribution"] for row in rows] == ["right", "refused_rightly"]
    assert ada.get(f"/runs/{named}/report").status_code == 200


def test_a_stopped_evaluation_goes_on_with_what_is_left(ada: httpx.Client, running: Served) -> None:
    named = begun(ada, lines(*ROWS, LONG))
    until(ada, named, done=2)
    second = ada.put("/runs", params={"name": "b.jsonl"}, content=lines(*ROWS))
    assert "is running; stop it first" in second.json()["error"]
    assert "must keep its model" in ada.post("/model", json={"name": "other"}).json()["error"]
    ada.post(f"/runs/{named}/stop")
    assert (until_over(ada, named) or {})["state"] == "stopped"
    assert running.bot.stopped.is_set()
    before, running.bot.pause = len(running.bot.asked), 0.0
    ada.post(f"/runs/{named}/resume")
    assert until_over(ada, named) is None
    assert [question for question, _ in running.bot.asked[before:]] == ["a long answer"]
    assert {item["name"] for item in ada.get("/runs").json()["runs"]} == {named}


def test_a_question_of_the_chat_comes_in_between(ada: httpx.Client) -> None:
    named = begun(ada, lines(*({"question": f"Row {n}?"} for n in range(30))))
    chat = ada.post("/conversations", json={"question": "Me first?"}).json()["id"]
    while ada.get(f"/conversations/{chat}").json()["asking"]:
        time.sleep(0.05)
    assert unfinished(ada)[named]["state"] == "running"
    ada.delete(f"/runs/{named}")
    assert unfinished(ada) == {}


def test_an_evaluation_cut_short_by_the_servers_end_can_go_on(tmp_path: Path) -> None:
    for each in served(tmp_path):
        wait_until_ready(each.url)
        with httpx.Client(base_url=each.url, timeout=120) as ada:
            ada.get("/")
            named = begun(ada, lines(*ROWS, LONG))
            until(ada, named, done=1)
    for each in served(tmp_path):
        wait_until_ready(each.url)
        each.bot.pause = 0.0
        with httpx.Client(base_url=each.url, timeout=120) as ada:
            ada.get("/")
            assert unfinished(ada)[named]["state"] == "stopped"
            ada.post(f"/runs/{named}/resume")
            assert until_over(ada, named) is None
            assert len(each.bot.asked) <= 2


def test_judged_answers_of_the_chat_are_a_test_set(ada: httpx.Client, tmp_path: Path) -> None:
    chat = ada.post("/conversations", json={"question": "How many?"}).json()["id"]
    while ada.get(f"/conversations/{chat}").json()["asking"]:
        time.sleep(0.05)
    ada.post(f"/conversations/{chat}/vote", json={"turn": 0, "vote": "up"})
    ada.post(f"/conversations/{chat}/case", json={"turn": 0})
    assert ada.get("/runs").json()["cases"] == 1
    named = ada.post("/runs").json()["name"]
    assert until_over(ada, named) is None
    run, _ = read_run(tmp_path / "runs" / named)
    assert run["test_set"]["questions"] == 1
    assert run["metrics"]["answer_match"]["value"] == 1.0


def test_gold_that_no_document_holds_is_told(ada: httpx.Client) -> None:
    row = {"question": "a long answer", "gold_docs": ["nothing.txt"], "gold_passages": ["no"]}
    named = begun(ada, lines(row))
    for _ in range(600):
        if notes := unfinished(ada)[named].get("notes"):
            break
        time.sleep(0.05)
    assert "nothing.txt" in notes[0]
    ada.delete(f"/runs/{named}")


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("tool.exe", b"MZ", "is no test set; take a .jsonl or .csv file"),
        ("q.csv", b"a,b\n1,2\n", "q.csv has no column `question`"),
        ("q.jsonl", b'{"question": "Hm?", "answerable": "perhaps"}\n', "answerable"),
    ],
)
def test_what_is_no_test_set_is_refused_and_leaves_nothing(
    ada: httpx.Client, tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    sent = ada.put("/runs", params={"name": name}, content=data)
    assert sent.status_code == 400
    assert said in sent.json()["error"]
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize("name", ["%2e%2e", "..%2f..%2fetc", "nothing"])
def test_a_run_is_never_a_path_and_a_finished_one_is_never_deleted(
    ada: httpx.Client, tmp_path: Path, name: str
) -> None:
    assert ada.delete(f"/runs/{name}").status_code in (400, 404, 405)
    assert ada.post(f"/runs/{name}/resume").status_code in (400, 404, 405)
    assert (tmp_path / "documents").is_dir()
    done = begun(ada, lines(*ROWS))
    assert until_over(ada, done) is None
    assert ada.delete(f"/runs/{done}").status_code == 400
    assert (tmp_path / "runs" / done / "run.json").is_file()
