"""Why a question failed, as a reader checks it: quotes in their passages, gold by its rank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    """What should have been found: a document and, where known, the passage in it.

    `source` is empty where the test set does not say which of several documents it is in.
    `document_rank` counts distinct documents of the ranking from 1; `passage_rank` is that
    of the first passage that hits the gold one. Both are None where it was not found.
    """

    source: str
    text: str
    document_rank: int | None
    passage_rank: int | None
    ranked: bool
    """Whether the run recorded `passage_rank`."""


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
    ranks = _document_ranks(row.get("retrieved") or ())
    found = list(_gold_passages(expected, ranks))
    named = {item.source for item in found}
    return found + [
        Gold(source, "", ranks.get(source), None, False)
        for source in expected.get("gold_docs") or ()
        if source not in named
    ]


def _gold_passages(expected: Row, ranks: Mapping[str, int]) -> Iterator[Gold]:
    passages = expected.get("gold_passages") or ()
    gold_docs = expected.get("gold_docs") or ()
    documents = expected.get("passage_docs") or (
        gold_docs * len(passages) if len(gold_docs) == 1 else ()
    )
    recorded = expected.get("gold_ranks")
    for place, text in enumerate(passages):
        source = documents[place] if place < len(documents) else ""
        rank = recorded[place] if recorded else None
        yield Gold(source, text, ranks.get(source), rank, recorded is not None)


def _document_ranks(retrieved: Sequence[Row]) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for hit in retrieved:
        ranks.setdefault(hit["source"], len(ranks) + 1)
    return ranks
