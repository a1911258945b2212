"""Intervals by resampling runs, then the processes within them; seeded, so that they can be obtained again.

A run of a machine is one experiment: its processes share the hour, the heat and the neighbours. So runs are drawn
first, with replacement, and within each drawn run its processes; the statistic is the median over runs of the medians
over processes (A. C. Davison, D. V. Hinkley, Bootstrap Methods and their Application, 1997, section 3.8: of the two
ways to draw within, with replacement is the one that errs to the wide side). With more than :data:`MANY_RUNS` runs only
these are drawn: what varies within a run is in what varies between them.

The median of a resample of n values is drawn at once, without drawing the n: its place among the n is that of the
median of n uniform numbers, which is a beta's.
"""

import random
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final, NamedTuple

from labkit.bench.statistics import median

#: Draws behind an interval.
REPLICATES: Final = 1000
CONFIDENCE: Final = 0.95
MANY_RUNS: Final = 20

#: From fewer values than this a bootstrap's interval is hardly more than their range, and says less than it seems.
LEAST: Final = 5

#: What is added to a seed for the side that is not the baseline's, so that the two are drawn apart.
OTHER_SIDE: Final = 7919

Runs = Sequence[Sequence[float]]  # for each run, one value a process


class Bounds(NamedTuple):
    """A percentile interval."""

    low: float
    high: float


def centre(runs: Runs) -> float:
    """Return the median over runs of the medians over processes."""
    return median([middle(tuple(run)) for run in runs])


@lru_cache(maxsize=1 << 17)
def middle(run: tuple[float, ...]) -> float:
    """Return a run's median; each is asked for by value, interval and every ratio to it."""
    return median(run)


def enough(runs: Runs) -> bool:
    """Return whether there is something to resample: several runs, or several processes of one."""
    return len(runs) >= LEAST or sum(map(len, runs)) >= LEAST


def replicates(runs: Runs, *, seed: int) -> tuple[float, ...]:
    """Return what the statistic is in :data:`REPLICATES` resamples; the same ones for the same seed and shape."""
    return _replicates(tuple(map(tuple, runs)), seed)


@lru_cache(maxsize=1024)  # the baseline's are asked for by every column
def _replicates(runs: tuple[tuple[float, ...], ...], seed: int) -> tuple[float, ...]:
    if len(runs) == 1 or len(runs) > MANY_RUNS:
        values = runs[0] if len(runs) == 1 else [middle(run) for run in runs]
        return tuple(_medians(sorted(values), seed))
    draw = random.Random(seed)  # noqa: S311 - resampling, not a secret
    within = [_medians(sorted(run), seed + 1 + place) for place, run in enumerate(runs)]
    found = []
    places = range(len(runs))
    for at in range(REPLICATES):
        # Two draws of one run in a resample are two resamples of its processes: another of its replicates each.
        drawn = draw.choices(places, k=len(runs))
        found.append(median([within[run][(at + 37 * turn) % REPLICATES] for turn, run in enumerate(drawn)]))
    return tuple(found)


def ratio_bounds(base: Runs, other: Runs, *, seed: int) -> Bounds | None:
    """Return the interval of other's centre over base's, both resampled on their own; None where too few bound one."""
    if not (enough(base) and enough(other)):
        return None
    below, above = replicates(base, seed=seed), replicates(other, seed=seed + OTHER_SIDE)
    return percentiles([b / a for a, b in zip(below, above, strict=True)])


def bounds(runs: Runs, *, seed: int) -> Bounds | None:
    """Return the interval of the centre; None where too few bound one."""
    return percentiles(replicates(runs, seed=seed)) if enough(runs) else None


def percentiles(values: Sequence[float]) -> Bounds:
    """Return the percentiles that enclose :data:`CONFIDENCE` of the values."""
    ordered = sorted(values)
    cut = round((1 - CONFIDENCE) / 2 * len(ordered))
    return Bounds(ordered[cut], ordered[-1 - cut])


def _medians(ordered: Sequence[float], seed: int) -> list[float]:
    return [(ordered[low] + ordered[high]) / 2 for low, high in _places(len(ordered), seed)]


@cache
def _places(n: int, seed: int) -> tuple[tuple[int, int], ...]:
    """Return for each resample of n ordered values the places of its median's two neighbours (of an odd n, one)."""
    draw = random.Random(seed * 1_000_003 + n)  # noqa: S311
    half, odd = divmod(n, 2)
    found = []
    for _ in range(REPLICATES):
        if odd:
            at = min(n - 1, int(n * draw.betavariate(half + 1, half + 1)))
            found.append((at, at))
        else:
            low = draw.betavariate(half, half + 1)
            # Given the lower one, the upper is the least of the n / 2 uniform numbers above it.
            high = 1 - (1 - low) * draw.random() ** (1 / half)
            found.append((min(n - 1, int(n * low)), min(n - 1, int(n * high))))
    return tuple(found)
