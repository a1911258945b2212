"""The signed-rank test, its interval and its looks, against tables, by brute force, and on data with a known effect."""

import itertools
import math
import random

import pytest

from labkit.bench.paired import judging, signed_rank
from labkit.bench.paired.sequential import schedule, statistic

# n and shift of `drawn`, and scipy 1.17.1's wilcoxon(values, method="exact").pvalue of those values.
# fmt: off
SCIPY = (
    (1, 0.0, 1.0), (1, 0.6, 1.0), (2, 0.0, 0.5), (2, 0.6, 0.5), (3, 0.0, 1.0), (3, 0.6, 0.25), (5, 0.0, 0.0625), (5,
    0.6, 0.125), (6, 0.0, 0.6875), (6, 0.6, 0.0625), (8, 0.0, 0.0546875), (8, 0.6, 0.1484375), (10, 0.0,
    0.76953125), (10, 0.6, 0.431640625), (12, 0.0, 1.0), (12, 0.6, 0.01611328125), (15, 0.0, 0.638671875), (15, 0.6,
    0.01806640625), (18, 0.0, 0.522613525390625), (18, 0.6, 0.00104522705078125), (20, 0.0, 0.9854354858398438),
    (20, 0.6, 0.2773551940917969), (24, 0.0, 0.7257407903671265), (24, 0.6, 0.03948163986206055), (25, 0.0,
    0.8119303584098816), (25, 0.6, 0.312333345413208),
)
# fmt: on


def drawn(n, shift):
    coin = random.Random(f"{n} {shift}")
    return [coin.gauss(shift, 1) for _ in range(n)]


@pytest.mark.parametrize(("n", "shift", "wanted"), SCIPY)
def test_the_exact_p_value_is_scipys(n, shift, wanted):
    assert signed_rank.p_value(drawn(n, shift)) == pytest.approx(wanted, rel=1e-12)


def by_flipping(values):
    """All 2^n signs, with zeros ranked and dropped: what the p-value means, without any counting trick."""
    sizes = [abs(value) for value in values]
    ranks = [(sum(s < size for s in sizes) * 2 + sum(s == size for s in sizes) + 1) / 2 for size in sizes]
    kept = [rank for rank, size in zip(ranks, sizes, strict=True) if size]
    middle = sum(kept) / 2
    far = abs(sum(rank for rank, value in zip(ranks, values, strict=True) if value > 0) - middle)
    signs = list(itertools.product([0, 1], repeat=len(kept)))
    sums = [sum(rank for rank, up in zip(kept, which, strict=True) if up) for which in signs]
    return sum(abs(total - middle) >= far - 1e-9 for total in sums) / len(signs)


@pytest.mark.parametrize(
    "values",
    [
        (-1, -3, 3, -4, 2, 2, -4, 3),
        (1, -1, 2, 2, 3),
        (0, 0, 1, 2, -3, 4),
        (5, 5, 5, 5, 5, 5, 5),
        (0, -2, -2, -2, 1, 7, 7),
        (0, 0, 0, 1),
        (-1, 3, -4, 2, 2, -4),
    ],
    ids=lambda values: " ".join(map(str, values)),
)
def test_ties_and_zeros_are_counted_exactly(values):
    assert signed_rank.p_value(values) == pytest.approx(by_flipping(values), rel=1e-12)


@pytest.mark.parametrize(("values", "wanted"), [((), 1), ((0, 0, 0), 1), ((3,), 1), ((1, 2), 0.5), ((-1, 1), 1)])
def test_few_or_no_differences_prove_nothing(values, wanted):
    assert signed_rank.p_value(values) == wanted


def test_the_interval_is_what_the_test_does_not_refuse():
    values = [random.Random(3).gauss(0.3, 1) for _ in range(1)] + [0.9, -0.41, 1.7, 0.22, 0.55, -0.18, 1.11, 0.07, 0.83]
    found = signed_rank.shift(values, 0.05)
    assert found.coverage == pytest.approx(1 - 2 * 25 / 1024)  # n = 10: W <= 8 has 25 of 1024 ways
    for bound, outwards in ((found.low, -1), (found.high, 1)):
        assert signed_rank.p_value([value - bound - outwards * 1e-6 for value in values]) <= 0.05
        assert signed_rank.p_value([value - bound + outwards * 1e-6 for value in values]) > 0.05


# n and the critical value of W for two-sided 5 %: Hollander and Wolfe's table A.4, also scipy's.
@pytest.mark.parametrize(("n", "below"), [(5, None), (6, 0), (7, 2), (8, 3), (10, 8), (15, 25), (20, 52), (25, 89)])
def test_ranks_of_the_bounds_are_the_tables(n, below):
    assert signed_rank.rank_for(n, 0.05) == (None if below is None else below + 1)


