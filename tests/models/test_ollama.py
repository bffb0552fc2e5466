"""Ollama over HTTP: the real client against a server that speaks Ollama's protocol."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import xllamacpp
from llama_index.core.llms import ChatMessage
from ollama_server import OllamaServer, running

from qa_bot.errors import BackendError, ModelMissing
from qa_bot.models.engine import Engine
from qa_bot.models.ollama import (
    check_ollama,
    make_ollama,
    ollama_has,
    ollama_models,
    ollama_url,
)
from qa_bot.models.seam import AnsweringModel, answering_model
from qa_bot.types import Message, Usage

ASK = [Message("system", "Be brief."), Message("user", "How many companies took part?")]


def model_on(url: str, name: str = "tiny", timeout: float = 5.0) -> AnsweringModel:
    llm = make_ollama(name, host=url, context_window=2048, timeout=timeout, keep_alive="7m")
    return answering_model(llm)


@pytest.fixture
def nowhere() -> str:
    """The URL of a port where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        (None, "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        ("box:8080", "http://box:8080"),
        ("https://box/ollama/", "https://box:443/ollama"),
    ],
)
def test_the_host_is_read_in_every_form_that_ollama_takes(
    given: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option and OLLAMA_HOST are read alike; an address to listen on is this machine."""
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert ollama_url(given) == url
    if given:
        monkeypatch.setenv("OLLAMA_HOST", given)
    assert ollama_url() == url


def test_an_option_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "elsewhere:1")
    assert ollama_url("box:2") == "http://box:2"


def test_a_host_that_is_none_is_named() -> None:
    with pytest.raises(BackendError, match=r"'box:port' is no host.*HOST:PORT"):
        ollama_url("box:port")


@pytest.mark.parametrize("name", ["tiny", "tiny:latest", "Tiny", "hub.example:80/a/b:q4", "c:1b"])
def test_a_model_is_found_with_and_without_its_tag(ollama: OllamaServer, name: str) -> None:
    ollama.models = ("tiny:latest", "hub.example:80/a/b:q4", "c:1b")
    check_ollama(name, ollama.url)
    assert ollama_has(name, ollama.url)


@pytest.mark.parametrize("name", ["tin", "tiny:1b", "hub.example:80/tiny"])
def test_a_model_the_server_lacks_is_named_with_those_it_has(
    ollama: OllamaServer, name: str
) -> None:
    with pytest.raises(ModelMissing, match=f"{name}; it has tiny:latest: .*ollama pull {name}"):
        check_ollama(name, ollama.url)
    assert not ollama_has(name, ollama.url)


def test_an_absent_server_is_named_with_how_to_start_it(nowhere: str) -> None:
    """Checking and every kind of call say the same, and at once."""
    model = model_on(nowhere)
    calls: list[Callable[[], object]] = [
        lambda: check_ollama("tiny", nowhere),
        model.load,
        lambda: list(model.stream(ASK, max_tokens=5)),
        lambda: model.probability_of_yes(ASK),
    ]
    started = time.monotonic()
    for call in calls:
        with pytest.raises(BackendError, match=f"no Ollama server at {nowhere}.*ollama serve"):
            call()
    assert not ollama_has("tiny", nowhere)
    assert time.monotonic() - started < 5


def test_the_models_of_a_server_are_listed_and_none_where_there_is_none(
    ollama: OllamaServer, nowhere: str
) -> None:
    assert ollama_models(ollama.url) == ["tiny:latest"]
    assert ollama_models(nowhere) == ollama_models("http://[") == []


def test_a_server_that_is_not_ollama_is_told(ollama: OllamaServer) -> None:
    with pytest.raises(BackendError, match=f"{ollama.url}/other is no Ollama server"):
        check_ollama("tiny", ollama.url + "/other")


def test_a_proxy_is_not_asked_for_this_machine(
    ollama: OllamaServer, nowhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", nowhere)
    check_ollama("tiny", ollama.url)
    assert list(model_on(ollama.url).stream(ASK, max_tokens=5))


def test_an_answer_is_streamed_with_our_settings_and_its_usage(ollama: OllamaServer) -> None:
    stream = model_on(ollama.url).stream(ASK, max_tokens=50)
    pieces = []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            usage = end.value
            break
    assert pieces == ["130 ", "companies ", "took part."]
    assert usage == Usage(100, 3)
    [chat] = ollama.chats
    assert chat["options"] == {"temperature": 0, "num_ctx": 2048, "seed": 0, "num_predict": 50}
    assert chat["keep_alive"] == "7m"
    assert [m["role"] for m in chat["messages"]] == ["system", "user"]
    assert [path for path, _ in ollama.requests] == ["/api/chat"], "nothing else is asked"


def test_loading_has_the_server_load_the_model(ollama: OllamaServer) -> None:
    """An empty chat does so, with the window that later calls use: no second load."""
    model_on(ollama.url).load()
    [chat] = ollama.chats
    assert chat["messages"] == []
    assert chat["options"]["num_ctx"] == 2048


def test_closing_the_stream_stops_the_server(ollama: OllamaServer, engine: Any) -> None:
    engine.pieces = ["word "] * 10_000
    ollama.faults.slow = 0.002
    stream = model_on(ollama.url).stream(ASK, max_tokens=50)
    assert next(stream) == "word "
    stream.close()
    assert ollama.cancelled.wait(5)
    assert engine.cancelled


def test_yes_is_a_probability_where_the_server_sends_them(ollama: OllamaServer) -> None:
    probability, usage = model_on(ollama.url).probability_of_yes(ASK)
    assert probability == pytest.approx(0.8)
    assert usage.completion_tokens > 0
    assert ollama.chats[0]["logprobs"] is True
    assert ollama.chats[0]["options"]["num_predict"] == 1


@pytest.mark.parametrize(
    ("reply", "expected"), [('{"value": "yes"}', 1.0), ('{"value": "no"}', 0.0), ("{", 0.5)]
)
def test_an_older_server_votes_yes_or_no(
    ollama: OllamaServer, reply: str, expected: float, engine: Any
) -> None:
    """It is asked for probabilities once; later calls vote straight away."""
    ollama.faults.logprobs = False
    engine.pieces = [reply]
    model = model_on(ollama.url)
    assert model.probability_of_yes(ASK)[0] == expected
    assert model.probability_of_yes(ASK)[0] == expected
    assert len(ollama.chats) == 3
    assert ollama.chats[1]["format"]["properties"]["value"]["enum"] == ["yes", "no"]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"busy": True}, "is busy.*ask again in a while"),
        ({"die_after": 2}, "broke off"),
        ({"die_after": 0}, "broke off"),
        ({"end_after": 2}, "stopped in the middle of an answer"),
        ({"error_after": 2}, "llama runner process has terminated"),
        ({"bad_json": True}, "no proper answer"),
        ({"slow": 3.0}, "did not answer in time.*QA_BOT_OLLAMA_TIMEOUT"),
    ],
)
def test_a_stream_that_breaks_is_an_error_and_no_half_answer(
    ollama: OllamaServer, fault: dict[str, float], message: str
) -> None:
    for name, value in fault.items():
        setattr(ollama.faults, name, value)
    with pytest.raises(BackendError, match=message):
        list(model_on(ollama.url, timeout=0.5).stream(ASK, max_tokens=5))


@pytest.mark.parametrize(
    ("fault", "message"),
    [({"busy": True}, "is busy"), ({"bad_json": True}, "no proper"), ({"slow": 3.0}, "in time")],
)
def test_votes_break_with_the_same_errors(
    ollama: OllamaServer, fault: dict[str, float], message: str
) -> None:
    for name, value in fault.items():
        setattr(ollama.faults, name, value)
    model = model_on(ollama.url, timeout=0.5)
    with pytest.raises(BackendError, match=message):
        model.probability_of_yes(ASK)


def test_a_model_that_was_removed_meanwhile_is_missing(ollama: OllamaServer) -> None:
    with pytest.raises(ModelMissing, match="ollama pull gone"):
        list(model_on(ollama.url, "gone").stream(ASK, max_tokens=5))


def test_a_prompt_the_server_refuses_is_told_in_its_words(
    ollama: OllamaServer, engine: Any
) -> None:
    engine.failure = BackendError("the input length exceeds the context length")
    with pytest.raises(BackendError, match="input length exceeds"):
        list(model_on(ollama.url).stream(ASK, max_tokens=5))


def test_it_serves_as_any_llamaindex_model(ollama: OllamaServer) -> None:
    llm = make_ollama("tiny", host=ollama.url, context_window=2048, timeout=5, keep_alive="1m")
    assert llm.complete("Hello").text == "130 companies took part."
    parts = llm.stream_chat([ChatMessage(role="user", content="Hello")])
    assert "".join(part.delta or "" for part in parts) == "130 companies took part."
    assert "/api/show" not in [path for path, _ in ollama.requests]


def test_tokens_are_estimated_by_bytes(ollama: OllamaServer) -> None:
    model = model_on(ollama.url)
    assert [model.count_tokens(text) for text in ("", "abc", "abcde", "中国")] == [0, 1, 2, 2]
    assert not ollama.requests


@pytest.fixture
def real_server(llamacpp_engine: Engine) -> Iterator[OllamaServer]:
    def grammar_of(schema: dict[str, Any]) -> str:
        return str(xllamacpp.json_schema_to_grammar(json.dumps(schema)))

    with running(OllamaServer(llamacpp_engine, grammar_of=grammar_of)) as server:
        yield server


@pytest.mark.models
def test_a_real_model_answers_over_the_protocol(real_server: OllamaServer) -> None:
    """Streaming and a probability hold with a real model."""
    model = model_on(real_server.url, timeout=300)
    text = "".join(model.stream([Message("user", "Say hello in French.")], max_tokens=12))
    assert "onjour" in text
    yes, _ = model.probability_of_yes([Message("user", "Is the sky blue? Answer Yes or No.")])
    assert 0.5 < yes < 1
