"""The page's words: complete in every language, chosen from the browser, escaped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qa_bot.ui.texts import chosen_language, filled, texts

PAGE = Path(__file__).parents[2] / "qa_bot" / "ui" / "page"


@pytest.mark.parametrize("language", ["fr", "zh", "id"])
def test_every_text_is_there_with_the_same_places(language: str) -> None:
    english, other = texts()["en"], texts()[language]
    assert other.keys() == english.keys()
    for name, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", other[name])) == sorted(re.findall(r"\{\w+\}", text))
        assert other[name].strip()


def test_every_step_of_an_answer_has_a_name_for_readers() -> None:
    code = "".join(path.read_text("utf-8") for path in (PAGE.parents[1] / "answering").glob("*.py"))
    noted = set(re.findall(r'\bnote\(\s*"(\w+)"', code))
    assert "gate" in noted
    assert {f"step_{name}" for name in noted} <= set(texts()["en"])


def test_scripts_and_pages_say_only_what_there_is() -> None:
    asked = set(re.findall(r"\bsaid\.(\w+)", (PAGE / "login.js").read_text("utf-8")))
    for path in PAGE.glob("*.js"):
        asked |= set(re.findall(r'\bsay\((?:[^"()]*\? )?"(\w+)"', path.read_text("utf-8")))
    for path in PAGE.glob("*.html"):
        asked |= set(re.findall(r"\{\{(\w+)\}\}", path.read_text("utf-8"))) - {
            "language",
            "texts",
        }
    assert "searching" in asked
    assert asked <= set(texts()["en"])


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("zh-TW", "zh"),
        ("de,id;q=0.7,en;q=0.3", "id"),
        ("en;q=0.2, fr;q=0.9", "fr"),
        ("de, *;q=0.1", "en"),
        ("fr;q=broken, id", "id"),
    ],
)
def test_the_language_is_the_readers_first_that_there_is(accepted: str, language: str) -> None:
    assert chosen_language(accepted) == language


def test_a_language_that_was_chosen_wins_if_there_is_one() -> None:
    assert chosen_language("fr", "zh") == "zh"
    assert chosen_language("fr", "../../x") == "fr"


def test_texts_are_escaped_where_they_are_put(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(texts()["en"], "title", '<b>"&')
    page = filled("index.html", "en")
    assert "<title>&lt;b&gt;&quot;&amp;</title>" in page
    assert "</script><b>" not in page
    assert "<b>" not in page


def test_no_file_of_the_page_names_another_host() -> None:
    for path in PAGE.iterdir():
        named = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text("utf-8")))
        assert named <= {"http://www.w3.org"}, path.name
    for path in PAGE.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b",
                             path.read_text("utf-8")), path.name  # fmt: skip
