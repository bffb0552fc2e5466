"""Where documents give different numbers, each is told with its date and its own citation."""

from dataclasses import replace

import pytest
from fakes import FixedStore, NearEmbedding, ScriptedModel, passage

from qa_bot.answering.pipeline import Pipeline
from qa_bot.types import Answer, Passage

QUESTION = "How many companies took part in the fair?"
NEWER = "This year 200 companies took part in the fair."
OLDER = "So far 130 companies took part in the fair."
FAR = "About 75 of them were at the dinner."


def dated(source: str, text: str, date: str | None) -> Passage:
    return replace(passage(source, text, "en"), date=date)


def answered(model: ScriptedModel, *passages: Passage, question: str = QUESTION) -> Answer:
    store = FixedStore(NearEmbedding(near=("companies",)), *passages)
    texts = {each.source: each.text for each in passages}
    return Pipeline(store, store.embedder, model, texts.get).answer(question)


def test_both_are_told_the_older_first(model: ScriptedModel) -> None:
    model.replies = ["130 companies.", "200 companies."]
    answer = answered(
        model, dated("b.txt", NEWER, "2022-11-09"), dated("a.txt", OLDER, "2018-11-08")
    )
    assert answer.answer == "2018-11-08: 130 companies. [1] 2022-11-09: 200 companies. [2]"
    assert [(each.source, each.quote) for each in answer.citations] == [
        ("a.txt", OLDER),
        ("b.txt", NEWER),
    ]
    assert {each.verdict for each in answer.sentences} == {"supported"}
    assert {hit.passage.source for hit in answer.passages} == {"a.txt", "b.txt"}


def test_the_pieces_of_a_stream_make_up_both(model: ScriptedModel) -> None:
    older, newer = dated("a.txt", OLDER, "2018-11-08"), dated("b.txt", NEWER, "2022-11-09")
    model.replies = ["There were 130 companies.", "There were 200 companies."]
    store = FixedStore(NearEmbedding(near=("companies",)), newer, older)
    *pieces, answer = Pipeline(
        store, store.embedder, model, {"a.txt": OLDER, "b.txt": NEWER}.get
    ).stream(QUESTION)
    assert isinstance(answer, Answer)
    assert "".join(map(str, pieces)) == answer.answer
    assert len(pieces) > 4


def test_a_document_without_a_date_goes_by_its_title(model: ScriptedModel) -> None:
    model.replies = ["130 companies.", "200 companies."]
    answer = answered(model, dated("b.txt", NEWER, "2022-11-09"), dated("a.txt", OLDER, None))
    assert answer.answer.startswith("Title of a.txt: 130 companies. [1] 2022-11-09: ")


def test_of_one_date_they_go_by_their_titles(model: ScriptedModel) -> None:
    model.replies = ["200 companies.", "130 companies."]
    answer = answered(
        model, dated("b.txt", NEWER, "2022-11-09"), dated("a.txt", OLDER, "2022-11-09")
    )
    assert answer.answer == "Title of b.txt: 200 companies. [1] Title of a.txt: 130 companies. [2]"


def test_each_is_checked_against_its_own_quote(model: ScriptedModel) -> None:
    model.replies = ["130 companies.", "130 companies."]
    answer = answered(
        model, dated("b.txt", NEWER, "2022-11-09"), dated("a.txt", OLDER, "2018-11-08")
    )
    assert answer.answer.endswith(f"2022-11-09: {NEWER} [2]")


@pytest.mark.parametrize(
    ("other", "odds"),
    [
        ("In the end 200 companies took part.", 0.9),
        (OLDER, 0.4),
        (FAR, 0.9),
    ],
    ids=["the same number", "not sure", "far from the question"],
)
def test_else_one_is_told_as_ever(model: ScriptedModel, other: str, odds: float) -> None:
    model.yes = [0.9, odds]
    model.replies = ["200 companies."]
    answer = answered(
        model, dated("b.txt", NEWER, "2022-11-09"), dated("a.txt", other, "2018-11-08")
    )
    assert answer.answer == "200 companies. [1]"


def test_what_two_others_say_alike_is_told_once(model: ScriptedModel) -> None:
    model.replies = ["130 companies.", "200 companies."]
    answer = answered(
        model,
        dated("b.txt", NEWER, "2022-11-09"),
        dated("a.txt", OLDER, "2018-11-08"),
        dated("c.txt", f"In all {OLDER.lower()}", "2019-11-08"),
    )
    assert answer.answer == "2018-11-08: 130 companies. [1] 2022-11-09: 200 companies. [2]"


def test_a_question_for_no_number_is_answered_once(model: ScriptedModel) -> None:
    model.replies = ["Companies."]
    answer = answered(
        model,
        dated("b.txt", NEWER, "2022-11-09"),
        dated("a.txt", OLDER, "2018-11-08"),
        question="Who took part in the fair?",
    )
    assert len(answer.sentences) == 1
    assert not answer.answer.startswith("20")


def test_at_most_two_other_documents_are_looked_at(model: ScriptedModel) -> None:
    model.reply = "It was so."
    answer = answered(
        model,
        *(
            dated(f"{year}.txt", f"{number} companies took part.", f"{year}-11-08")
            for year, number in ((2022, 200), (2021, 190), (2020, 180), (2019, 170))
        ),
    )
    assert [each.text[:4] for each in answer.sentences] == ["2020", "2021", "2022"]
