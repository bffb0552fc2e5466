"""The main job with the real embedded models, on the seeds, in this process and as a command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import qa_bot
from qa_bot.app import QABot
from qa_bot.prompts import phrases
from qa_bot.settings import resource

pytestmark = pytest.mark.models

ANSWERABLE = [
    ("en", "How big was China's digital economy in 2017?", "27.2"),
    ("fr", "Quel robot de Baidu les visiteurs ont-ils essayé ?", "Xiaodu"),
    ("zh", "有多少家企业参加了2023年“互联网之光”博览会？", "580"),
    ("id", "Aplikasi apa yang disebut sebagai contoh keberhasilan perusahaan Tiongkok?", "TikTok"),
    (
        "en",
        "How many kilometres of optical fibre have Chinese companies laid in Africa?",
        "200,000",
    ),
]
UNANSWERABLE = [
    ("en", "Who won the 2018 football World Cup?"),
    ("fr", "Pourquoi la Conférence mondiale de l'Internet de 2020 a-t-elle été annulée ?"),
    ("zh", "2023年世界互联网大会乌镇峰会的门票价格是多少？"),
]


@pytest.fixture(scope="module")
def bot(default_model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QABot]:
    """The default bot over an index of its own."""
    opened = qa_bot.open(
        store=tmp_path_factory.mktemp("store"), models=default_model_path.parents[1], llm="embedded"
    )
    opened.load()
    yield opened
    opened.close()


@pytest.mark.parametrize(("language", "question", "fact"), ANSWERABLE)
def test_a_question_is_answered_in_its_language_with_quotes_that_stand_in_their_files(
    bot: QABot, language: str, question: str, fact: str
) -> None:
    answer = bot.ask(question)
    assert (answer.status, answer.language) == ("answered", language)
    assert fact in answer.answer
    assert answer.citations
    for citation in answer.citations:
        text = (resource("seeds") / citation.source).read_text(encoding="utf-8")
        assert text[citation.start : citation.end] == citation.quote
        assert f"[{citation.marker}]" in answer.answer


@pytest.mark.parametrize(("language", "question"), UNANSWERABLE)
def test_what_the_documents_do_not_say_is_refused_in_the_questions_language(
    bot: QABot, language: str, question: str
) -> None:
    answer = bot.ask(question)
    assert answer.status == "refused"
    assert answer.answer.startswith(phrases(language).refusal)
    assert answer.passages


def test_of_what_never_happened_the_refusal_tells_what_did(bot: QABot) -> None:
    question = dict(UNANSWERABLE)["fr"]
    answer = bot.ask(question)
    assert answer.status == "refused"
    assert "La Chine a organisé la Conférence mondiale de l'Internet" in answer.answer


def test_where_the_documents_give_several_numbers_each_is_told(bot: QABot) -> None:
    answer = bot.ask("How much is China's digital economy worth?")
    assert all(fact in answer.answer for fact in ("27.2", "35.8", "45.5"))
    assert len({citation.source for citation in answer.citations}) == 3
    assert "2018-11-09: " in answer.answer


def test_an_answer_does_not_depend_on_what_was_asked_before(bot: QABot) -> None:
    question = ANSWERABLE[0][1]
    first = bot.ask(question)
    bot.ask(UNANSWERABLE[0][1])
    again = bot.ask(question)
    assert (first.answer, first.citations) == (again.answer, again.citations)


def test_a_follow_up_is_understood(bot: QABot) -> None:
    history = [("How big was China's digital economy in 2017?", "It was 27.2 trillion yuan. [1]")]
    answer = bot.ask("And in 2021?", history)
    assert "2021" in answer.standalone_question
    assert "econom" in answer.standalone_question


NETWORK_WATCH = """
import sys
def watch(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if host not in ("127.0.0.1", "::1", "localhost", None):
        open(WATCH_FILE, "a").write(f"{event} {host}\\n")
sys.addaudithook(watch)
"""


def test_nothing_but_the_fetch_asks_for_the_network(
    bot: QABot, tmp_path: Path, default_model_path: Path
) -> None:
    """Indexing and answering in a process of their own look up no host and connect nowhere.

    Only this machine is asked, whether Ollama runs on it.
    """
    seen = tmp_path / "seen"
    watch = f"WATCH_FILE = {str(seen)!r}\n{NETWORK_WATCH}"
    (tmp_path / "sitecustomize.py").write_text(watch, encoding="utf-8")
    environment = os.environ | {
        "PYTHONPATH": str(tmp_path),
        "QA_BOT_STORE": str(tmp_path / "store"),
        "QA_BOT_MODELS": str(default_model_path.parents[1]),
        "QA_BOT_LLM": "auto",
    }
    done = subprocess.run(
        [sys.executable, "-m", "qa_bot", "ask", "--json", ANSWERABLE[0][1]],
        capture_output=True, text=True, check=True, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert json.loads(done.stdout)["status"] == "answered"
    assert not seen.exists(), seen.read_text(encoding="utf-8")
