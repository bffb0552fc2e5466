"""Scores of one answer record against its case, without a model as judge.

A score is None where it does not apply: citations of a refusal, the match of a question
without gold answers, and every score of an errored record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from qa_bot.evals.gold import QUOTE_BYTES, Place, first_hit, gold_places, hits
from qa_bot.evals.matching import MARKER, answer_f1, answer_match, without_markers
from qa_bot.evals.metrics import ANSWERS, RETRIEVAL, TOKENS
from qa_bot.evals.testset import Case, ReadText
from qa_bot.text import language_of

Record = Mapping[str, Any]
Scores = dict[str, float | None]

_LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]+")
_LAST_LATIN = "\u024f"
_LETTERS_TO_TELL = 20


def judged(case: Case, record: Record, read_text: ReadText) -> dict[str, Any]:
    """What a row of `results.jsonl` says beside the record.

    That is `expected`, `scores`, `ranks` and `attribution`. `ranks` holds the rank of the
    first gold document and of the first passage that hits, None where none is in the
    ranking: the curves are drawn from them.

    Args:
        case: the question and what is expected of its answer.
        record: an answer record, or a retrieval-only one (which has no `status`).
        read_text: a document's text by its source, None for one that is not there.
    """
    gold = gold_places(case, read_text)
    scores = score(case, record, gold, read_text)
    ranking = _items(record, "retrieved")
    return {
        "expected": expected(case),
        "scores": scores,
        "ranks": {
            "document": _first_document(ranking, case.gold_docs),
            "passage": first_hit(ranking, gold, read_text),
        },
        "attribution": attribution(case, record, scores, gold, read_text),
    }


def expected(case: Case) -> dict[str, Any]:
    """The gold fields of a case, as a row of results holds them."""
    return {
        "answerable": case.answerable,
        "answers": list(case.answers),
        "answer_groups": [list(group) for group in case.answer_groups],
        "gold_docs": list(case.gold_docs),
        "gold_passages": list(case.gold_passages),
        "passage_docs": list(case.passage_docs),
    }


def score(case: Case, record: Record, gold: Sequence[Place], read_text: ReadText) -> Scores:
    """Every score of a record by its name; see `qa_bot.evals.metrics`."""
    retrieval_only = "status" not in record
    names: tuple[str, ...] = (*RETRIEVAL, "seconds")
    if not retrieval_only:
        names = (*RETRIEVAL, *ANSWERS, "seconds", "first_token_seconds", *TOKENS)
    empty: Scores = dict.fromkeys(names)
    if _errored(record):
        return empty
    scores = empty | _retrieval_scores(case, record, gold, read_text)
    scores["seconds"] = record.get("seconds")
    if not retrieval_only:
        usage = record.get("usage") or {}
        scores |= _answer_scores(case, record, gold, read_text)
        scores["first_token_seconds"] = record.get("first_token_seconds")
        scores |= {name: usage.get(name) for name in TOKENS}
    return scores


def attribution(
    case: Case, record: Record, scores: Scores, gold: Sequence[Place], read_text: ReadText
) -> str | None:
    """Where an answer went right or wrong, one word; None where there is nothing to tell.

    `right`, `miscited`, `wrong`, `not_shown`, `not_retrieved`, `refused` for answerable
    questions, `refused_rightly` and `invented` for the others; `retrieved` and
    `not_retrieved` without answers; `error`.
    """
    if _errored(record):
        return "error"

    def found(name: str) -> bool:
        items = _items(record, name)
        if case.gold_passages:
            return first_hit(items, gold, read_text) is not None
        return _first_document(items, case.gold_docs) is not None

    if "status" not in record:
        if not case.answerable or not case.gold_docs:
            return None
        return "retrieved" if found("retrieved") else "not_retrieved"
    refused = record["status"] == "refused"
    if not case.answerable:
        return "refused_rightly" if refused else "invented"
    if _is_right(scores):
        return "miscited" if scores["citation_recall"] == 0 else "right"
    if case.gold_docs and not found("retrieved"):
        return "not_retrieved"
    if case.gold_docs and not found("passages"):
        return "not_shown"
    return "refused" if refused else "wrong"


def _is_right(scores: Scores) -> bool:
    """By the gold answers; where there are none, by what is cited."""
    match = scores["answer_match"]
    return (scores["citation_recall"] if match is None else match) == 1


def _retrieval_scores(
    case: Case, record: Record, gold: Sequence[Place], read_text: ReadText
) -> Scores:
    scores: Scores = {}
    if record.get("retrieved") is None:
        return scores
    ranking = _items(record, "retrieved")
    if case.answerable and case.gold_docs:
        scores |= _document_scores([item.get("source") for item in ranking], case.gold_docs)
    if case.answerable and case.gold_passages:
        rank = first_hit(ranking, gold, read_text) or len(ranking) + 1
        found = rank <= len(ranking)
        scores |= {f"passage_hit@{k}": float(found and rank <= k) for k in (1, 5)}
    return scores


def _document_scores(sources: Sequence[Any], gold_docs: Sequence[str]) -> Scores:
    """Document measures by ir_measures; a document's rank is that of its best passage."""
    import ir_measures

    measures = {
        "hit@5": ir_measures.Success @ 5,
        "nDCG@10": ir_measures.nDCG @ 10,
        "MRR@10": ir_measures.RR @ 10,
        "recall@20": ir_measures.R @ 20,
    }
    judged = [ir_measures.Qrel("q", source, 1) for source in dict.fromkeys(gold_docs)]
    ranked = [
        ir_measures.ScoredDoc("q", str(source), -float(place))
        for place, source in enumerate(dict.fromkeys(sources))
    ]
    values = ir_measures.calc_aggregate(measures.values(), judged, ranked)
    return {name: float(values[measure]) for name, measure in measures.items()}


