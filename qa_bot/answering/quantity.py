"""A number that is asked for: what states none cannot answer."""

from __future__ import annotations

import re

from qa_bot.answering.parts import may_ask_twice
from qa_bot.number_words import LANGUAGES
from qa_bot.numbers import stated_values
from qa_bot.prompts import asks, phrases
from qa_bot.text import language_of

_ONE = re.compile(
    r"\b(?:one|single|only|seule?|unique|satu|tunggal|einzig\w*|solo|sola|único|única)\b"
    r"|一[个個位名家种種条條座次项項]|唯一",
    re.IGNORECASE,
)
"""A number as well, though it is mostly an article or says something else."""


def is_asked(question: str) -> bool:
    """Whether the question asks how many, how much or how old, by such words, and nothing else.

    Known in the languages whose `prompts/languages.json` has a `quantity`. Of 370 answerable
    questions in four languages it finds 65, and each has a gold passage that may state one.
    """
    asked = asks(phrases(language_of(question, "en")).quantity, question)
    # Of two things asked at once, maybe only one is a number.
    return asked and not may_ask_twice(question)


def may_state(text: str, language: str, question: str) -> bool:
    """Whether a sentence states a number that the question does not name.

    So it is for one in a language whose numbers in words are not read.
    """
    if language not in LANGUAGES:
        return True
    return bool(stated_values(text) - stated_values(question) or _ONE.search(text))
