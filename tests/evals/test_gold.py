"""What hits a gold passage, to the contract's letter."""

from typing import Any

import pytest
from judging import DOCUMENTS, case

from qa_bot.evals.gold import QUOTE_BYTES, Place, first_hit, gold_places, hits, missing_gold

TEXT = {"a.txt": "x" * 1000, "b.txt": "x" * 1000, "zh.txt": "中" * 1000}
GOLD = [Place("a.txt", 100, 140)]


def item(start: int, end: int, source: str = "a.txt") -> dict[str, Any]:
    return {"source": source, "start": start, "end": end}


@pytest.mark.parametrize(
    ("start", "end", "hit"),
    [
        (100, 140, True),
        (0, 120, True),
        (0, 119, False),
        (120, 400, True),
        (121, 400, False),
        (100, 112, True),
        (100, 111, False),
        (128, 152, True),
        (129, 153, False),
        (0, 100, False),
        (140, 200, False),
        (120, 100, False),
        (-10, 140, False),
        (100, 2000, False),
    ],
    ids=[
        "whole", "covers half", "covers less", "covers the later half", "less of it",
        "12 inside", "11 inside", "half of itself inside", "less of itself", "before",
        "after", "backwards", "negative", "past the end",
    ],
)  # fmt: skip
def test_half_of_either_decides(start: int, end: int, hit: bool) -> None:
    assert hits(item(start, end), GOLD, TEXT.get, QUOTE_BYTES) is hit


def test_another_document_never_hits() -> None:
    assert not hits(item(100, 140, "b.txt"), GOLD, TEXT.get, QUOTE_BYTES)
    assert not hits({"source": None}, GOLD, TEXT.get, QUOTE_BYTES)


def test_a_quote_over_the_limit_in_bytes_never_hits() -> None:
    gold = [Place("zh.txt", 0, 40)]
    assert hits(item(0, 400, "zh.txt"), gold, TEXT.get, QUOTE_BYTES)
    assert not hits(item(0, 401, "zh.txt"), gold, TEXT.get, QUOTE_BYTES)


def test_the_rank_is_of_the_first_that_hits() -> None:
    assert first_hit([item(0, 50), item(90, 150), item(100, 140)], GOLD, TEXT.get) == 2
    assert first_hit([item(0, 50)], GOLD, TEXT.get) is None


def test_every_occurrence_of_a_gold_passage_counts() -> None:
    asked = case(gold_docs=["a", "b"], gold_passages=["aa", "b"], passage_docs=["a", "b"])
    assert gold_places(asked, {"a": "aaa b", "b": "aa b"}.get) == (
        Place("a", 0, 2), Place("a", 1, 3), Place("b", 3, 4)
    )  # fmt: skip


def test_gold_that_the_documents_do_not_have_is_told() -> None:
    asked = [
        case(id="q1"),
        case(id="q2", gold_docs=["gone.txt"]),
        case(id="q3", gold_passages=["not in there"]),
    ]
    assert missing_gold(asked, DOCUMENTS.get) == [
        "question q2: no document gone.txt",
        "question q3: gold passage 1 is not in en.txt",
    ]
