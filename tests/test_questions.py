"""Files of questions as people and their spreadsheets write them."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.errors import UsageError
from qa_bot.questions import as_questions, read_questions
from qa_bot.types import Question


def read(tmp_path: Path, name: str, content: str | bytes) -> list[Question]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_questions(path)


def asked(questions: list[Question]) -> list[tuple[str, str]]:
    assert not any(question.problem for question in questions)
    return [(question.id, question.question) for question in questions]


TWO = [("a", "What, when; where?"), ("b", 'He said "why"\nand how')]


@pytest.mark.parametrize(
    "content",
    [
        'id,question\na,"What, when; where?"\nb,"He said ""why""\nand how"\n',
        '\ufeffid;question\r\na;"What, when; where?"\r\nb;"He said ""why""\r\nand how"\r\n',
        'ID\tQuestion\tnotes\na\tWhat, when; where?\tx\nb\t"He said ""why""\nand how"\t\n',
        'sep=;\r\nid;question\r\na;"What, when; where?"\r\nb;"He said ""why""\nand how"',
        'question|id\nWhat, when; where?|a\n"He said ""why""\nand how"|b\n',
        'id, question\na, "What, when; where?"\nb, "He said ""why""\nand how"\n',
        'id,question\na,"What, when; where?"\nb,"He said \\"why\\"\nand how"\n',
        "'id','question'\n'a','What, when; where?'\n'b','He said \"why\"\nand how'\n",
        '\n;;\nid;question;\na;"What, when; where?";\nb;"He said ""why""\nand how";\n;;\n;;\n',
    ],
    ids=["plain", "Excel", "tabs", "sep=", "bars", "blanks", "backslashes", "single", "empty rows"],
)
def test_a_csv_of_any_dialect_gives_the_same_questions(tmp_path: Path, content: str) -> None:
    assert asked(read(tmp_path, "q.csv", content)) == TWO


@pytest.mark.parametrize(
    ("encoding", "question"),
    [
        ("cp1252", "Où est l'hôtel à Genève ?"),
        ("gb18030", "谁参加了乌镇峰会？有多少企业参加了展览？"),
        ("utf-16", "Où est l'hôtel ?"),
        ("utf-8-sig", "Où est l'hôtel ?"),
    ],
)
def test_a_spreadsheet_may_save_in_its_own_encoding(
    tmp_path: Path, encoding: str, question: str
) -> None:
    content = f"id;question\r\nx;{question}\r\n".encode(encoding)
    assert asked(read(tmp_path, "q.csv", content)) == [("x", question)]


def test_a_csv_of_questions_alone_needs_no_quotes(tmp_path: Path) -> None:
    content = "question\nWhat, where; why?\nWho | when?\n"
    assert asked(read(tmp_path, "q.csv", content)) == [
        ("1", "What, where; why?"),
        ("2", "Who | when?"),
    ]


# A backslash before a quote may be the file's own or the text's: nothing tells.
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0\\"), min_size=1)))
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    file = io.StringIO()
    csv.writer(file).writerows([("id", "question"), *((f"n{i}", t) for i, t in enumerate(texts))])
    found = read(tmp_path_factory.mktemp("csv"), "q.csv", file.getvalue().encode())
    assert [question.question for question in found] == [text.strip() for text in texts]


def test_cells_become_the_values_of_the_contract(tmp_path: Path) -> None:
    content = (
        "id,question,answers,answerable,answer_groups,history,conversation,Region\n"
        'x,Why?,36.2 | 36,FALSE,"[[""a""],[""b""]]","[[""q"",""a""]]",c1,West\n'
        "y,How?,,,,,,\n"
    )
    full, bare = read(tmp_path, "q.csv", content)
    assert full.history == (("q", "a"),)
    assert full.fields == {
        "answers": ["36.2", "36"],
        "answerable": False,
        "answer_groups": [["a"], ["b"]],
        "conversation": "c1",
        "Region": "West",
    }
    assert (bare.history, bare.fields) == ((), {})


def test_json_lines_keep_their_fields(tmp_path: Path) -> None:
    content = '{"id": 7, "question": " Why? ", "history": [["q", "a"]], "extra": {"x": 1}}\n'
    (question,) = read(tmp_path, "q.jsonl", content)
    assert question == Question("7", "Why?", (("q", "a"),), {"extra": {"x": 1}})


def test_text_is_a_question_a_line_and_an_id_is_its_place(tmp_path: Path) -> None:
    content = "\ufeffFirst?\r\n\r\n  Third,\u2028still?  \r\n"
    assert asked(read(tmp_path, "q.txt", content)) == [("1", "First?"), ("3", "Third,\u2028still?")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"id": "a", "question": "Why?"}\n', [("a", "Why?")]),
        ("Why?\nHow?\n", [("1", "Why?"), ("2", "How?")]),
        ("", []),
    ],
)
def test_standard_input_is_json_lines_or_plain_ones(
    monkeypatch: pytest.MonkeyPatch, content: str, expected: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert asked(read_questions("-")) == expected


@pytest.mark.parametrize("name", ["q.csv", "q.jsonl", "q.txt"])
@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_a_file_without_rows_gives_no_questions(tmp_path: Path, name: str, content: str) -> None:
    assert read(tmp_path, name, content) == []


@pytest.mark.parametrize(
    ("name", "row", "named"),
    [
        ("q.csv", "x,", "no `question`"),
        ("q.csv", 'x,"  "', "no `question`"),
        ("q.csv", "x,Why,[],then?", "4 cells"),
        ("q.jsonl", '{"id": "x"}', "no `question`"),
        ("q.jsonl", '{"id": "x", "question": "  "}', "empty"),
        ("q.jsonl", '{"id": "x", "question": 5}', "'5'"),
        ("q.jsonl", '{"question": "torn', "no JSON"),
        ("q.jsonl", '["Why?"]', "no JSON object"),
        ("q.jsonl", "[" * 5000, "no JSON"),
        ("q.jsonl", '{"id": "x", "question": "Why?", "history": [["q"]]}', "`history`"),
        ("q.jsonl", '{"id": "x", "question": "half \\ud800"}', "surrogate"),
        ("q.csv", 'x,Why?,"[[""q"""', "`history`"),
    ],
)
def test_a_bad_row_is_an_error_of_its_own(tmp_path: Path, name: str, row: str, named: str) -> None:
    good = ("a,Good?", "z,Good?") if name == "q.csv" else ('{"question": "Good?"}',) * 2
    head = ["id,question,history"] if name == "q.csv" else []
    found = read(tmp_path, name, "\n".join([*head, good[0], row, good[1]]))
    assert [bool(question.problem) for question in found] == [False, True, False]
    assert found[1].problem is not None
    assert found[1].problem.startswith("row 2: ")
    assert named in found[1].problem


