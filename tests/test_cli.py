"""The commands as a person or a script runs them: real index, real protocol, scripted model."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ollama_server import Faults, OllamaServer, running

from qa_bot import runner
from qa_bot.app import QABot
from qa_bot.cli import _settings, main
from qa_bot.models import embed
from qa_bot.options import parser
from qa_bot.prompts import phrases
from qa_bot.types import Answer, Message, Usage

ARTICLE = """The museum opened its new wing

The new wing of the museum opened in 2019. It cost 40 million euros and took six years to build.

Last year 310,000 people visited the collection, which is the oldest in the country.
"""


@dataclass
class Reader:
    """An engine that says yes to every sentence, and tells one of them."""

    yes: float = 0.95
    name: str = "reader"
    context_window: int = 4096

    def generate(
        self, messages: Sequence[Message], *, max_tokens: int, grammar: str | None = None
    ) -> Generator[str, None, Usage]:
        prompt = messages[-1].content
        if "Last question:" in prompt:
            yield "How many people visited the collection, and in which year?"
        else:
            yield from ("The museum ", "had 310,000 ", "visitors.")
        return Usage(50, 3)

    def next_token(
        self, messages: Sequence[Message], top: int = 10
    ) -> tuple[dict[str, float], Usage]:
        return {"Yes": self.yes, "No": 1 - self.yes}, Usage(50, 1)

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def close(self) -> None:
        """There is nothing to free."""


@dataclass
class Shell:
    """Runs `qa-bot` in this process and keeps what it printed."""

    run: Callable[..., int]
    capture: pytest.CaptureFixture[str]
    reader: Reader
    server: OllamaServer
    documents: Path
    out: str = ""
    err: str = ""

    def __call__(self, *arguments: str) -> int:
        code = self.run(list(arguments))
        self.out, self.err = self.capture.readouterr()
        return code


@pytest.fixture(scope="session")
def encoder() -> Callable[..., Any]:
    """The real encoder, loaded once: it takes seconds, and nearly every command here needs it."""
    return functools.cache(embed._use_encoder)


@pytest.fixture
def shell(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    encoder: Callable[..., Any],
) -> Iterator[Shell]:
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "museum.txt").write_text(ARTICLE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(embed, "_use_encoder", encoder)
    reader = Reader()
    with running(OllamaServer(reader)) as server:
        for name, value in {
            "QA_BOT_STORE": str(tmp_path / "store"),
            "QA_BOT_DOCUMENTS": str(documents),
            "QA_BOT_MODELS": str(tmp_path / "models"),
            "QA_BOT_EMBED": "use",
            "QA_BOT_LLM": "ollama/tiny",
            "OLLAMA_HOST": server.url,
        }.items():
            monkeypatch.setenv(name, value)
        yield Shell(main, capsys, reader, server, documents)


QUESTION = "How many people visited the museum's collection?"


def test_ask_builds_a_missing_index_then_shows_the_answer_and_its_source(shell: Shell) -> None:
    assert shell("ask", QUESTION) == 0
    assert "Building the index" in shell.err
    assert shell.out.startswith("The museum had 310,000 visitors. [1]\n")
    assert "[1] The museum opened its new wing" in shell.out
    assert "Last year 310,000 people visited the collection" in shell.out


def test_ask_json_prints_one_record_of_the_contract(shell: Shell) -> None:
    assert shell("ask", "--json", QUESTION) == 0
    record = json.loads(shell.out)
    assert set(record) == {
        "id", "question", "status", "language", "answer", "sentences", "citations", "passages",
        "retrieved", "standalone_question", "model", "seconds", "first_token_seconds", "usage",
        "error",
    }  # fmt: skip
    assert (record["status"], record["language"], record["error"]) == ("answered", "en", None)
    (citation,) = record["citations"]
    text = (shell.documents / citation["source"]).read_text(encoding="utf-8")
    assert text[citation["start"] : citation["end"]] == citation["quote"]
    assert record["sentences"] == [
        {"text": "The museum had 310,000 visitors.", "citations": [1], "verdict": "supported"}
    ]
    assert set(record["passages"][0]) == {"rank", "source", "start", "end", "score", "text"}
    assert set(record["retrieved"][0]) == {"source", "start", "end", "score"}


def test_a_trace_goes_to_the_person_and_leaves_the_record_alone(shell: Shell) -> None:
    assert shell("ask", "--json", "--trace", QUESTION) == 0
    assert json.loads(shell.out)["status"] == "answered"
    for step in ("search", "judge", "gate", "write", "check"):
        assert f" s  {step} " in shell.err


def test_a_refusal_is_a_success_and_shows_the_closest_passages(shell: Shell) -> None:
    shell.reader.yes = 0.01
    assert shell("ask", "Combien coûte un billet d'entrée ?") == 0
    assert shell.out.startswith(phrases("fr").refusal)
    assert "museum.txt:" in shell.out


def test_search_needs_no_language_model(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    assert shell("search", "--json", "-k", "1", "musée visiteurs") == 0
    found = json.loads(shell.out)
    assert (found["query"], found["language"]) == ("musée visiteurs", "fr")
    assert [passage["rank"] for passage in found["passages"]] == [1]


def test_index_again_does_nothing_and_says_so(shell: Shell) -> None:
    assert shell("index") == 0
    assert shell("index") == 0
    assert "1 unchanged: nothing to do" in shell.out


@pytest.mark.parametrize(
    ("limits", "found"),
    [([], {"museum.txt", "zoo.txt"}), (["--source", "zoo.txt"], {"zoo.txt"}),
     (["--since", "2021"], {"zoo.txt"}), (["--until", "2020-12"], set()),
     (["--lang", "fr"], set())],
)  # fmt: skip
def test_a_search_can_be_limited(shell: Shell, limits: list[str], found: set[str]) -> None:
    text = "The zoo has 310,000 fish, said its keeper on 3 May 2021. It is old.\n"
    (shell.documents / "zoo.txt").write_text(text, encoding="utf-8")
    assert shell("search", "--json", *limits, "museum or zoo") == 0
    assert {hit["source"] for hit in json.loads(shell.out)["passages"]} == found


def test_index_reports_every_file_as_json(shell: Shell) -> None:
    (shell.documents / "clip.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    (shell.documents / "scan.pdf").write_bytes(b"%PDF-1.7")
    assert shell("index", "--json") == 3
    report = json.loads(shell.out)
    assert report["counts"] == {"added": 1, "unsupported": 1, "failed": 1}
    assert [file["source"] for file in report["files"]] == ["clip.mp4", "museum.txt", "scan.pdf"]


def test_what_was_indexed_last_is_what_questions_are_asked_of(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder given to `index` stays, without naming it again."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "zoo.txt").write_text("The zoo has 310,000 fish. It is old.\n", encoding="utf-8")
    monkeypatch.delenv("QA_BOT_DOCUMENTS")
    assert shell("index", str(other)) == 0
    assert shell("ask", "--json", "How many fish are in the zoo?") == 0
    assert json.loads(shell.out)["citations"][0]["source"] == "zoo.txt"


def test_deleting_the_last_document_empties_the_index(shell: Shell) -> None:
    assert shell("index") == 0
    (shell.documents / "museum.txt").unlink()
    assert shell("index", "--json") == 0
    assert json.loads(shell.out)["counts"] == {"removed": 1}
    assert shell("ask", "--json", QUESTION) == 0
    assert json.loads(shell.out)["status"] == "refused"


def test_a_conversation_survives_a_failed_question(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines() -> Iterator[str]:
        yield QUESTION
        shell.server.faults = Faults(die_after=0)
        yield QUESTION
        shell.server.faults = Faults()
        yield QUESTION
        yield ""

    typed = lines()
    monkeypatch.setattr("builtins.input", lambda prompt="": next(typed))
    assert shell("chat") == 0
    assert shell.out.count("310,000 visitors. [1]") == 2
    assert "qa-bot: " in shell.err


@pytest.mark.parametrize("typed", ["", "quit", "/EXIT "])
def test_a_chat_ends_as_its_user_expects(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt="": typed)
    assert shell("chat") == 0
    assert shell.out == ""


def test_an_unreadable_file_gives_exit_code_3_and_hides_no_other(shell: Shell) -> None:
    (shell.documents / "bad.txt").write_bytes(bytes(range(128, 256)) * 9)
    assert shell("index") == 3
    assert "undecodable: bad.txt" in shell.out
    assert "1 added" in shell.out


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"OLLAMA_HOST": "http://127.0.0.1:9"}, "ollama serve"),
        ({"QA_BOT_LLM": "ollama/absent"}, "ollama pull absent"),
    ],
    ids=["no server", "no model"],
)
def test_a_missing_service_gives_exit_code_5_and_the_cure(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert shell("ask", QUESTION) == 5
    assert named in shell.err
    assert shell.out == ""


def test_a_server_that_dies_midway_gives_an_error_not_half_an_answer(shell: Shell) -> None:
    shell.server.faults = Faults(die_after=1)
    assert shell("ask", "--json", QUESTION) == 5
    assert shell.out == ""


@pytest.mark.parametrize(
    ("faults", "named"),
    [
        (Faults(die_after=0), "broke off"),
        (Faults(busy=True), "busy"),
        (Faults(slow=1.5), "did not answer in time"),
    ],
    ids=["dies", "busy", "slow"],
)
def test_a_batch_outlives_a_server_that_fails_midway(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, faults: Faults, named: str
) -> None:
    """The rows say so, the rest is answered; later, only what failed is asked again."""
    ask = QABot.ask

    def ask_a_faulty_server(bot: QABot, question: str, *rest: Any, id: str) -> Answer:
        shell.server.faults = faults if id == "2" else Faults()
        return ask(bot, question, *rest, id=id)

    monkeypatch.setenv("QA_BOT_OLLAMA_TIMEOUT", "1")
    monkeypatch.setattr(runner, "RETRY_WAITS", (0.01, 0.01))
    monkeypatch.setattr(QABot, "ask", ask_a_faulty_server)
    Path("q.txt").write_text(f"{QUESTION}\n{QUESTION}\nHow many came to see it last year?\n")
    assert shell("batch", "q.txt", "-o", "a.jsonl") == 3
    rows = [json.loads(line) for line in Path("a.jsonl").read_text("utf-8").splitlines()]
    assert [row["status"] for row in rows] == ["answered", "error", "answered"]
    assert named in rows[1]["error"]
    monkeypatch.setattr(QABot, "ask", ask)
    shell.server.faults = Faults()
    assert shell("batch", "q.txt", "-o", "a.jsonl", "--retry-errors") == 0
    done = [json.loads(line) for line in Path("a.jsonl").read_text("utf-8").splitlines()]
    assert (done[0], done[2]) == (rows[0], rows[2])
    assert done[1]["answer"] == done[0]["answer"]


def test_a_batch_of_an_index_that_changed_is_not_resumed(shell: Shell) -> None:
    Path("q.txt").write_text(QUESTION)
    assert shell("batch", "q.txt", "-o", "a.html") == 0
    assert shell("batch", "q.txt", "-o", "a.html", "--resume") == 0
    (shell.documents / "zoo.txt").write_text("The zoo has 310,000 fish. It is old.\n")
    assert shell("index") == 0
    assert shell("batch", "q.txt", "-o", "a.html", "--resume") == 2
    assert "documents: 1 then, 2 now" in shell.err


def test_auto_takes_ollama_where_it_has_the_model_and_says_so(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QA_BOT_LLM", "auto")
    monkeypatch.setenv("QA_BOT_OLLAMA_MODEL", "tiny")
    assert shell("ask", QUESTION) == 0
    assert "Answering with ollama/tiny" in shell.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["ask", "  "], "question is empty"),
        (["ask", "--llm", "gpt-9", "Why?"], "'gpt-9'"),
        (["ask", "--embed", "word2vec", "Why?"], "'word2vec'"),
        (["ask", "--answer-language", "xx", "Why?"], "'xx' is none of en, fr"),
        (["search", "-k", "0", "museum"], "k is 0"),
        (["index", "/does/not/exist"], "/does/not/exist"),
        (["models", "remove", "gpt-9"], "'gpt-9'"),
    ],
)
def test_wrong_usage_gives_exit_code_2_and_names_the_value(
    shell: Shell, arguments: list[str], named: str
) -> None:
    assert shell(*arguments) == 2
    assert named in shell.err


def test_a_conversation_in_the_terminal(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = iter([QUESTION, "And in which year?", ""])
    monkeypatch.setattr("builtins.input", lambda prompt="": next(lines))
    assert shell("chat") == 0
    assert shell.out.count("310,000 visitors. [1]") == 2
    asked = [str(chat["messages"]) for chat in shell.server.chats]
    assert any("Last question: And in which year?" in text for text in asked)


def test_control_characters_of_a_document_do_not_reach_the_terminal(shell: Shell) -> None:
    """An escape sequence in a document could otherwise rewrite the screen."""
    (shell.documents / "museum.txt").write_text(
        ARTICLE.replace("visited", "\x1b[2J\x9bvisited"), encoding="utf-8"
    )
    assert shell("ask", QUESTION) == 0
    assert "\x1b" not in shell.out
    assert "\x9b" not in shell.out


def test_models_lists_what_is_there(shell: Shell) -> None:
    assert shell("models", "--json") == 0
    listing = json.loads(shell.out)
    assert [model["name"] for model in listing["models"] if model["default"]] == [
        "qwen2.5-coder-1.5b"
    ]
    assert not any(model["ready"] for model in listing["models"])


def test_a_reader_that_leaves_early_causes_no_traceback(shell: Shell) -> None:
    """`qa-bot … | head -1`."""
    assert shell("index") == 0
    code = f"'{sys.executable}' -m qa_bot search -k 5 museum | head -c 1"
    done = subprocess.run(
        ["bash", "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strictness", "high"),
        ("answer-language", "zh-Hant"),
        ("llm", "ollama/tiny"),
        ("embed", "use"),
        ("engine", "llama.cpp"),
        ("threads", "3"),
    ],
)
def test_a_setting_on_the_command_line_is_taken(name: str, value: str) -> None:
    options = parser().parse_args(["ask", "Who?", f"--{name}", value])
    assert str(getattr(_settings(options), name.replace("-", "_"))) == value
