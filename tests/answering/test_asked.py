"""A question for a number, a date or a sum is answered from a sentence that states one."""

import pytest
from fakes import FixedStore, NearEmbedding, ScriptedModel, passage

from qa_bot.answering.asked import asked_for, may_state
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
    "How long was the exhibition open?",
    "展览持续了多久？",
    "Wie lange dauerte die Messe?",
    "Hoe lang duurde de beurs?",
]
NOT_ASKED = [
    "How was the exhibition?",
    "Comment s'appelle la directrice ?",
    "几年前人们怎么看展览？",
    "Tahun berapa pameran itu dibuka?",
    "Beberapa perusahaan ikut serta; siapa mereka?",
    "Wie heißt die Leiterin?",
]


TIME_ASKED = [
    "When was the exhibition opened?",
    "And when did it end?",
    "En quelle année l'exposition a-t-elle ouvert ?",
    "展览是什么时候开幕的？",
    "大会在哪一天开幕？",
    "Kapan pameran itu dibuka?",
    "Pada tanggal berapa pameran itu dibuka?",
    "Wann wurde die Messe eröffnet?",
    "¿En qué año abrió la feria?",
    "Quando foi inaugurada a feira?",
    "In quale anno ha aperto la fiera?",
    "Wanneer opende de beurs?",
]
PRICE_ASKED = [
    "How much did it cost to build the hall?",
    "What was the price of a ticket?",
    "Combien l'entrée coûtait-elle ?",
    "门票价格是多少？",
    "Berapa biaya pembangunan gedung itu?",
    "Was kostete der Bau der Halle?",
]
NEITHER = [
    "What happens when a visitor enters?",
    "Que se passe-t-il quand un visiteur entre ?",
    "Dove vanno i visitatori quando entrano?",
    "Who reduced the cost of the hall?",
    "What was the effect of the price?",
]


@pytest.mark.parametrize("question", ASKED)
def test_that_a_number_is_asked_for_is_told_by_words(question: str) -> None:
    assert asked_for(question) == "quantity"


@pytest.mark.parametrize("question", NOT_ASKED)
def test_other_questions_ask_for_none(question: str) -> None:
    assert asked_for(question) in (None, "time")


@pytest.mark.parametrize("question", TIME_ASKED)
def test_that_a_date_is_asked_for_is_told_by_words(question: str) -> None:
    assert asked_for(question) == "time"


@pytest.mark.parametrize("question", PRICE_ASKED)
def test_that_a_sum_is_asked_for_is_told_by_words(question: str) -> None:
    assert asked_for(question) == "price"


@pytest.mark.parametrize(
    "question",
    [
        "Combien d'entreprises ont réduit leurs coûts ?",
        "Wie viele Firmen senkten die Preise?",
        "他们花了多少天？",
    ],
)
def test_a_number_of_something_else_is_no_sum(question: str) -> None:
    assert asked_for(question) == "quantity"


@pytest.mark.parametrize("question", NEITHER)
def test_words_that_ask_elsewhere_ask_nothing_here(question: str) -> None:
    assert asked_for(question) is None


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
        ("One of the companies took part.", "en", False),
        ("It was the first fair.", "en", False),
        ("这是第一届展览。", "zh", False),
        ("It was the fifth fair of its kind.", "en", True),
        ("Only 1 took part.", "en", True),
        ("Sebagai salah satu perusahaan penting, ia ikut.", "id", False),
        ("Hanya satu perusahaan yang ikut.", "id", True),
        ("Приняли участие сто компаний.", "ru", True),
    ],
)
def test_a_sentence_must_state_a_number_that_the_question_has_not(
    text: str, language: str, may: bool
) -> None:
    assert may_state(text, language, ASKED[0], "quantity") is may


def test_the_first_is_a_rank() -> None:
    text = "Le volume de ses ventes se classe au premier rang."
    assert may_state(text, "fr", "Peringkat berapa volumenya?", "quantity")
    assert not may_state(text, "fr", "Berapa volumenya?", "quantity")


@pytest.mark.parametrize(
    ("text", "language", "may"),
    [
        ("It opened in 2019.", "en", True),
        ("It opened in July.", "en", True),
        ("L'exposition a débuté mardi.", "fr", True),
        ("展览昨天开幕。", "zh", True),
        ("九岁那年他开始写作。", "zh", True),
        ("It opened in May, as was asked.", "en", False),
        ("It opened at last.", "en", False),
        ("Выставка открылась вчера.", "ru", True),
    ],
)
def test_a_sentence_must_state_a_time_that_the_question_has_not(
    text: str, language: str, may: bool
) -> None:
    assert may_state(text, language, "When was the fair of May opened?", "time") is may


@pytest.mark.parametrize(
    ("text", "language", "may"),
    [
        ("The hall cost 30 million dollars.", "en", True),
        ("Tiket dijual seharga Rp50.000.", "id", True),
        ("门票每张一百二十元。", "zh", True),
        ("L'entrée est gratuite.", "fr", True),
        ("They laid 10,000 kilometres of cable.", "en", False),
        ("元朝建于1271年。", "zh", False),
        ("It won 3 prizes.", "en", False),
    ],
)
def test_a_sentence_must_state_a_sum(text: str, language: str, may: bool) -> None:
    assert may_state(text, language, PRICE_ASKED[0], "price") is may


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
