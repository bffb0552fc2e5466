"""A question for a number is answered from a sentence that states one."""

import pytest
from fakes import FixedStore, NearEmbedding, ScriptedModel, passage

from qa_bot.answering import quantity
from qa_bot.answering.pipeline import Pipeline

ASKED = [
    "How many companies took part in 2020?",
    "Combien d'entreprises ont participé ?",
    "Quel âge a la directrice ?",
    "多少家公司参加了展览？",
    "展览持续了几天？",
    "Berapa perusahaan yang ikut serta?",
    "Wie viele Firmen nahmen teil?",
    "¿Cuántas empresas participaron?",
    "Quante aziende hanno partecipato?",
]
NOT_ASKED = [
    "How was the exhibition?",
    "Comment s'appelle la directrice ?",
    "几年前人们怎么看展览？",
    "Tahun berapa pameran itu dibuka?",
    "Beberapa perusahaan ikut serta; siapa mereka?",
    "Wie heißt die Leiterin?",
    "How many companies took part in 2020, and who opened the exhibition?",
]


@pytest.mark.parametrize("question", ASKED)
def test_that_a_number_is_asked_for_is_told_by_words(question: str) -> None:
    assert quantity.is_asked(question)


@pytest.mark.parametrize("question", NOT_ASKED)
def test_other_questions_ask_for_none(question: str) -> None:
    assert not quantity.is_asked(question)


@pytest.mark.parametrize(
    ("text", "language", "may"),
    [
        ("130 companies took part.", "en", True),
        ("Thirteen of them came.", "en", True),
        ("Only the host took part.", "en", True),
        ("近百家公司参加了展览。", "zh", True),
        ("共有一家公司。", "zh", True),
        ("Many companies took part.", "en", False),
        ("Many took part in 2020.", "en", False),
        ("多家公司参加了展览。", "zh", False),
        ("Приняли участие сто компаний.", "ru", True),
    ],
)
def test_a_sentence_must_state_a_number_that_the_question_has_not(
    text: str, language: str, may: bool
) -> None:
    assert quantity.may_state(text, language, ASKED[0]) is may


def test_the_nearest_sentence_without_a_number_is_not_even_judged(model: ScriptedModel) -> None:
    text = "Many companies took part. In the end 130 of them sold something."
    embedder = NearEmbedding(near=("Many",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.replies = ["130 companies took part."]
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer(ASKED[0])
    assert [citation.quote for citation in answer.citations] == [
        "In the end 130 of them sold something."
    ]
    assert "Many companies" not in str(model.prompts)


@pytest.mark.parametrize(
    ("question", "reply"),
    [
        (ASKED[0], "It was a company in 2020."),
        ("How many fairs were held in the ten years?", "There were 10 fairs."),
    ],
    ids=["no number", "the question's"],
)
def test_an_answer_without_the_number_gives_way_to_the_quote(
    model: ScriptedModel, question: str, reply: str
) -> None:
    text = "In the end 130 fairs of companies sold something in these ten years."
    embedder = NearEmbedding(near=("130",))
    store = FixedStore(embedder, passage("en.txt", text, "en"))
    model.reply = reply
    answer = Pipeline(store, embedder, model, {"en.txt": text}.get).answer(question)
    assert answer.answer == f"{text} [1]"
