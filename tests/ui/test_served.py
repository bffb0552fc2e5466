"""The server over HTTP: its endpoints through Gradio's own client, and what it keeps closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from page_bot import QUOTES
from page_server import Served, connected, served, wait_until_ready

from qa_bot.errors import ServiceError


@pytest.fixture
def client(page: Served) -> Iterator[Client]:
    with connected(page.url) as made:
        yield made


def test_only_ask_search_and_documents_are_listed(client: Client) -> None:
    listed = client.view_api(return_format="dict")
    assert set(listed["named_endpoints"]) == {"/ask", "/search", "/documents"}
    assert listed["unnamed_endpoints"] == {}


def test_ask_streams_what_it_is_at_and_ends_with_the_record(client: Client) -> None:
    job = client.submit("How many took part?", [["Before?", "Yes."]], api_name="/ask")
    record = job.result(timeout=60)
    steps = job.outputs()
    assert steps[0] == {"status": "searching", "answer": ""}
    written = [step["answer"] for step in steps if step["status"] == "writing"]
    assert len(written) > 3
    assert all(later.startswith(sooner) for sooner, later in pairwise(written))
    assert record["status"] == "answered"
    assert record["citations"][0]["quote"] == QUOTES["fr"]
    assert {part["supported"] for part in record["parts"]} == {True, False}


def test_the_history_reaches_the_bot(client: Client, page: Served) -> None:
    client.predict("And then?", [["Before?", "Yes."]], api_name="/ask")
    assert page.bot.asked[-1] == ("And then?", [("Before?", "Yes.")])


@pytest.mark.parametrize(
    ("question", "history", "said"),
    [
        ("  ", [], "the question is empty"),
        ("x" * 4001, [], "4001 characters"),
        ("explode", [], "start it with `ollama serve`"),
        ("fine", [["only one"]], "history is no list"),
    ],
)
def test_a_failed_question_says_why(
    client: Client, question: str, history: list[list[str]], said: str
) -> None:
    record = client.predict(question, history, api_name="/ask")
    assert record["status"] == "error"
    assert said in record["error"]


def test_search_gives_passages_without_the_model(client: Client) -> None:
    found = client.predict("fibre", 1, api_name="/search")
    assert [item["text"] for item in found["passages"]] == [QUOTES["fr"]]
    with pytest.raises(AppError, match="the question is empty"):
        client.predict("", 1, api_name="/search")


LIMITS = {"source": ["salon.txt"], "language": "fr", "since": "2020", "until": "2021-05"}


def test_a_question_and_a_search_can_be_limited(client: Client, page: Served) -> None:
    client.predict("How many?", [], **LIMITS, api_name="/ask")
    assert page.bot.limits[-1] == LIMITS
    client.predict("fibre", 1, **LIMITS, api_name="/search")
    assert page.bot.limits[-1] == LIMITS
    record = client.predict("How many?", [], source="salon.txt", api_name="/ask")
    assert "`source` is no list of documents" in record["error"]


def test_the_limits_are_told_to_programs(client: Client) -> None:
    known = client.view_api(return_format="dict")["named_endpoints"]
    for name in ("/ask", "/search"):
        taken = {item["parameter_name"]: item for item in known[name]["parameters"]}
        assert {*LIMITS} < {*taken}
        assert all(taken[limit]["parameter_has_default"] for limit in LIMITS)
    assert "since and until, dates as 2023" in known["/ask"]["description"]


def test_the_steps_of_an_answer_come_with_it(client: Client) -> None:
    record = client.predict("How many?", [], api_name="/ask")
    assert [step["name"] for step in record["steps"]] == ["search", "judge", "gate"]


def test_a_document_comes_with_its_pages_and_its_quote_whole(client: Client, page: Served) -> None:
    text = page.bot.read_text("salon.txt") or ""
    start = text.index(QUOTES["fr"])
    mark = {"marker": 1, "start": start - 3, "end": start + 9, "quote": text[start - 3 : start + 9]}
    found = client.predict("salon.txt", [mark], api_name="/document")
    assert {piece["page"] for piece in found["pieces"]} == {1, 2}
    lit = [(piece["page"], piece["text"]) for piece in found["pieces"] if piece.get("marks")]
    assert lit == [(1, text[start - 3 : start]), (2, text[start : start + 9])]
    other = client.predict("光纤.txt", [], api_name="/document")
    assert not any("page" in piece for piece in other["pieces"])


def test_the_page_is_there_before_anything_is_loaded(tmp_path: Path) -> None:
    for running in served(tmp_path, loading=4.0):
        page = httpx.get(running.url, headers={"Accept-Language": "zh-CN"})
        assert '<html lang="zh"' in page.text
        assert httpx.get(f"{running.url}/state").json()["state"] == "loading"
        wait_until_ready(running.url)


def test_what_cannot_be_loaded_is_said_and_may_be_tried_again(tmp_path: Path) -> None:
    for running in served(tmp_path):
        running.bot.fault = ServiceError("the model is not there; run `qa-bot models pull`")
        for _ in range(600):
            state = httpx.get(f"{running.url}/state").json()
            if state["state"] == "failed":
                break
            time.sleep(0.1)
        assert state["fault"] == "the model is not there; run `qa-bot models pull`"
        with connected(running.url) as client:
            record = client.predict("Hm?", [], api_name="/ask")
        assert "models pull" in record["error"]
        running.bot.fault = None
        httpx.post(f"{running.url}/retry")
        wait_until_ready(running.url)


def test_a_file_is_uploaded_indexed_and_removed(tmp_path: Path) -> None:
    for running in served(tmp_path):
        wait_until_ready(running.url)
        sent = httpx.put(
            f"{running.url}/upload", params={"name": "../../evil/notes.txt"}, content=b"My notes\n"
        )
        assert sent.json() == {"name": "notes.txt"}
        assert [path.name for path in (running.store / "uploads").iterdir()] == ["notes.txt"]
        with connected(running.url) as client:
            report = client.predict(False, api_name="/update")
            [added] = [item for item in report["documents"] if item["uploaded"]]
            assert (added["source"], added["title"]) == ("uploads/notes.txt", "My notes")
            assert {"source": added["source"], "status": "added", "reason": None} in report["files"]
            with pytest.raises(AppError, match="was not uploaded here"):
                client.predict("documents/salon.txt", api_name="/remove")
            report = client.predict(added["source"], api_name="/remove")
        assert not [item for item in report["documents"] if item["uploaded"]]
        assert "salon.txt" in [item["source"] for item in report["documents"]]
        refused = httpx.put(f"{running.url}/upload", params={"name": "a.exe"}, content=b"")
        assert refused.status_code == 400
        assert "a.exe is of a kind that is not read" in refused.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file%3D/etc/passwd",
        "/gradio_api/upload",
        "/gradio_api/run/ask",
        "/gradio_api/proxy=http://127.0.0.1/",
        "/gradio_api/stream/a/b/c",
        "/file=/etc/passwd",
        "/page/../texts.py",
        "/page/%2e%2e%2ftexts.py",
        "/page/texts.json",
        "/docs",
        "/openapi.json",
        "/monitoring",
        "/theme.css",
        "/manifest.json",
    ],
)
def test_nothing_else_is_served(page: Served, path: str) -> None:
    for method in ("GET", "POST"):
        assert httpx.request(method, page.url + path).status_code in (404, 405)


def test_a_call_of_a_megabyte_is_refused(page: Served) -> None:
    call = {"data": ["x" * 1_000_000, []]}
    assert httpx.post(f"{page.url}/gradio_api/call/ask", json=call).status_code == 413
    unsized = httpx.post(f"{page.url}/gradio_api/call/ask", content=iter([b"{}"]))
    assert unsized.status_code == 413


def test_every_answer_forbids_other_sources_and_framing(page: Served) -> None:
    for path in ("/", "/page/main.js", "/state", "/config", "/nothing"):
        headers = httpx.get(page.url + path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert not [name for name in headers if name.startswith("access-control-")]


def test_other_names_and_other_pages_are_turned_away(page: Served) -> None:
    assert httpx.get(page.url, headers={"Host": "evil.example"}).status_code == 403
    assert httpx.get(page.url, headers={"Host": "localhost:1"}).status_code == 200
    foreign = {"Origin": "http://evil.example"}
    own = {"Origin": page.url}
    assert httpx.post(f"{page.url}/retry", headers=foreign).status_code == 403
    assert httpx.get(f"{page.url}/config", headers={"Origin": "null"}).status_code == 403
    assert httpx.post(f"{page.url}/retry", headers=own).status_code == 200


def test_the_model_is_changed_for_all_once_running_answers_are_written(tmp_path: Path) -> None:
    for running in served(tmp_path):
        wait_until_ready(running.url)
        with httpx.Client(base_url=running.url, timeout=60) as ada:
            ada.get("/")
            known = ada.get("/about").json()
            assert known["models"] == ["scripted", "other", "broken"]
            assert {"en", "fr", "zh-Hant"} <= set(known["languages"])
            chat = ada.post("/conversations", json={"question": "a longish answer"}).json()["id"]
            with ThreadPoolExecutor(1) as pool:
                changing = pool.submit(ada.post, "/model", json={"name": "other"})
                for _ in range(100):
                    if ada.get("/state").json()["switching"]:
                        break
                    time.sleep(0.02)
                told = ada.get("/state").json()
                assert (told["state"], told["switching"]) == ("switching", "other")
                assert ada.get(f"/conversations/{chat}").json()["asking"]  # the answer goes on
                assert changing.result().json()["model"] == "other"
            assert ada.get(f"/conversations/{chat}").json()["turns"]
            refused = ada.post("/model", json={"name": "broken"})
            assert (refused.status_code, "models pull broken" in refused.text) == (503, True)
            assert ada.post("/model", json={"name": "nonsense"}).status_code == 400
            assert ada.get("/state").json()["model"] == "other"


def test_a_batch_keeps_its_model(tmp_path: Path) -> None:
    for running in served(tmp_path):
        wait_until_ready(running.url)
        with httpx.Client(base_url=running.url, timeout=60) as ada:
            ada.get("/")
            ada.put("/batches", params={"name": "q.txt"}, content=b"a long answer\n")
            for _ in range(100):
                if running.bot.asked:
                    break
                time.sleep(0.05)
            refused = ada.post("/model", json={"name": "other"})
            assert "must keep its model" in refused.json()["error"]


def test_who_does_not_run_the_server_cannot_change_its_model(guarded: Served) -> None:
    with httpx.Client(base_url=guarded.url, timeout=60) as ada:
        assert ada.post("/model", json={"name": "other"}).status_code == 401
        ada.post("/login", data={"username": "ada", "password": "s3cret: päss"})
        wait_until_answered(ada)
        assert "models" not in ada.get("/about").json()
        refused = ada.post("/model", json={"name": "other"})
        assert "where the server is started" in refused.json()["error"]
        assert ada.get("/state").json()["model"] == "scripted"


def wait_until_answered(client: httpx.Client) -> None:
    for _ in range(600):
        if client.get("/state").json()["state"] == "ready":
            return
        time.sleep(0.1)


def test_a_login_guards_everything(guarded: Served) -> None:
    with httpx.Client(base_url=guarded.url, timeout=60) as wait:
        page = wait.get("/")
        assert 'id="login"' in page.text
        assert 'id="question"' not in page.text
        for method, path in [
            ("GET", "/state"), ("GET", "/config"), ("GET", "/gradio_api/info"), ("PUT", "/upload"),
            ("POST", "/gradio_api/call/ask"), ("GET", "/gradio_api/queue/data?session_hash=1"),
            ("POST", "/gradio_api/queue/join"), ("POST", "/gradio_api/cancel"), ("POST", "/retry"),
            ("GET", "/page/main.js"), ("GET", "/gradio_api/heartbeat/x"),
        ]:  # fmt: skip
            assert wait.request(method, path).status_code == 401, path
        assert wait.post("/login", data={"username": "ada", "password": "no"}).status_code == 401
        right = {"username": "ada", "password": "s3cret: päss"}
        assert wait.post("/login", data=right).status_code == 200
        assert 'id="question"' in wait.get("/").text
        assert wait.get("/state").json()["user"] == "ada"
        wait.post("/logout")
        assert wait.get("/state").status_code == 401


def test_gradios_client_can_log_in(guarded: Served) -> None:
    with connected(guarded.url, ("ada", "s3cret: päss")) as client:
        listed = client.view_api(return_format="dict")
    assert "/ask" in listed["named_endpoints"]


def test_visitors_at_once_get_their_own_answers(page: Served) -> None:
    def ask(number: int) -> bool:
        with connected(page.url) as client:
            record = client.predict(f"question {number}", [], api_name="/ask")
        return bool(record["question"] == f"question {number}")

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(ask, range(6))) == [True] * 6


def test_an_answer_nobody_waits_for_is_stopped(page: Served) -> None:
    page.bot.stopped.clear()
    with httpx.Client(base_url=page.url, timeout=30) as client:
        sent = client.post("/gradio_api/call/ask", json={"data": ["a long one", []]})
        event = sent.json()["event_id"]
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": event}) as read:
            for line in read.iter_lines():
                if "writing" in line:
                    break
    assert page.bot.stopped.wait(20)
