"""The desk over a real index: uploads come and go, questions wait for the index."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import NearEmbedding, ScriptedModel
from waiting import wait_until

from qa_bot.app import QABot
from qa_bot.errors import ServiceError
from qa_bot.settings import Settings
from qa_bot.types import Answer
from qa_bot.ui.desk import Desk

FIRST = "130 companies took part in the exhibition of Wuzhen in 2020."


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "first.txt").write_text(f"The exhibition\n\n{FIRST}\n", encoding="utf-8")
    return folder


def opened(tmp_path: Path, documents: Path) -> Desk:
    def open_bot(progress: Callable[[str, int, int], None]) -> QABot:
        bot = QABot(
            Settings(documents=(documents,), store=tmp_path / "store", models=tmp_path),
            embedder=NearEmbedding(model_name="near", near=("companies", "Lions")),
            progress=progress,
        )
        bot.model = ScriptedModel()
        return bot

    desk = Desk(open_bot, tmp_path / "store")
    desk.start()
    wait_until(lambda: desk.state()["state"] == "ready")
    return desk


@pytest.fixture
def desk(tmp_path: Path, documents: Path) -> Iterator[Desk]:
    made = opened(tmp_path, documents)
    yield made
    made.close()


def test_a_desk_is_not_ready_before_it_is_loaded(tmp_path: Path) -> None:
    desk = Desk(lambda progress: (_ for _ in ()).throw(ServiceError("no model")), tmp_path)
    with pytest.raises(ServiceError, match="still being loaded"):
        desk.search("x", 1)
    desk.start()
    wait_until(lambda: desk.state()["state"] == "failed")
    with pytest.raises(ServiceError, match="no model"):
        list(desk.stream("x"))


def test_questions_are_answered_and_the_state_tells_of_it(desk: Desk) -> None:
    *_, answer = desk.stream("How many companies took part?")
    assert isinstance(answer, Answer)
    assert answer.status == "answered"
    state = desk.state()
    assert (state["state"], state["documents"], state["model"]) == ("ready", 1, "scripted")


def test_a_question_is_limited_to_documents_and_a_quote_is_translated(desk: Desk) -> None:
    *_, answer = desk.stream("How many companies took part?", (), {"source": ["none.txt"]})
    assert isinstance(answer, Answer)
    assert answer.status == "refused"
    assert desk.translate("Un. Deux.", "fr", "en") == " ".join(["130 companies took part."] * 2)


def test_an_uploaded_file_is_indexed_found_shown_and_removed(
    desk: Desk, tmp_path: Path, documents: Path
) -> None:
    assert [item.source for item in desk.documents()] == ["first.txt"]
    assert desk.uploaded("first.txt") is None
    desk.uploads.save("zoo.txt", b"The zoo\n\nLions sleep for 20 hours a day.\n")
    report = desk.update()
    assert report.counts["added"] >= 1
    assert [item.source for item in desk.documents()] == ["documents/first.txt", "uploads/zoo.txt"]
    assert desk.uploaded("uploads/zoo.txt") == "zoo.txt"
    assert desk.uploaded("documents/first.txt") is None
    assert desk.uploaded("documents/zoo.txt") is None
    assert {hit.passage.source for hit in desk.search("lions", 5)} >= {"uploads/zoo.txt"}
    found = desk.document("uploads/zoo.txt")
    assert found is not None
    assert found[1] is not None
    assert "Lions sleep" in found[1]
    assert desk.document("../secret") is None
    named_before = desk.document("first.txt")
    assert named_before is not None
    assert named_before[0].source == "documents/first.txt"

    # Another start, with the documents alone named, still has what was uploaded.
    desk.close()
    kept = (tmp_path / "store" / "manifest.json").read_bytes()
    again = opened(tmp_path, documents)
    assert (tmp_path / "store" / "manifest.json").read_bytes() == kept  # nothing made anew
    assert [item.source for item in again.documents()] == ["documents/first.txt", "uploads/zoo.txt"]
    again.uploads.remove("zoo.txt")
    again.update()
    assert [item.source for item in again.documents()] == ["first.txt"]
    again.close()


def test_answers_go_on_while_the_documents_are_indexed(desk: Desk) -> None:
    answering = desk.stream("How many companies took part?")
    next(answering)
    indexing = threading.Thread(target=desk.update)
    indexing.start()
    *_, answer = answering
    assert isinstance(answer, Answer)
    indexing.join(20)
    assert not indexing.is_alive()
    *_, answer = desk.stream("How many companies took part?")
    assert isinstance(answer, Answer)
