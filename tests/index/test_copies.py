"""Near copies: found in any script, and never where the numbers differ."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.index import copies
from qa_bot.index.build import update_index
from qa_bot.index.copies import near_copies, same_passages, sketch_of
from qa_bot.types import Passage

TEXTS = {
    "en": "The harbour was rebuilt after the great storm, and ships from many countries call "
    "there again. Its two lighthouses are kept by volunteers who live in the old town. ",
    "zh": "大风过后港口得到重建，许多国家的船只再次停靠。两座灯塔由住在老城的志愿者看管，"
    "游客可以登上塔顶远望海湾。市政府计划在明年修复码头，并邀请各地的工匠参加。",
    "ru": "Гавань восстановили после большой бури, и корабли многих стран снова заходят сюда. "
    "За двумя маяками смотрят добровольцы, которые живут в старом городе. ",
    "ar": "أعيد بناء الميناء بعد العاصفة الكبيرة وعادت السفن من بلدان كثيرة ترسو فيه من جديد. "
    "ويحرس المنارتين متطوعون يسكنون في المدينة القديمة. ",
}
OTHER = {
    "en": "The orchestra opened its season with a symphony that nobody had heard for a century. ",
    "zh": "乐团以一部百年来无人演奏的交响曲开始了新的演出季，听众从全国各地赶来欣赏。",
    "ru": "Оркестр открыл сезон симфонией, которую никто не слышал целое столетие подряд. ",
    "ar": "افتتحت الأوركسترا موسمها بسيمفونية لم يسمعها أحد منذ قرن كامل من الزمان. ",
}


def passage(source: str, text: str) -> Passage:
    return Passage(f"{source}-{len(text)}", source, 0, len(text), text, "T", "en", None)


@pytest.mark.parametrize("language", TEXTS)
def test_a_changed_copy_is_found_in_any_script(language: str) -> None:
    text = TEXTS[language]
    middle = len(text) // 2
    typo = text[:middle] + text[middle + 1 :]
    found = same_passages(
        [
            passage("a.txt", text),
            passage("b.txt", OTHER[language]),
            passage("c.txt", typo),
            passage("d.txt", f"«{text.upper()}»"),
        ]
    )
    assert found == [[0, 2, 3], [1]]


def test_other_numbers_make_another_passage() -> None:
    old = TEXTS["en"] + "In 2021 it earned 40 million."
    assert same_passages([passage("a", old), passage("b", old.replace("2021", "2022"))]) == [
        [0],
        [1],
    ]
    chinese = TEXTS["zh"] + "收入为三亿元。"
    assert (
        len(same_passages([passage("a", chinese), passage("b", chinese.replace("三", "四"))])) == 2
    )


def test_a_document_that_repeats_itself_is_left_alone() -> None:
    assert same_passages([passage("a", TEXTS["en"]), passage("a", TEXTS["en"])]) == [[0], [1]]


@given(st.text(max_size=200), st.text(max_size=200))
def test_every_passage_is_in_one_group_whatever_it_holds(one: str, other: str) -> None:
    groups = same_passages([passage("a", one), passage("b", other), passage("c", one)])
    assert sorted(place for group in groups for place in group) == [0, 1, 2]
    if any(char.isalnum() for char in one):
        assert [0, 2] in [[p for p in group if p != 1] for group in groups]


def test_documents_are_compared_whatever_page_is_around_them() -> None:
    body = "\n".join(f"{TEXTS['en']} Item {number}: {TEXTS['ru']}" for number in range(5))
    sketches = {
        "b": sketch_of(f"Daily News\n{body}\nAll about harbours since 1900"),
        "a": sketch_of(body),
        "c": sketch_of(OTHER["en"] * 3),
        "none": sketch_of("…"),
        "none2": sketch_of(""),
    }
    assert near_copies(sketches) == {"b": "a"}


def test_a_footer_that_all_share_makes_no_copies_and_costs_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[int] = []
    whole = copies.resemblance

    def counted(*arguments: Any) -> float:
        calls.append(1)
        return whole(*arguments)

    monkeypatch.setattr(copies, "resemblance", counted)
    words = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(1000)]
    made = {
        f"{n:03}": sketch_of(" ".join(words[n * 5 : n * 5 + 5]) + TEXTS["en"]) for n in range(200)
    }
    made["copy"] = made["100"]
    assert near_copies(made) == {"copy": "100"}
    assert len(calls) < 20


def test_copies_are_indexed_and_named(docs: Path, store: Path, embedder: Any) -> None:
    (docs / "x.txt").write_text(TEXTS["en"], "utf-8")
    (docs / "y.txt").write_text(TEXTS["en"].replace("volunteers", "voluntears"), "utf-8")
    (docs / "z.txt").write_text(TEXTS["en"], "utf-8")
    report = {f.source: (f.status, f.reason) for f in update_index([docs], store, embedder).files}
    assert report["x.txt"] == ("added", None)
    assert report["y.txt"] == ("added", "nearly the same text as x.txt")
    assert report["z.txt"] == ("duplicate", "same bytes as x.txt")
    again = {f.source: (f.status, f.reason) for f in update_index([docs], store, embedder).files}
    assert again["y.txt"] == ("unchanged", "nearly the same text as x.txt")
