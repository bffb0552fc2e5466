"""Rows to figures: what is counted, sliced, and left out."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from judging import FACTS, case, failed, refused, right, row, rows_of, unanswerable

from qa_bot.evals.metrics import METRICS, RATES
from qa_bot.evals.summary import cluster_of, summarise


def test_errors_are_counted_apart() -> None:
    """Nine right answers and a failed one are 9 of 9, not 9 of 10."""
    asked = [case(id=f"q{number}") for number in range(10)]
    rows = [row(one, right(one)) for one in asked[:9]] + [row(asked[9], failed(asked[9]))]
    found = summarise(rows)
    assert found["counts"] == {"total": 10, "answered": 9, "refused": 0, "error": 1}
    assert found["metrics"]["answer_match"]["value"] == 1
    assert found["metrics"]["answer_match"]["n"] == 9
    assert found["attribution"] == {"error": 1, "right": 9}


def test_every_metric_of_the_contract_is_there_and_survives_json() -> None:
    found = summarise(rows_of(right))
    assert set(found["metrics"]) == set(METRICS)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_no_rows_give_no_values() -> None:
    found = summarise([])
    assert found["metrics"]["hit@5"] == {"value": None, "low": None, "high": None, "n": 0}
    assert found["curves"] == {"hit": [], "passage_hit": []}
    assert found["macro"]["hit@5"] is None


def test_the_macro_average_weighs_languages_alike() -> None:
    """Nine right English answers and one refused French one: 0.9 pooled, 0.5 over languages."""
    english = [case(id=f"q{number}") for number in range(9)]
    french = case("fr", "f1")
    rows = [row(one, right(one)) for one in english] + [row(french, refused(french))]
    found = summarise(rows)
    assert found["metrics"]["answer_match"]["value"] == 0.9
    assert found["macro"]["answer_match"] == 0.5
    assert found["slices"]["lang"]["fr"]["answer_match"]["value"] == 0
    assert found["slices"]["lang"]["en"]["answer_match"]["n"] == 9


def test_slices_are_by_field_and_relation() -> None:
    same = case(id="q1", type="mono")
    across = case(id="q2", type="cross", gold_docs=["fr.txt"], gold_passages=[FACTS["fr"]])
    found = summarise([row(same, right(same)), row(across, refused(across))])["slices"]
    assert set(found) == {"lang", "type", "relation"}
    assert set(found["relation"]) == {"same language", "across languages"}
    assert found["type"]["cross"]["over_refusal"]["value"] == 1


def test_a_field_of_many_values_is_no_slice() -> None:
    asked = [case(id=f"q{number}") for number in range(21)]
    rows = [row(one, right(one)) | {"note": f"note {one.question.id}"} for one in asked]
    assert "note" not in summarise(rows)["slices"]
    assert "note" in summarise(rows[:20])["slices"]


def test_the_curve_meets_its_metric_and_never_falls() -> None:
    asked = [case(id=f"q{number}") for number in range(8)]
    rows = []
    for number, one in enumerate(asked):
        gold, other = right(one)["retrieved"][0], {"source": "fr.txt", "start": 0, "end": 9}
        ranking = [other] * number + [gold]
        rows.append(row(one, right(one) | {"retrieved": ranking}))
    found = summarise(rows)
    curve = [point["value"] for point in found["curves"]["passage_hit"]]
    assert curve[:9] == [k / 8 for k in range(1, 9)] + [1.0]
    assert len(curve) == 20
    assert curve[4] == found["metrics"]["passage_hit@5"]["value"]
    assert found["curves"]["hit"][4]["value"] == found["metrics"]["hit@5"]["value"]


def test_questions_share_a_cluster_by_parallel_id_or_gold_documents() -> None:
    def made(name: str, docs: list[str], **more: Any) -> dict[str, Any]:
        return {"id": name, "expected": {"gold_docs": docs}, **more}

    assert cluster_of(made("1", ["a", "b"])) == cluster_of(made("2", ["b", "a"]))
    assert cluster_of(made("1", ["a"])) != cluster_of(made("2", ["a", "b"]))
    assert cluster_of(made("1", ["a"], parallel=7)) == cluster_of(made("2", ["b"], parallel=7))
    assert cluster_of(made("1", [])) != cluster_of(made("2", []))


def test_unanswerable_questions_weigh_in_refusal_only() -> None:
    asked = [unanswerable("u1"), case(id="q1")]
    found = summarise([row(asked[0], refused(asked[0])), row(asked[1], right(asked[1]))])["metrics"]
    assert (found["refusal_rate"]["n"], found["over_refusal"]["n"], found["hit@5"]["n"]) == (
        1,
        1,
        1,
    )


def test_rates_are_the_scores_of_0_or_1() -> None:
    for line in rows_of(right):
        assert all(line["scores"][name] in (0, 1, None) for name in RATES)


ROWS = rows_of(right)


@settings(max_examples=5)
@given(st.permutations(range(len(ROWS))))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    assert summarise([ROWS[place] for place in order]) == summarise(ROWS)


def test_the_cost_of_a_step_is_a_mean_over_all_questions() -> None:
    """A question may take a step twice, or not at all."""
    first, second = rows_of(right)[:2]
    judge = {"name": "judge", "seconds": 1.0}
    rows = [
        {**first, "steps": [judge, judge, {"name": "write", "seconds": 3.0, "chance": 0.9}]},
        {**second, "steps": [judge]},
    ]
    assert summarise(rows)["steps"] == {
        "judge": {"seconds": 1.5, "questions": 2},
        "write": {"seconds": 1.5, "questions": 1},
    }
    assert summarise([first])["steps"] == {}
