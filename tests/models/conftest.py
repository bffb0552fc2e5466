"""Engines for the models' tests: a scripted one, and the real ones, each loaded once."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ollama_server import OllamaServer, running

from qa_bot.errors import BackendError
from qa_bot.models.engine import Engine
from qa_bot.models.llamacpp_engine import LlamaCppEngine
from qa_bot.models.openvino_engine import OpenVINOEngine
from qa_bot.types import Message, Usage


@dataclass
class ScriptedEngine:
    """An engine that says what a test tells it to, and keeps what it was asked."""

    pieces: Sequence[str] = ("130 ", "companies ", "took part.")
    tokens: dict[str, float] = field(default_factory=lambda: {"Yes": 0.6, " yes": 0.2, "No": 0.2})
    name: str = "scripted"
    context_window: int = 4096
    asked: list[tuple[Sequence[Message], int, str | None]] = field(default_factory=list)
    failure: BackendError | None = None
    cancelled: bool = False
    closed: bool = False

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int, grammar: str | None = None
    ) -> Generator[str, None, Usage]:
        self.asked.append((messages, max_tokens, grammar))
        if self.failure is not None:
            raise self.failure
        try:
            yield from self.pieces
        except GeneratorExit:
            self.cancelled = True
            raise
        return Usage(100, len(self.pieces))

    def next_token(
        self, messages: Sequence[Message], top: int = 10
    ) -> tuple[dict[str, float], Usage]:
        self.asked.append((messages, 1, None))
        return self.tokens, Usage(100, 1)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


@pytest.fixture
def ollama(engine: ScriptedEngine) -> Iterator[OllamaServer]:
    """An Ollama server over the scripted engine."""
    with running(OllamaServer(engine)) as server:
        yield server


@pytest.fixture(scope="session")
def llamacpp_engine(embedded_model_path: Path) -> Iterator[Engine]:
    engine = LlamaCppEngine(embedded_model_path, context_window=1024, threads=None)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def openvino_engine(default_model_path: Path) -> Iterator[Engine]:
    engine = OpenVINOEngine(default_model_path, context_window=1024, threads=None)
    yield engine
    engine.close()


@pytest.fixture(scope="session", params=["llama.cpp", "openvino"])
def real_engine(request: pytest.FixtureRequest) -> Engine:
    """Each real engine in turn."""
    name = {"llama.cpp": "llamacpp_engine", "openvino": "openvino_engine"}[request.param]
    engine: Engine = request.getfixturevalue(name)
    return engine
