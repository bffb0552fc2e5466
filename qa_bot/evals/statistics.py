"""Estimates with 95 % intervals, and paired differences with exact tests.

Questions that share a document are not independent: means are resampled by cluster, and
Wilson's interval counts the questions as the fewer independent ones they are worth.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Values = np.ndarray[Any, np.dtype[np.float64]]

RESAMPLES = 9_999
FEW_RESAMPLES = 999
"""Enough for the many intervals of slices, which only describe."""
_ALPHA = 0.05
_SEED = 20_261_122


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its 95 % interval, and the number of questions it is from."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What changed from a to b over the same questions, with its 95 % interval."""

    a: float
    b: float
    difference: float
    low: float
    high: float
    p: float
    """Two-sided, not corrected for several metrics."""
    n: int


NOTHING = Estimate(None, None, None, 0)


def wilson(successes: float, n: float) -> tuple[float, float]:
    """Wilson's score interval of a rate (Wilson 1927); `n` may be an effective number."""
    from scipy.stats import norm

    z = float(norm.ppf(1 - _ALPHA / 2))
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def rate_estimate(values: Sequence[float], clusters: Sequence[Hashable]) -> Estimate:
    """The mean of scores between 0 and 1, with Wilson's interval.

    For scores that are not 0 or 1 it is too wide, never too narrow.
    """
    if not values:
        return NOTHING
    rate = math.fsum(values) / len(values)
    effective = len(values) / _design_effect(values, clusters)
    return Estimate(rate, *wilson(rate * effective, effective), len(values))


