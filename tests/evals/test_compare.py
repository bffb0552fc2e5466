"""Two runs side by side: what they refuse, find, and show."""

import json
from pathlib import Path
from typing import Any

import pytest
from judging import (
    always_refuses,
    answered,
    cites_wrongly,
    failed,
    made_cases,
    right,
    row,
    rows_of,
    run_folder,
    without_retrieval,
)

from qa_bot.errors import UsageError
from qa_bot.evals.compare import compare, comparison_record, render
from qa_bot.text import display_width


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "good", rows_of(right), configuration={"k": 5, "model": "m"})


def test_a_run_is_no_different_from_itself(good: Path) -> None:
    found = compare(good, good)
    assert found.fixed == found.broken == found.errors == ()
    assert found.configuration == {}
    assert {change.p for change in found.metrics.values()} == {1.0}
    assert {(c.difference, c.low, c.high) for c in found.metrics.values()} == {(0.0, 0.0, 0.0)}
    assert "better" not in render(found).replace("better, worse", "")


def test_a_degraded_run_is_found_out(good: Path, tmp_path: Path) -> None:
    bad = run_folder(tmp_path / "bad", rows_of(without_retrieval), configuration={"k": 0})
    found = compare(good, bad)
    assert len(found.broken) == 24
    assert found.fixed == ()
    assert found.configuration == {"k": (5, 0), "model": ("m", None)}
    match = found.metrics["answer_match"]
    assert (match.a, match.b, match.difference, match.n) == (1, 0, -1, 16)
    assert match.p == pytest.approx(2 / 2**16)
    shown = render(found)
    assert "answer_match" in shown
    assert "worse" in shown.split("answer_match")[1].split("\n")[0]


def test_the_other_way_round_is_the_other_sign(good: Path, tmp_path: Path) -> None:
    bad = run_folder(tmp_path / "bad", rows_of(always_refuses))
    there, back = compare(good, bad), compare(bad, good)
    assert [c.id for c in there.broken] == [c.id for c in back.fixed]
    for name, change in there.metrics.items():
        assert change.difference == -back.metrics[name].difference
        assert change.p == pytest.approx(back.metrics[name].p)


def test_only_citations_changed(good: Path, tmp_path: Path) -> None:
    """Right text with wrong citations breaks no answer, but the citation metrics tell."""
    found = compare(good, run_folder(tmp_path / "b", rows_of(cites_wrongly)))
    assert found.broken == ()
    assert found.metrics["citation_precision"].difference == -1
    assert found.metrics["answer_match"].difference == 0


def test_the_json_record_has_the_contracts_fields(good: Path, tmp_path: Path) -> None:
    bad = run_folder(tmp_path / "bad", rows_of(always_refuses), configuration={"k": 5})
    record = json.loads(json.dumps(comparison_record(compare(good, bad)), allow_nan=False))
    assert record["fixed"] == []
    assert record["broken"] == [f"{lang}{n}" for lang in ("en", "fr", "zh", "id") for n in range(4)]
    assert {"a", "b", "difference", "low", "high", "p"} <= set(record["metrics"]["answer_match"])
    assert record["configuration"] == {"model": {"a": "m", "b": None}}


def test_a_failed_question_is_neither_fixed_nor_broken(good: Path, tmp_path: Path) -> None:
    rows = [
        row(asked, failed(asked) if asked.question.id == "en0" else right(asked))
        for asked in made_cases()
    ]
    found = compare(good, run_folder(tmp_path / "b", rows))
    assert (found.errors, found.broken) == (("en0",), ())
    assert found.metrics["answer_match"].n == 15


def test_other_test_sets_are_refused_with_both_hashes(good: Path, tmp_path: Path) -> None:
    other = {"name": "other.jsonl", "sha256": "f" * 64}
    second = run_folder(tmp_path / "b", rows_of(right), test_set=other)
    with pytest.raises(UsageError, match="different test sets") as raised:
        compare(good, second)
    assert "0" * 64 in str(raised.value)
    assert "f" * 64 in str(raised.value)
    assert raised.value.exit_code == 2


def test_other_questions_of_one_set_are_refused(good: Path, tmp_path: Path) -> None:
    second = run_folder(tmp_path / "b", rows_of(right)[:3])
    with pytest.raises(UsageError, match="--split and --limit"):
        compare(good, second)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no run.json"),
        ({"run.json": "{}"}, "no results.jsonl"),
        ({"run.json": "{", "results.jsonl": ""}, "no run that can be read"),
        ({"run.json": "{}", "results.jsonl": '{"question": 1}'}, "no run that can be read"),
        ({"run.json": "[]", "results.jsonl": ""}, "no run that can be read"),
    ],
)
def test_a_folder_that_is_no_run_is_named(
    good: Path, tmp_path: Path, files: dict[str, str], message: str
) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    with pytest.raises(UsageError, match=message):
        compare(good, folder)


def ranking_only(rows: list[dict[str, Any]], *, empty: bool = False) -> list[dict[str, Any]]:
    cases = {asked.question.id: asked for asked in made_cases()}
    kept = ("id", "question", "retrieved", "seconds", "error")
    records = [{name: line[name] for name in kept} for line in rows]
    return [row(cases[r["id"]], r | ({"retrieved": []} if empty else {})) for r in records]


def test_rankings_compare_by_their_passages(tmp_path: Path) -> None:
    rows = rows_of(right)
    first = run_folder(tmp_path / "a", ranking_only(rows), retrieval_only=True)
    second = run_folder(tmp_path / "b", ranking_only(rows, empty=True), retrieval_only=True)
    found = compare(first, second)
    assert len(found.broken) == 16
    assert "answer_match" not in found.metrics
    assert "first gold document at 1, passage at 1 " in render(found)


def test_a_ranking_and_a_full_run_compare_by_what_both_have(good: Path, tmp_path: Path) -> None:
    second = run_folder(tmp_path / "b", ranking_only(rows_of(right)), retrieval_only=True)
    found = compare(good, second)
    assert found.fixed == found.broken == ()
    assert found.metrics["passage_hit@5"].difference == 0


@pytest.mark.parametrize("width", [60, 80, 140])
def test_both_answers_stand_side_by_side_within_the_width(tmp_path: Path, width: int) -> None:
    long = "数字经济规模达到了三十五万亿元人民币，同比增长百分之十五。" * 6
    asked = made_cases()[0]
    first = run_folder(tmp_path / "a", [row(asked, right(asked))])
    second = run_folder(tmp_path / "b", [row(asked, answered(asked, long))])
    shown = render(compare(first, second), width)
    lines = shown.split("\n")
    start = lines.index("Broken: 1")
    columns = lines[start + 3 :]
    assert all(display_width(line) <= width for line in lines[start:])
    assert all(" |" in line for line in columns)
    assert "Lindholm handled 41" in columns[0]
    assert "".join(line.split(" | ")[-1] for line in columns if " | " in line).count("数字") == 6
