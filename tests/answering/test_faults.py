"""Whatever a model writes: each citation is verified, and no wrong number passes as supported."""

from __future__ import annotations

import re

import pytest
from fakes import CHINESE, FRENCH, FixedStore, NearEmbedding, ScriptedModel, passage
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.pipeline import Pipeline
from qa_bot.types import Answer

QUESTIONS = {
    "en": "How many companies took part in the exhibition?",
    "fr": "Combien d'entreprises ont participé à l'exposition ?",
    "zh": "多少家公司参加了展览？",
    "two in one": "How many companies took part in the exhibition, and how much fibre was laid?",
}
FAULTS = {
    "invents a number": "340 companies took part.",
    "invents a sentence": "130 companies took part. They paid 9,000 euros each.",
    "is off by powers of ten": "The economy reached 3,580 billion yuan, or 358 trillion.",
    "makes a number a percentage": "130% of them took part in 2019.",
    "cites what there is not": "130 companies took part [9]. Others did too [S4][-1].",
    "cites by file": 'See [fr.txt] and <a href="fr.txt">[1]</a>: 130 companies.',
    "answers in another language": "Es nahmen 130 Unternehmen und 77 Verbände an der Messe teil.",
    "echoes the question": QUESTIONS["en"],
    "echoes its instructions": "State the exact names, numbers or dates. Answer only Yes or No: 5.",
    "loops": "580 firms and 580 wares, " * 40,
    "loops on a number": "1" + " 000" * 200,
    "returns nothing": "",
    "returns white space": " \n\t ",
    "returns a marker alone": "[1]",
    "writes markup": "<script>alert(340)</script> {question} $evidence %s",
    "writes control characters": "\x00\x1b[31m340\x07 companies\u202e took part.",
    "writes digits of another script": "３４０ companies, or ٣٤٠, took part.",
    "says the opposite": "130 companies did not take part.",
    "turns a bound round": "130 companies laid less than 200,000 km.",
    "invents a country": "They came from Japan and from Albania.",
    "says its instructions": "The exact names, numbers or dates that the question asks for.",
    "writes numbers in words": "Three hundred and forty companies took part.",
    "writes large numbers in words": "Five million companies took part.",
    "writes Chinese numerals": "三百四十家公司参加了展览。",
}
INVENTED = {"340", "9000", "77", "358", "580", "2031", "٣٤٠", "３４０"}
"""Numbers of these replies that no document states, however it is written."""
WORDS = (
    "130", "340", "1 800", "20万", "35.8", "35 800", "2019", "2031", "%", "trillion", "milliards",
    "companies", "entreprises", "光纤", "took", "part", "[1]", "[7]", "【S2】", "Answer:", ".",
    "。", "?", "\n", "«", '"', "Mr.", "-", ",",
)  # fmt: skip


def answered(model: ScriptedModel, question: str) -> Answer:
    embedder = NearEmbedding(near=("130", "光纤"))
    texts = {"fr.txt": FRENCH, "zh.txt": CHINESE}
    found = passage("fr.txt", FRENCH, "fr"), passage("zh.txt", CHINESE, "zh")
    answer = Pipeline(FixedStore(embedder, *found), embedder, model, texts.get).answer(question)
    assert_sound(answer, texts, question)
    return answer


def assert_sound(answer: Answer, texts: dict[str, str], question: str) -> None:
    """What must hold of every answer, seen from outside."""
    for number, citation in enumerate(answer.citations, start=1):
        assert citation.marker == number
        assert texts[citation.source][citation.start : citation.end] == citation.quote
        assert any(
            hit.passage.source == citation.source
            and hit.passage.start <= citation.start < citation.end <= hit.passage.end
            for hit in answer.passages
        )
    if answer.status == "refused":
        assert answer.citations == ()
        return
    cited = {marker for sentence in answer.sentences for marker in sentence.citations}
    assert cited == {citation.marker for citation in answer.citations}
    said = " ".join(sentence.text for sentence in answer.sentences)
    assert not re.search(r"[\[【]S?\d+[\]】]", said)
    for sentence in answer.sentences:
        if sentence.verdict != "supported":
            continue
        assert not {"Japan", "Albania"} & set(re.findall(r"\w+", sentence.text))
        assert "exact names" not in sentence.text
        assert "did not" not in sentence.text
        assert "less than" not in sentence.text
        assert not {"million", "三百四十"} & set(re.findall(r"million|三百四十", sentence.text))
        assert sentence.citations
        assert not INVENTED & set(re.findall(r"\d+", sentence.text.replace(",", "")))


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("reply", FAULTS.values(), ids=FAULTS)
def test_no_fault_of_a_model_passes_as_supported(question: str, reply: str) -> None:
    answered(ScriptedModel(reply=reply), question)


@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), max_size=6))
def test_no_mixture_of_words_passes_as_supported(replies: list[str]) -> None:
    for question in QUESTIONS.values():
        answered(ScriptedModel(reply="", replies=list(replies)), question)


@given(st.text(max_size=80))
def test_no_text_at_all_passes_as_supported(reply: str) -> None:
    answered(ScriptedModel(reply=reply), QUESTIONS["en"])


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
def test_what_is_right_passes(question: str) -> None:
    """Else the tests above would prove refusals only."""
    answer = answered(ScriptedModel(reply="130 companies took part."), question)
    assert answer.status == "answered"
