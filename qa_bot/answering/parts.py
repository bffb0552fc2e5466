"""A question that asks two or three things at once, taken apart."""

from __future__ import annotations

import re
from itertools import permutations

from qa_bot.text import utf8_len

MOST_PARTS = 3
"""Questions in one; more are a small model's invention."""
_ASKED = r"?？؟"
_CLAUSE_ENDS = re.compile(rf"[,，;；،{_ASKED}](?!\d)")
_CLAUSE_BYTES = 30, 12
"""Least length of what is asked before such a sign and after it, in UTF-8."""
_EACH = re.compile(
    r"分别|分別|それぞれ|각각|\b(?:respectively|respectivement|masing-masing|jeweils|respectivamente)\b",
    re.IGNORECASE,
)
"""Says that what follows is asked of each of the things named."""
_TWO_YEARS = re.compile(r"((?:19|20)\d\d)年?\s?[^\W\d]{1,3}\s?((?:19|20)\d\d)")
_MARK = re.compile(r"(?<=[?؟])\s+|(?<=？)\s*(?![\s”’」』》）)]|$)")
"""What follows a question mark that ends a question, and no quoted one."""
_ALIKE = re.compile(
    r"\s*(?P<word>what|which|who|whom|whose|how|when|where|why"
    r"|qui|que|quels?|quelles?|quand|combien|comment|pourquoi|où"
    r"|apa|apakah|siapa|berapa|kapan|mengapa|bagaimana"
    r"|wer|was|wann|wo|wie|warum|welche[rs]?"
    r"|quién|qué|cuál|cuánt[oa]s|cómo|cuándo|dónde|quem|qual|quant[oa]s|quando|onde"
    r"|chi|quale|quant[ie]|dove|welke|hoe|wanneer|waar)\b.*?"
    r"(?P<and>[,;،]\s+(?:\w{1,4}\s+)?)(?P<second>(?P=word)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
"""A second clause with the question word that the first one began with."""
_WORD = re.compile(r"[^\W_]+")
_ALONE = 0.6
"""Of the first question's length, from which on the others are thought to stand alone."""


def may_ask_twice(question: str) -> bool:
    """Whether a comma, in whatever script, may set two questions in one apart."""
    before, after = _CLAUSE_BYTES
    return any(
        utf8_len(question[: end.start()]) >= before and utf8_len(question[end.end() :]) >= after
        for end in _CLAUSE_ENDS.finditer(question)
    )


def of_each_year(question: str) -> list[str]:
    """The question once for each of the two years that it asks of; else none."""
    years = _TWO_YEARS.search(question)
    if not years or not _EACH.search(question):
        return []
    start, end = years.span()
    before, after = _EACH.sub("", question[:start]), _EACH.sub("", question[end:])
    return [before + year + after for year in years.groups()]


def stands_alone(part: str, first: str) -> bool:
    """Whether it is a whole question: not as short as `and in 2021?` beside the first."""
    return utf8_len(part) >= _ALONE * utf8_len(first)


def as_written(reply: str, question: str) -> list[str]:
    """The questions that a model took one apart into, a line each; none where it did not.

    Small models also answer what they are to take apart, or say it twice, or ask something of
    their own about it: each must begin with a word of the question, or as the first one does.
    """
    parts = list(
        dict.fromkeys(" ".join(line.split()) for line in reply.splitlines() if line.strip())
    )
    words = {*_WORD.findall(question.casefold()), *_first_word(" ".join(parts[:1]))}
    parts = [part for part in parts if " " not in part or _first_word(part) <= words]
    asked = all(part.endswith(tuple(_ASKED)) for part in parts)
    said = [set(part.casefold().split() if " " in part else part) for part in parts]
    twice = any(one <= other for one, other in permutations(said, 2))
    return parts if asked and not twice and 2 <= len(parts) <= MOST_PARTS else []


def _first_word(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold())[:1])


def by_signs(question: str) -> list[str]:
    """The questions that signs set apart; none where they set none apart.

    Each ends with a question mark; or the second begins with the first one's question word,
    after a comma: `Who won, and who lost?`
    """
    ended = _MARK.split(question.strip())
    if 2 <= len(ended) <= MOST_PARTS and all(part.endswith(tuple(_ASKED)) for part in ended):
        return ended
    alike = _ALIKE.fullmatch(question.strip())
    if not alike:
        return []
    second = alike["second"]
    return [question.strip()[: alike.start("and")] + "?", second[0].upper() + second[1:]]
