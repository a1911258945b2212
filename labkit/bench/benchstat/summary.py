"""A sample's centre and interval, and two samples compared, as benchstat has them.

golang.org/x/perf/benchmath's two assumptions: ``nothing`` gives the median with an interval between order statistics
and the Mann-Whitney test; ``exact`` (a unit with ``assume=exact``) gives the commonest value and compares any two.

:mod:`labkit.bench.statistics` has labkit's own interval. This one differs from it in the two ways that its docstring
names: it may be one rank narrower on one side, and from 31 values on its ranks come from the normal approximation.
"""

import math
from collections.abc import Sequence
from functools import cache
from statistics import NormalDist
from typing import Final, NamedTuple

from labkit.bench.benchfmt.units import shortest
from labkit.bench.benchstat.utest import NoTestError, p_value

CONFIDENCE: Final = 0.95
ALPHA: Final = 0.05

_APPROXIMATE_FROM: Final = 31

# From 21 values on go-moremath has binomial coefficients from logarithms of the gamma function, and of two that are
# equal the rounding decides which comes first: at 24 values, alone, it is the right one.
_ROUNDED: Final = {24: (8, 18)}

_LEAST_FOR_INTERVAL: Final = 6
_LEAST_FOR_TEST: Final = 4
_NO_INTERVAL: Final = f"need >= {_LEAST_FOR_INTERVAL} samples for confidence interval at level {CONFIDENCE}"
_NO_TEST: Final = f"need >= {_LEAST_FOR_TEST} samples to detect a difference at alpha level {ALPHA}"


class Summary(NamedTuple):
    """A sample's centre, in the values' unit, and its interval; infinite bounds when there are too few values."""

    center: float
    low: float
    high: float
    warnings: tuple[str, ...] = ()

    def percent(self) -> str:
        """Return half the interval as benchstat prints it behind ±: ``2%``, ``∞``, ``?`` where signs differ."""
        if math.isinf(self.low) or math.isinf(self.high):
            return "∞"
        if not _sign(self.center) == _sign(self.low) == _sign(self.high):
            return "?"
        if self.center == 0:
            return "0%"
        return f"{100 * max(self.high / self.center - 1, 1 - self.low / self.center):.0f}%"


class Comparison(NamedTuple):
    """Two samples compared; ``p`` is 0 and ``alpha`` 0 for exact values, which any difference tells apart."""

    p: float
    n1: int
    n2: int
    alpha: float
    warnings: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return it as benchstat prints it: ``p=0.008 n=5``."""
        n = f"n={self.n1}" if self.n1 == self.n2 else f"n={self.n1}+{self.n2}"
        return f"p={self.p:.3f} {n}" if self.p else n

    def delta(self, old: float, new: float) -> str:
        """Return the change of the centres as benchstat prints it: ``+1.42%``, ``~`` where no difference is shown."""
        if self.p > self.alpha:
            return "~"
        if old == new:
            return "0.00%"
        return "?" if old == 0 else f"{(divide(new, old) - 1) * 100:+.2f}%"


def summarise(ordered: Sequence[float], *, exact: bool = False) -> Summary:
    """Return the centre of a sample, its values in ascending order, with its interval."""
    if exact:
        return _mode(ordered)
    n = len(ordered)
    low, high = ranks(n)
    summary = Summary(
        center=median(ordered),
        low=ordered[low - 1] if low >= 1 else -math.inf,
        high=ordered[high - 1] if high <= n else math.inf,
    )
    return summary._replace(warnings=(_NO_INTERVAL,)) if summary.percent() == "∞" else summary


def compare(first: Sequence[float], second: Sequence[float], *, exact: bool = False) -> Comparison:
    """Return two samples compared, the baseline first."""
    n1, n2 = len(first), len(second)
    if exact:
        return Comparison(0.0, n1, n2, 0.0)
    try:
        p = p_value(first, second)
    except NoTestError as error:
        return Comparison(1.0, n1, n2, ALPHA, (str(error),))
    hopeless = p > ALPHA and max(n1, n2) < _LEAST_FOR_TEST
    return Comparison(p, n1, n2, ALPHA, (_NO_TEST,) if hopeless else ())


def median(ordered: Sequence[float]) -> float:
    """Return the median as benchstat interpolates it (R's 8th definition), to the last bit."""
    n = len(ordered)
    fraction, whole = math.modf(1 / 3 + 0.5 * (n + 1 / 3))
    k = int(whole)
    if k >= n:
        return ordered[-1]
    return ordered[k - 1] + fraction * (ordered[k] - ordered[k - 1]) if k > 0 else ordered[0]


@cache
def ranks(n: int) -> tuple[int, int]:
    """Return the order statistics that bound the median, from 1; 0 or n + 1 stands for infinity.

    Up to 30 values the binomial's probabilities are added from the middle outwards, the left one first of two equal,
    until they reach the confidence; beyond that the normal approximation's band is rounded outwards, and taken one rank
    narrower on the right where that is enough (``QuantileCI`` in go-moremath).
    """
    if n in _ROUNDED:
        return _ROUNDED[n]
    if n < _APPROXIMATE_FROM:
        low, high = -(-(n + 1) // 2) - 1, -(-(n + 1) // 2)
        covered = math.comb(n, low)
        while covered < CONFIDENCE * 2**n and (low > 0 or high <= n):
            left, right = (math.comb(n, low - 1) if low else 0), (math.comb(n, high) if high <= n else 0)
            low, high = (low - 1, high) if left >= right else (low, high + 1)
            covered += max(left, right)
        return low, high
    normal = NormalDist(n / 2, math.sqrt(n / 4))
    left_end = normal.inv_cdf((1 - CONFIDENCE) / 2)
    right_end = n - left_end
    low, high = math.floor(math.floor(left_end - 0.5) + 0.5) + 1, math.floor(math.ceil(right_end - 0.5) + 0.5) + 1
    narrower = normal.cdf(high - 1.5) - normal.cdf(low - 0.5)
    whole = normal.cdf(high - 0.5) - normal.cdf(low - 0.5)
    return max(low, 0), min(high - (CONFIDENCE <= narrower < whole), n + 1)


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean; not a number when there are no values or one is not positive."""
    if not values or any(value <= 0 for value in values):
        return math.nan
    mean = 0.0
    for i, value in enumerate(values, 1):
        mean += (math.log(value) - mean) / i
    return math.exp(mean)


def divide(numerator: float, denominator: float) -> float:
    """Return a quotient as Go has it: infinite or not a number where Python would raise."""
    if denominator:
        return numerator / denominator
    return math.nan if not numerator or math.isnan(numerator) else math.copysign(math.inf, numerator)


def _mode(ordered: Sequence[float]) -> Summary:
    value, count = ordered[0], 1
    most, most_count = value, count
    for each in ordered[1:]:
        value, count = (value, count + 1) if each == value else (each, 1)
        if count > most_count:
            most, most_count = value, count
    low, high = ordered[0], ordered[-1]
    varies = f"exact distribution expected, but values range from {shortest(low)} to {shortest(high)}"
    return Summary(most, low, high, () if most_count == len(ordered) else (varies,))


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
