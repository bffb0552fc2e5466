"""Prompt files load, fill, and fail loudly."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.errors import UsageError
from qa_bot.prompts import load_data, load_prompt, phrases
from qa_bot.settings import resource


@pytest.mark.parametrize("path", sorted(resource("prompts").glob("*.md")), ids=lambda p: p.stem)
def test_every_prompt_says_what_it_is_for_and_holds_no_note_in_its_messages(
    path: Path,
) -> None:
    assert path.read_text("utf-8").startswith("<!--")
    prompt = load_prompt(path.stem)
    assert prompt.messages[-1].role == "user"
    assert not any("<!--" in message.content for message in prompt.messages)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(UsageError, match=r"gate: no value for \$evidence"):
        load_prompt("gate").fill(question="Why?")


@given(st.text(alphabet=string.printable + "你é$", max_size=80))
def test_what_is_filled_in_arrives_unchanged(text: str) -> None:
    """Text is data: no dollar sign or brace in it is read as a template."""
    assert text in load_prompt("gate").fill(evidence="x", question=text)[-1].content


@pytest.mark.parametrize("language", sorted(load_data("languages")))
def test_every_language_has_all_phrases(language: str) -> None:
    found = phrases(language)
    assert all((found.name, found.answer, found.refusal))


def test_a_language_without_phrases_gets_english_ones() -> None:
    assert phrases("xx") == phrases("en")
