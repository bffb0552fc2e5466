"""Made-up run folders, in the form that `qa-bot eval` leaves them, for tests of what reads them.

Run as a script with a folder's name, it writes one of each kind there to look at.
"""

from __future__ import annotations

import json
import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from fakes import CHINESE, FRENCH

ENGLISH = "At the conference of 2014 the 4G network was a major topic; now 5G cars are everywhere."
INDONESIAN = "Uganda membangun lebih dari 10.000 kilometer jaringan backbone optik di negaranya."
DOCUMENTS = {
    "fr.txt": FRENCH * 3,
    "zh.txt": CHINESE * 4,
    "en.txt": ENGLISH * 3,
    "id.txt": INDONESIAN * 3,
}
GOLD = {"fr.txt": "130 entreprises ont participé", "zh.txt": "铺设超过20万公里光纤",
        "en.txt": "5G cars are everywhere", "id.txt": "10.000 kilometer jaringan"}  # fmt: skip
QUESTIONS = {
    "en": (
        "How many companies took part in the exhibition of 2020?",
        "130 companies took part. [1]",
    ),
    "fr": ("Combien de kilomètres de fibre optique ont été posés ?", "Plus de 200 000 km. [1]"),
    "zh": ("2018年在乌镇随处可见什么样的汽车？", "随处可见5G汽车。[1]"),
    "id": (
        "Berapa kilometer jaringan optik yang dibangun Uganda?",
        "Lebih dari 10.000 kilometer. [1]",
    ),
}
SCORES = ("hit@5", "nDCG@10", "MRR@10", "recall@20", "passage_hit@1", "passage_hit@5",
          "answer_match", "answer_f1", "language_match", "citation_precision", "citation_recall",
          "quote_verbatim", "refusal_rate", "over_refusal", "completion_tokens")  # fmt: skip
ANSWERABLE = ("right", "right", "right", "right", "wrong", "miscited", "refused", "not_shown",
              "not_retrieved", "right")  # fmt: skip
HOSTILE = (
    "<script>alert('seen')</script>", '=HYPERLINK("http://evil.example/","open")', "+1+1", "-2+3",
    "@SUM(A1:A9)", "\t=1+1", "\n=1+1", "مرحبا بالعالم \u202eقلب", "中文，带“引号”和\n换行",
    "Donaudampfschifffahrtsgesellschaftskapitän" * 8, "{{ 7 * 7 }} {% raw %} </style><img src=x>",
    "| a | b |\n# heading [link](javascript:1) ![i](http://evil.example/i.png)", "lone \ud800 half",
    '" onmouseover="alert(1)', "&lt;b&gt; &amp; ]]> <!-- -->", "\x1b[2J\x00bell\x07",
)  # fmt: skip


