"""Where gold passages stand in their documents, and what hits them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qa_bot.evals.testset import Case, ReadText
from qa_bot.text import utf8_len

PASSAGE_BYTES, QUOTE_BYTES = 2000, 1200
"""No longer passage or quote hits anything: a whole document would hit everything."""
_LEAST_OVERLAP = 12


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of a document, in characters of its text."""

    source: str
    start: int
    end: int


def gold_places(case: Case, read_text: ReadText) -> tuple[Place, ...]:
    """Every place where a gold passage of the case stands in its document."""
    places = []
    for number, passage in enumerate(case.gold_passages):
        for source in _holders(case, number):
            text, start = read_text(source) or "", -1
            while (start := text.find(passage, start + 1)) >= 0:
                places.append(Place(source, start, start + len(passage)))
    return tuple(places)


def missing_gold(cases: Sequence[Case], read_text: ReadText) -> list[str]:
    """What of the gold is not in the documents, a line each: such questions cannot be won."""
    lines = []
    for case in cases:
        named = dict.fromkeys((*case.gold_docs, *case.passage_docs))
        absent = [source for source in named if read_text(source) is None]
        lines += [f"question {case.question.id}: no document {source}" for source in absent]
        for number, passage in enumerate(case.gold_passages):
            holders = [source for source in _holders(case, number) if source not in absent]
            if holders and not any(passage in (read_text(source) or "") for source in holders):
                lines.append(
                    f"question {case.question.id}: gold passage {number + 1} "
                    f"is not in {' or '.join(holders)}"
                )
    return lines


def hits(item: Mapping[str, Any], gold: Sequence[Place], read_text: ReadText, limit: int) -> bool:
    """Whether a passage or quote (`source`, `start`, `end`) hits one of the gold places.

    It is in the same document, at most `limit` UTF-8 bytes, and covers at least half of the
    gold passage, or lies in it for at least half of its own length and 12 characters.
    """
    place = _place(item)
    if place is None:
        return False
    near = [span for span in gold if span.source == place.source and _overlaps(place, span)]
    if not near:
        return False
    text = read_text(place.source) or ""
    return place.end <= len(text) and utf8_len(text[place.start : place.end]) <= limit


def first_hit(
    ranking: Sequence[Mapping[str, Any]], gold: Sequence[Place], read_text: ReadText
) -> int | None:
    """Rank, from 1, of the first passage that hits; None where none does."""
    ranks = (
        rank for rank, item in enumerate(ranking, 1) if hits(item, gold, read_text, PASSAGE_BYTES)
    )
    return next(ranks, None)


def _holders(case: Case, number: int) -> tuple[str, ...]:
    return (case.passage_docs[number],) if case.passage_docs else case.gold_docs


def _place(item: Mapping[str, Any]) -> Place | None:
    source, start, end = item.get("source"), item.get("start"), item.get("end")
    if isinstance(source, str) and isinstance(start, int) and isinstance(end, int):
        return Place(source, start, end) if 0 <= start < end else None
    return None


def _overlaps(place: Place, gold: Place) -> bool:
    shared = min(place.end, gold.end) - max(place.start, gold.start)
    covers = shared * 2 >= gold.end - gold.start
    return covers or shared >= max(_LEAST_OVERLAP, (place.end - place.start) / 2)