def _answer_scores(
    case: Case, record: Record, gold: Sequence[Place], read_text: ReadText
) -> Scores:
    refused = record["status"] == "refused"
    scores: Scores = {("over_refusal" if case.answerable else "refusal_rate"): float(refused)}
    if case.answerable and (case.answers or case.answer_groups):
        wanted = (case.answers, case.answer_groups, case.lang)
        answer = _text(record)
        scores["answer_match"] = float(not refused and answer_match(answer, *wanted))
        scores["answer_f1"] = 0.0 if refused else answer_f1(answer, *wanted)
    if refused:
        return scores
    if case.lang:
        scores["language_match"] = float(is_in_language(_text(record), case.lang))
    citations = _items(record, "citations")
    if case.answerable and case.gold_passages:
        right = sum(hits(citation, gold, read_text, QUOTE_BYTES) for citation in citations)
        scores["citation_precision"] = right / len(citations) if citations else None
        scores["citation_recall"] = float(right > 0)
    scores["quote_verbatim"] = _verbatim_share(_text(record), citations, read_text)
    return scores


def is_in_language(answer: str, language: str) -> bool:
    """Whether an answer is in `language`, or has too few words to tell.

    Names and numbers are in no language: an answer in Latin letters with fewer than 20 of
    them in lower-case words counts as right (to a Chinese question: with none of them).
    """
    text = without_markers(answer)
    lower = sum(len(word) for word in _LATIN_WORD.findall(text) if word[0].islower())
    only_latin = not any(letter.isalpha() and letter > _LAST_LATIN for letter in text)
    if only_latin and lower < (1 if language == "zh" else _LETTERS_TO_TELL):
        return True
    return language_of(text) == language


def _verbatim_share(
    answer: str, citations: Sequence[Mapping[str, Any]], read_text: ReadText
) -> float | None:
    """Share of the markers and citations that are sound; None where there are none.

    A citation is sound if its quote is its document's text at its offsets, and its marker
    stands in the answer in its turn: 1…n by first appearance.
    """
    written = list(dict.fromkeys(int(number) for number in MARKER.findall(answer)))
    turn = {number for place, number in enumerate(written, 1) if number == place}
    markers = [citation.get("marker") for citation in citations]
    sound = sum(
        marker in turn and _is_verbatim(citation, read_text)
        for marker, citation in zip(markers, citations, strict=True)
    )
    total = len(citations) + len(set(written) - set(markers))
    return sound / total if total else None


def _is_verbatim(citation: Mapping[str, Any], read_text: ReadText) -> bool:
    source, quote = citation.get("source"), citation.get("quote")
    start, end = citation.get("start"), citation.get("end")
    if not isinstance(source, str) or not isinstance(start, int) or not isinstance(end, int):
        return False
    text = read_text(source)
    return bool(quote) and text is not None and 0 <= start < end and text[start:end] == quote


def _first_document(ranking: Sequence[Mapping[str, Any]], gold: Sequence[str]) -> int | None:
    documents = dict.fromkeys(item.get("source") for item in ranking)
    return next((rank for rank, source in enumerate(documents, 1) if source in gold), None)


def _items(record: Record, name: str) -> list[Mapping[str, Any]]:
    return list(record.get(name) or ())


def _text(record: Record) -> str:
    return str(record.get("answer") or "")


def _errored(record: Record) -> bool:
    return record.get("status") == "error" or bool(record.get("error"))
