"""Sentences of another country, version, edition or day than the question asks about.

Asked how many countries signed with Japan, a small model tells how many signed with China; of
version 2.0 what it is told of 2.1; of the eighth fair what the sixth was like; of the sales of
one day those of another; and asked how many countries share a forest, how much of it each has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from qa_bot.answering.asked import asked_for, counts_something
from qa_bot.answering.ground import Evidence
from qa_bot.answering.parts import may_ask_twice
from qa_bot.months import days
from qa_bot.number_words import ordinals
from qa_bot.numbers import counts_nothing, with_digits
from qa_bot.places import countries, hinted
from qa_bot.text import language_of
from qa_bot.types import Passage

T = TypeVar("T")

FARTHER = 0.4
"""How much less near such a sentence counts: after the others, and answered from only where the
model is surer than it mostly is (benchmarks/README.md)."""
AROUND = 300
"""Characters on either side of a passage that may name it, too."""
_DOTTED = re.compile(r"(?<![\w.,])\d{1,3}(?:\.\d{1,3})+(?![\w.,]*\d)")
_IN_FIGURES = re.compile(
    r"第(\d{1,3})|(?<![\w.,])(\d{1,3})(?:st|nd|rd|th|e|è?[mr]e|[ºª])\b|\bke-(\d{1,3})\b",
    re.IGNORECASE,
)
_VERSION = re.compile(rf"(?:\b[A-Z]\w*|\bversi\w+)[ \u00a0-]({_DOTTED.pattern})")


def elsewhere_farther(
    question: str, near: Sequence[Evidence], read_text: Callable[[str], str | None]
) -> list[Evidence]:
    """The sentences, those farther off around which a country or version asked about is not named.

    So are those that name other days than the question only, where it asks for no time; and those
    of a passage that names the sixth where the question names the eighth, and those that tell
    but years or shares where it asks how many. A country's people or language count as well. Left
    as they are where two things may be asked, each of another country.
    """
    named = countries(question, language_of(question, "en"))
    versions = set(_VERSION.findall(question))
    on = set() if asked_for(question) == "time" else days(question)
    places = _places(question)
    counts = counts_something(question)
    if not (named or versions or on or places or counts) or may_ask_twice(question):
        return list(near)
    around = {item.passage: _around(item.passage, read_text) for item in near}
    of_others = {
        passage
        for passage, text in around.items()
        if named.keys() - hinted(text) or versions - set(_DOTTED.findall(text))
    }

    def of_another(item: Evidence) -> bool:
        passage = item.passage
        return (
            passage in of_others
            or _are_others(on, days(f"{passage.title}\n{passage.date}\n{item.text}"))
            or _are_others(places, _places(f"{passage.title}\n{passage.text}"))
            or (counts and counts_nothing(item.text))
        )

    return [
        replace(item, nearness=item.nearness - FARTHER) if of_another(item) else item
        for item in near
    ]


def _are_others(asked: set[T], told: set[T]) -> bool:
    return bool(asked and told) and asked.isdisjoint(told)


def _places(text: str) -> set[int]:
    """The places in a row that a text names, from the second on: the sixth, 第六届.

    Without the first, which is mostly said of something else: for the first time.
    """
    text = with_digits(text)
    figures = {int(place) for found in _IN_FIGURES.findall(text) for place in found if place}
    return (figures | set(map(int, ordinals(text)))) - {1}


def _around(passage: Passage, read_text: Callable[[str], str | None]) -> str:
    """A passage's title and text, with some of what stands before and after it."""
    text = read_text(passage.source)
    if text is None or text[passage.start : passage.end] != passage.text:
        return f"{passage.title}\n{passage.text}"
    reach = text[max(0, passage.start - AROUND) : passage.end + AROUND]
    return f"{passage.title}\n{reach}"
