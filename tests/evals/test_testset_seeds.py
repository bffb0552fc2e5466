"""The development test set: form, balance, gold against the documents, and its freeze."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from qa_bot.numbers import find_numbers, stated_values

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
TEXT = (ROOT / "tests" / "testsets" / "seeds.jsonl").read_text(encoding="utf-8")
ROWS: list[dict[str, Any]] = [json.loads(line) for line in TEXT.splitlines()]
GIVEN = [row for row in ROWS if row["part"] == "given"]
OWN = [row for row in ROWS if row["part"] == "own"]
ANSWERABLE = [row for row in OWN if row["answerable"]]
UNANSWERABLE = [row for row in OWN if not row["answerable"]]
DOCUMENTS = {path.name: path.read_text(encoding="utf-8") for path in SEEDS.glob("*.txt")}
DOCUMENT_LANGUAGES = {
    "000_dcde01c7503270f1.txt": "fr",
    "001_1e351399029ddc50.txt": "fr",
    "002_12db372c6ed7d9f8.txt": "zh",
    "003_0b16ddb612b41fb5.txt": "en",
    "004_338de05fc4110068.txt": "id",
}
LANGUAGES = ["en", "fr", "id", "zh"]

# Frozen: runs are compared by these questions. Add a new file; never change this one.
FROZEN = "5f5dd25b33153e16e2fae4aea31a5f791ea6b3c8838460acfe08c58a67729d89"
GIVEN_FROZEN = "f64e81d2f0e99a028456684c288eb2db700ae3bd08c75c7106e2e9b19103bdeb"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def groups(row: dict[str, Any]) -> list[list[str]]:
    """What an answer must have: one string of each group."""
    return row.get("answer_groups") or [row["answers"]]


def holds(text: str, row: dict[str, Any]) -> bool:
    folded = text.casefold()
    return all(any(form.casefold() in folded for form in group) for group in groups(row))


def source_languages(row: dict[str, Any]) -> set[str]:
    return {DOCUMENT_LANGUAGES[name] for name in row["gold_docs"]}


def evenly(rows: list[dict[str, Any]]) -> bool:
    counts = [Counter(row["lang"] for row in rows)[language] for language in LANGUAGES]
    return sum(counts) == len(rows) and max(counts) - min(counts) <= 2


def by_id(rows: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row["id"] for row in rows])


def test_the_file_is_frozen() -> None:
    assert sha256(TEXT) == FROZEN


def test_the_given_questions_stand_as_they_were_given() -> None:
    """But for `part`, the 50 lines are those of the file they came from, byte for byte."""
    lines = [{key: value for key, value in row.items() if key != "part"} for row in GIVEN]
    written = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    assert len(GIVEN) == 50
    assert sha256(written) == GIVEN_FROZEN


def test_ids_and_questions_are_unique() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    asked = [json.dumps([row["question"], row.get("history")]) for row in ROWS]
    assert len(set(asked)) == len(asked)
    assert {row["part"] for row in ROWS} == {"given", "own"}


def test_there_are_enough_questions_evenly_over_the_languages() -> None:
    assert len(OWN) >= 130
    assert evenly(OWN)
    assert evenly(ANSWERABLE)


def test_half_of_all_questions_have_no_article_in_their_own_language() -> None:
    cross = [row for row in ANSWERABLE if row["lang"] not in source_languages(row)]
    assert len(cross) * 2 >= len(OWN)


def test_questions_over_several_articles() -> None:
    multi = [row for row in OWN if row["type"] == "multi"]
    assert len(multi) >= 15
    assert evenly(multi)
    for row in multi:
        assert len(row["gold_docs"]) >= 2
        assert len(row["answer_groups"]) >= 2
    assert all(len(row["gold_docs"]) == 1 for row in ANSWERABLE if row["type"] != "multi")


def test_unanswerable_questions() -> None:
    assert len(UNANSWERABLE) >= 30
    assert evenly(UNANSWERABLE)
    kinds = Counter(row["kind"] for row in UNANSWERABLE)
    assert set(kinds) == {"absent", "false_premise", "near_miss", "off_topic"}
    for kind in kinds:
        of_kind = [row for row in UNANSWERABLE if row["kind"] == kind]
        assert len(of_kind) >= 8
        assert evenly(of_kind)
    for row in UNANSWERABLE:
        assert row["type"] == "unanswerable"
        assert not any(row[key] for key in ("answers", "gold_docs", "gold_passages"))
        assert "answer_groups" not in row


def test_questions_in_a_conversation() -> None:
    """Some lean on it, some stand alone after it, and some have no answer."""
    after_history = [row for row in OWN if "history" in row]
    follow_ups = [row for row in OWN if row["type"] == "follow_up"]
    assert len(follow_ups) >= 12
    assert evenly(follow_ups)
    assert all(row in after_history for row in follow_ups)
    rest = Counter(row["answerable"] for row in after_history if row["type"] != "follow_up")
    assert rest[True] >= 4
    assert rest[False] >= 4
    for row in after_history:
        assert row["history"]
        assert all(question and answer for question, answer in row["history"])


def test_every_article_is_asked_about_from_beginning_to_end() -> None:
    for name, text in DOCUMENTS.items():
        places = [
            text.index(passage) / len(text)
            for row in ANSWERABLE
            for passage, source in zip(row["gold_passages"], row["passage_docs"], strict=True)
            if source == name
        ]
        assert len(places) >= 12, name
        assert min(places) < 0.2, name
        assert max(places) > 0.75, name


@by_id(OWN)
def test_form(row: dict[str, Any]) -> None:
    assert row["lang"] in LANGUAGES
    assert row["question"] == row["question"].strip() != ""
    assert row["type"] in {"same", "cross", "multi", "list", "follow_up", "unanswerable"}
    assert "split" not in row
    assert ("kind" in row) == (not row["answerable"])
    assert row["answerable"] == (row["type"] != "unanswerable")


@by_id(ANSWERABLE)
def test_languages_and_type_agree_with_the_gold_articles(row: dict[str, Any]) -> None:
    languages = source_languages(row)
    assert row["doc_lang"] == (languages.pop() if len(languages) == 1 else "mixed")
    if row["type"] in ("same", "cross"):
        assert (row["type"] == "same") == (row["doc_lang"] == row["lang"])


@by_id([row for row in ROWS if row["answerable"]])
def test_gold_passages_stand_verbatim_in_their_article(row: dict[str, Any]) -> None:
    assert row["gold_passages"]
    assert set(row["passage_docs"]) == set(row["gold_docs"]) <= set(DOCUMENTS)
    for passage, name in zip(row["gold_passages"], row["passage_docs"], strict=True):
        assert passage in DOCUMENTS[name]


@by_id(ANSWERABLE)
def test_a_gold_passage_is_one_place_and_fits_a_quote(row: dict[str, Any]) -> None:
    for passage, name in zip(row["gold_passages"], row["passage_docs"], strict=True):
        assert DOCUMENTS[name].count(passage) == 1
        assert len(passage) >= 12
        assert len(passage.encode()) <= 600


@by_id(ANSWERABLE)
def test_answers_are_short_and_the_question_does_not_give_them_away(row: dict[str, Any]) -> None:
    assert bool(row["answers"]) != bool(row.get("answer_groups"))
    for group in groups(row):
        assert group
        assert len(set(group)) == len(group)
        assert all(form == form.strip() != "" and len(form) <= 40 for form in group)
    assert not holds(row["question"], row)


@by_id(ANSWERABLE)
def test_an_answer_written_with_a_number_has_its_value_in_a_gold_passage(
    row: dict[str, Any],
) -> None:
    """Of figures. The first form is the principal one; others may be digits for a word."""
    stated = set().union(*map(stated_values, row["gold_passages"]))
    for group in groups(row):
        values = {value for number in find_numbers(group[0]) for value in number.values}
        assert not values or values & stated, group[0]


@by_id([row for row in ANSWERABLE if {row["lang"]} == source_languages(row)])
def test_an_answer_in_the_language_of_the_article_stands_in_a_gold_passage(
    row: dict[str, Any],
) -> None:
    assert holds("\n".join(row["gold_passages"]), row)


@by_id([row for row in ANSWERABLE if row["type"] == "multi"])
def test_every_gold_passage_of_a_multi_question_is_needed(row: dict[str, Any]) -> None:
    """Each article adds something: no single passage has the numbers of all groups."""
    numbers = [stated_values(group[0]) for group in groups(row)]
    for passage in row["gold_passages"] if all(numbers) else []:
        assert not all(values & stated_values(passage) for values in numbers)
