"""Two questions in one, told from one question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.parts import as_written, by_signs, may_ask_twice, of_each_year, stands_alone

TWO = "How many companies took part in the exhibition, and what number of guests came?"


@pytest.mark.parametrize(
    ("question", "may"),
    [
        (TWO, True),
        ("2022年和2023年的乌镇峰会，与会者分别来自多少个国家和地区？", True),
        ("2018年大会期间，上海正在举办什么展会？2022年峰会前一天，乌镇又有什么展会开幕？", True),
        ("Selon lui, à quel mode de pensée les pays devraient-ils renoncer ?", False),
        ("In 2023, who won the race that began in the capital?", False),
        ("How many of the 1,800 guests of the summit came from abroad?", False),
        ("Who won?", False),
    ],
)
def test_a_long_clause_before_a_comma_may_be_a_question_of_its_own(
    question: str, may: bool
) -> None:
    assert may_ask_twice(question) == may


@pytest.mark.parametrize(
    ("question", "years"),
    [
        (
            "2021年和2022年的展览，分别有多少家企业参加？",
            ["2021年的展览，有多少家企业参加？", "2022年的展览，有多少家企业参加？"],
        ),
        (
            "How many firms came in 2021 and 2022 respectively?",
            ["How many firms came in 2021 ?", "How many firms came in 2022 ?"],
        ),
        ("By how much did trade grow between 2021 and 2022?", []),
        ("2021年的展览和2022年的大会分别在哪里举行？", []),
    ],
)
def test_what_is_asked_of_each_year_is_asked_once_a_year(question: str, years: list[str]) -> None:
    assert of_each_year(question) == years


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "How many firms came to the fair, and how many guests came to the summit?",
            ["How many firms came to the fair?", "How many guests came to the summit?"],
        ),
        (
            "Siapa direktur museum itu, dan siapa walikota yang membuka pameran?",
            ["Siapa direktur museum itu?", "Siapa walikota yang membuka pameran?"],
        ),
        (
            "大会期间上海举办什么展会？峰会前一天乌镇有什么展会？",
            ["大会期间上海举办什么展会？", "峰会前一天乌镇有什么展会？"],
        ),
        (
            "Qui a ouvert le salon ? Qui a fermé le sommet ?",
            ["Qui a ouvert le salon ?", "Qui a fermé le sommet ?"],
        ),
        ("Who spoke at the fair, and what did she say?", []),
        ("The museum of the history of the sea, the largest in town, opened in which year?", []),
        ('Who was the minister that asked "Who are you?" at the opening of the summit?', []),
        ("是谁在开幕式上问“你们是谁？”并且离开了会场？", []),
        ("How many firms came to the fair in 2020? How many guests? Answer in one line.", []),
        ("In 2023, who won the race that began in the capital?", []),
    ],
)
def test_signs_set_questions_apart(question: str, parts: list[str]) -> None:
    assert by_signs(question) == parts


def test_a_short_second_question_leans_on_the_first() -> None:
    first = "What share of trade was digital in 2019?"
    assert stands_alone("What share of trade was in goods?", first)
    assert not stands_alone("what share in 2021?", first)


@given(st.text("a b?？。\n1", max_size=60), st.text("ab ?", max_size=20))
def test_whatever_a_model_replies_there_are_two_or_three_questions_or_none(
    reply: str, question: str
) -> None:
    parts = as_written(reply, question)
    assert len(parts) in (0, 2, 3)
    assert all(part.endswith(("?", "？")) for part in parts)
