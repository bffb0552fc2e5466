"""Answers and documents as pieces: nothing lost, nothing invented, markers and quotes in place."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from qa_bot.records import answer_record
from qa_bot.terminal import Screen
from qa_bot.types import Answer, Citation, Hit, IndexedDocument, Passage, Sentence, Usage
from qa_bot.ui.show import Mark, answer_parts, shown_answer, shown_document, shown_hits

DOCUMENT = IndexedDocument("a.txt", "Title", "2020-11-23", "zh", 3, 900)


def answer(text: str, *sentences: Sentence, markers: int = 2, status: Any = "answered") -> Answer:
    cited = tuple(Citation(n, "a.txt", "Title", 0, 5, "quote", "zh") for n in range(1, markers + 1))
    hit = Hit(1, 0.5, Passage("p", "a.txt", 0, 5, "quote", "Title", "zh", None))
    return Answer("1", "q?", status, "en", text, sentences, cited, (hit,), (hit,), "q?", "m", 1.0,
                  None, Usage())  # fmt: skip


def said(parts: list[dict[str, Any]]) -> str:
    return "".join(piece["text"] for part in parts for piece in part["pieces"])


def test_a_marker_is_a_piece_of_its_own_and_a_doubtful_sentence_is_marked_as_such() -> None:
    first = Sentence("It is big.", (1, 2), "supported")
    second = Sentence("It has 9 floors.", (2,), "unsupported")
    parts = answer_parts(answer("It is big. [1][2] It has 9 floors. [2]", first, second))
    assert parts == [
        {
            "supported": True,
            "pieces": [
                {"text": "It is big. "},
                {"text": "[1]", "marker": 1},
                {"text": "[2]", "marker": 2},
            ],
        },
        {"supported": True, "pieces": [{"text": " "}]},
        {
            "supported": False,
            "pieces": [{"text": "It has 9 floors. "}, {"text": "[2]", "marker": 2}],
        },
    ]


def test_a_number_in_brackets_that_is_no_citation_stays_text() -> None:
    parts = answer_parts(answer("See [7] and [1].", markers=1))
    assert [piece.get("marker") for part in parts for piece in part["pieces"]] == [None, 1, None]
    assert said(parts) == "See [7] and [1]."


def test_a_sentence_that_is_not_found_in_the_answer_passes_its_doubt_on_to_the_rest() -> None:
    parts = answer_parts(answer("Another wording.", Sentence("Wording.!", (), "unsupported")))
    assert parts == [{"supported": False, "pieces": [{"text": "Another wording."}]}]


@given(st.text(), st.lists(st.tuples(st.text(max_size=8), st.booleans()), max_size=4))
def test_the_pieces_together_are_the_answer(text: str, sentences: list[tuple[str, bool]]) -> None:
    made = [Sentence(words, (1,), "supported" if fine else "unsupported")
            for words, fine in sentences]  # fmt: skip
    assert said(answer_parts(answer(text, *made))) == text
    joined = " ".join(f"{item.text} [1]" for item in made)
    assert said(answer_parts(answer(joined, *made))) == joined


def test_hostile_text_is_neither_changed_nor_dropped() -> None:
    text = "<img src=x onerror=alert(1)> & </script> [x](javascript:alert(1)) {{title}}"
    assert said(answer_parts(answer(text, Sentence(text, (), "supported")))) == text


def test_sources_tell_date_language_and_what_was_checked() -> None:
    shown = shown_answer(
        answer("Nine. [1]", Sentence("Nine.", (1,), "unsupported"), markers=1),
        {"a.txt": DOCUMENT},
    )
    [source] = shown["sources"]
    assert (source["date"], source["language"], source["supported"]) == ("2020-11-23", "zh", False)
    assert shown["status"] == "answered"


def test_the_other_documents_that_say_the_same_are_named_everywhere() -> None:
    plain = answer("Nine. [1]", Sentence("Nine.", (1,), "supported"), markers=1)
    copy = Passage("q", "b.txt", 7, 12, "quote", "Title", "zh", None)
    hit = replace(plain.passages[0], copies=(copy,))
    found = replace(plain, passages=(hit,), retrieved=(hit,))
    assert [source["also_in"] for source in shown_answer(found, {})["sources"]] == [["b.txt"]]
    assert [shown["also_in"] for shown in shown_hits([hit])] == [["b.txt"]]
    record = answer_record(found)
    for ranked in (record["passages"], record["retrieved"]):
        assert ranked[0]["copies"] == [{"source": "b.txt", "start": 7, "end": 12}]
    assert "copies" not in answer_record(plain)["passages"][0]
    screen = Screen(io.StringIO(), io.StringIO())
    screen.sources(found)
    screen.hits([hit])
    assert screen.out.getvalue().count("also in b.txt") == 2  # type: ignore[attr-defined]


def test_a_refusal_shows_the_closest_passages() -> None:
    shown = shown_answer(answer("Not there.", markers=0, status="refused"), {})
    assert [(item["marker"], item["quote"]) for item in shown["sources"]] == [(1, "quote")]


def test_a_quote_is_highlighted_at_its_code_points() -> None:
    text = "𝒳 emoji 🎉 before. 中国企业铺设光纤。 After."
    quote = "中国企业铺设光纤。"
    start = text.index(quote)
    shown = shown_document(DOCUMENT, text, [Mark(2, start, start + len(quote), quote)])
    assert [piece for piece in shown["pieces"] if "marks" in piece] == [
        {"text": quote, "marks": [2]}
    ]
    assert (shown["before"], shown["after"], shown["moved"]) == (0, 0, [])


def test_overlapping_quotes_share_what_they_have_in_common() -> None:
    shown = shown_document(DOCUMENT, "abcdef", [Mark(1, 0, 4, "abcd"), Mark(2, 2, 6, "cdef")])
    assert [(piece["text"], piece["marks"]) for piece in shown["pieces"]] == [
        ("ab", [1]), ("cd", [1, 2]), ("ef", [2]),
    ]  # fmt: skip


def test_a_quote_that_no_longer_stands_there_is_said_to_have_moved() -> None:
    shown = shown_document(DOCUMENT, "new text", [Mark(1, 0, 3, "old")])
    assert shown["moved"] == [1]
    assert shown["pieces"] == [{"text": "new text"}]


def test_a_long_document_is_cut_around_its_quotes() -> None:
    text = "x" * 1000 + "quote" + "y" * 1000
    shown = shown_document(DOCUMENT, text, [Mark(1, 1000, 1005, "quote")], around=10)
    assert (shown["before"], shown["after"]) == (990, 990)
    assert "".join(piece["text"] for piece in shown["pieces"]) == "x" * 10 + "quote" + "y" * 10


@given(st.text(max_size=60), st.data(), st.integers(0, 20))
def test_the_pieces_of_a_document_are_its_text(text: str, data: st.DataObject, around: int) -> None:
    edges = st.integers(0, len(text))
    spans = data.draw(st.lists(st.tuples(edges, edges).map(sorted), max_size=4))
    marks = [Mark(n, start, end, text[start:end]) for n, (start, end) in enumerate(spans)]
    shown = shown_document(DOCUMENT, text, marks, around=around)
    joined = "".join(piece["text"] for piece in shown["pieces"])
    assert joined == text[shown["before"] : len(text) - shown["after"]]
    for mark in marks:
        lit = "".join(p["text"] for p in shown["pieces"] if mark.label in p.get("marks", []))
        assert lit == mark.quote