def mean_estimate(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    bounded: bool,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The mean, with the BCa bootstrap interval over clusters (Efron 1987).

    Where resampling shows no spread (all scores equal), Wilson's interval stands in for
    scores between 0 and 1 (`bounded`); otherwise the interval is the value itself.
    """
    if not values:
        return NOTHING
    sums, counts = _by_cluster([values], clusters)
    mean = math.fsum(values) / len(values)
    interval = _bootstrap(sums[0], counts, resamples)
    if interval is None and bounded:
        return rate_estimate(values, clusters)
    return Estimate(mean, *(interval or (mean, mean)), len(values))


def percentile_estimate(values: Sequence[float], share: float) -> Estimate:
    """A percentile, with the exact interval from order statistics (Conover 1999, 3.2).

    Where there are too few values for a bound, it is the least or greatest of them.
    """
    if not values:
        return NOTHING
    import numpy as np
    from scipy.stats import binom

    ranked, n = sorted(values), len(values)
    low = max(0, int(binom.ppf(_ALPHA / 2, n, share)) - 1)
    high = min(n - 1, int(binom.ppf(1 - _ALPHA / 2, n, share)))
    return Estimate(float(np.quantile(ranked, share)), ranked[low], ranked[high], n)


def rate_difference(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[Hashable]
) -> Difference:
    """The change of a rate: bootstrap interval over clusters, exact McNemar test."""
    from scipy.stats import binomtest

    fixed = sum(y > x for x, y in zip(a, b, strict=True))
    broken = sum(y < x for x, y in zip(a, b, strict=True))
    p = float(binomtest(fixed, fixed + broken).pvalue) if fixed + broken else 1.0
    return _mean_difference(a, b, clusters, p)


def mean_difference(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[Hashable]
) -> Difference:
    """The change of a mean: bootstrap interval, permutation test, both over clusters."""
    sums, _ = _by_cluster([a, b], clusters)
    return _mean_difference(a, b, clusters, _permutation_p(sums[0], sums[1], _mean))


def percentile_difference(a: Sequence[float], b: Sequence[float], share: float) -> Difference:
    """The change of a percentile over paired values: bootstrap interval, permutation test.

    Times of questions on one document are taken as independent.
    """
    import numpy as np

    first, second = np.asarray(a, float), np.asarray(b, float)

    def percentile(values: Values, axis: int) -> Values:
        return np.asarray(np.quantile(values, share, axis=axis))

    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(len(first), size=(FEW_RESAMPLES, len(first)))
    changes = percentile(second[drawn], 1) - percentile(first[drawn], 1)
    low, high = np.quantile(changes, (_ALPHA / 2, 1 - _ALPHA / 2))
    before, after = float(percentile(first, 0)), float(percentile(second, 0))
    p = _permutation_p(first, second, percentile)
    return Difference(before, after, after - before, float(low), float(high), p, len(first))


def holm(ps: Sequence[float]) -> list[float]:
    """The p-values corrected for being several (Holm 1979), in the order given."""
    corrected, worst = [0.0] * len(ps), 0.0
    for done, place in enumerate(sorted(range(len(ps)), key=ps.__getitem__)):
        worst = max(worst, min(1.0, (len(ps) - done) * ps[place]))
        corrected[place] = worst
    return corrected


def _mean_difference(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[Hashable], p: float
) -> Difference:
    changes = [y - x for x, y in zip(a, b, strict=True)]
    sums, counts = _by_cluster([changes], clusters)
    before, after = math.fsum(a) / len(a), math.fsum(b) / len(b)
    change = math.fsum(changes) / len(changes)
    low, high = _bootstrap(sums[0], counts, RESAMPLES) or (change, change)
    return Difference(before, after, change, low, high, p, len(a))


def _by_cluster(
    columns: Sequence[Sequence[float]], clusters: Sequence[Hashable]
) -> tuple[list[Values], Values]:
    """Sums of each column by cluster, and the clusters' sizes, in an order of their own.

    Sorted, so that neither the order of the rows nor the clusters' names change a resample.
    """
    import numpy as np

    places: dict[Hashable, list[int]] = {}
    for place, cluster in enumerate(clusters):
        places.setdefault(cluster, []).append(place)
    if len(places) == 1:  # one document says nothing of others: count its questions alone
        places = {place: [place] for place in range(len(clusters))}
    table = sorted(
        (*(math.fsum(column[place] for place in held) for column in columns), len(held))
        for held in places.values()
    )
    *sums, counts = (np.array(column, float) for column in zip(*table, strict=True))
    return sums, counts


def _bootstrap(sums: Values, counts: Values, resamples: int) -> tuple[float, float] | None:
    """The BCa interval of sum over count; None where all clusters agree."""
    import numpy as np
    from scipy.stats import bootstrap

    means = sums / counts
    if len(sums) < 2 or float(means.max() - means.min()) < 1e-12:
        return None

    def ratio(total: Values, count: Values, axis: int) -> Values:
        return np.asarray(total.sum(axis=axis) / count.sum(axis=axis))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a degenerate interval is nan, looked at below
        interval = bootstrap(
            (sums, counts), ratio, paired=True, vectorized=True, n_resamples=resamples,
            method="BCa", rng=_SEED,
        ).confidence_interval  # fmt: skip
    low, high = float(interval.low), float(interval.high)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _permutation_p(a: Values, b: Values, statistic: Callable[[Values, int], Values]) -> float:
    """Two-sided p of swapping a and b pair by pair; exact where there are few pairs."""
    import numpy as np
    from scipy.stats import permutation_test

    if len(a) < 2 or np.array_equal(a, b):
        return 1.0

    def change(x: Values, y: Values, axis: int) -> Values:
        return statistic(y, axis) - statistic(x, axis)

    result = permutation_test(
        (a, b), change, permutation_type="samples", vectorized=True, n_resamples=RESAMPLES,
        batch=1000, rng=_SEED,
    )  # fmt: skip
    return float(result.pvalue)


def _mean(values: Values, axis: int) -> Values:
    import numpy as np

    return np.asarray(values.mean(axis=axis))


def _design_effect(values: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """How many times the variance of independent questions this mean has, at least 1.

    The ratio estimator's variance over clusters (Cochran 1977, 2.11) over the simple one.
    """
    sums, counts = _by_cluster([values], clusters)
    n, groups = len(values), len(counts)
    rate = math.fsum(values) / n
    simple = rate * (1 - rate) / n
    if groups == n or simple <= 0:
        return 1.0
    residuals = sums[0] - rate * counts
    clustered = groups / (groups - 1) * float(residuals @ residuals) / n**2
    return max(1.0, clustered / simple)