def test_a_quote_that_is_never_closed_is_noticed(tmp_path: Path) -> None:
    first, second = read(tmp_path, "q.csv", 'id,question\na,Good?\nb,"Open?\nc,Lost?\n')
    assert first.problem is None
    assert second.problem is not None
    assert "never closed" in second.problem


def test_ids_differ_even_where_the_file_repeats_them(tmp_path: Path) -> None:
    found = read(tmp_path, "q.csv", "id,question\na,One?\na,Two?\na (2),Three?\na,Four?\n,Five?\n")
    assert [question.id for question in found] == ["a", "a (3)", "a (2)", "a (4)", "5"]
    assert [question.problem is None for question in found] == [True, False, True, False, True]


def test_a_hundred_thousand_rows_are_read(tmp_path: Path) -> None:
    rows = [json.dumps({"question": f"What is {n}?"}) for n in range(100_000)]
    found = read(tmp_path, "q.jsonl", "\n".join(rows))
    assert len(found) == 100_000
    assert found[-1] == Question("100000", "What is 99999?")


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("q.csv", b"id,text\n1,Why?\n", "'id', 'text'"),
        ("q.csv", bytes(range(128, 256)) * 9, "UTF-8"),
        ("q.xlsx", b"PK", ".csv"),
        ("absent.csv", None, "absent.csv"),
    ],
    ids=["no column", "no text", "another kind", "missing"],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, name: str, content: bytes | None, named: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=named):
        read_questions(path)


def test_programs_give_texts_or_rows() -> None:
    found = as_questions(["Why?", {"id": "x", "question": "How?", "conversation": "c"}, ""])
    assert [question.id for question in found] == ["1", "x", "3"]
    assert found[1].fields == {"conversation": "c"}
    assert found[2].problem is not None
