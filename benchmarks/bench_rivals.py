"""The rules of two other tools, applied to the same data: benchstat's and criterion.rs's. Theirs as their sources say.

benchstat (golang.org/x/perf, benchmath/anone.go): unpaired Mann-Whitney U test of one number a process, alpha 0.05.
criterion.rs (src/analysis/compare.rs, src/report.rs): one process an arm; Welch's t of the slices' times against its
bootstrap from both samples mixed, p < 0.05, and then the 95 % percentile interval of the ratio of means has to lie
beyond the noise threshold of 1 %. Its 100,000 resamples are 2,000 here.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

ALPHA: Final = 0.05
NOISE: Final = 0.01
RESAMPLES: Final = 2000


def benchstat(baseline: Sequence[float], changed: Sequence[float]) -> int:
    """Return the sign of the difference that benchstat would show, 0 for its ``~``."""
    if mann_whitney(baseline, changed) > ALPHA:
        return 0
    return int(np.sign(np.median(changed) - np.median(baseline)))


def mann_whitney(one: Sequence[float], two: Sequence[float]) -> float:
    """Return the two-sided p-value: exact without ties, else by the normal approximation with their correction."""
    n, m = len(one), len(two)
    both = sorted([*one, *two])
    above = sum((a > b) + 0.5 * (a == b) for a in one for b in two)
    if len(set(both)) == n + m:
        ways = _ways(n, m)
        tail = min(sum(ways[: int(above) + 1]), sum(ways[int(above) :]))
        return min(1.0, 2 * tail / math.comb(n + m, n))
    ties = sum(count**3 - count for count in (both.count(value) for value in set(both)))
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    if variance == 0:
        return 1.0
    return min(1.0, math.erfc(max(0.0, abs(above - n * m / 2) - 0.5) / math.sqrt(variance) / math.sqrt(2)))


def criterion(baseline: Sequence[float], changed: Sequence[float], seed: int) -> int:
    """Return the sign of the change that criterion would report, 0 for no change or one within its noise threshold."""
    coin = np.random.default_rng(seed)
    base, new = np.asarray(baseline), np.asarray(changed)
    mixed = np.concatenate([new, base])
    drawn = coin.choice(mixed, size=(RESAMPLES, len(mixed)))
    t = _welch(new[None, :], base[None, :])[0]
    distribution = _welch(drawn[:, : len(new)], drawn[:, len(new) :])
    below = int((distribution < t).sum())
    if 2 * min(below, RESAMPLES - below) / RESAMPLES >= ALPHA:
        return 0
    ratios = coin.choice(new, size=(RESAMPLES, len(new))).mean(1) / coin.choice(base, size=(RESAMPLES, len(base))).mean(
        1
    )
    low, high = np.percentile(ratios - 1, [2.5, 97.5])
    return 1 if low > NOISE else -1 if high < -NOISE else 0


def _welch(
    one: "np.ndarray[tuple[int, int], np.dtype[np.float64]]", two: "np.ndarray[tuple[int, int], np.dtype[np.float64]]"
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    error = np.sqrt(one.var(1, ddof=1) / one.shape[1] + two.var(1, ddof=1) / two.shape[1])
    return (one.mean(1) - two.mean(1)) / np.maximum(error, 1e-300)


def _ways(n: int, m: int) -> list[int]:
    """Return in how many orders of n and m values each U comes about (the Gaussian binomial's coefficients)."""
    poly = [1]
    for i in range(1, n + 1):
        up = poly + [0] * (m + i)
        for k in range(len(poly)):  # times 1 - q^(m+i)
            up[k + m + i] -= poly[k]
        for k in range(i, len(up)):  # divided by 1 - q^i
            up[k] += up[k - i]
        poly = up[: i * m + 1]
    return poly
