"""Documents in four languages, questions on them, and answer records that tests judge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qa_bot.evals.scorers import judged
from qa_bot.evals.testset import Case, read_cases
from qa_bot.types import Question

FILLER = {
    "en": "The weather of that week was mild, and the trains ran on time. ",
    "fr": "Le temps de cette semaine fut doux et les trains étaient à l'heure. ",
    "zh": "那一周天气温和，列车准点运行，一切如常，没有什么特别的事情发生。",
    "id": "Cuaca minggu itu sejuk dan semua kereta api berjalan tepat waktu. ",
}
FACTS = {
    "en": "The harbour of Lindholm handled 41 ships in the spring of 1907.",
    "fr": "L'économie numérique a atteint 35 800 milliards de yuans en 2019.",
    "zh": "中国企业在非洲累计铺设超过20万公里光纤。",
    "id": "Internet kini dipakai oleh hampir 3 miliar orang di seluruh dunia.",
}
DOCUMENTS = {f"{lang}.txt": FILLER[lang] * 12 + FACTS[lang] + FILLER[lang] * 12 for lang in FACTS}
ASKED = {
    "en": ("How many ships did Lindholm handle?", "41", "Lindholm handled 41 ships that spring"),
    "fr": (
        "Que pèse l'économie numérique ?",
        "35800 milliards",
        "Elle a atteint 35,8 × 10¹² yuans",
    ),
    "zh": ("铺设了多少公里光纤？", "20万", "共铺设超过200,000公里光纤"),
    "id": (
        "Berapa orang memakai internet?",
        "3 miliar",
        "Internet dipakai oleh 3.000.000.000 orang",
    ),
}
Answerer = Callable[[Case], dict[str, Any]]


def case(lang: str = "en", id: str = "q1", **fields: Any) -> Case:
    """An answerable question on the document of a language, or as `fields` say."""
    question, answer, _ = ASKED[lang]
    row = {
        "lang": lang,
        "answers": [answer],
        "gold_docs": [f"{lang}.txt"],
        "gold_passages": [FACTS[lang]],
    } | fields
    return read_cases([Question(id, question, fields=row)], DOCUMENTS.get)[0]


def unanswerable(id: str = "u1", lang: str = "en") -> Case:
    return case(lang, id, answerable=False, answers=[], gold_docs=[], gold_passages=[])


def place(source: str, quote: str) -> dict[str, Any]:
    """Where a quote stands, as a passage or citation names it."""
    start = DOCUMENTS[source].index(quote)
    return {"source": source, "start": start, "end": start + len(quote)}


def citation(source: str, quote: str, marker: int = 1) -> dict[str, Any]:
    return {"marker": marker, "title": "", "quote": quote, "language": "en"} | place(source, quote)


def answered(asked: Case, text: str, *cited: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An answer record whose ranking holds the gold passage first."""
    found = [place(source, fact) for source, fact in _gold(asked)] or [place("en.txt", FACTS["en"])]
    record = {
        "id": asked.question.id,
        "question": asked.question.question,
        "status": "answered",
        "language": asked.lang,
        "answer": text,
        "citations": list(cited),
        "passages": found,
        "retrieved": found,
        "seconds": 1.5,
        "first_token_seconds": 0.5,
        "usage": {"prompt_tokens": 100, "completion_tokens": 10},
        "error": None,
    }
    return record | more


def refused(asked: Case, **more: Any) -> dict[str, Any]:
    return answered(asked, "The documents do not say.", status="refused", **more)


def failed(asked: Case) -> dict[str, Any]:
    return answered(asked, "", status="error", error="the engine stopped", retrieved=[])


def right(asked: Case) -> dict[str, Any]:
    """Answers rightly with the right citation, and refuses what cannot be answered."""
    if not asked.answerable:
        return refused(asked)
    source, fact = _gold(asked)[0]
    return answered(asked, f"{ASKED[str(asked.lang)][2]} [1].", citation(source, fact))


def without_retrieval(asked: Case) -> dict[str, Any]:
    return answered(asked, "It was seven in that year.", retrieved=[], passages=[])


def always_refuses(asked: Case) -> dict[str, Any]:
    return refused(asked)


def always_answers(asked: Case) -> dict[str, Any]:
    return right(asked) if asked.answerable else answered(asked, "It was 12 in all of them.")


def cites_wrongly(asked: Case) -> dict[str, Any]:
    """The right text, with a verbatim quote of another place in the document."""
    if not asked.answerable:
        return refused(asked)
    lang = str(asked.lang)
    wrong = citation(f"{lang}.txt", FILLER[lang].strip())
    return answered(asked, f"{ASKED[lang][2]} [1].", wrong)


def cites_at_random(asked: Case) -> dict[str, Any]:
    """Three citations of stretches drawn from the documents by chance."""
    rng = np.random.default_rng([*asked.question.id.encode()])
    cited = []
    for marker in (1, 2, 3):
        source = sorted(DOCUMENTS)[rng.integers(len(DOCUMENTS))]
        start = int(rng.integers(len(DOCUMENTS[source]) - 30))
        cited.append(
            {"marker": marker, "source": source, "start": start, "end": start + 30}
            | {"quote": DOCUMENTS[source][start : start + 30]}
        )
    return answered(asked, f"{ASKED[str(asked.lang)][2]} [1][2][3].", *cited)


def row(asked: Case, record: dict[str, Any]) -> dict[str, Any]:
    """A row of results.jsonl."""
    return {**record, **asked.slices, **judged(asked, record, DOCUMENTS.get)}


def made_cases() -> list[Case]:
    """Six questions in each of four languages, two of them unanswerable."""
    cases = []
    for lang in ASKED:
        cases += [case(lang, f"{lang}{number}") for number in range(4)]
        cases += [unanswerable(f"{lang}u{number}", lang) for number in range(2)]
    return cases


def rows_of(answerer: Answerer) -> list[dict[str, Any]]:
    return [row(asked, answerer(asked)) for asked in made_cases()]


def run_folder(folder: Path, rows: list[dict[str, Any]], **about: Any) -> Path:
    """A finished run's folder, as far as comparing reads it."""
    folder.mkdir()
    known = {"test_set": {"name": "made.jsonl", "sha256": "0" * 64}, "configuration": {}}
    (folder / "run.json").write_text(json.dumps(known | about), "utf-8")
    lines = [json.dumps(line, ensure_ascii=False) for line in rows]
    (folder / "results.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def _gold(asked: Case) -> list[tuple[str, str]]:
    return [
        (source, passage)
        for passage in asked.gold_passages
        for source in asked.gold_docs
        if passage in DOCUMENTS.get(source, "")
    ]