def test_the_estimate_and_bounds_by_hand():
    found = signed_rank.shift([1.0, 2.0, 4.0], 0.25)  # Walsh averages 1 1.5 2 2.5 3 4; one of 8 ways on each side
    assert (found.estimate, found.low, found.high, found.coverage) == (2.25, 1.0, 4.0, 0.75)
    with pytest.raises(ValueError, match="no values"):
        signed_rank.shift([], 0.05)


def test_a_shift_as_large_as_could_have_been_seen_is_seen():
    draw = random.Random(11)
    seen = total = 0
    for _ in range(60):
        values = [draw.gauss(0, 0.02) for _ in range(20)]
        size = signed_rank.detectable(values, 0.05, judging.THRESHOLD)
        assert size >= judging.THRESHOLD
        for _ in range(10):
            again = [draw.gauss(size, 0.02) for _ in range(20)]
            estimate = signed_rank.shift(again, 0.05).estimate
            seen += signed_rank.p_value(again) <= 0.05 and estimate >= judging.THRESHOLD
            total += 1
    assert 0.70 <= seen / total <= 0.90
    assert math.isinf(signed_rank.detectable([0.1, 0.2], 0.05, judging.THRESHOLD))


def test_holm_by_hand():
    assert judging.holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.5])
    assert judging.holm([]) == []


# the looks


def test_the_levels_of_the_looks_hold_together():
    plan = schedule()
    levels = [plan.level(look, judging.ALPHA) for look in range(len(plan.looks))]
    assert levels == sorted(levels)
    assert max(levels) < judging.ALPHA < sum(levels)
    assert list(plan.probability) == sorted(plan.probability)
    for value, probability in zip(plan.statistic, plan.probability, strict=True):
        assert plan.p_value(value) == probability
    assert plan.p_value(1.0) == 1.0
    assert plan.level(0, 0.0) == 0.0


def looked_at(values):
    """Return the series at the look where the experiment would stop taking pairs."""
    for looks in range(1, len(schedule().looks)):
        series = judging.Series(values=values, looks=looks)
        if judging.is_clear([series], 0) or judging.is_futile(series, judging.ALPHA):
            return series
    return judging.Series(values=values, looks=len(schedule().looks))


SHAPES = {
    "normal": lambda draw: draw.gauss(0, 0.03),
    "heavy tails": lambda draw: 0.01 * draw.gauss(0, 1) / max(abs(draw.gauss(0, 1)), 0.01),
    "two heaps": lambda draw: draw.choice([-0.05, 0.05]) + draw.gauss(0, 0.01),
    "coarse clock": lambda draw: round(draw.gauss(0, 0.02), 2),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_difference_raises_few_alarms(shape):
    # The short form of benchmarks.bench_simulation, which takes 20,000 experiments a shape. Of 600 at a true 5 %, fewer
    # than 46 alarm with a probability of 0.999.
    draw = random.Random(f"{shape} 7")
    plan = schedule()
    alarms = 0
    for _ in range(600):
        values = [SHAPES[shape](draw) for _ in range(plan.looks[-1])]
        alarms += plan.p_value(statistic(values, len(plan.looks), plan)) <= judging.ALPHA
    assert alarms <= 46


def test_slices_of_one_process_are_no_witnesses_of_their_own():
    # Why a test gets one number a pair. Each process has its own placement, which all its slices share: 2 % from
    # process to process, 2 % from slice to slice. Twelve pairs of 16 slices without a difference between the arms:
    draw = random.Random(23)
    pooled = paired = 0
    for _ in range(200):
        pairs = [[bias + draw.gauss(0, 0.02) for _ in range(16)] for bias in (draw.gauss(0, 0.02) for _ in range(12))]
        everything = [value for pair in pairs for value in pair]
        n = len(everything)
        ranks = {index: rank for rank, index in enumerate(sorted(range(n), key=lambda i: abs(everything[i])), 1)}
        above = sum(ranks[index] for index, value in enumerate(everything) if value > 0)
        spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        pooled += abs(above - n * (n + 1) / 4) / spread > 1.96
        paired += signed_rank.p_value([sorted(pair)[8] for pair in pairs]) <= 0.05
    assert pooled / 200 > 0.40  # false alarms
    assert paired / 200 < 0.10


@pytest.mark.parametrize("percent", [0, 3])
def test_the_interval_covers_the_truth_and_the_estimate_is_right(percent):
    # 2,000 experiments with a true slowdown, stopped as the experiment stops.
    draw = random.Random(31)
    truth, held, estimates = math.log1p(percent / 100), 0, []
    for _ in range(2000):
        values = [draw.gauss(truth, 0.03) for _ in range(schedule().looks[-1])]
        found = judging.state(looked_at(values)).shift
        held += found.low < truth < found.high
        estimates.append(found.estimate)
    assert 0.93 <= held / 2000 <= 0.97
    assert sum(estimates) / 2000 == pytest.approx(truth, abs=0.003)  # stopping early leans a little outwards
