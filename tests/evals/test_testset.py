"""A row of a test set becomes a case, whichever file it came from."""

import pytest
from judging import DOCUMENTS, case

from qa_bot.errors import UsageError
from qa_bot.evals.testset import read_cases
from qa_bot.types import Question

JSONL = {
    "lang": "fr",
    "answerable": True,
    "answers": ["130", "cent trente"],
    "answer_groups": [["a", "b"], ["c"]],
    "gold_docs": ["fr.txt"],
    "gold_passages": ["en 2019"],
    "passage_docs": ["fr.txt"],
    "type": "cross",
}
CSV = {
    "lang": "fr",
    "answerable": "true",
    "answers": "130|cent trente",
    "answer_groups": '[["a", "b"], ["c"]]',
    "gold_docs": "fr.txt",
    "gold_passages": "en 2019",
    "passage_docs": "fr.txt",
    "type": "cross",
}


@pytest.mark.parametrize("fields", [JSONL, CSV], ids=["jsonl", "csv"])
def test_both_kinds_of_file_give_the_same_case(fields: dict[str, object]) -> None:
    (read,) = read_cases([Question("q1", "Combien ?", fields=fields)])
    assert read.answers == ("130", "cent trente")
    assert read.answer_groups == (("a", "b"), ("c",))
    assert read.gold_docs == read.passage_docs == ("fr.txt",)
    assert read.gold_passages == ("en 2019",)
    assert read.answerable
    assert read.slices == {"lang": "fr", "type": "cross"}


def test_a_bare_question_is_answerable_and_of_its_own_language() -> None:
    (read,) = read_cases([Question("1", "参加了多少家企业？")])
    assert (read.lang, read.answerable, read.answers) == ("zh", True, ())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("answerable", "perhaps"),
        ("answers", {"a": 1}),
        ("answers", [""]),
        ("answers", [["130"]]),
        ("answer_groups", ["a", "b"]),
        ("answer_groups", "[[not json"),
        ("answer_groups", [[]]),
        ("gold_docs", 7),
        ("gold_passages", [None]),
        ("passage_docs", ["fr.txt", "en.txt"]),
        ("lang", 3),
    ],
)
def test_a_bad_gold_field_is_named_with_its_row_and_cure(field: str, value: object) -> None:
    with pytest.raises(UsageError, match=rf"question q9: {field} is .+; give ") as raised:
        read_cases([Question("q9", "?", fields=JSONL | {field: value})])
    assert raised.value.exit_code == 2


def test_gold_passages_need_documents() -> None:
    with pytest.raises(UsageError, match="question q9: gold_docs is None; give the documents"):
        read_cases([Question("q9", "?", fields={"gold_passages": ["in 2019"]})])


def test_slices_are_the_scalar_fields_with_few_values() -> None:
    """A field with 21 values is none, nor is one that the answer record uses."""
    rows = [
        Question(
            str(number),
            "Who?",
            fields={
                "lang": "en",
                "part": number % 2,
                "hard": number > 5,
                "note": f"note {number}",
                "model": "mine",
                "tags": ["a"],
                "doc": None,
            },
        )
        for number in range(21)
    ]
    assert read_cases(rows)[6].slices == {"lang": "en", "part": "0", "hard": "true"}


@pytest.mark.parametrize(
    ("docs", "relation"),
    [
        (["fr.txt"], "same language"),
        (["zh.txt", "id.txt"], "across languages"),
        (["fr.txt", "zh.txt"], "mixed"),
        (["gone.txt"], None),
        ([], None),
    ],
)
def test_relation_is_of_the_questions_language_to_the_documents(
    docs: list[str], relation: str | None
) -> None:
    read = case("fr", gold_docs=docs, gold_passages=[])
    assert read.slices.get("relation") == relation


def test_a_test_sets_own_relation_is_kept() -> None:
    fields = JSONL | {"relation": "translated"}
    assert read_cases([Question("1", "?", fields=fields)], DOCUMENTS.get)[0].slices["relation"] == (
        "translated"
    )
