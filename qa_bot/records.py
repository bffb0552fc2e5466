"""The contract's JSON objects: an answer record, a search result, an index report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from qa_bot.types import Answer, Citation, Hit, IndexReport, Turn


def answer_record(answer: Answer) -> dict[str, Any]:
    """The answer record, the same wherever an answer is written as JSON."""
    return {
        "id": answer.id,
        "question": answer.question,
        "status": answer.status,
        "language": answer.language,
        "answer": answer.answer,
        "sentences": [
            {**asdict(sentence), "citations": list(sentence.citations)}
            for sentence in answer.sentences
        ],
        "citations": [_citation_record(citation) for citation in answer.citations],
        "passages": [passage_record(hit) for hit in answer.passages],
        "retrieved": [passage_record(hit, text=False) for hit in answer.retrieved],
        "standalone_question": answer.standalone_question,
        "model": answer.model,
        "seconds": round(answer.seconds, 3),
        "first_token_seconds": (
            None if answer.first_token_seconds is None else round(answer.first_token_seconds, 3)
        ),
        "usage": asdict(answer.usage),
        "error": answer.error,
    }


def turn_of(record: Mapping[str, Any]) -> Turn:
    """The turn of a conversation that an answer record is, as `Answer.turn`."""
    return record["standalone_question"], record["answer"]


def _citation_record(citation: Citation) -> dict[str, Any]:
    return {k: v for k, v in asdict(citation).items() if k != "page" or v is not None}


def passage_record(hit: Hit, *, text: bool = True) -> dict[str, Any]:
    """One ranked passage; `retrieved` leaves the text and the rank (its position) out.

    `copies`, where there are any, says where else nearly the same stands.
    """
    passage = hit.passage
    record: dict[str, Any] = {
        "source": passage.source,
        "start": passage.start,
        "end": passage.end,
        "score": round(hit.score, 4),
    }
    if passage.page is not None:
        record["page"] = passage.page
    if hit.copies:
        record["copies"] = [
            {"source": p.source, "start": p.start, "end": p.end} for p in hit.copies
        ]
    return {"rank": hit.rank, **record, "text": passage.text} if text else record


def search_record(query: str, language: str, hits: Sequence[Hit]) -> dict[str, Any]:
    """The result of `qa-bot search --json`."""
    return {"query": query, "language": language, "passages": [passage_record(hit) for hit in hits]}


def index_record(report: IndexReport) -> dict[str, Any]:
    """The result of `qa-bot index --json`."""
    return {"files": [asdict(file) for file in report.files], "counts": dict(report.counts)}
