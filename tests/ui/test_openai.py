"""OpenAI's own client against the server of `qa-bot serve`."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx
import openai
import pytest
from openai import OpenAI
from page_bot import QUOTES
from page_server import Served, served, wait_until_ready

from qa_bot.ui import api


@contextmanager
def opened(url: str, key: str = "none") -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0, timeout=120) as made:
        yield made


@pytest.fixture
def client(page: Served) -> Iterator[OpenAI]:
    with opened(page.url) as made:
        yield made


def ask(client: OpenAI, *said: str, **more: Any) -> Any:
    """The messages are the user's and the assistant's in turn."""
    roles = ["user", "assistant"] * len(said)
    messages: Any = [{"role": role, "content": text} for role, text in zip(roles, said)]  # noqa: B905
    return client.chat.completions.create(model="qa_bot", messages=messages, **more)


def test_an_answer_comes_with_its_sources(client: OpenAI) -> None:
    whole = ask(client, "How many took part?")
    [choice] = whole.choices
    assert choice.message.role == "assistant"
    assert choice.message.content.startswith("130 companies and institutions took part")
    assert choice.finish_reason == "stop"
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens
    assert whole.status == "answered"
    quotes = [(source["marker"], source["quote"], source["supported"]) for source in whole.sources]
    assert quotes == [(1, QUOTES["fr"], True), (2, QUOTES["zh"], True)]


def test_a_refusal_says_so_and_has_the_closest_passages(client: OpenAI) -> None:
    whole = ask(client, "What does a ticket cost?")
    assert whole.status == "refused"
    assert "do not answer" in whole.choices[0].message.content
    assert [source["quote"] for source in whole.sources] == [QUOTES["fr"], QUOTES["zh"]]


def test_a_stream_makes_up_the_same_answer_and_ends_with_the_sources(client: OpenAI) -> None:
    whole = ask(client, "How many took part?")
    with ask(client, "How many took part?", stream=True,
             stream_options={"include_usage": True}) as stream:  # fmt: skip
        *chunks, last, usage = stream
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks]
    assert "".join(texts) == whole.choices[0].message.content
    # Sentence by sentence: what may still be withdrawn is not sent.
    assert len([text for text in texts if text]) > 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert all(chunk.choices[0].finish_reason is None for chunk in chunks)
    assert last.choices[0].finish_reason == "stop"
    assert (last.status, last.sources) == (whole.status, whole.sources)
    assert (usage.choices, usage.usage) == ([], whole.usage)
    assert len({chunk.id for chunk in [*chunks, last, usage]}) == 1


def test_a_refusal_is_streamed_too(client: OpenAI) -> None:
    with ask(client, "What does a ticket cost?", stream=True) as stream:
        *chunks, last = stream
    assert "do not answer" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert last.status == "refused"


def test_earlier_messages_are_the_history(client: OpenAI, page: Served) -> None:
    messages: Any = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "user", "content": [{"type": "text", "text": "Before?"},
                                     {"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Not answered"},
        {"role": "user", "content": "And then?"},
    ]  # fmt: skip
    client.chat.completions.create(model="qa_bot", messages=messages, temperature=1)
    assert page.bot.asked[-1] == ("And then?", [("Before?", "Yes."), ("Not answered", "")])


def test_there_is_one_model(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["qa_bot"]
    assert client.models.retrieve("qa_bot").owned_by == "qa_bot"
    with pytest.raises(openai.NotFoundError, match="there is no model 'gpt-4'; ask for 'qa_bot'"):
        client.models.retrieve("gpt-4")


@pytest.mark.parametrize(
    ("request_body", "status", "said"),
    [
        ({"messages": [{"role": "user", "content": "Hm?"}], "model": "gpt-4"}, 404, "'gpt-4'"),
        ({"messages": []}, 400, "messages"),
        ({"messages": ["Hm?"]}, 400, "no role or no text"),
        ({"messages": [{"role": "user", "content": [3]}]}, 400, "no role or no text"),
        ({"messages": [{"role": "assistant", "content": "Hm."}]}, 400, "'assistant'"),
        ({"messages": [{"role": "user", "content": "  "}]}, 400, "question is empty"),
        ({"messages": [{"role": "user", "content": "x" * 4001}]}, 400, "4001 characters"),
        ({"messages": [{"role": "user", "content": "Hm?"}], "n": 2}, 400, "n is 2"),
        ([], 400, "no JSON object"),
        ({"messages": "x" * 1_000_000}, 413, "too large"),
    ],
)
def test_a_wrong_request_is_refused_in_openais_form(
    page: Served, request_body: Any, status: int, said: str
) -> None:
    if isinstance(request_body, dict):
        request_body = {"model": "qa_bot", **request_body}
    sent = httpx.post(f"{page.url}/v1/chat/completions", json=request_body)
    assert sent.status_code == status
    error = sent.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == "invalid_request_error"
    assert said in error["message"]


def test_what_is_no_json_is_refused(page: Served) -> None:
    sent = httpx.post(f"{page.url}/v1/chat/completions", content=b'{"a": "\xff"}')
    assert (sent.status_code, "no JSON" in sent.json()["error"]["message"]) == (400, True)


@pytest.mark.parametrize("stream", [False, True])
def test_a_failed_answer_is_an_error_with_its_cure(client: OpenAI, stream: bool) -> None:
    with pytest.raises(openai.APIError, match="start it with `ollama serve`"):
        list(ask(client, "explode", stream=stream))


def test_a_key_is_a_line_of_the_users_file(guarded: Served) -> None:
    with opened(guarded.url, quote("ada:s3cret: päss")) as right:
        assert [model.id for model in right.models.list()] == ["qa_bot"]
    for key in ("ada:wrong", "none", "ada", "eve:s3cret:%20p%C3%A4ss"):
        with opened(guarded.url, key) as wrong, pytest.raises(openai.AuthenticationError):
            wrong.models.list()
    with opened(guarded.url) as stranger, pytest.raises(openai.AuthenticationError):
        ask(stranger, "Hm?")


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_nobody_waits_for_is_stopped(page: Served, stream: bool) -> None:
    page.bot.stopped.clear()
    body = {"model": "qa_bot", "stream": stream, "messages": [{"role": "user", "content": "long"}]}
    asked = len(page.bot.asked)
    with httpx.Client(base_url=page.url) as client:
        if stream:
            with client.stream("POST", "/v1/chat/completions", json=body, timeout=60) as read:
                next(read.iter_lines())
        else:
            leave_once_asked(client, body, page, asked)
    assert page.bot.stopped.wait(30)


def leave_once_asked(client: httpx.Client, body: Any, page: Served, asked: int) -> None:
    """Wait for an answer in a thread, and hang up as soon as the bot was asked."""

    def post() -> None:
        with pytest.raises(httpx.TimeoutException):
            client.post("/v1/chat/completions", json=body, timeout=httpx.Timeout(60, read=0.5))

    waiting = threading.Thread(target=post)
    waiting.start()
    until = time.monotonic() + 60
    while len(page.bot.asked) == asked and time.monotonic() < until:
        time.sleep(0.05)
    waiting.join()


def test_questions_wait_in_the_page_s_own_queue(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for one, a third at once is told that it is full."""
    monkeypatch.setattr(api, "QUEUED", 1)
    for running in served(tmp_path):
        wait_until_ready(running.url)

        def answered(number: int, url: str = running.url) -> bool:
            messages = [{"role": "user", "content": f"question {number}"}]
            body = {"model": "qa_bot", "messages": messages}
            sent = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=120)
            full = sent.json().get("error", {}).get("message", "").startswith("too many questions")
            assert (sent.status_code, full) in {(200, False), (503, True)}
            return sent.status_code == 200

        running.bot.pause = 0.05
        with ThreadPoolExecutor(6) as pool:
            assert set(pool.map(answered, range(6))) == {True, False}
