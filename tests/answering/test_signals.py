"""Each signal on its own: what it looks at, and that it favours no language."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.signals import SIGNALS
from qa_bot.answering.signals.days import same_day
from qa_bot.answering.signals.nearness import near_pair, near_sentence
from qa_bot.answering.signals.quantity import states_quantity
from qa_bot.answering.signals.words import shared_words
from qa_bot.answering.signals.years import same_year
from qa_bot.types import Candidate, Passage


def candidate(
    text: str,
    *,
    language: str = "en",
    source: str = "a.txt",
    start: int = 0,
    cosine: float = 0.5,
    sentences: tuple[float, ...] = (),
    date: str | None = None,
) -> Candidate:
    end = start + len(text)
    passage = Passage(f"{source}-{start}", source, start, end, text, "", language, date)
    return Candidate(passage, cosine, sentences)


@given(st.text(), st.lists(st.tuples(st.text(), st.sampled_from(["en", "zh", "ar"])), max_size=6))
def test_every_signal_gives_each_candidate_one_finite_number(
    question: str, texts: list[tuple[str, str]]
) -> None:
    found = [candidate(t, language=lang, start=n * 50) for n, (t, lang) in enumerate(texts)]
    for signal in SIGNALS.values():
        values = signal(question, found)
        assert len(values) == len(found)
        assert all(abs(value) < 10 for value in values)


def test_the_nearest_sentence_speaks_for_a_long_passage() -> None:
    assert near_sentence("?", [candidate("x", sentences=(0.1, 0.8)), candidate("x")]) == [0.8, 0.5]


def test_two_sentences_in_a_row_speak_for_a_passage() -> None:
    paired = replace(candidate("x", sentences=(0.1, 0.8)), pairs=(0.1, 0.6))
    assert near_pair("?", [paired, candidate("x")]) == [0.6, 0.5]


def test_rare_words_tell_passages_of_one_language_apart() -> None:
    common = [candidate("The summit was held in the town.", start=n * 100) for n in range(5)]
    rare = candidate("The pagoda in the town.", start=900)
    *others, best = shared_words("Which town has a pagoda?", [*common, rare])
    assert best == 0
    assert max(others) < -0.1


def test_inflected_words_and_words_without_spaces_are_matched() -> None:
    asked, unasked = candidate("国际展览会在乌镇举行。"), candidate("今天的天气很好。")
    assert shared_words("乌镇的展览", [asked, unasked])[1] < 0
    asked, unasked = candidate("Les expositions ont fermé."), candidate("Le temps est beau.")
    assert shared_words("Quand l’exposition ferme-t-elle ?", [asked, unasked])[1] < 0


def test_no_language_gains_by_words_on_another() -> None:
    """A Chinese passage cannot share words with an English question, and loses nothing by it."""
    english = candidate("The summit was held in Wuzhen in 2022.")
    chinese = candidate("峰会在乌镇举行。", language="zh", source="z.txt")
    assert shared_words("When was the summit held in Wuzhen?", [english, chinese]) == [0, 0]


def test_names_and_numbers_are_shared_across_languages() -> None:
    named = candidate("卡巴斯基 Kaspersky 在47个国家", language="zh")
    other = candidate("其他公司在其他国家", language="zh", start=100)
    assert shared_words("Dans combien de pays Kaspersky est-il ?", [named, other])[1] < 0


@pytest.mark.parametrize(
    ("text", "date", "score"),
    [
        ("in 2022", "2022-11-08", 1),
        ("in 2022", None, 1),
        ("in 2022", "2023", 0),
        ("in 2022, unlike 2023", None, 0),
        ("in 2021", None, -1),
        ("later", "2022", 1),
        ("later", "2023", -1),
        ("later", None, 0),
        ("12022 or 2,022 or 2022.5", None, 0),
        ("٢٠٢٢", None, 1),
    ],
)
def test_a_year_in_the_question_is_matched_in_text_and_date(
    text: str, date: str | None, score: int
) -> None:
    assert same_year("Qui a gagné en 2022 ?", [candidate(text, date=date)]) == [score]


def test_a_document_without_a_date_is_of_the_year_that_it_names() -> None:
    """A report of 2022 says 2022 once, and what it says besides is of that year too."""
    report = [candidate("in 2021 and 2022", source="a.txt"), candidate("later", source="a.txt")]
    other = candidate("in 2021", source="b.txt")
    assert same_year("Who won in 2022?", [*report, other]) == [1, 1, -1]
    assert same_year("Who won in 2021?", [*report, other]) == [0, -1, 1]


def test_of_several_years_a_document_is_of_the_one_that_most_passages_name() -> None:
    plans = [candidate(text) for text in ("in 2021", "since 2021", "by 2030", "now")]
    assert same_year("What was decided in 2021?", plans) == [1, 1, 1, 1]
    assert same_year("What is due in 2030?", plans) == [-1, -1, 0, -1]


def test_without_a_year_in_the_question_years_say_nothing() -> None:
    assert same_year("Who won?", [candidate("in 2022", date="2022")]) == [0]


def test_a_document_is_on_the_days_that_it_names() -> None:
    found = [
        candidate("From 6 to 9 November.", source="a.txt"),
        candidate("12 cases.", source="a.txt"),
        candidate("On 8 November.", source="b.txt"),
        candidate("Some day.", source="c.txt"),
    ]
    assert same_day("11月6日至9日的峰会？", found) == [1, 1, -1, 0]
    assert same_day("What was said on 8 November?", found) == [1, 1, 1, 0]
    assert same_day("What was said in November 2020?", found) == [0, 0, 0, 0]


def test_a_letter_is_on_the_day_of_its_date() -> None:
    letters = [
        candidate("We met today.", source=f"{day}.eml", date=day)
        for day in ("2024-11-05", "2024-11-06")
    ]
    assert same_day("What was decided on 5 November?", letters) == [1, 0]
    assert same_day("What was decided on 05/11/2024?", letters) == [1, 0]


@pytest.mark.parametrize(
    "question",
    [
        "How many guests came?",
        "Combien d'invités sont venus ?",
        "有多少嘉宾参加？",
        "Berapa tamu yang datang?",
        "Wie viele Gäste kamen?",
        "¿Cuántos invitados vinieron?",
        "كم عدد الضيوف؟",
        "何人が参加しましたか",
        "Сколько гостей приехало?",
    ],
)
def test_a_question_for_a_number_wants_one_that_is_no_year(question: str) -> None:
    found = [candidate("1,800 came."), candidate("They came in 2023."), candidate("All came.")]
    assert states_quantity(question, found) == [1, 0, 0]


def test_other_questions_want_no_number() -> None:
    for question in ("Who came?", "几年前人们怎么想？", "Qui est venu ?", "Wie heißt er?"):
        assert states_quantity(question, [candidate("1,800 came.")]) == [0]


def test_title_words_count() -> None:
    plain = candidate("He sang the anthem.", start=100)
    titled = replace(plain, passage=replace(plain.passage, title="Super Bowl 50"))
    assert shared_words("Who sang at the Super Bowl?", [plain, titled])[0] < 0
