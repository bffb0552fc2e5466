"""Sentences of another country than the question asks about.

Asked how many countries signed with Japan, a small model tells how many signed with China.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from qa_bot.answering.ground import Evidence
from qa_bot.answering.parts import may_ask_twice
from qa_bot.places import countries, hinted
from qa_bot.text import language_of
from qa_bot.types import Passage

FARTHER = 0.4
"""How much less near such a sentence counts: after the others, and answered from only where the
model is surer than it mostly is (benchmarks/README.md)."""
AROUND = 300
"""Characters on either side of a passage that may name the country, too."""


def elsewhere_farther(
    question: str, near: Sequence[Evidence], read_text: Callable[[str], str | None]
) -> list[Evidence]:
    """The sentences, those farther off around which a country is not named that the question names.

    Its people or language count as well. Left as they are where two things may be asked, each
    of another country.
    """
    asked = countries(question, language_of(question, "en"))
    if not asked or may_ask_twice(question):
        return list(near)
    around = {item.passage: _around(item.passage, read_text) for item in near}
    of_others = {passage for passage, text in around.items() if asked.keys() - hinted(text)}
    return [
        replace(item, nearness=item.nearness - FARTHER) if item.passage in of_others else item
        for item in near
    ]


def _around(passage: Passage, read_text: Callable[[str], str | None]) -> str:
    """A passage's title and text, with some of what stands before and after it."""
    text = read_text(passage.source)
    if text is None or text[passage.start : passage.end] != passage.text:
        return f"{passage.title}\n{passage.text}"
    reach = text[max(0, passage.start - AROUND) : passage.end + AROUND]
    return f"{passage.title}\n{reach}"
