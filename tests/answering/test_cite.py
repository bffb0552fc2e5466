"""Which quotes a written sentence is given."""

from __future__ import annotations

import pytest
from fakes import NearEmbedding, passage
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.check import terms
from qa_bot.answering.cite import Citer
from qa_bot.answering.ground import Evidence
from qa_bot.answering.run import Run


def quotes_of(text: str, question: str, *quotes: str) -> list[str]:
    """The quotes that a sentence rests on, of evidence in which the best stands last."""
    whole = " ".join(quotes)
    found = passage("en.txt", whole, "en")
    starts = [whole.index(quote) for quote in quotes]
    evidence = [
        Evidence(found, start, start + len(quote), quote)
        for start, quote in zip(starts, quotes, strict=True)
    ]
    run = Run("1", question, "en", None, "scripted", None)
    citer = Citer(evidence, question, run, {"en.txt": whole}.get, NearEmbedding())
    return [item.text for item in citer.resting_on(text)]


SUMMIT = "The 2023 summit in Wuzhen met for three days."
HELD = "Wang Wenxi opened the forum of the summit in Wuzhen on 9 November."
CASES = "The summit showed 13 cases."


@pytest.mark.parametrize(
    ("text", "question", "rests_on"),
    [
        ("Wang Wenxi opened it in Wuzhen.", "Who opened the forum in Wuzhen?", [HELD]),
        ("It met three days, with 13 cases.", "What of the summit?", [SUMMIT, CASES]),
        ("The summit showed 13 cases.", "How many cases did the summit show?", [CASES]),
        ("Wang Wenxi opened it, with 13 cases.", "What was it like?", [HELD, CASES]),
        ("The summit in Wuzhen.", "Was the summit in Wuzhen?", [SUMMIT, HELD]),
    ],
    ids=[
        "what is new in it counts",
        "all of what is new",
        "no quote that has the question's words alone",
        "of two facts each quote",
        "nothing new: what shares most",
    ],
)
def test_a_sentence_rests_on_as_little_as_says_what_the_question_does_not(
    text: str, question: str, rests_on: list[str]
) -> None:
    assert quotes_of(text, question, SUMMIT, HELD, CASES) == rests_on


def test_a_number_of_another_quote_is_no_part_of_what_is_told() -> None:
    """Three billion of one document's are not those who another says are offline."""
    other = "全球仍有近30亿人没有接入互联网。"
    offline = "In the whole world 2.6 billion people are still in the state of being offline."
    said = "In the whole world 3 billion people are still in the state of being offline."
    assert quotes_of(said, "How many are there?", other, offline) == [offline]


def test_of_two_that_say_the_same_the_better_judged_is_quoted() -> None:
    photo, same = "(Zhai Huiyong /Pic.)", "(Zhai Huiyong/Pic.)"
    assert quotes_of("It was Zhai Huiyong.", "Who took the picture?", photo, same) == [same]


def test_what_the_few_do_not_bear_out_rests_on_more() -> None:
    """A country is hinted at in other words than it is named by."""
    words = "German visitors saw the 13 halls of the fair.", "The fair had 13 halls."
    said = "The fair in Germany had 13 halls."
    assert quotes_of(said, "How many halls were there?", *words) == list(words)


WORDS = st.lists(st.sampled_from(["lighthouse", "harbour", "painted", "tower"]))


@given(WORDS, st.lists(WORDS.map(" ".join).filter(bool), min_size=1, max_size=4, unique=True))
def test_of_the_quotes_that_share_most_nothing_new_is_lost(
    said: list[str], quotes: list[str]
) -> None:
    quotes = [f"Number{at} {quote}." for at, quote in enumerate(quotes)]
    new = terms(" ".join(said), 4)
    shared = {quote: new & terms(quote, 4) for quote in quotes}
    best = max(map(len, shared.values()))
    kept = quotes_of(" ".join(said), "What is it?", *quotes)
    assert kept
    for quote, words in shared.items():
        if len(words) > best / 2:
            assert words <= set().union(*(shared[each] for each in kept)), quote
