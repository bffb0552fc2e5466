"""The bot as Python callers and the page use it, with models that load at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import HashEmbedding, ScriptedModel
from made_files import pdf

from qa_bot.app import QABot
from qa_bot.errors import ModelMissing, QABotError, UsageError
from qa_bot.models import choose
from qa_bot.models.embedded import EmbeddedLLM
from qa_bot.settings import Settings
from qa_bot.types import Answer, Message, Strictness, Usage

QUESTION = "How many companies took part in the exhibition?"


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[QABot]:
    folder = tmp_path / "documents"
    folder.mkdir()
    text = "The exhibition\n\nIn 2020, 130 companies took part in the exhibition of the city.\n"
    (folder / "report.txt").write_text(text, encoding="utf-8")
    (folder / "paper.pdf").write_bytes(pdf([["A first page of text"], ["And a second page"]]))
    settings = Settings(documents=(folder,), store=tmp_path / "store", models=tmp_path / "models",
                        ollama_host="127.0.0.1:1", llm="embedded")  # fmt: skip
    made = QABot(settings, embedder=HashEmbedding())
    made.model = ScriptedModel()
    yield made
    made.close()


def gate_of(answer: Answer) -> str:
    [found] = [step.result for step in answer.steps if step.name == "gate"]
    return found


@pytest.mark.parametrize("strictness", ["low", "high"])
def test_a_call_may_be_stricter_than_the_settings_and_the_next_is_not(
    bot: QABot, strictness: Strictness
) -> None:
    assert f"({strictness} strictness)" in gate_of(bot.ask(QUESTION, strictness=strictness))
    *_, streamed = bot.stream(QUESTION, strictness=strictness)
    assert isinstance(streamed, Answer)
    assert f"({strictness} strictness)" in gate_of(streamed)
    assert "(normal strictness)" in gate_of(bot.ask(QUESTION))


def test_a_call_may_ask_for_another_language_and_the_next_does_not(bot: QABot) -> None:
    assert bot.ask(QUESTION, answer_language="fr").language == "fr"
    assert bot.ask(QUESTION).language == "en"


@pytest.mark.parametrize("asked", [{"strictness": "harsh"}, {"answer_language": "tlh"}])
def test_what_cannot_be_asked_for_is_named(bot: QABot, asked: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"{next(iter(asked))}: '{next(iter(asked.values()))}'"):
        bot.ask(QUESTION, **asked)


def test_the_pages_of_a_document_are_known(bot: QABot) -> None:
    text, pages = bot.read_text("paper.pdf") or "", bot.read_pages("paper.pdf")
    assert [text[start:].split("\n")[0] for start in pages] == [
        "A first page of text",
        "And a second page",
    ]
    assert bot.read_pages("report.txt") == bot.read_pages("nothing.pdf") == ()


class Engines:
    """Makes engines, and knows which are loaded."""

    def __init__(self) -> None:
        self.loaded: list[str] = []
        self.most = 0

    def llm(self, settings: Settings, *_: object) -> EmbeddedLLM:
        name = settings.llm
        if name not in ("embedded", "small", "broken"):
            raise UsageError(f"unknown language model {name!r}")

        def load() -> Any:
            if name == "broken":
                raise ModelMissing("the file of broken is damaged")
            self.loaded.append(name)
            self.most = max(self.most, len(self.loaded))
            return _Engine(name, self)

        return EmbeddedLLM(load, model=name)


class _Engine:
    def __init__(self, name: str, engines: Engines) -> None:
        self.name = "fake"
        self._model = name
        self._engines = engines

    def generate(self, messages: Sequence[Message], **_: Any) -> Iterator[Any]:
        yield "130 companies took part."
        return Usage(10, 5)

    def next_token(self, messages: Sequence[Message]) -> tuple[dict[str, float], Usage]:
        return {"yes": 0.99, "no": 0.01}, Usage(10, 1)

    def count_tokens(self, text: str) -> int:
        return len(text) // 4

    def close(self) -> None:
        self._engines.loaded.remove(self._model)


@pytest.fixture
def engines(bot: QABot, monkeypatch: pytest.MonkeyPatch) -> Engines:
    made = Engines()
    monkeypatch.setattr(choose, "make_llm", made.llm)
    del bot.model
    bot.load()
    return made


def test_another_model_takes_over_and_two_are_never_loaded(bot: QABot, engines: Engines) -> None:
    assert bot.ask(QUESTION).model == "embedded (fake)"
    bot.use_model("small")
    assert engines.loaded == ["small"]
    assert engines.most == 1
    assert bot.ask(QUESTION).model == "small (fake)"
    assert bot.configuration()["model"] == "small (fake)"


@pytest.mark.parametrize("name", ["broken", "nonsense"])
def test_where_another_model_cannot_be_loaded_the_one_before_answers(
    bot: QABot, engines: Engines, name: str
) -> None:
    with pytest.raises(QABotError, match=name):
        bot.use_model(name)
    assert bot.ask(QUESTION).model == "embedded (fake)"
    assert engines.loaded == ["embedded"]
    assert bot.settings.llm == "embedded"


def test_models_that_are_ready_are_named_the_one_in_use_first(bot: QABot) -> None:
    assert bot.models() == [choose.DEFAULT_LLM]
