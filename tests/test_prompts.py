"""Prompt files load, fill, and fail loudly."""

import string
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.steps import load_gate
from qa_bot.errors import UsageError
from qa_bot.prompts import load_data, load_prompt, phrases
from qa_bot.settings import resource
from qa_bot.types import Strictness


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


def test_the_stored_gate_is_stricter_where_it_says_so() -> None:
    low, normal, high = (load_gate(name) for name in get_args(Strictness))
    assert 0 < low.least < normal.least < high.least < 1
    assert (low.sure, low.support, low.nearness) == (high.sure, high.support, high.nearness)
