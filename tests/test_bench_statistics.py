"""The median's interval against exact binomial tables, and against the truth on synthetic data."""

import random
import statistics as standard_library
from fractions import Fraction

import pytest

from labkit.bench.statistics import CONFIDENCE, coverage, least_n, median, rank_for, summarise


@pytest.mark.parametrize(
    ("values", "wanted"),
    [([3], 3), ([4, 1], 2.5), ([9, 1, 5], 5), ([1, 2, 3, 10], 2.5), ([2, 2, 2, 2, 7], 2)],
    ids=["one", "two", "odd", "even", "ties"],
)
def test_the_median(values, wanted):
    assert median(values) == wanted == standard_library.median(values)


def test_no_values_have_no_median():
    with pytest.raises(ValueError, match="no values"):
        median([])


# n, lower rank, upper rank, confidence: printed by stats.QuantileCI(n, 0.5, 0.95) of github.com/aclements/go-moremath
# v0.0.0-20210112150236-f10218a38794, which is what benchstat uses; up to n = 30 it is exact too.
GO_MOREMATH = (
    (6, 1, 6, 0.96875), (7, 1, 7, 0.984375), (8, 1, 7, 0.9609375), (9, 2, 8, 0.9609375), (10, 2, 9, 0.978515625),
    (11, 2, 9, 0.96142578125), (12, 3, 10, 0.96142578125), (13, 3, 11, 0.9775390625), (14, 3, 11, 0.96484375),
    (15, 4, 12, 0.96484375), (16, 4, 12, 0.950958251953125), (17, 5, 13, 0.950958251953125),
    (18, 5, 14, 0.9691162109375), (19, 5, 14, 0.9586105346679688), (20, 6, 15, 0.9586105346679688),
    (21, 6, 16, 0.9733963012695312), (22, 6, 16, 0.9653103351593018), (23, 7, 17, 0.9653103351593018),
    (24, 8, 18, 0.9567147493362426), (25, 8, 18, 0.9567147493362426), (26, 8, 19, 0.9710407257080078),
    (27, 8, 19, 0.9643018618226051), (28, 9, 20, 0.9643018618226051), (29, 9, 20, 0.9572260547429323),
    (30, 10, 21, 0.9572260547429323),
)  # fmt: skip


@pytest.mark.parametrize(("n", "low", "high", "confidence"), GO_MOREMATH, ids=[str(row[0]) for row in GO_MOREMATH])
def test_ranks_and_coverage_agree_with_benchstat(n, low, high, confidence):
    rank = rank_for(n)
    if low + high == n + 1:
        assert rank == low
        assert float(coverage(n, rank)) == pytest.approx(confidence, rel=1e-12)
    else:  # benchstat's interval has a rank more on one side; ours is symmetric and holds it
        assert rank <= low
        assert n + 1 - rank >= high
        assert coverage(n, rank) > confidence


# Percent, worked out by hand from binomial coefficients: n = 8 leaves out 2/256, n = 11 has 2 (1 + 11)/2048.
@pytest.mark.parametrize(("n", "rank", "percent"), [(5, 1, 93.75), (8, 1, 99.21875), (11, 2, 98.828125), (1, 1, 0)])
def test_coverage_by_hand(n, rank, percent):
    assert coverage(n, rank) * 100 == percent


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_below_six_there_is_no_interval(n):
    interval = summarise([float(value) for value in range(n)])
    assert (interval.low, interval.high, interval.confidence, interval.n) == (None, None, None, n)
    assert least_n() == 6


@pytest.mark.parametrize("n", range(6, 61))
def test_the_interval_is_the_smallest_symmetric_one(n):
    rank = rank_for(n)
    assert coverage(n, rank) >= CONFIDENCE
    if 2 * (rank + 1) <= n + 1:
        assert coverage(n, rank + 1) < CONFIDENCE


def test_another_confidence():
    assert rank_for(5, Fraction(90, 100)) == 1
    assert rank_for(7, Fraction(99, 100)) is None
    assert least_n(Fraction(99, 100)) == 8


def test_the_bounds_are_order_statistics_of_unsorted_values():
    interval = summarise([70.0, 10.0, 90.0, 30.0, 50.0, 80.0, 20.0, 60.0, 40.0])
    assert (interval.median, interval.low, interval.high) == (50, 20, 80)
    assert interval.confidence == pytest.approx(0.9609, abs=5e-5)


@pytest.mark.parametrize(
    ("draw", "true_median"),
    [
        (lambda source: source.gauss(100, 5), 100),
        (lambda source: source.lognormvariate(0, 1), 1),
        (lambda source: source.expovariate(1), 0.6931471805599453),
    ],
    ids=["normal", "lognormal", "exponential"],
)
@pytest.mark.parametrize("n", [6, 20])
def test_synthetic_draws_are_covered_as_often_as_is_told(draw, true_median, n):
    """Synthetic data with a known median: the share of intervals that hold it is the coverage that they tell.

    2,000 draws have a standard error of 0.4 percentage points; the seed is fixed, the bound is 4 of them.
    """
    source = random.Random(20240229)
    draws = 2000
    intervals = [summarise([draw(source) for _ in range(n)]) for _ in range(draws)]
    held = sum(interval.low <= true_median <= interval.high for interval in intervals) / draws
    told = intervals[0].confidence
    assert held == pytest.approx(told, abs=4 * (told * (1 - told) / draws) ** 0.5)


def test_pooling_slices_would_promise_too_much():
    """Synthetic processes that differ by more than their slices do: one value each covers, pooled slices do not."""
    source = random.Random(7)
    covered = {"processes": 0, "pooled": 0}
    draws = 300
    for _ in range(draws):
        processes = [
            [source.gauss(centre, 1) for _ in range(10)] for centre in (source.gauss(100, 5) for _ in range(10))
        ]
        for name, interval in (
            ("processes", summarise([median(slices) for slices in processes])),
            ("pooled", summarise([value for slices in processes for value in slices])),
        ):
            covered[name] += interval.low <= 100 <= interval.high
    assert covered["processes"] / draws > 0.95
    assert covered["pooled"] / draws < 0.65
