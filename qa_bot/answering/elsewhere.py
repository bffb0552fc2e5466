"""Sentences of another country, or another version, than the question asks about.

Asked how many countries signed with Japan, a small model tells how many signed with China; and of
version 2.0 what it is told of 2.1.
"""

from __future__ import annotations

import re
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
"""Characters on either side of a passage that may name it, too."""
_DOTTED = re.compile(r"(?<![\w.,])\d{1,3}(?:\.\d{1,3})+(?![\w.,]*\d)")
_VERSION = re.compile(rf"(?:\b[A-Z]\w*|\bversi\w+)[ \u00a0-]({_DOTTED.pattern})")


def elsewhere_farther(
    question: str, near: Sequence[Evidence], read_text: Callable[[str], str | None]
) -> list[Evidence]:
    """The sentences, those farther off around which a country or version asked about is not named.

    A country's people or language count as well. Left as they are where two things may be asked,
    each of another country.
    """
    named = countries(question, language_of(question, "en"))
    versions = set(_VERSION.findall(question))
    if not (named or versions) or may_ask_twice(question):
        return list(near)
    around = {item.passage: _around(item.passage, read_text) for item in near}
    of_others = {
        passage
        for passage, text in around.items()
        if named.keys() - hinted(text) or versions - set(_DOTTED.findall(text))
    }
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
