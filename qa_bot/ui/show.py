"""Answers and documents as the page draws them: plain texts in pieces, each with its role.

Pure functions from our types to JSON objects. A piece's `text` is always text, never HTML.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from qa_bot.answering.cite import with_markers
from qa_bot.answering.ground import distinct
from qa_bot.records import answer_record, passage_record
from qa_bot.types import Answer, Citation, Hit, IndexedDocument, Sentence

AROUND = 50_000
"""Characters of a document shown before the first and after the last highlight."""
_MARKER = re.compile(r"\[(\d+)\]")

Pieces = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A quote to highlight: the label it goes by, and where it should stand."""

    label: int
    start: int
    end: int
    quote: str


def shown_answer(
    answer: Answer, documents: Mapping[str, IndexedDocument], closest: int | None = None
) -> dict[str, Any]:
    """The answer record, and with it what only the page shows.

    `parts`: the answer in pieces (see `answer_parts`). `sources`: its citations, or the
    `closest` passages of a refusal (where None: those of the record), each with title, date,
    and what was checked. `steps`: how it came about.
    """
    if answer.status == "refused":
        hits = distinct(answer.retrieved, closest) if closest else answer.passages
        sources = [_closest(hit, documents) for hit in hits]
    else:
        sources = [_cited(citation, answer, documents) for citation in answer.citations]
    return {
        **answer_record(answer),
        "parts": answer_parts(answer),
        "sources": sources,
        "steps": [asdict(step) for step in answer.steps],
    }


def answer_parts(answer: Answer) -> list[dict[str, Any]]:
    """The answer's text sentence by sentence: `{"supported", "pieces"}`.

    Put together, the pieces' texts are the answer's text. A piece that is the marker of a
    citation has its number as `marker`.
    """
    known = {citation.marker for citation in answer.citations}
    parts = []
    at, doubtful = 0, False
    for sentence in answer.sentences:
        supported = sentence.verdict == "supported"
        start, end = _place(answer.answer, sentence, at)
        if start == end:  # not to be found: the rest of the answer has to carry its verdict
            doubtful = doubtful or not supported
            continue
        if start > at:
            parts.append(_part(answer.answer[at:start], True, known))
        parts.append(_part(answer.answer[start:end], supported, known))
        at = end
    if answer.answer[at:]:
        parts.append(_part(answer.answer[at:], not doubtful, known))
    return parts


def shown_document(
    document: IndexedDocument,
    text: str,
    marks: Sequence[Mark],
    pages: Sequence[int] = (),
    around: int = AROUND,
) -> dict[str, Any]:
    """A document with quotes highlighted in their place.

    Returns its title and so on; `pieces`: its text, in which a piece that quotes cover has
    their labels as `marks`, and every piece its `page`, from 1, where `pages` says at which
    offsets they start; `before` and `after`: how many characters are left out at either
    end; `moved`: labels whose quote no longer stands at its offsets, and is not highlighted.
    """
    standing = [mark for mark in marks if mark.quote and text[mark.start : mark.end] == mark.quote]
    first = max(0, min((mark.start for mark in standing), default=0) - around)
    last = min(len(text), max((mark.end for mark in standing), default=first) + around)
    edges = {edge for mark in standing for edge in (mark.start, mark.end)}
    cuts = sorted({first, last, *edges, *(start for start in pages if first < start < last)})
    pieces: Pieces = []
    for start, end in pairwise(cuts):
        labels = [mark.label for mark in standing if mark.start <= start and end <= mark.end]
        page = bisect_right(pages, start)
        pieces.append({"text": text[start:end], **({"marks": labels} if labels else {}),
                       **({"page": page} if page else {})})  # fmt: skip
    return {
        **asdict(document),
        "pieces": pieces,
        "before": first,
        "after": len(text) - last,
        "moved": [mark.label for mark in marks if mark not in standing],
    }


def shown_hits(hits: Iterable[Hit]) -> list[dict[str, Any]]:
    """Ranked passages, as `qa-bot search --json` gives them, with title, language and date."""
    return [
        {
            **passage_record(hit),
            "title": hit.passage.title,
            "language": hit.passage.language,
            "page": hit.passage.page,
            "date": hit.passage.date,
            "also_in": hit.also_in,
        }
        for hit in hits
    ]


def _cited(
    citation: Citation, answer: Answer, documents: Mapping[str, IndexedDocument]
) -> dict[str, Any]:
    resting = [item for item in answer.sentences if citation.marker in item.citations]
    document = documents.get(citation.source)
    return {
        **asdict(citation),
        "date": document.date if document else None,
        "supported": all(sentence.verdict == "supported" for sentence in resting),
        "also_in": answer.also_in(citation),
    }


def _closest(hit: Hit, documents: Mapping[str, IndexedDocument]) -> dict[str, Any]:
    passage = hit.passage
    document = documents.get(passage.source)
    return {
        "marker": hit.rank,
        "source": passage.source,
        "title": passage.title,
        "start": passage.start,
        "end": passage.end,
        "quote": passage.text,
        "language": passage.language,
        "page": passage.page,
        "date": document.date if document else passage.date,
        "also_in": hit.also_in,
    }


def _place(text: str, sentence: Sentence, at: int) -> tuple[int, int]:
    """Where a sentence stands in an answer from `at` on, with its markers; (0, 0) if nowhere."""
    for whole in (with_markers(sentence), sentence.text):
        start = text.find(whole, at)
        if whole and start >= 0:
            return start, start + len(whole)
    return 0, 0


def _part(text: str, supported: bool, known: set[int]) -> dict[str, Any]:
    return {"supported": supported, "pieces": _pieces(text, known)}


def _pieces(text: str, known: set[int]) -> Pieces:
    pieces: Pieces = []
    at = 0
    for found in _MARKER.finditer(text):
        if int(found[1]) not in known:
            continue
        if found.start() > at:
            pieces.append({"text": text[at : found.start()]})
        pieces.append({"text": found[0], "marker": int(found[1])})
        at = found.end()
    if text[at:]:
        pieces.append({"text": text[at:]})
    return pieces
