"""Why a question failed, as a reader checks it: quotes in their passages, gold by its rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a passage: which citations quote it, and whether it is gold."""

    text: str
    markers: tuple[int, ...]
    gold: bool


@dataclass(frozen=True, slots=True)
class Gold:
    """What should have been found: a document and, where the test set gives one, its passage.

    `source` is empty where the test set does not say which of several documents it is in.
    """

    source: str
    text: str
    rank: int | None
    """The document's, among the distinct documents of the ranking; None if not found."""


def pieces(passage: Row, citations: Sequence[Row], golds: Sequence[str]) -> list[Piece]:
    """The passage cut where a quote or a gold passage begins or ends; joined, it is whole."""
    text: str = passage["text"]
    quoted = [
        (
            citation["start"] - passage["start"],
            citation["end"] - passage["start"],
            citation["marker"],
        )
        for citation in citations
        if citation["source"] == passage["source"]
    ]
    golden = [(at, at + len(gold)) for gold in golds if gold and (at := text.find(gold)) >= 0]
    ends = [edge for start, end, _ in quoted for edge in (start, end)]
    ends += [edge for span in golden for edge in span]
    cuts = sorted({0, len(text), *(edge for edge in ends if 0 < edge < len(text))})
    return [
        Piece(
            text[start:end],
            tuple(sorted(marker for a, b, marker in quoted if a <= start and end <= b)),
            any(a <= start and end <= b for a, b in golden),
        )
        for start, end in pairwise(cuts)
    ]


def gold(row: Row) -> list[Gold]:
    """The gold passages of a question, then the gold documents that no passage stands for."""
    expected = row["expected"]
    ranks: dict[str, int] = {}
    for hit in row.get("retrieved") or ():
        ranks.setdefault(hit["source"], len(ranks) + 1)
    passages, gold_docs = expected.get("gold_passages") or (), expected.get("gold_docs") or ()
    holders = expected.get("passage_docs") or (gold_docs if len(gold_docs) == 1 else ())
    pairs = list(zip_longest(passages, (holders * len(passages))[: len(passages)], fillvalue=""))
    pairs += [("", source) for source in gold_docs if source not in {held for _, held in pairs}]
    return [Gold(source, text, ranks.get(source)) for text, source in pairs]
