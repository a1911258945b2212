"""Two independent samples of times, one value a process: the ratio, its interval, and how sure a difference is.

This is for what cannot be paired, a run against the record of another. The test is Mann-Whitney's; the ratio is Hodges
and Lehmann's estimate on logarithms, the median of all ratios of a value here to a value there, and its interval
Moses's, which the same test bounds (M. Hollander, D. A. Wolfe, E. Chicken, Nonparametric Statistical Methods, 3rd ed.
2014, sections 4.1-4.3). Unlike benchstat's (:mod:`labkit.bench.benchstat.utest`) the exact test counts both tails where
values tie.
"""

import math
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from statistics import NormalDist, median
from typing import Final, NamedTuple

ALPHA: Final = 0.05

#: "Could have seen" means: would have been shown in this share of cases.
POWER: Final = 0.8

#: The largest sample whose exact distribution is counted, in half a second; the normal one is close to it beyond.
EXACT_LIMIT: Final = 50

# C(100, 50) has 97 bits.
_SLOT_BITS: Final = 128


class Shift(NamedTuple):
    """How a second sample lies against a first, as logarithms of ratios; no interval where too few bound one."""

    estimate: float
    low: float | None
    high: float | None


def p_value(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the two-sided p-value of the Mann-Whitney test; 1 where all values are equal.

    Exact, given the ties there are, up to :data:`EXACT_LIMIT` values a sample; beyond, the normal approximation with
    the corrections for ties and for continuity.
    """
    n1, n2 = len(first), len(second)
    labelled = sorted([(value, True) for value in first] + [(value, False) for value in second])
    ties, twice_ranks, before = [], 0, 0
    for _value, group in groupby(labelled, key=lambda each: each[0]):
        of_first = [label for _same, label in group]
        ties.append(len(of_first))
        twice_ranks += (2 * before + 1 + len(of_first)) * sum(of_first)
        before += len(of_first)
    twice_distance = abs(twice_ranks - n1 * (n1 + n2 + 1))  # from the middle
    if len(ties) == 1:
        return 1.0
    if max(n1, n2) <= EXACT_LIMIT:
        ways = _ways(n1, tuple(ties))
        middle = n1 * (n1 + n2 + 1)
        return sum(count for twice, count in enumerate(ways) if abs(twice - middle) >= twice_distance) / sum(ways)
    n = n1 + n2
    variance = n1 * n2 / 12 * ((n + 1) - sum(tie**3 - tie for tie in ties) / (n * (n - 1)))
    return math.erfc(max(0.0, twice_distance / 2 - 0.5) / math.sqrt(2 * variance))


@cache
def _ways(n1: int, ties: tuple[int, ...]) -> tuple[int, ...]:
    """Return, for each sum of twice the ranks from 0, how many choices of ``n1`` values have it.

    The coefficients of a polynomial lie side by side in one integer, which Python adds and shifts as a whole.
    """
    chosen = [1] + [0] * n1
    before = 0
    for tie in ties:
        weight = (2 * before + tie + 1) * _SLOT_BITS  # twice the mean rank of these values
        for n in range(n1, 0, -1):
            for taken in range(1, min(tie, n) + 1):
                if chosen[n - taken]:
                    chosen[n] += math.comb(tie, taken) * (chosen[n - taken] << (taken * weight))
        before += tie
    size = _SLOT_BITS // 8
    data = chosen[n1].to_bytes(-(-chosen[n1].bit_length() // _SLOT_BITS) * size, "little")
    return tuple(int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size))


def shift(first: Sequence[float], second: Sequence[float], *, alpha: float = ALPHA) -> Shift:
    """Return the logarithm of the ratio of the second sample's values to the first's, with its interval.

    Args:
        first: Positive values.
        second: Positive values.
        alpha: One less the interval's confidence.

    """
    before, after = [math.log(value) for value in first], [math.log(value) for value in second]
    ordered = sorted(b - a for a in before for b in after)
    rank = _rank(len(first), len(second), alpha)
    if rank == 0:
        return Shift(median(ordered), None, None)
    return Shift(median(ordered), ordered[rank - 1], ordered[-rank])


@cache
def _rank(n1: int, n2: int, alpha: float) -> int:
    """Return which of the ordered ratios bounds the interval, from 1: the greatest k with P(U < k) <= alpha / 2."""
    if max(n1, n2) > EXACT_LIMIT:
        deviation = math.sqrt(n1 * n2 * (n1 + n2 + 1) / 12)
        return max(0, math.floor(n1 * n2 / 2 + NormalDist().inv_cdf(alpha / 2) * deviation))
    ways = _ways(n1, (1,) * (n1 + n2))
    total, below, k = sum(ways), 0, 0
    for count in ways[n1 * (n1 + 1) :: 2]:  # by U, from 0
        below += count
        if below > alpha / 2 * total:
            return k
        k += 1
    return k


def least_processes(alpha: float) -> int:
    """Return the least number of values on either side with which a difference can be shown at this level."""
    n = 1
    while 2 / math.comb(2 * n, n) > alpha:
        n += 1
    return n


def detectable(seen: Shift, *, alpha: float, threshold: float = 0.0) -> float | None:
    """Return the smallest difference that would have been shown in 80 % of cases, as a logarithm; None: none would.

    The estimate scatters about the truth by what the interval's half-width says; it must leave the interval around zero
    and the threshold behind with that probability.

    Args:
        seen: A shift and its interval at ``alpha``.
        alpha: The level of the test.
        threshold: A smaller estimate is no verdict, as a logarithm.

    """
    if seen.low is None or seen.high is None:
        return None
    half = (seen.high - seen.low) / 2
    deviation = half / NormalDist().inv_cdf(1 - alpha / 2)
    return max(half, threshold) + NormalDist().inv_cdf(POWER) * deviation


def percent(logarithm: float) -> float:
    """Return a logarithm of a ratio as a change in percent."""
    return 100 * math.expm1(logarithm)
