"""The ratio of two samples of processes: an estimate with its interval, and whether a difference is shown.

Estimate and interval are those of J. L. Hodges and E. L. Lehmann (Annals of Mathematical Statistics 34, 1963) on the
logarithms: the median of all pairwise ratios, and two of the sorted ratios by the exact distribution of Mann and
Whitney's U. No assumption about the times' distribution. The processes of both sides were interleaved but are not
paired.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Final

from labkit.bench.statistics import CONFIDENCE, median
from labkit.model.structure import Ratio

#: A difference below this matters to nobody: 1 %.
PRACTICAL: Final = 0.01


def ratio(base: Sequence[float], other: Sequence[float]) -> Ratio:
    """Return how much longer the other takes, one time per process on each side.

    Raises:
        ValueError: A side is empty.

    """
    if not base or not other:
        raise ValueError("a ratio of no times")
    logs = sorted(math.log(b / a) for a in base for b in other)
    estimate, n, m = math.exp(median(logs)), len(base), len(other)
    rank = _rank(n, m)
    if rank is None:
        return Ratio(
            ratio=estimate, low=None, high=None, confidence=None, n=min(n, m), shown=False, could_see_percent=None
        )
    low, high = math.exp(logs[rank - 1]), math.exp(logs[-rank])
    width = max(estimate / low, high / estimate)
    return Ratio(
        ratio=estimate,
        low=low,
        high=high,
        confidence=1 - 2 * _below(n, m, rank),
        n=min(n, m),
        shown=(low > 1 or high < 1) and abs(estimate - 1) >= PRACTICAL,
        could_see_percent=100 * max(PRACTICAL, width - 1),
    )


def _rank(n: int, m: int) -> int | None:
    """Return the greatest rank whose pair of sorted differences has the confidence; None when not even 1 has."""
    alpha = float(1 - CONFIDENCE)
    ranks = [rank for rank in range(1, n * m // 2 + 1) if 2 * _below(n, m, rank) <= alpha]
    return max(ranks, default=None)


def _below(n: int, m: int, rank: int) -> float:
    """Return the probability that U is below a rank when both sides are alike."""
    return sum(_ways(n, m, u) for u in range(rank)) / math.comb(n + m, n)


@cache
def _ways(n: int, m: int, u: int) -> int:
    """Return in how many orders of n and m values U is u (H. B. Mann and D. R. Whitney, 1947, equation 2)."""
    if u < 0:
        return 0
    if n == 0 or m == 0:
        return int(u == 0)
    return _ways(n - 1, m, u - m) + _ways(n, m - 1, u)
