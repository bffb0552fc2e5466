"""Words in common, counted within each language."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

from qa_bot.types import Candidate

GRAM = 4
"""Letters of a piece of a word: enough to match its inflected forms, and its cognates."""
PAIR = 2
"""Letters of a piece where words are not set apart by spaces."""

_MARKS = re.compile("[\u0300-\u036f]+")
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u3400-\u9fff]+)")
"""Thai, Lao, Burmese, Khmer, kana and Han."""
_GAP = re.compile(r"[\W_]+")


def shared_words(question: str, candidates: Sequence[Candidate]) -> list[float]:
    """The share of the question's words that a passage or its title has, less its language's best.

    Words are cut into pieces, weighted by how few candidates of the passage's own language
    have them (inverse document frequency as in BM25). So the passages of a language are
    told apart, and no language gains on another: the best of each has 0. Most of what a
    question shares with passages in another language is names and numbers.
    """
    wanted = sorted(_pieces(question))
    texts = [_folded(f"{each.passage.title} {each.passage.text}") for each in candidates]
    had = [[piece in text for piece in wanted] for text in texts]
    by_language: dict[str, list[int]] = {}
    for place, candidate in enumerate(candidates):
        by_language.setdefault(candidate.passage.language, []).append(place)
    scores = [0.0] * len(candidates)
    for places in by_language.values():
        holding = [sum(column) for column in zip(*(had[place] for place in places), strict=True)]
        weights = [math.log(1 + (len(places) - n + 0.5) / (n + 0.5)) for n in holding]
        total = sum(weights) or 1.0
        for place in places:
            scores[place] = sum(w for w, has in zip(weights, had[place], strict=True) if has)
        best = max(scores[place] for place in places)
        for place in places:
            scores[place] = (scores[place] - best) / total
    return scores


def _folded(text: str) -> str:
    """The words of a text without case and accents, each between two spaces."""
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.lower()))
    return _GAP.sub(" ", " " + _UNSPACED.sub(r" \1 ", bare) + " ")


def _pieces(text: str) -> set[str]:
    found: set[str] = set()
    for word in _folded(text).split():
        unspaced = _UNSPACED.match(word)
        found.update(_cut(word, PAIR) if unspaced else _cut(f" {word} ", GRAM))
    return found


def _cut(word: str, length: int) -> list[str]:
    return [word[at : at + length] for at in range(max(1, len(word) - length + 1))]
