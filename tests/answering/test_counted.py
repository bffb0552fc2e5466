"""A number must count in an answer what it counts in the quote that states it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa_bot.answering.counted import miscounted
from qa_bot.models.embed import make_embedder, unit

GUESTS = "Plus de 2 000 représentants de plus de 120 pays et régions se sont réunis."


def by_words(texts: list[str]) -> NDArray[np.float32]:
    """Near where the words are the same, in one language."""
    rows = np.full((len(texts), 64), 0.01, np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in text.split():
            row[sum(map(ord, word)) % 64] += 1
    return unit(rows)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("120 pays et régions ont participé.", []),
        ("2000 pays et régions ont participé.", ["2000"]),
        ("2000 représentants de 120 pays.", []),
        ("300 pays et régions.", []),
        ("2000.", []),
    ],
    ids=["right", "of the guests", "both right", "stated nowhere", "of nothing"],
)
def test_a_number_of_something_else_is_found(text: str, found: list[str]) -> None:
    assert miscounted(text, [GUESTS], by_words) == found


def test_a_quote_that_states_the_number_so_clears_it() -> None:
    assert miscounted("2000 pays et régions.", [GUESTS, "2 000 pays et régions"], by_words) == []


def test_years_are_not_compared() -> None:
    quote = "En 2022 les pays et régions, soit 120 autres choses encore"
    assert miscounted("2022 autres choses encore", [quote], by_words) == []


@given(st.text(max_size=80), st.lists(st.integers(0, 10**6), max_size=4))
def test_what_a_quote_says_itself_is_never_found(text: str, numbers: list[int]) -> None:
    quote = " ".join([text, *(f"{number} guests of {text}" for number in numbers)])
    assert miscounted(quote, [quote], by_words) == []


@pytest.mark.models
@pytest.mark.parametrize(
    ("right", "wrong", "quote"),
    [
        ("120 countries and regions were there", "2000 countries and regions were there", GUESTS),
        ("126 pays et régions", "1800 pays et régions", "来自126个国家和地区的1800多位嘉宾参加"),
        ("12 negara", "40 negara", "12 Länder und 40 Unternehmen nahmen teil."),
    ],
)
def test_it_is_told_across_languages(right: str, wrong: str, quote: str) -> None:
    embedder = make_embedder("auto", threads=2, ollama_host=None, ollama_timeout=60)

    def vectors(texts: list[str]) -> NDArray[np.float32]:
        return unit(np.array(embedder.get_text_embedding_batch(texts)))

    assert miscounted(right, [quote], vectors) == []
    assert miscounted(wrong, [quote], vectors)
