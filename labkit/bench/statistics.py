"""The median and its interval, with no assumption about the distribution.

The interval is bounded by two order statistics. Of n independent values the number that lie below the population's
median is binomial with p = 1/2, so the r-th smallest and the r-th largest enclose that median with the probability
P(r <= B <= n - r), whatever the distribution (W. J. Conover, Practical Nonparametric Statistics, 3rd ed. 1999,
section 3.2, "confidence interval for a quantile"; for a continuous distribution exactly, for ties at least). That
probability is computed exactly, and is the confidence that is told.

benchstat's interval has the same ground (``stats.QuantileCI`` of github.com/aclements/go-moremath) and differs in two
choices: it may take one rank more on the left than on the right when that is enough, and from n = 31 it uses the normal
approximation. From n = 6, the least for 95 %, both exist.

The values are one per process. Slices of one process are not independent: pooling them makes intervals far too narrow.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import comb
from typing import Final

from labkit.model.bench import Interval

#: The confidence that an interval has at least.
CONFIDENCE: Final = Fraction(95, 100)


def median(values: Sequence[float]) -> float:
    """Return the median; of an even number, the mean of the middle two.

    Raises:
        ValueError: There are no values.

    """
    if not values:
        raise ValueError("the median of no values")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return float(ordered[middle]) if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def coverage(n: int, rank: int) -> Fraction:
    """Return the probability that the ``rank``-th smallest and largest of n values enclose the median (rank from 1)."""
    return 1 - 2 * Fraction(sum(comb(n, below) for below in range(rank)), 2**n)


def rank_for(n: int, confidence: Fraction = CONFIDENCE) -> int | None:
    """Return the greatest rank whose symmetric pair has at least this confidence, None when not even 1 has."""
    ranks = [rank for rank in range(1, (n + 1) // 2 + 1) if coverage(n, rank) >= confidence]
    return max(ranks, default=None)


def least_n(confidence: Fraction = CONFIDENCE) -> int:
    """Return the least number of values that has an interval: 6 for 95 %."""
    n = 1
    while rank_for(n, confidence) is None:
        n += 1
    return n


def summarise(values: Sequence[float]) -> Interval:
    """Return the median of one value per process with its 95 % interval, in the values' unit.

    Raises:
        ValueError: There are no values.

    """
    n = len(values)
    rank = rank_for(n)
    if rank is None:
        return Interval(median=median(values), low=None, high=None, confidence=None, n=n)
    ordered = sorted(values)
    return Interval(
        median=median(values),
        low=float(ordered[rank - 1]),
        high=float(ordered[n - rank]),
        confidence=float(coverage(n, rank)),
        n=n,
    )
