"""Sentences of an answer to verified citations. The model never writes a marker itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

import numpy as np
from llama_index.core.embeddings import BaseEmbedding
from numpy.typing import NDArray

from qa_bot.answering.asked import asks_when_it_came_out
from qa_bot.answering.check import terms, unsupported_countries, unsupported_numbers
from qa_bot.answering.counted import miscounted
from qa_bot.answering.ground import Evidence
from qa_bot.answering.names import (
    unsupported_latin_words,
    unsupported_names,
    unsupported_quotations,
)
from qa_bot.answering.polarity import turned_round
from qa_bot.answering.run import Run
from qa_bot.models.embed import unit
from qa_bot.months import names_month
from qa_bot.numbers import stated_values
from qa_bot.text import unnumbered
from qa_bot.types import Citation, Sentence
from qa_bot.units import repair_currencies, unsupported_units
from qa_bot.written_numbers import repair_numbers, settled_length

ReadText = Callable[[str], str | None]
"""The text of a source as its file has it now; None where the file is gone."""

_MARKER = re.compile(r"\s*[\[【]\s*S?\d+(?:\s*,\s*S?\d+)*\s*[\]】]")
_CAPITAL_NOUNS = {"de"}
"""Languages whose names no capital tells."""
_TELLING = 4
"""Letters of a word that tells what a sentence is about."""
_NUMBER = 3
"""Words that a number tells as much as."""


class Citer:
    """Numbers citations 1…n by first appearance, each quote checked at its offsets."""

    def __init__(
        self,
        evidence: Sequence[Evidence],
        question: str,
        run: Run,
        read_text: ReadText,
        embedder: BaseEmbedding,
    ) -> None:
        self.evidence = [item for item in evidence if verified(item, read_text)]
        """What can be cited: its quotes stand at their offsets."""
        self._question = question
        self._run = run
        # A prompt shows the title above a quote, so an answer may name what stands in it.
        self._stated = [question, *map(self._shown, self.evidence)]
        self._embedder = embedder

    def cite(self, sentence: str, quoted: Sequence[Evidence]) -> Sentence:
        """A finished sentence with the markers of what it rests on; new quotes get new ones."""
        markers = tuple(sorted({self._marker(item) for item in quoted}))
        supported = bool(quoted) and not self.unstated(sentence, quoted)
        return Sentence(sentence, markers, "supported" if supported else "unsupported")

    def repaired(self, text: str) -> str:
        """`text` with large numbers and currencies put right, in the form of its language."""
        language = self._run.language
        text = repair_numbers(text, language, self._stated, self._of(language))
        return repair_currencies(text, language, [item.text for item in self.evidence])

    def unstated(self, text: str, quoted: Sequence[Evidence]) -> list[str]:
        """What these quotes, with their title, do not state: numbers, units, countries, names.

        So, too, numbers that count another thing there, and words that say the opposite.
        """
        language = self._run.language
        shown = [self._shown(item) for item in quoted]
        quotes = [item.text for item in quoted]
        return [
            *unsupported_numbers(text, self._question, shown),
            *unsupported_units(text, self._question, shown),
            *unsupported_countries(text, language, self._question, shown),
            *self._misquoted(text, quoted),
            *unsupported_latin_words(text, self._question, shown),
            *miscounted(text, quotes, self._vectors),
            *turned_round(text, language, self._question, quotes),
        ]

    def _misquoted(self, text: str, quoted: Sequence[Evidence]) -> list[str]:
        """The names and quotations that quotes of the answer's own language do not have."""
        if any(item.passage.language != self._run.language for item in quoted):
            return []
        shown = [self._shown(item) for item in quoted]
        quotations = unsupported_quotations(text, self._question, shown)
        if self._run.language in _CAPITAL_NOUNS:
            return quotations
        return [*unsupported_names(text, self._question, shown), *quotations]

    def settled(self, text: str) -> str:
        """What of an unfinished sentence `cite` will leave as it is."""
        language = self._run.language
        length = settled_length(text, language, self._stated, self._of(language))
        return text[:length].rstrip()

    def _of(self, language: str) -> list[str]:
        """The question, and the quotes of its language: their numbers are in its form."""
        quotes = (item.text for item in self.evidence if item.passage.language == language)
        return [self._question, *quotes]

    def resting_on(self, text: str) -> list[Evidence]:
        """The evidence that shares most words and numbers with `text`; no more than it needs.

        Where none shares any, as between scripts, the one nearest in meaning.
        """
        shared = [_weight(_said(text) & _said(item.text)) for item in self.evidence]
        best = max(shared, default=0)
        if best == 0 and len(self.evidence) > 1:
            vectors = self._vectors([text, *(item.text for item in self.evidence)])
            return [self.evidence[int(np.argmax(vectors[1:] @ vectors[0]))]]
        scored = zip(self.evidence, shared, strict=True)
        most = [item for item, score in scored if score > best / 2 or score == best]
        few = self._telling_what_is_new(text, most)
        fewer = 0 < len(few) < len(most)
        return few if fewer and not self.unstated(text, few) else most

    def _telling_what_is_new(self, text: str, evidence: Sequence[Evidence]) -> list[Evidence]:
        """Of the evidence, what shares most that the question has not, and what adds to that."""
        said = _said(text)
        missing = said - _said(self._question)
        few: list[Evidence] = []

        def adds(item: Evidence) -> tuple[int, int]:
            shared = said & _said(item.text)
            return _weight(shared & missing), _weight(shared)

        while True:
            best = max(reversed(evidence), key=adds, default=None)  # the best judged stands last
            if best is None or not missing & _said(best.text):
                return [item for item in evidence if item in few]
            few.append(best)
            missing -= _said(best.text)

    def _vectors(self, texts: list[str]) -> NDArray[np.float32]:
        return unit(np.array(self._embedder.get_text_embedding_batch(texts)))

    def _shown(self, item: Evidence) -> str:
        """What bears out an answer: the quote, its title, and of the document's date what is meant.

        All of it where the question asks when the document came out; else the year alone, where
        the question names it, or the quote a date, which lacks it as in the news: what a quote
        tells of need not have been that day.
        """
        date = item.passage.date or ""
        if not asks_when_it_came_out(self._question):
            meant = date[:4] in self._question or names_month(item.text)
            date = date[:4] if meant else ""
        return f"{unnumbered(item.passage.title)}\n{date}\n{item.text}"

    def _marker(self, item: Evidence) -> int:
        for citation in self._run.citations:
            if (citation.source, citation.start) == (item.passage.source, item.start):
                return citation.marker
        self._run.citations.append(
            Citation(
                marker=len(self._run.citations) + 1,
                source=item.passage.source,
                title=item.passage.title,
                start=item.start,
                end=item.end,
                quote=item.text,
                language=item.passage.language,
                page=item.passage.page,
            )
        )
        return len(self._run.citations)


def without_markers(text: str) -> str:
    """`text` without anything that looks like a citation marker: models copy those."""
    return _MARKER.sub("", text)


def with_markers(sentence: Sentence) -> str:
    """The sentence followed by its markers, each on its own: `Text. [1][2]`."""
    marks = "".join(f"[{marker}]" for marker in sentence.citations)
    return f"{sentence.text} {marks}" if marks else sentence.text


def verified(item: Evidence, read_text: ReadText) -> bool:
    """Whether the quote stands at its offsets: in the passage, and in the file if there is one."""
    start = item.start - item.passage.start
    if item.passage.text[start : start + len(item.text)] != item.text:
        return False
    text = read_text(item.passage.source)
    return text is None or text[item.start : item.end] == item.text


def _said(text: str) -> set[str | Decimal]:
    """The telling words and the numbers of a text."""
    return terms(text, _TELLING) | stated_values(text)


def _weight(said: Iterable[str | Decimal]) -> int:
    """How much it tells; a number counts as three words."""
    return sum(1 if isinstance(each, str) else _NUMBER for each in said)
