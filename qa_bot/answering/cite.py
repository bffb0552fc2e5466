"""Sentences of an answer to verified citations. The model never writes a marker itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from qa_bot.answering.ground import Evidence
from qa_bot.numbers import missing_numbers
from qa_bot.text import normalise
from qa_bot.types import Citation, Sentence

ReadText = Callable[[str], str | None]
"""The text of a source as its file has it now; None where the file is gone."""

_MARKER = re.compile(r"\s*[\[【]\s*S?\d+(?:\s*,\s*S?\d+)*\s*[\]】]")
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


class Citer:
    """Numbers citations 1…n by first appearance, each quote checked at its offsets."""

    def __init__(self, evidence: Sequence[Evidence], question: str, read_text: ReadText) -> None:
        self._evidence = [item for item in evidence if _verified(item, read_text)]
        self._question = question
        self.citations: list[Citation] = []

    def cite(self, text: str) -> Sentence:
        """One written sentence with what it rests on, and whether its numbers stand there."""
        used = _resting_on(text, self._evidence)
        markers = tuple(sorted({self._marker(item) for item in used}))
        stated = [item.text for item in used]
        supported = bool(used) and not missing_numbers(text, self._question, *stated)
        return Sentence(text, markers, "supported" if supported else "unsupported")

    def _marker(self, item: Evidence) -> int:
        for citation in self.citations:
            if (citation.source, citation.start) == (item.passage.source, item.start):
                return citation.marker
        self.citations.append(
            Citation(
                marker=len(self.citations) + 1,
                source=item.passage.source,
                title=item.passage.title,
                start=item.start,
                end=item.end,
                quote=item.text,
                language=item.passage.language,
            )
        )
        return len(self.citations)


def without_markers(text: str) -> str:
    """`text` without anything that looks like a citation marker: models copy those."""
    return _MARKER.sub("", text)


def with_markers(sentence: Sentence) -> str:
    """The sentence followed by its markers, each on its own: `Text. [1][2]`."""
    marks = "".join(f"[{marker}]" for marker in sentence.citations)
    return f"{sentence.text} {marks}" if marks else sentence.text


def _verified(item: Evidence, read_text: ReadText) -> bool:
    """Whether the quote stands at its offsets: in the passage, and in the file if there is one."""
    start = item.start - item.passage.start
    if item.passage.text[start : start + len(item.text)] != item.text:
        return False
    text = read_text(item.passage.source)
    return text is None or text[item.start : item.end] == item.text


def _resting_on(text: str, evidence: Sequence[Evidence]) -> list[Evidence]:
    """The evidence that shares words with `text`; all of it where nothing does.

    Evidence was chosen for the whole answer, so a sentence in another language, which
    shares no word with it, rests on all of it.
    """
    wanted = _terms(text)
    shared = [len(wanted & _terms(item.text)) for item in evidence]
    best = max(shared, default=0)
    if best == 0:
        return list(evidence)
    return [item for item, count in zip(evidence, shared, strict=True) if count * 2 >= best]


def _terms(text: str) -> set[str]:
    terms: set[str] = set()
    for word in _WORD.findall(normalise(text)):
        if _CJK.search(word):
            terms |= {word[i : i + 2] for i in range(len(word) - 1)}
        elif len(word) > 3 or word.isdigit():
            terms.add(word)
    return terms
