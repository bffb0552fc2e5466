"""An overview of a topic, told from a question for one fact."""

from __future__ import annotations

import re

import pytest

from qa_bot.answering.overview import is_asked
from qa_bot.prompts import load_data


@pytest.mark.parametrize(
    "question",
    [
        "What do the documents say about artificial intelligence?",
        "Summarise the articles about the summit of 2022.",
        "Give me an overview of China's digital economy.",
        "Que disent les documents sur la 5G ?",
        "Résume ce que les articles disent de la fracture numérique.",
        "Que sait-on de l’exposition de Wuzhen ?",
        "这些文章对人工智能说了什么？",
        "總結一下關於非洲的內容。",
        "Apa yang dikatakan dokumen tentang keamanan siber?",
        "Ringkaslah artikel tentang KTT Wuzhen 2023.",
        "Fasse die Artikel über den Gipfel von Wuzhen zusammen.",
        "¿Qué dicen los documentos sobre los robots de la exposición?",
    ],
)
def test_an_overview_is_told_by_its_words(question: str) -> None:
    assert is_asked(question)


@pytest.mark.parametrize(
    "question",
    [
        "What did Xi Jinping say about the digital economy?",
        "When did the talks resume?",
        "Which article mentions the price of bread?",
        "Qui a résolu le problème de la fracture numérique ?",
        "鲁托怎样评价数字时代？",
        "Siapa yang berbicara tentang ekonomi digital?",
        "",
    ],
)
def test_a_question_for_one_fact_is_none(question: str) -> None:
    assert not is_asked(question)


def test_every_pattern_is_a_regular_expression() -> None:
    patterns = [phrases["overview"] for phrases in load_data("languages").values()
                if "overview" in phrases]  # fmt: skip
    assert len(patterns) > 10
    assert all(re.compile(pattern) for pattern in patterns)
