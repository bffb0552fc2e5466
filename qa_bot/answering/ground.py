"""Evidence: the shown passages as numbered sentences, and the prompt text made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa_bot.numbers import annotate
from qa_bot.text import sentence_spans
from qa_bot.types import Hit, Passage

TITLE_LENGTH = 70
"""Characters of a title that a prompt shows: enough to tell documents apart."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sentence of a shown passage; `start` and `end` count in the document's text."""

    label: str
    """`S1`, `S2`, … in the order of the prompt."""
    passage: Passage
    start: int
    end: int
    text: str


def shown_hits(hits: Sequence[Hit], limit: int) -> tuple[Hit, ...]:
    """The first `limit` hits that do not mostly repeat a better one of the same document."""
    chosen: list[Hit] = []
    for hit in hits:
        if len(chosen) == limit:
            break
        if not any(_overlap(hit.passage, other.passage) > 0.5 for other in chosen):
            chosen.append(hit)
    return tuple(chosen)


def evidence_sentences(hits: Sequence[Hit]) -> tuple[Evidence, ...]:
    """The sentences of the hits' passages, best passage first, each stretch of text once."""
    taken: list[tuple[str, int, int]] = []
    found: list[Evidence] = []
    for hit in hits:
        passage = hit.passage
        for span in sentence_spans(passage.text):
            start, end = passage.start + span.start, passage.start + span.end
            if any(s == passage.source and a < end and start < b for s, a, b in taken):
                continue  # neighbouring passages share a sentence
            taken.append((passage.source, start, end))
            text = passage.text[span.start : span.end]
            found.append(Evidence(f"S{len(found) + 1}", passage, start, end, text))
    return tuple(found)


def evidence_text(evidence: Sequence[Evidence], language: str) -> str:
    """The sentences as a prompt shows them: under their document's title and date.

    Large numbers are annotated for an answer in `language`.
    """
    lines: list[str] = []
    last: str | None = None
    for item in evidence:
        if item.passage.source != last:
            last = item.passage.source
            lines.append(_heading(item.passage))
        text = " ".join(annotate(item.text, item.passage.language, language).split())
        lines.append(f"{item.label}: {text}")
    return "\n".join(lines)


def _heading(passage: Passage) -> str:
    title = " ".join(passage.title.split())
    if len(title) > TITLE_LENGTH:
        title = title[:TITLE_LENGTH].rstrip() + "…"
    return f"[{title}, {passage.date}]" if passage.date else f"[{title}]"


def _overlap(one: Passage, other: Passage) -> float:
    if one.source != other.source:
        return 0.0
    shared = min(one.end, other.end) - max(one.start, other.start)
    return max(0, shared) / max(1, min(one.end - one.start, other.end - other.start))
