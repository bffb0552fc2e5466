"""Intervals and tests against published or hand-worked values."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_bot.evals.statistics import (
    Estimate,
    holm,
    mean_difference,
    mean_estimate,
    percentile_difference,
    percentile_estimate,
    rate_difference,
    rate_estimate,
    wilson,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_published_intervals(
    successes: int, n: int, low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I, method 3."""
    assert wilson(successes, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_nothing_has_no_value() -> None:
    nothing = Estimate(None, None, None, 0)
    assert rate_estimate([], []) == mean_estimate([], [], bounded=True) == nothing
    assert percentile_estimate([], 0.5) == nothing


def test_a_rate_of_independent_questions_has_wilsons_interval() -> None:
    found = rate_estimate([1.0] * 81 + [0.0] * 182, range(263))
    assert (found.low, found.high) == wilson(81, 263)
    assert (found.value, found.n) == (81 / 263, 263)


def test_questions_that_agree_by_document_count_as_one() -> None:
    """Ten documents with ten questions each, all alike within one, are worth about ten."""
    values = [float(document < 7) for document in range(10) for _ in range(10)]
    clusters = [document for document in range(10) for _ in range(10)]
    clustered, alone = rate_estimate(values, clusters), rate_estimate(values, range(100))
    low, high = wilson(0.7 * 9, 9)  # 10 clusters' sample variance has 9 degrees of freedom
    assert (clustered.low, clustered.high) == (pytest.approx(low), pytest.approx(high))
    assert alone.low is not None
    assert alone.low > low
    assert clustered.n == 100


def test_a_perfect_score_is_no_certainty() -> None:
    assert mean_estimate([1.0] * 20, range(20), bounded=True).low == pytest.approx(
        1 - 0.1611, abs=1e-4
    )
    assert mean_estimate([3.0] * 5, range(5), bounded=False) == Estimate(3.0, 3.0, 3.0, 5)
    one = mean_estimate([0.5], [0], bounded=True)
    assert one.low is not None
    assert one.low < 0.2


def test_the_interval_of_a_mean_is_near_the_normal_one_for_many_values() -> None:
    values = np.random.default_rng(1).random(400)
    found = mean_estimate(list(values), range(400), bounded=True)
    half = 1.96 * values.std(ddof=1) / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.004)
    assert found.high == pytest.approx(values.mean() + half, abs=0.004)


@pytest.mark.parametrize("clustered", [True, False])
def test_the_interval_holds_the_truth_as_often_as_it_says(clustered: bool) -> None:
    """Twenty documents of five alike questions: only resampling documents covers 95 %."""
    rng, held = np.random.default_rng(7), 0
    for _ in range(150):
        documents = rng.random(20)
        values = [float(v) for v in np.repeat(documents, 5)]
        clusters = np.repeat(np.arange(20), 5).tolist() if clustered else range(100)
        found = mean_estimate(values, clusters, bounded=True, resamples=499)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.5 <= found.high
    share = held / 150
    assert share >= 0.88 if clustered else share < 0.75


def test_a_percentile_has_order_statistics_for_bounds() -> None:
    """The median of 1…20 lies between its 6th and 15th value (95.9 % exactly; Conover)."""
    found = percentile_estimate([float(value) for value in range(20, 0, -1)], 0.5)
    assert found == Estimate(10.5, 6.0, 15.0, 20)
    few = percentile_estimate([1.0, 2.0, 9.0], 0.95)
    assert few.high == 9.0, "three values bound a 95th percentile by their greatest at most"


def test_mcnemar_by_hand() -> None:
    """Eight fixed and one broken: 2 × (1 + 9) / 2⁹."""
    a = [0.0] * 8 + [1.0] + [1.0] * 11
    b = [1.0] * 8 + [0.0] + [1.0] * 11
    found = rate_difference(a, b, range(20))
    assert found.p == pytest.approx(20 / 512)
    assert (found.a, found.b, found.difference) == (0.6, 0.95, pytest.approx(0.35))
    assert 0 < found.low < 0.35 < found.high < 0.7


def test_a_permutation_test_by_hand() -> None:
    """All 2⁶ swaps of six pairs: only the two of one sign are as extreme."""
    a = [0.1, 0.2, 0.3, 0.1, 0.2, 0.3]
    b = [0.5, 0.7, 0.6, 0.4, 0.9, 0.8]
    changes = [y - x for x, y in zip(a, b, strict=True)]
    sums = [
        sum(s * c for s, c in zip(signs, changes, strict=True))
        for signs in product((1, -1), repeat=6)
    ]
    extreme = sum(abs(total) >= sum(changes) - 1e-9 for total in sums) / len(sums)
    assert extreme == 2 / 64
    assert mean_difference(a, b, range(6)).p == pytest.approx(extreme)


def test_pairs_of_one_document_are_swapped_together() -> None:
    a, b = [0.0] * 12, [0.5, 0.6] * 6
    assert mean_difference(a, b, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]).p == pytest.approx(2 / 8)


def test_a_slower_run_is_seen_to_be_slower() -> None:
    times = [1 + value / 50 for value in range(40)]
    found = percentile_difference(times, [3 * time for time in times], 0.5)
    assert found.difference == pytest.approx(2 * float(np.median(times)))
    assert found.low > 0
    assert found.p < 0.01


def test_holm_by_hand() -> None:
    """0.01 × 4, 0.03 × 2 after 0.02 × 3, and never below the one before."""
    assert holm([0.03, 0.01, 0.9, 0.02]) == pytest.approx([0.06, 0.04, 0.9, 0.06])
    assert holm([]) == []


PAIRS = st.lists(
    st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=1, max_size=12
)


@given(PAIRS, st.integers(1, 4))
def test_comparing_the_other_way_round_turns_the_sign(
    pairs: list[tuple[float, float]], documents: int
) -> None:
    a, b = (list(column) for column in zip(*pairs, strict=True))
    clusters = [place % documents for place in range(len(pairs))]
    there, back = rate_difference(a, b, clusters), rate_difference(b, a, clusters)
    assert there.difference == -back.difference
    assert there.p == back.p
    assert (there.a, there.b) == (back.b, back.a)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=12), st.integers(1, 5))
def test_an_interval_holds_its_value(values: list[float], documents: int) -> None:
    clusters = [place % documents for place in range(len(values))]
    for found in (
        rate_estimate(values, clusters),
        mean_estimate(values, clusters, bounded=True, resamples=199),
        percentile_estimate(values, 0.95),
    ):
        assert found.low is not None
        assert found.value is not None
        assert found.high is not None
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert math.isfinite(found.low)
