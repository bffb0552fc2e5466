"""What is told of another country, version or day than the question names does not answer it."""

from dataclasses import replace

import pytest
from fakes import FixedStore, NearEmbedding, ScriptedModel, passage
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.elsewhere import AROUND, FARTHER, elsewhere_farther
from qa_bot.answering.ground import Evidence
from qa_bot.answering.pipeline import Pipeline
from qa_bot.types import Passage

SIGNED = "It signed with 17 countries."


def evidence(
    text: str, title: str = "The pact", language: str = "en", source: str = "a"
) -> Evidence:
    within = Passage("1", source, 0, len(text), text, title, language, None)
    return Evidence(within, 0, len(text), text, nearness=0.6)


def farther(question: str, item: Evidence, document: str | None = None) -> bool:
    [found] = elsewhere_farther(question, [item], {"a": document or item.text}.get)
    assert found.nearness in (item.nearness, item.nearness - FARTHER)
    return found.nearness < item.nearness


LETTER = evidence("Pay until 12 February.")
DATED = replace(LETTER.passage, date="2024-01-26")


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("How many countries signed with Japan?", evidence(SIGNED)),
        ("Berapa negara yang menandatangani dengan Jepang?", evidence("中国与17个国家签署。")),
        ("Quelle est la capitale de l'Australie ?", evidence("Vienne, capitale de l'Autriche.")),
        ("How many packages had Debian 2.0?", evidence("Debian 2.1 had 2,250 packages.")),
        ("哪一年 Debian 12.0 发布？", evidence("Debian 2.0 (1998), Debian 12.01 (2023)")),
        ("How many were sold on 26 January 2024?", evidence("date: 2024-01-05; sold: 30")),
        ("1月26日卖了多少？", evidence("Le 5 janvier, 30 furent vendus.")),
        ("第八届博览会在秋天举行吗？", evidence("第六届博览会18日闭幕。")),
        ("Combien de firmes au 8e salon ?", evidence("640家企业参展。", title="第六届博览会")),
        ("Who won the 3rd race?", evidence("Pemenang lomba kedua adalah Ana.")),
        ("How many nations share it?", evidence("Brazil has 60% of it, Peru thirteen percent.")),
        ("亚马逊盆地有多少国家？", evidence("Brazil has 60%, and Peru 13 %, of the forest.")),
        ("Combien de membres ont voté ?", evidence("赞成票占百分之55。")),
        ("How many rats were there?", evidence("The island in 2016 and 2019.")),
    ],
)
def test_where_its_country_is_not_named_a_sentence_counts_as_farther(
    question: str, item: Evidence
) -> None:
    assert farther(question, item)


@pytest.mark.parametrize(
    ("question", "item"),
    [
        ("How many countries signed with Japan?", evidence("Japan signed with 17 countries.")),
        ("How many countries signed with Japan?", evidence(SIGNED, title="Japan's pact")),
        ("How many countries signed with Japan?", evidence("17 Japanese firms signed.")),
        ("Berapa negara yang menandatangani dengan Jepang?", evidence("日本与17个国家签署。")),
        ("How many countries signed?", evidence(SIGNED)),
        ("How many packages had Debian 2.0?", evidence("It had 1,500.", title="Debian 2.0.")),
        ("Is it 39.8 % of 2.5 million?", evidence("It is 39,8 % of 2,5 millions.")),
        ("How many were sold on 26 January 2024?", evidence("date: 26/01/2024; sold: 30")),
        ("What was said at the summit of 6 to 9 November?", evidence("On 7 November, he spoke.")),
        ("How many were sold on 26 January 2024?", evidence("30 were sold.")),
        ("When is the next meeting after 26 January?", evidence("It is on 12 February.")),
        (
            "What was decided on 26 January?",
            evidence("Pay until 12 February.", title="Meeting of 26 January"),
        ),
        ("What was decided on 26 January?", replace(LETTER, passage=DATED)),
        ("Who won the third race?", evidence("Ana won the 3rd one.")),
        ("Who won the third race?", evidence("For the first time Ana won.")),
        ("How many signed with Japan in that year, and how many with Kenya?", evidence(SIGNED)),
        ("How many nations share it?", evidence("Nine nations do; Brazil has 60 %.")),
        ("How many percent has Brazil?", evidence("Brazil has 60 %.")),
        ("How much of it has Brazil?", evidence("Brazil has 60 %.")),
        ("多少比例在巴西？", evidence("Brazil has 60 %.")),
        ("How many nations share it?", evidence("Many do.")),
    ],
    ids=[
        "named",
        "in the title",
        "its people",
        "in another script",
        "none asked",
        "a version",
        "no version",
        "its day",
        "a day of it",
        "no day",
        "a time is asked for",
        "a day of another thing",
        "a day of another thing in a letter",
        "its place",
        "the first time",
        "two asked",
        "a number beside a share",
        "how many percent",
        "how much",
        "what share",
        "no number",
    ],
)
def test_else_it_is_as_near_as_before(question: str, item: Evidence) -> None:
    assert not farther(question, item)


@given(st.integers(min_value=0, max_value=2 * AROUND))
def test_what_stands_just_before_the_passage_counts_too(apart: int) -> None:
    before = "Japan held talks. ".ljust(len("Japan") + apart, ".")
    document = before + SIGNED
    at = len(before)
    within = Passage("1", "a", at, at + len(SIGNED), SIGNED, "The pact", "en", None)
    item = Evidence(within, at, at + len(SIGNED), SIGNED, nearness=0.6)
    assert farther("Who signed with Japan?", item, document) is (at > AROUND)


def test_a_sentence_of_the_asked_country_is_judged_first(model: ScriptedModel) -> None:
    far = "China signed with 17 countries."
    own = "Japan signed with a few, 4 in all."
    embedder = NearEmbedding(near=("17", "Japan"))
    store = FixedStore(embedder, passage("cn.txt", far, "en"), passage("jp.txt", own, "en"))
    model.replies = ["4 countries."]
    pipeline = Pipeline(store, embedder, model, {"cn.txt": far, "jp.txt": own}.get)
    answer = pipeline.answer("How many countries signed with Japan?")
    assert [citation.quote for citation in answer.citations] == [own]
