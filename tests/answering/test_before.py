"""The sentence before a piece of evidence, which it may point back to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.answering.ground import Evidence, with_the_one_before
from qa_bot.text import sentence_spans
from qa_bot.types import Passage

DOCUMENT = (
    "The fair\n\nKaspersky has a programme. It began in 2020. "
    "So far 700 million people have profited from it. It goes on."
)


def passage(start: int, end: int, page: int | None = None, text: str = DOCUMENT) -> Passage:
    found = text[start:end]
    return Passage("1", "a.txt", start, end, found, "The fair", "en", None, page)


def evidence(sentence: str, within: Passage) -> Evidence:
    start = DOCUMENT.index(sentence)
    return Evidence(within, start, start + len(sentence), sentence)


SO_FAR = DOCUMENT.index("So far")


@pytest.mark.parametrize("start", [0, SO_FAR], ids=["in its passage", "before its passage"])
def test_the_sentence_before_comes_with_a_passage_that_holds_both(start: int) -> None:
    item = evidence(
        "So far 700 million people have profited from it.", passage(start, len(DOCUMENT))
    )
    both = with_the_one_before(item, DOCUMENT)
    assert both is not None
    before, behind = both
    assert (before.text, behind.text) == ("It began in 2020.", item.text)
    assert behind.before == before
    wide = behind.passage
    assert before.passage == wide
    assert wide.start <= before.start < item.end <= wide.end
    assert wide.text == DOCUMENT[wide.start : wide.end]


@pytest.mark.parametrize(
    ("item", "text"),
    [
        (evidence("Kaspersky has a programme.", passage(10, 60)), DOCUMENT),
        (evidence("So far", passage(SO_FAR, 90)), None),
        (evidence("So far", passage(SO_FAR, 90)), DOCUMENT.replace("began", "started")),
        (evidence("So far", passage(SO_FAR, 90, page=2)), DOCUMENT),
        (evidence("The fair", passage(0, 8)), DOCUMENT),
    ],
    ids=["a title", "no file", "a file that changed", "maybe another page", "the first sentence"],
)
def test_there_may_be_none(item: Evidence, text: str | None) -> None:
    assert with_the_one_before(item, text) is None


def test_a_passage_grows_no_longer_than_a_passage_may_be() -> None:
    first, second = "a" * 600 + ".", "b " * 800 + "b."
    document = f"{first} {second}"
    item = Evidence(
        passage(len(first) + 1, len(document), text=document), len(first) + 1, len(document), second
    )
    assert with_the_one_before(item, document) is None
    assert with_the_one_before(item, document.replace("a" * 600, "a")) is None, "it changed"


@given(
    sentences=st.lists(st.text("ab é。", min_size=1, max_size=30), min_size=2, max_size=8),
    at=st.integers(1, 7),
    whole=st.booleans(),
)
def test_what_comes_before_stands_in_the_document(
    sentences: list[str], at: int, whole: bool
) -> None:
    document = ". ".join(sentences)
    spans = sentence_spans(document)
    if not spans:
        return
    span = spans[min(at, len(spans) - 1)]
    start = 0 if whole else span.start
    within = passage(start, len(document), text=document)
    item = Evidence(within, span.start, span.end, document[span.start : span.end])
    if both := with_the_one_before(item, document):
        for part in both:
            inside = part.start - part.passage.start
            assert part.passage.text[inside : inside + len(part.text)] == part.text
            assert document[part.start : part.end] == part.text
        assert both[0].end <= both[1].start
        assert not document[both[0].end : both[1].start].strip()


def test_another_record_of_a_table_is_no_sentence_before() -> None:
    text = "Product: chair; Stock: 5\n\nProduct: lamp. It is red; Stock: 3"
    whole = Passage("1", "stock.CSV", 0, len(text), text, "stock", "en", None)
    lamp, red = text.index("Product: lamp"), text.index("It is")
    assert (
        with_the_one_before(Evidence(whole, lamp, lamp + 14, text[lamp : lamp + 14]), text) is None
    )
    both = with_the_one_before(Evidence(whole, red, len(text), text[red:]), text)
    assert both is not None
    assert both[0].text == "Product: lamp."
