"""Wilcoxon's signed-rank test, its interval, and what it could have seen: exact, by counting. Knows of no clocks.

The values are one per pair of processes: the log ratio of the changed arm to the baseline. That they are symmetric
about the true log ratio is all that is assumed, and the experiment makes it so by giving the roles out at random.

F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bulletin 1 (1945) 80-83; zeros as J. W. Pratt,
"Remarks on zeros and ties in the Wilcoxon signed rank procedures", J. Am. Stat. Assoc. 54 (1959) 655-667; the interval
by Walsh averages as M. Hollander, D. A. Wolfe, Nonparametric Statistical Methods, 2nd ed. 1999, section 3.3.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

#: How many draws of signs for the pairs' scatter :func:`detectable` looks at, and the seed of their choice.
SIGN_DRAWS: Final = 400
SIGN_SEED: Final = 20240229

#: What :func:`detectable` takes for "it would have been seen".
POWER: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class Shift:
    """Where the values lie: the Hodges-Lehmann estimate and its interval; no bounds where so few values have none."""

    estimate: float
    low: float | None
    high: float | None
    coverage: float | None  # exact for values without ties, at least that with ties


def p_value(values: Sequence[float]) -> float:
    """Return the exact two-sided probability of ranks this far to one side, when each sign is a fair coin's.

    Zeros take part in the ranking and are then dropped; equal values share the mean of their ranks. The distribution is
    counted for the ranks at hand, so that it is exact with ties and zeros too. Without any difference it is 1.
    """
    ranks = _doubled_ranks(values)
    kept = tuple(sorted(rank for rank, value in zip(ranks, values, strict=True) if value != 0))
    if not kept:
        return 1.0
    above = sum(rank for rank, value in zip(ranks, values, strict=True) if value > 0)
    ways = _ways(kept)
    least = min(above, sum(kept) - above)
    return min(1.0, 2 * sum(ways[: least + 1]) / (1 << len(kept)))


def attainable(n: int) -> tuple[float, ...]:
    """Return every two-sided p-value that n values without ties and zeros can have, rising; the last is 1."""
    ways = _ways(tuple(2 * rank for rank in range(1, n + 1)))[::2]
    sums, total = [], 0
    for count in ways[: n * (n + 1) // 4 + 1]:
        total += count
        sums.append(min(1.0, 2 * total / 2**n))
    return tuple(dict.fromkeys(sums))


def rank_for(n: int, level: float) -> int | None:
    """Return how many Walsh averages lie outside on each side, the bound among them; None when not even one may.

    A bound of this rank leaves out a shift exactly when the test at this level would.
    """
    ways = _ways(tuple(2 * rank for rank in range(1, n + 1)))[::2]
    outside, rank = 0, 0
    while 2 * (outside + ways[rank]) <= level * 2**n:
        outside += ways[rank]
        rank += 1
    return rank or None


def shift(values: Sequence[float], level: float) -> Shift:
    """Return the Hodges-Lehmann estimate and the interval that the test at this level goes with.

    Raises:
        ValueError: There are no values.

    """
    averages = walsh(values)
    n, rank = len(values), rank_for(len(values), level)
    if rank is None:
        return Shift(estimate=_middle(averages), low=None, high=None, coverage=None)
    ways = _ways(tuple(2 * number for number in range(1, n + 1)))[::2]
    return Shift(
        estimate=_middle(averages),
        low=averages[rank - 1],
        high=averages[-rank],
        coverage=1 - 2 * sum(ways[:rank]) / 2**n,
    )


def walsh(values: Sequence[float]) -> list[float]:
    """Return the mean of every two values, each with itself too, sorted."""
    return sorted((a + b) / 2 for index, a in enumerate(values) for b in values[index:])


def detectable(values: Sequence[float], level: float, threshold: float) -> float:
    """Return the smallest shift that such values would have shown in :data:`POWER` of cases.

    Such values: the same distances from their estimate, each sign a coin's (400 seeded draws). For each draw the
    smallest shift that is shown follows from its Walsh averages: the interval's lower bound has to pass zero and the
    estimate has to reach ``threshold``. Infinite when so few values show nothing at this level.
    """
    rank = rank_for(len(values), level)
    if rank is None:
        return math.inf
    estimate = _middle(walsh(values))
    scatter = [abs(value - estimate) for value in values]
    coin = random.Random(SIGN_SEED)  # noqa: S311 - coins, not secrets
    needed = []
    for _ in range(SIGN_DRAWS):
        averages = walsh([distance if coin.random() < 0.5 else -distance for distance in scatter])  # noqa: PLR2004
        needed.append(max(-averages[rank - 1], threshold - _middle(averages)))
    return sorted(needed)[math.ceil(POWER * SIGN_DRAWS) - 1]


def _middle(ordered: Sequence[float]) -> float:
    if not ordered:
        raise ValueError("no values")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _doubled_ranks(values: Sequence[float]) -> list[int]:
    """Return twice the rank of each value's size, from 2; equal sizes share their mean, which doubled is whole."""
    sizes = sorted(abs(value) for value in values)
    first: dict[float, int] = {}
    last: dict[float, int] = {}
    for position, size in enumerate(sizes, start=1):
        first.setdefault(size, position)
        last[size] = position
    return [first[abs(value)] + last[abs(value)] for value in values]


@lru_cache(maxsize=512)
def _ways(ranks: tuple[int, ...]) -> tuple[int, ...]:
    """Return in how many ways signs give each sum of positive ranks: index to count, over all 2^n."""
    ways = [1]
    for rank in ranks:
        longer = ways + [0] * rank
        for total, count in enumerate(ways):
            longer[total + rank] += count
        ways = longer
    return tuple(ways)
