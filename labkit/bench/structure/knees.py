"""Where a curve of latency over size leaves a plateau: a pure function, with no knowledge of caches.

Both axes are logarithmic. The curve is cut by dynamic programming into stretches, each either a plateau (a line whose
slope lies between 0 and :data:`SAG` doublings of time per doubling of size: real plateaus sag a little) or a ramp (a
steeper line). The cut with the least sum of squared, weighted residuals plus the Bayesian information criterion's
penalty wins (G. Schwarz, Estimating the dimension of a model, Annals of Statistics 6, 1978), at ln n for each of a
stretch's three numbers (two of its line, one of its end). A knee is a plateau's end after which the curve rises by at
least :data:`RISE` before the next plateau. It lies where the curve crosses the geometric mean of both, or twice the
plateau when that is less: where a cache replaces in strict order the rise is a step at its size C, where it replaces
at random the time of a load is ``low + (high - low) (1 - C / size)``, and that crossing then lies between C and 1.5 C.
The plateau's end alone would be too early wherever a few sets of the cache overflow before the others do.

What is not stable is called so: a point at which processes disagree bears little weight and no knee, and a knee is
stable only when most resamplings of the processes find it again within a factor of 2.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from labkit.bench.statistics import median, summarise
from labkit.model.structure import Knee, Point

#: The most that a plateau may rise: doublings of time per doubling of size.
SAG: Final = 0.22

#: The least rise of a knee, as a ratio of times.
RISE: Final = 1.35

#: The least standard deviation of a point's logarithm that is believed: no model fits a machine better than this.
LEAST_SIGMA: Final = 0.04

#: Processes disagree when the middle half of their times spans more than this ratio.
DISAGREE: Final = 1.5

#: The share of resamplings that must find a knee again, and how many are made.
AGREEMENT: Final = 0.8
RESAMPLINGS: Final = 40

#: From a size on the curve is not stable when at least this share of its points there is not.
MOST: Final = 0.6

_NUMBERS = 3
_LEAST_POINTS: Final = 4
_LEAST_PLATEAU: Final = 2
_TINY: Final = 1e-9


@dataclass(frozen=True)
class _Stretch:
    begin: int
    end: int  # exclusive
    plateau: bool
    first: float  # the line's value at its first and at its last point, ln ns
    last: float


@dataclass(frozen=True)
class _Found:
    plateau_begin: int  # index
    plateau_end: int  # index
    above: int  # index of the first point beyond the crossing
    size: float  # of the crossing, log2
    before: float  # ln ns
    after: float


def point(at: int, least_ns: Sequence[float]) -> Point:
    """Return one point from each process's least time in ns.

    Raises:
        ValueError: There is no process.

    """
    return Point(at=at, time_ns=summarise(least_ns), least_ns=tuple(least_ns), stable=_spread(least_ns) <= DISAGREE)


def find(points: Sequence[Point], *, seed: int = 1, rise: float = RISE) -> tuple[Knee, ...]:
    """Return the knees of a curve, by size.

    Args:
        points: By size, rising; at least 4 for any knee.
        seed: Of the resampling.
        rise: The least rise of a knee, as a ratio of times.

    """
    if len(points) < _LEAST_POINTS:
        return ()
    sizes = [math.log2(each.at) for each in points]
    times = [each.least_ns for each in points]
    found = _knees(sizes, times, rise)
    order = random.Random(seed)  # noqa: S311 - a resampling, not a secret
    again = [
        [2**knee.size for knee in _knees(sizes, [order.choices(each, k=len(each)) for each in times], rise)]
        for _ in range(RESAMPLINGS if found else 0)
    ]
    limit = unstable_from(points)
    return tuple(_knee(points, each, again, limit) for each in found)


def unstable_from(points: Sequence[Point]) -> int | None:
    """Return the size from which on most points are such that processes disagree; None when there is none."""
    for index, each in enumerate(points):
        rest = points[index:]
        if not each.stable and sum(not other.stable for other in rest) >= MOST * len(rest):
            return each.at
    return None


def _knee(points: Sequence[Point], found: _Found, again: Sequence[Sequence[float]], limit: int | None) -> Knee:
    at = 2**found.size
    agreement = sum(any(0.5 <= other / at <= 2 for other in each) for each in again) / len(again)  # noqa: PLR2004
    # A rise is believed on two points that the processes agree on; the curve's last may stand alone.
    witnesses = points[found.above : found.above + 2]
    # Where data just fill a cache its sets overflow in one process and not in the next: the point at the very edge may
    # scatter, the plateau before it may not.
    plateau = points[found.plateau_begin : found.plateau_end + 1]
    sound = 2 * sum(each.stable for each in plateau) >= len(plateau) and (limit is None or witnesses[-1].at < limit)
    return Knee(
        at=at,
        plateau_end=points[found.plateau_end].at,
        above=points[found.above].at,
        before_ns=math.exp(found.before),
        after_ns=math.exp(found.after),
        agreement=agreement,
        stable=sound and agreement >= AGREEMENT,
    )


def _spread(times_ns: Sequence[float]) -> float:
    """Return the ratio that the middle half of the times spans: quartiles by the nearest of the sorted."""
    ordered = sorted(times_ns)
    quarter = len(ordered) // 4
    return ordered[-1 - quarter] / ordered[quarter]


def _knees(sizes: Sequence[float], times: Sequence[Sequence[float]], rise: float) -> list[_Found]:
    values = [math.log(median(each)) for each in times]
    sigmas = [max(LEAST_SIGMA, math.log(_spread(each)) / 1.35) for each in times]
    found: list[_Found] = []
    stretches = _cut(sizes, values, sigmas)
    for index, stretch in enumerate(stretches[:-1]):
        following = stretches[index + 1 :]
        if not stretch.plateau or stretch.last >= following[0].last:
            continue
        plateau = next((each for each in following if each.plateau), None)
        after = plateau.first if plateau else following[-1].last
        if after - stretch.last < math.log(rise):
            continue
        target = stretch.last + min((after - stretch.last) / 2, math.log(2))
        above = next((i for i in range(stretch.end, len(values)) if values[i] > target), None)
        if above is None:  # one point disturbed upwards made the line
            continue
        low, high = min(values[above - 1], target), values[above]
        size = sizes[above - 1] + (sizes[above] - sizes[above - 1]) * (target - low) / (high - low)
        found.append(_Found(stretch.begin, stretch.end - 1, above, size, stretch.last, after))
    return found


def _cut(sizes: Sequence[float], values: Sequence[float], sigmas: Sequence[float]) -> list[_Stretch]:
    """Return the best cut into stretches."""
    n = len(values)
    penalty = _NUMBERS * math.log(n)
    sums = _sums(sizes, values, sigmas)
    best: list[tuple[float, tuple[_Stretch, ...]]] = [(0.0, ())]
    for end in range(1, n + 1):
        least: tuple[float, tuple[_Stretch, ...]] = (math.inf, ())
        for begin in range(end):
            cost, before = best[begin]
            over = tuple(last - first for first, last in zip(sums[begin], sums[end], strict=True))
            for plateau in (True, False):
                if end - begin < (_LEAST_PLATEAU if plateau else 1):
                    continue
                residual, slope, intercept = _line(over, plateau=plateau)
                if cost + residual + penalty < least[0]:
                    first, last = (intercept + slope * sizes[i] for i in (begin, end - 1))
                    stretch = _Stretch(begin, end, plateau, first, last)
                    least = (cost + residual + penalty, (*before, stretch))
        best.append(least)
    return list(best[n][1])


def _sums(sizes: Sequence[float], values: Sequence[float], sigmas: Sequence[float]) -> list[tuple[float, ...]]:
    """Return the running weighted sums 1, x, y, xx, xy, yy, from none of the points to all."""
    running: list[tuple[float, ...]] = [(0.0,) * 6]
    for x, y, sigma in zip(sizes, values, sigmas, strict=True):
        terms = (1.0, x, y, x * x, x * y, y * y)
        running.append(tuple(so_far + term / sigma**2 for so_far, term in zip(running[-1], terms, strict=True)))
    return running


def _line(over: tuple[float, ...], *, plateau: bool) -> tuple[float, float, float]:
    """Return the best allowed line through a stretch's sums: weighted squared residuals, slope, intercept."""
    w, x, y, xx, xy, yy = over
    across, along, up = xx - x * x / w, xy - x * y / w, yy - y * y / w
    slope = along / across if across > _TINY * w else 0.0
    steepest = SAG * math.log(2)
    slope = min(max(slope, 0.0), steepest) if plateau else max(slope, steepest)
    residual = max(0.0, up - 2 * slope * along + slope * slope * across)
    return residual, slope, (y - slope * x) / w