def answerable(
    id: str, lang: str, source: str, outcome: str, luck: random.Random
) -> dict[str, Any]:
    """A row for a question that `source` answers, ending in `outcome`."""
    found, shown = outcome != "not_retrieved", outcome not in ("not_retrieved", "not_shown")
    rank = luck.choice((1, 1, 2, 3)) if shown else luck.randint(4, 15) if found else None
    others = [name for name in DOCUMENTS if name != source] + [f"other{n}.txt" for n in range(15)]
    order = [*others[: rank - 1], source, *others[rank - 1 :]] if rank else others
    if rank and luck.random() < 0.3:  # the right document stands higher with another passage
        order.insert(0, source)
        rank += 1
    cited = {"right": source, "miscited": others[0], "wrong": others[0], "not_shown": others[0],
             "not_retrieved": others[0]}.get(outcome)  # fmt: skip
    right = outcome in ("right", "miscited")
    answer = QUESTIONS[lang][1] if right else "I cannot answer from these documents."
    if cited and not right:
        answer = "Some 47 of them did. [1]"
    document = order.index(source) + 1 if found else None
    scores = {
        "hit@5": float(document is not None and document <= 5), "passage_hit@1": float(rank == 1),
        "passage_hit@5": float(rank is not None and rank <= 5),
        "nDCG@10": 1 / math.log2(1 + document) if document else 0.0,
        "MRR@10": 1 / document if document else 0.0,
        "recall@20": float(found), "answer_match": float(right),
        "answer_f1": luck.uniform(0.3, 0.7) if right else luck.uniform(0, 0.2),
        "language_match": float(bool(cited) and luck.random() < 0.95) if cited else None,
        "citation_precision": float(cited == source) if cited else None,
        "citation_recall": float(cited == source) if cited else None,
        "quote_verbatim": 1.0 if cited else None,
        "refusal_rate": None, "over_refusal": float(not cited),
    }  # fmt: skip
    row = _row(id, lang, order, cited, answer, min(1.0, luck.betavariate(5, 1.5)), scores, luck)
    row["type"] = "mono" if source.startswith(lang) else "cross"
    row["relation"] = "same language" if source.startswith(lang) else "across languages"
    row["expected"] = {"answerable": True, "answers": ["130", "5G"], "answer_groups": [],
                       "gold_docs": [source], "gold_passages": [GOLD[source]],
                       "passage_docs": [source]}  # fmt: skip
    ranks = {"document": document, "passage": rank}
    return row | {"attribution": outcome, "question": QUESTIONS[lang][0], "ranks": ranks}


def unanswerable(id: str, lang: str, invented: bool, luck: random.Random) -> dict[str, Any]:
    """A row for a question that no document answers."""
    order = list(DOCUMENTS)
    scores: dict[str, float | None] = dict.fromkeys(
        answerable("", lang, "fr.txt", "right", luck)["scores"]
    )
    scores |= {"refusal_rate": float(not invented)}
    confidence = luck.betavariate(1.5, 4)
    answer = "It was 47. [1]" if invented else "The documents do not say."
    row = _row(id, lang, order, order[0] if invented else None, answer, confidence, scores, luck)
    row |= {"type": "unanswerable", "question": "Who won the football World Cup of 2018?"}
    row["expected"] = {"answerable": False, "answers": [], "answer_groups": [], "gold_docs": [],
                       "gold_passages": [], "passage_docs": []}  # fmt: skip
    row["ranks"] = {"document": None, "passage": None}
    return row | {"attribution": "invented" if invented else "refused_rightly"}


def _row(id: str, lang: str, order: list[str], cited: str | None, answer: str, confidence: float,
         scores: dict[str, float | None], luck: random.Random) -> dict[str, Any]:  # fmt: skip
    places = [
        {"source": name, "start": 100, "end": 100 + len(DOCUMENTS.get(name, ENGLISH)),
         "score": round(0.9 - 0.02 * rank, 4)}
        for rank, name in enumerate(order)
    ]  # fmt: skip
    shown = [
        {"rank": rank, **place, "text": DOCUMENTS.get(place["source"], ENGLISH)}
        for rank, place in enumerate(places[:3], 1)
    ]
    citations = []
    if cited:
        start = DOCUMENTS[cited].find(GOLD[cited])
        citations = [{"marker": 1, "source": cited, "title": cited, "start": 100 + start,
                      "end": 100 + start + len(GOLD[cited]), "quote": GOLD[cited],
                      "language": cited[:2]}]  # fmt: skip
    seconds = round(luck.lognormvariate(1.2, 0.5), 3)
    return {
        "id": id, "question": "", "status": "answered" if cited else "refused", "language": lang,
        "answer": answer, "sentences": [], "citations": citations,
        "passages": shown, "retrieved": places, "standalone_question": "", "model": "made-up",
        "seconds": seconds, "first_token_seconds": seconds / 2,
        "usage": {"prompt_tokens": 5, "completion_tokens": 2},
        "error": None, "lang": lang, "type": None, "split": "dev", "confidence": confidence,
        "scores": scores | {"seconds": seconds, "first_token_seconds": seconds / 2,
                             "completion_tokens": len(answer)},
    }  # fmt: skip


