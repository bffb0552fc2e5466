"""Scores of hand-made answers in four languages, and of answerers broken on purpose."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import (
    ASKED,
    DOCUMENTS,
    FACTS,
    FILLER,
    Answerer,
    always_answers,
    always_refuses,
    answered,
    case,
    citation,
    cites_at_random,
    cites_wrongly,
    failed,
    place,
    refused,
    right,
    rows_of,
    unanswerable,
    without_retrieval,
)

from qa_bot.evals.scorers import is_in_language, judged
from qa_bot.evals.summary import summarise
from qa_bot.evals.testset import Case


def scores(asked: Case, record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = judged(asked, record, DOCUMENTS.get)["scores"]
    return found


def attributed(asked: Case, record: dict[str, Any]) -> str | None:
    found: str | None = judged(asked, record, DOCUMENTS.get)["attribution"]
    return found


@pytest.mark.parametrize("lang", ASKED)
def test_a_right_answer_scores_full_marks(lang: str) -> None:
    asked = case(lang)
    found = scores(asked, right(asked))
    full = (
        "hit@5", "nDCG@10", "MRR@10", "recall@20", "passage_hit@1", "passage_hit@5",
        "answer_match", "language_match", "citation_precision", "citation_recall",
        "quote_verbatim",
    )  # fmt: skip
    assert {name: found[name] for name in full} == dict.fromkeys(full, 1.0)
    assert 0 < found["answer_f1"] < 1, "a sentence holds more than its answer"
    assert found["over_refusal"] == 0
    assert found["refusal_rate"] is None
    assert (found["seconds"], found["first_token_seconds"]) == (1.5, 0.5)
    assert (found["prompt_tokens"], found["completion_tokens"]) == (100, 10)
    assert attributed(asked, right(asked)) == "right"


@pytest.mark.parametrize("lang", ASKED)
def test_a_wrong_answer_in_another_language_scores_none(lang: str) -> None:
    asked = case(lang)
    other = "fr" if lang != "fr" else "zh"
    text = {"fr": "Le total était de sept navires pendant cette année.", "zh": "总共有七艘船。"}
    found = scores(asked, answered(asked, text[other]))
    assert (found["answer_match"], found["language_match"], found["citation_recall"]) == (0, 0, 0)
    assert found["citation_precision"] is None, "there is no citation to be precise"
    assert found["quote_verbatim"] is None
    assert attributed(asked, answered(asked, text[other])) == "wrong"


def test_a_refusal_is_judged_by_what_could_be_answered() -> None:
    found = scores(unanswerable(), refused(unanswerable()))
    assert {name for name, value in found.items() if value is not None} == {
        "refusal_rate", "seconds", "first_token_seconds", "prompt_tokens", "completion_tokens"
    }  # fmt: skip
    assert found["refusal_rate"] == 1
    over = scores(case(), refused(case()))
    assert (over["over_refusal"], over["answer_match"], over["answer_f1"]) == (1, 0, 0)
    assert over["citation_recall"] is None, "a refusal is no answer to be cited"


def test_a_refusal_that_says_the_answer_is_still_no_match() -> None:
    assert scores(case(), refused(case(), answer="41 ships"))["answer_match"] == 0


def test_an_error_has_no_scores() -> None:
    assert set(scores(case(), failed(case())).values()) == {None}
    assert attributed(case(), failed(case())) == "error"
    assert attributed(unanswerable(), failed(unanswerable())) == "error"


def test_without_gold_there_is_nothing_to_score() -> None:
    asked = case(answers=[], gold_docs=[], gold_passages=[])
    found = scores(asked, answered(asked, "There were 41 of them that year."))
    assert found["answer_match"] is found["hit@5"] is found["citation_recall"] is None


def test_documents_rank_by_their_best_passage() -> None:
    """Three passages of two documents above the gold one make it the third document."""
    asked = case()
    ranking = [
        *(place("fr.txt", FILLER["fr"].strip()) for _ in range(3)),
        place("zh.txt", FACTS["zh"]),
        place("en.txt", FILLER["en"].strip()),
        place("en.txt", FACTS["en"]),
    ]
    result = judged(asked, answered(asked, "41", retrieved=ranking), DOCUMENTS.get)
    found = result["scores"]
    assert found["MRR@10"] == pytest.approx(1 / 3)
    assert found["nDCG@10"] == pytest.approx(0.5)  # 1 / log2(3 + 1)
    assert found["hit@5"] == found["recall@20"] == 1
    assert (found["passage_hit@5"], found["passage_hit@1"]) == (0, 0)
    assert result["ranks"] == {"document": 3, "passage": 6}


def test_two_gold_documents_are_both_looked_for() -> None:
    asked = case(gold_docs=["en.txt", "fr.txt"], gold_passages=[])
    found = scores(asked, answered(asked, "41", retrieved=[place("en.txt", FACTS["en"])]))
    assert found["recall@20"] == 0.5
    assert found["nDCG@10"] == pytest.approx(1 / (1 + 1 / 1.584962500721156))


def test_an_answer_without_a_ranking_has_no_retrieval_scores() -> None:
    """Answers made elsewhere may not say what was retrieved."""
    asked = case()
    assert scores(asked, answered(asked, "41", retrieved=None))["hit@5"] is None
    assert scores(asked, answered(asked, "41", retrieved=[]))["hit@5"] == 0


def test_precision_is_the_share_of_citations_that_hit() -> None:
    asked = case()
    cited = [citation("en.txt", FACTS["en"]), citation("en.txt", FILLER["en"].strip(), 2)]
    found = scores(asked, answered(asked, "It was 41 [1][2].", *cited))
    assert (found["citation_precision"], found["citation_recall"]) == (0.5, 1)


@pytest.mark.parametrize(
    ("text", "change", "share"),
    [
        ("41 [1][2].", {}, 1.0),
        ("41 [1].", {}, 0.5),
        ("41 [2][1].", {}, 0.0),
        ("41 [1][2][3].", {}, 2 / 3),
        ("41 [1][1][2].", {}, 1.0),
        ("41 [1][2].", {"quote": "handled 42 ships"}, 0.5),
        ("41 [1][2].", {"start": 1}, 0.5),
        ("41 [1][2].", {"source": "gone.txt"}, 0.5),
        ("41 [1][2].", {"quote": ""}, 0.5),
    ],
    ids=[
        "sound", "not in the text", "out of turn", "marker without citation", "used twice",
        "altered quote", "moved", "no such document", "empty",
    ],
)  # fmt: skip
def test_a_citation_is_verbatim_and_its_marker_valid(
    text: str, change: dict[str, Any], share: float
) -> None:
    first = citation("en.txt", FACTS["en"])
    second = citation("en.txt", FILLER["en"].strip(), 2) | change
    assert scores(case(), answered(case(), text, first, second))["quote_verbatim"] == (
        pytest.approx(share)
    )


@pytest.mark.parametrize(
    ("answer", "language", "match"),
    [
        ("Lindholm handled forty-one ships that spring [1].", "en", True),
        ("Lindholm handled forty-one ships that spring [1].", "fr", False),
        ("L'économie numérique a atteint 35 800 milliards de yuans.", "fr", True),
        ("L'économie numérique a atteint 35 800 milliards de yuans.", "id", False),
        ("Internet kini dipakai oleh hampir 3 miliar orang di dunia.", "id", True),
        ("Internet kini dipakai oleh hampir 3 miliar orang di dunia.", "en", False),
        ("Kaspersky在Nigeria设有办事处。", "zh", True),
        ("中國企業鋪設光纖。", "zh", True),
        ("Kaspersky在Nigeria设有办事处。", "en", False),
        ("130", "zh", True),
        ("TikTok [1]", "zh", True),
        ("Wan Lin", "fr", True),
        ("拉夫罗夫", "fr", False),
        ("three", "zh", False),
        ("Сергей Викторович Лавров", "en", False),
    ],
)
def test_the_language_is_told_where_words_tell_it(answer: str, language: str, match: bool) -> None:
    """Names and numbers alone are in no language, and count as right."""
    assert is_in_language(answer, language) is match


def test_failures_are_attributed_to_where_they_happened() -> None:
    asked, elsewhere = case(), [place("fr.txt", FACTS["fr"])]
    there = place("en.txt", FACTS["en"])
    assert attributed(asked, answered(asked, "7", retrieved=elsewhere)) == "not_retrieved"
    shown = {"retrieved": [*elsewhere, there], "passages": elsewhere}
    assert attributed(asked, answered(asked, "7", **shown)) == "not_shown"
    assert attributed(asked, refused(asked, **shown)) == "not_shown"
    assert attributed(asked, refused(asked)) == "refused"
    assert attributed(asked, cites_wrongly(asked)) == "miscited"
    assert attributed(unanswerable(), refused(unanswerable())) == "refused_rightly"
    assert attributed(unanswerable(), always_answers(unanswerable())) == "invented"


def test_a_ranking_alone_is_judged_as_one() -> None:
    record = {
        "id": "q1",
        "retrieved": [place("en.txt", FACTS["en"])],
        "seconds": 0.1,
        "error": None,
    }
    assert scores(case(), record)["passage_hit@1"] == 1
    assert set(scores(case(), record)) == {
        "hit@5", "nDCG@10", "MRR@10", "recall@20", "passage_hit@1", "passage_hit@5", "seconds"
    }  # fmt: skip
    assert attributed(case(), record) == "retrieved"
    assert attributed(case(), record | {"retrieved": []}) == "not_retrieved"
    assert attributed(unanswerable(), record) is None


def test_what_is_expected_is_kept_as_the_test_set_has_it() -> None:
    assert judged(case(), right(case()), DOCUMENTS.get)["expected"] == {
        "answerable": True,
        "answers": ["41"],
        "answer_groups": [],
        "gold_docs": ["en.txt"],
        "gold_passages": [FACTS["en"]],
        "passage_docs": [],
    }


def figures(answerer: Answerer) -> dict[str, float | None]:
    return {
        name: figure["value"] for name, figure in summarise(rows_of(answerer))["metrics"].items()
    }


def test_a_good_answerer_is_seen_to_be_one() -> None:
    found = figures(right)
    ones = ("hit@5", "passage_hit@5", "answer_match", "citation_precision", "refusal_rate")
    assert [found[name] for name in ones] == [1.0] * 5
    assert found["over_refusal"] == 0


def test_an_answerer_without_retrieval_is_exposed() -> None:
    found = figures(without_retrieval)
    zeros = ("hit@5", "nDCG@10", "passage_hit@5", "answer_match", "citation_recall", "refusal_rate")
    assert [found[name] for name in zeros] == [0.0] * 6
    assert summarise(rows_of(without_retrieval))["attribution"] == {
        "invented": 8, "not_retrieved": 16
    }  # fmt: skip


def test_an_answerer_that_always_refuses_is_exposed() -> None:
    """Its refusal rate is perfect, which is why over-refusal stands beside it."""
    found = figures(always_refuses)
    assert (found["refusal_rate"], found["over_refusal"], found["answer_match"]) == (1, 1, 0)
    assert found["citation_recall"] is None


def test_an_answerer_that_always_answers_is_exposed() -> None:
    found = figures(always_answers)
    assert (found["refusal_rate"], found["over_refusal"], found["answer_match"]) == (0, 0, 1)


def test_right_text_with_the_wrong_citation_is_exposed() -> None:
    found = figures(cites_wrongly)
    assert (found["answer_match"], found["quote_verbatim"]) == (1, 1)
    assert (found["citation_precision"], found["citation_recall"]) == (0, 0)


def test_random_citations_are_exposed() -> None:
    found = figures(cites_at_random)
    assert found["quote_verbatim"] == found["answer_match"] == 1
    assert found["citation_precision"] is not None
    assert found["citation_precision"] < 0.2


ITEMS = st.builds(
    lambda source, start, length: (
        {"source": source, "start": start, "end": start + length}
        | {"quote": DOCUMENTS[source][start : start + length]}
    ),
    st.sampled_from(sorted(DOCUMENTS)),
    st.integers(-5, 1700),
    st.integers(-5, 900),
)


@given(
    st.sampled_from(sorted(ASKED)),
    st.text(max_size=40),
    st.lists(ITEMS, max_size=20),
    st.lists(ITEMS, max_size=4),
    st.sampled_from(["answered", "refused"]),
)
def test_scores_of_any_record_lie_between_0_and_1(
    lang: str, text: str, ranking: list[Any], cited: list[Any], status: str
) -> None:
    marked = [quote | {"marker": number} for number, quote in enumerate(cited, 1)]
    record = answered(case(lang), text, *marked, retrieved=ranking, status=status)
    found = scores(case(lang), record)
    del found["seconds"], found["prompt_tokens"], found["completion_tokens"]
    assert all(value is None or 0 <= value <= 1 for value in found.values())
    ranks = judged(case(lang), record, DOCUMENTS.get)["ranks"]
    assert found["hit@5"] == (ranks["document"] is not None and ranks["document"] <= 5)