def failed(row: dict[str, Any], message: str) -> dict[str, Any]:
    """The same question, had a fault kept it from an answer."""
    nothing: dict[str, Any] = {"citations": [], "passages": [], "retrieved": [], "sentences": []}
    return row | nothing | {
        "status": "error", "answer": "No answer could be made.", "error": message,
        "scores": dict.fromkeys(row["scores"]), "confidence": None, "attribution": "error",
    }  # fmt: skip


def full_rows(count: int = 120) -> list[dict[str, Any]]:
    """Three answerable questions in four; languages and documents evenly."""
    luck = random.Random(7)  # noqa: S311
    rows, langs, sources = [], list(QUESTIONS), list(DOCUMENTS)
    for place in range(count):
        lang = langs[place % 4]
        if place // 4 % 4 == 3:
            rows.append(unanswerable(f"u{place}", lang, luck.random() < 0.2, luck))
        else:
            outcome = luck.choice(ANSWERABLE)
            rows.append(
                answerable(f"q{place}", lang, sources[place // 4 % 4 - place % 2], outcome, luck)
            )
    return rows


def retrieval_rows() -> list[dict[str, Any]]:
    """The rows of `--retrieval-only`, which hold no answers."""
    kept = {"id", "question", "language", "retrieved", "seconds", "error", "lang", "type", "split",
            "relation", "expected", "confidence", "ranks"}  # fmt: skip
    rows = []
    for row in full_rows(40):
        scores = {name: row["scores"][name] for name in list(row["scores"])[:6]}
        found = "not_retrieved" if row["attribution"] == "not_retrieved" else "retrieved"
        outcome = found if row["expected"]["answerable"] else None
        rows.append({name: row[name] for name in kept & set(row)}
                    | {"scores": scores, "attribution": outcome, "confidence": None})  # fmt: skip
    return rows


def hostile_rows() -> list[dict[str, Any]]:
    """Every text field holds what HTML, Markdown, a spreadsheet or a terminal might obey."""
    luck = random.Random(3)  # noqa: S311
    rows = []
    for place, text in enumerate(HOSTILE):
        row = answerable(f"{text} {place}", "en", "zh.txt", ("wrong", "miscited")[place % 2], luck)
        row |= {"question": text, "answer": text, "lang": text, "language": text, "type": text}
        row["citations"] = [
            {**row["citations"][0], "quote": text, "source": text, "language": text}
        ]
        row["passages"] = [{**p, "text": text, "source": text, "start": 0} for p in row["passages"]]
        row["retrieved"] = [{**p, "source": text} for p in row["retrieved"]]
        row["expected"] |= {"answers": [text], "gold_passages": [text], "passage_docs": [text]}
        rows += [row, failed(row | {"id": f"failed {text}"}, text)]
    return rows


def write_run(
    folder: Path,
    rows: list[dict[str, Any]],
    *,
    name: str = "made-up.jsonl",
    retrieval_only: bool = False,
    model: str = "made-up-1.5b",
) -> dict[str, Any]:
    """Writes run.json and results.jsonl; returns what run.json holds."""
    folder.mkdir(parents=True, exist_ok=True)
    statuses = Counter(row.get("status") for row in rows)
    run = {
        "format": 1,
        "test_set": {"name": name, "sha256": "5f" * 32, "questions": len(rows),
                     "split": None, "limit": None},
        "configuration": {"version": "0.1.0", "documents": 5, "documents_sha256": "a1" * 32,
                          "embedder": "multilingual-e5-small int8", "splitter": "sentences-2",
                          "model": model, "context_window": 4096},
        "retrieval_only": retrieval_only, "started": "2026-11-22T02:50:00+00:00", "seconds": 812.3,
        "counts": {"total": len(rows), "answered": statuses["answered"],
                   "refused": statuses["refused"],
                   "error": sum(row["attribution"] == "error" for row in rows)},
        "metrics": _metrics(rows),
        "macro": _macro(rows),
        "slices": {field: _sliced(rows, field) for field in ("type", "lang", "split", "relation")},
        "curves": {name: [{"k": k, **_figure(_within(rows, rank, k))} for k in range(1, 21)]
                   for name, rank in (("hit", "document"), ("passage_hit", "passage"))},
        "attribution": dict(Counter(row["attribution"] for row in rows if row["attribution"])),
        "steps": {} if retrieval_only else {"judge": {"seconds": 2.417, "questions": len(rows)}},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(run), "utf-8")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "results.jsonl").write_text(lines, "utf-8")
    return run


def _metrics(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found = {name: _figure(row["scores"].get(name) for row in rows) for name in SCORES}
    times = sorted(row["seconds"] for row in rows if row["attribution"] != "error")
    for name, share in (("p50_seconds", 0.5), ("p95_seconds", 0.95)):
        value = times[int(share * (len(times) - 1))] if times else None
        ends = (value * 0.9, value * 1.2) if value else (None, None)
        found[name] = {"value": value, "low": ends[0], "high": ends[1], "n": len(times)}
    return found


def _macro(rows: list[dict[str, Any]]) -> dict[str, float]:
    sliced = _sliced(rows, "lang").values()
    found = {}
    for name in _metrics(rows):
        values = [figures[name]["value"] for figures in sliced if figures[name]["n"]]
        if values:
            found[name] = sum(values) / len(values)
    return found


def _sliced(rows: list[dict[str, Any]], field: str) -> dict[str, Any]:
    values = dict.fromkeys(str(row[field]) for row in rows if row.get(field) is not None)
    return {
        value: _metrics([row for row in rows if str(row.get(field)) == value]) for value in values
    }


def _within(rows: list[dict[str, Any]], what: str, k: int) -> list[float]:
    ranks = [row["ranks"][what] for row in rows if row["expected"]["answerable"]]
    return [float(rank is not None and rank <= k) for rank in ranks]


def _figure(scores: Iterable[float | None]) -> dict[str, Any]:
    """Mean and a 95 % interval good enough to draw."""
    known = [score for score in scores if score is not None]
    if not known:
        return {"value": None, "low": None, "high": None, "n": 0}
    mean, n = sum(known) / len(known), len(known)
    half = 1.96 * math.sqrt((abs(mean * (1 - mean)) + 0.25 / n) / n)
    high = mean + half if mean > 1 else min(1.0, mean + half)
    return {"value": mean, "low": max(0.0, mean - half), "high": high, "n": n}


def only_unanswerable() -> list[dict[str, Any]]:
    return [row for row in full_rows(32) if not row["expected"]["answerable"]]


def faulty_rows() -> list[dict[str, Any]]:
    rows = full_rows(24)
    return [failed(row, "The server closed the connection.") if n % 6 == 5 else row
            for n, row in enumerate(rows)]  # fmt: skip


KINDS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "full": lambda folder: write_run(folder, full_rows()),
    "retrieval": lambda folder: write_run(folder, retrieval_rows(), retrieval_only=True),
    "faults": lambda folder: write_run(folder, faulty_rows()),
    "hostile": lambda folder: write_run(folder, hostile_rows(), name=HOSTILE[0], model=HOSTILE[9]),
    "unanswerable": lambda folder: write_run(folder, only_unanswerable()),
    "one": lambda folder: write_run(folder, full_rows(1)),
    "none": lambda folder: write_run(folder, []),
}

if __name__ == "__main__":
    from qa_bot.evals.report import terminal_summary, write_reports

    for kind, make in KINDS.items():
        place = Path(sys.argv[1]) / kind
        made = make(place)
        write_reports(place)
        sys.stdout.write(terminal_summary(made, 80, place / "report.html") + "\n\n")
